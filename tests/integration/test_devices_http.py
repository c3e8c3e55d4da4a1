"""Devices over HTTP: enrolled, adopted, rotated, assigned, revoked; secrets told once; nobody reaches past its stations."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from console.wire import Role
from infra.vault import Vault
from telemetry.model.unit import Device
from telemetry.registry.store import RegistryStore
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, House, running

pytestmark = pytest.mark.database

SPARE = {"protocol": "mavlink", "address": "main/9", "label": "spare"}


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        rows(database, "select setval(pg_get_serial_sequence('unit', 'unit_id'), 100)")
        yield built


@pytest.fixture
async def admin(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        yield client


async def reload(house: House, database: TestDatabase, tmp_path: Path) -> None:
    """Let the console's registry follow the database, as the bridge does by itself."""
    store = RegistryStore(database.writer_url, await asyncio.to_thread(Vault.open, tmp_path))
    house.bridge.registry.replace(await store.load())


def rows(database: TestDatabase, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(statement).fetchall()


async def enrol(client: httpx.AsyncClient, **more: object) -> httpx.Response:
    return await client.post("/api/devices", json=SPARE | more)


async def test_an_enrolled_device_has_its_secret_told_once_and_sealed_in_the_database(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    answer = await enrol(admin, unit_id=CAR, options={"allowed_hosts": ["10.1.2.3/16"], "trust": 7})
    assert answer.status_code == 201
    issued = answer.json()
    assert (issued["secret_kind"], issued["unit_id"], issued["address"]) == ("signing_key", CAR, "main/9")
    await reload(house, database, tmp_path)
    registry = house.bridge.registry
    assert registry.signing_key(issued["device_id"]) == bytes.fromhex(issued["secret"])
    listed = (await admin.get("/api/devices")).text
    assert issued["secret"] not in listed
    (device,) = [one for one in (await admin.get("/api/devices")).json()["devices"] if one["label"] == "spare"]
    assert (device["unit_id"], device["secret_state"], device["link"]) == (CAR, "set", "never")
    assert (device["options"]["allowed_hosts"], device["options"]["trust"]) == (["10.1.0.0/16"], 7)
    ((sealed,),) = rows(database, "select signing_key_sealed from device where label = 'spare'")
    assert bytes.fromhex(issued["secret"]) not in bytes(sealed)
    (audited,) = rows(database, "select action, detail::text from audit where action = 'device_enrolled'")
    assert issued["secret"] not in audited[1]


async def test_a_phone_is_known_by_the_digest_of_its_token_alone(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    issued = (await admin.post("/api/devices", json={"protocol": "osmand", "unit_id": OFFICER})).json()
    assert (issued["address"], issued["secret_kind"]) == (None, "token")
    digest = hashlib.sha256(issued["secret"].encode()).hexdigest()
    assert rows(database, f"select 1 from device where address = '{digest}'") == [(1,)]
    await reload(house, database, tmp_path)
    assert digest[:12] not in (await admin.get("/api/devices")).text


async def test_a_name_in_quarantine_is_adopted_in_one_step_with_a_unit_that_is_made_for_it(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    house.bridge.registry.quarantine("mavlink", "main/9", house.bridge.clock.now_us(), "unknown vehicle")
    unit = {"call_sign": "Hawk 9", "kind": "drone", "service": "air", "station_id": 1, "name_zh": "巡鹰-09"}
    answer = await enrol(admin, new_unit=unit)
    assert answer.status_code == 201
    await reload(house, database, tmp_path)
    registry = house.bridge.registry
    made = registry.units[answer.json()["unit_id"]]
    assert (made.call_sign, made.name_zh, made.station_id) == ("Hawk 9", "巡鹰-09", 1)
    device = registry.device("mavlink", "main/9")
    assert device is not None
    assert registry.unit_of(device.device_id, house.bridge.clock.now_us()) == made.unit_id
    assert (await admin.get("/api/devices/quarantine")).json()["quarantine"] == []


async def test_nothing_is_made_when_a_part_of_it_cannot_be(admin: httpx.AsyncClient, database: TestDatabase) -> None:
    unit = {"call_sign": "Hawk 9", "kind": "drone", "service": "air"}
    assert (await enrol(admin)).status_code == 201
    again = await enrol(admin, new_unit=unit)
    assert (again.status_code, again.json()["error"]) == (409, "conflict")
    assert rows(database, "select 1 from unit where call_sign = 'Hawk 9'") == []
    taken = await admin.post("/api/devices", json={"protocol": "osmand", "new_unit": unit | {"call_sign": "U3"}})
    assert taken.status_code == 409
    assert len(rows(database, "select 1 from device")) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "main/0"},
        {"protocol": "carrier pigeon"},
        {"options": {"crs": "mars"}},
        {"options": {"allowed_hosts": ["here"]}},
        {"options": {"root": True}},
        {"label": "a\x00b"},
        {"report_interval_s": 0},
        {"unit_id": 3, "new_unit": {"call_sign": "x", "kind": "car", "service": "patrol"}},
    ],
)
async def test_what_no_device_can_be_is_refused_with_what_is_allowed(
    admin: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    answer = await enrol(admin, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (422, "wrong_input")


async def test_a_rotated_secret_is_another_and_a_revoked_device_has_no_way_back(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    first = (await enrol(admin, unit_id=CAR)).json()
    path = f"/api/devices/{first['device_id']}"
    await reload(house, database, tmp_path)
    second = (await admin.post(f"{path}/rotate")).json()
    await reload(house, database, tmp_path)
    assert second["secret"] != first["secret"]
    assert house.bridge.registry.signing_key(first["device_id"]) == bytes.fromhex(second["secret"])
    assert (await admin.post(f"{path}/revoke")).status_code == 200
    for again in ("rotate", "revoke"):
        assert (await admin.post(f"{path}/{again}")).status_code == 409
    await reload(house, database, tmp_path)
    device = house.bridge.registry.devices[first["device_id"]]
    assert device.revoked
    assert house.bridge.registry.unit_of(device.device_id, house.bridge.clock.now_us()) is None


async def test_a_device_is_given_to_a_unit_and_taken_from_it_again(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    device_id = (await enrol(admin)).json()["device_id"]
    await reload(house, database, tmp_path)
    for unit_id in (CAR, CAR, DRONE, None):
        answer = await admin.put(f"/api/devices/{device_id}/unit", json={"unit_id": unit_id})
        assert answer.status_code == 200, answer.text
        await reload(house, database, tmp_path)
        assert house.bridge.registry.unit_of(device_id, house.bridge.clock.now_us()) == unit_id
    assert len(rows(database, f"select 1 from assignment where device_id = {device_id}")) == 2


async def test_options_are_changed_and_what_is_left_out_stays(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    device_id = (await enrol(admin, options={"crs": "gcj02"})).json()["device_id"]
    await reload(house, database, tmp_path)
    assert (await admin.patch(f"/api/devices/{device_id}", json={"label": "roof"})).status_code == 200
    await reload(house, database, tmp_path)
    device = house.bridge.registry.devices[device_id]
    assert (device.label, device.options.crs, device.report_interval_s) == ("roof", "gcj02", 1.0)
    options = {"options": {"utc_offset_s": 0, "ignores_checksum": True}}
    assert (await admin.patch(f"/api/devices/{device_id}", json=options)).status_code == 200
    await reload(house, database, tmp_path)
    changed = house.bridge.registry.devices[device_id].options
    assert (changed.utc_offset_s, changed.ignores_checksum, changed.crs) == (0, True, "wgs84")


async def test_a_dismissed_name_is_gone_until_it_speaks_again(
    house: House, admin: httpx.AsyncClient, database: TestDatabase, tmp_path: Path
) -> None:
    registry, now_us = house.bridge.registry, house.bridge.clock.now_us()
    registry.quarantine("mavlink", "main/66", now_us, "unknown vehicle")
    store = RegistryStore(database.writer_url, await asyncio.to_thread(Vault.open, tmp_path))
    await store.save(registry.take_unsaved_quarantine())
    name = {"protocol": "mavlink", "address": "main/66"}
    assert (await admin.post("/api/devices/quarantine/dismiss", json=name)).status_code == 200
    assert (await admin.get("/api/devices/quarantine")).json()["quarantine"] == []
    assert await store.load_quarantine() == []
    registry.quarantine("mavlink", "main/66", now_us, "unknown vehicle")
    assert len((await admin.get("/api/devices/quarantine")).json()["quarantine"]) == 1


async def test_a_phone_page_has_no_secret_to_rotate_and_no_unit_to_choose(
    house: House, admin: httpx.AsyncClient
) -> None:
    page = Device(device_id=70, protocol="skybeat", address="account/9", label="phone page")
    house.bridge.registry.register(page, house.bridge.registry.units[OFFICER], 0)
    assert (await admin.post("/api/devices/70/rotate")).status_code == 409
    assert (await admin.put("/api/devices/70/unit", json={"unit_id": CAR})).status_code == 409
    (shown,) = [one for one in (await admin.get("/api/devices")).json()["devices"] if one["device_id"] == 70]
    assert (shown["address"], shown["secret_state"]) == (None, "none")


async def test_rules_say_how_each_protocol_is_enrolled_and_what_its_devices_understand(house: House) -> None:
    async with house.client(await house.cookie(Role.SUPERVISOR, stations=(1,))) as client:
        told = (await client.get("/api/devices/rules")).json()
    rules = {rule["protocol"]: rule for rule in told["rules"]}
    assert (told["is_managed"], told["needs_unit"]) == (True, True)
    assert "send_text" in rules["mavlink"]["takes"]
    assert (rules["osmand"]["secret"], rules["osmand"]["form"], rules["osmand"]["takes"]) == ("token", "", [])


# --- attacks ---------------------------------------------------------------------------------------------------------


async def test_a_refused_device_of_a_covert_unit_or_another_station_is_not_named_in_the_quarantine(
    house: House,
) -> None:
    registry, now_us = house.bridge.registry, house.bridge.clock.now_us()
    for device_id, unit_id in ((71, COVERT), (72, FAR), (73, CAR)):
        device = Device(device_id=device_id, protocol="jt808", address=f"1390000{device_id:04}")
        registry.register(device, registry.units[unit_id], 0)
        registry.quarantine("jt808", device.address, now_us, "wrong code")
    registry.quarantine("jt808", "13911112222", now_us, "unknown terminal")
    named: dict[Role, set[str]] = {}
    for role in (Role.OPERATOR, Role.SUPERVISOR):
        async with house.client(await house.cookie(role, stations=(1,))) as client:
            told = (await client.get("/api/devices/quarantine")).json()["quarantine"]
            named[role] = {entry["address"] for entry in told}
    assert named[Role.OPERATOR] == {"13900000073", "13911112222"}
    assert named[Role.SUPERVISOR] == {"13900000071", "13900000073", "13911112222"}


WRITES = [
    ("POST", "/api/devices", SPARE),
    ("POST", "/api/devices/13/rotate", None),
    ("POST", "/api/devices/13/revoke", None),
    ("PUT", "/api/devices/13/unit", {"unit_id": CAR}),
    ("PATCH", "/api/devices/13", {"label": "mine"}),
    ("POST", "/api/devices/quarantine/dismiss", {"protocol": "osmand", "address": "x"}),
]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICER, Role.OPERATOR])
async def test_who_may_not_manage_devices_changes_nothing(house: House, database: TestDatabase, role: Role) -> None:
    unit_id = OFFICER if role is Role.OFFICER else None
    before = rows(database, "select device_id, label, revoked_at from device order by 1")
    async with house.client(await house.cookie(role, unit_id=unit_id)) as client:
        for method, path, body in WRITES:
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed"), path
        seen = await client.get("/api/devices")
    assert seen.status_code == (200 if role is Role.OPERATOR else 403)
    assert rows(database, "select device_id, label, revoked_at from device order by 1") == before


async def test_a_supervisor_of_one_station_reaches_no_device_of_another(
    house: House, database: TestDatabase, tmp_path: Path
) -> None:
    await reload(house, database, tmp_path)
    far = 10 + FAR
    async with house.client(await house.cookie(Role.SUPERVISOR, stations=(1,))) as client:
        listed = {device["device_id"] for device in (await client.get("/api/devices")).json()["devices"]}
        assert listed == {11, 12, 13, 14}
        for method, path, body in (
            ("POST", f"/api/devices/{far}/rotate", None),
            ("POST", f"/api/devices/{far}/revoke", None),
            ("PUT", f"/api/devices/{far}/unit", {"unit_id": CAR}),
            ("PUT", "/api/devices/13/unit", {"unit_id": FAR}),
            ("PUT", "/api/devices/13/unit", {"unit_id": None}),
            ("POST", "/api/devices", SPARE),
            ("POST", "/api/devices", SPARE | {"unit_id": FAR}),
            ("POST", "/api/devices", SPARE | {"new_unit": {"call_sign": "X", "kind": "car", "service": "patrol"}}),
            (
                "POST",
                "/api/devices",
                SPARE | {"new_unit": {"call_sign": "X", "kind": "car", "service": "patrol", "station_id": 2}},
            ),
            ("GET", f"/api/units/{FAR}/devices", None),
            ("PUT", f"/api/units/{FAR}/trusted-device", {"device_id": far}),
        ):
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), (method, path, body)
        assert (await enrol(client, unit_id=COVERT)).status_code == 201
    assert rows(database, f"select revoked_at from device where device_id = {far}") == [(None,)]


async def test_the_database_itself_lets_no_role_through_that_may_not(database: TestDatabase, house: House) -> None:
    del house
    doors = (
        "enrol_device('mavlink', 'main/9', '', 1, null, null, '{}', null, null)",
        "revoke_device(13)",
        "rotate_device(13, 'main/9', null, null, null)",
        "assign_device(13, 1)",
        "set_device_options(13, '', 1, '{}')",
        "set_trusted_device(3, 13)",
        "add_unit('X', 'car', 'patrol', null, '', '')",
        "dismiss_quarantined('a', 'b')",
    )
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        for role in ("", "viewer", "officer", "service"):
            connection.execute("select set_config('skybeat.account_role', %s, false)", (role,))
            for door in doors:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"select public.{door}")
        connection.execute("select set_config('skybeat.account_role', 'admin', false)")
        for inner in ("move_device(13, 1)", "demand_device(13)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select public.{inner}")
        for column in ("signing_key_sealed", "secret_sealed"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select {column} from public.device")


async def test_while_the_database_is_away_nothing_is_promised(house: House, admin: httpx.AsyncClient) -> None:
    await house.pool.close()
    answer = await enrol(admin)
    assert answer.status_code == 503
