"""The coverage benchmarks print what they promise, on a small real extract, and say which peer is missing."""

import sys
from pathlib import Path

import pytest

from console.bench import run_benchmark
from telemetry.model.errors import UnavailableError


@pytest.mark.shared_data
def test_the_whole_tick_is_measured_on_an_extract(test_data: Path) -> None:
    printed = run_benchmark("coverage", runs=1, seed=1, osm=test_data / "osm" / "shanghai_center.osm.pbf")
    assert printed["map"] == "shanghai_center.osm.pbf"
    assert (printed["units"], printed["modes"]) == (500, 3)
    for name in (
        "nodes",
        "tick_ms",
        "ratio_networkx",
        "ratio_pandana",
        "nearest_ratio_networkx",
        "nearest_ratio_pandana",
    ):
        assert float(str(printed[name])) > 0.0
    assert float(str(printed["max_error_s"])) <= 0.001


@pytest.mark.shared_data
def test_the_zones_of_a_hundred_stations_are_measured_on_an_extract(test_data: Path) -> None:
    printed = run_benchmark("stations", runs=1, seed=1, osm=test_data / "osm" / "shanghai_center.osm.pbf")
    assert printed["stations"] == 100
    assert float(str(printed["max_error_s"])) <= 0.001
    assert float(str(printed["ratio_networkx"])) > 0.0


@pytest.mark.shared_data
def test_a_missing_peer_is_named_with_what_installs_it(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandana", None)
    with pytest.raises(UnavailableError, match=r"pandana, which is not installed.*uv sync"):
        run_benchmark("coverage", runs=1, seed=1, osm=test_data / "osm" / "shanghai_center.osm.pbf")
