"""What the websocket tells of coverage: shares, gaps, the ring, and the contours as polygons that come and go."""

import msgspec


class StationShares(msgspec.Struct, frozen=True, kw_only=True):
    """A station's zone: shares of its road length (0..1) within 1, 3 and 5 minutes, now and as planned.

    The plan is the crew on duty at its points (station, posts), on its lines to the neighbours and in its area. `crew` counts
    the station's units on duty, `on_duty` those of them that are online. `missing_unit_ids`: units on duty that are silent,
    engaged or away and explain most of what is lost, worst first. `crew` 0: nobody is on duty, while the plan has one car
    there. `post_away_m`: how far its post is from the
    nearest road; beyond 250 m it has no zone, and `shares` and `plan` are empty.
    """

    station_id: int
    shares: list[float]
    plan: list[float] = []
    on_duty: int = 0
    crew: int = 0
    missing_unit_ids: list[int] = []
    post_away_m: float = 0.0


class GapCloser(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that would close a gap, and how soon it stands in its middle (s, mobilisation included)."""

    unit_id: int
    travel_s: float


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Connected ground that no available unit reaches within 5 minutes; `label` is A, B, C from the worst.

    `polygon` is a list of rings of [lon, lat], the first the outline; `worst_s` null: nobody gets there at all.
    """

    label: str
    area_km2: float
    road_km: float
    people_ratio: float | None
    worst_s: float | None
    lat_deg: float
    lon_deg: float
    station_id: int | None
    polygon: list[list[list[float]]]
    closers: list[GapCloser]


class RingLink(msgspec.Struct, frozen=True, kw_only=True):
    """Two neighbouring stations whose zones must overlap at their far ends. `missing_s` and the worst point where it is open."""

    from_station_id: int
    to_station_id: int
    closed: bool
    overlap_ratio: float
    missing_s: float | None
    worst_lat_deg: float | None
    worst_lon_deg: float | None


class RingState(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of stations in ring order; closed when every link is."""

    closed: bool
    limit_s: float
    links: list[RingLink]


class TierShares(msgspec.Struct, frozen=True, kw_only=True):
    """Places that must be reached within 1, 3 or 5 minutes: how many there are, how many are, and the names of those missed."""

    minutes: int
    total: int
    met: int
    misses_zh: list[str]
    misses_en: list[str]


class CoverageChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="coverage"):
    """How the available units cover the roads now. Shares are 0..1 for 1, 3 and 5 minutes; null where nothing is known.

    `double_shares`: reached by at least two units. `response_*_s`: expected travel to a call, mobilisation included.
    """

    at_ms: float
    shares: list[float]
    stations: list[StationShares]
    available_count: int
    computed_ms: float
    plan: list[float] = []
    double_shares: list[float] = []
    people_shares: list[float] | None = None
    incident_shares: list[float] | None = None
    response_p50_s: float | None = None
    response_p90_s: float | None = None
    tiers: list[TierShares] = []
    gaps: list[Gap] = []
    ring: RingState | None = None
    off_map_count: int = 0


class Contour(msgspec.Struct, frozen=True, kw_only=True):
    """One polygon of what is reached within `minutes`: rings of [lon, lat], the first the outline."""

    contour_id: str
    minutes: int
    polygon: list[list[list[float]]]


class ContoursChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="contours"):
    """Contours since the last message: those gone and those new. `reset`: forget all others first."""

    at_ms: float
    reset: bool
    gone: list[str]
    added: list[Contour]
