"""What changes while a plan is flown: a drone is lost, the weather turns, a priority rises, a task or a zone comes up."""

from typing import Final

import msgspec

from mission.model import Airframe, Programme, Task, Weather, Zone


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is different from what a plan was made of; what is not named stays.

    `priorities` are by task id. `tasks` and `zones` are new, or take the place of those with their ids; `weather` is added.
    """

    without_airframe_ids: tuple[int, ...] = ()
    without_task_ids: tuple[int, ...] = ()
    priorities: dict[int, int] = {}
    tasks: tuple[Task, ...] = ()
    zones: tuple[Zone, ...] = ()
    weather: tuple[Weather, ...] = ()


NO_CHANGE: Final = Change()


def changed(programme: Programme, change: Change) -> Programme:
    """Return the programme with the change put in."""
    tasks = {task.task_id: task for task in programme.tasks if task.task_id not in change.without_task_ids}
    tasks |= {task.task_id: task for task in change.tasks}
    zones = {zone.zone_id or -number: zone for number, zone in enumerate(programme.zones)}
    zones |= {zone.zone_id or -1_000_000 - number: zone for number, zone in enumerate(change.zones)}
    return msgspec.structs.replace(
        programme,
        tasks=tuple(_with_priority(task, change) for task in tasks.values()),
        airframes=tuple(_ready(airframe, change) for airframe in programme.airframes),
        zones=tuple(zones.values()),
        weather=(*programme.weather, *change.weather),
    )


def _with_priority(task: Task, change: Change) -> Task:
    priority = change.priorities.get(task.task_id, task.priority)
    return task if priority == task.priority else msgspec.structs.replace(task, priority=priority)


def _ready(airframe: Airframe, change: Change) -> Airframe:
    is_lost = airframe.airframe_id in change.without_airframe_ids
    return msgspec.structs.replace(airframe, is_ready=False) if is_lost else airframe
