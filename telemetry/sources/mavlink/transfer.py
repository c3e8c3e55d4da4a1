"""One list of a vehicle sent, read or emptied: whatever was changed is read back and compared before it counts."""

from typing import Final, NamedTuple

import msgspec

from telemetry.model.flight_events import OnBoard, TransferKind
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink import mission_messages as messages
from telemetry.sources.mavlink.download import WIDEST, Download
from telemetry.sources.mavlink.exchange import Ended, Exchange
from telemetry.sources.mavlink.mission_compare import difference, digest
from telemetry.sources.mavlink.mission_messages import MissionSaid, Target, for_ardupilot
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import Ask
from telemetry.sources.mavlink.upload import Clearing, Upload

MOST_ROUNDS: Final = 3
"""A list that the vehicle broke off, or that reads otherwise than it was sent, is sent again."""
ANEW: Final = frozenset({messages.CANCELLED, messages.INVALID_SEQUENCE, messages.ERROR})


class Transferred(NamedTuple):
    """How a transfer ended: what is on board now; `problem` "" is well; `items` without the vehicle's home."""

    on_board: OnBoard
    items: tuple[MissionItem, ...] | None = None
    digest: str = ""
    problem: str = ""


class Firmware(NamedTuple):
    """What of a vehicle's ways matters here: `counts_home`, its home being item 0 of its mission; `digest` of what it has, if known."""

    counts_home: bool = False
    zero_for_none: bool = False
    widest: int = 1
    digest: str = ""


ARDUPILOT: Final = Firmware(counts_home=True, zero_for_none=True, widest=WIDEST)


