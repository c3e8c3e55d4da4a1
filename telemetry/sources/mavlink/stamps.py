"""The time stamps of a .tlog: 8 bytes before each record, told apart from the frames and the noise between them."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.model.errors import FileFormatError
from telemetry.sources.mavlink.candidates import PADDING, Candidates, Positions, find, windows, without_overlap

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


def split_tlog(data: bytes) -> TlogStream:
    """Return a .tlog's frames and noise without the stamps. Raises FileFormatError when it is no .tlog."""
    padded = b"".join((data, PADDING))
    return cut_stamps(padded, find(padded)[0])


def is_clean(found: Candidates, size: int) -> bool:
    """Tell whether a file of this size is nothing but stamp, frame, stamp, frame; `found` may overlap."""
    before = np.concatenate(([0], found.stop))
    return bool(np.all(found.at - before[:-1] == STAMP_BYTES) and before[-1] == size)


def values_us(padded: bytes) -> Times:
    """Return what the stamp would be at every byte (negative where it could be none)."""
    return windows(padded, ">u8").view(np.dtype(">i8"))


def cut_stamps(padded: bytes, found: Candidates) -> TlogStream:
    """Return the file without its stamps, in damaged places too; `found` are all frames in it, overlapping or not.

    Raises FileFormatError when they are not a .tlog's.
    """
    chain = _chain(found)
    size = len(padded) - len(PADDING)
    at = _stamp_positions(padded, chain, size)
    kept = np.ones(size, np.bool_)
    kept[(at[:, None] + np.arange(STAMP_BYTES)).ravel()] = False
    frames = np.frombuffer(padded, np.uint8, size)[kept].tobytes()
    return TlogStream(frames, at - STAMP_BYTES * np.arange(len(at)), values_us(padded)[at].astype(np.int64))


def _chain(found: Candidates) -> Candidates:
    """Return the frames that follow one another in the file. Raises FileFormatError when they are not a .tlog's."""
    if not len(found.at):
        raise FileFormatError("no MAVLink frame found; a .tlog holds records of an 8-byte time stamp and a frame")
    behind_stamp = np.isin(found.at - STAMP_BYTES, np.append(found.stop, 0))
    # a false frame that begins inside a stamp must not hide the real one behind the stamp
    hidden = (found.at[behind_stamp][:, None] - np.arange(1, STAMP_BYTES)).ravel()
    return without_overlap(found.keep(~np.isin(found.at, hidden)))


def _stamp_positions(padded: bytes, found: Candidates, size: int) -> Positions:
    """Return where the stamps are: right between two frames for sure, elsewhere where a value fits its neighbours."""
    begins = np.concatenate(([0], found.stop))
    ends = np.append(found.at, size)
    sure = (ends - begins == STAMP_BYTES) & (ends < size)
    if not np.any(sure):
        raise FileFormatError("MAVLink frames without time stamps: a raw stream, not a .tlog; record it with stamps")
    sure_at = begins[sure]
    sure_us = values_us(padded)[sure_at].astype(np.int64)
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
    values = values_us(padded)[begin : end - STAMP_BYTES + 1]
    low_us, high_us = bounds_us
    hits = np.flatnonzero((values >= low_us) & (values <= high_us)).tolist()
    chosen: list[int] = []
    for hit in hits:
        if not chosen or hit >= chosen[-1] + STAMP_BYTES:
            chosen.append(hit)
    return np.array(chosen, np.int64) + begin
