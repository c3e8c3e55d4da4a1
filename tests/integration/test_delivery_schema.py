"""What migration 0011 promises: an own device, duty statuses that follow tasks, an outbox written with the change itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from infra.vault import Vault
from telemetry.model.unit import DutyStatus
from telemetry.registry.store import RegistryStore, duties_of
from telemetry.registry.table import RegistryTable
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
OFFICER, CAR, COVERT = 1, 2, 3


@pytest.fixture
def owner(database: TestDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("insert into station (station_id, number, lat_e7, lon_e7) values (1, 7, 0, 0)")
        connection.execute(
            "insert into unit (unit_id, call_sign, kind, service, duty_status, station_id, covert) values"
            " (1, 'U1', 'officer', 'patrol', 'free', 1, false), (2, 'U2', 'car', 'patrol', 'standby', 1, false),"
            " (3, 'U3', 'car', 'special', 'free', 1, true)"
        )
        connection.execute("insert into account (account_id, name, role, unit_id) values (5, 'lin', 'officer', 1)")
        yield connection


@contextmanager
def app(database: TestDatabase, role: str, **scope: Any) -> Iterator[psycopg.Connection]:  # noqa: ANN401 - settings
    """One transaction of the app role with a scope."""
    with psycopg.connect(database.app_url) as connection:
        connection.execute("select set_config('skybeat.account_role', %s, true)", (role,))
        for name, value in scope.items():
            connection.execute("select set_config(%s, %s, true)", (f"skybeat.{name}", str(value)))
        yield connection


def lin(database: TestDatabase) -> Any:  # noqa: ANN401 - a context manager
    return app(database, "officer", account_id=5, unit_id=OFFICER)


INCIDENT: Final = """
insert into incident (incident_id, number, version, change_sequence, state, urgency_rank, category, title, text, caller_name,
    caller_phone, source, source_ref, source_sha256, station_id, reported_at, created_at, changed_at, lat_e7, lon_e7)
values (%(incident_id)s, 'JQ-1', 1, nextval('incident_change_sequence'), 'new', 1, 'help', 'secret title', 'secret text',
    'secret name', '13800138000', 'console', %(ref)s, sha256('x'), 1, now(), now(), now(), 361234567, 1038765432)
