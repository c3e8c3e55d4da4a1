"""One position body at a time: 28 bytes of core and the items behind it become one row of REPORT."""

import struct
from typing import Final, NamedTuple

import numpy as np

from telemetry.model.batch import FIX_NONE, REPORT, UNKNOWN_I1, UNKNOWN_I2, UNKNOWN_I4, Batch, Quality, hash_fixes
from telemetry.model.datum import Crs, to_wgs84
from telemetry.sources.jt808.codes import unix_s_of_time

CORE_BYTES: Final = 28
IS_FIXED: Final = 1 << 1
IS_SOUTH: Final = 1 << 2
IS_WEST: Final = 1 << 3
IS_ENCRYPTED: Final = 1 << 5
HIGHEST_LAT: Final = 90_000_000
HIGHEST_LON: Final = 180_000_000
"""In the protocol's unit, 1e-6 degree."""
FULL_TURN_DEG: Final = 360
NO_PLACE: Final = Quality.SATURATED | Quality.NO_FIX
HIGHEST_I1: Final = 127
HIGHEST_I2: Final = 32_767
SATELLITES: Final = 0x31
"""The item, of one byte, that tells how many satellites are used."""

_CORE: Final = struct.Struct(">IIIIhHH6s").unpack_from
_ROW: Final = struct.Struct("<iqqiiiiihhhhhbbbii").pack
assert struct.calcsize("<iqqiiiiihhhhhbbbii") == REPORT.itemsize


class Reading(NamedTuple):
    """What every position of one terminal is read with: whose it is, how far its clock's zone is ahead, bits that all share."""

    device_id: int
    received_us: int
    utc_offset_s: int
    quality: int = 0


class Position(NamedTuple):
    """One row's bytes and what else its body says."""

    row: bytes
    observed_us: int
    alarm_bits: int
    status_bits: int


def read_position(body: bytes, reading: Reading, at: int = 0, end: int | None = None) -> Position | None:
    """Return the position whose body lies in `body[at:end]`; None when it is shorter than a core. About 3 us.

    A time that is none becomes that of arrival; coordinates that are no place on Earth are cut to the nearest ones that are,
    and no fix; a course beyond a full turn is unknown.
    """
    end = len(body) if end is None else end
    if end - at < CORE_BYTES:
        return None
    alarm_bits, status_bits, lat, lon, alt_m, speed_hm, course_deg, packed = _CORE(body, at)
    quality = reading.quality | quality_of(status_bits)
    unix_s = unix_s_of_time(packed)
    if unix_s is None:
        observed_us = reading.received_us
        quality |= Quality.TIME_OF_ARRIVAL
    else:
        observed_us = (unix_s - reading.utc_offset_s) * 1_000_000
    if lat > HIGHEST_LAT or lon > HIGHEST_LON:
        lat, lon = min(lat, HIGHEST_LAT), min(lon, HIGHEST_LON)
        quality |= NO_PLACE
    elif not lat | lon:
        quality |= Quality.NULL_ISLAND
    lat_e7 = -10 * lat if status_bits & IS_SOUTH else 10 * lat
    lon_e7 = -10 * lon if status_bits & IS_WEST else 10 * lon
    speed_cmps = (speed_hm * 50 + 9) // 18
    if speed_cmps > HIGHEST_I2:
        speed_cmps = HIGHEST_I2
        quality |= Quality.SATURATED
    row = _ROW(
        reading.device_id,
        observed_us,
        reading.received_us,
        lat_e7,
        lon_e7,
        alt_m * 10,
        UNKNOWN_I4,
        UNKNOWN_I4,
        speed_cmps,
        UNKNOWN_I2,
        UNKNOWN_I2,
        course_deg * 10 % 3600 if course_deg <= FULL_TURN_DEG else UNKNOWN_I2,
        UNKNOWN_I2,
        UNKNOWN_I1,
        _satellites(body, at + CORE_BYTES, end),
        UNKNOWN_I1 if status_bits & IS_FIXED else FIX_NONE,
        quality,
        hash_of_fix(lat_e7, lon_e7),
    )
    return Position(row, observed_us, alarm_bits, status_bits)


_QUALITIES: Final = {
    0: int(Quality.NO_FIX),
    IS_FIXED: 0,
    IS_ENCRYPTED: int(Quality.NO_FIX | Quality.ENCRYPTED),
    IS_ENCRYPTED | IS_FIXED: int(Quality.ENCRYPTED),
}


def quality_of(status_bits: int) -> int:
    """Return the quality bits that a status word stands for."""
    return _QUALITIES[status_bits & (IS_FIXED | IS_ENCRYPTED)]


def hash_of_fix(lat_e7: int, lon_e7: int) -> int:
    """Return the fix_hash that `batch.hash_fixes` gives these coordinates."""
    mixed = (lat_e7 * 0x9E3779B1 ^ (lon_e7 * 0x85EBCA77 + 0xC2B2AE3D)) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    mixed ^= mixed >> 13
    return mixed - 0x100000000 if mixed & 0x80000000 else mixed


def _satellites(body: bytes, at: int, end: int) -> int:
    """Return what the first item for satellites says, unknown without one; a broken tail ends the search."""
    while at + 2 < end:
        size = body[at + 1]
        if size == 1 and body[at] == SATELLITES:
            return min(body[at + 2], HIGHEST_I1)
        at += 2 + size
    return UNKNOWN_I1


def rows_of(packed: list[bytes]) -> Batch:
    """Return packed rows as a batch."""
    return np.frombuffer(bytearray(b"".join(packed)), REPORT)


def shift_to_wgs84(batch: Batch, crs: Crs) -> Batch:
    """Return the batch with coordinates given in `crs` as WGS-84; unknown, 0/0 and encrypted ones stay as they are."""
    if crs in (Crs.WGS84, Crs.CGCS2000):
        return batch
    no_place = np.int32(Quality.NULL_ISLAND | Quality.ENCRYPTED)
    places = np.flatnonzero((batch["lat_e7"] != UNKNOWN_I4) & ((batch["quality"] & no_place) == 0))
    lat_deg, lon_deg = to_wgs84(batch["lat_e7"][places] / 1e7, batch["lon_e7"][places] / 1e7, crs=crs)
    batch["lat_e7"][places] = np.rint(lat_deg * 1e7)
    batch["lon_e7"][places] = np.rint(lon_deg * 1e7)
    hash_fixes(batch)
    return batch
