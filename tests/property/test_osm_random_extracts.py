"""Whatever ways a file holds, the graph keeps exactly the times that its tags allow, and comes back from its own file."""

import tempfile
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import RoadGraph, load_roads
from mission.roads.osm import OsmExtract, read_osm
from mission.roads.osm_tags import WayRule, is_road, rule_of
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, MODE_ACCESS, MOTOR_MODES, TravelMode, network_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import distance_m

NODES = 12
TAGS = st.fixed_dictionaries(
    {
        "highway": st.sampled_from(
            ["motorway", "trunk", "primary", "residential", "service", "track", "footway", "steps"]
        )
    },
    optional={
        "oneway": st.sampled_from(["yes", "no", "-1", "reversible", "nonsense"]),
        "access": st.sampled_from(["yes", "no", "private", "destination", "odd"]),
        "bicycle": st.sampled_from(["yes", "no"]),
        "foot": st.sampled_from(["yes", "no"]),
        "emergency": st.sampled_from(["yes", "no"]),
        "junction": st.just("roundabout"),
        "maxspeed": st.sampled_from(["30", "50 mph", "walk", "80"]),
    },
)
WAYS = st.lists(st.tuples(st.lists(st.integers(1, NODES + 2), min_size=1, max_size=6), TAGS), min_size=1, max_size=10)
Way = tuple[list[int], dict[str, str]]


def place(number: int) -> tuple[float, float]:
    """Return [lon, lat] of a node."""
    return 103.8 + 0.002 * (number % 4), 36.0 + 0.0015 * (number // 4)


NUMBERS = {
    (round(lon, 4), round(lat, 4)): number for number, (lon, lat) in ((n, place(n)) for n in range(1, NODES + 1))
}


def read(ways: list[Way]) -> OsmExtract:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.osm.pbf"
        with osmium.SimpleWriter(str(path)) as writer:
            for number in range(1, NODES + 1):
                writer.add_node(osmium.osm.mutable.Node(id=number, location=place(number)))
            for number, (refs, tags) in enumerate(ways, 1):
                writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
        return read_osm(path)


def times_of(ways: list[Way], mode: TravelMode) -> "nx.MultiDiGraph[int]":
    """The network of the ways by node number; a way's missing nodes (above NODES) are gaps."""
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    network.add_nodes_from(range(1, NODES + 1))
    for refs, tags in ways:
        rule = rule_of(tags) if is_road(tags) else None
        if rule is None:
            continue
        for a, b in pairwise(refs[::-1] if rule.is_reversed else refs):
            if a != b and max(a, b) <= NODES:
                along_s, against_s = seconds_of(rule, a, b, mode)
                network.add_edge(a, b, weight=along_s)
                network.add_edge(b, a, weight=against_s)
    return network


def seconds_of(rule: WayRule, a: int, b: int, mode: TravelMode) -> tuple[float, float]:
    """Return the seconds along and against one stretch, inf where the mode may not go."""
    (lon_a, lat_a), (lon_b, lat_b) = place(a), place(b)
    speeds = DEFAULT_SPEEDS.class_speed_mps
    limit_ratio = rule.speed_mps / speeds[TravelMode.CAR][rule.road_class] if mode in MOTOR_MODES else 1.0
    seconds = float(distance_m(lat_a, lon_a, lat_b, lon_b)) / (speeds[mode][rule.road_class] * limit_ratio)
    bits = (rule.access, rule.back_access)
    may = [bool(side & MODE_ACCESS[mode]) for side in bits]
    if mode is TravelMode.FOOT:
        may = [any(may)] * 2
    against_traffic = mode is TravelMode.BLUE_LIGHT and any(may) and rule.road_class not in {0, 8}
    detour = DEFAULT_SPEEDS.contraflow_factor if against_traffic else np.inf
    along_s, against_s = (seconds if allowed else seconds * detour for allowed in may)
    return along_s, against_s


@given(ways=WAYS, mode=st.sampled_from(GROUND_MODES))
@settings(max_examples=60, deadline=None)
def test_times_equal_networkx_whatever_the_file_holds(ways: list[Way], mode: TravelMode) -> None:
    try:
        found = read(ways)
    except InputError:  # nothing that anybody may use
        return
    roads, oracle = found.roads, times_of(ways, mode)
    kept = [NUMBERS[key] for key in zip(roads.node_lon_deg.round(4), roads.node_lat_deg.round(4), strict=True)]
    matrix = dijkstra(network_of(roads, mode).matrix)
    for tail, number in enumerate(kept):
        expected = nx.single_source_dijkstra_path_length(oracle, number)
        assert matrix[tail] == pytest.approx([expected.get(other, np.inf) for other in kept], abs=1e-3)


@given(ways=WAYS)
@settings(max_examples=40, deadline=None)
def test_a_graph_comes_back_from_its_file_and_its_streets_stay(ways: list[Way]) -> None:
    try:
        roads = read(ways).roads
    except InputError:
        return
    with tempfile.TemporaryDirectory() as folder:
        roads.save(Path(folder) / "roads.npz")
        again = load_roads(Path(folder) / "roads.npz")
    for column in fields(RoadGraph):
        mine, theirs = getattr(roads, column.name), getattr(again, column.name)
        if column.name in {"edge_length_m", "edge_seconds"}:
            assert np.abs(mine - theirs).max() <= 0.006
        elif column.name in {"node_lat_deg", "node_lon_deg"}:
            assert np.abs(mine - theirs).max() <= 1e-7
        else:
            assert np.array_equal(mine, theirs), column.name
    assert np.array_equal(again.streets.of_edge, roads.streets.of_edge)
