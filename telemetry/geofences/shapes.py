"""Shapes of geofences as rings of whole 1e-7 degrees: circles and corridors become polygons, everything is checked."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import numpy as np
import shapely
from numpy.typing import NDArray

from telemetry.flat_earth import METRES_PER_E7
from telemetry.geofences.fence import ALL_DAYS, DAY_MINUTES, Geofence
from telemetry.model.area import area_from_geojson
from telemetry.model.errors import InputError

E7: Final = 1e7
CIRCLE_CORNERS: Final = 64
RADIUS_M: Final = (5.0, 100_000.0)
WIDTH_M: Final = (5.0, 20_000.0)
LIMIT_MPS: Final = (0.5, 150.0)
LONGEST_S: Final = 7 * 86_400.0
HIGHEST_M: Final = 20_000.0
MAX_LINE_POSITIONS: Final = 5_000
NEAREST_POLE_DEG: Final = 85.0
_QUARTER_CORNERS: Final = 8

Ring = NDArray[np.int64]


def rings_of(fence: Geofence) -> list[Ring]:
    """Return the border of a geofence: closed rings (n, 2) of longitude and latitude in 1e-7 degrees, holes among them.

    Raises InputError for a geometry that is none of the allowed or not valid.
    """
    shape = shape_of(fence.geometry, radius_m=fence.radius_m, width_m=fence.width_m)
    return [
        np.rint(np.asarray(ring.coords)[:, :2]).astype(np.int64)
        for polygon in shapely.get_parts(shape)
        for ring in (polygon.exterior, *polygon.interiors)
    ]


def shape_of(geometry: Mapping[str, Any], *, radius_m: float | None, width_m: float | None) -> Any:  # noqa: ANN401 - shapely has no types
    """Return a MultiPolygon whose coordinates are whole 1e-7 degrees. Raises InputError."""
    kind = geometry.get("type")
    if (radius_m is not None) != (kind == "Point") or (width_m is not None) != (kind == "LineString"):
        message = f"a geofence that is a {kind!r}: give radius_m with a Point, width_m with a LineString, neither with a Polygon"
        raise InputError(message)
    if kind == "Point":
        shape = _circle(_positions([geometry.get("coordinates")], 1), _within("radius_m", radius_m, RADIUS_M))
    elif kind == "LineString":
        shape = _corridor(_positions(geometry.get("coordinates"), 2), _within("width_m", width_m, WIDTH_M))
    else:
        shape = _scaled(shapely.geometry.shape(area_from_geojson(geometry).to_geojson()))
    whole = shapely.set_precision(shape, 1.0, mode="pointwise")
    if not whole.is_valid or whole.is_empty:
        message = (
            "the geofence has corners nearer to each other than 2 cm, where its border would cross itself: simplify it"
        )
        raise InputError(message)
    return whole if whole.geom_type == "MultiPolygon" else shapely.MultiPolygon([whole])


def checked(fence: Geofence) -> Geofence:
    """Return the geofence if its shape and all of its figures are allowed. Raises InputError: what, value, allowed."""
    rings_of(fence)
    for name, value, bounds in (
        ("limit_mps", fence.limit_mps, LIMIT_MPS),
        ("dwell_s", fence.dwell_s, (1.0, LONGEST_S)),
        ("minimum_stay_s", fence.minimum_stay_s, (0.0, LONGEST_S)),
        ("lowest_m", fence.lowest_m, (-1_000.0, HIGHEST_M)),
        ("highest_m", fence.highest_m, (-1_000.0, HIGHEST_M)),
        ("from_minute", fence.from_minute, (0, DAY_MINUTES - 1)),
        ("to_minute", fence.to_minute, (1, DAY_MINUTES)),
        ("days", fence.days, (1, ALL_DAYS)),
        ("utc_offset_s", fence.utc_offset_s, (-12 * 3_600, 14 * 3_600)),
    ):
        if value is not None:
            _within(name, value, bounds)
    if not (fence.name_zh.strip() or fence.name_en.strip()):
        raise InputError("a geofence needs a name: give name_zh, name_en or both")
    if fence.height_above not in ("msl", "home"):
        raise InputError(
            f"height_above {fence.height_above!r}: allowed are msl (sea level) and home (place of take-off)"
        )
    _in_order("lowest_m and highest_m", (fence.lowest_m, fence.highest_m))
    _in_order("valid_from and valid_to", (fence.valid_from_us, fence.valid_to_us))
    return fence


def _positions(value: object, at_least: int) -> NDArray[np.float64]:
    if not _is_list(value) or not at_least <= len(value) <= MAX_LINE_POSITIONS:
        raise InputError(f"a line has {at_least} to {MAX_LINE_POSITIONS} positions [lon, lat]")
    try:
        found = np.array([(position[0], position[1]) for position in value], np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InputError("a position is [lon, lat] in degrees") from None
    if not (np.isfinite(found).all() and (np.abs(found) <= (180.0, NEAREST_POLE_DEG)).all()):
        raise InputError(
            f"a position is out of range: longitude -180..180 comes first, then latitude within {NEAREST_POLE_DEG}"
        )
    return found


def _circle(centre_deg: NDArray[np.float64], radius_m: float) -> Any:  # noqa: ANN401 - shapely has no types
    """Return a polygon of 64 corners and the circle's area: nowhere farther from it than 0.13 % of the radius."""
    angles = np.arange(CIRCLE_CORNERS) * 2 * np.pi / CIRCLE_CORNERS
    step = np.pi / CIRCLE_CORNERS
    corner_m = radius_m * np.sqrt(step / (np.sin(step) * np.cos(step)))
    ring_m = corner_m * np.column_stack((np.cos(angles), np.sin(angles)))
    return shapely.Polygon(ring_m / _metres_per_unit(centre_deg[0, 1]) + centre_deg * E7)


def _corridor(line_deg: NDArray[np.float64], width_m: float) -> Any:  # noqa: ANN401 - as above
    scale = _metres_per_unit(float(line_deg[:, 1].mean()))
    line = shapely.LineString((line_deg - line_deg[0]) * E7 * scale)
    if line.length == 0:
        raise InputError("a corridor's line has no length: give two different positions")
    shape = shapely.simplify(line.buffer(width_m / 2, quad_segs=_QUARTER_CORNERS), 0.05)
    return shapely.transform(shape, lambda positions: positions / scale + line_deg[0] * E7)


def _metres_per_unit(lat_deg: float) -> NDArray[np.float64]:
    return METRES_PER_E7 * np.array([np.cos(np.radians(lat_deg)), 1.0])


def _scaled(shape: Any) -> Any:  # noqa: ANN401 - as above
    return shapely.transform(shape, lambda positions: positions * E7)


def _within(name: str, value: float | None, bounds: tuple[float, float]) -> float:
    lowest, highest = bounds
    if value is None or not lowest <= value <= highest:
        raise InputError(f"{name} {value}: allowed are {lowest:g} to {highest:g}")
    return value


def _in_order(names: str, ends: tuple[float | None, float | None]) -> None:
    first, second = ends
    if first is not None and second is not None and first >= second:
        raise InputError(f"{names}: the first must be less than the second (got {first:g} and {second:g})")


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
