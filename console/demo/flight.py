"""How a demo drone flies: a plausible quadcopter that patrols a loop, goes where its pilot sends it, and charges when it is low."""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

import numpy as np

from telemetry.model.geodesy import Floats

STEP_S: Final = 0.1
CRUISE_MPS: Final = (7.0, 12.0)
CLIMB_MPS: Final = 3.0
SINK_MPS: Final = 2.0
ACCELERATION_MPS2: Final = 2.2
TURN_DEG_PER_S: Final = 60.0
HEIGHT_M: Final = (75.0, 118.0)
ARRIVED_M: Final = 12.0
ENDURANCE_S: Final = 1500.0
CHARGE_S: Final = 300.0
HOME_RATIO: Final = 0.25
ERRAND_MPS: Final = 15.0
"""How fast it flies to a call."""
HOVERS_S: Final = 120.0
LEAST_RATIO: Final = 0.15
"""So long a drone that is sent must be able to stay, and come back with so much left."""
READY_RATIO: Final = 0.9
IDLE_S: Final = (8.0, 60.0)


class Phase(StrEnum):
    """What a drone does now."""

    CHARGING = "charging"
    WAITING = "waiting"
    TAKEOFF = "takeoff"
    PATROL = "patrol"
    ERRAND = "errand"
    RETURN = "return"
    LANDING = "landing"


class CopterMode(IntEnum):
    """ArduCopter's numbers of the modes that the demo flies."""

    STABILIZE = 0
    AUTO = 3
    GUIDED = 4
    RTL = 6
    LAND = 9


MODES: Final = {
    Phase.CHARGING: CopterMode.STABILIZE,
    Phase.WAITING: CopterMode.STABILIZE,
    Phase.TAKEOFF: CopterMode.GUIDED,
    Phase.PATROL: CopterMode.AUTO,
    Phase.ERRAND: CopterMode.GUIDED,
    Phase.RETURN: CopterMode.RTL,
    Phase.LANDING: CopterMode.LAND,
}
_ON_GROUND: Final = frozenset({Phase.CHARGING, Phase.WAITING})


class Route(NamedTuple):
    """A patrol: its name and its waypoints in the city's plane, shape (n, 2), metres."""

    name: str
    waypoints_m: Floats


