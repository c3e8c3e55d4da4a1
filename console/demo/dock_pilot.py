"""What a demo drone does when nobody else flies it: charges in its dock, patrols its loop, goes where its pilot is sent.

It gives the autopilot the same orders as any ground station. Whoever else gives it orders has it, until it stands in its dock
again and has heard nothing for a while; one that was given a mission waits for its start as long as it takes.
"""

from enum import StrEnum
from typing import Final

import numpy as np

from console.demo.autopilot.battery import ENDURANCE_S
from console.demo.autopilot.body import STEP_S, Place
from console.demo.autopilot.craft import Craft
from console.demo.autopilot.numbers import CopterMode, Do, Nav, Result, Severity
from console.demo.autopilot.target import Target
from console.demo.patrols import Route
from telemetry.model.geodesy import Floats
from telemetry.model.mission_items import MissionFrame, MissionItem, MissionList

HEIGHT_M: Final = (75.0, 118.0)
CRUISE_MPS: Final = (7.0, 12.0)
ARRIVED_M: Final = 12.0
HOME_RATIO: Final = 0.25
ERRAND_MPS: Final = 15.0
"""How fast it flies to a call."""
HOVERS_S: Final = 120.0
LEAST_RATIO: Final = 0.15
"""So long a drone that is sent must be able to stay, and come back with so much left."""
READY_RATIO: Final = 0.9
IDLE_S: Final = (8.0, 60.0)
CLIMBS_FIRST_M: Final = 8.0
"""So far below its height it does not leave its place."""
AT_PAD_M: Final = 15.0
CREW_COMES_S: Final = 120.0
"""A drone that landed elsewhere gets a charged battery there."""
HANDED_BACK_S: Final = 180.0
"""After its landing, and after the last order from outside."""
WAITS_ALOFT_S: Final = 300.0
"""It holds so long in the air for the start of a mission that it was given there."""
FAILSAFE: Final = "BATT_FS_LOW_ACT"
FAILSAFE_RETURN: Final = 2.0


class Phase(StrEnum):
    """What a drone does now."""

    CHARGING = "charging"
    WAITING = "waiting"
    PATROL = "patrol"
    ERRAND = "errand"
    RETURN = "return"
    TAKEN = "taken"
    """Somebody else flies it, or may."""


