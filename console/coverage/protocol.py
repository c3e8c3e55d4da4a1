"""What the console and its coverage process say to each other: tagged structs as msgpack, each behind its length."""

from typing import Final, TypeAlias

import msgspec

from console.process_pipe import Pipe
from console.wire_coverage import Contour, CoverageChanged, Gap, TierShares

# --- what the console says ---------------------------------------------------------------------------------------


class StationPlace(msgspec.Struct, frozen=True, array_like=True):
    """A station of the registry; `ring_order` None: outside the ring. WGS-84."""

    station_id: int
    lat_deg: float
    lon_deg: float
    ring_order: int | None


class Order(msgspec.Struct, frozen=True, tag="order"):
    """The first word: the folder of the map, the stations, the ring's limit. Answered by Ready, or Failed when it cannot."""

    city_dir: str
    stations: list[StationPlace]
    ring_limit_s: float = 300.0


class UnitColumns(msgspec.Struct, frozen=True):
    """Units as columns of equal length; `station_id` -1: none, `mode` an index into GROUND_MODES."""

    unit_id: list[int] = []
    station_id: list[int] = []
    lat_deg: list[float] = []
    lon_deg: list[float] = []
    mode: list[int] = []


class PostsTold(msgspec.Struct, frozen=True, tag="posts"):
    """The posts that crews man: station (-1: that of the zone) and place, WGS-84; the plan is reckoned anew."""

    station_id: list[int]
    lat_deg: list[float]
    lon_deg: list[float]


class CrewsTold(msgspec.Struct, frozen=True, tag="crews"):
    """The units on duty of each station and how they move; the plan is reckoned anew. Places are not looked at."""

    crews: UnitColumns


class IncidentsTold(msgspec.Struct, frozen=True, tag="incidents"):
    """Past incidents: places (WGS-84) and hours of the week (0 = Monday 0:00, local)."""

    lat_deg: list[float]
    lon_deg: list[float]
    hour_of_week: list[int]


class TickAsked(msgspec.Struct, frozen=True, tag="tick"):
    """Where the available units are now. `scopes`: the sets of stations for which a part of its own is wanted.

    `silent`: units of the crews from whom nothing is heard. `wants_shapes`: contours, gaps and the ring too.
    """

    at_ms: float
    steady_ms: float
    """A clock that never jumps: what lasts is measured by it."""
    hour_of_week: int
    units: UnitColumns
    silent: list[int] = []
    wants_shapes: bool = True
    scopes: list[list[int]] = []


class LeavingAsked(msgspec.Struct, frozen=True, tag="leaving"):
    """What these units' leaving uncovers, by the last tick."""

    unit_ids: list[int]


class PlannedAsked(msgspec.Struct, frozen=True, tag="planned"):
    """The planned contours of each station and of all as GeoJSON."""


class RingAsked(msgspec.Struct, frozen=True, tag="ring"):
    """The ways of the ring's links as GeoJSON."""


class NearestAsked(msgspec.Struct, frozen=True, tag="nearest"):
    """How soon each of these units is at one place (WGS-84), by the roads of that hour, and drones through that wind.

    Of `drones` the mode is not looked at.
    """

    lat_deg: float
    lon_deg: float
    hour_of_week: int
    units: UnitColumns
    drones: UnitColumns = UnitColumns()
    wind_from_deg: float = 0.0
    wind_mps: float = 0.0


class PlaceAsked(msgspec.Struct, frozen=True, tag="place"):
    """In whose zone a place (WGS-84) lies, and how far it is from the roads."""

    lat_deg: float
    lon_deg: float


Question: TypeAlias = (
    Order
    | CrewsTold
    | PostsTold
    | IncidentsTold
    | TickAsked
    | LeavingAsked
    | PlannedAsked
    | RingAsked
    | NearestAsked
    | PlaceAsked
)


# --- what the process answers ------------------------------------------------------------------------------------


class PostAway(msgspec.Struct, frozen=True):
    """A station beside the roads: how far its post is from the nearest; beyond 250 m it has no zone."""

    station_id: int
    away_m: float
    has_zone: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The map is loaded."""

    nodes: int
    stations: list[PostAway]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is taken."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It could not be done; the message is for people."""

    message: str


class ScopeCover(msgspec.Struct, frozen=True):
    """What is cut to the zones of some stations; `contours` None: as before."""

    station_ids: list[int]
    contours: list[Contour] | None
    gaps: list[Gap]
    tiers: list[TierShares]


class Leaving(msgspec.Struct, frozen=True):
    """What the force loses if the unit leaves: share of road length within 3 minutes (0..1), a gap, a link of the ring.

    `opens_gap` is the area in km2 that would lie beyond 5 minutes, `opens_ring` the two stations' ids; None: nothing opens.
    """

    unit_id: int
    loss_ratio: float
    opens_gap_km2: float | None
    opens_ring: list[int] | None


class TickAnswer(msgspec.Struct, frozen=True, tag="ticked"):
    """The coverage of a tick, whole and by scope; `contours` None: as before. `losses` of every available unit."""

    changed: CoverageChanged
    contours: list[Contour] | None
    scopes: list[ScopeCover]
    losses: list[Leaving]


class LeavingAnswer(msgspec.Struct, frozen=True, tag="leaving"):
    """In the order asked; units that do not count now are left out."""

    losses: list[Leaving]


class NearestAnswer(msgspec.Struct, frozen=True, tag="arrivals"):
    """Seconds of the way in the order asked, mobilisation apart (`turnout_s`); null where there is none.

    `off_map` are the ids of units that stand near no street of theirs. `losses` is what the leaving of the soonest uncovers,
    by the last tick; units that do not count now are left out.
    """

    travel_s: list[float | None]
    turnout_s: list[float]
    flight_s: list[float | None]
    launch_s: float
    off_map: list[int]
    losses: list[Leaving]


class PlaceAnswer(msgspec.Struct, frozen=True, tag="placed"):
    """The station whose zone it is, None where nobody's; metres to the nearest road, and were it told in GCJ-02."""

    station_id: int | None
    away_m: float
    shifted_away_m: float


class GeoJsonAnswer(msgspec.Struct, frozen=True, tag="geojson"):
    """A GeoJSON FeatureCollection, encoded."""

    data: bytes


Answer: TypeAlias = Ready | Done | Failed | TickAnswer | LeavingAnswer | NearestAnswer | PlaceAnswer | GeoJsonAnswer

_QUESTIONS: Final[msgspec.msgpack.Decoder[Question]] = msgspec.msgpack.Decoder(Question)
_ANSWERS: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)
PIPE: Final = Pipe("coverage", _QUESTIONS, _ANSWERS)
"""How they say it."""
