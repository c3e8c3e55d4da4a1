"""The plan of a day: what it keeps, what it says of what it leaves out, and that the same question has the same answer."""

import math
from collections.abc import Iterator
from datetime import time
from itertools import pairwise

import msgspec
import pytest

from mission.model import Crew, Programme, Task, TaskKind, Weather, Window, Zone, ZoneKind
from mission.plan import Plan, Sortie
from mission.planner import plan_day
from mission.schedule import reasons
from mission.schedule.routing.problem import Effort
from telemetry.model.errors import InputError
from tests import patrol_day
from tests.patrol_day import airframe, batteries, day, dock, hour, point, programme, rectangle, recurrence, tasks

FEW = Effort(within_s=None, iterations=60)
NOW_US = hour(-2)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_day(programme(), day(), now_us=NOW_US, effort=FEW)


def flying(plan: Plan) -> Iterator[Sortie]:
    return (sortie for sortie in plan.sorties if not sortie.is_standby)


def assert_sound(plan: Plan, of: Programme) -> None:
    """No airframe or battery twice at once, never below the reserve, visits begun in their windows, zones kept out of."""
    for key in ("airframe_id", "battery_id"):
        by: dict[int, list[Sortie]] = {}
        for sortie in plan.sorties:
            if getattr(sortie, key) is not None:
                by.setdefault(getattr(sortie, key), []).append(sortie)
        for mine in by.values():
            for before, after in pairwise(sorted(mine, key=lambda each: each.takeoff_us)):
                assert before.free_us <= after.takeoff_us + 1_000_000 or key == "battery_id"
                assert before.landing_us <= after.takeoff_us
    visits = {visit.visit_id: visit for visit in plan.visits}
    for sortie in flying(plan):
        assert sortie.landing_battery_ratio >= 0.25
        arrivals = [waypoint.arrive_us or 0 for waypoint in sortie.waypoints]
        assert arrivals == sorted(arrivals)
        assert sortie.takeoff_us <= arrivals[0] <= arrivals[-1] <= sortie.landing_us
        for part in sortie.visit_parts if sortie.on_watch is None else ():
            begin_us = sortie.waypoints[part.first_waypoint].arrive_us
            window = visits[part.visit_id].window
            assert begin_us is not None
            assert window.start_us - 1_000_000 <= begin_us <= window.end_us
        for crew in of.crews:
            if crew.crew_id == sortie.crew_id:
                assert any(w.start_us <= sortie.takeoff_us and sortie.landing_us <= w.end_us for w in crew.shifts)


def test_a_whole_day_is_planned_and_all_of_it_holds(plan: Plan) -> None:
    assert_sound(plan, programme())
    figures = {each.task_id: each for each in plan.figures}
    assert all(each.planned_count == each.visit_count for each in plan.figures)
    assert figures[2].watched_ratio == 1.0
    assert figures[2].longest_gap_s == 0.0
    assert (figures[2].least_overlap_s or 0.0) >= 30.0
    assert (figures[1].longest_revisit_s or math.inf) <= 3600.0
    assert not [said for said in plan.refusals if not said.is_warning]
    assert not [each for each in plan.conflicts if not each.mended_by]


def test_the_same_programme_and_seed_give_the_same_plan(plan: Plan) -> None:
    assert plan_day(programme(), day(), now_us=NOW_US, effort=FEW) == plan


def test_first_plans_come_at_once_and_only_better_ones_follow() -> None:
    told: list[Plan] = []
    last = plan_day(programme(tasks=tasks()[2:4]), day(), now_us=NOW_US, effort=FEW, on_better=told.append)
    scores = [each.score for each in told]
    assert told
    assert scores == sorted(scores)
    assert last.score >= scores[-1]


def test_a_stop_ends_the_search_with_a_plan() -> None:
    stopped = plan_day(programme(tasks=tasks()[2:]), day(), now_us=NOW_US, effort=FEW, stop=lambda: True)
    assert stopped.sorties


def test_a_watch_has_a_spare_and_its_drones_pass_at_different_heights(plan: Plan) -> None:
    watches = [sortie for sortie in plan.sorties if sortie.on_watch]
    assert any(sortie.is_standby for sortie in plan.sorties)
    for before, after in pairwise(sorted(watches, key=lambda each: each.takeoff_us)):
        assert before.transit_alt_home_m != after.transit_alt_home_m


