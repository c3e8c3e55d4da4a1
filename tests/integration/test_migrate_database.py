"""Migrations on a real server: once each, in order, by one at a time; a database that does not fit is refused."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infra.migrate import LOCK_KEY, Migration, MigrationError, load_migrations, migrate, parse_migration, status
from tests.conftest import TestDatabase


@pytest.fixture
def empty_url(database: TestDatabase) -> Iterator[str]:
    """The owner's URL of a database without any schema."""
    name, owner = f"empty_{threading.get_ident()}", str(conninfo_to_dict(database.owner_url)["user"])
    with psycopg.connect(database.maintenance_url, autocommit=True) as server:
        make = sql.SQL("create database {} owner {}")
        server.execute(make.format(sql.Identifier(name), sql.Identifier(owner)))
        yield make_conninfo(database.owner_url, dbname=name)
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def step(version: int, text: str) -> Migration:
    return parse_migration(f"{version:04}_step.sql", text.encode())


def test_a_migrated_database_has_nothing_left_to_apply(database: TestDatabase) -> None:
    assert migrate(database.owner_url) == []
    found = status(database.owner_url)
    assert found.pending == ()
    assert [applied.name for applied in found.applied] == [known.name for known in load_migrations()]
    assert all(applied.duration_ms >= 0 for applied in found.applied)


def test_status_of_an_empty_database_changes_nothing(empty_url: str) -> None:
    found = status(empty_url)
    assert found.applied == ()
    assert len(found.pending) == len(load_migrations())
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("select to_regclass('public.schema_version')").fetchone() == (None,)


def test_an_owner_that_is_no_superuser_migrates_an_empty_database(empty_url: str) -> None:
    assert len(migrate(empty_url)) == len(load_migrations())


def test_an_older_program_refuses_a_newer_schema(database: TestDatabase) -> None:
    with pytest.raises(MigrationError, match="older than the schema"):
        migrate(database.owner_url, migrations=load_migrations()[:-1])


def test_a_changed_migration_is_refused_and_nothing_is_applied(database: TestDatabase) -> None:
    steps = load_migrations()
    changed = [replace(steps[0], sha256="0" * 64), *steps[1:], step(len(steps) + 1, "create table never (a int)")]
    with pytest.raises(MigrationError, match=r"0001_roles\.sql was applied .* a released migration may not change"):
        migrate(database.owner_url, migrations=changed)
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute("select to_regclass('public.never')").fetchone() == (None,)


def test_a_failing_migration_leaves_what_came_before_and_nothing_of_itself(empty_url: str) -> None:
    steps = [step(1, "create table first (a int)"), step(2, "create table second (a int); select 1 / 0")]
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_url, migrations=steps)
    with psycopg.connect(empty_url) as connection:
        tables = connection.execute("select to_regclass('first')::text, to_regclass('second')::text").fetchone()
        assert tables == ("first", None)
    repaired = [steps[0], step(2, "create table second (a int)")]
    assert [applied.version for applied in migrate(empty_url, migrations=repaired)] == [2]


def test_a_migration_without_transaction_may_build_an_index_concurrently(empty_url: str) -> None:
    text = "-- no-transaction\ncreate table big (a int);\n-- built beside the writers\ncreate index concurrently big_a\n    on big (a);\n"
    migrate(empty_url, migrations=[step(1, text)])
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("select to_regclass('big_a')::text").fetchone() == ("big_a",)


