"""What terminals that have proved themselves report: positions, batches, cards, attributes, settings; and how each is answered."""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from telemetry.model.batch import Quality
from telemetry.model.events import AnyEvent, DeviceInfo, DeviceParameters, OfficerOnBoard, VendorData
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.alarms import Seen
from telemetry.sources.jt808.block import BLOCK_POSITIONS, read_block
from telemetry.sources.jt808.bodies import read_attributes, read_driver_card
from telemetry.sources.jt808.frame import Frame
from telemetry.sources.jt808.items import (
    ALARM_TO_CONFIRM,
    LARGEST_VENDOR_DIGITS,
    readings_of,
    split_items,
    vendor_of,
)
from telemetry.sources.jt808.parameters import read_parameters
from telemetry.sources.jt808.position import CORE_BYTES, read_position
from telemetry.sources.jt808.speaker import Memory, Speaker
from telemetry.sources.jt808.turn import Turn

LOOK_EVERY_US: Final = 5_000_000
"""So often items are looked at; what changed is told every..."""
VENDOR_EVERY_US: Final = 60_000_000
READINGS_EVERY_US: Final = 600_000_000
ARCHIVE_TYPE: Final = 1
_BATCH_HEAD: Final = struct.Struct(">HB")


class Answer(NamedTuple):
    """How a message is answered: with which result, and whether that promises that it is kept; None: not at all."""

    result: int | None
    is_durable: bool = False


DONE: Final = Answer(m.Result.DONE)
KEPT: Final = Answer(m.Result.DONE, is_durable=True)
WRONG: Final = Answer(m.Result.WRONG)
UNSUPPORTED: Final = Answer(m.Result.UNSUPPORTED)
UNANSWERED: Final = Answer(None)


def take_report(frame: Frame, speaker: Speaker, turn: Turn, quality: int) -> Answer:
    """Take a whole message of a terminal that is honoured. `quality` are bits for the rows that it holds."""
    match frame.msg_id:
        case m.POSITION:
            return take_position(frame, speaker, turn, quality)
        case m.HEARTBEAT:
            if frame.body:
                _tell_vendor(speaker, turn, {"heartbeat": frame.body.hex()[:LARGEST_VENDOR_DIGITS]})
            return DONE
        case m.BATCH:
            return _take_batch(frame, speaker, turn, quality)
        case m.POSITION_ANSWER | m.VEHICLE_ANSWER:
            take_position(frame._replace(body=frame.body[2:]), speaker, turn, quality)
            return UNANSWERED
        case m.DRIVER_CARD:
            return _take_card(frame.body, speaker, turn)
        case m.TRANSPARENT:
            items = {f"transparent:{frame.body[:1].hex()}": frame.body[1:].hex()[:LARGEST_VENDOR_DIGITS]}
            _tell(VendorData, speaker, turn, items=items)
            return KEPT
        case m.PARAMETERS:
            _tell(DeviceParameters, speaker, turn, values=read_parameters(frame.body, 3))
            return UNANSWERED
        case m.ATTRIBUTES:
            attributes = read_attributes(frame)
            if attributes is not None:
                tell_itself(speaker, turn, attributes.fields)
            return UNANSWERED
        case _:
            turn.bad["unsupported"] += 1
            return UNSUPPORTED if frame.msg_id < m.FIRST_OF_PLATFORM else UNANSWERED


def take_position(frame: Frame, speaker: Speaker, turn: Turn, quality: int) -> Answer:
    """Take one position; its answer promises that it is kept."""
    reading = speaker.reading_at(turn.now_us, quality)
    position = read_position(frame.body, reading)
    if position is None:
        turn.bad["length"] += 1
        return WRONG
    turn.add_rows(speaker.crs, position.row)
    memory = speaker.memory
    speaker.last_body = frame.body
    if position.alarm_bits:
        note_alarm(memory, frame.body, frame.serial)
    seen = Seen(reading.device_id, turn.now_us)
    turn.events += memory.alarms.take(position.alarm_bits, position.observed_us, seen)
    return KEPT


def note_alarm(memory: Memory, body: bytes, serial: int) -> None:
    """Remember which message told an alarm, and by which number the terminal wants it confirmed."""
    memory.answered_serial = serial
    for number, value in split_items(body, CORE_BYTES):
        if number == ALARM_TO_CONFIRM and len(value) == 2:
            memory.alarm_to_confirm = int.from_bytes(value)


