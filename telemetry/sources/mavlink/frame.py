"""The scalar tier: finds MAVLink 1 and 2 frames in what one datagram or one stream brings, and writes frames."""

import re
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol, cast

from fastcrc.crc16 import mcrf4xx

from telemetry.model.errors import InputError
from telemetry.sources.mavlink.tables import MESSAGE_ID, MESSAGES, Field, Message

MAGIC_V1: Final = 0xFE
MAGIC_V2: Final = 0xFD
HEADER_V1_BYTES: Final = 6
HEADER_V2_BYTES: Final = 10
CRC_BYTES: Final = 2
SIGNATURE_BYTES: Final = 13
SIGNED_FLAG: Final = 0x01
LONGEST_FRAME_BYTES: Final = HEADER_V2_BYTES + 255 + CRC_BYTES + SIGNATURE_BYTES

Value = int | float | str | tuple[int, ...] | tuple[float, ...]


class Frame(NamedTuple):
    """One good frame.

    `version` is 1 or 2; `payload` is zero-extended or cut to the message's `max_len`; `signature` is None or 13 bytes
    (link id, 6 of timestamp, 6 of hash), not yet verified; `raw` is the frame as it came.
    """

    system_id: int
    component_id: int
    sequence: int
    msg_id: int
    version: int
    payload: bytes
    signature: bytes | None
    raw: bytes


class Signs(Protocol):
    """What `encode` asks of a signer."""

    def sign(self, frame: bytes) -> bytes:
        """Return the 13 bytes that follow a version 2 frame's CRC."""


def _crc_table() -> tuple[int, ...]:
    """Return what a byte does to an empty CRC-16/MCRF4XX register; the CRC of one byte, less what the start value does."""
    return tuple(mcrf4xx(bytes([byte]), 0) for byte in range(256))


CRC_TABLE: Final = _crc_table()

_HEADER_V1: Final = struct.Struct("<xBBBBB").unpack_from
_HEADER_V2: Final = struct.Struct("<xBBxBBBHB").unpack_from
_LAYOUT_V2: Final = {msg_id: (m.crc_extra, m.max_len) for msg_id, m in MESSAGES.items()}
# version 1 knows no extensions: a message has one length, so both together are the key
_LAYOUT_V1: Final = {m.msg_id << 8 | m.min_len: (m.crc_extra, m.max_len) for m in MESSAGES.values() if m.msg_id <= 0xFF}
_NAMES: Final = {msg_id: tuple(field.name for field in m.fields) for msg_id, m in MESSAGES.items()}
_PLAIN: Final = {msg_id: m.codec.unpack for msg_id, m in MESSAGES.items() if not m.has_arrays}
_NEXT_MAGIC: Final = re.compile(b"[\xfd\xfe]").search
_NEW_FRAME: Final = tuple.__new__
_WAIT: Final = Frame(0, 0, 0, 0, 0, b"", None, b"")  # stands for "not whole yet": told apart by identity


