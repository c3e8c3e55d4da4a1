"""The registry's tables: what is enrolled, rotated, revoked and assigned is what a bridge loads."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.errors import SecretError
from infra.vault import Vault
from telemetry.model.decoding import SigningFact
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.phone import address_of_token
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry.enrolment import (
    NewDevice,
    NewUnit,
    add_device,
    assign_device,
    ensure_device,
    list_devices,
    revoke_device,
    rotate_device,
    save_unit,
)
from telemetry.registry.store import RegistryStore
from telemetry.registry.table import RegistryTable
from tests.conftest import TestDatabase

NOW_US = 1_790_000_000_000_000
HAWK = NewUnit(call_sign="Hawk 1", kind=UnitKind.DRONE, service=Service.AIR, name_zh="鹰一")
AUTOPILOT = NewDevice(protocol="mavlink", address="main/1", label="airframe 7")
PHONE = NewDevice(protocol="osmand", label="handset 3", report_interval_s=5.0)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path)


@pytest.fixture
def owner(database: TestDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


async def load(database: TestDatabase, vault: Vault) -> RegistryTable:
    return RegistryTable(await RegistryStore(database.writer_url, vault).load())


async def test_a_bridge_knows_an_enrolled_autopilot_its_key_and_its_unit(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    unit = save_unit(owner, HAWK)
    issued = add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US)
    assign_device(owner, issued.device.device_id, unit.unit_id, now_us=NOW_US)
    table = await load(database, vault)
    device = table.device("mavlink", "main/1")
    assert device is not None
    assert issued.secret is not None
    assert table.signing_key(device.device_id) == bytes.fromhex(issued.secret)
    assert table.unit_of(device.device_id, NOW_US) == unit.unit_id
    assert table.unit_of(device.device_id, NOW_US - 1) is None
    assert table.units[unit.unit_id] == unit


async def test_the_database_holds_neither_a_token_nor_a_bare_key(owner: psycopg.Connection, vault: Vault) -> None:
    phone = add_device(owner, PHONE, vault=vault, now_us=NOW_US)
    autopilot = add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US)
    text = str(owner.execute("select address, encode(signing_key_sealed, 'hex') from device").fetchall())
    assert phone.secret is not None
    assert autopilot.secret is not None
    assert phone.secret not in text
    assert autopilot.secret not in text
    assert address_of_token(phone.secret) in text
    assert phone.secret not in repr(phone)


async def test_a_rotated_phone_is_known_by_its_new_token_alone(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    old = add_device(owner, PHONE, vault=vault, now_us=NOW_US)
    new = rotate_device(owner, old.device.device_id, vault=vault, now_us=0)
    table = await load(database, vault)
    assert table.device("osmand", address_of_token(old.secret or "")) is None
    assert table.device("osmand", address_of_token(new.secret or "")) == new.device
    assert new.device.device_id == old.device.device_id


async def test_a_revoked_device_stays_known_as_revoked_and_speaks_for_nobody(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    unit = save_unit(owner, HAWK)
    device_id = add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US).device.device_id
    assign_device(owner, device_id, unit.unit_id, now_us=NOW_US)
    revoke_device(owner, device_id, now_us=NOW_US + 10)
    table = await load(database, vault)
    device = table.device("mavlink", "main/1")
    assert device is not None
    assert device.revoked
    assert table.unit_of(device_id, NOW_US + 9) == unit.unit_id
    assert table.unit_of(device_id, NOW_US + 10) is None
    with pytest.raises(ConflictError, match="revoked"):
        rotate_device(owner, device_id, vault=vault, now_us=0)


async def test_a_device_that_moves_to_another_unit_leaves_no_gap(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    first, second = (save_unit(owner, NewUnit(call_sign=n, kind=UnitKind.CAR, service=Service.PATROL)) for n in "AB")
    device_id = add_device(owner, PHONE, vault=vault, now_us=NOW_US).device.device_id
    assign_device(owner, device_id, first.unit_id, now_us=NOW_US)
    assign_device(owner, device_id, first.unit_id, now_us=NOW_US + 5)
    assign_device(owner, device_id, second.unit_id, now_us=NOW_US + 20)
    table = await load(database, vault)
    assert [table.unit_of(device_id, NOW_US + offset) for offset in (0, 19, 20)] == [
        first.unit_id,
        first.unit_id,
        second.unit_id,
    ]
    assign_device(owner, device_id, None, now_us=NOW_US + 30)
    assert list_devices(owner)[0].call_sign is None


def test_wrong_enrolments_are_refused_with_what_is_allowed(owner: psycopg.Connection, vault: Vault) -> None:
    add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US)
    with pytest.raises(ConflictError, match="enrolled already"):
        add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US)
    for address in ("main/0", "main/256", "1", "Main/1", "main/1/2"):
        with pytest.raises(InputError, match="LINK_GROUP/SYSTEM_ID"):
            add_device(owner, NewDevice(protocol="mavlink", address=address), vault=vault, now_us=NOW_US)
    named = add_device(owner, NewDevice(protocol="jt808", address=" 013912345678"), vault=vault, now_us=NOW_US)
    assert named.device.address == "13912345678"
    with pytest.raises(InputError, match=r"give one of .*mavlink.*, osmand"):
        add_device(owner, NewDevice(protocol="smoke"), vault=vault, now_us=NOW_US)
    with pytest.raises(NotFoundError, match="no device 999"):
        revoke_device(owner, 999, now_us=NOW_US)


def test_a_duty_status_survives_a_change_that_gives_none(owner: psycopg.Connection) -> None:
    save_unit(owner, NewUnit(call_sign="A", kind=UnitKind.CAR, service=Service.PATROL, duty_status=DutyStatus.FREE))
    again = save_unit(owner, NewUnit(call_sign="A", kind=UnitKind.CAR, service=Service.TRAFFIC))
    assert again.duty_status is DutyStatus.FREE
    assert again.service is Service.TRAFFIC


def test_ensuring_a_device_twice_gives_one(owner: psycopg.Connection) -> None:
    found = [ensure_device(owner, "mavlink", "replay/1", label="log", now_us=NOW_US) for _ in range(2)]
    assert found[0] == found[1]


async def test_signing_timestamps_and_quarantine_are_kept_and_never_fall(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    device_id = add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US).device.device_id
    store = RegistryStore(database.writer_url, vault)
    table = RegistryTable()
    for _ in range(3):
        table.quarantine("mavlink", "main/9", NOW_US, "unknown system")
    entries = table.take_unsaved_quarantine()
    for timestamp in (500, 400):
        fact = SigningFact(device_id=device_id, link_id=1, component_id=1, timestamp=timestamp)
        await store.save(entries, [fact])
    assert (await load(database, vault)).signing_timestamp(device_id, 1, 1) == 500
    assert await store.load_quarantine() == entries


async def test_a_key_sealed_by_another_vault_is_a_clear_error(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault, tmp_path: Path
) -> None:
    add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US)
    with pytest.raises(SecretError, match=r"vault\.key"):
        await load(database, Vault.open(tmp_path / "other"))


async def test_a_running_bridge_hears_of_a_revoked_device(
    database: TestDatabase, owner: psycopg.Connection, vault: Vault
) -> None:
    device_id = add_device(owner, AUTOPILOT, vault=vault, now_us=NOW_US).device.device_id
    store = RegistryStore(database.writer_url, vault)
    changes = store.changes()
    async with asyncio.timeout(20):
        await anext(changes)
        await asyncio.to_thread(revoke_device, owner, device_id, now_us=NOW_US)
        await anext(changes)
    await changes.aclose()
    device = (await load(database, vault)).device("mavlink", "main/1")
    assert device is not None
    assert device.revoked
