"""Which drone goes first: by time with wind, round closed air, with enough battery to come home, and said why where it cannot."""

import msgspec
import numpy as np
import pytest
import shapely

from mission.air.terrain import FLAT, Ground
from mission.flying.planned_next import PlannedNext
from mission.flying.responder import Candidate, candidates_for
from mission.flying.responder_trip import BESIDE_M, Errand, Standing
from mission.model import Programme, Weather, Zone, ZoneKind
from telemetry.model.errors import InputError
from telemetry.model.geodesy import distance_m
from tests.patrol_day import LAT_DEG, LON_DEG, M_LON, airframe, dock, hour, place, rectangle

NOW_US = hour(10)
EAST, WEST = airframe(1, 1, name="East"), airframe(2, 2, name="West")


def programme(*zones: Zone, wind_mps: float = 2.0, from_deg: float = 0.0) -> Programme:
    weather = Weather(
        from_us=NOW_US - 1, observed_us=NOW_US - 1, source="here", wind_mps=wind_mps, wind_from_deg=from_deg,
        gust_mps=wind_mps, visibility_m=9999.0, rain_mmph=0.0, temperature_c=15.0,
    )  # fmt: skip
    return Programme(airframes=(EAST, WEST), docks=(dock(1, 500, 0), dock(2, -500, 0)), zones=zones, weather=(weather,))


def errand(east_m: float, north_m: float, **more: float) -> Errand:
    lon_deg, lat_deg = place(east_m, north_m)
    return Errand(lat_deg=lat_deg, lon_deg=lon_deg, **more)


def ready(*numbers: int) -> list[Standing]:
    return [Standing(airframe_id=number, battery_ratio=1.0) for number in numbers]


def ask(wanted: Errand, whole: Programme, standings: list[Standing], *, ground: Ground = FLAT) -> list[Candidate]:
    return candidates_for(wanted, whole, standings, now_us=NOW_US, ground=ground)


def test_the_nearest_goes_first_in_calm_air_and_the_one_with_the_wind_behind_it_in_a_gale() -> None:
    middle = errand(50, 0)
    assert [one.name for one in ask(middle, programme(), ready(1, 2))] == ["East", "West"]
    gale = programme(wind_mps=9.0, from_deg=270.0)
    assert [one.name for one in ask(middle, gale, ready(1, 2))] == ["West", "East"]


def test_one_that_is_planned_to_fly_before_it_is_back_says_so_and_goes_after_those_that_are_free() -> None:
    soon = PlannedNext(airframe_id=1, plan_id=1, sortie_id=2, takeoff_us=NOW_US + 240 * 1_000_000)
    late = PlannedNext(airframe_id=2, plan_id=1, sortie_id=3, takeoff_us=NOW_US + 7200 * 1_000_000)
    found = candidates_for(errand(50, 0), programme(), ready(1, 2), now_us=NOW_US, planned=[late, soon])
    assert [one.name for one in found] == ["West", "East"]
    free, needed = found
    assert (free.is_needed, needed.is_needed, needed.can_go) == (False, True, True)
    (warning,) = needed.refusals
    assert (warning.is_warning, warning.numbers["sortie_id"]) == (True, 2)
    assert warning.reason_en.startswith("flies sortie 2 of plan 1 at 10:04, and is back at 10:")
    assert warning.reason_zh.startswith("10:04 须执行方案 1 的架次 2")


def test_the_way_goes_round_closed_air_and_costs_the_time_of_the_detour() -> None:
    wall = Zone(name="Works", kind=ZoneKind.NO_FLY, geometry=rectangle(150, -300, 100, 600))
    plain, round_it = (ask(errand(0, 0), programme(*zones), ready(1))[0] for zones in ((), (wall,)))
    assert round_it.can_go
    assert plain.arrive_s is not None
    assert round_it.arrive_s is not None
    assert round_it.arrive_s > plain.arrive_s + 10
    assert round_it.way is not None
    assert not shapely.geometry.shape(round_it.way).intersects(shapely.geometry.shape(wall.geometry))


def test_a_place_in_closed_air_and_one_beyond_the_battery_are_refused_with_why() -> None:
    wall = Zone(name="Works", kind=ZoneKind.NO_FLY, geometry=rectangle(-50, -50, 100, 100))
    (closed,) = ask(errand(0, 0), programme(wall), ready(1))[:1]
    assert not closed.can_go
    far = ask(errand(9000, 0), programme(), ready(1))[0]
    assert not far.can_go
    assert "of a battery that holds 100%" in far.refusals[0].reason_en


def test_it_stays_no_longer_than_its_battery_brings_it_home_from() -> None:
    whole = programme()
    full = ask(errand(0, 0, stay_s=7200.0), whole, ready(1))[0]
    low = ask(errand(0, 0), whole, [Standing(airframe_id=1, battery_ratio=0.45)])[0]
    assert full.return_ratio == pytest.approx(0.25, abs=0.01)
    assert low.can_go
    assert low.return_ratio is not None
    assert low.return_ratio >= 0.25
    assert low.battery_at_scene_ratio is not None
    assert low.battery_at_scene_ratio < 0.45


