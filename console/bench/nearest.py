"""How soon it is known who should go: the best 10 of 500 units with what their leaving uncovers, against python-igraph.

Times are CPU time of this process. One question is: how soon is each of 500 units in three modes at a place, in the
directions that each may use, which ten suit and are soonest, and what does the leaving of each uncover (from the second
nearest units that the last tick of the coverage knows). igraph answers the first half alone: one search a mode from the
place against the edges to the units. For the ratio both are given where the units stand on the roads; `p99_ms` is our
whole answer, in which all 500 are put on the roads anew.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from console.bench import Figures, Goal
from mission.calls.incident import Category
from mission.calls.recommend import SHOWN, Candidate, Crew, Leaves, arrivals, offered, unsuited_of
from mission.cover.coverage import Coverage, CoverageNow
from mission.cover.ground import GroundUnits, Standing, station_posts
from mission.roads.graph import RoadGraph
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, TravelMode, network_of
from telemetry.model.unit import Service, UnitKind

UNITS: Final = 500
QUESTIONS: Final = 100
PEER_QUESTIONS: Final = 10
STATIONS: Final = 14
MODES: Final = (TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.FOOT)
KINDS: Final = (UnitKind.CAR, UnitKind.MOTORCYCLE, UnitKind.OFFICER)
GOALS: Final[dict[str, Goal]] = {
    "ratio_igraph": (">=", 3.0),
    "p99_ms": ("<=", 10.0),
    "max_error_s": ("<=", 0.001),
}


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Measure on the demo city, or on an OpenStreetMap extract."""
    graph = _roads(seed, osm)
    scene = Scene(graph, seed)
    peer = Peer(graph)
    scene.ask(0)  # matrices and trees are made once
    ours_ms: list[float] = []
    standing_ms: list[float] = []
    ratios: list[float] = []
    for run_number in range(runs):
        first = run_number * QUESTIONS
        ours_ms += [_cpu_ms(partial(scene.ask, number)) for number in range(first, first + QUESTIONS)]
        times_ms = [_cpu_ms(partial(scene.ask_standing, number)) for number in range(first, first + QUESTIONS)]
        peer_ms = [_cpu_ms(partial(peer.ask, scene, number)) for number in range(first, first + PEER_QUESTIONS)]
        standing_ms += times_ms
        ratios.append(statistics.median(peer_ms) / statistics.median(times_ms))
    figures: dict[str, float | int | str | None] = {
        "nodes": graph.node_count,
        "streets": graph.streets.count,
        "units": UNITS,
        "modes": len(MODES),
        "questions": len(ours_ms),
        "p50_ms": round(float(np.percentile(ours_ms, 50)), 3),
        "standing_p50_ms": round(float(np.percentile(standing_ms, 50)), 3),
        "p99_ms": round(float(np.percentile(ours_ms, 99)), 3),
        "ratio_igraph": round(statistics.median(ratios), 2),
        "max_error_s": worst_error_s(scene, peer),
        "map": "demo city" if osm is None else osm.name,
    }
    return Figures(figures=figures, goals=GOALS)


