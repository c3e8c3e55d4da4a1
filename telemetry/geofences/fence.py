"""Geofences as data: their shape, when and at which heights they hold, whom they concern, what they raise; assignments and rules."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from telemetry.model.unit import CHINA_OFFSET_S, Service, UnitKind

ALL_DAYS: Final = 0b1111111
DAY_MINUTES: Final = 1_440


class Geofence(msgspec.Struct, frozen=True, kw_only=True):
    """An area of the ground that concerns some of the force's own units.

    `geometry` is GeoJSON in WGS-84, [lon, lat]: a Polygon or MultiPolygon; a Point with `radius_m`; a LineString with `width_m`,
    the whole width of a corridor. Its border belongs to it.

    It holds between `valid_from_us` and `valid_to_us` (None: open), on `days` (bit 0 is Monday) from `from_minute` to `to_minute`
    of the local day (`utc_offset_s` ahead of UTC; to at or before from: over midnight, of the day on which it begins), and between
    `lowest_m` and `highest_m` above `height_above` ("msl" sea level, "home" the place of take-off; None: any height). A unit whose
    height is not known counts as within.

    It concerns units that match each of `kinds`, `services` and `station_ids` that names any, and besides those in `unit_ids`;
    with names alone only these, with nothing at all every unit.

    `minimum_stay_s` is how long a unit must be inside before it counts as entered, `dwell_s` after how long its stay is told,
    `limit_mps` its speed limit; `raises_alarm`: a person must look when a unit enters.
    """

    geofence_id: int
    name_zh: str
    name_en: str
    geometry: Mapping[str, Any]
    radius_m: float | None = None
    width_m: float | None = None
    valid_from_us: int | None = None
    valid_to_us: int | None = None
    days: int = ALL_DAYS
    from_minute: int = 0
    to_minute: int = DAY_MINUTES
    utc_offset_s: int = CHINA_OFFSET_S
    lowest_m: float | None = None
    highest_m: float | None = None
    height_above: str = "msl"
    kinds: tuple[UnitKind, ...] = ()
    services: tuple[Service, ...] = ()
    station_ids: tuple[int, ...] = ()
    unit_ids: tuple[int, ...] = ()
    minimum_stay_s: float = 0.0
    dwell_s: float | None = None
    limit_mps: float | None = None
    raises_alarm: bool = False
    station_id: int | None = None
    """Whose it is: only who sees this station sees and changes it; None is the whole force's."""


class AreaAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """A unit, or every unit of a station, shall stay within a geofence from `from_us` until `to_us` (None: until told otherwise).

    Who has several assigned areas may be in any of them; the geofence's own time window holds as well.
    """

    assignment_id: int
    geofence_id: int
    unit_id: int | None = None
    station_id: int | None = None
    from_us: int = 0
    to_us: int | None = None


class AloneRule(msgspec.Struct, frozen=True, kw_only=True):
    """Officers on duty and outdoors shall have another unit within `limit_m`; without one for `after_s` seconds they are alone.

    Holds for one unit, else for its station, else (both None) for the whole force; `limit_m` None: no rule.
    """

    limit_m: float | None
    after_s: float = 120.0
    unit_id: int | None = None
    station_id: int | None = None


class GeofencePlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store keeps of geofences as of one moment."""

    fences: tuple[Geofence, ...] = ()
    assignments: tuple[AreaAssignment, ...] = ()
    alone_rules: tuple[AloneRule, ...] = ()