def test_a_drone_in_the_air_begins_where_it_is_and_saves_the_climb() -> None:
    lon_deg, lat_deg = place(100, 0)
    docked = ask(errand(0, 0), programme(), ready(2))[0]
    aloft = Standing(airframe_id=2, battery_ratio=0.8, is_airborne=True, lat_deg=lat_deg, lon_deg=lon_deg)
    flying = next(one for one in ask(errand(0, 0), programme(), [aloft]) if one.airframe_id == 2)
    assert flying.arrive_s is not None
    assert docked.arrive_s is not None
    assert flying.arrive_s < 20 < docked.arrive_s


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing(airframe_id=1, is_heard=False), "it is not heard"),
        (Standing(airframe_id=1, controller="wang"), "wang is in control"),
        (Standing(airframe_id=1, lat_deg=LAT_DEG + 0.045, lon_deg=LON_DEG), "it stands 5.0 km from its dock"),
    ],
)
def test_who_is_silent_or_in_another_s_hands_is_not_chosen(standing: Standing, said: str) -> None:
    found = ask(errand(0, 0), programme(), [standing, *ready(2)])
    assert [one.can_go for one in found] == [True, False]
    assert found[1].refusals[0].reason_en == said
    assert found[1].refusals[0].reason_zh


def test_it_stands_beside_the_place_and_looks_at_it_and_a_search_begins_on_it() -> None:
    wanted = errand(0, 0)
    standing = ask(wanted, programme(), ready(1))[0]
    assert standing.sortie is not None
    assert standing.goal is not None
    over = standing.sortie.waypoints[standing.goal]
    assert (over.gaze_lat_deg, over.gaze_lon_deg) == (wanted.lat_deg, wanted.lon_deg)
    away = float(distance_m(over.lat_deg, over.lon_deg, wanted.lat_deg, wanted.lon_deg))
    assert away == pytest.approx(BESIDE_M, abs=1.0)
    searching = ask(errand(0, 0, search_radius_m=150.0), programme(), ready(1))[0]
    assert searching.sortie is not None
    assert searching.goal is not None
    first = searching.sortie.waypoints[searching.goal]
    assert float(distance_m(first.lat_deg, first.lon_deg, wanted.lat_deg, wanted.lon_deg)) < 2.0
    assert searching.detection_ratio is not None
    assert searching.can_go


def test_too_much_wind_is_a_refusal_by_rule_and_two_first_responders_keep_apart() -> None:
    gale = programme(wind_mps=14.0)
    assert not ask(errand(0, 0), gale, ready(1))[0].can_go
    twins = msgspec.structs.replace(programme(), airframes=(EAST, airframe(3, 1, name="Twin")))
    first = ask(errand(0, 0), twins, ready(1))[0]
    assert first.sortie is not None
    other = msgspec.structs.replace(first.sortie, sortie_id=1)
    second = candidates_for(errand(0, 0), twins, ready(3), now_us=NOW_US, others=[other])[0]
    assert second.sortie is not None
    assert second.name == "Twin"
    is_later = second.sortie.takeoff_us > first.sortie.landing_us
    assert second.sortie.transit_alt_home_m > first.sortie.transit_alt_home_m or is_later or not second.can_go


@pytest.mark.parametrize(
    "wanted",
    [
        Errand(lat_deg=95, lon_deg=0),
        Errand(lat_deg=0, lon_deg=0, alt_agl_m=900),
        Errand(lat_deg=0, lon_deg=0, search_radius_m=1),
    ],
)
def test_what_is_no_place_is_refused(wanted: Errand) -> None:
    with pytest.raises(InputError, match=r"allowed|within"):
        ask(wanted, programme(), ready(1))


def slope() -> Ground:
    """Level to 700 m east, then up by 200 m within 300 m."""
    rise_m = np.clip((np.arange(-40, 41) * 100.0 - 700.0) / 300.0, 0.0, 1.0) * 200.0
    grid = np.broadcast_to(1500.0 + rise_m, (41, 81)).copy()
    return Ground(grid, LAT_DEG + 0.1, LON_DEG - 4000.0 * M_LON, 0.005, 100.0 * M_LON, "slope")


def test_up_a_hill_it_arrives_later_with_less_left_and_stands_at_its_height_above_the_ground_there() -> None:
    there = errand(1500, 0)
    (level,), (hilly,) = (ask(there, programme(), ready(1), ground=ground)[:1] for ground in (FLAT, slope()))
    assert hilly.can_go
    assert level.arrive_s is not None
    assert hilly.arrive_s is not None
    assert hilly.arrive_s > level.arrive_s + 20.0
    assert (hilly.battery_at_scene_ratio or 1.0) < (level.battery_at_scene_ratio or 0.0)
    assert hilly.sortie is not None
    assert level.sortie is not None
    assert hilly.goal is not None
    assert level.goal is not None
    laid, plain = hilly.sortie.waypoints[hilly.goal], level.sortie.waypoints[level.goal]
    assert (laid.lat_deg, laid.lon_deg) == (plain.lat_deg, plain.lon_deg)
    assert laid.hold_s > 0.0
    assert laid.alt_home_m - laid.ground_above_home_m == pytest.approx(60.0, abs=0.1)
    assert laid.ground_above_home_m == pytest.approx(200.0, abs=1.0)


def test_in_the_air_it_sets_out_from_where_it_is_not_by_way_of_its_dock() -> None:
    lon_deg, lat_deg = place(1000, 300)
    aloft = Standing(airframe_id=1, lat_deg=lat_deg, lon_deg=lon_deg, battery_ratio=0.9, is_airborne=True)
    (sent,) = ask(errand(1500, 0), programme(), [aloft], ground=slope())[:1]
    assert sent.sortie is not None
    first = sent.sortie.waypoints[0]
    assert (first.lat_deg, first.lon_deg) == pytest.approx((lat_deg, lon_deg), abs=1e-6)
