"""What a day asks for and what there is: visits, targets and events of the programme, and the fleet that may fly them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from mission.model import Airframe, Battery, Task, TaskKind, Window
from mission.plan import Refusal, Visit
from mission.rules import highest_m
from mission.schedule import reasons
from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Ground, Staff
from mission.schedule.patrols import walks_of
from mission.schedule.permits import Permit, permit_of
from mission.schedule.recurrence import clipped
from mission.schedule.scene import Scene
from mission.schedule.seen import WHOLE_RATIO, height_for_all_m, seen_ratio
from mission.schedule.standing import NOTHING, Standing, done_of
from mission.schedule.targets import WATCHED_KINDS, Part, Target, parts_of, targets_of
from mission.schedule.visits import hours_of, visits_of
from telemetry.model.errors import InputError, chinese_of

MOST_TARGETS: Final = 1_500
"""Of one plan: visits, each in the parts that a battery flies. Their matrices take 8 bytes a pair and kind of airframe, some times over."""
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Watched:
    """An event's visit, or what the rules leave of it: all of `window` is watched, by these kinds of airframe.

    Of a patrol of streets each part is a walk, flown by one drone at a time.
    """

    visit: Visit
    parts: tuple[Part, ...]
    window: Window
    kinds: frozenset[int]

    @property
    def part(self) -> Part:
        """Return what is watched; of a patrol its first walk."""
        return self.parts[0]

    @property
    def is_patrol(self) -> bool:
        """Whether walks are flown, not a place stood over."""
        return self.part.task.kind is TaskKind.STREETS

    @property
    def count(self) -> int:
        """Return how many watch at once."""
        return len(self.parts) if self.is_patrol else max(self.part.task.watcher_count, 1)


@dataclass(eq=False)
class Wanted:
    """Everything that is wanted, and what was refused at once."""

    visits: list[Visit] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    events: list[Watched] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    parts: dict[int, tuple[Part, ...]] = field(default_factory=dict)
    hours: dict[int, tuple[Window, ...]] = field(default_factory=dict)
    """When each task is wanted, by its id."""
    amount: int = 0
    """How many parts of visits there are."""
    seen: dict[tuple[int, frozenset[int]], float | None] = field(default_factory=dict)
    """How much of a task is seen by some of its parts, by its id and their numbers: reckoned once."""
    done: dict[tuple[int, int], float] = field(default_factory=dict)
    """What stands: by visit and number of part, the seconds at which it is begun."""


def wanted_of(scene: Scene, tasks: Sequence[Task], standing: Standing = NOTHING) -> Wanted:
    """Return the visits and targets of the day; a task that cannot be flown at all is refused with what is wrong.

    Visits of a plan that is mended stay as they are; what stands of it is no target again.
    """
    wanted = Wanted(visits=list(standing.visits))
    for task in sorted(tasks, key=lambda each: (-each.priority, each.task_id)):
        try:
            _gather(scene, task, wanted, standing)
        except InputError as error:
            wanted.refusals.append(reasons.wrong(task.task_id, str(error), message_zh=chinese_of(error)))
    return wanted


def _gather(scene: Scene, task: Task, wanted: Wanted, standing: Standing) -> None:
    since = Window(max(scene.window.start_us, scene.now_us), scene.window.end_us)
    asked = hours_of(task, scene.window, holidays=scene.programme.holidays)
    hours = tuple(clipped(asked, since))
    wanted.hours[task.task_id] = asked if standing.visits else hours
    if not asked or (not hours and not standing.visits):
        wanted.refusals.append(reasons.no_hours(task, scene.window))
        return
    if task.kind in WATCHED_KINDS:
        wanted.refusals += _cut_short(scene, task)
    parted = walks_of if task.kind is TaskKind.STREETS else parts_of
    parts = parted(task, scene, Window(asked[0].start_us, asked[-1].end_us))
    visits = [visit for visit in standing.visits if visit.task_id == task.task_id]
    if not visits:
        first_id = 1 + max((visit.visit_id for visit in wanted.visits), default=0)
        visits = visits_of(task, hours, first_id, part_count=len(parts))
        _count(wanted, len(visits), len(parts))
        wanted.visits += visits
    else:
        wanted.amount += len(visits) * len(parts)
    wanted.parts[task.task_id] = parts
    if task.kind is TaskKind.EVENT:
        wanted.refusals += _partly_seen(scene, task, parts)
    if task.kind not in WATCHED_KINDS:
        wanted.done |= done_of(standing, parts, scene)
    if hours:
        _plan_for(wanted, [visit for visit in visits if visit.window.end_us >= since.start_us], hours, scene)


def _count(wanted: Wanted, visit_count: int, part_count: int) -> None:
    """Count what a task asks for. Raises InputError where a plan would have more of it than can be planned at once."""
    amount = wanted.amount + visit_count * part_count
    if amount > MOST_TARGETS:
        message = (
            f"its {visit_count} visits of {part_count} sorties each make {amount} with those of more important tasks, at most "
            f"{MOST_TARGETS} are planned at once: ask for it less often, or plan a shorter time or fewer tasks together"
        )
        zh = (
            f"共 {visit_count} 次、每次 {part_count} 架次，连同更重要的任务为 {amount}，一次最多规划 {MOST_TARGETS}："
            "延长重访间隔，或缩短计划时段、减少任务"
        )
        raise InputError(message, zh)
    wanted.amount = amount


def _partly_seen(scene: Scene, task: Task, parts: Sequence[Part]) -> list[Refusal]:
    """Return what is said of an event of which not all is seen from where it is watched."""
    ratio = seen_ratio(task, parts, scene)
    if ratio is None or ratio >= WHOLE_RATIO:
        return []
    alt_m, all_m = parts[0].pattern.alt_agl_m, height_for_all_m(task, parts[0], scene)
    most_m = min(highest_m(scene.rules, kind, task.approval) for kind in scene.kinds)
    return [reasons.partly_seen(task, seen_ratio=ratio, alt_agl_m=alt_m, all_from_m=all_m, most_agl_m=most_m)]


def _cut_short(scene: Scene, task: Task) -> list[Refusal]:
    """Return what is said of a watch that goes on over the plan's end for less than a day."""
    window = scene.window
    if not task.windows and task.recurrence is None:
        return []
    longer = Window(window.start_us, window.end_us + _DAY_US)
    asked = hours_of(task, longer, holidays=scene.programme.holidays)
    untils_us = [each.end_us for each in asked if each.start_us < window.end_us < each.end_us < longer.end_us]
    return [reasons.goes_on(task, window, until_us, scene.programme.zone) for until_us in untils_us]


