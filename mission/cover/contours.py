"""Reach on the ground: travel times at nodes become a smooth field, and the field becomes polygons in GeoJSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter
from scipy.spatial import cKDTree

from mission.cover.coverage import LIMITS_S, MINUTES, Coverage, CoverageNow, served
from mission.roads.graph import RoadGraph
from telemetry.model.geodesy import Floats

CELL_M: Final = 50.0
LIVE_CELL_M: Final = 75.0
"""What moves every second is drawn a little coarser than what was planned."""
STATION_CELL_M: Final = 100.0
"""How coarse the zones of many stations are drawn."""
OFF_ROAD_MPS: Final = 3.0
"""How fast a patrol gets from the road to a door, running included."""
OFF_ROAD_REACH_M: Final = 205.0
SMOOTHING_M: Final = 100.0
SIMPLIFY_M: Final = 12.0
LEAST_ISLAND_M2: Final = 50_000.0
LEAST_HOLE_M2: Final = 50_000.0
_DECIMALS: Final = 6
_BEYOND: Final = 1.6
"""Times beyond the limit count as this many limits in the smoothed field, so that a border stays where it is."""


@dataclass(frozen=True, eq=False)
class Field:
    """A raster about a road graph: for each cell its nearest node and the seconds from there; rows run north."""

    graph: RoadGraph
    east_m: Floats
    north_m: Floats
    node: NDArray[np.int64]
    off_road_s: Floats
    cell_m: float = CELL_M

    def seconds(self, node_seconds: Floats) -> Floats:
        """Return the seconds to each cell, shape (rows, columns); inf where no road is near."""
        return np.asarray(node_seconds.take(self.node) + self.off_road_s, np.float64)

    @property
    def smoothing_cells(self) -> float:
        """How wide the field is smoothed, in cells."""
        return SMOOTHING_M / self.cell_m

    @cached_property
    def kernel(self) -> Floats:
        """The weights of the smoothing along one axis."""
        reach = int(3.0 * self.smoothing_cells + 0.5)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / self.smoothing_cells) ** 2)
        return np.asarray(weights / weights.sum(), np.float64)

    @cached_property
    def is_ground(self) -> NDArray[np.bool_]:
        """Which cells have a road near."""
        return np.isfinite(self.off_road_s)

    @cached_property
    def grid_m(self) -> tuple[Floats, Floats]:
        """East and north of every cell, both (rows, columns)."""
        east, north = np.meshgrid(self.east_m, self.north_m)
        return east, north

    @cached_property
    def ground_share(self) -> Floats:
        """How much of what smoothing takes into a cell is ground."""
        return np.maximum(_smoothed(self.is_ground.astype(np.float64), self), 1e-6)


def field_of(graph: RoadGraph, *, cell_m: float = CELL_M) -> Field:
    """Return the raster that covers all streets that patrols serve, with a margin; about 0.1 s for a city.

    Where they serve none, it covers all streets.
    """
    streets = graph.streets
    is_served = served(graph)
    ends = np.concatenate((streets.tail[is_served], streets.head[is_served]))
    nodes = np.unique(ends) if len(ends) else np.arange(graph.node_count)
    xy_m = graph.node_xy_m[nodes]
    low, high = xy_m.min(axis=0) - 4.0 * cell_m, xy_m.max(axis=0) + 4.0 * cell_m
    east, north = np.arange(low[0], high[0], cell_m), np.arange(low[1], high[1], cell_m)
    cells = np.stack(np.meshgrid(east, north), axis=-1)
    away, row = cKDTree(xy_m).query(cells, distance_upper_bound=OFF_ROAD_REACH_M)
    near = np.isfinite(away)
    off_road = np.where(near, np.where(near, away, 0.0) / OFF_ROAD_MPS, np.inf)
    return Field(graph, east, north, nodes[np.where(near, row, 0)].astype(np.int64), off_road, cell_m)


class Surface:
    """Smoothed seconds over the ground alone, from which any number of contours are drawn; about 3 ms for a city.

    Pieces within a limit and pieces beyond it meet at the same line, and end where the ground ends.
    """

    def __init__(self, field: Field, node_seconds: Floats) -> None:
        seconds = np.minimum(field.seconds(node_seconds), LIMITS_S[-1] * _BEYOND)
        smooth = _smoothed(np.where(field.is_ground, seconds, 0.0), field) / field.ground_share
        self._generator: Any = contourpy.contour_generator(
            field.east_m,
            field.north_m,
            np.ma.array(smooth, mask=~field.is_ground),
            fill_type=contourpy.FillType.OuterOffset,
        )

    def within(self, limit_s: float) -> list[Any]:
        """Return the ground within a limit as valid shapely polygons in the plane, without specks; about 1 ms."""
        pieces = _rings(self._generator.filled(-1.0, limit_s))
        return sound_polygons(pieces, least_m2=LEAST_ISLAND_M2, least_hole_m2=LEAST_HOLE_M2)

    def beyond(self, limit_s: float, *, least_m2: float) -> list[Any]:
        """Return the pieces of at least that size beyond a limit of at most five minutes."""
        pieces = _rings(self._generator.filled(limit_s, LIMITS_S[-1] * _BEYOND * 2.0))
        return sound_polygons(pieces, least_m2=least_m2, least_hole_m2=least_m2 / 5.0)


def _smoothed(values: Floats, field: Field) -> Floats:
    """Return what `gaussian_filter` would, truncated at three deviations, without weighing its kernel anew each time."""
    return np.asarray(correlate1d(correlate1d(values, field.kernel, axis=0), field.kernel, axis=1), np.float64)


def drawn_within(
    field: Field, seconds: Floats, window: tuple[slice, slice], *, limits_s: Sequence[float]
) -> list[list[list[Floats]]]:
    """Return for each limit the pieces (rings) of a window of the field; `seconds` (rows, columns) are those of its cells."""
    ground, share = field.is_ground[window], field.ground_share[window]
    highest_s = limits_s[-1] * _BEYOND
    smooth = _smoothed(np.where(ground, np.minimum(seconds, highest_s), 0.0), field) / share
    generator = _generator(field, window, np.where(ground, smooth, highest_s))
    return [_rings(generator.filled(-1.0, limit_s)) for limit_s in limits_s]


def _generator(field: Field, window: tuple[slice, slice], values: Floats) -> contourpy.ContourGenerator:
    """Return what `contour_generator` would, without its general preparations: they take longer than a small contour."""
    east, north = field.grid_m
    return contourpy.SerialContourGenerator(
        east[window],
        north[window],
        values,
        np.zeros(values.shape, np.bool_),
        corner_mask=False,
        line_type=contourpy.LineType.Separate,
        fill_type=contourpy.FillType.OuterOffset,
        quad_as_tri=False,
        z_interp=contourpy.ZInterp.Linear,
        x_chunk_size=0,
        y_chunk_size=0,
    )


def reach_polygons(field: Field, seconds: Floats, limit_s: float) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the ground within `limit_s` as one valid shapely MultiPolygon in the plane."""
    return as_multi(shapely.make_valid(shapely.MultiPolygon(reach_parts(field, seconds, limit_s))))


