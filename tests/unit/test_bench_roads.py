"""The benchmark of imports prints its figures, takes any extract, and no map goes to a benchmark that uses none."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.bench.roads import run
from console.commands.bench import command
from telemetry.model.errors import InputError, NotFoundError

pytestmark = pytest.mark.shared_data


def test_liechtenstein_is_imported_within_five_seconds_of_cpu(test_data: Path) -> None:
    figures = run(runs=1, seed=1, osm=test_data / "osm" / "liechtenstein-latest.osm.pbf")
    assert figures.unmet() == []
    assert figures.goals == {"s": ("<=", 5.0)}
    assert figures.figures["nodes"] == 54139


def test_any_extract_may_be_measured_and_prints_one_object(test_data: Path) -> None:
    path = test_data / "osm" / "shanghai_center.osm.pbf"
    done = CliRunner().invoke(command, ["roads", "--json", "--runs", "1", "--osm", str(path)])
    printed = json.loads(done.output)
    assert (printed["name"], printed["map"], printed["nodes"]) == ("roads", path.name, 2221)
    assert printed["goals"] == {}


def test_a_map_given_to_a_benchmark_without_one_is_refused(test_data: Path) -> None:
    done = CliRunner().invoke(command, ["decode", "--osm", str(test_data / "osm" / "fujian_small.osm.pbf")])
    assert isinstance(done.exception, InputError)
    assert "uses no map" in str(done.exception)


def test_without_recorded_data_it_says_what_to_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SKYBEAT_TEST_DATA", str(tmp_path))
    with pytest.raises(NotFoundError, match="--osm FILE"):
        run(runs=1, seed=1)
