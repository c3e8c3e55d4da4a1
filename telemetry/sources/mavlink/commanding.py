"""One command to a vehicle until it is answered: said again while nothing comes, waited for while it is in progress."""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from telemetry.sources.mavlink.exchange import Waiting
from telemetry.sources.mavlink.frame import Value
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import COMMAND_LONG, Ask

COMMAND_INT: Final = 75
COMMAND_ACK: Final = 77
ACCEPTED: Final = 0
TEMPORARILY_REJECTED: Final = 1
UNSUPPORTED: Final = 3
IN_PROGRESS: Final = 5
LONG_ONLY: Final = 7
INT_ONLY: Final = 8
NO_ANSWER: Final = -1
PROGRESS_WAIT_US: Final = 10_000_000
"""A vehicle that said "in progress" shall say something again within this time."""
LONGEST_US: Final = 120_000_000
ATTEMPTS_BEFORE_OTHER_WAY: Final = 4
"""There are vehicles that do not even answer a command that they do not know."""
LATE_AT_MOST_US: Final = 10_000_000
"""An answer that is later than this does not come any more."""
TEXTS_AFTER_US: Final = 600_000
"""What a vehicle says of a refusal often comes after it."""
TEXTS_KEPT: Final = 3
RESULT_WORDS: Final[dict[int, str]] = {
    TEMPORARILY_REJECTED: "it cannot do that now",
    2: "it denied the command",
    UNSUPPORTED: "it does not know the command",
    4: "it tried and failed",
    6: "the command was cancelled",
    LONG_ONLY: "it takes the command in another form only",
    INT_ONLY: "it takes the command in another form only",
    9: "it does not take this coordinate frame",
}
"""MAV_RESULT in words."""


class Flying(Protocol):
    """What is known of a vehicle when it is told to do something; None is unknown."""

    autopilot: int
    vehicle_type: int
    system_id: int
    component_id: int
    relative_mm: int | None
    home_msl_mm: int | None

    @property
    def mode(self) -> str | None:
        """Return its flight mode's name."""

    @property
    def armed(self) -> bool | None:
        """Tell whether its motors are armed."""

    @property
    def current_item(self) -> int | None:
        """Return the number of its mission's current item."""


class Step(NamedTuple):
    """One command of a sequence: parameters 1 to 7 (None is NaN); with a `frame` 5 and 6 are a place in 1e-7 degree, sent whole.

    `reached`: the vehicle is seen to do it, which stands for an answer that is overdue. `may_fail`: the sequence goes on
    where this is refused; `instead`: what is tried then; with `only_unknown` both where the vehicle does not know the command,
    not where it cannot do it. `message` goes in place of a command and is answered by `reached`.
    """

    said: str
    command: int = 0
    params: tuple[float | None, ...] = ()
    frame: int | None = None
    reached: Callable[[Flying], bool] | None = None
    may_fail: bool = False
    instead: "Step | None" = None
    only_unknown: bool = False
    message: Ask | None = None


class Answer(NamedTuple):
    """A COMMAND_ACK."""

    command: int
    result: int
    progress: int
    target_system: int


def read_answer(fields: tuple[Any, ...]) -> Answer:
    """Return what a COMMAND_ACK says, its fields in wire order; version 1 has no target and no progress."""
    command, result, progress, _, target_system = fields[:5]
    return Answer(command, result, progress, target_system)


