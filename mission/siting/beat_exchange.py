"""How neighbouring beats even out: the heavier one hands over a branch of its streets; both stay in one piece.

Within a beat the shortest ways from its seed form a tree. A branch of that tree can go to a neighbour that it touches: the branch
is one piece, it hangs on the neighbour, and what stays hangs together by the rest of the tree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import Ints, SecondsMatrix
from mission.siting.beat_growth import Loads, within_beats
from telemetry.model.geodesy import Floats

_MOST_ROUNDS: Final = 400
_GOOD_ENOUGH_RATIO: Final = 0.5
"""Of two branches that even out about as well (by this ratio), the one that lies nearer to its new beat goes."""


@dataclass(frozen=True, eq=False)
class _Trees:
    """Shortest ways from the seeds inside their beats: `order` by distance, seconds, the node before, weight of the branch."""

    order: list[int]
    away_s: Floats
    before: list[int]
    branch_weight: list[float]


@dataclass(frozen=True)
class _Handover:
    """A branch (its root) that goes from one beat to another: how much the squared excesses fall by it, and how much longer its way becomes."""

    relief_weight: float
    longer_s: float
    root: int
    giver: int
    taker: int


def exchange(seconds: SecondsMatrix, seeds: Ints, loads: Loads, beat: Ints) -> Ints:
    """Return the beats after handing over branches until all are within tolerance, or no branch brings them nearer.

    `beat` (nodes,) must be in one piece each, with its seed inside, and so is the result. The sum of the squared excesses falls
    with each round, so it ends.
    """
    beat = beat.copy()
    for _ in range(_MOST_ROUNDS):
        excess = loads.excess(beat)
        if (np.abs(excess) <= loads.tolerance_ratio * loads.even).all():
            break
        trees = _trees_of(seconds, seeds, loads.weight, beat)
        moves = _chosen(_handovers(seconds, beat, excess, trees))
        if not moves:
            break
        _apply(moves, trees, beat)
    return beat


def _trees_of(seconds: SecondsMatrix, seeds: Ints, weight: Floats, beat: Ints) -> _Trees:
    found = dijkstra(within_beats(seconds, beat), indices=seeds, min_only=True, return_predecessors=True)
    away_s, before = np.asarray(found[0], np.float64), found[1].tolist()
    reached = np.flatnonzero(np.isfinite(away_s))
    order = reached[np.argsort(away_s[reached], kind="stable")].tolist()
    branch = weight.tolist()
    for node in reversed(order):
        if before[node] >= 0:
            branch[before[node]] += branch[node]
    return _Trees(order, away_s, before, branch)


def _handovers(seconds: SecondsMatrix, beat: Ints, excess: Floats, trees: _Trees) -> dict[tuple[int, int], _Handover]:
    """Return for each pair of neighbours (giver, taker) the branch that evens them out best, nearness considered."""
    rows = np.repeat(np.arange(seconds.shape[0]), np.diff(seconds.indptr))
    giver, taker = beat[rows], beat[seconds.indices]
    crossing = np.flatnonzero((giver != taker) & (giver >= 0) & (taker >= 0))
    crossing = crossing[excess[giver[crossing]] > excess[taker[crossing]]]
    longer_s = trees.away_s[seconds.indices[crossing]] + seconds.data[crossing] - trees.away_s[rows[crossing]]
    found: dict[tuple[int, int], list[_Handover]] = {}
    columns = (rows[crossing], giver[crossing], taker[crossing], longer_s)
    for node, from_beat, to_beat, extra_s in zip(*(column.tolist() for column in columns), strict=True):
        difference = float(excess[from_beat] - excess[to_beat])
        root, worth = _best_branch(node, difference, trees)
        if worth > 0.0:
            found.setdefault((from_beat, to_beat), []).append(_Handover(worth, extra_s, root, from_beat, to_beat))
    return {pair: _nearest_of_the_good(some) for pair, some in found.items()}


def _best_branch(node: int, difference_weight: float, trees: _Trees) -> tuple[int, float]:
    """Climb from a node at the border to the branch whose handing over brings the two beats nearest; its root and worth."""
    before, branch = trees.before, trees.branch_weight
    if before[node] < 0:
        return node, 0.0  # the seed stays
    while before[before[node]] >= 0 and 2.0 * branch[before[node]] <= difference_weight:
        node = before[node]
    root, worth = node, branch[node] * (difference_weight - branch[node])
    above = before[node]
    if before[above] >= 0 and branch[above] * (difference_weight - branch[above]) > worth:
        root, worth = above, branch[above] * (difference_weight - branch[above])
    return root, worth


def _nearest_of_the_good(some: list[_Handover]) -> _Handover:
    best = max(handover.relief_weight for handover in some)
    good = [handover for handover in some if handover.relief_weight >= _GOOD_ENOUGH_RATIO * best]
    return min(good, key=lambda handover: (handover.longer_s, handover.root))


def _chosen(handovers: dict[tuple[int, int], _Handover]) -> list[_Handover]:
    """Return the best handovers of which no two concern the same beat."""
    taken: set[int] = set()
    chosen = []
    for handover in sorted(handovers.values(), key=lambda one: (-one.relief_weight, one.giver, one.taker)):
        if taken.isdisjoint({handover.giver, handover.taker}):
            taken |= {handover.giver, handover.taker}
            chosen.append(handover)
    return chosen


def _apply(moves: Iterable[_Handover], trees: _Trees, beat: Ints) -> None:
    """Give each branch to its taker, from the root outwards."""
    goes_to = {move.root: move.taker for move in moves}
    for node in trees.order:
        if node not in goes_to and trees.before[node] in goes_to:
            goes_to[node] = goes_to[trees.before[node]]
    nodes = np.fromiter(goes_to, np.int64, len(goes_to))
    beat[nodes] = np.fromiter(goes_to.values(), np.int32, len(goes_to))
