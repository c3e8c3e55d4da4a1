"""Distances of near places on a flat earth between them: right to a few parts in a thousand over a few kilometres."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

METRES_PER_E7: Final = 0.011131949
"""One 1e-7 degree of latitude in metres."""
_HALF_TURN_E7: Final = 1_800_000_000


def distances_m(
    lat_e7: NDArray[Any], lon_e7: NDArray[Any], other_lat_e7: NDArray[Any], other_lon_e7: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the distance of each place from its fellow; columns of one length, in 1e-7 degrees, of any integer type."""
    north_e7 = lat_e7.astype(np.int64) - other_lat_e7
    east_e7 = (lon_e7.astype(np.int64) - other_lon_e7 + _HALF_TURN_E7) % (2 * _HALF_TURN_E7) - _HALF_TURN_E7
    shrink = np.cos(np.radians((lat_e7.astype(np.int64) + other_lat_e7) / 2e7))
    found_m: NDArray[np.float64] = np.hypot(north_e7, east_e7 * shrink) * METRES_PER_E7
    return found_m


def distance_m(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Return the distance of two places, as `distances_m` does."""
    east_e7 = (lon_e7 - other_lon_e7 + _HALF_TURN_E7) % (2 * _HALF_TURN_E7) - _HALF_TURN_E7
    shrink = math.cos(math.radians((lat_e7 + other_lat_e7) / 2e7))
    return math.hypot(lat_e7 - other_lat_e7, east_e7 * shrink) * METRES_PER_E7
