"""Where in a buffer whole MAVLink frames with a right CRC begin, found for all of them at once with numpy.

Frames of one length are checked together: two bytes a step, one look-up moves the CRC registers of all of them. That the
register is as wide as the two bytes makes one table enough: exclusive or, look up, go on.
"""

from typing import Final, NamedTuple

import numpy as np
from fastcrc.crc16 import mcrf4xx
from numpy.typing import NDArray

from telemetry.sources.mavlink.frame import (
    CRC_BYTES,
    CRC_TABLE,
    HEADER_V1_BYTES,
    HEADER_V2_BYTES,
    LONGEST_FRAME_BYTES,
    MAGIC_V1,
    MAGIC_V2,
    SIGNATURE_BYTES,
    SIGNED_FLAG,
)
from telemetry.sources.mavlink.tables import MESSAGES, Message

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

PADDING: Final = bytes(2 * LONGEST_FRAME_BYTES)  # room for looking past the last byte, zeros as in truncated payloads
KINDS: Final[tuple[Message, ...]] = tuple(MESSAGES.values())
_ID_LIMIT: Final = 1 << 16  # ids at or above it are unknown; the highest known one is far below
_VECTOR_WORTH: Final = 200  # fewer frames of one length than this are faster one by one


class Candidates(NamedTuple):
    """Frames by columns, in the order of the buffer; `kind` is an index into KINDS."""

    at: Positions
    stop: Positions
    body: Positions
    length: Positions
    kind: NDArray[np.int16]

    def keep(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Candidates":
        """Return some of them."""
        if isinstance(which, np.ndarray) and which.dtype == np.bool_:
            if which.all():
                return self
            which = np.flatnonzero(which)  # one pass over the mask instead of one a column
        return Candidates(self.at[which], self.stop[which], self.body[which], self.length[which], self.kind[which])


def _kind_tables() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the kind by message id for version 2 and by (id, length) for version 1; -1 for unknown."""
    by_id = np.full(_ID_LIMIT, -1, np.int16)
    by_id_and_length = np.full(_ID_LIMIT, -1, np.int16)
    for kind, message in enumerate(KINDS):
        by_id[message.msg_id] = kind
        if message.msg_id <= 0xFF:
            by_id_and_length[message.msg_id << 8 | message.min_len] = kind
    return by_id, by_id_and_length


_KIND_V2, _KIND_V1 = _kind_tables()
_SEED: Final = np.array([message.crc_extra for message in KINDS], np.uint16)
_STEP: Final = np.array(CRC_TABLE, np.uint16)
_EVERY: Final = np.arange(1 << 16, dtype=np.uint16)
_BYTE_STEP: Final = _STEP[_EVERY & 0xFF] ^ (_EVERY >> 8)
_PAIR_STEP: Final = _BYTE_STEP[_BYTE_STEP]  # 128 kB: stays in the cache, unlike one table for each distance
_START: Final = (mcrf4xx(b""), mcrf4xx(b"\0"))


def windows(padded: bytes, dtype: str) -> NDArray[np.generic]:
    """Return a view of `dtype` at every byte of the buffer, aligned or not."""
    size = len(padded) - np.dtype(dtype).itemsize + 1
    view: NDArray[np.generic] = np.ndarray((size,), dtype, padded, strides=(1,))
    return view


def find(padded: bytes) -> tuple[Candidates, Positions]:
    """Return the whole frames with a right CRC (they may overlap) and where frames may begin that are not whole yet.

    `padded` ends with PADDING, which is not part of the data. Cost about 60 ns a frame in bulk.
    """
    size = len(padded) - len(PADDING)
    buffer = np.frombuffer(padded, np.uint8, size)
    is_magic = buffer == MAGIC_V1
    is_magic |= buffer == MAGIC_V2
    magic_at = np.flatnonzero(is_magic)
    is_v2 = buffer.take(magic_at) == MAGIC_V2
    found_v1, waiting_v1 = _plausible_v1(padded, magic_at[~is_v2], size)
    found_v2, waiting_v2 = _plausible_v2(padded, magic_at[is_v2], size)
    found = _merged(_with_right_crc(padded, found_v1), _with_right_crc(padded, found_v2))
    return found, np.sort(np.concatenate((waiting_v1, waiting_v2)))


def exactly(padded: bytes, at: Positions, stop: Positions) -> tuple[Candidates, Positions]:
    """Return the unsigned version 2 frames with a right CRC that fill a piece of the data from `at` to `stop`, and which pieces.

    The pieces are in the order of the data; `padded` ends with PADDING. Whatever else a piece holds is for a reader.
    """
    buffer = np.frombuffer(padded, np.uint8)
    whole = np.flatnonzero((buffer.take(at) == MAGIC_V2) & (stop - at >= HEADER_V2_BYTES + CRC_BYTES))
    found, _ = _plausible_v2(padded, at[whole], len(padded) - len(PADDING))
    piece = np.searchsorted(at, found.at)
    fits = (found.stop == stop[piece]) & (found.stop - found.body - found.length == CRC_BYTES)
    found = _with_right_crc(padded, found.keep(fits))
    return found, np.searchsorted(at, found.at)


def without_overlap(found: Candidates) -> Candidates:
    """Return the chain that a reader accepts: each frame begins at or behind the end of the one before."""
    if np.all(found.at[1:] >= found.stop[:-1]):
        return found
    chain = []
    reached = 0
    for number, (at, stop) in enumerate(zip(found.at.tolist(), found.stop.tolist(), strict=True)):
        if at >= reached:
            chain.append(number)
            reached = stop
    return found.keep(np.array(chain))


def _plausible_v1(padded: bytes, at: Positions, size: int) -> tuple[Candidates, Positions]:
    """Return candidates whose id and length belong together, and those that go beyond the data."""
    at, waiting = _split(at, size - HEADER_V1_BYTES)
    header = windows(padded, "<u8")[at + 1].astype(np.int64)
    length = header & 0xFF
    kind = _KIND_V1.take((header >> 32 & 0xFF) << 8 | length)
    known = np.flatnonzero(kind >= 0)
    at, length, kind = at[known], length[known], kind[known]
    body = at + HEADER_V1_BYTES
    return _complete(Candidates(at, body + length + CRC_BYTES, body, length, kind), waiting, size)


def _plausible_v2(padded: bytes, at: Positions, size: int) -> tuple[Candidates, Positions]:
    """Return candidates with a known id and no unknown flag, and those that go beyond the data."""
    at, waiting = _split(at, size - HEADER_V2_BYTES)
    header = windows(padded, "<i8")[at + 2].view(np.int64)
    msg_id = header >> 40 & 0xFFFFFF
    flags = header & 0xFF
    kind = _KIND_V2.take(msg_id, mode="clip")  # ids beyond the table land on its last row, an unknown one
    known = np.flatnonzero((kind >= 0) & (flags <= SIGNED_FLAG))
    at, flags, kind = at[known], flags[known], kind[known]
    body = at + HEADER_V2_BYTES
    length = np.frombuffer(padded, np.uint8).take(at + 1).astype(np.int64)
    stop = body + length + CRC_BYTES + SIGNATURE_BYTES * flags
    return _complete(Candidates(at, stop, body, length, kind), waiting, size)


def _split(at: Positions, last: int) -> tuple[Positions, Positions]:
    """Return the positions up to `last` and those behind it."""
    cut = int(np.searchsorted(at, last, side="right"))
    return at[:cut], at[cut:]


def _complete(found: Candidates, waiting: Positions, size: int) -> tuple[Candidates, Positions]:
    whole = found.stop <= size
    if whole.all():
        return found, waiting
    return found.keep(whole), np.concatenate((found.at[~whole], waiting))


def _merged(first: Candidates, second: Candidates) -> Candidates:
    """Return both in the order of the buffer."""
    if not len(first.at) or not len(second.at):
        return first if len(first.at) else second
    both = Candidates(
        np.concatenate((first.at, second.at)),
        np.concatenate((first.stop, second.stop)),
        np.concatenate((first.body, second.body)),
        np.concatenate((first.length, second.length)),
        np.concatenate((first.kind, second.kind)),
    )
    return both.keep(np.argsort(both.at, kind="stable"))


def _with_right_crc(padded: bytes, found: Candidates) -> Candidates:
    """Return the candidates whose CRC, over all behind the magic and then the message's seed, is the one they bear."""
    begin, end = found.at + 1, found.body + found.length
    crc = np.empty(len(begin), np.uint16)
    single = slice(None) if len(begin) < _VECTOR_WORTH else _checked_together(padded, begin, end, crc)
    pairs = zip(begin[single].tolist(), end[single].tolist(), strict=True)
    crc[single] = [mcrf4xx(padded[first:stop]) for first, stop in pairs]
    crc = _BYTE_STEP.take(crc ^ _SEED.take(found.kind))
    return found.keep(crc == windows(padded, "<u2")[end])


def _checked_together(padded: bytes, begin: Positions, end: Positions, crc: NDArray[np.uint16]) -> Positions:
    """Fill in the CRCs of lengths that many frames have; return the numbers of the other frames."""
    covered = end - begin
    count = np.bincount(covered, minlength=1)
    for length in np.flatnonzero(count >= _VECTOR_WORTH).tolist():
        which = np.flatnonzero(covered == length)
        crc[which] = _equal_length_crc(padded, begin[which], length)
    return np.flatnonzero(count.take(covered) < _VECTOR_WORTH)


def _equal_length_crc(padded: bytes, begin: Positions, length: int) -> NDArray[np.uint16]:
    """Return the CRC of the `length` bytes from each of these positions, two bytes a step."""
    odd = length & 1
    rows = windows(padded, f"V{length - odd}")[begin + odd].view("<u2").reshape(len(begin), -1)
    crc = np.full(len(begin), _START[odd])
    if odd:
        crc ^= _STEP.take(np.frombuffer(padded, np.uint8).take(begin))
    for pair in np.ascontiguousarray(rows.T):
        crc = _PAIR_STEP.take(crc ^ pair, mode="wrap")  # every index is in the table: "wrap" only checks less
    return crc
