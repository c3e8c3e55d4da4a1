"""AUTO: flies the stored mission item by item, does what stands between them, jumps, waits, circles, comes home."""

import math
from collections.abc import Callable
from typing import Final, Protocol

from console.demo.autopilot.body import STEP_S, Place
from console.demo.autopilot.deeds import Deeds, do
from console.demo.autopilot.homecoming import Homecoming, Lands, touch_down
from console.demo.autopilot.numbers import Do, MissionState, Nav, Severity
from console.demo.autopilot.store import Store, is_nav
from console.demo.autopilot.target import Target
from telemetry.model.mission_items import MissionItem

MOST_JUMPS: Final = 100
"""In a row without anything to fly to: such a mission goes nowhere."""
LEVEL_M: Final = 1.5
PASSES_LEVEL_M: Final = 3.0
LEAST_RADIUS_M: Final = 1.0
USUAL_CIRCLE_M: Final = 10.0
CIRCLE_LEAD_RAD: Final = 0.35
DAY_S: Final = 86_400
MAY_TAKE_OFF_AT_ONCE: Final = 2
"""Of AUTO_OPTIONS: without a start of the mission."""


class Flies(Deeds, Lands, Protocol):
    """What flies the mission: the craft."""

    store: Store
    is_armed: bool
    is_landed: bool
    target: Target
    utc_us: int
    reached: list[int]

    @property
    def has_position(self) -> bool:
        """Whether it knows where it is."""

    def height_of(self, item: MissionItem) -> float:
        """Return an item's height above home."""

    def hold(self) -> None:
        """Stay for a step."""

    def disarm(self) -> object:
        """Stop the motors."""


