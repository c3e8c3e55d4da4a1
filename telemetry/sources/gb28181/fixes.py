"""Positions of GB/T 28181: a MobilePosition's single and list form, an alarm's and a catalogue item's place, as rows."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

import msgspec

from telemetry.model.batch import UNKNOWN_I1, UNKNOWN_I2, UNKNOWN_I4, Quality
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import InputError
from telemetry.model.unit import DeviceOptions
from telemetry.sources.gb28181.manscdp import Document, text_of

KMH_PER_MPS: Final = 3.6
_ROW: Final = struct.Struct("<iqqiiiiihhhhhbbbii")
"""REPORT, packed by itself: numpy needs 80 us for a batch of one row that this makes in 3."""
_QUALITY_AT: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_I2: Final = 32_767
_LARGEST_ALT_M: Final = 100_000.0
_LARGEST_KMH: Final = 1e6
_YEARS: Final = range(2000, 2100)
_UNSHIFTED: Final = frozenset({Crs.WGS84.value, Crs.CGCS2000.value})
_TIME_OF_ARRIVAL: Final = int(Quality.TIME_OF_ARRIVAL)
_NO_FIX: Final = int(Quality.NO_FIX)
_NULL_ISLAND: Final = int(Quality.NULL_ISLAND)
_SATURATED: Final = int(Quality.SATURATED)
_MASK: Final = 0xFFFFFFFF


class FixError(InputError):
    """A position that cannot be read: which value, what is allowed."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One position as a body says it; `device` is the item's own id, coordinates are of the device's datum.

    Without a place (both None) it says that the device has no fix.
    """

    device: str
    lat_deg: float | None
    lon_deg: float | None
    observed_us: int | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    alt_msl_m: float | None = None

    @property
    def quality(self) -> int:
        """Return the bits of Quality that the position shows by itself."""
        bits = 0 if self.observed_us is not None else _TIME_OF_ARRIVAL
        if self.lat_deg is None:
            return bits | _NO_FIX
        return bits | _NULL_ISLAND if self.lat_deg == 0 and self.lon_deg == 0 else bits


def fixes_of(document: Document, *, utc_offset_s: int) -> Iterator[Fix | FixError]:
    """Yield the positions of a MobilePosition: the items of edition 2022's list, else the single one of 2016's root.

    A wrong item is an error in its place and costs only itself.
    """
    items = document.items()
    for item in items or [document.element]:
        device = text_of(item, "DeviceID") or document.device
        time = text_of(item, "CaptureTime") or text_of(item, "Time") or document.text("Time")
        try:
            yield read_fix(item, device=device, time=time, utc_offset_s=utc_offset_s)
        except FixError as error:
            yield error


def read_fix(item: Element, *, device: str, time: str, utc_offset_s: int) -> Fix:
    """Return the position of one element; without Longitude and Latitude it has no fix. Raises FixError for odd ones."""
    lat_text, lon_text = text_of(item, "Latitude"), text_of(item, "Longitude")
    has_fix = bool(lat_text or lon_text)
    return Fix(
        device=device,
        lat_deg=_coordinate("Latitude", lat_text, 90.0) if has_fix else None,
        lon_deg=_coordinate("Longitude", lon_text, 180.0) if has_fix else None,
        observed_us=read_time_us(time, utc_offset_s=utc_offset_s),
        speed_mps=_speed_mps(text_of(item, "Speed")),
        course_deg=_within(text_of(item, "Direction"), 0.0, 360.0),
        alt_msl_m=_within(text_of(item, "Altitude"), -_LARGEST_ALT_M, _LARGEST_ALT_M),
    )


def read_time_us(text: str, *, utc_offset_s: int) -> int | None:
    """Return UTC microseconds of a local `yyyy-MM-ddTHH:mm:ss` (a zone in the text goes first); None for what is no time.

    Nor is one outside of 2000 .. 2099: a clock that was never set says 0001 or 1970.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if at.year not in _YEARS:
        return None
    zoned = at.tzinfo is not None
    passed = (at if zoned else at.replace(tzinfo=UTC)) - _EPOCH
    offset_s = 0 if zoned else utc_offset_s
    return (passed.days * 86_400 + passed.seconds - offset_s) * 1_000_000 + passed.microseconds


