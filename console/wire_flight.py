"""What the websocket tells of flights: who is in control of each drone, what it was ordered, how far its sortie is, the traffic near it."""

from enum import StrEnum

import msgspec

from telemetry.model.commands import CommandState, FlightAction
from telemetry.model.control_events import ControlChange, HolderKind
from telemetry.model.flight_events import SortieStep
from telemetry.model.sighting import SightingSource


class ActionWay(StrEnum):
    """How an order reached the drone."""

    MAVSDK = "mavsdk"
    OWN = "own"
    """By our own commands: MAVSDK is not running, or known to fail at this on the drone's autopilot."""


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be in control: an account by its number, a ground station by its name."""

    kind: HolderKind
    account_id: int | None
    name: str


class ControlView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in control of a drone, and to whom the holder offers it. `change`, `by` and `reason` say how it came."""

    holder: HolderView
    offered: HolderView
    by: HolderView
    change: ControlChange
    since_ms: float | None
    reason: str


class LinkWayView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the links by which a drone is heard. `loss_ratio` of the last minute; `rtt_ms` by TIMESYNC; orders leave by the best."""

    link: str
    peer: str
    loss_ratio: float | None
    rtt_ms: float | None
    heard_ms: float
    duplicates: int
    is_best: bool


class ActionView(msgspec.Struct, frozen=True, kw_only=True):
    """An order to a drone as it stands; null is what has not happened. `answer`: what the drone said, or why it went no further."""

    command_id: int
    action: FlightAction
    way: ActionWay
    state: CommandState
    ordered_by: str
    at_ms: float
    ended_ms: float | None
    answer: str
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_home_m: float | None = None
    item: int | None = None


class SortieView(msgspec.Struct, frozen=True, kw_only=True):
    """The sortie that a drone was given last; `plan_id` null where it stands in no plan.

    `sent_items` of `item_count` are on board, `flown` of `waypoint_count` waypoints behind it; `left_m` is what is left of the way to
    its goal (where a first responder was sent to, else the last waypoint), `arrive_ms` when it will be there, `arrived_ms` when it
    was: nothing is left then, though it may stay. `cause` and its sentences say why it waits, paused or failed; empty where all is
    well. `moved_ms` is when the step changed.
    """

    plan_id: int | None
    sortie_id: int
    step: SortieStep
    given_by: str
    moved_ms: float
    sent_items: int
    item_count: int | None
    flown: int
    waypoint_count: int
    left_m: float | None
    arrive_ms: float | None
    arrived_ms: float | None
    cause: str
    reason_zh: str
    reason_en: str


class FlightView(msgspec.Struct, frozen=True, kw_only=True):
    """A drone as whoever flies it needs it: `actions` are its last orders, the newest first.

    Home is what it told, else where it was seen to be armed, else the dock of its sortie; `endurance_s` (full to empty) and `reserve_ratio` (what it should
    land with) are known of drones that have a sortie.
    """

    unit_id: int
    device_id: int
    is_armed: bool | None
    home_lat_deg: float | None
    home_lon_deg: float | None
    endurance_s: float | None
    reserve_ratio: float | None
    control: ControlView
    sortie: SortieView | None
    actions: list[ActionView]
    links: list[LinkWayView]


class FlightChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="flight"):
    """A drone's flight as it stands now: all of the scope after `units`, then each that changed; a later one replaces it."""

    flight: FlightView


class ApproachView(msgspec.Struct, frozen=True, kw_only=True):
    """How near a hazard comes to one of our drones if both go on: in `in_s` seconds (0: now). Unknown height apart is null."""

    unit_id: int
    in_s: float
    distance_m: float
    height_apart_m: float | None
    is_near: bool
    """Whether it is nearer than allowed: an alarm."""


class HazardView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else in the air, by a name of this process alone. Who that is is neither asked nor kept."""

    hazard_id: str
    source: SightingSource
    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None
    speed_mps: float | None
    climb_mps: float | None
    course_deg: float | None
    seen_ms: float
    approaches: list[ApproachView]


class TrafficChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="traffic"):
    """All hazards that are known now, at most once a second; what is not among them is gone."""

    at_ms: float
    hazards: list[HazardView]


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie whose time has come, by the names of its tasks; `is_automatic`: its dock gives and starts it without a pilot.

    `busy_until_us` is until about when its drone flies something else, null: it is free; `is_called_away`: that is no sortie of a
    plan, somebody sent it as a first responder.
    """

    plan_id: int
    sortie_id: int
    unit_id: int
    takeoff_us: int
    landing_us: int
    task_ids: list[int]
    name_zh: str
    name_en: str
    is_automatic: bool
    busy_until_us: int | None = None
    is_called_away: bool = False


class DueChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="due"):
    """All sorties of published plans that are due at drones of the scope; a later one replaces it."""

    sorties: list[DueView]
