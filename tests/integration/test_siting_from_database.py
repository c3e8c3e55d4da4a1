"""`skybeat siting` plans with the stations and posts of the database and the map of the data folder."""

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from console.commands.siting import command
from telemetry.model.errors import InputError, NotFoundError
from tests.conftest import TestDatabase
from tests.grid_town import grid_town, place_of

pytestmark = pytest.mark.database
TOWN = grid_town()


@pytest.fixture
def run(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A command line whose settings name a database with two stations and a post, and a folder with the made town."""
    parts = psycopg.conninfo.conninfo_to_dict(database.owner_url)
    words = "&".join(f"{name}={value}" for name, value in parts.items() if name in {"host", "port", "user", "dbname"})
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", f"postgresql:///?{words}&password={parts['password']}")
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data" / "city").mkdir(parents=True)
    TOWN.save(tmp_path / "data" / "city" / "roads.npz")
    with psycopg.connect(database.owner_url) as connection:
        for number, node in ((1, 22), (2, 77)):
            lat, lon = place_of(TOWN, node)
            row = (number, number, round(lat * 1e7), round(lon * 1e7))
            connection.execute("insert into station (station_id, number, lat_e7, lon_e7) values (%s, %s, %s, %s)", row)
    return CliRunner()


def test_a_new_station_is_sited_beside_those_that_stand(run: CliRunner) -> None:
    done = run.invoke(command, ["sites", "--kind", "station", "--new", "1", "--limit-s", "120", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["proof"] == "optimal"
    assert told["before_share"] > 0.0
    shown = run.invoke(command, ["sites", "--kind", "station", "--new", "1", "--limit-s", "120"]).stdout
    assert "proven: no other choice is better" in shown
    fewest = json.loads(run.invoke(command, ["sites", "--kind", "post", "--fewest", "--anew", "--json"]).stdout)
    assert fewest["before_share"] == 0.0
    assert fewest["covered_share"] == pytest.approx(1.0 - fewest["beyond_share"])


def test_beats_are_told_and_written_as_a_map(run: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "beats.geojson"
    done = run.invoke(command, ["beats", "--tolerance", "0.1", "--geojson", str(path)])
    assert done.exit_code == 0, done.output
    assert "imbalance" in done.stdout
    assert len(json.loads(path.read_text(encoding="utf-8"))["features"]) == 2


def test_without_a_map_or_people_the_answer_says_what_to_do(run: CliRunner, tmp_path: Path) -> None:
    people = run.invoke(command, ["sites", "--demand", "people"])
    assert isinstance(people.exception, InputError)
    assert "bring people first" in str(people.exception)
    (tmp_path / "data" / "city" / "roads.npz").unlink()
    bare = run.invoke(command, ["beats"])
    assert isinstance(bare.exception, NotFoundError)
    assert "skybeat roads import" in str(bare.exception)
