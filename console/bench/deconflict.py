"""How soon conflicts of flights are found, and whether any is missed: 200 volumes against every pair reckoned one by one.

`ms` is the median over the runs of finding all conflicts of sorties whose ways are 200 volumes, their ways reckoned anew each
time; `missed` and `false` count pairs of volumes that a plain reckoning of every pair judges otherwise. `day_ms` is the same for a
day of 10 000 volumes, `mend_ms` for mending the 200; CPU time, one thread.
"""

import math
import random
import statistics
from typing import Final

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms
from mission.deconflict import Limits, find, mend
from mission.deconflict.finding import Scene
from mission.deconflict.volumes import Margins, Volumes, joined, meetings, volumes_of
from mission.model import US, Window
from mission.plan import Sortie, Visit, Waypoint
from telemetry.model.geodesy import local_plane

VOLUMES: Final = 200
DAY_VOLUMES: Final = 10_000
LEGS: Final = 8
PLANE: Final = local_plane(36.0, 103.8)
SIDE_M: Final = 1500.0
HOUR_US: Final = 3600 * US
CROWD_US: Final = 600 * US
START_US: Final = 1_789_700_000 * US
GOALS: Final[dict[str, Goal]] = {"missed": ("<=", 0.0), "ms": ("<=", 50.0)}


def run(*, runs: int, seed: int) -> Figures:
    """Measure on flights that cross each other at random over a few square kilometres, within ten minutes."""
    sorties = flights(VOLUMES // (LEGS + 2), seed=seed, within_us=CROWD_US)
    scene, margins = Scene(plane=PLANE), Margins()
    volumes = joined([volumes_of(scene.path(one), one.airframe_id, piece_s=math.inf) for one in sorties])
    met = meetings(volumes, margins)
    found = {
        (min(one, other), max(one, other)) for one, other in zip(met.first.tolist(), met.second.tolist(), strict=True)
    }
    every = every_pair(volumes, margins)
    day = flights(DAY_VOLUMES // 100, seed=seed, within_us=16 * HOUR_US)
    visits = [_visit(one) for one in sorties]
    mended, report = mend(sorties, plane=PLANE, limits=Limits(visits=visits))
    return Figures(
        figures={
            "volumes": len(volumes),
            "conflicts": len(every),
            "missed": len(every - found),
            "false": len(found - every),
            "ms": _median_ms(sorties, runs),
            "day_volumes": len(joined([volumes_of(scene.path(one), one.airframe_id) for one in day])),
            "day_ms": _median_ms(day, runs),
            "conflicts_of_sorties": len(find(sorties, plane=PLANE)),
            "mended": sum(bool(one.mended_by) for one in report),
            "left": len(find(mended, plane=PLANE)),
            "mend_ms": round(cpu_ms(lambda: mend(sorties, plane=PLANE, limits=Limits(visits=visits))), 1),
        },
        goals=GOALS,
    )


def _median_ms(sorties: list[Sortie], runs: int) -> float:
    return round(statistics.median(cpu_ms(lambda: find(sorties, plane=PLANE)) for _ in range(runs)), 2)


def flights(count: int, *, seed: int, within_us: int) -> list[Sortie]:
    """Return sorties of `LEGS` legs of some hundred metres each between random places, heights and times."""
    dice = random.Random(seed)  # noqa: S311 - a benchmark is seeded on purpose
    found = []
    for number in range(count):
        east_m, north_m = dice.uniform(0.0, SIDE_M), dice.uniform(0.0, SIDE_M)
        takeoff_us = START_US + dice.randrange(within_us)
        at_us, alt_m, ways = takeoff_us + 20 * US, dice.uniform(40.0, 110.0), []
        for _ in range(LEGS):
            lat, lon = PLANE.from_plane(east_m, north_m)
            ways.append(
                Waypoint(
                    lat_deg=float(lat), lon_deg=float(lon), alt_home_m=alt_m, speed_mps=10.0, task_id=1, arrive_us=at_us
                )
            )
            step_m, heading_rad = dice.uniform(200.0, 1200.0), dice.uniform(0.0, math.tau)
            east_m, north_m = east_m + step_m * math.sin(heading_rad), north_m + step_m * math.cos(heading_rad)
            at_us += round(step_m / 10.0 * US)
        found.append(_sortie(number + 1, takeoff_us, at_us, ways))
    return found


def _sortie(number: int, takeoff_us: int, landing_us: int, ways: list[Waypoint]) -> Sortie:
    return Sortie(
        sortie_id=number,
        airframe_id=number,
        dock_id=number,
        takeoff_us=takeoff_us,
        landing_us=landing_us,
        free_us=landing_us,
        visit_ids=(number,),
        task_ids=(1,),
        waypoints=tuple(ways),
        length_m=0.0,
        landing_battery_ratio=0.4,
        transit_alt_home_m=ways[0].alt_home_m,
    )


def _visit(sortie: Sortie) -> Visit:
    window = Window(start_us=sortie.takeoff_us, end_us=sortie.takeoff_us + HOUR_US)
    return Visit(visit_id=sortie.sortie_id, task_id=1, number=1, window=window)


def every_pair(volumes: Volumes, margins: Margins) -> set[tuple[int, int]]:
    """Return the rows of all pairs that come too near, each reckoned by itself: slow, plain, and sharing no code."""
    rows = list(zip(*(column.tolist() for column in vars(volumes).values()), strict=True))
    reach_us = margins.margin_s * US
    found = set()
    for second, (start, end, low_m, high_m, from_us, until_us, owner) in enumerate(rows):
        for first, (start2, end2, low2_m, high2_m, from2_us, until2_us, owner2) in enumerate(rows[:second]):
            if owner == owner2 or max(from_us - until2_us, from2_us - until_us) >= reach_us:
                continue
            if max(low_m - high2_m, low2_m - high_m) >= margins.height_m:
                continue
            if _apart_m(start, end, start2, end2) < margins.margin_m:
                found.add((first, second))
    return found


def _apart_m(start: list[float], end: list[float], start2: list[float], end2: list[float]) -> float:
    """Return the distance between two straight lines in the plane."""
    if _cross(start, end, start2, end2):
        return 0.0
    return min(
        _to_line_m(start, start2, end2),
        _to_line_m(end, start2, end2),
        _to_line_m(start2, start, end),
        _to_line_m(end2, start, end),
    )


def _cross(start: list[float], end: list[float], start2: list[float], end2: list[float]) -> bool:
    def side(one: list[float], other: list[float], place: list[float]) -> float:
        return (other[0] - one[0]) * (place[1] - one[1]) - (other[1] - one[1]) * (place[0] - one[0])

    return (
        side(start, end, start2) * side(start, end, end2) < 0.0
        and side(start2, end2, start) * side(start2, end2, end) < 0.0
    )


def _to_line_m(place: list[float], start: list[float], end: list[float]) -> float:
    step = (end[0] - start[0], end[1] - start[1])
    length2 = step[0] ** 2 + step[1] ** 2
    share = 0.0
    if length2 > 0.0:
        share = ((place[0] - start[0]) * step[0] + (place[1] - start[1]) * step[1]) / length2
        share = min(1.0, max(0.0, share))
    return math.hypot(place[0] - start[0] - step[0] * share, place[1] - start[1] - step[1] * share)
