"""Where the demo's patrols stand towards the far ends of their station's zone: on the way to the neighbours in the ring."""

from typing import Final

import numpy as np
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import Ints, RoadGraph
from telemetry.model.geodesy import Floats

WAY_RATIO: Final = 0.3
"""So far along the fastest way (by time) to the neighbour; the zones meet about the middle."""


def far_ends(graph: RoadGraph, stations: Ints) -> list[tuple[int, int]]:
    """Return for each station (nodes, in ring order) the node before it and the one after it in the ring; 15 ms a station."""
    count = len(stations)
    ends = []
    for place, station in enumerate(stations.tolist()):
        seconds, before = dijkstra(graph.matrix, indices=station, return_predecessors=True)
        around = [int(stations[(place + step) % count]) for step in (-1, 1)]
        ends.append(tuple(_on_the_way(seconds, before, station, neighbour) for neighbour in around))
    return [(first, second) for first, second in ends]


def _on_the_way(seconds: Floats, before: Ints, station: int, neighbour: int) -> int:
    way = [neighbour]
    while way[-1] != station:
        way.append(int(before[way[-1]]))
    return way[int(np.abs(seconds[way] - WAY_RATIO * seconds[neighbour]).argmin())]
