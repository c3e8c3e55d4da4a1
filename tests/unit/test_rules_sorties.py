"""Rules speak to sorties: ways, batteries, weather, windows and crews; each remedy, done, makes its refusal go."""

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from msgspec.structs import replace

from mission.air.flight_path import path_of
from mission.air.sky import Sky
from mission.air.terrain import FLAT, Ground
from mission.model import Crew, Weather, Window, Zone, ZoneKind
from mission.plan import Refusal, Sortie, Visit
from mission.rules import RuleSet, check_ground, check_sortie, rule_set
from mission.rules.remedies import remedied_sortie
from tests.remedies_done import remedied_rules
from tests.sky_scene import (
    DAYLIGHT,
    DOCK,
    FRAME,
    PLANE,
    US,
    box,
    clock,
    evening,
    sortie,
    task,
    visit,
    weather,
    window,
    zone,
)

NOW_US = clock(17, 40)
RULES = rule_set("default", {"R-08": {"level": "off"}})
CALM = evening(h18=5.0)
GUSTY = evening(h18=5.0, h21=6.5, h22=6.9, h23=9.6)
EVENING = visit(window(18, 0, 23, 50))
EAST = [(400.0, 0.0), (1200.0, 0.0), (1200.0, 400.0)]
SHUT = zone(ZoneKind.NO_FLY, box(600, -50, 900, 100), windows=(window(20, 0, 20, 40),))


def check(
    flown: Sortie,
    *,
    zones: Sequence[Zone] = (),
    log: Sequence[Weather] = CALM,
    rules: RuleSet = RULES,
    visits: Sequence[Visit] = (EVENING,),
    crew: Crew | None = None,
    crew_sorties: Sequence[Sortie] = (),
    ground: Ground = FLAT,
    now_us: int = NOW_US,
) -> list[Refusal]:
    return check_sortie(
        flown,
        FRAME,
        dock=DOCK,
        sky=Sky(zones, plane=PLANE, margin_m=10.0),
        weather=log,
        daylight=DAYLIGHT,
        rules=rules,
        now_us=now_us,
        tasks=[task()],
        visits=visits,
        ground=ground,
        crew=crew,
        crew_sorties=crew_sorties,
    )


def done(flown: Sortie, found: Refusal) -> Sortie:
    changed = remedied_sortie(flown, found.remedy)
    assert changed is not None
    return changed


def test_a_sortie_within_every_rule_is_told_nothing() -> None:
    assert check(sortie(EAST, clock(20, 12))) == []


def test_a_way_through_a_temporary_zone_goes_round_it_or_at_another_time() -> None:
    flown = sortie(EAST, clock(20, 12))
    (found,) = check(flown, zones=[SHUT])
    assert (found.rule_id, found.reason_zh) == ("R-03", "航线穿过临时管制 20:00–20:40，320 m")
    assert found.remedy_zh.startswith("绕行 +16 m，落地电量 40 %；或提前")
    around = done(flown, found)
    assert check(around, zones=[SHUT]) == []
    assert len(around.waypoints) == len(flown.waypoints) + 2
    assert around.landing_us > flown.landing_us
    assert around.landing_battery_ratio < flown.landing_battery_ratio


@pytest.mark.parametrize("told", ["提前 14 分钟，19:58 起飞", "推迟 27 分钟，20:39 起飞"])
def test_the_other_times_are_told_to_the_minute_and_free_when_taken_at_their_word(told: str) -> None:
    flown = sortie(EAST, clock(20, 12))
    (found,) = check(flown, zones=[SHUT])
    assert told in found.remedy_zh
    hour, minute = told.split("，")[1][:5].split(":")
    later = remedied_sortie(flown, {"takeoff_us": clock(int(hour), int(minute))})
    assert later is not None
    assert check(later, zones=[SHUT]) == []


