"""The searches behind orienteering: PyVRP's local search with several values of a prize, one after another, and a pool of routes."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.IteratedLocalSearch import IteratedLocalSearch, IteratedLocalSearchCallbacks, IteratedLocalSearchParams
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from mission.schedule.routing.encoding import Encoding
from mission.schedule.routing.pool import RoutePool
from mission.schedule.routing.problem import Effort, Routes

PENALTY_UPDATES: Final = 100
POOLED_EVERY: Final = 4
POOLED_RATIO: Final = 0.98
"""Routes of every so manieth candidate are kept, if it is worth this part of the best."""
POLISH_RATIO: Final = 0.04
"""How much of the time each polishing may take."""


@dataclass(frozen=True)
class Part:
    """A search: what the mean prize is worth against the travel of a horizon, and from what it begins.

    A tick too late costs `lateness_factor` at first, PyVRP learns the rest: low ones let a search wander through plans that are
    late, with high ones it keeps to those that are not.
    """

    factor: float
    lateness_factor: float
    is_fresh: bool
    moved: tuple[int, int] = (1, 25)
    """How many jobs an iteration first takes out or puts in, at least and at most."""
    neighbour_count: int = 50
    """How many others each job is tried beside: an iteration takes time in proportion."""


FEW_ROUTES: Final = 2
FOR_FEW: Final = (
    Part(60.0, 3000.0, is_fresh=True, moved=(5, 50), neighbour_count=20),
    Part(60.0, 3000.0, is_fresh=True, moved=(5, 50), neighbour_count=20),
    Part(10.0, 300.0, is_fresh=True, neighbour_count=20),
)
"""For one or two routes, where nearly all is left out: begun anew, with large steps too.

