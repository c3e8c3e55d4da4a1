"""The first command on an empty data folder makes what it needs: nobody has to start or migrate anything first."""

from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from console.commands import device, replay, user
from infra.database import DatabaseError
from telemetry.model.errors import FileFormatError
from tests.conftest import TestDatabase


def test_a_lost_admin_and_a_first_device_need_no_running_server(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(server_folder / "empty"))
    linked = CliRunner().invoke(user.command, ["link", "admin"])
    assert linked.exit_code == 0, linked.output
    assert "/sign-in#" in linked.output
    added = CliRunner().invoke(device.command, ["add", "--protocol", "phone", "--label", "handset 1"])
    assert added.exit_code == 0, added.output
    assert "device 1 enrolled" in added.output


def test_an_account_command_tells_of_a_wrong_password_and_not_of_the_pool(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database.owner_url)
    place = f"host={parts['host']}&port={parts.get('port', 5432)}&dbname={parts['dbname']}"
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", f"postgresql:///?{place}&user={parts['user']}&password=wrong")
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(user.command, ["list"])
    assert isinstance(result.exception, DatabaseError)
    assert "the password or the user is wrong" in str(result.exception)


def test_a_recording_that_is_none_is_named_and_no_console_is_announced(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(server_folder / "replay"))
    monkeypatch.setenv("SKYBEAT_MAVLINK_LINKS", "udpin:127.0.0.1:0")
    for name in ("SKYBEAT_PORT", "SKYBEAT_INGEST_PORT"):
        monkeypatch.setenv(name, "0")
    wrong = tmp_path / "notes.tlog"
    wrong.write_text("no flight at all")
    result = CliRunner().invoke(replay.command, [str(wrong)])
    assert isinstance(result.exception, FileFormatError), result.output
    assert "notes.tlog" in str(result.exception)
    assert "sign-in" not in result.output
