"""`skybeat plan`: the table says the day, what is refused and what is to be known; further files bring areas and zones."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli import skybeat

DAY = """
docks: [{dock_id: 1, name: East, lat_deg: 36.06, lon_deg: 103.83}]
airframes: [{name: Kestrel, dock_id: 1}]
tasks:
  - {name_en: Gate, kind: point, geometry: {type: Point, coordinates: [103.832, 36.062]}}
"""
OTHER = {
    "fileType": "Plan", "version": 1, "groundStation": "other",
    "mission": {
        "version": 2, "firmwareType": 3, "vehicleType": 2, "cruiseSpeed": 15, "hoverSpeed": 5,
        "plannedHomePosition": [36.06, 103.83, 1500],
        "items": [
            {"type": "ComplexItem", "complexItemType": "fancyScan", "version": 1},
            *({"type": "SimpleItem", "command": 16, "frame": 3, "autoContinue": True, "params": [0, 0, 0, None, lat, 103.833, 50]}
              for lat in (36.063, 36.065)),
        ],
    },
    "geoFence": {"version": 2, "polygons": [], "circles": []}, "rallyPoints": {"version": 2, "points": []},
}  # fmt: skip


@pytest.fixture(name="day")
def mission_file(tmp_path: Path) -> Path:
    file = tmp_path / "day.yaml"
    file.write_text(DAY)
    return file


def planned(*words: object) -> Result:
    return CliRunner().invoke(skybeat, ["plan", *map(str, words), "--day", "2027-05-01", "--iterations", "5"])


def test_the_table_says_the_day_the_flights_and_what_is_taken_for_granted(day: Path) -> None:
    said = planned(day)
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("from 2027-05-01 00:00 to 00:00, Asia/Shanghai\n")
    assert "Kestrel" in said.stdout
    assert "note: no terrain is given, the ground is taken as flat" in said.stdout


def test_a_plan_of_another_tool_is_flown_by_the_drones_of_the_mission_file(day: Path, tmp_path: Path) -> None:
    other = tmp_path / "river.plan"
    other.write_text(json.dumps(OTHER))
    said = planned(day, other)
    assert "river, Gate" in said.stdout or "Gate, river" in said.stdout, said.output
    assert "river.plan: item 1: complex item 'fancyScan' is not known here: it was left out" in said.stderr


def test_a_file_that_cannot_be_saved_hides_no_plan(day: Path, tmp_path: Path) -> None:
    said = planned(day, "--out", tmp_path / "day.kmz")
    assert "Kestrel" in said.stdout
    assert said.exit_code != 0
    assert "`model`" in str(said.exception)


def raster(path: Path, *, west_lon_deg: float = 103.82) -> Path:
    """Write a slope that rises to the east by 200 m over two kilometres from the dock on."""
    rows = ("1500 " * 20 + " ".join(str(1500 + 10 * step) for step in range(21)) + "\n") * 41
    head = f"ncols 41\nnrows 41\nxllcenter {west_lon_deg - 0.01}\nyllcenter 36.04\ncellsize 0.001\n"
    path.write_text(head + rows)
    return path


def test_over_a_terrain_heights_are_kept_and_the_table_says_over_which(day: Path, tmp_path: Path) -> None:
    flat, said = planned(day), planned(day, "--terrain", raster(tmp_path / "dem.asc"), "--out", tmp_path / "day.json")
    assert said.exit_code == 0, said.output
    assert "\nterrain: flat\n" in flat.stdout
    assert "\nterrain: dem.asc\n" in said.stdout
    assert "R-33" not in said.stdout
    plan = json.loads((tmp_path / "day.json").read_text())["plan"]
    (sortie,) = plan["sorties"]
    raised = [way["ground_above_home_m"] for way in sortie["waypoints"] if way["task_id"]]
    assert min(raised) > 10.0
    assert all(way["alt_home_m"] - way["ground_above_home_m"] > 20.0 for way in sortie["waypoints"])


def test_a_terrain_that_cannot_be_used_is_refused_with_what_to_do(day: Path, tmp_path: Path) -> None:
    elsewhere = raster(tmp_path / "elsewhere.asc", west_lon_deg=110.0)
    (tmp_path / "dem.tif").write_bytes(b"II*")
    for file, words in (
        (elsewhere, "no height of any dock or task"),
        (tmp_path / "dem.tif", "gdal_translate"),
        (tmp_path / "none.asc", "is no file"),
    ):
        said = planned(day, "--terrain", file)
        assert said.exit_code != 0
        assert words in str(said.exception), said.output


def test_ways_that_leave_the_terrain_are_said(day: Path, tmp_path: Path) -> None:
    said = planned(day, "--terrain", raster(tmp_path / "west.asc", west_lon_deg=103.801))
    assert said.exit_code == 0, said.output
    assert "lie outside of the terrain west.asc" in said.stdout
