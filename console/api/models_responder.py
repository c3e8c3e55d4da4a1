"""The JSON of first responders: where a drone is wanted, and which would be there when."""

from typing import Annotated, Any

import msgspec

from mission.plan import Refusal
from telemetry.model.datum import Crs

Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class FlyToWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a drone is wanted, in `crs`. `unit_id`: that one and no other; null: the one that is there soonest.

    With `search_radius_m` it searches round the place instead of standing there. `dry_run`: only say who would go. `incident_id` is
    written down with the flight.
    """

    lat_deg: Annotated[float, msgspec.Meta(ge=-85, le=85)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    crs: Crs = Crs.WGS84
    alt_agl_m: Annotated[float, msgspec.Meta(ge=5, le=500)] | None = None
    stay_s: Annotated[float, msgspec.Meta(ge=0, le=7200)] | None = None
    search_radius_m: Annotated[float, msgspec.Meta(ge=10, le=5000)] | None = None
    unit_id: Id | None = None
    incident_id: Id | None = None
    dry_run: bool = False


class CandidateFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A drone for it: in how many seconds it is there, what its battery holds then (0..1) and once it is home again.

    `way` is GeoJSON, WGS-84; null, as the figures, where it cannot go. With a refusal that is no warning it is not chosen.
    `detection_ratio`: how likely its search finds who is there.
    """

    airframe_id: int
    unit_id: int | None
    name: str
    arrive_s: float | None
    battery_at_scene_ratio: float | None
    return_ratio: float | None
    way: dict[str, Any] | None
    refusals: list[Refusal]
    detection_ratio: float | None


class FlyToReply(msgspec.Struct, frozen=True, kw_only=True):
    """Those that could go, the soonest first, then those that cannot, with why; `chosen` is the airframe_id of the first.

    `sent_unit_id` is the drone that was sent, null in a dry run: GET /api/flights/{unit_id} tells how far it is.
    """

    candidates: list[CandidateFlight]
    chosen: int | None
    sent_unit_id: int | None
    arrive_ms: float | None