class Transfer:
    """A pure state machine, told the time; what it has to say is in `outbox`, how it ended in `ended`.

    Upload: send, read back, compare; up to three rounds. A failure after the vehicle began to change its list ends with one more
    look at what it has, so that nobody need guess. An empty list is a clearing.
    """

    def __init__(
        self,
        kind: TransferKind,
        items: tuple[MissionItem, ...],
        target: Target,
        *,
        patience: Patience,
        firmware: Firmware,
    ) -> None:
        self.kind = kind
        self.mission_list = target.mission_list
        self.ended: Transferred | None = None
        self._target = target
        self._patience = patience
        self._firmware = firmware
        self._items = items
        self._round = 0
        self._item_count = 0
        """How many items the vehicle said that it has, its home left out."""
        self._failed: Ended | None = None
        self._is_checking = kind is TransferKind.DOWNLOAD
        self._exchange: Exchange = self._reading() if self._is_checking else self._writing()

    @property
    def first_item(self) -> int:
        """Return the number by which the vehicle calls the first of our items."""
        return int(self._firmware.counts_home and self.mission_list is MissionList.MISSION)

    @property
    def switches_on(self) -> bool:
        """Tell whether this brings a fence, which an ArduPilot must be told to heed."""
        return self.kind is TransferKind.UPLOAD and self.mission_list is MissionList.FENCE and bool(self._items)

    @property
    def progress(self) -> tuple[int, int | None]:
        """Return how many items are over and of how many; sent and read back each count once."""
        item_count = len(self._items)
        if self.kind is not TransferKind.DOWNLOAD:
            return min(self._exchange.done, item_count) + (item_count if self._is_checking else 0), 2 * item_count
        total = self._exchange.total if isinstance(self._exchange, Download) else None
        return self._exchange.done, total

    def begin(self, now_us: int) -> None:
        """Say the first message."""
        self._exchange.begin(now_us)

    def take(self, said: MissionSaid, now_us: int) -> None:
        """Take a message of the vehicle; one to another ground station is passed over."""
        if self.ended is None and said.target_system in {self._target.own_system_id, 0}:
            self._exchange.take(said, now_us)
            self._go_on(now_us)

    def tick(self, now_us: int) -> None:
        """Ask again where an answer is overdue."""
        if self.ended is None:
            self._exchange.tick(now_us)
            self._go_on(now_us)

    def take_outbox(self) -> list[Ask]:
        """Return what is to be sent, once."""
        asks, self._exchange.outbox = self._exchange.outbox, []
        return asks

    def _writing(self) -> Exchange:
        if self.kind is TransferKind.CLEAR or not self._items:
            return Clearing(self._target, self._patience)
        items = (for_ardupilot(item) for item in self._items) if self._firmware.zero_for_none else self._items
        return Upload((*self._home(), *items), self._target, self._patience, first_item=self.first_item)

    def _reading(self, *, expected_count: int | None = None) -> Download:
        return Download(self._target, self._patience, widest=self._firmware.widest, expected_count=expected_count)

    def _home(self) -> tuple[MissionItem, ...]:
        """Return the item that stands for home, which the vehicle knows better: it bears the first place of ours."""
        if not self.first_item:
            return ()
        place = next((item for item in self._items if item.lat_e7 or item.lon_e7), messages.ZERO_HOME)
        return (msgspec.structs.replace(messages.ZERO_HOME, lat_e7=place.lat_e7, lon_e7=place.lon_e7),)

    def _go_on(self, now_us: int) -> None:
        ended = self._exchange.ended
        if ended is None:
            return
        if isinstance(self._exchange, Download):
            self._item_count = max(0, (self._exchange.total or 0) - self.first_item)
            self._judge(ended, self._exchange.items[self.first_item :], now_us)
        elif not ended.problem:
            expected_count = None if not self._wanted else len(self._wanted) + self.first_item
            self._next(self._reading(expected_count=expected_count), now_us, is_checking=True)
        else:
            self._answer_failure(ended, now_us)

    def _answer_failure(self, ended: Ended, now_us: int) -> None:
        """Try again, look what is on board now, or say at once what is."""
        is_unknown_list = ended.result == messages.UNSUPPORTED and self.mission_list is not MissionList.MISSION
        if is_unknown_list and not self._items and not ended.touched:
            self.ended = Transferred(OnBoard.AS_ASKED, (), digest(()))  # a list that it does not know is empty
        elif ended.touched and ended.result in ANEW and self._round + 1 < MOST_ROUNDS:
            self._round += 1
            self._next(self._writing(), now_us, is_checking=False)
        elif ended.is_silence:
            self.ended = Transferred(OnBoard.UNKNOWN, problem=ended.problem)
        elif not ended.touched:
            self.ended = Transferred(OnBoard.AS_BEFORE, problem=ended.problem)
        else:
            self._failed = ended
            self._next(self._reading(), now_us, is_checking=True)

    def _judge(self, ended: Ended, items: tuple[MissionItem, ...], now_us: int) -> None:
        """Take what was read."""
        if self.kind is TransferKind.DOWNLOAD:
            self.ended = self._read(ended, items)
        elif ended.problem:
            reason = self._failed.problem if self._failed else f"it was sent, but cannot be read back: {ended.problem}"
            self.ended = Transferred(OnBoard.UNKNOWN, problem=reason)
        elif self._failed is not None:
            self.ended = Transferred(self._found(items), items, digest(items), self._failed.problem)
        else:
            self._compare(items, now_us)

    def _read(self, ended: Ended, items: tuple[MissionItem, ...]) -> Transferred:
        if not ended.problem:
            return Transferred(OnBoard.AS_ASKED, items, digest(items))
        if ended.result == messages.UNSUPPORTED and self.mission_list is not MissionList.MISSION:
            return Transferred(OnBoard.AS_ASKED, (), digest(()))
        return Transferred(OnBoard.AS_BEFORE, problem=ended.problem)

    def _compare(self, items: tuple[MissionItem, ...], now_us: int) -> None:
        if len(self._wanted) != self._item_count:
            differs = f"{len(self._wanted)} items were sent, {self._item_count} are on board"
        else:
            differs = difference(self._wanted, items)
        if not differs:
            self.ended = Transferred(OnBoard.AS_ASKED, items, digest(items))
        elif self._round + 1 < MOST_ROUNDS:
            self._round += 1
            self._next(self._writing(), now_us, is_checking=False)
        else:
            problem = f"the {self.mission_list} reads otherwise than it was sent: {differs}"
            told = items if len(items) == self._item_count else None
            self.ended = Transferred(self._found(items), told, "" if told is None else digest(told), problem)

    @property
    def _wanted(self) -> tuple[MissionItem, ...]:
        return () if self.kind is TransferKind.CLEAR else self._items

    def _found(self, items: tuple[MissionItem, ...]) -> OnBoard:
        if self._firmware.digest and digest(items) == self._firmware.digest and len(items) == self._item_count:
            return OnBoard.AS_BEFORE
        return OnBoard.UNKNOWN if self._item_count else OnBoard.NOTHING

    def _next(self, exchange: Exchange, now_us: int, *, is_checking: bool) -> None:
        exchange.outbox += self._exchange.outbox
        self._exchange, self._is_checking = exchange, is_checking
        exchange.begin(now_us)
