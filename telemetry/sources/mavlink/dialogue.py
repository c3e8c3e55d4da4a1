"""What we and one vehicle have to settle: transfers one after another, commands beside them, each by the link it began on."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from telemetry.model.commands import (
    OVERTAKES,
    ClearMission,
    CommandState,
    DownloadMission,
    FlightCommand,
    UploadMission,
)
from telemetry.model.errors import ConflictError
from telemetry.model.events import AnyEvent, CommandAnswered, StatusText
from telemetry.model.flight_events import MissionTransferred, OnBoard, TransferKind, TransferProgress
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.commanding import COMMAND_ACK, Answer, Flying, StepsRun, Unanswered, read_answer
from telemetry.sources.mavlink.flight_steps import FENCE_ON, steps_of
from telemetry.sources.mavlink.mission_messages import SPOKEN, Target, read
from telemetry.sources.mavlink.modes import ARDUPILOT
from telemetry.sources.mavlink.patience import Patience
from telemetry.sources.mavlink.requests import Ask
from telemetry.sources.mavlink.transfer import ARDUPILOT as ARDUPILOT_WAYS
from telemetry.sources.mavlink.transfer import Firmware, Transfer, Transferred

TransferOrder = UploadMission | DownloadMission | ClearMission

WAITING_AT_MOST: Final = 8
TOLD_EVERY_US: Final = 500_000
LINK_GONE_US: Final = 5_000_000
TELLING_LEVEL: Final = 5
"""MAV_SEVERITY: a notice or worse may be the reason of a refusal."""
SAFE_ORDER: Final = (MissionList.FENCE, MissionList.RALLY, MissionList.MISSION)
"""The mission last: a firmware that takes every list for its mission then ends with the mission."""


class _Task(msgspec.Struct):
    """An order that is being done: by which link, and what of it is left."""

    command_id: int
    link_number: int
    lists: deque[tuple[TransferKind, MissionList, tuple[MissionItem, ...]]]
    transfer: Transfer | None = None
    switching: StepsRun | None = None
    """Switches on the fence that has just been sent."""
    told_us: int = 0
    done: int = 0


class _Flight(msgspec.Struct):
    """A flight command that is being done, or waits for its turn."""

    command: FlightCommand
    link_number: int
    run: StepsRun | None = None


class Dialogue:
    """The orders of one vehicle. Every message of ours leaves by `outbox`, by number of the link; every answer is an event."""

    def __init__(self, vehicle: Flying, device_id: int, own_system_id: int) -> None:
        self.outbox: dict[int, list[Ask]] = {}
        self._vehicle = vehicle
        self._device_id = device_id
        self._own_system_id = own_system_id
        self._patience: dict[int, Patience] = {}
        self._heard_of: dict[int, int] = {}
        self._unanswered = Unanswered()
        self._digests: dict[MissionList, str] = {}
        self._tasks: deque[_Task] = deque()
        self._flights: deque[_Flight] = deque()

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is not settled."""
        return bool(self._tasks or self._flights)

    @property
    def is_transferring(self) -> bool:
        """Tell whether an order about lists is not settled."""
        return bool(self._tasks)

    def order_transfer(self, order: TransferOrder, link_number: int, now_us: int) -> list[AnyEvent]:
        """Take an order about lists; it begins when those before it are over. Raises ConflictError when too many wait."""
        if len(self._tasks) >= WAITING_AT_MOST:
            raise ConflictError(f"{len(self._tasks)} transfers wait for this vehicle already: let them end")
        self._tasks.append(_Task(order.command_id, link_number, deque(_lists_of(order))))
        self._heard_of[link_number] = now_us
        return self._go_on(now_us) if len(self._tasks) == 1 else []

    def order_flight(self, command: FlightCommand, link_number: int, now_us: int) -> list[AnyEvent]:
        """Take a flight command; an urgent one does not wait. Raises InputError for a value that is missing or wrong."""
        first_item = int(self._vehicle.autopilot == ARDUPILOT)
        steps = steps_of(command, self._vehicle, first_item=first_item)
        is_urgent = command.action in OVERTAKES
        if len(self._flights) >= WAITING_AT_MOST and not is_urgent:
            raise ConflictError(f"{len(self._flights)} commands wait for this vehicle already: let them end")
        events: list[AnyEvent] = []
        if is_urgent:
            if self._flights:
                self._running().give_up(now_us)
            events += [self._given_up(flight, command, now_us) for flight in self._flights]
            self._flights.clear()
        run = StepsRun(steps, self._vehicle, self._patience_of(link_number), self._unanswered)
        self._flights.append(_Flight(command, link_number, run))
        self._heard_of[link_number] = now_us
        if len(self._flights) == 1:
            run.begin(now_us)
        return [*events, *self._fly_on(now_us)]

    def take(self, msg_id: int, fields: tuple[Any, ...], now_us: int) -> list[AnyEvent]:
        """Take a message of the vehicle."""
        if msg_id == COMMAND_ACK:
            return self._take_answer(read_answer(fields), now_us)
        if msg_id in SPOKEN and self._tasks and self._tasks[0].transfer is not None:
            self._tasks[0].transfer.take(read(msg_id, fields), now_us)
            return self._go_on(now_us)
        return []

    def move(self, link_number: int, new_number: int, now_us: int) -> None:
        """Go on by a link that is the same one under another number."""
        open_ones: list[_Task | _Flight] = [*self._tasks, *self._flights]
        for one in open_ones:
            if one.link_number == link_number:
                one.link_number = new_number
                self._heard_of[new_number] = now_us
        self._say(new_number, self.outbox.pop(link_number, ()))

    def _take_answer(self, answer: Answer, now_us: int) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        if answer.target_system not in {self._own_system_id, 0}:
            return events
        if self._tasks and self._tasks[0].switching is not None:
            self._tasks[0].switching.take(answer, now_us)
            events += self._go_on(now_us)
        if self._flights:
            self._running().take(answer, now_us)
            events += self._fly_on(now_us)
        return events

    def note_texts(self, events: Sequence[AnyEvent]) -> None:
        """Note what the vehicle says: it may be why it refuses what is being asked."""
        for event in events:
            if self._flights and isinstance(event, StatusText) and event.level <= TELLING_LEVEL:
                self._running().note_text(event.text)

    def note_state(self, now_us: int) -> list[AnyEvent]:
        """Note that the vehicle has just told its mode, its arming or its current item."""
        if not self._flights:
            return []
        self._running().note_state(now_us)
        return self._fly_on(now_us)

    def tick(self, link_number: int, now_us: int) -> list[AnyEvent]:
        """Ask again where an answer is overdue; `link_number` is an open link's, whose turn it is."""
        self._heard_of[link_number] = now_us
        events: list[AnyEvent] = []
        if self._tasks:
            task = self._tasks[0]
            if task.transfer is not None and not self._is_gone(task.link_number, now_us):
                task.transfer.tick(now_us)
            if task.switching is not None:
                task.switching.tick(now_us)
            events += self._go_on(now_us)
        if self._flights:
            flight = self._flights[0]
            if self._is_gone(flight.link_number, now_us):
                self._flights.popleft()
                events.append(self._answered(flight.command.command_id, "the link that it began on is gone", now_us))
                self._begin_flight(now_us)
            else:
                self._running().tick(now_us)
            events += self._fly_on(now_us)
        return events

    def _running(self) -> StepsRun:
        run = self._flights[0].run
        assert run is not None
        return run

    def _begin_flight(self, now_us: int) -> None:
        if self._flights:
            self._running().begin(now_us)

    def _fly_on(self, now_us: int) -> list[AnyEvent]:
        """Send what the running command has to say; when it is over, tell so and begin the next."""
        events: list[AnyEvent] = []
        while self._flights:
            flight, run = self._flights[0], self._running()
            self._say(flight.link_number, run.take_outbox())
            if run.ended is None:
                break
            self._flights.popleft()
            events.append(self._answered(flight.command.command_id, run.ended, now_us))
            self._begin_flight(now_us)
        return events

    def _go_on(self, now_us: int) -> list[AnyEvent]:
        """Send what the running transfer has to say, tell how far it is, and begin what comes next."""
        events: list[AnyEvent] = []
        while self._tasks:
            task = self._tasks[0]
            if task.switching is not None:
                said = self._switch_on(task, task.switching, now_us)
                if said is None:
                    break
                events += said
                continue
            if task.transfer is None and not task.lists:
                self._tasks.popleft()
                events.append(self._answered(task.command_id, "", now_us))
                continue
            if task.transfer is None:
                self._begin_list(task, now_us)
            assert task.transfer is not None
            self._say(task.link_number, task.transfer.take_outbox())
            ended = task.transfer.ended or self._without_link(task, now_us)
            if ended is None:
                return [*events, *self._progress(task, task.transfer, now_us)]
            events += self._end_list(task, task.transfer, ended, now_us)
        return events

    def _switch_on(self, task: _Task, switching: StepsRun, now_us: int) -> list[AnyEvent] | None:
        """Send what switches the fence on; None: it is not answered yet."""
        self._say(task.link_number, switching.take_outbox())
        is_gone = self._is_gone(task.link_number, now_us)
        problem = (
            "the link that the transfer began on is gone before the fence was switched on"
            if is_gone
            else switching.ended
        )
        if problem is None:
            return None
        task.switching = None
        if not problem:
            return []
        self._tasks.popleft()
        return [self._answered(task.command_id, problem, now_us)]

    def _begin_list(self, task: _Task, now_us: int) -> None:
        kind, mission_list, items = task.lists.popleft()
        target = Target(self._vehicle.system_id, self._vehicle.component_id, mission_list, self._own_system_id)
        firmware = ARDUPILOT_WAYS if self._vehicle.autopilot == ARDUPILOT else Firmware()
        firmware = firmware._replace(digest=self._digests.get(mission_list, ""))
        patience = self._patience_of(task.link_number)
        transfer = Transfer(kind, items, target, patience=patience, firmware=firmware)
        task.transfer = transfer
        task.told_us = now_us
        transfer.begin(now_us)

    def _end_list(self, task: _Task, transfer: Transfer, ended: Transferred, now_us: int) -> list[AnyEvent]:
        task.transfer = None
        if ended.digest:
            self._digests[transfer.mission_list] = ended.digest
        elif ended.on_board is OnBoard.UNKNOWN:
            self._digests.pop(transfer.mission_list, None)
        is_read = transfer.kind is TransferKind.DOWNLOAD
        events: list[AnyEvent] = [
            MissionTransferred(
                command_id=task.command_id,
                transfer=transfer.kind,
                mission_list=transfer.mission_list,
                on_board=ended.on_board,
                item_count=None if ended.items is None else len(ended.items),
                first_item=transfer.first_item,
                digest=ended.digest,
                problem=ended.problem,
                items=ended.items if is_read else None,
                **self._base(now_us),
            )
        ]
        if ended.problem:
            self._tasks.popleft()
            events.append(self._answered(task.command_id, ended.problem, now_us))
        elif transfer.switches_on and self._vehicle.autopilot == ARDUPILOT:
            patience = self._patience_of(task.link_number)
            task.switching = StepsRun((FENCE_ON,), self._vehicle, patience, self._unanswered)
            task.switching.begin(now_us)
        return events

    def _progress(self, task: _Task, transfer: Transfer, now_us: int) -> list[AnyEvent]:
        done, total = transfer.progress
        if now_us - task.told_us < TOLD_EVERY_US or done == task.done:
            return []
        task.told_us, task.done = now_us, done
        return [
            TransferProgress(
                command_id=task.command_id,
                transfer=transfer.kind,
                mission_list=transfer.mission_list,
                done=done,
                total=total,
                **self._base(now_us),
            )
        ]

    def _without_link(self, task: _Task, now_us: int) -> Transferred | None:
        if not self._is_gone(task.link_number, now_us):
            return None
        is_read = task.transfer is not None and task.transfer.kind is TransferKind.DOWNLOAD
        problem = "the link that the transfer began on is gone: a transfer stays on one link, begin it again on another"
        return Transferred(OnBoard.AS_BEFORE if is_read else OnBoard.UNKNOWN, problem=problem)

    def _is_gone(self, link_number: int, now_us: int) -> bool:
        return now_us - self._heard_of.get(link_number, 0) > LINK_GONE_US

    def _patience_of(self, link_number: int) -> Patience:
        return self._patience.setdefault(link_number, Patience())

    def _say(self, link_number: int, asks: Sequence[Ask]) -> None:
        if asks:
            self.outbox.setdefault(link_number, []).extend(asks)

    def _given_up(self, flight: _Flight, by: FlightCommand, now_us: int) -> AnyEvent:
        return self._answered(flight.command.command_id, f"given up for a newer order: {by.action}", now_us)

    def _answered(self, command_id: int, problem: str, now_us: int) -> CommandAnswered:
        state = CommandState.REFUSED if problem else CommandState.DELIVERED
        return CommandAnswered(command_id=command_id, state=state.value, text=problem, **self._base(now_us))

    def _base(self, now_us: int) -> Any:  # noqa: ANN401 - keyword arguments that every event takes
        return {"device_id": self._device_id, "observed_us": now_us, "received_us": now_us}


def _lists_of(order: TransferOrder) -> list[tuple[TransferKind, MissionList, tuple[MissionItem, ...]]]:
    """Return what an order does to which list, in the order in which it is done."""
    if isinstance(order, UploadMission):
        given = {MissionList.MISSION: order.mission, MissionList.FENCE: order.fence, MissionList.RALLY: order.rally}
        return [(TransferKind.UPLOAD, which, items) for which in SAFE_ORDER if (items := given[which]) is not None]
    kind = TransferKind.CLEAR if isinstance(order, ClearMission) else TransferKind.DOWNLOAD
    return [(kind, which, ()) for which in SAFE_ORDER if which in order.lists]
