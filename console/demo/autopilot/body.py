"""A quadcopter's body: how it speeds up, brakes, climbs, turns and holds against the wind, a tenth of a second at a time."""

import math
from typing import Final, NamedTuple

from console.demo.autopilot.battery import Battery, effort
from console.demo.autopilot.wind import Wind

STEP_S: Final = 0.1
ACCELERATION_MPS2: Final = 2.2
BRAKES_AT: Final = 0.7
"""Of its acceleration, what it plans to brake with."""
TURN_DEGPS: Final = 60.0
FASTEST_AIR_MPS: Final = 20.0
CLIMB_GAIN: Final = 0.6
NEAR_M: Final = 0.3
NOSE_FROM_M: Final = 4.0
"""Nearer than this to its goal it no longer turns its nose there."""


class Place(NamedTuple):
    """A place in the plane that the drone flies in."""

    east_m: float
    north_m: float

    def away_m(self, other: "Place") -> float:
        """Return how far apart two places are."""
        return math.hypot(other.east_m - self.east_m, other.north_m - self.north_m)

    def bearing_deg(self, other: "Place") -> float:
        """Return the direction to another place, 0..360."""
        return math.degrees(math.atan2(other.east_m - self.east_m, other.north_m - self.north_m)) % 360.0


class Body:
    """Where a quadcopter is and how it moves; `move` is called once each STEP_S."""

    def __init__(self, place: Place, wind: Wind, battery: Battery, *, heading_deg: float = 0.0) -> None:
        self.place = place
        self.wind = wind
        self.battery = battery
        self.heading_deg = heading_deg
        self.height_m = 0.0
        """Above the ground, which is flat and as high as the home."""
        self.east_mps = 0.0
        self.north_mps = 0.0
        self.climb_mps = 0.0

    @property
    def speed_mps(self) -> float:
        """Ground speed."""
        return math.hypot(self.east_mps, self.north_mps)

    @property
    def airspeed_mps(self) -> float:
        """Speed through the air, which the wind moves."""
        return math.hypot(self.east_mps - self.wind.east_mps, self.north_mps - self.wind.north_mps)

    @property
    def course_deg(self) -> float:
        """The direction over ground, 0..360."""
        return math.degrees(math.atan2(self.east_mps, self.north_mps)) % 360.0

    def fly_to(self, goal: Place, *, speed_mps: float, end_mps: float = 0.0, heading_deg: float | None = None) -> float:
        """Fly level towards a goal for a step, to be there with `end_mps`; return how far it was, in metres."""
        away_m = self.place.away_m(goal)
        room_m = max(away_m - NEAR_M, 0.0)
        braked_mps = math.sqrt(end_mps * end_mps + 2.0 * BRAKES_AT * ACCELERATION_MPS2 * room_m)
        wished_mps = min(speed_mps, braked_mps)
        share = wished_mps / away_m if away_m > 1e-6 else 0.0
        calm = min(1.0, away_m / 5.0)
        self._speed_up(
            (goal.east_m - self.place.east_m) * share + self.wind.gust_east_mps * calm,
            (goal.north_m - self.place.north_m) * share + self.wind.gust_north_mps * calm,
        )
        self._turn(heading_deg, goal if away_m > NOSE_FROM_M else None)
        return away_m

    def drift(self, east_mps: float, north_mps: float, *, heading_deg: float | None = None) -> None:
        """Fly level with a velocity over ground for a step; (0, 0) brakes and holds."""
        self._speed_up(east_mps, north_mps)
        self._turn(heading_deg, None)

    def climb_to(self, height_m: float, *, up_mps: float, down_mps: float) -> None:
        """Climb or sink towards a height for a step."""
        wished_mps = min(max(CLIMB_GAIN * (height_m - self.height_m), -down_mps), up_mps)
        most_mps = ACCELERATION_MPS2 * STEP_S
        self.climb_mps += min(max(wished_mps - self.climb_mps, -most_mps), most_mps)
        self.height_m = max(0.0, self.height_m + self.climb_mps * STEP_S)

    def spend(self) -> None:
        """Take a step's flying out of the battery, and let the gusts change."""
        self.wind.step()
        self.battery.drain(effort(self.airspeed_mps, self.climb_mps), over_s=STEP_S)

    def stand(self) -> None:
        """Be still on the ground."""
        self.height_m = self.climb_mps = self.east_mps = self.north_mps = 0.0

    def _speed_up(self, east_mps: float, north_mps: float) -> None:
        """Come nearer to a velocity over ground, as far as acceleration and the fastest airspeed allow; move for a step."""
        wind = self.wind
        air_east_mps, air_north_mps = east_mps - wind.east_mps, north_mps - wind.north_mps
        over = math.hypot(air_east_mps, air_north_mps) / FASTEST_AIR_MPS
        if over > 1.0:  # stronger than it: what is left is carried with the wind
            east_mps, north_mps = air_east_mps / over + wind.east_mps, air_north_mps / over + wind.north_mps
        change_east_mps, change_north_mps = east_mps - self.east_mps, north_mps - self.north_mps
        most_mps = ACCELERATION_MPS2 * STEP_S
        share = min(1.0, most_mps / max(math.hypot(change_east_mps, change_north_mps), 1e-9))
        self.east_mps += change_east_mps * share
        self.north_mps += change_north_mps * share
        self.place = Place(self.place.east_m + self.east_mps * STEP_S, self.place.north_m + self.north_mps * STEP_S)

    def _turn(self, heading_deg: float | None, goal: Place | None) -> None:
        """Turn the nose to a heading, or without one to the goal."""
        if heading_deg is None:
            if goal is None:
                return
            heading_deg = self.place.bearing_deg(goal)
        off_deg = (heading_deg - self.heading_deg + 180.0) % 360.0 - 180.0
        most_deg = TURN_DEGPS * STEP_S
        self.heading_deg = (self.heading_deg + min(max(off_deg, -most_deg), most_deg)) % 360.0
