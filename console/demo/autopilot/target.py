"""Where the drone is told to fly in GUIDED: a place and a height, or a velocity that must be told again and again."""

from typing import Final

from console.demo.autopilot.body import STEP_S, Place

VELOCITY_HOLDS_S: Final = 3.0
"""A velocity that is not told again for so long is over."""


class Target:
    """A place at a height above home; or, with `drift`, a velocity over ground."""

    def __init__(
        self, place: Place, height_m: float, *, speed_mps: float | None = None, heading_deg: float | None = None
    ) -> None:
        self.place: Final = place
        self.height_m: Final = height_m
        self.speed_mps: Final = speed_mps
        self.heading_deg: Final = heading_deg
        self.east_mps = self.north_mps = self.climb_mps = 0.0
        self.is_velocity = False
        self._left_s = 0.0

    def drift(self, east_mps: float, north_mps: float, climb_mps: float) -> "Target":
        """Make it a velocity, and return it."""
        self.east_mps, self.north_mps, self.climb_mps = east_mps, north_mps, climb_mps
        self.is_velocity, self._left_s = True, VELOCITY_HOLDS_S
        return self

    def wait(self) -> None:
        """Let a step pass; a velocity that was told too long ago becomes none."""
        self._left_s -= STEP_S
        if self._left_s <= 0.0:
            self.east_mps = self.north_mps = self.climb_mps = 0.0
