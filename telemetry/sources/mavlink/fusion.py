"""One row out of many messages: the best position a vehicle tells, joined with the last known of everything else."""

from typing import Final, NamedTuple

from telemetry.model.batch import FIX_NONE, FIX_RTK_FIXED, UNKNOWN_I1, UNKNOWN_I2, UNKNOWN_I4, Quality
from telemetry.sources.mavlink.boot_clock import Stamp
from telemetry.sources.mavlink.secondary import HIGHEST_I2, Fix, Source, decimetres, ground_motion, tenths_of_degree

JOIN_US: Final = 5_000_000
BETTER_SILENT_US: Final = 3_000_000
HIGHEST_I1: Final = 127
FULL_PCT: Final = 100
NO_SATELLITES: Final = 255
INACCURATE_DM: Final = 2000

Row = tuple[int, ...]
"""The values of one REPORT row, in its order."""


Joined = tuple[int, int, int, int, int, int, int, int]
"""Device, nose's direction, height above the ellipsoid, accuracy, battery, satellites, fix, quality: in REPORT's units."""


class Sky(NamedTuple):
    """What GPS_RAW_INT adds to a position, in REPORT's units, with its arrival."""

    received_us: int
    alt_hae_dm: int
    accuracy_dm: int
    satellites: int
    fix: int


def fix_of(fix_type: int) -> int:
    """Return REPORT's fix of a GPS_FIX_TYPE: no receiver and no fix are one, what is better than RTK is RTK."""
    return FIX_NONE if fix_type <= 1 else min(fix_type, FIX_RTK_FIXED)


def hash_of_fix(lat_e7: int, lon_e7: int) -> int:
    """Return the fix_hash that `batch.hash_fixes` gives these coordinates."""
    mixed = (lat_e7 * 0x9E3779B1 ^ (lon_e7 * 0x85EBCA77 + 0xC2B2AE3D)) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    mixed ^= mixed >> 13
    return mixed - 0x100000000 if mixed & 0x80000000 else mixed


def is_place(lat_e7: int, lon_e7: int) -> bool:
    """Tell whether these are coordinates: 0/0 means "no position yet" in MAVLink."""
    return (lat_e7 != 0 or lon_e7 != 0) and abs(lat_e7) <= 900_000_000 and abs(lon_e7) <= 1_800_000_000


