"""The way to PostgreSQL: URLs of the three roles, checked servers, pools, transactions with a scope, named SQL."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from infra.clock import MICROSECONDS, Clock, utc_of
from infra.errors import GroundError
from infra.migrate import server_complaint
from infra.postgres import running_urls
from infra.postgres_cluster import ServerUrls
from infra.postgres_keeper import running_or_started
from infra.settings import Settings

DatabaseUrls: TypeAlias = ServerUrls
"""One URL a role: owner (migrates, administers), writer (inserts), app (sees only its scope)."""

CLOCK_TOLERANCE_S: Final = 2.0
CONNECT_TIMEOUT_S: Final = 5
QUERY_NAME: Final = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


class DatabaseError(GroundError):
    """The database cannot be used; the message says why and what to do, and holds no password."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself; `clock_offset_s` is its clock minus ours, sure to `clock_uncertainty_s`."""

    version: int
    timescaledb: str | None
    clock_offset_s: float
    clock_uncertainty_s: float

    @property
    def clock_complaint(self) -> str | None:
        """Say that the two clocks differ by more than 2 s and what to do; None when they agree."""
        if abs(self.clock_offset_s) - self.clock_uncertainty_s <= CLOCK_TOLERANCE_S:
            return None
        which = "ahead of" if self.clock_offset_s > 0 else "behind"
        return (
            f"the database server's clock is {abs(self.clock_offset_s):.1f} s {which} this machine's, "
            f"{CLOCK_TOLERANCE_S:.0f} s are allowed: synchronise both with NTP (timedatectl), or times and ages are wrong"
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks in one transaction, as row policies and history functions see it.

    `account_role` is viewer, officer, operator, supervisor, admin, or service (the console itself); empty sees nothing.
    `station_ids` empty means every station; `history_from_us` is how far back may be looked (None: without limit).
    """

    account_role: str
    account_id: int | None = None
    station_ids: tuple[int, ...] = ()
    unit_id: int | None = None
    history_from_us: int | None = None

    def as_settings(self) -> Mapping[str, str]:
        """Return the transaction's settings by name; empty text where there is nothing."""
        return {
            "skybeat.account_role": self.account_role,
            "skybeat.account_id": _text_of(self.account_id),
            "skybeat.station_ids": ",".join(map(str, self.station_ids)),
            "skybeat.unit_id": _text_of(self.unit_id),
            "skybeat.history_from": "" if self.history_from_us is None else utc_of(self.history_from_us).isoformat(),
        }


SERVICE: Final = Scope(account_role="service")
"""The console's own questions: sessions, sign-in, what it needs for everybody's picture."""


def _text_of(number: int | None) -> str:
    return "" if number is None else str(number)


def resolve_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs of the server to use: SKYBEAT_DATABASE_URL's, else those of the embedded server that runs.

    Raises ServerError when none runs, DatabaseError for text that is no PostgreSQL URL.
    """
    if settings.database_url is None:
        return running_urls(settings.data_dir)
    owner = _checked_url(settings.database_url)
    writer, app = settings.database_writer_url, settings.database_app_url
    return DatabaseUrls(
        owner=owner,
        writer=_checked_url(writer) if writer else with_role(owner, "skybeat_writer"),
        app=_checked_url(app) if app else with_role(owner, "skybeat_app"),
    )


@contextmanager
def using_urls(settings: Settings) -> Iterator[DatabaseUrls]:
    """Give the URLs of the server to use; an embedded one that does not run is started for the time of the block."""
    if settings.database_url is not None:
        yield resolve_urls(settings)
        return
    with running_or_started(settings.data_dir, binaries=settings.postgres_bin) as urls:
        yield urls


@contextmanager
def owner_connection(url: str) -> Iterator[psycopg.Connection]:
    """Give a connection in one transaction that is committed at the end of the block.

    Raises DatabaseError, with what to do, for everything that the server or the way to it refuses.
    """
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S, application_name="skybeat command") as connection:
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise DatabaseError("the database has no skybeat schema yet: run `skybeat db migrate` first") from error
    except psycopg.Error as error:
        raise DatabaseError(explain(url, error)) from error


def with_role(url: str, role: str) -> str:
    """Return `url` with a session that begins as `role` (the login must be its member)."""
    options = str(conninfo_to_dict(url).get("options") or "")
    return make_conninfo(url, options=f"{options} -c role={role}".strip())


def _checked_url(secret: SecretStr) -> str:
    url = secret.get_secret_value()
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DatabaseError(_WRONG_URL) from error
    if not url.startswith(("postgresql://", "postgres://")):
        raise DatabaseError(_WRONG_URL)
    return url


_WRONG_URL: Final = (
    "SKYBEAT_DATABASE_URL is no PostgreSQL URL: write it like postgresql://user:password@host:5432/database "
    "(%-encode special characters of the password)"
)


def check_server(url: str, clock: Clock) -> ServerFacts:
    """Connect once and return what the server says of itself. Raises DatabaseError with what to do when it cannot be used."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            return _facts_of(connection, clock)
    except psycopg.Error as error:
        raise DatabaseError(explain(url, error)) from error


def _facts_of(connection: psycopg.Connection, clock: Clock) -> ServerFacts:
    complaint = server_complaint(connection.info.server_version)
    if complaint:
        raise DatabaseError(complaint)
    before_us = clock.now_us()
    row = connection.execute(
        "select (extract(epoch from clock_timestamp()) * 1000000)::bigint, "
        "(select extversion from pg_extension where extname = 'timescaledb')"
    ).fetchone()
    after_us = clock.now_us()
    assert row is not None
    return ServerFacts(
        version=connection.info.server_version // 10_000,
        timescaledb=row[1],
        clock_offset_s=(row[0] - (before_us + after_us) / 2) / MICROSECONDS,
        clock_uncertainty_s=(after_us - before_us) / 2 / MICROSECONDS,
    )


def explain(url: str, error: psycopg.Error) -> str:
    """Return one line on why the server at `url` could not be used and what to do; without the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return _WRONG_URL
    place = f"{parts.get('host', 'the local socket')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
    text = str(error).strip()
    for mark, advice in _ADVICE.items():
        if mark in text:
            return f"database {place} as {parts.get('user', 'the default user')}: {advice}"
    said = error.diag.message_primary or (text.splitlines()[-1] if text else type(error).__name__)
    return f"database {place}: {said}"


_ADVICE: Final = {
    "password authentication failed": "the password or the user is wrong; check SKYBEAT_DATABASE_URL",
    "no password supplied": "a password is needed; put it into SKYBEAT_DATABASE_URL",
    "Connection refused": "nothing listens there; start the server, or check host and port of SKYBEAT_DATABASE_URL",
    "No such file or directory": "the server's socket is not there; start the server",
    "timeout expired": f"no answer within {CONNECT_TIMEOUT_S} s; check host, port and firewall",
    "timed out": "no answer; check host, port and firewall",
    "failed to resolve host": "the host's name is unknown; check SKYBEAT_DATABASE_URL",
    "could not translate host name": "the host's name is unknown; check SKYBEAT_DATABASE_URL",
    "does not exist": "the database or the role does not exist; create it, or check SKYBEAT_DATABASE_URL",
    "permission denied to set role": "the login is no member of the role; grant it, or give "
    "SKYBEAT_DATABASE_WRITER_URL and SKYBEAT_DATABASE_APP_URL",
    'invalid value for parameter "role"': "the role does not exist yet; run `skybeat db migrate` first",
    "permission denied to create role": "the login may not make skybeat's roles; let a superuser `alter role ... createrole`",
    "must have admin option": "skybeat's roles belong to another login of this server; migrate as that one or as a superuser",
    "no pg_hba.conf entry": "the server lets nobody in from here; add a line to its pg_hba.conf",
    "too many clients": "the server's connections are used up; raise max_connections",
}


def app_pool(url: str, *, max_size: int = 8) -> AsyncConnectionPool:
    """Return the app role's connections as a pool that is still closed: open it with `async with`."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=max_size,
        open=False,
        timeout=CONNECT_TIMEOUT_S,
        check=AsyncConnectionPool.check_connection,
        kwargs={"application_name": "skybeat console", "connect_timeout": CONNECT_TIMEOUT_S},
        name="skybeat-app",
    )