def test_what_is_worth_more_is_flown_when_not_all_can_be() -> None:
    many = tuple(
        Task(
            task_id=number, name_zh=f"点{number}", name_en=f"p{number}", kind=TaskKind.POINT, priority=1 + 8 * (number % 2),
            geometry=point(300.0 * number, 200.0), windows=(day(8, 8.4),), dwell_s=240.0, alt_agl_m=60.0,
        )
        for number in range(1, 9)
    )  # fmt: skip
    made = plan_day(programme(tasks=many, airframes=(airframe(1, 1),)), day(7, 9), now_us=NOW_US, effort=FEW)
    left = {said.task_id for said in made.refusals if said.rule_id == "R-32"}
    assert left
    flown = {task_id for sortie in flying(made) for task_id in sortie.task_ids}
    assert all(task_id is not None and task_id % 2 == 0 for task_id in left) or all(n in flown for n in (1, 3))
    assert all(said.remedy for said in made.refusals if said.rule_id == "R-32")


def test_a_task_behind_all_zones_is_refused_with_the_rule() -> None:
    wall = Zone(zone_id=9, name="wall", kind=ZoneKind.NO_FLY, geometry=rectangle(-2000, -2000, 6000, 6000))
    made = plan_day(programme(zones=(wall,), tasks=tasks()[:1]), day(), now_us=NOW_US, effort=FEW)
    assert not made.sorties
    assert {said.rule_id for said in made.refusals if not said.is_warning} <= {"R-03", "R-26"}
    assert made.refusals


def test_what_takes_more_than_a_battery_is_parted_or_refused_with_its_numbers() -> None:
    far = Task(
        task_id=1, name_zh="远", name_en="far", kind=TaskKind.POINT, geometry=point(30_000, 0), windows=(day(8, 10),),
        alt_agl_m=60.0,
    )  # fmt: skip
    made = plan_day(programme(tasks=(far,)), day(), now_us=NOW_US, effort=FEW)
    assert not made.sorties
    assert any(said.task_id == 1 for said in made.refusals)
    assert {said.airframe_id for said in made.refusals} >= {None}


def test_a_large_area_is_flown_in_several_sorties() -> None:
    large = Task(
        task_id=1, name_zh="大", name_en="large", kind=TaskKind.AREA, geometry=rectangle(0, -3000, 2500, 2000),
        windows=(day(8, 16),), alt_agl_m=60.0,
    )  # fmt: skip
    made = plan_day(programme(tasks=(large,)), day(), now_us=NOW_US, effort=FEW)
    assert_sound(made, programme())
    assert len(list(flying(made))) > 1
    assert made.figures[0].planned_count == 1


def test_gusts_beyond_the_airframes_limit_leave_visits_out_and_name_the_rule() -> None:
    storm = Weather(from_us=hour(12), observed_us=hour(-1), source="f", wind_from_deg=0.0, wind_mps=8.0, gust_mps=15.0)
    calm = programme().weather
    made = plan_day(programme(tasks=tasks()[4:], weather=(*calm, storm)), day(), now_us=NOW_US, effort=FEW)
    assert not made.sorties
    assert {said.rule_id for said in made.refusals if not said.is_warning} == {"R-12"}


def test_crews_and_batteries_are_kept_to() -> None:
    asked = programme(
        tasks=(tasks()[0], tasks()[4]), airframes=(airframe(4, 2), airframe(1, 1)), batteries=batteries(2, 3),
        crews=(Crew(crew_id=1, name="甲", shifts=(day(7, 13),)), Crew(crew_id=2, name="乙", shifts=(day(13, 19),))),
    )  # fmt: skip
    made = plan_day(asked, day(), now_us=NOW_US, effort=FEW)
    assert_sound(made, asked)
    assert all(sortie.crew_id for sortie in made.sorties)
    assert {sortie.battery_id for sortie in made.sorties if sortie.dock_id == 2} <= {200, 201, 202}


def test_a_search_is_begun_as_soon_as_a_drone_can_be_there() -> None:
    search = Task(
        task_id=8, name_zh="走失", name_en="missing", kind=TaskKind.SEARCH, priority=10, geometry=point(300, 300), width_m=150.0,
        windows=(day(9, 20),), alt_agl_m=80.0,
    )  # fmt: skip
    made = plan_day(programme(tasks=(search, tasks()[0])), day(), now_us=NOW_US, effort=FEW)
    begun = min(sortie.takeoff_us for sortie in made.sorties if 8 in sortie.task_ids)
    assert begun <= hour(9) + 600_000_000


