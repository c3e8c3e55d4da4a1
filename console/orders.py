"""Commands of people to devices: kept on the disk, sent as soon as the device is there, given up after ten minutes."""

import asyncio
from typing import Final

import msgspec

from console.auth.accounts import Account
from console.auth.policy import TooManyAttemptsError
from console.sources import FieldBridge
from infra.clock import Clock
from infra.journal import JournalError
from telemetry.model.commands import Command, CommandState
from telemetry.model.decoding import Output
from telemetry.model.errors import ConflictError, NotFoundError, SkybeatError, UnavailableError
from telemetry.model.events import AnyEvent, CommandAnswered, CommandMoved, CommandOrdered
from telemetry.orders import QUEUED_FOR_US, Order
from telemetry.rate_limit import RateLimit

PROTOCOL: Final = "console"
LOOK_EVERY_S: Final = 0.5
QUEUED_AT_MOST: Final = 20
"""So many commands of one device may wait: more are no orders but a mistake."""
MOVED_ON: Final = "the device speaks for another unit now"
"""What was meant for one crew is shown to no other."""
RATE_PER_S: Final = 1.0
BURST: Final = 30


class CommandDesk:
    """The shell around the board of orders (telemetry/orders.py), which the bridge folds from events.

    Nothing is sent before the journal has it; what waits when the program dies goes on after the restart.
    """

    def __init__(self, bridge: FieldBridge, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._rate = RateLimit(RATE_PER_S, BURST)
        self._unsafe: set[int] = set()
        self._elsewhere: set[int] = set()

    async def order(self, command: Command, account: Account, unit_id: int | None) -> Order:
        """Take a command upon an account and return how it stands once it is on the disk and was tried for the first time.

        Raises TooManyAttemptsError, ConflictError for a device for which too many wait, UnavailableError when it cannot be kept.
        """
        if not self._rate.take(str(account.account_id), self._clock.monotonic_s()):
            message = f"more than {BURST} commands at once: wait a second, then send it again"
            raise TooManyAttemptsError(message)
        board = self._bridge.orders
        waiting = sum(order.device_id == command.device_id for order in board.queued())
        if waiting >= QUEUED_AT_MOST:
            message = f"{waiting} commands wait for device {command.device_id} already: let it connect, or wait until they expire"
            raise ConflictError(message)
        command_id = board.next_id(self._clock.now_us())
        await self._keep(self._ordered(command, command_id, unit_id, account))
        self.turn()
        order = board.of(command_id)
        assert order is not None
        return order

    async def begin(
        self, command: Command, account: Account, unit_id: int | None, *, within_s: float, by_pilot: bool = False
    ) -> Order:
        """Keep a command that somebody else carries out, who says by `move` and `answer` how far it came.

        It is worth nothing after `within_s`. `by_pilot`: a sortie's pilot wants it, and many may set out at once. Raises
        TooManyAttemptsError, and UnavailableError when it cannot be kept.
        """
        if not by_pilot and not self._rate.take(str(account.account_id), self._clock.monotonic_s()):
            message = f"more than {BURST} commands at once: wait a second, then send it again"
            raise TooManyAttemptsError(message)
        command_id = self._bridge.orders.next_id(self._clock.now_us())
        self._elsewhere.add(command_id)
        try:
            await self._keep(self._ordered(command, command_id, unit_id, account, within_us=round(within_s * 1e6)))
        except UnavailableError:
            self._elsewhere.discard(command_id)
            raise
        order = self._bridge.orders.of(command_id)
        assert order is not None
        return order

    def move(self, order: Order, state: CommandState, text: str = "") -> None:
        """Say that a command which `begin` kept was sent, or why it will not be."""
        self._elsewhere.discard(order.command_id)
        self._say(self._moved(order.command_id, order.device_id, state, text))

    def answer(self, order: Order, state: CommandState, text: str) -> None:
        """Say how a command which was sent ended, where the device's own answer did not come by its link."""
        now_us = self._clock.now_us()
        self._say(
            CommandAnswered(
                device_id=order.device_id,
                observed_us=now_us,
                received_us=now_us,
                command_id=order.command_id,
                state=state.value,
                text=text,
            )
        )

    def tell(self, command: Command, unit_id: int | None, by: str) -> int:
        """Send what the console itself has to say, now or not at all; return the number under which its answer is found.

        Raises NotFoundError for a device that is not connected, InputError for one that cannot.
        """
        now_us = self._clock.now_us()
        command_id = self._bridge.orders.next_id(now_us)
        self._bridge.send(numbered(command, command_id), now_us)
        ordered = self._ordered(command, command_id, unit_id, None, by=by)
        self._say(ordered, self._moved(command_id, command.device_id, CommandState.SENT))
        return command_id

    async def run(self) -> None:
        """Try what waits, twice a second; run it as a task."""
        while True:
            self.turn()
            await asyncio.sleep(LOOK_EVERY_S)

    def turn(self) -> None:
        """Send what can be sent now; give up what waited too long."""
        now_us = self._clock.now_us()
        for order in self._bridge.orders.queued():
            if order.command_id not in self._unsafe and order.command_id not in self._elsewhere:
                moved = self._try(order, now_us)
                if moved is not None:
                    self._say(moved)

    def _try(self, order: Order, now_us: int) -> CommandMoved | None:
        if now_us >= order.expires_us:
            return self._moved(order.command_id, order.device_id, CommandState.EXPIRED)
        speaks_for = self._bridge.registry.unit_of(order.device_id, now_us)
        if order.unit_id is not None and speaks_for != order.unit_id:
            return self._moved(order.command_id, order.device_id, CommandState.REFUSED, MOVED_ON)
        try:
            self._bridge.send(numbered(order.command, order.command_id), now_us)
        except NotFoundError:
            return None
        except SkybeatError as error:
            return self._moved(order.command_id, order.device_id, CommandState.REFUSED, str(error))
        return self._moved(order.command_id, order.device_id, CommandState.SENT)

    async def _keep(self, ordered: CommandOrdered) -> None:
        """Return when the order is on the disk. Raises UnavailableError, and then it is never sent."""
        self._unsafe.add(ordered.command_id)
        now_us = self._clock.now_us()
        try:
            sequence = self._bridge.take(Output(events=(ordered,)), now_us, protocol=PROTOCOL, acknowledged=True)
            if sequence is not None:
                await self._bridge.durable(sequence)
        except JournalError as error:
            self._say(self._moved(ordered.command_id, ordered.device_id, CommandState.EXPIRED))
            message = f"the command was not sent, because it cannot be kept: {error}"
            raise UnavailableError(message) from error
        finally:
            self._unsafe.discard(ordered.command_id)

    def _ordered(
        self,
        command: Command,
        command_id: int,
        unit_id: int | None,
        account: Account | None,
        *,
        by: str = "",
        within_us: int = QUEUED_FOR_US,
    ) -> CommandOrdered:
        now_us = self._clock.now_us()
        return CommandOrdered(
            device_id=command.device_id,
            observed_us=now_us,
            received_us=now_us,
            command_id=command_id,
            command=msgspec.json.encode(numbered(command, command_id)).decode(),
            expires_us=now_us + within_us,
            unit_id=unit_id,
            account_id=None if account is None else account.account_id,
            account_name=by if account is None else account.name,
        )

    def _moved(self, command_id: int, device_id: int, state: CommandState, text: str = "") -> CommandMoved:
        now_us = self._clock.now_us()
        return CommandMoved(
            device_id=device_id,
            observed_us=now_us,
            received_us=now_us,
            command_id=command_id,
            state=state.value,
            text=text,
        )

    def _say(self, *events: AnyEvent) -> None:
        self._bridge.take(Output(events=events), self._clock.now_us(), protocol=PROTOCOL)


def numbered(command: Command, command_id: int) -> Command:
    """Return a command under the number by which its answer is found."""
    return msgspec.structs.replace(command, command_id=command_id)
