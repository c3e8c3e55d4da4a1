"""What changes while a plan is flown: a drone, a battery or a crew is lost, the weather turns, a priority rises, a task or a zone comes up."""

from collections.abc import Collection
from typing import Final, TypeVar

import msgspec

from mission.model import Airframe, Battery, Crew, Programme, Task, Weather, Zone

Asset = TypeVar("Asset", Airframe, Battery, Crew)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is different from what a plan was made of; what is not named stays.

    `priorities` are by task id. `tasks` and `zones` are new, or take the place of those with their ids; `weather` is added.
    """

    without_airframe_ids: tuple[int, ...] = ()
    without_battery_ids: tuple[int, ...] = ()
    without_crew_ids: tuple[int, ...] = ()
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
        airframes=tuple(_left(each, each.airframe_id, change.without_airframe_ids) for each in programme.airframes),
        batteries=tuple(_left(each, each.battery_id, change.without_battery_ids) for each in programme.batteries),
        crews=tuple(_left(each, each.crew_id, change.without_crew_ids) for each in programme.crews),
        zones=tuple(zones.values()),
        weather=(*programme.weather, *change.weather),
    )


def _with_priority(task: Task, change: Change) -> Task:
    priority = change.priorities.get(task.task_id, task.priority)
    return task if priority == task.priority else msgspec.structs.replace(task, priority=priority)


def _left(asset: Asset, number: int, lost: Collection[int]) -> Asset:
    return msgspec.structs.replace(asset, is_ready=False) if number in lost else asset
