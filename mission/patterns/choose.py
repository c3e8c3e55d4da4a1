"""Which pattern a task is flown with, and that pattern over its shape: the one door to all patterns."""

from collections.abc import Callable
from typing import Final

from mission.air.sky import Sky
from mission.airspace import CALM, Airspace, Wind
from mission.model import Airframe, PatternKind, Task, TaskKind, Window
from mission.patterns.along import corridor, perimeter, streets
from mission.patterns.asked import Asked, asked_of
from mission.patterns.flown import Pattern
from mission.patterns.search import expanding_square, parallel_track, sector
from mission.patterns.survey import survey
from mission.patterns.watching import hold, orbit, viewpoints
from telemetry.model.geodesy import LocalPlane

USUAL: Final = {
    TaskKind.AREA: PatternKind.SURVEY,
    TaskKind.CORRIDOR: PatternKind.CORRIDOR,
    TaskKind.PERIMETER: PatternKind.PERIMETER,
    TaskKind.POINT: PatternKind.ORBIT,
    TaskKind.EVENT: PatternKind.HOLD,
    TaskKind.SEARCH: PatternKind.EXPANDING_SQUARE,
    TaskKind.STREETS: PatternKind.PATROL,
}
"""The pattern of a task that names none."""


def pattern_of(
    task: Task,
    airframe: Airframe,
    *,
    plane: LocalPlane,
    sky: Sky | Airspace,
    wind: Wind = CALM,
    window: Window | None = None,
) -> Pattern:
    """Return the pattern that this airframe flies for the task in this wind, in the plane (the one of the sky).

    Closed is what is closed at its height at some time of the window (None: ever) to whom the task's approval opens nothing;
    an Airspace is closed as it is.
    The height follows from the pixel size that is asked for and the camera. Raises InputError for what cannot be flown, with
    what to change: a wrong geometry, no such camera, a height out of range, all of it closed air, too much wind.
    About 50 ms for a survey of 20 ha, less than 5 ms for the others.
    """
    asked = asked_of(task, airframe, plane=plane, sky=sky, wind=wind, window=window)
    return _MAKERS[task.pattern or USUAL[task.kind]](asked)


def _survey(asked: Asked) -> Pattern:
    asked.must_be("Polygon", "MultiPolygon")
    found = survey(asked.shape, asked.ways.closed, swath_m=asked.swath_m, legs_s=asked.legs_s)
    return asked.flown(found.places, left_out_m2=found.left_out_m2)


_MAKERS: Final[dict[PatternKind, Callable[[Asked], Pattern]]] = {
    PatternKind.SURVEY: _survey,
    PatternKind.CORRIDOR: corridor,
    PatternKind.PERIMETER: perimeter,
    PatternKind.ORBIT: orbit,
    PatternKind.HOLD: hold,
    PatternKind.VIEWPOINTS: viewpoints,
    PatternKind.EXPANDING_SQUARE: expanding_square,
    PatternKind.SECTOR: sector,
    PatternKind.PARALLEL_TRACK: parallel_track,
    PatternKind.PATROL: streets,
}
