"""Every given extract imports with the counts that were checked once, and its travel times equal networkx's in every mode."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmium
import pytest
import shapely
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import ACCESS_ALL, ACCESS_CAR, EdgeIndex, RoadGraph, load_roads
from mission.roads.osm import OsmExtract, read_osm
from mission.roads.osm_graph import ATTRIBUTION
from mission.roads.osm_tags import is_road, rule_of
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, TravelMode, network_of
from telemetry.model.geodesy import distance_m

pytestmark = pytest.mark.shared_data

GOLDEN = {
    "Helsinki": {
        "ways_kept": 2387,
        "node_count": 5855,
        "edge_count": 8931,
        "oneway_ways": 464,
        "bridge_ways": 5,
        "tunnel_ways": 226,
        "barriers": 18,
        "no_road": 114,
        "no_access": 6,
        "dangling_refs": 755,
        "islands": 46,
        "areas_left_out": 0,
    },
    "baltimore": {
        "ways_kept": 3777,
        "node_count": 16420,
        "edge_count": 31034,
        "oneway_ways": 966,
        "bridge_ways": 115,
        "barriers": 25,
        "dangling_refs": 0,
        "islands": 28,
        "areas_left_out": 2,
    },
    "beijing_haidian": {
        "ways_kept": 283,
        "node_count": 1337,
        "edge_count": 2150,
        "oneway_ways": 79,
        "islands": 9,
        "areas_kept": 297,
    },
    "fujian_small": {"ways_kept": 29, "node_count": 233, "edge_count": 382, "oneway_ways": 10, "islands": 0},
    "liechtenstein-latest": {
        "ways_kept": 4633,
        "node_count": 54139,
        "edge_count": 106449,
        "oneway_ways": 92,
        "bridge_ways": 184,
        "tunnel_ways": 5,
        "barriers": 35,
        "islands": 20,
        "areas_kept": 9542,
    },
    "shanghai_center": {
        "ways_kept": 658,
        "node_count": 2221,
        "edge_count": 2835,
        "oneway_ways": 520,
        "bridge_ways": 76,
        "islands": 74,
        "areas_kept": 0,
    },
}


@pytest.fixture(scope="module", params=sorted(GOLDEN))
def extract(request: pytest.FixtureRequest, test_data: Path) -> tuple[str, OsmExtract]:
    return request.param, read_osm(test_data / "osm" / f"{request.param}.osm.pbf")


def test_an_extract_has_its_known_counts(extract: tuple[str, OsmExtract]) -> None:
    name, found = extract
    assert {key: getattr(found.report, key) for key in GOLDEN[name]} == GOLDEN[name]
    assert found.roads.attribution == ATTRIBUTION == "© OpenStreetMap contributors"
    assert found.roads.edge_length_m.min() > 0.0
    assert found.roads.edge_seconds.min() > 0.0


@pytest.mark.parametrize("mode", GROUND_MODES)
def test_travel_times_equal_networkx_in_every_mode(extract: tuple[str, OsmExtract], mode: TravelMode) -> None:
    roads = extract[1].roads
    network = network_of(roads, mode)
    starts = np.random.default_rng(7).integers(0, roads.node_count, 6).tolist()
    oracle = plain_oracle(roads, mode)
    for start in starts:
        expected = np.full(roads.node_count, np.inf)
        for node, seconds in nx.single_source_dijkstra_path_length(oracle, start, cutoff=400.0).items():
            expected[node] = seconds
        found = dijkstra(network.matrix, indices=[start], limit=400.0)[0]
        reached = np.isfinite(expected)
        assert np.array_equal(np.isfinite(found), reached)
        assert np.abs(found[reached] - expected[reached]).max() <= 0.001
        there = dijkstra(network.reverse_matrix, indices=[start], limit=400.0)[0]
        back = nx.single_source_dijkstra_path_length(oracle.reverse(copy=False), start, cutoff=400.0)
        assert there[list(back)] == pytest.approx(list(back.values()), abs=0.001)


def plain_oracle(roads: RoadGraph, mode: TravelMode) -> "nx.MultiDiGraph[int]":
    """Every edge by itself, by the rules in plain words."""
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    network.add_nodes_from(range(roads.node_count))
    speed = np.array(DEFAULT_SPEEDS.class_speed_mps[mode])[roads.edge_class]
    car = np.array(DEFAULT_SPEEDS.class_speed_mps[TravelMode.CAR])[roads.edge_class]
    by_limit = mode in {TravelMode.CAR, TravelMode.BLUE_LIGHT, TravelMode.MOTORCYCLE}
    seconds = roads.edge_seconds * car / speed if by_limit else roads.edge_length_m / speed
    may = (roads.edge_access & MODE_ACCESS[mode]) != 0
    columns = (roads.edge_from[may], roads.edge_to[may], seconds[may], roads.edge_class[may], roads.edge_way[may])
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    network.add_weighted_edges_from((tail, head, cost) for tail, head, cost, *_ in rows)
    if mode is TravelMode.FOOT:
        network.add_weighted_edges_from((head, tail, cost) for tail, head, cost, *_ in rows)
    if mode is TravelMode.BLUE_LIGHT:
        regular = {(tail, head, way) for tail, head, _, _, way in rows}
        penalty = DEFAULT_SPEEDS.contraflow_factor
        network.add_weighted_edges_from(
            (head, tail, cost * penalty)
            for tail, head, cost, road_class, way in rows
            if road_class not in {0, 8} and (head, tail, way) not in regular
        )
    return network


@pytest.mark.parametrize("name", ["shanghai_center", "fujian_small"])
def test_car_times_equal_a_network_made_of_the_file_itself(name: str, test_data: Path) -> None:
    """The oracle knows only OpenStreetMap's node numbers: it shares no array with the graph."""
    path = test_data / "osm" / f"{name}.osm.pbf"
    roads, oracle = read_osm(path).roads, network_of_file(path)
    assert read_osm(path).report.barriers == 0
    places: dict[Any, int] = {place: node for node, place in oracle.nodes(data="at")}
    rounded = zip(roads.node_lat_deg.round(7).tolist(), roads.node_lon_deg.round(7).tolist(), strict=True)
    numbers = [places[place] for place in rounded]
    matrix = network_of(roads, TravelMode.CAR).matrix
    for start in np.random.default_rng(3).integers(0, roads.node_count, 10).tolist():
        expected = nx.single_source_dijkstra_path_length(oracle, numbers[start])
        found = dijkstra(matrix, indices=[start])[0]
        assert found == pytest.approx([expected.get(number, np.inf) for number in numbers], abs=0.001)