def reach_parts(field: Field, seconds: Floats, limit_s: float) -> list[Any]:
    """Return the ground within `limit_s` as valid shapely polygons in the plane: smoothed, simplified, without specks.

    `seconds` has the field's shape. Islands under LEAST_ISLAND_M2 and holes under LEAST_HOLE_M2 are left out. About 2 ms for
    a city of 50,000 nodes.
    """
    window = _window(seconds <= limit_s * _BEYOND)
    if window is None:
        return []
    rows, columns = window
    clipped = np.minimum(seconds[rows, columns], limit_s * _BEYOND)
    smooth = gaussian_filter(clipped, field.smoothing_cells, mode="nearest")
    return sound_polygons(
        filled(field.east_m[columns], field.north_m[rows], smooth, (-1.0, limit_s)),
        least_m2=LEAST_ISLAND_M2,
        least_hole_m2=LEAST_HOLE_M2,
    )


def filled(east_m: Floats, north_m: Floats, values: Floats, levels: tuple[float, float]) -> list[list[Floats]]:
    """Return where the values (rows, columns) lie between two levels: the rings of each piece, the first the outline."""
    generator = contourpy.contour_generator(east_m, north_m, values, fill_type=contourpy.FillType.OuterOffset)
    return _rings(generator.filled(*levels))


