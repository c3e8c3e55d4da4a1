"""A question of orienteering and its answer: jobs with prizes and windows, vehicles with limits, and the routes found."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np

from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

ByProfile: TypeAlias = float | tuple[float, ...]
"""A number for every profile alike, or one for each."""
UNLIMITED: Final = 1_000_000_000
LARGEST_PRIZE: Final = 1_000_000_000
MOST_TICKS: Final = 100_000_000
"""A day in milliseconds: what a horizon may be in ticks, so that no sum overflows."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One thing that may be done once: reach `place`, begin within [`start_s`, `end_s`], stay `service_s`, gain `prize`.

    `service_s` inf for a profile: vehicles of that profile cannot do it. `battery_ratio` is what the service itself uses.
    Of all jobs with the same `group` at most one is done (other viewpoints of one thing, other times of one visit).
    """

    place: int
    prize: int
    start_s: float = 0.0
    end_s: float = math.inf
    service_s: ByProfile = 0.0
    battery_ratio: ByProfile = 0.0
    load_count: int = 0
    """How much of what its vehicle can hold it takes up (waypoints of a controller), whole numbers."""
    group: int | None = None


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """`route_count` routes (sorties) from place `start` to place `end`, each within [`start_s`, `end_s`].

    A route lasts `most_s` at most, waiting included, and uses at most `most_battery_ratio` on its ways and services. Its
    jobs take up `most_load_count` at most.
    """

    start: int
    end: int
    profile: int = 0
    start_s: float = 0.0
    end_s: float = math.inf
    most_s: float = math.inf
    most_battery_ratio: float = math.inf
    most_load_count: int = UNLIMITED
    route_count: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What may be done and by whom. Times are seconds from any common zero.

    `travel_s[profile][i, j]` (places, places) is the way from place i to place j; inf: there is none. The way from where a job
    ends to where the next begins may be asymmetric: give each job a place of its own. `travel_battery_ratio`, of the same
    shapes, is what those ways use of a battery. Inside all times are whole `tick_s`, rounded so that an answer keeps every
    limit: ways and services up, windows inward.
    """

    travel_s: tuple[Floats, ...]
    jobs: tuple[Job, ...]
    vehicles: tuple[Vehicle, ...]
    travel_battery_ratio: tuple[Floats, ...] = ()
    tick_s: float = 0.1

    @property
    def place_count(self) -> int:
        """Return how many places the matrices have."""
        return len(self.travel_s[0])

    @cached_property
    def horizon_s(self) -> float:
        """Return the end of the latest route."""
        return max(vehicle.end_s for vehicle in self.vehicles)


@dataclass(frozen=True)
class Effort:
    """How hard to look: until `within_s` have passed, or for `iterations` in all, whichever comes first; None: no such limit.

    With `iterations` alone the same problem and seed give the same answer on every machine.
    """

    within_s: float | None = 5.0
    iterations: int | None = None
    seed: int = 1


@dataclass(frozen=True)
class Stop:
    """A job done: reached at `arrive_s`, begun at `start_s` (the difference is waiting), ended at `end_s`."""

    job: int
    arrive_s: float
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Route:
    """One route of a vehicle (its number in the problem), from leaving its start to reaching its end."""

    vehicle: int
    start_s: float
    end_s: float
    stops: tuple[Stop, ...]
    prize: int
    battery_ratio: float = 0.0


@dataclass(frozen=True)
class Routes:
    """The best answer found: never breaks a limit. `score` sums the prizes of what is done; `left_out` numbers the other jobs.

    `iterations` is how many the search has done in all when it found it or, in what `solve` returns, when it ended.
    """

    routes: tuple[Route, ...]
    score: int
    travel_s: float
    left_out: tuple[int, ...]
    iterations: int = 0


def service_s(job: Job, profile: int) -> float:
    """Return how long a vehicle of that profile stays."""
    return job.service_s[profile] if isinstance(job.service_s, tuple) else job.service_s


def service_battery_ratio(job: Job, profile: int) -> float:
    """Return what the service uses of a battery of that profile."""
    return job.battery_ratio[profile] if isinstance(job.battery_ratio, tuple) else job.battery_ratio


