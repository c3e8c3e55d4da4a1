"""How long history is kept: rows, roll-ups, trips each by their own setting, and what the schema's masks mean."""

from typing import Any

import psycopg
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.settings import Settings
from telemetry.model.batch import Quality
from telemetry.recording.partitions import DayPartitions, set_retention
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database

NO_PLACE = Quality.NO_FIX | Quality.JUMPED | Quality.NULL_ISLAND | Quality.ENCRYPTED
NO_PATH = NO_PLACE | Quality.SECONDARY | Quality.INACCURATE | Quality.PARKED


def ask(database: TestDatabase, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.owner_url) as owner:
        return owner.execute(query.encode()).fetchall()


@pytest.mark.parametrize(("function", "refused"), [("is_place", NO_PLACE), ("is_on_path", NO_PATH)])
def test_the_schema_and_the_program_mean_the_same_bits(database: TestDatabase, function: str, refused: Quality) -> None:
    for bit in Quality:
        ((found,),) = ask(database, f"select store.{function}({int(bit)}, 1, 1)")
        assert found is (bit not in refused), bit
    assert ask(database, f"select store.{function}(0, null, 1), store.{function}(0, 1, null)") == [(False, False)]


def test_settings_of_retention_reach_the_database(database: TestDatabase) -> None:
    set_retention(
        database.owner_url,
        Settings(raw_retention_days=10, minute_retention_days=20, quarter_hour_retention_days=30),
    )
    assert ask(database, "select raw_days, minute_days, quarter_hour_days from store.retention") == [(10, 20, 30)]


def test_each_kind_of_history_goes_when_its_own_time_is_over(database: TestDatabase) -> None:
    set_retention(
        database.owner_url,
        Settings(raw_retention_days=5, minute_retention_days=62, quarter_hour_retention_days=186),
    )
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "select store.ensure_rollup_partitions(now() - make_interval(days => n), now() - make_interval(days => n)) "
            "from unnest(array[0, 40, 130, 300]) n"
        )
        owner.execute("select store.ensure_position_partitions(current_date - 9, current_date)")
        owner.execute(
            "insert into store.movement select 1, at, at, 'stop', 0, 1, 1, 1, 1 "
            "from unnest(array[now() - interval '185 days', now() - interval '187 days']) at"
        )
    with psycopg.connect(database.writer_url, autocommit=True) as writer:
        dropped = DayPartitions().keep_house(writer, SYSTEM_CLOCK.now_us())
    assert dropped == 4 + 2 + 1
    kept = {
        table: len(ask(database, f"select relid from pg_partition_tree('store.{table}') where isleaf"))
        for table in ("position_minute", "position_quarter_hour")
    }
    assert kept == {"position_minute": 2, "position_quarter_hour": 3}
    assert len(ask(database, "select * from store.movement")) == 1
    assert len(ask(database, "select * from store.disk_sample")) == 1


def test_the_writer_may_neither_read_nor_change_what_is_derived(database: TestDatabase) -> None:
    for statement in (
        "select * from store.position_minute",
        "delete from store.movement",
        "update store.derived_progress set claimed_through = now()",
        "select * from store.late_interval",
        "select store.refresh_movements(1, now(), now())",
        "select store.apply_history_policies()",
    ):
        with psycopg.connect(database.writer_url) as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(statement.encode())