class MissionRun:
    """Where in its mission the drone is; item numbers on the air begin with 1, for 0 is home.

    `may_take_off`: somebody said so while the drone stood on the ground.
    """

    def __init__(self, craft: Flies) -> None:
        self._craft = craft
        self.state = MissionState.NO_MISSION
        self.may_take_off = False
        self._index = 0
        self._wanted: int | None = None
        self._todo: list[MissionItem] = []
        self._jumps: dict[int, int] = {}
        self._waited_s = 0.0
        self._swept_rad = 0.0
        self._bearing_rad: float | None = None
        self._until_us = self._condition_us = 0
        self._goal_kept: Target | None = None
        self._after: Place | None = None
        self._homecoming: Homecoming | None = None
        self._acts: Final[dict[int, Callable[[MissionItem], bool]]] = {
            Nav.WAYPOINT: self._waypoint,
            Nav.SPLINE: self._waypoint,
            Nav.LOITER_UNLIMITED: self._stay,
            Nav.LOITER_TURNS: self._circle,
            Nav.LOITER_TIME: self._waypoint,
            Nav.RETURN: self._return,
            Nav.LAND: self._land,
            Nav.TAKEOFF: self._take_off,
            Nav.DELAY: self._delay,
        }

    @property
    def number(self) -> int:
        """The item's number on the air that is flown, or would be flown next; 0 without a mission."""
        return self._index + 1 if self._craft.store.mission else 0

    @property
    def is_taking_off(self) -> bool:
        """Whether it flies its TAKEOFF item."""
        item = self._item()
        return self.state is MissionState.ACTIVE and item is not None and item.command == Nav.TAKEOFF

    @property
    def is_waiting_on_ground(self) -> bool:
        """Whether it stands and waits for its time on purpose."""
        item = self._item()
        return self.may_take_off and item is not None and item.command == Nav.DELAY

    def forget(self) -> None:
        """Begin anew with another mission."""
        self.state = MissionState.NOT_STARTED if self._craft.store.mission else MissionState.NO_MISSION
        self._index, self._wanted, self._todo, self._jumps = 0, None, [], {}

    def rewind(self) -> None:
        """Begin anew the next time: the motors were stopped."""
        if self.state is MissionState.ACTIVE:
            self.forget()

    def reason_against(self) -> str:
        """Return what speaks against AUTO, "" for nothing."""
        if not self._craft.store.mission:
            return "no mission"
        first = next((item for item in self._craft.store.mission if is_nav(item)), None)
        takes_off = first is not None and first.command in {Nav.TAKEOFF, Nav.DELAY}
        if self._craft.is_armed and self._craft.is_landed and not takes_off:
            return "Missing Takeoff Cmd"
        return ""

    def begin(self) -> None:
        """Go on where the mission was left, or from its beginning when it was flown or is to be flown anew."""
        restart = bool(self._craft.parameters["MIS_RESTART"])
        if self.state is MissionState.ACTIVE and not restart:
            self._enter()
            return
        self.state, self._jumps = MissionState.ACTIVE, {}
        self._go_on_at(self._wanted or 0)
        self._wanted = None

    def jump_to(self, number: int) -> bool:
        """Fly on with an item by its number on the air; False for one that is not there."""
        if not 0 <= number <= len(self._craft.store.mission) or not self._craft.store.mission:
            return False
        index = max(number - 1, 0)
        if self.state is MissionState.ACTIVE:
            self._go_on_at(index)
        else:
            self._wanted = self._index = index
            if self.state is MissionState.COMPLETE:
                self.state = MissionState.NOT_STARTED
        return True

    def step(self) -> None:
        """Fly on for a step."""
        craft, item = self._craft, self._item()
        if self.state is not MissionState.ACTIVE or item is None:
            craft.hold()
            return
        if craft.is_landed and not (self.may_take_off or int(craft.parameters["AUTO_OPTIONS"]) & MAY_TAKE_OFF_AT_ONCE):
            return
        while self._todo and self._is_time(self._todo[0], item):
            do(craft, self._todo.pop(0))  # a condition that is met does nothing more
        if self._acts[item.command](item):
            craft.reached.append(self._index + 1)
            craft.say(Severity.INFO, f"Reached command #{self._index + 1}")
            self._go_on_at(self._index + 1)

    def _item(self) -> MissionItem | None:
        mission = self._craft.store.mission
        return mission[self._index] if self._index < len(mission) else None

    def _go_on_at(self, index: int) -> None:
        """Take the next item to fly from an index on; what is to be done before it is done while it is flown to."""
        mission = self._craft.store.mission
        self._todo = []
        for _ in range(MOST_JUMPS + len(mission)):
            if index >= len(mission):
                break
            item = mission[index]
            if is_nav(item):
                self._index = index
                self._enter()
                self._craft.say(Severity.INFO, f"Mission: {index + 1} {Nav(item.command).name}")
                return
            if item.command == Do.JUMP:
                index = self._jumped(index, item)
            else:
                self._todo.append(item)
                index += 1
        self._complete()

    def _jumped(self, index: int, item: MissionItem) -> int:
        times = self._jumps.get(index, 0)
        most = round(item.param2 or 0.0)
        if 0 <= most <= times:
            self._jumps.pop(index, None)
            return index + 1
        self._jumps[index] = times + 1
        return round(item.param1 or 1.0) - 1

    def _enter(self) -> None:
        self._waited_s = self._swept_rad = 0.0
        self._bearing_rad, self._homecoming, self._until_us, self._condition_us = None, None, 0, 0
        self._goal_kept, self._after = None, self._place_after()
        self._craft.landing = False

    def _complete(self) -> None:
        self.state, self.may_take_off = MissionState.COMPLETE, False
        craft = self._craft
        for item in self._todo:
            if item.command not in {Do.CONDITION_DELAY, Do.CONDITION_DISTANCE}:
                do(craft, item)
        self._todo = []
        craft.target = Target(craft.body.place, craft.body.height_m)
        craft.say(Severity.INFO, "Mission complete")
        if craft.is_landed:
            craft.disarm()

    def _is_time(self, todo: MissionItem, flown: MissionItem) -> bool:
        """Tell whether something may be done now; conditions hold up what stands after them."""
        if todo.command == Do.CONDITION_DISTANCE:
            return self._craft.body.place.away_m(self._goal(flown).place) <= (todo.param1 or 0.0)
        if todo.command != Do.CONDITION_DELAY:
            return True
        self._condition_us = self._condition_us or self._craft.utc_us + round((todo.param1 or 0.0) * 1e6)
        if self._craft.utc_us < self._condition_us:
            return False
        self._condition_us = 0
        return True

    def _goal(self, item: MissionItem) -> Target:
        """Return where the item that is flown lies; an item without a place is where the drone was to be."""
        if self._goal_kept is None:
            craft = self._craft
            place = craft.place_of(item) if item.lat_e7 or item.lon_e7 else craft.target.place
            self._goal_kept = Target(place, craft.height_of(item))
        return self._goal_kept

    def _waypoint(self, item: MissionItem) -> bool:
        goal = self._goal(item)
        hold_s = item.param1 or 0.0
        off_m = abs(goal.height_m - self._craft.body.height_m)
        passes = hold_s == 0.0 and off_m <= PASSES_LEVEL_M
        end_mps = self._end_mps(goal.place) if passes else 0.0
        away_m = self._craft.fly(goal, end_mps=end_mps)
        accepted_m = item.param2 or 0.0 if item.command == Nav.WAYPOINT else 0.0
        radius_m = max(self._craft.parameters["WPNAV_RADIUS"] / 100.0, accepted_m, LEAST_RADIUS_M)
        if self._waited_s == 0.0 and (away_m > radius_m or off_m > (PASSES_LEVEL_M if passes else LEVEL_M)):
            return False
        self._waited_s += STEP_S
        self._craft.target = goal
        return self._waited_s >= hold_s

    def _place_after(self) -> Place | None:
        """Return the waypoint that follows at once; None where the drone stops first, or does not know."""
        mission = self._craft.store.mission
        after = next((item for item in mission[self._index + 1 :] if is_nav(item) or item.command == Do.JUMP), None)
        if after is None or after.command not in {Nav.WAYPOINT, Nav.SPLINE} or not (after.lat_e7 or after.lon_e7):
            return None
        return self._craft.place_of(after)

    def _end_mps(self, place: Place) -> float:
        """Return how fast it may pass a waypoint: the straighter its way goes on, the faster; one that it stays at it does not."""
        if self._after is None or place.away_m(self._after) < LEAST_RADIUS_M:
            return 0.0
        turn_deg = place.bearing_deg(self._after) - self._craft.body.place.bearing_deg(place)
        return self._craft.speed_mps * max(0.0, math.cos(math.radians(turn_deg)))

    def _stay(self, item: MissionItem) -> bool:
        self._craft.target = self._goal(item)
        self._craft.fly(self._craft.target)
        return False

    def _circle(self, item: MissionItem) -> bool:
        """Fly round a centre; param 1 turns, param 3 the radius, negative counter-clockwise."""
        craft, centre = self._craft, self._goal(item)
        radius_m = abs(item.param3 or 0.0) or USUAL_CIRCLE_M
        way = -1.0 if (item.param3 or 0.0) < 0.0 else 1.0
        here = math.radians(centre.place.bearing_deg(craft.body.place))
        on_circle = abs(centre.place.away_m(craft.body.place) - radius_m) < max(3.0, 0.2 * radius_m)
        ahead = here + way * (CIRCLE_LEAD_RAD if on_circle else 0.0)
        goal = Place(
            centre.place.east_m + radius_m * math.sin(ahead), centre.place.north_m + radius_m * math.cos(ahead)
        )
        fastest_mps = min(craft.speed_mps, math.sqrt(1.2 * radius_m))
        craft.fly(Target(goal, centre.height_m), speed_mps=fastest_mps, end_mps=fastest_mps)
        if on_circle and self._bearing_rad is not None:
            self._swept_rad += way * math.remainder(here - self._bearing_rad, math.tau)
        self._bearing_rad = here if on_circle else None
        craft.target = Target(craft.body.place, centre.height_m)
        return self._swept_rad >= math.tau * max(item.param1 or 0.0, 0.0)

    def _return(self, _item: MissionItem) -> bool:
        if self._homecoming is None:
            self._homecoming = Homecoming(self._craft)
            self._homecoming.begin()
        return self._homecoming.step()

    def _land(self, item: MissionItem) -> bool:
        craft, goal = self._craft, self._goal(item)
        if not craft.landing:
            over = Target(goal.place, craft.body.height_m)
            if craft.body.place.away_m(goal.place) > LEVEL_M:
                craft.fly(over)
                craft.target = over
                return False
        return touch_down(craft, goal.place)

    def _take_off(self, item: MissionItem) -> bool:
        craft = self._craft
        if craft.is_landed:
            if not craft.has_position:
                return False
            craft.is_landed = False
            craft.target = Target(craft.body.place, 0.0)
            craft.say(Severity.INFO, "Takeoff")
        height_m = max(craft.height_of(item), craft.body.height_m)
        craft.fly(Target(craft.target.place, height_m))
        return craft.body.height_m >= height_m - 1.0

    def _delay(self, item: MissionItem) -> bool:
        """Wait param 1 seconds, or until a time of day in UTC (params 2 to 4: hour, minute, second, -1 any)."""
        craft = self._craft
        if not self._until_us:
            self._until_us = craft.utc_us + round(1e6 * _delay_s(item, craft.utc_us / 1e6 % DAY_S))
        craft.hold()
        return craft.utc_us >= self._until_us


def _delay_s(item: MissionItem, day_s: float) -> float:
    seconds = -1.0 if item.param1 is None else item.param1
    if seconds >= 0.0:
        return seconds
    hour, minute, second = (-1.0 if value is None else value for value in (item.param2, item.param3, item.param4))
    if hour < 0.0:
        period_s, at_s = (
            (3600.0, max(minute, 0.0) * 60.0 + max(second, 0.0)) if minute >= 0.0 else (60.0, max(second, 0.0))
        )
    else:
        period_s, at_s = float(DAY_S), hour * 3600.0 + max(minute, 0.0) * 60.0 + max(second, 0.0)
    return (at_s - day_s) % period_s
