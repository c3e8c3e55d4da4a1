"""A force file tells what it holds and what is wrong in which line."""

import json

import pytest

from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import FileFormatError
from telemetry.model.unit import Equipment, Service, UnitKind
from telemetry.registry.force_file import (
    CameraLine,
    DeviceLine,
    ForceFile,
    Place,
    PostKind,
    PostLine,
    StationLine,
    UnitLine,
    parse_force_file,
)

CSV = """\
record,number,call_sign,kind,service,station,name_zh,name_en,lat_deg,lon_deg,covert,protocol,address,label,unit
station,1,,,,,西津,Xijin,36.071,103.791,,,,,
post,,,dock,,1,一号机巢,Dock 1,36.07,103.79,,,,,
camera,,,,,1,路口,Crossing,36.0701,103.7901,,,,,
unit,,Hawk 1,drone,air,1,鹰一,,,,,,,,
unit,,Shadow,car,special,,,,,,是,,,,
device,,,,,,,,,,,mavlink,main/1,airframe 7,Hawk 1
device,,,,,,,,,,,phone,,handset 42,Shadow
"""


def parse(text: str) -> ForceFile:
    return parse_force_file(text.encode(), "force.csv")


def messages(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in parse(text).problems]


def test_every_record_of_a_csv_is_read() -> None:
    force = parse(CSV)
    assert force.problems == ()
    place = Place(360_700_000, 1_037_900_000)
    assert force.lines[0] == StationLine(
        line=2,
        number=1,
        name_zh="西津",
        name_en="Xijin",
        place=Place(360_710_000, 1_037_910_000),
        ring_order=None,
    )
    assert force.lines[1] == PostLine(
        line=3, kind=PostKind.DOCK, name_zh="一号机巢", name_en="Dock 1", place=place, station_number=1
    )
    assert isinstance(force.lines[2], CameraLine)
    hawk, shadow = force.lines[3:5]
    assert isinstance(hawk, UnitLine)
    assert isinstance(shadow, UnitLine)
    assert (hawk.kind, hawk.service, hawk.covert, shadow.covert) == (UnitKind.DRONE, Service.AIR, False, True)
    assert force.lines[6] == DeviceLine(
        line=8, protocol="osmand", address="", label="handset 42", call_sign="Shadow", report_interval_s=1.0
    )


def test_the_same_force_reads_from_geojson_with_the_lines_of_its_features() -> None:
    text = """{"type": "FeatureCollection", "features": [
  {"type": "Feature", "properties": {"record": "station", "number": 1, "name_zh": "西津"},
   "geometry": {"type": "Point", "coordinates": [103.791, 36.071]}},
  {"type": "Feature", "properties": {"record": "unit", "call_sign": "A", "kind": "car", "service": "patrol",
   "covert": true}, "geometry": null},
  {"type": "Feature", "properties": {"record": "station", "number": 2, "name_zh": "东"},
   "geometry": {"type": "LineString", "coordinates": [[103.791, 36.071]]}}
]}"""
    force = parse_force_file(text.encode(), "force.geojson")
    assert [line.line for line in force.lines] == [2, 4]
    assert isinstance(force.lines[0], StationLine)
    assert force.lines[0].place == Place(360_710_000, 1_037_910_000)
    assert [(problem.line, problem.message) for problem in force.problems] == [(6, "its geometry is no Point")]


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09, Crs.CGCS2000])
def test_coordinates_come_home_from_the_crs_of_the_file_or_of_the_line(crs: Crs) -> None:
    lat_deg, lon_deg = (float(value) for value in from_wgs84(36.071, 103.791, crs=crs))
    header = "record,number,name_zh,lat_deg,lon_deg,crs\n"
    shifted = f"station,1,西,{lat_deg!r},{lon_deg!r}"
    by_file = parse_force_file(f"{header}{shifted},\n".encode(), "f.csv", crs=crs)
    by_line = parse(f"{header}{shifted},{crs}\n")
    for force in (by_file, by_line):
        assert isinstance(force.lines[0], StationLine)
        assert abs(force.lines[0].place.lat_e7 - 360_710_000) <= 1
        assert abs(force.lines[0].place.lon_e7 - 1_037_910_000) <= 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tank,,,,,,,,,,,,,,", "record 'tank' is unknown: allowed are station, post, camera, unit, device"),
        ("station,,,,,,a,,36,103,,,,,", "a station needs its number"),
        ("station,0,,,,,a,,36,103,,,,,", "number '0': give a whole number from 1 on"),
        ("station,1,,,,,a,,103,36,,,,,", "lat_deg must lie in"),
        ("station,1,,,,,a,,nan,36,,,,,", "lat_deg must lie in"),
        ("station,1,,,,,a,,,36,,,,,", "lat_deg '' is no number"),
        ("post,,,kiosk,,,a,,36,103,,,,,", "kind 'kiosk': allowed are standing_post, safety_post, checkpoint, dock"),
        ("camera,,,,,,,,36,103,,,,,", "needs name_zh or name_en"),
        ("unit,,,car,patrol,,,,,,,,,,", "a unit needs its call_sign"),
        ("unit,,A,tank,patrol,,,,,,,,,,", "kind 'tank': allowed are drone, officer"),
        ("unit,,A,car,navy,,,,,,,,,,", "service 'navy': allowed are patrol"),
        ("unit,,A,car,patrol,,,,,,maybe,,,,", "covert 'maybe': give true or false"),
        ("device,,,,,,,,,,,mavlink,main/0,,", "mavlink address 'main/0': give LINK_GROUP/SYSTEM_ID"),
        ("device,,,,,,,,,,,radio,,,", "protocol 'radio' is unknown"),
        ("device,,,,,,,,,,,phone,,,", "a phone needs a label"),
    ],
)
def test_a_wrong_line_is_reported_with_what_is_allowed(line: str, expected: str) -> None:
    header = CSV.splitlines()[0]
    found = messages(f"{header}\n{line}\n")
    assert [number for number, _ in found] == [2]
    assert found[0][1].startswith(expected)


