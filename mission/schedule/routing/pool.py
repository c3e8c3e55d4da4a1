"""Routes that searches came by, and the best of all sets of them: what one search does well goes with what another does."""

from typing import Final

import pyvrp
from ortools.sat.python import cp_model

from mission.schedule.routing.encoding import Encoding, clients_of

MOST_ROUTES: Final = 6000
"""Beyond these the routes that were met first are forgotten."""


class RoutePool:
    """Feasible routes by vehicle kind and jobs, each in its shortest order met."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._orders: dict[tuple[int, frozenset[int]], tuple[int, tuple[int, ...]]] = {}
        self._is_new = False

    def add(self, solution: pyvrp.Solution) -> None:
        """Remember the feasible routes of a solution, whatever the others of it are."""
        for route in solution.routes():
            if not route.is_feasible():
                continue
            order = tuple(stop.idx for stop in clients_of(route))
            key = (route.vehicle_type(), frozenset(order))
            known = self._orders.get(key)
            if known is None or route.distance() < known[0]:
                self._orders[key] = (route.distance(), order)
                self._is_new = True

    def best(self, *, within_s: float, work_factor: float) -> list[tuple[int, tuple[int, ...]]]:
        """Return (vehicle kind, clients in order) of the set of routes with most prize; empty where nothing new is known.

        Ends after `within_s` seconds or an amount of work that is the same on every machine, whichever comes first.
        """
        if not self._is_new:
            return []
        self._is_new = False
        while len(self._orders) > MOST_ROUTES:
            self._orders.pop(next(iter(self._orders)))
        routes = [(kind, order) for (kind, _), (_, order) in self._orders.items()]
        model = cp_model.CpModel()
        taken = [model.new_bool_var("") for _ in routes]
        for members in self._exclusive(routes):
            model.add_at_most_one(taken[number] for number in members)
        for kind, vehicles in enumerate(self._encoding.fleet):
            model.add(sum(take for take, route in zip(taken, routes, strict=True) if route[0] == kind) <= len(vehicles))
        model.maximize(sum(take * self._prize(order) for take, (_, order) in zip(taken, routes, strict=True)))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.max_time_in_seconds = within_s
        solver.parameters.max_deterministic_time = work_factor
        if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return []
        return [route for take, route in zip(taken, routes, strict=True) if solver.value(take)]

    def _exclusive(self, routes: list[tuple[int, tuple[int, ...]]]) -> list[list[int]]:
        """Return, job by job and group by group, the numbers of the routes of which one at most may be taken."""
        users: dict[tuple[str, int], list[int]] = {}
        for number, (_, order) in enumerate(routes):
            for client in order:
                job = self._encoding.jobs[client]
                group = self._encoding.problem.jobs[job].group
                users.setdefault(("job", job) if group is None else ("group", group), []).append(number)
        return [members for members in users.values() if len(members) > 1]

    def _prize(self, order: tuple[int, ...]) -> int:
        return sum(self._encoding.problem.jobs[self._encoding.jobs[client]].prize for client in order)
