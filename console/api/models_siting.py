"""The JSON of planning: where to put stations, posts and rooms, how to share out beats, who should move up, and what if."""

from typing import Annotated

import msgspec

from console.wire_coverage import Contour, CoverageChanged
from mission.roads.travel import TravelMode
from mission.siting.moveup import Hold
from mission.siting.planning_map import DemandKind
from mission.siting.sites import Proof

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
HourOfWeek = Annotated[int, msgspec.Meta(ge=0, le=167)]
KindName = Annotated[str, msgspec.Meta(pattern=r"^(station|post|mobile_room)(?!\n)$")]


class SitePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where something could stand, in the question's crs."""

    lat_deg: Latitude
    lon_deg: Longitude


class SiteKindWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind to place: how many new ones (null: the fewest that cover all), the limit of its crew's travel and how it moves.

    Without `candidates`, stations may stand at junctions of main roads, posts there and at the force's posts, mobile rooms
    at the city's places with a tier and at the force's posts. `keep_existing`: those of the force stay and count.
    """

    kind: KindName
    new_count: Annotated[int, msgspec.Meta(ge=0, le=200)] | None = 1
    limit_s: Annotated[float, msgspec.Meta(gt=0, le=1800)] = 180.0
    mode: TravelMode = TravelMode.CAR
    keep_existing: bool = True
    candidates: Annotated[list[SitePlace], msgspec.Meta(max_length=500)] | None = None
    candidate_count: Annotated[int, msgspec.Meta(ge=1, le=500)] = 60


class SitingRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where should they stand? Coordinates are in `crs`: wgs84 (default), gcj02, bd09 or cgcs2000.

    `backup_share`: what a second cover is worth beside a first. `must_reach_first_tier`: places of the one-minute tier are
    reached within it whatever else is.
    """

    kinds: Annotated[list[SiteKindWanted], msgspec.Meta(min_length=1, max_length=3)]
    demand: DemandKind = DemandKind.ROADS
    demand_count: Annotated[int, msgspec.Meta(ge=10, le=2000)] = 300
    hour_of_week: HourOfWeek | None = None
    backup_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    must_reach_first_tier: bool = False
    within_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 1
    crs: str = "wgs84"


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """A new site, WGS-84: the street it stands at, and the share of demand (0..1) that only it covers."""

    kind: str
    lat_deg: float
    lon_deg: float
    street_zh: str
    street_en: str
    alone_share: float


class SitingReply(msgspec.Struct, frozen=True, kw_only=True):
    """The new sites, and what they and those that stand cover; shares are of all demand (0..1).

    `proof` optimal: no other choice is better; else `bound_share` is the most that another could reach, and `gap_ratio` how
    far below it this one stays. `covered_share` counts what at least one place covers, `backup_share` what at least two do, `beyond_share` what no site
    could cover.
    """

    sites: list[SiteView]
    proof: Proof
    before_share: float
    covered_share: float
    backup_share: float
    beyond_share: float
    bound_share: float
    gap_ratio: float
    solver_s: float
    demand_count: int
    site_count: int


class BeatsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Share the streets out among the stations (`station_ids` null: all), `beats_per_station` each, by this demand."""

    beats_per_station: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    station_ids: Annotated[list[Id], msgspec.Meta(max_length=500)] | None = None
    demand: DemandKind = DemandKind.ROADS
    hour_of_week: HourOfWeek | None = None
    tolerance_ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    mode: TravelMode = TravelMode.CAR


class BeatView(msgspec.Struct, frozen=True, kw_only=True):
    """A beat, one piece of the street net: its part of all demand and of road length, seconds from its centre (WGS-84).

    `polygons`: its ground as GeoJSON coordinates of a MultiPolygon, [lon, lat].
    """

    station_id: int
    number: int
    weight_share: float
    road_km: float
    mean_s: float
    worst_s: float
    lat_deg: float
    lon_deg: float
    polygons: list[list[list[list[float]]]]


class BeatsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All beats. `imbalance_ratio`: how far the worst beat is from the even share; `is_balanced`: within the tolerance."""

    beats: list[BeatView]
    imbalance_ratio: float
    is_balanced: bool
    beyond_share: float


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """One move: where to, what expected coverage wins (share of demand), what leaving costs and arriving wins, the drive.

    `covered_gain_share` is what the plain share within the limit wins (negative: width lost for backup won). `kept_count`: places of
    the first tier that the unit holds and that stay held. `way`: the drive as [lon, lat].
    """

    unit_id: int
    post_id: int | None
    lat_deg: float
    lon_deg: float
    name_zh: str
    name_en: str
    gain_share: float
    covered_gain_share: float
    left_share: float
    won_share: float
    drive_s: float
    drive_km: float
    kept_count: int
    stood_s: float | None
    move_count: int
    way: list[list[float]]


class UnitHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that stays, and why: dwell, moved_enough or first_tier."""

    unit_id: int
    reason: Hold


class MoveUpReply(msgspec.Struct, frozen=True, kw_only=True):
    """At most three moves, the best first. Shares (0..1) of demand: expected coverage and plain cover, before and after."""

    as_of_ms: float
    limit_s: float
    busy_ratio: float
    moves: list[MoveView]
    expected_before_share: float
    expected_after_share: float
    covered_before_share: float
    covered_after_share: float
    available_count: int
    off_map_count: int
    held: list[UnitHeld]


class StationMoved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A station dragged to another place, in the question's crs; units that stand at it go with it."""

    station_id: Id
    lat_deg: Latitude
    lon_deg: Longitude


class StreetClosed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A street closed: by its name (all of it), or by a place on it (that stretch; a bridge as a whole)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None


class WhatIfRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What if stations stood elsewhere, streets were closed, units were away? Coordinates are in `crs`."""

    stations: Annotated[list[StationMoved], msgspec.Meta(max_length=50)] = []
    closed: Annotated[list[StreetClosed], msgspec.Meta(max_length=50)] = []
    away_unit_ids: Annotated[list[Id], msgspec.Meta(max_length=1000)] = []
    crs: str = "wgs84"


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """How the city is covered in one case: the figures, gaps and ring as the live message tells them, and the contours."""

    coverage: CoverageChanged
    contours: list[Contour]


class ClosedView(msgspec.Struct, frozen=True, kw_only=True):
    """What was closed: its name, length and the stretches as lines of [lon, lat]."""

    name_zh: str
    name_en: str
    length_km: float
    lines: list[list[list[float]]]


class WhatIfReply(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage before and after; `lost_km` of road were within 3 minutes and are not, `won_km` the other way round.

    `opened_links` and `closed_links`: links of the ring (two station ids) that are open only after, closed only after.
    """

    before: Picture
    after: Picture
    lost_km: float
    won_km: float
    opened_links: list[list[int]]
    closed_links: list[list[int]]
    closed: list[ClosedView]
