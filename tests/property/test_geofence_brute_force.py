"""The grid of geofences finds exactly what shapely finds, on borders too, however fences are made, changed and taken away."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from telemetry.geofences.fence import Geofence
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.shapes import rings_of
from telemetry.geofences.sightings import PLACE
from telemetry.geofences.ways import border_distances_m, crossings, fences_on

LAT_E7, LON_E7 = 360_000_000, 1_038_000_000
ORIGIN = np.array([LON_E7, LAT_E7], np.int64)


def fence(geofence_id: int, ring: Any, holes: tuple[Any, ...] = ()) -> Geofence:  # noqa: ANN401 - lists of positions
    rings = [[[x / 1e7, y / 1e7] for x, y in one] for one in (ring, *holes)]
    return Geofence(
        geofence_id=geofence_id, name_zh="区", name_en="area", geometry={"type": "Polygon", "coordinates": rings}
    )


def star(rng: np.random.Generator, size_e7: int, corners: int) -> list[list[int]]:
    centre = np.array([LON_E7, LAT_E7]) + rng.integers(-40_000, 40_000, 2)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = size_e7 * rng.uniform(0.2, 1.0, corners)
    ring = np.rint(centre + np.column_stack((radii * np.cos(angles), radii * np.sin(angles)))).astype(int)
    return [*ring.tolist(), ring[0].tolist()]


def polygons_of(fences: list[Geofence]) -> NDArray[Any]:
    """Return what shapely is asked: the same rings on the same plane."""
    shapes = []
    for one in fences:
        rings = [shapely.Polygon(ring) for ring in rings_of(one)]
        whole = rings[0]
        for ring in rings[1:]:
            whole = whole.symmetric_difference(ring)
        shapes.append(whole)
    return np.array(shapes)


def is_fit(one: Geofence) -> bool:
    shape = shapely.Polygon(np.array(one.geometry["coordinates"][0]) * 1e7)
    return bool(shape.is_valid and shape.area > 20_000)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Geofence], NDArray[np.int64]]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    fences = []
    for geofence_id in range(1, draw(st.integers(1, 12)) + 1):
        size_e7 = draw(st.sampled_from([300, 2_000, 30_000, 400_000]))
        ring = star(rng, size_e7, draw(st.sampled_from([3, 4, 7, 24, 150])))
        if shapely.Polygon(ring).is_valid and shapely.Polygon(ring).area > 20_000:
            fences.append(fence(geofence_id, ring))
    corners = [ring for one in fences for ring in rings_of(one)]
    places: list[NDArray[np.int64]] = [rng.integers(-500_000, 500_000, (150, 2)) + ORIGIN]
    places += [rng.integers(-3_000, 3_000, (150, 2)) + ORIGIN]
    places += [ring + rng.integers(-1, 2, ring.shape) for ring in corners]
    places += corners
    places += [(ring[:-1] + ring[1:]) // 2 for ring in corners]
    return fences, np.concatenate(places).astype(np.int64)


@settings(deadline=None, max_examples=60)
@given(world=worlds())
def test_places_in_fences_are_those_that_shapely_finds(world: tuple[list[Geofence], NDArray[np.int64]]) -> None:
    fences, places = world
    place, row = GeofenceIndex(fences).inside(places[:, 0], places[:, 1])
    points = shapely.points(places)
    expected = {
        (number, which)
        for which, shape in enumerate(polygons_of(fences))
        for number in np.flatnonzero(shapely.intersects(shape, points)).tolist()
    }
    assert set(zip(place.tolist(), row.tolist(), strict=True)) == expected
    assert len(place) == len(expected)


def test_holes_and_parts_and_squares_on_the_grids_own_lines_are_exact() -> None:
    west, south = LON_E7 // 4096 * 4096, LAT_E7 // 4096 * 4096
    square = [(0, 0), (8192, 0), (8192, 8192), (0, 8192), (0, 0)]
    hole = [(2048, 2048), (4096, 2048), (4096, 4096), (2048, 4096), (2048, 2048)]
    moved = [[(west + x, south + y) for x, y in ring] for ring in (square, hole)]
    one = fence(1, moved[0], (moved[1],))
    grid = np.stack(np.meshgrid(np.arange(-64, 8300, 64), np.arange(-64, 8300, 64)), axis=-1).reshape(-1, 2)
    places = np.concatenate((grid, grid + 1, grid - 1)) + np.array([west, south])
    place, _ = GeofenceIndex([one]).inside(places[:, 0], places[:, 1])
    shape = shapely.Polygon(moved[0], [moved[1]])
    assert sorted(place.tolist()) == np.flatnonzero(shapely.intersects(shape, shapely.points(places))).tolist()


def test_a_fence_as_wide_as_a_province_is_exact_along_its_border() -> None:
    corners = [(950_000_000, 330_000_001), (1_090_000_003, 340_000_007), (1_000_000_011, 420_000_013)]
    one = fence(1, [*corners, corners[0]])
    ring = np.array(corners + corners[:1])
    shares = np.random.default_rng(3).uniform(0, 1, (3_000, 1))
    which = np.arange(3_000) % 3
    on = np.rint(ring[which] + shares * (ring[which + 1] - ring[which])).astype(np.int64)
    places = np.concatenate((on, on + np.array([1, 0]), on - np.array([0, 1])))
    place, _ = GeofenceIndex([one]).inside(places[:, 0], places[:, 1])
    found = np.flatnonzero(shapely.intersects(shapely.Polygon(ring), shapely.points(places)))
    assert sorted(place.tolist()) == found.tolist()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_index_that_was_changed_is_as_one_built_anew(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = [fence(number, star(rng, 9_000, 24)) for number in range(1, 90)]
    fences = [one for one in made if is_fit(one)]
    index, wanted = GeofenceIndex(fences[:60]), {one.geofence_id: one for one in fences[:60]}
    for step in range(4):
        removed = rng.choice(list(wanted), 3, replace=False).tolist()
        added = fences[60 + 5 * step : 65 + 5 * step]
        moved = fence(fences[0].geofence_id, star(rng, 5_000, 3))
        added = [*added, moved] if is_fit(moved) else added
        index = index.changed(added, [number for number in removed if number != moved.geofence_id])
        for number in removed:
            if number != moved.geofence_id:
                wanted.pop(number, None)
        wanted |= {one.geofence_id: one for one in added}
    places = rng.integers(-50_000, 50_000, (400, 2)) + ORIGIN
    anew = GeofenceIndex(wanted.values())
    told = [
        sorted(zip(place.tolist(), made.rules.ids[row].tolist(), strict=True))
        for made in (index, anew)
        for place, row in [made.inside(places[:, 0], places[:, 1])]
    ]
    assert told[0] == told[1]
    assert len(index) == len(anew) == len(wanted)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_way_crosses_borders_where_shapely_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ring = star(rng, 20_000, 12)
    shape = shapely.Polygon(ring)
    if not shape.is_valid or shape.area < 20_000:
        return
    index = GeofenceIndex([fence(1, ring)])
    ways = np.zeros((2, 200), PLACE)
    for name, origin in (("lon_e7", LON_E7), ("lat_e7", LAT_E7)):
        ways[name] = origin + rng.integers(-60_000, 60_000, (2, 200))
    columns = (ways[0]["lon_e7"], ways[0]["lat_e7"], ways[1]["lon_e7"], ways[1]["lat_e7"])
    way, _ = fences_on(index, columns)
    first, last = crossings(index, np.zeros(200, np.int64), columns)
    lines = shapely.linestrings(np.column_stack(columns).reshape(200, 2, 2).astype(float))
    meets = shapely.intersects(shape.boundary, lines)
    assert (~np.isnan(first)).tolist() == meets.tolist()
    assert set(np.flatnonzero(shapely.intersects(shape, lines)).tolist()) <= set(way.tolist())
    for number in np.flatnonzero(meets).tolist():
        points = shapely.get_coordinates(shapely.intersection(shape.boundary, lines[number]))
        start, end = shapely.get_coordinates(lines[number])
        shares = np.hypot(*(points - start).T) / np.hypot(*(end - start))
        assert (first[number], last[number]) == pytest.approx((shares.min(), shares.max()), abs=1e-6)


def test_distances_from_a_border_are_in_metres() -> None:
    square = [(0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000), (0, 0)]
    index = GeofenceIndex([fence(1, [(LON_E7 + x, LAT_E7 + y) for x, y in square])])
    lon = LON_E7 + np.array([5_000, 11_000, 5_000, -1_000])
    lat = LAT_E7 + np.array([-1_000, 5_000, 5_000, -1_000])
    found = border_distances_m(index, np.zeros(4, np.int64), lon, lat)
    assert found == pytest.approx([11.13, 9.006, 45.03, 14.32], rel=0.002)
