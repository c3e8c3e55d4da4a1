"""The air that a drone flies in: a steady wind, and gusts about it that come and go."""

import math
from typing import Final

import numpy as np

GUST_KEEPS: Final = 0.95
"""Of a gust, what is left of it after a tenth of a second."""
GUST_MPS: Final = 0.04
CALM_GUST_MPS: Final = 0.04
"""What moves a drone about even in still air."""


class Wind:
    """Wind from a direction; `gust_mps` is the standard deviation of what is added each tenth of a second."""

    def __init__(self, random: np.random.Generator, *, from_deg: float = 0.0, speed_mps: float = 0.0) -> None:
        self._random = random
        self.from_deg = from_deg
        self.speed_mps = speed_mps
        self.gust_east_mps = 0.0
        self.gust_north_mps = 0.0

    @property
    def east_mps(self) -> float:
        """The steady wind's way eastward."""
        return -self.speed_mps * math.sin(math.radians(self.from_deg))

    @property
    def north_mps(self) -> float:
        """The steady wind's way northward."""
        return -self.speed_mps * math.cos(math.radians(self.from_deg))

    def step(self) -> None:
        """Let the gusts change for a tenth of a second."""
        gust_mps = CALM_GUST_MPS + GUST_MPS * self.speed_mps / 10.0
        east_mps, north_mps = self._random.normal(0.0, gust_mps, 2).tolist()
        self.gust_east_mps = GUST_KEEPS * self.gust_east_mps + east_mps
        self.gust_north_mps = GUST_KEEPS * self.gust_north_mps + north_mps