def test_one_wrong_line_hides_no_other() -> None:
    header = CSV.splitlines()[0]
    found = messages(f"{header}\ntank\n\nunit,,A,car,patrol\nunit,,B,car,navy\nunit,,A,car,patrol\n")
    assert [number for number, _ in found] == [2, 5, 6]
    assert found[-1][1] == "names the same as line 4: keep one of them"


def test_a_line_that_names_what_nobody_has_is_reported() -> None:
    force = parse(
        "record,call_sign,kind,service,station,protocol,label,unit\nunit,A,car,patrol,7\ndevice,,,,,phone,h,B\n"
    )
    assert [problem.line for problem in force.unresolved(frozenset(), frozenset())] == [2, 3]
    assert force.unresolved(frozenset({7}), frozenset({"B"})) == []


def test_an_office_program_s_encodings_are_read() -> None:
    header = "record,number,name_zh,lat_deg,lon_deg\nstation,1,西津,36,103\n"
    for data in (header.encode("gb18030"), b"\xef\xbb\xbf" + header.encode(), header.replace("\n", "\r\n").encode()):
        force = parse_force_file(data, "f.csv")
        assert isinstance(force.lines[0], StationLine)
        assert force.lines[0].name_zh == "西津"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("f.csv", b"\xff\xff\xff"),
        ("f.csv", b""),
        ("f.csv", CSV.encode("utf-16")),
        ("f.csv", b"a,b\n1,2\n"),
        ("f.csv", b'record\n"unit'),
        ("f.geojson", b"{"),
        ("f.geojson", b"[]"),
        ("f.geojson", b"[" * 100_000),
        ("f.geojson", b'{"type": "Feature"}'),
        ("f.xlsx", b"PK"),
    ],
)
def test_a_file_that_is_no_force_at_all_is_one_clear_error(name: str, data: bytes) -> None:
    with pytest.raises(FileFormatError):
        parse_force_file(data, name)


def test_odd_features_are_problems_and_never_a_crash() -> None:
    features: list[object] = [None, 1, [], {}, {"properties": {}}, {"properties": {"record": None}}, {"properties": {"record": "\0"}}, {"properties": {"record": "\ud800"}},
                {"properties": {"record": "station", "number": [1]}, "geometry": {"type": "Point", "coordinates": "x"}},
                {"properties": {"record": "station", "number": True}, "geometry": {"type": "Point", "coordinates": [1e999, {}]}}]  # fmt: skip
    force = parse_force_file(json.dumps({"crs": "EPSG:3857", "features": features}).encode(), "f.json")
    assert force.lines == ()
    assert len(force.problems) == len(features) + 1


def test_what_a_unit_carries_is_told_in_one_column_and_other_words_are_refused() -> None:
    head = "record,call_sign,kind,service,equipment\n"
    force = parse(head + "unit,Car 1,car,patrol,aed life_ring;aed\nunit,Car 2,car,patrol,\n")
    assert [line.equipment for line in force.lines if isinstance(line, UnitLine)] == [
        (Equipment.AED, Equipment.LIFE_RING),
        (),
    ]
    assert messages(head + "unit,Car 1,car,patrol,aed bazooka\n") == [
        (2, f"equipment 'bazooka': allowed are {', '.join(Equipment)}")
    ]
    (hawk,) = (line for line in parse(CSV).lines if isinstance(line, UnitLine) and line.call_sign == "Hawk 1")
    assert hawk.equipment is None
