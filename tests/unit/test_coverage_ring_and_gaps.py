"""The ring closes and breaks with its missing seconds, gaps come with who closes them, drift names who is missing."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from mission.cover.contours import LIVE_CELL_M, Surface, field_of, zone_shapes
from mission.cover.coverage import Coverage
from mission.cover.drift import drifts
from mission.cover.gaps import Gaps
from mission.cover.ground import GroundUnits, StationPosts
from mission.cover.posting import planned_units
from mission.cover.ring import LinkState, Ring, RingNow, Settled
from mission.roads.graph import RoadGraph
from mission.roads.travel import GROUND_MODES, TravelMode
from tests.unit.test_coverage_shares import posts, units
from tests.unit.test_roads_travel_times import graph_of


def street(length_m: float, seconds: float, *, pieces: int = 20) -> RoadGraph:
    """One straight two-way street."""
    step_m, step_s = length_m / pieces, seconds / pieces
    forward = [(i, i + 1, step_s) for i in range(pieces)]
    backward = [(i + 1, i, step_s) for i in range(pieces)]
    return graph_of([(step_m * i, 0.0) for i in range(pieces + 1)], [*forward, *backward])


def triangle() -> tuple[RoadGraph, StationPosts]:
    """Three stations at corners 400 s apart, joined by three streets."""
    corners = [(0.0, 0.0), (4000.0, 0.0), (2000.0, 3464.0)]
    places, edges = list(corners), []
    for one, other in ((0, 1), (1, 2), (2, 0)):
        chain = [one]
        for step in range(1, 20):
            share = step / 20
            places.append(
                tuple(a + share * (b - a) for a, b in zip(corners[one], corners[other], strict=True))  # type: ignore[arg-type]
            )
            chain.append(len(places) - 1)
        chain.append(other)
        edges += [(a, b, 20.0) for a, b in pairwise(chain)]
        edges += [(b, a, 20.0) for a, b in pairwise(chain)]
    return graph_of(places, edges), posts(*corners)


def crew(*stations: int) -> GroundUnits:
    """One car at the corner of each of these stations."""
    corners = {1: (0.0, 0.0), 2: (4000.0, 0.0), 3: (2000.0, 3464.0)}
    found = units(*(corners[station] for station in stations))
    found.station_id[:] = stations
    return found


def ring_of(coverage: Coverage, force: GroundUnits, *, limit_s: float = 300.0) -> RingNow:
    now = coverage.now(force)
    return Ring(coverage, limit_s=limit_s).now(now.standing, (force.station_id - 1).astype(np.int32))


def test_three_stations_with_a_car_each_close_the_ring_and_each_car_holds_it() -> None:
    graph, stations = triangle()
    ring = ring_of(Coverage(graph, stations), crew(1, 2, 3))
    assert ring.closed
    assert [(link.one, link.other) for link in ring.links] == [(0, 1), (1, 2), (2, 0)]
    assert all(link.missing_s == 0.0 and link.worst_lat_deg is None for link in ring.links)
    assert dict(ring.opened_by) == {0: 0, 1: 0, 2: 1}


def test_one_stations_absence_opens_both_of_its_links() -> None:
    graph, stations = triangle()
    ring = ring_of(Coverage(graph, stations), crew(1, 3))
    assert [link.closed for link in ring.links] == [False, False, True]
    assert ring.links[0].missing_s == np.inf, "nobody of the second station comes at all"
    assert ring.links[0].worst_lat_deg is not None


def test_an_open_link_tells_how_many_seconds_are_missing_at_its_worst_point() -> None:
    graph, stations = triangle()
    ring = ring_of(Coverage(graph, stations), crew(1, 2, 3), limit_s=150.0)
    assert not ring.closed
    assert [link.missing_s for link in ring.links] == pytest.approx([50.0] * 3, abs=1.0), "the middle is 200 s away"
    assert ring.links[0].overlap_ratio == 0.0


def test_a_unit_that_left_towards_another_station_makes_the_link_late_by_its_way_back() -> None:
    graph, stations = triangle()
    force = crew(1, 2, 3)
    force.lat_deg[0], force.lon_deg[0] = stations.lat_deg[2], stations.lon_deg[2]
    ring = ring_of(Coverage(graph, stations), force)
    assert [link.closed for link in ring.links] == [False, True, True]
    assert ring.links[0].missing_s == pytest.approx(300.0, abs=2.0), "600 s to the middle between 1 and 2"


def test_stations_whose_zones_do_not_touch_meet_in_the_middle_of_the_fastest_way() -> None:
    graph = street(6000.0, 600.0, pieces=24)
    coverage = Coverage(graph, posts((0.0, 0.0), (3000.0, 0.0), (6000.0, 0.0)))
    ring = Ring(coverage)
    assert [(border.one, border.other) for border in ring.borders] == [(0, 1), (1, 2), (2, 0)]
    assert len(ring.borders[2].length_m) == 1
    node = graph.streets.tail[ring.borders[2].points.street[0]]
    assert graph.node_xy_m[node][0] - graph.node_xy_m[0][0] == pytest.approx(3000.0, abs=1.0)


def test_two_stations_have_one_link_and_one_station_has_no_ring() -> None:
    graph = street(2000.0, 200.0)
    assert len(Ring(Coverage(graph, posts((0.0, 0.0), (2000.0, 0.0)))).borders) == 1
    alone = Ring(Coverage(graph, posts((0.0, 0.0))))
    assert alone.borders == ()
    now = Coverage(graph, posts((0.0, 0.0))).now(units((0.0, 0.0)))
    assert not alone.now(now.standing, np.zeros(1, np.int32)).closed
    assert Ring(Coverage(graph, posts((0.0, 0.0), (0.0, 900.0)))).borders == (), "a station without a zone is not in it"


def test_the_ways_between_stations_are_lines_from_post_to_post() -> None:
    graph, stations = triangle()
    ways = Ring(Coverage(graph, stations)).ways_geojson()["features"]
    assert [tuple(way["properties"].values()) for way in ways] == [(1, 2), (2, 3), (3, 1)]
    assert ways[0]["geometry"]["coordinates"][0] == pytest.approx([stations.lon_deg[0], stations.lat_deg[0]], abs=1e-5)
    assert len(ways[0]["geometry"]["coordinates"]) == 21


def test_a_link_is_shown_open_or_closed_once_it_has_stayed_so_for_two_seconds() -> None:
    def ring(ratio: float) -> RingNow:
        return RingNow(300.0, (LinkState(0, 1, ratio, 0.0, None, None),), {})

    settled = Settled()
    shown = [
        settled.take(ring(ratio), at_s).links[0].closed
        for ratio, at_s in (
            (1.0, 0.0),
            (0.5, 1.0),
            (1.0, 2.0),
            (0.5, 3.0),
            (0.5, 4.0),
            (0.5, 5.0),
            (1.0, 6.0),
            (1.0, 8.0),
        )
    ]
    assert shown == [True, True, True, True, True, False, False, True]


def test_ground_beyond_five_minutes_is_a_gap_with_its_road_and_who_closes_it_soonest() -> None:
    graph = street(9000.0, 900.0, pieces=90)
    coverage = Coverage(graph, posts((0.0, 0.0)))
    now = coverage.now(units((0.0, 0.0), (500.0, 0.0), (100.0, 0.0), (200.0, 0.0)))
    field = field_of(graph, cell_m=LIVE_CELL_M)
    gaps = Gaps(coverage, field).find(now)
    assert [gap.label for gap in gaps] == ["A"]
    assert gaps[0].road_km == pytest.approx(9.0 - 3.5, abs=0.2)
    assert gaps[0].area_km2 == pytest.approx(gaps[0].shape.area / 1e6)
    assert gaps[0].worst_s == pytest.approx(850.0, abs=1.0)
    assert (gaps[0].people_ratio, gaps[0].station) == (None, 0)
    assert [closer.row for closer in gaps[0].closers] == [1, 3, 2]
    middle_s = graph.node_xy_m[gaps[0].middle_node][0] - graph.node_xy_m[0][0]
    assert gaps[0].closers[0].arrival_s == pytest.approx((middle_s - 500.0) / 10.0 + 20.0, abs=0.5), "turnout counts"
    people = np.zeros(graph.node_count)
    people[[0, 80]] = [3.0, 1.0]
    assert Gaps(coverage, field).find(now, people=people)[0].people_ratio == pytest.approx(0.25)


def test_with_nobody_on_duty_all_ground_is_one_gap_that_nobody_closes() -> None:
    graph = street(9000.0, 900.0, pieces=90)
    coverage = Coverage(graph, posts((0.0, 0.0)))
    gaps = Gaps(coverage, field_of(graph, cell_m=LIVE_CELL_M)).find(coverage.now(units()))
    assert len(gaps) == 1
    assert gaps[0].road_km == pytest.approx(9.0, abs=0.01)
    assert (gaps[0].worst_s, gaps[0].closers) == (np.inf, ())


def test_a_unit_whose_leaving_would_open_a_gap_is_named_with_the_area() -> None:
    graph = street(9000.0, 900.0, pieces=90)
    coverage = Coverage(graph, posts((0.0, 0.0)))
    now = coverage.now(units((1500.0, 0.0), (7500.0, 0.0), (7600.0, 0.0)))
    opened = Gaps(coverage, field_of(graph, cell_m=LIVE_CELL_M)).opened_km2(now)
    assert set(opened) == {0}, "the other two stand in for each other"
    assert opened[0] == pytest.approx(4.5 * 0.4, rel=0.3)


def test_within_and_beyond_share_one_border_and_fill_the_ground() -> None:
    graph = street(9000.0, 900.0, pieces=90)
    coverage = Coverage(graph, posts((0.0, 0.0)))
    field = field_of(graph, cell_m=LIVE_CELL_M)
    surface = Surface(field, coverage.now(units((0.0, 0.0))).nearest.seconds[0])
    inside, outside = (
        shapely.union_all(parts) for parts in (surface.within(300.0), surface.beyond(300.0, least_m2=0.0))
    )
    assert inside.intersection(outside).area < 0.02 * inside.area
    zone = zone_shapes(field, coverage.zone_of_node, 1)[0]
    assert inside.union(outside).area == pytest.approx(zone.area, rel=0.2)


def test_drift_names_the_stations_own_units_that_are_missing_farthest_reaching_first() -> None:
    graph = street(6000.0, 600.0, pieces=60)
    coverage = Coverage(graph, posts((0.0, 0.0), (6000.0, 0.0)))
    modes = [TravelMode.FOOT, TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.CAR]
    zeros = np.zeros(4)
    crews = GroundUnits(
        np.array([1, 2, 3, 4], np.int32),
        np.array([1, 1, 1, 2], np.int32),
        zeros,
        zeros,
        np.array([GROUND_MODES.index(mode) for mode in modes], np.int32),
        zeros,
    )
    planned = coverage.now(planned_units(coverage, crews))
    walker = units((10.0, 0.0), mode=TravelMode.FOOT)
    walker.unit_id[:] = 1
    found = drifts(coverage, planned.zone_shares, coverage.now(walker), crews, silent=frozenset({2}))
    assert found[0].ratio > 0.3
    assert (found[0].present, found[0].crew, found[0].missing) == (2, 3, (3, 2)), "silent, or engaged, or away"
    assert found[1].missing == (4,)
    all_there = coverage.now(planned_units(coverage, crews))
    assert all(drift.missing == () for drift in drifts(coverage, planned.zone_shares, all_there, crews))


def test_a_unit_away_from_its_own_zone_is_missing_though_it_is_available() -> None:
    graph = street(6000.0, 600.0, pieces=60)
    coverage = Coverage(graph, posts((0.0, 0.0), (6000.0, 0.0)))
    crews = units((0.0, 0.0))
    planned = coverage.now(planned_units(coverage, crews))
    away = drifts(coverage, planned.zone_shares, coverage.now(units((5900.0, 0.0))), crews)
    assert away[0].missing == (101,)
    assert (away[0].present, away[0].crew) == (1, 1), "it is heard of all the same"


def test_a_station_without_crew_is_planned_with_one_car_and_crews_of_unknown_stations_are_left_out() -> None:
    coverage = Coverage(street(6000.0, 600.0), posts((0.0, 0.0), (6000.0, 0.0)))
    crews = units((0.0, 0.0), (0.0, 0.0))
    crews.station_id[:] = [1, 77]
    planned = planned_units(coverage, crews)
    assert planned.unit_id.tolist() == [101, -1]
    assert planned.station_id.tolist() == [1, 2]
    assert planned.lon_deg.tolist() == coverage.stations.lon_deg.tolist()
