"""What a plan claims of watches and routes holds by a reckoning of its own: times, batteries, crews, controllers, missed visits."""

from datetime import time
from itertools import pairwise

import msgspec
import pytest

from mission.formats.mavlink_items import place_count
from mission.model import Airframe, Crew, Programme, TaskKind, Window
from mission.plan import Plan, Sortie
from mission.planner import plan_day, repair
from mission.schedule.change import Change
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, day, dock, hour, place, point, programme, recurrence, tasks

FEW = Effort(within_s=None, iterations=30)
NOW_US = hour(-2)
CORNERS = ((0, 0), (600, 0), (600, 500), (0, 500), (0, 0))
NET = {"type": "MultiLineString", "coordinates": [[place(*one), place(*other)] for one, other in pairwise(CORNERS)]}


def town(*, most_waypoints: int = 60, crews: tuple[Crew, ...] = ()) -> Programme:
    """A net of streets that two kinds of drones patrol, quick and slow, and a festival watched from high above."""
    base = tasks()[0]
    streets = {
        "kind": TaskKind.STREETS, "geometry": NET, "alt_agl_m": 75.0,
        "windows": (Window(hour(1), hour(3)),), "recurrence": None, "revisit_s": None, "watcher_count": 2, "pattern": None,
    }  # fmt: skip
    festival = {
        "kind": TaskKind.EVENT, "geometry": point(300, 900), "alt_agl_m": 110.0, "windows": (Window(hour(4), hour(6)),),
        "recurrence": None, "revisit_s": None, "pattern": None, "watcher_count": 1,
    }  # fmt: skip
    quick, slow = {"cruise_mps": 15.0, "fastest_mps": 18.0}, {"cruise_mps": 8.0}
    return programme(
        tasks=tuple(
            msgspec.structs.replace(base, task_id=number, **changes)
            for number, changes in enumerate((streets, festival), 1)
        ),
        docks=(dock(1, -200, 200), dock(2, 700, 300)),
        airframes=tuple(
            airframe(number, 1 + number % 2, most_waypoints=most_waypoints, **(quick if number % 2 else slow))
            for number in range(1, 6)
        ),
        zones=(),
        crews=crews,
        batteries=(),
    )


def judge(plan: Plan, of: Programme) -> list[str]:
    """Return what does not hold."""
    frames = {each.airframe_id: each for each in of.airframes}
    flown = [sortie for sortie in plan.sorties if sortie.waypoints]
    return [fault for sortie in flown for fault in _faults(sortie, frames[sortie.airframe_id])] + _twice(flown)


def _faults(sortie: Sortie, frame: Airframe) -> list[str]:
    flown_s = (sortie.landing_us - sortie.takeoff_us) / 1e6
    told = place_count(sortie, frame)
    found = [f"{told} waypoints"] if told > frame.most_waypoints else []
    if min(sortie.landing_battery_ratio, 1.0 - flown_s / frame.endurance_s) < 0.2499:
        found.append(f"lands with {sortie.landing_battery_ratio}")
    if sortie.on_watch is not None:
        here = [each for each in sortie.waypoints if each.task_id is not None]
        first, last = here[0], here[-1]
        assert first.arrive_us is not None
        assert last.arrive_us is not None
        if first.arrive_us > sortie.on_watch.start_us + 1_000_000:
            found.append(f"watches {(first.arrive_us - sortie.on_watch.start_us) / 1e6} s late")
        if last.arrive_us + last.hold_s * 1e6 < sortie.on_watch.end_us - 1_000_000:
            found.append("leaves its watch early")
    return [f"sortie {sortie.sortie_id}: {each}" for each in found]


def _twice(flown: list[Sortie]) -> list[str]:
    by: dict[int, list[Sortie]] = {}
    for sortie in sorted(flown, key=lambda each: each.takeoff_us):
        by.setdefault(sortie.airframe_id, []).append(sortie)
    return [
        f"airframe {number} is twice in the air"
        for number, mine in by.items()
        for before, after in pairwise(mine)
        if after.takeoff_us < before.free_us
    ]


@pytest.mark.parametrize("most_waypoints", [12, 60])
def test_watches_and_patrols_last_as_they_say_and_land_with_their_reserve(most_waypoints: int) -> None:
    asked = town(most_waypoints=most_waypoints)
    plan = plan_day(asked, day(), now_us=NOW_US, effort=FEW)
    assert any(sortie.on_watch for sortie in plan.sorties)
    assert judge(plan, asked) == []


def test_a_crew_flies_no_more_drones_at_once_than_it_may() -> None:
    asked = town(crews=(Crew(crew_id=1, name="C", shifts=(Window(hour(0), hour(10)),), drone_count=1),))
    plan = plan_day(asked, day(), now_us=NOW_US, effort=FEW)
    flown = sorted((sortie for sortie in plan.sorties if sortie.waypoints), key=lambda each: each.takeoff_us)
    assert flown
    assert all(before.landing_us <= after.takeoff_us for before, after in pairwise(flown))


def test_a_mended_plan_says_of_every_visit_that_is_past_why_it_was_not_flown() -> None:
    round_the_clock = recurrence(time(8), time(18))
    often = msgspec.structs.replace(tasks()[0], revisit_s=1800.0, recurrence=round_the_clock, windows=())
    asked = programme(tasks=(often,), airframes=(airframe(1, 1),), batteries=())
    plan = plan_day(asked, day(), now_us=NOW_US, effort=FEW)
    mended = repair(plan, asked, Change(without_airframe_ids=(1,)), now_us=hour(6), effort=FEW)
    flown = {visit_id for sortie in mended.sorties for visit_id in sortie.visit_ids}
    refused = {each.visit_id for each in mended.refusals if not each.is_warning}
    all_of = {each.task_id for each in mended.refusals if each.visit_id is None and not each.is_warning}
    missing = [v for v in mended.visits if v.visit_id not in flown | refused and v.task_id not in all_of]
    assert missing == []


def test_a_watch_that_a_rule_refuses_stays_marked_and_counts_as_not_watched() -> None:
    """Without it nobody watches: a person decides, and no figure says meanwhile that the event is watched."""
    festival = tuple(task for task in programme().tasks if task.kind is TaskKind.EVENT)
    tired = {"R-25": {"level": "refuse", "most_flight_s": 7200.0}}
    asked = msgspec.structs.replace(
        programme(), tasks=festival, crews=(Crew(crew_id=1, name="late shift", drone_count=9),), rules=tired
    )
    plan = plan_day(asked, day(), now_us=hour(-2), effort=FEW)
    assert [sortie for sortie in plan.sorties if sortie.on_watch]
    assert all(sortie.is_refused for sortie in plan.sorties if sortie.on_watch)
    (figures,) = plan.figures
    assert (figures.planned_count, figures.refused_count, figures.watched_ratio) == (0, 1, 0.0)
    assert plan.score == 0.0
