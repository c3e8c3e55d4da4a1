"""One protocol is one room here: bytes in, batches and events out; no room opens a socket or reads a clock."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import cast

from telemetry.model.commands import tag_of
from telemetry.model.decoding import Source, SourceContext
from telemetry.model.enrolment import EnrolmentRule
from telemetry.model.phone import PHONE_PROTOCOL, PhoneSource
from telemetry.model.phone_reading import PhoneReader
from telemetry.model.reading import MessageReader

OpenSource = Callable[[SourceContext], Source]
MakeReader = Callable[..., MessageReader]


@cache
def find_sources() -> dict[str, ModuleType]:
    """Return every room of this folder by its name: a source is found by being there."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def find_phone_sources() -> list[PhoneSource]:
    """Return the rooms that understand phones' HTTP requests, in order of their names."""
    rooms = find_sources().values()
    return [
        cast(PhoneSource, room) for room in rooms if hasattr(room, "decode_request") and hasattr(room, "recognises")
    ]


def find_link_sources() -> dict[str, OpenSource]:
    """Return the rooms that speak on links, by protocol: each offers `open_source(context) -> Source`."""
    rooms = find_sources()
    return {name: room.open_source for name, room in rooms.items() if hasattr(room, "open_source")}


def find_readers() -> dict[str, MakeReader]:
    """Return the rooms whose messages can be read one by one: each offers `message_reader(*, utc_offset_s)`.

    Phones are read by all rooms that understand them, under the one name that they are enrolled by.
    """
    rooms = find_sources()
    readers = {name: room.message_reader for name, room in rooms.items() if hasattr(room, "message_reader")}
    return {**readers, PHONE_PROTOCOL: _phone_reader}


def _phone_reader(*, utc_offset_s: int) -> MessageReader:
    del utc_offset_s  # phones tell their zone, or mean UTC
    return PhoneReader(find_phone_sources())


def find_enrolment_rules() -> dict[str, EnrolmentRule]:
    """Return how the devices of each protocol are enrolled, by protocol.

    Each room that has devices offers `ENROLMENT`, and `FURTHER_ENROLMENTS` where others beside them are enrolled too.
    """
    rooms = find_sources().values()
    rules = [room.ENROLMENT for room in rooms if hasattr(room, "ENROLMENT")]
    rules += [rule for room in rooms for rule in getattr(room, "FURTHER_ENROLMENTS", ())]
    return {rule.protocol: rule for rule in rules}


def find_taken_commands() -> dict[str, frozenset[str]]:
    """Return the tags of the commands that each protocol's devices take, by protocol.

    A room offers `TAKES`, the classes that its decoders' `send` understands.
    """
    rooms = [room for room in find_sources().values() if hasattr(room, "TAKES") and hasattr(room, "ENROLMENT")]
    return {room.ENROLMENT.protocol: frozenset(map(tag_of, room.TAKES)) for room in rooms}
