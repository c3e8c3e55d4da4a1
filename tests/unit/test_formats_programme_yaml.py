"""Programmes as YAML: what people write is read as they mean it, everything else is refused with its place."""

import msgspec
import pytest

from mission.formats.programme_yaml import MOST_YAML_BYTES, read, write
from mission.model import Window
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import FileFormatError
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
