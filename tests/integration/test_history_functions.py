"""History on a real server: periods of assignments, scopes, and plans that use the index."""

from collections.abc import AsyncIterator

import numpy as np
import psycopg
import pytest
from psycopg import AsyncConnection

from infra.database import SERVICE, Scope, app_pool, apply_scope, scoped
from telemetry.history.questions import (
    events_since,
    newest,
    newest_of_devices,
    recorded_events_since,
    rollup,
    track,
    tracks,
)
from telemetry.model.batch import UNKNOWN_I2, UNKNOWN_I4
from telemetry.model.events import DeviceInfo, LinkLost
from tests.conftest import TestDatabase

DAY_US = 86_400_000_000
START_US = 1_790_000_000_000_000 // DAY_US * DAY_US
OPERATOR = Scope(account_role="operator", station_ids=(1,))

SEED = """
insert into station (station_id, number, name_zh, lat_e7, lon_e7) values (1, 1, '一', 0, 0), (2, 2, '二', 0, 0);
insert into unit (unit_id, call_sign, kind, service, station_id, covert) values
    (11, 'Car 1', 'car', 'patrol', 1, false), (12, 'Car 2', 'car', 'patrol', 2, false),
    (13, 'Car 3', 'car', 'special', 1, true);
insert into device (device_id, protocol, address) values (1, 'osmand', 'a'), (2, 'osmand', 'b'), (3, 'osmand', 'c');
insert into assignment (device_id, unit_id, started_at, ended_at) values
    (1, 11, to_timestamp(%(start)s), to_timestamp(%(start)s + 100)),
    (1, 12, to_timestamp(%(start)s + 100), null),
    (2, 11, to_timestamp(%(start)s), null),
    (3, 13, to_timestamp(%(start)s), null);
"""
FILL = """
insert into store.position (device_id, observed_at, received_at, lat_e7, lon_e7, speed_cmps, quality, fix_hash)
select device_id, to_timestamp(%(start)s + second), to_timestamp(%(start)s + second), second, 5,
    case when second %% 2 = 0 then 100 end, 0, second
from generate_series(1, 3) device_id, generate_series(0, 999) second
"""