class Unanswered:
    """Commands that were said more often than they were answered: what still comes of them answers no newer command."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[int, int]] = {}

    def leave(self, command: int, count: int, now_us: int) -> None:
        """Note how many answers to a command that is over may still come."""
        if count > 0:
            self._left[command] = (count, now_us)

    def take(self, command: int, now_us: int) -> int:
        """Return how many answers are to be passed over by whoever says this command now."""
        count, left_us = self._left.pop(command, (0, 0))
        return count if now_us - left_us < LATE_AT_MOST_US else 0


class CommandRun:
    """One step until it is over. `ended` is then the words of what went wrong, "" for well."""

    def __init__(self, step: Step, vehicle: Flying, patience: Patience, unanswered: Unanswered) -> None:
        self.outbox: list[Ask] = []
        self.ended: str | None = None
        self.result = NO_ANSWER
        self._step = step
        self._vehicle = vehicle
        self._waiting = Waiting(patience)
        self._as_place = step.frame is not None
        self._began_us = 0
        self._unanswered = unanswered
        self._sent = self._answers = self._late = 0
        self._texts: list[str] = []
        self._refused_us: int | None = None

    def begin(self, now_us: int) -> None:
        """Say it."""
        self._began_us = now_us
        self._late = self._unanswered.take(self._step.command, now_us)
        self.outbox += self._waiting.say(now_us, self._ask(0))

    def take(self, answer: Answer, now_us: int) -> None:
        """Take an answer; one to another command is passed over."""
        if self.ended is not None or answer.command != self._step.command or self._refused_us is not None:
            return
        if self._late:  # it answers one that was said before this
            self._late -= answer.result != IN_PROGRESS
            return
        self._answers += answer.result != IN_PROGRESS
        self._waiting.answered(now_us)
        self.result = answer.result
        if answer.result == ACCEPTED:
            self.ended = ""
        elif answer.result == IN_PROGRESS:
            self._waiting.due_us = now_us + PROGRESS_WAIT_US
            self._waiting.attempt = 0
        elif answer.result in {LONG_ONLY, INT_ONLY} and self._as_place == (answer.result == LONG_ONLY):
            self._as_place = not self._as_place
            self.outbox += self._waiting.say(now_us, self._ask(0))
        else:
            self._refused_us = now_us

    def close(self, now_us: int) -> None:
        """Leave what answers may still come to whoever says the same command next."""
        self._unanswered.leave(self._step.command, self._sent - self._answers + self._late, now_us)

    def note_state(self) -> None:
        """Look at what the vehicle just told of itself: where an answer is overdue it stands for one."""
        is_overdue = self._waiting.attempt > 0 or self._step.message is not None
        reached = self._step.reached
        if self.ended is None and is_overdue and reached is not None and reached(self._vehicle):
            self.ended = ""

    def note_text(self, text: str) -> None:
        """Keep what the vehicle says meanwhile: it may be the reason."""
        if text not in self._texts:
            self._texts = [*self._texts, text][-TEXTS_KEPT:]

    def tick(self, now_us: int) -> None:
        """Say it again with the next confirmation number when nothing came; give up in the end."""
        if self.ended is not None:
            return
        if self._refused_us is not None:
            if now_us - self._refused_us >= TEXTS_AFTER_US:
                self.ended = self._worded(RESULT_WORDS.get(self.result, f"it answered {self.result}"))
            return
        again = self._waiting.again(now_us)
        if self._step.instead is not None and self._waiting.attempt >= ATTEMPTS_BEFORE_OTHER_WAY:
            again = None
        if again:
            self.outbox.append(self._ask(self._waiting.attempt))
        elif again is None or now_us - self._began_us > LONGEST_US:
            waited_s = (now_us - self._began_us) / 1e6
            self.ended = self._worded(
                f"no answer in {waited_s:.0f} s and {self._waiting.attempt} attempts: look at the link"
            )

    def _worded(self, reason: str) -> str:
        said = "; ".join(self._texts)
        return f"{self._step.said}: {reason}" + (f" (it says: {said})" if said else "")

    def _ask(self, confirmation: int) -> Ask:
        self._sent += 1
        step = self._step
        if step.message is not None:
            return step.message
        params = [math.nan if param is None else param for param in (*step.params, *[0.0] * (7 - len(step.params)))]
        fields: dict[str, Value] = {
            "command": step.command,
            "target_system": self._vehicle.system_id,
            "target_component": self._vehicle.component_id,
            **{f"param{number}": params[number - 1] for number in range(1, 5)},
        }
        if self._as_place:
            x, y = round(params[4]), round(params[5])
            return Ask(COMMAND_INT, {**fields, "frame": step.frame or 0, "x": x, "y": y, "z": params[6]})
        scale = 1.0 if step.frame is None else 1e-7
        long = {"param5": params[4] * scale, "param6": params[5] * scale, "param7": params[6]}
        return Ask(COMMAND_LONG, {**fields, **long, "confirmation": min(confirmation, 255)})


class StepsRun:
    """The steps of one order, one after another; `ended` is the words of what went wrong, "" for well."""

    def __init__(self, steps: tuple[Step, ...], vehicle: Flying, patience: Patience, unanswered: Unanswered) -> None:
        self.ended: str | None = None
        self._vehicle = vehicle
        self._patience = patience
        self._unanswered = unanswered
        self._left = list(steps)
        self._outbox: list[Ask] = []
        self._run: CommandRun | None = None
        self._step: Step | None = None
        self._said: list[str] = []

    def begin(self, now_us: int) -> None:
        """Say the first."""
        self._go_on(now_us)

    def take(self, answer: Answer, now_us: int) -> None:
        """Take an answer of the vehicle to us."""
        if self._run is not None:
            self._run.take(answer, now_us)
            self._go_on(now_us)

    def tick(self, now_us: int) -> None:
        """Say again what is overdue."""
        if self._run is not None:
            self._run.tick(now_us)
            self._go_on(now_us)

    def note_state(self, now_us: int) -> None:
        """Look at what the vehicle just told of itself."""
        if self._run is not None:
            self._run.note_state()
            self._go_on(now_us)

    def note_text(self, text: str) -> None:
        """Keep what the vehicle says meanwhile."""
        if self._run is not None:
            self._run.note_text(text)

    def give_up(self, now_us: int) -> None:
        """Leave it as it is: what it said may still be answered."""
        if self._run is not None:
            self._run.close(now_us)

    def take_outbox(self) -> list[Ask]:
        """Return what is to be sent, once."""
        asks, self._outbox = self._outbox, []
        return asks

    def _go_on(self, now_us: int) -> None:
        while self.ended is None:
            if self._run is not None:
                self._outbox += self._run.outbox
                self._run.outbox = []
                if self._run.ended is None:
                    return
                self._run.close(now_us)
                self._close(self._run.ended, self._run.result)
            if self.ended is None:
                self._open(now_us)

    def _open(self, now_us: int) -> None:
        if not self._left:
            self.ended = ""
            return
        self._step = self._left.pop(0)
        self._run = CommandRun(self._step, self._vehicle, self._patience, self._unanswered)
        self._run.begin(now_us)

    def _close(self, problem: str, result: int) -> None:
        step, self._run = self._step, None
        if not problem or step is None:
            self._said = []
            return
        is_passed_over = result == UNSUPPORTED or (result != NO_ANSWER and not step.only_unknown)
        if step.instead is not None and (is_passed_over or result == NO_ANSWER):
            self._said.append(problem)
            self._left.insert(0, step.instead)
        elif not (step.may_fail and is_passed_over):
            self.ended = "; then ".join([*self._said, problem])
