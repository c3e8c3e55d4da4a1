"""Many position bodies at once: columns are taken out of the joined bytes by numpy; rows equal those of `position`."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import (
    FIX_NONE,
    REPORT,
    UNKNOWN_I1,
    UNKNOWN_I2,
    Batch,
    Quality,
    hash_fixes,
    new_batch,
)
from telemetry.sources.jt808 import position as one
from telemetry.sources.jt808.codes import day_s_of, unpacked_digits
from telemetry.sources.jt808.frame import FLAG, LENGTH_MASK, VERSION_FLAG, Form, escape, xor_of
from telemetry.sources.jt808.messages import PLATFORM_REPLY, POSITION

BLOCK_BYTES: Final = 1_400
BLOCK_FLAGS: Final = 24
"""From so many bytes with so many delimiters (about two dozen frames) on the vectorised path is the faster one: not for few long ones."""
BLOCK_POSITIONS: Final = 20
"""The same for positions of one batch."""
PADDING: Final = bytes(64)

_CORE: Final = np.dtype(
    [
        ("alarm", ">u4"),
        ("status", ">u4"),
        ("lat", ">u4"),
        ("lon", ">u4"),
        ("alt_m", ">i2"),
        ("speed", ">u2"),
        ("course", ">u2"),
        ("time", "u1", (6,)),
    ]
)
_BLANK: Final = new_batch(1).tobytes()
_WORDS: Final = np.arange(1 << 16)
_CMPS: Final = np.minimum((_WORDS * 50 + 9) // 18, one.HIGHEST_I2).astype(np.int16)
"""Centimetres per second by the protocol's 0.1 km/h, of which FASTEST is the last that fits."""
FASTEST: Final = 11_796
_DDEG: Final = np.where(_WORDS <= one.FULL_TURN_DEG, _WORDS * 10 % 3600, UNKNOWN_I2).astype(np.int16)
_UNUSUAL: Final = one.IS_FIXED | one.IS_ENCRYPTED | one.IS_SOUTH | one.IS_WEST
_SATELLITES: Final = one.SATELLITES | 1 << 8
_NO_TIME_S: Final = 100_000


def _seconds_of(highest: int, unit_s: int) -> NDArray[np.int64]:
    """Return what each packed byte adds to the seconds of a day; far more than a day has when it is above `highest`."""
    digits = [unpacked_digits(byte) for byte in range(256)]
    return np.array([value * unit_s if value <= highest else _NO_TIME_S for value in digits], np.int64)


_HOUR_S: Final = _seconds_of(23, 3600)
_MINUTE_S: Final = _seconds_of(59, 60)
_SECOND_S: Final = _seconds_of(59, 1)

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]


class Columns(NamedTuple):
    """The rows of many positions and their alarm words."""

    batch: Batch
    alarm_bits: NDArray[np.int64]


class Plain(NamedTuple):
    """Which of many frames are whole positions of one terminal without fault, and where their bodies lie.

    `pieces` are the places (begin, end) of all frames' escaped contents in the bytes that were looked through; `is_plain` has an
    entry for each of them; `at` and `end` (in `data`, where escapes are undone) and `serial` have one for each plain.
    """

    data: bytes
    pieces: tuple[Offsets, Offsets]
    is_plain: NDArray[np.bool_]
    at: Offsets
    end: Offsets
    serial: NDArray[np.int64]


def is_for_block(data: bytes) -> bool:
    """Tell whether bytes hold so many frames that looking through all of them at once is the faster way."""
    return len(data) >= BLOCK_BYTES and data.count(FLAG) >= BLOCK_FLAGS


def find_plain(whole: bytes, form: Form) -> Plain:
    """Look for positions of the terminal that writes in this form (FLAG's dialect) in what `FrameReader.take` returned."""
    flags = np.flatnonzero(np.frombuffer(whole, np.uint8) == FLAG)
    start, stop = np.append(0, flags + 1), np.append(flags, len(whole))
    if not (stop > start).all():
        start, stop = start[stop > start], stop[stop > start]
    pieces = (start, stop)
    data, start, stop = _unescaped(whole, start, stop)
    bytes_ = np.frombuffer(data + PADDING, np.uint8)
    size = stop - start
    head_bytes = _head_bytes(form)
    heads = _records(bytes_, _head_of(form), start)
    said = heads["said"].astype(np.int64)
    is_plain = (
        (heads["msg_id"] == POSITION)
        & ((said & ~LENGTH_MASK) == (VERSION_FLAG if form.says_2019 else 0))
        & ((said & LENGTH_MASK) + head_bytes + 1 == size)
        & (size > head_bytes + one.CORE_BYTES)
        & (heads["terminal"] == np.frombuffer(_id_of(form), heads["terminal"].dtype)[0])
        & (_xor_between(bytes_, start, stop) == 0)
    )
    if not is_plain.all():
        heads, start, stop = heads[is_plain], start[is_plain], stop[is_plain]
    return Plain(data, pieces, is_plain, start + head_bytes, stop - 1, heads["serial"].astype(np.int64))


