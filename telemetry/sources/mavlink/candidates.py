"""Where in a buffer whole MAVLink frames with a right CRC begin, found for all of them at once with numpy.

A CRC without its start value is linear over GF(2): the CRC of a frame is the exclusive or of what each of its bytes would
leave alone, moved on by the bytes that follow. So frames of one length are checked together, two bytes a look-up.
"""

from functools import cache
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
    kind: Positions

    def keep(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Candidates":
        """Return some of them."""
        return Candidates(*(column[which] for column in self))


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
_START: Final = np.array([mcrf4xx(bytes(length)) for length in range(LONGEST_FRAME_BYTES)], np.uint16)


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
    buffer = np.frombuffer(padded, np.uint8)
    magic_at = np.flatnonzero((buffer[:size] == MAGIC_V1) | (buffer[:size] == MAGIC_V2))
    is_v2 = buffer[magic_at] == MAGIC_V2
    found_v1, waiting_v1 = _plausible_v1(padded, magic_at[~is_v2], size)
    found_v2, waiting_v2 = _plausible_v2(padded, magic_at[is_v2], size)
    found = _merged(found_v1, found_v2)
    good = _register(padded, found) == windows(padded, "<u2")[found.body + found.length]
    return found.keep(good), np.sort(np.concatenate((waiting_v1, waiting_v2)))


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
    at, waiting = _split(at, at <= size - HEADER_V1_BYTES)
    header = windows(padded, "<u8")[at + 1].astype(np.int64)
    length = header & 0xFF
    kind = _KIND_V1[(header >> 32 & 0xFF) << 8 | length].astype(np.int64)
    known = kind >= 0
    at, length, kind = at[known], length[known], kind[known]
    body = at + HEADER_V1_BYTES
    return _complete(Candidates(at, body + length + CRC_BYTES, body, length, kind), waiting, size)


def _plausible_v2(padded: bytes, at: Positions, size: int) -> tuple[Candidates, Positions]:
    """Return candidates with a known id and no unknown flag, and those that go beyond the data."""
    at, waiting = _split(at, at <= size - HEADER_V2_BYTES)
    header = windows(padded, "<u8")[at + 2].view(np.uint64)
    flags = (header & np.uint64(0xFF)).astype(np.int64)
    msg_id = (header >> np.uint64(40)).astype(np.int64)
    kind = _KIND_V2[np.minimum(msg_id, _ID_LIMIT - 1)].astype(np.int64)
    known = (kind >= 0) & (flags <= SIGNED_FLAG)
    at, flags, kind = at[known], flags[known], kind[known]
    body = at + HEADER_V2_BYTES
    length = np.frombuffer(padded, np.uint8)[at + 1].astype(np.int64)
    stop = body + length + CRC_BYTES + SIGNATURE_BYTES * flags
    return _complete(Candidates(at, stop, body, length, kind), waiting, size)


def _split(at: Positions, whole: NDArray[np.bool_]) -> tuple[Positions, Positions]:
    return at[whole], at[~whole]


def _complete(found: Candidates, waiting: Positions, size: int) -> tuple[Candidates, Positions]:
    whole = found.stop <= size
    return found.keep(whole), np.concatenate((found.at[~whole], waiting))


def _merged(first: Candidates, second: Candidates) -> Candidates:
    """Return both in the order of the buffer."""
    if not len(first.at) or not len(second.at):
        return first if len(first.at) else second
    both = Candidates(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    return both.keep(np.argsort(both.at, kind="stable"))


def _register(padded: bytes, found: Candidates) -> NDArray[np.uint16]:
    """Return the CRC that each candidate should have: over all behind its magic, then its message's seed."""
    covered = found.body + found.length - found.at - 1
    crc = np.empty(len(covered), np.uint16)
    count = np.bincount(covered, minlength=1)
    for length in np.flatnonzero(count >= _VECTOR_WORTH).tolist():
        which = np.flatnonzero(covered == length)
        crc[which] = _equal_length_crc(padded, found.at[which], length)
    rest = np.flatnonzero(count[covered] < _VECTOR_WORTH)
    begins = (found.at[rest] + 1).tolist()
    ends = (found.at[rest] + 1 + covered[rest]).tolist()
    crc[rest] = [mcrf4xx(padded[begin:end]) for begin, end in zip(begins, ends, strict=True)]
    seeded: NDArray[np.uint16] = _STEP[(crc ^ _SEED[found.kind]) & 0xFF] ^ (crc >> 8)
    return seeded


def _equal_length_crc(padded: bytes, at: Positions, length: int) -> NDArray[np.uint16]:
    """Return the CRC of `length` bytes behind each magic, two bytes a step."""
    odd = length & 1
    rows = windows(padded, f"V{length + odd}")[at + 1 - odd].view(np.uint8).reshape(len(at), length + odd)
    if odd:
        rows[:, 0] = 0  # the magic fills the pair; a zero leaves nothing
    pairs = np.ascontiguousarray(rows.view("<u2").T)
    crc = np.full(len(at), _START[length])
    for column, distance in zip(pairs, range(length + odd - 2, -1, -2), strict=True):
        crc ^= _pair_table(distance)[column]
    return crc


@cache
def _pair_table(distance: int) -> NDArray[np.uint16]:
    """Return what each pair of bytes leaves in the register when `distance` bytes follow (128 kB)."""
    first, second = _byte_table(distance + 1), _byte_table(distance)
    return (second[:, None] ^ first[None, :]).reshape(-1)


@cache
def _byte_table(distance: int) -> NDArray[np.uint16]:
    """Return what each byte leaves in an empty register when `distance` zero bytes follow."""
    table = _STEP
    for _ in range(distance):
        table = _STEP[table & 0xFF] ^ (table >> 8)
    return table
