"""The block tier: all frames of a chunk of bytes at once, as columns by message; decides exactly as FrameReader does."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.sources.mavlink.candidates import (
    KINDS,
    PADDING,
    Bytes,
    Candidates,
    Positions,
    find,
    windows,
    without_overlap,
)
from telemetry.sources.mavlink.frame import MAGIC_V2, SIGNATURE_BYTES, Frame
from telemetry.sources.mavlink.stamps import STAMP_BYTES, cut_stamps, is_clean, values_us
from telemetry.sources.mavlink.tables import MESSAGE_ID, MESSAGES, Message

Rows = NDArray[np.void]


class Heads:
    """What the headers of a block's frames say, one row a frame in the order of the stream."""

    def __init__(self, data: bytes, found: Candidates) -> None:
        self._bytes = np.frombuffer(data, np.uint8)
        self._found = found

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self._found.at)

    @property
    def offset(self) -> Positions:
        """Return where each frame begins in the block's data."""
        return self._found.at

    @property
    def stop(self) -> Positions:
        """Return where each frame ends in the block's data, signature included."""
        return self._found.stop

    @cached_property
    def version(self) -> Bytes:
        """Return each frame's MAVLink version, 1 or 2."""
        version: Bytes = (self._bytes.take(self.offset) == MAGIC_V2) + np.uint8(1)
        return version

    @cached_property
    def sequence(self) -> Bytes:
        """Return each frame's sequence number."""
        return self._bytes.take(self._sender_at - 1)

    @cached_property
    def system_id(self) -> Bytes:
        """Return each frame's sender."""
        return self._bytes.take(self._sender_at)

    @cached_property
    def component_id(self) -> Bytes:
        """Return each frame's sending component."""
        return self._bytes.take(self._sender_at + 1)

    @cached_property
    def signed(self) -> NDArray[np.bool_]:
        """Tell which frames bear a signature (not verified)."""
        return self.stop - self._found.body - self._found.length > SIGNATURE_BYTES

    @cached_property
    def msg_id(self) -> NDArray[np.int32]:
        """Return each frame's message id."""
        return _ID_OF_KIND.take(self._found.kind)

    @cached_property
    def _sender_at(self) -> Positions:
        """Return where each frame's system id stands: 3 bytes behind the magic in version 1, 5 in version 2."""
        return self.offset + 1 + 2 * self.version


class Columns:
    """The frames of one message: `rows` is a structured array of the message's dtype, one row a frame.

    `index` says which frames of the block they are, so that any column of the block can be had for them:
    `block.system_id[columns.index]` is `columns.system_id`.
    """

    __slots__ = ("_heads", "index", "rows")

    def __init__(self, heads: Heads, index: Positions, rows: Rows) -> None:
        self._heads = (
            heads  # not the block: it holds these columns, and a circle would keep its memory for the collector
        )
        self.index = index
        self.rows = rows

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self.index)

    @property
    def offset(self) -> Positions:
        """Return where each frame begins in the block's data."""
        return self._heads.offset.take(self.index)

    @property
    def version(self) -> Bytes:
        """Return each frame's MAVLink version, 1 or 2."""
        return self._heads.version.take(self.index)

    @property
    def sequence(self) -> Bytes:
        """Return each frame's sequence number."""
        return self._heads.sequence.take(self.index)

    @property
    def system_id(self) -> Bytes:
        """Return each frame's sender."""
        return self._heads.system_id.take(self.index)

    @property
    def component_id(self) -> Bytes:
        """Return each frame's sending component."""
        return self._heads.component_id.take(self.index)

    @property
    def signed(self) -> NDArray[np.bool_]:
        """Tell which frames bear a signature (not verified)."""
        return self._heads.signed.take(self.index)


class Block(Heads):
    """The good frames of one chunk in the order of the stream, by columns.

    `data` is what `offset` counts in (what was held back, then the chunk, then padding). `frames_bad` are the runs of
    skipped bytes that begin in this chunk, `bytes_skipped` the bytes skipped in it.
    """

    def __init__(self, data: bytes, found: Candidates, *, frames_bad: int, bytes_skipped: int) -> None:
        super().__init__(data, found)
        self.data = data
        self.frames_bad = frames_bad
        self.bytes_skipped = bytes_skipped

    @property
    def frames_good(self) -> int:
        """Return how many good frames there are."""
        return len(self)

    @cached_property
    def columns(self) -> Mapping[int, Columns]:
        """Return the frames by message id, each with its values; only messages that occur."""
        order = np.argsort(self._found.kind, kind="stable")
        body, length = self._found.body.take(order), self._found.length.take(order)
        ends = np.cumsum(np.bincount(self._found.kind, minlength=1))
        heads = Heads(self.data, self._found)
        columns = {}
        for kind in np.flatnonzero(np.diff(ends, prepend=0)).tolist():
            part = slice(ends[kind - 1] if kind else 0, ends[kind])
            rows = _payloads(self.data, KINDS[kind], body[part], length[part])
            columns[KINDS[kind].msg_id] = Columns(heads, order[part], rows)
        return columns

    def of(self, name: str) -> Columns:
        """Return the frames of the message with this name, empty when none came."""
        msg_id = MESSAGE_ID[name]
        nothing = np.zeros(0, np.int64)
        return self.columns.get(msg_id) or Columns(
            Heads(self.data, self._found), nothing, np.zeros(0, MESSAGES[msg_id].dtype)
        )

    def frame(self, number: int) -> Frame:
        """Return one frame as the scalar tier would."""
        at, stop, body, length, kind = (int(column[number]) for column in self._found)
        message = KINDS[kind]
        version = 2 if self.data[at] == MAGIC_V2 else 1
        sequence, system_id, component_id = self.data[at + 2 * version : at + 2 * version + 3]
        signed = stop - body - length > SIGNATURE_BYTES
        return Frame(
            system_id=system_id,
            component_id=component_id,
            sequence=sequence,
            msg_id=message.msg_id,
            version=version,
            payload=self.data[body : body + length].ljust(message.max_len, b"\0")[: message.max_len],
            signature=self.data[stop - SIGNATURE_BYTES : stop] if signed else None,
            raw=self.data[at:stop],
        )