class Scene:
    """A map, its units at junctions and in three modes, a tick of the coverage, and places of calls at junctions."""

    def __init__(self, graph: RoadGraph, seed: int) -> None:
        self.graph = graph
        self._random = np.random.default_rng(seed)
        self.nodes = self._junctions(UNITS)
        self.places = self._junctions(4_096)
        rows = np.arange(UNITS)
        self.mode = rows % len(MODES)
        lat, lon = graph.node_lat_deg[self.nodes], graph.node_lon_deg[self.nodes]
        indexes = np.array([GROUND_MODES.index(mode) for mode in MODES], np.int32)
        turnout_s = np.array([DEFAULT_SPEEDS.turnout_s[MODES[mode]] for mode in self.mode])
        no_station = np.full(UNITS, -1, np.int32)
        self.units = GroundUnits(rows.astype(np.int32), no_station, lat, lon, indexes[self.mode], turnout_s)
        stations = self._junctions(STATIONS)
        posts = station_posts(range(STATIONS), graph.node_lat_deg[stations], graph.node_lon_deg[stations])
        self.coverage = Coverage(graph, posts)
        self.now: CoverageNow = self.coverage.now(self.units)
        self._crews = [
            Crew(unit_id=row, kind=KINDS[mode], service=Service.PATROL) for row, mode in enumerate(self.mode.tolist())
        ]

    def ask_standing(self, number: int) -> list[Candidate]:
        """Do what `ask` does for units that are put on the roads already."""
        return self.ask(number, standing=self.now.standing)

    def ask(self, number: int, *, standing: Standing | None = None) -> list[Candidate]:
        """Return the ten that are offered for the place of a question."""
        node = self.places[number % len(self.places)]
        lat_deg, lon_deg = float(self.graph.node_lat_deg[node]), float(self.graph.node_lon_deg[node])
        found = arrivals(self.coverage, self.units, lat_deg, lon_deg, standing=standing)
        soonest = np.argsort(found.travel_s + self.units.turnout_s, kind="stable")[: 4 * SHOWN]
        return offered([self._candidate(int(row), float(found.travel_s[row])) for row in soonest])

    def _candidate(self, row: int, travel_s: float) -> Candidate:
        unsuited, lacks = unsuited_of(self._crews[row], Category.THEFT, frozenset(), travel_s=travel_s)
        return Candidate(
            unit_id=row,
            in_air=False,
            travel_s=travel_s,
            turnout_s=float(self.units.turnout_s[row]),
            distance_m=0.0,
            lacks=lacks,
            unsuited=unsuited,
            leaves=Leaves(cover_change_ratio=-float(self.now.loss_ratio[row])),
        )

    def _junctions(self, count: int) -> NDArray[np.int64]:
        """Draw nodes whose streets all lead both ways for vehicles: the peer knows nodes alone, and no place within a street."""
        streets = self.graph.streets
        access = MODE_ACCESS[TravelMode.CAR] | MODE_ACCESS[TravelMode.MOTORCYCLE]
        is_both = ((streets.access & access) == access) & ((streets.back_access & access) == access)
        ends = np.concatenate((streets.tail, streets.head))
        is_good = np.bincount(ends, np.tile(is_both, 2), self.graph.node_count) == np.bincount(
            ends, minlength=self.graph.node_count
        )
        nodes = np.intersect1d(np.flatnonzero(is_good), ends)
        return self._random.choice(nodes, count, replace=count > len(nodes)).astype(np.int64)


class Peer:
    """The same question to python-igraph: a search a mode from the place, against the edges."""

    def __init__(self, graph: RoadGraph) -> None:
        import igraph

        self._graphs: list[tuple[Any, list[float]]] = []
        for mode in MODES:
            matrix = network_of(graph, mode).matrix.tocoo()
            edges = np.column_stack((matrix.row, matrix.col))
            self._graphs.append((igraph.Graph(n=graph.node_count, edges=edges, directed=True), matrix.data.tolist()))

    def ask(self, scene: Scene, number: int) -> NDArray[np.intp]:
        """Return the ten soonest units for the place of a question."""
        seconds = self.seconds(scene, number) + scene.units.turnout_s
        return np.argsort(seconds)[:SHOWN]

    def seconds(self, scene: Scene, number: int) -> NDArray[np.float64]:
        """Return the seconds of each unit's way (units,)."""
        place = int(scene.places[number % len(scene.places)])
        seconds = np.full(UNITS, np.inf)
        for mode, (graph, weights) in enumerate(self._graphs):
            mine = np.flatnonzero(scene.mode == mode)
            targets = list(dict.fromkeys(scene.nodes[mine].tolist()))
            found = graph.distances(source=[place], target=targets, weights=weights, mode="in")[0]
            away_s = dict(zip(targets, found, strict=True))
            seconds[mine] = [away_s[node] for node in scene.nodes[mine].tolist()]
        return seconds


def worst_error_s(scene: Scene, peer: Peer) -> float:
    """Return the greatest difference of any unit's way to ten places, among the ways that take less than an hour."""
    worst_s = 0.0
    for number in range(PEER_QUESTIONS):
        node = scene.places[number]
        lat_deg, lon_deg = float(scene.graph.node_lat_deg[node]), float(scene.graph.node_lon_deg[node])
        ours = arrivals(scene.coverage, scene.units, lat_deg, lon_deg).travel_s
        theirs = peer.seconds(scene, number)
        near = theirs < 3_500.0
        worst_s = max(worst_s, float(np.abs(ours[near] - theirs[near]).max(initial=0.0)))
    return round(worst_s, 6)


def _cpu_ms(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return 1000.0 * (time.process_time() - started_s)


def _roads(seed: int, osm: Path | None) -> RoadGraph:
    if osm is not None:
        from mission.roads.osm import read_osm

        return read_osm(osm).roads
    from console.demo.city import lay_out

    return lay_out(seed)[2]
