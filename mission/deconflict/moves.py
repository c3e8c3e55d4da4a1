"""How a sortie may be moved out of another's way: up by layers, later by a while, and what bounds both."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mission.deconflict.finding import flies
from mission.model import US, Airframe, Crew, Task
from mission.patterns.footprint import alt_for_pixel_m, camera_of
from mission.plan import Sortie, Visit
from telemetry.model.errors import InputError

MOST_DELAY_S: Final = 10_800.0
_EVER_US: Final = 2**62


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far sorties may be moved: up by layers of `layer_m`, later by so much, and what else must hold.

    `visits`, `tasks`, `airframes` and `crews` are those of the plan: a visit is begun within its window, ground pixels stay as
    fine as a task asks, airframes, batteries and crews are not needed twice at once. `frozen` sorties stay as they are, as do
    those that are uploaded or fly. `allows` has the last word on a sortie as it would be moved.
    """

    layer_m: float = 15.0
    most_layer_count: int = 4
    most_agl_m: float = 120.0
    most_delay_s: float = MOST_DELAY_S
    visits: Sequence[Visit] = ()
    tasks: Sequence[Task] = ()
    airframes: Sequence[Airframe] = ()
    crews: Sequence[Crew] = ()
    frozen: Collection[int] = ()
    allows: Callable[[Sortie], bool] | None = None


def slack_us(sortie: Sortie, sorties: Sequence[Sortie], limits: Limits) -> int:
    """Return how much later a sortie may be: for its visits, its airframe, battery and crew; those on watch not at all."""
    if sortie.on_watch:
        return 0
    slack = round(limits.most_delay_s * US)
    latest_us = {visit.visit_id: visit.window.end_us for visit in limits.visits}
    for visit_id, begin_us in begins_us(sortie, limits.visits).items():
        slack = min(slack, latest_us[visit_id] - begin_us)
    for other in sorties:
        if other.sortie_id == sortie.sortie_id or other.takeoff_us < sortie.takeoff_us or not flies(other):
            continue
        has_battery = sortie.battery_id is not None and other.battery_id == sortie.battery_id
        if other.airframe_id == sortie.airframe_id or has_battery:
            slack = min(slack, other.takeoff_us - sortie.free_us)
    return max(min(slack, _crew_slack_us(sortie, sorties, limits)), 0)


def _crew_slack_us(sortie: Sortie, sorties: Sequence[Sortie], limits: Limits) -> int:
    """Return how much later its crew may still land it: within the shift, and before it is needed elsewhere."""
    crew = next((one for one in limits.crews if one.crew_id == sortie.crew_id), None)
    if crew is None:
        return _EVER_US
    ends = [one.end_us for one in crew.shifts if one.start_us <= sortie.takeoff_us < one.end_us]
    slack = min(ends) - sortie.landing_us if ends else _EVER_US
    others = (one for one in sorties if one.crew_id == sortie.crew_id and one.sortie_id != sortie.sortie_id)
    later = [one.takeoff_us for one in others if flies(one) and one.takeoff_us >= sortie.landing_us]
    return min(slack, min(later) - sortie.landing_us) if later else slack


def begins_us(sortie: Sortie, visits: Sequence[Visit]) -> dict[int, int]:
    """Return by visit id when a sortie begins each of its visits: at the first waypoint that it flies of it.

    Where the sortie does not say which of its waypoints are whose visit's, that is the task's first waypoint, in turn where it
    has several stretches.
    """
    wanted = [visit for visit in visits if visit.visit_id in sortie.visit_ids]
    told = _told_begins_us(sortie)
    found = {visit.visit_id: told[visit.visit_id] for visit in wanted if visit.visit_id in told}
    for task_id in dict.fromkeys(visit.task_id for visit in wanted if visit.visit_id not in told):
        tasks = [None, *(way.task_id for way in sortie.waypoints)]
        starts = [
            way.arrive_us
            for before, way in zip(tasks, sortie.waypoints, strict=False)
            if way.task_id == task_id and before != task_id and way.arrive_us is not None
        ]
        mine = sorted((visit for visit in wanted if visit.task_id == task_id), key=lambda visit: visit.window)
        for number, visit in enumerate(mine):
            if starts:
                found[visit.visit_id] = starts[min(number, len(starts) - 1)]
    return found


def _told_begins_us(sortie: Sortie) -> dict[int, int]:
    """Return by visit id when its first waypoint is reached, of the visits whose waypoints the sortie tells."""
    found: dict[int, int] = {}
    for part in sortie.visit_parts:
        begin_us = sortie.waypoints[part.first_waypoint].arrive_us
        if begin_us is not None:
            found[part.visit_id] = min(found.get(part.visit_id, begin_us), begin_us)
    return found


def delayed(sortie: Sortie, later_us: int) -> Sortie:
    """Return a sortie that does all of it so much later."""

    def later(at_us: int | None) -> int | None:
        return None if at_us is None else at_us + later_us

    return msgspec.structs.replace(
        sortie,
        takeoff_us=sortie.takeoff_us + later_us,
        landing_us=sortie.landing_us + later_us,
        free_us=sortie.free_us + later_us,
        waypoints=tuple(msgspec.structs.replace(one, arrive_us=later(one.arrive_us)) for one in sortie.waypoints),
        delayed_s=sortie.delayed_s + later_us / US,
    )


def raised(sortie: Sortie, limits: Limits) -> Iterator[Sortie]:
    """Yield a sortie as it is, then on each higher layer: first its transit alone, then all of it where its tasks allow it."""
    yield sortie
    has_transit = any(one.task_id is None for one in sortie.waypoints)
    for layer in range(1, limits.most_layer_count + 1):
        up_m = layer * limits.layer_m
        if has_transit or not sortie.on_watch:
            yield _raised_by(sortie, up_m, is_all=False)
        if _bears(sortie, up_m, limits):
            yield _raised_by(sortie, up_m, is_all=True)


def _raised_by(sortie: Sortie, up_m: float, *, is_all: bool) -> Sortie:
    ways = tuple(
        msgspec.structs.replace(one, alt_home_m=one.alt_home_m + up_m) if is_all or one.task_id is None else one
        for one in sortie.waypoints
    )
    return msgspec.structs.replace(sortie, waypoints=ways, transit_alt_home_m=sortie.transit_alt_home_m + up_m)


def _bears(sortie: Sortie, up_m: float, limits: Limits) -> bool:
    """Tell whether ground pixels stay as fine as the sortie's tasks ask when all of it is flown so much higher."""
    frame = next((one for one in limits.airframes if one.airframe_id == sortie.airframe_id), None)
    for task in limits.tasks:
        if task.task_id not in sortie.task_ids or task.ground_pixel_m is None or frame is None:
            continue
        highest_m = max(
            (one.alt_home_m - one.ground_above_home_m for one in sortie.waypoints if one.task_id == task.task_id),
            default=0.0,
        )
        try:
            limit_m = alt_for_pixel_m(camera_of(frame, task.camera), task.ground_pixel_m)
        except InputError:
            return False
        if highest_m + up_m > limit_m + 1e-6:
            return False
    return True
