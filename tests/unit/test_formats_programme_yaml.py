"""Programmes as YAML: what people write is read as they mean it, everything else is refused with its place."""

from datetime import time

import msgspec
import pytest

from mission.formats.programme_yaml import MOST_YAML_BYTES, read, write
from mission.model import Programme, Task, Window
from mission.programme_items import ItemKind, item_of
from mission.schedule.recurrence import hours
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import FileFormatError, chinese_of
from tests.patrol_day import programme

SMALL = """
zone: Asia/Shanghai
holidays: [2026-10-01]
rules: {R-21: {level: off}}
docks:
  - {dock_id: 7, name: East, lat_deg: 36.06, lon_deg: 103.83}
airframes:
  - {name: Kestrel, dock_id: 7}
tasks:
  - name_en: School
    kind: point
    geometry: {type: Point, coordinates: [103.84, 36.07]}
    recurrence: {rule: FREQ=DAILY, first_on: 2026-09-01, since: 07:30, until: 08:30, zone: Asia/Shanghai}
  - name_zh: 灯会
    kind: event
    geometry: {type: Point, coordinates: [103.84, 36.07]}
    windows: [{start: 2026-09-19T18:00+08:00, end: 2026-09-19T18:00:01Z}]
"""
COMMA = """
tasks:
  - name_en: A
    kind: point
    geometry: {type: Point, coordinates: [1, 2]}
    recurrence: {rule: FREQ=WEEKLY;BYDAY=TU,SA, first_on: 2026-09-01, since: 07:30, until: 08:30, zone: UTC}
"""


def test_times_stay_times_names_stand_for_both_languages_and_numbers_are_given() -> None:
    found = read(SMALL.encode())
    school, lanterns = found.tasks
    assert school.recurrence is not None
    assert (school.recurrence.since.isoformat(), school.recurrence.until.hour) == ("07:30:00", 8)
    assert (school.task_id, lanterns.task_id, lanterns.name_en) == (1, 2, "灯会")
    assert lanterns.windows == (Window(1_789_812_000_000_000, 1_789_840_801_000_000),)
    assert (found.airframes[0].airframe_id, found.airframes[0].dock_id) == (1, 7)
    assert found.rules == {"R-21": {"level": "off"}}


def test_an_empty_value_is_one_that_is_not_said() -> None:
    said = "tasks: [{name_en: A, kind: point, geometry: {type: Point, coordinates: [1, 2]}, revisit_s: }]"
    assert read(said.encode()).tasks[0].revisit_s is None


def test_what_is_written_is_read_again_as_it_was() -> None:
    whole = programme()
    assert read(write(whole)) == whole
    assert read(write(read(SMALL.encode()))) == read(SMALL.encode())


