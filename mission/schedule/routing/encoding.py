"""A routing problem in the solver's own whole numbers, and its solutions back in seconds: rounded so that limits are kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyvrp
from numpy.typing import NDArray

from mission.schedule.routing.problem import (
    UNLIMITED,
    Job,
    Problem,
    Route,
    Routes,
    Stop,
    Vehicle,
    service_battery_ratio,
    service_s,
)
from telemetry.model.geodesy import Floats

RATIO_TICK: Final = 1e-5
"""Shares of a battery are counted in these."""
MOST_BATTERY_RATIO: Final = 1e6
"""No limit, as a number."""
_FARTHEST: Final = 10**15
_ROUNDING_SLACK: Final = 1e-6
"""A number that misses a whole tick by less than this part of a tick is that tick."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """What the solver works on, whatever a prize is worth: `clients[i]` is job `jobs[i]`, `fleet[t]` the vehicles of type t.

    A vehicle stands in `fleet` as often as it may go.
    """

    problem: Problem
    jobs: tuple[int, ...]
    fleet: tuple[tuple[int, ...], ...]
    horizon_ticks: int
    data: pyvrp.ProblemData

    def priced(self, factor: float) -> pyvrp.ProblemData:
        """Return the solver's data with the mean prize worth `factor` times the horizon's travel."""
        prizes = [self.problem.jobs[job].prize for job in self.jobs]
        mean_value = max(1.0, sum(prizes) / max(1, sum(prize > 0 for prize in prizes)))
        scale_factor = factor * max(1, self.horizon_ticks) / mean_value
        clients = [
            _client(client, prize and max(1, round(prize * scale_factor)))
            for client, prize in zip(self.data.clients(), prizes, strict=True)
        ]
        return self.data.replace(clients=clients)

    def decode(self, solution: pyvrp.Solution, iterations: int) -> Routes:
        """Return a feasible solution in the problem's own numbers and units."""
        free = [iter(vehicles) for vehicles in self.fleet]
        routes = [self._route(route, next(free[route.vehicle_type()])) for route in solution.routes()]
        done = {stop.job for route in routes for stop in route.stops}
        return Routes(
            routes=tuple(sorted(routes, key=lambda route: (route.vehicle, route.start_s))),
            score=sum(route.prize for route in routes),
            travel_s=sum(route.travel_duration() for route in solution.routes()) * self.problem.tick_s,
            left_out=tuple(number for number in range(len(self.problem.jobs)) if number not in done),
            iterations=iterations,
        )

    def solution_of(self, routes: Sequence[tuple[int, Sequence[int]]], data: pyvrp.ProblemData) -> pyvrp.Solution:
        """Return the solution that consists of (vehicle, jobs in their order); what is unknown or second is left away."""
        client = {job: number for number, job in enumerate(self.jobs)}
        groups: set[int] = set()
        free = [list(vehicles) for vehicles in self.fleet]
        found = []
        for vehicle, jobs in routes:
            kind = next((number for number, vehicles in enumerate(free) if vehicle in vehicles), None)
            if kind is None:
                continue
            visits = [client.pop(job) for job in jobs if job in client and self._is_first(job, groups)]
            if visits:
                free[kind].remove(vehicle)
                found.append(pyvrp.Route(data, visits, kind))
        return pyvrp.Solution(data, found)

    def _is_first(self, job: int, groups: set[int]) -> bool:
        """Tell whether the job's group is not among `groups` yet, and put it there."""
        group = self.problem.jobs[job].group
        if group is None:
            return True
        is_first = group not in groups
        groups.add(group)
        return is_first

    def _route(self, route: pyvrp.Route, vehicle: int) -> Route:
        tick_s, problem = self.problem.tick_s, self.problem
        profile = problem.vehicles[vehicle].profile
        stops = []
        for stop in clients_of(route):
            job, start_s = self.jobs[stop.idx], stop.start_time * tick_s
            stay_s = service_s(problem.jobs[job], profile)
            arrive_s = (stop.start_time - stop.wait_duration) * tick_s
            stops.append(Stop(job, arrive_s, start_s, start_s + stay_s))
        return Route(
            vehicle=vehicle,
            start_s=route.start_time() * tick_s,
            end_s=route.end_time() * tick_s,
            stops=tuple(stops),
            prize=sum(problem.jobs[stop.job].prize for stop in stops),
            battery_ratio=route.distance() * RATIO_TICK if limits_battery(problem) else 0.0,
        )


