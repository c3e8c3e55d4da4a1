"""The whole way at once: terminals over TCP and vehicles over UDP, from another process, into the database, while browsers look on.

`skybeat serve` runs as it is run, with its embedded PostgreSQL; nothing is replaced. Two shapes of load, one after the other:
*live*: 500 terminals of JT/T 808 say where they are now, one position (0x0200) at a time, ten a second each, whatever we answer; *bulk*: the same 500
upload what they stored, 34 positions a frame (0x0704, of every other terminal marked as of a blind area), two frames in flight each,
as fast as they are acknowledged while no more than 200,000 rows wait for the database. Beside both, 100 MAVLink vehicles fly over UDP at 10 Hz from ten addresses, and 50 browsers hold the
console's websocket with all 600 units. What was acknowledged is then looked for in the table, row by row.
"""

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from console.bench import Figures
from console.bench.pipeline.frames import FIRST_LAT_E6, ROWS_A_BATCH, STEPS_E6
from console.bench.pipeline.house import Enrolled, House, enrol, running
from console.bench.pipeline.load import Plan, Said, speak
from infra.clock import SYSTEM_CLOCK
from telemetry.model.errors import UnavailableError

STORED_PER_S_GOAL: Final = 60_000.0
TERMINALS: Final = 500
LIVE_HZ: Final = 10.0
VEHICLES: Final = 100
VEHICLE_HZ: Final = 10.0
BROWSERS: Final = 50
UNSAVED_ROWS: Final = 200_000
DURATION_S: Final = 60.0
LIVE_SHARE: Final = 0.25
"""The live shape lasts so much of the bulk one's time."""
LOOK_EVERY_S: Final = 0.2
DRAINED_WITHIN_S: Final = 120.0
START_WITHIN_S: Final = 120.0
COMPARED_AT_MOST: Final = 30
HOUR_S: Final = 3_600


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What one shape of load gave."""

    lost: int
    doubled: int
    acknowledged: int
    stored: int
    stored_per_s: float
    p50_commit_ms: float
    p99_commit_ms: float
    udp_dropped: int
    refused: int
    frames_seen: int
    serve_cpu_us: float
    database_cpu_us: float
    load_cpu_us: float
    """CPU time a stored row."""


def run(*, runs: int, seed: int, duration_s: float = DURATION_S) -> Figures:
    """Run both shapes once; `duration_s` is the bulk one's. Raises UnavailableError when the house does not stand."""
    del runs, seed  # one long run; nothing is drawn
    with tempfile.TemporaryDirectory(prefix="skybeat-bench-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)
        enrolled = enrol(data_dir, terminals=TERMINALS, vehicles=VEHICLES)
        now_s = SYSTEM_CLOCK.now_us() // 1_000_000
        with running(data_dir) as house:
            live = measure(house, enrolled, duration_s=duration_s * LIVE_SHARE, first_s=now_s, rows_a_frame=1)
            bulk = measure(
                house, enrolled, duration_s=duration_s, first_s=now_s - 24 * HOUR_S, rows_a_frame=ROWS_A_BATCH
            )
            memory_mib = house.memory_mib()
    figures: dict[str, float | int | str | None] = {
        **msgspec.structs.asdict(bulk),
        **{f"live_{name}": value for name, value in msgspec.structs.asdict(live).items()},
        "memory_mib": memory_mib,
        "seconds": duration_s,
    }
    nothing = ("lost", "doubled", "live_lost", "live_doubled")
    return Figures(
        figures=figures, goals={"stored_per_s": (">=", STORED_PER_S_GOAL), **dict.fromkeys(nothing, ("<=", 0.0))}
    )


def measure(house: House, enrolled: Enrolled, *, duration_s: float, first_s: int, rows_a_frame: int) -> Shape:
    """Put one shape of load on the house and judge what came of it."""
    plan = Plan(
        phones=enrolled.phones,
        vehicles=VEHICLES,
        vehicle_hz=VEHICLE_HZ,
        browsers=BROWSERS,
        cookie=enrolled.cookie,
        console_port=house.console_port,
        jt808_port=house.jt808_port,
        mavlink_port=house.mavlink_port,
        duration_s=duration_s,
        first_s=first_s,
        rows_a_frame=rows_a_frame,
        rate_hz=LIVE_HZ,
        unsaved_rows=UNSAVED_ROWS,
    )
    context = multiprocessing.get_context("spawn")
    stored = context.Value("q", 0)
    ours, theirs = context.Pipe()
    process = context.Process(target=speak, args=(theirs, plan, stored), daemon=True)
    process.start()
    try:
        _receive(ours, START_WITHIN_S)
        return _measure(house, enrolled, plan, ours, stored)
    finally:
        process.terminate()
        process.join(5)


def _measure(house: House, enrolled: Enrolled, plan: Plan, ours: Connection, stored: "Synchronized[int]") -> Shape:
    before, cpu_before, began_us = house.rows_recorded(), house.cpu_s(), SYSTEM_CLOCK.now_us()
    began_s = time.monotonic()
    ours.send("go")
    while not ours.poll(LOOK_EVERY_S):
        stored.value = house.rows_recorded() - before
    said: Said = _receive(ours, 1.0)
    wanted = sum(said.rows_acknowledged) + said.datagrams_with_position
    recorded, took_s = _drained(house, before, wanted, began_s)
    serve_s, database_s = (after - earlier for after, earlier in zip(house.cpu_s(), cpu_before, strict=True))
    with psycopg.connect(house.owner_url) as connection:
        lost, doubled = _compare_at_rest(connection, enrolled, said, plan, began_us)
        flown, p50_ms, p99_ms = _flown_and_latency(connection, enrolled, began_us)
    per_row = 1e6 / max(1, recorded)
    return Shape(
        lost=lost,
        doubled=doubled,
        acknowledged=sum(said.rows_acknowledged),
        stored=recorded,
        stored_per_s=round(recorded / took_s),
        p50_commit_ms=round(p50_ms, 1),
        p99_commit_ms=round(p99_ms, 1),
        udp_dropped=said.datagrams_with_position - flown,
        refused=said.refused,
        frames_seen=said.frames_seen,
        serve_cpu_us=round(serve_s * per_row, 2),
        database_cpu_us=round(database_s * per_row, 2),
        load_cpu_us=round(said.cpu_s * per_row, 2),
    )


def _drained(house: House, before: int, wanted: int, began_s: float) -> tuple[int, float]:
    """Wait until all that was said is recorded, or nothing more comes; return the rows and when the last of them came."""
    recorded, at_s = house.rows_recorded() - before, time.monotonic()
    while recorded < wanted and time.monotonic() - at_s < 5.0 and time.monotonic() - began_s < DRAINED_WITHIN_S * 2:
        time.sleep(LOOK_EVERY_S / 4)
        now = house.rows_recorded() - before
        if now > recorded:
            recorded, at_s = now, time.monotonic()
    return recorded, at_s - began_s


def _compare_at_rest(
    connection: psycopg.Connection, enrolled: Enrolled, said: Said, plan: Plan, began_us: int
) -> tuple[int, int]:
    """Return what `_compare` finds once nothing changes any more: the recorder counts events among its rows."""
    found = before = (-1, -1)
    for _ in range(COMPARED_AT_MOST):
        found = _compare(connection, enrolled, said, plan, began_us)
        connection.rollback()
        if not found[0] or found == before:
            break
        before = found
        time.sleep(1.0)
    return found


def _compare(
    connection: psycopg.Connection, enrolled: Enrolled, said: Said, plan: Plan, began_us: int
) -> tuple[int, int]:
    """Return how many acknowledged rows are not in the table, and how many are there more than once; a row's place is its number."""
    query = """
        with said as (
            select * from unnest(%(ids)s::int[], %(rows)s::bigint[]) as said (device_id, acknowledged)
        ), found as (
            select position.device_id, position.lat_e7, count(*) as times,
                bool_and(position.lat_e7 < %(first_e7)s + said.acknowledged * %(step_e7)s) as was_acknowledged
            from store.position join said using (device_id)
            where position.received_at >= to_timestamp(%(began_s)s)
            group by 1, 2
        )
        select (select sum(acknowledged) from said) - count(*) filter (where was_acknowledged), coalesce(sum(times) - count(*), 0)
        from found
    """
    parameters = {
        "ids": list(enrolled.terminal_ids),
        "rows": list(said.rows_acknowledged),
        "first_e7": FIRST_LAT_E6 * 10,
        "step_e7": STEPS_E6[plan.rows_a_frame] * 10,
        "began_s": began_us / 1e6,
    }
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _flown_and_latency(connection: psycopg.Connection, enrolled: Enrolled, began_us: int) -> tuple[int, float, float]:
    """Return the vehicles' rows since the start, and how long rows waited from reception to commit (median, 99 %)."""
    query = """
        select count(*) filter (where device_id = any(%(ids)s)),
            percentile_cont(array[0.5, 0.99]) within group (
                order by extract(epoch from pg_xact_commit_timestamp(xmin) - received_at) * 1000.0
            )
        from store.position where received_at >= to_timestamp(%(began_s)s)
    """
    row: Any = connection.execute(query, {"ids": list(enrolled.vehicle_ids), "began_s": began_us / 1e6}).fetchone()
    return int(row[0]), float(row[1][0]), float(row[1][1])


def _receive(pipe: Connection, within_s: float) -> Any:  # noqa: ANN401 - what the other side sent
    if not pipe.poll(within_s):
        raise UnavailableError(f"the benchmark's load said nothing for {within_s:.0f} s")
    try:
        return pipe.recv()
    except EOFError as error:
        raise UnavailableError("the benchmark's load ended: see its words above") from error