def test_places_of_another_datum_are_moved() -> None:
    lat, lon = from_wgs84([36.06], [103.83], crs=Crs.GCJ02)
    said = f"crs: gcj02\ndocks: [{{name: East, lat_deg: {lat[0]}, lon_deg: {lon[0]}}}]"
    dock = read(said.encode()).docks[0]
    assert (dock.lat_deg, dock.lon_deg) == pytest.approx((36.06, 103.83), abs=1e-6)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("- a", "must be a mapping of parts"),
        ("colour: red", "has no part 'colour'"),
        ("tasks: {a: 1}", "tasks must be a list"),
        ("tasks: [{name_en: A, kind: point, geometry: {type: Point, coordinates: [1, 2]}, revisits_s: 4}]", "no field 'revisits_s'"),
        ("tasks: [{name_en: A, kind: dance, geometry: {type: Point, coordinates: [1, 2]}}]", r"tasks 1 \(A\).*allowed: area, corridor"),
        (COMMA, "recurrence of a task has no field 'SA'.*stands in quotes"),
        ("docks: [{dock_id: 1, name: A, lat_deg: 1, lon_deg: 1}, {dock_id: 1, name: B, lat_deg: 1, lon_deg: 1}]", "the same dock_id"),
        ("weather: [{from: 2026-09-19T18:00, observed: 2026-09-19T18:00Z, source: x}]", "has no time zone"),
        ("zone: &a x\nrule_set: *a", "aliases"),
        ("zone: [", "is no YAML"),
        ("[" * 60, "levels of nesting"),
        ("zone: !!python/object/apply:os.system [ls]", "is no YAML"),
        ("docks: [{dock_id: x, name: A, lat_deg: 1, lon_deg: 1}]", "no whole number"),
        ("crs: mars", "crs|mars"),
    ],
)  # fmt: skip
def test_what_is_no_programme_is_refused_with_its_place(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(said.encode())


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(FileFormatError, match="is no YAML"):
        read(b"\xff\xfe\x00")
    assert msgspec.structs.asdict(read(b"{}"))["tasks"] == ()


def test_a_file_that_would_be_read_for_minutes_is_refused_at_once() -> None:
    with pytest.raises(FileFormatError, match="split it"):
        read(b"zone: UTC\n" + b"# x\n" * (MOST_YAML_BYTES // 4))


NOW_US = 1_789_790_400_000_000
"""2026-09-19T04:00Z."""


def told(since: str, until: str) -> bytes:
    return COMMA.replace("BYDAY=TU,SA", "BYDAY=TU").replace("07:30", since).replace("08:30", until).encode()


def test_hours_end_at_24_00_of_their_day_in_a_file_and_in_json() -> None:
    for text in ("24:00", "24:00:00", "0:00"):
        recurrence = read(told("18:00", text)).tasks[0].recurrence
        assert recurrence is not None
        assert (recurrence.since, recurrence.until) == (time(18), time(0))
    said = {"since": "8:00", "until": "24:00", "rule": "FREQ=DAILY", "first_on": "2026-09-19", "zone": "UTC"}
    task = {"name_zh": "A", "name_en": "A", "kind": "point", "geometry": {}, "recurrence": said}
    found = item_of(ItemKind.TASK, task)
    assert isinstance(found, Task)
    assert found.recurrence is not None
    assert hours(found.recurrence, Window(NOW_US, NOW_US + 86_400_000_000))[0].end_us == NOW_US + 20 * 3_600_000_000


def test_a_window_ends_at_24_00_of_its_day() -> None:
    said = SMALL.replace("end: 2026-09-19T18:00:01Z", "end: 2026-09-19T24:00+08:00")
    (window,) = read(said.encode()).tasks[1].windows
    assert window.end_us - window.start_us == 6 * 3_600_000_000


@pytest.mark.parametrize(
    ("since", "until"), [("24:00", "09:00"), ("08:00", "25:00"), ("8", "09:00"), ("08:00", "24:01")]
)
def test_hours_that_are_none_are_refused_with_how_to_write_them(since: str, until: str) -> None:
    with pytest.raises(FileFormatError, match="write an hour like 08:00, the end of the day as 24:00") as refused:
        read(told(since, until))
    assert "时刻写成 08:00" in chinese_of(refused.value)


def test_days_that_are_none_are_refused_with_how_to_write_them() -> None:
    with pytest.raises(FileFormatError, match="write a day like 2027-05-01"):
        read(b"holidays: [May]")


def test_weather_may_be_the_text_of_reports_among_entered_weather() -> None:
    said = """
weather:
  - METAR ZLLL 190300Z 32004G09MPS 9999 22/08 Q1015
  - {from: 2026-09-19T18:00+08:00, observed: 2026-09-19T10:00+08:00, source: forecast, wind_mps: 3}
  - TAF ZLLL 190300Z 1903/2003 32005MPS 6000 FEW030
"""
    found = read(said.encode(), now_us=NOW_US).weather
    assert [weather.wind_mps for weather in found] == [4.0, 3.0, 5.0]
    assert found[0].observed_us == NOW_US - 3_600_000_000
    assert read(write(Programme(weather=found))).weather == found


def test_a_report_that_cannot_be_read_or_of_no_known_month_is_refused_with_its_row() -> None:
    said = b"weather: [METAR ZSAM 181300Z HELLO 9999]"
    with pytest.raises(FileFormatError, match="weather 1: the report's group 'HELLO' cannot be read"):
        read(said, now_us=NOW_US)
    with pytest.raises(FileFormatError, match="weather 1: METAR text tells no month"):
        read(said)


def test_what_is_no_yaml_is_said_in_chinese_with_its_line_and_without_the_parsers_english() -> None:
    with pytest.raises(FileFormatError) as refused:
        read(b"zone: Asia/Shanghai\ntasks: [")
    assert "第 3 行" in chinese_of(refused.value)
    assert "expected" not in chinese_of(refused.value)
    with pytest.raises(FileFormatError) as refused:
        read("zone: 兰州".encode("gbk"))
    assert "UTF-8" in chinese_of(refused.value)
