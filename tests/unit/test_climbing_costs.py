"""What hills cost: legs that climb or sink steeply last longer, lifting takes battery, and a day's plan reckons both."""

from itertools import pairwise

import numpy as np
import pytest

from mission.air.climbing import LIFT_S_A_M, Slopes, ascent_m, reckoned_more_s
from mission.air.terrain import FLAT, Ground
from mission.model import Airframe, Programme, Task, TaskKind
from mission.plan import Plan
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from telemetry.model.geodesy import local_plane
from tests.patrol_day import LAT_DEG, LON_DEG, M_LON, airframe, day, dock, hour, point, programme

PLANE = local_plane(LAT_DEG, LON_DEG)
FRAME = Airframe(airframe_id=1, name="巡鹰-01", dock_id=1, cruise_mps=10.0, climb_mps=3.0, sink_mps=2.0)


def hill(top_m: float, *, foot_m: float = 600.0, slope_m: float = 400.0) -> Ground:
    """Return a plateau in the east: level to `foot_m` east of the docks, then up to its top within `slope_m`."""
    east_m = np.arange(-40, 41) * 100.0
    rise_m = np.clip((east_m - foot_m) / slope_m, 0.0, 1.0) * top_m
    grid = 1500.0 + np.broadcast_to(rise_m, (41, 81)).copy()
    return Ground(grid, LAT_DEG + 0.1, LON_DEG - 4000.0 * M_LON, 0.005, 100.0 * M_LON, "hill")


def test_a_leg_up_a_steep_slope_lasts_as_long_as_its_climb_and_back_as_its_descent() -> None:
    places = np.array([(600.0, 0.0), (1000.0, 0.0), (600.0, 0.0)])
    legs_s = np.array([40.0, 40.0])
    more_s = Slopes(hill(300.0), PLANE).more_s(places, legs_s, FRAME)
    assert legs_s + more_s == pytest.approx([100.0, 150.0], rel=0.03)
    assert (Slopes(hill(60.0), PLANE).more_s(places, legs_s, FRAME) == 0.0).all()
    assert (Slopes(FLAT, PLANE).more_s(places, legs_s, FRAME) == 0.0).all()


def test_lifting_is_reckoned_by_the_metre_and_descent_gives_nothing_back() -> None:
    places = np.array([(0.0, 0.0), (2000.0, 0.0), (0.0, 0.0)])
    lift_s = Slopes(hill(90.0), PLANE).lift_s(places)
    assert lift_s == pytest.approx([90.0 * LIFT_S_A_M, 0.0], abs=0.1)
    assert ascent_m(np.array([0.0, 60.0, 20.0, 50.0, 0.0])) == 90.0


def test_ways_between_many_places_are_reckoned_as_their_legs_are() -> None:
    slopes = Slopes(hill(300.0), PLANE)
    places = np.array([(0.0, 0.0), (1600.0, 0.0), (0.0, 500.0)])
    level_s = np.hypot(*(places[:, None] - places[None]).T).T / 10.0
    found = reckoned_more_s(slopes.rises_m(places, places), level_s, FRAME)
    there = np.array([places[0], places[1]])
    exact_s = float((slopes.more_s(there, np.array([160.0]), FRAME) + slopes.lift_s(there))[0])
    assert exact_s <= found[0, 1] <= 1.2 * exact_s
    assert found[0, 2] == 0.0
    assert slopes.there_and_back_s(places[0], places, FRAME) == pytest.approx(found[0, 1] + found[1, 0])


def tasks() -> tuple[Task, ...]:
    return tuple(
        Task(
            task_id=number, name_zh=f"点{number}", name_en=f"point {number}", kind=TaskKind.POINT,
            geometry=point(1400.0 + 150.0 * number, 200.0 * number), alt_agl_m=60.0, dwell_s=60.0, width_m=30.0,
        )
        for number in range(1, 7)
    )  # fmt: skip


def planned(ground: Ground, **changes: object) -> tuple[Plan, Programme]:
    of = programme(
        tasks=tasks(),
        docks=(dock(1, 0, 0),),
        zones=(),
        airframes=(airframe(1, 1, **changes), airframe(2, 1, **changes)),
    )
    return plan_day(of, day(8, 12), now_us=hour(6), effort=Effort(within_s=None, iterations=20), ground=ground), of


def test_a_day_on_a_hill_takes_longer_than_on_flat_ground_and_keeps_its_chain_and_reserve() -> None:
    (flat, _), (hilly, of) = planned(FLAT), planned(hill(240.0, slope_m=300.0))
    assert (flat.terrain, hilly.terrain) == ("", "hill")
    assert {each.visit_id for each in flat.visits} == {each.visit_id for each in hilly.visits}
    in_air_s = [sum(one.landing_us - one.takeoff_us for one in plan.sorties) / 1e6 for plan in (flat, hilly)]
    assert in_air_s[1] > in_air_s[0] + 60.0
    flown = {task_id for one in hilly.sorties for task_id in one.task_ids}
    assert flown == {task.task_id for task in of.tasks}
    assert all(one.landing_battery_ratio >= 0.25 for one in hilly.sorties)
    for frame in of.airframes:
        mine = [one for one in hilly.sorties if one.airframe_id == frame.airframe_id]
        assert all(before.free_us <= after.takeoff_us for before, after in pairwise(mine))
    for one in hilly.sorties:
        heights = np.diff([way.alt_home_m for way in one.waypoints])
        reached = np.array([way.arrive_us or 0 for way in one.waypoints])
        left = reached + np.array([round(way.hold_s * 1e6) for way in one.waypoints])
        seconds = (reached[1:] - left[:-1]) / 1e6
        assert (heights <= 3.0 * seconds + 1.0).all()
        assert (-heights <= 2.0 * seconds + 1.0).all()


def test_a_battery_that_suffices_on_flat_ground_only_is_not_sent_up_the_hill() -> None:
    flat, _ = planned(FLAT, endurance_s=620.0)
    hilly, _ = planned(hill(400.0, slope_m=300.0), endurance_s=620.0)
    assert flat.sorties
    assert not hilly.sorties
    assert any(not each.is_warning for each in hilly.refusals)


def test_who_relieves_on_a_slope_stands_so_much_higher_that_the_way_down_to_it_keeps_clear() -> None:
    lanterns = Task(
        task_id=1, name_zh="灯会", name_en="lanterns", kind=TaskKind.EVENT, geometry=point(800.0, 0.0), alt_agl_m=60.0,
        windows=(day(18, 20),), overlap_s=60.0,
    )  # fmt: skip
    of = programme(
        tasks=(lanterns,), docks=(dock(1, 0, 0),), zones=(), airframes=tuple(airframe(n, 1) for n in (1, 2, 3))
    )
    valley = hill(-80.0, foot_m=300.0, slope_m=500.0)
    plan = plan_day(of, day(17, 21), now_us=hour(6), effort=Effort(within_s=None, iterations=20), ground=valley)
    assert plan.figures[0].watched_ratio == 1.0
    assert [one for one in plan.conflicts if not one.mended_by] == []
    assert Slopes(valley, PLANE).steepest_m(np.zeros((1, 2)), np.array([(800.0, 0.0)]), 40.0) == pytest.approx(
        6.4, abs=0.1
    )
