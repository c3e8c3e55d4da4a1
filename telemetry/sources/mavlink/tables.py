"""The MAVLink messages that we know: names, lengths, CRC seeds and layouts, for one frame and for columns."""

import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from telemetry.sources.mavlink.tables_generated import ENUMS, ROWS


class Field(NamedTuple):
    """One field on the wire: `code` as in the struct module (c for text), `array_length` 0 for a lone value."""

    name: str
    code: str
    array_length: int


class Message(NamedTuple):
    """One message: how it lies on the wire and how long it may be.

    `fields` and `dtype` are in wire order (not the order of the XML); `min_len` is the length without extension fields,
    the only one in a version 1 frame; `max_len` includes them. `dtype` is packed, little-endian and `max_len` long;
    arrays are subarrays, text is S<n> (raw bytes). `unpack` makes the struct module's flat tuple from `max_len` bytes.
    """

    msg_id: int
    name: str
    crc_extra: int
    min_len: int
    max_len: int
    dtype: np.dtype[np.void]
    struct_format: str
    fields: tuple[Field, ...]
    codec: struct.Struct
    has_arrays: bool


def enum_name(enum: str, value: int) -> str | None:
    """Return the MAVLink name of an enum's value without the enum's prefix ("QUADROTOR"), None for an unknown value.

    Enums at hand: MAV_TYPE, MAV_AUTOPILOT, MAV_STATE, MAV_LANDED_STATE, GPS_FIX_TYPE, MAV_RESULT and ArduPilot's
    COPTER_MODE, PLANE_MODE, ROVER_MODE, SUB_MODE.
    """
    return ENUMS[enum].get(value)


def _field(text: str) -> Field:
    name, _, layout = text.partition(":")
    return Field(name, layout[-1], int(layout[:-1] or 0))


def _struct_part(field: Field) -> str:
    if field.code == "c":
        return f"{field.array_length or 1}s"
    return f"{field.array_length or ''}{field.code}"


def _column(field: Field) -> tuple[str, str] | tuple[str, str, tuple[int]]:
    if field.code == "c":
        return field.name, f"S{field.array_length or 1}"
    if field.array_length:
        return field.name, f"<{field.code}", (field.array_length,)
    return field.name, f"<{field.code}"


def _message(msg_id: int, name: str, crc_extra: int, min_len: int, layout: str) -> Message:
    fields = tuple(_field(text) for text in layout.split())
    struct_format = "<" + "".join(_struct_part(field) for field in fields)
    codec = struct.Struct(struct_format)
    columns: Any = [_column(field) for field in fields]
    return Message(
        msg_id=msg_id,
        name=name,
        crc_extra=crc_extra,
        min_len=min_len,
        max_len=codec.size,
        dtype=np.dtype(columns),
        struct_format=struct_format,
        fields=fields,
        codec=codec,
        has_arrays=any(field.array_length or field.code == "c" for field in fields),
    )


MESSAGES: Final[Mapping[int, Message]] = {row[0]: _message(*row) for row in ROWS}
MESSAGE_ID: Final[Mapping[str, int]] = {message.name: message.msg_id for message in MESSAGES.values()}
