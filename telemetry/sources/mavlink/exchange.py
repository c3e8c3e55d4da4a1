"""What upload, download and clearing of a list have in common: waiting for answers and for busy vehicles, and how it ended."""

from typing import Final, NamedTuple, Protocol

from telemetry.model.mission_items import MissionList
from telemetry.sources.mavlink.mission_messages import MissionSaid, Target, result_words
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import Ask

BUSY_PAUSES_US: Final = (1_000_000, 2_000_000, 4_000_000, 8_000_000)
"""Another transfer may still be running, or what is left of one: so long is waited before the next try."""
MOST_ATTEMPTS: Final = 10
"""So often the same is asked without any answer. At a loss of one in ten each way all are lost once in ten million times."""


class Ended(NamedTuple):
    """How an exchange ended; `problem` "" is well.

    `touched`: the vehicle began to change its list. `result` is the MAV_MISSION_RESULT that ended it, -1 where none did.
    """

    problem: str = ""
    touched: bool = False
    result: int = -1

    @property
    def is_silence(self) -> bool:
        """Tell whether the vehicle simply did not answer."""
        return bool(self.problem) and self.result < 0


class Exchange(Protocol):
    """One transaction with one list of one vehicle: pure, told the time, its messages in `outbox`."""

    outbox: list[Ask]
    ended: Ended | None

    @property
    def done(self) -> int:
        """Return how many items are over."""

    def begin(self, now_us: int) -> None:
        """Say the first message."""

    def take(self, said: MissionSaid, now_us: int) -> None:
        """Take a message for us about this list."""

    def tick(self, now_us: int) -> None:
        """Ask again where an answer is overdue, and give up where all is in vain."""


class Waiting:
    """The one message that waits for an answer: when it was said, how often, and when it is said again."""

    __slots__ = ("_patience", "asks", "attempt", "due_us", "said_us")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.asks: tuple[Ask, ...] = ()
        self.attempt = 0
        self.said_us = 0
        self.due_us: int | None = None

    def say(self, now_us: int, *asks: Ask, least_us: int = 0) -> list[Ask]:
        """Say something new and wait for what answers it, at least `least_us`."""
        self.asks, self.attempt, self.said_us = asks, 0, now_us
        self.due_us = now_us + max(least_us, self._patience.wait_us(0))
        return list(asks)

    def again(self, now_us: int, *, least_us: int = 0) -> list[Ask] | None:
        """Say it again if it is time to; None when it was said often enough."""
        if self.due_us is None or now_us < self.due_us:
            return []
        self.attempt += 1
        if self.attempt >= MOST_ATTEMPTS:
            return None
        self.due_us = now_us + max(least_us, self._patience.wait_us(self.attempt))
        return list(self.asks)

    def answered(self, now_us: int) -> None:
        """Stop waiting; learn from the answer where it can only be the first message's."""
        if self.due_us is not None and self.attempt == 0:
            self._patience.learn(now_us - self.said_us)
        self.due_us = None


class BusyPauses:
    """The growing pauses before a vehicle that was busy is asked anew; nothing that it says in one is for us."""

    __slots__ = ("_count", "_until_us")

    def __init__(self) -> None:
        self._count = 0
        self._until_us: int | None = None

    @property
    def is_on(self) -> bool:
        """Tell whether a pause is going on."""
        return self._until_us is not None

    def begin(self, now_us: int) -> bool:
        """Begin the next pause; tell whether there was one left."""
        if self._count == len(BUSY_PAUSES_US):
            return False
        self._until_us = now_us + BUSY_PAUSES_US[self._count]
        self._count += 1
        return True

    def end_when_over(self, now_us: int) -> bool:
        """Tell whether the pause ends now, which it does once."""
        is_over = self._until_us is not None and now_us >= self._until_us
        if is_over:
            self._until_us = None
        return is_over


def silence(what: str, target: Target, waiting: Waiting, *, now_us: int, touched: bool) -> Ended:
    """Return the end of an exchange that the vehicle left without an answer."""
    waited_s = (now_us - waiting.said_us) / 1e6
    is_mission = target.mission_list is MissionList.MISSION
    remedy = (
        "try again" if is_mission else f"try again, or leave it out: its firmware may know no {target.mission_list}"
    )
    problem = (
        f"no answer to {what} of the {target.mission_list} in {waited_s:.0f} s and {waiting.attempt} attempts: "
        f"look at the link, then {remedy}"
    )
    return Ended(problem, touched)


def refusal(result: int, target: Target, *, at: str, touched: bool) -> Ended:
    """Return the end of an exchange that the vehicle refused."""
    return Ended(f"the {target.mission_list} was refused {at}: {result_words(result)}", touched, result)
