"""TOPTW files: instances are read, bad ones refused with their line, and an evaluator of its own tells what a solution is worth."""

import numpy as np
import pytest

from mission.schedule.routing.orienteering import Effort, solve
from mission.schedule.routing.toptw_evaluator import evaluate
from mission.schedule.routing.toptw_file import read_best_known, read_instance
from telemetry.model.errors import FileFormatError, InputError

SMALL = b"""3 2 3 1
0 200
  0 40.00 50.00 0.00 0.00 0 0 0 100
  1 43.00 54.00 10.00 7.00 1 1 1 0 100
  2 41.00 51.00 10.00 5.00 1 1 1 30 40

  3 40.00 90.00 10.00 9.00 1 2 1 2 0 30
"""


def test_an_instance_is_read_with_its_windows_and_floored_distances() -> None:
    instance = read_instance(SMALL, name="small")
    assert (instance.path_count, instance.decimals, instance.prize) == (2, 1, (0, 7, 5, 9))
    assert instance.window.tolist() == [[0, 100], [0, 100], [30, 40], [0, 30]]
    assert instance.distances()[0].tolist() == pytest.approx([0.0, 5.0, 1.4, 40.0])
    assert read_instance(SMALL.replace(b"41.00", b"41.25"), name="small").decimals == 2
    assert read_instance(SMALL, name="pr01").decimals == 2


def test_the_line_before_the_vertices_may_hold_one_number_alone() -> None:
    assert np.array_equal(
        read_instance(SMALL.replace(b"0 200", b"200"), name="small").places, read_instance(SMALL, name="small").places
    )


def test_the_solver_and_the_evaluator_agree() -> None:
    problem = read_instance(SMALL, name="small").problem(1)
    found = solve(problem, effort=Effort(within_s=None, iterations=50))
    paths = [[stop.job + 1 for stop in route.stops] for route in found.routes]
    assert evaluate(SMALL, paths, name="small", path_count=1) == found.score == 12


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ([[1], [2]], "2 paths, 1 are allowed"),
        ([[1, 1]], "visited once"),
        ([[4]], "visited once"),
        ([[3]], "path 0 is at vertex 3 at 40.0, it closes at 30.0"),
    ],
)
def test_the_evaluator_refuses_what_breaks_the_rules(paths: list[list[int]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(SMALL, paths, name="small", path_count=1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "small line 0 has fewer than three lines"),
        (b"\xff\xfe\x00", "is no text"),
        (SMALL.replace(b"3 2 3 1", b"3 x 3 1"), "small line 1 has a field that is no number"),
        (SMALL.replace(b"3 2 3 1", b"3 2 9 1"), "says 9 vertices beside the depot, it has 3"),
        (SMALL.replace(b"3 2 3 1", b"3 0 3 1"), "says 0 paths"),
        (SMALL.replace(b"1 1 1 30 40", b"1 1 1 40"), "small line 5 has 9 fields"),
        (SMALL.replace(b"1 1 1 30 40", b"1 1 1 40 30"), "small line 5 has service 10, prize 5, window 40 to 30"),
        (SMALL.replace(b"7.00", b"7.50"), "prize 7.5"),
        (SMALL.replace(b"7.00", b"nan"), "small line 4 has a number that is not within"),
        (SMALL.replace(b"  2 41", b"  5 41"), "is vertex 5, 2 is due"),
        (b"1 " * 3_000_000, "are read at most"),
    ],
)
def test_a_broken_instance_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_instance(data, name="small")


def test_best_known_scores_are_read_and_broken_ones_refused() -> None:
    (row,) = read_best_known(b"instance,m,best_known,status\nc101,1,320,optimal (so and so)\n")
    assert (row.instance, row.path_count, row.score, row.is_proven) == ("c101", 1, 320, True)
    with pytest.raises(FileFormatError, match="lacks the columns best_known"):
        read_best_known(b"instance,m\nc101,1\n")
    with pytest.raises(FileFormatError, match="line 2 has m 'x'"):
        read_best_known(b"instance,m,best_known\nc101,x,3\n")
    with pytest.raises(FileFormatError, match="both are 1 or more"):
        read_best_known(b"instance,m,best_known\nc101,0,3\n")
