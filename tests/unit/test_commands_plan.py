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
