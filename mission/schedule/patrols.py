"""A net of streets patrolled by several drones: closed walks on which no place waits long, each flown again and again."""

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from mission.model import Airframe, Task, Window
from mission.patterns.asked import seen_from, shape_in
from mission.patterns.flown import Pattern, length_m, looking_down
from mission.schedule.scene import Scene
from mission.schedule.streets.graph import StreetGraph, graph_of_lines
from mission.schedule.streets.idleness import patrol
from mission.schedule.streets.walks import ClosedWalk
from mission.schedule.targets import Part, parts_of, usable_s
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

SPACING_M: Final = 100.0
"""How far apart the places of a net lie at most of which each is looked at in time."""
_ATTEMPTS: Final = 4
_SHORTEST_M: Final = 1.0
_STRAIGHT_M: Final = 0.5


def walks_of(task: Task, scene: Scene, window: Window, *, seed: int = 0) -> tuple[Part, ...]:
    """Return one part for each closed walk: as many as the task asks for at once, more where a battery or the revisit asks it.

    Raises InputError for a net that falls apart, or whose rounds are longer than a battery with all drones on it.
    """
    whole = parts_of(task, scene, window)[0]
    able = [number for number, service_s in enumerate(whole.service_s) if np.isfinite(service_s)]
    flyers = [each for each in scene.airframes if scene.kind_number(each) in able]
    graph = graph_of_lines(_lines(task, scene), spacing_m=SPACING_M)
    graph.check()
    slowest = min(flyers, key=lambda each: each.cruise_mps)
    for count in range(min(max(task.watcher_count, 1), len(flyers)), len(flyers) + 1):
        found = patrol(graph, [slowest.cruise_mps] * count, attempts=_ATTEMPTS, seed=seed)
        parts = [_part(whole, graph, walk, number, count, scene) for number, walk in enumerate(found.walks)]
        round_s = max(min(part.service_s) for part in parts)
        waits_s = found.worst_idleness_s * round_s * slowest.cruise_mps / max(walk.length_m for walk in found.walks)
        if round_s <= _longest_s(scene, flyers, parts) and waits_s <= (task.revisit_s or np.inf):
            return tuple(parts)
    message = (
        f"the streets of {task.name_en or task.name_zh!r} cannot be patrolled in time by {len(flyers)} drones: a round takes {round_s / 60.0:.0f} min; "
        "leave some out, allow longer waits, or add drones"
    )
    zh = f"“{task.name_zh or task.name_en}”的街道，{len(flyers)} 架无人机来不及巡完：一圈要 {round_s / 60.0:.0f} 分钟；减少街道、放宽间隔，或增加无人机"
    raise InputError(message, zh)


def _lines(task: Task, scene: Scene) -> list[Floats]:
    """Return the lines of the net that lie in open air, metres east and north."""
    shape = shapely.line_merge(shapely.unary_union(shape_in(scene.plane, task)).difference(scene.ways.kept_off))
    return [shapely.get_coordinates(line) for line in shapely.get_parts(shape) if line.length > _SHORTEST_M]


def _part(whole: Part, graph: StreetGraph, walk: ClosedWalk, number: int, count: int, scene: Scene) -> Part:
    """Return a walk as a part: along the streets from the place of its head start round to the same."""
    places = _turned(graph, walk)
    gaze, hold_s = looking_down(places)
    pattern = replace(
        whole.pattern,
        places=places,
        gaze=gaze,
        hold_s=hold_s,
        length_m=length_m(places),
        footprint=seen_from(places, whole.pattern.swath_m / 2.0),
    )
    service_s = tuple(
        float(scene.reckoned_s(places, kind, wind=whole.wind).sum()) if np.isfinite(before) else np.inf
        for kind, before in zip(scene.kinds, whole.service_s, strict=True)
    )
    return Part(whole.task, number, count, pattern, service_s, 1.0 / count, whole.wind)


def _turned(graph: StreetGraph, walk: ClosedWalk) -> Floats:
    """Return the walk's places (n, 2) along the streets, from its head start on."""
    stops = list(walk.places)
    along = [stops[0]]
    for start, end in pairwise(stops):
        along += graph.path(start, end)[1:]
    if len(along) == 1:
        along *= 2
    places = graph.places[along]
    reached_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))))
    first = int(np.searchsorted(reached_m, walk.head_start_m - 1e-6) % max(len(places) - 1, 1))
    turned: Floats = np.concatenate((places[first:-1], places[: first + 1]))
    return turned


def _longest_s(scene: Scene, flyers: list[Airframe], parts: list[Part]) -> float:
    """Return how long the best drone may patrol between its ways there and home."""
    longest_s = 0.0
    for flyer in flyers:
        place = scene.dock_place(flyer.dock_id)
        away_m = max(float(np.hypot(*(part.start - place))) for part in parts)
        longest_s = max(longest_s, usable_s(scene, flyer) - 2.2 * away_m / flyer.cruise_mps - 30.0)
    return longest_s


def again_for(part: Part, airframe: Airframe, scene: Scene, *, watch_s: float, most_places: int) -> Pattern:
    """Return a closed walk flown as often as a watch lasts and a controller takes, and stood at its end for what is left.

    Once at least: nobody is on a walk longer than the walk and the watch last.
    """
    pattern = part.pattern
    walk = _plain(pattern.places)
    if length_m(walk) < _SHORTEST_M:
        return replace(pattern, places=walk[:1], gaze=pattern.gaze[:1], hold_s=np.array([watch_s]), length_m=0.0)
    laps = max(int(watch_s // max(float(scene.fly_s(walk, airframe, wind=part.wind).sum()), 1.0)), 1)
    laps = max(min(laps, (most_places - 1) // (len(walk) - 1)), 1)
    places = _times(walk, laps)
    while laps > 1 and float(scene.fly_s(places, airframe, wind=part.wind).sum()) > watch_s:
        laps -= 1
        places = _times(walk, laps)
    gaze, hold_s = looking_down(places)
    hold_s[-1] = max(watch_s - float(scene.fly_s(places, airframe, wind=part.wind).sum()), 0.0)
    return replace(pattern, places=places, gaze=gaze, hold_s=hold_s, length_m=length_m(places))


def _times(walk: Floats, laps: int) -> Floats:
    return np.concatenate([walk, *([walk[1:]] * (laps - 1))])


def _plain(places: Floats) -> Floats:
    """Return a walk without the places that lie straight between two others: a controller needs none of them."""
    if len(places) < 3:
        return places
    found: Floats = shapely.get_coordinates(
        shapely.simplify(shapely.linestrings(places), _STRAIGHT_M, preserve_topology=False)
    )
    return found
