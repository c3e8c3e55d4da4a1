"""What one turn of a decoder gathers before it becomes an Output."""

from collections import Counter

from telemetry.model.batch import Batch, concatenate, new_batch
from telemetry.model.datum import Crs
from telemetry.model.decoding import NOTHING, Fact, Output, Promise, Reply
from telemetry.model.events import AnyEvent
from telemetry.sources.jt808.position import rows_of, shift_to_wgs84


class Turn:
    """Rows by datum, events, facts, counts of what was bad; frames to send at once, and those that promise something.

    The promising ones have no refusal: a terminal that is not answered sends again, one that is refused may throw away.
    """

    __slots__ = ("bad", "close", "durable", "events", "facts", "now", "now_us", "proven", "rows")

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us
        self.rows: dict[Crs, list[bytes]] = {}
        self.events: list[AnyEvent] = []
        self.facts: list[Fact] = []
        self.now: list[bytes] = []
        self.durable: list[bytes] = []
        self.bad: Counter[str] = Counter()
        self.proven: list[int] = []
        self.close: str | None = None

    def add_rows(self, crs: Crs, rows: bytes) -> None:
        """Take packed rows whose coordinates are in `crs`."""
        if crs in self.rows:
            self.rows[crs].append(rows)
        else:
            self.rows[crs] = [rows]

    def output(self) -> Output:
        """Return what was gathered."""
        has_reply = self.now or self.durable
        if not (self.rows or has_reply or self.events or self.facts or self.bad or self.proven or self.close):
            return NOTHING
        replies = [Reply(b"".join(self.now))] if self.now else []
        if self.durable:
            replies.append(Reply(b"".join(self.durable), Promise.DURABLE))
        return Output(
            batch=self._batch(),
            events=tuple(self.events),
            replies=tuple(replies),
            facts=tuple(self.facts),
            bad=self.bad,
            proven=tuple(self.proven),
            close=self.close,
        )

    def _batch(self) -> Batch:
        if not self.rows:
            return new_batch(0)
        batches = [shift_to_wgs84(rows_of(rows), crs) for crs, rows in self.rows.items()]
        return batches[0] if len(batches) == 1 else concatenate(batches)
