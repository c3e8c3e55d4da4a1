"""The demo city is the same for the same seed, whole, of the promised size, and looks like its description."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy.sparse.csgraph import connected_components
from shapely.geometry import shape

from console.api.city import LAYERS
from console.demo import city_table as table
from console.demo.city import City, lay_out, prepare_city
from mission.roads.graph import CLASS_LOCAL, CLASS_PRIMARY, CLASS_SECONDARY, RoadGraph
from telemetry.model.geodesy import distance_m


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 1)


def fingerprint(roads: RoadGraph) -> str:
    digest = hashlib.sha256()
    for values in (
        np.rint(roads.node_lat_deg * 1e6),
        np.rint(roads.node_lon_deg * 1e6),
        roads.edge_from,
        roads.edge_to,
    ):
        digest.update(np.ascontiguousarray(values, np.int64).tobytes())
    digest.update("".join(roads.way_name_zh.tolist()).encode())
    return digest.hexdigest()


def test_a_seed_gives_the_same_city_again_and_another_seed_another() -> None:
    first, again, other = (fingerprint(lay_out(seed)[2]) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_every_node_of_fifty_thousand_is_reached_from_every_other(seed: int) -> None:
    roads = lay_out(seed)[2]
    assert roads.node_count == table.ROAD_NODES == 50_000
    count, _ = connected_components(roads.matrix, directed=True, connection="strong")
    assert count == 1
    assert roads.edge_length_m.min() > 0.5
    assert roads.edge_length_m.max() < 400.0


def test_roads_have_four_classes_names_one_way_streets_and_bridges_on_main_roads_only(city: City) -> None:
    roads = city.roads
    assert set(np.unique(roads.edge_class)) == {0, 1, 2, 3}
    bridge = roads.way_bridge[roads.edge_way]
    assert set(roads.edge_class[bridge]) == {CLASS_PRIMARY}
    assert set(roads.way_name_en[roads.way_bridge]) == {crossing.bridge_en for crossing in table.CROSSINGS}
    assert roads.way_oneway.mean() > 0.1
    assert set(roads.edge_class[roads.way_oneway[roads.edge_way]]) == {CLASS_LOCAL}
    main = np.unique(roads.edge_way[roads.edge_class <= CLASS_SECONDARY])
    assert all(roads.way_name_zh[main])
    assert all(roads.way_name_en[main])
    assert {"南滨河路", "北滨河路", "安平路", "甘泉路", "环城快速路"} <= set(roads.way_name_zh)


def test_only_bridges_cross_the_river(city: City) -> None:
    water = json.loads((city.directory / "basemap" / "water.geojson").read_text())
    river = shape(next(f for f in water["features"] if f["properties"]["kind"] == "river")["geometry"])
    roads = city.roads
    tails, heads = roads.edge_from, roads.edge_to
    middle_lon = (roads.node_lon_deg[tails] + roads.node_lon_deg[heads]) / 2
    middle_lat = (roads.node_lat_deg[tails] + roads.node_lat_deg[heads]) / 2
    wet = shapely.contains_xy(river, middle_lon, middle_lat)
    assert wet.any()
    assert roads.way_bridge[roads.edge_way[wet]].all()


def test_stations_stand_on_streets_in_ring_order_near_where_they_belong(city: City) -> None:
    stations = city.facts.stations
    assert [spot.key for spot in stations] == [str(number) for number in range(1, 15)]
    assert stations[0].name_zh == "西津"
    roads = city.roads
    for station, drawn in zip(stations, table.STATIONS, strict=True):
        assert distance_m(station.lat_deg, station.lon_deg, roads.node_lat_deg, roads.node_lon_deg).min() < 0.5
        assert station.name_en == drawn.name_en


def test_the_maps_layers_are_geojson_of_known_kinds_and_small(city: City) -> None:
    folder = city.directory / "basemap"
    layers = {layer: json.loads((folder / f"{layer}.geojson").read_bytes()) for layer in LAYERS}
    assert sum((folder / f"{layer}.geojson").stat().st_size for layer in LAYERS) < 6_000_000
    for layer, content in layers.items():
        assert content["type"] == "FeatureCollection"
        assert content["features"]
        assert (
            gzip.decompress((folder / f"{layer}.geojson.gz").read_bytes()) == (folder / f"{layer}.geojson").read_bytes()
        )
        for feature in content["features"]:
            assert shape(feature["geometry"]).is_valid, layer
    roads = [feature["properties"] for feature in layers["roads"]["features"]]
    assert {road["class"] for road in roads} == {0, 1, 2, 3}
    assert {"class", "bridge", "oneway"} <= set.intersection(*(set(road) for road in roads))
    kinds = {place["properties"]["kind"] for place in layers["places"]["features"]}
    assert kinds == {"place", "dock", "station"}


def test_planned_reach_stands_ready_for_each_station_and_all(city: City) -> None:
    planned = json.loads((city.directory / "planned.geojson").read_bytes())
    keys = {(f["properties"]["station_number"], f["properties"]["minutes"]) for f in planned["features"]}
    assert keys == {(station, minutes) for station in (*range(1, 15), None) for minutes in (1, 3, 5)}


def test_a_city_is_made_once_and_anew_when_seed_or_file_changed(tmp_path: Path) -> None:
    told: list[str] = []
    first = prepare_city(tmp_path, 1, told.append)
    steps = len(told)
    assert steps >= 3
    again = prepare_city(tmp_path, 1, told.append)
    assert len(told) == steps
    assert fingerprint(again.roads) == fingerprint(first.roads)
    assert again.facts == first.facts
    (tmp_path / "city" / "city.json").write_text("{")
    prepare_city(tmp_path, 1, told.append)
    assert len(told) == 2 * steps
    assert prepare_city(tmp_path, 2, told.append).facts.seed == 2
    assert len(told) == 3 * steps
