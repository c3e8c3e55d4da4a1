"""A pattern in the plane as waypoints of a sortie: WGS-84, height above the take-off place, camera and gaze."""

from typing import Final

import numpy as np

from mission.airspace import CALM, Wind
from mission.model import Airframe, Task
from mission.patterns.flown import Pattern
from mission.patterns.footprint import FRONT_OVERLAP_RATIO, camera_of, filmed_mps, trigger_m
from mission.patterns.legs import told_mps
from mission.plan import CameraAction, Waypoint
from telemetry.model.geodesy import Floats, LocalPlane

_ROUNDED: Final = 100.0
_ROUNDING: Final = 1e-6


def waypoints_of(
    pattern: Pattern,
    plane: LocalPlane,
    task: Task,
    airframe: Airframe,
    *,
    ground_above_home_m: float = 0.0,
    wind: Wind = CALM,
) -> tuple[Waypoint, ...]:
    """Return the pattern's waypoints; `ground_above_home_m` is how much higher its ground lies than the take-off place.

    Each is flown to at the speed over ground that its leg is reckoned with in this wind. The camera films from the first to the last; a multispectral one takes a photo each so many metres instead, and the drone
    is slowed down to what it can take. A pattern of one place has two waypoints, so that filming ends.
    """
    camera = camera_of(airframe, task.camera)
    is_photo = camera.kind == "multispectral"
    apart_m = trigger_m(camera, pattern.alt_agl_m, FRONT_OVERLAP_RATIO) if is_photo else None
    places, gaze, hold_s = _at_least_two(pattern)
    actions = _actions(len(places), is_photo=is_photo)
    speed_mps = speeds_mps(
        places, airframe, wind, most_mps=filmed_mps(task, airframe, pattern.alt_agl_m, FRONT_OVERLAP_RATIO)
    )
    lat_deg, lon_deg = plane.from_plane(places[:, 0], places[:, 1])
    gaze_lat_deg, gaze_lon_deg = plane.from_plane(gaze[:, 0], gaze[:, 1])
    looks = [bool(np.isfinite(place).all()) for place in gaze]
    return tuple(
        Waypoint(
            lat_deg=round(float(lat_deg[row]), 8),
            lon_deg=round(float(lon_deg[row]), 8),
            alt_home_m=round(pattern.alt_agl_m + ground_above_home_m, 2),
            speed_mps=speed_mps[row],
            hold_s=float(hold_s[row]),
            gimbal_pitch_deg=round(pattern.gimbal_pitch_deg, 1),
            gaze_lat_deg=round(float(gaze_lat_deg[row]), 8) if looks[row] else None,
            gaze_lon_deg=round(float(gaze_lon_deg[row]), 8) if looks[row] else None,
            action=actions[row],
            trigger_m=apart_m if actions[row] is CameraAction.PHOTOS_BY_DISTANCE else None,
            task_id=task.task_id,
        )
        for row in range(len(places))
    )


def speeds_mps(places: Floats, airframe: Airframe, wind: Wind, *, most_mps: float = np.inf) -> list[float]:
    """Return at which speed over ground each of the places (n, 2) is flown to, rounded down to 0.01 m/s; the first as the next.

    A place that is the one before again is flown to at cruising speed.
    """
    way = np.diff(places, axis=0)
    told = told_mps(way, airframe, wind, most_mps=most_mps)
    told = np.where(np.hypot(way[:, 0], way[:, 1]) > 0.0, told, min(airframe.cruise_mps, most_mps))
    each = np.floor(np.concatenate((told[:1], told)) * _ROUNDED + _ROUNDING) / _ROUNDED
    found: list[float] = each.tolist()
    return found


def _actions(count: int, *, is_photo: bool) -> list[CameraAction]:
    """Return what the camera does from each of so many waypoints on: photos up to the last, or a film from the first to it."""
    if is_photo:
        return [*([CameraAction.PHOTOS_BY_DISTANCE] * (count - 1)), CameraAction.NONE]
    return [CameraAction.START_VIDEO, *([CameraAction.NONE] * (count - 2)), CameraAction.STOP_VIDEO]


def _at_least_two(pattern: Pattern) -> tuple[Floats, Floats, Floats]:
    if len(pattern.places) > 1:
        return pattern.places, pattern.gaze, pattern.hold_s
    twice = np.zeros(2, np.intp)
    return pattern.places[twice], pattern.gaze[twice], np.array([pattern.hold_s[0], 0.0])
