"""What officers' phone pages report: positions and calls for help, kept as every phone's are, each page as its own device."""

import asyncio
from collections import OrderedDict
from typing import Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY, Account
from console.auth.policy import TooManyAttemptsError
from console.sources import FieldBridge
from infra.clock import Clock, us_of
from infra.database import Scope, scoped
from infra.journal import JournalError
from telemetry.links.report_turns import DURABLE_WITHIN_S, ReportTurns
from telemetry.model.decoding import Output
from telemetry.model.errors import NotAllowedError, UnavailableError
from telemetry.model.events import AlarmKind
from telemetry.model.phone import PhoneFix
from telemetry.model.unit import Device
from telemetry.rate_limit import RateLimit
from telemetry.sources.skybeat import sos_over

PROTOCOL: Final = "skybeat"
LABEL: Final = "phone page"
INTERVAL_S: Final = 5.0
"""How often a page that shares its position says where it is, standing still too; as migration 0011 enrols it."""
RATE_PER_S: Final = 5.0
BURST: Final = 400
"""Room for what a page kept while it had no connection: it sends one report after another."""
ANSWERS_PER_S: Final = 2.0
ANSWERS_BURST: Final = 60
SOS_RATE_PER_S: Final = 0.5
SOS_BURST: Final = 30
CALLS_REMEMBERED: Final = 2_000
_ENSURE: Final = "select own_device_id, began_at from public.ensure_own_device()"


class PageReports:
    """The phones' way through bridge and journal for signed-in officers. Each speaks for its account's unit alone."""

    def __init__(self, bridge: FieldBridge, pool: AsyncConnectionPool, clock: Clock) -> None:
        self._bridge = bridge
        self._pool = pool
        self._clock = clock
        self._turns = ReportTurns(self._take, bridge.durable, clock)
        self._rate = RateLimit(RATE_PER_S, BURST)
        self._answers = RateLimit(ANSWERS_PER_S, ANSWERS_BURST)
        self._sos_rate = RateLimit(SOS_RATE_PER_S, SOS_BURST)
        self._heard_calls: OrderedDict[tuple[int, int], None] = OrderedDict()

    async def report(self, account: Account, fix: PhoneFix) -> None:
        """Return when the position is on the disk.

        Raises NotAllowedError for a revoked page, TooManyAttemptsError, UnavailableError when it cannot be kept.
        """
        if not self._rate.take(str(account.account_id), self._clock.monotonic_s()):
            message = f"more than {RATE_PER_S:g} positions a second: send less often"
            raise TooManyAttemptsError(message)
        await self._keep(await self._device_of(account), fix)

    def demand_room(self, account: Account) -> None:
        """Raise TooManyAttemptsError for a page that answers without end: each answer waits for all who change incidents."""
        if not self._answers.take(str(account.account_id), self._clock.monotonic_s()):
            message = f"more than {ANSWERS_PER_S:g} answers a second: wait a little, then send it again"
            raise TooManyAttemptsError(message)

    async def call_for_help(self, account: Account, fix: PhoneFix) -> None:
        """Raise the alarm at once, and return when the call is on the disk; the same call sent again is one call."""
        device = await self._device_of(account)
        call = None if fix.observed_us is None else (account.account_id, fix.observed_us)
        if call in self._heard_calls:
            return
        if not self._sos_rate.take(str(account.account_id), self._clock.monotonic_s()):
            if self._is_calling(device):
                return  # it is heard already; the disk need not hear it thirty times
            message = "more calls for help than anybody can send: wait a second and call again, or use the radio"
            raise TooManyAttemptsError(message)
        await self._keep(device, fix)
        if call is not None:
            self._remember(call)

    async def end_call(self, account: Account) -> None:
        """Say that the call for help is over, and return when that is on the disk; without a call nothing happens."""
        device = await self._device_of(account)
        if self._is_calling(device):
            await self._keep(device, sos_over())

    def _remember(self, call: tuple[int, int]) -> None:
        self._heard_calls[call] = None
        if len(self._heard_calls) > CALLS_REMEMBERED:
            self._heard_calls.popitem(last=False)

    def _is_calling(self, device: Device) -> bool:
        return any(
            alarm.kind is AlarmKind.SOS and alarm.device_id == device.device_id and alarm.ended_us is None
            for alarm in self._bridge.alarms.open()
        )

    def _take(self, output: Output, now_us: int) -> int | None:
        return self._bridge.take(output, now_us, protocol=PROTOCOL, acknowledged=True)

    async def _keep(self, device: Device, fix: PhoneFix) -> None:
        try:
            await self._turns.keep(device.device_id, [fix])
        except JournalError as error:
            message = f"not kept, send it again: {error}"
            raise UnavailableError(message) from error
        except TimeoutError as error:
            message = f"not kept within {DURABLE_WITHIN_S:g} s, send it again: the disk stalls"
            raise UnavailableError(message) from error

    async def _device_of(self, account: Account) -> Device:
        """Return the page's device; one that nobody enrolled, or that spoke for another unit, is enrolled now."""
        registry = self._bridge.registry
        device = registry.device(PROTOCOL, f"account/{account.account_id}")
        if device is not None and device.revoked:
            message = (
                f"this phone page (device {device.device_id}) is revoked: ask an administrator for another account"
            )
            raise NotAllowedError(message)
        if device is not None and registry.unit_of(device.device_id, self._clock.now_us()) == account.unit_id:
            return device
        return await self._enrol(account)

    async def _enrol(self, account: Account) -> Device:
        scope = Scope(account_role=account.role.value, account_id=account.account_id, unit_id=account.unit_id)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, scope) as connection:
                row = await (await connection.execute(_ENSURE)).fetchone()
        except psycopg.errors.InsufficientPrivilege as error:
            message = f"{error.diag.message_primary}: {error.diag.message_hint}"
            raise NotAllowedError(message) from error
        except DATABASE_AWAY as error:
            message = "the database does not answer, and this phone page is new to it: call by radio, then try again"
            raise UnavailableError(message) from error
        assert row is not None
        device = Device(
            device_id=row[0],
            protocol=PROTOCOL,
            address=f"account/{account.account_id}",
            label=LABEL,
            report_interval_s=INTERVAL_S,
        )
        unit = self._bridge.registry.units.get(account.unit_id or 0)
        self._bridge.registry.register(device, unit, us_of(row[1]))
        return device