def write_time(at_us: int, *, utc_offset_s: int, digits: str = "seconds") -> str:
    """Return the local time of UTC microseconds as the standard writes it; `digits` is seconds or milliseconds."""
    local = datetime.fromtimestamp(at_us // 1_000_000 + utc_offset_s, UTC).replace(microsecond=at_us % 1_000_000)
    return local.replace(tzinfo=None).isoformat(timespec=digits)


def row_of(fix: Fix, *, device_id: int, options: DeviceOptions, now_us: int, quality: int = 0) -> bytes:
    """Return a position that has a place as the bytes of one REPORT row, in WGS-84; without a time it was observed now."""
    lat_deg, lon_deg = fix.lat_deg, fix.lon_deg
    assert lat_deg is not None
    assert lon_deg is not None
    if options.crs not in _UNSHIFTED and (lat_deg or lon_deg):
        lats, lons = to_wgs84(lat_deg, lon_deg, crs=Crs(options.crs))
        lat_deg, lon_deg = float(lats), float(lons)
    lat_e7, lon_e7 = round(lat_deg * 1e7), round(lon_deg * 1e7)
    speed_cmps = UNKNOWN_I2 if fix.speed_mps is None else round(fix.speed_mps * 100)
    quality |= fix.quality | (_SATURATED if speed_cmps > _LARGEST_I2 else 0)
    return _ROW.pack(
        device_id,
        now_us if fix.observed_us is None else fix.observed_us,
        now_us,
        lat_e7,
        lon_e7,
        UNKNOWN_I4 if fix.alt_msl_m is None else round(fix.alt_msl_m * 10),
        UNKNOWN_I4,
        UNKNOWN_I4,
        min(speed_cmps, _LARGEST_I2),
        UNKNOWN_I2,
        UNKNOWN_I2,
        UNKNOWN_I2 if fix.course_deg is None else round(fix.course_deg * 10) % 3600,
        UNKNOWN_I2,
        UNKNOWN_I1,
        UNKNOWN_I1,
        UNKNOWN_I1,
        quality,
        hash_fix(lat_e7, lon_e7),
    )


def with_bits(row: bytes, quality: int) -> bytes:
    """Return a row with further bits of Quality."""
    values = list(_ROW.unpack(row))
    values[_QUALITY_AT] |= quality
    return _ROW.pack(*values)


def hash_fix(lat_e7: int, lon_e7: int) -> int:
    """Return the `fix_hash` of one place, as `telemetry.model.batch.hash_fixes` fills it."""
    mixed = (lat_e7 * 0x9E3779B1 ^ (lon_e7 * 0x85EBCA77 + 0xC2B2AE3D)) & _MASK
    mixed ^= mixed >> 15
    mixed = mixed * 0x2C1B3C6D & _MASK
    mixed ^= mixed >> 13
    return mixed - (1 << 32) if mixed >> 31 else mixed


def _coordinate(name: str, text: str, highest_deg: float) -> float:
    value = _number(text)
    if value is None or not abs(value) <= highest_deg:
        raise FixError(f"{name} is {text[:40]!r}: allowed are -{highest_deg:g} .. {highest_deg:g} degrees")
    return value


def _speed_mps(text: str) -> float | None:
    speed_kmh = _within(text, 0.0, _LARGEST_KMH)
    return None if speed_kmh is None else speed_kmh / KMH_PER_MPS


def _within(text: str, lowest: float, highest: float) -> float | None:
    value = _number(text)
    return value if value is not None and lowest <= value <= highest else None


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
