"""How much of what a task asks for is seen from the ways that are flown: footprints against its shape."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely

from mission.model import Task, TaskKind
from mission.patterns.asked import shape_in
from mission.patterns.flown import Shape
from mission.schedule.scene import Scene
from mission.schedule.targets import Part
from telemetry.model.geodesy import Floats

WHOLE_RATIO: Final = 0.95
"""Of an event that is not a single place: less than this is said."""
_SIMPLER_M: Final = 0.5
_EXTENDED: Final = frozenset({TaskKind.AREA, TaskKind.CORRIDOR, TaskKind.PERIMETER, TaskKind.SEARCH, TaskKind.STREETS})


def seen_ratio(task: Task, parts: Sequence[Part], scene: Scene) -> float | None:
    """Return which part (0..1) of a task's area or line lies in the footprints of some parts; None for a single place.

    Of a border and of streets the line counts, of a corridor its width. About 1 ms for a survey of 20 ha.
    """
    shape = _asked(task, scene)
    if shape is None:
        return None
    seen = shapely.union_all([part.pattern.footprint.simplify(_SIMPLER_M) for part in parts])
    measure = shapely.area if shape.area > 0.0 else shapely.length
    whole = float(measure(shape))
    return min(float(measure(shape.intersection(seen))) / whole, 1.0) if whole > 0.0 else None


def height_for_all_m(task: Task, part: Part, scene: Scene) -> float:
    """Return from which height above ground all of an event is seen by whoever stands over its middle."""
    corners: Floats = shapely.get_coordinates(shape_in(scene.plane, task))
    away_m = float(np.hypot(*(corners - part.pattern.places[0]).T).max())
    return math.ceil(part.pattern.alt_agl_m * away_m / max(part.pattern.seen_m / 2.0, 1e-9))


def _asked(task: Task, scene: Scene) -> Shape:
    """Return the area or line that is to be seen, metres east and north; None for a place."""
    shape = shape_in(scene.plane, task)
    if task.kind is TaskKind.PERIMETER:
        return shape.boundary
    if task.kind is TaskKind.CORRIDOR:
        return shape.buffer(task.width_m / 2.0, cap_style="flat") if task.width_m else shape
    if task.kind is TaskKind.SEARCH and shape.geom_type == "Point":
        return shape.buffer(task.width_m) if task.width_m else None
    return None if shape.geom_type == "Point" or task.kind not in (_EXTENDED | {TaskKind.EVENT}) else shape
