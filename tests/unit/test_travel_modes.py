"""Each way to move has its own network: access, one-way streets, contraflow, hours, closed streets, parallel streets."""

from dataclasses import replace

import msgspec
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import (
    ACCESS_ALL,
    ACCESS_BICYCLE,
    ACCESS_CAR,
    ACCESS_EMERGENCY,
    ACCESS_FOOT,
    ACCESS_MOTORCYCLE,
    CLASS_LOCAL,
    CLASS_SPEED_MPS,
    CLASS_TRUNK,
    EdgeIndex,
    RoadGraph,
)
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, Speeds, TravelMode, mode_of, network_of
from telemetry.model.errors import InputError
from telemetry.model.unit import UnitKind
from tests.unit.test_roads_travel_times import PLANE, graph_of

LINE = [(0.0, 0.0), (300.0, 0.0), (600.0, 0.0)]


def line(*, access: int = ACCESS_ALL, road_class: int = CLASS_LOCAL) -> RoadGraph:
    """Two one-way pieces of 300 m from node 0 over 1 to 2, driven at the class's speed."""
    seconds = 300.0 / CLASS_SPEED_MPS[road_class]
    graph = graph_of(LINE, [(0, 1, seconds), (1, 2, seconds)])
    return replace(graph, edge_access=np.full(2, access, np.uint8), edge_class=np.full(2, road_class, np.int8))


def from_to(graph: RoadGraph, mode: TravelMode, tail: int, head: int, **options: object) -> float:
    matrix = network_of(graph, mode, **options).matrix  # type: ignore[arg-type]
    return float(dijkstra(matrix, indices=[tail])[0][head])


def test_every_kind_of_unit_has_a_way_to_move() -> None:
    assert {kind: mode_of(kind) for kind in UnitKind} == {
        UnitKind.OFFICER: TravelMode.FOOT,
        UnitKind.MOTORCYCLE: TravelMode.MOTORCYCLE,
        UnitKind.CAR: TravelMode.CAR,
        UnitKind.MOBILE_ROOM: TravelMode.CAR,
        UnitKind.DRONE: TravelMode.DRONE,
    }


def test_class_speeds_make_the_seconds_of_each_mode() -> None:
    for mode in GROUND_MODES:
        expected = 600.0 / DEFAULT_SPEEDS.class_speed_mps[mode][CLASS_LOCAL]
        assert from_to(line(), mode, 0, 2) == pytest.approx(expected, rel=1e-6), mode


def test_against_a_one_way_street_go_only_walkers_and_blue_lights_at_a_penalty() -> None:
    for mode in (TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.EBIKE):
        assert np.isinf(from_to(line(), mode, 2, 0)), mode
    assert from_to(line(), TravelMode.FOOT, 2, 0) == pytest.approx(600.0 / 2.5)
    there, back = from_to(line(), TravelMode.BLUE_LIGHT, 0, 2), from_to(line(), TravelMode.BLUE_LIGHT, 2, 0)
    assert back == pytest.approx(there * DEFAULT_SPEEDS.contraflow_factor)


def test_nobody_drives_against_a_trunk_road_even_with_blue_lights() -> None:
    assert np.isinf(from_to(line(road_class=CLASS_TRUNK), TravelMode.BLUE_LIGHT, 2, 0))
    assert np.isfinite(from_to(line(road_class=CLASS_TRUNK), TravelMode.BLUE_LIGHT, 0, 2))


@pytest.mark.parametrize(
    ("access", "may"),
    [
        (ACCESS_CAR, {TravelMode.CAR, TravelMode.BLUE_LIGHT}),
        (ACCESS_EMERGENCY, {TravelMode.BLUE_LIGHT}),
        (ACCESS_FOOT, {TravelMode.FOOT}),
        (ACCESS_BICYCLE | ACCESS_FOOT, {TravelMode.EBIKE, TravelMode.FOOT}),
        (ACCESS_MOTORCYCLE, {TravelMode.MOTORCYCLE}),
        (0, set()),
    ],
)
def test_access_says_who_may_use_a_street(access: int, may: set[TravelMode]) -> None:
    graph = line(access=access)
    assert {mode for mode in GROUND_MODES if np.isfinite(from_to(graph, mode, 0, 2))} == may


