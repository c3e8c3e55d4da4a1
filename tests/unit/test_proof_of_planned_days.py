"""A day that is flown to the letter of its plan is proven: nothing that the planner promises is judged as not kept."""

import msgspec
import numpy as np

from mission.model import Geometry, PatternKind, Programme, Task, TaskKind, Window
from mission.plan import Sortie, SortieState
from mission.planner import plan_day
from mission.proof.flown import Track
from mission.proof.proving import prove
from mission.schedule.routing.problem import Effort
from tests.patrol_day import airframe, day, dock, hour, place, point, programme, rectangle, tasks

CROSSROADS: Geometry = {
    "type": "MultiLineString",
    "coordinates": [
        [place(0, 300), place(800, 300)],
        [place(800, 300), place(800, 700)],
        [place(800, 700), place(0, 300)],
    ],
}


def task(number: int, kind: TaskKind, geometry: Geometry, **changes: object) -> Task:
    values: dict[str, object] = {
        "recurrence": None, "windows": (Window(hour(12), hour(13.5)),), "revisit_s": None, "kind": kind, "width_m": None,
        "geometry": geometry, "task_id": number, "name_en": f"{kind.value} {number}", "alt_agl_m": 60.0, "dwell_s": 0.0,
    }  # fmt: skip
    return msgspec.structs.replace(tasks()[0], **(values | changes))


ASKED = (
    task(1, TaskKind.POINT, point(-600, 400), dwell_s=240.0),
    task(2, TaskKind.POINT, point(-600, 900), dwell_s=200.0, pattern=PatternKind.HOLD),
    task(3, TaskKind.POINT, point(300, -500), dwell_s=120.0, pattern=PatternKind.VIEWPOINTS),
    task(4, TaskKind.POINT, point(300, 900), pattern=PatternKind.HOLD, revisit_s=1800.0),
    task(5, TaskKind.AREA, rectangle(-400, 600, 400, 300), revisit_s=2700.0),
    task(6, TaskKind.AREA, rectangle(500, -900, 200, 200), pattern=PatternKind.VIEWPOINTS),
    task(7, TaskKind.PERIMETER, rectangle(900, -300, 200, 200)),
    task(8, TaskKind.EVENT, point(600, 300), windows=(Window(hour(12.25), hour(13.25)),)),
    task(9, TaskKind.STREETS, CROSSROADS, windows=(Window(hour(12.25), hour(13)),), revisit_s=900.0),
    task(10, TaskKind.CORRIDOR, {"type": "LineString", "coordinates": [place(-900, 0), place(-100, 100)]}, width_m=60.0),
)  # fmt: skip


def flown(sortie: Sortie, whole: Programme) -> Track:
    """Return the positions, one a second, of a drone that is at each waypoint when the plan says."""
    dock = next(each for each in whole.docks if each.dock_id == sortie.dock_id)
    known = [(sortie.takeoff_us, dock.lat_deg, dock.lon_deg, sortie.transit_alt_home_m)]
    for one in sortie.waypoints:
        here = (one.lat_deg, one.lon_deg, one.alt_home_m)
        if one.arrive_us is not None:
            known += [(one.arrive_us, *here), (one.arrive_us + round(one.hold_s * 1e6), *here)]
    known.append((max(sortie.landing_us, known[-1][0] + 1), dock.lat_deg, dock.lon_deg, sortie.transit_alt_home_m))
    at_us = np.arange(known[0][0], known[-1][0], 1_000_000)
    lat, lon, height = (np.interp(at_us, [one[0] for one in known], [one[row] for one in known]) for row in (1, 2, 3))
    return Track(sortie_id=sortie.sortie_id, at_us=at_us, lat_deg=lat, lon_deg=lon, alt_home_m=height)


def test_what_is_planned_and_flown_to_the_second_is_kept_whatever_its_pattern() -> None:
    docks = tuple(
        dock(number, *at, pad_count=6, charger_count=8)
        for number, at in enumerate(((-200, 200), (100, 1500), (1500, 0)), 1)
    )
    drones = tuple(airframe(number, 1 + number % 3) for number in range(1, 13))
    whole = programme(tasks=ASKED, zones=(), docks=docks, airframes=drones)
    plan = plan_day(whole, day(12, 14), now_us=hour(0), effort=Effort(within_s=None, iterations=10, seed=1))
    sorties = tuple(msgspec.structs.replace(one, state=SortieState.FLOWN) for one in plan.sorties)
    tracks = [flown(one, whole) for one in sorties if not one.is_standby]
    proof = prove(msgspec.structs.replace(plan, sorties=sorties), whole, tracks, now_us=hour(15))
    promised = [one for one in proof.tasks if one.planned_count == one.visit_count and not one.refusals]
    assert len(promised) >= len(ASKED) - 2
    assert [one.name_en for one in promised if not one.is_kept or one.done_count != one.visit_count] == []
    assert max(one.off_m or 0.0 for one in proof.sorties) < 1.0
