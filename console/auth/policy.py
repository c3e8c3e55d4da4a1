"""The policies: which role may do what and which units an account may see. What names no policy does not exist."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from console.wire import Role
from telemetry.model.errors import NotAllowedError
from telemetry.model.unit import Unit

POLICY_MARK: Final = "__policy__"
Function = TypeVar("Function", bound=Callable[..., Any])


class NotSignedInError(NotAllowedError):
    """There is no session, or it is over: sign in."""


class TooManyAttemptsError(NotAllowedError):
    """Too many attempts to sign in from one place or for one account: wait."""


class Policy(StrEnum):
    """What a route, a websocket message or a command asks of the one who uses it."""

    ANYONE = "anyone"
    """No session needed: the page itself, sign-in, the probes of whoever runs the machine."""
    SIGNED_IN = "signed_in"
    """Any account: its own session, the base map, the list of units of its scope."""
    SEE_PLACES = "see_places"
    """Posts, cameras, coverage."""
    SEE_TRACKS = "see_tracks"
    """Where a unit of the scope was; an officer's only with a reason, and audited."""
    ACKNOWLEDGE = "acknowledge"
    """Take an alarm upon oneself."""
    SEE_DEVICES = "see_devices"
    """Devices, quarantine."""
    MANAGE_DEVICES = "manage_devices"
    """Enrol devices, give them other secrets, units and options, revoke them, clear the quarantine: each within its stations."""
    SEE_GEOFENCES = "see_geofences"
    """Geofences, assigned areas and visits of the scope."""
    MANAGE_GEOFENCES = "manage_geofences"
    """Draw, change and assign geofences: for the account's stations, or the force's with the whole force in scope."""
    COMMAND = "command"
    """Ask devices of the scope for something, show a text on them, and say which of a unit's devices is believed."""
    SEE_SYSTEM = "see_system"
    """The state of the system."""
    SEE_INCIDENTS = "see_incidents"
    """Incidents of the scope, their history and figures; the caller's name and phone only for those who act."""
    DISPATCH = "dispatch"
    """Take calls, change incidents, send and recall units, tell the wind."""
    OWN_TASKS = "own_tasks"
    """An officer's own position, tasks and call for help."""
    SET_DUTY = "set_duty"
    """Put a unit of the scope on or off duty: those who act, and an officer itself."""
    PLAN = "plan"
    """Ask what if; where stations, posts and beats should be; who should move up; what patrols are asked for, and their plans."""
    SEE_PLANS = "see_plans"
    """What patrols are asked for, the plans of days, and how far they are carried out."""
    SEE_FLIGHTS = "see_flights"
    """Who is in control of the drones of the scope, what they were ordered and how far they are; the traffic near them."""
    FLY = "fly"
    """Take control of drones of the scope, hand it over, order them to fly; read the logs of their flights."""
    OVERRULE = "overrule"
    """Take control of a drone from whoever has it."""
    INTAKE_KEY = "intake_key"
    """No session: a call centre's own program, by the key or the signature that its route checks."""
    MACHINE = "machine"
    """The command line: whoever may run it on the server may read its database and keys already."""


EVERYONE: Final = frozenset(Role)
WATCHING: Final = EVERYONE - {Role.OFFICER}
ACTING: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN})

ALLOWED: Final[Mapping[Policy, frozenset[Role]]] = {
    Policy.SIGNED_IN: EVERYONE,
    Policy.SEE_PLACES: WATCHING,
    Policy.SEE_TRACKS: EVERYONE,
    Policy.ACKNOWLEDGE: ACTING,
    Policy.SEE_DEVICES: ACTING,
    Policy.MANAGE_DEVICES: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Policy.SEE_GEOFENCES: WATCHING,
    Policy.MANAGE_GEOFENCES: ACTING,
    Policy.COMMAND: ACTING,
    Policy.SEE_SYSTEM: WATCHING,
    Policy.SEE_INCIDENTS: WATCHING,
    Policy.DISPATCH: ACTING,
    Policy.OWN_TASKS: frozenset({Role.OFFICER}),
    Policy.SET_DUTY: ACTING | {Role.OFFICER},
    Policy.PLAN: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Policy.SEE_PLANS: WATCHING,
    Policy.SEE_FLIGHTS: WATCHING,
    Policy.FLY: ACTING,
    Policy.OVERRULE: frozenset({Role.SUPERVISOR, Role.ADMIN}),
}
"""Roles by policy. ANYONE, INTAKE_KEY and MACHINE ask no role; a policy that stands nowhere here allows nobody."""