"""


def add_incident(connection: psycopg.Connection, incident_id: int = 1) -> None:
    connection.execute(INCIDENT, {"incident_id": incident_id, "ref": f"ref-{incident_id}"})


def send(connection: psycopg.Connection, unit_id: int) -> int:
    row = connection.execute(
        "insert into dispatch (incident_id, unit_id, state, sent_by, queued_at)"
        " values (1, %s, 'queued', 'wang', now()) returning dispatch_id",
        (unit_id,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def duty(connection: psycopg.Connection, unit_id: int) -> str:
    row = connection.execute("select duty_status from unit where unit_id = %s", (unit_id,)).fetchone()
    assert row is not None
    return str(row[0])


def test_the_duty_status_follows_the_dispatch_in_the_same_transaction(owner: psycopg.Connection) -> None:
    add_incident(owner)
    dispatch_id = send(owner, OFFICER)
    seen = [duty(owner, OFFICER)]
    for state in ("sent", "received", "accepted", "under_way", "arrived", "cleared"):
        owner.execute("update dispatch set state = %s where dispatch_id = %s", (state, dispatch_id))
        seen.append(duty(owner, OFFICER))
    assert seen == ["free", "free", "free", "en_route", "en_route", "on_scene", "free"]
    declined = send(owner, CAR)
    owner.execute("update dispatch set state = 'declined' where dispatch_id = %s", (declined,))
    assert duty(owner, CAR) == "standby"  # it never left
    owner.execute("update unit set duty_status = 'engaged' where unit_id = %s", (CAR,))
    recalled = send(owner, CAR)
    owner.execute("update dispatch set state = 'recalled' where dispatch_id = %s", (recalled,))
    assert duty(owner, CAR) == "engaged"  # with what it did before


async def test_a_duty_status_alone_is_told_as_such_and_any_other_change_as_a_change(
    database: TestDatabase, owner: psycopg.Connection, tmp_path: Path
) -> None:
    store = RegistryStore(database.writer_url, Vault.open(tmp_path))
    changes = store.changes()
    assert await anext(changes) is None
    registry = RegistryTable(await store.load())
    version = registry.version
    owner.execute("update unit set duty_status = 'engaged' where unit_id in (1, 2)")
    statuses = await anext(changes)
    assert statuses == {OFFICER: DutyStatus.ENGAGED, CAR: DutyStatus.ENGAGED}
    registry.set_duty(statuses)
    assert registry.units == RegistryTable(await store.load()).units
    assert registry.version == version
    owner.execute("update unit set duty_status = 'free', call_sign = 'U1b' where unit_id = 1")
    assert await anext(changes) is None
    await changes.aclose()


def test_a_notice_that_is_not_understood_asks_for_everything() -> None:
    assert duties_of(["duty 3 free", "duty 3 en_route"]) == {3: DutyStatus.EN_ROUTE}
    assert duties_of([]) == {}
    for wrong in ("unit", "", "duty", "duty x free", "duty 3 dancing", "duty 3 free now", "DUTY 3 free"):
        assert duties_of(["duty 3 free", wrong]) is None


def test_an_officer_has_one_device_of_its_own_unit_however_often_it_asks(
    database: TestDatabase, owner: psycopg.Connection
) -> None:
    made = []
    for _ in range(3):
        with lin(database) as connection:
            made.append(connection.execute("select * from ensure_own_device()").fetchone())
    assert len(set(made)) == 1
    assert owner.execute("select protocol, address, label from device").fetchall() == [
        ("skybeat", "account/5", "phone page")
    ]
    assert owner.execute("select unit_id, ended_at from assignment").fetchall() == [(OFFICER, None)]


def test_an_officer_that_was_moved_speaks_for_the_new_unit_from_then_on(
    database: TestDatabase, owner: psycopg.Connection
) -> None:
    with lin(database) as connection:
        connection.execute("select ensure_own_device()")
    owner.execute("update account set unit_id = 2 where account_id = 5")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), lin(database) as connection:
        connection.execute("select ensure_own_device()")  # the old session's scope is not the account's any more
    with app(database, "officer", account_id=5, unit_id=2) as connection:
        connection.execute("select ensure_own_device()")
    rows = owner.execute("select unit_id, ended_at is null from assignment order by started_at").fetchall()
    assert rows == [(OFFICER, False), (CAR, True)]


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("viewer", {}),
        ("admin", {"account_id": 5, "unit_id": 1}),
        ("officer", {}),
        ("officer", {"account_id": 5}),
        ("officer", {"account_id": 5, "unit_id": 2}),
        ("officer", {"account_id": 6, "unit_id": 1}),
        ("service", {"account_id": 5, "unit_id": 1}),
    ],
)
def test_nobody_else_gets_a_device(
    database: TestDatabase, owner: psycopg.Connection, role: str, scope: dict[str, int]
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app(database, role, **scope) as connection:
        connection.execute("select ensure_own_device()")
    assert owner.execute("select count(*) from device").fetchone() == (0,)


def test_a_revoked_page_stays_revoked(database: TestDatabase, owner: psycopg.Connection) -> None:
    with lin(database) as connection:
        connection.execute("select ensure_own_device()")
    owner.execute("update device set revoked_at = now()")
    owner.execute("update assignment set ended_at = now() + interval '1 second'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="revoked"), lin(database) as connection:
        connection.execute("select ensure_own_device()")
    assert owner.execute("select count(*) from assignment where ended_at is null").fetchone() == (0,)


def test_a_duty_status_is_set_by_hand_within_the_scope_and_not_over_a_task(
    database: TestDatabase, owner: psycopg.Connection
) -> None:
    ask = "select set_duty_status(%s, %s)"
    with lin(database) as connection:
        assert connection.execute(ask, (OFFICER, "off_duty")).fetchone() == (True,)
        assert connection.execute(ask, (OFFICER, "off_duty")).fetchone() == (False,)
    assert duty(owner, OFFICER) == "off_duty"
    with app(database, "operator") as connection:
        assert connection.execute(ask, (CAR, "free")).fetchone() == (True,)
    for role, scope, unit_id in (
        ("officer", {"account_id": 5, "unit_id": 1}, CAR),
        ("operator", {"station_ids": "2"}, CAR),
        ("operator", {}, COVERT),
        ("viewer", {}, CAR),
        ("", {}, CAR),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app(database, role, **scope) as connection:
            connection.execute(ask, (unit_id, "free"))
    with pytest.raises(psycopg.errors.InvalidParameterValue), lin(database) as connection:
        connection.execute(ask, (OFFICER, "on_scene"))
    add_incident(owner)
    send(owner, OFFICER)
    with pytest.raises(psycopg.errors.ObjectInUse, match="has a task"), lin(database) as connection:
        connection.execute(ask, (OFFICER, "off_duty"))


def test_the_app_may_not_write_devices_or_duty_by_itself(database: TestDatabase, owner: psycopg.Connection) -> None:
    del owner
    for statement in (
        "insert into device (protocol, address) values ('skybeat', 'account/9')",
        "update unit set duty_status = 'free'",
        "insert into webhook (url, secret_sealed, created_at) values ('https://x', 'x', now())",
        "update webhook set url = 'https://evil.example'",
        "select webhook_body(1, 'x')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app(database, "service") as connection:
            connection.execute(statement)


def test_every_change_of_an_incident_is_in_the_outbox_with_the_change_and_says_no_more_than_it_must(
    database: TestDatabase, owner: psycopg.Connection
) -> None:
    owner.execute("insert into webhook (url, secret_sealed, created_at) values ('https://a.example', 'x', now())")
    with owner.transaction():
        add_incident(owner)
        first, _ = send(owner, CAR), send(owner, COVERT)
    with owner.transaction():
        owner.execute("update incident set version = 2, change_sequence = nextval('incident_change_sequence')")
        owner.execute("update dispatch set state = 'accepted', accepted_at = now() where dispatch_id = %s", (first,))
    with psycopg.connect(database.owner_url) as undone:
        undone.execute("update incident set version = 3, change_sequence = nextval('incident_change_sequence')")
        undone.rollback()
    texts = [row[0] for row in owner.execute("select body from webhook_delivery order by change_sequence").fetchall()]
    bodies = [json.loads(text) for text in texts]
    assert [body["type"] for body in bodies] == ["incident.created", "incident.changed"]
    assert [body["data"]["version"] for body in bodies] == [1, 2]
    assert [[sent["state"] for sent in body["data"]["dispatches"]] for body in bodies] == [["queued"], ["accepted"]]
    assert bodies[0]["data"]["station_number"] == 7
    for hidden in ("secret", "138001", "U3", "36123", "361234567", "lat", "lon"):
        assert hidden not in "".join(texts)
    with app(database, "admin") as connection:
        assert connection.execute("select count(*) from webhook_delivery").fetchone() == (0,)
    with app(database, "service") as connection:
        assert connection.execute("select count(*) from webhook_delivery").fetchone() == (2,)


def test_without_a_webhook_nothing_is_written(owner: psycopg.Connection) -> None:
    add_incident(owner)
    assert owner.execute("select count(*) from webhook_delivery").fetchone() == (0,)
