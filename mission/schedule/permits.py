"""When the rules let each kind of airframe begin a task, and what they say where they do not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from mission.model import US, Airframe, Task, Window
from mission.plan import Refusal, Visit
from mission.rules import allowed_windows, check_task
from mission.schedule.recurrence import clipped
from mission.schedule.scene import Scene
from telemetry.model.geodesy import Floats

_HOMEWARD_S = 120.0
"""What a task's time is lengthened by, for the way home in the same weather."""


@dataclass(frozen=True)
class Permit:
    """By kind of airframe, the windows in which a task may be begun; `refusals` say why not in the others, warnings what else."""

    begins: tuple[tuple[Window, ...], ...]
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...]

    def kinds_by_windows(self, within: Window) -> dict[tuple[Window, ...], frozenset[int]]:
        """Return which kinds may begin when within a window, those with the same times together; none without a time."""
        found: dict[tuple[Window, ...], set[int]] = {}
        for kind, begins in enumerate(self.begins):
            cut = tuple(clipped(begins, within)) or tuple(each for each in begins if _touches(each, within))
            if cut:
                found.setdefault(cut, set()).add(kind)
        return {windows: frozenset(kinds) for windows, kinds in found.items()}

    def why_not(self, window: Window, visit_id: int) -> Refusal | None:
        """Return what speaks against a visit in that window: of all that do, what lasts longest."""
        against = [each for each in self.refusals if each.window is None or _overlap_us(each.window, window) > 0]
        if not against:
            return None
        worst = max(against, key=lambda each: _overlap_us(each.window or window, window))
        return msgspec.structs.replace(worst, visit_id=visit_id)


def permit_of(task: Task, hours: Sequence[Window], scene: Scene, *, lasting_s: float, places: Floats) -> Permit:
    """Return when a task that lasts so long may be begun within its hours, by kind of airframe.

    What is wrong at any time (a height, a camera) is asked for one moment of each window, the rest for all of it. `places`
    (n, 2) are where it begins and ends: where a rule holds until some time, the way there comes after that.
    """
    begins: list[tuple[Window, ...]] = []
    against: dict[tuple[str, str, Window | None], Refusal] = {}
    warnings: dict[tuple[str, str, Window | None], Refusal] = {}
    for kind in scene.kinds:
        allowed: list[Window] = []
        for window in hours:
            at_once = Window(window.start_us, window.start_us + 1)
            visit = Visit(visit_id=0, task_id=task.task_id, number=0, window=at_once)
            fixed = [each for each in check_task(task, visit, kind, **scene.conditions) if each.window is None]
            free, timed = allowed_windows(task, window, kind, lasting_s=lasting_s + _HOMEWARD_S, **scene.conditions)
            said = [msgspec.structs.replace(each, visit_id=None, airframe_id=None) for each in (*fixed, *timed)]
            if not any(not each.is_warning for each in fixed):
                allowed += free if free == (window,) else _reached(free, window, _ways_s(places, scene, kind))
            for each in said:
                (warnings if each.is_warning else against).setdefault((each.rule_id, each.reason_en, each.window), each)
        begins.append(tuple(allowed))
    return Permit(tuple(begins), tuple(against.values()), _once(warnings.values()))


def _reached(free: Sequence[Window], asked: Window, ways_s: tuple[float, float]) -> list[Window]:
    """Return the windows to begin in, cut where a rule cuts them so that the ways there and back are within them too."""
    there_us, more_us = round(ways_s[0] * US), round(max(ways_s[1] - _HOMEWARD_S, 0.0) * US)
    cut = [
        Window(
            each.start_us + (there_us if each.start_us > asked.start_us else 0),
            each.end_us - (more_us if each.end_us < asked.end_us else 0),
        )
        for each in free
    ]
    return [each for each in cut if each.start_us < each.end_us]


def _ways_s(places: Floats, scene: Scene, kind: Airframe) -> tuple[float, float]:
    """Return how long a kind of airframe flies from take-off to some places and back, from the farthest of its docks."""
    stand_at = {one.dock_id for one in scene.airframes if scene.kinds[scene.kind_number(one)] == kind}
    docks = [scene.dock_place(dock_id) for dock_id in sorted(stand_at & set(scene.docks))]
    if not docks:
        return 0.0, 0.0
    farthest = {int(np.argmax(np.hypot(*(places - dock).T))) for dock in docks}
    ends = np.array([*docks, *(places[number] for number in sorted(farthest))], np.float64).reshape(-1, 2)
    seconds = scene.travel_s(ends, scene.metres(ends), kind)
    there_s, back_s = seconds[: len(docks), len(docks) :], seconds[len(docks) :, : len(docks)]
    return _most(there_s) + scene.climb_s(kind), _most(back_s) + scene.sink_s(kind)


def _most(seconds: Floats) -> float:
    """Return the longest of some ways that there are, 0 without any."""
    return float(np.max(seconds, where=np.isfinite(seconds), initial=0.0))


def _once(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return one refusal for each rule and sentence: a warning is said once a task."""
    found: dict[tuple[str, str], Refusal] = {}
    for each in refusals:
        found.setdefault((each.rule_id, each.reason_en), each)
    return tuple(found.values())


def _touches(window: Window, within: Window) -> bool:
    """Tell whether a window of no length lies in another: a visit that must begin at one moment."""
    return within.start_us == within.end_us and window.start_us <= within.start_us <= window.end_us


def _overlap_us(first: Window, second: Window) -> int:
    return min(first.end_us, second.end_us) - max(first.start_us, second.start_us)
