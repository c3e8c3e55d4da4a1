"""Beats are in one piece by networkx's word, leave nothing out, hold their stations, and tell their imbalance truly."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mission.roads.graph import SecondsMatrix
from mission.siting.beat_growth import NO_BEAT
from mission.siting.beats import Beats, balanced_beats, pieces
from telemetry.model.errors import InputError


def street_grid(side: int, *, kept_ratio: float, seed: int) -> SecondsMatrix:
    """Return a grid of streets of which some are missing, so that islands occur."""
    rng = np.random.default_rng(seed)
    number = np.arange(side * side).reshape(side, side)
    across = np.column_stack((number[:, :-1].ravel(), number[:, 1:].ravel()))
    along = np.column_stack((number[:-1].ravel(), number[1:].ravel()))
    streets = np.concatenate((across, along))
    streets = streets[rng.random(len(streets)) < kept_ratio]
    seconds = rng.uniform(5.0, 40.0, len(streets))
    ends = (np.concatenate((streets[:, 0], streets[:, 1])), np.concatenate((streets[:, 1], streets[:, 0])))
    return csr_array((np.concatenate((seconds, seconds)), ends), shape=(side * side, side * side))


def check_sound(seconds: SecondsMatrix, stations: NDArray[np.int32], weight: NDArray[np.float64], beats: Beats) -> None:
    graph = nx.from_scipy_sparse_array(seconds)
    reached = set().union(*(nx.node_connected_component(graph, int(node)) for node in stations))
    assert set(np.flatnonzero(beats.beat != NO_BEAT).tolist()) == reached
    assert beats.beat[stations].tolist() == [
        beat for station in range(len(stations)) for beat in np.flatnonzero(beats.station == station)
        if beats.beat[stations[station]] == beat
    ]  # fmt: skip
    for beat in range(len(beats.weight)):
        nodes = np.flatnonzero(beats.beat == beat)
        assert nx.is_connected(graph.subgraph(nodes.tolist()))
        assert beats.weight[beat] == pytest.approx(weight[nodes].sum())
        away = nx.single_source_dijkstra_path_length(graph.subgraph(nodes.tolist()), int(beats.centre_node[beat]))
        assert beats.worst_s[beat] == pytest.approx(max(away.values()))
        assert beats.mean_s[beat] * weight[nodes].sum() == pytest.approx(sum(s * weight[n] for n, s in away.items()))
    even = beats.weight.sum() / len(beats.weight)
    assert beats.imbalance_ratio == pytest.approx(np.abs(beats.weight / even - 1.0).max())
    assert (pieces(seconds, beats.beat) == 1).all()


@settings(max_examples=40, deadline=None)
@given(
    side=st.integers(3, 14),
    kept=st.sampled_from((1.0, 0.9, 0.7)),
    seed=st.integers(0, 10_000),
    station_count=st.integers(1, 6),
    data=st.data(),
)
def test_beats_are_contiguous_complete_and_truly_told(
    side: int, kept: float, seed: int, station_count: int, data: st.DataObject
) -> None:
    seconds = street_grid(side, kept_ratio=kept, seed=seed)
    rng = np.random.default_rng(seed + 1)
    stations = rng.choice(side * side, station_count, replace=False).astype(np.int32)
    weight = rng.exponential(1.0, side * side) * (rng.random(side * side) < 0.8) + 1e-3
    counts = [data.draw(st.integers(1, 3)) for _ in stations] if data.draw(st.booleans()) else None
    beats = balanced_beats(seconds, stations, weight, beats_count=counts)
    assert len(beats.weight) <= sum(counts or [1] * station_count)
    check_sound(seconds, stations, weight, beats)


@pytest.mark.parametrize("seed", range(4))
def test_beats_of_a_town_are_within_the_tolerance(seed: int) -> None:
    seconds = street_grid(60, kept_ratio=0.9, seed=seed)
    rng = np.random.default_rng(seed)
    stations = rng.choice(3600, 14, replace=False).astype(np.int32)
    weight = rng.exponential(1.0, 3600)
    one_each = balanced_beats(seconds, stations, weight)
    assert one_each.is_balanced
    assert one_each.imbalance_ratio <= 0.05
    check_sound(seconds, stations, weight, one_each)
    finer = balanced_beats(seconds, stations, weight, tolerance_ratio=0.01)
    assert finer.imbalance_ratio <= 0.01


def test_beats_that_cannot_be_even_stay_whole_and_say_so() -> None:
    """Of two stations at the beginning of one long street the first cannot get past the second."""
    count = 50
    ends = (np.r_[0 : count - 1, 1:count], np.r_[1:count, 0 : count - 1])
    seconds = csr_array((np.full(2 * count - 2, 10.0), ends), shape=(count, count))
    beats = balanced_beats(seconds, np.array([0, 1], np.int32), np.ones(count))
    assert beats.beat.tolist() == [0] + [1] * (count - 1)
    assert not beats.is_balanced
    assert beats.imbalance_ratio == pytest.approx(24.0 / 25.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"station_node": np.zeros(0, np.int32)}, "there is no station"),
        ({"station_node": np.array([3, 3], np.int32)}, "two stations stand at the same junction"),
        ({"station_node": np.array([-1], np.int32)}, "stands at no street"),
        ({"weight": np.zeros(9)}, "at least one above 0"),
        ({"beats_count": [0]}, "from 1 to 20"),
        ({"beats_count": [1, 1]}, "for each of the 1 stations"),
        ({"tolerance_ratio": 0.0}, "the tolerance is 0.0"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(changed: dict[str, object], words: str) -> None:
    asked: dict[str, object] = {"station_node": np.array([4], np.int32), "weight": np.ones(9)}
    with pytest.raises(InputError, match=words):
        balanced_beats(street_grid(3, kept_ratio=1.0, seed=1), **(asked | changed))  # type: ignore[arg-type]
