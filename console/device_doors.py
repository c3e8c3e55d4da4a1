"""The console's way to the registry's tables: the doors of migration 0017, which check the account's scope by themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from infra.clock import Clock, utc_of
from infra.database import Scope, scoped
from infra.vault import Vault
from telemetry.model.errors import ConflictError, NotFoundError, UnavailableError
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.enrolment import Credentials, NewDevice, NewUnit, make_credentials

_ENROL: Final = (
    "select public.enrol_device(%(protocol)s, %(address)s, %(label)s, %(interval_s)s, %(signing_key_sealed)s::bytea,"
    " %(secret_sealed)s::bytea, %(options)s, %(pairs_until)s::timestamptz, %(unit_id)s::int)"
)
_ADD_UNIT: Final = "select public.add_unit(%s, %s, %s, %s::int, %s, %s)"
_ROTATE: Final = (
    "select public.rotate_device(%(device_id)s, %(address)s, %(signing_key_sealed)s::bytea, %(secret_sealed)s::bytea,"
    " %(pairs_until)s::timestamptz)"
)
_REVOKE: Final = "select public.revoke_device(%s)"
_ASSIGN: Final = "select public.assign_device(%s, %s::int)"
_SET_OPTIONS: Final = "select public.set_device_options(%s, %s, %s::double precision, %s)"
_TRUST: Final = "select public.set_trusted_device(%s, %s::int)"
_DISMISS: Final = "select public.dismiss_quarantined(%s, %s)"


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What a new or rotated device was given; its secret is told once and never again."""

    device_id: int
    unit_id: int | None
    credentials: Credentials


class DeviceDoors:
    """Changes devices as an account. The registry in memory follows by itself, as it does for every other program's change.

    Raises NotFoundError for what is outside the scope, ConflictError for what does not fit how things stand, UnavailableError
    while the database is away.
    """

    def __init__(self, pool: AsyncConnectionPool, clock: Clock, data_dir: Path) -> None:
        self._pool = pool
        self._clock = clock
        self._data_dir = data_dir
        self._vault: Vault | None = None

    async def enrol(self, scope: Scope, new: NewDevice, *, unit_id: int | None, new_unit: NewUnit | None) -> Enrolled:
        """Enrol a device, for a unit that is made with it where `new_unit` says so. All or nothing."""
        credentials = make_credentials(new, await self._open_vault(), now_us=self._clock.now_us())
        values = {
            "protocol": new.protocol,
            "label": new.label,
            "interval_s": new.report_interval_s,
            "options": _json(new.options),
            **credentials.parameters(),
        }
        async with self._as(scope) as connection:
            if new_unit is not None:
                unit_id = await _add_unit(connection, new_unit)
            device_id = await _value(connection, _ENROL, {**values, "unit_id": unit_id})
            if device_id is None:
                message = (
                    f"the {new.protocol} device {credentials.address!r} is enrolled already: see the list of devices, "
                    "rotate its secret or give it to the unit"
                )
                raise ConflictError(message)
        return Enrolled(device_id=device_id, unit_id=unit_id, credentials=credentials)

    async def rotate(self, scope: Scope, device: Device, *, signs: bool = True) -> Credentials:
        """Give a device another secret; the old one is refused at once."""
        new = NewDevice(protocol=device.protocol, address=device.address, signs=signs)
        credentials = make_credentials(new, await self._open_vault(), now_us=self._clock.now_us())
        async with self._as(scope) as connection:
            await _value(connection, _ROTATE, {"device_id": device.device_id, **credentials.parameters()})
        return credentials

    async def revoke(self, scope: Scope, device_id: int) -> None:
        """Refuse a device from now on, and end what it does."""
        await self._call(scope, _REVOKE, device_id)

    async def assign(self, scope: Scope, device_id: int, unit_id: int | None) -> None:
        """Let a device speak for a unit from now on, None: for nobody."""
        await self._call(scope, _ASSIGN, device_id, unit_id)

    async def change(self, scope: Scope, device: Device) -> None:
        """Write a device's label, interval and options as they stand in `device`."""
        options = _json(device.options)
        await self._call(scope, _SET_OPTIONS, device.device_id, device.label, device.report_interval_s, options)

    async def trust(self, scope: Scope, unit_id: int, device_id: int | None) -> bool:
        """Choose the device that speaks for a unit, None: the best one; tell whether that is another choice."""
        return bool(await self._call(scope, _TRUST, unit_id, device_id))

    async def dismiss(self, scope: Scope, protocol: str, address: str) -> None:
        """Forget a name in quarantine; one that speaks again comes back."""
        await self._call(scope, _DISMISS, protocol, address)

    async def _call(self, scope: Scope, statement: str, *values: object) -> Any:  # noqa: ANN401 - an SQL value
        async with self._as(scope) as connection:
            return await _value(connection, statement, values)

    @asynccontextmanager
    async def _as(self, scope: Scope) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, scope) as connection:
                yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise NotFoundError(_words(error)) from error
        except (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.UniqueViolation) as error:
            raise ConflictError(_words(error)) from error
        except DATABASE_AWAY as error:
            message = "the database does not answer: devices can be changed when it is back"
            raise UnavailableError(message) from error

    async def _open_vault(self) -> Vault:
        if self._vault is None:
            self._vault = await asyncio.to_thread(Vault.open, self._data_dir)
        return self._vault


async def _add_unit(connection: psycopg.AsyncConnection, new: NewUnit) -> int:
    values = (new.call_sign, new.kind.value, new.service.value, new.station_id, new.name_zh, new.name_en)
    unit_id = await _value(connection, _ADD_UNIT, values)
    if unit_id is None:
        message = f"there is a unit {new.call_sign!r} already: choose it, or another call sign"
        raise ConflictError(message)
    return int(unit_id)


async def _value(connection: psycopg.AsyncConnection, statement: str, values: Any) -> Any:  # noqa: ANN401 - SQL values
    row = await (await connection.execute(statement, values)).fetchone()
    return None if row is None else row[0]


def _json(options: DeviceOptions) -> Jsonb:
    return Jsonb(msgspec.to_builtins(options))


def _words(error: psycopg.Error) -> str:
    return f"{error.diag.message_primary}: {error.diag.message_hint}"


def until_ms(credentials: Credentials) -> float | None:
    """Return until when a device may be told its secret over the air, milliseconds; None: it is not told."""
    return None if credentials.pairs_until_us is None else utc_of(credentials.pairs_until_us).timestamp() * 1000
