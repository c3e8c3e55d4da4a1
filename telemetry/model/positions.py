"""Positions of GeoJSON geometries moved to WGS-84 from what a map of China may be drawn in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import numpy as np

from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import InputError

DEEPEST: Final = 4
NEAREST_POLE_DEG: Final = 85.0


def to_wgs84_geometry(geometry: Mapping[str, Any], crs: Crs) -> dict[str, Any]:
    """Return a geometry whose positions were in `crs` in WGS-84. Raises InputError for one that is no tree of positions."""
    return {"type": geometry.get("type"), "coordinates": _moved(geometry.get("coordinates"), crs, depth=0)}


def _moved(value: object, crs: Crs, *, depth: int) -> Any:  # noqa: ANN401 - GeoJSON coordinates nest
    if not _is_list(value) or depth > DEEPEST:
        raise InputError(
            "a geometry's coordinates are lists of positions [lon, lat]", "图形的坐标须为 [经度, 纬度] 的列表"
        )
    if not value or _is_list(value[0]):
        return [_moved(part, crs, depth=depth + 1) for part in value]
    lon_deg, lat_deg = _position(value)
    if crs is Crs.WGS84:
        return [round(lon_deg, 7), round(lat_deg, 7)]
    lat, lon = to_wgs84(np.array([lat_deg]), np.array([lon_deg]), crs=crs)
    return [round(float(lon[0]), 7), round(float(lat[0]), 7)]


def _position(value: Sequence[Any]) -> tuple[float, float]:
    try:
        lon_deg, lat_deg = float(value[0]), float(value[1])
    except (TypeError, ValueError, IndexError, OverflowError):
        raise InputError("a position is [lon, lat] in degrees", "位置须为 [经度, 纬度]，单位度") from None
    if not (abs(lon_deg) <= 180.0 and abs(lat_deg) <= NEAREST_POLE_DEG):
        message = (
            f"a position is out of range: longitude -180..180 comes first, then latitude within {NEAREST_POLE_DEG:g}"
        )
        raise InputError(message, f"位置超出范围：先经度 -180..180，后纬度 ±{NEAREST_POLE_DEG:g}")
    return lon_deg, lat_deg


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
