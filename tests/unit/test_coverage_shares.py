"""Coverage counts partial streets, both directions, zones, walkers; its contours agree with the travel times."""

from dataclasses import replace
from time import process_time
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from console.demo.city import lay_out
from mission.cover.contours import OFF_ROAD_REACH_M, field_of, planned_geojson
from mission.cover.coverage import LIMITS_S, Coverage
from mission.cover.ground import GroundUnits, Places, StationPosts, Weights, station_posts
from mission.cover.posting import planned_units
from mission.roads.graph import CLASS_PATH, RoadGraph
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, TravelMode
from telemetry.model.errors import InputError, UnknownCrsError
from telemetry.model.geodesy import local_plane
from tests.unit.test_roads_travel_times import PLANE, graph_of, oracle

FOOT_MPS = DEFAULT_SPEEDS.class_speed_mps[TravelMode.FOOT][0]
Place = tuple[float, float]


def degrees(places_m: tuple[Place, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    xy = np.array(places_m, np.float64).reshape(-1, 2)
    return PLANE.from_plane(xy[:, 0], xy[:, 1])


def posts(*places_m: Place) -> StationPosts:
    """Stations 1, 2 ... at places in metres, all in the ring."""
    ids = list(range(1, len(places_m) + 1))
    return station_posts(ids, *degrees(places_m), ring_order=ids)


def units(*places_m: Place, mode: TravelMode = TravelMode.CAR, turnout_s: float = 20.0) -> GroundUnits:
    """Units 101, 102 ... of station 1 at places in metres."""
    lat, lon = degrees(places_m)
    count = len(places_m)
    return GroundUnits(
        np.arange(101, 101 + count, dtype=np.int32),
        np.ones(count, np.int32),
        lat,
        lon,
        np.full(count, GROUND_MODES.index(mode), np.int32),
        np.full(count, turnout_s),
    )


def line(seconds: float, *, both_ways: bool) -> RoadGraph:
    """One street of 1200 m in 4 pieces of 300 m, each of which takes `seconds`."""
    forward = [(i, i + 1, seconds) for i in range(4)]
    backward = [(i + 1, i, seconds) for i in range(4)] if both_ways else []
    return graph_of([(300.0 * i, 0.0) for i in range(5)], [*forward, *backward])


def test_a_street_counts_as_far_as_a_car_gets_in_time() -> None:
    now = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0))).now(units((0.0, 5.0)))
    assert now.shares == pytest.approx([60 / 320, 180 / 320, 300 / 320], rel=1e-3)
    assert now.zone_shares.tolist() == pytest.approx(now.shares[None, :])
    assert (now.on_map_count, now.off_map_count) == (1, 0)


def test_a_car_in_the_middle_of_an_edge_reaches_both_ways() -> None:
    now = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0))).now(units((450.0, 0.0)))
    assert now.shares[0] == pytest.approx(120 / 320, rel=1e-3)


def test_on_a_one_way_street_only_what_lies_ahead_is_reached() -> None:
    now = Coverage(line(80.0, both_ways=False), posts((0.0, 0.0))).now(units((450.0, 0.0)))
    assert now.shares == pytest.approx([60 / 320, 180 / 320, 200 / 320], rel=1e-3)


def test_who_stands_at_a_junction_may_choose_another_street_than_the_one_way_one() -> None:
    graph = graph_of([(0, 0), (300, 0), (0, 300)], [(0, 1, 30.0), (0, 2, 30.0), (2, 0, 30.0)])
    coverage = Coverage(graph, posts((0.0, 0.0)))
    assert coverage.now(units((4.0, -3.0))).shares[0] == pytest.approx(1.0, abs=0.02)
    assert coverage.now(units((40.0, -3.0))).shares[0] == pytest.approx(260 / 600, abs=0.01)


def test_two_cars_that_meet_do_not_count_a_street_twice() -> None:
    now = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0))).now(units((0.0, 0.0), (300.0, 0.0)))
    assert now.shares[0] == pytest.approx((80 + 60) / 320, rel=1e-3)
    assert now.double_shares[0] == pytest.approx(40 / 320, rel=1e-3), "60 s from one and 60 s from the other overlap"


def test_what_a_unit_alone_reaches_is_what_its_leaving_costs() -> None:
    now = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0))).now(units((0.0, 0.0), (1200.0, 0.0), (1200.0, 0.0)))
    assert now.loss_ratio == pytest.approx([140 / 320, 0.0, 0.0], rel=1e-3)


