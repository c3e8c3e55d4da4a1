"""Distances, bearings and local planes on the WGS-84 ellipsoid: vectorised, degrees and metres, latitude first."""

from functools import lru_cache
from threading import get_ident
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod, Proj

Floats: TypeAlias = NDArray[np.float64]
"""An array of any shape, 0-dimensional ones for scalars included."""

_WGS84: Final = Geod(ellps="WGS84")
_PLANES_KEPT: Final = 64


class LocalPlane:
    """A transverse Mercator plane about one origin: true to 1e-6 of a distance within 10 km and 2e-5 within 40 km.

    `origin_lat_deg` and `origin_lon_deg` are WGS-84; east and north are metres from the origin. Get one from `local_plane`,
    which keeps them: building one costs about 0.1 ms, projecting a point about 0.1 us.
    """

    def __init__(self, origin_lat_deg: float, origin_lon_deg: float) -> None:
        self.origin_lat_deg = origin_lat_deg
        self.origin_lon_deg = origin_lon_deg
        self._projection = Proj(proj="tmerc", lat_0=origin_lat_deg, lon_0=origin_lon_deg, ellps="WGS84")

    def to_plane(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Return (east_m, north_m) of WGS-84 positions; arrays of the inputs' common shape."""
        lat, lon = _same_shape(lat_deg, lon_deg)
        east, north = self._projection(lon, lat)
        return np.asarray(east, np.float64), np.asarray(north, np.float64)

    def from_plane(self, east_m: ArrayLike, north_m: ArrayLike) -> tuple[Floats, Floats]:
        """Return (lat_deg, lon_deg) of places in the plane; arrays of the inputs' common shape."""
        east, north = _same_shape(east_m, north_m)
        lon, lat = self._projection(east, north, inverse=True)
        return np.asarray(lat, np.float64), np.asarray(lon, np.float64)


def local_plane(origin_lat_deg: float, origin_lon_deg: float) -> LocalPlane:
    """Return the plane about an origin, kept for this thread (a projection belongs to one thread)."""
    return _kept_plane(origin_lat_deg, origin_lon_deg, get_ident())


@lru_cache(maxsize=_PLANES_KEPT)
def _kept_plane(origin_lat_deg: float, origin_lon_deg: float, _thread: int) -> LocalPlane:
    return LocalPlane(origin_lat_deg, origin_lon_deg)


def distance_m(
    from_lat_deg: ArrayLike, from_lon_deg: ArrayLike, to_lat_deg: ArrayLike, to_lon_deg: ArrayLike
) -> Floats:
    """Return the geodesic distances in metres; NaN where a coordinate is NaN. About 0.6 us a pair."""
    _, _, distances = _WGS84.inv(*_pairs(from_lat_deg, from_lon_deg, to_lat_deg, to_lon_deg))
    return np.asarray(distances, np.float64)


def bearing_deg(
    from_lat_deg: ArrayLike, from_lon_deg: ArrayLike, to_lat_deg: ArrayLike, to_lon_deg: ArrayLike
) -> Floats:
    """Return the bearings at which the geodesics leave their first points, degrees 0 <= b < 360 from true north."""
    azimuths, _, _ = _WGS84.inv(*_pairs(from_lat_deg, from_lon_deg, to_lat_deg, to_lon_deg))
    return _wrap_bearing(np.asarray(azimuths, np.float64))


def destination(
    lat_deg: ArrayLike, lon_deg: ArrayLike, bearing_deg: ArrayLike, distance_m: ArrayLike
) -> tuple[Floats, Floats]:
    """Return (lat_deg, lon_deg) reached by leaving at a bearing (degrees from true north) for a distance in metres."""
    lat, lon, bearing, distance = _same_shape(lat_deg, lon_deg, bearing_deg, distance_m)
    lon_there, lat_there, _ = _WGS84.fwd(lon, lat, bearing, distance)
    return np.asarray(lat_there, np.float64), np.asarray(lon_there, np.float64)


def _wrap_bearing(azimuth_deg: Floats) -> Floats:
    wrapped = np.mod(azimuth_deg, 360.0)
    return np.where(wrapped >= 360.0, 0.0, wrapped)


def _pairs(
    from_lat_deg: ArrayLike, from_lon_deg: ArrayLike, to_lat_deg: ArrayLike, to_lon_deg: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    lat, lon, lat_there, lon_there = _same_shape(from_lat_deg, from_lon_deg, to_lat_deg, to_lon_deg)
    return lon, lat, lon_there, lat_there


def _same_shape(*values: ArrayLike) -> tuple[Floats, ...]:
    arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values))
    return tuple(np.ascontiguousarray(array) if array.ndim else array.copy() for array in arrays)
