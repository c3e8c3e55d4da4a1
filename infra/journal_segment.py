"""One file of the journal: how a record becomes a frame, and how frames are found again in damaged bytes."""

import os
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np

MAGIC: Final = b"SKJ1"
_HEADER: Final = struct.Struct("<4sIQQII")
_BODY: Final = struct.Struct("<QQII")
_CRC: Final = struct.Struct("<I")
HEADER_BYTES: Final = 32
MAX_PAYLOAD_BYTES: Final = 32 << 20
SHORTEST_RUN: Final = 8
SUFFIX: Final = ".segment"
MOST_PARTS: Final = 1024
"""What the operating system takes in one write (IOV_MAX)."""


class Record(NamedTuple):
    """One record: the boot (`epoch`) that wrote it, its number in that boot, what it is, and its bytes."""

    epoch: int
    sequence: int
    kind: int
    payload: bytes


class Run(NamedTuple):
    """Consecutive records of one kind and one length: `record_count` from `first_sequence` on, payloads joined."""

    epoch: int
    first_sequence: int
    record_count: int
    kind: int
    payload: bytes

    @property
    def last_sequence(self) -> int:
        """The sequence of the run's last record."""
        return self.first_sequence + self.record_count - 1

    @property
    def record_bytes(self) -> int:
        """The length of each payload."""
        return len(self.payload) // self.record_count

    def records(self) -> list[Record]:
        """Return the run's records one by one."""
        width = self.record_bytes
        return [
            Record(
                self.epoch, self.first_sequence + index, self.kind, self.payload[index * width : (index + 1) * width]
            )
            for index in range(self.record_count)
        ]

    def split(self, record_count: int) -> tuple["Run | None", "Run | None"]:
        """Return the first `record_count` records and the rest; None for a part that holds nothing."""
        if record_count <= 0:
            return None, self
        if record_count >= self.record_count:
            return self, None
        cut = record_count * self.record_bytes
        return (
            self._replace(record_count=record_count, payload=self.payload[:cut]),
            Run(
                self.epoch,
                self.first_sequence + record_count,
                self.record_count - record_count,
                self.kind,
                self.payload[cut:],
            ),
        )

    def after(self, sequence: int) -> "Run | None":
        """Return the part later than `sequence`, None when there is none."""
        return self.split(sequence + 1 - self.first_sequence)[1]


class Damage(NamedTuple):
    """A run of bytes of a segment that are no record: a tail torn by a crash, or bits that the disk changed."""

    segment: str
    offset: int
    byte_count: int


class Scan(NamedTuple):
    """What a chunk held: its runs of records, how many bytes are done with, stretches that are no record, and what the next needs.

    `damage` holds (offset in the chunk, length); `needed_bytes` is above 0 when one frame is longer than the chunk.
    """

    runs: list[Run]
    consumed_bytes: int
    damage: list[tuple[int, int]]
    needed_bytes: int = 0


def encode_frame(epoch: int, sequence: int, kind: int, payload: bytes) -> bytes:
    """Return a whole frame: header, then payload."""
    return encode_header(epoch, sequence, kind, payload) + payload


def encode_header(epoch: int, sequence: int, kind: int, payload: bytes) -> bytes:
    """Return magic, CRC-32, epoch, sequence, kind and length of a frame; the CRC covers all that follows it."""
    body = _BODY.pack(epoch, sequence, kind, len(payload))
    return b"%b%b%b" % (MAGIC, _CRC.pack(zlib.crc32(payload, zlib.crc32(body))), body)


def scan_frames(data: bytes, epoch: int, limit: int, remaining_bytes: int) -> Scan:
    """Find at most `limit` records of `epoch` in `data`, the beginning of the segment's last `remaining_bytes`.

    Bytes that are no frame are stepped over to the next magic, so that a damaged record costs only itself. Never raises.
    """
    runs: list[Run] = []
    damage: list[tuple[int, int]] = []
    size, position = len(data), 0
    while position < size and limit > 0:
        end = position + HEADER_BYTES
        if end <= size:
            magic, crc, its_epoch, sequence, kind, payload_bytes = _HEADER.unpack_from(data, position)
            is_frame = magic == MAGIC and its_epoch == epoch and payload_bytes <= MAX_PAYLOAD_BYTES
            end += payload_bytes
            if is_frame and end <= size and zlib.crc32(data[position + 8 : end]) == crc:
                run = _run_of(data, position, payload_bytes, limit) or Run(
                    epoch, sequence, 1, kind, data[position + HEADER_BYTES : end]
                )
                runs.append(run)
                limit -= run.record_count
                position += run.record_count * (HEADER_BYTES + payload_bytes)
                continue
            if is_frame and size < end <= remaining_bytes:
                return Scan(runs, position, damage, end - position)
        elif size < remaining_bytes:
            return Scan(runs, position, damage, HEADER_BYTES)
        following = _next_magic(data, position, remaining_bytes)
        damage.append((position, following - position))
        position = following
    return Scan(runs, position, damage)


def _run_of(data: bytes, position: int, payload_bytes: int, limit: int) -> Run | None:
    """Return the whole frames that are like the good one at `position` and follow it; None for too few to be worth it."""
    frame_bytes = HEADER_BYTES + payload_bytes
    length_at = position + frame_bytes + HEADER_BYTES - 4
    count = min((len(data) - position) // frame_bytes, limit)
    if count < SHORTEST_RUN or data[length_at : length_at + 4] != payload_bytes.to_bytes(4, "little"):
        return None
    frames = np.frombuffer(data, _frames_of(payload_bytes), count, position)
    alike = frames["magic"] == frames["magic"][0]
    for field in ("epoch", "kind", "payload_bytes"):
        alike &= frames[field] == frames[field][0]
    alike &= frames["sequence"] == frames["sequence"][0] + np.arange(count, dtype=np.uint64)
    count = count if alike.all() else int(alike.argmin())
    view, start = memoryview(data), position
    for index, crc in enumerate(frames["crc"][:count].tolist()):
        if zlib.crc32(view[start + 8 : start + frame_bytes]) != crc:
            count = index
            break
        start += frame_bytes
    first = frames[0]
    payload = frames["payload"][:count].tobytes() if payload_bytes else b""
    return Run(int(first["epoch"]), int(first["sequence"]), count, int(first["kind"]), payload)


@lru_cache(maxsize=64)
def _frames_of(payload_bytes: int) -> np.dtype[np.void]:
    names = ["magic", "crc", "epoch", "sequence", "kind", "payload_bytes"]
    fields: list[tuple[str, str]] = list(zip(names, ["<u4", "<u4", "<u8", "<u8", "<u4", "<u4"], strict=True))
    return np.dtype([*fields, ("payload", f"V{payload_bytes}")])


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

    def write(self, parts: Sequence[bytes]) -> None:
        """Append all parts as one, uncopied where they are few. Raises OSError; some of it may then be in the file."""
        if len(parts) > MOST_PARTS:
            parts = [b"".join(parts)]
        written_bytes = os.writev(self._descriptor, parts)
        if written_bytes == sum(map(len, parts)):
            return
        rest = memoryview(b"".join(parts))[written_bytes:]
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

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
