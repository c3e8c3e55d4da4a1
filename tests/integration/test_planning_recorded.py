"""Recorded benchmarks of planning: proven optima are reached in few iterations, and nets of streets wait less than on one tour."""

from pathlib import Path

import pytest

from mission.schedule.routing.orienteering import Effort, solve
from mission.schedule.routing.toptw_evaluator import evaluate
from mission.schedule.routing.toptw_file import read_best_known, read_instance
from mission.schedule.streets.graph import read_patrol_graph
from mission.schedule.streets.idleness import patrol
from mission.schedule.streets.walks import longest_idleness_s

pytestmark = pytest.mark.shared_data


@pytest.mark.parametrize(
    ("name", "path_count", "iterations"), [("r105", 1, 1600), ("50_rc104", 10, 60), ("c107", 1, 400)]
)
def test_a_proven_optimum_is_reached_and_the_evaluator_agrees(
    test_data: Path, name: str, path_count: int, iterations: int
) -> None:
    folder = test_data / "mission" / "toptw"
    known = {
        (row.instance, row.path_count): row.score for row in read_best_known((folder / "best_known.csv").read_bytes())
    }
    (path,) = folder.rglob(f"{name}.txt")
    data = path.read_bytes()
    problem = read_instance(data, name=name).problem(path_count)
    found = solve(problem, effort=Effort(within_s=None, iterations=iterations))
    paths = [[stop.job + 1 for stop in route.stops] for route in found.routes]
    assert evaluate(data, paths, name=name, path_count=path_count) == found.score == known[name, path_count]


@pytest.mark.parametrize(("name", "drone_count", "most_s"), [("1r5", 4, 380.0), ("move_base_arena", 2, 538.5)])
def test_nets_of_patrolling_research_are_patrolled_at_least_as_well_as_on_one_tour(
    test_data: Path, name: str, drone_count: int, most_s: float
) -> None:
    data = (test_data / "mission" / "patrol_graphs" / f"{name}.graph").read_bytes()
    graph = read_patrol_graph(data, name=name)
    found = patrol(graph, [1.0] * drone_count, attempts=3)
    assert longest_idleness_s(graph, found.walks) <= most_s <= found.tour_s
