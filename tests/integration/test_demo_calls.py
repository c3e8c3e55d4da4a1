"""Calls of the demo come by the intake, are dispatched, driven to and measured, all through the real sockets."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.database


def demo(folder: Path, report: Path, *words: str) -> dict[str, Any]:
    """Run a demo to its end and return its report."""
    command = [sys.executable, "-m", "console.cli", "demo", "--port", "0", "--report", str(report), *words]
    environment = os.environ | {"SKYBEAT_DATA_DIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "call centre" not in done.stdout + done.stderr
    told: dict[str, Any] = json.loads(report.read_text())
    return told


def test_calls_are_dispatched_driven_to_and_measured(server_folder: Path, tmp_path: Path) -> None:
    words = ("--units", "116", "--hour", "12", "--calls", "20", "--for", "160")
    report = demo(server_folder / "demo-calls", tmp_path / "report.json", *words)
    assert report["watch"] == "day"
    assert report["officers"] == 105
    assert report["incidents"] >= 10
    assert report["incidents"] >= report["dispatched"] >= 3
    assert report["dispatched"] >= report["arrived"] >= 1
    assert 10 < report["response_p50_s"] <= report["response_p90_s"] < 160
    assert 0 < report["on_target_ratio"] <= 1
    assert 0 < report["ring_closed_ratio"] <= 1
    assert 0 < report["coverage_shares"][0] < report["coverage_shares"][1] < report["coverage_shares"][2] <= 1
    assert report["positions_lost"] == report["errors"] == 0