Of 18 instances with proven optima, three seeds of 5 s of a core each, 20 neighbours left a mean gap of 0.02 %, 50 of 0.08 %: there
are 1.7 times as many iterations.
"""
FOR_MANY: Final = (
    Part(10.0, 300.0, is_fresh=True),
    Part(15.0, 50_000.0, is_fresh=False),
    Part(10.0, 300.0, is_fresh=False),
)
"""For more routes, where nearly all is done: small steps, each search going on with what the one before found."""
WITHIN_SLOTS: Final = (Part(30.0, 50_000.0, is_fresh=False, neighbour_count=20),)
"""For a short search that goes on from a plan which keeps its limits: it never wanders through plans that are late."""


class Search(IteratedLocalSearchCallbacks):
    """The searches one after another: what is best so far, what has been spent, and when to end."""

    def __init__(
        self,
        encoding: Encoding,
        effort: Effort,
        on_better: Callable[[Routes], None] | None,
        stop: Callable[[], bool] | None,
        portfolio: Sequence[Part] | None = None,
    ) -> None:
        self._encoding = encoding
        self._effort = effort
        self._on_better = on_better
        self._stop = stop
        self._pool = RoutePool(encoding)
        route_count = sum(len(vehicles) for vehicles in encoding.fleet)
        self._portfolio = portfolio or (FOR_FEW if route_count <= FEW_ROUTES else FOR_MANY)
        self._is_pooling = route_count > 1 and len(self._portfolio) > 1
        self._best_worth = (-1, 0)
        self.iterations = 0
        self.best = encoding.decode(pyvrp.Solution(encoding.data, []), 0)

    def run(self, first: Sequence[tuple[int, Sequence[int]]]) -> None:
        """Search until the effort is spent."""
        if not self._encoding.jobs or not self._encoding.fleet:
            return
        begin: Sequence[tuple[int, Sequence[int]]] = first
        for number, (part, is_over) in enumerate(self._parts()):
            self._search(part, number, begin if begin and (number == 0 or not part.is_fresh) else (), is_over)
            if self._is_pooling and not self._is_stopped():
                self._polish()
            begin = _orders(self.best)

    def on_iteration(  # the solver's face
        self,
        current: pyvrp.Solution,  # noqa: ARG002 - as above
        candidate: pyvrp.Solution,
        best: pyvrp.Solution,  # noqa: ARG002 - as above
        cost_evaluator: pyvrp.CostEvaluator,  # noqa: ARG002 - as above
    ) -> None:
        """Look at what an iteration brought."""
        self.iterations += 1
        self._look_at(candidate)
        is_due = self._is_pooling and self.iterations % POOLED_EVERY == 0
        if is_due and candidate.prizes() >= POOLED_RATIO * self._best_worth[0]:
            self._pool.add(candidate)

    def on_best(self, best: pyvrp.Solution) -> None:
        """Look at the solver's own best."""
        self._look_at(best)

    def _look_at(self, solution: pyvrp.Solution) -> None:
        worth = (solution.prizes(), -solution.distance())
        if worth <= self._best_worth or not solution.is_feasible():
            return
        found = self._encoding.decode(solution, self.iterations)
        if (found.score, -found.travel_s) <= (self.best.score, -self.best.travel_s):
            return
        self.best, self._best_worth = found, worth
        if self._is_pooling:
            self._pool.add(solution)
        if self._on_better is not None:
            self._on_better(found)

    def _parts(self) -> list[tuple[Part, Callable[[], bool]]]:
        """Return the searches and what tells each that it is over; all clocks count from now."""
        found, effort = [], self._effort
        for number, part in enumerate(self._portfolio):
            until_ratio = (number + 1) / len(self._portfolio) - (POLISH_RATIO if self._is_pooling else 0.0)
            clock = None if effort.within_s is None else pyvrp.stop.MaxRuntime(effort.within_s * until_ratio)
            if clock is not None:
                clock(0)
            most = (
                sys.maxsize
                if effort.iterations is None
                else -(-effort.iterations * (number + 1) // len(self._portfolio))
            )
            found.append((part, self._end(most, clock)))
        return found

    def _end(self, most_iterations: int, clock: pyvrp.stop.MaxRuntime | None) -> Callable[[], bool]:
        return lambda: self._is_stopped() or self.iterations >= most_iterations or (clock is not None and clock(0))

    def _is_stopped(self) -> bool:
        return self._stop is not None and self._stop()

    def _search(
        self, part: Part, number: int, begin: Sequence[tuple[int, Sequence[int]]], is_over: Callable[[], bool]
    ) -> None:
        data = self._encoding.priced(part.factor)
        best = self._encoding.solution_of(_orders(self.best), data)
        self._best_worth = (best.prizes(), -best.distance())
        random = pyvrp.RandomNumberGenerator(seed=self._effort.seed * len(self._portfolio) + number)
        near = NeighbourhoodParams(num_neighbours=part.neighbour_count)
        steps = PerturbationManager(PerturbationParams(*part.moved))
        moves = LocalSearch(data, random, compute_neighbours(data, near), steps)
        for operator in OPERATORS:
            if operator.supports(data):
                moves.add_operator(operator(data))
        penalties = pyvrp.PenaltyManager(
            ([part.lateness_factor] * data.num_load_dimensions, part.lateness_factor, part.lateness_factor),
            pyvrp.PenaltyParams(solutions_between_updates=PENALTY_UPDATES),
        )
        if begin:
            initial = self._encoding.solution_of(begin, data)
        else:
            scattered = pyvrp.Solution.make_random(data, random)
            initial = moves(scattered, penalties.max_cost_evaluator(), exhaustive=True)
        self._look_at(initial)
        params = IteratedLocalSearchParams(callbacks=self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            IteratedLocalSearch(data, penalties, moves, initial, params).run(lambda _: is_over(), collect_stats=False)

    def _polish(self) -> None:
        """Look at the best set of all routes that were met."""
        within_s = self._effort.within_s
        found = self._pool.best(within_s=60.0 if within_s is None else within_s * POLISH_RATIO, work_factor=0.5)
        routes = [pyvrp.Route(self._encoding.data, list(order), kind) for kind, order in found]
        if found:
            self._best_worth = (-1, 0)
            self._look_at(pyvrp.Solution(self._encoding.data, routes))


def _orders(routes: Routes) -> list[tuple[int, tuple[int, ...]]]:
    """Return each route's vehicle and its jobs in their order."""
    return [(route.vehicle, tuple(stop.job for stop in route.stops)) for route in routes.routes]
