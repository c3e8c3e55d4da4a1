"""The way to draw is the fastest way: as networkx finds it, along one-way streets, from and to places between nodes."""

import itertools
import math
import random

import networkx as nx
import numpy as np
import pytest

from mission.roads.graph import ACCESS_ALL, EdgeIndex, RoadGraph
from mission.roads.travel import TravelMode, network_of
from mission.roads.way import WayFinder

STEP_DEG = 0.002
SIDE = 7


def town(seed: int, *, one_way_share: float = 0.3) -> RoadGraph:
    """A grid of streets of random classes, some of them one-way, and an island that no street leads to."""
    dice = random.Random(seed)
    places = [(36 + STEP_DEG * row, 103 + STEP_DEG * column) for row in range(SIDE) for column in range(SIDE)]
    places += [(36.2, 103.2), (36.2, 103.202)]
    pairs = [(at, at + 1) for at in range(SIDE * SIDE) if (at + 1) % SIDE]
    pairs += [(at, at + SIDE) for at in range(SIDE * (SIDE - 1))] + [(SIDE * SIDE, SIDE * SIDE + 1)]
    edges = []
    for number, (west, east_end) in enumerate(pairs):
        rank = dice.randrange(0, 4)
        edges.append((west, east_end, rank, number))
        if dice.random() > one_way_share:
            edges.append((east_end, west, rank, number))
    lat, lon = np.array([p[0] for p in places]), np.array([p[1] for p in places])
    columns = np.array(edges, np.int64)
    tail, head, kind, way = columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3]
    north, east = (lat[head] - lat[tail]) * 111_195, (lon[head] - lon[tail]) * 111_195 * math.cos(math.radians(36))
    length = np.hypot(north, east)
    names = np.array([""] * len(pairs))
    return RoadGraph(
        node_lat_deg=lat,
        node_lon_deg=lon,
        edge_from=tail.astype(np.int32),
        edge_to=head.astype(np.int32),
        edge_length_m=length,
        edge_seconds=length / 10,
        edge_class=kind.astype(np.int8),
        edge_access=np.full(len(edges), ACCESS_ALL, np.uint8),
        edge_way=way.astype(np.int32),
        way_name_zh=names,
        way_name_en=names,
        way_oneway=np.zeros(len(pairs), np.bool_),
        way_bridge=np.zeros(len(pairs), np.bool_),
    )


def finder(graph: RoadGraph, mode: TravelMode = TravelMode.CAR) -> WayFinder:
    return WayFinder(network_of(graph, mode), EdgeIndex(graph))


def seconds_of(line: list[tuple[float, float]], oracle: "nx.DiGraph[int]", graph: RoadGraph) -> float:
    """Return the seconds of a line from node to node. Raises where it does not follow streets in their direction."""
    nodes = [
        int(np.argmin(np.hypot(graph.node_lon_deg - lon_deg, graph.node_lat_deg - lat_deg)))
        for lon_deg, lat_deg in line
    ]
    return math.fsum(oracle[tail][head]["weight"] for tail, head in itertools.pairwise(nodes) if tail != head)


@pytest.mark.parametrize("seed", range(5))
def test_a_way_between_nodes_takes_as_long_as_networkx_says(seed: int) -> None:
    graph = town(seed)
    network = network_of(graph, TravelMode.CAR)
    matrix = network.matrix.tocoo()
    oracle: nx.DiGraph[int] = nx.DiGraph()
    oracle.add_nodes_from(range(graph.node_count))
    oracle.add_weighted_edges_from(zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True))
    find = finder(graph)
    dice = random.Random(seed)
    for _ in range(30):
        start, goal = dice.sample(range(SIDE * SIDE), 2)
        places = [(float(graph.node_lat_deg[node]), float(graph.node_lon_deg[node])) for node in (start, goal)]
        line = find.find(places[0], places[1])
        try:
            expected_s = nx.dijkstra_path_length(oracle, start, goal)
        except nx.NetworkXNoPath:
            assert line == ()
            continue
        for point, (lat_deg, lon_deg) in zip((line[0], line[-1]), places, strict=True):
            assert point == pytest.approx((lon_deg, lat_deg))
        assert seconds_of(list(line), oracle, graph) == pytest.approx(expected_s, abs=1e-3)


def test_two_places_of_one_street_are_joined_without_a_detour() -> None:
    line = finder(town(0, one_way_share=0)).find((36.0, 103.0004), (36.0, 103.0012))
    assert line == ((103.0004, 36.0), (103.0012, 36.0))


def test_against_a_one_way_street_the_way_goes_round() -> None:
    graph = town(1, one_way_share=1.0)  # every street leads east or north
    assert finder(graph).find((36.0, 103.0012), (36.0, 103.0004)) == ()
    on_foot = finder(graph, TravelMode.FOOT).find((36.0, 103.0012), (36.0, 103.0004))
    assert len(on_foot) == 2


def test_an_island_and_a_place_off_the_map_have_no_way() -> None:
    find = finder(town(2, one_way_share=0))
    assert find.find((36.0, 103.0), (36.2, 103.201)) == ()
    assert find.find((36.0, 103.0), (37.0, 104.0)) == ()
    assert find.find((35.0, 103.0), (36.0, 103.0)) == ()