def test_of_two_streets_between_the_same_nodes_the_faster_counts_and_both_stay() -> None:
    graph = graph_of([(0, 0), (100, 0)], [(0, 1, 30.0), (1, 0, 30.0), (0, 1, 10.0), (1, 0, 12.0), (0, 1, 20.0)])
    graph = replace(graph, edge_way=np.array([0, 0, 1, 1, 2], np.int32), way_name_zh=np.array(["甲", "乙", "丙"]))
    streets = graph.streets
    assert streets.count == 3
    assert streets.of_edge.tolist() == [0, 0, 1, 1, 2]
    assert streets.backward_edge.tolist() == [1, 3, -1]
    assert streets.edge_is_forward.tolist() == [True, False, True, False, True]
    assert from_to(graph, TravelMode.CAR, 0, 1) == pytest.approx(10.0)
    assert from_to(graph, TravelMode.CAR, 1, 0) == pytest.approx(12.0)


def test_a_closed_street_is_closed_to_all_and_an_unknown_one_is_refused() -> None:
    graph = line()
    for mode in GROUND_MODES:
        assert np.isinf(from_to(graph, mode, 0, 2, closed_streets=np.array([1], np.int32))), mode
    with pytest.raises(InputError, match="streets 0 to 1"):
        network_of(graph, TravelMode.CAR, closed_streets=np.array([2], np.int32))


def test_the_hour_multiplies_times_and_a_wrong_hour_is_refused() -> None:
    free, rush = from_to(line(), TravelMode.CAR, 0, 2), from_to(line(), TravelMode.CAR, 0, 2, hour=8)
    assert rush == pytest.approx(1.2 * free)
    assert from_to(line(), TravelMode.CAR, 0, 2, hour=3) == pytest.approx(free)
    with pytest.raises(InputError, match="0 to 23"):
        network_of(line(), TravelMode.CAR, hour=24)


def test_drones_have_no_network_of_streets() -> None:
    with pytest.raises(InputError, match="does not move along streets"):
        network_of(line(), TravelMode.DRONE)


def test_the_reverse_matrix_finds_who_reaches_a_place() -> None:
    graph = line()
    network = network_of(graph, TravelMode.CAR)
    reach = dijkstra(network.reverse_matrix, indices=[2])[0]
    assert reach.tolist() == pytest.approx([from_to(graph, TravelMode.CAR, node, 2) for node in (0, 1, 2)])
    assert (network.reverse_matrix.toarray() == network.matrix.toarray().T).all()


def test_speeds_come_back_from_json_and_wrong_ones_are_refused() -> None:
    stored = msgspec.json.encode(DEFAULT_SPEEDS)
    assert msgspec.json.decode(stored, type=Speeds) == DEFAULT_SPEEDS
    wrong = dict(DEFAULT_SPEEDS.class_speed_mps) | {TravelMode.CAR: (1.0, 2.0)}
    with pytest.raises(InputError, match="class speeds of car"):
        msgspec.structs.replace(DEFAULT_SPEEDS, class_speed_mps=wrong)
    with pytest.raises(InputError, match="turnout seconds of drone"):
        msgspec.structs.replace(DEFAULT_SPEEDS, turnout_s={**DEFAULT_SPEEDS.turnout_s, TravelMode.DRONE: -1.0})


