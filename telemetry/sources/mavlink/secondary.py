"""The lesser sources of position, each as one fix in REPORT's units: what speaks when GLOBAL_POSITION_INT is silent."""

import math
from enum import IntEnum
from typing import Any, Final, NamedTuple

from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4, Quality

NO_ANGLE: Final = 65535
NO_ALTITUDE: Final = 2147483647
NO_ACCURACY: Final = 255
HIGHEST_I2: Final = 32767
LEAST_FIX: Final = 3
COURSE_FROM_CMPS: Final = 50
UTM_POSITION, UTM_ALTITUDE, UTM_HEIGHT, UTM_VELOCITY, UTM_CLIMB = 4, 8, 16, 32, 64
NO_DRONE_ID_DIRECTION: Final = 36_100
NO_DRONE_ID_SPEED: Final = 25_500
NO_DRONE_ID_CLIMB: Final = 6_300
NO_DRONE_ID_ALTITUDE_M: Final = -1000.0
HIGHEST_DRONE_ID_M: Final = 31_767.0
DRONE_ID_AIRBORNE_HEIGHT: Final = 0
DRONE_ID_ACCURACY_DM: Final = (UNKNOWN_I2, 32767, 32767, 32767, 18_520, 9_260, 5_556, 1_852, 926, 300, 100, 30, 10)
"""MAV_ODID_HOR_ACC as the bound that it promises: 10 NM is beyond the column, 0.05 NM is 92.6 m, the best is 1 m."""


class Source(IntEnum):
    """Where a position comes from, the best first."""

    GLOBAL_POSITION = 0
    GPS_RAW = 1
    UTM = 2
    DRONE_ID = 3
    HIGH_LATENCY = 4


class Fix(NamedTuple):
    """One position of a lesser source. `time_us` is UTC or since boot, 0 where it does not tell.

    `accuracy_dm` unknown lets GPS_RAW_INT's stand; `heading_ddeg` unknown lets ATTITUDE's stand.
    """

    source: Source
    time_us: int
    lat_e7: int
    lon_e7: int
    alt_msl_dm: int = UNKNOWN_I4
    alt_hae_dm: int = UNKNOWN_I4
    alt_home_dm: int = UNKNOWN_I4
    speed_cmps: int = UNKNOWN_I2
    climb_cmps: int = UNKNOWN_I2
    heading_ddeg: int = UNKNOWN_I2
    course_ddeg: int = UNKNOWN_I2
    accuracy_dm: int = UNKNOWN_I2
    quality: int = int(Quality.SECONDARY)


Fields = tuple[Any, ...]


def decimetres(millimetres: int) -> int:
    """Return whole decimetres, halves up; INT32_MAX is unknown."""
    return UNKNOWN_I4 if millimetres == NO_ALTITUDE else (millimetres + 50) // 100


def tenths_of_degree(hundredths: int) -> int:
    """Return an angle in 0..3599; 65535 is unknown."""
    return UNKNOWN_I2 if hundredths == NO_ANGLE else (hundredths + 5) // 10 % 3600


def ground_motion(vx_cmps: int, vy_cmps: int) -> tuple[int, int, int]:
    """Return speed, course and quality of a velocity north and east; a course only from 0.5 m/s."""
    speed_cmps = round(math.sqrt(vx_cmps * vx_cmps + vy_cmps * vy_cmps))
    course_ddeg = UNKNOWN_I2
    if speed_cmps >= COURSE_FROM_CMPS:
        course_ddeg = round(math.degrees(math.atan2(vy_cmps, vx_cmps)) * 10.0) % 3600
    if speed_cmps > HIGHEST_I2:
        return HIGHEST_I2, course_ddeg, int(Quality.SATURATED)
    return speed_cmps, course_ddeg, 0


