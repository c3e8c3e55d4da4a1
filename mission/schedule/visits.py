"""What is wanted of a task in a window of time: its hours, and each visit with the time in which to begin it."""

import math
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from mission.model import US, Task, TaskKind, Window
from mission.plan import Visit
from mission.schedule.recurrence import clipped, hours, united

REVISIT_SLACK_SHARE: Final = 0.1
"""How much of a revisit period may be used to choose when to begin: visits come that much more often, and are kept."""
_PARTS_SHARE: Final = 0.5


def hours_of(task: Task, window: Window, *, holidays: Collection[date] = ()) -> tuple[Window, ...]:
    """Return when within `window` the task is wanted: its windows and its recurrence's hours; all of it if it names none.

    Raises InputError for a recurrence that cannot be.
    """
    if not task.windows and task.recurrence is None:
        return (window,)
    wanted = clipped(task.windows, window)
    if task.recurrence is not None:
        wanted += hours(task.recurrence, window, holidays=holidays)
    return united(wanted)


def visits_of(task: Task, wanted: Sequence[Window], first_id: int = 1, *, part_count: int = 1) -> list[Visit]:
    """Return the visits that keep what the task asks for, numbered from 1, with ids from `first_id` on.

    Without a revisit period one visit a window. With one, each window gets the fewest visits with which no place waits longer
    than the period: from the window's start to the first, from one to the next wherever in their windows they begin, and
    from the last to the window's end.
    """
    begins = []
    for window in wanted:
        again = task.revisit_s is not None and task.kind not in {TaskKind.EVENT, TaskKind.STREETS, TaskKind.SEARCH}
        these = _again_and_again(window, task.revisit_s or math.inf) if again else [window]
        wide_us = round(_PARTS_SHARE * (task.revisit_s or 0.0) * US) if part_count > 1 else 0
        begins += [
            Window(each.start_us, min(max(each.end_us, each.start_us + wide_us), window.end_us)) for each in these
        ]
    return [
        Visit(visit_id=first_id + number, task_id=task.task_id, number=number + 1, window=begin)
        for number, begin in enumerate(begins)
    ]


def _again_and_again(window: Window, revisit_s: float) -> list[Window]:
    """Return when to begin each of the visits: windows `period` apart and `revisit - period` wide."""
    revisit_us = revisit_s * US
    left_us = window.end_us - window.start_us - revisit_us
    if left_us <= 0:
        return [window]
    steps = math.ceil(left_us / (revisit_us * (1.0 - REVISIT_SLACK_SHARE)))
    period_us = left_us / steps
    starts = [window.start_us + round(step * period_us) for step in range(steps + 1)]
    return [Window(start, min(start + math.floor(revisit_us - period_us), window.end_us)) for start in starts]
