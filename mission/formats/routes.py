"""Routes of others as tasks: a line, or a place where the route is one, at the height that it has throughout; the rest is said."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from mission.formats.brought import Brought, Place, line_of, task_of
from mission.formats.mavlink_items import DEFAULT_SPEED_MPS
from mission.formats.untrusted import Said, same
from mission.model import Task, TaskKind
from mission.plan import CameraAction, Waypoint

LOWEST_M: Final = 2.0
HIGHEST_M: Final = 6_000.0
LONGEST_DWELL_S: Final = 86_400.0


def task_of_route(name: str, brought: Brought) -> tuple[Task, tuple[Said, ...]]:
    """Return a route's waypoints as a corridor, those of one place as a point, and what of them is no part of a task.

    One height above the take-off place becomes the task's height above ground, as it is where the ground is flat.
    """
    waypoints = brought.waypoints
    places = list(dict.fromkeys((waypoint.lat_deg, waypoint.lon_deg) for waypoint in waypoints))
    is_point = len(places) == 1
    heights_m = {round(waypoint.alt_home_m, 1) for waypoint in waypoints}
    only_m = heights_m.pop() if len(heights_m) == 1 and brought.is_above_home else None
    alt_agl_m = only_m if only_m is not None and LOWEST_M <= only_m <= HIGHEST_M else None
    hold_s = sum(waypoint.hold_s for waypoint in waypoints)
    task = msgspec.structs.replace(
        _point(name, places[0]) if is_point else _line(name, waypoints),
        alt_agl_m=alt_agl_m,
        dwell_s=min(hold_s, LONGEST_DWELL_S) if is_point else 0.0,
        camera=brought.camera,
    )
    lost = [
        *([] if alt_agl_m is not None else [_heights(waypoints)]),
        *_speeds(waypoints),
        *([Said(f"stays of {hold_s:.0f} s", f"共 {hold_s:.0f} 秒的停留")] if hold_s > 0.0 and not is_point else []),
        *_looks(waypoints),
    ]
    return task, (_note(lost),) if lost else ()


def _point(name: str, place: Place) -> Task:
    return task_of(name, TaskKind.POINT, {"type": "Point", "coordinates": [place[1], place[0]]})


def _line(name: str, waypoints: Sequence[Waypoint]) -> Task:
    places = [(waypoint.lat_deg, waypoint.lon_deg) for waypoint in waypoints]
    return task_of(name, TaskKind.CORRIDOR, line_of(places, same(name).at(Said("its route", "航线"))))


def _heights(waypoints: Sequence[Waypoint]) -> Said:
    said = _range([waypoint.alt_home_m for waypoint in waypoints], "m")
    return Said(f"heights of {said[0]}", f"{said[1]}的高度")


def _speeds(waypoints: Sequence[Waypoint]) -> Iterator[Said]:
    speeds_mps = [waypoint.speed_mps for waypoint in waypoints]
    if set(speeds_mps) != {DEFAULT_SPEED_MPS}:
        said = _range(speeds_mps, "m/s")
        yield Said(f"speeds of {said[0]}", f"{said[1]}的速度")


def _looks(waypoints: Sequence[Waypoint]) -> Iterator[Said]:
    """Yield a word where a waypoint looks somewhere or records; a nose at 0 is what tools write that say nothing of it."""
    if any(
        waypoint.action is not CameraAction.NONE
        or (waypoint.gaze_lat_deg, waypoint.gimbal_pitch_deg, waypoint.heading_deg or None) != (None, None, None)
        for waypoint in waypoints
    ):
        yield Said("where nose and camera look and what is recorded", "机头、云台朝向和拍摄动作")


def _range(values: Sequence[float], unit: str) -> tuple[str, str]:
    low, high = round(min(values), 1), round(max(values), 1)
    one = f"{low:g} {unit}"
    return (one, f" {one} ") if low == high else (f"{low:g} to {high:g} {unit}", f" {low:g} 至 {high:g} {unit} ")


def _note(lost: Sequence[Said]) -> Said:
    en, zh = ", ".join(one.en for one in lost), "、".join(one.zh.strip() for one in lost)
    return Said(
        f"the route became a task that is planned anew; left out: {en}", f"航线已转为任务，将重新规划；略去：{zh}"
    )