class FrameReader:
    """Finds frames in a stream that arrives in pieces; holds back what may be the beginning of a frame.

    Wherever no good frame begins it goes on by one byte: wrong CRC, unknown message id, unknown incompatibility flags,
    a version 1 frame of another length than its message's. Counters: `frames_good`, `bytes_skipped`, and `frames_bad`,
    the runs of skipped bytes. Cost about 1.3 us a frame.
    """

    __slots__ = ("_in_gap", "_tail", "bytes_skipped", "frames_bad", "frames_good")

    def __init__(self) -> None:
        self.frames_good = 0
        self.frames_bad = 0
        self.bytes_skipped = 0
        self._in_gap = False
        self._tail = b""

    @property
    def pending_bytes(self) -> int:
        """Return how many bytes wait for the rest of a frame."""
        return len(self._tail)

    @property
    def is_between_frames(self) -> bool:
        """Tell whether nothing waits and nothing is being skipped: a whole frame that comes now is simply the next one."""
        return not self._tail and not self._in_gap

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that this piece completes, in the order of the stream."""
        buffer = self._tail + data if self._tail else data
        frames: list[Frame] = []
        at = last_stop = 0
        size = len(buffer)
        while at < size:
            frame = _frame_at(buffer, at, size)
            if frame is _WAIT:
                break
            if frame is None:
                match = _NEXT_MAGIC(buffer, at + 1)
                at = match.start() if match else size
                continue
            if at != last_stop:
                self._count_gap(at - last_stop)
            self._in_gap = False
            frames.append(frame)
            at = last_stop = at + len(frame.raw)
        if at != last_stop:
            self._count_gap(at - last_stop)
        self._tail = buffer[at:]
        self.frames_good += len(frames)
        return frames

    def flush(self) -> list[Frame]:
        """Give up waiting, the stream ended: search what is held back for whole frames and skip the rest."""
        frames: list[Frame] = []
        while self._tail:
            tail, self._tail = self._tail[1:], b""
            self._count_gap(1)
            frames += self.feed(tail)
        return frames

    def _count_gap(self, length_bytes: int) -> None:
        self.bytes_skipped += length_bytes
        if not self._in_gap:
            self.frames_bad += 1
            self._in_gap = True


def _frame_at(buffer: bytes, at: int, size: int) -> Frame | None:
    """Return the good frame that begins here, None when none does, _WAIT when what is here may become one."""
    magic = buffer[at]
    if magic == MAGIC_V2:
        if size - at < HEADER_V2_BYTES:
            return _WAIT
        length, flags, sequence, system_id, component_id, id_low, id_high = _HEADER_V2(buffer, at)
        msg_id = id_low | id_high << 16
        begin, version = at + HEADER_V2_BYTES, 2
        layout = _LAYOUT_V2.get(msg_id) if flags <= SIGNED_FLAG else None
    elif magic == MAGIC_V1:
        if size - at < HEADER_V1_BYTES:
            return _WAIT
        length, sequence, system_id, component_id, msg_id = _HEADER_V1(buffer, at)
        begin, version, flags = at + HEADER_V1_BYTES, 1, 0
        layout = _LAYOUT_V1.get(msg_id << 8 | length)
    else:
        return None
    if layout is None:
        return None
    crc_extra, max_len = layout
    end = begin + length
    stop = end + (CRC_BYTES + SIGNATURE_BYTES if flags else CRC_BYTES)
    if stop > size:
        return _WAIT
    crc = mcrf4xx(buffer[at + 1 : end])
    if CRC_TABLE[(crc ^ crc_extra) & 0xFF] ^ crc >> 8 != buffer[end] | buffer[end + 1] << 8:
        return None
    payload = buffer[begin:end] if length == max_len else buffer[begin:end].ljust(max_len, b"\0")[:max_len]
    signature = buffer[stop - SIGNATURE_BYTES : stop] if flags else None
    head = (system_id, component_id, sequence, msg_id, version)
    return _NEW_FRAME(Frame, (*head, payload, signature, buffer[at:stop]))


def decode(frame: Frame) -> tuple[Value, ...]:
    """Return a frame's values in wire order (`MESSAGES[frame.msg_id].fields`).

    Arrays come as tuples, text as str up to its first NUL. Cost about 0.3 us.
    """
    unpack = _PLAIN.get(frame.msg_id)
    if unpack is not None:
        return unpack(frame.payload)
    message = MESSAGES[frame.msg_id]
    return _gathered(message, message.codec.unpack(frame.payload))


def values(frame: Frame) -> dict[str, Value]:
    """Return a frame's values by field name, as `decode` gives them."""
    return dict(zip(_NAMES[frame.msg_id], decode(frame), strict=True))


def _gathered(message: Message, flat: tuple[int | float | bytes, ...]) -> tuple[Value, ...]:
    """Return the struct module's flat tuple with arrays put together again and text as str."""
    gathered: list[Value] = []
    at = 0
    for field in message.fields:
        first = flat[at]
        if isinstance(first, bytes):
            gathered.append(first.partition(b"\0")[0].decode("utf-8", "replace"))
        elif field.array_length:
            gathered.append(cast("tuple[int, ...]", flat[at : at + field.array_length]))
        else:
            gathered.append(first)
        at += 1 if field.code == "c" else field.array_length or 1
    return tuple(gathered)


