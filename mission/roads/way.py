"""The fastest way from one place to another along a mode's network, as a line to draw."""

import itertools
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import EdgeIndex
from mission.roads.travel import MODE_ACCESS, ModeNetwork

Place: TypeAlias = tuple[float, float]
"""(lat_deg, lon_deg) in WGS-84."""
Line: TypeAlias = tuple[tuple[float, float], ...]
"""[lon, lat] points in degrees, as GeoJSON has them."""
WITHIN_M: Final = 400.0
"""Farther from every street than this a place is off the map, and no way leads there."""
LONGEST_S: Final = 3600.0
_NOTHING_RATIO: Final = 1e-6


class WayFinder:
    """Finds ways on one network. A way costs one search from each end of the first street: about 20 ms at 50,000 nodes."""

    def __init__(self, network: ModeNetwork, index: EdgeIndex) -> None:
        self._network = network
        self._index = index

    def find(self, start: Place, goal: Place) -> Line:
        """Return the fastest way, both places included; empty where none of an hour or less is known."""
        street, along = self._snapped(start, goal)
        if (street < 0).any():
            return ()
        nodes, seconds = self._fastest(street, along)
        direct_s = self._along_one_street(street, along)
        if min(seconds, direct_s) > LONGEST_S:
            return ()
        between = () if direct_s <= seconds else tuple(self._points(nodes))
        return (_point(start), *between, _point(goal))

    def _snapped(self, start: Place, goal: Place) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return streets (-1: off the map) and places along them, 0 at the tail, of start and goal."""
        lat_deg, lon_deg = np.array([start[0], goal[0]]), np.array([start[1], goal[1]])
        access = int(MODE_ACCESS[self._network.mode])
        snapped = self._index.snap(lat_deg, lon_deg, within_m=WITHIN_M, access=access)
        streets = self._network.streets
        street = np.where(snapped.edge >= 0, streets.of_edge[snapped.edge], -1).astype(np.int64)
        return street, snapped.along_ratio

    def _fastest(self, street: NDArray[np.int64], along: NDArray[np.float64]) -> tuple[list[int], float]:
        """Return the nodes of the fastest way from the first to the second place, and its seconds."""
        network, streets = self._network, self._network.streets
        ends = np.array([streets.tail[street], streets.head[street]])
        forward_s, backward_s = network.forward_s[street], network.backward_s[street]
        leave_s = (_part_s(along[0], backward_s[0]), _part_s(1.0 - along[0], forward_s[0]))
        reach_s = (_part_s(along[1], forward_s[1]), _part_s(1.0 - along[1], backward_s[1]))
        found_s, before = dijkstra(network.matrix, indices=ends[:, 0], limit=LONGEST_S, return_predecessors=True)
        total_s = {
            (first, last): leave_s[first] + float(found_s[first, ends[last, 1]]) + reach_s[last]
            for first, last in itertools.product((0, 1), (0, 1))
        }
        (first, last), seconds = min(total_s.items(), key=lambda item: item[1])
        if not np.isfinite(seconds):
            return [], float("inf")
        way = [int(ends[last, 1])]
        while way[-1] != ends[first, 0]:
            way.append(int(before[first, way[-1]]))
        return way[::-1], seconds

    def _along_one_street(self, street: NDArray[np.int64], along: NDArray[np.float64]) -> float:
        """Return the seconds between two places of one street without leaving it, inf where they are not on one."""
        if street[0] != street[1]:
            return float("inf")
        apart = float(along[1] - along[0])
        seconds = self._network.forward_s if apart >= 0 else self._network.backward_s
        return _part_s(abs(apart), seconds[street[0]])

    def _points(self, nodes: list[int]) -> list[tuple[float, float]]:
        graph = self._network.graph
        return [(_short(graph.node_lon_deg[node]), _short(graph.node_lat_deg[node])) for node in nodes]


def _part_s(ratio: float, street_s: float) -> float:
    """Return the seconds of a part of a street; none of it takes no time, also where it may not be used."""
    return 0.0 if ratio < _NOTHING_RATIO else float(ratio * street_s)


def _point(place: Place) -> tuple[float, float]:
    return (_short(place[1]), _short(place[0]))


def _short(angle_deg: float) -> float:
    """Return degrees to a decimetre: more is no help and a third of the message."""
    return round(float(angle_deg), 6)
