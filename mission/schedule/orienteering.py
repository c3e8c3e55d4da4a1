"""Team orienteering with time windows: the jobs of most prize that the vehicles can do, by several searches that help each other."""

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks, IteratedLocalSearchParams

from mission.schedule.routing_encoding import Encoding, encode
from mission.schedule.routing_problem import Effort, Job, Problem, Route, Routes, Stop, Vehicle, check
from telemetry.model.errors import InputError

__all__ = ["Effort", "Job", "Problem", "Route", "Routes", "Stop", "Vehicle", "solve"]

USUAL: Final = Effort()
FACTORS: Final = (30.0, 3.0, 30.0, 100.0)
"""What the mean prize is worth against the travel of a horizon, search by search."""


def solve(
    problem: Problem,
    *,
    effort: Effort = USUAL,
    first: Sequence[tuple[int, Sequence[int]]] = (),
    on_better: Callable[[Routes], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Routes:
    """Return the best routes found, each limit kept; more prize is better, then less travel.

    `first` is what to begin with (a present plan): vehicle and jobs in their order. `on_better` is told each better answer,
    `stop` is asked at each iteration: True ends the search with the best so far. Raises InputError for a problem that means
    nothing. Cost: near 0.3 ms an iteration at 100 jobs; the first answer comes within 0.3 s.
    """
    check(problem)
    if effort.within_s is None and effort.iterations is None:
        message = "an effort without within_s and without iterations would never end: give one of them"
        raise InputError(message)
    search = _Search(encode(problem), effort, on_better, stop)
    search.run(first)
    return replace(search.best, iterations=search.iterations)


@dataclass(frozen=True)
class _Slice:
    factor: float
    seed: int
    until_iterations: int
    clock: pyvrp.stop.MaxRuntime | None
    """Tells when it is to end; counts from the beginning of the first search."""


class _Search(IteratedLocalSearchCallbacks):
    """The searches one after another: what is best so far, what has been spent, and when to end."""

    def __init__(
        self,
        encoding: Encoding,
        effort: Effort,
        on_better: Callable[[Routes], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self._encoding = encoding
        self._effort = effort
        self._on_better = on_better
        self._stop = stop
        self.iterations = 0
        self.best = encoding.decode(pyvrp.Solution(encoding.data, []), 0)
        self._best_prizes = -1

    def run(self, first: Sequence[tuple[int, Sequence[int]]]) -> None:
        """Search until the effort is spent."""
        begin = [(vehicle, tuple(jobs)) for vehicle, jobs in first]
        if not self._encoding.jobs or not self._encoding.fleet:
            return
        for part in self._slices():
            self._search(part, begin)
            begin = [(route.vehicle, tuple(stop.job for stop in route.stops)) for route in self.best.routes]

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

    def on_best(self, best: pyvrp.Solution) -> None:
        """Look at the solver's own best."""
        self._look_at(best)

    def _look_at(self, solution: pyvrp.Solution) -> None:
        prizes = solution.prizes()
        if prizes < self._best_prizes or not solution.is_feasible():
            return
        found = self._encoding.decode(solution, self.iterations)
        if (found.score, -found.travel_s) <= (self.best.score, -self.best.travel_s):
            return
        self.best, self._best_prizes = found, prizes
        if self._on_better is not None:
            self._on_better(found)

    def _slices(self) -> list[_Slice]:
        effort, found = self._effort, []
        for number, factor in enumerate(FACTORS):
            part_ratio = (number + 1) / len(FACTORS)
            clock = None if effort.within_s is None else pyvrp.stop.MaxRuntime(effort.within_s * part_ratio)
            if clock is not None:
                clock(0)
            most = sys.maxsize if effort.iterations is None else math.ceil(effort.iterations * part_ratio)
            found.append(_Slice(factor, effort.seed + number, most, clock))
        return found

    def _search(self, part: _Slice, begin: Sequence[tuple[int, Sequence[int]]]) -> None:
        data = self._encoding.priced(part.factor)
        self._best_prizes = -1
        initial = self._encoding.solution_of(begin, data) if begin else None
        params = pyvrp.SolveParams(ils=IteratedLocalSearchParams(callbacks=self))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            pyvrp.solve(
                data,
                stop=lambda _: self._is_over(part),
                seed=part.seed,
                collect_stats=False,
                params=params,
                initial_solution=initial,
            )

    def _is_over(self, part: _Slice) -> bool:
        if self._stop is not None and self._stop():
            return True
        if self.iterations >= part.until_iterations:
            return True
        return part.clock is not None and part.clock(0)