def clients_of(route: pyvrp.Route) -> list[pyvrp.ScheduledActivity]:
    """Return the scheduled jobs of a route of the solver, without its depots."""
    return [stop for stop in route if stop.is_client()]


def limits_battery(problem: Problem) -> bool:
    """Tell whether any vehicle has a limit on its battery."""
    return any(vehicle.most_battery_ratio < math.inf for vehicle in problem.vehicles)


def limits_load(problem: Problem) -> bool:
    """Tell whether any vehicle holds no more than so much."""
    return any(vehicle.most_load_count < UNLIMITED for vehicle in problem.vehicles)


def encode(problem: Problem) -> Encoding:
    """Return the problem in ticks; jobs that no window or vehicle allows are left away. The problem has been checked."""
    horizon_ticks = _down(problem.horizon_s, problem.tick_s)
    jobs = tuple(number for number, job in enumerate(problem.jobs) if _is_possible(job, problem, horizon_ticks))
    kinds: dict[Vehicle, list[int]] = {}
    for number, vehicle in enumerate(problem.vehicles):
        kinds.setdefault(replace(vehicle, route_count=0), []).extend([number] * vehicle.route_count)
    kinds = {kind: numbers for kind, numbers in kinds.items() if numbers and _is_usable(kind, problem.tick_s)}
    depots = sorted({place for kind in kinds for place in (kind.start, kind.end)}) or [0]
    groups = sorted({group for job in jobs if (group := problem.jobs[job].group) is not None})
    matrices: list[tuple[Any, Any]] = [
        _matrices(problem, profile, depots, jobs) for profile in range(len(problem.travel_s))
    ]
    clients = [_job_client(problem, job, len(depots) + number, groups) for number, job in enumerate(jobs)]
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0)] * (len(depots) + len(jobs)),
        clients=clients,
        depots=[pyvrp.Depot(number) for number in range(len(depots))],
        vehicle_types=[
            _vehicle_type(problem, kind, len(numbers), depots) for kind, numbers in kinds.items()
        ] or [pyvrp.VehicleType(1, tw_late=0)],
        distance_matrices=[distance for distance, _ in matrices],
        duration_matrices=[duration for _, duration in matrices],
        groups=[
            pyvrp.ClientGroup([n for n, client in enumerate(clients) if client.group == index], required=False)
            for index in range(len(groups))
        ],
    )  # fmt: skip
    return Encoding(problem, jobs, tuple(tuple(numbers) for numbers in kinds.values()), horizon_ticks, data)


def _up(value: float, tick_s: float) -> int:
    return math.ceil(value / tick_s - _ROUNDING_SLACK)


def _down(value: float, tick_s: float) -> int:
    return math.floor(value / tick_s + _ROUNDING_SLACK)


def _window(job: Job, problem: Problem, horizon_ticks: int) -> tuple[int, int]:
    start_s, end_s = max(0.0, job.start_s), min(job.end_s, problem.horizon_s)
    return min(_up(start_s, problem.tick_s), horizon_ticks + 1) if start_s < math.inf else horizon_ticks + 1, _down(
        max(end_s, -1.0), problem.tick_s
    )


def _is_possible(job: Job, problem: Problem, horizon_ticks: int) -> bool:
    first, last = _window(job, problem, horizon_ticks)
    stays_s = [service_s(job, profile) for profile in range(len(problem.travel_s))]
    return first <= last and min(stays_s) <= problem.horizon_s


