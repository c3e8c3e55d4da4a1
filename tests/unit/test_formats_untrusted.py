"""Files from outside: bombs, entities, absurd sizes and half-right plans are answered with what and where."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from mission.formats import (
    geojson,
    gpx,
    icalendar_reading,
    kml,
    qgc_plan,
    untrusted,
    waypoints_file,
    wpml,
    wpml_reading,
)
from mission.formats.brought import Brought
from mission.formats.mavlink_items import items_of
from telemetry.model.errors import FileFormatError, InputError
from tests.flown_day import DOCK, HAWK, PROGRAMME, SORTIE

ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bang">]><kml><Document><name>&b;</name></Document></kml>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><gpx/>'


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def plan_with(**changes: object) -> bytes:
    plan = json.loads(qgc_plan.write(items_of(SORTIE, HAWK, DOCK), HAWK))
    plan["mission"].update(changes)
    return json.dumps(plan).encode()


@pytest.mark.parametrize(
    "read", [kml.read, gpx.read, wpml_reading.read, qgc_plan.read, geojson.read, waypoints_file.read]
)
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 40, b"PK\x03\x04" + b"\x00" * 40, b"<", b"{", b"[1]", b"QGC WPL 109\n"]
)
def test_what_is_no_file_of_its_kind_is_told(read: Callable[[bytes], Brought], data: bytes) -> None:
    with pytest.raises(FileFormatError):
        read(data)


@pytest.mark.parametrize("read", [kml.read, gpx.read])
@pytest.mark.parametrize("data", [ENTITY, EXTERNAL])
def test_entities_are_never_expanded_and_nothing_is_fetched(read: Callable[[bytes], Brought], data: bytes) -> None:
    with pytest.raises(FileFormatError, match="DTD or entities"):
        read(data)


def test_a_wayline_file_with_an_entity_is_refused() -> None:
    with pytest.raises(FileFormatError, match="DTD or entities"):
        wpml_reading.read(zipped(waylines__wpml=ENTITY))


def test_a_zip_bomb_is_refused_before_it_is_unpacked_whole() -> None:
    with pytest.raises(FileFormatError, match="unpacks to more than"):
        kml.read(zipped(doc__kml=b"<kml>" + b" " * (80 << 20)))


def test_an_archive_of_very_many_files_is_refused() -> None:
    with pytest.raises(FileFormatError, match="holds 300 files"):
        wpml_reading.read(zipped(**{f"f{number}": b"" for number in range(300)}))


def test_a_document_nested_without_end_is_refused() -> None:
    with pytest.raises(FileFormatError, match="nested"):
        kml.read(b"<kml>" + b"<Folder>" * 500 + b"</Folder>" * 500 + b"</kml>")


def test_an_unknown_item_is_told_with_its_number_and_the_rest_is_taken() -> None:
    plan = json.loads(plan_with())
    item = plan["mission"]["items"][2] | {"command": 31_010}
    plan["mission"]["items"].insert(3, item)
    plan["mission"]["items"].append({"type": "ComplexItem", "complexItemType": "fwLandingPattern"})
    brought = qgc_plan.read(json.dumps(plan).encode())
    assert len(brought.waypoints) == len(SORTIE.waypoints)
    assert any("item 4" in note.en and "31010" in note.en for note in brought.notes)
    assert any("fwLandingPattern" in note.en for note in brought.notes)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("none", "mission.items is str"),
        ([7], "item 1 is int"),
        ([{"type": "SimpleItem", "params": [1]}], "params must be a list of 7"),
        ([{"type": "SimpleItem", "params": [0] * 7, "command": "x", "frame": 3}], "command is 'x'"),
        (
            [{"type": "SimpleItem", "params": [0, 0, 0, 0, 95, 0, 0], "command": 16, "frame": 3}],
            "latitude of item 1 is 95",
        ),
        ([{"type": "SimpleItem", "params": [0, 0, 0, 0, 0, 1e999, 0], "command": 16, "frame": 3}], "is no JSON"),
        ([{"type": "ComplexItem", "complexItemType": "survey", "polygon": [[1, 2]]}], "a polygon needs three"),
    ],
)
def test_an_impossible_item_says_which_and_what_is_allowed(items: object, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        qgc_plan.read(plan_with(items=items))


def test_a_plan_without_its_fence_section_says_what_qgroundcontrol_writes() -> None:
    plan = json.loads(plan_with())
    del plan["geoFence"]
    with pytest.raises(FileFormatError, match="lacks geoFence"):
        qgc_plan.read(json.dumps(plan).encode())


def test_a_survey_of_qgroundcontrol_becomes_an_area_that_we_plan_ourselves() -> None:
    survey = {"type": "ComplexItem", "complexItemType": "survey", "polygon": [[36, 103], [36, 103.1], [36.1, 103.1]]}
    (task,) = qgc_plan.read(plan_with(items=[survey])).tasks
    assert task.geometry["coordinates"][0][1] == [103.1, 36.0]


def test_a_time_without_zone_in_a_calendar_is_refused() -> None:
    event = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260919T080000\r\nDTEND:20260919T160000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    with pytest.raises(FileFormatError, match="without zone"):
        icalendar_reading.read(event)
    assert icalendar_reading.read(event.replace(b"0000\r", b"0000Z\r")).shifts[0][1].start_us == 1_789_804_800_000_000


def test_a_drone_that_dji_does_not_number_is_told_with_those_that_it_does() -> None:
    with pytest.raises(InputError, match="M3TD"):
        wpml.write(SORTIE, HAWK.__class__(airframe_id=9, name="Own build", dock_id=1, model="X8"))


def test_geojson_with_a_value_that_a_task_does_not_take_says_so() -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [103, 36]},
        "properties": {"priority": "x"},
    }
    with pytest.raises(FileFormatError, match=r"feature 1.*priority"):
        geojson.read(json.dumps(feature).encode())


def test_the_fence_of_a_sortie_holds_its_zones_and_no_vertex_is_lost() -> None:
    fence = items_of(SORTIE, HAWK, DOCK, zones=PROGRAMME.zones).fence
    assert [item.param1 for item in fence] == [4.0] * 12
    assert [item.command for item in fence] == [5002] * 4 + [5001] * 4 + [5002] * 4


@pytest.mark.parametrize(
    "data",
    [
        b'{"type": ["FeatureCollection"]}',
        b'{"type": "Feature", "geometry": {"type": ["Point"], "coordinates": [1, 2]}}',
        b'{"type": "Feature", "properties": {"kind": ["no_fly"], "what": []}, "geometry": {"type": "Point", "coordinates": [1]}}',
    ],
)
def test_a_list_where_a_word_belongs_is_told(data: bytes) -> None:
    with pytest.raises(FileFormatError):
        geojson.read(data)


def test_an_archive_with_a_nameless_or_broken_file_is_told() -> None:
    whole = zipped(a__kml=b"<kml/>" * 50)
    nameless = whole.replace(b"a.kml", b"\0.kml")
    broken = whole[:45] + b"\xff\xff\xff" + whole[48:]
    for data in (nameless, broken):
        with pytest.raises(FileFormatError):
            kml.read(data)


def test_a_parameter_that_is_not_given_in_a_waypoint_file_stays_so() -> None:
    line = "QGC WPL 110\n0\t1\t0\t16\t0\t0\t0\tnan\t36.0\t103.0\t1500\t1\n"
    (item,) = waypoints_file.read_items(line.encode())
    assert (item.param3, item.param4) == (0.0, None)
    with pytest.raises(FileFormatError, match="column 9"):
        waypoints_file.read_items(line.replace("36.0", "nan").encode())


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"<kml>" + b"<a/>" * 600_000 + b"</kml>", "tags"), (b"<kml " + b'a="" ' * 200_001 + b"/>", "attributes")],
)
def test_a_document_that_would_be_read_for_minutes_is_refused_at_once(data: bytes, said: str) -> None:
    with pytest.raises(FileFormatError, match=f"{said}, at most"):
        untrusted.read_xml(data, untrusted.same("the file"))
