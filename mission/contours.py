"""Reach on the ground: travel times at nodes become a smooth field, and the field becomes polygons in GeoJSON."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from mission.roads import RoadGraph
from telemetry.model.geodesy import Floats

CELL_M: Final = 50.0
OFF_ROAD_MPS: Final = 3.0
"""How fast a patrol gets from the road to a door, running included."""
OFF_ROAD_REACH_M: Final = 205.0
SMOOTHING_CELLS: Final = 2.0
SIMPLIFY_M: Final = 12.0
LEAST_ISLAND_M2: Final = 50_000.0
LEAST_HOLE_M2: Final = 50_000.0
_DECIMALS: Final = 6
_BEYOND: Final = 1.6
"""Times beyond the limit count as this many limits in the smoothed field, so that a border stays where it is."""


@dataclass(frozen=True)
class Field:
    """A raster about a road graph: for each cell its nearest node and the seconds from there; rows run north."""

    graph: RoadGraph
    east_m: Floats
    north_m: Floats
    node: NDArray[np.int64]
    off_road_s: Floats

    def seconds(self, node_seconds: Floats) -> Floats:
        """Return the seconds to each cell, shape (rows, columns); inf where no road is near."""
        return np.asarray(node_seconds[self.node] + self.off_road_s, np.float64)


def field_of(graph: RoadGraph, *, cell_m: float = CELL_M) -> Field:
    """Return the raster that covers all nodes with a margin; about 0.1 s for a city."""
    low = graph.node_xy_m.min(axis=0) - 4.0 * cell_m
    high = graph.node_xy_m.max(axis=0) + 4.0 * cell_m
    east, north = np.arange(low[0], high[0], cell_m), np.arange(low[1], high[1], cell_m)
    cells = np.stack(np.meshgrid(east, north), axis=-1)
    away, node = cKDTree(graph.node_xy_m).query(cells, distance_upper_bound=OFF_ROAD_REACH_M)
    near = np.isfinite(away)
    off_road = np.where(near, np.where(near, away, 0.0) / OFF_ROAD_MPS, np.inf)
    return Field(graph, east, north, np.where(near, node, 0), off_road)


def reach_polygons(field: Field, seconds: Floats, limit_s: float) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the ground within `limit_s` as a shapely MultiPolygon in the plane: smoothed, simplified, without specks.

    `seconds` has the field's shape. Islands under LEAST_ISLAND_M2 and holes under LEAST_HOLE_M2 are left out.
    """
    window = _window(seconds <= limit_s * _BEYOND)
    if window is None:
        return shapely.MultiPolygon()
    rows, columns = window
    clipped = np.minimum(seconds[rows, columns], limit_s * _BEYOND)
    smooth = gaussian_filter(clipped, SMOOTHING_CELLS, mode="nearest")
    generator = contourpy.contour_generator(
        field.east_m[columns], field.north_m[rows], smooth, fill_type=contourpy.FillType.OuterOffset
    )
    filled: Any = generator.filled(-1.0, limit_s)
    points, offsets = filled
    polygons = [_polygon(places, starts) for places, starts in zip(points, offsets, strict=True)]
    return _sound(polygons)


def _window(reached: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(reached.any(axis=1)), np.flatnonzero(reached.any(axis=0))
    if not len(rows):
        return None
    margin = 4
    row_slice = slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1)
    return row_slice, slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1)


def _polygon(points: Floats, offsets: NDArray[np.uint32]) -> Any:  # noqa: ANN401 - shapely has no types
    rings = [points[start:end] for start, end in pairwise(offsets.tolist())]
    holes = [ring for ring in rings[1:] if shapely.Polygon(ring).area >= LEAST_HOLE_M2]
    return shapely.Polygon(rings[0], holes)


def _sound(polygons: list[Any]) -> Any:  # noqa: ANN401 - shapely has no types
    """Return one valid MultiPolygon of the polygons that matter."""
    large = [polygon for polygon in polygons if polygon.area >= LEAST_ISLAND_M2]
    simple = shapely.make_valid(shapely.simplify(shapely.MultiPolygon(large), SIMPLIFY_M))
    parts = [part for part in shapely.get_parts(simple) if part.geom_type == "Polygon"]
    parts += [inner for part in shapely.get_parts(simple) if part.geom_type == "MultiPolygon" for inner in part.geoms]
    return shapely.MultiPolygon([part for part in parts if part.area >= LEAST_ISLAND_M2])


def to_geojson(graph: RoadGraph, shape: Any) -> dict[str, Any]:  # noqa: ANN401 - shapely has no types
    """Return a MultiPolygon of the graph's plane as GeoJSON, [lon, lat] in WGS-84 to 6 decimals."""
    polygons = [
        [_positions(graph, np.asarray(ring.coords)) for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in shapely.orient_polygons(shape).geoms
    ]
    return {"type": "MultiPolygon", "coordinates": polygons}


def _positions(graph: RoadGraph, points: Floats) -> list[list[float]]:
    lat, lon = graph.plane.from_plane(points[:, 0], points[:, 1])
    positions: list[list[float]] = np.column_stack((lon, lat)).round(_DECIMALS).tolist()
    return positions