def _is_usable(kind: Vehicle, tick_s: float) -> bool:
    return _up(kind.start_s, tick_s) <= _down(kind.end_s, tick_s)


def _job_client(problem: Problem, job: int, location: int, groups: list[int]) -> pyvrp.Client:
    asked = problem.jobs[job]
    first, last = _window(asked, problem, _down(problem.horizon_s, problem.tick_s))
    return pyvrp.Client(
        location,
        delivery=[asked.load_count] if limits_load(problem) else [],
        service_duration=_least_stay(problem, asked),
        tw_early=first,
        tw_late=last,
        prize=asked.prize,
        required=False,
        group=None if asked.group is None else groups.index(asked.group),
    )


def _client(client: pyvrp.Client, prize: int) -> pyvrp.Client:
    return pyvrp.Client(
        client.location,
        delivery=client.delivery,
        service_duration=client.service_duration,
        tw_early=client.tw_early,
        tw_late=client.tw_late,
        prize=prize,
        required=False,
        group=client.group,
    )


def _vehicle_type(problem: Problem, kind: Vehicle, count: int, depots: list[int]) -> pyvrp.VehicleType:
    most_ratio = min(kind.most_battery_ratio, MOST_BATTERY_RATIO)
    return pyvrp.VehicleType(
        count,
        capacity=[kind.most_load_count] if limits_load(problem) else [],
        start_depot=depots.index(kind.start),
        end_depot=depots.index(kind.end),
        tw_early=_up(kind.start_s, problem.tick_s),
        tw_late=_down(kind.end_s, problem.tick_s),
        profile=kind.profile,
        shift_duration=_down(min(kind.most_s, problem.horizon_s), problem.tick_s),
        max_distance=_down(most_ratio, RATIO_TICK) if limits_battery(problem) else _FARTHEST,
    )


def _least_stay(problem: Problem, job: Job) -> int:
    """Return the shortest service of all profiles, in ticks; what others need more is put on the ways that lead on."""
    return min(
        _up(stay_s, problem.tick_s)
        for profile in range(len(problem.travel_s))
        if (stay_s := service_s(job, profile)) < math.inf
    )


def _matrices(
    problem: Problem, profile: int, depots: Sequence[int], jobs: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (distances, durations) between depots and then jobs; distances are of the battery where it is limited."""
    asked = [problem.jobs[job] for job in jobs]
    places = np.array([*depots, *(job.place for job in asked)])
    here = np.ix_(places, places)
    travel_s = problem.travel_s[profile][here]
    stay_s = np.array([0.0] * len(depots) + [service_s(job, profile) for job in asked])
    least = np.array([0] * len(depots) + [_least_stay(problem, job) for job in asked])
    never = np.isinf(travel_s) | np.isinf(stay_s)[:, None] | np.isinf(stay_s)[None, :]
    more = np.where(np.isinf(stay_s), 0, _ticks(np.nan_to_num(stay_s, posinf=0.0), problem.tick_s) - least)
    duration = _ticks(np.where(never, 0.0, travel_s), problem.tick_s) + np.maximum(0, more)[:, None]
    distance = duration.copy()
    if limits_battery(problem):
        used = np.array([0.0] * len(depots) + [service_battery_ratio(job, profile) for job in asked])[:, None]
        ratio = (problem.travel_battery_ratio[profile][here] if problem.travel_battery_ratio else 0.0) + used
        ratio = np.broadcast_to(ratio, travel_s.shape)
        never = never | np.isinf(ratio)
        distance = _ticks(np.where(never, 0.0, ratio), RATIO_TICK)
    duration[never] = _down(problem.horizon_s, problem.tick_s) + 1
    np.fill_diagonal(duration, 0)
    np.fill_diagonal(distance, 0)
    return distance, duration


def _ticks(values: Floats, tick_s: float) -> NDArray[np.int64]:
    return np.ceil(values / tick_s - _ROUNDING_SLACK).astype(np.int64)
