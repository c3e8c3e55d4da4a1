"""The doors between WGS-84 and the shifted coordinates of Chinese maps: GCJ-02 and BD-09, there and back."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from telemetry.model.errors import UnknownCrsError
from telemetry.model.geodesy import Floats

_Step: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Floats]]


class Crs(StrEnum):
    """The coordinate reference systems that a door may name. CGCS2000 equals WGS-84 at our accuracy (decimetres)."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


_AXIS_M: Final = 6378245.0
_ECCENTRICITY_SQUARED: Final = 0.00669342162296594323
_SHIFT_ORIGIN_LAT_DEG: Final = 35.0
_SHIFT_ORIGIN_LON_DEG: Final = 105.0
_CHINA_LAT_DEG: Final = (0.8293, 55.8271)
_CHINA_LON_DEG: Final = (72.004, 137.8347)
_BD_TURNS: Final = np.pi * 3000.0 / 180.0
_BD_LAT_OFFSET_DEG: Final = 0.006
_BD_LON_OFFSET_DEG: Final = 0.0065
_INVERSE_STEPS: Final = 8
_SETTLED_DEG: Final = 1e-11
"""A step of the inverse that moves a place by less, a micrometre, left it within some nanometres of the answer."""
_RIPPLE: Final = np.array([[40.0 / 3.0, 6.0], [40.0 / 3.0, 2.0]])
_NORTH: Final = np.array(
    [[40.0 / 3.0, 1.0], [80.0 / 3.0, 1.0 / 3.0], [320.0 / 3.0, 1.0 / 12.0], [640.0 / 3.0, 1.0 / 30.0]]
)
_EAST: Final = np.array([[40.0 / 3.0, 1.0], [80.0 / 3.0, 1.0 / 3.0], [100.0, 1.0 / 12.0], [200.0, 1.0 / 30.0]])


def parse_crs(name: str) -> Crs:
    """Return the system that bears this name. Raises UnknownCrsError for any other name."""
    try:
        return Crs(name)
    except ValueError:
        known = ", ".join(Crs)
        raise UnknownCrsError(
            f"unknown crs {name!r}: allowed are {known}; say which one your coordinates use"
        ) from None


def to_wgs84(lat_deg: ArrayLike, lon_deg: ArrayLike, *, crs: Crs) -> tuple[Floats, Floats]:
    """Return (lat_deg, lon_deg) in WGS-84 of positions given in `crs`; arrays of the inputs' common shape.

    Within 700 m of the border of China's box a shifted position may stand for two places; the one inside is returned.
    """
    lat, lon = _arrays(lat_deg, lon_deg)
    if crs is Crs.GCJ02:
        return _unshift(lat, lon)
    if crs is Crs.BD09:
        return _from_bd09(lat, lon)
    return lat, lon


def from_wgs84(lat_deg: ArrayLike, lon_deg: ArrayLike, *, crs: Crs) -> tuple[Floats, Floats]:
    """Return (lat_deg, lon_deg) in `crs` of WGS-84 positions. Outside China's box nothing is shifted."""
    lat, lon = _arrays(lat_deg, lon_deg)
    if crs is Crs.GCJ02:
        return _shift(lat, lon)
    if crs is Crs.BD09:
        return _to_bd09(lat, lon)
    return lat, lon


def _arrays(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Floats, Floats]:
    lat, lon = np.broadcast_arrays(np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64))
    return lat.copy(), lon.copy()


def _in_china(lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    inside_lat = (lat >= _CHINA_LAT_DEG[0]) & (lat <= _CHINA_LAT_DEG[1])
    inside_lon = (lon >= _CHINA_LON_DEG[0]) & (lon <= _CHINA_LON_DEG[1])
    return np.asarray(inside_lat & inside_lon)


def _sines_m(value: Floats, terms: Floats) -> Floats:
    """Return the sum of height x sin(pi x rate x value) over rows (height in metres, rate) of `terms`."""
    waves = np.sin(np.multiply.outer(np.pi * terms[:, 1], value))
    total: Floats = (waves.T * terms[:, 0]).T.sum(axis=0)
    return total


def _shift_of(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Return the GCJ-02 shift in degrees (lat, lon), without asking whether a place lies in China."""
    x, y = lon - _SHIFT_ORIGIN_LON_DEG, lat - _SHIFT_ORIGIN_LAT_DEG
    root, ripple_m = np.sqrt(np.abs(x)), _sines_m(x, _RIPPLE)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple_m + _sines_m(y, _NORTH)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple_m + _sines_m(x, _EAST)
    radians = np.radians(lat)
    flattening = 1.0 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    lat_m_per_rad = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (flattening * np.sqrt(flattening))
    lon_m_per_rad = _AXIS_M / np.sqrt(flattening) * np.cos(radians)
    return np.degrees(north_m / lat_m_per_rad), np.degrees(east_m / lon_m_per_rad)


def _shift(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    lat_shift, lon_shift = _shift_of(lat, lon)
    inside = _in_china(lat, lon)
    return np.where(inside, lat + lat_shift, lat), np.where(inside, lon + lon_shift, lon)


def _unshift(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Return what `_shift` made (lat, lon) of: a fixed point, since one step alone is 3.7 m off."""

    def step(lat_found: Floats, lon_found: Floats) -> tuple[Floats, Floats]:
        lat_shift, lon_shift = _shift_of(lat_found, lon_found)
        return lat - lat_shift, lon - lon_shift

    with np.errstate(over="ignore", invalid="ignore"):  # far from China it runs away, and is not taken
        lat_found, lon_found = _settled(step, lat, lon)
    inside = _in_china(lat_found, lon_found)
    return np.where(inside, lat_found, lat), np.where(inside, lon_found, lon)


def _settled(step: _Step, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Return where steps of an inverse lead from (lat, lon). A place rests once it settled: others beside it change nothing."""
    moving = np.ones(lat.shape, bool)
    for _ in range(_INVERSE_STEPS):
        lat_next, lon_next = step(lat, lon)
        far = (np.abs(lat_next - lat) > _SETTLED_DEG) | (np.abs(lon_next - lon) > _SETTLED_DEG)
        lat, lon = np.where(moving, lat_next, lat), np.where(moving, lon_next, lon)
        moving &= far
        if not moving.any():
            break
    return lat, lon


def _turn(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Return the BD-09 turn of a GCJ-02 position, before its offsets."""
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD_TURNS)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD_TURNS)
    return radius * np.sin(angle), radius * np.cos(angle)


def _to_bd09(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    inside = _in_china(lat, lon)
    lat_gcj, lon_gcj = _shift(lat, lon)
    lat_turned, lon_turned = _turn(lat_gcj, lon_gcj)
    lat_bd, lon_bd = lat_turned + _BD_LAT_OFFSET_DEG, lon_turned + _BD_LON_OFFSET_DEG
    return np.where(inside, lat_bd, lat), np.where(inside, lon_bd, lon)


def _from_bd09(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    lat_turned, lon_turned = lat - _BD_LAT_OFFSET_DEG, lon - _BD_LON_OFFSET_DEG

    def step(lat_gcj: Floats, lon_gcj: Floats) -> tuple[Floats, Floats]:
        lat_seen, lon_seen = _turn(lat_gcj, lon_gcj)
        return lat_gcj + (lat_turned - lat_seen), lon_gcj + (lon_turned - lon_seen)

    lat_found, lon_found = _unshift(*_settled(step, lat_turned, lon_turned))
    inside = _in_china(lat_found, lon_found)
    return np.where(inside, lat_found, lat), np.where(inside, lon_found, lon)