class Flight:
    """One drone's body: call `step` for each STEP_S; the same for the same seed and the same steps."""

    def __init__(self, pad_m: Floats, route: Route, seed: tuple[int, int], *, first_takeoff_s: float) -> None:
        self._random = np.random.default_rng(seed)
        self.pad_m: Final = np.asarray(pad_m, np.float64)
        self.route: Final = route
        self.place_m: Floats = self.pad_m.copy()
        self.velocity_mps: Floats = np.zeros(2)
        self.height_m = 0.0
        self.climb_mps = 0.0
        self.heading_deg = float(self._random.uniform(0.0, 360.0))
        self.battery_ratio = float(self._random.uniform(0.72, 1.0))
        self.phase = Phase.WAITING
        self.waypoint = 0
        self._cruise_mps = float(self._random.uniform(*CRUISE_MPS))
        self._patrol_height_m = float(self._random.uniform(*HEIGHT_M))
        self._waits_s = first_takeoff_s
        self._gust_mps: Floats = np.zeros(2)
        self._ahead_m: list[Floats] = []
        self._behind_m: list[Floats] = []

    @property
    def on_ground(self) -> bool:
        """Whether the drone stands on its pad with stopped motors."""
        return self.phase in _ON_GROUND

    @property
    def speed_mps(self) -> float:
        """Ground speed."""
        return float(np.hypot(*self.velocity_mps))

    @property
    def is_there(self) -> bool:
        """Whether it hovers where its pilot sent it."""
        return self.phase is Phase.ERRAND and not self._ahead_m and self._away_m(self._behind_m[-1]) <= ARRIVED_M

    @property
    def is_low(self) -> bool:
        """Whether the battery asks it to come home."""
        return self.battery_ratio < HOME_RATIO

    def reaches(self, way_m: Floats) -> bool:
        """Tell whether the battery lets it fly a way (points, 2) from here, stay and come back."""
        length_m = float(np.hypot(*np.diff(way_m, axis=0, prepend=self.place_m[None, :]).T).sum())
        return self.battery_ratio - (2.0 * length_m / ERRAND_MPS + HOVERS_S) / ENDURANCE_S >= LEAST_RATIO

    def go(self, way_m: Floats) -> None:
        """Leave the patrol or the pad along a way (points, 2) in the city's plane, and hover at its end until released."""
        self._ahead_m, self._behind_m = list(way_m), [self.place_m.copy()]
        if self.on_ground:
            self.phase = Phase.TAKEOFF
        elif self.phase is not Phase.TAKEOFF:
            self.phase = Phase.ERRAND

    def release(self) -> None:
        """Come back along the way that it took, and go on with the patrol."""
        if self.phase is not Phase.ERRAND:
            self._ahead_m, self._behind_m = [], []
        elif self._behind_m:
            self._ahead_m, self._behind_m = self._behind_m[::-1], []

    def begin_aloft(self, waypoint: int) -> None:
        """Be on patrol at a waypoint already, as a drone that took off before the demo began."""
        self.waypoint = waypoint % len(self.route.waypoints_m)
        self.place_m = self.route.waypoints_m[self.waypoint - 1].copy()
        self.phase, self.height_m = Phase.PATROL, self._patrol_height_m
        self.battery_ratio = float(self._random.uniform(HOME_RATIO + 0.05, 0.9))

    def step(self) -> str:
        """Move on by STEP_S; return what the autopilot would say about it ("" mostly)."""
        said = {
            Phase.CHARGING: self._charge,
            Phase.WAITING: self._wait,
            Phase.TAKEOFF: self._take_off,
            Phase.PATROL: self._patrol,
            Phase.ERRAND: self._errand,
            Phase.RETURN: self._return,
            Phase.LANDING: self._land,
        }[self.phase]()
        if not self.on_ground:
            effort = 1.15 if self.climb_mps > 0.5 else 1.0
            self.battery_ratio = max(0.03, self.battery_ratio - effort * STEP_S / ENDURANCE_S)
        return said

    def _charge(self) -> str:
        self.battery_ratio = min(1.0, self.battery_ratio + STEP_S / CHARGE_S)
        if self.battery_ratio < READY_RATIO:
            return ""
        self.phase, self._waits_s = Phase.WAITING, float(self._random.uniform(*IDLE_S))
        return "Battery charged"

    def _wait(self) -> str:
        self._waits_s -= STEP_S
        if self._waits_s > 0.0:
            return ""
        self.phase, self.waypoint = Phase.TAKEOFF, 0
        return "Takeoff"

    def _take_off(self) -> str:
        self._climb_towards(self._patrol_height_m)
        if self.height_m < self._patrol_height_m - 2.0:
            return ""
        if self._ahead_m:
            self.phase = Phase.ERRAND
            return "Guided"
        self.phase = Phase.PATROL
        return f"Mission: 1 {self.route.name}"

    def _patrol(self) -> str:
        self._climb_towards(self._patrol_height_m)
        if self.is_low:
            self.phase = Phase.RETURN
            return "Battery failsafe: returning home"
        if self._fly_to(self.route.waypoints_m[self.waypoint], self._cruise_mps) > ARRIVED_M:
            return ""
        self.waypoint = (self.waypoint + 1) % len(self.route.waypoints_m)
        return f"Reached command #{self.waypoint or len(self.route.waypoints_m)}"

    def _errand(self) -> str:
        """Fly on along the way; once at its end hover there, or be back where it was left."""
        self._climb_towards(self._patrol_height_m)
        goal_m = self._ahead_m[0] if self._ahead_m else self._behind_m[-1]
        if self._fly_to(goal_m, ERRAND_MPS) > ARRIVED_M or not self._ahead_m:
            return ""
        passed_m = self._ahead_m.pop(0)
        if self._behind_m:
            self._behind_m.append(passed_m)
        elif not self._ahead_m:
            self.phase = Phase.PATROL
        return "" if self._ahead_m else "Reached destination"

    def _return(self) -> str:
        self._climb_towards(self._patrol_height_m)
        if self._fly_to(self.pad_m, self._cruise_mps) > 1.0:
            return ""
        self.phase = Phase.LANDING
        return "Land"

    def _land(self) -> str:
        self._fly_to(self.pad_m, 1.5)
        self._climb_towards(0.0)
        if self.height_m > 0.05:
            return ""
        self.phase, self.height_m, self.climb_mps = Phase.CHARGING, 0.0, 0.0
        self.velocity_mps, self.place_m = np.zeros(2), self.pad_m.copy()
        return "Landed; charging"

    def _away_m(self, place_m: Floats) -> float:
        return float(np.hypot(*(place_m - self.place_m)))

    def _climb_towards(self, height_m: float) -> None:
        wished = float(np.clip(0.6 * (height_m - self.height_m), -SINK_MPS, CLIMB_MPS))
        change = float(np.clip(wished - self.climb_mps, -ACCELERATION_MPS2 * STEP_S, ACCELERATION_MPS2 * STEP_S))
        self.climb_mps += change
        self.height_m = max(0.0, self.height_m + self.climb_mps * STEP_S)

    def _fly_to(self, goal_m: Floats, cruise_mps: float) -> float:
        """Accelerate towards a goal, braking before it, nose first; return how far it is in metres."""
        way = goal_m - self.place_m
        away_m = float(np.hypot(*way))
        speed = min(cruise_mps, float(np.sqrt(2.0 * 0.7 * ACCELERATION_MPS2 * max(away_m - 0.3, 0.0))))
        wished = way / max(away_m, 1e-6) * speed
        self._gust_mps = 0.95 * self._gust_mps + self._random.normal(0.0, 0.04, 2)
        change = wished + self._gust_mps * min(1.0, away_m / 5.0) - self.velocity_mps
        most = ACCELERATION_MPS2 * STEP_S
        self.velocity_mps = self.velocity_mps + change * min(1.0, most / max(float(np.hypot(*change)), 1e-9))
        self.place_m = self.place_m + self.velocity_mps * STEP_S
        if away_m > ARRIVED_M:
            self._turn_towards(float(np.degrees(np.arctan2(way[0], way[1]))))
        return away_m

    def _turn_towards(self, bearing_deg: float) -> None:
        off = (bearing_deg - self.heading_deg + 180.0) % 360.0 - 180.0
        turn = float(np.clip(off, -TURN_DEG_PER_S * STEP_S, TURN_DEG_PER_S * STEP_S))
        self.heading_deg = (self.heading_deg + turn) % 360.0
