"""GeoJSON (RFC 7946): features without geometry, with many places and collections bring what they have, and a note."""

import json
from datetime import time

import pytest

from mission.formats.brought import Brought
from mission.formats.geojson import read
from mission.model import TaskKind, ZoneKind
from telemetry.model.errors import FileFormatError

GATE = {"type": "Point", "coordinates": [103.8, 36.0]}
ROAD = {"type": "LineString", "coordinates": [[103.8, 36.0], [103.9, 36.1]]}
RING = {"type": "Polygon", "coordinates": [[[103.8, 36.0], [103.9, 36.0], [103.9, 36.1], [103.8, 36.0]]]}


def collection(*geometries: object) -> dict[str, object]:
    return {"type": "GeometryCollection", "geometries": list(geometries)}


def brought(*geometries: object, **properties: object) -> Brought:
    features = [{"type": "Feature", "geometry": one, "properties": properties} for one in geometries]
    return read(json.dumps({"type": "FeatureCollection", "features": features}).encode())


def test_features_without_geometry_are_left_out_with_a_note_and_the_others_are_read() -> None:
    found = brought(
        None, GATE, collection(), {"type": "MultiPoint", "coordinates": []}, {"type": "Point", "coordinates": []}
    )
    assert [task.geometry for task in found.tasks] == [GATE]
    lost = [f"feature {number}: it has no geometry and was left out" for number in (1, 3, 4, 5)]
    assert [note.en for note in found.notes] == lost
    assert found.notes[0].zh == "第 1 个要素：没有图形，已略去"


def test_each_place_of_a_multipoint_is_a_task_of_its_own() -> None:
    places = {"type": "MultiPoint", "coordinates": [[103.8, 36.0], [103.9, 36.1]]}
    found = brought(places, name="Gates", kind="event", colour="red")
    assert [(task.name_en, task.kind, task.geometry["coordinates"]) for task in found.tasks] == [
        ("Gates 1", TaskKind.EVENT, [103.8, 36.0]),
        ("Gates 2", TaskKind.EVENT, [103.9, 36.1]),
    ]
    assert len(found.notes) == 1
    assert [task.kind for task in read(json.dumps(places).encode()).tasks] == [TaskKind.POINT] * 2


def test_the_parts_of_a_collection_are_read_each_as_what_it_is() -> None:
    found = brought(collection(GATE, collection(ROAD), RING))
    assert [task.kind for task in found.tasks] == [TaskKind.POINT, TaskKind.CORRIDOR, TaskKind.AREA]
    zones = brought(collection(RING), kind="no_fly").zones
    assert [(zone.kind, zone.geometry) for zone in zones] == [(ZoneKind.NO_FLY, RING)]


def test_hours_until_24_00_are_taken() -> None:
    told = {"rule": "FREQ=DAILY", "first_on": "2026-09-19", "since": "18:00", "until": "24:00", "zone": "UTC"}
    recurrence = brought(GATE, recurrence=told).tasks[0].recurrence
    assert recurrence is not None
    assert (recurrence.since, recurrence.until) == (time(18), time(0))


def test_what_is_no_geometry_is_refused_with_its_feature_and_what_is_allowed() -> None:
    for wrong in ({"type": "Circle"}, {"type": "MultiPoint"}, {"type": "GeometryCollection"}, 5):
        with pytest.raises(FileFormatError, match=r"feature 2.*allowed are Point.*MultiPoint, GeometryCollection"):
            brought(GATE, wrong)


@pytest.mark.parametrize(
    ("name", "count"), [("urn:ogc:def:crs:OGC:1.3:CRS84", 0), ("EPSG:4326", 0), ("urn:ogc:def:crs:EPSG::3857", 1)]
)
def test_a_file_in_another_reference_system_is_told(name: str, count: int) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    found = read(json.dumps({"type": "FeatureCollection", "crs": crs, "features": []}).encode())
    assert [("EPSG::3857" in note.en, "EPSG::3857" in note.zh) for note in found.notes] == [(True, True)] * count