def _payloads(data: bytes, message: Message, body: Positions, length: Positions) -> Rows:
    """Return the payloads that begin at `body`, zero-extended where they were truncated."""
    rows = windows(data, f"V{message.max_len}")[body]
    short = np.flatnonzero(length < message.max_len)
    if len(short):
        grid = rows.view(np.uint8).reshape(len(rows), message.max_len)
        grid[short] *= _COUNT[: message.max_len] < length[short, None]
    return rows.view(message.dtype)


class Tlog(NamedTuple):
    """All good frames of a .tlog with their stamps: `stamp_us[i]` (UTC microseconds) belongs to frame i of the block."""

    block: Block
    stamp_us: NDArray[np.int64]


class BlockReader:
    """Finds frames in a stream that arrives in chunks, as FrameReader does and with the same counters.

    Worth it from about 16 kB a chunk; best at 256 kB and more.
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

    def feed(self, data: bytes) -> Block:
        """Return the frames that this chunk completes."""
        padded = b"".join((self._tail, data, PADDING))
        found, waiting = find(padded)
        found = without_overlap(found)
        consumed = _first_uncovered(found, waiting, len(padded) - len(PADDING))
        found = found.keep(slice(0, int(np.searchsorted(found.at, consumed))))
        self._tail = padded[consumed : len(padded) - len(PADDING)]
        return self._counted(padded, found, consumed)

    def flush(self) -> Block:
        """Give up waiting, the stream ended: search what is held back for whole frames and skip the rest."""
        padded = self._tail + PADDING
        consumed, self._tail = len(self._tail), b""
        return self._counted(padded, without_overlap(find(padded)[0]), consumed)

    def _counted(self, padded: bytes, found: Candidates, consumed: int) -> Block:
        """Return the block and take its counts over."""
        gaps = _gaps(found, consumed)
        goes_on = int(self._in_gap and gaps[0] > 0)
        block = Block(padded, found, frames_bad=int(np.count_nonzero(gaps)) - goes_on, bytes_skipped=int(gaps.sum()))
        self._in_gap = bool(gaps[-1] > 0) or (self._in_gap and not len(block))
        self.frames_good += len(block)
        self.frames_bad += block.frames_bad
        self.bytes_skipped += block.bytes_skipped
        return block


def parse_block(data: bytes | memoryview) -> Block:
    """Return all frames of data that is whole: nothing came before it and nothing will follow."""
    padded = b"".join((data, PADDING))
    found = without_overlap(find(padded)[0])
    gaps = _gaps(found, len(data))
    return Block(padded, found, frames_bad=int(np.count_nonzero(gaps)), bytes_skipped=int(gaps.sum()))


def parse_tlog(data: bytes) -> Tlog:
    """Return all good frames of a .tlog and when each was received (UTC microseconds).

    Noise between records is skipped and counted in the block, stamps are neither frames nor skipped, and a frame that a
    logger wrote down in pieces is put together again. Raises FileFormatError when it is no .tlog.
    """
    padded = b"".join((data, PADDING))
    found = find(padded)[0]
    if is_clean(found, len(data)) and len(found.at):
        stamp_us = values_us(padded)[found.at - STAMP_BYTES].astype(np.int64)
        return Tlog(Block(padded, found, frames_bad=0, bytes_skipped=0), stamp_us)
    stream = cut_stamps(padded, found)
    block = parse_block(stream.frames)
    return Tlog(block, stream.stamp_us(block.offset))


def _first_uncovered(found: Candidates, waiting: Positions, size: int) -> int:
    """Return where a reader stops to wait: the first beginning that lies in no accepted frame; else the size."""
    before = np.searchsorted(found.at, waiting, side="right") - 1
    covered = (before >= 0) & (found.stop[before] > waiting) if len(found.at) else np.zeros(len(waiting), np.bool_)
    uncovered = waiting[~covered]
    return int(uncovered[0]) if len(uncovered) else size


def _gaps(found: Candidates, consumed: int) -> Positions:
    """Return how many bytes were skipped before each frame and behind the last."""
    gaps: Positions = np.append(found.at, consumed) - np.concatenate(([0], found.stop))
    return gaps


_ID_OF_KIND: Final = np.array([message.msg_id for message in KINDS], np.int32)
_COUNT: Final = np.arange(256, dtype=np.int16)