def _plan_for(wanted: Wanted, visits: Sequence[Visit], hours: tuple[Window, ...], scene: Scene) -> None:
    """Make targets of visits, or have them watched, when the rules allow it."""
    for visit in visits[:1]:
        parts = wanted.parts[visit.task_id]
        task = parts[0].task
        lasting_s = 0.0 if task.kind in WATCHED_KINDS else max(min(part.service_s) for part in parts)
        places = np.array([place for part in parts for place in (part.start, part.end)], np.float64)
        permit = permit_of(task, hours, scene, lasting_s=lasting_s, places=places)
        wanted.refusals += permit.warnings
        for each in visits:
            since_us = max(each.window.start_us, scene.now_us)
            now = msgspec.structs.replace(each, window=Window(min(since_us, each.window.end_us), each.window.end_us))
            if task.kind in WATCHED_KINDS:
                _watch(wanted, now, parts, permit)
            else:
                left = [part for part in parts if (each.visit_id, part.number) not in wanted.done]
                _aim(wanted, now, left, permit, scene)


def _watch(wanted: Wanted, visit: Visit, parts: Sequence[Part], permit: Permit) -> None:
    """Have an event watched by the kinds that may watch it longest; what they may not is refused."""
    by_windows = permit.kinds_by_windows(visit.window)
    windows = max(by_windows, key=lambda each: (sum(one.end_us - one.start_us for one in each), each), default=())
    kinds = frozenset(kind for some, able in by_windows.items() if set(windows) <= set(some) for kind in able)
    wanted.events += [Watched(visit, tuple(parts), window, kinds) for window in windows]
    if windows != (visit.window,):
        wanted.refusals += [
            msgspec.structs.replace(each, visit_id=visit.visit_id)
            for each in permit.refusals
            if each.window is None
            or (each.window.start_us < visit.window.end_us and each.window.end_us > visit.window.start_us)
        ]


