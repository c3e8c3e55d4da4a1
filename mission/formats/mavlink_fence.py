"""Zones of the air near a sortie as an autopilot's fence: polygons of few vertices, never weaker than the zones."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from mission.model import Dock, Zone, ZoneKind
from mission.plan import Sortie
from telemetry.model.geodesy import Floats, LocalPlane, local_plane
from telemetry.model.mission_items import MissionFrame, MissionItem

INCLUSION: Final = 5001
EXCLUSION: Final = 5002
NEAR_M: Final = 3_000.0
"""Zones farther from the way than this are left out: autopilots keep few vertices."""
MOST_VERTICES: Final = 200
SIMPLER_BY_M: Final = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_LEAST_CORNERS: Final = 3
Ring = tuple[Floats, int]
"""Corners (n, 2) in the plane, not closed, and the command that they are said with."""


def fence_of(sortie: Sortie, dock: Dock, zones: Sequence[Zone]) -> tuple[MissionItem, ...]:
    """Return keep-in areas and no-fly zones near the sortie, in its time and height, one item a vertex.

    Many vertices are made fewer on the safe side: what is closed grows, what is open shrinks. A hole in a closed zone is
    closed too, since a fence has no holes; one in a keep-in area becomes a closed area of its own.
    """
    plane = local_plane(dock.lat_deg, dock.lon_deg)
    project = _projection(plane)
    corners = [(dock.lon_deg, dock.lat_deg), *((point.lon_deg, point.lat_deg) for point in sortie.waypoints)]
    way = shapely.transform(shapely.MultiPoint(corners).convex_hull, project)
    chosen: list[tuple[Any, int]] = []
    for zone in zones:
        command = _command_of(zone, sortie)
        if command is None:
            continue
        shape = shapely.transform(shapely.from_geojson(msgspec.json.encode(zone.geometry).decode()), project)
        if shapely.distance(shape, way) <= NEAR_M:
            chosen.append((shape, command))
    rings = _few(chosen)
    return tuple(item for ring, command in rings for item in _items(plane, ring, command))


def _projection(plane: LocalPlane) -> Callable[[Floats], Floats]:
    return lambda lonlat: np.column_stack(plane.to_plane(lonlat[:, 1], lonlat[:, 0]))


def _command_of(zone: Zone, sortie: Sortie) -> int | None:
    """Return how a zone is fenced, None for one that does not concern the sortie."""
    in_time = not zone.windows or any(
        window.start_us < sortie.landing_us and window.end_us > sortie.takeoff_us for window in zone.windows
    )
    rises_m = [point.ground_above_home_m for point in sortie.waypoints]
    heights_m = [point.alt_home_m - point.ground_above_home_m for point in sortie.waypoints]
    highest_m = max([*heights_m, sortie.transit_alt_home_m - max([*rises_m, 0.0])])
    if not in_time or zone.kind is ZoneKind.TRAFFIC:
        return None
    if zone.kind is ZoneKind.KEEP_IN:
        return INCLUSION
    is_granted = zone.kind is ZoneKind.RESTRICTED and zone.approval != "" and zone.approval == sortie.approval
    return None if is_granted or zone.floor_agl_m > highest_m else EXCLUSION


def _few(chosen: Sequence[tuple[Any, int]]) -> list[Ring]:
    """Return the rings with as little simplification as keeps them few; the last try is taken as it is."""
    rings: list[Ring] = []
    for tolerance_m in SIMPLER_BY_M:
        rings = [ring for shape, command in chosen for ring in _rings(shape, command, tolerance_m)]
        if sum(len(ring) for ring, _ in rings) <= MOST_VERTICES:
            break
    return rings


def _rings(shape: Any, command: int, tolerance_m: float) -> Iterator[Ring]:  # noqa: ANN401 - shapely has no types
    for part in shapely.get_parts(_simpler(shape, command, tolerance_m)):
        yield _open(part.exterior), command
        if command == INCLUSION:
            for hole in part.interiors:
                yield _open(hole), EXCLUSION


def _simpler(shape: Any, command: int, tolerance_m: float) -> Any:  # noqa: ANN401 - shapely has no types
    """Return a shape of fewer corners: grown by the tolerance where it is closed, shrunk where it is kept in."""
    if tolerance_m == 0.0:
        return shape
    side = tolerance_m if command == EXCLUSION else -tolerance_m
    moved = shape.buffer(side, join_style="mitre").simplify(tolerance_m)
    safe = shapely.union(moved, shape) if command == EXCLUSION else shapely.intersection(moved, shape)
    return moved if moved.is_valid and safe.equals(moved) else shape.buffer(side, join_style="mitre")


def _open(ring: Any) -> Floats:  # noqa: ANN401 - shapely has no types
    return np.asarray(shapely.get_coordinates(ring)[:-1], np.float64)


def _items(plane: LocalPlane, ring: Floats, command: int) -> Iterator[MissionItem]:
    if len(ring) < _LEAST_CORNERS:
        return
    lat_deg, lon_deg = plane.from_plane(ring[:, 0], ring[:, 1])
    for lat, lon in zip(lat_deg.tolist(), lon_deg.tolist(), strict=True):
        yield MissionItem(
            command=command,
            frame=int(MissionFrame.GLOBAL_MSL),
            param1=float(len(ring)),
            param2=0.0,
            param3=0.0,
            param4=0.0,
            lat_e7=round(lat * 1e7),
            lon_e7=round(lon * 1e7),
        )
