"""Every migration, named query and binary COPY is understood by a real TimescaleDB (in WebAssembly, driven by node)."""

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from infra.migrate import CREATE_VERSION_TABLE, MigrationError, load_migrations, require_timescale
from telemetry.model.batch import Batch, hash_fixes, new_batch, sort_for_storage
from telemetry.model.events import LinkLost
from telemetry.recording.copy_rows import EVENT_COLUMNS, POSITION_COLUMNS, copy_events, copy_positions
from tests.timescale.statements import all_queries

HERE: Final = Path(__file__).parent
PACKAGE: Final = HERE / "node_modules" / "@unni-craftsman" / "pglite"
LOWERED_MINIMUM: Final = (2, 23, 0)
START_US: Final = 1_590_000_000_000_000
ROW_COUNT: Final = 500

_GRANT_ON_DATABASE: Final = re.compile(r"execute format\('grant [a-z, ]+ on database [^;]+;")
"""The one statement that this build cannot do: WebAssembly PostgreSQL fails to change pg_database."""

STATEMENTS: Final = {
    "is a hypertable": "select count(*)::int as found from timescaledb_information.hypertables "
    "where hypertable_schema = 'store' and hypertable_name = 'position'",
    "has no index but its identity": "select array_agg(indexname::text) as found from pg_indexes "
    "where schemaname = 'store' and tablename = 'position'",
    "partitions are its own business": "select store.ensure_position_partitions('2020-05-01', '2020-05-30') as found",
    "rows of the copy": "select count(*)::int as found from store.position",
    "a replay adds nothing": "with again as (insert into store.position select * from store.position "
    "on conflict do nothing returning 1) select count(*)::int as found from again",
    "a unit with a device": "with new_unit as (insert into unit (unit_id, call_sign, kind, service) values (1, 'A', 'car', 'patrol') returning unit_id), "
    "new_device as (insert into device (device_id, protocol, address) values (1, 'osmand', 'a') returning device_id) "
    "select count(*)::int as found from new_unit, new_device",
    "its assignment": "insert into assignment (device_id, unit_id, started_at) values (1, 1, '2020-01-01')",
    "the scope": "select set_config('skybeat.account_role', 'service', false) as found",
    "its track": "select count(*)::int as found from store.unit_track(1, '2020-01-01', '2021-01-01', 1000)",
    "its newest position": "select count(*)::int as found from store.newest_positions('{1}', '2020-01-01')",
    "its roll-up": "select sum(position_count)::int as found from store.unit_track_rollup(1, "
    "to_timestamp(1590000000), to_timestamp(1590001000), 60)",
    "events come back": "select count(*)::int as found from store.recorded_events_since('2020-01-01', 10)",
    "the plan of a newest position": "explain (format json) select * from store.position "
    "where device_id = 1 order by observed_at desc limit 1",
    "its roll-ups are continuous aggregates": "select array_agg(view_name::text order by 1) as found "
    "from timescaledb_information.continuous_aggregates where view_schema = 'store'",
    "policies keep it": "select array_agg(distinct proc_name::text order by proc_name::text) as found "
    "from timescaledb_information.jobs where proc_name like 'policy%' and hypertable_name is not null",
    "minutes are refreshed": "call refresh_continuous_aggregate('store.position_minute', '2020-05-01', '2020-06-01')",
    "quarters are refreshed": "call refresh_continuous_aggregate('store.position_quarter_hour', '2020-05-01', '2020-06-01')",
    "minutes are those of the rows": "select count(*)::int as found from (select m.*::text from store.position_minute m "
    "full join store.bins_of_rows('{1}', 'epoch', '2020-05-20', '2020-05-21', '1 minute') b using (device_id, bin_at) "
    "where row(m.*)::text is distinct from row(b.*)::text) different",
    "quarters hold every row": "select sum(position_count)::int as found from store.position_quarter_hour",
    "the line of derivation": "select store.claim_through('2020-05-21') = '2020-05-21' as found",
    "it derives": "select store.derive_next() as found",
    "it tells trips and stops": "select store.move_next('0 s') as found",
    "its trips and stops": "select count(*)::int as found from store.unit_movements(1, '2020-05-20', '2020-05-21')",
    "its roll-up of what is derived": "select sum(position_count)::int as found from store.unit_track_rollup(1, "
    "to_timestamp(1590000000), to_timestamp(1590009000), 900)",
    "its chunks become columns": "select count(compress_chunk(c))::int > 0 as found from show_chunks('store.position') c",
    "its track in columns": "select count(*)::int as found from store.unit_track(1, '2020-01-01', '2021-01-01', 1000)",
    "a late row finds its place in columns": "with late as (insert into store.position (device_id, observed_at, received_at, "
    "lat_e7, lon_e7, quality, fix_hash) values (1, to_timestamp(1590000000.5), now(), 1, 1, 0, 1) on conflict do nothing "
    "returning 1) select count(*)::int as found from late",
    "its stretch is mended": "select store.mend_late(1, to_timestamp(1590000000), to_timestamp(1590000001)) is not null as found",
    "how the disk fills": "select store.note_disk()",
    "it filled": "select raw_bytes > 0 as found from store.disk_samples('2020-01-01')",
    "retention drops chunks": "select store.drop_old_partitions(1) > 0 as found",
    "nothing old is left": "select count(*)::int as found from store.position "
    "where observed_at < (now() at time zone 'UTC')::date - 2",
}


