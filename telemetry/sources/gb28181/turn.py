"""What one turn of a decoder gathers before it becomes an Output."""

from collections import Counter
from typing import Final

import numpy as np

from telemetry.model.batch import REPORT, Batch, new_batch
from telemetry.model.decoding import NOTHING, Fact, Output, Promise, Reply
from telemetry.model.events import AnyEvent

_OK: Final = b"SIP/2.0 200 OK\r\n"
_UNAVAILABLE: Final = b"SIP/2.0 503 Service Unavailable\r\nRetry-After: 10\r\n"


class Turn:
    """Rows (as bytes of REPORT), events, facts, messages to send and counts of what was bad, in the order they came."""

    __slots__ = ("bad", "close", "events", "facts", "proven", "replies", "rows")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.events: list[AnyEvent] = []
        self.facts: list[Fact] = []
        self.replies: list[Reply] = []
        self.bad: Counter[str] = Counter()
        self.proven: list[int] = []
        self.close: str | None = None

    @property
    def held(self) -> int:
        """Return how many rows and events there are: what a promise is about."""
        return len(self.rows) + len(self.events)

    def say(self, data: bytes) -> None:
        """Send a message at once."""
        self.replies.append(Reply(data))

    def promise(self, answer: bytes) -> None:
        """Send a 200 once what this turn holds is on disk; when it cannot be kept, 503 asks to come again in 10 s."""
        refusal = _UNAVAILABLE + answer[len(_OK) :] if answer.startswith(_OK) else b""
        self.replies.append(Reply(answer, Promise.DURABLE, refusal))

    def output(self) -> Output:
        """Return what was gathered."""
        if not (self.held or self.replies or self.facts or self.bad or self.proven or self.close):
            return NOTHING
        return Output(
            batch=self._batch(),
            events=tuple(self.events),
            replies=tuple(self.replies),
            facts=tuple(self.facts),
            bad=dict(self.bad),
            proven=tuple(self.proven),
            close=self.close,
        )

    def _batch(self) -> Batch:
        return np.frombuffer(bytearray().join(self.rows), REPORT) if self.rows else new_batch(0)
