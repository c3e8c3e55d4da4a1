"""Patrols of a street net on which no place waits long: the drones are shared out over rounds, each as short as it can be.

The best cyclic partition: every group of drones follows one tour of its own places, evenly spaced. Never worse than all drones on
one tour (length / count), optimal among all patrols for two drones of one speed, and within 2 (1 - 1/k) of the optimum for k.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mission.schedule.streets.graph import StreetGraph
from mission.schedule.streets.tours import Tours, shared_out
from mission.schedule.streets.walks import ClosedWalk, Patrol
from telemetry.model.errors import InputError

MOST_DRONES: Final = 100
ATTEMPTS: Final = 16
_SHORTER: Final = (0.95, 0.98, 0.995)
"""By how much an attempt wants the longest wait shortened; less after each that fails."""


@dataclass(frozen=True)
class _Group:
    """Drones (numbers) that follow each other on one tour (places in their order)."""

    tour: tuple[int, ...]
    drones: tuple[int, ...]
    wait_s: float


class _Partition:
    """The search over partitions: tours are known once, a partition is better when its longest wait is shorter."""

    def __init__(self, tours: Tours, speeds_mps: Sequence[float], random: np.random.Generator) -> None:
        self._tours = tours
        self._speeds_mps = speeds_mps
        self._random = random

    def group(self, places: Sequence[int], drones: Sequence[int]) -> _Group:
        """Return the drones on the shortest tour found through the places; they fly as fast as the slowest."""
        tour = self._tours.best(frozenset(places))
        return _Group(tour, tuple(drones), self._tours.length_m(tour) / self._together_mps(drones))

    def _together_mps(self, drones: Sequence[int]) -> float:
        return len(drones) * min(self._speeds_mps[drone] for drone in drones)

    def split(self, tour: Sequence[int], offset: int) -> list[_Group]:
        """Return a tour cut into one stretch for each drone, as long as its speed has part in all speeds."""
        turned = [*tour[offset:], *tour[:offset]]
        parts = np.cumsum([0.0, *self._speeds_mps]) / sum(self._speeds_mps)
        ends = self._tours.reached_ratio(turned)
        stretches = [
            [place for place, at in zip(turned, ends, strict=True) if first <= at < last]
            for first, last in itertools.pairwise(parts)
        ]
        return [self.group(places, [drone]) for drone, places in enumerate(stretches) if places]

    def shortened(self, groups: Sequence[_Group], wanted_s: float) -> list[_Group] | None:
        """Return the places shared out anew so that nothing waits longer than that, if a way is found."""
        found = shared_out(
            self._tours.away_m,
            seeds=[int(self._random.choice(group.tour)) for group in groups],
            limits_m=[wanted_s * self._together_mps(group.drones) for group in groups],
            first=[group.tour for group in groups],
            seed=int(self._random.integers(1 << 30)),
        )
        if found is None:
            return None
        return [self.group(places, group.drones) for places, group in zip(found, groups, strict=True)]

    def merged(self, groups: Sequence[_Group]) -> list[_Group]:
        """Return the groups, the one that waits longest joined with another as long as that helps."""
        best = sorted(groups, key=lambda group: group.wait_s)
        while len(best) > 1:
            joined = [
                (self.group((*one.tour, *best[-1].tour), (*one.drones, *best[-1].drones)), one) for one in best[:-1]
            ]
            whole, other = min(joined, key=lambda pair: pair[0].wait_s)
            if whole.wait_s >= best[-1].wait_s:
                break
            best = sorted([*(g for g in best[:-1] if g is not other), whole], key=lambda group: group.wait_s)
        return best


def patrol(
    graph: StreetGraph,
    speeds_mps: Sequence[float],
    *,
    attempts: int = ATTEMPTS,
    seed: int = 1,
    stop: Callable[[], bool] | None = None,
) -> Patrol:
    """Return a walk for each drone, so that the longest time that any place waits is short.

    One drone a speed. `attempts` are made to shorten the wait from each of two beginnings; the same seed gives the same answer.
    `stop` is asked between attempts: True ends with the best so far. Raises InputError for a net that is not connected or
    speeds that are none. Cost: about 0.2 s an attempt at 100 places.
    """
    _check(graph, speeds_mps)
    random = np.random.default_rng(seed)
    tours = Tours(graph.away_m, seed=seed)
    search = _Partition(tours, speeds_mps, random)
    whole = tours.best(frozenset(range(len(graph.places))))
    best = [_followed(search, whole, speeds_mps)]
    tour_s = best[0].wait_s
    for offset in (0, len(whole) // (2 * len(speeds_mps))):
        found = _improved(search, search.split(whole, offset), attempts, stop)
        best = min(best, found, key=_wait_s)
    return Patrol(_walks(graph, best, tours, speeds_mps), _wait_s(best), tour_s)


def _check(graph: StreetGraph, speeds_mps: Sequence[float]) -> None:
    graph.check()
    if not 1 <= len(speeds_mps) <= MOST_DRONES or not all(0.0 < speed < math.inf for speed in speeds_mps):
        message = f"speeds {list(speeds_mps)[:5]}: 1 to {MOST_DRONES} drones with speeds above 0 m/s can patrol"
        raise InputError(message)


def _wait_s(groups: Sequence[_Group]) -> float:
    return max(group.wait_s for group in groups)


def _followed(search: _Partition, whole: Sequence[int], speeds_mps: Sequence[float]) -> _Group:
    """Return one tour of all places, followed by as many of the fastest drones as make the wait shortest."""
    fastest = sorted(range(len(speeds_mps)), key=lambda drone: -speeds_mps[drone])
    return min((search.group(whole, fastest[:count]) for count in range(1, len(fastest) + 1)), key=lambda g: g.wait_s)


def _improved(search: _Partition, groups: list[_Group], attempts: int, stop: Callable[[], bool] | None) -> list[_Group]:
    best, failed = groups, 0
    for _ in range(attempts):
        if (stop is not None and stop()) or _wait_s(best) == 0.0:
            break
        wanted_s = _wait_s(best) * _SHORTER[min(failed // 2, len(_SHORTER) - 1)]
        found = search.shortened(best, wanted_s)
        if found is None or _wait_s(found) >= _wait_s(best):
            failed += 1
        else:
            best = found
    return search.merged(best)


def _walks(
    graph: StreetGraph, groups: Sequence[_Group], tours: Tours, speeds_mps: Sequence[float]
) -> tuple[ClosedWalk, ...]:
    """Return every drone's walk along the streets; a drone of no group stands by at the first place."""
    walks: dict[int, ClosedWalk] = {}
    for group in groups:
        length_m = tours.length_m(group.tour)
        speed_mps = min(speeds_mps[drone] for drone in group.drones)
        steps = zip(group.tour, (*group.tour[1:], group.tour[0]), strict=True)
        places = (group.tour[0], *(place for one, other in steps for place in graph.path(one, other)[1:]))
        for number, drone in enumerate(group.drones):
            walks[drone] = ClosedWalk(places, length_m, length_m * number / len(group.drones), speed_mps)
    idle = ClosedWalk((0,), 0.0, 0.0, 1.0)
    return tuple(walks.get(drone, idle) for drone in range(len(speeds_mps)))
