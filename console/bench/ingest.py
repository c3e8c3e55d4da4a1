"""How fast rows get into the database: the recorder's way against raw COPY, the encoder, and the whole way from the wire."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from console.bench import Figures
from infra.clock import SYSTEM_CLOCK
from infra.database import with_role
from infra.journal import Journal
from infra.migrate import migrate
from infra.postgres import EmbeddedServer
from infra.settings import Settings, load_settings
from telemetry.links.turns import merge
from telemetry.model.batch import NULLABLE, Batch, hash_fixes, new_batch, unknown_of
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import Device, Service, Unit, UnitKind
from telemetry.recording.copy_rows import POSITION_COLUMNS, copy_positions
from telemetry.recording.journal_records import KIND_BATCH
from telemetry.recording.recorder import ROWS_A_BATCH, Recorder
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import encode
from telemetry.tracking.tracker import Tracker

WALL_RATIO_GOAL: Final = 0.25
ENCODE_US_PER_ROW_GOAL: Final = 0.4
DEVICES: Final = 2_000
BATCHES_A_RUN: Final = 10
WHOLE_NULLS: Final = (0, 4, 8)
"""Drone, vehicle, handset: by how many columns each says less than the one before."""
VEHICLES: Final = 100
ROUNDS: Final = 200
ROUND_US: Final = 100_000
WAYS: Final = ("raw", "recorder", "encoded")
_RAW_TABLE: Final = "bench_raw_position"


def run(*, runs: int, seed: int) -> Figures:
    """Measure pairs on a private server, or in a database of its own on that of SKYBEAT_DATABASE_URL.

    Raises UnavailableError when neither can be had.
    """
    random = np.random.default_rng(seed)
    figures: dict[str, float | int | str | None] = {
        "encode_us_per_row": round(_encode_us_per_row(random, 3, runs), 4),
        "encode_us_per_row_no_nulls": round(_encode_us_per_row(random, 1, runs), 4),
    }
    with _database() as (owner_url, writer_url), tempfile.TemporaryDirectory(prefix="skybeat-bench-") as folder:
        bench = _Bench(owner_url, writer_url, Path(folder), random)
        figures |= bench.pairs(runs)
        figures |= bench.whole_way(runs)
    return Figures(
        figures=figures,
        goals={"wall_ratio": (">=", WALL_RATIO_GOAL), "encode_us_per_row": ("<=", ENCODE_US_PER_ROW_GOAL)},
    )


class _Bench:
    """The measurements that need a database."""

    def __init__(self, owner_url: str, writer_url: str, folder: Path, random: np.random.Generator) -> None:
        self._owner_url = owner_url
        self._writer_url = writer_url
        self._folder = folder
        self._random = random
        self._first_us = SYSTEM_CLOCK.now_us() - 20 * 86_400_000_000

    def pairs(self, runs: int) -> dict[str, float]:
        """Time raw COPY and the recorder on the same batches and commits, each run in both orders; medians of runs.

        Raw: encode and COPY into a table without an index. Recorder: read the journal (one record a row, the dearest case),
        sort, encode, COPY with the final key, ledger row. `wall_ratio_encoded` is the stricter reading, against COPY of bytes
        made beforehand: 0.23 to 0.34 on two shared cores, so reported and no goal. The unique index alone takes 2.5 times raw's
        time in the server.
        """
        with psycopg.connect(self._owner_url) as raw, self._recorder("pairs") as (journal, recorder):
            raw.execute("set synchronous_commit = on")
            raw.execute(f"create table {_RAW_TABLE} (like store.position)".encode())
            raw.commit()
            self._pair(raw, journal, recorder, WAYS)
            pairs = [self._both_orders(raw, journal, recorder) for _ in range(runs)]
        rows = 2 * BATCHES_A_RUN * ROWS_A_BATCH
        return {
            "wall_ratio_encoded": round(median(pair["encoded"] / pair["recorder"] for pair in pairs), 3),
            "wall_ratio": round(median(pair["raw"] / pair["recorder"] for pair in pairs), 3),
            "raw_rows_per_s": round(rows / median(pair["raw"] for pair in pairs)),
            "recorder_rows_per_s": round(rows / median(pair["recorder"] for pair in pairs)),
        }

    def _both_orders(self, raw: psycopg.Connection, journal: Journal, recorder: Recorder) -> dict[str, float]:
        """Return seconds by way over both orders: the first way after the pause is slower than the last, whichever it is."""
        forth, back = (self._pair(raw, journal, recorder, order) for order in (WAYS, WAYS[::-1]))
        return {way: forth[way] + back[way] for way in WAYS}

    def _pair(
        self, raw: psycopg.Connection, journal: Journal, recorder: Recorder, order: Sequence[str]
    ) -> dict[str, float]:
        batches = [self._next_batch() for _ in range(BATCHES_A_RUN)]
        encoded = [copy_positions(batch) for batch in batches]
        _journal_rows(journal, np.concatenate(batches))
        ways: dict[str, Callable[[], None]] = {
            "raw": lambda: _copy_raw(raw, map(copy_positions, batches)),
            "recorder": lambda: _record(recorder),
            "encoded": lambda: _copy_raw(raw, encoded),
        }
        return {way: _timed(ways[way]) for way in order}

    def _next_batch(self) -> Batch:
        self._first_us += ROWS_A_BATCH // DEVICES * 1_000_000
        return sample_batch(self._random, ROWS_A_BATCH, 3, self._first_us)

    @contextmanager
    def _recorder(self, name: str) -> Iterator[tuple[Journal, Recorder]]:
        journal = Journal.open(self._folder / name)
        recorder = Recorder(journal, self._writer_url, Settings(), SYSTEM_CLOCK)
        try:
            yield journal, recorder
        finally:
            recorder.close()
            journal.close()

    def whole_way(self, runs: int) -> dict[str, float]:
        """Time MAVLink datagrams from decoder over tracker and journal to the commit, those of a round as one, as links do."""
        with self._recorder("whole") as (journal, recorder):
            seconds = []
            for number in range(runs):
                now_us = SYSTEM_CLOCK.now_us() - (runs - number) * 2 * ROUNDS * ROUND_US
                datagrams = _datagrams(number * 2 * ROUNDS)
                seconds.append(_timed(lambda: _receive(datagrams, now_us, journal, recorder)))  # noqa: B023 - called at once
            if recorder.rows_recorded != runs * ROUNDS * VEHICLES:
                message = (
                    f"{recorder.rows_recorded} rows recorded of {runs * ROUNDS * VEHICLES} sent: the benchmark is wrong"
                )
                raise UnavailableError(message)
        return {"rows_per_s": round(ROUNDS * VEHICLES / median(seconds))}


def sample_batch(random: np.random.Generator, row_count: int, null_patterns: int, first_us: int) -> Batch:
    """Return rows of DEVICES devices at 1 Hz in the order of arrival, whose NULLs follow `null_patterns` patterns."""
    batch = new_batch(row_count)
    batch["device_id"] = np.arange(row_count) % DEVICES + 1
    batch["observed_us"] = (
        first_us + np.arange(row_count) // DEVICES * 1_000_000 + random.integers(0, 999_999, row_count)
    )
    batch["received_us"] = batch["observed_us"] + 50_000
    for column in NULLABLE:
        batch[column] = random.integers(0, 100, row_count)
    batch["lat_e7"] += 360_600_000
    batch["lon_e7"] += random.integers(1_036_000_000, 1_040_000_000, row_count, np.int32)
    for pattern in range(1, null_patterns):
        for column in NULLABLE[2:][-WHOLE_NULLS[pattern] :]:
            batch[column][batch["device_id"] % null_patterns == pattern] = unknown_of(column)
    hash_fixes(batch)
    return batch


def _encode_us_per_row(random: np.random.Generator, null_patterns: int, runs: int) -> float:
    batch = sample_batch(random, ROWS_A_BATCH, null_patterns, 1_790_000_000_000_000)
    timings = []
    for _ in range(max(runs, 3) * 5):
        started_s = time.process_time()
        copy_positions(batch)
        timings.append(time.process_time() - started_s)
    return median(timings) / ROWS_A_BATCH * 1e6


def _journal_rows(journal: Journal, rows: Batch) -> None:
    """One record a row, as lone datagrams make them: the dearest case for the recorder."""
    data, width = rows.tobytes(), rows.itemsize
    for start in range(0, len(data), width):
        sequence = journal.append(KIND_BATCH, data[start : start + width])
    journal.wait_durable(sequence)


def _copy_raw(raw: psycopg.Connection, encoded: Iterable[list[memoryview]]) -> None:
    statement = f"copy {_RAW_TABLE} ({', '.join(POSITION_COLUMNS)}) from stdin (format binary)".encode()
    for buffers in encoded:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for buffer in buffers:
                copy.write(buffer)
        raw.commit()


def _record(recorder: Recorder) -> None:
    if not recorder.record_what_waits():
        message = f"the benchmark's database refused the rows: {recorder.last_error}"
        raise UnavailableError(message)


def _datagrams(first_round: int) -> list[list[bytes]]:
    """Return rounds of datagrams: every vehicle's position, and each tenth round its heartbeat."""
    rounds = []
    for number in range(first_round, first_round + ROUNDS):
        datagrams = []
        for system_id in range(1, VEHICLES + 1):
            if number % 10 == 0:
                datagrams.append(
                    _frame(system_id, "HEARTBEAT", number, {"type": 2, "autopilot": 3, "mavlink_version": 3})
                )
            place = {
                "time_boot_ms": 60_000 + number * ROUND_US // 1000,
                "lat": 360_600_000 + number,
                "lon": 1_038_000_000,
            }
            datagrams.append(_frame(system_id, "GLOBAL_POSITION_INT", number, place))
        rounds.append(datagrams)
    return rounds


