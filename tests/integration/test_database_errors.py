"""Every way in which a database can be out of reach is one clear line without the password."""

import socket
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from structlog.testing import capture_logs

from infra.clock import SYSTEM_CLOCK
from infra.database import (
    DatabaseError,
    DatabaseUrls,
    ServerFacts,
    check_server,
    explain,
    load_queries,
    owner_connection,
    resolve_urls,
    with_role,
)
from infra.errors import ServerError
from infra.prepare import prepare_database
from infra.settings import Settings
from tests.conftest import FakeClock, TestDatabase

PASSWORD = "open-sesame"


def complaint_of(url: str) -> str:
    with pytest.raises(DatabaseError) as caught:
        check_server(url, SYSTEM_CLOCK)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_a_sound_server_tells_its_version_and_agrees_on_the_time(database: TestDatabase) -> None:
    facts = check_server(database.owner_url, SYSTEM_CLOCK)
    assert facts.version >= 15
    assert facts.clock_complaint is None


def test_a_wrong_clock_is_named_with_what_to_do(database: TestDatabase) -> None:
    clock = FakeClock(SYSTEM_CLOCK.now_us() - 3_600_000_000)
    complaint = check_server(database.owner_url, clock).clock_complaint
    assert complaint is not None
    assert "ahead of this machine's" in complaint
    assert "timedatectl" in complaint


def test_a_program_that_starts_with_a_wrong_clock_says_so_and_goes_on(database: TestDatabase) -> None:
    clock = FakeClock(SYSTEM_CLOCK.now_us() + 60_000_000)
    urls = DatabaseUrls(owner=database.owner_url, writer=database.writer_url, app=database.app_url)
    with capture_logs() as said:
        prepare_database(urls, clock, is_embedded=False)
    (warning,) = [line for line in said if line["event"] == "clocks_differ"]
    assert warning["log_level"] == "warning"
    assert "behind this machine's" in warning["complaint"]


@pytest.mark.parametrize(
    ("offset_s", "uncertainty_s", "complains"),
    [(1.9, 0.0, False), (2.1, 0.0, True), (-2.1, 0.0, True), (3.0, 1.5, False)],
)
def test_two_seconds_are_allowed_beyond_what_is_uncertain(
    offset_s: float, uncertainty_s: float, *, complains: bool
) -> None:
    facts = ServerFacts(version=18, timescaledb=None, clock_offset_s=offset_s, clock_uncertainty_s=uncertainty_s)
    assert (facts.clock_complaint is not None) is complains


def test_a_wrong_password_says_so(database: TestDatabase) -> None:
    assert "password or the user is wrong" in complaint_of(make_conninfo(database.owner_url, password=PASSWORD))


def test_a_missing_database_says_so(database: TestDatabase) -> None:
    assert "does not exist" in complaint_of(make_conninfo(database.owner_url, dbname="nowhere"))


def test_a_port_where_nothing_listens_says_so() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"postgresql://someone:{PASSWORD}@127.0.0.1:{held.getsockname()[1]}/x"
        assert "nothing listens there" in complaint_of(url)


def test_text_that_is_no_url_says_how_one_looks() -> None:
    for text in (f"banana {PASSWORD}", f"mysql://root:{PASSWORD}@host/x", "host=127.0.0.1"):
        with pytest.raises(DatabaseError, match=r"postgresql://user:password@host") as caught:
            resolve_urls(Settings.model_validate({"database_url": text}))
        assert PASSWORD not in str(caught.value)


def test_a_database_without_schema_names_the_command_that_makes_it(database: TestDatabase) -> None:
    with (
        pytest.raises(DatabaseError, match="skybeat db migrate"),
        owner_connection(database.owner_url) as connection,
    ):
        connection.execute("select * from table_of_tomorrow")


def test_without_any_server_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="skybeat serve"):
        resolve_urls(Settings.model_validate({"data_dir": tmp_path}))


def test_one_url_serves_three_roles_by_setting_them() -> None:
    urls = resolve_urls(Settings.model_validate({"database_url": "postgresql://me:x@h/d?options=-c%20jit%3Doff"}))
    assert urls.owner.startswith("postgresql://")
    assert conninfo_to_dict(urls.writer)["options"] == "-c jit=off -c role=skybeat_writer"
    assert conninfo_to_dict(urls.app)["options"] == "-c jit=off -c role=skybeat_app"


def test_a_session_with_a_role_has_no_more_rights_than_the_role(database: TestDatabase) -> None:
    name = str(conninfo_to_dict(database.owner_url)["dbname"])
    url = with_role(make_conninfo(database.maintenance_url, dbname=name), "skybeat_app")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from store.position")


def test_an_explanation_survives_an_error_without_text() -> None:
    assert explain("postgresql://h/d", psycopg.OperationalError()) == "database h:5432/d: OperationalError"


def test_a_query_without_its_line_of_meaning_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("-- name: a\nselect 1;\n")
    with pytest.raises(ValueError, match="what it gives"):
        load_queries(file)
    file.write_text("-- A file.\n\n-- name: a\n-- One.\nselect 1;\n\n-- name: b\n-- Two.\nselect 2\n")
    assert load_queries(file) == {"a": "select 1", "b": "select 2"}
