"""How soon the whole coverage of a city is known: 500 units in three modes against networkx and pandana.

Times are CPU time of this process, medians over the runs. Our tick puts the units on the roads, labels every node with the two
nearest of them, reckons shares by one and by two units, of every zone, the expected response and what each unit alone covers, and
draws the contours of 1, 3 and 5 minutes. The peers only answer its first question, which unit is nearest to every node: networkx
by one multi-source search a mode, pandana by its nearest points of interest on reversed edges (it measures from nodes to points).
So there are two readings of each ratio: `ratio_...` sets the peer's answer against our whole tick, `nearest_ratio_...` against our
labels of the nearest unit alone. Gaps and ring are reckoned every third second, and stand apart.
"""

import contextlib
import importlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from console.bench import Figures, Goal
from mission.cover.contours import LIVE_CELL_M, Field, Surface, field_of
from mission.cover.coverage import FARTHEST_S, LIMITS_S, Coverage, CoverageNow
from mission.cover.gaps import Gaps
from mission.cover.ground import GroundUnits, Standing, stand, station_posts
from mission.cover.ring import Ring
from mission.roads.graph import RoadGraph
from mission.roads.labels import merge_labels
from mission.roads.travel import GROUND_MODES, TravelMode, network_of
from telemetry.model.errors import UnavailableError
from telemetry.model.geodesy import Floats

UNITS: Final = 500
STATIONS: Final = 14
MODES: Final = (TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.FOOT)
GOALS: Final[dict[str, Goal]] = {
    "ratio_networkx": (">=", 10.0),
    "ratio_pandana": (">=", 5.0),
    "max_error_s": ("<=", 0.001),
    "tick_ms": ("<=", 60.0),
}


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Measure on the demo city, or on an OpenStreetMap extract. Raises UnavailableError where a peer is not installed."""
    graph = roads_of(seed, osm)
    scene = Scene(graph, seed)
    peers: dict[str, Callable[[], object]] = {"networkx": Networkx(scene).nearest, "pandana": Pandana(scene).nearest}
    scene.tick()  # what is made once is made
    ours_ms, nearest_ms, shapes_ms = [], [], []
    peers_ms: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        ours_ms.append(statistics.median(cpu_ms(scene.tick) for _ in range(3)))
        nearest_ms.append(statistics.median(cpu_ms(scene.nearest) for _ in range(3)))
        shapes_ms.append(cpu_ms(scene.gaps_and_ring))
        for name, answer in peers.items():
            peers_ms[name].append(cpu_ms(answer))
    figures: dict[str, float | int | str | None] = {
        "map": "demo city" if osm is None else osm.name,
        "nodes": graph.node_count,
        "streets": graph.streets.count,
        "units": UNITS,
        "modes": len(MODES),
        "tick_ms": round(statistics.median(ours_ms), 2),
        "nearest_ms": round(statistics.median(nearest_ms), 2),
        "gaps_and_ring_ms": round(statistics.median(shapes_ms), 2),
        "max_error_s": round(Networkx(scene).worst_error_s(), 6),
    }
    for name, times_ms in peers_ms.items():
        figures[f"{name}_ms"] = round(statistics.median(times_ms), 2)
        figures[f"ratio_{name}"] = _ratio(times_ms, ours_ms)
        figures[f"nearest_ratio_{name}"] = _ratio(times_ms, nearest_ms)
    return Figures(figures=figures, goals=GOALS)


class Scene:
    """A map with stations and units at random places along its roads."""

    def __init__(self, graph: RoadGraph, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.graph = graph
        posts = random.choice(graph.node_count, STATIONS, replace=False)
        stations = station_posts(
            range(STATIONS), graph.node_lat_deg[posts], graph.node_lon_deg[posts], ring_order=range(STATIONS)
        )
        self.coverage = Coverage(graph, stations)
        self.units = _units(graph, random)
        self.field: Field = field_of(graph, cell_m=LIVE_CELL_M)
        self.standing: Standing = stand(graph, self.coverage.index, self.units)
        self._gaps, self._ring = Gaps(self.coverage, self.field), Ring(self.coverage)
        self.now: CoverageNow = self.coverage.now(self.units)
        self.surface = Surface(self.field, self.now.nearest.seconds[0])

    def tick(self) -> object:
        """Reckon the metrics and the contours."""
        self.now = self.coverage.now(self.units, hour_of_week=12)
        self.surface = Surface(self.field, self.now.nearest.seconds[0])
        return [self.surface.within(limit_s) for limit_s in LIMITS_S]

    def nearest(self) -> Floats:
        """Answer the peers' question alone: the seconds of the nearest unit of every node."""
        labels = []
        for mode in np.unique(self.standing.mode).tolist():
            ways = self.coverage.ways(mode, 12)
            labels.append(ways.labels(self.standing.of_mode(mode), limits_s=(FARTHEST_S,)))
        return np.asarray(merge_labels(labels).seconds[0].take(self.coverage.skeleton.place_of_node), np.float64)

    def gaps_and_ring(self) -> object:
        """Reckon what is reckoned every third second besides."""
        rows = np.arange(len(self.units), dtype=np.int32) % STATIONS
        return (
            self._gaps.find(self.now, self.surface),
            self._gaps.opened_km2(self.now),
            self._ring.now(self.now.standing, rows),
        )

    def starts(self, mode: TravelMode) -> Iterator[tuple[int, float]]:
        """Give the nodes where the units of a mode enter the network, and the seconds before."""
        stands = self.standing.of_mode(GROUND_MODES.index(mode))
        network, streets = network_of(self.graph, mode, hour=12), self.graph.streets
        ahead_s, back_s = network.forward_s[stands.street], network.backward_s[stands.street]
        length_m, along = streets.length_m[stands.street], stands.along_ratio
        either_s = np.minimum(ahead_s, back_s)
        to_head_s = (1.0 - along) * np.where((1.0 - along) * length_m <= 10.0, either_s, ahead_s)
        to_tail_s = along * np.where(along * length_m <= 10.0, either_s, back_s)
        for nodes, seconds in ((streets.head, to_head_s), (streets.tail, to_tail_s)):
            rows = np.flatnonzero(np.isfinite(seconds))
            yield from zip(nodes[stands.street[rows]].tolist(), seconds[rows].tolist(), strict=True)


