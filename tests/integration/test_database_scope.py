"""Row-level security of ordinary tables: a forgotten filter shows nothing that the scope does not hold."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from infra.database import SERVICE, Scope, app_pool, scoped
from tests.conftest import TestDatabase

SEED = """
insert into station (station_id, number, lat_e7, lon_e7) values (1, 1, 0, 0), (2, 2, 0, 0);
insert into unit (unit_id, call_sign, kind, service, station_id, covert) values
    (11, 'a', 'car', 'patrol', 1, false), (12, 'b', 'car', 'patrol', 2, false),
    (13, 'c', 'car', 'special', 1, true), (14, 'd', 'drone', 'air', null, false);
insert into device (device_id, protocol, address) select n, 'osmand', n from generate_series(1, 5) n;
insert into assignment (device_id, unit_id, started_at) values (1, 11, now()), (2, 12, now()), (3, 13, now()), (4, 14, now());
insert into account (account_id, name, role) values (1, 'root', 'admin'), (2, 'wang', 'operator');
insert into session (token_sha256, account_id, expires_at) values (decode(repeat('ab', 32), 'hex'), 2, now());
insert into audit (action) values ('sign_in');
insert into quarantine values ('mavlink', 'main/9', 'unknown', now(), now());
"""
EVERYBODY = Scope(account_role="")
CASES = [
    (EVERYBODY, [], [], 0, 0, 0, 0),
    (Scope(account_role="hacker"), [], [], 0, 0, 0, 0),
    (Scope(account_role="viewer", account_id=2), [11, 12, 14], [1, 2, 4], 1, 0, 0, 0),
    (Scope(account_role="viewer", account_id=2, station_ids=(1,)), [11], [1], 1, 0, 0, 0),
    (Scope(account_role="officer", account_id=2, unit_id=12), [12], [2], 1, 0, 0, 0),
    (Scope(account_role="officer", account_id=2), [], [], 1, 0, 0, 0),
    (Scope(account_role="operator", account_id=2, station_ids=(1, 2)), [11, 12], [1, 2], 1, 0, 0, 1),
    (Scope(account_role="supervisor", account_id=2, station_ids=(1,)), [11, 13], [1, 3], 1, 0, 1, 1),
    (Scope(account_role="admin", account_id=1), [11, 12, 13, 14], [1, 2, 3, 4, 5], 2, 0, 1, 1),
    (SERVICE, [11, 12, 13, 14], [1, 2, 3, 4, 5], 2, 1, 1, 1),
]


@pytest.fixture
async def pool(database: TestDatabase) -> AsyncIterator[AsyncConnectionPool]:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(SEED)
    async with app_pool(database.app_url, max_size=2) as opened:
        yield opened


async def test_each_role_sees_what_its_scope_holds_and_no_more(pool: AsyncConnectionPool) -> None:
    for scope, unit_ids, device_ids, account_count, session_count, audit_count, quarantine_count in CASES:
        async with scoped(pool, scope) as connection:
            units = await (await connection.execute("select array_agg(unit_id order by 1) from unit")).fetchone()
            devices = await (await connection.execute("select array_agg(device_id order by 1) from device")).fetchone()
            counts = await (
                await connection.execute(
                    "select (select count(*) from account), (select count(*) from session), "
                    "(select count(*) from audit), (select count(*) from quarantine)"
                )
            ).fetchone()
        assert units == (unit_ids or None,), scope
        assert devices == (device_ids or None,), scope
        assert counts == (account_count, session_count, audit_count, quarantine_count), scope


@pytest.mark.parametrize(
    "statement",
    [
        "insert into account (name, role) values ('evil', 'admin')",
        "insert into session values (decode(repeat('cd', 32), 'hex'), 1, now(), now(), now())",
        "insert into sign_in_link values (decode(repeat('cd', 32), 'hex'), 1, now())",
        "select signing_key_sealed from device",
        "update unit set covert = false",
        "update audit set action = 'nothing'",
    ],
)
async def test_an_operator_s_transaction_cannot_make_itself_more(pool: AsyncConnectionPool, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with scoped(pool, Scope(account_role="operator", account_id=2)) as connection:
            await connection.execute(statement)


async def test_an_operator_s_transaction_raises_no_account(pool: AsyncConnectionPool) -> None:
    async with scoped(pool, Scope(account_role="operator", account_id=2)) as connection:
        changed = await connection.execute("update account set role = 'admin' where account_id = 2")
        assert changed.rowcount == 0
        ended = await connection.execute("delete from session")
        assert ended.rowcount == 0


async def test_everyone_signed_in_appends_to_the_audit(pool: AsyncConnectionPool) -> None:
    async with scoped(pool, Scope(account_role="viewer", account_id=2)) as connection:
        await connection.execute("insert into audit (account_id, action, subject) values (2, 'trail', 'unit 11')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with scoped(pool, EVERYBODY) as connection:
            await connection.execute("insert into audit (action) values ('x')")
