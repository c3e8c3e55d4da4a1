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
_LEAST_M: Final = 1e-9
_PAIRS_AT_ONCE: Final = 200_000
_MOST_CORNERS: Final = 800
_FEW_CORNERS: Final = 24
_ROUNDED_RATIO: Final = 0.02
_MOST_ROUNDED_M: Final = 15.0


class ClosedAir(Protocol):
    """What of a sky is asked here: the air where nothing may fly, one shapely geometry in its plane."""

    @property
    def closed(self) -> Shape:
        """The union of all that is closed, metres east and north."""


class Ways:
    """The shortest ways round one closed area; its graph of sight is reckoned once, when a straight way is first blocked.

    About 0.3 us a pair of corners. Among zones of more than 800 corners ways bend round outlines that are rounded off by up to
    2 % of a zone's size (15 m at most), and round the zones' own corners where these leave no way. A place inside the closed
    area is reached by no way.
    """

    def __init__(self, closed: Shape, *, is_exact: bool = False) -> None:
        self.closed = closed
        self.is_exact = is_exact or shapely.get_num_coordinates(closed) <= _MOST_CORNERS
        self.kept_off = closed.buffer(CLEAR_M, join_style="mitre")
        self._wall = closed.buffer(CLEAR_M / 2.0, join_style="mitre")
        shapely.prepare(self._wall)
        shapely.prepare(self.closed)

    @cached_property
    def shut(self) -> Shape:
        """The closed area and the gaps in it that are too narrow to be entered."""
        return shapely.union(self.closed, self.kept_off.buffer(-CLEAR_M, join_style="mitre"))

    @cached_property
    def _bends(self) -> Floats:
        """The corners round which a way may bend, with the borders before and after them: (corners, 3, 2)."""
        parts = self.kept_off if self.is_exact else [_rounded_off(part) for part in shapely.get_parts(self.closed)]
        bends = np.concatenate([np.zeros((0, 3, 2)), *(_bends(part) for part in shapely.get_parts(parts))])
        return bends if self.is_exact else bends[~shapely.intersects_xy(self._wall, bends[:, 0, 0], bends[:, 0, 1])]

    @property
    def corners(self) -> Floats:
        """The corners round which a shortest way may bend, (corners, 2)."""
        return self._bends[:, 0]

    @cached_property
    def _exactly(self) -> "Ways":
        """The same with every corner, for where the fewer show no way."""
        return Ways(self.closed, is_exact=True)

    @cached_property
    def _graph(self) -> tuple[NDArray[np.intp], Floats]:
        """Pairs of corners (pairs, 2) that see each other, and the metres between them."""
        first, second = np.triu_indices(len(self.corners), 1)
        way = self.corners[second] - self.corners[first]
        passes = self._passes(first, way) & self._passes(second, way)
        first, second = first[passes], second[passes]
        seen = self.sees(self.corners[first], self.corners[second])
        pairs = np.column_stack((first[seen], second[seen]))
        return pairs, _metres(self.corners[pairs[:, 0]], self.corners[pairs[:, 1]])

    def _passes(self, corner: NDArray[np.intp], way: Floats) -> NDArray[np.bool_]:
        """Tell which ways (n, 2) pass by their corner (n,) and do not run into its zone: only these are of a shortest way."""
        before, after = self._bends[corner, 1], self._bends[corner, 2]
        sides = _cross(way, before) * _cross(way, after)
        passes: NDArray[np.bool_] = sides <= _LEAST_M * (way**2).sum(axis=1)
        return passes

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
        return found if self.is_exact or np.isfinite(found).all() else self._exactly.between(places)

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
                return None if self.is_exact else self._exactly.way(start, end)
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
        passes = self._passes(corner, self.corners[corner] - places[place])
        place, corner = place[passes], corner[passes]
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
    """Return the corners of a polygon that stick out of it, those of its holes that stick into them: (n, 3, 2) as above."""
    rings = [(part.exterior, 1.0), *((hole, -1.0) for hole in part.interiors)]
    return np.concatenate([_sticking_out(ring, side_factor) for ring, side_factor in rings])


def _sticking_out(ring: Shape, side_factor: float) -> Floats:
    points = shapely.get_coordinates(ring)[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    is_left = 1.0 if shapely.is_ccw(ring) else -1.0
    sticks = _cross(before, after) * is_left * side_factor > 0.0
    return np.stack((points, before, after), axis=1)[sticks]


def _rounded_off(part: Shape) -> Shape:
    """Return an outline with fewer corners that keeps off a polygon as the exact one does; that of few corners is exact."""
    if shapely.get_num_coordinates(part) <= _FEW_CORNERS:
        return part.buffer(CLEAR_M, join_style="mitre")
    rounded_m = min(_ROUNDED_RATIO * float(part.area) ** 0.5, _MOST_ROUNDED_M)
    return part.buffer(CLEAR_M + rounded_m, join_style="mitre").simplify(rounded_m)


def _cross(first: Floats, second: Floats) -> Floats:
    across: Floats = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return across


def _metres(start: Floats, end: Floats) -> Floats:
    apart: Floats = np.hypot(*(end - start).T)
    return apart


def _tidy(places: Floats) -> Floats:
    """Leave out places that are the one before again."""
    keep = np.concatenate(([True], _metres(places[:-1], places[1:]) > _LEAST_M))
    tidy: Floats = places[keep]
    return tidy if len(tidy) > 1 else places[[0, -1]]
