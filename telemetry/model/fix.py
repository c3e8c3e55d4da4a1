"""One position as a device says it, in the units of our interface, and its doors: to a row of a batch, and to `skybeat decode`."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np

from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch, put
from telemetry.model.datum import Crs, parse_crs, to_wgs84
from telemetry.model.reading import ReadPosition
from telemetry.model.unit import DeviceOptions

METRES_PER_SECOND_PER_KNOT: Final = 1852 / 3600
METRES_PER_HDOP: Final = 5.0
"""What one unit of horizontal dilution stands for: the usual range error of one satellite, 1 sigma."""
GNSS_BEGAN_US: Final = 315_964_800_000_000
"""1980-01-06, the first second that a satellite receiver can tell."""


_TIME_OF_ARRIVAL: Final = int(Quality.TIME_OF_ARRIVAL)
_TIME_ESTIMATED: Final = int(Quality.TIME_ESTIMATED)
_MOCK: Final = int(Quality.MOCK)
_NO_FIX: Final = int(Quality.NO_FIX)
_ARCHIVE: Final = int(Quality.ARCHIVE)
_NULL_ISLAND: Final = int(Quality.NULL_ISLAND)
_COLUMNS: Final = (
    ("lat_e7", "lat_deg", 1e7),
    ("lon_e7", "lon_deg", 1e7),
    ("alt_msl_dm", "alt_msl_m", 10.0),
    ("alt_hae_dm", "alt_hae_m", 10.0),
    ("speed_cmps", "speed_mps", 100.0),
    ("climb_cmps", "climb_mps", 100.0),
    ("heading_ddeg", "heading_deg", 10.0),
    ("course_ddeg", "course_deg", 10.0),
    ("accuracy_dm", "accuracy_m", 10.0),
    ("battery_pct", "battery_ratio", 100.0),
    ("satellites", "satellites", 1.0),
    ("fix", "fix", 1.0),
)
"""Column of a batch, field of a fix, and how many of the column's units one of the field's is."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One report. Unknown is None; without lat and lon it is no position yet. `fix` is one of batch.FIX_*."""

    lat_deg: float | None = None
    lon_deg: float | None = None
    observed_us: int | None = None
    speed_mps: float | None = None
    climb_mps: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    alt_msl_m: float | None = None
    alt_hae_m: float | None = None
    accuracy_m: float | None = None
    battery_ratio: float | None = None
    satellites: int | None = None
    fix: int | None = None
    is_mock: bool = False
    has_fix: bool = True
    is_archive: bool = False
    """It was stored on the way, and may be older than others that came before."""
    has_estimated_time: bool = False

    @property
    def is_placed(self) -> bool:
        """Tell whether it says where."""
        return self.lat_deg is not None and self.lon_deg is not None

    @property
    def quality(self) -> Quality:
        """Return the bits that the report itself asks for."""
        return Quality(_quality_of(self))


def _quality_of(fix: Fix) -> int:
    bits = 0
    if fix.observed_us is None:
        bits = _TIME_OF_ARRIVAL
    elif fix.has_estimated_time:
        bits = _TIME_ESTIMATED
    if fix.is_mock:
        bits |= _MOCK
    if not fix.has_fix:
        bits |= _NO_FIX
    if fix.is_archive:
        bits |= _ARCHIVE
    if fix.lat_deg == 0 and fix.lon_deg == 0:
        bits |= _NULL_ISLAND
    return bits


AnyFix = TypeVar("AnyFix", bound=Fix)


def batch_of(fixes: Sequence[Fix], device_ids: Sequence[int], received_us: int) -> Batch:
    """Return the rows of reports that say where, each with the number of its device, in order."""
    batch = new_batch(len(fixes))
    if not fixes:
        return batch
    batch["device_id"] = device_ids
    batch["received_us"] = received_us
    batch["observed_us"] = [received_us if fix.observed_us is None else fix.observed_us for fix in fixes]
    batch["quality"] = [_quality_of(fix) for fix in fixes]
    for column, field, scale_factor in _COLUMNS:
        values = [getattr(fix, field) for fix in fixes]
        if values.count(None) < len(values):
            put(batch, column, np.array(values, np.float64) * scale_factor)
    hash_fixes(batch)
    return batch


def as_options_say(fix: AnyFix, options: DeviceOptions) -> AnyFix:
    """Return the report in WGS-84, whatever datum its device's coordinates have."""
    crs = parse_crs(options.crs)
    if crs in (Crs.WGS84, Crs.CGCS2000) or not fix.is_placed:
        return fix
    lat_deg, lon_deg = to_wgs84(fix.lat_deg or 0.0, fix.lon_deg or 0.0, crs=crs)
    return msgspec.structs.replace(fix, lat_deg=float(lat_deg), lon_deg=float(lon_deg))


def as_read(fix: Fix, device: str | None) -> ReadPosition:
    """Return the report as `skybeat decode` prints it; a message that tells no time has none."""
    quality = fix.quality & ~Quality.TIME_OF_ARRIVAL
    if fix.observed_us is not None and fix.observed_us < GNSS_BEGAN_US:
        quality |= Quality.ODD_TIME
    return ReadPosition(
        device=device,
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        alt_msl_m=fix.alt_msl_m,
        speed_mps=fix.speed_mps,
        course_deg=fix.course_deg,
        observed_us=fix.observed_us,
        quality=quality,
    )