def test_where_the_battery_does_not_suffice_for_the_way_round_only_another_time_is_told() -> None:
    flown = sortie(EAST, clock(20, 12), landing_battery_ratio=0.2505)
    (found,) = check(flown, zones=[SHUT])
    assert "detour" not in found.remedy
    assert check(done(flown, found), zones=[SHUT]) == []


def test_a_zone_for_good_that_holds_the_task_itself_has_no_way_round() -> None:
    (found,) = check(sortie([(700.0, 0.0)], clock(20, 12)), zones=[replace(SHUT, windows=())])
    assert (found.rule_id, found.remedy) == ("R-03", {})


def test_a_restricted_zone_is_crossed_with_its_number() -> None:
    flown = sortie(EAST, clock(20, 12))
    restricted = replace(SHUT, kind=ZoneKind.RESTRICTED, approval="ATC-7", windows=())
    (found,) = check(flown, zones=[restricted])
    assert (found.rule_id, found.remedy["approval"]) == ("R-04", "ATC-7")
    assert check(done(flown, found), zones=[restricted]) == []


def test_a_way_out_of_the_keep_in_area_is_refused() -> None:
    (found,) = check(sortie(EAST, clock(20, 12)), zones=[zone(ZoneKind.KEEP_IN, box(-100, -100, 1000, 500))])
    assert (found.rule_id, "飞出允许飞行区" in found.reason_zh) == ("R-03", True)


