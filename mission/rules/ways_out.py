"""What would make a sortie's way possible: round a zone, or shorter until the battery suffices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mission.air.flight_path import FlightPath
from mission.air.sky import Sky
from mission.model import US, Airframe, Dock, Window
from mission.patterns.transit import Ways, ways_of
from mission.plan import Sortie
from mission.rules.refusals import Remedy, metres
from telemetry.model.geodesy import Floats

_SWATH_SHARE: Final = 0.6
_SAME_M: Final = 1.0


@dataclass(frozen=True)
class Course:
    """A sortie over its plane: where it stops, in which air, with which airframe, and what a second costs of the battery."""

    sortie: Sortie
    airframe: Airframe
    dock: Dock | None
    sky: Sky
    path: FlightPath
    start_ratio: float = 1.0

    @property
    def places(self) -> Floats:
        """The waypoints (n, 2) in the plane."""
        ways = self.sortie.waypoints
        return np.column_stack(self.sky.plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways]))

    @property
    def home(self) -> Floats:
        """Where it takes off and lands."""
        place: Floats = self.path.places[0]
        return place

    @property
    def flight_s(self) -> float:
        """How long it is in the air."""
        return (self.sortie.landing_us - self.sortie.takeoff_us) / US

    @property
    def ratio_per_s(self) -> float:
        """What a second of it takes of the battery, from take-off to landing the same."""
        return max(self.start_ratio - self.sortie.landing_battery_ratio, 1e-6) / max(self.flight_s, 1.0)

    def ways(self, window: Window, *, low_m: float, high_m: float) -> Ways:
        """Return the ways round what is closed in a band of heights during a time."""
        closed = self.sky.closed_at(window, floor_agl_m=low_m, ceiling_agl_m=high_m, approval=self.sortie.approval)
        return ways_of(closed)

    def text(self, places: Floats) -> str:
        """Return places of the plane as "lat,lon lat,lon"."""
        lat, lon = self.sky.plane.from_plane(places[:, 0], places[:, 1])
        return " ".join(f"{float(one):.7f},{float(two):.7f}" for one, two in zip(lat, lon, strict=True))


def detour(course: Course, least_ratio: float) -> Iterator[Remedy]:
    """Yield the way round all zones that the sortie's straight ways cross, where there is one and the battery suffices."""
    places, ways = course.places, course.sortie.waypoints
    stops = np.concatenate((course.home[None, :], places, course.home[None, :]))
    heights = [course.sortie.transit_alt_home_m, *(one.alt_home_m for one in ways)]
    around = course.ways(course.path.window, low_m=min(heights), high_m=max(heights))
    parts, more_m, more_s = [], 0.0, 0.0
    for number in range(len(stops) - 1):
        start, end = stops[number], stops[number + 1]
        straight_m = float(np.hypot(*(end - start)))
        if straight_m < _SAME_M or around.sees(start[None, :], end[None, :])[0]:
            continue
        way = around.way(start, end)
        if way is None:
            return
        longer_m = max(length_m(way) - straight_m, 0.0)
        speed_mps = max(ways[min(number, len(ways) - 1)].speed_mps, 1.0)
        parts.append(f"{number - 1}+{longer_m / speed_mps:.1f}:{course.text(way[1:-1])}")
        more_m, more_s = more_m + longer_m, more_s + longer_m / speed_mps
    ratio = course.sortie.landing_battery_ratio - more_s * course.ratio_per_s
    if not parts or ratio < least_ratio:
        return
    numbers: dict[str, float | str] = {"detour": metres(more_m), "landing_pct": ratio * 100.0}
    change: dict[str, float | str] = {
        "detour": ";".join(parts),
        "detour_m": more_m,
        "landing_us": course.sortie.landing_us + round(more_s * US),
        "landing_battery_ratio": ratio,
    }
    yield Remedy("detour", numbers, change)


