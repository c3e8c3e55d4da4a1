"""The first command on an empty data folder makes what it needs: nobody has to start or migrate anything first."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from console.commands import device, user


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
