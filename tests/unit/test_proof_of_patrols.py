"""What is said to have been seen was seen: cut tracks, silences, late drones and gaps between drones show in the proof."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest

from console.patrols.evidence import time_of
from mission.model import Programme, Task, TaskKind, Window
from mission.plan import Plan, Refusal, SortieState, Visit
from mission.proof import report_files, report_html
from mission.proof.flown import Track
from mission.proof.proving import Proof, prove
from mission.proof.watching import unwatched
from tests.proved_day import (
    ALT_M,
    DOCK,
    FIELD_PLAN,
    FIELD_PROGRAMME,
    HAWKS,
    LATER_US,
    SECOND_US,
    START_US,
    SURVEY,
    along,
    sortie,
    swaths,
    track,
    waypoint,
)


def of_field(*tracks: Track) -> Proof:
    return prove(FIELD_PLAN, FIELD_PROGRAMME, tracks, now_us=LATER_US)


def test_over_a_hill_no_more_is_said_to_have_been_seen_than_from_its_height_above_the_ground() -> None:
    rise_m = 300.0
    lifted = tuple(
        msgspec.structs.replace(one, alt_home_m=ALT_M + rise_m, ground_above_home_m=rise_m) for one in SURVEY.waypoints
    )
    plan = msgspec.structs.replace(
        FIELD_PLAN, sorties=(msgspec.structs.replace(SURVEY, waypoints=lifted, transit_alt_home_m=ALT_M + rise_m),)
    )
    flown = track(1, along(swaths()), begins_s=5)
    half = track(1, along(swaths()[:4]), begins_s=5)
    ratios = []
    for one in (flown, half):
        high = replace(one, alt_home_m=one.alt_home_m + rise_m)
        proof = prove(plan, FIELD_PROGRAMME, [high], now_us=LATER_US)
        ratios.append((proof.tasks[0].planned_ratio, proof.tasks[0].covered_ratio, proof.sorties[0].off_m))
    level = [of_field(one).tasks[0].covered_ratio for one in (flown, half)]
    assert [one for _, one, _ in ratios] == pytest.approx(level)
    assert ratios[0] == pytest.approx((1.0, 1.0, 0.0), abs=0.1)


def test_what_was_flown_as_planned_is_covered_and_kept() -> None:
    proof = of_field(track(1, along(swaths()), begins_s=5))
    (task,), (flown,) = proof.tasks, proof.sorties
    assert task.planned_ratio == pytest.approx(1.0, abs=1e-3)
    assert task.covered_ratio == pytest.approx(1.0, abs=1e-3)
    assert (task.done_count, task.is_kept) == (1, True)
    assert flown.off_m == pytest.approx(0.0, abs=0.1)
    assert flown.flown_m == pytest.approx(950.0, rel=0.01)


def test_half_a_flight_is_half_covered_and_not_done_and_says_what_was_not_seen() -> None:
    half = along(swaths()[:4])
    task = of_field(track(1, half, begins_s=5)).tasks[0]
    assert task.covered_ratio == pytest.approx(0.5, abs=0.01)
    assert (task.done_count, task.is_kept) == (0, False)
    assert task.unseen is not None


def test_a_silence_of_the_link_covers_nothing_though_the_line_between_would() -> None:
    ends = np.array(swaths())
    task = of_field(track(1, ends, begins_s=5, step_s=40.0)).tasks[0]
    assert task.covered_ratio == 0.0


def test_nothing_flown_proves_nothing() -> None:
    proof = of_field()
    assert (proof.tasks[0].covered_ratio, proof.tasks[0].is_kept) == (0.0, False)
    assert proof.sorties[0].flown is None
    assert proof.sorties[0].off_m is None


def relay(handover_s: int) -> tuple[Plan, Programme, list[Track]]:
    """Two drones over one event of 400 s, the second arriving `handover_s` seconds before (after: negative) the first leaves."""
    event = Task(
        task_id=7,
        name_zh="灯会",
        name_en="Lanterns",
        kind=TaskKind.EVENT,
        geometry={"type": "Point", "coordinates": [103.83, 36.05]},
    )
    stand = (waypoint(0.0, 0.0, 7, hold_s=200.0),)
    sorties = (
        sortie(1, stand, 7, begins_s=0, lasts_s=200),
        sortie(2, stand, 7, begins_s=200 - handover_s, lasts_s=200),
    )
    window = Window(START_US, START_US + 400 * SECOND_US)
    plan = Plan(window=window, visits=(Visit(visit_id=1, task_id=7, number=1, window=window),), sorties=sorties)
    tracks = [
        track(1, np.zeros((201, 2)), begins_s=0),
        track(2, np.zeros((201 + handover_s, 2)), begins_s=200 - handover_s),
    ]
    return plan, Programme(tasks=(event,), airframes=HAWKS, docks=(DOCK,)), tracks


def test_a_relay_with_an_overlap_has_no_gap() -> None:
    plan, programme, tracks = relay(45)
    task = prove(plan, programme, tracks, now_us=LATER_US).tasks[0]
    assert (task.watched_ratio, task.gaps, task.least_overlap_s, task.is_kept) == (1.0, (), 45.0, True)


def test_an_event_that_several_drones_watched_was_done_once_and_what_nobody_asked_for_is_no_failure() -> None:
    plan, programme, tracks = relay(45)
    assert prove(plan, programme, tracks, now_us=LATER_US).tasks[0].done_count == 1
    unasked = msgspec.structs.replace(programme.tasks[0], task_id=8, kind=TaskKind.POINT, revisit_s=600.0)
    alone = msgspec.structs.replace(programme, tasks=(unasked,))
    proof = prove(plan, alone, tracks, now_us=LATER_US)
    assert (proof.tasks[0].visit_count, proof.tasks[0].longest_revisit_s) == (0, None)
    assert b'class="no"' not in report_html.write(proof, alone, language="en")


def test_what_a_drone_flew_in_its_next_sortie_is_not_told_of_the_one_before() -> None:
    stand = (waypoint(0.0, 0.0, 7),)
    first = sortie(1, stand, 7, begins_s=0, lasts_s=600)
    second = msgspec.structs.replace(sortie(2, stand, 7, begins_s=720, lasts_s=600), airframe_id=1)
    plan = Plan(window=FIELD_PLAN.window, visits=(), sorties=(first, second))
    between_us = START_US + 660 * SECOND_US
    assert time_of(first, plan) == Window(START_US - 300 * SECOND_US, between_us)
    assert time_of(second, plan) == Window(between_us, second.landing_us + 600 * SECOND_US)


def test_what_a_drone_flew_just_before_its_sortie_was_begun_or_once_it_was_over_is_not_told_of_it() -> None:
    planned = sortie(1, (waypoint(0.0, 0.0, 7),), 7, begins_s=0, lasts_s=600)
    begun_us, over_us = START_US + 900 * SECOND_US, START_US + 1480 * SECOND_US
    late = msgspec.structs.replace(planned, started_us=begun_us)
    plan = Plan(window=FIELD_PLAN.window, visits=(), sorties=(late,))
    assert time_of(late, plan) == Window(
        begun_us, planned.landing_us + (begun_us - planned.takeoff_us) + 600 * SECOND_US
    )
    flown = msgspec.structs.replace(late, ended_us=over_us)
    assert time_of(flown, plan) == Window(begun_us, over_us)


def test_a_relay_that_came_late_shows_the_gap_to_the_second() -> None:
    plan, programme, tracks = relay(-30)
    task = prove(plan, programme, tracks, now_us=LATER_US).tasks[0]
    assert task.longest_gap_s == 30.0
    assert task.gaps == (Window(START_US + 200 * SECOND_US, START_US + 230 * SECOND_US),)
    assert task.least_overlap_s == -30.0
    assert task.watched_ratio == pytest.approx(370.0 / 400.0)
    assert not task.is_kept


def test_a_day_that_is_not_over_is_judged_until_now() -> None:
    plan, programme, tracks = relay(45)
    task = prove(plan, programme, tracks[:1], now_us=START_US + 150 * SECOND_US).tasks[0]
    assert (task.watched_ratio, task.gaps) == (1.0, ())


def test_a_place_seen_too_seldom_is_told_with_its_longest_revisit() -> None:
    place = Task(
        task_id=3,
        name_zh="路口",
        name_en="Crossing",
        kind=TaskKind.POINT,
        geometry={"type": "Point", "coordinates": [103.83, 36.05]},
        revisit_s=600.0,
    )
    stand = (waypoint(0.0, 0.0, 3, hold_s=30.0),)
    sorties = (sortie(1, stand, 3, begins_s=0, lasts_s=60), sortie(2, stand, 3, begins_s=900, lasts_s=60))
    visits = tuple(
        Visit(
            visit_id=number,
            task_id=3,
            number=number,
            window=Window(START_US + at * SECOND_US, START_US + (at + 600) * SECOND_US),
        )
        for number, at in ((1, 0), (2, 600))
    )
    plan = Plan(window=FIELD_PLAN.window, visits=visits, sorties=sorties)
    programme = Programme(tasks=(place,), airframes=HAWKS, docks=(DOCK,))
    tracks = [track(1, np.zeros((60, 2)), begins_s=0), track(2, np.zeros((60, 2)), begins_s=900)]
    task = prove(plan, programme, tracks, now_us=LATER_US).tasks[0]
    assert (task.done_count, task.longest_revisit_s, task.is_kept) == (2, 900.0, False)


def test_unwatched_time_is_what_is_left_between_any_watches() -> None:
    wanted = [Window(0, 100)]
    assert unwatched(wanted, [Window(10, 30), Window(20, 50), Window(50, 60)]) == (Window(0, 10), Window(60, 100))
    assert unwatched(wanted, [Window(-5, 200)]) == ()
    assert unwatched(wanted, []) == (Window(0, 100),)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "rect", "path"}:
            self.open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "rect", "path"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("language", "name", "why"), [("zh", "丹霞谷", "阵风过大"), ("en", "Danxia valley", "too gusty")]
)
def test_the_page_is_well_formed_in_both_languages_and_runs_nothing(language: str, name: str, why: str) -> None:
    refusal = Refusal(
        rule_id="R-12",
        reason_zh="阵风过大",
        reason_en="too gusty",
        remedy_zh="提前",
        remedy_en="<b>earlier</b>",
        task_id=5,
    )
    broken_off = msgspec.structs.replace(
        SURVEY, state=SortieState.BROKEN_OFF, reason_zh="<script>", reason_en="<script>"
    )
    plan = msgspec.structs.replace(FIELD_PLAN, refusals=(refusal,), sorties=(broken_off,))
    proof = prove(plan, FIELD_PROGRAMME, [track(1, along(swaths()[:4]), begins_s=5)], now_us=LATER_US)
    page = report_html.write(proof, FIELD_PROGRAMME, language="zh" if language == "zh" else "en").decode()
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert name in reader.text
    assert why in reader.text
    assert "<script>" in reader.text  # as words, escaped
    assert "<script" not in page


def test_the_tables_and_the_map_say_the_same_as_the_proof() -> None:
    broken_off = msgspec.structs.replace(SURVEY, state=SortieState.BROKEN_OFF, reason_zh="低电量", reason_en="=cmd()")
    plan = msgspec.structs.replace(FIELD_PLAN, sorties=(broken_off,))
    half = track(1, along(swaths()[:4]), begins_s=5)
    proof = prove(plan, FIELD_PROGRAMME, [half], now_us=LATER_US)
    rows = table(report_files.write_csv(proof))
    assert rows[1][rows[0].index("name_en")] == "Danxia valley"
    assert float(rows[1][rows[0].index("covered_ratio")]) == pytest.approx(0.5, abs=0.01)
    assert (rows[1][rows[0].index("kind")], rows[1][rows[0].index("is_kept")]) == ("area", "False")
    assert (rows[4][2], rows[4][-1]) == ("broken_off", "'=cmd()")
    zh = table(report_files.write_csv(proof, language="zh"))
    assert (zh[1][zh[0].index("类型")], zh[1][zh[0].index("达标")]) == ("面", "否")
    assert (zh[4][2], zh[4][-1]) == ("中止", "低电量")
    assert not [heading for heading in (*zh[0], *zh[3]) if heading.isascii()]
    features = json.loads(report_files.write_geojson(proof, FIELD_PROGRAMME, [half]))["features"]
    assert [feature["properties"]["what"] for feature in features] == ["task", "unseen", "flown"]
    assert features[2]["properties"]["reason_zh"] == "低电量"


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
