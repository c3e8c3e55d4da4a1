"""Roll-ups, trips and stops on a real server: what they say of a day, and that questions are answered the same from them."""

import asyncio
from contextlib import closing

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from psycopg import AsyncConnection

from infra.clock import utc_of
from infra.database import SERVICE, apply_scope
from telemetry.history.derived import DerivedHistory
from telemetry.history.questions import ROLLUP, Movement, movements, rollup
from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch, sort_for_storage
from telemetry.recording.copy_rows import copy_positions
from telemetry.recording.store import Group, RecorderStore
from tests.conftest import FakeClock, TestDatabase

pytestmark = pytest.mark.database

START_US = 1_790_000_000_000_000 // 86_400_000_000 * 86_400_000_000
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
SECOND_OF_ARC_E7 = 90_000
"""About 1 km of latitude."""


@pytest.fixture
def recorded(database: TestDatabase) -> TestDatabase:
    """A database in which device 1 spoke for unit 11, and since 02:00 for unit 12."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "insert into unit (unit_id, call_sign, kind, service) values (11, 'A', 'car', 'patrol'), (12, 'B', 'car', 'patrol')"
        )
        owner.execute("insert into device (device_id, protocol, address) values (1, 'osmand', 'a')")
        handed_over_at = utc_of(START_US + 2 * HOUR_US)
        owner.execute(
            "insert into assignment (device_id, unit_id, started_at, ended_at) values (1, 11, '2020-01-01', %s), (1, 12, %s, null)",
            (handed_over_at, handed_over_at),
        )
    return database


def day() -> Batch:
    """Stand 30 min, drive 5 km in 30 min, stand 90 min (handed over in between), drive back; one report in 10 s."""
    at_us = np.arange(0, 3 * HOUR_US, 10_000_000)
    batch = new_batch(len(at_us))
    batch["device_id"] = 1
    batch["observed_us"] = batch["received_us"] = START_US + at_us
    minutes = at_us / MINUTE_US
    way = np.interp(minutes, [30, 60, 150, 180], [0, 5, 5, 0])
    batch["lat_e7"] = 300_000_000 + np.rint(way * SECOND_OF_ARC_E7)
    batch["lon_e7"] = 1_140_000_000
    batch["speed_cmps"] = np.where((minutes % 180 > 30) & (minutes < 60), 278, 0)
    hash_fixes(batch)
    return batch


def record(database: TestDatabase, batch: Batch, number: int = 1) -> None:
    """Write a batch as the recorder does."""
    rows = sort_for_storage(batch)
    group = Group(
        epoch=1,
        first_sequence=number,
        last_sequence=number,
        rows=rows,
        rows_encoded=copy_positions(rows),
        odd_rows=new_batch(0),
    )
    with closing(RecorderStore(database.writer_url)) as store:
        store.write(group, lambda _: None)


def derive(database: TestDatabase, line_us: int) -> None:
    clock = FakeClock(line_us + 120_000_000)
    derived = DerivedHistory(database.writer_url, database.owner_url, clock, lag_s=lambda: 0.0)
    assert derived.take_turn(), derived.last_error


async def steps_of(database: TestDatabase, unit_id: int, step_s: int) -> NDArray[np.void]:
    async with await AsyncConnection.connect(database.app_url) as asking:
        await apply_scope(asking, SERVICE)
        steps = await rollup(asking, unit_id, from_us=START_US, to_us=START_US + 4 * HOUR_US, step_s=step_s)
    return np.sort(steps, order=["device_id", "bin_us"])


async def movements_of(database: TestDatabase, unit_id: int) -> list[Movement]:
    async with await AsyncConnection.connect(database.app_url) as asking:
        await apply_scope(asking, SERVICE)
        return await movements(asking, unit_id, from_us=START_US, to_us=START_US + 4 * HOUR_US)


async def test_a_day_is_told_as_stops_and_trips(recorded: TestDatabase) -> None:
    record(recorded, day())
    derive(recorded, START_US + 4 * HOUR_US)
    first, trip, stop = await movements_of(recorded, 11)
    assert [first.kind, trip.kind, stop.kind] == ["stop", "trip", "stop"]
    assert first.started_us == START_US
    assert abs(trip.started_us - START_US - 31 * MINUTE_US) <= MINUTE_US
    assert abs(trip.ended_us - START_US - 59 * MINUTE_US) <= 2 * MINUTE_US
    assert trip.distance_m == pytest.approx(5_000, abs=450)
    assert trip.end_lat_e7 is not None
    assert stop.ended_us == START_US + 2 * HOUR_US


async def test_what_reaches_beyond_an_assignment_is_cut_and_tells_no_place_of_the_other_unit(
    recorded: TestDatabase,
) -> None:
    record(recorded, day())
    derive(recorded, START_US + 4 * HOUR_US)
    stop, trip, *_ = await movements_of(recorded, 12)
    assert (stop.kind, stop.started_us, stop.start_lat_e7, stop.distance_m) == (
        "stop",
        START_US + 2 * HOUR_US,
        None,
        None,
    )
    assert stop.end_lat_e7 is not None
    assert trip.kind == "trip"


@pytest.mark.parametrize("step_s", [60, 120, 300, 900, 1800, 3600])
async def test_a_rollup_is_the_same_whether_made_of_rows_or_of_what_is_derived(
    recorded: TestDatabase, step_s: int
) -> None:
    record(recorded, day())
    for unit_id in (11, 12):
        of_rows = await steps_of(recorded, unit_id, step_s)
        derive(recorded, START_US + 2 * HOUR_US + 40 * MINUTE_US)
        derived = await steps_of(recorded, unit_id, step_s)
        for name in ROLLUP.names or ():
            assert derived[name].tolist() == pytest.approx(of_rows[name].tolist(), abs=0.5), name
        with psycopg.connect(recorded.owner_url) as owner:
            owner.execute(
                "update store.derived_progress set derived_through = '-infinity', claimed_through = '-infinity'"
            )


async def test_history_outlives_the_rows_it_was_made_of(recorded: TestDatabase) -> None:
    record(recorded, day())
    derive(recorded, START_US + 4 * HOUR_US)
    before = await steps_of(recorded, 11, 900)
    with psycopg.connect(recorded.owner_url) as owner:
        owner.execute("truncate store.position")
    assert (await steps_of(recorded, 11, 900)).tolist() == before.tolist()


async def test_a_place_that_is_none_is_counted_and_never_shown(recorded: TestDatabase) -> None:
    batch = day()[:6]
    batch["lat_e7"][-1] = batch["lon_e7"][-1] = 0
    batch["quality"][-1] = int(Quality.NULL_ISLAND)
    hash_fixes(batch)
    record(recorded, batch)
    derive(recorded, START_US + 4 * HOUR_US)
    (step,) = await steps_of(recorded, 11, 60)
    assert step["position_count"] == 6
    assert step["last_lat_e7"] == batch["lat_e7"][-2]
    assert step["distance_m"] == 0


async def test_a_late_row_mends_roll_up_and_trips_and_no_note_is_left(recorded: TestDatabase) -> None:
    batch = day()
    buffered = (batch["observed_us"] >= START_US + 35 * MINUTE_US) & (batch["observed_us"] < START_US + 50 * MINUTE_US)
    record(recorded, batch[~buffered])
    derive(recorded, START_US + 4 * HOUR_US)
    before = await steps_of(recorded, 11, 60)
    record(recorded, batch[buffered], 2)
    derive(recorded, START_US + 4 * HOUR_US)
    assert len(await steps_of(recorded, 11, 60)) == len(before) + 15
    with psycopg.connect(recorded.owner_url) as owner:
        assert owner.execute("select count(*) from store.late_interval").fetchone() == (0,)


def test_a_writer_that_is_under_way_holds_the_line_where_it_is(recorded: TestDatabase) -> None:
    with psycopg.connect(recorded.writer_url) as writing, psycopg.connect(recorded.writer_url) as deriving:
        writing.execute("select store.hold_claimed_through()")
        deriving.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            deriving.execute("select store.claim_through('2026-10-01')")
        writing.commit()
        deriving.rollback()
        deriving.execute("select store.claim_through('2026-10-01')")


def test_a_line_that_a_wrong_clock_moved_too_far_comes_back(recorded: TestDatabase) -> None:
    record(recorded, day())
    derive(recorded, START_US + 30 * 24 * HOUR_US)
    derive(recorded, START_US + 4 * HOUR_US)
    with psycopg.connect(recorded.owner_url) as owner:
        found = owner.execute("select claimed_through, derived_through from store.derived_progress").fetchone()
    assert found == (utc_of(START_US + 4 * HOUR_US),) * 2


async def test_a_step_that_waits_for_the_database_does_not_hold_up_the_end(recorded: TestDatabase) -> None:
    derived = DerivedHistory(recorded.writer_url, recorded.owner_url, FakeClock(), lag_s=lambda: 0.0)
    waiting = "select 1 from pg_stat_activity where application_name = 'skybeat derived' and wait_event_type = 'Lock'"
    with (
        psycopg.connect(recorded.owner_url) as holding,
        psycopg.connect(recorded.maintenance_url, autocommit=True) as looking,
    ):
        holding.execute("lock table store.derived_progress in access exclusive mode")
        running = asyncio.create_task(derived.run())
        async with asyncio.timeout(15):
            while not looking.execute(waiting).fetchone():  # noqa: ASYNC110 - another process makes it true
                await asyncio.sleep(0.02)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
