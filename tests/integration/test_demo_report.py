"""The whole demo as a person starts it: it ends by itself, its report adds up and it leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
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


def descendants_of(pid: int) -> list[int]:
    """Return the numbers of all processes below one."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deeper for child in children for deeper in descendants_of(child)]


def is_running(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_demo_that_ends_in_any_way_takes_all_its_processes_along(server_folder: Path, number: signal.Signals) -> None:
    environment = os.environ | {"SKYBEAT_DATA_DIR": str(server_folder / f"demo-{number.name}"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "console.cli", "demo", "--units", "24", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any("first dot after" in line for line in demo.stdout)
        below = descendants_of(demo.pid)
        assert len(below) > 5
        demo.send_signal(number)
        demo.wait(30)
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s and any(map(is_running, below)):
            time.sleep(0.1)
        assert [pid for pid in below if is_running(pid)] == []
