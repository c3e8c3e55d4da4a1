"""What a drone really flew in a sortie, and the ground that it saw on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from mission.model import US, Airframe, Camera, Task, Window
from mission.patterns.footprint import camera_of, seen_width_m
from mission.plan import Sortie, Waypoint
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats, LocalPlane

LONGEST_SILENCE_S: Final = 15.0
"""Between two positions farther apart than this nothing is said to have been seen."""
FLYING_ABOVE_M: Final = 3.0
_CORNERS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Track:
    """A drone's own positions in the time of a sortie: times (n,) UTC us rising, WGS-84, metres above take-off.

    Empty where nothing was recorded. `is_hidden`: whoever asks may not see the drone, so that nothing is known of it.
    """

    sortie_id: int
    at_us: NDArray[np.int64]
    lat_deg: Floats
    lon_deg: Floats
    alt_home_m: Floats
    is_hidden: bool = False

    @property
    def aloft(self) -> Window | None:
        """From the first to the last position above the ground, None where there is none."""
        flying = np.flatnonzero(self.alt_home_m > FLYING_ABOVE_M)
        return Window(int(self.at_us[flying[0]]), int(self.at_us[flying[-1]])) if len(flying) else None

    def places(self, plane: LocalPlane) -> Floats:
        """Return the positions in a plane, (n, 2) metres."""
        return np.column_stack(plane.to_plane(self.lat_deg, self.lon_deg)).reshape(-1, 2)

    def since(self, from_us: int) -> "Track":
        """Return what of it was flown from a time on."""
        kept = slice(int(np.searchsorted(self.at_us, from_us)), None)
        return replace(
            self,
            at_us=self.at_us[kept],
            lat_deg=self.lat_deg[kept],
            lon_deg=self.lon_deg[kept],
            alt_home_m=self.alt_home_m[kept],
        )

    def length_m(self, plane: LocalPlane) -> float:
        """Return how far it flew over ground."""
        steps = np.diff(self.places(plane), axis=0)
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def no_track(sortie_id: int) -> Track:
    """Return the track of a sortie of which nothing was recorded."""
    nothing = np.zeros(0)
    return Track(sortie_id=sortie_id, at_us=np.zeros(0, np.int64), lat_deg=nothing, lon_deg=nothing, alt_home_m=nothing)


def hidden_track(sortie_id: int) -> Track:
    """Return the track of a sortie whose drone is not in the scope of whoever asks."""
    return replace(no_track(sortie_id), is_hidden=True)


def above_ground(track: Track, sortie: Sortie, plane: LocalPlane) -> Track:
    """Return a track with its heights as those above the ground that its sortie was laid over, beneath the nearest of its way.

    It stays as it is where the sortie was planned over flat ground.
    """
    rises_m = np.array([point.ground_above_home_m for point in sortie.waypoints])
    if not rises_m.any() or len(rises_m) < len("ab") or not len(track.at_us):
        return track
    way = places_of(sortie.waypoints, plane)
    reached_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))))
    along_m = shapely.line_locate_point(shapely.linestrings(way), shapely.points(track.places(plane)))
    return replace(track, alt_home_m=track.alt_home_m - np.interp(along_m, reached_m, rises_m))


def seen_from(places: Floats, alt_agl_m: Floats, camera: Camera, *, joined: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - shapely
    """Return the ground that a camera looking down saw along straight legs between places (n, 2), a shapely polygon.

    `joined` (n - 1,) says which legs were flown: a silence is none. Each leg is as wide as the camera sees from its lower end.
    """
    if len(places) < len("ab") or not joined.any():
        return shapely.Polygon()
    half_m = seen_width_m(camera, 1.0) / 2.0 * np.maximum(np.minimum(alt_agl_m[:-1], alt_agl_m[1:]), 0.0)
    lines = shapely.linestrings(np.stack((places[:-1], places[1:]), axis=1))[joined]
    return shapely.union_all(shapely.buffer(lines, half_m[joined], quad_segs=_CORNERS))


def seen_by_track(track: Track, airframe: Airframe, task: Task, plane: LocalPlane) -> Any:  # noqa: ANN401 - shapely
    """Return the ground that the task's camera saw on a track; nothing on the ground, and nothing in a silence."""
    camera = _camera(airframe, task)
    if camera is None or len(track.at_us) < len("ab"):
        return shapely.Polygon()
    near_in_time = np.diff(track.at_us) <= LONGEST_SILENCE_S * US
    flying = np.minimum(track.alt_home_m[:-1], track.alt_home_m[1:]) > FLYING_ABOVE_M
    return seen_from(track.places(plane), track.alt_home_m, camera, joined=near_in_time & flying)


def seen_by_plan(points: Sequence[Waypoint], airframe: Airframe, task: Task, plane: LocalPlane) -> Any:  # noqa: ANN401 - shapely
    """Return the ground that waypoints of a sortie were planned to see for a task: along the legs between those of that task."""
    camera = _camera(airframe, task)
    if camera is None or len(points) < len("ab"):
        return shapely.Polygon()
    heights = np.array([point.alt_home_m - point.ground_above_home_m for point in points])
    owned = np.array([point.task_id == task.task_id for point in points])
    return seen_from(places_of(points, plane), heights, camera, joined=owned[1:] & owned[:-1])


def places_of(points: Sequence[Waypoint], plane: LocalPlane) -> Floats:
    """Return the places of waypoints in a plane, (n, 2) metres."""
    lat, lon = np.array([point.lat_deg for point in points]), np.array([point.lon_deg for point in points])
    return np.column_stack(plane.to_plane(lat, lon)).reshape(-1, 2)


def standing_of(points: Sequence[Waypoint], task: Task, plane: LocalPlane) -> Floats:
    """Return the places (k, 2) of waypoints from which a task is seen: those of that task."""
    return places_of([point for point in points if point.task_id == task.task_id], plane)


def near_windows(track: Track, standing: Floats, plane: LocalPlane, within_m: float) -> list[Window]:
    """Return when a track was within so many metres of one of the places, silences taken out."""
    if not len(track.at_us) or not len(standing):
        return []
    places = track.places(plane)
    apart_m = np.hypot(*(places[:, None, :] - standing[None, :, :]).transpose(2, 0, 1)).min(axis=1)
    near = (apart_m <= within_m) & (track.alt_home_m > FLYING_ABOVE_M)
    together = near[1:] & near[:-1] & (np.diff(track.at_us) <= LONGEST_SILENCE_S * US)
    windows: list[Window] = []
    for at in np.flatnonzero(together).tolist():
        start, end = int(track.at_us[at]), int(track.at_us[at + 1])
        if windows and windows[-1].end_us == start:
            windows[-1] = Window(windows[-1].start_us, end)
        else:
            windows.append(Window(start, end))
    return windows


def _camera(airframe: Airframe, task: Task) -> Camera | None:
    try:
        return camera_of(airframe, task.camera)
    except InputError:
        return None