def shorter(course: Course, least_ratio: float) -> Iterator[Remedy]:
    """Yield how a sortie is cut so that the battery suffices: less time at its places, or fewer places; else another airframe."""
    missing_s = (least_ratio - course.sortie.landing_battery_ratio) / course.ratio_per_s + 1.0
    held_s = sum(one.hold_s for one in course.sortie.waypoints)
    if held_s >= missing_s:
        change = _landing(course, missing_s) | {"shorter_s": missing_s}
        yield Remedy("shorter_hold", {"shorter_min": missing_s / 60.0}, change)
    else:
        yield from _fewer_places(course, missing_s)
    used = 1.0 - course.sortie.landing_battery_ratio
    endurance_s = course.airframe.endurance_s * used / (1.0 - least_ratio)
    yield Remedy("endurance", {"endurance_min": endurance_s / 60.0}, {"endurance_s": endurance_s})


def _fewer_places(course: Course, missing_s: float) -> Iterator[Remedy]:
    """Yield the fewest last waypoints to leave out so that so many seconds are saved, with the way home from there."""
    places, ways = course.places, course.sortie.waypoints
    around = course.ways(
        course.path.window,
        low_m=course.sortie.transit_alt_home_m,
        high_m=course.sortie.transit_alt_home_m,
    )
    leave_us = _leave_us(course)
    usual_m = float(np.hypot(*(course.home - places[-1])))
    ground_s = (course.sortie.landing_us - leave_us[-1]) / US - usual_m / course.airframe.cruise_mps
    for keep in range(len(ways) - 1, 0, -1):
        if ways[keep - 1].task_id is None:
            continue
        way = around.way(places[keep - 1], course.home)
        if way is None:
            continue
        home_s = length_m(way) / course.airframe.cruise_mps + max(ground_s, 0.0)
        saved_s = (course.sortie.landing_us - leave_us[keep - 1]) / US - home_s
        if saved_s < missing_s:
            continue
        shorter_m = length_m(places[keep - 1 :]) + usual_m - length_m(way)
        swaths = _swath_count(course, keep)
        numbers: dict[str, float | str] = {
            "drop_swath_count": float(swaths),
            "drop_waypoint_count": float(len(ways) - keep),
            "shorter": metres(shorter_m),
        }
        change = _landing(course, saved_s) | {
            "keep_waypoints": float(keep),
            "way_home": course.text(way[1:-1]) if len(way) > 2 else "",
            "drop_swath_count": float(swaths),
            "shorter_m": shorter_m,
        }
        yield Remedy("swaths" if swaths else "shorter_way", numbers, change)
        return


def _leave_us(course: Course) -> Sequence[int]:
    """Return when it leaves each waypoint."""
    leaves = []
    for number in range(len(course.sortie.waypoints)):
        rows = np.flatnonzero(course.path.waypoint == number)
        leaves.append(int(course.path.at_us[rows[-1]]))
    return leaves


def _landing(course: Course, saved_s: float) -> dict[str, float | str]:
    ratio = course.sortie.landing_battery_ratio + saved_s * course.ratio_per_s
    return {"landing_us": course.sortie.landing_us - round(saved_s * US), "landing_battery_ratio": min(ratio, 1.0)}


def _swath_count(course: Course, keep: int) -> int:
    """Return how many swaths, the long legs of a task that go to and fro, come after the first `keep` waypoints."""
    tasks = np.array([-1 if one.task_id is None else one.task_id for one in course.sortie.waypoints])
    legs_m = np.hypot(*np.diff(course.places, axis=0).T)
    working = (tasks[1:] == tasks[:-1]) & (tasks[1:] >= 0)
    if working.sum() < 3:
        return 0
    is_swath = working & (legs_m >= _SWATH_SHARE * legs_m[working].max())
    return int(is_swath[keep - 1 :].sum())


def length_m(places: Any) -> float:  # noqa: ANN401 - an array (n, 2) or what makes one
    """Return the metres along places (n, 2)."""
    return float(np.hypot(*np.diff(np.asarray(places), axis=0).T).sum())