def fix_of_gps_raw(fields: Fields) -> Fix | None:
    """Return the fix of a GPS_RAW_INT (wire order), None below a 3-D one."""
    time_us, lat_e7, lon_e7, alt_mm, _, _, vel_cmps, cog_cdeg, fix_type = fields[:9]
    if fix_type < LEAST_FIX:
        return None
    return Fix(
        Source.GPS_RAW,
        time_us,
        lat_e7,
        lon_e7,
        alt_msl_dm=decimetres(alt_mm),
        speed_cmps=UNKNOWN_I2 if vel_cmps == NO_ANGLE else min(vel_cmps, HIGHEST_I2),
        course_ddeg=tenths_of_degree(cog_cdeg),
    )


def fix_of_utm(fields: Fields) -> Fix | None:
    """Return the fix of a UTM_GLOBAL_POSITION (wire order) whose flags say that its position is valid."""
    time_us, lat_e7, lon_e7, alt_mm, relative_mm = fields[:5]
    flags = fields[-1]
    if not flags & UTM_POSITION:
        return None
    climb_cmps = min(-fields[10], HIGHEST_I2) if flags & UTM_CLIMB else UNKNOWN_I2
    motion = ground_motion(fields[8], fields[9]) if flags & UTM_VELOCITY else (UNKNOWN_I2, UNKNOWN_I2, 0)
    return Fix(
        Source.UTM,
        time_us if flags & 1 else 0,
        lat_e7,
        lon_e7,
        alt_hae_dm=decimetres(alt_mm) if flags & UTM_ALTITUDE else UNKNOWN_I4,
        alt_home_dm=decimetres(relative_mm) if flags & UTM_HEIGHT else UNKNOWN_I4,
        speed_cmps=motion[0],
        climb_cmps=climb_cmps,
        course_ddeg=motion[1],
        quality=int(Quality.SECONDARY) | motion[2],
        accuracy_dm=min((fields[11] + 50) // 100, HIGHEST_I2) if fields[11] else UNKNOWN_I2,
    )


def fix_of_drone_id(fields: Fields) -> Fix | None:
    """Return the fix of an OPEN_DRONE_ID_LOCATION (wire order) that our own vehicle sends of itself."""
    lat_e7, lon_e7, _, geodetic_m, height_m, _, direction_cdeg, speed_cmps, climb_cmps = fields[:9]
    height_reference, accuracy = fields[-6], fields[-5]
    is_above_home = height_reference == DRONE_ID_AIRBORNE_HEIGHT
    return Fix(
        Source.DRONE_ID,
        0,
        lat_e7,
        lon_e7,
        alt_hae_dm=_drone_id_dm(geodetic_m),
        alt_home_dm=_drone_id_dm(height_m) if is_above_home else UNKNOWN_I4,
        speed_cmps=speed_cmps if speed_cmps < NO_DRONE_ID_SPEED else UNKNOWN_I2,
        climb_cmps=climb_cmps if climb_cmps != NO_DRONE_ID_CLIMB else UNKNOWN_I2,
        course_ddeg=UNKNOWN_I2 if direction_cdeg == NO_DRONE_ID_DIRECTION else tenths_of_degree(direction_cdeg),
        accuracy_dm=DRONE_ID_ACCURACY_DM[accuracy] if accuracy < len(DRONE_ID_ACCURACY_DM) else UNKNOWN_I2,
    )


def _drone_id_dm(height_m: float) -> int:
    """Return decimetres of a height that drone id can say (-1000 m is "unknown", 31,767 m its greatest)."""
    return round(height_m * 10.0) if NO_DRONE_ID_ALTITUDE_M < height_m <= HIGHEST_DRONE_ID_M else UNKNOWN_I4


def fix_of_high_latency(fields: Fields) -> Fix:
    """Return the fix of a HIGH_LATENCY2 (wire order); it tells no time that can be trusted."""
    eph_dm = fields[19]
    return Fix(
        Source.HIGH_LATENCY,
        0,
        fields[1],
        fields[2],
        alt_msl_dm=fields[4] * 10,
        speed_cmps=fields[16] * 20,
        climb_cmps=fields[22] * 10,
        heading_ddeg=fields[11] * 20 % 3600,
        accuracy_dm=UNKNOWN_I2 if eph_dm == NO_ACCURACY else eph_dm,
        quality=int(Quality.SECONDARY | Quality.SPARSE),
    )
