"""A validated area on the ground: polygons with holes from GeoJSON, and which positions lie inside."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MAX_VERTICES: Final = 20_000
MAX_POLYGONS: Final = 1_000
MIN_AREA_M2: Final = 1.0
MAX_AREA_M2: Final = 1e12
MAX_SPAN_DEG: Final = 90.0
_MIN_RING_POSITIONS: Final = 4
_WGS84: Final = Geod(ellps="WGS84")


class Area:
    """One or more polygons with holes, WGS-84, valid and of sensible size; immutable. Made by `area_from_geojson`."""

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - shapely has no types
        self._shape = shape
        shapely.prepare(self._shape)
        self.area_m2: Final = abs(float(_WGS84.geometry_area_perimeter(shapely.orient_polygons(shape))[0]))
        """The geodesic area in square metres, holes left out."""

    @property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """The smallest box about the area: (south, west, north, east) in degrees."""
        west, south, east, north = self._shape.bounds
        return south, west, north, east

    def contains(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.bool_]:
        """Tell for each position whether it lies inside or on the border; NaN lies outside. About 0.5 us a position."""
        lat, lon = np.broadcast_arrays(np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64))
        return np.asarray(shapely.intersects_xy(self._shape, lon, lat), np.bool_)

    def to_geojson(self) -> dict[str, Any]:
        """Return the area as a GeoJSON MultiPolygon ([lon, lat], rings closed, outer rings counter-clockwise)."""
        oriented = shapely.orient_polygons(self._shape)
        polygons = [[_positions(ring) for ring in (polygon.exterior, *polygon.interiors)] for polygon in oriented.geoms]
        return {"type": "MultiPolygon", "coordinates": polygons}


def area_from_geojson(geometry: Mapping[str, Any], *, crs: Crs = Crs.WGS84) -> Area:
    """Return the area of a GeoJSON Polygon or MultiPolygon whose positions are [lon, lat] in `crs`.

    Raises InputError for another type, an open ring, fewer than 4 positions in a ring, values out of range, rings that
    cross themselves or each other, more than MAX_VERTICES or MAX_POLYGONS, an area outside MIN_AREA_M2..MAX_AREA_M2 or a
    span over MAX_SPAN_DEG (split areas at the 180th meridian).
    """
    polygons = _polygons_of(geometry)
    count = sum(len(ring) for polygon in polygons for ring in polygon)
    if count > MAX_VERTICES:
        raise InputError(f"the area has {count} vertices, at most {MAX_VERTICES} are allowed: simplify it")
    shape = shapely.MultiPolygon([_polygon(rings, crs) for rings in polygons])
    if not shape.is_valid:
        raise InputError(
            f"the area is not valid: {shapely.is_valid_reason(shape)}; rings may not cross or touch along a line"
        )
    return _checked_size(Area(shape))


def _polygons_of(geometry: Mapping[str, Any]) -> list[list[Floats]]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon":
        coordinates = [coordinates]
    elif kind != "MultiPolygon":
        raise InputError(f"an area is a Polygon or MultiPolygon, not {kind!r}")
    if not _is_list(coordinates) or not 1 <= len(coordinates) <= MAX_POLYGONS:
        raise InputError(f"an area has 1 to {MAX_POLYGONS} polygons")
    return [_rings_of(polygon) for polygon in coordinates]


def _rings_of(polygon: object) -> list[Floats]:
    if not _is_list(polygon) or not polygon:
        raise InputError("a polygon has at least one ring: its border first, then its holes")
    return [_ring_of(ring) for ring in polygon]


def _ring_of(ring: object) -> Floats:
    if not _is_list(ring) or not _MIN_RING_POSITIONS <= len(ring) <= MAX_VERTICES:
        raise InputError(f"a ring has {_MIN_RING_POSITIONS} to {MAX_VERTICES} positions, the last equal to the first")
    try:
        positions = np.array([(position[0], position[1]) for position in ring], np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InputError("a position is [lon, lat] in degrees") from None
    if not (np.isfinite(positions).all() and (np.abs(positions) <= (180.0, 90.0)).all()):
        raise InputError("a position is out of range: longitude -180..180 comes first, then latitude -90..90")
    if (positions[0] != positions[-1]).any():
        raise InputError("a ring is open: its last position must equal its first")
    return positions


def _polygon(rings: list[Floats], crs: Crs) -> Any:  # noqa: ANN401 - shapely has no types
    moved = [np.column_stack(to_wgs84(ring[:, 1], ring[:, 0], crs=crs)[::-1]) for ring in rings]
    return shapely.Polygon(moved[0], moved[1:])


def _checked_size(area: Area) -> Area:
    south, west, north, east = area.bounds_deg
    if east - west > MAX_SPAN_DEG or north - south > MAX_SPAN_DEG:
        raise InputError(f"the area spans more than {MAX_SPAN_DEG:.0f} degrees: split it, at the 180th meridian too")
    if not MIN_AREA_M2 <= area.area_m2 <= MAX_AREA_M2:
        raise InputError(f"the area has {area.area_m2:.3g} m2, allowed are {MIN_AREA_M2:.0f} to {MAX_AREA_M2:.0e}")
    return area


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _positions(ring: Any) -> list[list[float]]:  # noqa: ANN401 - shapely has no types
    return [[float(lon), float(lat)] for lon, lat in ring.coords]
