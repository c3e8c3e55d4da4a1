"""A demo officer's head: hears tasks, answers them after a moment's thought, goes, stays a while and comes back. Told the time."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
import numpy as np

from mission.calls.incident import ENDED, DispatchState

THINKS_S: Final = (2.0, 7.0)
MOUNTS_S: Final = (5.0, 15.0)
"""From the word to moving off."""
STAYS_S: Final = (60.0, 180.0)
UNSEEN_S: Final = 45.0
"""Who stands at the place so long and was not seen to arrive says so."""
DECLINES_RATIO: Final = 0.04
"""Of the tasks after the first."""
SAY_AGAIN_S: Final = 5.0
DECLINE_REASONS: Final = ("正在处置另一起警情", "vehicle does not start")
CANNOT_REASON: Final = "无法到达或电量不足 / out of reach or battery low"


class TaskPlace(msgspec.Struct, frozen=True):
    """What an officer's page reads of the incident."""

    incident_id: int
    lat_deg: float | None
    lon_deg: float | None


class TaskDispatch(msgspec.Struct, frozen=True):
    """What it reads of the dispatch."""

    dispatch_id: int
    state: DispatchState


class Task(msgspec.Struct, frozen=True):
    """What it reads of a task."""

    dispatch: TaskDispatch
    incident: TaskPlace


class TaskMessage(msgspec.Struct, frozen=True, tag_field="type", tag="task"):
    """A task as the websocket tells it."""

    task: Task


class Saying(NamedTuple):
    """An answer to a task, to be sent until it is taken."""

    dispatch_id: int
    answer: str
    reason: str = ""


class Body(Protocol):
    """What carries the officer about (console/demo/ground.py)."""

    @property
    def is_there(self) -> bool:
        """Whether it stands where it was sent."""

    @property
    def must_leave(self) -> bool:
        """Whether it cannot stay or go on: a drone whose battery is low."""

    def go(self, lat_deg: float, lon_deg: float, *, after_s: float) -> bool:
        """Set out; False where no way leads there."""

    def release(self) -> None:
        """Go back to the beat."""


class Officer:
    """One officer and the task that it has; times are seconds of a clock that never runs backwards."""

    def __init__(self, body: Body, random: np.random.Generator) -> None:
        self._body, self._random = body, random
        self._task: Task | None = None
        self._said: set[str] = set()
        self._said_at_s: dict[str, float] = {}
        self._accepts_s = self._clears_s = self._there_s = float("inf")
        self._declines = self._cannot = False
        self._had_tasks = 0
        self._goal: tuple[float, float] | None = None

    @property
    def dispatch_id(self) -> int | None:
        """The task that it has, None while it patrols."""
        return None if self._task is None else self._task.dispatch.dispatch_id

    def hear(self, task: Task, now_s: float) -> None:
        """Take a task as it stands now."""
        mine = self._task is not None and self._task.dispatch.dispatch_id == task.dispatch.dispatch_id
        if task.dispatch.state in ENDED:
            if mine:
                self._give_up()
            return
        if not mine:
            self._begin(now_s)
        self._task = task

    def drop(self, dispatch_id: int) -> None:
        """Forget a task of which the console says that it is over."""
        if self.dispatch_id == dispatch_id:
            self._give_up()

    def taken(self, saying: Saying) -> None:
        """Note that the console took an answer."""
        if saying.dispatch_id == self.dispatch_id:
            self._said.add(saying.answer)
            if saying.answer in ("declined", "cleared"):
                self._give_up()

    def due(self, now_s: float) -> Sequence[Saying]:
        """Move on with the task; return what is to be answered now."""
        if self._task is None:
            return ()
        self._say("received", now_s)
        if now_s >= self._accepts_s:
            self._say("declined" if self._declines else "accepted", now_s)
        if "accepted" in self._said:
            self._go(now_s)
        if self._body.is_there:
            self._stay(now_s)
        elif self._goal is not None and self._body.must_leave:
            self._leave(now_s)
        return self._sayings(now_s)

    def _begin(self, now_s: float) -> None:
        if self._goal is not None:
            self._body.release()
        self._said, self._said_at_s, self._goal = set(), {}, None
        self._accepts_s = now_s + float(self._random.uniform(*THINKS_S))
        self._clears_s = self._there_s = float("inf")
        self._declines = bool(self._random.random() < DECLINES_RATIO) and self._had_tasks > 0
        self._cannot = False
        self._had_tasks += 1

    def _give_up(self) -> None:
        if self._goal is not None:
            self._body.release()
        self._task, self._goal, self._said_at_s = None, None, {}

    def _go(self, now_s: float) -> None:
        assert self._task is not None
        place = self._task.incident
        if (
            place.lat_deg is None
            or place.lon_deg is None
            or self._goal == (place.lat_deg, place.lon_deg)
            or self._cannot
        ):
            return
        if self._body.go(place.lat_deg, place.lon_deg, after_s=float(self._random.uniform(*MOUNTS_S))):
            self._goal = (place.lat_deg, place.lon_deg)
        else:
            self._leave(now_s)

    def _leave(self, now_s: float) -> None:
        """Say that the task is done where it was at the place, else that it cannot be."""
        self._cannot = np.isinf(self._there_s)
        self._say("declined" if self._cannot else "cleared", now_s)

    def _stay(self, now_s: float) -> None:
        assert self._task is not None
        if np.isinf(self._there_s):
            self._there_s, self._clears_s = now_s, now_s + float(self._random.uniform(*STAYS_S))
        was_seen = self._task.dispatch.state is DispatchState.ARRIVED
        if not was_seen and now_s - self._there_s >= UNSEEN_S:
            self._say("arrived", now_s)
        if now_s >= self._clears_s or self._body.must_leave:
            self._say("cleared", now_s)

    def _say(self, answer: str, now_s: float) -> None:
        if answer not in self._said:
            self._said_at_s.setdefault(answer, now_s)

    def _sayings(self, now_s: float) -> list[Saying]:
        assert self._task is not None
        sayings = []
        for answer, at_s in self._said_at_s.items():
            if answer in self._said or at_s > now_s:
                continue
            self._said_at_s[answer] = now_s + SAY_AGAIN_S
            reason = self._reason() if answer == "declined" else ""
            sayings.append(Saying(self._task.dispatch.dispatch_id, answer, reason))
        return sayings

    def _reason(self) -> str:
        return CANNOT_REASON if self._cannot else DECLINE_REASONS[int(self._random.integers(0, len(DECLINE_REASONS)))]
