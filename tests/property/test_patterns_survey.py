"""Surveys of random areas among random zones: all is seen, nothing closed is entered, and lines stay near the bound."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mission.model import Airframe
from mission.patterns.flown import Shape
from mission.patterns.legs import fly_s
from mission.patterns.survey import survey
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

SWATH_M = 25.0
OPEN = shapely.GeometryCollection()
DRONE = Airframe(airframe_id=1, name="D1", dock_id=1)


def legs_s(places: Floats) -> Floats:
    return fly_s(places, DRONE)


def line_of(places: Floats) -> Shape:
    return shapely.LineString(places) if len(places) > 1 else shapely.Point(places[0])


def unseen_ratio(area: Shape, places: Floats, swath_m: float) -> float:
    seen = line_of(places).buffer(swath_m / 2.0, quad_segs=64)
    return float(area.difference(seen).area / area.area)


@st.composite
def stars(draw: st.DrawFn, size_m: float, most_corners: int, within_m: float = 0.0) -> Shape:
    """Draw a polygon around a place: corners in the order of their bearings, near and far."""
    count = draw(st.integers(3, most_corners))
    reach = draw(st.lists(st.integers(35, 100), min_size=count, max_size=count))
    start_deg = draw(st.integers(0, 359))
    middle = [draw(st.integers(-int(within_m), int(within_m))) for _ in range(2)] if within_m else [0, 0]
    bearing = np.radians(start_deg + 360.0 * np.arange(count) / count)
    radius = np.array(reach) / 100.0 * size_m
    return shapely.Polygon(
        np.column_stack((middle[0] + radius * np.cos(bearing), middle[1] + radius * np.sin(bearing)))
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(area=stars(180.0, 10), zones=st.lists(stars(45.0, 6, 120.0), max_size=3))
def test_all_of_an_area_is_seen_and_no_zone_is_entered(area: Shape, zones: list[Shape]) -> None:
    closed = shapely.union_all(zones)
    free = area.difference(closed)
    assume(free.area > 2_000.0)
    found = survey(area, closed, swath_m=SWATH_M, legs_s=legs_s)
    assert line_of(found.places).intersection(closed).length == 0.0
    reachable = free.difference(closed.buffer(0.2).buffer(-0.2)) if zones else free
    seen_m2 = free.area * (1.0 - unseen_ratio(free, found.places, SWATH_M))
    assert seen_m2 >= 0.999 * reachable.area - (found.left_out_m2 - (area.area - free.area)) - 1.0


@settings(max_examples=15, deadline=None, derandomize=True)
@given(area=stars(250.0, 8), spin_deg=st.integers(0, 179))
def test_a_line_is_no_longer_than_its_area_and_a_few_turns_ask_for(area: Shape, spin_deg: int) -> None:
    area = shapely.affinity.rotate(area, spin_deg)
    found = survey(area, OPEN, swath_m=SWATH_M, legs_s=legs_s)
    bound_m = (area.area - math.pi * SWATH_M**2 / 4.0) / SWATH_M
    assert line_of(found.places).length <= bound_m + 1.5 * area.length
    assert unseen_ratio(area, found.places, SWATH_M) <= 0.001


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    length_m=st.floats(0.5, 2_000.0),
    width_m=st.floats(0.01, 20.0),
    spin_deg=st.floats(0.0, 180.0),
    shift_m=st.floats(-1e4, 1e4),
)
def test_slivers_are_flown_along_once(length_m: float, width_m: float, spin_deg: float, shift_m: float) -> None:
    sliver = shapely.affinity.rotate(shapely.box(shift_m, 0.0, shift_m + length_m, width_m), spin_deg)
    found = survey(sliver, OPEN, swath_m=SWATH_M, legs_s=legs_s)
    assert line_of(found.places).length <= length_m + 1.0
    assert unseen_ratio(sliver, found.places, SWATH_M) <= 0.001


def test_an_area_smaller_than_one_look_is_one_place() -> None:
    assert len(survey(shapely.box(0.0, 0.0, 10.0, 10.0), OPEN, swath_m=SWATH_M, legs_s=legs_s).places) == 1


def test_a_large_area_is_cut_into_its_lines() -> None:
    area = shapely.box(0.0, 0.0, 10_000.0, 8_000.0)
    found = survey(area, OPEN, swath_m=100.0, legs_s=legs_s)
    assert line_of(found.places).length <= 1.01 * area.area / 100.0
    assert unseen_ratio(area, found.places, 100.0) <= 0.001


def test_an_area_of_more_lines_than_a_day_is_long_is_refused() -> None:
    with pytest.raises(InputError, match="fly higher"):
        survey(shapely.box(0.0, 0.0, 60_000.0, 60_000.0), OPEN, swath_m=SWATH_M, legs_s=legs_s)


def test_an_area_that_is_all_closed_is_refused() -> None:
    area = shapely.box(0.0, 0.0, 100.0, 100.0)
    with pytest.raises(InputError, match="open air"):
        survey(area, area.buffer(10.0), swath_m=SWATH_M, legs_s=legs_s)


def test_a_room_that_zones_shut_in_is_left_out_and_counted() -> None:
    wall = shapely.box(100.0, 100.0, 300.0, 300.0).difference(shapely.box(130.0, 130.0, 270.0, 270.0))
    found = survey(shapely.box(0.0, 0.0, 400.0, 400.0), wall, swath_m=SWATH_M, legs_s=legs_s)
    assert found.left_out_m2 == pytest.approx(200.0**2, rel=0.001)
    assert not line_of(found.places).intersects(wall)


def test_a_hole_of_the_area_that_is_no_zone_may_be_flown_over_but_need_not_be_seen() -> None:
    area = shapely.box(0.0, 0.0, 400.0, 400.0).difference(shapely.box(120.0, 120.0, 280.0, 280.0))
    over = survey(area, OPEN, swath_m=SWATH_M, legs_s=legs_s)
    whole = survey(shapely.box(0.0, 0.0, 400.0, 400.0), OPEN, swath_m=SWATH_M, legs_s=legs_s)
    assert line_of(over.places).length < line_of(whole.places).length
    assert unseen_ratio(area, over.places, SWATH_M) <= 0.001


def test_the_same_area_is_flown_the_same_way_again() -> None:
    area = shapely.box(0.0, 0.0, 300.0, 200.0)
    zone = shapely.box(100.0, 50.0, 180.0, 120.0)
    first, second = (survey(area, zone, swath_m=SWATH_M, legs_s=legs_s).places for _ in range(2))
    assert np.array_equal(first, second)


def jagged(rng: np.random.Generator, middle: tuple[float, float], size_m: float, count: int) -> Shape:
    """Return a polygon around a place, corners at any bearing."""
    bearing = np.sort(rng.uniform(0.0, 2.0 * np.pi, count))
    radius = size_m * rng.uniform(0.35, 1.0, count)
    return shapely.Polygon(
        np.column_stack((middle[0] + radius * np.cos(bearing), middle[1] + radius * np.sin(bearing)))
    )


@pytest.mark.parametrize("seed", [613, 644, 668, 684])
def test_borders_that_cross_by_less_than_a_rounding_are_surveyed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size_m = float(rng.choice([60, 200, 400, 700]))
    area = jagged(rng, (0.0, 0.0), size_m, int(rng.integers(3, 14)))
    zones = []
    for _ in range(rng.integers(0, 4)):
        middle = rng.uniform(-size_m * 0.6, size_m * 0.6, 2)
        zones.append(jagged(rng, (middle[0], middle[1]), size_m * rng.uniform(0.08, 0.3), int(rng.integers(3, 8))))
    closed = shapely.union_all([zone for zone in zones if zone.is_valid])
    found = survey(area, closed, swath_m=SWATH_M, legs_s=legs_s)
    assert unseen_ratio(area.difference(closed), found.places, SWATH_M) <= 0.001
    assert line_of(found.places).intersection(closed).length == 0.0
