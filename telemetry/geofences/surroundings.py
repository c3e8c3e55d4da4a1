"""The borders near one device: a way that touches none of them changes nothing, which is seen without the index."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.spread import Rows

REACH_E7: Final = 10_000
"""Half the side of a surrounding: some 100 m, ten seconds of a car in a town."""
EDGES_AT_MOST: Final = 500
"""With more borders about it a place is left to the index: a surrounding of so many takes 32 KB."""


class Surrounding:
    """The edges of all fences in a box about a place, as they were laid; made by `surrounding_of` for one sort of unit."""

    __slots__ = ("_edges", "_ends", "_sides", "sort")

    def __init__(self, sort: int, sides: tuple[int, int, int, int], edges: NDArray[np.int64]) -> None:
        self.sort = sort
        self._sides = sides
        self._edges = edges
        x1, y1, x2, y2 = edges.T
        self._ends = np.minimum(x1, x2), y1.copy(), np.maximum(x1, x2), y2.copy()

    def holds(self, lon_e7: int, lat_e7: int) -> bool:
        """Tell whether a place lies in the box."""
        west, south, east, north = self._sides
        return west <= lon_e7 <= east and south <= lat_e7 <= north

    def is_free(self, x1: int, y1: int, x2: int, y2: int) -> bool:
        """Tell whether the straight way between two places (1e-7 degrees) stays in the box and touches no border. Exact."""
        if not (self.holds(x1, y1) and self.holds(x2, y2)):
            return False
        left, right = (x1, x2) if x1 < x2 else (x2, x1)
        low, high = (y1, y2) if y1 < y2 else (y2, y1)
        wests, souths, easts, norths = self._ends
        near = (wests <= right) & (easts >= left) & (souths <= high) & (norths >= low)
        if not near.any():
            return True
        return not any(_meet((x1, y1, x2, y2), edge) for edge in self._edges[near].tolist())


def surrounding_of(index: GeofenceIndex, sort: int, lon_e7: int, lat_e7: int) -> Surrounding | None:
    """Return what lies about a place; None where a fence near it holds only at times, at heights or for speeds. About 60 us."""
    west, south, east, north = sides = lon_e7 - REACH_E7, lat_e7 - REACH_E7, lon_e7 + REACH_E7, lat_e7 + REACH_E7
    fences = (index.alive & _overlap(index.boxes, sides)).nonzero()[0]
    if not index.rules.is_constant[fences].all():
        return None
    x1, y1, x2, y2 = (edges := _edges_of(index, fences)).T
    near = (np.minimum(x1, x2) <= east) & (np.maximum(x1, x2) >= west) & (y1 <= north) & (y2 >= south)
    edges = edges[near]
    return None if len(edges) > EDGES_AT_MOST else Surrounding(sort, sides, edges)


def _edges_of(index: GeofenceIndex, fences: Rows) -> NDArray[np.int64]:
    return index.edges_of(fences)[1] if len(fences) else np.zeros((0, 4), np.int64)


def _overlap(boxes: NDArray[Any], sides: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    west, south, east, north = sides
    overlap: NDArray[np.bool_] = (boxes[0] <= east) & (boxes[2] >= west) & (boxes[1] <= north) & (boxes[3] >= south)
    return overlap


def _meet(way: tuple[int, int, int, int], edge: list[int]) -> bool:
    """Tell whether two straight lines, whose boxes overlap, have a point in common."""
    return not (_is_beside(way, edge) or _is_beside(edge, way))


def _is_beside(line: tuple[int, ...] | list[int], other: tuple[int, ...] | list[int]) -> bool:
    """Tell whether both ends of one line lie on the same side of the other, and neither on it."""
    x1, y1, x2, y2 = other
    run, rise = x2 - x1, y2 - y1
    first = run * (line[1] - y1) - rise * (line[0] - x1)
    second = run * (line[3] - y1) - rise * (line[2] - x1)
    return (first > 0 and second > 0) or (first < 0 and second < 0)
