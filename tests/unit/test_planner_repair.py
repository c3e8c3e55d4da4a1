"""A plan mended while it is flown: what has begun is untouched, what a lost drone did not see is planned again."""

import msgspec
import pytest

from mission.model import Crew, Programme, Task, TaskKind, Weather, Window, Zone, ZoneKind
from mission.plan import Plan, Sortie, SortieState
from mission.planner import plan_day, repair
from mission.schedule.change import Change, changed
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, batteries, day, dock, hour, point, programme, rectangle

FEW = Effort(within_s=None, iterations=25)
PROGRAMME = programme(
    weather=tuple(
        Weather(from_us=hour(at), observed_us=hour(at), source="m", wind_from_deg=320.0, wind_mps=4.0, gust_mps=6.0)
        for at in range(-2, 24)
    )
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    made = plan_day(PROGRAMME, day(), now_us=hour(-2), effort=FEW)
    return msgspec.structs.replace(made, plan_id=5, version=3)


def mended(plan: Plan, at: float, change: Change) -> Plan:
    found = repair(plan, PROGRAMME, change, now_us=hour(at), effort=FEW)
    before = {sortie.sortie_id: sortie for sortie in plan.sorties}
    for sortie in plan.sorties:
        if sortie.takeoff_us <= hour(at) and not sortie.is_standby:
            (same,) = [each for each in found.sorties if each.sortie_id == sortie.sortie_id]
            assert same == before[sortie.sortie_id] or same.state is SortieState.BROKEN_OFF
    for sortie in found.sorties:
        is_new = sortie.sortie_id not in before
        assert not is_new or sortie.takeoff_us >= hour(at) - 1_000_000
    return found


def test_nothing_changes_where_nothing_has_changed(plan: Plan) -> None:
    found = mended(plan, 10.0, Change())
    assert found.sorties == plan.sorties
    assert (found.plan_id, found.version) == (5, 4)


def test_a_lost_drone_flies_no_more_and_others_take_its_visits(plan: Plan) -> None:
    busy = max(
        (sortie for sortie in plan.sorties if sortie.task_ids == (1,)), key=lambda each: each.takeoff_us
    ).airframe_id
    found = mended(plan, 8.7, Change(without_airframe_ids=(busy,)))
    later = [sortie for sortie in found.sorties if sortie.takeoff_us > hour(8.7) and sortie.airframe_id == busy]
    assert not later
    assert found.score >= 0.9 * plan.score


def test_a_drone_lost_in_the_air_is_broken_off_and_what_it_did_not_see_is_flown_again(plan: Plan) -> None:
    sortie = next(each for each in plan.sorties if 3 in each.task_ids)
    middle = (sortie.takeoff_us + sortie.landing_us) / 2
    at = (middle - hour(0)) / 3.6e9
    found = mended(plan, at, Change(without_airframe_ids=(sortie.airframe_id,)))
    broken = next(each for each in found.sorties if each.sortie_id == sortie.sortie_id)
    assert broken.state is SortieState.BROKEN_OFF
    assert 0 < broken.flown_waypoints < len(sortie.waypoints)
    assert any(3 in each.task_ids for each in found.sorties if each.sortie_id != sortie.sortie_id)


def test_a_watcher_lost_in_the_night_is_relieved_by_others(plan: Plan) -> None:
    watcher = next(each for each in plan.sorties if each.on_watch and each.takeoff_us > hour(20))
    found = mended(plan, 20.0, Change(without_airframe_ids=(watcher.airframe_id,)))
    later = [each for each in found.sorties if each.on_watch and each.takeoff_us > hour(20)]
    assert later
    assert watcher.airframe_id not in {each.airframe_id for each in later}
    (figures,) = [each for each in found.figures if each.task_id == 2]
    assert figures.longest_gap_s is not None
    assert figures.longest_gap_s <= 600.0


def test_gusts_that_come_up_take_out_the_visits_of_their_hours_only(plan: Plan) -> None:
    storm = tuple(
        Weather(from_us=hour(at), observed_us=hour(9.9), source="f", wind_from_deg=0.0, wind_mps=6.0, gust_mps=gust_mps)
        for at, gust_mps in ((14, 14.0), (15, 14.0), (16, 6.0))
    )
    calm = tuple(each for each in PROGRAMME.weather if not hour(14) <= each.from_us < hour(16))
    of = msgspec.structs.replace(PROGRAMME, weather=calm)
    found = repair(plan, of, Change(weather=storm), now_us=hour(10), effort=FEW)
    assert not [each for each in found.sorties if hour(14) < each.takeoff_us < hour(15.9) and not each.is_standby]
    assert [each for each in found.sorties if hour(16) < each.takeoff_us < hour(18)]
    assert "R-12" in {said.rule_id for said in found.refusals}


def test_a_new_urgent_task_is_flown_at_once(plan: Plan) -> None:
    urgent = Task(
        task_id=70, name_zh="紧急", name_en="urgent", kind=TaskKind.POINT, priority=10, geometry=point(0, 600), alt_agl_m=60.0,
        windows=(day(10.05, 10.4),),
    )  # fmt: skip
    found = mended(plan, 10.0, Change(tasks=(urgent,)))
    assert any(70 in each.task_ids for each in found.sorties)
    assert max(visit.visit_id for visit in found.visits) > max(visit.visit_id for visit in plan.visits)


def test_a_change_is_put_into_the_programme() -> None:
    of = changed(PROGRAMME, Change(priorities={3: 9}, without_task_ids=(4,), without_airframe_ids=(2,)))
    assert {task.task_id: task.priority for task in of.tasks} == {1: 5, 2: 9, 3: 9, 5: 5}
    assert [each.is_ready for each in of.airframes] == [True, False, True, True, True]


@pytest.fixture(scope="module")
def served() -> tuple[Programme, Plan]:
    """A day whose sorties take batteries and crews of their own."""
    crews = tuple(Crew(crew_id=number, name=f"crew {number}", drone_count=4) for number in (1, 2))
    asked = msgspec.structs.replace(PROGRAMME, batteries=(*batteries(1, 3), *batteries(2, 3)), crews=crews)
    return asked, plan_day(asked, day(), now_us=hour(-2), effort=FEW)


def later(plan: Plan) -> list[Sortie]:
    return [sortie for sortie in plan.sorties if sortie.takeoff_us > hour(10.01) and not sortie.is_standby]


def test_a_battery_that_is_lost_is_flown_no_more_and_the_rest_of_the_plan_stays(served: tuple[Programme, Plan]) -> None:
    asked, plan = served
    lost = next(sortie.battery_id for sortie in later(plan) if sortie.battery_id)
    found = repair(plan, asked, Change(without_battery_ids=(lost,)), now_us=hour(10), effort=FEW)
    assert lost not in {sortie.battery_id for sortie in later(found)}
    assert {sortie.sortie_id for sortie in later(plan)} & {sortie.sortie_id for sortie in later(found)}
    assert found.score >= 0.8 * plan.score


def test_a_crew_that_is_lost_is_given_no_more_sorties(served: tuple[Programme, Plan]) -> None:
    asked, plan = served
    assert 1 in {sortie.crew_id for sortie in later(plan)}
    found = repair(plan, asked, Change(without_crew_ids=(1,)), now_us=hour(10), effort=FEW)
    assert {2} <= {sortie.crew_id for sortie in later(found)} <= {2, None}


def test_without_any_crew_left_nothing_more_takes_off_and_that_is_said(served: tuple[Programme, Plan]) -> None:
    asked, plan = served
    found = repair(plan, asked, Change(without_crew_ids=(1, 2)), now_us=hour(10), effort=FEW)
    assert not later(found)
    assert [each for each in found.refusals if not each.is_warning]


def test_without_any_battery_left_nothing_more_takes_off_from_its_dock(served: tuple[Programme, Plan]) -> None:
    asked, plan = served
    every = tuple(battery.battery_id for battery in asked.batteries)
    found = repair(plan, asked, Change(without_battery_ids=every), now_us=hour(10), effort=FEW)
    assert not {1, 2} & {each.dock_id for each in later(found)}


def test_a_new_zone_across_the_way_home_alone_is_flown_round() -> None:
    once = {"recurrence": None, "revisit_s": None, "pattern": None, "windows": (Window(hour(12), hour(13)),)}
    wanted = tuple(
        msgspec.structs.replace(
            PROGRAMME.tasks[0], **once, task_id=number, kind=TaskKind.POINT, geometry=point(*at), alt_agl_m=60.0
        )
        for number, at in ((1, (1000, 0)), (2, (1000, 1000)))
    )
    asked = programme(tasks=wanted, docks=(dock(1, 0, 0),), airframes=(airframe(1, 1),), zones=())
    plan = plan_day(asked, day(), now_us=hour(0), effort=FEW)
    shut = Zone(zone_id=9, name="塔", kind=ZoneKind.NO_FLY, geometry=rectangle(450, 450, 100, 100))
    found = repair(plan, asked, Change(zones=(shut,)), now_us=hour(6), effort=FEW)
    assert [sortie.task_ids for sortie in found.sorties] == [sortie.task_ids for sortie in plan.sorties] == [(1, 2)]
    assert [each for each in found.refusals if not each.is_warning] == []
    assert len(found.sorties[0].waypoints) > len(plan.sorties[0].waypoints)


@pytest.fixture(scope="module")
def festival() -> tuple[Programme, Plan]:
    """An event a kilometre to the east, watched by a relay from one dock in calm air."""
    watched = msgspec.structs.replace(
        PROGRAMME.tasks[0], task_id=1, kind=TaskKind.EVENT, geometry=point(1000, 0), windows=(Window(hour(12), hour(13)),),
        recurrence=None, revisit_s=None, pattern=None, alt_agl_m=60.0,
    )  # fmt: skip
    drones = tuple(airframe(number, 1) for number in (1, 2, 3, 4))
    asked = programme(tasks=(watched,), docks=(dock(1, 0, 0),), airframes=drones, zones=())
    return asked, plan_day(asked, day(), now_us=hour(0), effort=FEW)


def test_a_relay_flies_round_a_new_zone_across_its_way_instead_of_being_refused(
    festival: tuple[Programme, Plan],
) -> None:
    asked, plan = festival
    shut = Zone(zone_id=9, name="塔", kind=ZoneKind.NO_FLY, geometry=rectangle(400, -100, 200, 200))
    found = repair(plan, asked, Change(zones=(shut,)), now_us=hour(6), effort=FEW)
    assert (plan.figures[0].watched_ratio, found.figures[0].watched_ratio) == (1.0, 1.0)
    assert not any(sortie.is_refused for sortie in found.sorties)


@pytest.mark.parametrize("from_deg", [90.0, 270.0])
def test_a_relay_is_told_the_speeds_and_the_time_home_of_a_wind_that_came_up(
    festival: tuple[Programme, Plan], from_deg: float
) -> None:
    asked, plan = festival
    wind = Weather(
        from_us=hour(11), observed_us=hour(5.9), source="seen", wind_from_deg=from_deg, wind_mps=7.0, gust_mps=8.0, visibility_m=9000.0
    )  # fmt: skip
    found = repair(plan, asked, Change(weather=(wind,)), now_us=hour(6), effort=FEW)
    out_mps, back_s = (5.0, 83.0) if from_deg == 90.0 else (12.0, 200.0)
    for sortie in (each for each in found.sorties if each.waypoints):
        assert sortie.waypoints[0].speed_mps == pytest.approx(out_mps, abs=0.1)
        last = sortie.waypoints[-1]
        assert (sortie.landing_us - (last.arrive_us or 0)) / 1e6 - last.hold_s >= back_s


def test_the_same_change_gives_the_same_plan(plan: Plan) -> None:
    change = Change(without_airframe_ids=(4,))
    assert mended(plan, 9.0, change) == mended(plan, 9.0, change)
