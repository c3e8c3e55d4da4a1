"""`skybeat roads` as a person runs it: a map of one's own city, refusals that leave the old map, fitted speeds."""

import gzip
import json
from pathlib import Path

import msgspec
import numpy as np
import psycopg
import pytest
from click.testing import CliRunner, Result

from console.api.city import LAYERS
from console.city.basemap_build import build_city, has_tippecanoe
from console.city.files import load_city
from console.cli import skybeat
from mission.roads.graph import load_roads
from mission.roads.osm import read_osm
from mission.roads.travel import DEFAULT_SPEEDS, TravelMode, load_speeds
from telemetry.model.errors import ConflictError, FileFormatError, NotFoundError
from tests.conftest import TestDatabase
from tests.integration.test_import_command import url_of

pytestmark = [pytest.mark.shared_data, pytest.mark.database]
VADUZ = (47.141, 9.521)


@pytest.fixture
def own_house(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a database of its own; gives its data folder."""
    for role, url in (("", database.owner_url), ("WRITER_", database.writer_url), ("APP_", database.app_url)):
        monkeypatch.setenv(f"SKYBEAT_DATABASE_{role}URL", url_of(url))
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(skybeat, ["roads", *map(str, arguments)])


def bring(path: Path, *arguments: str) -> None:
    done = run("import", path, *arguments)
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"


def add_station(database: TestDatabase, lat_deg: float, lon_deg: float, *, number: int = 1) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "insert into station (number, name_zh, name_en, lat_e7, lon_e7) values (%s, '一', 'One', %s, %s)",
            (number, round(lat_deg * 1e7), round(lon_deg * 1e7)),
        )


def test_an_extract_becomes_roads_layers_and_facts(own_house: Path, test_data: Path) -> None:
    done = run("import", test_data / "osm" / "beijing_haidian.osm.pbf", "--name-zh", "海淀", "--name-en", "Haidian")
    assert done.exit_code == 0, done.output
    assert "kept: 283 ways of 301" in done.output
    assert "9 islands with 118 nodes" in done.output
    facts = json.loads((own_house / "city" / "city.json").read_bytes())
    assert (facts["name_zh"], facts["name_en"]) == ("海淀", "Haidian")
    assert facts["attribution"] == "© OpenStreetMap contributors"
    assert 116.33 < facts["bounds"][0] < facts["center"][0] < facts["bounds"][2] < 116.37
    assert load_roads(own_house / "city" / "roads.npz").node_count == 1337
    for layer in LAYERS:
        path = own_house / "city" / "basemap" / f"{layer}.geojson"
        content = path.read_bytes()
        assert json.loads(content)["type"] == "FeatureCollection"
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == content
    assert (own_house / "city" / "basemap.pmtiles").exists() is has_tippecanoe()
    assert sorted(path.name for path in own_house.iterdir() if path.name.startswith("city")) == ["city"]


def test_the_layers_have_the_web_maps_kinds(own_house: Path, test_data: Path) -> None:
    bring(test_data / "osm" / "baltimore.osm.pbf")
    folder = own_house / "city" / "basemap"
    layers = {layer: json.loads((folder / f"{layer}.geojson").read_bytes())["features"] for layer in LAYERS}
    kinds = {layer: {item["properties"].get("kind") for item in items} for layer, items in layers.items()}
    assert kinds["water"] <= {"river", "wetland"}
    assert kinds["parks"] <= {"park", "scenic_area", "campus", "works"}
    assert kinds["blocks"] == {"block"}
    assert kinds["valley"] == {"valley"}
    assert kinds["places"] == {"place"}
    assert {"river", "park", "district"} <= kinds["labels"]
    assert {road["properties"]["class"] for road in layers["roads"]} == {0, 1, 2, 3}
    buildings = sum(len(item["geometry"]["coordinates"]) for item in layers["blocks"])
    assert buildings >= 1731


def test_a_map_of_another_city_is_refused_unless_asked_for(
    own_house: Path, database: TestDatabase, test_data: Path
) -> None:
    add_station(database, *VADUZ)
    own, other = test_data / "osm" / "liechtenstein-latest.osm.pbf", test_data / "osm" / "fujian_small.osm.pbf"
    assert run("import", own).exit_code == 0
    before = (own_house / "city" / "city.json").read_bytes()
    refused = run("import", other)
    assert isinstance(refused.exception, ConflictError)
    assert "none of the 1 registered stations" in str(refused.exception)
    assert "--another-city" in str(refused.exception)
    assert (own_house / "city" / "city.json").read_bytes() == before
    assert run("import", other, "--another-city").exit_code == 0
    assert json.loads((own_house / "city" / "city.json").read_bytes())["source"] == "fujian_small.osm.pbf"


def test_a_station_off_the_map_is_named(own_house: Path, database: TestDatabase, test_data: Path) -> None:
    add_station(database, *VADUZ)
    add_station(database, 36.0, 103.8, number=12)
    done = run("import", test_data / "osm" / "liechtenstein-latest.osm.pbf")
    assert "stations 12 stand more than 1000 m from every road" in done.output
    assert (own_house / "city" / "city.json").is_file()


def test_a_broken_file_leaves_the_old_map(own_house: Path, test_data: Path, tmp_path: Path) -> None:
    whole = test_data / "osm" / "fujian_small.osm.pbf"
    bring(whole)
    (tmp_path / "cut.osm.pbf").write_bytes(whole.read_bytes()[:5000])
    refused = run("import", tmp_path / "cut.osm.pbf")
    assert isinstance(refused.exception, FileFormatError)
    assert load_roads(own_house / "city" / "roads.npz").node_count == 233


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    done = run("import", test_data / "osm" / "Helsinki.osm.pbf", "--dry-run", "--json")
    assert json.loads(done.output)["dangling_refs"] == 755
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("own_house")
def test_roads_are_shown_and_a_missing_map_is_told(test_data: Path) -> None:
    missing = run("show")
    assert isinstance(missing.exception, NotFoundError)
    assert "skybeat roads import" in str(missing.exception)
    bring(test_data / "osm" / "shanghai_center.osm.pbf", "--name-en", "Shanghai", "--name-zh", "上海")
    shown = json.loads(run("show", "--json").output)
    assert (shown["name_zh"], shown["node_count"], shown["edge_count"]) == ("上海", 2221, 2835)
    assert sum(shown["class_km"].values()) == pytest.approx(shown["road_km"], abs=0.01)
    assert "Shanghai (上海) © OpenStreetMap contributors" in run("show").output


def test_what_belongs_to_the_city_survives_a_new_map_of_it(tmp_path: Path, test_data: Path) -> None:
    extract = read_osm(test_data / "osm" / "fujian_small.osm.pbf")
    folder = tmp_path / "city"
    build_city(extract, folder, name_zh="", name_en="", source="x")
    made = (folder / "tiers.geojson").read_bytes()
    turnout = dict(DEFAULT_SPEEDS.turnout_s) | {TravelMode.CAR: 33.0}
    speeds = msgspec.structs.replace(DEFAULT_SPEEDS, turnout_s=turnout)
    (folder / "speeds.json").write_bytes(msgspec.json.encode(speeds))
    (folder / "no_fly.geojson").write_text('{"features": []}')
    build_city(extract, folder, name_zh="", name_en="", source="x")
    assert load_speeds(folder) == speeds
    assert (folder / "no_fly.geojson").read_text() == '{"features": []}'
    assert (folder / "tiers.geojson").read_bytes() == made
    (folder / "tiers.geojson").write_text('{"features": []}')
    build_city(extract, folder, name_zh="", name_en="", source="x")
    assert (folder / "tiers.geojson").read_text() == '{"features": []}'
    build_city(extract, folder, name_zh="", name_en="", source="x", is_another=True)
    assert (folder / "tiers.geojson").read_bytes() == made
    assert {path.name for path in folder.iterdir()} & {"speeds.json", "no_fly.geojson"} == set()


def test_wrong_speeds_are_refused(tmp_path: Path) -> None:
    for content in ('{"turnout_s": 3}', "{", ""):
        (tmp_path / "speeds.json").write_text(content)
        with pytest.raises(FileFormatError, match="holds no speeds"):
            load_speeds(tmp_path)


def test_places_of_the_extract_are_tiered_and_read_back(tmp_path: Path, test_data: Path) -> None:
    extract = read_osm(test_data / "osm" / "beijing_haidian.osm.pbf")
    build_city(extract, tmp_path / "city", name_zh="", name_en="", source="x")
    city = load_city(tmp_path / "city")
    assert city.places is not None
    assert len(city.places.minutes) == 20
    assert sorted(set(city.places.minutes.tolist())) == [1, 3]
    assert all(city.places.name_zh)
    assert np.abs(city.places.lat_deg - 40.003).max() < 0.02


def drive(database: TestDatabase, path: Path, *, units: int, speed_mps: float) -> None:
    """Let cars drive back and forth on a primary road of the map, a fix each 10 s for the last 9 minutes."""
    roads = load_roads(path)
    edges = np.flatnonzero((roads.edge_class == 1) & (roads.edge_length_m > 200.0))[:units]
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("select store.ensure_position_partitions((now() - interval '1 day')::date, now()::date)")
        for number, edge in enumerate(edges.tolist()):
            enrol(connection, number)
            tail, head = roads.edge_from[edge], roads.edge_to[edge]
            length = float(roads.edge_length_m[edge])
            for step in range(54):
                along = abs((step * 10.0 * speed_mps) % (2 * length) - length) / length
                lat = roads.node_lat_deg[tail] + along * (roads.node_lat_deg[head] - roads.node_lat_deg[tail])
                lon = roads.node_lon_deg[tail] + along * (roads.node_lon_deg[head] - roads.node_lon_deg[tail])
                connection.execute(
                    "insert into store.position (device_id, observed_at, received_at, lat_e7, lon_e7, quality, fix_hash)"
                    " values (%s, now() - make_interval(secs => %s), now(), %s, %s, 0, %s)",
                    (number + 1, 545 - 10 * step, round(float(lat) * 1e7), round(float(lon) * 1e7), step),
                )


def enrol(connection: "psycopg.Connection[tuple[object, ...]]", number: int) -> None:
    connection.execute(
        "insert into unit (unit_id, call_sign, kind, service, duty_status, name_zh, name_en) overriding system value"
        " values (%s, %s, 'car', 'patrol', 'free', '', '')",
        (number + 1, f"Car {number}"),
    )
    connection.execute(
        "insert into device (device_id, protocol, address) overriding system value values (%s, 'osmand', %s)",
        (number + 1, f"{number:064x}"),
    )
    connection.execute(
        "insert into assignment (device_id, unit_id, started_at) values (%s, %s, now() - interval '1 day')",
        (number + 1, number + 1),
    )


def test_our_own_tracks_set_the_speed_of_a_class_and_the_rest_stays(
    own_house: Path, database: TestDatabase, test_data: Path
) -> None:
    bring(test_data / "osm" / "liechtenstein-latest.osm.pbf")
    drive(database, own_house / "city" / "roads.npz", units=5, speed_mps=11.0)
    dry = run("fit", "--days", "1", "--dry-run")
    assert "car on primary roads" in dry.output
    assert "nothing was written" in dry.output
    assert not (own_house / "city" / "speeds.json").exists()
    done = run("fit", "--days", "1")
    assert done.exit_code == 0, done.output
    speeds = load_speeds(own_house / "city")
    fitted = speeds.class_speed_mps[TravelMode.CAR]
    assert 8.0 < fitted[1] < 13.5
    assert fitted[0] == DEFAULT_SPEEDS.class_speed_mps[TravelMode.CAR][0]
    assert speeds.measured[TravelMode.CAR][1] >= 100
    assert "*" in run("show").output
