"""At the moment of flying the rules are asked again: zones and weather of now, whom it would meet, and orders of the moment."""

import numpy as np
import pytest
from msgspec.structs import replace

from mission.air.terrain import FLAT, Ground
from mission.flying.straight_way import StraightWay, said_of_way
from mission.flying.takeoff import Other, Takeoff, said_at_takeoff
from mission.model import US, Programme, Weather, Window, Zone, ZoneKind
from mission.plan import Refusal, Sortie, Waypoint
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from tests.patrol_day import LAT_DEG, LON_DEG, M_LON, airframe, day, dock, hour, place, programme, rectangle

NOON_US = hour(12)
SEEN_NOW = Weather(
    from_us=NOON_US, observed_us=NOON_US, source="seen", wind_from_deg=0.0, wind_mps=3.0, gust_mps=4.0, visibility_m=9000.0
)  # fmt: skip
SHUT = Zone(zone_id=9, name="临时管制", kind=ZoneKind.NO_FLY, geometry=rectangle(200, 100, 200, 200))


def flown(east_m: float = 900.0, north_m: float = 200.0, *, alt_m: float = 60.0, number: int = 1) -> Sortie:
    """East of the first dock and back, planned for 11:50; five minutes."""
    lon_deg, lat_deg = place(east_m, north_m)
    there = Waypoint(lat_deg=lat_deg, lon_deg=lon_deg, alt_home_m=alt_m, speed_mps=10.0)
    return Sortie(
        sortie_id=number, airframe_id=number, dock_id=1, takeoff_us=hour(11) + 50 * 60 * US, landing_us=hour(11) + 55 * 60 * US,
        free_us=hour(12), visit_ids=(), task_ids=(), waypoints=(there,), length_m=2200.0, landing_battery_ratio=0.7,
        transit_alt_home_m=alt_m,
    )  # fmt: skip


def now(**changes: object) -> Programme:
    return programme(**({"zones": (), "weather": (SEEN_NOW,)} | changes))


def said(flight: Sortie | None = None, **changes: object) -> list[Refusal]:
    values: dict[str, object] = {
        "sortie": flight or flown(), "airframe": airframe(1, 1), "dock": dock(1, -200, 200), "programme": now(),
        "now_us": NOON_US, "takeoff_us": NOON_US, "battery_ratio": 1.0,
    }  # fmt: skip
    return list(said_at_takeoff(Takeoff(**(values | changes))))  # type: ignore[arg-type]


def refused(found: list[Refusal] | tuple[Refusal, ...]) -> list[str]:
    return [one.rule_id for one in found if not one.is_warning]


def test_nothing_speaks_against_what_was_planned_in_the_same_air() -> None:
    assert said() == []


def test_a_zone_that_was_drawn_since_refuses_and_is_named_with_the_way_round_it() -> None:
    (found, *_) = said(programme=now(zones=(SHUT,)))
    assert (found.rule_id, found.is_warning) == ("R-03", False)
    assert "临时管制" in found.reason_zh
    assert "临时管制" in found.reason_en
    assert found.remedy_zh.startswith("绕行")


def test_a_zone_counts_for_the_time_at_which_it_would_start_now_and_not_for_the_plans() -> None:
    then = replace(SHUT, windows=(Window(hour(11.8), hour(11.95)),))
    soon = replace(SHUT, windows=(Window(hour(12.01), hour(13)),))
    assert refused(said(programme=now(zones=(then,)))) == []
    assert refused(said(programme=now(zones=(soon,)))) == ["R-03"]


def test_weather_that_went_stale_refuses_or_warns_as_the_rule_says() -> None:
    old = now(weather=(replace(SEEN_NOW, from_us=hour(9), observed_us=hour(9)),))
    assert refused(said(programme=old)) == ["R-18"]
    (warned,) = said(programme=replace(old, rules={"R-18": {"level": "warn"}}))
    assert (warned.rule_id, warned.is_warning) == ("R-18", True)
    storm = replace(SEEN_NOW, wind_mps=14.0, gust_mps=18.0)
    assert set(refused(said(programme=now(weather=(storm,))))) == {"R-11", "R-12"}


def test_a_sortie_over_hills_is_held_against_its_height_above_the_ground() -> None:
    high = flown(alt_m=180.0)
    assert refused(said(high)) == ["R-01"]
    ways = tuple(replace(one, ground_above_home_m=100.0) for one in high.waypoints)
    assert refused(said(replace(high, waypoints=ways, transit_alt_home_m=80.0))) == []


def test_another_one_in_the_air_refuses_with_how_near_and_from_when_it_is_free() -> None:
    other = replace(flown(number=2), takeoff_us=NOON_US, landing_us=NOON_US + 300 * US)
    (found,) = said(others=(Other(sortie=other, name="巡鹰-02"),))
    assert (found.rule_id, found.is_warning, found.numbers["other"]) == ("R-05", False, "巡鹰-02")
    later_us = int(found.remedy["takeoff_us"])
    assert refused(said(takeoff_us=later_us, others=(Other(sortie=other, name="巡鹰-02"),))) == []
    (let_be,) = said(others=(Other(sortie=other, name="巡鹰-02", is_accepted=True),))
    assert let_be.is_warning
    assert said(others=(Other(sortie=replace(other, airframe_id=1), name="itself"),)) == []


def test_what_a_person_let_be_of_a_watch_is_told_and_refuses_nothing_but_weather_always_does() -> None:
    storm = replace(SEEN_NOW, wind_mps=14.0)
    both = said(programme=now(zones=(SHUT,), weather=(storm,)), accepted=frozenset({"R-03", "R-12"}))
    assert refused(both) == ["R-11", "R-12"]
    assert "R-03" in [one.rule_id for one in both if one.is_warning]