class DockPilot:
    """One drone's dock, without a route it stays there: call `step` before each step of its craft; `taken` when somebody else gives it an order."""

    def __init__(
        self, craft: Craft, route: Route | None, random: np.random.Generator, *, first_takeoff_s: float
    ) -> None:
        self.craft: Final = craft
        self.route: Final = route
        self.pad: Final = craft.body.place
        self.phase = Phase.WAITING
        self._random = random
        self._height_m = float(random.uniform(*HEIGHT_M))
        craft.parameters.note("WPNAV_SPEED", round(100.0 * float(random.uniform(*CRUISE_MPS))))
        craft.parameters.note("RTL_ALT", round(100.0 * self._height_m))
        craft.reset_speeds()
        self._loop = loop_items(craft, route, self._height_m) if route is not None else ()
        self._waits_s = first_takeoff_s
        self._quiet_s = self._rested_s = 0.0
        self._was_given = self._was_flown = False
        self._ahead: list[Place] = []
        self._behind: list[Place] = []

    @property
    def on_ground(self) -> bool:
        """Whether the drone stands with stopped motors."""
        return self.craft.is_landed and not self.craft.is_armed

    @property
    def is_there(self) -> bool:
        """Whether it hovers where its pilot sent it."""
        there = self.phase is Phase.ERRAND and not self._ahead and bool(self._behind)
        return there and self.craft.body.place.away_m(self._behind[-1]) <= ARRIVED_M

    @property
    def is_low(self) -> bool:
        """Whether the battery asks it to come home."""
        return self.craft.body.battery.ratio < HOME_RATIO

    @property
    def must_leave(self) -> bool:
        """Whether it cannot stay where its pilot sent it."""
        return self.is_low or self.phase is Phase.TAKEN

    def reaches(self, way_m: Floats) -> bool:
        """Tell whether the battery lets it fly a way (points, 2) from here, stay and come back."""
        here = np.array([self.craft.body.place])
        length_m = float(np.hypot(*np.diff(way_m, axis=0, prepend=here).T).sum())
        left = self.craft.body.battery.ratio - (2.0 * length_m / ERRAND_MPS + HOVERS_S) / ENDURANCE_S
        return left >= LEAST_RATIO

    def go(self, way_m: Floats) -> bool:
        """Leave the patrol or the pad along a way (points, 2), and hover at its end until released; False if it cannot."""
        craft = self.craft
        if self.phase is Phase.TAKEN or craft.set_mode(CopterMode.GUIDED) is not Result.ACCEPTED:
            return False
        if self.on_ground:
            if craft.arm() is not Result.ACCEPTED:
                return False
            craft.take_off(self._height_m)
        self._ahead, self._behind = [Place(*point) for point in way_m.tolist()], [craft.body.place]
        craft.parameters.note(FAILSAFE, 0.0)  # its pilot minds the battery, and knows the way round the zones
        self.phase = Phase.ERRAND
        return True

    def release(self) -> None:
        """Come back along the way that it took, and go on with the patrol."""
        if self.phase is not Phase.ERRAND:
            self._ahead, self._behind = [], []
        elif self._behind:
            self._ahead, self._behind = self._behind[::-1], []

    def begin_aloft(self, waypoint: int) -> None:
        """Be on patrol at a waypoint already, as a drone that took off before the demo began."""
        assert self.route is not None
        craft, places = self.craft, self.route.waypoints_m
        at = waypoint % len(places)
        craft.replace(MissionList.MISSION, self._loop)
        craft.body.place = Place(*places[at - 1].tolist())
        craft.body.height_m = self._height_m
        craft.body.battery.ratio = float(self._random.uniform(HOME_RATIO + 0.05, 0.9))
        craft.is_armed, craft.is_landed = True, False
        craft.run.jump_to(at + 2)  # after the home and the take-off
        craft.set_mode(CopterMode.AUTO)
        craft.said.clear()
        self.phase = Phase.PATROL

    def taken(self, *, is_mission: bool) -> None:
        """Let somebody else have the drone; before a mission comes in, one in the air stops and holds."""
        self._quiet_s = 0.0
        self._was_given = self._was_given or is_mission
        self._was_flown = self._was_flown and not is_mission
        if self.phase is Phase.TAKEN:
            return
        if self.phase is Phase.ERRAND:
            self.craft.parameters.note(FAILSAFE, FAILSAFE_RETURN)
        if is_mission and not self.craft.is_landed:
            self.craft.set_mode(CopterMode.LOITER)
        self.phase, self._ahead, self._behind = Phase.TAKEN, [], []

    def step(self) -> None:
        """Do what is to be done before the craft's next STEP_S."""
        match self.phase:
            case Phase.CHARGING:
                self._charge()
            case Phase.WAITING:
                self._wait()
            case Phase.ERRAND:
                self._errand()
            case Phase.PATROL | Phase.RETURN:
                self._watch()
            case Phase.TAKEN:
                self._stand_by()

    def _charge(self) -> None:
        if not self._gives_power():
            return
        if self.craft.body.battery.ratio >= READY_RATIO:
            self._waits_s = float(self._random.uniform(*IDLE_S))
            self.phase = Phase.WAITING
            self.craft.say(Severity.INFO, "Battery charged")

    def _gives_power(self) -> bool:
        """Charge the battery; tell whether somebody is there to do that."""
        battery = self.craft.body.battery
        self._waits_s -= STEP_S
        if self.craft.body.place.away_m(self.pad) > AT_PAD_M and self._waits_s > 0.0:
            return False
        battery.charge(over_s=STEP_S)
        return True

    def _wait(self) -> None:
        self._gives_power()
        if self._waits_s > 0.0 or self.route is None:
            return
        craft = self.craft
        if craft.store.mission != self._loop:
            craft.replace(MissionList.MISSION, self._loop)
        craft.set_mode(CopterMode.GUIDED)
        if craft.arm() is Result.ACCEPTED and craft.start_mission() is Result.ACCEPTED:
            craft.say(Severity.INFO, f"Patrol: {self.route.name}")
            self.phase = Phase.PATROL
        else:
            craft.disarm()
            self._waits_s = IDLE_S[1]

    def _watch(self) -> None:
        """Follow the patrol: home on a low battery, and into the dock."""
        if self.craft.mode is CopterMode.RTL:
            self.phase = Phase.RETURN
        if self.on_ground:
            self._dock()

    def _dock(self) -> None:
        self.phase, self._waits_s = Phase.CHARGING, CREW_COMES_S
        self.craft.say(Severity.INFO, "Landed; charging")

    def _errand(self) -> None:
        """Fly on along the way; once at its end hover there, or be back where it was left."""
        craft, here = self.craft, self.craft.body.place
        if self.on_ground:
            craft.parameters.note(FAILSAFE, FAILSAFE_RETURN)
            self._dock()
            return
        goal = self._ahead[0] if self._ahead else self._behind[-1]
        low = craft.body.height_m < self._height_m - CLIMBS_FIRST_M
        if goal is not craft.target.place and not low:
            craft.go_to(Target(goal, self._height_m, speed_mps=ERRAND_MPS))
        elif low and craft.target.height_m < self._height_m:
            craft.go_to(Target(here, self._height_m))
        if low or not self._ahead or here.away_m(goal) > ARRIVED_M:
            return
        passed = self._ahead.pop(0)
        if self._behind:
            self._behind.append(passed)
        elif not self._ahead:
            self._go_on()

    def _go_on(self) -> None:
        """Be back from an errand: on with the patrol, or home."""
        craft = self.craft
        craft.parameters.note(FAILSAFE, FAILSAFE_RETURN)
        if craft.store.mission != self._loop:
            craft.replace(MissionList.MISSION, self._loop)
        craft.set_mode(CopterMode.RTL if self.is_low else CopterMode.AUTO)
        self.phase = Phase.RETURN if self.is_low else Phase.PATROL

    def _stand_by(self) -> None:
        """Charge what stands in the dock; have it back when nobody wants it any more."""
        craft = self.craft
        self._quiet_s += STEP_S
        self._was_flown = self._was_flown or (craft.mode is CopterMode.AUTO and not craft.is_landed)
        if not self.on_ground:
            self._waits_s, self._rested_s = CREW_COMES_S, 0.0
            waits = craft.mode is CopterMode.LOITER and self._was_given and not self._was_flown
            if waits and self._quiet_s > WAITS_ALOFT_S:
                self.phase = Phase.RETURN
                craft.set_mode(CopterMode.RTL)
            return
        self._gives_power()
        self._rested_s += STEP_S
        is_wanted = self._was_given and not self._was_flown and bool(craft.store.mission)
        if min(self._quiet_s, self._rested_s) > HANDED_BACK_S and not is_wanted:
            self._was_given = self._was_flown = False
            self._dock()


def loop_items(craft: Craft, route: Route, height_m: float) -> tuple[MissionItem, ...]:
    """Return a route as a mission: take off, round and round."""
    lat, lon = craft.plane.from_plane(*route.waypoints_m.T)
    waypoints = [
        MissionItem(command=Nav.WAYPOINT, param2=ARRIVED_M, lat_e7=lat_e7, lon_e7=lon_e7, alt_m=height_m)
        for lat_e7, lon_e7 in zip(
            (lat * 1e7).round().astype(int).tolist(), (lon * 1e7).round().astype(int).tolist(), strict=True
        )
    ]
    takeoff = MissionItem(command=Nav.TAKEOFF, alt_m=height_m)
    again = MissionItem(command=Do.JUMP, frame=MissionFrame.NO_PLACE, param1=2.0, param2=-1.0)
    return (takeoff, *waypoints, again)