def _take_batch(frame: Frame, speaker: Speaker, turn: Turn, quality: int) -> Answer:
    """Take many positions; those of blind areas are marked as archive. What is broken off ends them, and is answered so."""
    body = frame.body
    if len(body) < _BATCH_HEAD.size:
        turn.bad["length"] += 1
        return WRONG
    count, kind = _BATCH_HEAD.unpack_from(body)
    at, end, is_whole = batch_places(body, count)
    is_archive = kind == ARCHIVE_TYPE
    quality |= Quality.ARCHIVE if is_archive else 0
    if not is_whole:
        turn.bad["length"] += 1
        quality |= 0 if speaker.device.options.ignores_length else Quality.LENGTH
    reading = speaker.reading_at(turn.now_us, int(quality))
    seen = Seen(reading.device_id, turn.now_us, is_archive)
    alarms = speaker.memory.alarms
    if len(at) >= BLOCK_POSITIONS:
        columns = read_block(body, np.array(at), np.array(end), reading)
        turn.add_rows(speaker.crs, columns.batch.tobytes())
        turn.events += alarms.take_many(columns.alarm_bits, columns.batch["observed_us"], seen)
    else:
        for begin, stop in zip(at, end, strict=True):
            position = read_position(body, reading, begin, stop)
            if position is not None:
                turn.add_rows(speaker.crs, position.row)
                turn.events += alarms.take(position.alarm_bits, position.observed_us, seen)
    if at and not is_archive:
        speaker.last_body = body[at[-1] : end[-1]]
    return KEPT if is_whole or speaker.device.options.ignores_length else WRONG


def batch_places(body: bytes, count: int) -> tuple[list[int], list[int], bool]:
    """Return where the bodies of a batch begin and end, and whether all `count` are there in their full length."""
    begins: list[int] = []
    ends: list[int] = []
    at, size = _BATCH_HEAD.size, len(body)
    is_whole = True
    while at + 2 <= size and len(begins) < count:
        end = at + 2 + (body[at] << 8 | body[at + 1])
        stop = min(end, size)
        is_whole &= end <= size and stop - at - 2 >= CORE_BYTES
        if stop - at - 2 >= CORE_BYTES:
            begins.append(at + 2)
            ends.append(stop)
        at = end
    return begins, ends, is_whole and len(begins) == count and at == size


def _take_card(body: bytes, speaker: Speaker, turn: Turn) -> Answer:
    card = read_driver_card(body)
    if card is None:
        turn.bad["length"] += 1
        return WRONG
    now_us = turn.now_us
    at_us = now_us if card.at_s is None else (card.at_s - speaker.device.options.utc_offset_s) * 1_000_000
    event = OfficerOnBoard(
        device_id=speaker.device.device_id,
        observed_us=at_us,
        received_us=now_us,
        present=card.is_in,
        name=card.name,
        card=card.card,
        agency=card.agency,
    )
    turn.events.append(event)
    return KEPT


def tell_items(speaker: Speaker, turn: Turn) -> None:
    """Tell what the newest position of this turn holds beside its core: when it changed, and not too often."""
    body, speaker.last_body = speaker.last_body, b""
    memory = speaker.memory
    if turn.now_us < memory.look_us:
        return
    memory.look_us = turn.now_us + LOOK_EVERY_US
    items = split_items(body, CORE_BYTES)
    if vendor := vendor_of(items):
        _tell_vendor(speaker, turn, vendor)
    readings = readings_of(items)
    if readings and readings != memory.readings and turn.now_us >= memory.readings_due_us:
        memory.readings, memory.readings_due_us = readings, turn.now_us + READINGS_EVERY_US
        _tell(DeviceInfo, speaker, turn, fields=readings)


def tell_itself(speaker: Speaker, turn: Turn, fields: dict[str, str]) -> None:
    """Tell what a terminal says of itself, unless it said the same before: many reconnect every few minutes."""
    known = speaker.memory.itself
    if any(known.get(name) != value for name, value in fields.items()):
        speaker.memory.itself = known | fields
        _tell(DeviceInfo, speaker, turn, fields=fields)


def _tell_vendor(speaker: Speaker, turn: Turn, items: dict[str, str]) -> None:
    memory = speaker.memory
    is_new = any(memory.vendor.get(name) != value for name, value in items.items())
    is_due = turn.now_us >= memory.vendor_due_us or not items.keys() <= memory.vendor.keys()
    if is_new and is_due:
        memory.vendor |= items
        memory.vendor_due_us = turn.now_us + VENDOR_EVERY_US
        _tell(VendorData, speaker, turn, items=items)


def _tell(kind: Callable[..., AnyEvent], speaker: Speaker, turn: Turn, **said: dict[str, str]) -> None:
    """Tell an event of a terminal that names no time of its own."""
    whose = speaker.device.device_id
    turn.events.append(kind(device_id=whose, observed_us=turn.now_us, received_us=turn.now_us, **said))
