"""`skybeat db` on the embedded server: started for the command's time, left in peace afterwards."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.commands.db import command
from infra.errors import ServerError
from infra.migrate import load_migrations
from infra.postgres import running_urls


def test_db_commands_run_the_embedded_server_for_their_own_time(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = server_folder / "db-command"
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(data_dir))
    before = CliRunner().invoke(command, ["status", "--json"])
    assert before.exit_code == 0, before.output
    names = [step.name for step in load_migrations()]
    assert json.loads(before.stdout)["pending"] == names
    done = CliRunner().invoke(command, ["migrate"])
    assert f"({len(names)} applied now)" in done.output
    after = json.loads(CliRunner().invoke(command, ["status", "--json"]).stdout)
    assert [step["name"] for step in after["applied"]] == names
    assert after["pending"] == []
    assert abs(after["clock_offset_s"]) < 2
    with pytest.raises(ServerError, match="no skybeat database runs"):
        running_urls(data_dir)