def _frame(system_id: int, message: str, number: int, fields: dict[str, int]) -> bytes:
    sequence = number * 2 + (message == "HEARTBEAT")
    return encode(message, {**fields}, system_id=system_id, component_id=1, sequence=sequence & 255)


def _receive(rounds: list[list[bytes]], now_us: int, journal: Journal, recorder: Recorder) -> None:
    registry = RegistryTable()
    for number in range(1, VEHICLES + 1):
        device = Device(device_id=10_000 + number, protocol="mavlink", address=f"bench/{number}")
        unit = Unit(unit_id=number, call_sign=f"B{number}", kind=UnitKind.DRONE, service=Service.AIR)
        registry.register(device, unit, 0)
    decoder, tracker = MavlinkDecoder(registry, "bench", allow_unsigned=True), Tracker(registry)
    sequence = 0
    for datagrams in rounds:
        now_us += ROUND_US
        output = merge([decoder.feed(datagram, now_us) for datagram in datagrams])
        if len(output.batch):
            tracked = tracker.apply(output.batch, now_us)
            sequence = journal.append(KIND_BATCH, tracked.batch.tobytes())
    journal.wait_durable(sequence)
    _record(recorder)


def _timed(work: Callable[[], None]) -> float:
    started_s = SYSTEM_CLOCK.monotonic_s()
    work()
    return SYSTEM_CLOCK.monotonic_s() - started_s


@contextmanager
def _database() -> Iterator[tuple[str, str]]:
    """Give the owner's and the writer's URL of an empty migrated database that nobody else uses."""
    given = load_settings().database_url
    if given is not None:
        with _database_on(given.get_secret_value()) as urls:
            yield urls
        return
    with tempfile.TemporaryDirectory(prefix="skybeat-bench-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "server") as server:
            migrate(server.urls.owner)
            yield server.urls.owner, server.urls.writer


@contextmanager
def _database_on(url: str) -> Iterator[tuple[str, str]]:
    name = f"skybeat_bench_{os.getpid()}"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        message = (
            f"the benchmark needs a database of its own on SKYBEAT_DATABASE_URL ({error}): grant CREATEDB or unset it"
        )
        raise UnavailableError(message) from error
    own_url = make_conninfo(url, dbname=name)
    try:
        migrate(own_url)
        yield own_url, with_role(own_url, "skybeat_writer")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
