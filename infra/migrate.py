"""Applies the numbered SQL files of infra/migrations, each once, in order, under a lock."""

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Final

import psycopg

from infra.errors import GroundError

MINIMUM_TIMESCALE: Final = (2, 29, 2)
"""Older TimescaleDB returns wrong rows from partly compressed chunks."""
MINIMUM_SERVER: Final = 15
LOCK_KEY: Final = 0x736B_7962_6561
"""One migration at a time in one database: the advisory lock's number."""
PARTITIONED: Final = "p"
NO_TRANSACTION: Final = "-- no-transaction"
FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

CREATE_VERSION_TABLE: Final = """
create table if not exists public.schema_version (
    version int primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    duration_ms int not null
)"""


class MigrationError(GroundError):
    """The database and this program do not fit; the message says which is to be changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number, its name, its SQL and the checksum of its bytes."""

    version: int
    name: str
    sql: str
    sha256: str

    @property
    def in_transaction(self) -> bool:
        """Tell whether the step runs in one transaction (it does unless its first line is `-- no-transaction`)."""
        return not self.sql.startswith(NO_TRANSACTION)


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that the database has: when it was applied and how long it took."""

    version: int
    name: str
    sha256: str
    applied_at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Status:
    """What a database has and what it lacks; `timescaledb` is the extension's version or None."""

    server_version: str
    timescaledb: str | None
    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]


def load_migrations() -> list[Migration]:
    """Return the steps that this program carries, in order. Raises MigrationError for a gap or a twin in the numbers."""
    files = [entry for entry in resources.files("infra.migrations").iterdir() if entry.name.endswith(".sql")]
    steps = [parse_migration(entry.name, entry.read_bytes()) for entry in files]
    steps.sort(key=lambda step: step.version)
    for expected, step in enumerate(steps, start=1):
        if step.version != expected:
            raise MigrationError(f"migration {step.name} has number {step.version}, expected {expected}: renumber it")
    return steps


def parse_migration(file_name: str, data: bytes) -> Migration:
    """Return the step in one file named `0001_words.sql`. Raises MigrationError for another name."""
    match = FILE_NAME.fullmatch(file_name)
    if match is None:
        raise MigrationError(f"migration file {file_name!r}: name it like 0007_what_it_does.sql")
    return Migration(int(match[1]), file_name, data.decode(), hashlib.sha256(data).hexdigest())


def migrate(
    owner_url: str,
    *,
    minimum_timescale: tuple[int, int, int] = MINIMUM_TIMESCALE,
    migrations: Sequence[Migration] | None = None,
) -> list[Applied]:
    """Bring the database to this program's schema and return the steps that were applied now.

    Waits for another migration of the same database. Raises MigrationError for a schema newer than the program, a changed
    step, a server older than 15 or a TimescaleDB older than `minimum_timescale`; psycopg.Error for what the server refuses.
    """
    steps = load_migrations() if migrations is None else list(migrations)
    with psycopg.connect(owner_url, autocommit=True, application_name="skybeat migrate") as connection:
        _require_server(connection)
        connection.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        try:
            has_timescaledb = _timescale_switch(connection, minimum_timescale)
            connection.execute(CREATE_VERSION_TABLE)
            done = _read_applied(connection)
            _require_agreement(done, steps)
            connection.execute("select set_config('skybeat.has_timescaledb', %s, false)", (has_timescaledb,))
            return [_apply(connection, step) for step in steps[len(done) :]]
        finally:
            if not connection.closed:
                connection.execute("select pg_advisory_unlock(%s)", (LOCK_KEY,))


def status(owner_url: str) -> Status:
    """Return what the database has and what it lacks. Raises MigrationError as `migrate` does, and changes nothing."""
    with psycopg.connect(owner_url, autocommit=True, application_name="skybeat status") as connection:
        _require_server(connection)
        done = _read_applied(connection) if _has_version_table(connection) else []
        steps = load_migrations()
        _require_agreement(done, steps)
        return Status(
            connection.info.parameter_status("server_version") or "",
            _installed_timescale(connection),
            tuple(done),
            tuple(steps[len(done) :]),
        )


def server_complaint(server_version: int) -> str | None:
    """Say that a server (its `server_version_num`, as 150018) is too old and what to do; None from PostgreSQL 15 on."""
    major = server_version // 10_000
    if major >= MINIMUM_SERVER:
        return None
    return f"the server is PostgreSQL {major}; skybeat needs {MINIMUM_SERVER} or newer: upgrade it, or use the embedded one"


