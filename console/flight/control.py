"""Control of drones: taken, handed over and released by people, each change kept on the disk before it counts, and let go when they are gone."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from console.auth.accounts import Account
from console.sources import FieldBridge
from infra.clock import MICROSECONDS, Clock
from infra.journal import JournalError
from infra.logs import get_logger
from telemetry.flight import control as board
from telemetry.flight.control import NOBODY, Control, Holder
from telemetry.model.control_events import ControlChanged, HolderKind
from telemetry.model.decoding import Output
from telemetry.model.errors import NotFoundError, UnavailableError

GRACE_US: Final = 60 * MICROSECONDS
"""So long control stays with somebody who signed out, whose page is reloading or whose ground station is silent."""
LOOK_EVERY_S: Final = 5.0
PROTOCOL: Final = "console"
_LOG: Final = get_logger("flight")


class SignedIn(Protocol):
    """Who is signed in (console/auth/accounts.py)."""

    async def signed_in(self, account_ids: Sequence[int], *, now_us: int, idle_us: int) -> frozenset[int]:
        """Return those of the accounts that are signed in anywhere. Raises UnavailableError."""


def holder_of(account: Account) -> Holder:
    """Return an account as somebody who may be in control."""
    return Holder(HolderKind.ACCOUNT, account.account_id, account.name)


class ControlDesk:
    """The shell around the board of control (telemetry/flight/control.py), which the bridge folds from events."""

    def __init__(self, bridge: FieldBridge, clock: Clock, accounts: SignedIn, *, idle_s: int) -> None:
        self.stations = bridge.stations
        self._bridge = bridge
        self._clock = clock
        self._accounts = accounts
        self._idle_us = idle_s * MICROSECONDS
        self._seen_us: dict[int, int] = {}
        self._missing_since_us: dict[int, int] = {}

    def of(self, device_id: int) -> Control:
        """Return who is in control of a drone."""
        return self._bridge.control.of(device_id)

    def demand(self, device_id: int, account: Account) -> None:
        """Raise ConflictError, saying who has it, unless the account is in control of the drone."""
        self.note(account)
        board.demand_control(self.of(device_id), holder_of(account), name=self.name_of(device_id))

    def name_of(self, device_id: int) -> str:
        """Return the name by which people know a drone: its unit's, empty where it flies as none."""
        registry = self._bridge.registry
        unit = registry.units.get(registry.unit_of(device_id, self._clock.now_us()) or 0)
        return "" if unit is None else unit.call_sign

    def note(self, account: Account) -> None:
        """Note that an account is there, by whatever way it asks: a script has no session."""
        self._seen_us[account.account_id] = self._clock.now_us()

    async def take(self, device_id: int, account: Account) -> Control:
        """Take what nobody has. Raises ConflictError, UnavailableError when it cannot be kept."""
        if self.of(device_id).holder == holder_of(account):
            return self.of(device_id)
        event = board.take(self.of(device_id), holder_of(account), self._clock.now_us(), name=self.name_of(device_id))
        return await self._keep(event, account)

    async def force(self, device_id: int, account: Account, reason: str) -> Control:
        """Take it from whoever has it. Raises InputError without a reason."""
        event = board.force(self.of(device_id), holder_of(account), reason, self._clock.now_us())
        return await self._keep(event, account)

    async def offer(self, device_id: int, account: Account, to: Holder) -> Control:
        """Offer it to an account, or lend it to a ground station. Raises ConflictError, InputError, NotFoundError."""
        if to.kind is HolderKind.GROUND_STATION and to.name not in self.stations.names():
            known = ", ".join(self.stations.names()) or "none is configured (SKYBEAT_FORWARD)"
            message = f"there is no ground station {to.name!r}: there are {known}"
            raise NotFoundError(message, f"没有名为 {to.name!r} 的地面站：现有 {known}")
        event = board.offer(
            self.of(device_id), holder_of(account), to, self._clock.now_us(), name=self.name_of(device_id)
        )
        return await self._keep(event, account)

    async def accept(self, device_id: int, account: Account) -> Control:
        """Take what is offered. Raises NotAllowedError."""
        event = board.accept(self.of(device_id), holder_of(account), self._clock.now_us(), name=self.name_of(device_id))
        return await self._keep(event, account)

    async def decline(self, device_id: int, account: Account) -> Control:
        """Refuse what is offered, or take an offer back. Raises NotAllowedError."""
        event = board.decline(
            self.of(device_id), holder_of(account), self._clock.now_us(), name=self.name_of(device_id)
        )
        return await self._keep(event, account)

    async def release(self, device_id: int, account: Account) -> Control:
        """Let go of it. Raises ConflictError."""
        event = board.release(
            self.of(device_id), holder_of(account), self._clock.now_us(), name=self.name_of(device_id)
        )
        return await self._keep(event, account)

    async def watch(self) -> None:
        """Let control lapse whose holder is gone; run it as a task."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except UnavailableError:
                _LOG.warning("control_unwatched")

    async def look(self) -> None:
        """Let control lapse of those who have been gone for a minute. Raises UnavailableError while that cannot be told."""
        held, now_us = self._bridge.control.held(), self._clock.now_us()
        gone = await self._gone_accounts(held, now_us)
        for control in held:
            is_gone, why = (
                (control.holder.holder_id in gone, "signed out")
                if control.holder.kind is HolderKind.ACCOUNT
                else (self._is_silent(control, now_us), "silent")
            )
            since_us = self._missing_since_us.setdefault(control.device_id, now_us) if is_gone else None
            if since_us is None:
                self._missing_since_us.pop(control.device_id, None)
            elif now_us - since_us >= GRACE_US and self.of(control.device_id) == control:
                del self._missing_since_us[control.device_id]
                await self._keep(board.lapse(control, why, now_us), None)

    async def _gone_accounts(self, held: Sequence[Control], now_us: int) -> frozenset[int]:
        asked = {control.holder.holder_id for control in held if control.holder.kind is HolderKind.ACCOUNT}
        asked -= {account_id for account_id in asked if now_us - self._seen_us.get(account_id, 0) < GRACE_US}
        if not asked:
            return frozenset()
        return frozenset(asked) - await self._accounts.signed_in(sorted(asked), now_us=now_us, idle_us=self._idle_us)

    def _is_silent(self, control: Control, now_us: int) -> bool:
        heard_us = self.stations.heard_us(control.holder.name) or 0
        return now_us - max(heard_us, control.since_us) > GRACE_US

    async def _keep(self, event: ControlChanged, account: Account | None) -> Control:
        """Return once the change is on the disk and everybody sees it. Raises UnavailableError when it cannot be kept."""
        if account is not None:
            self.note(account)
        now_us = self._clock.now_us()
        try:
            sequence = self._bridge.take(Output(events=(event,)), now_us, protocol=PROTOCOL, acknowledged=True)
            if sequence is not None:
                await self._bridge.durable(sequence)
        except JournalError as error:
            message = f"the change of control may be lost at a restart, because it cannot be kept: {error}"
            raise UnavailableError(message, f"控制权变更无法保存，重启后可能丢失：{error}") from error
        return self.of(event.device_id)


def account_of_holder(holder: Holder) -> int | None:
    """Return the account's number, None of who is none."""
    return holder.holder_id if holder.kind is HolderKind.ACCOUNT and holder != NOBODY else None
