"""A day that was flown, for tests of its proof: a field in swaths, waypoints, sorties and tracks in a plane of metres."""

import numpy as np

from mission.model import Airframe, Camera, Dock, Geometry, Programme, Task, TaskKind, Window
from mission.plan import Plan, Sortie, SortieState, Visit, Waypoint
from mission.proof.flown import Track
from telemetry.model.geodesy import local_plane

START_US = 1_789_790_400_000_000
SECOND_US = 1_000_000
PLANE = local_plane(36.05, 103.83)
DOCK = Dock(dock_id=1, name="Dock 1", lat_deg=36.05, lon_deg=103.83)
CAMERA = Camera(name="wide", horizontal_fov_deg=90.0)
HAWKS = tuple(Airframe(airframe_id=number, name=f"Hawk {number}", dock_id=1, cameras=(CAMERA,)) for number in (1, 2))
ALT_M = 25.0
"""With 90 degrees of view the camera sees 50 m across from here."""


def ring(east_m: float, north_m: float, size_m: float) -> Geometry:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * size_m + (east_m, north_m)
    lat, lon = PLANE.from_plane(corners[:, 0], corners[:, 1])
    return {"type": "Polygon", "coordinates": [np.column_stack((lon, lat)).tolist()]}


def waypoint(east_m: float, north_m: float, task_id: int | None, *, hold_s: float = 0.0) -> Waypoint:
    lat, lon = (float(value) for value in PLANE.from_plane(east_m, north_m))
    return Waypoint(lat_deg=lat, lon_deg=lon, alt_home_m=ALT_M, speed_mps=5.0, task_id=task_id, hold_s=hold_s)


def sortie(number: int, waypoints: tuple[Waypoint, ...], task_id: int, *, begins_s: int, lasts_s: int) -> Sortie:
    takeoff_us = START_US + begins_s * SECOND_US
    return Sortie(
        sortie_id=number,
        airframe_id=number,
        dock_id=1,
        takeoff_us=takeoff_us,
        landing_us=takeoff_us + lasts_s * SECOND_US,
        free_us=takeoff_us + lasts_s * SECOND_US,
        visit_ids=(number,),
        task_ids=(task_id,),
        waypoints=waypoints,
        length_m=1000.0,
        landing_battery_ratio=0.5,
        transit_alt_home_m=ALT_M,
        state=SortieState.FLOWN,
    )


def track(number: int, places_m: np.ndarray, *, begins_s: float, step_s: float = 1.0) -> Track:
    lat, lon = PLANE.from_plane(places_m[:, 0], places_m[:, 1])
    at_us = START_US + ((begins_s + np.arange(len(places_m)) * step_s) * SECOND_US).astype(np.int64)
    height = np.full(len(places_m), ALT_M)
    return Track(sortie_id=number, at_us=at_us, lat_deg=lat, lon_deg=lon, alt_home_m=height)


def swaths() -> list[tuple[float, float]]:
    return [
        (0.0, 25.0),
        (200.0, 25.0),
        (200.0, 75.0),
        (0.0, 75.0),
        (0.0, 125.0),
        (200.0, 125.0),
        (200.0, 175.0),
        (0.0, 175.0),
    ]


def along(corners: list[tuple[float, float]]) -> np.ndarray:
    pieces = [
        np.linspace(start, end, 40, endpoint=False)
        for start, end in zip(np.array(corners)[:-1], np.array(corners)[1:], strict=True)
    ]
    return np.concatenate([*pieces, [corners[-1]]])


FIELD = Task(task_id=5, name_zh="丹霞谷", name_en="Danxia valley", kind=TaskKind.AREA, geometry=ring(0.0, 0.0, 200.0))
SURVEY = sortie(1, tuple(waypoint(x, y, 5) for x, y in swaths()), 5, begins_s=0, lasts_s=300)
FIELD_PLAN = Plan(
    window=Window(START_US, START_US + 3600 * SECOND_US),
    visits=(Visit(visit_id=1, task_id=5, number=1, window=Window(START_US, START_US + 600 * SECOND_US)),),
    sorties=(SURVEY,),
    plan_id=4,
)
FIELD_PROGRAMME = Programme(tasks=(FIELD,), airframes=HAWKS, docks=(DOCK,))
LATER_US = START_US + 7200 * SECOND_US
