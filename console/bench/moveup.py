"""How soon move-up advice is there: 40 units by 200 posts and 2,000 demands, ways to the posts kept from before.

Times are CPU milliseconds of this process, medians over the runs: units put on the streets, what each reaches, all moves weighed, at
most three chosen with the way of each. `first_ms` is the first question's time, in which the ways to the posts are reckoned.
"""

import statistics
from pathlib import Path
from typing import Final

import numpy as np

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms, roads_of
from mission.cover.ground import GroundUnits, Places
from mission.roads.graph import RoadGraph
from mission.roads.travel import GROUND_MODES, TravelMode
from mission.siting.moveup import MoveUpRules
from mission.siting.moveup_map import MapAdvice, MoveUpMap, Posts, UnitHistory
from mission.siting.planning_map import DemandKind, PlanningMap

UNITS: Final = 40
POSTS: Final = 200
DEMANDS: Final = 2_000
FIRST_TIER: Final = 10
REPEATS: Final = 3
MODES: Final = (TravelMode.CAR, TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.FOOT)
GOALS: Final[dict[str, Goal]] = {"ms": ("<=", 100.0)}


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Measure on the demo city, or on an OpenStreetMap extract."""
    graph = roads_of(seed, osm)
    area = PlanningMap(graph)
    random = np.random.default_rng(seed)
    nodes = area.candidates(count=POSTS)
    demands = area.demands(DemandKind.ROADS, most_count=DEMANDS)
    board = MoveUpMap(area, Posts(nodes, graph.node_xy_m[nodes]), demands, first_tier=_first_tier(graph, random))
    units, rested = _units(graph, random), UnitHistory(np.full(UNITS, 1e6), np.zeros(UNITS, np.int64))
    found: list[MapAdvice] = []

    def ask() -> None:
        found.append(board.advise(units, rested, MoveUpRules()))

    first_ms = cpu_ms(ask)
    spent_ms = [statistics.median(cpu_ms(ask) for _ in range(REPEATS)) for _ in range(runs)]
    advice = found[-1].advice
    return Figures(
        figures={
            "map": "demo city" if osm is None else osm.name,
            "nodes": graph.node_count,
            "units": UNITS,
            "posts": len(nodes),
            "demands": len(demands.node),
            "ms": round(statistics.median(spent_ms), 1),
            "first_ms": round(first_ms, 1),
            "moves": len(advice.moves),
            "gain_share": round(advice.expected_after_share - advice.expected_before_share, 4),
        },
        goals=GOALS,
    )


def _first_tier(graph: RoadGraph, random: np.random.Generator) -> Places:
    nodes = random.choice(graph.node_count, FIRST_TIER, replace=False)
    names = tuple(f"place {number}" for number in range(FIRST_TIER))
    return Places(graph.node_lat_deg[nodes], graph.node_lon_deg[nodes], np.ones(FIRST_TIER, np.int32), names, names)


def _units(graph: RoadGraph, random: np.random.Generator) -> GroundUnits:
    nodes = random.choice(graph.node_count, UNITS, replace=False)
    modes = [GROUND_MODES.index(MODES[number % len(MODES)]) for number in range(UNITS)]
    return GroundUnits(
        np.arange(UNITS, dtype=np.int32),
        np.full(UNITS, -1, np.int32),
        graph.node_lat_deg[nodes],
        graph.node_lon_deg[nodes],
        np.array(modes, np.int32),
        np.zeros(UNITS),
    )
