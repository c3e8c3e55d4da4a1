"""The board of commands to devices and what became of each: queued, sent, delivered, refused or expired; a pure fold over events."""

from collections.abc import Iterable
from typing import Final

import msgspec

from telemetry.model.commands import Command, CommandState
from telemetry.model.events import AnyEvent, CommandAnswered, CommandMoved, CommandOrdered

QUEUED_FOR_US: Final = 600_000_000
"""So long a command waits for its device to connect."""
KEPT_US: Final = 86_400_000_000
KEPT_AT_MOST: Final = 5_000
OPEN: Final = frozenset({CommandState.QUEUED, CommandState.SENT})
_COMMAND: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command and how far it came; times are UTC microseconds, None while it has not happened.

    `answer` is what the device said, or why the command went no further. A sent command may stay so: not every device answers.
    """

    command_id: int
    device_id: int
    unit_id: int | None
    command: Command
    ordered_by: str
    queued_us: int
    expires_us: int
    state: CommandState = CommandState.QUEUED
    sent_us: int | None = None
    ended_us: int | None = None
    answer: str = ""


class OrderBoard:
    """Every command of the last day by its number, oldest first; each change raises `version`.

    What restarts must not forget is in the events: fold them again and the board stands as before.
    """

    def __init__(self) -> None:
        self.version = 0
        self._orders: dict[int, Order] = {}
        self._changed: dict[int, int] = {}
        self._newest_id = 0

    def next_id(self, now_us: int) -> int:
        """Return a number that no command has or had: milliseconds since 1970, or one more than the newest."""
        self._newest_id = max(self._newest_id + 1, now_us // 1000)
        return self._newest_id

    def of(self, command_id: int) -> Order | None:
        """Return a command, None for one that nobody knows (any longer)."""
        return self._orders.get(command_id)

    def of_unit(self, unit_id: int) -> list[Order]:
        """Return a unit's commands, the newest first."""
        return [order for order in reversed(self._orders.values()) if order.unit_id == unit_id]

    def queued(self) -> list[Order]:
        """Return the commands that wait for their device, oldest first."""
        return [order for order in self._orders.values() if order.state is CommandState.QUEUED]

    def changed_since(self, version: int) -> list[Order]:
        """Return the commands that changed after `version`, in the order of their changes."""
        recent: list[int] = []
        for command_id in reversed(self._changed):
            if self._changed[command_id] <= version:
                break
            recent.append(command_id)
        return [self._orders[command_id] for command_id in reversed(recent)]

    def apply(self, event: AnyEvent) -> None:
        """Take what an event says of a command; other events are passed over."""
        match event:
            case CommandOrdered():
                self._place(event)
            case CommandMoved(command_id=command_id) | CommandAnswered(command_id=command_id):
                order = self._orders.get(command_id)
                if order is not None and order.device_id == event.device_id:
                    self._keep(order_after(order, event))
            case _:
                return

    def _place(self, event: CommandOrdered) -> None:
        if event.command_id in self._orders:
            return
        try:
            command = _COMMAND.decode(event.command)
        except msgspec.DecodeError:
            return  # what another version of this program wrote
        self._newest_id = max(self._newest_id, event.command_id)
        self._forget(event.received_us)
        self._keep(
            Order(
                command_id=event.command_id,
                device_id=event.device_id,
                unit_id=event.unit_id,
                command=command,
                ordered_by=event.account_name,
                queued_us=event.observed_us,
                expires_us=event.expires_us,
            )
        )

    def _keep(self, order: Order) -> None:
        if self._orders.get(order.command_id) == order:
            return
        self.version += 1
        self._orders[order.command_id] = order
        self._changed.pop(order.command_id, None)  # so that the order of the keys is the order of the changes
        self._changed[order.command_id] = self.version

    def _forget(self, now_us: int) -> None:
        over = _oldest(self._orders.values(), now_us, len(self._orders) - KEPT_AT_MOST + 1)
        for command_id in over:
            del self._orders[command_id], self._changed[command_id]


def order_after(order: Order, event: CommandMoved | CommandAnswered) -> Order:
    """Return how a command stands after an event: it only ever goes on, and what a device said itself is the last word."""
    state = _STATES.get(event.state)
    if state is None or order.state in {CommandState.DELIVERED, CommandState.REFUSED}:
        return order
    at_us = event.received_us
    if isinstance(event, CommandAnswered):
        sent_us = order.sent_us if order.sent_us is not None else at_us
        return msgspec.structs.replace(order, state=state, sent_us=sent_us, ended_us=at_us, answer=event.text)
    if order.state is not CommandState.QUEUED:
        return order
    if state is CommandState.SENT:
        return msgspec.structs.replace(order, state=state, sent_us=at_us)
    return msgspec.structs.replace(order, state=state, ended_us=at_us, answer=event.text)


def _oldest(orders: Iterable[Order], now_us: int, surplus_count: int) -> list[int]:
    """Return the numbers of commands that are a day old, and of the oldest that are one too many."""
    return [
        order.command_id
        for index, order in enumerate(orders)
        if order.queued_us < now_us - KEPT_US or (index < surplus_count and order.state is not CommandState.QUEUED)
    ]


_STATES: Final = {state.value: state for state in CommandState if state is not CommandState.QUEUED}
