"""Team orienteering with time windows: the jobs of most prize that the vehicles can do, by several searches that help each other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mission.schedule.routing.encoding import encode
from mission.schedule.routing.problem import Effort, Job, Problem, Route, Routes, Stop, Vehicle, check
from mission.schedule.routing.search import Part, Search
from telemetry.model.errors import InputError

__all__ = ["Effort", "Job", "Problem", "Route", "Routes", "Stop", "Vehicle", "solve"]

USUAL: Final = Effort()


def solve(
    problem: Problem,
    *,
    effort: Effort = USUAL,
    first: Sequence[tuple[int, Sequence[int]]] = (),
    on_better: Callable[[Routes], None] | None = None,
    stop: Callable[[], bool] | None = None,
    portfolio: Sequence[Part] | None = None,
) -> Routes:
    """Return the best routes found, each limit kept; more prize is better, then less travel.

    `portfolio` is how to search; None: what does well for so many vehicles.
    `first` is what to begin with (a present plan): vehicle and jobs in their order. `on_better` is told each better answer,
    `stop` is asked at each iteration: True ends the search with the best so far. Raises InputError for a problem that means
    nothing. Cost: near 0.3 ms an iteration at 100 jobs; the first answer comes within 0.3 s.
    """
    check(problem)
    if effort.within_s is None and effort.iterations is None:
        message = "an effort without within_s and without iterations would never end: give one of them"
        raise InputError(message)
    search = Search(encode(problem), effort, on_better, stop, portfolio)
    search.run(first)
    return replace(search.best, iterations=search.iterations)