def _rings(pieces: Any) -> list[list[Floats]]:  # noqa: ANN401 - contourpy has no types
    return [
        [points[start:end] for start, end in pairwise(offsets.tolist())]
        for points, offsets in zip(*pieces, strict=True)
    ]


def sound_polygons(
    pieces: list[list[Floats]], *, least_m2: float, least_hole_m2: float, simplify_m: float = SIMPLIFY_M
) -> list[Any]:
    """Return valid, simplified shapely polygons of rings, without pieces and holes that are too small to matter."""
    return sound_groups([pieces], least_m2=least_m2, least_hole_m2=least_hole_m2, simplify_m=simplify_m)[0]


def sound_groups(
    groups: Sequence[list[list[Floats]]], *, least_m2: float, least_hole_m2: float, simplify_m: float = SIMPLIFY_M
) -> list[list[Any]]:
    """Do for many groups of pieces at once what `sound_polygons` does for one."""
    large = [
        (group, rings) for group, pieces in enumerate(groups) for rings in pieces if abs(_area_m2(rings[0])) >= least_m2
    ]
    polygons = [
        shapely.Polygon(rings[0], [ring for ring in rings[1:] if abs(_area_m2(ring)) >= least_hole_m2])
        for _, rings in large
    ]
    simple = shapely.simplify(polygons, simplify_m, preserve_topology=False)
    sound: list[list[Any]] = [[] for _ in groups]
    is_whole = shapely.is_valid(simple) & (shapely.get_type_id(simple) == shapely.GeometryType.POLYGON)
    measured = zip(large, simple, is_whole.tolist(), shapely.area(simple).tolist(), strict=True)
    for (group, _), polygon, is_one, area_m2 in measured:
        if not is_one:  # what is simplified may cross itself, or fall apart where it was narrow
            parts = _polygons(shapely.make_valid(polygon))
            sound[group] += [part for part in parts if 0.0 < part.area >= least_m2]
        elif 0.0 < area_m2 >= least_m2:
            sound[group].append(polygon)
    return sound


def _area_m2(ring: Floats) -> float:
    """Return the area of a closed ring, positive when it runs counter-clockwise."""
    east, north = ring[:, 0], ring[:, 1]
    return float((east[:-1] * north[1:] - east[1:] * north[:-1]).sum()) / 2.0


def _window(reached: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(reached.any(axis=1)), np.flatnonzero(reached.any(axis=0))
    if not len(rows):
        return None
    margin = 4
    row_slice = slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1)
    return row_slice, slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1)


def zone_shapes(field: Field, zone_of_node: NDArray[np.int32], count: int) -> list[Any]:
    """Return for each zone (by index) its ground as a shapely MultiPolygon in the plane; about 3 ms a zone."""
    ground = np.isfinite(field.off_road_s)
    zone_of_cell = np.where(ground, zone_of_node[field.node], -1)
    return [_mask_shape(field, zone_of_cell == zone) for zone in range(count)]


