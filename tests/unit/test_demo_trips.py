"""A demo unit that is sent drives to the place along the roads, in about the time that was reckoned, and comes back."""

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from console.demo.city import lay_out
from console.demo.ground import Streets, Walker
from mission.roads.graph import EdgeIndex
from mission.roads.travel import mode_of, network_of
from telemetry.model.geodesy import distance_m
from telemetry.model.unit import UnitKind

START = (36.056, 103.82)
CALL = (36.049, 103.842)


@pytest.fixture(scope="module")
def streets() -> Streets:
    return Streets(lay_out(4)[2])


def seconds_between(streets: Streets, kind: UnitKind) -> float:
    """Return the fastest time from the nearest junctions, by another search than the trip's."""
    lat, lon = np.array([START[0], CALL[0]]), np.array([START[1], CALL[1]])
    edge = EdgeIndex(streets.graph).snap(lat, lon, within_m=np.inf).edge
    first, last = int(streets.graph.edge_to[edge[0]]), int(streets.graph.edge_to[edge[1]])
    return float(dijkstra(network_of(streets.graph, mode_of(kind)).matrix, indices=[first])[0, last])


@pytest.mark.parametrize("kind", [UnitKind.OFFICER, UnitKind.MOTORCYCLE, UnitKind.CAR])
def test_a_unit_that_is_sent_arrives_in_the_reckoned_time_stays_and_comes_back(
    streets: Streets, kind: UnitKind
) -> None:
    unit = Walker(streets, kind, *START, (1, 3))
    first = unit.step(0.0)
    assert unit.go(*CALL, after_s=20.0)
    passed_s, ways = 0.0, [first]
    while not unit.is_there and passed_s < 4000.0:
        ways.append(unit.step(2.0))
        passed_s += 2.0
    reckoned_s = 20.0 + seconds_between(streets, kind)
    assert passed_s == pytest.approx(reckoned_s, rel=0.15, abs=60.0)
    assert distance_m(ways[-1].lat_deg, ways[-1].lon_deg, *CALL) < 25.0
    away_m = streets.index.snap(np.array([w.lat_deg for w in ways]), np.array([w.lon_deg for w in ways])).away_m
    assert np.percentile(away_m, 95) < 25.0
    there = [unit.step(5.0) for _ in range(20)]
    assert all(distance_m(seen.lat_deg, seen.lon_deg, *CALL) < 30.0 and seen.speed_mps == 0.0 for seen in there)
    unit.release()
    assert not unit.is_there
    back = [unit.step(5.0) for _ in range(600)]
    assert distance_m(back[-1].lat_deg, back[-1].lon_deg, *START) < 1800.0


def test_a_call_beyond_all_roads_is_not_driven_to(streets: Streets) -> None:
    unit = Walker(streets, UnitKind.CAR, *START, (1, 3))
    assert not unit.go(37.5, 103.8, after_s=0.0)
    assert unit.step(5.0).lat_deg == pytest.approx(START[0], abs=0.01)


@pytest.mark.parametrize("kind", [UnitKind.OFFICER, UnitKind.MOTORCYCLE, UnitKind.CAR])
def test_a_call_at_the_next_corner_or_in_the_same_street_is_gone_to_as_well(streets: Streets, kind: UnitKind) -> None:
    corners = np.random.default_rng(5).integers(0, streets.graph.node_count, 40)
    short_ways = set()
    for node in corners.tolist():
        here = streets.xy_m[node]
        for east_m, north_m in ((30.0, 0.0), (0.0, 30.0), (12.0, -12.0)):
            lat, lon = streets.graph.plane.from_plane(here[0] + east_m, here[1] + north_m)
            trip = streets.router.trip(kind, here - (15.0, 0.0), float(lat), float(lon))
            if trip is not None:
                assert trip.drive(4_000.0, 1.0).speed_mps >= 0.0
                assert trip.is_over
                short_ways.add(len(trip.points_m))
    assert min(short_ways) == 4, "no trip over one junction alone was among them"
