"""Somebody else in the air, seen by a receiver of ours: for the moment only, never a device, never a track."""

from enum import StrEnum

import msgspec


class SightingSource(StrEnum):
    """How somebody in the air was seen."""

    ADSB = "adsb"
    REMOTE_ID = "remote_id"


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody was at `seen_us`; None is what was not told. `key` tells one from another and is kept by nobody."""

    key: bytes
    source: SightingSource
    seen_us: int
    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None = None
    speed_mps: float | None = None
    climb_mps: float | None = None
    course_deg: float | None = None
