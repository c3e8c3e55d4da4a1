"""A single task looked at while it is drawn: how it would be flown, what that takes, and what the rules say."""

from typing import Any, Final

import msgspec
import numpy as np
import shapely

from mission.air.terrain import FLAT, Ground
from mission.model import Programme, Task, Window
from mission.patterns.legs import battery_ratio
from mission.plan import Refusal, Visit
from mission.rules import check_task
from mission.rules.refusals import Remedy, Told, refusal
from mission.schedule import reasons
from mission.schedule.scene import Scene, scene_of
from mission.schedule.targets import Part, parts_of
from mission.schedule.visits import hours_of
from telemetry.model.errors import InputError, chinese_of
from telemetry.model.geodesy import Floats

_ROUNDED: Final = 7


class Sketch(msgspec.Struct, frozen=True, kw_only=True):
    """How a task would be flown: GeoJSON in WGS-84. `duration_s` of all its sorties without their ways there and home.

    `battery_ratio` is what the longest of them takes of a new battery, `detection_ratio` how likely a search finds.
    """

    line: dict[str, Any]
    footprint: dict[str, Any]
    alt_agl_m: float
    length_m: float
    duration_s: float
    battery_ratio: float
    sortie_count: int
    airframe_id: int
    detection_ratio: float | None = None


def sketch_task(
    task: Task, programme: Programme, window: Window, *, now_us: int, ground: Ground = FLAT
) -> tuple[Sketch | None, list[Refusal]]:
    """Return how a task would be flown in a window (None: not at all), and what is to be said of it.

    About 60 ms for a survey of 20 ha. Raises InputError for zones or rules of the programme that cannot be.
    """
    scene = scene_of(msgspec.structs.replace(programme, tasks=(task,)), window, now_us=now_us, ground=ground)
    try:
        hours = hours_of(task, window, holidays=programme.holidays) or (window,)
        parts = parts_of(task, scene, Window(hours[0].start_us, hours[-1].end_us))
        kind = min(range(len(scene.kinds)), key=lambda number: sum(part.service_s[number] for part in parts))
        lasting_s = max(part.service_s[kind] for part in parts)
        visit = Visit(visit_id=0, task_id=task.task_id, number=1, window=hours[0])
        said = check_task(task, visit, scene.kinds[kind], **scene.conditions, lasting_s=lasting_s)
    except InputError as error:
        return None, [reasons.wrong(task.task_id, str(error), message_zh=chinese_of(error))]
    return _sketched(parts, scene, kind), [*said, *_off_terrain(task, parts, scene)]


def _off_terrain(task: Task, parts: tuple[Part, ...], scene: Scene) -> list[Refusal]:
    """Return what is said of a task that the terrain does not reach, where there is one."""
    places = np.concatenate([part.pattern.places for part in parts])
    outside = int(np.isnan(scene.ground.heights_m(*scene.plane.from_plane(places[:, 0], places[:, 1]))).sum())
    if not outside or not scene.rules.is_on("R-33"):
        return []
    numbers: Told = {"outside_count": float(outside), "terrain": scene.ground.name}
    load = Remedy("terrain", {}, {"terrain": "?"})
    is_warning = scene.rules.is_warning("R-33")
    return [refusal("off_terrain", "R-33", numbers, remedies=(load,), is_warning=is_warning, task_id=task.task_id)]


def _sketched(parts: tuple[Part, ...], scene: Scene, kind: int) -> Sketch:
    airframe = scene.kinds[kind]
    longest_s = max(part.service_s[kind] for part in parts)
    lines = [_line(part.pattern.places) for part in parts]
    whole = shapely.MultiLineString(lines) if len(lines) > 1 else lines[0]
    return Sketch(
        line=_geojson(whole, scene),
        footprint=_geojson(shapely.union_all([part.pattern.footprint for part in parts]).simplify(1.0), scene),
        alt_agl_m=round(parts[0].pattern.alt_agl_m, 1),
        length_m=round(sum(part.pattern.length_m for part in parts), 1),
        duration_s=round(sum(part.service_s[kind] for part in parts), 1),
        battery_ratio=round(battery_ratio(longest_s, airframe), 4),
        sortie_count=len(parts),
        airframe_id=airframe.airframe_id,
        detection_ratio=parts[0].pattern.detection_ratio,
    )


def _line(places: Floats) -> Any:  # noqa: ANN401 - shapely has no types
    return shapely.LineString(places if len(places) > 1 else np.repeat(places, 2, axis=0))


def _geojson(shape: Any, scene: Scene) -> dict[str, Any]:  # noqa: ANN401 - as above
    def to_lonlat(places: Floats) -> Floats:
        lat_deg, lon_deg = scene.plane.from_plane(places[:, 0], places[:, 1])
        lonlat: Floats = np.column_stack((lon_deg, lat_deg)).round(_ROUNDED)
        return lonlat

    found: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape, to_lonlat))
    return found
