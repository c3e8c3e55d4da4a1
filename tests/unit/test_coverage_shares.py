"""Coverage counts partial streets, both directions, zones, walkers; its contours agree with the travel times."""

from time import process_time
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from console.demo.city import lay_out
from mission.coverage import FOOT_MPS, LIMITS_S, Coverage
from mission.roads import RoadGraph
from telemetry.model.geodesy import local_plane
from tests.unit.test_roads_travel_times import PLANE, graph_of, oracle

NOBODY = np.zeros(0)


def at(*places_m: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    xy = np.array(places_m, np.float64).reshape(-1, 2)
    return PLANE.from_plane(xy[:, 0], xy[:, 1])


def line(seconds: float, *, both_ways: bool) -> RoadGraph:
    """One street of 1200 m in 4 pieces of 300 m, each of which takes `seconds`."""
    forward = [(i, i + 1, seconds) for i in range(4)]
    backward = [(i + 1, i, seconds) for i in range(4)] if both_ways else []
    return graph_of([(300.0 * i, 0.0) for i in range(5)], [*forward, *backward])


def test_a_street_counts_as_far_as_a_car_gets_in_time() -> None:
    coverage = Coverage(line(80.0, both_ways=True), *at((0.0, 0.0)))
    shares = coverage.shares(*at((0.0, 5.0)))
    assert shares.total == pytest.approx([60 / 320, 180 / 320, 300 / 320], rel=1e-3)
    assert shares.zones.tolist() == pytest.approx(shares.total[None, :])
    assert shares.unit_count == 1


def test_a_car_in_the_middle_of_an_edge_reaches_both_ways() -> None:
    coverage = Coverage(line(80.0, both_ways=True), *at((0.0, 0.0)))
    assert coverage.shares(*at((450.0, 0.0))).total[0] == pytest.approx(120 / 320, rel=1e-3)


def test_on_a_one_way_street_only_what_lies_ahead_is_reached() -> None:
    coverage = Coverage(line(80.0, both_ways=False), *at((0.0, 0.0)))
    assert coverage.shares(*at((450.0, 0.0))).total == pytest.approx([60 / 320, 180 / 320, 200 / 320], rel=1e-3)


def test_who_stands_at_a_junction_may_choose_another_street_than_the_one_way_one() -> None:
    graph = graph_of([(0, 0), (300, 0), (0, 300)], [(0, 1, 30.0), (0, 2, 30.0), (2, 0, 30.0)])
    coverage = Coverage(graph, *at((0.0, 0.0)))
    assert coverage.shares(*at((4.0, -3.0))).total[0] == pytest.approx(1.0, abs=0.01)
    assert coverage.shares(*at((40.0, -3.0))).total[0] == pytest.approx(260 / 600, abs=0.01)


def test_two_cars_that_meet_do_not_count_a_street_twice() -> None:
    coverage = Coverage(line(80.0, both_ways=True), *at((0.0, 0.0)))
    assert coverage.shares(*at((0.0, 0.0), (300.0, 0.0))).total[0] == pytest.approx((80 + 60) / 320, rel=1e-3)


def test_a_walker_reaches_what_can_be_walked_against_one_way_streets_too() -> None:
    coverage = Coverage(line(10.0, both_ways=False), *at((0.0, 0.0)))
    walks = np.ones(1, np.bool_)
    expected = [min(1.0, 2 * FOOT_MPS * limit_s / 1200) for limit_s in LIMITS_S]
    assert coverage.shares(*at((600.0, 0.0)), walks).total == pytest.approx(expected, rel=1e-3)


def test_nobody_near_a_road_reaches_nothing() -> None:
    coverage = Coverage(line(80.0, both_ways=True), *at((0.0, 0.0)))
    for shares in (coverage.shares(NOBODY, NOBODY), coverage.shares(*at((0.0, 5000.0)))):
        assert shares.total.tolist() == [0.0, 0.0, 0.0]
        assert shares.unit_count == 0


def test_a_zone_is_what_its_station_reaches_first() -> None:
    coverage = Coverage(line(80.0, both_ways=True), *at((0.0, 0.0), (1200.0, 0.0)))
    assert coverage.zone_of_node.tolist() == [0, 0, 0, 1, 1]
    zones = coverage.shares(*at((1200.0, 0.0))).zones
    assert zones[:, 1].tolist() == pytest.approx([100 / 240, 1.0], rel=1e-3)


@pytest.fixture(scope="module")
def city() -> RoadGraph:
    return lay_out(5)[2]


def test_city_shares_equal_networkx(city: RoadGraph) -> None:
    """The oracle walks every street from both ends by networkx's own travel times."""
    nodes = np.random.default_rng(3).choice(city.node_count, 60, replace=False)
    coverage = Coverage(city, city.node_lat_deg[:2], city.node_lon_deg[:2])
    shares = coverage.shares(city.node_lat_deg[nodes], city.node_lon_deg[nodes])
    found = nx.multi_source_dijkstra_path_length(oracle(city), set(nodes.tolist()), cutoff=LIMITS_S[-1])
    network: Any = oracle(city)
    total, reached = 0.0, np.zeros(3)
    for tail, head, edge_length in zip(
        city.edge_from.tolist(), city.edge_to.tolist(), city.edge_length_m.tolist(), strict=True
    ):
        back = network.get_edge_data(head, tail, default={})
        if back and tail > head:
            continue
        forward_s = min(entry["weight"] for entry in network.get_edge_data(tail, head).values())
        backward_s = np.inf if not back else min(entry["weight"] for entry in back.values())
        total += edge_length
        for column, limit_s in enumerate(LIMITS_S):
            ahead = max(limit_s - found.get(tail, np.inf), 0.0) / forward_s
            behind = max(limit_s - found.get(head, np.inf), 0.0) / backward_s
            reached[column] += min(1.0, ahead + behind) * edge_length
    assert shares.total == pytest.approx(reached / total, abs=1e-5)


def test_planned_contours_are_sound_nested_and_agree_with_the_roads(city: RoadGraph) -> None:
    nodes = [1000, 9000]
    coverage = Coverage(city, city.node_lat_deg[nodes], city.node_lon_deg[nodes])
    planned = coverage.planned([4, 7])
    keys = [(f["properties"]["station_id"], f["properties"]["minutes"]) for f in planned["features"]]
    assert keys == [(station, minutes) for station in (4, 7, None) for minutes in (5, 3, 1)]
    shapes = {key: shape(feature["geometry"]) for key, feature in zip(keys, planned["features"], strict=True)}
    assert all(polygon.is_valid and polygon.area > 0 for polygon in shapes.values())
    for station in (4, 7, None):
        for inner, outer in ((1, 3), (3, 5)):
            lost = shapes[station, inner].difference(shapes[station, outer])
            assert lost.area < 0.03 * shapes[station, inner].area
    within = shapely.contains_xy(shapes[None, 3], city.node_lon_deg, city.node_lat_deg)
    times = [nx.single_source_dijkstra_path_length(oracle(city), node, cutoff=400) for node in nodes]
    nearest = np.array([min(found.get(node, np.inf) for found in times) for node in range(city.node_count)])
    clear = np.abs(nearest - 180.0) > 30.0
    assert (within == (nearest < 180.0))[clear].mean() > 0.97


def test_the_plane_of_the_tests_is_that_of_the_geodesy() -> None:
    assert PLANE is local_plane(36.0, 103.8)


def test_a_tick_for_five_hundred_units_takes_at_most_sixty_milliseconds_of_cpu(city: RoadGraph) -> None:
    random = np.random.default_rng(8)
    coverage = Coverage(city, city.node_lat_deg[:14], city.node_lon_deg[:14])
    nodes = random.choice(city.node_count, 500, replace=False)
    lat, lon, walks = city.node_lat_deg[nodes], city.node_lon_deg[nodes], random.random(500) < 0.5
    spent_s = []
    for _ in range(5):
        started_s = process_time()
        coverage.shares(lat, lon, walks)
        spent_s.append(process_time() - started_s)
    assert min(spent_s) <= 0.060
