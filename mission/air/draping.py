"""Sorties laid over the terrain: true heights kept as planned, with further waypoints where the ground rises or falls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from mission.air.terrain import Ground
from mission.model import Dock
from mission.plan import CameraAction, Sortie, Waypoint
from telemetry.model.geodesy import Floats, LocalPlane

TOLERANCE_M: Final = 8.0
"""So much the true height may differ from the planned one between waypoints."""
_SAMPLE_M: Final = 30.0
_MOST_SAMPLES: Final = 500
_COARSER_FACTOR: Final = 1.5


@dataclass(frozen=True)
class Terrain:
    """The ground about a dock, as seen from its take-off place."""

    ground: Ground
    plane: LocalPlane
    home_m: float

    def above_home_m(self, places: Floats) -> Floats:
        """Return how much higher than the take-off place the ground is at places (n, 2); 0 where it is unknown."""
        found = self.ground.heights_m(*self.plane.from_plane(places[:, 0], places[:, 1])) - self.home_m
        return np.where(np.isnan(found), 0.0, found)


def draped(
    sortie: Sortie,
    *,
    plane: LocalPlane,
    ground: Ground,
    dock: Dock,
    most_waypoints: int = 200,
    tolerance_m: float = TOLERANCE_M,
) -> Sortie:
    """Return a sortie planned over flat ground with its heights taken as heights above the ground beneath.

    Where the ground between waypoints bends by more than the tolerance, waypoints are put in, fewer and coarser ones where the
    controller takes no more. The ways from and to the dock are flown so high that they clear the ground by the transit height.
    Its times stay: what it climbs on the way is not reckoned. It stays as it is over flat ground, and where the dock lies
    outside of the raster and names no height.
    """
    home_m = dock.ground_msl_m
    if home_m is None:
        home_m = float(ground.heights_m(np.array([dock.lat_deg]), np.array([dock.lon_deg]))[0])
    if ground.is_flat or np.isnan(home_m) or not sortie.waypoints:
        return sortie
    terrain = Terrain(ground, plane, home_m)
    ways = sortie.waypoints
    places = np.column_stack(plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways]))
    legs = _legs(ways, places, terrain, tolerance_m)
    while len(ways) + sum(map(len, legs)) > most_waypoints and any(legs):
        tolerance_m *= _COARSER_FACTOR
        legs = _legs(ways, places, terrain, tolerance_m)
    home = np.array(plane.to_plane(dock.lat_deg, dock.lon_deg), np.float64)
    to_dock = np.concatenate([_samples(home, end) for end in (places[0], places[-1])])
    up_m = max(float(terrain.above_home_m(to_dock).max()), 0.0)
    lifted = [
        msgspec.structs.replace(one, alt_home_m=one.alt_home_m + float(rise_m))
        for one, rise_m in zip(ways, terrain.above_home_m(places), strict=True)
    ]
    laid = [two for one, inner in zip(lifted, [*legs, []], strict=True) for two in (one, *inner)]
    number = np.concatenate(([0], np.cumsum([1 + len(inner) for inner in legs]))).astype(np.int64)
    parts = tuple(
        msgspec.structs.replace(
            one, first_waypoint=int(number[one.first_waypoint]), last_waypoint=int(number[one.last_waypoint])
        )
        for one in sortie.visit_parts
    )
    return msgspec.structs.replace(
        sortie, waypoints=tuple(laid), visit_parts=parts, transit_alt_home_m=sortie.transit_alt_home_m + up_m
    )


def _legs(ways: Sequence[Waypoint], places: Floats, terrain: Terrain, tolerance_m: float) -> list[list[Waypoint]]:
    """Return for each leg the waypoints to put in."""
    return [
        _put_in(ways[number], ways[number + 1], places[number : number + 2], terrain, tolerance_m)
        for number in range(len(ways) - 1)
    ]


def _samples(start: Floats, end: Floats) -> Floats:
    count = min(max(int(np.ceil(np.hypot(*(end - start)) / _SAMPLE_M)), 1), _MOST_SAMPLES)
    found: Floats = start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start)
    return found


def _put_in(start: Waypoint, end: Waypoint, ends: Floats, terrain: Terrain, tolerance_m: float) -> list[Waypoint]:
    """Return the waypoints of a leg at which the ground bends."""
    places = _samples(ends[0], ends[1])
    rise_m = terrain.above_home_m(places)
    bends = _bends(rise_m, 0, len(rise_m) - 1, tolerance_m)
    lat, lon = terrain.plane.from_plane(places[:, 0], places[:, 1])
    found = []
    for row in bends:
        share = row / (len(rise_m) - 1)
        planned_m = start.alt_home_m + (end.alt_home_m - start.alt_home_m) * share
        found.append(
            msgspec.structs.replace(
                end,
                lat_deg=round(float(lat[row]), 7),
                lon_deg=round(float(lon[row]), 7),
                alt_home_m=planned_m + float(rise_m[row]),
                hold_s=0.0,
                task_id=end.task_id if start.task_id == end.task_id else None,
                action=CameraAction.NONE,
                gaze_lat_deg=start.gaze_lat_deg,
                gaze_lon_deg=start.gaze_lon_deg,
                heading_deg=start.heading_deg,
                trigger_m=start.trigger_m,
                arrive_us=_between_us(start, end, share),
            )
        )
    return found


def _bends(rise_m: Floats, first: int, last: int, tolerance_m: float) -> list[int]:
    """Return the rows at which a profile leaves the straight line by more than the tolerance (Douglas and Peucker)."""
    if last - first < 2:
        return []
    line = np.linspace(rise_m[first], rise_m[last], last - first + 1)
    off_m = np.abs(rise_m[first : last + 1] - line)
    worst = first + int(off_m.argmax())
    if off_m.max() <= tolerance_m:
        return []
    before, after = _bends(rise_m, first, worst, tolerance_m), _bends(rise_m, worst, last, tolerance_m)
    return [*before, worst, *after]


def _between_us(start: Waypoint, end: Waypoint, share: float) -> int | None:
    if start.arrive_us is None or end.arrive_us is None:
        return None
    leave_us = start.arrive_us + round(start.hold_s * 1_000_000)
    return leave_us + round((end.arrive_us - leave_us) * share)
