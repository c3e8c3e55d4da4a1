"""A list on its way to a vehicle, which asks for the items one by one; and the emptying of a list."""

from collections.abc import Sequence
from typing import Final

from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink import mission_messages as messages
from telemetry.sources.mavlink.exchange import BusyPauses, Ended, Waiting, refusal, silence
from telemetry.sources.mavlink.mission_messages import MissionSaid, Target
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import Ask

VEHICLE_ASKS_AGAIN_US: Final = 2_000_000
"""A vehicle that misses an item asks for it again, most after a second: only one that does not is sent it unasked."""
FLOATS_AFTER: Final = 3
"""A vehicle that asks in the old way and goes on asking takes only the old items."""
OUT_OF_ORDER_AT_MOST: Final = 20
DOUBLE_WITHIN_US: Final = 50_000
THANKS_MISSED: Final = 3
"""The last item was repeated so often, and the acknowledgement may be what was lost: reading back tells."""


class Upload:
    """Count, then each item as it is asked for, in whichever order and however often, until the vehicle says that it has all.

    An answer to something else (another list, an earlier transfer) is passed over. `done` counts the items asked for so far.
    """

    def __init__(
        self, items: Sequence[MissionItem], target: Target, patience: Patience, *, first_item: int = 0
    ) -> None:
        self.outbox: list[Ask] = []
        self.ended: Ended | None = None
        self._items = items
        self._first_item = first_item
        self._target = target
        self._waiting = Waiting(patience)
        self._asked: set[int] = set()
        self._last = -1
        self._last_us = 0
        self._repeats = 0
        self._as_floats = self._is_form_known = False
        self._out_of_order = 0
        self._pauses = BusyPauses()

    @property
    def done(self) -> int:
        """Return how many different items the vehicle has asked for."""
        return len(self._asked)

    @property
    def _has_all(self) -> bool:
        """Tell whether every item was asked for: whoever reads the list back will see whether all came."""
        return len(self._asked) == len(self._items)

    @property
    def _last_in_words(self) -> str:
        """Return the item that was asked for last as people count, from 1, a home left out."""
        return "its home" if self._last < self._first_item else f"item {self._last - self._first_item + 1}"

    def begin(self, now_us: int) -> None:
        """Say how many items there are."""
        self.outbox += self._waiting.say(now_us, messages.count(self._target, len(self._items)))

    def take(self, said: MissionSaid, now_us: int) -> None:
        """Take a request or an acknowledgement."""
        if self.ended is not None:
            return
        if said.msg_id in {messages.REQUEST, messages.REQUEST_INT}:
            self._take_request(said, now_us)
        elif said.msg_id == messages.ACK:
            self._take_ack(said.number, now_us)

    def tick(self, now_us: int) -> None:
        """Say the last again when nothing came, or begin again when a busy vehicle has had its pause."""
        if self.ended is not None:
            return
        if self._pauses.is_on:
            if self._pauses.end_when_over(now_us):
                self.begin(now_us)
            return
        least_us = VEHICLE_ASKS_AGAIN_US if self._asked else 0
        asks = self._waiting.again(now_us, least_us=least_us)
        if self._has_all and self._waiting.attempt > THANKS_MISSED:
            self.ended = Ended(touched=True)
        elif asks is None:
            what = self._last_in_words if self._asked else "the count"
            self.ended = silence(what, self._target, self._waiting, now_us=now_us, touched=True)
        else:
            self.outbox += asks

    def _take_request(self, said: MissionSaid, now_us: int) -> None:
        seq = said.number
        if said.mission_list is not self._target.mission_list:
            self._ask_of_other_list(said)
            return
        if not 0 <= seq < len(self._items):
            return
        is_repeat = seq == self._last
        if is_repeat and now_us - self._last_us < DOUBLE_WITHIN_US:
            return
        if not is_repeat:
            self._is_form_known = self._last >= 0  # it took the item before: what is missing now is lost
            self._waiting.answered(now_us)
            self._out_of_order = 0
        self._repeats = self._repeats + 1 if is_repeat else 0
        may_be_old = said.msg_id == messages.REQUEST and not self._is_form_known
        if may_be_old and self._repeats and self._repeats % FLOATS_AFTER == 0:
            self._as_floats = not self._as_floats
        self._asked.add(seq)
        self._last, self._last_us = seq, now_us
        item = messages.item(self._target, seq, self._items[seq], as_floats=self._as_floats)
        self.outbox += self._waiting.say(now_us, item, least_us=VEHICLE_ASKS_AGAIN_US)

    def _ask_of_other_list(self, said: MissionSaid) -> None:
        """Break off with an old vehicle that takes every list for its mission: it must not get ours."""
        if (
            self._target.mission_list is MissionList.MISSION
            or said.mission_list is not MissionList.MISSION
            or self._asked
        ):
            return
        mission = self._target._replace(mission_list=MissionList.MISSION)
        self.outbox.append(messages.acknowledge(mission, messages.CANCELLED))
        problem = f"the vehicle takes the {self._target.mission_list} for its mission: its firmware knows no such list"
        self.ended = Ended(problem, touched=True, result=messages.UNSUPPORTED)

    def _take_ack(self, result: int, now_us: int) -> None:
        if result == messages.ACCEPTED:
            if self._has_all:
                self._waiting.answered(now_us)
                self.ended = Ended(touched=True)
            return  # else it is of an earlier transfer
        if self._has_all and self._waiting.attempt and result in {messages.ERROR, messages.INVALID_SEQUENCE}:
            self.ended = Ended(touched=True)  # it had all, and does not know what the repeated last item is for
            return
        if self._pauses.is_on:
            return
        if result == messages.INVALID_SEQUENCE and self._asked:
            self._out_of_order += 1  # what was sent twice is out of order the second time
            if self._out_of_order <= OUT_OF_ORDER_AT_MOST:
                return
        if not self._asked and result in messages.BUSY and self._pauses.begin(now_us):
            return
        at = f"at {self._last_in_words}" if self._asked else "at its beginning"
        self.ended = refusal(result, self._target, at=at, touched=bool(self._asked))


class Clearing:
    """The emptying of a list: one message and its acknowledgement."""

    def __init__(self, target: Target, patience: Patience) -> None:
        self.outbox: list[Ask] = []
        self.ended: Ended | None = None
        self._target = target
        self._waiting = Waiting(patience)
        self._pauses = BusyPauses()

    @property
    def done(self) -> int:
        """Return 0: there are no items."""
        return 0

    def begin(self, now_us: int) -> None:
        """Say that the list shall be empty."""
        self.outbox += self._waiting.say(now_us, messages.clear_all(self._target))

    def take(self, said: MissionSaid, now_us: int) -> None:
        """Take the acknowledgement."""
        if self.ended is not None or said.msg_id != messages.ACK or self._pauses.is_on:
            return
        result = said.number
        if result in messages.BUSY and self._pauses.begin(now_us):
            return
        self._waiting.answered(now_us)
        is_well = result == messages.ACCEPTED
        end = Ended(touched=True) if is_well else refusal(result, self._target, at="to be emptied", touched=False)
        self.ended = end

    def tick(self, now_us: int) -> None:
        """Say it again when nothing came."""
        if self.ended is not None:
            return
        if self._pauses.is_on:
            if self._pauses.end_when_over(now_us):
                self.begin(now_us)
            return
        asks = self._waiting.again(now_us)
        if asks is None:
            self.ended = silence("the emptying", self._target, self._waiting, now_us=now_us, touched=True)
        else:
            self.outbox += asks
