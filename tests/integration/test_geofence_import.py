"""Geofences and assignments come from files: known again by their references, all of a file or nothing of it."""

import json
from typing import Any

import psycopg
import pytest

from console.geofence_file import GeofenceReport, import_geofences, parse_geofence_file
from telemetry.model.errors import InputError
from tests.conftest import TestDatabase
from tests.console_house import seed

NOW_US = 1_800_000_000_000_000
RING = [[103.79, 36.04], [103.81, 36.04], [103.81, 36.06], [103.79, 36.06], [103.79, 36.04]]


def feature(ref: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - a feature's own properties
    geometry = properties.pop("geometry", {"type": "Polygon", "coordinates": [RING]})
    return {"type": "Feature", "geometry": geometry, "properties": {"ref": ref, "name_zh": "河边"} | properties}


def imported(database: TestDatabase, data: object, name: str = "areas.geojson") -> GeofenceReport:
    text = data if isinstance(data, str) else json.dumps(data)
    seed(database)
    with psycopg.connect(database.owner_url) as connection:
        report = import_geofences(connection, parse_geofence_file(text.encode(), name), now_us=NOW_US)
        if report.problems:
            connection.rollback()
    return report


def counts(database: TestDatabase) -> tuple[int, int]:
    with psycopg.connect(database.owner_url) as connection:
        found = connection.execute(
            "select (select count(*) from geofence), (select count(*) from area_assignment)"
        ).fetchone()
    assert found is not None
    return found


def test_a_file_is_imported_and_known_again_the_next_time(database: TestDatabase) -> None:
    point = {"type": "Point", "coordinates": [103.8, 36.05]}
    areas = {
        "type": "FeatureCollection",
        "features": [
            feature("river", limit_mps=8.3, station=1),
            feature("square", geometry=point, radius_m=200, kinds=["officer"]),
        ],
        "assignments": [{"geofence": "river", "unit": "U2"}],
    }
    report = imported(database, areas)
    assert (report.fences, report.assignments, report.problems) == (2, 1, ())
    imported(database, areas)
    lines = "geofence,unit,station,from_at,to_at\nriver,U3,,2026-11-23T08:00:00+08:00,2026-11-23T20:00:00+08:00\nsquare,,2,,\n"
    assert imported(database, lines, "week.csv").assignments == 2
    assert counts(database) == (2, 3)
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute("select version, station_id from geofence where source_ref = 'river'").fetchone() == (
            2,
            1,
        )


def test_with_one_wrong_entry_nothing_is_written_and_every_wrong_one_is_named(database: TestDatabase) -> None:
    areas = {
        "features": [
            feature("good"),
            feature("good"),
            feature("open", geometry={"type": "Polygon", "coordinates": [RING[:-1]]}),
            feature("far", station=99),
            feature("odd", colour="red"),
            "nothing",
        ],
        "assignments": [
            {"geofence": "good", "unit": "Nobody"},
            {"geofence": "absent", "station": 1},
            {"geofence": "good"},
            {"geofence": "good", "unit": "U2", "from_at": "2026-11-23T08:00:00"},
        ],
    }
    report = imported(database, areas)
    assert [problem.line for problem in report.problems] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert counts(database) == (0, 0)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("{", "a.json"),
        ("[]", "a.json"),
        ("{}", "a.json"),
        ("who,where\n1,2\n", "a.csv"),
        ('{"features": 5}', "a.geojson"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_is_wanted(data: str, name: str) -> None:
    with pytest.raises(InputError):
        parse_geofence_file(data.encode(), name)
