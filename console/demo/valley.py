"""The shape of the demo valley: river, hill edges, and a map from (column, share) to the ground that bends with them."""

from typing import Final, NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from console.demo import city_table as table
from telemetry.model.geodesy import Floats

STEP_M: Final = 25.0
BANK_M: Final = table.RIVER_HALF_WIDTH_M + 55.0
_TURN_SMOOTHING_M: Final = 1800.0
_WAVES: Final = 5


class Ground(NamedTuple):
    """Places in the city's plane: metres east and north of the origin; arrays of one shape."""

    east_m: Floats
    north_m: Floats


class Waves:
    """A smooth seeded field of displacements, the same everywhere for one seed."""

    def __init__(self, random: np.random.Generator, height_m: float, length_m: float) -> None:
        angle = random.uniform(0.0, 2.0 * np.pi, _WAVES)
        number = 2.0 * np.pi / (length_m * random.uniform(0.7, 1.4, _WAVES))
        self._east, self._north = number * np.cos(angle), number * np.sin(angle)
        self._phase = random.uniform(0.0, 2.0 * np.pi, _WAVES)
        self._height = height_m / np.sqrt(_WAVES)

    def at(self, east_m: Floats, north_m: Floats) -> Floats:
        """Return the field's value in metres at places."""
        phases = np.multiply.outer(east_m, self._east) + np.multiply.outer(north_m, self._north) + self._phase
        return np.asarray(np.sin(phases).sum(axis=-1) * self._height, np.float64)


class Valley:
    """River, banks and hill edges of one seed.

    A column is metres east at which a line across the valley leaves the river; a share is 0 at the riverside and 1 at the
    hills; `side` is 1 north and -1 south of the river.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self.columns_m = np.arange(table.PROFILE_EAST_M[0], table.PROFILE_EAST_M[-1] + STEP_M, STEP_M)
        self.river_north_m = self._profile(table.RIVER_NORTH_M, random, 45.0)
        self.edge_north_m = {
            1: self._profile(table.EDGE_NORTH_M, random, 60.0),
            -1: self._profile(table.EDGE_SOUTH_M, random, 60.0),
        }
        self.river_half_width_m = table.RIVER_HALF_WIDTH_M * (1.0 + 0.12 * self._ripple(random, 3000.0))
        self._bend = (Waves(random, 45.0, 2600.0), Waves(random, 45.0, 2600.0))
        self._ends = {side: self._hill_ends(side) for side in (1, -1)}

    def _profile(self, heights: tuple[int, ...], random: np.random.Generator, ripple_m: float) -> Floats:
        smooth = PchipInterpolator(table.PROFILE_EAST_M, heights)(self.columns_m)
        smooth = gaussian_filter1d(smooth, 330.0 / STEP_M, mode="nearest")
        return np.asarray(smooth + ripple_m * self._ripple(random, 2200.0), np.float64)

    def _ripple(self, random: np.random.Generator, length_m: float) -> Floats:
        return Waves(random, 1.0, length_m).at(self.columns_m, np.zeros_like(self.columns_m))

    def _hill_ends(self, side: int) -> Floats:
        """Return for each column where (metres east) its line meets the hills: square to the valley, never crossing."""
        middle = (self.edge_north_m[1] + self.edge_north_m[-1] + self.river_north_m) / 3.0
        slope = np.gradient(gaussian_filter1d(middle, _TURN_SMOOTHING_M / STEP_M, mode="nearest"), STEP_M)
        depth = self.edge_north_m[side] - self.river_north_m
        ends = self.columns_m - 0.8 * slope * gaussian_filter1d(depth, 900.0 / STEP_M, mode="nearest")
        steps = np.maximum(np.diff(gaussian_filter1d(ends, 500.0 / STEP_M, mode="nearest")), 0.35 * STEP_M)
        line = np.concatenate(([0.0], np.cumsum(steps)))
        return np.asarray(line - line.mean() + ends.mean(), np.float64)

    def bank(self, side: int, column_m: Floats, away_m: float = BANK_M) -> Ground:
        """Return places beside the river, `away_m` from its middle (square to it)."""
        north = np.interp(column_m, self.columns_m, self.river_north_m)
        slope = np.interp(column_m, self.columns_m, np.gradient(self.river_north_m, STEP_M))
        unit = np.hypot(1.0, slope)
        return Ground(column_m - side * away_m * slope / unit, north + side * away_m / unit)

    def hills(self, side: int, column_m: Floats) -> Ground:
        """Return places at the foot of the hills."""
        east = np.interp(column_m, self.columns_m, self._ends[side])
        return Ground(east, np.interp(east, self.columns_m, self.edge_north_m[side]))

    def place(self, side: int, column_m: Floats, share: Floats) -> Ground:
        """Return places at a share of the way from riverside to hills."""
        bank, hills = self.bank(side, column_m), self.hills(side, column_m)
        east = bank.east_m + share * (hills.east_m - bank.east_m)
        north = bank.north_m + share * (hills.north_m - bank.north_m)
        freedom = 4.0 * share * (1.0 - share)
        return Ground(east + freedom * self._bend[0].at(east, north), north + freedom * self._bend[1].at(east, north))

    def depth_m(self, side: int, column_m: Floats) -> Floats:
        """Return how far it is from riverside to hills."""
        bank, hills = self.bank(side, column_m), self.hills(side, column_m)
        return np.hypot(hills.east_m - bank.east_m, hills.north_m - bank.north_m)

    def river_ring(self) -> Ground:
        """Return the river's outline."""
        slope = np.gradient(self.river_north_m, STEP_M)
        unit, width = np.hypot(1.0, slope), self.river_half_width_m
        east = [self.columns_m - side * width * slope / unit for side in (1, -1)]
        north = [self.river_north_m + side * width / unit for side in (1, -1)]
        return Ground(np.concatenate((east[0], east[1][::-1])), np.concatenate((north[0], north[1][::-1])))

    def floor_ring(self) -> Ground:
        """Return the outline of the valley's floor."""
        north_edge, south_edge = self.hills(1, self.columns_m), self.hills(-1, self.columns_m)
        east = np.concatenate((north_edge.east_m, south_edge.east_m[::-1]))
        return Ground(east, np.concatenate((north_edge.north_m + 130.0, south_edge.north_m[::-1] - 130.0)))
