"""Captured messages read one by one, without a registry: for `skybeat decode`, tests and the look at an old capture."""

import struct
from typing import Any, Final

from telemetry.model.batch import UNKNOWN_I2, Quality
from telemetry.model.reading import Read, ReadError, ReadMessage, ReadPosition
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.bodies import read_attributes, read_authentication, read_driver_card, read_registration
from telemetry.sources.jt808.codes import address_of, text_of
from telemetry.sources.jt808.frame import FLAG, OTHER_FLAG, SHORTEST_BYTES, Frame, is_sentence, parse, unescape
from telemetry.sources.jt808.parameters import read_parameters
from telemetry.sources.jt808.parts import Assembly
from telemetry.sources.jt808.position import CORE_BYTES, IS_SOUTH, IS_WEST, Position, Reading, read_position, rows_of
from telemetry.sources.jt808.reports import ARCHIVE_TYPE, batch_places
from telemetry.sources.jt808.terminal import read_order

SPEED_OF_MPS: Final = 36
"""A metre per second in the protocol's 0.1 km/h."""
_SAID: Final = struct.Struct(">4xIIIhH").unpack_from


class Jt808Reader:
    """Reads frames with their delimiters; parts of one message are put together, and its last part holds what it says."""

    def __init__(self, *, utc_offset_s: int) -> None:
        self._utc_offset_s = utc_offset_s
        self._assembly = Assembly()

    def split(self, data: bytes) -> list[bytes]:
        """Return the frames of a stream with their delimiters, and what lies between them.

        Two delimiters in a row end one frame and begin another; one alone may do both, when good frames lie on both sides.
        """
        flag = OTHER_FLAG if data[:1] == bytes([OTHER_FLAG]) else FLAG
        delimiter = bytes([flag])
        messages: list[bytes] = []
        before, *pieces = data.split(delimiter)
        if before:
            messages.append(before)
        is_open = True
        for number, piece in enumerate(pieces, 1):
            is_last = number == len(pieces)
            is_frame = not is_last and bool(piece) and (is_open or _is_good(piece, flag))
            if is_frame:
                messages.append(delimiter + piece + delimiter)
            elif piece:
                messages.append(delimiter + piece if is_open else piece)
            is_open = not is_frame
        return messages

    def whole_bytes(self, data: bytes) -> int:
        """Return how many bytes `split` may take without seeing what follows: up to the last frame that is followed by another."""
        twice = bytes([OTHER_FLAG if data[:1] == bytes([OTHER_FLAG]) else FLAG]) * 2
        return data.rfind(twice) + 1

    def read(self, message: bytes) -> list[Read]:
        """Return what a frame, with or without its delimiters, says; what precedes its first delimiter is left out."""
        if is_sentence(message):
            return [ReadMessage(message="sentence", fields={"text": message.decode("ascii")})]
        flag = OTHER_FLAG if message[:1] == bytes([OTHER_FLAG]) else FLAG
        frame = parse(unescape(_inside(message, bytes([flag])), flag), flag)
        if frame is None:
            error = f"{len(message)} bytes are no frame: one has at least {SHORTEST_BYTES} between two delimiters (7e)"
            return [ReadError(error=error, code="framing")]
        device = address_of(frame.form.terminal)
        if not frame.checksum_fits:
            return [
                ReadError(
                    error=f"wrong checksum of a message {m.name_of(frame.msg_id)}", code="checksum", device=device
                )
            ]
        if frame.parts > 1 and frame.msg_id in m.IN_PARTS:
            body = self._assembly.take(frame)
            if body is None:
                return [self._message(frame, device, {"part": frame.part, "parts": frame.parts})]
            frame = frame._replace(body=body)
        return self._read(frame, device)

    def _read(self, frame: Frame, device: str) -> list[Read]:
        quality = 0 if frame.length_fits else int(Quality.LENGTH)
        match frame.msg_id:
            case m.POSITION | m.POSITION_ANSWER | m.VEHICLE_ANSWER | m.BATCH if frame.is_encrypted:
                return [ReadError(error="the body is encrypted", code="encrypted", device=device)]
            case m.POSITION:
                return self._positions(frame.body, [0], [len(frame.body)], quality, device)
            case m.POSITION_ANSWER | m.VEHICLE_ANSWER:
                return self._positions(frame.body, [2], [len(frame.body)], quality, device)
            case m.BATCH if len(frame.body) > 3:
                at, end, is_whole = batch_places(frame.body, int.from_bytes(frame.body[:2]))
                quality |= int(Quality.ARCHIVE) if frame.body[2] == ARCHIVE_TYPE else 0
                quality |= 0 if is_whole else int(Quality.LENGTH)
                if at:
                    return self._positions(frame.body, at, end, quality, device)
        return [self._message(frame, device, _fields_of(frame))]

    def _positions(self, body: bytes, at: list[int], end: list[int], quality: int, device: str) -> list[Read]:
        reading = Reading(0, 0, self._utc_offset_s, quality)
        found: list[Read] = []
        for begin, stop in zip(at, end, strict=True):
            position = read_position(body, reading, begin, stop)
            if position is None:
                error = f"{max(0, stop - begin)} bytes are too short for a position, which has {CORE_BYTES}"
                found.append(ReadError(error=error, code="length", device=device))
            else:
                found.append(_as_read(position, _SAID(body, begin), device))
        return found

    def _message(self, frame: Frame, device: str, fields: dict[str, Any]) -> ReadMessage:
        said: dict[str, Any] = {"serial": frame.serial, **fields}
        if not frame.length_fits:
            said["quality"] = ["length"]
        return ReadMessage(message=m.name_of(frame.msg_id), device=device, fields=said)


