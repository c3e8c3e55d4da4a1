"""One file of the journal: how a record becomes a frame, and how frames are found again in damaged bytes."""

import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple, Self

MAGIC: Final = b"SKJ1"
_HEADER: Final = struct.Struct("<4sIQQII")
_BODY: Final = struct.Struct("<QQII")
HEADER_BYTES: Final = 32
MAX_PAYLOAD_BYTES: Final = 32 << 20
SUFFIX: Final = ".segment"


class Record(NamedTuple):
    """One record: the boot (`epoch`) that wrote it, its number in that boot, what it is, and its bytes."""

    epoch: int
    sequence: int
    kind: int
    payload: bytes


class Damage(NamedTuple):
    """A run of bytes of a segment that are no record: a tail torn by a crash, or bits that the disk changed."""

    segment: str
    offset: int
    byte_count: int


class Scan(NamedTuple):
    """What a chunk held: its records, how many bytes are done with, runs that are no record, and what the next read needs.

    `damage` holds (offset in the chunk, length); `needed_bytes` is above 0 when one frame is longer than the chunk.
    """

    records: list[Record]
    consumed_bytes: int
    damage: list[tuple[int, int]]
    needed_bytes: int = 0


def encode_frame(epoch: int, sequence: int, kind: int, payload: bytes) -> bytes:
    """Return magic, CRC-32, epoch, sequence, kind and length, then the payload; the CRC covers all that follows it."""
    body = _BODY.pack(epoch, sequence, kind, len(payload)) + payload
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def scan_frames(data: bytes, epoch: int, limit: int, remaining_bytes: int) -> Scan:
    """Find at most `limit` records of `epoch` in `data`, the beginning of the segment's last `remaining_bytes`.

    Bytes that are no frame are stepped over to the next magic, so that a damaged record costs only itself. Never raises.
    """
    records: list[Record] = []
    damage: list[tuple[int, int]] = []
    view, size, read_header, crc_of = memoryview(data), len(data), _HEADER.unpack_from, zlib.crc32
    position = 0
    while position < size and len(records) < limit:
        end = position + HEADER_BYTES
        if end <= size:
            magic, crc, its_epoch, sequence, kind, payload_bytes = read_header(data, position)
            is_frame = magic == MAGIC and its_epoch == epoch and payload_bytes <= MAX_PAYLOAD_BYTES
            end += payload_bytes
            if is_frame and end <= size and crc_of(view[position + 8 : end]) == crc:
                records.append(Record(epoch, sequence, kind, data[position + 32 : end]))
                position = end
                continue
            if is_frame and size < end <= remaining_bytes:
                return Scan(records, position, damage, end - position)
        elif size < remaining_bytes:
            return Scan(records, position, damage, HEADER_BYTES)
        following = _next_magic(data, position, remaining_bytes)
        damage.append((position, following - position))
        position = following
    return Scan(records, position, damage)


def _next_magic(data: bytes, position: int, remaining_bytes: int) -> int:
    found = data.find(MAGIC, position + 1)
    if found >= 0:
        return found
    is_end = len(data) >= remaining_bytes
    return len(data) if is_end else max(position + 1, len(data) - len(MAGIC) + 1)


def segment_name(epoch: int, first_sequence: int) -> str:
    """Return the file name of the segment that begins with this record; names sort in the order of writing."""
    return f"{epoch:020d}-{first_sequence:020d}{SUFFIX}"


def parse_segment_name(name: str) -> tuple[int, int] | None:
    """Return (epoch, first sequence) of a segment's file name, None for any other file."""
    epoch, dash, first = name.removesuffix(SUFFIX).partition("-")
    if not (name.endswith(SUFFIX) and dash and epoch.isdecimal() and first.isdecimal()):
        return None
    return int(epoch), int(first)


class SegmentFile:
    """The file that is being written; the only place where the journal's records meet the disk."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new file and its name durable. Raises OSError, FileExistsError when the name is taken."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            sync_directory(path.parent)
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        return cls(descriptor)

    def write(self, data: bytes) -> None:
        """Append all of `data`. Raises OSError; a part of it may then be in the file."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        """Return when everything written is on the disk. Raises OSError: then nothing may be believed of the file."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def cut(self, size_bytes: int) -> None:
        """Drop everything after `size_bytes`. Raises OSError."""
        os.ftruncate(self._descriptor, size_bytes)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file's content at once and for good: a reader finds the old or the new, never a part. Raises OSError."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    sync_directory(path.parent)