def test_a_wrong_task_is_refused_and_the_others_are_planned() -> None:
    bow = {"type": "Polygon", "coordinates": [[patrol_day.place(*c) for c in ((0, 0), (9, 9), (9, 0), (0, 9), (0, 0))]]}
    wrong = msgspec.structs.replace(tasks()[0], task_id=7, geometry=bow)
    made = plan_day(programme(tasks=(wrong, tasks()[3])), day(), now_us=NOW_US, effort=FEW)
    assert {said.task_id for said in made.refusals if said.rule_id == "R-00"} == {7}
    assert {task_id for sortie in made.sorties for task_id in sortie.task_ids} == {4}


def test_a_drone_that_reaches_nothing_is_named() -> None:
    asked = programme(
        tasks=tasks()[3:4], docks=(dock(1, -200, 200), dock(9, 90_000, 0)), airframes=(airframe(1, 1), airframe(9, 9))
    )
    made = plan_day(asked, day(), now_us=NOW_US, effort=FEW)
    assert [said.airframe_id for said in made.refusals if said.rule_id == "R-07" and said.is_warning] == [9]


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InputError, match="later end"):
        plan_day(programme(), Window(hour(5), hour(4)), now_us=NOW_US)


def test_a_night_task_that_is_asked_for_by_day_is_refused() -> None:
    task = msgspec.structs.replace(tasks()[3], light="night", recurrence=recurrence(time(11), time(12)))
    made = plan_day(
        programme(tasks=(msgspec.convert(msgspec.to_builtins(task), Task),)), day(), now_us=NOW_US, effort=FEW
    )
    assert {said.rule_id for said in made.refusals if not said.is_warning} == {"R-21"}


def test_nothing_asked_and_nothing_there_is_an_empty_plan() -> None:
    assert plan_day(Programme(), day(), now_us=NOW_US, effort=FEW).sorties == ()
    without = plan_day(programme(airframes=()), day(), now_us=NOW_US, effort=FEW)
    assert without.sorties == ()
    assert len([said for said in without.refusals if not said.is_warning]) >= 5


def test_streets_are_patrolled_in_rounds_by_as_many_drones_as_asked() -> None:
    lines = [[patrol_day.place(-600, y), patrol_day.place(600, y)] for y in (0, 500)]
    lines += [[patrol_day.place(x, 0), patrol_day.place(x, 500)] for x in (-600, 600)]
    net = Task(
        task_id=1, name_zh="老城", name_en="old town", kind=TaskKind.STREETS, watcher_count=2, alt_agl_m=60.0,
        geometry={"type": "MultiLineString", "coordinates": lines}, windows=(day(9, 10),),
    )  # fmt: skip
    made = plan_day(programme(tasks=(net,)), day(), now_us=NOW_US, effort=FEW)
    assert_sound(made, programme())
    assert {part.number for sortie in flying(made) for part in sortie.visit_parts} == {0, 1}
    (figures,) = made.figures
    assert figures.longest_revisit_s is not None
    assert figures.longest_revisit_s <= 1300.0
    assert (figures.watched_ratio or 0.0) > 0.8


def test_an_event_that_goes_on_after_the_plans_end_is_planned_up_to_there_and_said() -> None:
    feast = Task(
        task_id=6,
        name_zh="灯会",
        name_en="lanterns",
        kind=TaskKind.EVENT,
        geometry=point(200, 300),
        windows=(day(22, 26),),
    )
    found = plan_day(programme(tasks=(feast,)), day(21, 24), now_us=hour(0.0), effort=FEW)
    (said,) = [each for each in found.refusals if each.is_warning and "rest belongs to the next plan" in each.reason_en]
    assert (said.window, said.numbers["rest_s"]) == (day(24, 26), 7200)
    assert said.reason_zh.startswith("任务持续到次日 02:00，")
    assert said.reason_en.startswith("it goes on until 02:00 the next day,")
    noon = reasons.goes_on(feast, day(6, 12), hour(14.0), "Asia/Shanghai")
    assert noon.reason_zh.startswith("任务持续到 14:00，")
    whole = plan_day(programme(tasks=(feast,)), day(21, 26), now_us=hour(0.0), effort=FEW)
    assert not [each for each in whole.refusals if "next plan" in each.reason_en]
