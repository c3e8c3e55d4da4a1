"""Rules speak to tasks: each refusal names its rule and numbers, and its remedy, done, makes it go."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from mission.air.sky import Sky
from mission.model import Airframe, Light, Task, TaskKind, Weather, Window, Zone, ZoneKind
from mission.plan import Refusal, Visit
from mission.rules import RuleSet, allowed_windows, check_task, rule_set
from tests.remedies_done import remedied_airframe, remedied_rules, remedied_task, remedied_visit
from tests.sky_scene import DAYLIGHT, FRAME, PLANE, box, clock, evening, point, task, visit, weather, window, zone

NOW_US = clock(17, 40)
GUSTY = evening(h18=5.0, h19=5.5, h20=6.0, h21=6.5, h22=6.9, h23=9.6)
CALM = evening(h18=5.0)
RULES = rule_set("default")


def check(
    asked: Task,
    at: Visit,
    frame: Airframe = FRAME,
    *,
    zones: Sequence[Zone] = (),
    log: Sequence[Weather] = CALM,
    rules: RuleSet = RULES,
    now_us: int = NOW_US,
    lasting_s: float = 0.0,
) -> list[Refusal]:
    sky = Sky(zones, plane=PLANE, margin_m=rules.number("R-03", "margin_m"))
    return check_task(
        asked, at, frame, sky=sky, weather=log, daylight=DAYLIGHT, rules=rules, now_us=now_us, lasting_s=lasting_s
    )


def test_gusts_are_refused_with_their_numbers_and_the_time_at_which_they_are_less() -> None:
    (found,) = check(task(), visit(window(23, 7, 23, 40)), log=GUSTY)
    assert (found.rule_id, found.is_warning) == ("R-12", False)
    assert found.reason_zh == "阵风 9.6 m/s，机型上限 8.0"
    assert found.remedy_zh.startswith("提前到 22:27，阵风 6.9")
    assert found.remedy_en.startswith("earlier, at 22:27, gusts 6.9")
    assert found.numbers == {"gust_mps": 9.6, "limit_mps": 8.0}
    assert check(task(), remedied_visit(visit(window(23, 7, 23, 40)), found.remedy), log=GUSTY) == []


def test_gusts_in_a_part_of_the_window_are_cut_out_and_no_refusal() -> None:
    assert check(task(), visit(window(22, 30, 23, 30)), log=GUSTY) == []
    sky = Sky(plane=PLANE)
    begins, said = allowed_windows(
        task(),
        window(18, 0, 23, 59),
        FRAME,
        sky=sky,
        weather=GUSTY,
        daylight=DAYLIGHT,
        rules=RULES,
        now_us=NOW_US,
        lasting_s=600,
    )
    assert begins == (Window(start_us=clock(18), end_us=clock(22, 50)),)
    assert [(one.rule_id, one.window and one.window.start_us) for one in said] == [("R-12", clock(23))]


def test_what_lasts_longer_than_every_free_hour_is_refused() -> None:
    assert check(task(), visit(window(22, 0, 22, 50)), log=GUSTY, lasting_s=600) == []
    assert [one.rule_id for one in check(task(), visit(window(22, 55, 22, 59)), log=GUSTY, lasting_s=600)] == ["R-12"]


STRONG = replace(FRAME, gust_limit_mps=12.0)
HARD: dict[str, Any] = {
    "wind": ({"wind_mps": 10.5}, "R-11"),
    "gust": ({"gust_mps": 12.34}, "R-12"),
    "rain": ({"rain_mmph": 2.5}, "R-13"),
    "visibility": ({"visibility_m": 800.0}, "R-14"),
    "cloud": ({"cloud_base_agl_m": 100.0}, "R-15"),
    "cold": ({"temperature_c": -15.0}, "R-16"),
    "hot": ({"temperature_c": 50.0}, "R-16"),
    "thunderstorm": ({"thunderstorm": True}, "R-17"),
}


@pytest.mark.parametrize("name", HARD)
def test_each_kind_of_weather_is_refused_by_its_rule_and_the_later_time_told_is_free(name: str) -> None:
    bad, rule_id = HARD[name]
    log = [weather(clock(18), observed_us=clock(17, 30), **bad), weather(clock(21), observed_us=clock(17, 30))]
    at = visit(window(19, 0, 19, 30))
    (found,) = check(task(), at, STRONG, log=log)
    assert (found.rule_id, found.remedy["start_us"]) == (rule_id, clock(21))
    assert "21:00" in found.remedy_zh
    assert check(task(), remedied_visit(at, found.remedy), STRONG, log=log) == []


@pytest.mark.parametrize("name", ["wind", "gust", "rain"])
def test_where_no_time_is_better_an_airframe_that_would_do_is_told(name: str) -> None:
    bad, rule_id = HARD[name]
    log = [weather(clock(18), observed_us=clock(17, 30), **bad)]
    at = visit(window(19, 0, 19, 30))
    (found,) = check(task(), at, STRONG, log=log)
    assert found.rule_id == rule_id
    assert check(task(), at, remedied_airframe(STRONG, found.remedy), log=log) == []


def test_under_a_low_cloud_a_lower_flight_is_offered() -> None:
    log = [weather(clock(18), observed_us=clock(17, 30), cloud_base_agl_m=110.5)]
    at = visit(window(19, 0, 19, 30))
    (found,) = check(task(), at, log=log)
    assert found.remedy == {"alt_agl_m": 50.0}
    assert check(remedied_task(task(), found.remedy), at, log=log) == []


def test_old_weather_blocks_a_flight_that_is_near_and_only_warns_of_one_that_is_far() -> None:
    old = [weather(clock(16), observed_us=clock(16))]
    (blocked,) = check(task(), visit(window(18, 0, 18, 30)), log=old)
    assert (blocked.rule_id, blocked.is_warning) == ("R-18", False)
    assert blocked.reason_zh == "气象资料已过 100 分钟，上限 60"
    fresh = weather(int(blocked.remedy["observed_us"]) + 1, observed_us=int(blocked.remedy["observed_us"]) + 1)
    assert check(task(), visit(window(18, 0, 18, 30)), log=[*old, fresh]) == []
    (warned,) = check(task(), visit(window(22, 0, 22, 30)), log=old)
    assert (warned.rule_id, warned.is_warning) == ("R-18", True)


def test_unknown_weather_warns_or_blocks_as_the_rule_says() -> None:
    at = visit(window(22, 0, 22, 30))
    assert [(one.rule_id, one.is_warning) for one in check(task(), at, log=[])] == [("R-18", True)]
    strict = rule_set("default", {"R-18": {"unknown_level": "refuse"}})
    assert [(one.rule_id, one.is_warning) for one in check(task(), at, log=[], rules=strict)] == [("R-18", False)]
    silent = rule_set("default", {"R-18": {"level": "off"}})
    assert check(task(), at, log=[], rules=silent) == []


def test_a_task_for_the_day_is_not_flown_by_night_and_the_morning_is_told() -> None:
    log = [weather(clock(18), observed_us=clock(17, 30)), weather(clock(4, day=19), observed_us=clock(17, 30))]
    at = visit(window(20, 0, 21, 0))
    (found,) = check(task(light=Light.DAY), at, log=log)
    assert (found.rule_id, found.reason_zh) == ("R-21", "只在白天执行，此时段在夜间")
    assert check(task(light=Light.DAY), remedied_visit(at, found.remedy), log=log) == []


@pytest.mark.parametrize("permit", ["never", "approved"])
def test_flights_by_night_are_refused_where_the_rule_says_so(permit: str) -> None:
    rules = rule_set("default", {"R-22": {"permit": permit, "level": "refuse"}})
    at = visit(window(21, 0, 21, 30))
    (found,) = check(task(), at, rules=rules)
    assert found.rule_id == "R-22"
    approved = check(task(approval="UOM-1"), at, rules=rules)
    assert bool(approved) == (permit == "never")


TIMED = zone(ZoneKind.NO_FLY, box(-50, -50, 400, 400), windows=(window(20, 0, 20, 40),))


def test_an_area_inside_a_temporary_zone_is_flown_before_or_after() -> None:
    at = visit(window(20, 5, 20, 30))
    (found,) = check(task(), at, zones=[TIMED])
    assert (found.rule_id, found.reason_zh) == ("R-03", "100 % 在临时管制内 20:00–20:40")
    assert check(task(), remedied_visit(at, found.remedy), zones=[TIMED]) == []


def test_a_place_in_a_zone_that_never_opens_is_moved_out_of_it() -> None:
    asked, shut = task(kind=TaskKind.POINT, geometry=point(0, 0)), replace(TIMED, windows=())
    at = visit(window(20, 5, 20, 30))
    (found,) = check(asked, at, zones=[shut])
    assert found.remedy_zh == "移到区外 61 m 处"
    assert check(remedied_task(asked, found.remedy), at, zones=[shut]) == []


def test_an_area_that_lies_partly_in_a_zone_is_said_and_flown() -> None:
    (found,) = check(task(), visit(window(20, 5, 20, 30)), zones=[zone(ZoneKind.NO_FLY, box(-50, -50, 140, 400))])
    assert (found.rule_id, found.is_warning) == ("R-03", True)
    assert float(found.numbers["share_pct"]) == pytest.approx(50.0, abs=0.1)


def test_a_zone_above_is_flown_under() -> None:
    above = zone(ZoneKind.NO_FLY, box(-50, -50, 400, 400), floor_agl_m=50.0)
    at = visit(window(20, 5, 20, 30))
    (found,) = check(task(), at, zones=[above])
    assert found.remedy == {"alt_agl_m": 49.0}
    assert check(remedied_task(task(), found.remedy), at, zones=[above]) == []


def test_a_restricted_zone_asks_for_a_number_and_says_until_when_it_can_be_applied_for() -> None:
    rules = rule_set("cn_interim_2024")
    restricted = zone(ZoneKind.RESTRICTED, box(-50, -50, 400, 400), name="机场净空区")
    at = visit(Window(start_us=clock(10, day=20), end_us=clock(11, day=20)))
    (found,) = check(task(), at, zones=[restricted], rules=rules, log=[weather(clock(9, day=20), observed_us=NOW_US)])
    assert (found.rule_id, found.remedy["apply_until_us"]) == ("R-04", clock(12, day=19))
    assert found.remedy_zh == "填写批准文号；须于 09-19 12:00 前向空中交通管理机构（UOM 平台）申请"
    log = [weather(clock(9, day=20), observed_us=NOW_US)]
    assert (
        check(remedied_task(task(), {"approval": "UOM-20260920"}), at, zones=[restricted], rules=rules, log=log) == []
    )


def test_after_noon_of_the_day_before_the_first_day_that_can_be_applied_for_is_told() -> None:
    restricted = zone(ZoneKind.RESTRICTED, box(-50, -50, 400, 400))
    (found,) = check(task(), visit(window(20, 5, 20, 30)), zones=[restricted])
    assert found.remedy["first_day_us"] == clock(0, day=20)
    assert "09-20" in found.remedy_en


def test_a_zone_that_names_its_approval_opens_to_that_number_alone() -> None:
    restricted = zone(ZoneKind.RESTRICTED, box(-50, -50, 400, 400), approval="ATC-7")
    at = visit(window(20, 5, 20, 30))
    (found,) = check(task(approval="ATC-8"), at, zones=[restricted])
    assert found.remedy["approval"] == "ATC-7"
    assert check(remedied_task(task(), found.remedy), at, zones=[restricted]) == []
    assert check(task(approval="ATC-8，ATC-7"), at, zones=[restricted]) == []


def test_outside_of_the_keep_in_area_nothing_is_flown() -> None:
    (found,) = check(task(), visit(window(20, 5, 20, 30)), zones=[zone(ZoneKind.KEEP_IN, box(1000, 0, 2000, 1000))])
    assert (found.rule_id, found.reason_en) == ("R-03", "100 % lies outside the keep-in area 临时管制")


@pytest.mark.parametrize(("empty_kg", "most_m"), [(1.4, 120.0), (0.24, 50.0)])
def test_the_height_limit_follows_the_class_of_the_airframe_and_an_approval_lifts_it(
    empty_kg: float, most_m: float
) -> None:
    rules, frame, at = rule_set("cn_interim_2024"), replace(FRAME, empty_kg=empty_kg), visit(window(20, 0, 20, 30))
    (found,) = check(task(alt_agl_m=130.0), at, frame, rules=rules)
    assert (found.rule_id, found.remedy) == ("R-01", {"alt_agl_m": most_m})
    assert check(remedied_task(task(alt_agl_m=130.0), found.remedy), at, frame, rules=rules) == []
    assert check(task(alt_agl_m=130.0, approval="UOM-1"), at, frame, rules=rules) == []


def test_a_crowd_asks_for_an_approval_by_the_chinese_rules_and_not_by_the_default_ones() -> None:
    event, at = task(kind=TaskKind.EVENT), visit(window(20, 0, 20, 30))
    assert check(event, at) == []
    (found,) = check(event, at, rules=rule_set("cn_interim_2024"))
    assert (found.rule_id, found.reason_zh) == ("R-04", "飞越集会人群上空，无批准文号")
    assert check(remedied_task(event, found.remedy), at, rules=rule_set("cn_interim_2024")) == []


def test_a_heavy_airframe_asks_for_an_approval() -> None:
    (found,) = check(task(), visit(window(20, 0, 20, 30)), replace(FRAME, empty_kg=16.0, takeoff_kg=30.0))
    assert found.rule_id == "R-06"


def test_a_camera_that_is_not_aboard_and_a_pixel_too_fine_are_refused_with_what_would_do() -> None:
    at = visit(window(20, 0, 20, 30))
    (found,) = check(task(camera="thermal"), at)
    assert (found.rule_id, found.remedy) == ("R-26", {"camera": "wide"})
    assert check(remedied_task(task(camera="thermal"), found.remedy), at) == []
    fine = task(alt_agl_m=None, ground_pixel_m=0.002)
    (found,) = check(fine, at)
    assert found.rule_id == "R-26"
    assert check(remedied_task(fine, found.remedy), at) == []


def test_a_window_that_is_over_is_refused() -> None:
    (found,) = check(task(), visit(window(16, 0, 16, 30)))
    assert (found.rule_id, found.reason_zh) == ("R-31", "时间窗 16:30 已过")


def test_a_rule_that_only_warns_takes_nothing_away_and_one_that_is_off_says_nothing() -> None:
    at = visit(window(23, 10, 23, 40))
    warned = check(task(), at, log=GUSTY, rules=rule_set("default", {"R-12": {"level": "warn"}}))
    assert [(one.rule_id, one.is_warning) for one in warned] == [("R-12", True)]
    assert check(task(), at, log=GUSTY, rules=rule_set("default", {"R-12": {"level": "off"}})) == []


def test_a_remedy_that_changes_a_rule_is_a_change_for_the_rule_set() -> None:
    changes = remedied_rules({"rule_id": "R-08", "action": "hold"})
    assert rule_set("default", changes).word("R-08", "action") == "hold"
    assert remedied_rules({"approval": "?"}) == {}
