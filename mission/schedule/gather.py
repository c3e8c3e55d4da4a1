"""What a day asks for and what there is: visits, targets and events of the programme, and the fleet that may fly them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from mission.model import Airframe, Battery, Task, TaskKind, Window
from mission.plan import Refusal, Visit
from mission.schedule import reasons
from mission.schedule.fleet import Booking, Cell, Fleet, Flyer, Ground, Staff
from mission.schedule.permits import Permit, permit_of
from mission.schedule.recurrence import clipped
from mission.schedule.scene import Scene
from mission.schedule.targets import Part, Target, parts_of, targets_of
from mission.schedule.visits import hours_of, visits_of
from telemetry.model.errors import InputError


@dataclass(frozen=True, eq=False)
class Watched:
    """An event's visit, or what the rules leave of it: all of `window` is watched, by these kinds of airframe."""

    visit: Visit
    part: Part
    window: Window
    kinds: frozenset[int]


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


def wanted_of(scene: Scene, tasks: Sequence[Task]) -> Wanted:
    """Return the visits and targets of the day; a task that cannot be flown at all is refused with what is wrong."""
    wanted = Wanted()
    for task in sorted(tasks, key=lambda each: (-each.priority, each.task_id)):
        try:
            _gather(scene, task, wanted)
        except InputError as error:
            wanted.refusals.append(reasons.wrong(task.task_id, str(error)))
    return wanted


def _gather(scene: Scene, task: Task, wanted: Wanted) -> None:
    since = Window(max(scene.window.start_us, scene.now_us), scene.window.end_us)
    asked = hours_of(task, scene.window, holidays=scene.programme.holidays)
    hours = tuple(clipped(asked, since))
    wanted.hours[task.task_id] = hours
    if not hours:
        wanted.refusals.append(reasons.no_hours(task, scene.window))
        return
    visits = visits_of(task, hours, len(wanted.visits) + 1)
    parts = parts_of(task, scene, Window(hours[0].start_us, hours[-1].end_us))
    wanted.parts[task.task_id] = parts
    wanted.visits += visits
    lasting_s = 0.0 if task.kind is TaskKind.EVENT else max(min(part.service_s) for part in parts)
    permit = permit_of(task, hours, scene, lasting_s=lasting_s)
    wanted.refusals += permit.warnings
    for visit in visits:
        if task.kind is TaskKind.EVENT:
            _watch(wanted, visit, parts[0], permit)
        else:
            _aim(wanted, visit, parts, permit, scene)


def _watch(wanted: Wanted, visit: Visit, part: Part, permit: Permit) -> None:
    """Have an event watched by the kinds that may watch it longest; what they may not is refused."""
    by_windows = permit.kinds_by_windows(visit.window)
    windows = max(by_windows, key=lambda each: (sum(one.end_us - one.start_us for one in each), each), default=())
    kinds = frozenset(kind for some, able in by_windows.items() if set(windows) <= set(some) for kind in able)
    wanted.events += [Watched(visit, part, window, kinds) for window in windows]
    if windows != (visit.window,):
        wanted.refusals += [
            msgspec.structs.replace(each, visit_id=visit.visit_id)
            for each in permit.refusals
            if each.window is None
            or (each.window.start_us < visit.window.end_us and each.window.end_us > visit.window.start_us)
        ]


def _aim(wanted: Wanted, visit: Visit, parts: Sequence[Part], permit: Permit, scene: Scene) -> None:
    """Make the targets of a visit; a part without one is refused."""
    hours = next(each for each in wanted.hours[visit.task_id] if each.start_us <= visit.window.start_us < each.end_us)
    targets = targets_of(visit, parts, hours, permit, scene)
    wanted.targets += targets
    missing = {part.number for part in parts} - {target.part.number for target in targets}
    if missing:
        longest_s = max(min(parts[number].service_s) for number in missing)
        ruled_out = permit.why_not(visit.window, visit.visit_id)
        wanted.refusals.append(ruled_out or reasons.too_short(parts[0].task, visit, hours, longest_s))


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
    )
    flyers = tuple(_flyer(airframe, scene, ready_s) for airframe in scene.airframes if airframe.dock_id in scene.docks)
    return Fleet(flyers=flyers, grounds=grounds, staff=staff, booked=tuple(booked))


def _flyer(airframe: Airframe, scene: Scene, ready_s: int) -> Flyer:
    return Flyer(
        airframe_id=airframe.airframe_id,
        dock_id=airframe.dock_id,
        full_s=airframe.endurance_s,
        reserve_ratio=scene.reserve_ratio,
        ready_s=ready_s,
    )


def _cells(scene: Scene, dock_id: int, ready_s: int) -> tuple[Cell, ...]:
    return tuple(_cell(battery, ready_s) for battery in scene.programme.batteries if battery.dock_id == dock_id)


def _cell(battery: Battery, ready_s: int) -> Cell:
    missing_s = (1.0 - battery.charge_ratio) * battery.charge_s
    full_at_s = ready_s + round(missing_s) if missing_s > 0.0 else 0
    return Cell(battery.battery_id, full_at_s, battery.charge_s, battery.health_ratio)
