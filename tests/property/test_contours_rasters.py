"""Whatever raster is drawn: its pieces are valid polygons, one each, that can be told ring by ring."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from mission.cover.contours import filled, rings_of, sound_polygons
from tests.unit.test_roads_travel_times import graph_of

GRAPH = graph_of([(0.0, 0.0), (300.0, 0.0)], [(0, 1, 30.0), (1, 0, 30.0)])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(2, 40),
    columns=st.integers(2, 40),
    smoothing=st.floats(0.0, 2.0),
    simplify_m=st.floats(1.0, 400.0),
    least_m2=st.floats(0.0, 50_000.0),
)
def test_pieces_of_any_raster_are_single_valid_polygons(
    seed: int, rows: int, columns: int, smoothing: float, simplify_m: float, least_m2: float
) -> None:
    values = gaussian_filter(np.random.default_rng(seed).random((rows, columns)) * 600.0, smoothing)
    east, north = (np.arange(count, dtype=np.float64) * 75.0 for count in (columns, rows))
    pieces = filled(east, north, values, (float(np.median(values)), 1e4))
    drawn = sound_polygons(pieces, least_m2=least_m2, least_hole_m2=least_m2, simplify_m=simplify_m)
    for polygon in drawn:
        assert polygon.geom_type == "Polygon"
        assert polygon.is_valid
        assert polygon.area >= least_m2
        rings = rings_of(GRAPH, polygon)
        assert len(rings) == 1 + len(polygon.interiors)
        assert all(ring[0] == ring[-1] for ring in rings)
    assert sum(polygon.area for polygon in drawn) <= shapely.box(0.0, 0.0, east[-1], north[-1]).area * 1.01
