"""A piece of ground that falls apart when its outline is simplified becomes several polygons, each of which can be drawn."""

import numpy as np

from mission.cover.contours import LEAST_HOLE_M2, sound_polygons

BLOBS_AND_NECK = (
    *((0, 0), (400, 0), (400, 196.1), (500, 192.6), (600, 205.9), (700, 190.7), (800, 189.1), (800, 0), (1200, 0)),
    *((1200, 400), (800, 400), (800, 200.7), (700, 194.6), (600, 206.5), (500, 196.2), (400, 207.8), (400, 400)),
    *((0, 400), (0, 0)),
)
"""Two blocks of 400 m joined by a neck that is narrower than the simplification allows for."""


def test_what_falls_apart_at_a_narrow_neck_is_two_polygons() -> None:
    ring = np.array(BLOBS_AND_NECK, np.float64)
    pieces = sound_polygons([[ring]], least_m2=20_000.0, least_hole_m2=LEAST_HOLE_M2)
    assert [piece.geom_type for piece in pieces] == ["Polygon", "Polygon"]
    assert all(150_000.0 < piece.area < 170_000.0 for piece in pieces)
