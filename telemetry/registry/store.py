"""The registry in the database: loads it for a bridge, saves what the bridge learns, tells of changes."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from importlib import resources
from typing import Any, Final

import msgspec
import psycopg

from infra.clock import utc_of
from infra.database import load_queries
from infra.vault import Vault
from telemetry.model.decoding import Fact, PairedFact, RegistrationFact, SigningFact
from telemetry.model.unit import (
    Assignment,
    Device,
    DeviceOptions,
    DutyStatus,
    Equipment,
    Service,
    Station,
    Unit,
    UnitKind,
)
from telemetry.registry.table import Quarantined, RegistryContents

CHANNEL: Final = "skybeat_registry"
"""The database tells of every change of units, devices, assignments and stations on this channel."""
DUTY: Final = "duty"
"""A notice "duty UNIT_ID STATUS" says that a unit's duty status alone changed, and to what; any other that a table did."""
SETTLE_S: Final = 0.05
"""Changes that follow each other within this time are told once."""
E7: Final = 1e7
QUERIES: Final = load_queries(resources.files("telemetry.registry") / "store.sql")
_DUTY_STATUSES: Final = frozenset(status.value for status in DutyStatus)


class RegistryStore:
    """The bridge's way to the registry's tables; `url` is the writer role's, `vault` opens sealed keys."""

    def __init__(self, url: str, vault: Vault) -> None:
        self._url = url
        self._vault = vault

    async def load(self) -> RegistryContents:
        """Return all contents as of one moment.

        Raises psycopg.Error when the database is away, SecretError when keys were sealed by another vault.
        """
        async with await self._connect() as connection:
            await connection.execute("set transaction isolation level repeatable read, read only")
            rows = {name: await _all(connection, name) for name in QUERIES if name.startswith("load_")}
        return contents_of(rows, self._vault)

    async def load_quarantine(self) -> list[Quarantined]:
        """Return the names in quarantine, the one heard last first."""
        async with await self._connect() as connection:
            rows = await _all(connection, "load_quarantine")
        return [_quarantined(row) for row in rows]

    async def save(self, quarantined: Iterable[Quarantined] = (), facts: Iterable[Fact] = ()) -> None:
        """Write down who spoke unknown, and what decoders learnt; neither counts nor timestamps ever fall."""
        names = [_quarantine_parameters(entry) for entry in quarantined]
        learnt = list(facts)
        if not names and not learnt:
            return
        async with (
            await self._connect() as connection,
            connection.cursor() as cursor,
        ):
            await cursor.executemany(QUERIES["save_quarantine"], names)
            for kind, query in _QUERY_OF_FACT.items():
                rows = [_fact_parameters(fact) for fact in learnt if isinstance(fact, kind)]
                await cursor.executemany(QUERIES[query], rows)

    async def changes(self) -> AsyncGenerator[Mapping[int, DutyStatus] | None]:
        """Yield None at once, and then after every change of the registry, until the connection is lost (psycopg.Error).

        After None load all: what changed before we listened is then not missed. Where nothing but duty statuses changed, those
        are given by unit_id, and need no loading.
        """
        connect = psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            application_name="skybeat registry changes",
            # nothing is sent while nothing changes: a server that vanished must be noticed all the same
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
        )
        async with await connect as connection:
            await connection.execute(f"listen {CHANNEL}")
            yield None
            while True:
                notices = [notice.payload async for notice in connection.notifies(stop_after=1)]
                notices += [notice.payload async for notice in connection.notifies(timeout=SETTLE_S)]
                yield duties_of(notices)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._url, application_name="skybeat registry")


def duties_of(notices: Iterable[str]) -> dict[int, DutyStatus] | None:
    """Return what notices, oldest first, say of duty statuses; None when one of them speaks of anything else."""
    statuses: dict[int, DutyStatus] = {}
    for notice in notices:
        match notice.split(" "):
            case [word, unit_id, status] if word == DUTY and unit_id.isdigit() and status in _DUTY_STATUSES:
                statuses[int(unit_id)] = DutyStatus(status)
            case _:
                return None
    return statuses


