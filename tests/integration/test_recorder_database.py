"""The recorder against a real server: exactly once, late and odd rows kept, poison put aside, absences survived."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest

from infra.clock import SYSTEM_CLOCK, Clock
from infra.journal import Journal
from infra.settings import Settings
from telemetry.model.batch import (
    NULLABLE,
    REPORT,
    Batch,
    Quality,
    as_columns,
    hash_fixes,
    new_batch,
    unknown_of,
)
from telemetry.model.events import AnyEvent, SosRaised, StatusText, decode_event, encode_event
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT
from telemetry.recording.recorder import Recorder
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
DAY_US = 86_400_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path / "journal", segment_bytes=64 << 10)
    yield opened
    opened.close()


@pytest.fixture
def make_recorder(journal: Journal, database: TestDatabase) -> Iterator[Callable[..., Recorder]]:
    made: list[Recorder] = []

    def make(url: str = database.writer_url, clock: Clock = SYSTEM_CLOCK, of: Journal = journal) -> Recorder:
        recorder = Recorder(of, url, Settings(), clock)
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        recorder.close()


def positions(row_count: int, *, device_id: int = 1, first_us: int | None = None, step_us: int = 1_000_000) -> Batch:
    batch = new_batch(row_count)
    batch["device_id"] = device_id
    start_us = SYSTEM_CLOCK.now_us() - row_count * step_us if first_us is None else first_us
    batch["observed_us"] = start_us + np.arange(row_count) * step_us
    batch["received_us"] = batch["observed_us"] + 50_000
    batch["lat_e7"] = 360_000_000 + np.arange(row_count)
    batch["lon_e7"] = 1_038_000_000
    batch["speed_cmps"] = np.where(np.arange(row_count) % 3 == 0, unknown_of("speed_cmps"), 120)
    batch["battery_pct"] = np.where(np.arange(row_count) % 5 == 0, unknown_of("battery_pct"), 77)
    hash_fixes(batch)
    return batch


def journal_batch(journal: Journal, batch: Batch, rows_a_record: int = 1) -> None:
    for start in range(0, len(batch), rows_a_record):
        sequence = journal.append(KIND_BATCH, batch[start : start + rows_a_record].tobytes())
    journal.wait_durable(sequence)


def journal_events(journal: Journal, *events: AnyEvent) -> None:
    for event in events:
        sequence = journal.append(KIND_EVENT, encode_event(event), acknowledged=True)
    journal.wait_durable(sequence)


def ask(database: TestDatabase, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(query.encode()).fetchall()


def count(database: TestDatabase, table: str) -> int:
    return int(ask(database, f"select count(*) from store.{table}")[0][0])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a thread of the recorder makes it true
            await asyncio.sleep(0.01)


def test_every_column_reads_back_as_it_was_with_unknown_as_null(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    random = np.random.default_rng(5)
    batch = positions(60)
    for column in NULLABLE:
        limits = np.iinfo(REPORT[column])
        batch[column] = random.integers(limits.min, limits.max, 60, REPORT[column].newbyteorder("="), endpoint=True)
        batch[column][random.random(60) < 0.3] = unknown_of(column)
    hash_fixes(batch)
    journal_batch(journal, batch, rows_a_record=7)
    assert make_recorder().record_what_waits()
    micros = "(extract(epoch from {} at time zone 'UTC') * 1000000)::bigint"
    columns = [
        micros.format(name.replace("_us", "_at")) if name.endswith("ed_us") else name for name in REPORT.names or ()
    ]
    found = ask(database, f"select {', '.join(columns)} from store.position order by observed_at")
    expected = list(zip(*as_columns(batch).values(), strict=True))
    assert found == expected


def test_a_group_and_its_ledger_row_are_one(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    journal_batch(journal, positions(100))
    recorder = make_recorder()
    assert recorder.lag_s >= 0
    assert [recorder.is_caught_up, recorder.record_what_waits(), recorder.is_caught_up] == [False, True, True]
    assert recorder.lag_s == 0
    ledger = ask(database, "select journal_epoch, first_sequence, last_sequence, row_count from store.ingest_ledger")
    assert ledger == [(journal.epoch, 1, 100, 100)]
    recorder.close()
    assert journal.watermark == (journal.epoch, 100)


def test_batches_of_ten_thousand_rows_are_written_while_more_waits(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    journal_batch(journal, positions(25_000, step_us=1000), rows_a_record=10)
    make_recorder().record_what_waits()
    assert ask(database, "select row_count from store.ingest_ledger order by first_sequence") == [
        (10_000,),
        (10_000,),
        (5_000,),
    ]


def test_a_watermark_left_behind_doubles_nothing(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    batch = positions(50)
    journal_batch(journal, batch[:30])
    make_recorder().record_what_waits()
    journal_batch(journal, batch[30:])
    again = make_recorder()
    assert again.record_what_waits()
    assert again.rows_recorded == 20, "the ledger says what the watermark forgot"
    assert count(database, "position") == 50


def test_rows_known_already_are_kept_once_and_new_ones_beside_them_stay(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    batch = positions(40)
    recorder = make_recorder()
    journal_batch(journal, batch[:30])
    recorder.record_what_waits()
    journal_batch(journal, batch[10:])
    recorder.record_what_waits()
    assert (recorder.rows_recorded, recorder.rows_known) == (40, 20)
    assert count(database, "position") == 40


def test_late_rows_are_kept_in_the_partition_of_their_day(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    late = positions(10, first_us=SYSTEM_CLOCK.now_us() - 40 * DAY_US, step_us=DAY_US)
    journal_batch(journal, late, rows_a_record=10)
    make_recorder().record_what_waits()
    assert count(database, "position") == 10
    assert ask(database, "select count(distinct tableoid) from store.position")[0][0] >= 10


@pytest.mark.parametrize("observed_us", [0, 3_471_292_800_000_000, -(2**63), 2**63 - 1])
def test_a_device_with_a_wrong_clock_costs_only_itself(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase, observed_us: int
) -> None:
    batch = positions(20)
    batch["observed_us"][4] = observed_us
    journal_batch(journal, batch, rows_a_record=20)
    recorder = make_recorder()
    assert recorder.record_what_waits()
    assert recorder.rows_odd == 1
    assert count(database, "position") == 19
    assert ask(database, f"select quality & {int(Quality.ODD_TIME)} from store.position_odd_time") == [
        (Quality.ODD_TIME,)
    ]


def test_events_are_recorded_once_and_read_back_as_they_were(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    now_us = SYSTEM_CLOCK.now_us()
    sos = SosRaised(device_id=3, observed_us=now_us, received_us=now_us + 9, text='救命 \\u0000 " help')
    text = StatusText(device_id=3, observed_us=0, received_us=now_us, level=2, text="a\x00b")
    journal_events(journal, sos, text, sos)
    recorder = make_recorder()
    assert recorder.record_what_waits()
    assert count(database, "event") == 2
    [(kind, severity, body)] = ask(database, "select kind, severity, body from store.event where severity = 3")
    assert (kind, severity) == ("sos_raised", 3)
    assert decode_event(msgspec.msgpack.encode(body)) == sos


def test_a_row_that_the_database_refuses_is_put_aside_and_the_rest_goes_on(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("alter table store.position add constraint no_poison check (speed_cmps <> 666)")
    batch = positions(100)
    batch["speed_cmps"][[17, 60]] = 666
    journal_batch(journal, batch)
    now_us = SYSTEM_CLOCK.now_us()
    journal_events(journal, SosRaised(device_id=1, observed_us=now_us, received_us=now_us))
    recorder = make_recorder()
    assert recorder.record_what_waits()
    assert recorder.rows_set_aside == 2
    assert (count(database, "position"), count(database, "event")) == (98, 1)
    [file] = (journal.directory / "set_aside").iterdir()
    kept = [np.frombuffer(payload, REPORT)[0] for _, payload, _ in msgspec.msgpack.decode(file.read_bytes())]
    assert {int(row["observed_us"]) for row in kept} == set(batch["observed_us"][[17, 60]].tolist())
    assert b"no_poison" in file.read_bytes()


def test_a_record_that_is_neither_batch_nor_event_is_put_aside(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    journal.append(KIND_BATCH, b"too short")
    journal.append(KIND_EVENT, b"\xc1")
    journal.append(77, b"from the future")
    journal_batch(journal, positions(5))
    recorder = make_recorder()
    assert recorder.record_what_waits()
    assert recorder.rows_set_aside == 3
    assert count(database, "position") == 5


def test_a_dropped_partition_is_made_again(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    recorder = make_recorder()
    journal_batch(journal, positions(5))
    recorder.record_what_waits()
    with psycopg.connect(database.owner_url) as connection:
        [name] = connection.execute("select distinct tableoid::regclass::text from store.position").fetchall()[0]
        connection.execute(f"drop table {name}".encode())
    journal_batch(journal, positions(7, device_id=2))
    assert recorder.record_what_waits()
    assert (count(database, "position"), recorder.rows_set_aside) == (7, 0)


def test_an_earlier_boot_is_recorded_before_the_present_one_and_its_files_go(
    tmp_path: Path, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    batch = positions(30)
    for part in (batch[:10], batch[10:20], batch[20:]):
        boot = Journal.open(tmp_path / "boots")
        journal_batch(boot, part)
        boot.close()
    last = Journal.open(tmp_path / "boots")
    recorder = make_recorder(of=last)
    assert recorder.record_what_waits()
    recorder.close()
    assert recorder.is_caught_up
    assert count(database, "position") == 30
    assert ask(database, "select count(distinct journal_epoch) from store.ingest_ledger") == [(3,)]
    assert list((tmp_path / "boots").glob("*.segment")) == []
    last.close()


async def test_an_absent_database_delays_nothing_and_is_said_once(
    journal: Journal,
    make_recorder: Callable[..., Recorder],
    database: TestDatabase,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = make_recorder()
    recorder.record_what_waits()
    with psycopg.connect(database.maintenance_url, autocommit=True) as connection:
        name = psycopg.conninfo.conninfo_to_dict(database.writer_url)["dbname"]
        connection.execute(f"alter database {name} allow_connections false".encode())
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        journal_batch(journal, positions(20))
        assert not await asyncio.to_thread(recorder.record_what_waits)
        assert not await asyncio.to_thread(recorder.record_what_waits)
        assert recorder.last_error is not None
        assert recorder.lag_s > 0
        connection.execute(f"alter database {name} allow_connections true".encode())
    running = asyncio.create_task(recorder.run())
    await until(lambda: recorder.is_caught_up and recorder.last_error is None)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert count(database, "position") == 20
    said = capsys.readouterr()
    lines = said.out + said.err
    assert (lines.count("database_away"), lines.count("database_back")) == (1, 1)
    assert journal.watermark == (journal.epoch, 20)


async def test_a_durable_row_is_in_the_database_within_a_second(
    journal: Journal, make_recorder: Callable[..., Recorder], database: TestDatabase
) -> None:
    recorder = make_recorder()
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(0.3)
    started_s = time.monotonic()
    await journal.durable(journal.append(KIND_BATCH, positions(1).tobytes(), acknowledged=True))
    await until(lambda: recorder.rows_recorded == 1)
    assert time.monotonic() - started_s < 2.0
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert count(database, "position") == 1


def test_the_writer_can_neither_read_nor_change_history(database: TestDatabase) -> None:
    for query in ("select 1 from store.position", "delete from store.position", "update store.event set severity = 0"):
        with psycopg.connect(database.writer_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query.encode())