@pytest.fixture(scope="module")
def report() -> list[dict[str, Any]]:
    """What the TimescaleDB said to every step."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None:
        pytest.skip("NO TIMESCALEDB GATE: node is missing (20 or newer)")
    if not PACKAGE.is_dir():
        pytest.skip("NO TIMESCALEDB GATE: run `make timescale` to fetch the test's TimescaleDB")
    done = subprocess.run(
        [node, str(HERE / "gate.mjs")],
        input=json.dumps(_job()),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _job() -> dict[str, Any]:
    migrations = [
        {"name": step.name, "sql": _GRANT_ON_DATABASE.sub("", step.sql), "in_transaction": step.in_transaction}
        for step in load_migrations()
    ]
    events = [LinkLost(device_id=1, observed_us=START_US, received_us=START_US, silent_s=10.0)]
    return {
        "version_table": CREATE_VERSION_TABLE,
        "migrations": migrations,
        "queries": [{"name": f"{path.stem}/{name}", "sql": query} for path, name, query in all_queries()],
        "copies": [
            {
                "name": "positions",
                "into": _target("position", POSITION_COLUMNS),
                "base64": _text(copy_positions(_batch())),
            },
            {"name": "events", "into": _target("event", EVENT_COLUMNS), "base64": _text(copy_events(events))},
        ],
        "statements": [{"name": name, "sql": statement} for name, statement in STATEMENTS.items()],
    }


def _batch() -> Batch:
    batch = new_batch(ROW_COUNT)
    batch["device_id"] = 1
    batch["observed_us"] = START_US + np.arange(ROW_COUNT) * 1_000_000
    batch["received_us"] = batch["observed_us"]
    batch["lat_e7"] = 360_000_000 + np.arange(ROW_COUNT)
    batch["lon_e7"] = 1_030_000_000
    batch["speed_cmps"][::2] = 100
    batch["battery_pct"][::3] = 80
    hash_fixes(batch)
    return sort_for_storage(batch)


def _target(table: str, columns: tuple[str, ...]) -> str:
    return f"store.{table} ({', '.join(columns)})"


def _text(buffers: list[memoryview]) -> str:
    return base64.b64encode(b"".join(buffers)).decode()


def _of(report: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in report if entry["kind"] == kind}


@pytest.mark.parametrize("kind", ["migration", "query", "copy", "statement"])
def test_timescaledb_takes_every_step(report: list[dict[str, Any]], kind: str) -> None:
    steps = _of(report, kind)
    assert steps
    assert not {name: entry["error"] for name, entry in steps.items() if not entry["ok"]}


def test_history_in_a_hypertable_answers_as_history_in_partitions_does(report: list[dict[str, Any]]) -> None:
    rows = {name: entry["rows"][0] for name, entry in _of(report, "statement").items() if entry["rows"]}
    found = {name: row["found"] for name, row in rows.items() if "found" in row}
    assert found == {
        "is a hypertable": 1,
        "has no index but its identity": ["position_identity"],
        "partitions are its own business": 0,
        "rows of the copy": ROW_COUNT,
        "a replay adds nothing": 0,
        "a unit with a device": 1,
        "the scope": "service",
        "its track": ROW_COUNT,
        "its newest position": 1,
        "its roll-up": ROW_COUNT,
        "events come back": 1,
        "its roll-ups are continuous aggregates": ["position_minute", "position_quarter_hour"],
        "policies keep it": ["policy_compression", "policy_refresh_continuous_aggregate", "policy_retention"],
        "minutes are those of the rows": 0,
        "quarters hold every row": ROW_COUNT,
        "the line of derivation": True,
        "it derives": False,
        "it tells trips and stops": False,
        "its trips and stops": 1,
        "its roll-up of what is derived": ROW_COUNT,
        "its chunks become columns": True,
        "its track in columns": ROW_COUNT,
        "a late row finds its place in columns": 1,
        "its stretch is mended": True,
        "it filled": True,
        "retention drops chunks": True,
        "nothing old is left": 0,
    }


def test_a_newest_position_is_read_by_the_index_of_its_chunks(report: list[dict[str, Any]]) -> None:
    plan = json.dumps(_of(report, "statement")["the plan of a newest position"]["rows"])
    assert "position_identity" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan.replace("Sort Key", "")


def test_the_test_s_timescaledb_is_refused_in_production_and_taken_with_a_lowered_minimum(
    report: list[dict[str, Any]],
) -> None:
    version = _of(report, "facts")["timescaledb"]["rows"][0]["extversion"]
    with pytest.raises(MigrationError, match=r"older than 2\.29\.2"):
        require_timescale(version)
    require_timescale(version, LOWERED_MINIMUM)
