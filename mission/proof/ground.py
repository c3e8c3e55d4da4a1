"""The ground that a task asks for, in a plane round the docks, and what is left of it back on the globe."""

from typing import Any, Final

import msgspec
import numpy as np
import shapely

from mission.model import Geometry, Programme, Task, TaskKind
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

GROUND_KINDS: Final = frozenset(
    {TaskKind.AREA, TaskKind.CORRIDOR, TaskKind.PERIMETER, TaskKind.SEARCH, TaskKind.STREETS}
)
"""What is asked for is ground, not a place."""
USUAL_WIDTH_M: Final = 30.0
SHOWN_TOLERANCE_M: Final = 1.0


def plane_of(programme: Programme) -> LocalPlane:
    """Return the plane round the middle of a programme's docks."""
    places = [(dock.lat_deg, dock.lon_deg) for dock in programme.docks] or [(0.0, 0.0)]
    return local_plane(*(float(value) for value in np.mean(places, axis=0)))


def asked_of(task: Task, plane: LocalPlane) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the ground that a task asks for, in the plane."""
    shape = shapely.from_geojson(msgspec.json.encode(task.geometry).decode())
    planar = shapely.transform(shape, lambda at: np.column_stack(plane.to_plane(at[:, 1], at[:, 0])))
    half_m = (task.width_m or USUAL_WIDTH_M) / 2.0
    if task.kind is TaskKind.PERIMETER:
        return shapely.buffer(planar.boundary, half_m)
    if task.kind is TaskKind.SEARCH and planar.geom_type == "Point":
        return shapely.buffer(planar, task.width_m or USUAL_WIDTH_M)
    return planar if planar.area > 0.0 else shapely.buffer(planar, half_m)


def to_wgs84(shape: Any, plane: LocalPlane) -> Geometry | None:  # noqa: ANN401 - shapely has no types
    """Return the polygons of a shape in the plane as GeoJSON, simplified; None where there are none."""
    simple = shapely.simplify(shape, SHOWN_TOLERANCE_M)
    parts = [part for part in shapely.get_parts(simple) if part.geom_type == "Polygon" and part.area > 1.0]
    if not parts:
        return None

    def back(at: Floats) -> Floats:
        lat, lon = plane.from_plane(at[:, 0], at[:, 1])
        return np.column_stack((lon, lat))

    found: Geometry = msgspec.json.decode(shapely.to_geojson(shapely.transform(shapely.MultiPolygon(parts), back)))
    return found
