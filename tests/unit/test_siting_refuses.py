"""Siting says clearly what cannot be asked, and hands out what it has when its time is short."""

import numpy as np
import pytest

from mission.siting.site_model import Effort, greedy_choice, groups_of
from mission.siting.sites import Proof, SiteKind, best_sites, fewest_sites, out_of_reach
from telemetry.model.errors import InputError

SECONDS = np.array([[10.0, 400.0, 50.0], [400.0, 20.0, 60.0], [np.inf, np.inf, np.inf]])
WEIGHT = np.array([1.0, 2.0, 4.0])


def kind(new_count: int = 1, **more: object) -> SiteKind:
    return SiteKind(**{"name": "stations", "seconds": SECONDS, "limit_s": 180.0, "new_count": new_count} | more)  # type: ignore[arg-type]


def test_the_place_that_reaches_both_is_chosen_and_the_unreachable_is_told() -> None:
    found = best_sites([kind()], WEIGHT)
    assert found.chosen[0].tolist() == [2]
    assert (found.covered_weight, found.backup_weight, found.total_weight) == (3.0, 0.0, 7.0)
    assert found.gap_ratio == 0.0
    assert out_of_reach([kind()]).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"new_count": 4}, "4 new sites are wanted and 3 are possible"),
        ({"new_count": -1}, "-1 new sites are wanted"),
        ({"new_count": 3, "is_existing": np.array([True, False, False])}, "3 new sites are wanted and 2 are possible"),
        ({"new_count": 3, "place": np.array([1, 1, 2]), "is_existing": np.array([True, False, False])}, "and 1 are possible"),
        ({"limit_s": 0.0}, "the limit is 0.0 s"),
        ({"limit_s": np.inf}, "the limit is inf s"),
        ({"seconds": SECONDS[:2]}, r"shape \(2, 3\), wanted is \(3, sites\)"),
        ({"seconds": np.full((3, 2), np.nan)}, "no number: write inf"),
    ],
)  # fmt: skip
def test_a_kind_that_cannot_be_asked_is_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        best_sites([kind(**changed)], WEIGHT)  # type: ignore[arg-type]


def test_weights_shares_and_times_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="no kind of site"):
        best_sites([], WEIGHT)
    for weight in (np.zeros(3), np.array([1.0, -1.0, 1.0]), np.array([1.0, np.nan, 1.0]), np.zeros(0)):
        with pytest.raises(InputError, match="weights must be"):
            best_sites([kind()], weight)
    with pytest.raises(InputError, match=r"share is 1\.5: allowed is 0"):
        best_sites([kind()], WEIGHT, backup_share=1.5)
    with pytest.raises(InputError, match=r"a search of 0\.0 s"):
        best_sites([kind()], WEIGHT, effort=Effort(within_s=0.0))


def test_what_must_be_covered_is_covered_first_or_refused() -> None:
    seconds = np.array([[10.0, 400.0], [400.0, 20.0], [400.0, 20.0]])
    must = np.array([True, False, False])
    alone = SiteKind("posts", seconds, 180.0, 1)
    assert best_sites([alone], np.ones(3)).chosen[0].tolist() == [1]
    assert best_sites([alone], np.ones(3), must_cover=must).chosen[0].tolist() == [0]
    with pytest.raises(InputError, match="cannot be with so few new sites"):
        best_sites([alone], np.ones(3), must_cover=np.ones(3, np.bool_))
    with pytest.raises(InputError, match="1 demands that must be covered are in reach of no site"):
        best_sites([kind()], WEIGHT, must_cover=np.ones(3, np.bool_))


def test_what_stands_already_counts_and_stays() -> None:
    found = best_sites([kind(is_existing=np.array([False, False, True]))], WEIGHT, backup_share=0.5)
    assert found.chosen[0].tolist() == [1]
    assert (found.covered_weight, found.backup_weight, found.objective_weight) == (3.0, 2.0, 4.0)


def test_nothing_new_is_put_when_nothing_is_wanted() -> None:
    found = best_sites([kind(new_count=0)], WEIGHT)
    assert found.chosen[0].tolist() == []
    assert (found.objective_weight, found.proof) == (0.0, Proof.OPTIMAL)


def test_a_search_without_time_hands_out_the_greedy_choice_and_says_that_it_is_unproven() -> None:
    rng = np.random.default_rng(7)
    seconds = rng.uniform(0.0, 600.0, (900, 120))
    hard = SiteKind("posts", seconds, 60.0, 30)
    found = best_sites([hard], np.ones(900), backup_share=0.5, effort=Effort(within_s=1e-6))
    assert found.proof is Proof.FEASIBLE
    assert len(found.chosen[0]) == 30
    assert found.objective_weight <= found.bound_weight <= 1350.0
    assert 0.0 < found.gap_ratio < 1.0


def test_better_answers_are_told_while_the_search_goes_on() -> None:
    heard: list[tuple[float, float]] = []
    rng = np.random.default_rng(3)
    found = best_sites(
        [SiteKind("posts", rng.uniform(0.0, 600.0, (60, 20)), 90.0, 5)],
        np.ones(60),
        told=lambda objective, bound: heard.append((objective, bound)),
    )
    assert heard[-1][0] == pytest.approx(found.objective_weight)
    assert all(objective <= bound + 1e-9 for objective, bound in heard)


def test_the_fewest_sites_keep_what_stands() -> None:
    found = fewest_sites(kind(is_existing=np.array([True, False, False])), WEIGHT)
    assert found.chosen[0].tolist() in ([1], [2])
    assert found.covered_weight == 3.0


def test_demands_that_the_same_sites_cover_are_taken_together() -> None:
    covers = np.array([[True, False], [True, False], [False, True]])
    none = np.zeros(2, np.bool_)
    groups = groups_of(covers, np.array([1.0, 2.0, 4.0]), existing=none, free=~none, must_cover=np.zeros(3, np.bool_))
    assert sorted(groups.weight.tolist()) == [3.0, 4.0]
    chosen = greedy_choice(groups, wanted=[(~none, 1)], clashes=[], backup_share=0.0)
    assert chosen.tolist() == [False, True]
