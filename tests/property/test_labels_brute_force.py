"""Labels of every rank equal what one search an owner finds, on random networks with ties, one-way edges and crowds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import SecondsMatrix, fastest_matrix
from mission.roads.labels import NOBODY, Labels, Starts, merge_labels, nearest_labels


@st.composite
def networks(draw: st.DrawFn) -> tuple[SecondsMatrix, Starts, int]:
    """A sparse random network with whole seconds (many ties) and owners that enter at one or two nodes."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes, edges = draw(st.integers(1, 40)), draw(st.integers(0, 120))
    owners = draw(st.integers(0, 8))
    tails, heads = random.integers(0, nodes, (2, edges)).astype(np.int32)
    matrix = fastest_matrix(tails, heads, random.integers(1, 30, edges).astype(np.float64), nodes)
    starts = owners * 2
    owner = np.repeat(np.arange(owners, dtype=np.int32), 2)
    node = random.integers(0, draw(st.integers(1, nodes)), starts).astype(np.int32)
    return matrix, Starts(node, owner, random.integers(0, 10, starts).astype(np.float64)), owners


def seconds_of_each(matrix: SecondsMatrix, starts: Starts, owners: int, limit_s: float) -> NDArray[np.float64]:
    """Shape (owners, nodes): one plain search an entry, the sooner counts."""
    times = np.full((owners, matrix.shape[0]), np.inf)
    for node, owner, offset_s in zip(starts.node, starts.owner, starts.offset_s, strict=True):
        found = dijkstra(matrix, indices=[node])[0] + offset_s
        times[owner] = np.minimum(times[owner], found)
    times[times > limit_s] = np.inf
    return times


def agree(labels: Labels, times: NDArray[np.float64], rank: int, limit_s: float) -> None:
    expected = np.sort(np.vstack((times, np.full((rank + 1, times.shape[1]), np.inf))), axis=0)[rank]
    expected[expected > limit_s] = np.inf
    np.testing.assert_allclose(labels.seconds[rank], expected, atol=1e-4)
    reached = np.isfinite(expected)
    assert ((labels.owner[rank] != NOBODY) == reached).all()
    who = labels.owner[rank, reached]
    np.testing.assert_allclose(times[who, np.flatnonzero(reached)], expected[reached], atol=1e-4)


@settings(max_examples=150, deadline=None)
@given(networks(), st.integers(1, 4), st.sampled_from([12.5, 40.5, np.inf]))
def test_each_rank_is_the_next_nearest_owner(
    network: tuple[SecondsMatrix, Starts, int], ranks: int, limit_s: float
) -> None:
    matrix, starts, owners = network
    labels = nearest_labels(matrix, starts, limits_s=[limit_s] * ranks)
    times = seconds_of_each(matrix, starts, owners, np.inf)
    for rank in range(ranks):
        agree(labels, times, rank, limit_s)
    known = np.sort(labels.owner, axis=0)
    assert not ((known[1:] == known[:-1]) & (known[1:] != NOBODY)).any()


@settings(max_examples=80, deadline=None)
@given(networks(), st.integers(1, 3))
def test_labels_of_parts_merge_to_those_of_the_whole(network: tuple[SecondsMatrix, Starts, int], ranks: int) -> None:
    matrix, starts, owners = network
    parts = []
    for remainder in range(3):
        mine = starts.owner % 3 == remainder
        part = Starts(starts.node[mine], starts.owner[mine], starts.offset_s[mine])
        parts.append(nearest_labels(matrix, part, limits_s=[np.inf] * ranks))
    merged = merge_labels(parts)
    times = seconds_of_each(matrix, starts, owners, np.inf)
    for rank in range(ranks):
        agree(merged, times, rank, np.inf)


def test_a_later_rank_may_end_sooner_than_the_first() -> None:
    matrix = fastest_matrix(np.array([0, 1], np.int32), np.array([1, 2], np.int32), np.array([10.0, 10.0]), 3)
    starts = Starts(np.array([0, 0], np.int32), np.array([0, 1], np.int32), np.array([0.0, 2.0]))
    labels = nearest_labels(matrix, starts, limits_s=(100.0, 15.0))
    assert labels.seconds[0].tolist() == pytest.approx([0.0, 10.0, 20.0], abs=1e-4)
    assert labels.seconds[1].tolist() == pytest.approx([2.0, 12.0, np.inf], abs=1e-4)