def network_of_file(path: Path) -> "nx.MultiDiGraph[int]":
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for way in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations():
        tags = {tag.k: tag.v for tag in way.tags}
        if not isinstance(way, osmium.osm.Way) or not is_road(tags):
            continue
        rule = rule_of(tags)
        if rule is None:
            continue
        nodes = [node for node in way.nodes if node.location.valid()]
        for node in nodes:
            network.add_node(node.ref, at=(round(node.lat, 7), round(node.lon, 7)))
        for a, b in pairwise(nodes):
            seconds = max(float(distance_m(a.lat, a.lon, b.lat, b.lon)), 0.01) / rule.speed_mps
            backward = tags.get("oneway") in {"-1", "reverse"}
            along, against = (rule.back_access, rule.access) if backward else (rule.access, rule.back_access)
            if along & ACCESS_CAR:
                network.add_edge(a.ref, b.ref, weight=seconds)
            if against & ACCESS_CAR:
                network.add_edge(b.ref, a.ref, weight=seconds)
    return network


def test_a_saved_graph_of_an_extract_is_small_and_comes_back(extract: tuple[str, OsmExtract], tmp_path: Path) -> None:
    roads = extract[1].roads
    roads.save(tmp_path / "roads.npz")
    again = load_roads(tmp_path / "roads.npz")
    assert (tmp_path / "roads.npz").stat().st_size < 1_000_000
    for column in ("edge_from", "edge_to", "edge_class", "edge_access", "edge_way", "way_tunnel", "way_name_zh"):
        assert np.array_equal(getattr(again, column), getattr(roads, column)), column
    assert again.attribution == roads.attribution
    assert np.abs(again.node_lat_deg - roads.node_lat_deg).max() < 1e-7
    assert np.abs(again.node_lon_deg - roads.node_lon_deg).max() < 1e-7
    assert np.abs(again.edge_length_m - roads.edge_length_m).max() <= 0.005001
    assert np.array_equal(again.streets.of_edge, roads.streets.of_edge)


def test_chinese_names_stand_in_both_columns(test_data: Path) -> None:
    roads = read_osm(test_data / "osm" / "shanghai_center.osm.pbf").roads
    assert "福州路" in roads.way_name_zh
    named = roads.way_name_zh != ""
    assert named.sum() > 400
    assert (roads.way_name_en[named] != "").all()


@pytest.mark.parametrize("access", [ACCESS_ALL, ACCESS_CAR])
def test_positions_snap_to_the_street_that_shapely_finds_nearest(extract: tuple[str, OsmExtract], access: int) -> None:
    roads = extract[1].roads
    streets, xy = roads.streets, roads.node_xy_m
    allowed = np.flatnonzero((streets.access | streets.back_access) & access)
    lines = shapely.linestrings(np.stack((xy[streets.tail[allowed]], xy[streets.head[allowed]]), axis=1))
    random = np.random.default_rng(3)
    places = xy[random.integers(0, len(xy), 3000)] + random.normal(0.0, 60.0, (3000, 2))
    expected = shapely.STRtree(lines).query_nearest(shapely.points(places), return_distance=True, all_matches=False)[1]
    lat, lon = roads.plane.from_plane(places[:, 0], places[:, 1])
    snapped = EdgeIndex(roads).snap(lat, lon, within_m=np.inf, access=access)
    assert snapped.away_m == pytest.approx(expected, abs=0.001)
    assert np.isin(streets.of_edge[snapped.edge], allowed).all()