def _unescaped(whole: bytes, start: Offsets, stop: Offsets) -> tuple[bytes, Offsets, Offsets]:
    """Return the bytes with all escapes undone, and where each content lies in them."""
    if b"\x7d" not in whole:
        return whole, start, stop
    bytes_ = np.frombuffer(bytearray(whole + PADDING), np.uint8)
    marks = np.flatnonzero(bytes_ == 0x7D)
    follows = bytes_[marks + 1]
    escapes = (follows == 1) | (follows == 2)
    marks, follows = marks[escapes], follows[escapes]
    bytes_[marks] = 0x7C + follows  # 01 stands for 7d, 02 for 7e
    changed, stays = bytes_.tobytes(), (marks + 1).tolist()
    runs = zip([0, *(marks + 2).tolist()], [*stays, len(whole)], strict=True)
    data = b"".join([changed[begin:end] for begin, end in runs])
    return data, start - np.searchsorted(marks, start), stop - np.searchsorted(marks, stop)


def _xor_between(bytes_: Bytes, start: Offsets, stop: Offsets) -> Bytes:
    """Return the exclusive or of the bytes of each place."""
    if not len(start):
        return bytes_[:0]
    if (start[1:] - stop[:-1] == 2).all():  # two delimiters between add nothing, nor does the padding: half the work
        found: Bytes = np.bitwise_xor.reduceat(bytes_, start)
        return found
    places = np.empty(2 * len(start), np.int64)
    places[::2], places[1::2] = start, stop
    return np.bitwise_xor.reduceat(bytes_, places)[::2]


def read_block(data: bytes, at: Offsets, end: Offsets, reading: one.Reading) -> Columns:
    """Return the positions whose bodies lie in `data[at:end]`, each at least CORE_BYTES long. About 0.3 us each."""
    bytes_ = np.frombuffer(data + PADDING, np.uint8)
    core = _records(bytes_, _CORE, at)
    batch = np.frombuffer(bytearray(_BLANK * len(at)), REPORT)
    batch["device_id"] = reading.device_id
    batch["received_us"] = reading.received_us
    quality = np.full(len(at), reading.quality, np.int64)
    _put_time(batch, core["time"], quality, reading)
    _put_place(batch, core, quality)
    _put_motion(batch, core, quality)
    _put_satellites(batch, bytes_, at + one.CORE_BYTES, end)
    batch["quality"] = quality
    hash_fixes(batch)
    return Columns(batch, core["alarm"].astype(np.int64))


def _put_time(batch: Batch, packed: Bytes, quality: NDArray[np.int64], reading: one.Reading) -> None:
    day_s: NDArray[np.int64] | np.int64
    if (packed[:, :3] == packed[0, :3]).all():
        day_s = np.int64(day_s_of(packed[0, :3].tobytes()))
    else:
        dates = packed[:, 0].astype(np.int32) << 16 | packed[:, 1].astype(np.int32) << 8 | packed[:, 2]
        distinct, which = np.unique(dates, return_inverse=True)
        day_s = np.array([day_s_of(date.to_bytes(3)) for date in distinct.tolist()])[which]
    time_s = _HOUR_S.take(packed[:, 3]) + _MINUTE_S.take(packed[:, 4]) + _SECOND_S.take(packed[:, 5])
    good = (day_s >= 0) & (time_s < 86_400)
    unix_s = day_s + time_s - reading.utc_offset_s
    batch["observed_us"] = unix_s * 1_000_000
    if not good.all():
        batch["observed_us"][~good] = reading.received_us
        quality[~good] |= int(Quality.TIME_OF_ARRIVAL)


def _put_place(batch: Batch, core: NDArray[Any], quality: NDArray[np.int64]) -> None:
    """Write coordinates and fix. What most terminals always say, a fix in the north-east, is seen once for all of them."""
    status = core["status"].astype(np.int64)
    lat, lon = core["lat"].astype(np.int64), core["lon"].astype(np.int64)
    if lat.max() > one.HIGHEST_LAT or lon.max() > one.HIGHEST_LON:
        quality |= np.where((lat > one.HIGHEST_LAT) | (lon > one.HIGHEST_LON), int(one.NO_PLACE), 0)
        lat, lon = np.minimum(lat, one.HIGHEST_LAT), np.minimum(lon, one.HIGHEST_LON)
    either = lat | lon
    if not either.all():
        quality |= np.where(either == 0, int(Quality.NULL_ISLAND), 0)
    if ((status & _UNUSUAL) == one.IS_FIXED).all():
        batch["lat_e7"], batch["lon_e7"] = 10 * lat, 10 * lon
        return
    batch["lat_e7"] = np.where(status & one.IS_SOUTH, -10, 10) * lat
    batch["lon_e7"] = np.where(status & one.IS_WEST, -10, 10) * lon
    batch["fix"] = np.where(status & one.IS_FIXED, UNKNOWN_I1, FIX_NONE)
    quality |= np.where(status & one.IS_FIXED, 0, int(Quality.NO_FIX))
    quality |= np.where(status & one.IS_ENCRYPTED, int(Quality.ENCRYPTED), 0)


