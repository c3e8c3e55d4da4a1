"""What a file of another tool brought: tasks, zones, waypoints, and a sentence for everything that was left out."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from mission.formats.untrusted import Said, checked_count
from mission.model import Geometry, Task, TaskKind, Zone, ZoneKind
from mission.plan import Waypoint
from telemetry.model.geodesy import destination

CIRCLE_CORNERS: Final = 48
LONGEST_NAME: Final = 80
Place = tuple[float, float]
"""(lat_deg, lon_deg), WGS-84."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What a file held, WGS-84. `notes` says of everything that was left out or changed what and where it was.

    `is_above_home`: the waypoints' heights are above the take-off place. `camera` is the kind that all of them record with.
    """

    tasks: tuple[Task, ...] = ()
    zones: tuple[Zone, ...] = ()
    waypoints: tuple[Waypoint, ...] = ()
    is_above_home: bool = True
    camera: str = ""
    home: Place | None = None
    notes: tuple[Said, ...] = ()


def polygon_of(places: Sequence[Place], what: Said) -> Geometry:
    """Return a GeoJSON polygon of corners, closed where they are not. Raises FileFormatError for fewer than three."""
    checked_count(len(places), what)
    ring = [[lon, lat] for lat, lon in places]
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(ring) < len("abcd"):
        raise what.broken(
            f" has {len(places)} corners: a polygon needs three", f"有 {len(places)} 个角点：多边形至少三个"
        )
    return {"type": "Polygon", "coordinates": [ring]}


def line_of(places: Sequence[Place], what: Said) -> Geometry:
    """Return a GeoJSON line. Raises FileFormatError for fewer than two places."""
    checked_count(len(places), what)
    if len(places) < len("ab"):
        raise what.broken(f" has {len(places)} places: a line needs two", f"有 {len(places)} 个点：线至少两个")
    return {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in places]}


def circle_of(centre: Place, radius_m: float, *, is_outside: bool) -> Geometry:
    """Return a circle as a polygon: round the circle (`is_outside`) or within it, so that it errs on the safe side."""
    half = np.pi / CIRCLE_CORNERS
    reach_m = radius_m / np.cos(half) if is_outside else radius_m
    bearings = np.arange(CIRCLE_CORNERS) * 360.0 / CIRCLE_CORNERS
    lat, lon = destination(centre[0], centre[1], bearings, reach_m)
    ring = [[x, y] for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def task_of(name: str, kind: TaskKind, geometry: Geometry, *, width_m: float | None = None, note: str = "") -> Task:
    """Return a task of a file's name, cut to what is shown; the name stands for both languages."""
    said = name.strip()[:LONGEST_NAME] or kind.value
    return Task(name_zh=said, name_en=said, kind=kind, geometry=geometry, width_m=width_m, note=note)


def zone_of(name: str, kind: ZoneKind, geometry: Geometry, source: str) -> Zone:
    """Return a zone of a file."""
    return Zone(name=name.strip()[:LONGEST_NAME] or kind.value, kind=kind, geometry=geometry, source=source)