def test_a_walker_reaches_what_can_be_walked_against_one_way_streets_too() -> None:
    coverage = Coverage(line(10.0, both_ways=False), posts((0.0, 0.0)))
    expected = [min(1.0, 2 * FOOT_MPS * limit_s / 1200) for limit_s in LIMITS_S]
    assert coverage.now(units((600.0, 0.0), mode=TravelMode.FOOT)).shares == pytest.approx(expected, rel=1e-3)


def test_nobody_near_a_road_reaches_nothing_and_is_counted() -> None:
    coverage = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0)))
    nowhere = units((0.0, 0.0), (0.0, 0.0))
    nowhere.lat_deg[:] = [np.nan, 91.0]
    for given, off_map in ((units(), 0), (units((0.0, 5000.0)), 1), (nowhere, 2)):
        now = coverage.now(given)
        assert now.shares.tolist() == [0.0, 0.0, 0.0]
        assert (now.on_map_count, now.off_map_count) == (0, off_map)
        assert now.response.p50_s is None
        assert now.loss_ratio.tolist() == [0.0] * off_map


def test_all_units_at_one_place_cover_what_one_covers_doubly_and_none_is_missed() -> None:
    coverage = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0)))
    now = coverage.now(units(*[(450.0, 0.0)] * 300))
    assert now.shares == pytest.approx(coverage.now(units((450.0, 0.0))).shares)
    assert now.double_shares == pytest.approx(now.shares)
    assert now.loss_ratio.max() == pytest.approx(0.0, abs=1e-9)


def test_a_zone_is_what_its_station_reaches_first() -> None:
    coverage = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0), (1200.0, 0.0)))
    assert coverage.zone_of_node.tolist() == [0, 0, 0, 1, 1]
    zones = coverage.now(units((1200.0, 0.0))).zone_shares
    assert zones[:, 1].tolist() == pytest.approx([100 / 240, 1.0], rel=1e-3)


def test_a_station_in_the_river_snaps_to_the_nearest_road_and_one_far_away_has_no_zone() -> None:
    coverage = Coverage(line(80.0, both_ways=True), posts((0.0, 200.0), (1200.0, 900.0)))
    assert coverage.station_away_m == pytest.approx([200.0, 900.0], abs=1.0)
    assert coverage.has_zone.tolist() == [True, False]
    assert set(coverage.zone_of_node.tolist()) == {0}
    assert np.isnan(coverage.now(units((0.0, 0.0))).zone_shares[1]).all()


def test_a_map_without_roads_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(InputError, match="skybeat roads import"):
        Coverage(graph_of([(0.0, 0.0)], []), posts((0.0, 0.0)))


def test_coordinates_of_an_unknown_system_are_refused() -> None:
    with pytest.raises(UnknownCrsError):
        station_posts([1], [36.0], [103.8], crs="mars")


def test_without_people_and_incidents_their_shares_are_unknown_and_with_them_nodes_count() -> None:
    graph = line(80.0, both_ways=True)
    bare = Coverage(graph, posts((0.0, 0.0))).now(units((0.0, 0.0)))
    assert bare.people_shares is None
    assert bare.incident_shares is None
    node, hour = np.array([0, 0, 2, 4], np.int32), np.array([5, 5, 5, 100], np.int32)
    weights = Weights(people=np.array([1.0, 1.0, 1.0, 1.0, 6.0]), incident_node=node, incident_hour=hour)
    now = Coverage(graph, posts((0.0, 0.0)), weights=weights).now(units((0.0, 0.0)), hour_of_week=5)
    assert now.people_shares == pytest.approx([0.1, 0.3, 0.4])
    assert now.incident_shares == pytest.approx([0.5, 0.75, 0.75]), "few incidents: all hours count"


def test_past_incidents_count_by_the_hour_of_the_week_where_there_are_enough() -> None:
    hours = np.concatenate((np.full(30, 5), np.full(30, 90))).astype(np.int32)
    nodes = np.concatenate((np.full(30, 1), np.full(30, 3))).astype(np.int32)
    weights = Weights(incident_node=nodes, incident_hour=hours)
    assert np.asarray(weights.incidents(5, 5)).tolist() == [0.0, 30.0, 0.0, 0.0, 0.0]
    assert np.asarray(weights.incidents(5, 89)).tolist() == [0.0, 0.0, 0.0, 30.0, 0.0]
    assert np.asarray(weights.incidents(5, 29)).tolist() == [0.0, 30.0, 0.0, 0.0, 0.0], "the same hour of another day"
    assert np.asarray(weights.incidents(5, 50)).tolist() == [0.0, 30.0, 0.0, 30.0, 0.0]


