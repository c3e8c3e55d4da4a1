"""Move-up advice against trying every move: the best one, never a stripped first-tier place, the rules kept."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission.siting.moveup import Advice, Hold, MoveUpCase, MoveUpRules, advise
from telemetry.model.errors import InputError


def case_of(seed: int, *, units: int, posts: int, demands: int, places: int = 3) -> MoveUpCase:
    rng = np.random.default_rng(seed)
    return MoveUpCase(
        weight=rng.exponential(1.0, demands),
        mode=rng.integers(0, 2, units),
        unit_covers=rng.random((units, demands)) < 0.25,
        post_covers=rng.random((2, posts, demands)) < 0.25,
        unit_keeps=rng.random((units, places)) < 0.3,
        post_keeps=rng.random((2, posts, places)) < 0.3,
        drive_s=rng.uniform(0.0, 900.0, (units, posts)),
        is_taken=rng.random(posts) < 0.2,
        stood_s=rng.uniform(0.0, 4000.0, units),
        move_count=rng.integers(0, 6, units),
    )


def expected(case: MoveUpCase, moves: dict[int, int], busy_ratio: float) -> float:
    """Return expected coverage when these units stand at these posts."""
    rows = [
        case.post_covers[case.mode[unit], moves[unit]] if unit in moves else case.unit_covers[unit]
        for unit in range(len(case.mode))
    ]
    reached = np.sum(rows, axis=0)
    return float((case.weight * (1.0 - busy_ratio**reached)).sum() / case.weight.sum())


def keeps_places(case: MoveUpCase, moves: dict[int, int]) -> bool:
    rows = [
        case.post_keeps[case.mode[unit], moves[unit]] if unit in moves else case.unit_keeps[unit]
        for unit in range(len(case.mode))
    ]
    return bool((np.sum(rows, axis=0) > 0)[case.unit_keeps.any(axis=0)].all())


def may_move(case: MoveUpCase, rules: MoveUpRules, unit: int, post: int) -> bool:
    rested = case.stood_s[unit] >= rules.dwell_s and case.move_count[unit] < rules.shift_move_count
    return bool(rested and case.drive_s[unit, post] <= rules.drive_limit_s and not case.is_taken[post])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6), st.integers(1, 6), st.sampled_from((0.0, 0.2, 0.35, 0.9)))
def test_the_single_best_move_is_found_and_truly_told(seed: int, units: int, posts: int, busy_ratio: float) -> None:
    case = case_of(seed, units=units, posts=posts, demands=20)
    rules = MoveUpRules(busy_ratio=busy_ratio, move_count=1)
    before = expected(case, {}, busy_ratio)
    worths = []
    for unit, post in product(range(units), range(posts)):
        gain = expected(case, {unit: post}, busy_ratio) - before
        net = gain - rules.minute_share * case.drive_s[unit, post] / 60.0
        if may_move(case, rules, unit, post) and keeps_places(case, {unit: post}) and gain >= rules.least_gain_share:
            worths.append(net)
    advice = advise(case, rules)
    assert advice.expected_before_share == pytest.approx(before)
    assert bool(advice.moves) == bool(worths and max(worths) > 0.0)
    for move in advice.moves:
        assert move.gain_share - rules.minute_share * move.drive_s / 60.0 == pytest.approx(max(worths), abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 7), st.integers(1, 7))
def test_three_moves_keep_every_rule_and_add_up(seed: int, units: int, posts: int) -> None:
    case = case_of(seed, units=units, posts=posts, demands=25)
    rules = MoveUpRules()
    advice = advise(case, rules)
    moves = {move.unit: move.post for move in advice.moves}
    assert len(moves) == len(advice.moves) <= 3
    assert len(set(moves.values())) == len(moves)
    assert keeps_places(case, moves)
    assert all(may_move(case, rules, unit, post) for unit, post in moves.items())
    assert all(move.gain_share >= rules.least_gain_share - 1e-6 for move in advice.moves)
    total = sum(move.gain_share for move in advice.moves)
    assert advice.expected_after_share - advice.expected_before_share == pytest.approx(total)
    assert advice.expected_after_share == pytest.approx(expected(case, moves, rules.busy_ratio))
    assert advice.covered_after_share - advice.covered_before_share == pytest.approx(
        sum(move.covered_gain_share for move in advice.moves)
    )
    for move in advice.moves:
        assert move.won_share - move.left_share == pytest.approx(move.gain_share)


@pytest.mark.parametrize("seed", range(6))
def test_two_moves_come_close_to_the_best_pair(seed: int) -> None:
    case = case_of(seed, units=5, posts=5, demands=25)
    rules = MoveUpRules(move_count=2, least_gain_share=0.0, minute_share=0.0)
    before = expected(case, {}, rules.busy_ratio)
    single = [(unit, post) for unit, post in product(range(5), range(5)) if may_move(case, rules, unit, post)]
    sets = [dict([one]) for one in single] + [
        dict([one, other]) for one in single for other in single if one[0] < other[0] and one[1] != other[1]
    ]
    gains = [expected(case, moves, rules.busy_ratio) - before for moves in sets if keeps_places(case, moves)]
    advice = advise(case, rules)
    assert advice.expected_after_share - before >= 0.9 * max([*gains, 0.0])


def corner() -> MoveUpCase:
    """One unit reaches the light half, a post would reach the heavy one; a first-tier place lies beside the unit."""
    return MoveUpCase(
        weight=np.array([1.0, 9.0]),
        mode=np.zeros(1, np.int64),
        unit_covers=np.array([[True, False]]),
        post_covers=np.array([[[False, True]]]),
        unit_keeps=np.array([[False]]),
        post_keeps=np.array([[[False]]]),
        drive_s=np.array([[120.0]]),
        is_taken=np.zeros(1, np.bool_),
        stood_s=np.array([1000.0]),
        move_count=np.zeros(1, np.int64),
    )


def changed(**fields: object) -> Advice:
    case = corner()
    return advise(
        MoveUpCase(**({name: getattr(case, name) for name in case.__dataclass_fields__} | fields)), MoveUpRules()
    )


def test_a_unit_goes_where_more_is_won_than_left() -> None:
    (move,) = changed().moves
    assert (move.unit, move.post, move.drive_s) == (0, 0, 120.0)
    assert move.covered_gain_share == pytest.approx(0.8)
    assert move.left_share == pytest.approx(0.065)
    assert move.won_share == pytest.approx(0.585)


@pytest.mark.parametrize(
    ("fields", "hold"),
    [
        ({"unit_keeps": np.array([[True]])}, Hold.FIRST_TIER),
        ({"stood_s": np.array([899.0])}, Hold.DWELL),
        ({"move_count": np.array([4])}, Hold.MOVED_ENOUGH),
        ({"drive_s": np.array([[np.inf]])}, None),
        ({"is_taken": np.array([True])}, None),
    ],
)
def test_who_may_not_move_stays_and_the_reason_is_told(fields: dict[str, object], hold: Hold | None) -> None:
    advice = changed(**fields)
    assert advice.moves == ()
    assert advice.held == ({} if hold is None else {0: hold})
    assert advice.expected_after_share == advice.expected_before_share


def test_a_first_tier_place_that_the_post_reaches_too_is_no_hindrance() -> None:
    advice = changed(unit_keeps=np.array([[True]]), post_keeps=np.array([[[True]]]))
    assert advice.moves[0].kept_count == 1
    assert advice.held == {}


def test_nobody_on_duty_gets_no_advice_and_no_error() -> None:
    nobody = {
        "mode": np.zeros(0, np.int64),
        "unit_covers": np.zeros((0, 2), np.bool_),
        "unit_keeps": np.zeros((0, 1), np.bool_),
        "drive_s": np.zeros((0, 1)),
        "stood_s": np.zeros(0),
        "move_count": np.zeros(0, np.int64),
    }
    advice = changed(**nobody)
    assert (advice.moves, advice.expected_before_share, advice.held) == ((), 0.0, {})


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (MoveUpRules(busy_ratio=1.5), r"busy_ratio is 1\.5: allowed is 0\.0 to 0\.99"),
        (MoveUpRules(busy_ratio=-0.1), r"busy_ratio is -0\.1"),
        (MoveUpRules(busy_ratio=float("nan")), "busy_ratio is nan"),
        (MoveUpRules(move_count=4), "move_count is 4: allowed is 1 to 3"),
        (MoveUpRules(drive_limit_s=0.0), r"drive_limit_s is 0\.0"),
    ],
)
def test_rules_out_of_range_are_refused(rules: MoveUpRules, words: str) -> None:
    with pytest.raises(InputError, match=words):
        advise(corner(), rules)


def test_weights_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="at least one above 0"):
        changed(weight=np.zeros(2))
