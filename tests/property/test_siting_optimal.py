"""On small instances siting finds what trying everything finds, and never promises less than it could."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mission.siting.site_model import Effort
from mission.siting.sites import Proof, SiteKind, best_sites, fewest_sites, out_of_reach
from telemetry.model.errors import InputError

LIMIT_S = 100.0
SHARES = (0.0, 0.25, 1.0 / 3.0, 1.0)


def worth(covers: NDArray[np.bool_], weight: NDArray[np.float64], backup_share: float) -> float:
    times = covers.sum(axis=1)
    return float(weight[times >= 1].sum() + backup_share * weight[times >= 2].sum())


@st.composite
def instances(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return seconds (demands, sites) and weights, whole or not."""
    demands, sites = draw(st.integers(1, 12)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seconds = rng.uniform(0.0, 250.0, (demands, sites))
    seconds[rng.random((demands, sites)) < 0.1] = np.inf
    weight = rng.integers(0, 9, demands).astype(np.float64)
    if draw(st.booleans()):
        weight *= 0.137
    weight[0] += 1.0
    return seconds, weight


@settings(max_examples=60, deadline=None)
@given(instances(), st.sampled_from(SHARES), st.data())
def test_no_choice_is_better_than_the_proven_one(
    instance: tuple[NDArray[np.float64], NDArray[np.float64]], backup_share: float, data: st.DataObject
) -> None:
    seconds, weight = instance
    sites = seconds.shape[1]
    existing = np.arange(sites) < data.draw(st.integers(0, min(2, sites - 1)))
    free = np.flatnonzero(~existing)
    count = data.draw(st.integers(0, len(free)))
    kind = SiteKind("station", seconds, LIMIT_S, count, existing)
    found = best_sites([kind], weight, backup_share=backup_share)
    covers = seconds <= LIMIT_S
    stands = list(np.flatnonzero(existing))
    best = max(worth(covers[:, [*stands, *some]], weight, backup_share) for some in combinations(free, count))
    assert found.proof is Proof.OPTIMAL
    assert found.objective_weight == pytest.approx(best, abs=1e-6)
    assert found.bound_weight == pytest.approx(best, abs=1e-6)
    assert len(found.chosen[0]) == count
    assert not existing[found.chosen[0]].any()
    times = covers[:, [*stands, *found.chosen[0]]].sum(axis=1)
    for site, alone in zip(found.chosen[0], found.alone_weight[0], strict=True):
        assert alone == pytest.approx(weight[(times == 1) & covers[:, site]].sum())


@settings(max_examples=40, deadline=None)
@given(instances(), instances(), st.sampled_from(SHARES), st.data())
def test_two_kinds_on_shared_ground_are_chosen_together(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
    backup_share: float,
    data: st.DataObject,
) -> None:
    demands = min(len(first[1]), len(second[1]))
    stations, rooms, weight = first[0][:demands], second[0][:demands], first[1][:demands]
    ground = [np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))) for n in
              (stations.shape[1], rooms.shape[1])]  # fmt: skip
    kinds = [
        SiteKind("station", stations, LIMIT_S, 1, place=ground[0]),
        SiteKind("room", rooms, 60.0, 1, place=ground[1]),
    ]
    pairs = [(a, b) for a in range(len(ground[0])) for b in range(len(ground[1])) if ground[0][a] != ground[1][b]]
    if not pairs:
        with pytest.raises(InputError, match="ground of their own"):
            best_sites(kinds, weight, backup_share=backup_share)
        return
    covers = [stations <= LIMIT_S, rooms <= 60.0]
    best = max(worth(np.column_stack((covers[0][:, a], covers[1][:, b])), weight, backup_share) for a, b in pairs)
    found = best_sites(kinds, weight, backup_share=backup_share)
    assert found.objective_weight == pytest.approx(best, abs=1e-6)
    assert ground[0][found.chosen[0][0]] != ground[1][found.chosen[1][0]]


@settings(max_examples=40, deadline=None)
@given(instances())
def test_the_fewest_sites_are_as_few_as_can_be_with_the_most_backup(
    instance: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    seconds, weight = instance
    kind = SiteKind("post", seconds, LIMIT_S, 0)
    covers = seconds <= LIMIT_S
    wanted = ~out_of_reach([kind])
    enough = [
        some
        for count in range(seconds.shape[1] + 1)
        for some in combinations(range(seconds.shape[1]), count)
        if covers[wanted][:, list(some)].any(axis=1).all()
    ]
    fewest = len(enough[0])
    backup = max(weight[covers[:, list(some)].sum(axis=1) >= 2].sum() for some in enough if len(some) == fewest)
    found = fewest_sites(kind, weight)
    assert len(found.chosen[0]) == fewest
    assert found.backup_weight == pytest.approx(backup, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(instances(), st.integers(0, 2**31 - 1))
def test_one_thread_and_one_seed_give_one_answer(
    instance: tuple[NDArray[np.float64], NDArray[np.float64]], seed: int
) -> None:
    seconds, weight = instance
    kind = SiteKind("station", seconds, LIMIT_S, 2)
    first, second = (best_sites([kind], weight, effort=Effort(seed=seed)) for _ in range(2))
    assert first.chosen[0].tolist() == second.chosen[0].tolist()
