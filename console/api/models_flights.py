"""What the routes of flights take and answer with."""

from typing import Annotated

import msgspec

from console.wire_flight import FlightView, HazardView
from mission.plan import Refusal, Sortie
from telemetry.model.commands import FlightAction
from telemetry.model.datum import Crs

Reason = Annotated[str, msgspec.Meta(max_length=300)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class FlightsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The drones of the scope, and the ground stations that control may be lent to."""

    flights: list[FlightView]
    ground_stations: list[str]


class FlightReply(msgspec.Struct, frozen=True, kw_only=True):
    """One drone's flight as it stands."""

    flight: FlightView


class GiveSortie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sortie of which plan a drone is given."""

    plan_id: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    sortie_id: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class SortieReply(msgspec.Struct, frozen=True, kw_only=True):
    """The sortie that a drone was given last, with its waypoints; null: none that is known."""

    sortie: Sortie | None


class PilotView(msgspec.Struct, frozen=True, kw_only=True):
    """An account that control of a drone may be offered to."""

    account_id: int
    name: str
    is_signed_in: bool


class PilotsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who may fly a drone, those who are signed in first."""

    pilots: list[PilotView]


class OfferControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom control is offered: an account, or a ground station, which has it at once."""

    account_id: int | None = None
    ground_station: Annotated[str, msgspec.Meta(max_length=64)] = ""


class ForceControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why control is taken from its holder."""

    reason: Reason


class WantAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a drone shall do: `lat_deg`, `lon_deg` (in `crs`) of go_to, `alt_home_m` of go_to and take_off, `item` of set_current.

    `token` is that of the preparation of this very action; without it nothing is ordered.
    """

    action: FlightAction
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    crs: Crs = Crs.WGS84
    alt_home_m: Annotated[float, msgspec.Meta(ge=0, le=1000)] | None = None
    speed_mps: Annotated[float, msgspec.Meta(gt=0, le=50)] | None = None
    item: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    token: Annotated[str, msgspec.Meta(max_length=100)] = ""


class ActionPrepared(msgspec.Struct, frozen=True, kw_only=True):
    """What an action costs, and the token that confirms it until `valid_until_ms`; null is what is not known.

    `distance_m`, `duration_s` are of the way that it flies; `battery_ratio` is what the battery holds now. `breaks_off_sortie`:
    the sortie goes on no more by itself. `warnings` are words: not_heard, no_position, low_battery, no_home, beyond_reach.
    `refusals` is what the rules say now, warnings too: with one that is no warning the token is empty, and it cannot be ordered.
    """

    token: str
    valid_until_ms: float
    distance_m: float | None
    home_distance_m: float | None
    duration_s: float | None
    battery_ratio: float | None
    breaks_off_sortie: bool
    warnings: list[str]
    refusals: list[Refusal] = []


class TrafficReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who else is in the air near the drones of the scope."""

    at_ms: float
    hazards: list[HazardView]


class FlightLogView(msgspec.Struct, frozen=True, kw_only=True):
    """The log of one flight: a .tlog that pymavlink, QGroundControl and Mission Planner read. `ended_ms` null: it is being written."""

    name: str
    unit_id: int | None
    device_id: int
    started_ms: float
    ended_ms: float | None
    size_bytes: int


class FlightLogsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The flight logs of the scope, the newest first, and what they take of the disk."""

    logs: list[FlightLogView]
    used_bytes: int
    is_stopped: bool
    """Whether none is written because too little of the disk is free."""