def test_a_second_migration_waits_for_the_first(empty_url: str) -> None:
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(len(migrate(empty_url))))
    with psycopg.connect(empty_url, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        thread.start()
        waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"
        while holder.execute(waiting).fetchone() is None:
            holder.execute("select pg_sleep(0.01)")
        assert done == []
        holder.execute("select pg_advisory_unlock(%s)", (LOCK_KEY,))
    thread.join(30)
    assert done == [len(load_migrations())]
    assert migrate(empty_url) == []


def test_the_audit_takes_new_rows_and_refuses_every_change(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("insert into audit (action, subject) values ('sign_in', 'x')")
        for change in ("update audit set subject = 'y'", "delete from audit", "truncate audit"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner.execute(change)


def test_the_app_role_owns_nothing_and_reads_no_key(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owned = owner.execute(
            "select count(*) from pg_class where relowner in (select oid from pg_roles where rolname in "
            "('skybeat_app', 'skybeat_writer'))"
        ).fetchone()
        assert owned == (0,)
    refused = (
        "select signing_key_sealed from device",
        "insert into unit (call_sign, kind, service) values ('a', 'car', 'patrol')",
        "delete from audit",
        "select * from store.event",
        "create table mine (a int)",
        "select store.drop_old_partitions(1)",
        "select * from store.newest_of_devices('{1}', now())",
    )
    for statement in refused:
        with psycopg.connect(database.app_url) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)


def test_the_writer_may_insert_and_may_change_nothing(database: TestDatabase) -> None:
    refused = (
        "select store.drop_old_partitions(1)",
        "update store.retention set raw_days = 1",
        "update store.event set severity = 0",
        "delete from store.position_odd_time",
        "delete from store.ingest_ledger",
        "insert into unit (call_sign, kind, service) values ('a', 'car', 'patrol')",
        "select * from account",
        "select * from store.newest_positions('{1}', now())",
    )
    for statement in refused:
        with psycopg.connect(database.writer_url) as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(statement)


def test_day_partitions_are_made_once_and_dropped_after_their_retention(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url) as owner:
        if owner.execute("select relkind::text from pg_class where oid = 'store.position'::regclass").fetchone() != (
            "p",
        ):
            pytest.skip("NO PARTITIONS HERE: TimescaleDB makes its own chunks")
    with psycopg.connect(database.writer_url, autocommit=True) as writer:
        make = "select store.ensure_position_partitions('2020-01-01', '2020-01-03')"
        assert writer.execute(make).fetchone() == (3,)
        assert writer.execute(make).fetchone() == (0,)
        insert = (
            "insert into store.position (device_id, observed_at, received_at, quality, fix_hash) "
            "values (1, %s, now(), 0, 0) on conflict do nothing"
        )
        assert writer.execute(insert, ("2020-01-03 23:59:59.999999+00",)).rowcount == 1
        assert writer.execute(insert, ("2020-01-03 23:59:59.999999+00",)).rowcount == 0
        with pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
            writer.execute(insert, ("2020-01-04 00:00:00+00",))
        writer.execute("select store.ensure_position_partitions(current_date, current_date)")
        assert writer.execute("select store.drop_positions_past_retention()").fetchone() == (3,)
        assert writer.execute("select store.drop_positions_past_retention()").fetchone() == (0,)


@pytest.mark.parametrize("period", ["'2020-01-02', '2020-01-01'", "'2020-01-01', '2080-01-01'"])
def test_an_absurd_period_makes_no_partitions(database: TestDatabase, period: str) -> None:
    with psycopg.connect(database.writer_url) as writer, pytest.raises(psycopg.errors.RaiseException, match="at most"):
        writer.execute(f"select store.ensure_position_partitions({period})")


def test_a_device_speaks_for_one_unit_at_a_time(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(
            "insert into unit (call_sign, kind, service) values ('a', 'car', 'patrol'), ('b', 'car', 'patrol')"
        )
        owner.execute("insert into device (protocol, address) values ('osmand', 'x')")
        assign = "insert into assignment (device_id, unit_id, started_at, ended_at) values (1, %s, %s, %s)"
        owner.execute(assign, (1, "2026-01-01", "2026-01-03"))
        owner.execute(assign, (2, "2026-01-03", None))
        with pytest.raises(psycopg.errors.ExclusionViolation, match="already speaks"):
            owner.execute(assign, (2, "2026-01-02", "2026-01-03"))