def _require_server(connection: psycopg.Connection) -> None:
    complaint = server_complaint(connection.info.server_version)
    if complaint:
        raise MigrationError(complaint)


def _has_version_table(connection: psycopg.Connection) -> bool:
    row = connection.execute("select to_regclass('public.schema_version') is not null").fetchone()
    return row is not None and bool(row[0])


def _read_applied(connection: psycopg.Connection) -> list[Applied]:
    rows = connection.execute(
        "select version, name, sha256, applied_at, duration_ms from public.schema_version order by version"
    )
    return [Applied(*row) for row in rows]


def _require_agreement(done: Sequence[Applied], steps: Sequence[Migration]) -> None:
    if len(done) > len(steps):
        raise MigrationError(
            f"the database's schema is at version {done[-1].version} ({done[-1].name}), this program knows only "
            f"{len(steps)}: it is older than the schema. Install the newer skybeat; nothing was changed"
        )
    for had, step in zip(done, steps, strict=False):
        if (had.version, had.sha256) != (step.version, step.sha256):
            raise MigrationError(
                f"migration {step.name} was applied as {had.name} with checksum {had.sha256[:12]}, this program carries "
                f"{step.sha256[:12]}: a released migration may not change. Install the skybeat that made this database, "
                "or add a new migration; nothing was changed"
            )


def _installed_timescale(connection: psycopg.Connection) -> str | None:
    row = connection.execute("select extversion from pg_extension where extname = 'timescaledb'").fetchone()
    return None if row is None else str(row[0])


def _timescale_switch(connection: psycopg.Connection, minimum: tuple[int, int, int]) -> str:
    """Return "on" or "off", the switch that the SQL reads: what history is made of, once it is made."""
    row = connection.execute("select relkind::text from pg_class where oid = to_regclass('store.position')").fetchone()
    if row is not None and row[0] == PARTITIONED:
        return "off"
    return _prepare_timescale(connection, minimum)


def _prepare_timescale(connection: psycopg.Connection, minimum: tuple[int, int, int]) -> str:
    """Install TimescaleDB where the server offers it; return "on" or "off"."""
    version = _installed_timescale(connection)
    if version is None and _offers_timescale(connection):
        row = connection.execute(
            "select default_version from pg_available_extensions where name = 'timescaledb'"
        ).fetchone()
        if row is not None:
            require_timescale(str(row[0]), minimum)
            connection.execute("create extension if not exists timescaledb")
            version = _installed_timescale(connection)
    if version is None:
        return "off"
    require_timescale(version, minimum)
    return "on"


def _offers_timescale(connection: psycopg.Connection) -> bool:
    """Tell whether the extension's loader runs: only then may it be created (without it the server ends the session)."""
    row = connection.execute("select current_setting('timescaledb.max_background_workers', true)").fetchone()
    return row is not None and row[0] is not None


def require_timescale(version: str, minimum: tuple[int, int, int] = MINIMUM_TIMESCALE) -> None:
    """Raise MigrationError for a TimescaleDB older than `minimum`; "2.23.0-dev" counts as 2.23.0."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers < minimum:
        needed = ".".join(map(str, minimum))
        raise MigrationError(
            f"TimescaleDB {version} is older than {needed}, the first that reads partly compressed chunks rightly: "
            f"upgrade the extension (alter extension timescaledb update), or take it out of shared_preload_libraries"
        )


def _apply(connection: psycopg.Connection, step: Migration) -> Applied:
    started_s = time.perf_counter()
    if step.in_transaction:
        with connection.transaction():
            connection.execute(step.sql)
            connection.execute("reset role")
            return _record(connection, step, started_s)
    for statement in split_statements(step.sql):
        connection.execute(statement)
    connection.execute("reset role")
    return _record(connection, step, started_s)


def split_statements(sql: str) -> list[str]:
    """Return the statements of a `-- no-transaction` file: they end with a semicolon at the end of a line."""
    parts = re.split(r";[ \t]*\n", sql + "\n")
    bare = (re.sub(r"^\s*--[^\n]*$", "", part, flags=re.MULTILINE).strip() for part in parts)
    return [part for part in bare if part]


def _record(connection: psycopg.Connection, step: Migration, started_s: float) -> Applied:
    duration_ms = round((time.perf_counter() - started_s) * 1000)
    row = connection.execute(
        "insert into public.schema_version (version, name, sha256, duration_ms) values (%s, %s, %s, %s) returning applied_at",
        (step.version, step.name, step.sha256, duration_ms),
    ).fetchone()
    assert row is not None
    return Applied(step.version, step.name, step.sha256, row[0], duration_ms)