def sky_of(fields: tuple[int, ...], received_us: int) -> Sky:
    """Return what a GPS_RAW_INT (wire order) says about accuracy; zero in an extension field is "not told"."""
    _, _, _, _, _, _, _, _, fix_type, satellites, alt_ellipsoid, accuracy_mm = fields[:12]
    return Sky(
        received_us,
        decimetres(alt_ellipsoid) if alt_ellipsoid else UNKNOWN_I4,
        min((accuracy_mm + 50) // 100, HIGHEST_I2) if accuracy_mm else UNKNOWN_I2,
        UNKNOWN_I1 if satellites == NO_SATELLITES else min(satellites, HIGHEST_I1),
        fix_of(fix_type),
    )


class Fusion:
    """The last known values of one vehicle and the rows made of them.

    Sources of position by rank: GLOBAL_POSITION_INT, then those of `Source` in order; a lesser one counts only after 3 s
    of silence of those above. Joined values are forgotten 5 s after their arrival.
    """

    __slots__ = (
        "_base_quality",
        "_battery",
        "_charge",
        "_device_id",
        "_first_us",
        "_sky",
        "_yaw",
        "heard_us",
        "throttle",
    )

    def __init__(self, device_id: int, base_quality: int) -> None:
        self._device_id = device_id
        self._base_quality = base_quality
        never = -BETTER_SILENT_US - 1
        self.heard_us = [never] * len(Source)
        self._first_us: int | None = None
        self._sky = Sky(never - JOIN_US, UNKNOWN_I4, UNKNOWN_I2, UNKNOWN_I1, UNKNOWN_I1)
        self._yaw: tuple[int, int] = (never - JOIN_US, UNKNOWN_I2)
        self._battery: tuple[int, int] = (never - JOIN_US, UNKNOWN_I1)
        self._charge: tuple[int, int] = (never - JOIN_US, UNKNOWN_I1)
        self.throttle: tuple[int, int] = (never - JOIN_US, 0)

    def note_sky(self, fields: tuple[int, ...], received_us: int) -> None:
        """Remember a GPS_RAW_INT."""
        self._sky = sky_of(fields, received_us)

    def note_yaw(self, yaw_ddeg: int, received_us: int) -> None:
        """Remember the nose's direction from ATTITUDE or VFR_HUD."""
        self._yaw = (received_us, yaw_ddeg)

    def note_battery(self, percent: int, received_us: int) -> None:
        """Remember a BATTERY_STATUS; outside 0..100 is unknown."""
        self._battery = (received_us, percent if 0 <= percent <= FULL_PCT else UNKNOWN_I1)

    def note_charge(self, percent: int, received_us: int) -> None:
        """Remember a SYS_STATUS, second to BATTERY_STATUS; outside 0..100 is unknown."""
        self._charge = (received_us, percent if 0 <= percent <= FULL_PCT else UNKNOWN_I1)

    def battery_pct(self, now_us: int) -> int:
        """Return what is left of the battery, 0..100, or unknown."""
        at_us, percent = self._battery
        if percent == UNKNOWN_I1 or now_us - at_us > JOIN_US:
            at_us, percent = self._charge
        return percent if now_us - at_us <= JOIN_US else UNKNOWN_I1

    def global_position(self, fields: tuple[int, ...], stamp: Stamp, received_us: int) -> Row:
        """Return the row of a GLOBAL_POSITION_INT (wire order) that is a place."""
        _, lat_e7, lon_e7, alt_mm, relative_mm, vx_cmps, vy_cmps, vz_cmps, hdg_cdeg = fields
        self.heard_us[Source.GLOBAL_POSITION] = received_us
        speed_cmps, course_ddeg, quality = ground_motion(vx_cmps, vy_cmps)
        climb_cmps = min(-vz_cmps, HIGHEST_I2)
        if climb_cmps != -vz_cmps:
            quality |= Quality.SATURATED
        heading_ddeg = tenths_of_degree(hdg_cdeg)
        if heading_ddeg == UNKNOWN_I2:
            heading_ddeg = self._yaw_ddeg(received_us)
        motion = (speed_cmps, climb_cmps, heading_ddeg, course_ddeg)
        return self._row(
            stamp, received_us, (lat_e7, lon_e7), (decimetres(alt_mm), decimetres(relative_mm)), motion, quality
        )

    def secondary_position(self, fix: Fix, stamp: Stamp | None, received_us: int) -> Row | None:
        """Return the row of a lesser source's fix (stamped by arrival where `stamp` is None), None while a better one speaks.

        A better one that was never heard is waited for too, but not by HIGH_LATENCY2, which comes once in minutes.
        """
        if self._first_us is None:
            self._first_us = received_us
        self.heard_us[fix.source] = received_us
        better_us = max(self.heard_us[: fix.source])
        if better_us < 0 and fix.source is not Source.HIGH_LATENCY:
            better_us = self._first_us
        if received_us - better_us <= BETTER_SILENT_US:
            return None
        heading_ddeg = self._yaw_ddeg(received_us) if fix.heading_ddeg == UNKNOWN_I2 else fix.heading_ddeg
        motion = (fix.speed_cmps, fix.climb_cmps, heading_ddeg, fix.course_ddeg)
        altitudes = (fix.alt_msl_dm, fix.alt_home_dm)
        quality = fix.quality
        if stamp is None:
            stamp, quality = (
                Stamp(received_us, 0, 0, estimated=False, fell_back_ms=0),
                quality | Quality.TIME_OF_ARRIVAL,
            )
        row = self._row(stamp, received_us, (fix.lat_e7, fix.lon_e7), altitudes, motion, quality)
        hae_dm = row[6] if fix.alt_hae_dm == UNKNOWN_I4 else fix.alt_hae_dm
        accuracy_dm = row[12] if fix.accuracy_dm == UNKNOWN_I2 else fix.accuracy_dm
        return (*row[:6], hae_dm, *row[7:12], accuracy_dm, *row[13:])

    def joined(self, received_us: int) -> Joined:
        """Return what is joined to a GLOBAL_POSITION_INT that came now, and note that one came."""
        self.heard_us[Source.GLOBAL_POSITION] = received_us
        sky = self._sky
        if received_us - sky.received_us > JOIN_US:
            sky = Sky(received_us, UNKNOWN_I4, UNKNOWN_I2, UNKNOWN_I1, UNKNOWN_I1)
        battery_pct, yaw_ddeg = self.battery_pct(received_us), self._yaw_ddeg(received_us)
        return (
            self._device_id,
            yaw_ddeg,
            sky.alt_hae_dm,
            sky.accuracy_dm,
            battery_pct,
            sky.satellites,
            sky.fix,
            self._base_quality,
        )

    def _yaw_ddeg(self, now_us: int) -> int:
        at_us, yaw_ddeg = self._yaw
        return yaw_ddeg if now_us - at_us <= JOIN_US else UNKNOWN_I2

    def _row(
        self,
        stamp: Stamp,
        received_us: int,
        place: tuple[int, int],
        altitudes: tuple[int, int],
        motion: tuple[int, int, int, int],
        quality: int,
    ) -> Row:
        sky = self._sky
        if received_us - sky.received_us > JOIN_US:
            sky = Sky(received_us, UNKNOWN_I4, UNKNOWN_I2, UNKNOWN_I1, UNKNOWN_I1)
        quality |= self._base_quality | quality_of(sky.fix, sky.accuracy_dm, stamp.estimated)
        lat_e7, lon_e7 = place
        alt_msl_dm, alt_home_dm = altitudes
        # fmt: off
        return (
            self._device_id, stamp.observed_us, received_us, lat_e7, lon_e7, alt_msl_dm, sky.alt_hae_dm, alt_home_dm,
            *motion, sky.accuracy_dm, self.battery_pct(received_us), sky.satellites, sky.fix, quality,
            hash_of_fix(lat_e7, lon_e7),
        )
        # fmt: on


def quality_of(fix: int, accuracy_dm: int, estimated: int) -> int:
    """Return the quality bits that follow from a row's own values."""
    quality = int(Quality.TIME_ESTIMATED) if estimated else 0
    if fix == FIX_NONE:
        quality |= Quality.NO_FIX
    if accuracy_dm > INACCURATE_DM:
        quality |= Quality.INACCURATE
    return quality
