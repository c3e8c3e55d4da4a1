"""One protocol is one room here: bytes in, batches and events out; no room opens a socket or reads a clock."""

import importlib
import pkgutil
from types import ModuleType
from typing import cast

from telemetry.model.phone import PhoneSource


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