@pytest.fixture
async def asking(database: TestDatabase) -> AsyncIterator[AsyncConnection]:
    """A connection of the app role to a database with three devices that reported 1,000 s each."""
    start = {"start": START_US // 1_000_000}
    with psycopg.connect(database.owner_url) as owner:
        for statement in SEED.split(";\n")[:-1]:
            owner.execute(statement, start)
    with psycopg.connect(database.writer_url) as writer:
        writer.execute("select store.ensure_position_partitions('2026-09-19', '2026-09-23')")
        writer.execute(FILL, start)
    async with await AsyncConnection.connect(database.app_url) as connection:
        yield connection


async def test_a_track_holds_what_each_device_said_while_it_was_assigned(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    batch = await track(asking, 11, from_us=START_US, to_us=START_US + DAY_US)
    assert np.bincount(batch["device_id"]).tolist() == [0, 100, 1000]
    assert (np.diff(batch["observed_us"]) >= 0).all()
    second = batch[batch["device_id"] == 2]
    assert second["lat_e7"].tolist() == list(range(1000))
    assert second["speed_cmps"][:2].tolist() == [100, UNKNOWN_I2]
    assert second["alt_msl_dm"][0] == UNKNOWN_I4


async def test_a_limited_track_keeps_its_newest_positions(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    batch = await track(asking, 12, from_us=START_US, to_us=START_US + DAY_US, limit=10)
    assert batch["lat_e7"].tolist() == list(range(990, 1000))


async def test_tracks_of_many_units_come_apart(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    found = await tracks(asking, [11, 12, 13], from_us=START_US, to_us=START_US + 200_000_000)
    assert {unit_id: len(batch) for unit_id, batch in found.items()} == {11: 300, 12: 100, 13: 200}


async def test_the_newest_position_comes_from_each_present_device(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    found = await newest(asking, [11, 12], since_us=START_US)
    assert found[11]["device_id"].tolist() == [2]
    assert found[12]["lat_e7"].tolist() == [999]


async def test_a_rollup_counts_and_keeps_the_last_position_of_each_step(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    steps = await rollup(asking, 12, from_us=START_US, to_us=START_US + 1_000_000_000, step_s=300)
    assert steps["position_count"].tolist() == [200, 300, 300, 100]
    assert steps["last_lat_e7"].tolist() == [299, 599, 899, 999]
    assert steps["mean_speed_cmps"].tolist() == [100] * 4


@pytest.mark.parametrize(
    ("scope", "unit_id"),
    [
        (Scope(account_role=""), 11),
        (OPERATOR, 12),
        (OPERATOR, 13),
        (OPERATOR, 999),
        (Scope(account_role="officer", unit_id=11), 12),
        (Scope(account_role="supervisor", station_ids=(2,)), 13),
    ],
)
async def test_what_is_outside_the_scope_is_refused(asking: AsyncConnection, scope: Scope, unit_id: int) -> None:
    await apply_scope(asking, scope)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"unit {unit_id}"):
        await track(asking, unit_id, from_us=START_US, to_us=START_US + DAY_US)


@pytest.mark.parametrize(
    ("scope", "unit_id"),
    [
        (OPERATOR, 11),
        (Scope(account_role="officer", unit_id=12), 12),
        (Scope(account_role="supervisor", station_ids=(1,)), 13),
        (Scope(account_role="admin"), 13),
    ],
)
async def test_what_is_within_the_scope_is_given(asking: AsyncConnection, scope: Scope, unit_id: int) -> None:
    await apply_scope(asking, scope)
    assert len(await track(asking, unit_id, from_us=START_US, to_us=START_US + DAY_US))


async def test_an_account_looks_back_no_farther_than_its_scope(asking: AsyncConnection) -> None:
    await apply_scope(asking, Scope(account_role="admin", history_from_us=START_US + 1_000_000))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="earliest"):
        await track(asking, 11, from_us=START_US, to_us=START_US + DAY_US)


async def test_an_empty_period_is_refused(asking: AsyncConnection) -> None:
    await apply_scope(asking, SERVICE)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="empty"):
        await track(asking, 11, from_us=START_US, to_us=START_US)


async def test_the_app_role_reads_no_history_table(asking: AsyncConnection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await asking.execute("select * from store.position")


async def test_the_writer_reads_no_history_table(database: TestDatabase) -> None:
    with psycopg.connect(database.writer_url) as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute("select * from store.event")


async def test_a_scope_ends_with_its_transaction(database: TestDatabase, asking: AsyncConnection) -> None:
    del asking
    async with app_pool(database.app_url, max_size=1) as pool:
        async with scoped(pool, OPERATOR) as connection:
            seen = await (await connection.execute("select unit_id from unit order by 1")).fetchall()
        async with pool.connection() as connection:
            unscoped = await (await connection.execute("select unit_id from unit")).fetchall()
    assert seen == [(11,)]
    assert unscoped == []


async def test_events_come_back_as_they_were_written(database: TestDatabase, asking: AsyncConnection) -> None:
    event = LinkLost(device_id=2, observed_us=START_US + 5, received_us=START_US + 7, silent_s=10.0)
    with psycopg.connect(database.writer_url) as writer:
        writer.execute(
            "insert into store.event values (2, to_timestamp(%s) + interval '5 microseconds', "
            "to_timestamp(%s) + interval '7 microseconds', 'link_lost', 2, '{\"silent_s\": 10.0}', 1)",
            (START_US // 1_000_000, START_US // 1_000_000),
        )
    async with await AsyncConnection.connect(database.writer_url) as writer:
        assert await recorded_events_since(writer, START_US) == [event]
        assert len(await newest_of_devices(writer, [1, 2, 3, 4], since_us=START_US)) == 3
    await apply_scope(asking, OPERATOR)
    assert await events_since(asking, START_US) == [event]
    await apply_scope(asking, Scope(account_role="operator", station_ids=(2,)))
    assert await events_since(asking, START_US) == []


async def test_all_recorded_events_come_back_however_small_the_pages(database: TestDatabase) -> None:
    with psycopg.connect(database.writer_url) as writer:
        writer.execute(
            "insert into store.event select 2, to_timestamp(%(s)s) + n * interval '1 second', "
            "to_timestamp(%(s)s) + (n / 3) * interval '1 second', 'link_lost', 2, '{\"silent_s\": 10.0}', n"
            " from generate_series(1, 20) n",
            {"s": START_US // 1_000_000},
        )
    async with await AsyncConnection.connect(database.writer_url) as writer:
        events = await recorded_events_since(writer, START_US, limit=5)
    assert [event.observed_us - START_US for event in events] == [n * 1_000_000 for n in range(1, 21)]


async def test_what_a_device_says_of_itself_comes_back_after_a_restart(database: TestDatabase) -> None:
    with psycopg.connect(database.writer_url) as writer:
        writer.execute(
            "insert into store.event values (2, to_timestamp(%(s)s), to_timestamp(%(s)s), 'device_info', 2,"
            ' \'{"fields": {"model": "T1"}}\', 1)',
            {"s": START_US // 1_000_000},
        )
    async with await AsyncConnection.connect(database.writer_url) as writer:
        (event,) = await recorded_events_since(writer, START_US)
    assert event == DeviceInfo(
        device_id=2, observed_us=event.observed_us, received_us=event.received_us, fields={"model": "T1"}
    )