def test_a_plans_own_sorties_take_off_at_their_time_and_a_little_late_beside_each_other() -> None:
    whole = programme()
    plan = plan_day(whole, day(6, 10), now_us=hour(5.5), effort=Effort(iterations=50))
    airframes, docks = {one.airframe_id: one for one in whole.airframes}, {one.dock_id: one for one in whole.docks}
    flown = [one for one in plan.sorties if one.waypoints]
    assert len(flown) > 3
    for one in flown:
        others = tuple(Other(sortie=each, name="") for each in flown if each is not one)
        for late_us in (0, 10 * US):
            found = said(
                one,
                airframe=airframes[one.airframe_id],
                dock=docks[one.dock_id],
                programme=replace(whole, rules={"R-18": {"level": "off"}}),
                now_us=one.takeoff_us + late_us,
                takeoff_us=one.takeoff_us + late_us,
                others=others,
            )
            assert refused(found) == [], (one.sortie_id, found)


def order(east_m: float, north_m: float, *, ground: Ground = FLAT, **changes: object) -> tuple[Refusal, ...]:
    lon_deg, lat_deg = place(east_m, north_m)
    from_lon_deg, from_lat_deg = place(-200, 200)
    values: dict[str, object] = {
        "airframe": airframe(1, 1), "programme": now(zones=(SHUT,)), "now_us": NOON_US, "from_lat_deg": from_lat_deg,
        "from_lon_deg": from_lon_deg, "from_alt_home_m": 60.0, "lat_deg": lat_deg, "lon_deg": lon_deg, "alt_home_m": 60.0,
        "speed_mps": 10.0,
    }  # fmt: skip
    return said_of_way(StraightWay(**(values | changes)), ground)  # type: ignore[arg-type]


def test_a_straight_way_through_a_zone_is_refused_with_its_name_and_a_place_to_go_round_by() -> None:
    (found,) = order(900, 200)
    assert (found.rule_id, found.numbers["zone"], found.is_warning) == ("R-03", "临时管制", False)
    round_it = (float(found.remedy["lat_deg"]), float(found.remedy["lon_deg"]))
    assert order(0, 0, lat_deg=round_it[0], lon_deg=round_it[1]) == ()
    assert order(900, 600) == ()
    assert refused(order(300, 200)) == ["R-03"]


def test_a_zone_of_another_height_or_time_is_in_nobodys_way_and_one_that_begins_soon_is() -> None:
    low = now(zones=(replace(SHUT, ceiling_agl_m=40.0),))
    assert order(300, 200, programme=low) == ()
    past = now(zones=(replace(SHUT, windows=(day(8, 9),)),))
    assert order(300, 200, programme=past) == ()
    soon = now(zones=(replace(SHUT, windows=(day(12.05, 13),)),))
    assert refused(order(300, 200, programme=soon)) == ["R-03"]


def test_who_is_in_a_zone_may_leave_it_and_keep_in_areas_are_not_left() -> None:
    lon_deg, lat_deg = place(300, 200)
    (warned,) = order(900, 600, from_lat_deg=lat_deg, from_lon_deg=lon_deg)
    assert (warned.rule_id, warned.is_warning) == ("R-03", True)
    keep = now(
        zones=(Zone(zone_id=1, name="可飞区", kind=ZoneKind.KEEP_IN, geometry=rectangle(-500, -500, 1000, 1000)),)
    )
    assert refused(order(900, 200, programme=keep)) == ["R-03"]
    assert order(400, 200, programme=keep) == ()


@pytest.mark.parametrize(("alt_m", "expected"), [(1000.0, ["R-01"]), (121.0, ["R-01"]), (120.0, [])])
def test_a_height_over_the_rules_is_refused(alt_m: float, expected: list[str]) -> None:
    assert refused(order(900, 600, alt_home_m=alt_m)) == expected


def test_weather_and_low_heights_are_said_to_who_flies_already_and_the_way_home_is_never_refused() -> None:
    storm = now(weather=(replace(SEEN_NOW, wind_mps=14.0),))
    assert [(one.rule_id, one.is_warning) for one in order(900, 600, programme=storm)] == [
        ("R-11", True),
        ("R-12", True),
    ]
    (low,) = order(900, 600, alt_home_m=5.0)
    assert (low.rule_id, low.is_warning) == ("R-02", True)
    homeward = order(900, 200, alt_home_m=500.0, is_homeward=True)
    assert [one.rule_id for one in homeward] == ["R-03"]
    assert refused(homeward) == []


def test_over_a_known_ground_heights_are_those_above_it_and_nobody_is_sent_into_a_slope() -> None:
    rise_m = np.clip(np.arange(-40, 41) * 100.0 / 1000.0, 0.0, 1.0) * 200.0
    grid = np.broadcast_to(1500.0 + rise_m, (41, 81)).copy()
    ground = Ground(grid, LAT_DEG + 0.1, LON_DEG - 4000.0 * M_LON, 0.005, 100.0 * M_LON, "slope")

    def over_it(east_m: float = 1200.0, **changes: object) -> tuple[Refusal, ...]:
        return order(east_m, 200, ground=ground, home=(LAT_DEG, LON_DEG), programme=now(zones=()), **changes)

    assert refused(order(1200, 200, alt_home_m=260.0, programme=now(zones=()))) == ["R-01"]
    assert over_it(alt_home_m=260.0) == ()
    (found,) = over_it()
    assert (found.rule_id, found.is_warning) == ("R-02", False)
    assert found.numbers["alt_agl_m"] == pytest.approx(-140.0, abs=1.0)
    assert over_it(-200.0, from_alt_home_m=0.0) == ()
    assert refused(over_it(is_homeward=True)) == []
