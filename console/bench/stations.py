"""How soon the 1, 3 and 5-minute zones of a hundred stations are drawn, against one networkx search a station.

Times are CPU time of this process, medians over the runs. Ours are whole: each station's seconds to every node within five
minutes by car, as contours in the plane. networkx answers the first half alone, once a station, with the same limit.
"""

import statistics
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms, peer, roads_of
from mission.cover.contours import STATION_CELL_M, field_of
from mission.cover.coverage import LIMITS_S, Coverage
from mission.cover.ground import station_posts
from mission.cover.station_zones import StationZones
from mission.roads.graph import ACCESS_CAR, RoadGraph
from mission.roads.travel import TravelMode, network_of
from telemetry.model.geodesy import Floats

STATIONS: Final = 100
GOALS: Final[dict[str, Goal]] = {
    "ratio_networkx": (">=", 10.0),
    "max_error_s": ("<=", 0.001),
    "ms": ("<=", 60.0),
}


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Measure on the demo city, or on an OpenStreetMap extract. Raises UnavailableError where networkx is not installed."""
    graph = roads_of(seed, osm)
    nodes = _corners(graph, seed)
    stations = station_posts(range(STATIONS), graph.node_lat_deg[nodes], graph.node_lon_deg[nodes])
    zones = StationZones(Coverage(graph, stations), field_of(graph, cell_m=STATION_CELL_M))
    theirs = Networkx(graph)
    zones.draw()  # what is made once is made
    ours_ms, seconds_ms, theirs_ms = [], [], []
    for _ in range(runs):
        ours_ms.append(statistics.median(cpu_ms(zones.draw) for _ in range(3)))
        seconds_ms.append(statistics.median(cpu_ms(zones.seconds) for _ in range(3)))
        theirs_ms.append(cpu_ms(lambda: theirs.seconds(nodes.tolist())))
    ratios = [theirs / ours for theirs, ours in zip(theirs_ms, ours_ms, strict=True)]
    figures: dict[str, float | int | str | None] = {
        "map": "demo city" if osm is None else osm.name,
        "nodes": graph.node_count,
        "stations": STATIONS,
        "polygons": sum(len(shapes) for station in zones.draw() for shapes in station),
        "ms": round(statistics.median(ours_ms), 2),
        "seconds_ms": round(statistics.median(seconds_ms), 2),
        "networkx_ms": round(statistics.median(theirs_ms), 2),
        "ratio_networkx": round(statistics.median(ratios), 2),
        "max_error_s": round(_worst_error_s(zones.seconds(), theirs.seconds(nodes.tolist()), graph), 6),
    }
    return Figures(figures=figures, goals=GOALS)


class Networkx:
    """One search a station."""

    def __init__(self, graph: RoadGraph) -> None:
        networkx = peer("networkx")
        matrix = network_of(graph, TravelMode.CAR).matrix.tocoo()
        self._graph = networkx.DiGraph()
        self._graph.add_nodes_from(range(graph.node_count))
        rows = zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True)
        self._graph.add_weighted_edges_from(rows)
        self._search: Any = networkx.single_source_dijkstra_path_length

    def seconds(self, nodes: list[int]) -> list[dict[int, float]]:
        """Return the seconds by node from each of the nodes."""
        return [self._search(self._graph, node, cutoff=LIMITS_S[-1]) for node in nodes]


def _corners(graph: RoadGraph, seed: int) -> NDArray[np.int64]:
    """Draw nodes whose streets cars may use both ways: the peer starts at nodes alone, ours from where the station stands."""
    streets = graph.streets
    is_both = (streets.access & streets.back_access & ACCESS_CAR) != 0
    ends = np.concatenate((streets.tail, streets.head))
    count = graph.node_count
    is_good = np.bincount(ends, np.tile(is_both, 2), count) == np.bincount(ends, minlength=count)
    nodes = np.intersect1d(np.flatnonzero(is_good), ends)
    return np.random.default_rng(seed).choice(nodes, STATIONS, replace=len(nodes) < STATIONS).astype(np.int64)


def _worst_error_s(ours: Floats, theirs: list[dict[int, float]], graph: RoadGraph) -> float:
    """Return the greatest difference at a node; one that one alone reaches counts as the whole limit."""
    worst_s = 0.0
    for row, found in zip(ours, theirs, strict=True):
        expected = np.full(graph.node_count, np.inf)
        expected[np.fromiter(found.keys(), np.int64)] = np.fromiter(found.values(), np.float64)
        both = np.minimum(np.vstack((row, expected)), LIMITS_S[-1])
        worst_s = max(worst_s, float(np.abs(both[0] - both[1]).max()))
    return worst_s
