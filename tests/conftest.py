"""Fixtures that every test may ask for: recorded data, a private database, a fake clock."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest
import structlog
from hypothesis import settings
from psycopg import sql

from infra.migrate import migrate
from infra.postgres import EmbeddedServer
from infra.postgres_programs import find_binaries

PROJECT: Final = Path(__file__).resolve().parent.parent
_NUMBERS: Final = itertools.count(1)
os.environ["MAVLINK20"] = "1"  # pymavlink reads it where it is imported and where it is used: the same for every test
settings.register_profile("long", max_examples=10_000, deadline=None)  # `make fuzz`


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of recorded data: SKYBEAT_TEST_DATA, by default shared/data beside the project."""
    folder = Path(os.environ.get("SKYBEAT_TEST_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"NO RECORDED DATA: {folder} does not exist; set SKYBEAT_TEST_DATA to run this test")
    return folder


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, now_us: int = 1_790_000_000_000_000) -> None:
        self._now_us = now_us
        self._monotonic_s = 1000.0

    def now_us(self) -> int:
        """Return the set time."""
        return self._now_us

    def monotonic_s(self) -> float:
        """Return the set monotonic time."""
        return self._monotonic_s

    def advance(self, duration_s: float) -> None:
        """Move both clocks forward."""
        self._now_us += round(duration_s * 1_000_000)
        self._monotonic_s += duration_s

    def step(self, duration_s: float) -> None:
        """Move the wall clock alone, as a correction of the machine's time does."""
        self._now_us += round(duration_s * 1_000_000)


@pytest.fixture
def fake_clock() -> FakeClock:
    """A fake clock at a fixed moment of 2026."""
    return FakeClock()


@dataclass(frozen=True)
class TestDatabase:
    """A fresh migrated database; URLs for the three roles."""

    __test__ = False
    owner_url: str
    writer_url: str
    app_url: str
    maintenance_url: str


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the database's own account can reach (pytest's own folders are closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix="skybeat-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_server(server_folder: Path) -> Iterator[TestDatabase]:
    """One server for the whole run, with a migrated template to copy."""
    native = os.environ.get("SKYBEAT_TEST_TIMESCALE_URL")
    if native:
        yield from _native_server(native)
        return
    chosen = os.environ.get("SKYBEAT_TEST_POSTGRES_BIN")
    with EmbeddedServer(server_folder / "server", binaries=find_binaries(Path(chosen) if chosen else None)) as server:
        urls = server.urls
        migrate(urls.owner)
        yield TestDatabase(
            owner_url=urls.owner, writer_url=urls.writer, app_url=urls.app, maintenance_url=server.maintenance_url
        )


def _native_server(url: str) -> Iterator[TestDatabase]:
    """A server with TimescaleDB that the caller offers: a superuser's URL of an empty database."""
    migrate(url)
    role = "&options=-c%20role%3D" if "?" in url else "?options=-c%20role%3D"
    yield TestDatabase(
        owner_url=url,
        writer_url=f"{url}{role}skybeat_writer",
        app_url=f"{url}{role}skybeat_app",
        maintenance_url=_on(url, "postgres"),
    )


@pytest.fixture
def database(database_server: TestDatabase) -> Iterator[TestDatabase]:
    """A fresh migrated database of this test alone."""
    yield from _copied(database_server)


@pytest.fixture(scope="module")
def module_database(database_server: TestDatabase) -> Iterator[TestDatabase]:
    """A fresh migrated database of this file's tests: each of them leaves or empties what it wrote."""
    yield from _copied(database_server)


def _copied(database_server: TestDatabase) -> Iterator[TestDatabase]:
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    source = str(psycopg.conninfo.conninfo_to_dict(database_server.owner_url)["dbname"])
    owner = str(psycopg.conninfo.conninfo_to_dict(database_server.owner_url)["user"])
    with psycopg.connect(database_server.maintenance_url, autocommit=True) as connection:
        make = sql.SQL("create database {} template {} owner {}")
        connection.execute(make.format(sql.Identifier(name), sql.Identifier(source), sql.Identifier(owner)))
        grant = sql.SQL("grant connect on database {} to skybeat_writer, skybeat_app")
        connection.execute(grant.format(sql.Identifier(name)))
    yield TestDatabase(
        owner_url=_on(database_server.owner_url, name),
        writer_url=_on(database_server.writer_url, name),
        app_url=_on(database_server.app_url, name),
        maintenance_url=database_server.maintenance_url,
    )
    with psycopg.connect(database_server.maintenance_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _on(url: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname=database)


@pytest.fixture(autouse=True)
def _logs_as_at_the_start() -> Iterator[None]:
    """A test that sets the logs' level or form sets it for itself alone."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no SKYBEAT_* settings but those that speak of tests."""
    for name in list(os.environ):
        if name.startswith("SKYBEAT_") and not name.startswith("SKYBEAT_TEST_"):
            monkeypatch.delenv(name)
