"""How a drone comes home: up to its height, to home or the nearest rally point, down, and how it lands anywhere."""

from enum import IntEnum
from typing import Final, Protocol

from console.demo.autopilot.body import STEP_S, Body, Place
from console.demo.autopilot.parameters import Parameters
from console.demo.autopilot.target import Target

OVER_PLACE_M: Final = 1.0
ON_GROUND_M: Final = 0.05
CLOSE_DOWN_MPS: Final = 1.5
"""How fast it may move level while it lands."""


class Lands(Protocol):
    """What flies home: the craft."""

    body: Body
    parameters: Parameters
    home: Place
    landing: bool

    @property
    def rally(self) -> list[tuple[Place, float]]:
        """Where else it may land, each with a height."""

    def fly(self, target: Target, *, end_mps: float = 0.0, speed_mps: float | None = None) -> float:
        """Fly for a step; return how far the target is."""

    def has_landed(self) -> None:
        """Stand on the ground."""


class Leg(IntEnum):
    """How far it has come."""

    CLIMB = 0
    WAY = 1
    WAIT = 2
    DOWN = 3


def touch_down(craft: Lands, place: Place) -> bool:
    """Sink onto a place for a step; tell whether it has landed."""
    craft.landing = True
    body = craft.body
    down_mps = craft.parameters["LAND_SPEED"] / 100.0
    body.fly_to(place, speed_mps=CLOSE_DOWN_MPS)
    body.climb_to(-5.0, up_mps=1.0, down_mps=down_mps)
    if body.height_m > ON_GROUND_M:
        return False
    craft.has_landed()
    return True


class Homecoming:
    """One way home; `begin` where it starts, then `step` until it says that the drone has landed."""

    def __init__(self, craft: Lands) -> None:
        self._craft = craft
        self._leg = Leg.CLIMB
        self._goal = Target(craft.body.place, 0.0)
        self._waited_s = 0.0

    def begin(self) -> None:
        """Choose home or the nearest rally point within RALLY_LIMIT_KM."""
        craft, here = self._craft, self._craft.body
        limit_m = craft.parameters["RALLY_LIMIT_KM"] * 1000.0
        lowest_m = max(here.height_m, craft.parameters["RTL_ALT"] / 100.0)
        ways = [
            (place, max(height_m, lowest_m)) for place, height_m in craft.rally if here.place.away_m(place) <= limit_m
        ]
        place, height_m = min([(craft.home, lowest_m), *ways], key=lambda way: here.place.away_m(way[0]))
        self._goal = Target(place, height_m, speed_mps=craft.parameters["RTL_SPEED"] / 100.0 or None)
        self._leg, self._waited_s = Leg.CLIMB, 0.0
        craft.landing = False

    def step(self) -> bool:
        """Come nearer for a step; tell whether it has landed."""
        craft = self._craft
        match self._leg:
            case Leg.CLIMB:
                craft.fly(Target(craft.body.place, self._goal.height_m))
                self._leg = Leg.WAY if craft.body.height_m >= self._goal.height_m - 1.0 else Leg.CLIMB
            case Leg.WAY:
                self._leg = Leg.WAIT if craft.fly(self._goal) <= OVER_PLACE_M else Leg.WAY
            case Leg.WAIT:
                craft.fly(self._goal)
                self._waited_s += STEP_S
                self._leg = Leg.DOWN if self._waited_s >= craft.parameters["RTL_LOIT_TIME"] / 1000.0 else Leg.WAIT
            case Leg.DOWN:
                return touch_down(craft, self._goal.place)
        return False
