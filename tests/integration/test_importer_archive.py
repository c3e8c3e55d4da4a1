"""Imports into a real archive: every position once, and two aircraft with one system id stay two."""

from pathlib import Path

import psycopg
import pytest

from telemetry.history.importer import read_flight, report_of, store_flight
from tests.conftest import FakeClock, TestDatabase

pytestmark = [pytest.mark.database, pytest.mark.shared_data]


def stored(database: TestDatabase, path: Path, now_us: int) -> int:
    with psycopg.connect(database.owner_url) as connection:
        return store_flight(connection, read_flight(path), now_us=now_us)


def count(database: TestDatabase, query: str) -> int:
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize(
    "name",
    [
        "dronekit_flight_replay.tlog",
        "phoenix_mission1_2018-09-17.tlog",
        "ahmadkhanfar_test.tlog",
        "uavlogviewer_vtol.tlog",
        "dvd_baseline.tlog",
        "dvd_attack_mavlink_flood.tlog",
        "dvd_attack_mission_request_flood.tlog",
    ],
)
def test_every_position_is_new_the_first_time_and_none_the_second(
    name: str, test_data: Path, database: TestDatabase, fake_clock: FakeClock
) -> None:
    path = test_data / "mavlink" / name
    positions = report_of(read_flight(path)).positions
    assert stored(database, path, fake_clock.now_us()) == positions
    assert stored(database, path, fake_clock.now_us()) == 0
    assert count(database, "select count(*) from store.flight_position") == positions
    assert count(database, "select positions from store.flight") == positions


def test_system_one_of_two_files_is_two_aircraft(
    test_data: Path, database: TestDatabase, fake_clock: FakeClock
) -> None:
    for name in ("dvd_baseline.tlog", "ahmadkhanfar_test.tlog"):
        stored(database, test_data / "mavlink" / name, fake_clock.now_us())
    assert count(database, "select count(distinct device_id) from store.flight_position") == 2
    assert count(database, "select count(*) from public.device where address like 'import/%/1'") == 2
    assert count(database, "select count(*) from store.flight") == 2
