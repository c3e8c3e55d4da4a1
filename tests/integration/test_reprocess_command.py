"""`skybeat reprocess` on a real database: a drone's bytes that were received and never recorded come into history, once."""

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from console.commands.reprocess import command
from infra.clock import SYSTEM_CLOCK, utc_of
from infra.vault import Vault
from telemetry.links.tap import RawChunk
from telemetry.raw.log import RawLog
from tests.conftest import TestDatabase
from tests.integration.test_console_tls import url_of
from tests.mavlink_scene import Drone

pytestmark = pytest.mark.database


@pytest.fixture
def flown_us(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """When a drone began to fly for a minute before a raw log that nobody recorded from."""
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", url_of(database.owner_url))
    monkeypatch.setenv("SKYBEAT_DATABASE_WRITER_URL", url_of(database.writer_url))
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("insert into device (device_id, protocol, address) values (1, 'mavlink', 'main/1')")
    begin_us = SYSTEM_CLOCK.now_us() - 120_000_000
    drone = Drone(boot_us=begin_us - 100_000_000)
    log = RawLog(tmp_path / "raw", Vault.open(tmp_path), SYSTEM_CLOCK, keep_days=7, max_bytes=1 << 30)
    for tick in range(0, 600, 2):
        now_us = begin_us + tick * 100_000
        log.take(
            RawChunk(
                link="udpin:127.0.0.1:14550",
                protocol="mavlink",
                link_group="main",
                transport="udp",
                host="127.0.0.1",
                port=40_000,
                received_us=now_us,
                device_ids=(),
                data=b"".join(drone.frames_at(tick, now_us)),
            )
        )
    log.close()
    return begin_us


def run(from_us: int, *further: str) -> dict[str, int]:
    period = ["--from", utc_of(from_us).isoformat(), "--to", utc_of(from_us + 60_000_000).isoformat()]
    done = CliRunner().invoke(command, [*period, "--json", *further])
    assert done.exit_code == 0, done.output
    found: dict[str, int] = json.loads(done.stdout)
    return found


def count(database: TestDatabase, query: str) -> int:
    with psycopg.connect(database.owner_url) as owner:
        row = owner.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_received_and_not_recorded_comes_into_history_once_and_into_the_audit(
    database: TestDatabase, flown_us: int
) -> None:
    foreseen = run(flown_us, "--dry-run")
    assert foreseen["rows_new"] > 200
    assert count(database, "select count(*) from store.position") == 0
    assert count(database, "select count(*) from public.audit") == 0
    assert run(flown_us)["rows_new"] == foreseen["rows_new"]
    assert count(database, "select count(*) from store.position where device_id = 1") == foreseen["rows_new"]
    assert count(database, "select count(*) from public.audit where action = 'reprocessed'") == 1
    again = run(flown_us)
    assert (again["rows_new"], again["rows_superseded"]) == (0, 0)
    assert run(flown_us, "--device", "2")["rows_decoded"] == 0


def test_a_time_without_a_zone_is_refused_with_what_to_write(flown_us: int) -> None:
    del flown_us
    done = CliRunner().invoke(command, ["--from", "2026-11-21", "--to", "2026-11-22T00:00:00Z"])
    assert done.exit_code != 0
    assert "zone" in str(done.exception)