def test_expected_response_counts_mobilisation_and_names_its_part() -> None:
    coverage = Coverage(line(80.0, both_ways=True), posts((0.0, 0.0)), weights=Weights(people=np.ones(5)))
    response = coverage.now(units((0.0, 0.0), turnout_s=25.0)).response
    assert response.p50_s == pytest.approx(25 + 160, abs=0.2)
    assert response.p90_s == pytest.approx(25 + 320, abs=0.2)
    assert response.turnout_s == pytest.approx(25.0)


def test_places_are_met_within_their_own_tier_or_named_as_missed() -> None:
    lat, lon = degrees(((150.0, 10.0), (900.0, 0.0), (1200.0, 0.0), (1200.0, 0.0), (600.0, 3000.0)))
    minutes = np.array([1, 1, 3, 5, 5], np.int32)
    places = Places(
        lat, lon, minutes, ("政府", "学校", "银行", "商场", "水库"), ("Hall", "School", "Bank", "Mall", "Dam")
    )
    coverage = Coverage(line(70.0, both_ways=True), posts((0.0, 0.0)), places=places)
    tiers = coverage.now(units((0.0, 0.0))).tiers
    assert [(tier.minutes, tier.total, tier.met, tier.misses) for tier in tiers] == [
        (1, 2, 1, (1,)),
        (3, 1, 0, (2,)),
        (5, 2, 1, (4,)),
    ]


def test_closed_streets_are_not_driven() -> None:
    graph = line(80.0, both_ways=True)
    closed = Coverage(graph, posts((0.0, 0.0)), closed_streets=np.array([1], np.int32))
    assert closed.now(units((0.0, 0.0))).shares[2] == pytest.approx(80 / 320, rel=1e-3)


@pytest.fixture(scope="module")
def city() -> RoadGraph:
    return lay_out(5)[2]


def test_city_shares_equal_networkx(city: RoadGraph) -> None:
    """The oracle walks every street from both ends by networkx's own travel times."""
    nodes = np.random.default_rng(3).choice(city.node_count, 60, replace=False)
    coverage = Coverage(city, station_posts([1], city.node_lat_deg[:1], city.node_lon_deg[:1]))
    cars = np.zeros(60, np.int32)
    at_nodes = GroundUnits(cars, cars, city.node_lat_deg[nodes], city.node_lon_deg[nodes], cars, np.zeros(60))
    now = coverage.now(at_nodes)
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
    assert now.shares == pytest.approx(reached / total, abs=1e-5)


def test_planned_contours_are_sound_nested_and_agree_with_the_roads(city: RoadGraph) -> None:
    nodes = [1000, 9000]
    coverage = Coverage(city, station_posts([4, 7], city.node_lat_deg[nodes], city.node_lon_deg[nodes]))
    planned = planned_geojson(coverage, coverage.now(planned_units(coverage, GroundUnits())))
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
    assert PLANE.to_plane(36.01, 103.82) == local_plane(36.0, 103.8).to_plane(36.01, 103.82)


def test_a_tick_for_five_hundred_units_takes_at_most_sixty_milliseconds_of_cpu(city: RoadGraph) -> None:
    random = np.random.default_rng(8)
    coverage = Coverage(city, station_posts(list(range(14)), city.node_lat_deg[:14], city.node_lon_deg[:14]))
    nodes = random.choice(city.node_count, 500, replace=False)
    modes = random.choice([0, 2, 4], 500).astype(np.int32)
    ids = np.arange(500, dtype=np.int32)
    force = GroundUnits(ids, ids, city.node_lat_deg[nodes], city.node_lon_deg[nodes], modes, np.zeros(500))
    spent_s = []
    for _ in range(5):
        started_s = process_time()
        coverage.now(force)
        spent_s.append(process_time() - started_s)
    assert min(spent_s) <= 0.060


def test_field_tracks_and_footpaths_weigh_nothing_but_whoever_walks_may_use_them() -> None:
    streets = line(60.0, both_ways=True)
    is_path = np.maximum(streets.edge_from, streets.edge_to) > 2
    road_class = np.where(is_path, CLASS_PATH, streets.edge_class).astype(streets.edge_class.dtype)
    graph = replace(streets, edge_class=road_class)
    coverage = Coverage(graph, posts((0.0, 0.0)))
    assert coverage.road_m.sum() == pytest.approx(600.0, rel=1e-3)
    field = field_of(graph)
    assert field.grid_m[0][field.is_ground].max() < graph.node_xy_m[2, 0] + OFF_ROAD_REACH_M
    now = coverage.now(units((1200.0, 0.0), mode=TravelMode.FOOT))
    assert now.on_map_count == 1
    assert np.isfinite(now.nearest.seconds[0]).all()
