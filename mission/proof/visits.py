"""Whether the visits to a task were made: begun within their windows, all of their parts seen as planned, for the time asked."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import shapely

from mission.model import US, Airframe, Task, TaskKind, Window
from mission.plan import Sortie, SortieState, Visit, VisitPart, Waypoint
from mission.proof.flown import Track, near_windows, no_track, seen_by_plan, seen_by_track, standing_of
from mission.proof.ground import GROUND_KINDS, asked_of
from mission.proof.watching import unwatched
from telemetry.model.geodesy import LocalPlane

NEAR_M: Final = 60.0
"""Who is as near as this to where it should stand watches from there."""
COVERED_RATIO: Final = 0.95
"""A visit is done when so much of what it was planned to see was seen, or when it lasted for so much of the time asked."""
IN_TIME_S: Final = 60.0
"""A visit that is begun so much before or after its window is in time."""
LATE_S: Final = 600.0
"""A sortie that is still in the air is waited for so long after its time."""
_RUN_SHARE: Final = 0.9
"""Of a revisit period: visits of one run are begun at most so far apart."""
_OVER: Final = frozenset({SortieState.FLOWN, SortieState.BROKEN_OFF, SortieState.CANCELLED})


class Flights(NamedTuple):
    """What was flown of a plan: sorties without spares, the tracks by sortie, the airframes by number."""

    sorties: Sequence[Sortie]
    tracks: Mapping[int, Track]
    airframes: Mapping[int, Airframe]
    plane: LocalPlane

    def of(self, task: Task) -> list[Sortie]:
        """Return the sorties that fly for a task."""
        return [sortie for sortie in self.sorties if task.task_id in sortie.task_ids]

    def track(self, sortie: Sortie) -> Track:
        """Return what a sortie really flew."""
        return self.tracks.get(sortie.sortie_id) or no_track(sortie.sortie_id)


class Look(NamedTuple):
    """One part of a visit as it was flown: when it was begun, None: not in time."""

    part: int
    begun_us: int | None
    stood_s: float
    is_done: bool


class VisitMade(NamedTuple):
    """What became of a visit. `is_due`: its time is over, or it is done; before that it is not judged."""

    visit: Visit
    looks: tuple[Look, ...]
    part_count: int
    is_planned: bool
    is_done: bool
    is_due: bool


def visit_made(visit: Visit, task: Task, flights: Flights, now_us: int) -> VisitMade:
    """Return what became of a visit until now."""
    flown = [(sortie, part) for sortie in flights.of(task) for part in _parts(sortie, visit, task)]
    looks = tuple(_look(sortie, part, visit, task, flights) for sortie, part in flown)
    if task.kind not in GROUND_KINDS and sum(look.stood_s for look in looks) < COVERED_RATIO * task.dwell_s:
        looks = tuple(look._replace(is_done=False) for look in looks)
    count = max((part.part_count for _, part in flown), default=1)
    numbers = {
        part.number for sortie, part in flown if sortie.state is not SortieState.CANCELLED and not sortie.is_refused
    }
    is_done = {look.part for look in looks if look.is_done} >= set(range(count))
    over_us = max([visit.window.end_us, *(_over_us(sortie) for sortie, _ in flown)])
    return VisitMade(visit, looks, count, numbers >= set(range(count)), is_done, is_done or over_us <= now_us)


def longest_unseen_s(made: Sequence[VisitMade], task: Task, now_us: int) -> float | None:
    """Return the longest time until now that a part of a task waited for its next visit; None before the first is wanted.

    It is counted from when the task is first wanted to the first visit, from one begin to the next, and to the end.
    """
    runs = _past(_runs([one.visit.window for one in made], task.revisit_s or 0.0), now_us)
    if not runs:
        return None
    waits = [0]
    for part in range(max(one.part_count for one in made)):
        begun = sorted(
            look.begun_us for one in made for look in one.looks if look.part == part and look.is_done and look.begun_us
        )
        for run in runs:
            since_us = run.start_us - round(IN_TIME_S * US)
            inner = (min(max(at_us, run.start_us), run.end_us) for at_us in begun if since_us <= at_us <= run.end_us)
            waits += [after - before for before, after in pairwise((run.start_us, *inner, run.end_us))]
    return max(waits) / US


def has_come_back(made: Sequence[VisitMade], task: Task) -> bool:
    """Tell whether a task was visited whenever it was due: each time, or with a revisit period at least once each run."""
    due = [one for one in made if one.is_due]
    if task.revisit_s is None or task.kind is TaskKind.STREETS:
        return all(one.is_done for one in due)
    begun = [one.visit.window.start_us for one in due if one.is_done]
    runs = _runs([one.visit.window for one in due], task.revisit_s)
    return all(any(run.start_us <= start_us < run.end_us for start_us in begun) for run in runs)


def longest_idle_s(made: Sequence[VisitMade], task: Task, flights: Flights, now_us: int) -> float | None:
    """Return the longest time until now that a place of patrolled streets was passed by nobody; None before it is wanted."""
    runs = _past([one.visit.window for one in made], now_us)
    sorties = flights.of(task)
    places = [standing_of(sortie.waypoints, task, flights.plane) for sortie in sorties]
    if not runs or not places:
        return None
    idle_us = 0
    for place in np.unique(np.concatenate(places).round(), axis=0):
        passed = [
            window
            for sortie in sorties
            for window in near_windows(flights.track(sortie), place[None, :], flights.plane, NEAR_M)
        ]
        idle_us = max([idle_us, *(gap.end_us - gap.start_us for gap in unwatched(runs, passed))])
    return idle_us / US


def _parts(sortie: Sortie, visit: Visit, task: Task) -> list[VisitPart]:
    """Return what a sortie flies of a visit; all of its waypoints where it does not say which."""
    if visit.visit_id not in sortie.visit_ids:
        return []
    told = [part for part in sortie.visit_parts if part.visit_id == visit.visit_id]
    if told or not any(point.task_id == task.task_id for point in sortie.waypoints):
        return told
    last = len(sortie.waypoints) - 1
    return [VisitPart(visit_id=visit.visit_id, number=0, part_count=1, first_waypoint=0, last_waypoint=last)]


def _look(sortie: Sortie, part: VisitPart, visit: Visit, task: Task, flights: Flights) -> Look:
    """Return how a part of a visit was flown: begun in time, and seen as far as it was planned to be seen."""
    points = sortie.waypoints[part.first_waypoint : part.last_waypoint + 1]
    grace_us = round(IN_TIME_S * US)
    track = flights.track(sortie).since(visit.window.start_us - grace_us)
    is_ground = task.kind in GROUND_KINDS
    near = near_windows(track, standing_of(points, task, flights.plane), flights.plane, NEAR_M)
    if not near or near[0].start_us > visit.window.end_us + grace_us:
        return Look(part.number, None, 0.0, is_done=False)
    stood_s = sum(one.end_us - one.start_us for one in near) / US
    is_done = not is_ground or _is_seen(points, track, task, flights.airframes.get(sortie.airframe_id), flights.plane)
    return Look(part.number, near[0].start_us, stood_s, is_done)


def _is_seen(
    points: Sequence[Waypoint], track: Track, task: Task, airframe: Airframe | None, plane: LocalPlane
) -> bool:
    """Tell whether a track saw the ground that waypoints were planned to see of a task; near is enough where they see none."""
    if airframe is None:
        return False
    planned = seen_by_plan(points, airframe, task, plane)
    if planned.area == 0.0:
        return True
    wanted = shapely.intersection(planned, asked_of(task, plane))
    seen = shapely.intersection(wanted, seen_by_track(track, airframe, task, plane))
    return bool(wanted.area > 0.0 and seen.area >= COVERED_RATIO * wanted.area)


def _over_us(sortie: Sortie) -> int:
    """Return when nothing more comes of a sortie."""
    if sortie.state in _OVER:
        return sortie.ended_us or 0
    late_us = 0 if sortie.started_us is None else max(sortie.started_us - sortie.takeoff_us, 0) + round(LATE_S * US)
    return sortie.landing_us + late_us


def _runs(windows: Sequence[Window], revisit_s: float) -> list[Window]:
    """Return the times in which a task comes back, from the windows in which its visits are to be begun."""
    revisit_us = round(revisit_s * US)
    runs: list[Window] = []
    before: Window | None = None
    for window in sorted(windows):
        again = before is not None and window.start_us <= max(
            before.end_us, before.start_us + round(_RUN_SHARE * revisit_us) + 1
        )
        if again:
            end_us = max(runs[-1].end_us, window.end_us, window.start_us + revisit_us)
            runs[-1] = Window(runs[-1].start_us, end_us)
        else:
            runs.append(window)
        before = window
    return runs


def _past(windows: Sequence[Window], now_us: int) -> list[Window]:
    return [Window(one.start_us, min(one.end_us, now_us)) for one in windows if one.start_us < now_us]
