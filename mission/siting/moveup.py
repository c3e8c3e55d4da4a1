"""Move-up advice: which units should stand elsewhere for a while, at most three, what each move wins and what it costs.

The measure is expected coverage: a place that n units reach in time is served with 1 - q^n, where q is the ratio of time that a
unit is busy (Daskin's MEXCLP). Everything is put on plain arrays; mission/siting/planning_map.py makes them from a map.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

MOST_MOVES: Final = 3
LONGEST_DRIVE_S: Final = 900.0
"""Farther posts are no move-up: ways to posts are kept so far."""
_BEAM_COUNT: Final = 4
"""How many part-way advices are carried on with from move to move."""


class Hold(StrEnum):
    """Why a unit is left where it is."""

    DWELL = "dwell"
    """It has not stood at its place for long enough."""
    MOVED_ENOUGH = "moved_enough"
    """It was moved as often in this shift as the rules allow."""
    FIRST_TIER = "first_tier"
    """It alone holds a first-tier place, and would not reach it in time from any post that it could drive to."""


@dataclass(frozen=True)
class MoveUpRules:
    """What the advice keeps to.

    `busy_ratio` (0..1) is how much of its time a unit is not free; at most `move_count` moves, none longer than
    `drive_limit_s`, none that wins less than `least_gain_share` of all weight; a minute of driving must win `minute_share` of
    it. A unit stands at least `dwell_s` before it is moved, and is moved at most `shift_move_count` times in a shift.
    """

    busy_ratio: float = 0.35
    move_count: int = MOST_MOVES
    drive_limit_s: float = 600.0
    least_gain_share: float = 0.002
    minute_share: float = 0.0005
    dwell_s: float = 900.0
    shift_move_count: int = 4

    def check(self) -> None:
        """Raise InputError for rules out of range."""
        ranges = {
            "busy_ratio": (self.busy_ratio, 0.0, 0.99),
            "move_count": (self.move_count, 1, MOST_MOVES),
            "drive_limit_s": (self.drive_limit_s, 1.0, LONGEST_DRIVE_S),
            "least_gain_share": (self.least_gain_share, 0.0, 1.0),
            "minute_share": (self.minute_share, 0.0, 1.0),
            "dwell_s": (self.dwell_s, 0.0, 86_400.0),
            "shift_move_count": (self.shift_move_count, 0, 100),
        }
        for name, (value, lowest, highest) in ranges.items():
            if not lowest <= value <= highest:
                raise InputError(f"{name} is {value}: allowed is {lowest} to {highest}; ask again with such a value")


@dataclass(frozen=True, eq=False)
class MoveUpCase:
    """Who stands where and reaches what; units are rows, `mode` (units,) says which of the modes' tables is a unit's.

    `unit_covers` (units, demands) and `post_covers` (modes, posts, demands) tell who reaches which demand in time from where
    it stands, and would from a post; `unit_keeps` (units, places) and `post_keeps` (modes, posts, places) the same of
    first-tier places within their own limit. `drive_s` (units, posts) is inf where there is no way. `is_taken` (posts,) marks
    posts where a unit stands. `stood_s` and `move_count` (units,): how long there, and how often moved in this shift.
    """

    weight: Floats
    mode: Counts
    unit_covers: Bools
    post_covers: Bools
    unit_keeps: Bools
    post_keeps: Bools
    drive_s: Floats
    is_taken: Bools
    stood_s: Floats
    move_count: Counts


@dataclass(frozen=True)
class Move:
    """One move: `unit` and `post` are indexes; shares are parts of all weight (0..1).

    `gain_share` is what expected coverage wins, `covered_gain_share` what the plain share within the limit wins (may be negative:
    backup won for width lost); `left_share` is what leaving costs and `won_share` what arriving wins. `kept_count` counts
    the first-tier places that the unit reaches now and that stay reached.
    """

    unit: int
    post: int
    gain_share: float
    covered_gain_share: float
    left_share: float
    won_share: float
    drive_s: float
    kept_count: int


@dataclass(frozen=True)
class Advice:
    """The moves, the best first, expected coverage and plain share (0..1) before and after, and who is left alone and why."""

    moves: tuple[Move, ...]
    expected_before_share: float
    expected_after_share: float
    covered_before_share: float
    covered_after_share: float
    held: dict[int, Hold]


@dataclass(frozen=True, eq=False)
class _State:
    """A part-way advice: how many units reach each demand and first-tier place, who and which posts are left, the moves so far."""

    reached: Counts
    kept: Counts
    units: Bools
    posts: Bools
    moves: tuple[Move, ...]
    net_share: float


def advise(case: MoveUpCase, rules: MoveUpRules) -> Advice:
    """Return at most `rules.move_count` moves that win the most expected coverage after the price of driving.

    No first-tier place that is reached now is left unreached. Every single move is the best of all pairs of unit and post;
    two and three are found by carrying on with the best few. 40 units by 200 posts and 2,000 demands take about 25 ms.
    Raises InputError for rules or weights that are none.
    """
    rules.check()
    if (
        case.weight.size == 0
        or not np.isfinite(case.weight).all()
        or case.weight.min() < 0.0
        or case.weight.sum() <= 0.0
    ):
        raise InputError("the demands' weights must be numbers of 0 or more, at least one above 0")
    search = _Search(case, rules)
    start = search.start()
    best, states = start, [start]
    for _ in range(rules.move_count):
        states = sorted((after for state in states for after in search.steps(state)), key=lambda one: -one.net_share)
        states = _distinct(states)[:_BEAM_COUNT]
        if not states or states[0].net_share <= best.net_share:
            break
        best = states[0]
    return Advice(
        moves=best.moves,
        expected_before_share=search.expected_share(start),
        expected_after_share=search.expected_share(best),
        covered_before_share=search.covered_share(start),
        covered_after_share=search.covered_share(best),
        held=search.held(start),
    )


def _distinct(states: list[_State]) -> list[_State]:
    """Leave out advices that are the same moves in another order."""
    seen: set[frozenset[tuple[int, int]]] = set()
    kept = []
    for state in states:
        key = frozenset((move.unit, move.post) for move in state.moves)
        if key not in seen:
            seen.add(key)
            kept.append(state)
    return kept


class _Search:
    """The tables of one question, ready for products."""

    def __init__(self, case: MoveUpCase, rules: MoveUpRules) -> None:
        self._case, self._rules = case, rules
        self._weight = case.weight / case.weight.sum()
        # sparse: a post covers a small part of the city, and a sparse product keeps to one thread
        self._covers = case.unit_covers.astype(np.float32)
        self._sparse_covers = csr_array(self._covers)
        self._post_covers = [csr_array(table.astype(np.float32)) for table in case.post_covers]
        self._lets_go = (~case.post_keeps).astype(np.float32)

    def start(self) -> _State:
        """Return the state as it is."""
        case = self._case
        is_free = (case.stood_s >= self._rules.dwell_s) & (case.move_count < self._rules.shift_move_count)
        reached, kept = case.unit_covers.sum(axis=0), case.unit_keeps.sum(axis=0)
        return _State(reached, kept, is_free, ~case.is_taken, (), 0.0)

    def expected_share(self, state: _State) -> float:
        """Return expected coverage, 0..1."""
        return float(self._weight @ (1.0 - np.power(self._rules.busy_ratio, state.reached)))

    def covered_share(self, state: _State) -> float:
        """Return the share that at least one unit reaches in time, 0..1."""
        return float(self._weight[state.reached > 0].sum())

    def held(self, state: _State) -> dict[int, Hold]:
        """Return who may not move, and why."""
        case, rules = self._case, self._rules
        held = {int(unit): Hold.DWELL for unit in np.flatnonzero(case.stood_s < rules.dwell_s)}
        held |= {int(unit): Hold.MOVED_ENOUGH for unit in np.flatnonzero(case.move_count >= rules.shift_move_count)}
        drives = self._drives(state)
        bound = drives.any(axis=1) & ~(drives & ~self._strips(state)).any(axis=1)
        return held | {int(unit): Hold.FIRST_TIER for unit in np.flatnonzero(bound)}

    def steps(self, state: _State) -> list[_State]:
        """Return the best few states that are one move further."""
        left, won = self._left(state), self._won(state)
        allowed = self._drives(state) & ~self._strips(state)
        gain = won - left[:, None]
        minutes = np.where(allowed, self._case.drive_s, 0.0) / 60.0
        net = np.where(
            allowed & (gain >= self._rules.least_gain_share), gain - self._rules.minute_share * minutes, -np.inf
        )
        count = min(2 * _BEAM_COUNT, net.size)
        if not count:
            return []
        best = np.argsort(-net, axis=None, kind="stable")[:count]
        pairs = [divmod(int(place), net.shape[1]) for place in best if net.flat[place] > 0.0]
        return [
            self._after(state, unit, post, net_share=float(net[unit, post]), left_share=float(left[unit]))
            for unit, post in pairs
        ]

    def _drives(self, state: _State) -> Bools:
        near = self._case.drive_s <= self._rules.drive_limit_s
        return np.asarray(near & state.units[:, None] & state.posts[None, :])

    def _left(self, state: _State) -> Floats:
        """Return what each unit's leaving costs, as a share (units,)."""
        return np.asarray(self._sparse_covers @ self._next_worth(state.reached - 1), np.float64)

    def _won(self, state: _State) -> Floats:
        """Return what each unit's arriving at each post wins once it has left, as a share (units, posts)."""
        worth, worth_left = self._next_worth(state.reached), self._next_worth(state.reached - 1)
        won = np.zeros(self._case.drive_s.shape)
        for mode in np.unique(self._case.mode).tolist():
            mine = np.flatnonzero((self._case.mode == mode) & state.units)
            table = self._post_covers[mode]
            won[mine] = table @ worth + (table @ (self._covers[mine] * (worth_left - worth)).T).T
        return won

    def _next_worth(self, reached: Counts) -> NDArray[np.float32]:
        """Return what one more unit adds where so many are (demands,)."""
        busy_ratio = self._rules.busy_ratio
        worth = self._weight * (1.0 - busy_ratio) * np.power(busy_ratio, np.maximum(reached, 0))
        return np.asarray(worth, np.float32)

    def _strips(self, state: _State) -> Bools:
        """Return which moves would leave a first-tier place unreached (units, posts)."""
        case = self._case
        alone = (case.unit_keeps & (state.kept == 1)).astype(np.float32)
        strips = np.zeros(case.drive_s.shape, np.bool_)
        for mode in np.unique(case.mode).tolist():
            mine = case.mode == mode
            strips[mine] = alone[mine] @ self._lets_go[mode].T > 0.5
        return strips

    def _after(self, state: _State, unit: int, post: int, *, net_share: float, left_share: float) -> _State:
        case, mode = self._case, int(self._case.mode[unit])
        reached = state.reached - case.unit_covers[unit] + case.post_covers[mode, post]
        kept = state.kept - case.unit_keeps[unit] + case.post_keeps[mode, post]
        units, posts = state.units.copy(), state.posts.copy()
        units[unit] = posts[post] = False
        after = _State(reached, kept, units, posts, (), state.net_share + net_share)
        gain_share = self.expected_share(after) - self.expected_share(state)
        move = Move(
            unit=unit,
            post=post,
            gain_share=gain_share,
            covered_gain_share=self.covered_share(after) - self.covered_share(state),
            left_share=left_share,
            won_share=gain_share + left_share,
            drive_s=float(case.drive_s[unit, post]),
            kept_count=int(case.unit_keeps[unit].sum()),
        )
        return _State(reached, kept, units, posts, (*state.moves, move), after.net_share)
