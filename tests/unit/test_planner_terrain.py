"""A day planned over hills: what is flown keeps its true height above the ground."""

import numpy as np
from numpy.typing import NDArray

from mission.air.flight_path import path_of
from mission.air.terrain import FLAT, Ground
from mission.model import Programme, Task, TaskKind
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from mission.schedule.scene import scene_of
from tests.patrol_day import day, hour, point, programme

RISE_M = 60.0


def slope() -> Ground:
    """A hill side that rises to the north by 60 m over eleven kilometres, twenty on either side of the docks."""
    heights = np.linspace(RISE_M * 4, 0.0, 41)[:, None] * np.ones((1, 41))
    return Ground(heights, 36.2, 103.6, 0.01, 0.01, "slope")


def true_heights_m(of: Programme, planned_over: Ground) -> NDArray[np.float64]:
    """Return how high above the ground the tasks' waypoints are in truth."""
    plan = plan_day(of, day(), now_us=hour(-2), effort=Effort(within_s=None, iterations=20), ground=planned_over)
    plane = scene_of(of, day(), now_us=hour(-2)).plane
    docks = {dock.dock_id: dock for dock in of.docks}
    found: list[float] = []
    for sortie in plan.sorties:
        path = path_of(sortie, plane=plane, dock=docks[sortie.dock_id], ground=slope())
        found += [
            float(alt_agl_m)
            for alt_agl_m, way in zip(path.alt_agl_m, path.waypoint, strict=True)
            if way >= 0 and sortie.waypoints[way].task_id
        ]
    return np.array(found)


def test_tasks_on_a_hill_side_are_flown_at_the_height_that_was_asked_for() -> None:
    tasks = tuple(
        Task(
            task_id=number, name_zh="点", name_en="point", kind=TaskKind.POINT, geometry=point(300.0, north_m),
            alt_agl_m=60.0, dwell_s=30.0, width_m=30.0,
        )
        for number, north_m in ((1, 1200.0), (2, -900.0))
    )  # fmt: skip
    of = programme(tasks=tasks)
    heights_m = true_heights_m(of, slope())
    assert len(heights_m) > 20
    assert np.abs(heights_m - 60.0).max() < 1.0
    assert np.abs(true_heights_m(of, FLAT) - 60.0).max() > 5.0
