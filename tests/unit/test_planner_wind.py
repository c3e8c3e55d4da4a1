"""What is planned in wind is what is flown: each leg is told the speed over ground that it is reckoned with, of its own hours."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from mission.model import Programme, TaskKind, Weather, Window
from mission.plan import Plan
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from mission.schedule.scene import scene_of, wind_of_window
from tests.patrol_day import DAY_US, airframe, day, dock, hour, point, programme, tasks

FEW = Effort(within_s=None, iterations=30)


def windy(at: float, mps: float, from_deg: float | None) -> Weather:
    return Weather(
        from_us=hour(at),
        observed_us=hour(-3),
        source="forecast",
        wind_from_deg=from_deg,
        wind_mps=mps,
        gust_mps=mps + 1.0,
    )


def asked(*weather: Weather, kind: TaskKind = TaskKind.EVENT, since: float = 18.0) -> Programme:
    """Return a programme with one thing wanted three kilometres to the north for a quarter of an hour."""
    task = msgspec.structs.replace(
        tasks()[0], task_id=1, kind=kind, geometry=point(0, 3000), windows=(Window(hour(since), hour(since + 0.25)),),
        recurrence=None, revisit_s=None, alt_agl_m=60.0, pattern=None,
    )  # fmt: skip
    return programme(
        tasks=(task,), docks=(dock(1, 0, 0),), airframes=(airframe(1, 1), airframe(2, 1)), zones=(), weather=weather
    )


def planned(of: Programme) -> Plan:
    plan = plan_day(of, day(), now_us=hour(-2), effort=FEW)
    assert any(sortie.waypoints for sortie in plan.sorties)
    return plan


@pytest.mark.parametrize("from_deg", [0.0, 90.0, 180.0, 225.0])
@pytest.mark.parametrize("kind", [TaskKind.EVENT, TaskKind.POINT])
def test_a_drone_that_holds_the_speeds_it_is_told_is_there_when_the_plan_says(from_deg: float, kind: TaskKind) -> None:
    of = asked(windy(0, 8.0, from_deg), kind=kind)
    plane = scene_of(of, day(), now_us=hour(-2)).plane
    for sortie in planned(of).sorties:
        if not sortie.waypoints:
            continue
        clock_s, here = (sortie.takeoff_us - DAY_US) / 1e6 + 60.0 / of.airframes[0].climb_mps, np.zeros(2)
        here = np.array(plane.to_plane(of.docks[0].lat_deg, of.docks[0].lon_deg))
        for way in sortie.waypoints:
            there = np.array(plane.to_plane(way.lat_deg, way.lon_deg))
            clock_s += float(np.hypot(*(there - here))) / way.speed_mps
            assert way.speed_mps <= of.airframes[0].cruise_mps
            assert way.arrive_us is not None
            planned_s = (way.arrive_us - DAY_US) / 1e6
            assert planned_s >= clock_s - 0.1, "it is there later than the plan says"
            clock_s, here = planned_s + way.hold_s, there


@pytest.mark.parametrize("from_deg", [0.0, 180.0])
def test_the_wind_of_the_night_neither_speeds_up_nor_slows_down_the_evening(from_deg: float) -> None:
    def ways_out_s(of: Programme) -> list[float]:
        flown = [sortie for sortie in planned(of).sorties if sortie.waypoints]
        return [((one.waypoints[0].arrive_us or 0) - one.takeoff_us) / 1e6 for one in flown]

    calm = ways_out_s(asked(windy(0, 0.0, 0.0)))
    later = ways_out_s(asked(windy(0, 0.0, 0.0), windy(22, 8.0, from_deg)))
    assert {round(one) for one in later} == {round(one) for one in calm}


def test_a_wind_that_turns_is_reckoned_with_from_either_side() -> None:
    of = asked(windy(0, 6.0, 0.0), windy(18.05, 5.0, 180.0))
    ways = [way for sortie in planned(of).sorties for way in sortie.waypoints if way.task_id == 1]
    assert {way.speed_mps for one, way in pairwise([ways[0], *ways])} <= {6.0, 7.0, 12.0}
    assert ways[0].speed_mps == pytest.approx(6.0, abs=0.02)


def test_of_a_wind_without_direction_every_direction_is_reckoned_with() -> None:
    wind = wind_of_window(asked(windy(0, 4.0, None)), day())
    assert len({wind.from_deg, *(one.from_deg for one in wind.or_else)}) == 12
    assert {wind.speed_mps, *(one.speed_mps for one in wind.or_else)} == {4.0}


def test_the_way_between_the_height_of_the_transit_and_that_of_a_task_takes_its_time() -> None:
    base = asked(windy(0, 0.0, 0.0), kind=TaskKind.POINT)
    near = msgspec.structs.replace(base.tasks[0], geometry=point(0, 120), alt_agl_m=115.0)
    of = msgspec.structs.replace(base, tasks=(near,))
    frame = of.airframes[0]
    for sortie in planned(of).sorties:
        assert sortie.transit_alt_home_m == 60.0
        first, last = sortie.waypoints[0].arrive_us or 0, sortie.waypoints[-1]
        assert (first - sortie.takeoff_us) / 1e6 >= 115.0 / frame.climb_mps - 0.1
        assert (sortie.landing_us - (last.arrive_us or 0)) / 1e6 - last.hold_s >= 115.0 / frame.sink_mps - 0.1


def test_a_task_waits_for_its_way_there_too_until_a_storm_is_over() -> None:
    storm = msgspec.structs.replace(windy(10, 20.0, 90.0), from_us=hour(10))
    of = asked(storm, windy(14, 3.0, 90.0), kind=TaskKind.POINT)
    task = msgspec.structs.replace(of.tasks[0], windows=(Window(hour(12), hour(18)),))
    plan = planned(msgspec.structs.replace(of, tasks=(task,)))
    (sortie,) = (each for each in plan.sorties if each.waypoints)
    assert sortie.takeoff_us >= hour(14)
    assert sortie.visit_ids == (plan.visits[0].visit_id,)
    assert not [one for one in plan.refusals if not one.is_warning]


def test_a_task_is_over_and_home_before_a_storm_begins() -> None:
    storm = msgspec.structs.replace(windy(14, 20.0, 90.0), from_us=hour(14))
    of = asked(windy(10, 3.0, 90.0), storm, kind=TaskKind.POINT)
    task = msgspec.structs.replace(of.tasks[0], windows=(Window(hour(13.8), hour(18)),))
    (sortie,) = (each for each in planned(msgspec.structs.replace(of, tasks=(task,))).sorties if each.waypoints)
    assert sortie.landing_us <= hour(14)
