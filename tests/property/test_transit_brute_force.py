"""Ways round closed air against every sequence of corners tried out; no way ever enters a zone."""

from itertools import permutations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mission.patterns.flown import Shape
from mission.patterns.transit import CLEAR_M, Ways
from telemetry.model.geodesy import Floats

triangles = st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=3, max_size=3, unique=True).map(
    shapely.Polygon
)
places = st.tuples(st.integers(-80, 80), st.integers(-80, 80)).map(lambda place: np.array(place, np.float64))


def shortest_m(zones: Shape, start: Floats, end: Floats) -> float:
    """Try the straight way and every way over up to four corners of the zones themselves."""
    inner = zones.buffer(-1e-6)
    corners = [tuple(corner) for corner in np.unique(shapely.get_coordinates(zones), axis=0)]
    best_m = np.inf
    for count in range(5):
        for bends in permutations(corners, count):
            line = shapely.LineString([tuple(start), *bends, tuple(end)])
            if line.length < best_m and not line.intersects(inner):
                best_m = line.length
    return float(best_m)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(zones=st.lists(triangles, min_size=1, max_size=2), start=places, end=places)
def test_the_way_is_as_short_as_the_shortest_of_all_sequences_of_corners(
    zones: list[Shape], start: Floats, end: Floats
) -> None:
    closed = shapely.union_all(zones)
    assume(closed.area > 50.0 and not np.array_equal(start, end))
    assume(min(closed.distance(shapely.Point(place)) for place in (start, end)) > 3.0 * CLEAR_M)
    ways = Ways(closed)
    found = ways.way(start, end)
    assert found is not None
    assert np.array_equal(found[[0, -1]], np.stack((start, end)))
    line = shapely.LineString(found)
    assert not line.intersects(closed)
    by_hand_m = shortest_m(closed, start, end)
    assert by_hand_m - 1e-6 <= line.length <= by_hand_m + 2.0 * len(found) + 0.05 * by_hand_m
    assert ways.between(np.stack((start, end)))[0, 1] == pytest.approx(line.length, abs=0.01)


def test_a_place_inside_a_zone_or_shut_in_by_one_is_reached_by_no_way() -> None:
    wall = shapely.box(0.0, 0.0, 100.0, 100.0).difference(shapely.box(20.0, 20.0, 80.0, 80.0))
    ways = Ways(wall)
    outside, inside, within = np.array([-50.0, 50.0]), np.array([50.0, 50.0]), np.array([10.0, 50.0])
    assert ways.way(outside, inside) is None
    assert ways.way(outside, within) is None
    assert np.isinf(ways.between(np.stack((outside, inside)))[0, 1])


def test_a_start_close_to_a_wall_is_first_led_away_from_it() -> None:
    ways = Ways(shapely.box(0.0, 0.0, 100.0, 100.0))
    found = ways.way(np.array([-0.01, 50.0]), np.array([150.0, 50.0]))
    assert found is not None
    assert not shapely.LineString(found).intersects(ways.closed)


def test_open_air_is_crossed_straight() -> None:
    found = Ways(shapely.GeometryCollection()).way(np.zeros(2), np.array([30.0, 40.0]))
    assert found is not None
    assert found.tolist() == [[0.0, 0.0], [30.0, 40.0]]


def test_ways_among_zones_of_many_corners_are_hardly_longer_and_still_find_narrow_passages() -> None:
    rng = np.random.default_rng(1)
    middles = np.column_stack((rng.uniform(0.0, 1_200.0, 8), rng.uniform(-600.0, 600.0, 8)))
    round_zones = [shapely.Point(middle).buffer(rng.uniform(60.0, 200.0), quad_segs=64) for middle in middles]
    passage = [shapely.box(-300.0, -2_000.0, -290.0, 299.5), shapely.box(-300.0, 300.5, -290.0, 2_000.0)]
    closed = shapely.union_all([*round_zones, *passage])
    start, end = np.array([-1_500.0, 0.0]), np.array([1_500.0, 100.0])
    found, exact = Ways(closed).way(start, end), Ways(closed, is_exact=True).way(start, end)
    assert found is not None
    assert exact is not None
    assert not shapely.LineString(found).intersects(closed)
    assert len(Ways(closed).corners) < len(Ways(closed, is_exact=True).corners) / 2
    assert (
        shapely.LineString(exact).length <= shapely.LineString(found).length <= 1.03 * shapely.LineString(exact).length
    )