def _put_motion(batch: Batch, core: NDArray[Any], quality: NDArray[np.int64]) -> None:
    batch["alt_msl_dm"] = core["alt_m"].astype(np.int32) * 10
    speed = core["speed"].astype(np.uint16)
    batch["speed_cmps"] = _CMPS.take(speed)
    if speed.max(initial=0) > FASTEST:
        quality |= np.where(speed > FASTEST, int(Quality.SATURATED), 0)
    batch["course_ddeg"] = _DDEG.take(core["course"].astype(np.uint16))


def _put_satellites(batch: Batch, bytes_: Bytes, at: Offsets, end: Offsets) -> None:
    """Walk through the items of all bodies at once, as far as the first for satellites."""
    if not (at + 2 < end).any():
        return
    pairs = _overlapping(bytes_, np.dtype("<u2"))  # the number is the low byte: twice as fast as swapping them all
    found = np.full(len(at), UNKNOWN_I1, np.int64)
    rows = np.arange(len(at))
    while True:
        inside = at + 2 < end
        if np.count_nonzero(inside) < len(inside):
            rows, at, end = rows[inside], at[inside], end[inside]
        if not len(rows):
            break
        head = pairs[at]
        hit = head == _SATELLITES
        hits = np.count_nonzero(hit)
        if hits:
            found[rows[hit]] = np.minimum(bytes_[at[hit] + 2], one.HIGHEST_I1)
        if hits == len(rows):
            break
        if hits:
            rows, at, end, head = rows[~hit], at[~hit], end[~hit], head[~hit]
        at = at + 2 + (head >> 8)
    batch["satellites"] = found


def write_acknowledgements(form: Form, serial: int, answered: NDArray[np.int64]) -> bytes:
    """Return general replies (done) to positions with these serials, ours counted from `serial`; FLAG's dialect."""
    own = (serial + np.arange(len(answered))) & 0xFFFF
    said = 5 | (VERSION_FLAG if form.says_2019 else 0)
    prefix = bytes([FLAG]) + PLATFORM_REPLY.to_bytes(2) + said.to_bytes(2) + _id_of(form)
    at = len(prefix)
    table = np.empty((len(answered), at + 9), np.uint8)
    table[:, :at] = np.frombuffer(prefix, np.uint8)
    table[:, at], table[:, at + 1] = own >> 8, own & 0xFF
    table[:, at + 2], table[:, at + 3] = answered >> 8, answered & 0xFF
    table[:, at + 4 : at + 7] = POSITION >> 8, POSITION & 0xFF, 0
    head_xor = xor_of(prefix[1:] + POSITION.to_bytes(2))
    table[:, at + 7] = np.bitwise_xor.reduce(table[:, at : at + 4], axis=1) ^ head_xor
    table[:, at + 8] = FLAG
    return _escaped(table)


def _escaped(table: Bytes) -> bytes:
    """Return frames of equal length, a row each with its delimiters, with what is between them escaped."""
    marked = (table == 0x7D) | (table == FLAG)
    marked[:, 0] = marked[:, -1] = False
    if not marked.any():
        return table.tobytes()
    rows = np.flatnonzero(marked.any(axis=1)).tolist()
    pieces, done = [], 0
    for row in rows:
        frame = table[row].tobytes()
        pieces += [table[done:row].tobytes(), frame[:1], escape(frame[1:-1]), frame[-1:]]
        done = row + 1
    return b"".join([*pieces, table[done:].tobytes()])


def _id_of(form: Form) -> bytes:
    return bytes([form.version]) + form.terminal if form.is_2019 else form.terminal


def _head_bytes(form: Form) -> int:
    return 4 + len(_id_of(form)) + 2


def _head_of(form: Form) -> np.dtype[Any]:
    size = len(_id_of(form))
    return np.dtype([("msg_id", ">u2"), ("said", ">u2"), ("terminal", f"V{size}"), ("serial", ">u2")])


def _overlapping(bytes_: Bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the value of `dtype` that begins at each byte, as a view."""
    count = len(bytes_) - dtype.itemsize + 1
    return np.ndarray((count,), dtype, bytes_, strides=(1,))


def _records(bytes_: Bytes, dtype: np.dtype[Any], at: Offsets) -> NDArray[Any]:
    """Return the records that begin at these bytes. Copies them as plain bytes: by fields numpy is five times slower."""
    return _overlapping(bytes_, np.dtype(f"V{dtype.itemsize}"))[at].view(dtype)