COVERT_ROLES: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})

MESSAGE_POLICIES: Final[Mapping[str, Policy]] = {
    "hello": Policy.SIGNED_IN,
    "sub": Policy.SIGNED_IN,
    "pong": Policy.SIGNED_IN,
    "welcome": Policy.SIGNED_IN,
    "units": Policy.SIGNED_IN,
    "status": Policy.SIGNED_IN,
    "alarm": Policy.SIGNED_IN,
    "rate": Policy.SIGNED_IN,
    "coverage": Policy.SEE_PLACES,
    "contours": Policy.SEE_PLACES,
    "incident": Policy.SEE_INCIDENTS,
    "task": Policy.OWN_TASKS,
    "command": Policy.SEE_DEVICES,
    "flight": Policy.SEE_FLIGHTS,
    "traffic": Policy.SEE_FLIGHTS,
    "due": Policy.SEE_FLIGHTS,
    "plan_changed": Policy.SEE_PLANS,
    "plan_progress": Policy.PLAN,
    "programme_changed": Policy.SEE_PLANS,
    "degraded": Policy.SIGNED_IN,
    "frame:snapshot": Policy.SIGNED_IN,
    "frame:delta": Policy.SIGNED_IN,
    "frame:gone": Policy.SIGNED_IN,
    "frame:trail": Policy.SEE_TRACKS,
}
"""Policies of the websocket's messages, both ways, by their `type`; units are filtered by the scope besides."""

COMMAND_POLICIES: Final[Mapping[str, Policy]] = dict.fromkeys(
    (
        "bench",
        "bridge",
        "db",
        "decode",
        "demo",
        "device",
        "fault-proxy",
        "fly",
        "force",
        "geofence",
        "import",
        "incident",
        "plan",
        "replay",
        "reprocess",
        "roads",
        "search",
        "serve",
        "siting",
        "user",
        "webhook",
    ),
    Policy.MACHINE,
)
"""Policies of the commands of `skybeat`; sub-commands share their group's."""


class Scope(msgspec.Struct, frozen=True):
    """Who looks: the role, the stations (empty: all), an officer's own unit and the account. Hashable: groups share by it."""

    role: Role
    station_ids: frozenset[int] = frozenset()
    unit_id: int | None = None

    def sees(self, unit: Unit) -> bool:
        """Tell whether the unit may be shown at all; decided before a frame is built."""
        if self.role is Role.OFFICER:
            return unit.unit_id == self.unit_id
        if unit.covert and self.role not in COVERT_ROLES:
            return False
        return not self.station_ids or unit.station_id in self.station_ids

    def sees_station(self, station_id: int | None) -> bool:
        """Tell whether what belongs to a station (None: to the whole force) may be shown."""
        return not self.station_ids or station_id in self.station_ids

    def sees_unassigned(self) -> bool:
        """Tell whether alarms of devices that speak for no unit may be shown."""
        return self.role in ACTING and not self.station_ids


def policy(wanted: Policy) -> Callable[[Function], Function]:
    """Declare what a route asks of the one who calls it; a router refuses a route without it."""

    def declare(function: Function) -> Function:
        setattr(function, POLICY_MARK, wanted)
        return function

    return declare


def policy_of(function: Callable[..., Any]) -> Policy:
    """Return the declared policy. Raises TypeError for a route that declares none."""
    found = getattr(function, POLICY_MARK, None)
    if not isinstance(found, Policy):
        message = f"{getattr(function, '__qualname__', function)} declares no policy: put @policy(Policy...) on it"
        raise TypeError(message)
    return found


def allows(wanted: Policy, role: Role | None) -> bool:
    """Tell whether a role (None: nobody signed in) may do what asks `wanted`; what is not listed is denied."""
    if wanted in {Policy.ANYONE, Policy.INTAKE_KEY}:
        return True
    return role is not None and role in ALLOWED.get(wanted, frozenset())


def demand(wanted: Policy, role: Role | None) -> None:
    """Raise NotSignedInError or NotAllowedError unless the role may."""
    if allows(wanted, role):
        return
    if role is None:
        message = "nobody is signed in: sign in first"
        raise NotSignedInError(message)
    allowed = ", ".join(sorted(ALLOWED.get(wanted, frozenset()))) or "nobody"
    message = f"the role {role.value} may not do this ({wanted.value}): allowed are {allowed}; ask an administrator"
    raise NotAllowedError(message)
