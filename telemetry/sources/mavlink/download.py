"""A list on its way from a vehicle: asked for item by item, several at once where the vehicle bears that."""

from typing import Final

from telemetry.model.mission_items import MissionItem
from telemetry.sources.mavlink import mission_messages as messages
from telemetry.sources.mavlink.exchange import MOST_ATTEMPTS, BusyPauses, Ended, Waiting, refusal, silence
from telemetry.sources.mavlink.mission_messages import MissionSaid, Target
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import Ask

WIDEST: Final = 8
"""So many items an ArduPilot is asked for at once: it answers each request for itself."""
OUT_OF_ORDER_AT_MOST: Final = 20
ASKED_ANEW: Final = messages.BUSY | {messages.CANCELLED, messages.INVALID_SEQUENCE}
OLD_WAY_EVERY: Final = 4
"""Each fourth time an item is asked for in the old way: there are vehicles that know no other."""


class _Wanted:
    """One item that was asked for: when first, when it is overdue, how often."""

    __slots__ = ("attempt", "due_us", "said_us")

    def __init__(self, now_us: int, wait_us: int) -> None:
        self.attempt = 0
        self.said_us = now_us
        self.due_us = now_us + wait_us


class Download:
    """The count, then every item, then our thanks. `items` is whole once it ended well.

    The number of items asked for at once grows by one with each answer up to `widest` and halves when one is overdue; 1 is the
    protocol's own way, and all that most autopilots but ArduPilot take. Where another count than `expected_count` is told, it
    ends there: `total` says enough.
    """

    def __init__(
        self, target: Target, patience: Patience, *, widest: int = 1, expected_count: int | None = None
    ) -> None:
        self.outbox: list[Ask] = []
        self.ended: Ended | None = None
        self.total: int | None = None
        self._target = target
        self._patience = patience
        self._waiting = Waiting(patience)
        self._widest = widest
        self._expected_count = expected_count
        self._width = 1
        self._next = 0
        self._wanted: dict[int, _Wanted] = {}
        self._items: dict[int, MissionItem] = {}
        self._refused = 0
        self._pauses = BusyPauses()

    @property
    def done(self) -> int:
        """Return how many items are here."""
        return len(self._items)

    @property
    def items(self) -> tuple[MissionItem, ...]:
        """Return the items in their order, as many as came without a gap."""
        return tuple(self._items[seq] for seq in range(len(self._items)) if seq in self._items)

    def begin(self, now_us: int) -> None:
        """Ask how many items there are."""
        self.total = None
        self._items.clear()
        self._wanted.clear()
        self._next, self._width = 0, 1
        self.outbox += self._waiting.say(now_us, messages.request_list(self._target))

    def take(self, said: MissionSaid, now_us: int) -> None:
        """Take the count, an item or a refusal."""
        is_over = self.ended is not None or self._pauses.is_on
        if is_over or said.mission_list is not self._target.mission_list:
            return
        if said.msg_id == messages.COUNT and self.total is None:
            self._waiting.answered(now_us)
            self.total = said.number
            if self._expected_count is not None and self.total != self._expected_count:
                self.outbox.append(messages.acknowledge(self._target))
                self.ended = Ended()
                return
            self._go_on(now_us)
        elif said.item is not None and self.total is not None:
            self._take_item(said.number, said.item, now_us)
        elif said.msg_id == messages.ACK and said.number != messages.ACCEPTED:
            self._take_refusal(said.number, now_us)

    def tick(self, now_us: int) -> None:
        """Ask again for what is overdue."""
        if self.ended is not None:
            return
        if self._pauses.is_on:
            if self._pauses.end_when_over(now_us):
                self.begin(now_us)
            return
        if self.total is None:
            asks = self._waiting.again(now_us)
            if asks is None:
                self.ended = silence(
                    "the question for the count", self._target, self._waiting, now_us=now_us, touched=False
                )
            else:
                self.outbox += asks
            return
        for seq, wanted in self._wanted.items():
            if now_us >= wanted.due_us:
                self._ask_again(seq, wanted, now_us)

    def _take_item(self, seq: int, item: MissionItem, now_us: int) -> None:
        wanted = self._wanted.pop(seq, None)
        if wanted is None:
            return
        if wanted.attempt == 0:
            self._patience.learn(now_us - wanted.said_us)
        self._items[seq] = item
        self._width = min(self._width + 1, self._widest)
        self._go_on(now_us)

    def _go_on(self, now_us: int) -> None:
        assert self.total is not None
        while self._next < self.total and len(self._wanted) < self._width:
            self._wanted[self._next] = _Wanted(now_us, self._patience.wait_us(0))
            self.outbox.append(messages.request_item(self._target, self._next))
            self._next += 1
        if len(self._items) == self.total:
            self.outbox.append(messages.acknowledge(self._target))
            self.ended = Ended()

    def _ask_again(self, seq: int, wanted: _Wanted, now_us: int) -> None:
        wanted.attempt += 1
        self._width = max(1, self._width // 2)
        if wanted.attempt >= MOST_ATTEMPTS:
            waited_s = (now_us - wanted.said_us) / 1e6
            problem = f"no answer to the request for item {seq} of the {self._target.mission_list} in {waited_s:.0f} s"
            self.ended = Ended(f"{problem}: look at the link, then try again")
            return
        wanted.due_us = now_us + self._patience.wait_us(wanted.attempt)
        is_old_way = wanted.attempt % OLD_WAY_EVERY == OLD_WAY_EVERY - 1
        self.outbox.append(messages.request_item(self._target, seq, as_floats=is_old_way))

    def _take_refusal(self, result: int, now_us: int) -> None:
        """Pass over what a request that came twice or late may cause; ask a vehicle anew that is busy or broke it off."""
        self._refused += 1
        if result == messages.INVALID_SEQUENCE and self.total is not None and self._refused <= OUT_OF_ORDER_AT_MOST:
            return
        if result in ASKED_ANEW and self._pauses.begin(now_us):
            return
        self.ended = refusal(result, self._target, at="to be read", touched=False)