def encode(
    msg_id: int | str,
    fields: Mapping[str, Value],
    *,
    system_id: int,
    component_id: int,
    sequence: int,
    version: int = 2,
    signer: Signs | None = None,
) -> bytes:
    """Return one frame; fields that are not given are zero, extension fields are left out of version 1.

    `msg_id` may be the message's name. A signer signs version 2 frames. Raises InputError for an unknown message or
    field, a value that does not fit, an id or sequence outside 0..255, a version 1 frame of a message above 255 or signed.
    """
    message = _message(msg_id)
    payload = _packed(message, fields)
    try:
        if version == 1:
            header = _frame_v1(message, payload, sequence, system_id, component_id, signer)
        else:
            header = _frame_v2(message, payload, sequence, system_id, component_id, signer)
    except struct.error as error:
        raise InputError(
            f"{message.name}: system id {system_id}, component id {component_id} and sequence {sequence} must be 0..255"
        ) from error
    framed = header + _crc_bytes(header[1:], message.crc_extra)
    return framed + signer.sign(framed) if signer else framed


def _frame_v1(
    message: Message, payload: bytes, sequence: int, system_id: int, component_id: int, signer: Signs | None
) -> bytes:
    """Return magic, header and payload of version 1."""
    if signer is not None or message.msg_id > 0xFF:
        raise InputError(
            f"{message.name} ({message.msg_id}) cannot go signed or above id 255 as version 1; use version 2"
        )
    size = message.min_len
    return struct.pack("<6B", MAGIC_V1, size, sequence, system_id, component_id, message.msg_id) + payload[:size]


def _frame_v2(
    message: Message, payload: bytes, sequence: int, system_id: int, component_id: int, signer: Signs | None
) -> bytes:
    """Return magic, header and payload of version 2, without the payload's trailing zeros (but its first byte)."""
    cut = payload.rstrip(b"\0") or payload[:1]
    flags = SIGNED_FLAG if signer else 0
    low, high = message.msg_id & 0xFFFF, message.msg_id >> 16
    header = struct.pack("<7BHB", MAGIC_V2, len(cut), flags, 0, sequence, system_id, component_id, low, high)
    return header + cut


def enframe(frame: Frame, payload: bytes, sequence: int, signer: Signs | None) -> bytes:
    """Return a frame anew as version 2, with this payload and sequence number, signed where there is a signer."""
    flags = SIGNED_FLAG if signer else 0
    low, high = frame.msg_id & 0xFFFF, frame.msg_id >> 16
    sender = (sequence & 255, frame.system_id, frame.component_id)
    cut = payload.rstrip(b"\0") or payload[:1]
    header = struct.pack("<7BHB", MAGIC_V2, len(cut), flags, 0, *sender, low, high) + cut
    framed = header + _crc_bytes(header[1:], MESSAGES[frame.msg_id].crc_extra)
    return framed + signer.sign(framed) if signer else framed


def _crc_bytes(covered: bytes, crc_extra: int) -> bytes:
    crc = mcrf4xx(covered + bytes([crc_extra]))
    return crc.to_bytes(2, "little")


def _message(msg_id: int | str) -> Message:
    number = MESSAGE_ID.get(msg_id, -1) if isinstance(msg_id, str) else msg_id
    message = MESSAGES.get(number)
    if message is None:
        raise InputError(f"no MAVLink message {msg_id!r} in the ardupilotmega dialect; see tables.MESSAGES")
    return message


def _packed(message: Message, given: Mapping[str, Value]) -> bytes:
    """Return the payload with all extension fields, `max_len` bytes."""
    unknown = given.keys() - _NAMES[message.msg_id]
    if unknown:
        raise InputError(f"{message.name} has no field {', '.join(sorted(unknown))}; it has {message.fields}")
    flat: list[int | float | bytes] = []
    for field in message.fields:
        flat += _flat(field, given.get(field.name))
    try:
        return message.codec.pack(*flat)
    except struct.error as error:
        raise InputError(f"{message.name}: a value does not fit {message.struct_format}: {error}") from error


def _flat(field: Field, value: Value | None) -> list[int | float | bytes]:
    """Return what the struct module packs for one field."""
    if field.code == "c":
        # a chunk of a text may begin or end within a character: `surrogateescape` carries such bytes
        return [value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b""]
    if not isinstance(value, tuple):
        return [0] * (field.array_length or 1) if value is None or isinstance(value, str) else [value]
    return [*value, *[0] * (field.array_length - len(value))]