def _aim(wanted: Wanted, visit: Visit, parts: Sequence[Part], permit: Permit, scene: Scene) -> None:
    """Make the targets of a visit; a part without one is refused."""
    asked = wanted.hours[visit.task_id]
    within = next((each for each in asked if each.start_us <= visit.window.start_us < each.end_us), None)
    if not parts or within is None:
        return
    targets = targets_of(visit, parts, within, permit, scene)
    wanted.targets += targets
    missing = {part.number for part in parts} - {target.part.number for target in targets}
    if missing:
        longest_s = max(min(part.service_s) for part in parts if part.number in missing)
        ruled_out = permit.why_not(visit.window, visit.visit_id)
        wanted.refusals.append(ruled_out or reasons.too_short(parts[0].task, visit, within, longest_s))


def fleet_of(scene: Scene, booked: Sequence[Booking] = ()) -> Fleet:
    """Return the airframes that are ready and stand in a dock, with docks, batteries and crews."""
    ready_s = max(round(scene.seconds_of(scene.now_us)), 0)
    grounds = tuple(
        Ground(dock.dock_id, max(dock.pad_count, 1), max(dock.charger_count, 1), _cells(scene, dock.dock_id, ready_s))
        for dock in scene.programme.docks
    )
    staff = tuple(
        Staff(
            crew.crew_id,
            tuple(
                (round(scene.seconds_of(w.start_us)), round(scene.seconds_of(w.end_us)))
                for w in crew.shifts or (scene.window,)
            ),
            crew.drone_count,
        )
        for crew in scene.programme.crews
        if crew.is_ready
    )
    flyers = tuple(_flyer(airframe, scene, ready_s) for airframe in scene.airframes if _is_served(airframe, scene))
    return Fleet(flyers=flyers, grounds=grounds, staff=staff, booked=tuple(booked))


def _is_served(airframe: Airframe, scene: Scene) -> bool:
    """Tell whether it has its dock, and one of the batteries and of the crews that are listed is ready."""
    programme = scene.programme
    cells = [battery.is_ready for battery in programme.batteries if battery.dock_id == airframe.dock_id]
    crews = [crew.is_ready for crew in programme.crews]
    return airframe.dock_id in scene.docks and (not cells or any(cells)) and (not crews or any(crews))


def _flyer(airframe: Airframe, scene: Scene, ready_s: int) -> Flyer:
    return Flyer(
        airframe_id=airframe.airframe_id,
        dock_id=airframe.dock_id,
        full_s=airframe.endurance_s,
        reserve_ratio=scene.reserve_ratio,
        ready_s=ready_s,
    )


def _cells(scene: Scene, dock_id: int, ready_s: int) -> tuple[Cell, ...]:
    of_dock = (battery for battery in scene.programme.batteries if battery.dock_id == dock_id)
    return tuple(_cell(battery, ready_s) for battery in of_dock if battery.is_ready)


def _cell(battery: Battery, ready_s: int) -> Cell:
    missing_s = (1.0 - battery.charge_ratio) * battery.charge_s
    full_at_s = ready_s + round(missing_s) if missing_s > 0.0 else 0
    return Cell(battery.battery_id, full_at_s, battery.charge_s, battery.health_ratio)
