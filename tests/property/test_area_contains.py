"""Areas accept what is sound, refuse what is not and know what lies inside."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.model.area import MAX_VERTICES, area_from_geojson
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import InputError

SQUARE = [[103.8, 36.0], [103.9, 36.0], [103.9, 36.1], [103.8, 36.1], [103.8, 36.0]]
HOLE = [[103.84, 36.04], [103.84, 36.06], [103.86, 36.06], [103.86, 36.04], [103.84, 36.04]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_a_hole_is_outside_and_a_border_inside() -> None:
    area = area_from_geojson(polygon(SQUARE, HOLE))
    lat, lon = np.array([36.02, 36.05, 36.0, 36.2, np.nan]), np.array([103.82, 103.85, 103.85, 103.85, 103.85])
    assert area.contains(lat, lon).tolist() == [True, False, True, False, False]
    assert area.bounds_deg == (36.0, 103.8, 36.1, 103.9)


def test_the_area_is_the_square_less_its_hole_whichever_way_the_rings_run() -> None:
    whole, without = area_from_geojson(polygon(SQUARE)), area_from_geojson(polygon(SQUARE[::-1], HOLE))
    assert whole.area_m2 == pytest.approx(100.0e6, rel=0.01)
    assert without.area_m2 == pytest.approx(whole.area_m2 * 0.96, rel=1e-3)


def test_an_area_comes_back_from_its_own_geojson() -> None:
    area = area_from_geojson(polygon(SQUARE, HOLE))
    again = area_from_geojson(area.to_geojson())
    assert again.area_m2 == pytest.approx(area.area_m2)
    assert again.to_geojson() == area.to_geojson()


def test_an_area_in_gcj02_lies_where_it_lies_in_wgs84() -> None:
    lat, lon = from_wgs84([p[1] for p in SQUARE], [p[0] for p in SQUARE], crs=Crs.GCJ02)
    area = area_from_geojson(polygon(np.column_stack((lon, lat)).tolist()), crs=Crs.GCJ02)
    assert area.bounds_deg == pytest.approx((36.0, 103.8, 36.1, 103.9), abs=1e-9)


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"type": "Point", "coordinates": [0, 0]}, "Polygon or MultiPolygon"),
        ({"type": "Polygon"}, "at least one ring"),
        ({"type": "MultiPolygon", "coordinates": []}, "1 to"),
        (polygon(SQUARE[:3]), "positions"),
        (polygon([*SQUARE[:4], [103.8, 36.0001]]), "open"),
        (polygon([[36.0, 103.8], [36.1, 103.8], [36.1, 103.9], [36.0, 103.8]]), "out of range"),
        (polygon([[float("nan"), 0.0], [1.0, 0.0], [1.0, 1.0], [float("nan"), 0.0]]), "out of range"),
        (polygon([["a", 0], [1, 0], [1, 1], ["a", 0]]), "lon, lat"),  # type: ignore[list-item]
        (polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "not valid"),
        (polygon([[0, 0], [1e-6, 0], [1e-6, 1e-6], [0, 0]]), "m2"),
        (polygon([[-100, 0], [100, 0], [100, 1], [-100, 0]]), "180th meridian"),
        (polygon([[0, 0]] * (MAX_VERTICES + 1)), "positions"),
    ],
)
def test_an_unsound_area_is_refused_with_the_reason(geometry: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        area_from_geojson(geometry)


@given(
    angles=st.lists(st.floats(0.0, 6.28), min_size=3, max_size=30, unique=True),
    radius_deg=st.floats(0.001, 0.3),
    probe=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
)
def test_no_position_outside_the_box_is_inside_and_the_centre_of_a_star_is(
    angles: list[float], radius_deg: float, probe: tuple[float, float]
) -> None:
    turns = sorted(angles)
    ring = [[radius_deg * np.cos(turn), radius_deg * np.sin(turn)] for turn in turns]
    try:
        area = area_from_geojson(polygon([*ring, ring[0]]))
    except InputError:
        return
    south, west, north, east = area.bounds_deg
    lat, lon = probe
    if not (south <= lat <= north and west <= lon <= east):
        assert not area.contains(lat, lon).any()
    widest = max(np.diff([*turns, turns[0] + 2 * np.pi]))
    if widest < np.pi * 0.99:
        assert area.contains(0.0, 0.0).all()


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=5), max_leaves=30
    )
)
def test_any_rubbish_is_an_input_error(coordinates: object) -> None:
    with pytest.raises(InputError):
        area_from_geojson({"type": "Polygon", "coordinates": coordinates})