SWATHS = [(200.0 + 600.0 * ((number // 2 + number % 2) % 2), 30.0 * number) for number in range(20)]


def test_a_battery_that_does_not_suffice_is_answered_with_the_swaths_to_leave_out() -> None:
    flown = sortie(SWATHS, clock(20, 12), landing_battery_ratio=0.17)
    (found,) = check(flown)
    assert (found.rule_id, found.reason_zh) == ("R-07", "返航时电量 17 %，低于保留 25 %")
    assert found.remedy_zh.startswith("缩短 ")
    assert " 条航带，减 " in found.remedy_zh
    shorter = done(flown, found)
    assert check(shorter) == []
    assert shorter.waypoints == flown.waypoints[: len(shorter.waypoints)]
    one_more = replace(shorter, waypoints=flown.waypoints[: len(shorter.waypoints) + 1])
    path, before = (path_of(one, plane=PLANE, dock=DOCK) for one in (shorter, flown))
    saved_s = (flown.landing_us - shorter.landing_us) / US
    assert saved_s == pytest.approx((before.length_m - path.length_m) / 10.0, rel=0.1)
    used_per_s = 0.83 / ((flown.landing_us - flown.takeoff_us) / US)
    assert shorter.landing_battery_ratio == pytest.approx(0.17 + saved_s * used_per_s, abs=1e-6)
    missed_m = path_of(one_more, plane=PLANE, dock=DOCK).length_m - path.length_m
    assert shorter.landing_battery_ratio - missed_m / 10.0 * used_per_s < 0.26  # one place more would not do


def test_a_long_watch_is_shortened_instead_of_its_way() -> None:
    flown = sortie([(300.0, 0.0)], clock(20, 12), hold_s=900.0, landing_battery_ratio=0.2)
    (found,) = check(flown)
    assert found.remedy_zh.startswith("少停留 1.1 分钟")
    shorter = done(flown, found)
    assert check(shorter) == []
    assert shorter.waypoints[0].hold_s == pytest.approx(900.0 - float(found.remedy["shorter_s"]))


def test_gusts_during_a_sortie_are_answered_with_a_take_off_before_them() -> None:
    flown = sortie(EAST, clock(22, 58))
    (found,) = check(flown, log=GUSTY)
    assert (found.rule_id, found.remedy_zh[:5]) == ("R-12", "提前到 2")
    assert "阵风 6.9" in found.remedy_zh
    earlier = done(flown, found)
    assert check(earlier, log=GUSTY) == []
    assert earlier.landing_us <= clock(23)
    assert flown.takeoff_us - earlier.takeoff_us < 5 * 60 * US


def test_a_flight_too_high_over_the_ground_is_lowered_by_what_is_missing() -> None:
    flown = sortie(EAST, clock(20, 12), alt_m=133.0)
    (found,) = check(flown)
    assert (found.rule_id, found.remedy) == ("R-01", {"lower_m": 13.0})
    assert check(done(flown, found)) == []


def hill() -> Ground:
    """Return ground that rises by 90 m from the dock eastwards within 1.2 km."""
    lat = 36.0 + np.arange(20, -21, -1) * 0.0005
    lon = 103.8 + np.arange(-20, 41) * 0.0005
    east_m = (lon - 103.8) * 90_000.0
    heights = np.broadcast_to(1500.0 + np.clip(east_m, 0.0, 1200.0) * 0.075, (len(lat), len(lon))).copy()
    return Ground(heights, float(lat[0]), float(lon[0]), 0.0005, 0.0005, "hill.asc")


def test_with_a_terrain_heights_are_true_heights_and_a_hill_is_flown_over() -> None:
    flown = sortie(EAST, clock(20, 12), alt_m=60.0)
    found = [one for one in check(flown, ground=hill()) if one.rule_id == "R-02"]
    assert found[0].numbers["alt_agl_m"] == pytest.approx(-20.0, abs=12.0)
    raised = done(flown, found[0])
    assert [one.rule_id for one in check(raised, ground=hill())] == []
    assert [one.rule_id for one in check(flown)] == []


def test_a_sortie_that_comes_after_its_task_has_ended_is_to_be_deleted() -> None:
    flown = sortie(EAST, clock(22, 10))
    ended = task(windows=(window(19, 0, 22, 0),))
    (found,) = check_sortie(
        flown, FRAME, dock=DOCK, sky=Sky(plane=PLANE), weather=CALM, daylight=DAYLIGHT, rules=RULES, now_us=NOW_US,
        tasks=[ended], visits=[visit(window(19, 0, 22, 0))],
    )  # fmt: skip
    assert (found.rule_id, found.reason_zh, found.remedy_zh) == ("R-31", "活动 22:00 已结束，无任务可派", "删除该架次")
    assert remedied_sortie(flown, found.remedy) is None


@pytest.mark.parametrize(("within", "word"), [(window(21, 0, 21, 5), "提前"), (window(21, 30, 21, 40), "推迟")])
def test_a_visit_outside_of_its_window_is_moved_into_it(within: Window, word: str) -> None:
    flown = sortie(EAST, clock(21, 10))
    (found,) = check(flown, visits=[visit(within)])
    assert (found.rule_id, found.remedy_zh[:2]) == ("R-31", word)
    assert check(done(flown, found), visits=[visit(within)]) == []


def test_who_watches_an_event_from_its_start_may_be_there_before() -> None:
    flown = replace(sortie(EAST, clock(21, 10)), on_watch=window(21, 12, 21, 40))
    assert check(flown, visits=[visit(window(21, 12, 23, 0))]) == []
    assert [one.rule_id for one in check(flown, visits=[visit(window(22, 0, 23, 0))])] == ["R-31"]


def test_a_straight_way_home_through_a_zone_is_said_and_goes_when_the_drone_is_told_to_hold() -> None:
    tall = replace(SHUT, geometry=box(500, 100, 900, 300))
    flown = sortie([(1200.0, 0.0), (1200.0, 400.0), (1200.0, 0.0)], clock(20, 12))
    (found,) = check(flown, zones=[tall], rules=rule_set("default"))
    assert (found.rule_id, found.is_warning) == ("R-08", True)
    assert check(flown, zones=[tall], rules=rule_set("default", remedied_rules(found.remedy))) == []


def test_a_place_beyond_the_reach_of_the_link_is_said() -> None:
    found = check(sortie([(11_000.0, 0.0)], clock(20, 12)))
    assert [(one.rule_id, one.is_warning) for one in found] == [("R-09", True)]


def test_a_crew_flies_within_its_shift_and_no_more_drones_than_it_may() -> None:
    flown = sortie(EAST, clock(20, 12), crew_id=4)
    crew = Crew(crew_id=4, name="甲组", shifts=(window(18, 0, 20, 0),))
    (found,) = check(flown, crew=crew)
    assert (found.rule_id, found.reason_zh) == ("R-25", "甲组不在班")
    late = replace(crew, shifts=(window(18, 0, 23, 0),))
    assert check(flown, crew=late) == []
    other = replace(flown, sortie_id=2, airframe_id=10, takeoff_us=flown.takeoff_us + 60 * US)
    (found,) = check(flown, crew=late, crew_sorties=[flown, other])
    assert found.numbers["drone_count"] == 2.0
    assert check(flown, crew=replace(late, drone_count=2), crew_sorties=[flown, other]) == []


def test_a_crew_too_long_at_the_controls_or_on_duty_is_refused() -> None:
    crew = Crew(crew_id=4, name="甲组", shifts=(window(8, 0, 23, 0),), drone_count=2)
    long_day = [sortie([(0.0, 100.0)], clock(hour), hold_s=3000.0, sortie_id=hour, crew_id=4) for hour in range(9, 20)]
    found = check(sortie(EAST, clock(20, 12), crew_id=4), crew=crew, crew_sorties=long_day)
    assert sorted(one.reason_en for one in found) == [
        "甲组 has 9.5 h at the controls, the limit is 8.0 h",
        "甲组 is on duty for 15.0 h, the limit is 12.0 h",
    ]


def test_flat_ground_and_ways_beyond_the_terrain_are_said_once_with_their_numbers() -> None:
    flights = [sortie(EAST, clock(20)), sortie([(9000.0, 0.0)], clock(21))]
    (flat,) = check_ground(flights, docks=[DOCK], ground=FLAT, rules=RULES, plane=PLANE)
    assert (flat.rule_id, flat.is_warning, flat.numbers["alt_home_m"]) == ("R-33", True, 60.0)
    docks = [replace(DOCK, ground_msl_m=1512.0), replace(DOCK, dock_id=3, ground_msl_m=1548.0)]
    (uneven,) = check_ground(flights, docks=docks, ground=FLAT, rules=RULES, plane=PLANE)
    assert uneven.numbers["apart_m"] == 36.0
    (outside,) = check_ground(flights, docks=docks, ground=hill(), rules=RULES, plane=PLANE)
    assert (outside.numbers["outside_count"], outside.numbers["terrain"]) == (1.0, "hill.asc")
    far = [replace(DOCK, lat_deg=37.0)]
    dock_outside, _ = check_ground(flights, docks=far, ground=hill(), rules=RULES, plane=PLANE)
    assert (dock_outside.numbers["docks"], dock_outside.is_warning) == (DOCK.name, True)
    assert "height above the sea" in dock_outside.remedy_en
    assert check_ground([], docks=docks, ground=FLAT, rules=RULES, plane=PLANE) == []


def test_a_spare_that_stays_in_its_dock_offends_nothing() -> None:
    assert check(sortie(EAST, clock(20, 12), is_standby=True, landing_battery_ratio=0.1), zones=[SHUT]) == []


def test_weather_out_of_date_blocks_the_take_off() -> None:
    (found,) = check(sortie(EAST, clock(18, 0)), log=[weather(clock(16), observed_us=clock(16))], visits=[])
    assert (found.rule_id, found.is_warning) == ("R-18", False)


def test_the_detour_keeps_clear_of_the_zone_and_its_margin() -> None:
    flown = sortie(EAST, clock(20, 12))
    (found,) = check(flown, zones=[SHUT])
    path = path_of(done(flown, found), plane=PLANE, dock=DOCK)
    shut = shapely.Polygon([(600, -50), (900, -50), (900, 100), (600, 100)])
    assert min(shapely.distance(line, shut) for line in path.lines) > 9.9