def _mask_shape(field: Field, mask: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - shapely has no types
    window = _window(mask)
    if window is None:
        return shapely.MultiPolygon()
    rows, columns = window
    pieces = filled(field.east_m[columns], field.north_m[rows], mask[rows, columns].astype(np.float64), (0.5, 2.0))
    polygons = sound_polygons(pieces, least_m2=0.0, least_hole_m2=LEAST_HOLE_M2, simplify_m=field.cell_m / 2.0)
    return as_multi(shapely.make_valid(shapely.MultiPolygon(polygons)))


def as_multi(shape: Any) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the polygons of any shape as one MultiPolygon; lines and points fall away."""
    return shapely.MultiPolygon([part for part in _polygons(shape) if not part.is_empty])


def _polygons(shape: Any) -> list[Any]:  # noqa: ANN401 - shapely has no types
    if shape.geom_type == "Polygon":
        return [shape]
    return [polygon for part in getattr(shape, "geoms", ()) for polygon in _polygons(part)]


def rings_of(graph: RoadGraph, polygon: Any) -> list[list[list[float]]]:  # noqa: ANN401 - shapely has no types
    """Return a polygon of the graph's plane as rings of [lon, lat], the first the outline, turned as GeoJSON asks."""
    turned = shapely.orient_polygons(polygon)
    return [_positions(graph, np.asarray(ring.coords)) for ring in (turned.exterior, *turned.interiors)]


def to_geojson(graph: RoadGraph, shape: Any) -> dict[str, Any]:  # noqa: ANN401 - shapely has no types
    """Return a MultiPolygon of the graph's plane as GeoJSON, [lon, lat] in WGS-84 to 6 decimals."""
    return {"type": "MultiPolygon", "coordinates": [rings_of(graph, polygon) for polygon in shape.geoms]}


def _positions(graph: RoadGraph, points: Floats) -> list[list[float]]:
    lat, lon = graph.plane.from_plane(points[:, 0], points[:, 1])
    positions: list[list[float]] = np.column_stack((lon, lat)).round(_DECIMALS).tolist()
    return positions


def planned_geojson(coverage: Coverage, plan: CoverageNow) -> dict[str, Any]:
    """Return what planned units reach: each station's contours by its own units, then those of all (station_id null).

    A GeoJSON FeatureCollection, 5 to 1 minutes, properties `station_id` and `minutes`. Takes about 1 s for 14 stations.
    """
    field = field_of(coverage.graph)
    features: list[dict[str, Any]] = []
    nearest = np.full(coverage.graph.node_count, np.inf)
    for station_id, seconds in _seconds_by_station(coverage, plan):
        nearest = np.minimum(nearest, seconds)
        features += _features(field, seconds, station_id)
    features += _features(field, nearest, None)
    return {"type": "FeatureCollection", "features": features}


def _seconds_by_station(coverage: Coverage, plan: CoverageNow) -> Iterator[tuple[int, Floats]]:
    """Give each station that has a zone with the seconds in which the fastest of its units is at each node."""
    place = coverage.skeleton.place_of_node
    for index in np.flatnonzero(coverage.has_zone).tolist():
        station_id = int(coverage.stations.station_id[index])
        seconds = np.full(coverage.graph.node_count, np.inf)
        for party in plan.parties:
            stands = party.stands.of(plan.units.station_id[party.stands.owner] == station_id)
            labels = party.ways.labels(stands, limits_s=(LIMITS_S[-1] * _BEYOND,))
            seconds = np.minimum(seconds, labels.seconds[0].take(place))
        yield station_id, seconds


def _features(field: Field, node_seconds: Floats, station_id: int | None) -> list[dict[str, Any]]:
    seconds = field.seconds(node_seconds)
    return [
        {
            "type": "Feature",
            "properties": {"station_id": station_id, "minutes": minutes},
            "geometry": to_geojson(field.graph, reach_polygons(field, seconds, limit_s)),
        }
        for minutes, limit_s in reversed(tuple(zip(MINUTES, LIMITS_S, strict=True)))
    ]