def test_a_car_does_not_snap_to_a_footpath() -> None:
    graph = graph_of([(0, 0), (400, 0), (0, 60), (400, 60)], [(0, 1, 40.0), (2, 3, 40.0)])
    graph = replace(graph, edge_access=np.array([ACCESS_ALL, ACCESS_FOOT], np.uint8))
    lat, lon = PLANE.from_plane(np.array([100.0, 100.0]), np.array([55.0, 5.0]))
    index = EdgeIndex(graph)
    assert index.snap(lat, lon).edge.tolist() == [1, 0]
    assert index.snap(lat, lon, access=MODE_ACCESS[TravelMode.CAR]).edge.tolist() == [0, 0]
    assert index.snap(lat, lon, access=MODE_ACCESS[TravelMode.FOOT]).edge.tolist() == [1, 0]
    graph = replace(graph, edge_access=np.zeros(2, np.uint8))
    assert EdgeIndex(graph).snap(lat, lon, access=ACCESS_CAR).edge.tolist() == [-1, -1]


Edge = tuple[int, int, int, int, int]


@given(
    edges=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3), st.integers(0, 31), st.integers(0, 8)),
        max_size=40,
    ),
    mode=st.sampled_from(GROUND_MODES),
)
@settings(max_examples=150, deadline=None)
def test_any_multigraph_takes_the_times_that_networkx_finds(edges: list[Edge], mode: TravelMode) -> None:
    graph = multigraph(edges)
    found = dijkstra(network_of(graph, mode).matrix)
    expected = dict(nx.all_pairs_dijkstra_path_length(oracle_of(graph, mode)))
    for tail in range(6):
        for head in range(6):
            assert found[tail][head] == pytest.approx(expected[tail].get(head, np.inf), abs=1e-3)
    assert np.bincount(graph.streets.of_edge, minlength=graph.streets.count).max(initial=0) <= 2


def multigraph(edges: list[Edge]) -> RoadGraph:
    places = [(0.0, 0.0), (900.0, 0.0), (400.0, 700.0), (1500.0, 300.0), (-600.0, 250.0), (100.0, -800.0)]
    graph = graph_of(places, [(tail, head, 1.0) for tail, head, *_ in edges])
    road_class = np.array([edge[4] for edge in edges], np.int8)
    length = np.maximum(graph.edge_length_m, 1.0)
    return replace(
        graph,
        edge_length_m=length,
        edge_seconds=length / np.array(CLASS_SPEED_MPS)[road_class],
        edge_class=road_class,
        edge_access=np.array([edge[3] for edge in edges], np.uint8),
        edge_way=np.array([10 * edge[2] + edge[4] for edge in edges], np.int32),
    )


def oracle_of(graph: RoadGraph, mode: TravelMode) -> "nx.MultiDiGraph[int]":
    """The rules of a mode in plain words: each edge by itself, and what may run against it."""
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    network.add_nodes_from(range(graph.node_count))
    speeds = DEFAULT_SPEEDS.class_speed_mps[mode]
    backs = {(int(a), int(b), int(w)) for a, b, w, bits in rows(graph) if bits & MODE_ACCESS[mode]}
    for edge, (tail, head, way, bits) in enumerate(rows(graph)):
        road_class = int(graph.edge_class[edge])
        seconds = float(graph.edge_length_m[edge]) / speeds[road_class]
        if not bits & MODE_ACCESS[mode]:
            continue
        network.add_edge(tail, head, weight=seconds)
        if mode is TravelMode.FOOT:
            network.add_edge(head, tail, weight=seconds)
        if mode is TravelMode.BLUE_LIGHT and road_class not in {0, 8} and (head, tail, way) not in backs:
            network.add_edge(head, tail, weight=seconds * DEFAULT_SPEEDS.contraflow_factor)
    return network


def rows(graph: RoadGraph) -> list[tuple[int, int, int, int]]:
    columns = (graph.edge_from, graph.edge_to, graph.edge_way, graph.edge_access)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("mode", GROUND_MODES)
def test_an_empty_graph_has_an_empty_network(mode: TravelMode) -> None:
    graph = graph_of([(0, 0)], [])
    assert network_of(graph, mode).matrix.nnz == 0
    assert EdgeIndex(graph).snap(np.array([36.0]), np.array([103.8])).edge.tolist() == [-1]
