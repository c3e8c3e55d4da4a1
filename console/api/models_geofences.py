"""The JSON of geofences: fences as they are drawn and shown, assigned areas, rules of who is alone, visits."""

from typing import Annotated, Any

import msgspec

from telemetry.model.datum import Crs
from telemetry.model.unit import CHINA_OFFSET_S, Service, UnitKind

Name = Annotated[str, msgspec.Meta(max_length=80)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=500)]
Day = Annotated[int, msgspec.Meta(ge=1, le=7)]


class GeofenceWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A geofence as it shall be.

    `geometry` is GeoJSON, [lon, lat] in `crs`: a Polygon or MultiPolygon; a Point with `radius_m`; a LineString with `width_m`.
    `days` are 1 (Monday) .. 7; the hours are minutes of the local day, to at or before from: over midnight. `height_above` is msl or
    home. It concerns units that match each of kinds, services and station_ids that names any, and those in unit_ids besides; nothing
    named: all. `station_id`: whose it is; null: the whole force's, which only who has the whole force may draw.
    """

    name_zh: Name = ""
    name_en: Name = ""
    geometry: dict[str, Any]
    crs: Crs = Crs.WGS84
    radius_m: float | None = None
    width_m: float | None = None
    valid_from_ms: float | None = None
    valid_to_ms: float | None = None
    days: Annotated[list[Day], msgspec.Meta(min_length=1, max_length=7)] = msgspec.field(
        default_factory=lambda: [1, 2, 3, 4, 5, 6, 7]
    )
    from_minute: int = 0
    to_minute: int = 1_440
    utc_offset_s: int = CHINA_OFFSET_S
    lowest_m: float | None = None
    highest_m: float | None = None
    height_above: str = "msl"
    kinds: list[UnitKind] = []
    services: list[Service] = []
    station_ids: Ids = []
    unit_ids: Ids = []
    minimum_stay_s: float = 0.0
    dwell_s: float | None = None
    limit_mps: float | None = None
    raises_alarm: bool = False
    station_id: Id | None = None


class GeofenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A geofence as it is, WGS-84. `is_managed`: whether the account may change it; `inside_unit_ids`: units of the scope inside now.

    `rings` is its border as it is watched, of [lon, lat], holes among them: what a circle or a corridor looks like on the map.
    """

    geofence_id: int
    version: int
    name_zh: str
    name_en: str
    geometry: dict[str, Any]
    rings: list[list[list[float]]]
    radius_m: float | None
    width_m: float | None
    valid_from_ms: float | None
    valid_to_ms: float | None
    days: list[int]
    from_minute: int
    to_minute: int
    utc_offset_s: int
    lowest_m: float | None
    highest_m: float | None
    height_above: str
    kinds: list[UnitKind]
    services: list[Service]
    station_ids: list[int]
    unit_ids: list[int]
    minimum_stay_s: float
    dwell_s: float | None
    limit_mps: float | None
    raises_alarm: bool
    station_id: int | None
    changed_by: str
    changed_ms: float
    is_managed: bool
    inside_unit_ids: list[int]


class GeofencesReply(msgspec.Struct, frozen=True, kw_only=True):
    """All geofences of the scope."""

    geofences: list[GeofenceView]


class GeofenceReply(msgspec.Struct, frozen=True, kw_only=True):
    """One geofence."""

    geofence: GeofenceView


class GeofenceGoneReply(msgspec.Struct, frozen=True, kw_only=True):
    """A geofence that was taken away, with its assignments."""

    geofence_id: int


class AreaAssignmentWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit, or every unit of a station, shall stay in a geofence; from now if `from_ms` is null, until told otherwise if `to_ms` is."""

    geofence_id: Id
    unit_id: Id | None = None
    station_id: Id | None = None
    from_ms: float | None = None
    to_ms: float | None = None


class AreaAssignmentsWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assignments that come as data, at most 500 at once: all are taken, or none."""

    assignments: Annotated[list[AreaAssignmentWish], msgspec.Meta(min_length=1, max_length=500)]


class AreaAssignmentView(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment; `to_ms` null: until told otherwise."""

    assignment_id: int
    geofence_id: int
    unit_id: int | None
    station_id: int | None
    from_ms: float
    to_ms: float | None


class AreaAssignmentsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All assignments of the scope."""

    assignments: list[AreaAssignmentView]


class AloneRuleView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Officers on duty and outdoors without another unit within `limit_m` for `after_s` are alone; null: no rule.

    Holds for a unit, a station, or (both null) the whole force; the nearer one counts.
    """

    limit_m: Annotated[float, msgspec.Meta(ge=10, le=5_000)] | None
    after_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 120.0
    unit_id: Id | None = None
    station_id: Id | None = None


class AloneRulesReply(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of the scope."""

    rules: list[AloneRuleView]


class VisitView(msgspec.Struct, frozen=True, kw_only=True):
    """A unit in a geofence; `left_ms` null: it is inside now. `is_judged_late`: reports that came late changed it."""

    device_id: int
    unit_id: int
    entered_ms: float
    left_ms: float | None
    is_judged_late: bool


class VisitsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Visits of a geofence, newest first; those that last come first. `truncated`: there are more."""

    geofence_id: int
    visits: list[VisitView]
    truncated: bool