@asynccontextmanager
async def scoped(pool: AsyncConnectionPool, scope: Scope) -> AsyncIterator[psycopg.AsyncConnection]:
    """Give a connection inside one transaction that sees what `scope` may see; the scope ends with it."""
    async with pool.connection() as connection, connection.transaction():
        await apply_scope(connection, scope)
        yield connection


async def apply_scope(connection: psycopg.AsyncConnection, scope: Scope) -> None:
    """Set the running transaction's scope."""
    settings = scope.as_settings()
    await connection.execute(
        "select set_config(name, value, true) from unnest(%s::text[], %s::text[]) setting (name, value)",
        (list(settings), list(settings.values())),
    )


def load_queries(source: Path | Traversable) -> Mapping[str, str]:
    """Return the named statements of an .sql file: `-- name: words`, then a line that says what it gives, then SQL.

    Parameters are psycopg's `%(name)s`. Raises ValueError for a twin or for one without its line of meaning.
    """
    text = source.read_text(encoding="utf-8")
    parts = QUERY_NAME.split(text)[1:]
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries or not body.startswith("-- "):
            message = f"{source.name}: query {name!r} must be named once and be followed by a line `-- what it gives`"
            raise ValueError(message)
        queries[name] = body.partition("\n")[2].strip().rstrip(";")
    return queries
