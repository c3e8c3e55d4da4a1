"""`skybeat import` as a person runs it: what it prints, and one clear line for a file that is none."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import TestDatabase

KEYS = [
    "frames_good",
    "frames_bad",
    "bytes_skipped",
    "positions",
    "positions_unknown",
    "positions_new",
    "reboots",
    "units",
]


def skybeat(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from console.cli import main; main()", "import", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def url_of(conninfo: str) -> str:
    parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(conninfo).items()}
    place = f"host={parts['host']}&port={parts.get('port', 5432)}"
    return f"postgresql://{parts['user']}:{parts['password']}@/{parts['dbname']}?{place}"


@pytest.mark.shared_data
def test_a_dry_run_prints_the_figures_without_any_database(test_data: Path) -> None:
    path = test_data / "mavlink" / "dvd_baseline.tlog"
    result = skybeat(str(path), "--json", "--dry-run", SKYBEAT_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    report = json.loads(result.stdout)
    assert result.returncode == 0
    assert list(report) == KEYS
    assert (report["frames_good"], report["positions"], report["positions_new"]) == (5_393, 57, None)
    assert report["units"] == [
        {
            "system_id": 1,
            "kind": "quadrotor",
            "first_at": "2026-04-05T23:07:08.396088Z",
            "last_at": "2026-04-05T23:07:51.261128Z",
            "positions": 57,
        }
    ]


@pytest.mark.shared_data
@pytest.mark.database
def test_the_second_import_of_a_file_finds_nothing_new(test_data: Path, database: TestDatabase) -> None:
    path = str(test_data / "mavlink" / "ahmadkhanfar_test.tlog")
    new = []
    for _ in range(2):
        result = skybeat(path, "--json", SKYBEAT_DATABASE_URL=url_of(database.owner_url))
        assert result.returncode == 0, result.stderr
        new.append(json.loads(result.stdout)["positions_new"])
    assert new == [256, 0]


def test_what_is_no_recording_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.tlog").touch()
    (tmp_path / "words.tlog").write_bytes(b"this is a letter, not a flight " * 40)
    wrong = {
        str(tmp_path): "is a folder",
        str(tmp_path / "nowhere.tlog"): "does not exist",
        str(tmp_path / "empty.tlog"): "is empty",
        str(tmp_path / "words.tlog"): "no MAVLink frame",
        "/dev/null": "no ordinary file",
    }
    for path, reason in wrong.items():
        result = skybeat(path, "--dry-run")
        assert result.returncode == 1
        assert reason in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.shared_data
def test_a_truncated_recording_gives_what_it_holds(test_data: Path, tmp_path: Path) -> None:
    whole = (test_data / "mavlink" / "dvd_baseline.tlog").read_bytes()
    (tmp_path / "cut.tlog").write_bytes(whole[:100_003])
    result = skybeat(str(tmp_path / "cut.tlog"), "--json", "--dry-run")
    report = json.loads(result.stdout)
    assert result.returncode == 0
    assert 1_000 < report["frames_good"] < 5_393
    assert report["frames_bad"] <= 1
    assert report["bytes_skipped"] < 300


def test_its_help_shows_an_example() -> None:
    assert "skybeat import flight.tlog --json --dry-run" in skybeat("--help").stdout
