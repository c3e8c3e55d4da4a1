"""The hills about the demo valley as contour lines: every 40 m, each fifth one an index line."""

from typing import Any, Final

import contourpy
import numpy as np
import shapely

from console.demo.valley import Ground, Valley, Waves
from telemetry.model.geodesy import Floats

CELL_M: Final = 150.0
EAST_M: Final = (-21_000.0, 21_000.0)
NORTH_M: Final = (-12_500.0, 12_500.0)
STEP_M: Final = 40
INDEX_M: Final = 200
FLOOR_MSL_M: Final = 1520.0
RISE_M: Final = 330.0
RISE_OVER_M: Final = 3200.0
FOOT_M: Final = 200.0
SIMPLIFY_M: Final = 22.0
SHORTEST_M: Final = 700.0
_RIDGES: Final = ((150.0, 3400.0), (75.0, 1500.0), (30.0, 700.0))


def contour_lines(valley: Valley, seed: int) -> list[tuple[int, Ground]]:
    """Return (metres above the sea, places along the line) for each contour outside the valley's floor."""
    east, north = np.arange(*EAST_M, CELL_M), np.arange(*NORTH_M, CELL_M)
    heights = _heights(valley, seed, *np.meshgrid(east, north))
    generator: Any = contourpy.contour_generator(east, north, heights)
    lines = []
    first = int(np.ceil((FLOOR_MSL_M + STEP_M / 2) / STEP_M)) * STEP_M
    for level_m in range(first, int(heights.max()), STEP_M):
        for points in generator.lines(float(level_m)):
            line = shapely.simplify(shapely.LineString(points), SIMPLIFY_M)
            if line.length >= SHORTEST_M:
                kept = np.asarray(line.coords)
                lines.append((level_m, Ground(kept[:, 0], kept[:, 1])))
    return lines


def _heights(valley: Valley, seed: int, east_m: Floats, north_m: Floats) -> Floats:
    """Return metres above the sea on a grid: level in the valley, rising and ridged outside."""
    random = np.random.default_rng([seed, 91])
    edges = [np.interp(east_m, valley.columns_m, valley.edge_north_m[side]) for side in (1, -1)]
    beyond_m = np.maximum(np.maximum(north_m - edges[0], edges[1] - north_m) - FOOT_M, 0.0)
    ridges = sum(
        (Waves(random, height_m, length_m).at(east_m, north_m) for height_m, length_m in _RIDGES), np.zeros_like(east_m)
    )
    share = 1.0 - np.exp(-beyond_m / RISE_OVER_M)
    foot = np.minimum(beyond_m / 900.0, 1.0)
    return np.asarray(FLOOR_MSL_M + RISE_M * share + foot * ridges, np.float64)