def contents_of(rows: dict[str, list[tuple[Any, ...]]], vault: Vault) -> RegistryContents:
    """Return the contents in the rows of the queries `load_...`."""
    return RegistryContents(
        units=tuple(unit_of(row) for row in rows["load_units"]),
        devices=tuple(device_of(row[:8]) for row in rows["load_devices"]),
        assignments=tuple(_assignment(row) for row in rows["load_assignments"]),
        stations=tuple(_station(row) for row in rows["load_stations"]),
        signing_keys=_unsealed(rows["load_devices"], 8, vault),
        secrets=_unsealed(rows["load_devices"], 9, vault),
        registrations={row[0]: _registration(row) for row in rows["load_registrations"]},
        signing_timestamps={(row[0], row[1], row[2]): row[3] for row in rows["load_signing_timestamps"]},
    )


def unit_of(row: tuple[Any, ...]) -> Unit:
    """Return the unit in a row of `load_units` or `find_unit`."""
    unit_id, call_sign, kind, service, duty_status, station_id, name_zh, name_en, covert, equipment, trusted = row
    return Unit(
        unit_id=unit_id,
        call_sign=call_sign,
        kind=UnitKind(kind),
        service=Service(service),
        duty_status=DutyStatus(duty_status),
        station_id=station_id,
        name_zh=name_zh,
        name_en=name_en,
        covert=covert,
        equipment=tuple(map(Equipment, equipment)),
        trusted_device_id=trusted,
    )


def device_of(row: tuple[Any, ...]) -> Device:
    """Return the device in the first eight columns of `load_devices` or in a row of `find_device...`."""
    device_id, protocol, address, label, report_interval_s, revoked, options, pairs_until_us = row
    return Device(
        device_id=device_id,
        protocol=protocol,
        address=address,
        label=label,
        report_interval_s=report_interval_s,
        revoked=revoked,
        options=msgspec.convert(options, DeviceOptions),
        pairs_until_us=pairs_until_us,
    )


def _unsealed(rows: list[tuple[Any, ...]], column: int, vault: Vault) -> dict[int, bytes]:
    return {row[0]: vault.unseal(bytes(row[column])) for row in rows if row[column] is not None}


def _registration(row: tuple[Any, ...]) -> RegistrationFact:
    device_id, transport, host, port, contact, expires_us = row
    return RegistrationFact(
        device_id=device_id, transport=transport, host=host, port=port, contact=contact, expires_us=expires_us
    )


def _assignment(row: tuple[Any, ...]) -> Assignment:
    return Assignment(device_id=row[0], unit_id=row[1], started_us=row[2], ended_us=row[3])


def _station(row: tuple[Any, ...]) -> Station:
    station_id, number, name_zh, name_en, lat_e7, lon_e7, ring_order = row
    return Station(
        station_id=station_id,
        number=number,
        name_zh=name_zh,
        name_en=name_en,
        lat_deg=lat_e7 / E7,
        lon_deg=lon_e7 / E7,
        ring_order=ring_order,
    )


def _quarantined(row: tuple[Any, ...]) -> Quarantined:
    protocol, address, reason, first_seen_us, last_seen_us, seen_count = row
    return Quarantined(
        protocol=protocol,
        address=address,
        reason=reason,
        first_seen_us=first_seen_us,
        last_seen_us=last_seen_us,
        seen_count=seen_count,
    )


def _quarantine_parameters(entry: Quarantined) -> dict[str, Any]:
    return {
        "protocol": entry.protocol,
        "address": entry.address,
        "reason": entry.reason,
        "first_seen_at": utc_of(entry.first_seen_us),
        "last_seen_at": utc_of(entry.last_seen_us),
        "seen_count": entry.seen_count,
    }


_QUERY_OF_FACT: Final[Mapping[type[Fact], str]] = {
    SigningFact: "save_signing_timestamp",
    RegistrationFact: "save_registration",
    PairedFact: "save_paired",
}


def _fact_parameters(fact: Fact) -> dict[str, Any]:
    parameters = msgspec.structs.asdict(fact)
    if isinstance(fact, RegistrationFact):
        parameters["expires_at"] = utc_of(parameters.pop("expires_us"))
    return parameters


async def _all(connection: psycopg.AsyncConnection, query: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(QUERIES[query])).fetchall()
