"""Shortest tours through places, and places shared out over rounds of limited length: the part of patrols that PyVRP solves."""

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.exceptions import PenaltyBoundWarning

from telemetry.model.geodesy import Floats

TICKS: Final = 10_000_000
"""Lengths are whole parts of this of the longest way."""
_TOUR_ITERATIONS: Final = 600
_SHARING_ITERATIONS: Final = 900


class Tours:
    """Tours through sets of places, each reckoned once; `away_m` (n, n) are the lengths from place to place, all finite."""

    def __init__(self, away_m: Floats, *, seed: int) -> None:
        self.away_m = away_m
        self._seed = seed
        self._known: dict[frozenset[int], tuple[int, ...]] = {}

    def best(self, places: frozenset[int]) -> tuple[int, ...]:
        """Return the places in the order of the shortest tour found, the smallest number first."""
        if places not in self._known:
            self._known[places] = self._tour(sorted(places))
        return self._known[places]

    def length_m(self, tour: Sequence[int]) -> float:
        """Return the length of a closed tour."""
        return float(self.away_m[list(tour), [*tour[1:], tour[0]]].sum())

    def reached_ratio(self, tour: Sequence[int]) -> list[float]:
        """Return after which part of the tour each of its places is reached; the first at 0."""
        steps_m = self.away_m[list(tour), [*tour[1:], tour[0]]]
        before_m = np.concatenate(([0.0], np.cumsum(steps_m)[:-1]))
        ratios: list[float] = (before_m / max(float(steps_m.sum()), 1e-12)).tolist()
        return ratios

    def _tour(self, places: list[int]) -> tuple[int, ...]:
        if len(places) <= 2:
            return tuple(places)
        ticks = _ticks(self.away_m[np.ix_(places, places)])
        data = _data(ticks, depots=[0], limits=[int(ticks.max()) * len(places)])
        stop = pyvrp.stop.MaxIterations(_TOUR_ITERATIONS if len(places) > 3 else 1)
        (route,) = pyvrp.solve(data, stop, seed=self._seed, collect_stats=False).best.routes()
        return tuple(places[at] for at in (0, *_clients(route, depot_count=1)))


def shared_out(
    away_m: Floats,
    *,
    seeds: Sequence[int],
    limits_m: Sequence[float],
    first: Sequence[Sequence[int]],
    seed: int,
) -> list[list[int]] | None:
    """Return the places of each round: round i holds place `seeds[i]` and is at most `limits_m[i]` long. None: none was found.

    `first` are the rounds to begin with, each holding its seed. Ends with the first answer, or after some hundred iterations.
    """
    order = [*seeds, *sorted(set(range(len(away_m))) - set(seeds))]
    at = {place: number for number, place in enumerate(order)}
    ticks = _ticks(away_m[np.ix_(order, order)])
    factor = TICKS / max(float(away_m.max()), 1e-12)
    data = _data(ticks, depots=list(range(len(seeds))), limits=[int(limit_m * factor) for limit_m in limits_m])
    routes = []
    for number, (tour, start) in enumerate(zip(first, seeds, strict=True)):
        turn = list(tour).index(start)
        visits = [at[place] - len(seeds) for place in (*tour[turn + 1 :], *tour[:turn])]
        if visits:
            routes.append(pyvrp.Route(data, visits, number))
    stop = pyvrp.stop.MultipleCriteria([pyvrp.stop.FirstFeasible(), pyvrp.stop.MaxIterations(_SHARING_ITERATIONS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        found = pyvrp.solve(
            data, stop, seed=seed, collect_stats=False, initial_solution=pyvrp.Solution(data, routes)
        ).best
    if not found.is_feasible():
        return None
    rounds = [[start] for start in seeds]
    for route in found.routes():
        rounds[route.vehicle_type()] += [order[number] for number in _clients(route, depot_count=len(seeds))]
    return rounds


def _ticks(away_m: Floats) -> NDArray[np.int64]:
    return np.ceil(away_m * (TICKS / max(float(away_m.max()), 1e-12))).astype(np.int64)


def _data(ticks: NDArray[np.int64], *, depots: Sequence[int], limits: Sequence[int]) -> pyvrp.ProblemData:
    """Return the solver's data: one vehicle at each depot, everything else to be visited; distances alone matter."""
    matrices: list[tuple[Any, Any]] = [(ticks, np.zeros_like(ticks))]  # the stubs of the solver know no matrix of ours
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0)] * len(ticks),
        clients=[pyvrp.Client(number) for number in range(len(depots), len(ticks))],
        depots=[pyvrp.Depot(number) for number in depots],
        vehicle_types=[
            pyvrp.VehicleType(1, start_depot=number, end_depot=number, max_distance=limit)
            for number, limit in enumerate(limits)
        ],
        distance_matrices=[distance for distance, _ in matrices],
        duration_matrices=[duration for _, duration in matrices],
    )


def _clients(route: pyvrp.Route, *, depot_count: int) -> list[int]:
    return [stop.idx + depot_count for stop in route if stop.is_client()]
