"""The first reading of 1-3-5: what each of many stations reaches within 1, 3 and 5 minutes, each alone, as contours."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mission.cover.contours import LEAST_HOLE_M2, LEAST_ISLAND_M2, OFF_ROAD_REACH_M, Field, drawn_within, sound_groups
from mission.cover.coverage import LIMITS_S, Coverage
from mission.roads.graph import Ints
from mission.roads.labels import with_sources
from mission.roads.skeleton import Stands, Ways
from mission.roads.travel import GROUND_MODES, TravelMode
from telemetry.model.geodesy import Floats

_BEYOND: Final = 1.2
"""How far is looked, in limits of five minutes, so that the outermost border is drawn between known times."""


class StationZones:
    """Draws the zones of all stations of a coverage that stand at a road, for one mode, on a raster field of its graph."""

    def __init__(self, coverage: Coverage, field: Field, *, mode: TravelMode = TravelMode.CAR) -> None:
        self._field, self._skeleton = field, coverage.skeleton
        self._ways = coverage.ways(GROUND_MODES.index(mode))
        kept = np.flatnonzero(coverage.has_zone)
        stands = coverage.station_stands.of(kept)
        self.station_index: Final = kept
        self._stands = Stands(stands.street, stands.along_ratio, np.arange(len(kept), dtype=np.int32))
        self._cells = _Cells(coverage, field, self._ways)

    def seconds(self) -> Floats:
        """Return the seconds from each station to each node, shape (stations, nodes); inf beyond five minutes.

        About 25 ms for 100 stations and 50,000 nodes.
        """
        by_place = self._by_place(LIMITS_S[-1])
        return np.asarray(by_place.take(self._skeleton.place_of_node, axis=1), np.float64)

    def draw(self) -> list[list[list[Any]]]:
        """Return for each station and limit (1, 3, 5 minutes) the shapely polygons in the plane that it reaches.

        About 0.5 ms a station.
        """
        direct = self._ways.direct(self._stands)
        order = np.argsort(direct.owner, kind="stable")
        first = np.searchsorted(direct.owner[order], np.arange(len(self._stands.street) + 1))
        groups = []
        for station, junction_s in enumerate(self._at_junctions(LIMITS_S[-1] * _BEYOND)):
            own = order[first[station] : first[station + 1]]
            groups += self._cells.draw(junction_s, direct.node[own], direct.offset_s[own])
        shapes = sound_groups(groups, least_m2=LEAST_ISLAND_M2, least_hole_m2=LEAST_HOLE_M2)
        limits = len(LIMITS_S)
        return [shapes[first_limit : first_limit + limits] for first_limit in range(0, len(shapes), limits)]

    def _at_junctions(self, limit_s: float) -> Floats:
        """Return the seconds from each station to each junction of the skeleton."""
        ways, stands = self._ways, self._stands
        starts = ways.starts(stands)
        count, stations = ways.matrix.shape[0], len(stands.street)
        if not stations:
            return np.zeros((0, count))
        widened = with_sources(ways.matrix, starts.node, starts.owner.astype(np.intp), starts.offset_s, stations)
        found = dijkstra(widened, indices=np.arange(count, count + stations), limit=limit_s)
        return np.asarray(found[:, :count], np.float64)

    def _by_place(self, limit_s: float) -> Floats:
        seconds = self._ways.carried(self._at_junctions(limit_s))
        direct = self._ways.direct(self._stands)
        np.minimum.at(seconds, (direct.owner, direct.node), direct.offset_s)
        seconds[seconds > limit_s] = np.inf
        return seconds


class _Cells:
    """The field's cells in the terms of the skeleton: from which two junctions each is reached, and in how many seconds."""

    def __init__(self, coverage: Coverage, field: Field, ways: Ways) -> None:
        self._field = field
        skeleton = coverage.skeleton
        place = skeleton.place_of_node[field.node]
        self._a, self._b = (end[place] for end in skeleton.place_ends)
        self._from_a, self._from_b = (passed_s[place] + field.off_road_s for passed_s in ways.place_offsets)
        self._order = np.argsort(place, axis=None, kind="stable")
        self._sorted = place.ravel()[self._order]
        self._boxes = _boxes(coverage, field)

    def draw(self, junction_s: Floats, own_places: Ints, own_s: Floats) -> list[list[list[Floats]]]:
        """Return the pieces for each limit, of seconds at the junctions and at places on the station's own chain."""
        reached = np.flatnonzero(np.isfinite(junction_s))
        boxes = self._boxes.take(reached if len(reached) else [len(junction_s)], axis=1)
        low, high = boxes[:2].min(axis=1), boxes[2:].max(axis=1)
        window = (slice(int(low[1]), int(high[1]) + 1), slice(int(low[0]), int(high[0]) + 1))
        seconds = junction_s.take(self._a[window]) + self._from_a[window]
        np.minimum(seconds, junction_s.take(self._b[window]) + self._from_b[window], out=seconds)
        self._add_own(seconds, window, own_places, own_s)
        return drawn_within(self._field, seconds, window, limits_s=LIMITS_S)

    def _add_own(self, seconds: Floats, window: tuple[slice, slice], places: Ints, place_s: Floats) -> None:
        """Take what is reached without leaving the station's chain into the seconds of a window."""
        field = self._field
        first, end = (np.searchsorted(self._sorted, places, side=side) for side in ("left", "right"))
        counts = end - first
        row = np.repeat(np.arange(len(places)), counts)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        cell = self._order[first[row] + rank]
        at_row, at_column = np.divmod(cell, len(field.east_m))
        at_row, at_column = at_row - window[0].start, at_column - window[1].start
        inside = (at_row >= 0) & (at_row < seconds.shape[0]) & (at_column >= 0) & (at_column < seconds.shape[1])
        off_road_s = field.off_road_s.ravel()[cell[inside]]
        np.minimum.at(seconds, (at_row[inside], at_column[inside]), place_s[row[inside]] + off_road_s)


def _boxes(coverage: Coverage, field: Field) -> NDArray[np.int32]:
    """Return for each junction (a column) the cells about all chains that meet there: low column and row, high column and row.

    One more column, the last, is the whole field.
    """
    skeleton, xy_m = coverage.skeleton, coverage.graph.node_xy_m
    margin = int(np.ceil(OFF_ROAD_REACH_M / field.cell_m)) + 2
    low = np.array([field.east_m[0], field.north_m[0]])
    cells = np.rint((xy_m - low) / field.cell_m).astype(np.int32)
    first = skeleton.first_step[:-1]
    steps = np.minimum(cells[skeleton.node_before], cells[skeleton.node_behind])
    chain_low = np.minimum.reduceat(steps, first, axis=0) - margin
    steps = np.maximum(cells[skeleton.node_before], cells[skeleton.node_behind])
    chain_high = np.maximum.reduceat(steps, first, axis=0) + margin
    highest = np.array([len(field.east_m) - 1, len(field.north_m) - 1])
    boxes = np.concatenate((cells[skeleton.junction], cells[skeleton.junction]), axis=1)
    boxes = np.concatenate((boxes, [[0, 0, *highest]])).astype(np.int32)
    for end in skeleton.ends:
        np.minimum.at(boxes[:, :2], end, chain_low)
        np.maximum.at(boxes[:, 2:], end, chain_high)
    return np.ascontiguousarray(np.clip(boxes, 0, np.concatenate((highest, highest))).T, np.int32)
