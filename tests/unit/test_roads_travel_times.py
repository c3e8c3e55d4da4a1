"""Travel times equal networkx's on a small graph with one-way streets and parallel edges, and on the demo city."""

from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from console.demo.city import lay_out
from mission.roads.graph import ACCESS_ALL, EdgeIndex, RoadGraph, load_roads, reverse_edges, travel_times
from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import local_plane

PLANE = local_plane(36.0, 103.8)


def graph_of(places_m: list[tuple[float, float]], edges: list[tuple[int, int, float]]) -> RoadGraph:
    """A graph of places in metres and edges (from, to, seconds); lengths are straight lines."""
    xy = np.array(places_m, np.float64)
    lat, lon = PLANE.from_plane(xy[:, 0], xy[:, 1])
    tails = np.array([edge[0] for edge in edges], np.int32)
    heads = np.array([edge[1] for edge in edges], np.int32)
    return RoadGraph(
        node_lat_deg=lat,
        node_lon_deg=lon,
        edge_from=tails,
        edge_to=heads,
        edge_length_m=np.hypot(*(xy[tails] - xy[heads]).T),
        edge_seconds=np.array([edge[2] for edge in edges], np.float64),
        edge_class=np.zeros(len(edges), np.int8),
        edge_access=np.full(len(edges), ACCESS_ALL, np.uint8),
        edge_way=np.zeros(len(edges), np.int32),
        way_name_zh=np.array(["甘泉路"]),
        way_name_en=np.array(["Ganquan Rd"]),
        way_oneway=np.zeros(1, np.bool_),
        way_bridge=np.zeros(1, np.bool_),
    )


def oracle(graph: RoadGraph) -> "nx.MultiDiGraph[int]":
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    network.add_nodes_from(range(graph.node_count))
    rows = zip(graph.edge_from.tolist(), graph.edge_to.tolist(), graph.edge_seconds.tolist(), strict=True)
    network.add_weighted_edges_from(rows)
    return network


def expected_times(graph: RoadGraph, starts: list[int], limit_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = nx.multi_source_dijkstra_path_length(oracle(graph), set(starts), cutoff=limit_s)
    times = np.full(graph.node_count, np.inf)
    times[list(found)] = list(found.values())
    return times


@pytest.fixture(scope="module")
def city_roads() -> RoadGraph:
    return lay_out(5)[2]


def test_of_parallel_edges_the_faster_one_counts() -> None:
    graph = graph_of([(0, 0), (100, 0)], [(0, 1, 30.0), (0, 1, 10.0), (0, 1, 20.0)])
    assert travel_times(graph, np.array([0], np.int32), 300.0).tolist() == pytest.approx([0.0, 10.0], abs=1e-5)


def test_a_one_way_street_is_not_driven_backwards() -> None:
    graph = graph_of([(0, 0), (100, 0), (200, 0)], [(0, 1, 10.0), (1, 2, 10.0), (2, 1, 10.0)])
    assert travel_times(graph, np.array([1], np.int32), 300.0).tolist() == pytest.approx([np.inf, 0.0, 10.0], abs=1e-5)


def test_beyond_the_limit_nothing_is_reached_and_seconds_spent_before_count() -> None:
    graph = graph_of([(0, 0), (100, 0), (200, 0)], [(0, 1, 10.0), (1, 2, 10.0)])
    times = travel_times(graph, np.array([0, 0], np.int32), 19.0, offsets_s=np.array([8.0, 5.0]))
    assert times.tolist() == pytest.approx([5.0, 15.0, np.inf], abs=1e-5)
    assert np.isinf(travel_times(graph, np.zeros(0, np.int32), 300.0)).all()


@pytest.mark.parametrize("seed", range(4))
def test_times_equal_networkx_on_random_graphs(seed: int) -> None:
    random = np.random.default_rng(seed)
    places = [(float(x), float(y)) for x, y in random.uniform(0, 2000, (80, 2))]
    ends = random.integers(0, 80, (300, 2)).tolist()
    graph = graph_of(places, [(a, b, float(s)) for (a, b), s in zip(ends, random.uniform(1, 90, 300), strict=True)])
    starts = random.integers(0, 80, 4).tolist()
    found = travel_times(graph, np.array(starts, np.int32), 200.0)
    assert found == pytest.approx(expected_times(graph, starts, 200.0), abs=1e-3)


def test_times_equal_networkx_on_the_city(city_roads: RoadGraph) -> None:
    starts = np.random.default_rng(1).integers(0, city_roads.node_count, 40).tolist()
    found = travel_times(city_roads, np.array(starts, np.int32), 300.0)
    assert found == pytest.approx(expected_times(city_roads, starts, 300.0), abs=1e-3)


def test_positions_snap_to_the_nearest_edge_and_far_ones_to_none() -> None:
    graph = graph_of([(0, 0), (1000, 0), (1000, 500)], [(0, 1, 100.0), (1, 2, 50.0)])
    lat, lon = PLANE.from_plane(np.array([250.0, 990.0, 500.0, -40.0]), np.array([30.0, 300.0, 900.0, 0.0]))
    snapped = EdgeIndex(graph).snap(lat, lon, within_m=200.0)
    assert snapped.edge.tolist() == [0, 1, -1, 0]
    assert snapped.along_ratio[[0, 1, 3]] == pytest.approx([0.25, 0.6, 0.0], abs=1e-6)
    assert snapped.away_m[[0, 1, 3]] == pytest.approx([30.0, 10.0, 40.0], abs=1e-3)


def test_an_edge_knows_its_fastest_way_back() -> None:
    graph = graph_of([(0, 0), (100, 0)], [(0, 1, 10.0), (1, 0, 30.0), (1, 0, 12.0)])
    assert reverse_edges(graph).tolist() == [2, 0, 0]
    assert reverse_edges(graph_of([(0, 0), (100, 0)], [(0, 1, 10.0)])).tolist() == [-1]


def test_a_graph_comes_back_from_its_file(city_roads: RoadGraph, tmp_path: Path) -> None:
    city_roads.save(tmp_path / "roads.npz")
    again = load_roads(tmp_path / "roads.npz")
    assert np.abs(again.node_lat_deg - city_roads.node_lat_deg).max() < 1e-7
    assert np.abs(again.edge_seconds - city_roads.edge_seconds).max() <= 0.001
    assert (again.edge_to == city_roads.edge_to).all()
    assert again.way_name_zh.tolist() == city_roads.way_name_zh.tolist()
    assert (tmp_path / "roads.npz").stat().st_size < 2_000_000


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_a_file_that_is_no_graph_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "roads.npz"
    if content is None:
        np.savez(path, something=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(FileFormatError, match="no road graph"):
        load_roads(path)


def test_a_path_along_a_street_takes_the_sum_of_its_edges(city_roads: RoadGraph) -> None:
    way = int(np.flatnonzero(city_roads.way_name_en == "Ganquan Rd")[0])
    edges = np.flatnonzero((city_roads.edge_way == way) & (city_roads.edge_from >= 0))[:20]
    chain = [
        edge for edge, after in pairwise(edges.tolist()) if city_roads.edge_to[edge] == city_roads.edge_from[after]
    ]
    assert len(chain) > 10
    first, last = int(city_roads.edge_from[chain[0]]), int(city_roads.edge_to[chain[-1]])
    times = travel_times(city_roads, np.array([first], np.int32), 600.0)
    assert times[last] <= city_roads.edge_seconds[chain].sum() + 1e-3
