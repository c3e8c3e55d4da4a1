"""The demo city's people, tiered places and no-fly areas are there, in order, and no patrol flies where it may not."""

import json
from collections import Counter

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, Point, shape

from console.city.files import load_city
from console.demo import city_table as table
from console.demo.city import City, CitySpot, prepare_city
from console.demo.city_life import PEOPLE, TIER_FAMILIES
from console.demo.patrols import patrol_routes
from telemetry.model.geodesy import distance_m, local_plane


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 1)


def test_people_and_tiers_are_read_by_what_reckons_coverage(city: City) -> None:
    files = load_city(city.directory)
    people = files.weights.people
    assert people is not None
    assert people.sum() == pytest.approx(PEOPLE, rel=1e-3)
    assert files.places is not None
    wanted = Counter({1: 3, 3: 4})
    for _, minutes, count, _, _ in TIER_FAMILIES:
        wanted[minutes] += count
    assert Counter(files.places.minutes.tolist()) == wanted
    assert all(files.places.name_zh)
    assert all(files.places.name_en)


def test_the_centre_is_denser_than_the_edge(city: City) -> None:
    people = np.load(city.directory / "people.npy")
    lon = city.roads.node_lon_deg
    centre, edge = (np.abs(lon - at) < 0.01 for at in (table.ORIGIN_LON_DEG, lon.max() - 0.01))
    assert people[centre].mean() > 2.0 * people[edge].mean()


def test_no_patrol_crosses_a_no_fly_area_nor_stands_a_dock_in_one(city: City) -> None:
    areas = [
        shape(item["geometry"]) for item in json.loads((city.directory / "no_fly.geojson").read_text())["features"]
    ]
    assert len(areas) == 3
    assert all(area.is_valid for area in areas)
    plane = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)
    pads = [(dock.east_m, dock.north_m) for dock in table.DOCKS]
    for number, route in enumerate(patrol_routes(18, 1)):
        points = np.vstack((pads[number % 3], route.waypoints_m, pads[number % 3]))
        lat, lon = plane.from_plane(points[:, 0], points[:, 1])
        line = LineString(np.column_stack((lon, lat)))
        assert not any(area.intersects(line) for area in areas), route.name
    for dock in city.facts.docks:
        assert not any(area.contains(Point(dock.lon_deg, dock.lat_deg)) for area in areas)


def test_far_ends_are_nearer_by_car_to_the_neighbour_than_the_station_is(city: City) -> None:
    ends = {spot.key: spot for spot in city.facts.far_ends}
    stations = city.facts.stations
    assert len(ends) == 28
    for number, station in enumerate(stations, 1):
        for side, other in (("before", stations[(number - 2) % 14]), ("after", stations[number % 14])):
            seconds = dijkstra(city.roads.matrix.T.tocsr(), indices=[node_at(city, other)])[0]
            assert seconds[node_at(city, ends[f"{number}-{side}"])] < 0.8 * seconds[node_at(city, station)]


def node_at(city: City, spot: CitySpot) -> int:
    roads = city.roads
    return int(distance_m(spot.lat_deg, spot.lon_deg, roads.node_lat_deg, roads.node_lon_deg).argmin())
