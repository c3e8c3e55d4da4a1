"""Zones of the air near a sortie as an autopilot's fence: polygons of few vertices, never weaker than the zones."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import shapely

from mission.air.flight_path import FlightPath, path_of
from mission.air.sky import Sky, ceiling_of, is_closed_to, is_in_force
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

    A fence knows neither heights nor times nor approvals: a zone that the sortie's own way rightly crosses (above or below it,
    while it is open, with its number) is left out. Keep-in areas become one, since autopilots want to be inside all of them;
    where the way leads through several that do not touch, they are left out. Many vertices are made fewer on the safe side:
    what is closed grows, what is open shrinks, but never so that the way is outside. A hole in a closed zone is closed too,
    since a fence has no holes; one in a keep-in area becomes a closed area of its own.
    """
    plane = local_plane(dock.lat_deg, dock.lon_deg)
    if not sortie.waypoints:
        return ()
    path = path_of(sortie.over_level_ground(), plane=plane, dock=dock)
    line = shapely.union_all(path.lines)
    chosen = [(shape, EXCLUSION) for zone in zones for shape in _closed(zone, path, line, sortie.approval, plane)]
    chosen += [(shape, INCLUSION) for shape in _kept_in(zones, path, line, plane)]
    near = [one for one in chosen if shapely.distance(one[0], line.convex_hull) <= NEAR_M]
    return tuple(item for ring, command in _few(near, line) for item in _items(plane, ring, command))


def _closed(zone: Zone, path: FlightPath, line: Any, approval: str, plane: LocalPlane) -> Iterator[Any]:  # noqa: ANN401
    """Yield the area of a zone that is closed to the sortie, unless its way crosses it without an offence."""
    if zone.kind in {ZoneKind.TRAFFIC, ZoneKind.KEEP_IN} or not is_closed_to(zone, approval):
        return
    if not is_in_force(zone, path.window) or zone.floor_agl_m > path.highest_agl_m:
        return
    sky = Sky((zone,), plane=plane)
    area = sky.area(zone)
    is_over_or_under = shapely.intersects(area, line) and not sky.offences(path, approval=approval)
    if not is_over_or_under:
        yield area


def _kept_in(zones: Sequence[Zone], path: FlightPath, line: Any, plane: LocalPlane) -> Iterator[Any]:  # noqa: ANN401
    """Yield the keep-in area that holds the sortie: all that are in force at its time and heights, as one."""
    inside = [
        zone
        for zone in zones
        if zone.kind is ZoneKind.KEEP_IN
        and is_in_force(zone, path.window)
        and zone.floor_agl_m < path.highest_agl_m
        and ceiling_of(zone) > path.lowest_agl_m
    ]
    sky = Sky(inside, plane=plane)
    touched = [
        one for one in shapely.get_parts(shapely.union_all([sky.area(zone) for zone in inside])) if one.intersects(line)
    ]
    if len(touched) == 1:
        yield touched[0]


def _few(chosen: Sequence[tuple[Any, int]], line: Any) -> list[Ring]:  # noqa: ANN401 - shapely has no types
    """Return the rings with as little simplification as keeps them few; the last try is taken as it is."""
    rings: list[Ring] = []
    for tolerance_m in SIMPLER_BY_M:
        rings = [ring for shape, command in chosen for ring in _rings(shape, command, line, tolerance_m)]
        if sum(len(ring) for ring, _ in rings) <= MOST_VERTICES:
            break
    return rings


def _rings(shape: Any, command: int, line: Any, tolerance_m: float) -> Iterator[Ring]:  # noqa: ANN401 - as above
    simpler = _simpler(shape, command, tolerance_m)
    is_in_the_way = simpler.intersects(line) if command == EXCLUSION else not simpler.covers(line)
    for part in shapely.get_parts(shape if is_in_the_way else simpler):
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
