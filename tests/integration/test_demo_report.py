"""The whole demo as a person starts it: it ends by itself, its report adds up and it leaves no process behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.database


def processes_about(folder: Path) -> list[str]:
    """Return the command lines of the processes that name this folder."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended meanwhile
    return [line for line in lines if str(folder) in line]


def test_a_short_demo_loses_nothing_and_leaves_nothing_running(server_folder: Path, tmp_path: Path) -> None:
    folder, file = server_folder / "demo-report", tmp_path / "report.json"
    environment = os.environ | {"SKYBEAT_DATA_DIR": str(folder)}
    words = ["demo", "--units", "24", "--for", "8", "--port", "0", "--report", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/sign-in#" in done.stdout
    report = json.loads(file.read_text())
    assert report["units"] == 24
    assert report["first_dot_s"] > 0
    assert report["positions_stored"] > 20
    assert (
        report["positions_lost"] == report["positions_sent"] - report["positions_stored"] - report["udp_dropped"] == 0
    )
    assert report["fix_to_frame_p99_ms"] > 0
    assert report["errors"] == 0
    assert processes_about(folder) == []
