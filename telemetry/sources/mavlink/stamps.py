"""The time stamps of a .tlog: 8 bytes before each record, told apart from the frames and the noise between them."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.model.errors import FileFormatError
from telemetry.sources.mavlink.block import Block, parse_block, without_overlap
from telemetry.sources.mavlink.candidates import PADDING, Candidates, Positions, find, windows

STAMP_BYTES: Final = 8
_SLACK_US: Final = 1_000_000  # two records may be stamped in the wrong order by this much
_LONELY_US: Final = 3_600_000_000  # how far noise at a file's end may lie from the only neighbour that it has

Times = NDArray[np.int64]


class TlogStream(NamedTuple):
    """A .tlog taken apart: `frames` is what the radio gave, stamps cut out, fit for either tier of the parser.

    `record_at` says where in `frames` each record begins and `record_us` when it was received (UTC microseconds).
    """

    frames: bytes
    record_at: Positions
    record_us: Times

    def stamp_us(self, offset: Positions) -> Times:
        """Return the stamp of the record that holds each of these offsets into `frames`."""
        record = np.searchsorted(self.record_at, offset, side="right") - 1
        stamps: Times = self.record_us[np.maximum(record, 0)]
        return stamps


class Tlog(NamedTuple):
    """All good frames of a .tlog with their stamps: `stamp_us[i]` belongs to frame i of the block."""

    block: Block
    stamp_us: Times


def parse_tlog(data: bytes) -> Tlog:
    """Return all good frames of a .tlog and when each was received (UTC microseconds).

    Noise between records is skipped and counted in the block, stamps are neither frames nor skipped, and a frame that a
    logger wrote down in pieces is put together again. Raises FileFormatError when it is no .tlog.
    """
    padded = b"".join((data, PADDING))
    found = _chain(padded)
    if _is_clean(found, len(data)):
        return Tlog(
            Block(padded, found, frames_bad=0, bytes_skipped=0),
            _values(padded)[found.at - STAMP_BYTES].astype(np.int64),
        )
    stream = _cut(padded, found)
    block = parse_block(stream.frames)
    return Tlog(block, stream.stamp_us(block.offset))


def split_tlog(data: bytes) -> TlogStream:
    """Return a .tlog's frames and noise without the stamps. Raises FileFormatError when it is no .tlog."""
    padded = b"".join((data, PADDING))
    return _cut(padded, _chain(padded))


def _values(padded: bytes) -> NDArray[np.uint64]:
    """Return what would be the stamp at every byte."""
    return windows(padded, ">u8").view(np.dtype(">u8"))


def _chain(padded: bytes) -> Candidates:
    """Return the good frames of the file as it lies there. Raises FileFormatError when they are not a .tlog's."""
    found = find(padded)[0]
    before = np.concatenate(([0], found.stop[:-1]))
    # a false frame that begins inside a stamp must not hide the real one behind the stamp
    behind_stamp = np.isin(found.at - STAMP_BYTES, np.append(found.stop, 0))
    if not np.all(found.at == before + STAMP_BYTES):
        inside = np.isin(found.at, (found.at[behind_stamp][:, None] - np.arange(1, STAMP_BYTES)).ravel())
        found = without_overlap(found.keep(~inside))
    if not len(found.at):
        raise FileFormatError("no MAVLink frame found; a .tlog holds records of an 8-byte time stamp and a frame")
    if not np.any(behind_stamp):
        raise FileFormatError("MAVLink frames without time stamps: a raw stream, not a .tlog; record it with stamps")
    return found


def _is_clean(found: Candidates, size: int) -> bool:
    """Tell whether the file is nothing but stamp, frame, stamp, frame."""
    before = np.concatenate(([0], found.stop[:-1]))
    return bool(np.all(found.at - before == STAMP_BYTES) and found.stop[-1] == size)


def _cut(padded: bytes, found: Candidates) -> TlogStream:
    """Return the file without its stamps, in damaged places too."""
    size = len(padded) - len(PADDING)
    at = _stamp_positions(padded, found, size)
    kept = np.ones(size, np.bool_)
    kept[(at[:, None] + np.arange(STAMP_BYTES)).ravel()] = False
    frames = np.frombuffer(padded, np.uint8, size)[kept].tobytes()
    return TlogStream(frames, at - STAMP_BYTES * np.arange(len(at)), _values(padded)[at].astype(np.int64))


def _stamp_positions(padded: bytes, found: Candidates, size: int) -> Positions:
    """Return where the stamps are: right between two frames for sure, elsewhere where a value fits its neighbours."""
    begins = np.concatenate(([0], found.stop))
    ends = np.append(found.at, size)
    sure = (ends - begins == STAMP_BYTES) & (ends < size)
    sure_at = begins[sure]
    sure_us = _values(padded)[sure_at].astype(np.int64)
    doubtful = np.flatnonzero((ends - begins >= STAMP_BYTES) & ~sure)
    following = np.searchsorted(sure_at, begins[doubtful])
    extra = [
        _fitting(padded, int(begins[gap]), int(ends[gap]), _bounds(sure_us, int(after)))
        for gap, after in zip(doubtful, following, strict=True)
    ]
    return np.sort(np.concatenate((sure_at, *extra)))


def _bounds(sure_us: Times, after: int) -> tuple[int, int]:
    """Return between which times a stamp lies that stands before the sure stamp of this number."""
    low = int(sure_us[after - 1]) - _SLACK_US if after else int(sure_us[0]) - _LONELY_US
    high = int(sure_us[after]) + _SLACK_US if after < len(sure_us) else low + _LONELY_US
    return low, high if high >= low else low + _LONELY_US


def _fitting(padded: bytes, begin: int, end: int, bounds_us: tuple[int, int]) -> Positions:
    """Return where between two frames a stamp stands that lies within the bounds; no two overlap."""
    values = _values(padded)[begin : end - STAMP_BYTES + 1]
    low_us, high_us = bounds_us
    hits = np.flatnonzero((values >= max(low_us, 0)) & (values <= max(high_us, 0))).tolist()
    chosen: list[int] = []
    for hit in hits:
        if not chosen or hit >= chosen[-1] + STAMP_BYTES:
            chosen.append(hit)
    return np.array(chosen, np.int64) + begin