class Networkx:
    """The nearest unit of every node by networkx: one more node from which the units of a mode start."""

    def __init__(self, scene: Scene) -> None:
        networkx = peer("networkx")
        self._search = networkx.multi_source_dijkstra_path_length
        self._scene = scene
        self._graphs = []
        for mode in MODES:
            matrix = network_of(scene.graph, mode, hour=12).matrix.tocoo()
            graph = networkx.DiGraph()
            graph.add_nodes_from(range(scene.graph.node_count))
            graph.add_weighted_edges_from(zip(*_lists(matrix.row, matrix.col, matrix.data), strict=True))
            for node, seconds in scene.starts(mode):
                if seconds < graph.get_edge_data(-1, node, {"weight": np.inf})["weight"]:
                    graph.add_edge(-1, node, weight=seconds)
            self._graphs.append(graph)

    def nearest(self) -> list[dict[int, float]]:
        """Return the seconds by node of each mode."""
        return [self._search(graph, {-1}, cutoff=FARTHEST_S) for graph in self._graphs if -1 in graph]

    def worst_error_s(self) -> float:
        """Return the greatest difference to ours at any node; a node that one alone reaches counts as the whole limit."""
        expected = np.full(self._scene.graph.node_count + 1, np.inf)
        for found in self.nearest():
            nodes = np.fromiter(found.keys(), np.int64)
            np.minimum.at(expected, nodes, np.fromiter(found.values(), np.float64))
        both = np.column_stack((expected[:-1], self._scene.nearest()))
        return float(np.abs(np.diff(np.minimum(both, FARTHEST_S), axis=1)).max())


class Pandana:
    """The nearest unit of every node by pandana: points of interest on reversed edges."""

    def __init__(self, scene: Scene) -> None:
        pandana, pandas = peer("pandana"), peer("pandas")
        self._networks = []
        graph, units = scene.graph, scene.units
        for mode in MODES:
            matrix = network_of(graph, mode, hour=12).matrix.tocoo()
            ends = [pandas.Series(column) for column in (matrix.col, matrix.row)]
            with _quiet():
                network = pandana.Network(
                    pandas.Series(graph.node_lon_deg),
                    pandas.Series(graph.node_lat_deg),
                    *ends,
                    pandas.DataFrame({"seconds": matrix.data}),
                    twoway=False,
                )
            mine = units.mode == GROUND_MODES.index(mode)
            self._networks.append((network, pandas.Series(units.lon_deg[mine]), pandas.Series(units.lat_deg[mine])))

    def nearest(self) -> list[Any]:
        """Return the seconds by node of each mode."""
        found = []
        for network, lon_deg, lat_deg in self._networks:
            network.set_pois("units", FARTHEST_S, 1, lon_deg, lat_deg)
            found.append(network.nearest_pois(FARTHEST_S, "units", num_pois=1))
        return found


def roads_of(seed: int, osm: Path | None) -> RoadGraph:
    """Return the roads of an extract, or of the demo city that grows from the seed."""
    if osm is not None:
        from mission.roads.osm import read_osm

        return read_osm(osm).roads
    from console.demo.city import lay_out

    return lay_out(seed)[2]


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds that work takes."""
    started_s = time.process_time()
    work()
    return 1000.0 * (time.process_time() - started_s)


def _units(graph: RoadGraph, random: np.random.Generator) -> GroundUnits:
    streets = graph.streets
    street, along = random.integers(0, streets.count, UNITS), random.random(UNITS)
    tail, head = streets.tail[street], streets.head[street]
    places = [
        column[tail] + along * (column[head] - column[tail]) for column in (graph.node_lat_deg, graph.node_lon_deg)
    ]
    modes = np.array([GROUND_MODES.index(mode) for mode in MODES], np.int32)
    ids = np.arange(UNITS, dtype=np.int32)
    return GroundUnits(ids, ids % STATIONS, places[0], places[1], modes[ids % len(modes)], np.full(UNITS, 20.0))


def peer(name: str) -> Any:  # noqa: ANN401 - a module without types
    """Return a peer's module. Raises UnavailableError, with what to do, where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"this benchmark compares with {name}, which is not installed: `uv sync --group dev` installs it"
        raise UnavailableError(message) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let what a library's own code prints go to the standard error output: ours is read by programs."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _lists(*columns: Any) -> list[list[Any]]:  # noqa: ANN401 - arrays of any kind
    return [column.tolist() for column in columns]


def _ratio(theirs_ms: list[float], ours_ms: list[float]) -> float:
    return round(statistics.median(theirs / ours for theirs, ours in zip(theirs_ms, ours_ms, strict=True)), 2)