def check(problem: Problem) -> None:
    """Raise InputError, saying which job or vehicle, for what no answer could be meant by."""
    _check_matrices(problem.travel_s, "travel_s")
    if problem.travel_battery_ratio:
        _check_matrices(problem.travel_battery_ratio, "travel_battery_ratio")
        if len(problem.travel_battery_ratio) != len(problem.travel_s):
            message = f"travel_battery_ratio has {len(problem.travel_battery_ratio)} profiles, travel_s {len(problem.travel_s)}"
            raise InputError(message)
    if not problem.vehicles:
        message = "there is no vehicle: give at least one"
        raise InputError(message)
    for number, vehicle in enumerate(problem.vehicles):
        _check_vehicle(problem, vehicle, number)
    if not 0.0 < problem.tick_s < math.inf or problem.horizon_s / problem.tick_s > MOST_TICKS:
        message = f"a horizon of {problem.horizon_s:g} s in ticks of {problem.tick_s:g} s: at most {MOST_TICKS} ticks are taken"
        raise InputError(message)
    for number, job in enumerate(problem.jobs):
        _check_job(problem, job, number)


def _check_matrices(matrices: Sequence[Floats], name: str) -> None:
    shapes = {matrix.shape for matrix in matrices}
    if len(shapes) != 1 or (shape := shapes.pop())[0] == 0 or shape != (shape[0], shape[0]):
        message = f"{name} must be square matrices of one size, one a profile; they are {[m.shape for m in matrices]}"
        raise InputError(message)
    if any(bool(np.isnan(matrix).any() or (matrix < 0).any()) for matrix in matrices):
        message = f"{name} has entries that are negative or no number: 0 or more is allowed, inf where there is no way"
        raise InputError(message)


def _check_vehicle(problem: Problem, vehicle: Vehicle, number: int) -> None:
    places = problem.place_count
    if not (0 <= vehicle.start < places and 0 <= vehicle.end < places):
        _refuse("vehicle", number, f"goes from place {vehicle.start} to {vehicle.end}, there are 0 to {places - 1}")
    if not 0 <= vehicle.profile < len(problem.travel_s):
        _refuse("vehicle", number, f"has profile {vehicle.profile}, there are 0 to {len(problem.travel_s) - 1}")
    if not (0.0 <= vehicle.start_s <= vehicle.end_s < math.inf):
        _refuse("vehicle", number, f"works from {vehicle.start_s} to {vehicle.end_s} s: 0 <= start_s <= end_s < inf")
    if not (vehicle.most_s >= 0.0 and vehicle.most_battery_ratio >= 0.0 and vehicle.route_count >= 0):
        _refuse("vehicle", number, "has a limit below 0: most_s, most_battery_ratio and route_count are 0 or more")
    if vehicle.most_load_count < 0:
        _refuse("vehicle", number, f"holds {vehicle.most_load_count}: most_load_count is 0 or more")


def _check_job(problem: Problem, job: Job, number: int) -> None:
    profiles = range(len(problem.travel_s))
    if not 0 <= job.place < problem.place_count:
        _refuse("job", number, f"is at place {job.place}, there are 0 to {problem.place_count - 1}")
    if not 0 <= job.prize <= LARGEST_PRIZE:
        _refuse("job", number, f"has prize {job.prize}: 0 to {LARGEST_PRIZE} is allowed")
    if not 0 <= job.load_count <= UNLIMITED:
        _refuse("job", number, f"has a load of {job.load_count}: 0 to {UNLIMITED} is allowed")
    if not job.start_s <= job.end_s:
        _refuse("job", number, f"is to begin from {job.start_s} to {job.end_s} s: the window closes before it opens")
    for given, name in ((job.service_s, "service_s"), (job.battery_ratio, "battery_ratio")):
        if isinstance(given, tuple) and len(given) != len(profiles):
            _refuse("job", number, f"has {len(given)} numbers in {name}, there are {len(profiles)} profiles")
    if not all(service_s(job, p) >= 0.0 and service_battery_ratio(job, p) >= 0.0 for p in profiles):
        _refuse("job", number, "has a service_s or battery_ratio below 0 or no number: 0 or more is allowed")


def _refuse(kind: str, number: int, why: str) -> None:
    message = f"{kind} {number} {why}"
    raise InputError(message)
