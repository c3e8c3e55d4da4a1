"""How beats grow: from their stations outwards, each under a price that rises while the beat is too heavy."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import Ints, SecondsMatrix
from telemetry.model.geodesy import Floats

NO_BEAT: Final = -1
_STEPS: Final = 40
_CENTRING_STEPS: Final = 6
_OWN_GROUND_RATIO: Final = 0.98
"""A price stays so far below the way to the nearest other station that no station loses the ground it stands on."""
_LEAST_PRICE_S: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Loads:
    """What is shared out: `weight` (nodes,), the part `share` (beats,) that each beat should get, and the tolerance."""

    weight: Floats
    share: Floats
    tolerance_ratio: float

    @cached_property
    def even(self) -> Floats:
        """The weight that each beat should have."""
        parts: Floats = np.maximum(self.share * self.weight.sum(), 1e-12)
        return parts

    def excess(self, beat: Ints) -> Floats:
        """Return how much more than its part each beat has (beats,)."""
        return self.of(beat) - self.even

    def of(self, beat: Ints) -> Floats:
        """Return the weight of each beat (beats,)."""
        inside = beat >= 0
        return np.bincount(beat[inside], self.weight[inside], minlength=len(self.share)).astype(np.float64)

    def imbalance_ratio(self, beat: Ints) -> float:
        """Return the largest distance of a beat from its part, as a ratio of the part."""
        return float(np.abs(self.excess(beat) / self.even).max())


def grow(seconds: SecondsMatrix, seeds: Ints, loads: Loads) -> Ints:
    """Return the beat of each node: each in one piece round its seed, weights as even as prices alone make them.

    A node goes to the seed from which the way, plus the seed's price, is shortest; on such a way every node goes to the same
    seed, so a beat never falls into pieces.
    """
    prices = np.zeros(len(seeds))
    between = np.asarray(dijkstra(seconds, indices=seeds))[:, seeds]
    np.fill_diagonal(between, np.inf)
    best, best_ratio, scale_s = None, np.inf, 0.0
    for step in range(_STEPS):
        beat, away_s = nearest_seed(seconds, seeds, prices)
        ratio = loads.imbalance_ratio(beat)
        if best is None or ratio < best_ratio:
            best, best_ratio = beat, ratio
        if best_ratio <= loads.tolerance_ratio or len(seeds) == 1:
            break
        if not step:
            scale_s = float(away_s[np.isfinite(away_s)].mean())
        prices = prices + scale_s / (1.0 + step / 4.0) * np.clip(loads.excess(beat) / loads.even, -0.5, 1.0)
        prices = _with_own_ground(prices - prices.min(), between)
    assert best is not None
    return best


def _with_own_ground(prices: Floats, between: Floats) -> Floats:
    for _ in range(len(prices)):
        highest = (prices[:, None] + _OWN_GROUND_RATIO * between).min(axis=0)
        if (prices <= highest).all():
            break
        prices = np.minimum(prices, highest)
    return prices


def nearest_seed(seconds: SecondsMatrix, seeds: Ints, prices: Floats) -> tuple[Ints, Floats]:
    """Return for each node the seed (its index) with the shortest way plus price, NO_BEAT where none leads, and that sum."""
    count, beats = seconds.shape[0], len(seeds)
    data = np.concatenate((seconds.data, prices + _LEAST_PRICE_S))
    indices = np.concatenate((seconds.indices, seeds.astype(np.int32)))
    starts = np.concatenate((seconds.indptr, seconds.indptr[-1] + np.arange(1, beats + 1))).astype(np.int32)
    matrix = csr_array((data, indices, starts), shape=(count + beats, count + beats))
    found = dijkstra(matrix, indices=np.arange(count, count + beats), min_only=True, return_predecessors=True)
    away_s, _, sources = found
    beat = np.where(np.isfinite(away_s[:count]), sources[:count] - count, NO_BEAT)
    return beat.astype(np.int32), np.asarray(away_s[:count], np.float64)


def within_beats(seconds: SecondsMatrix, beat: Ints) -> SecondsMatrix:
    """Return the matrix without the streets that lead from one beat into another."""
    rows = np.repeat(np.arange(seconds.shape[0], dtype=np.int32), np.diff(seconds.indptr))
    same = (beat[rows] == beat[seconds.indices]) & (beat[rows] >= 0)
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows[same], minlength=seconds.shape[0])))).astype(np.int32)
    return csr_array((seconds.data[same], seconds.indices[same], starts), shape=seconds.shape)


def scattered_seeds(seconds: SecondsMatrix, first: int, weight: Floats, count: int) -> Ints:
    """Return `count` nodes spread over the part of the net round `first`: each the farthest from those before, then centred."""
    seeds = np.array([first], np.int32)
    away_s = _away(seconds, seeds)
    while len(seeds) < count:
        seeds = np.append(seeds, np.int32(np.where(np.isfinite(away_s), away_s, -1.0).argmax()))
        away_s = np.minimum(away_s, _away(seconds, seeds[-1:]))
    for _ in range(_CENTRING_STEPS):
        beat, _ = nearest_seed(seconds, seeds, np.zeros(count))
        centred = centres(seconds, beat, weight, seeds)
        if (centred == seeds).all():
            break
        seeds = centred
    return seeds


def centres(seconds: SecondsMatrix, beat: Ints, weight: Floats, known: Ints) -> Ints:
    """Return for each beat a node near its middle: halfway between its two far ends as its ways run, by weight.

    `known` (beats,) are nodes inside; a beat whose middle is no better than the known node keeps it.
    """
    inside = within_beats(seconds, beat)
    found = known.copy()
    for number, seed in enumerate(known.tolist()):
        mine = np.flatnonzero(beat == number)
        from_seed = _away(inside, np.array([seed], np.int32))[mine]
        one = mine[int(from_seed.argmax())]
        from_one = _away(inside, np.array([one], np.int32))[mine]
        other = mine[int(from_one.argmax())]
        from_other = _away(inside, np.array([other], np.int32))[mine]
        middle = int(mine[int(np.maximum(from_one, from_other).argmin())])
        from_middle = _away(inside, np.array([middle], np.int32))[mine]
        if (from_middle * weight[mine]).sum() < (from_seed * weight[mine]).sum():
            found[number] = middle
    return found


def _away(seconds: SecondsMatrix, nodes: Ints) -> Floats:
    return np.asarray(dijkstra(seconds, indices=nodes, min_only=True), np.float64)
