"""Patrols of street nets: no place waits longer than on one tour, walks keep to the streets, bad nets are refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission.schedule.streets.graph import StreetGraph, graph_of_lines, read_patrol_graph
from mission.schedule.streets.idleness import patrol
from mission.schedule.streets.walks import ClosedWalk, longest_idleness_s
from telemetry.model.errors import FileFormatError, InputError

FILE = b"3\n10\n10\n0.05\n0\n0\n\n0\n1\n2\n1\n1\nE\n5\n\n1\n6\n2\n2\n0\nW\n5\n2\nN\n4\n\n2\n6\n6\n1\n1\nS\n4\n"


def net(pairs: list[tuple[int, int, float]], count: int) -> StreetGraph:
    """Return a net with these ways in both directions."""
    ways = [pair[:2] for pair in pairs] + [pair[1::-1] for pair in pairs]
    way = np.array(ways, dtype=np.int64).reshape(-1, 2)
    return StreetGraph(np.zeros((count, 2)), way, np.array([pair[2] for pair in pairs] * 2))


def two_clusters() -> StreetGraph:
    """Return two rings of four places, 10 m a side, with a road of 100 m between."""
    rings = [(base + n, base + (n + 1) % 4, 10.0) for base in (0, 4) for n in range(4)]
    return net([*rings, (0, 4, 100.0)], 8)


def random_net(seed: int, count: int) -> StreetGraph:
    """Return a random tree with a few ways more."""
    random = np.random.default_rng(seed)
    tree = [(int(random.integers(0, n)), n, float(random.uniform(1.0, 50.0))) for n in range(1, count)]
    more = [(int(a), int(b), float(random.uniform(1.0, 50.0))) for a, b in random.integers(0, count, (3, 2)) if a != b]
    return net([*tree, *more], count)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 10), st.integers(1, 5))
def test_no_place_waits_longer_than_on_one_tour_and_the_walks_prove_it(seed: int, count: int, drones: int) -> None:
    graph = random_net(seed, count)
    found = patrol(graph, [2.0] * drones, attempts=2, seed=seed)
    assert found.worst_idleness_s <= found.tour_s + 1e-9
    assert longest_idleness_s(graph, found.walks) <= found.worst_idleness_s + 1e-6
    steps = {(int(a), int(b)) for a, b in graph.way}
    assert len(found.walks) == drones
    for walk in found.walks:
        assert walk.places[0] == walk.places[-1]
        assert all(step in steps for step in itertools.pairwise(walk.places))


def test_far_clusters_get_a_drone_each() -> None:
    found = patrol(two_clusters(), [1.0, 1.0], attempts=4)
    assert found.tour_s == pytest.approx(140.0)
    assert found.worst_idleness_s == pytest.approx(40.0)
    assert {frozenset(walk.places) for walk in found.walks} == {frozenset(range(4)), frozenset(range(4, 8))}


def test_drones_on_one_ring_follow_each_other_evenly() -> None:
    ring = net([(n, (n + 1) % 6, 10.0) for n in range(6)], 6)
    found = patrol(ring, [1.0, 1.0, 1.0], attempts=2)
    assert found.worst_idleness_s == pytest.approx(20.0)
    assert sorted(walk.head_start_m for walk in found.walks) == pytest.approx([0.0, 20.0, 40.0])


def test_the_faster_drone_gets_the_longer_round() -> None:
    graph = net([*[(n, n + 1, 10.0) for n in range(12)]], 13)
    found = patrol(graph, [1.0, 3.0], attempts=6)
    slow, fast = found.walks
    assert fast.length_m > 2.0 * slow.length_m
    assert found.worst_idleness_s < 70.0


def test_more_drones_than_places_let_nothing_wait() -> None:
    assert patrol(net([(0, 1, 5.0)], 2), [1.0] * 5, attempts=2).worst_idleness_s == 0.0


def test_the_same_seed_gives_the_same_walks_and_a_stop_ends_it() -> None:
    graph = random_net(3, 10)
    assert patrol(graph, [1.0] * 3, attempts=3) == patrol(graph, [1.0] * 3, attempts=3)
    assert patrol(graph, [1.0] * 3, stop=lambda: True).worst_idleness_s <= patrol(graph, [1.0] * 3, attempts=0).tour_s


def test_a_place_that_no_walk_visits_waits_for_ever() -> None:
    assert longest_idleness_s(two_clusters(), [ClosedWalk((0, 1, 0), 20.0, 0.0, 1.0)]) == np.inf


def test_lines_become_places_where_they_cross_and_not_too_far_apart() -> None:
    cross = graph_of_lines(
        [np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([[50.0, -30.0], [50.0, 30.0]])], spacing_m=25.0
    )
    assert [50.0, 0.0] in cross.places.tolist()
    assert cross.length_m.max() <= 25.0 + 1e-9
    assert cross.length_m.sum() == pytest.approx(2 * 160.0)
    cross.check()


def test_a_net_is_read_from_a_patrolling_file() -> None:
    graph = read_patrol_graph(FILE, name="small")
    assert graph.places.tolist() == [[1, 2], [6, 2], [6, 6]]
    assert graph.away_m[0].tolist() == [0, 5, 9]
    assert graph.path(0, 2) == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "begins with no count"),
        (b"\xff", "is no plain text"),
        (b"99999999 1 1 1 0 0", "says 99999999 places"),
        (FILE[:-4], "breaks off or has a word that is no number at place 2"),
        (FILE.replace(b"\n0\n1\n2\n1", b"\n7\n1\n2\n1"), "has place 7"),
        (FILE.replace(b"E\n5", b"E\n-5"), "a way from 0 to 1 of length -5"),
        (FILE.replace(b"1\nE\n5", b"8\nE\n5"), "a way from 0 to 8"),
    ],
)
def test_a_broken_patrolling_file_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_patrol_graph(data, name="small")


def test_what_cannot_be_patrolled_is_refused() -> None:
    with pytest.raises(InputError, match="1 places, the first is number 2, have no way"):
        patrol(net([(0, 1, 5.0)], 3), [1.0])
    with pytest.raises(InputError, match="speeds"):
        patrol(two_clusters(), [1.0, 0.0])
    with pytest.raises(InputError, match="no line has a length"):
        graph_of_lines([np.zeros((2, 2))], spacing_m=5.0)
    with pytest.raises(InputError, match="places 0 m apart"):
        graph_of_lines([np.zeros((2, 2))], spacing_m=0)