def _inside(message: bytes, delimiter: bytes) -> bytes:
    """Return what lies between the first and the last delimiter; a capture may hold a delimiter that was not escaped."""
    begin, end = message.find(delimiter), message.rfind(delimiter)
    if begin < 0:
        return message
    return message[begin + 1 : end] if end > begin else message[begin + 1 :] or message[:begin]


def _is_good(piece: bytes, flag: int) -> bool:
    frame = parse(unescape(piece, flag), flag)
    return frame is not None and (frame.checksum_fits or frame.length_fits)


def _as_read(position: Position, said: tuple[int, int, int, int, int], device: str) -> ReadPosition:
    """Return a position as its message says it: coordinates that are no place too, and the speed as exact as it came."""
    status_bits, lat, lon, alt_m, speed = said
    (course_ddeg,) = rows_of([position.row])["course_ddeg"].tolist()
    (quality,) = rows_of([position.row])["quality"].tolist()
    has_time = not quality & Quality.TIME_OF_ARRIVAL
    return ReadPosition(
        device=device,
        lat_deg=lat / (-1e6 if status_bits & IS_SOUTH else 1e6) if lat else 0.0,
        lon_deg=lon / (-1e6 if status_bits & IS_WEST else 1e6) if lon else 0.0,
        alt_msl_m=float(alt_m),
        speed_mps=speed / SPEED_OF_MPS,
        course_deg=None if course_ddeg == UNKNOWN_I2 else course_ddeg / 10.0,
        observed_us=position.observed_us if has_time else None,
        quality=Quality(quality) & ~Quality.TIME_OF_ARRIVAL,
    )


def _fields_of(frame: Frame) -> dict[str, Any]:
    """Return a message's fields by name; those without a reading of their own show their body in hexadecimal digits.

    Authentication codes are left out: what is printed is passed on.
    """
    body = frame.body
    if frame.parts > 1:
        return {"part": frame.part, "parts": frame.parts, "body": body.hex()}
    match frame.msg_id:
        case m.TERMINAL_REPLY | m.PLATFORM_REPLY if (said := m.read_reply(body)) is not None:
            return {"reply_serial": said[0], "reply_to": m.name_of(said[1]), "result": said[2]}
        case m.REGISTER if (registration := read_registration(frame)) is not None:
            return registration._asdict()
        case m.REGISTER_REPLY if len(body) > 2:
            return {"reply_serial": int.from_bytes(body[:2]), "result": body[2]}
        case m.AUTHENTICATE:
            return dict(read_authentication(frame))
        case m.PARAMETERS if len(body) > 2:
            return {"reply_serial": int.from_bytes(body[:2]), "values": read_parameters(body, 3)}
        case m.SET_PARAMETERS if body:
            return {"values": read_parameters(body, 1)}
        case m.ATTRIBUTES if (attributes := read_attributes(frame)) is not None:
            return dict(attributes.fields)
        case m.DRIVER_CARD if (card := read_driver_card(body)) is not None:
            return {"present": card.is_in, "name": card.name, "card": card.card, "agency": card.agency}
        case m.RESEND:
            return {"first_serial": int.from_bytes(body[:2]), "parts": _part_numbers(frame)}
        case m.TEXT | m.TRACK | m.CONFIRM_ALARM | m.OPEN_VIDEO | m.CONTROL_VIDEO:
            return _order_fields(frame)
        case m.TRANSPARENT if body:
            return {"type": body[0], "body": body[1:].hex(), "text": text_of(body[1:]) if body[1:].isascii() else None}
        case _:
            return {"body": body.hex()} if body else {}


def _order_fields(frame: Frame) -> dict[str, Any]:
    order = read_order(frame, frame.body)
    said = {name: getattr(order, name) for name in order.__struct_fields__ if name not in ("name", "serial")}
    return {name: value for name, value in said.items() if value not in ("", 0, None)}


def _part_numbers(frame: Frame) -> list[int]:
    count_bytes = 2 if frame.form.is_2019 else 1
    listed = frame.body[2 + count_bytes :]
    return [number for (number,) in struct.iter_unpack(">H", listed[: len(listed) // 2 * 2])]
