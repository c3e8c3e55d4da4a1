"""Orienteering answers: every limit is kept, tiny questions are answered best, the same seed says the same, a stop is obeyed."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission.schedule.routing.orienteering import Effort, Job, Problem, Routes, Vehicle, solve
from mission.schedule.routing.search import WITHIN_SLOTS
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

SHORT = Effort(within_s=None, iterations=120, seed=3)


def scene(seed: int, *, job_count: int = 8, vehicle_count: int = 2) -> Problem:
    """Return jobs scattered round a depot, half of them with narrow windows, two in one group; two profiles with batteries."""
    random = np.random.default_rng(seed)
    places = random.uniform(-500.0, 500.0, (job_count + 1, 2))
    away_s: Floats = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) / 10.0
    jobs = []
    for number in range(job_count):
        start_s = float(random.uniform(0.0, 200.0)) if number % 2 else 0.0
        jobs.append(
            Job(
                place=number + 1,
                prize=int(random.integers(1, 10)),
                start_s=start_s,
                end_s=start_s + 60.0 if number % 2 else math.inf,
                service_s=(20.0, 33.3),
                battery_ratio=0.02,
                group=7 if number < 2 else None,
            )
        )
    vehicles = [
        Vehicle(start=0, end=0, profile=n % 2, end_s=400.0, most_s=220.0, most_battery_ratio=0.5)
        for n in range(vehicle_count)
    ]
    travel_s = (away_s, away_s * 0.7)
    return Problem(
        travel_s=travel_s,
        travel_battery_ratio=tuple(one / 500.0 for one in travel_s),
        jobs=tuple(jobs),
        vehicles=tuple(vehicles),
    )


def ends(problem: Problem, vehicle: Vehicle, order: tuple[int, ...]) -> bool:
    """Tell whether a vehicle may do these jobs in this order, reckoned forward; left as late as the first window allows."""
    first = problem.jobs[order[0]]
    way_s = problem.travel_s[vehicle.profile]
    leave_s = max(vehicle.start_s, first.start_s - float(way_s[vehicle.start, first.place]))
    now_s, here, used_ratio = leave_s, vehicle.start, 0.0
    for number in order:
        job = problem.jobs[number]
        now_s = max(now_s + float(way_s[here, job.place]), job.start_s)
        if now_s > job.end_s:
            return False
        assert isinstance(job.service_s, tuple)
        assert isinstance(job.battery_ratio, float)
        now_s += job.service_s[vehicle.profile]
        used_ratio += float(problem.travel_battery_ratio[vehicle.profile][here, job.place]) + job.battery_ratio
        here = job.place
    now_s += float(way_s[here, vehicle.end])
    used_ratio += float(problem.travel_battery_ratio[vehicle.profile][here, vehicle.end])
    return now_s <= vehicle.end_s and now_s - leave_s <= vehicle.most_s and used_ratio <= vehicle.most_battery_ratio


def assert_keeps_limits(problem: Problem, found: Routes) -> None:
    """Reckon every route again, with the true numbers."""
    done = [stop.job for route in found.routes for stop in route.stops]
    groups = [group for job in done if (group := problem.jobs[job].group) is not None]
    assert len(done) == len(set(done))
    assert len(groups) == len(set(groups))
    assert sorted([*done, *found.left_out]) == list(range(len(problem.jobs)))
    assert found.score == sum(problem.jobs[job].prize for job in done) == sum(route.prize for route in found.routes)
    for route in found.routes:
        vehicle = problem.vehicles[route.vehicle]
        now_s, here, used_ratio = route.start_s, vehicle.start, 0.0
        for stop in route.stops:
            job = problem.jobs[stop.job]
            now_s += float(problem.travel_s[vehicle.profile][here, job.place])
            assert now_s <= stop.arrive_s + 1e-6 <= stop.start_s + 2e-6
            assert job.start_s <= stop.start_s + 1e-9
            assert stop.start_s <= job.end_s + 1e-9
            assert isinstance(job.service_s, tuple)
            assert isinstance(job.battery_ratio, float)
            assert stop.end_s == pytest.approx(stop.start_s + job.service_s[vehicle.profile])
            used_ratio += float(problem.travel_battery_ratio[vehicle.profile][here, job.place]) + job.battery_ratio
            now_s, here = stop.end_s, job.place
        now_s += float(problem.travel_s[vehicle.profile][here, vehicle.end])
        used_ratio += float(problem.travel_battery_ratio[vehicle.profile][here, vehicle.end])
        assert now_s <= route.end_s + 1e-6
        assert route.end_s <= vehicle.end_s + 1e-6
        assert vehicle.start_s <= route.start_s
        assert route.end_s - route.start_s <= vehicle.most_s + 1e-6
        assert used_ratio <= route.battery_ratio + 1e-6 <= vehicle.most_battery_ratio + 2e-6
    counts = [sum(route.vehicle == number for route in found.routes) for number in range(len(problem.vehicles))]
    assert all(count <= vehicle.route_count for count, vehicle in zip(counts, problem.vehicles, strict=True))


def best_score(problem: Problem) -> int:
    """Return the best score by trying every order of every subset for each of two vehicles."""
    numbers = range(len(problem.jobs))
    possible: list[set[frozenset[int]]] = []
    for vehicle in problem.vehicles:
        orders = (order for size in range(1, 6) for order in itertools.permutations(numbers, size))
        possible.append({frozenset(), *(frozenset(order) for order in orders if ends(problem, vehicle, order))})
    best = 0
    for mine, other in itertools.product(*possible):
        both = mine | other
        if not mine & other and not {0, 1} <= both:
            best = max(best, sum(problem.jobs[job].prize for job in both))
    return best


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 14), st.integers(1, 4))
def test_every_limit_is_kept_whatever_is_asked(seed: int, job_count: int, vehicle_count: int) -> None:
    problem = scene(seed, job_count=job_count, vehicle_count=vehicle_count)
    assert_keeps_limits(problem, solve(problem, effort=SHORT))


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_tiny_question_gets_the_answer_that_trying_everything_finds(seed: int) -> None:
    problem = scene(seed, job_count=6)
    assert solve(problem, effort=SHORT).score == best_score(problem)


def test_the_same_seed_and_iterations_give_the_same_answer() -> None:
    problem = scene(11, job_count=20, vehicle_count=3)
    assert solve(problem, effort=SHORT) == solve(problem, effort=SHORT)


def test_a_stop_ends_the_search_with_the_best_that_was_told() -> None:
    told: list[Routes] = []
    problem = scene(4, job_count=20)
    found = solve(problem, effort=Effort(within_s=60.0), on_better=told.append, stop=lambda: len(told) >= 2)
    assert len(told) >= 2
    assert replace(found, iterations=0) == replace(told[-1], iterations=0)
    scores = [(one.score, -one.travel_s) for one in told]
    assert scores == sorted(scores)


def test_a_present_plan_is_where_the_search_begins_and_is_never_made_worse() -> None:
    problem = scene(6, job_count=20, vehicle_count=3)
    good = solve(problem, effort=SHORT)
    present = [(route.vehicle, [stop.job for stop in route.stops]) for route in good.routes]
    assert solve(problem, effort=Effort(within_s=None, iterations=1), first=present).score >= good.score


def test_a_present_plan_that_no_longer_holds_is_mended() -> None:
    problem = scene(6, job_count=20, vehicle_count=2)
    broken = [(0, [5, 1, 0, 5, 99]), (0, list(range(6, 20))), (7, [2]), (1, [1, 3])]
    assert_keeps_limits(problem, solve(problem, effort=SHORT, first=broken))


def test_a_hundred_jobs_and_six_sorties_have_a_first_plan_after_one_iteration() -> None:
    problem = scene(8, job_count=100, vehicle_count=6)
    found = solve(problem, effort=Effort(within_s=None, iterations=1))
    assert_keeps_limits(problem, found)
    assert len(found.routes) == 6


def test_what_nobody_can_do_is_left_out() -> None:
    problem = scene(6, job_count=4)
    late = replace(problem.jobs[1], start_s=900.0, end_s=950.0)
    none = replace(problem.jobs[2], service_s=(math.inf, math.inf))
    found = solve(replace(problem, jobs=(problem.jobs[0], late, none)), effort=SHORT)
    assert found.left_out == (1, 2)
    nobody = replace(problem, vehicles=(replace(problem.vehicles[0], route_count=0),))
    assert solve(nobody, effort=SHORT).left_out == (0, 1, 2, 3)


def test_a_job_goes_only_to_a_vehicle_that_can_do_it() -> None:
    problem = scene(6, job_count=6, vehicle_count=4)
    picky = tuple(replace(job, service_s=(20.0, math.inf)) for job in problem.jobs)
    found = solve(replace(problem, jobs=picky), effort=SHORT)
    assert found.routes
    assert all(problem.vehicles[route.vehicle].profile == 0 for route in found.routes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vehicles": ()}, "no vehicle"),
        ({"vehicles": (Vehicle(start=0, end=99, end_s=1.0),)}, "vehicle 0 goes from place 0 to 99"),
        ({"vehicles": (Vehicle(start=0, end=0),)}, "works from 0.0 to inf"),
        ({"vehicles": (Vehicle(start=0, end=0, end_s=1.0, profile=2),)}, "has profile 2"),
        ({"jobs": (Job(place=50, prize=1),)}, "job 0 is at place 50"),
        ({"jobs": (Job(place=1, prize=-1),)}, "has prize -1"),
        ({"jobs": (Job(place=1, prize=1, start_s=5.0, end_s=4.0),)}, "closes before it opens"),
        ({"jobs": (Job(place=1, prize=1, service_s=(1.0,)),)}, "there are 2 profiles"),
        ({"jobs": (Job(place=1, prize=1, service_s=math.nan),)}, "below 0 or no number"),
        ({"travel_s": (np.zeros((2, 3)),)}, "square matrices"),
        ({"travel_s": (np.full((9, 9), -1.0),) * 2}, "negative"),
        ({"tick_s": 1e-9}, "at most"),
    ],
)
def test_a_question_that_means_nothing_is_refused_with_its_place(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        solve(replace(scene(1), **change), effort=SHORT)  # type: ignore[arg-type]


def test_an_effort_without_an_end_is_refused() -> None:
    with pytest.raises(InputError, match="never end"):
        solve(scene(1), effort=Effort(within_s=None))


def test_no_route_holds_more_than_its_vehicle_does() -> None:
    problem = scene(3)
    jobs = tuple(replace(job, load_count=3, group=None) for job in problem.jobs)
    wide = [replace(vehicle, end_s=4000.0, most_s=4000.0, most_battery_ratio=9.0) for vehicle in problem.vehicles]
    tight = replace(problem, jobs=jobs, vehicles=tuple(replace(vehicle, most_load_count=7) for vehicle in wide))
    found = solve(tight, effort=Effort(within_s=None, iterations=100))
    assert max(len(route.stops) for route in found.routes) == 2
    free = solve(replace(tight, vehicles=tuple(wide)), effort=Effort(within_s=None, iterations=100))
    assert free.score > found.score


def test_a_search_within_slots_never_ends_with_less_than_it_begins_with() -> None:
    problem = scene(11, job_count=20, vehicle_count=4)
    known = solve(problem, effort=SHORT)
    first = [(route.vehicle, [stop.job for stop in route.stops]) for route in known.routes]
    hardly = Effort(within_s=None, iterations=1, seed=5)
    assert solve(problem, effort=hardly, first=first, portfolio=WITHIN_SLOTS).score >= known.score
