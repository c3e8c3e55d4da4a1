"""Ways through the air that never cross closed air: the shortest round the corners of no-fly zones, by a graph of sight."""

from functools import cached_property, lru_cache
from typing import Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mission.patterns.flown import Shape
from telemetry.model.geodesy import Floats

CLEAR_M: Final = 0.2
"""Ways that bend round a zone keep so far from it: rounding to 1e-7 degree does not bring them in."""
_NEAR_M: Final = 0.5
"""A start or an end so near to a zone, outside of it, is first led away from it."""
_LEAST_M: Final = 1e-9
_PAIRS_AT_ONCE: Final = 200_000


class ClosedAir(Protocol):
    """What of a sky is asked here: the air where nothing may fly, one shapely geometry in its plane."""

    @property
    def closed(self) -> Shape:
        """The union of all that is closed, metres east and north."""


class Ways:
    """The shortest ways round one closed area; its graph of sight is reckoned once, when a straight way is first blocked.

    About 2 us a pair of corners. A place inside the closed area is reached by no way.
    """

    def __init__(self, closed: Shape) -> None:
        self.closed = closed
        self.kept_off = closed.buffer(CLEAR_M, join_style="mitre")
        self._wall = closed.buffer(CLEAR_M / 2.0, join_style="mitre")
        shapely.prepare(self._wall)
        shapely.prepare(self.closed)

    @cached_property
    def shut(self) -> Shape:
        """The closed area and the gaps in it that are too narrow to be entered."""
        return shapely.union(self.closed, self.kept_off.buffer(-CLEAR_M, join_style="mitre"))

    @cached_property
    def corners(self) -> Floats:
        """The corners round which a shortest way may bend, (corners, 2)."""
        rings = [_bends(part) for part in shapely.get_parts(self.kept_off)]
        return np.concatenate([np.zeros((0, 2)), *rings])

    @cached_property
    def _graph(self) -> tuple[NDArray[np.intp], Floats]:
        """Pairs of corners (pairs, 2) that see each other, and the metres between them."""
        first, second = np.triu_indices(len(self.corners), 1)
        seen = self.sees(self.corners[first], self.corners[second])
        pairs = np.column_stack((first[seen], second[seen]))
        return pairs, _metres(self.corners[pairs[:, 0]], self.corners[pairs[:, 1]])

    def sees(self, start: Floats, end: Floats) -> NDArray[np.bool_]:
        """Tell which straight ways from `start` to `end`, both (n, 2), keep out of the closed area."""
        start, end = np.broadcast_arrays(start, end)
        if self.closed.is_empty:
            return np.ones(len(start), np.bool_)
        blocks = [
            shapely.intersects(self._wall, shapely.linestrings(np.stack((start[at:to], end[at:to]), axis=-2)))
            for at in range(0, len(start), _PAIRS_AT_ONCE)
            for to in [at + _PAIRS_AT_ONCE]
        ]
        return ~np.concatenate(blocks) if blocks else np.zeros(0, np.bool_)

    def between(self, places: Floats) -> Floats:
        """Return the metres of the shortest ways between all places (n, 2), (n, n); inf where there is none.

        About 1 us a pair of places in open air, 5 us among zones.
        """
        count = len(places)
        found: Floats = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
        if self.closed.is_empty:
            return found
        first, second = np.triu_indices(count, 1)
        blocked = ~self.sees(places[first], places[second])
        if blocked.any():
            round_m = dijkstra(self._joined(places), indices=np.arange(count))[:, :count]
            found[first[blocked], second[blocked]] = round_m[first[blocked], second[blocked]]
            found[second[blocked], first[blocked]] = round_m[first[blocked], second[blocked]]
        return found

    def way(self, start: Floats, end: Floats) -> Floats | None:
        """Return the places (k, 2) of the shortest way from `start` to `end`, both included; None where there is none."""
        ends = np.stack((start, end)).astype(np.float64)
        if shapely.intersects_xy(self.closed, ends[:, 0], ends[:, 1]).any():
            return None
        off = np.stack([self._led_away(place) for place in ends])
        if self.sees(off[:1], off[1:])[0]:
            return _tidy(np.stack((ends[0], off[0], off[1], ends[1])))
        _, before = dijkstra(self._joined(off), indices=[0], return_predecessors=True)
        steps = [1]
        while steps[-1] != 0:
            steps.append(int(before[0, steps[-1]]))
            if steps[-1] < 0:
                return None
        bends = self.corners[np.array(steps[-2:0:-1], np.intp) - 2]
        return _tidy(np.concatenate((ends[:1], off[:1], bends, off[1:], ends[1:])))

    def _led_away(self, place: Floats) -> Floats:
        point = shapely.Point(place)
        if self.closed.is_empty or not self._wall.intersects(point):
            return place
        away = shapely.get_coordinates(shapely.shortest_line(point, self.kept_off.boundary))[1]
        return np.asarray(away, np.float64)

    def _joined(self, places: Floats) -> csr_array:
        """Return the graph of the places (first) and the corners (after them), without the straight ways between places."""
        count, corner_count = len(places), len(self.corners)
        place = np.repeat(np.arange(count), corner_count)
        corner = np.tile(np.arange(corner_count), count)
        seen = self.sees(places[place], self.corners[corner])
        place, corner = place[seen], corner[seen]
        pairs, apart_m = self._graph
        rows = np.concatenate((place, pairs[:, 0] + count))
        columns = np.concatenate((corner + count, pairs[:, 1] + count))
        metres = np.concatenate((_metres(places[place], self.corners[corner]), apart_m))
        size = count + corner_count
        one_way = csr_array((np.maximum(metres, _LEAST_M), (rows, columns)), shape=(size, size))
        both_ways: csr_array = one_way + one_way.T
        return both_ways


def way(sky: ClosedAir, start: Floats, end: Floats) -> Floats | None:
    """Return the places (k, 2) of the shortest way from `start` (2,) to `end` (2,), both included, that crosses no closed air.

    None where there is none: a place inside a zone, or one that zones shut in. The graph of sight of one sky is kept.
    """
    return ways_of(sky.closed).way(start, end)


@lru_cache(maxsize=16)
def ways_of(closed: Shape) -> Ways:
    """Return the ways round a closed area (a shapely geometry in a plane), kept for the next who asks for the same."""
    return Ways(closed)


def _bends(part: Shape) -> Floats:
    """Return the corners of a polygon that stick out of it, those of its holes that stick into them."""
    rings = [(part.exterior, 1.0), *((hole, -1.0) for hole in part.interiors)]
    return np.concatenate([_sticking_out(ring, side_factor) for ring, side_factor in rings])


def _sticking_out(ring: Shape, side_factor: float) -> Floats:
    points = shapely.get_coordinates(ring)[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    is_left = 1.0 if shapely.is_ccw(ring) else -1.0
    return np.asarray(points[turn * is_left * side_factor > 0.0], np.float64)


def _metres(start: Floats, end: Floats) -> Floats:
    apart: Floats = np.hypot(*(end - start).T)
    return apart


def _tidy(places: Floats) -> Floats:
    """Leave out places that are the one before again."""
    keep = np.concatenate(([True], _metres(places[:-1], places[1:]) > _LEAST_M))
    tidy: Floats = places[keep]
    return tidy if len(tidy) > 1 else places[[0, -1]]
