"""The recorder: takes what the journal holds to the database, in sorted batches, each exactly once."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import psycopg

from infra.clock import Clock
from infra.journal import Journal, Position, Run
from infra.journal_segment import write_durably
from infra.logs import get_logger
from infra.metrics import COPY_S, JOURNAL_BYTES, POSITIONS_RECORDED, RECORDER_LAG_S
from infra.settings import Settings
from telemetry.model.batch import Quality, sort_for_storage
from telemetry.recording.copy_rows import copy_positions, say_times
from telemetry.recording.journal_records import ROW_BYTES, Refused, decode_runs
from telemetry.recording.partitions import odd_times
from telemetry.recording.store import AlreadyRecordedError, Group, RecorderStore, Written, reason_of

ROWS_A_BATCH: Final = 10_000
INTERVAL_S: Final = 0.2
WATERMARK_INTERVAL_S: Final = 1.0
HOUSEKEEPING_INTERVAL_S: Final = 3600.0
HOUSEKEEPING_RETRY_S: Final = 60.0
FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 15.0
SET_ASIDE_BYTES: Final = 256 << 20
_log: Final = get_logger("recorder")


class _Step(NamedTuple):
    """A look into the journal: the group that waits, None for nothing, when that was, whether it was all there was."""

    group: Group | None
    looked_at_s: float
    is_last: bool = True


class Recorder:
    """Reads the journal from its watermark and writes it to the database; a dead database delays nothing but itself.

    `rows_recorded`, `rows_known` (had already), `rows_odd`, `rows_set_aside` count since the start; `last_error` says what
    is wrong at the moment, None when nothing is.
    """

    def __init__(self, journal: Journal, writer_url: str, settings: Settings, clock: Clock) -> None:
        self._journal = journal
        self._store = RecorderStore(writer_url)
        self._clock = clock
        self._retention_days = settings.raw_retention_days
        self._position: Position = journal.watermark
        self._ahead: list[Run] = []
        self._taken_through = self._position
        self._ledger_read_of: int | None = None
        self._drained_at_s = self._watermark_at_s = clock.monotonic_s()
        self._housekeeping_at_s = -HOUSEKEEPING_INTERVAL_S
        self._stopping = False
        self._delay_s = FIRST_DELAY_S
        self.rows_recorded = 0
        self.rows_known = 0
        self.rows_odd = 0
        self.rows_set_aside = 0
        self.last_error: str | None = None

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that is durable in the journal is in the database."""
        return self._position >= (self._journal.epoch, self._journal.durable_through)

    @property
    def lag_s(self) -> float:
        """For how long at most a durable row has been waiting for the database; 0 when none waits."""
        return 0.0 if self.is_caught_up else max(0.0, self._clock.monotonic_s() - self._drained_at_s)

    async def run(self) -> None:
        """Record until cancelled; the database's absence is answered by trying again."""
        self._stopping = False
        try:
            while not self._stopping:
                delay_s = await self._turn()
                await asyncio.sleep(delay_s)
        finally:
            await asyncio.to_thread(self.close)

    async def _turn(self) -> float:
        started_s = self._clock.monotonic_s()
        work = asyncio.ensure_future(asyncio.to_thread(self.record_what_waits))
        try:
            is_well = await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stopping = True
            await asyncio.wait({work}, timeout=10)
            raise
        RECORDER_LAG_S.set(self.lag_s)
        JOURNAL_BYTES.set(self._journal.used_bytes)
        if is_well:
            return max(0.0, INTERVAL_S - (self._clock.monotonic_s() - started_s))
        return self._next_delay_s()

    def _next_delay_s(self) -> float:
        delay_s, self._delay_s = self._delay_s, min(self._delay_s * 2, LONGEST_DELAY_S)
        return delay_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter keeps no secret

    def record_what_waits(self) -> bool:
        """Write all that is durable, in this thread; return whether the database took it."""
        self._rewind()
        try:
            self._keep_house()
            self._record_groups()
            self._remember_position(at_most_every_s=WATERMARK_INTERVAL_S)
        except psycopg.Error as error:
            self._note_loss(reason_of(error))
            return False
        self._note_recovery()
        return True

    def close(self) -> None:
        """Remember how far the work is and let go of the database."""
        self._remember_position(at_most_every_s=0.0)
        self._store.close()

    def _record_groups(self) -> None:
        """Write group after group; while the database has one, a second thread makes the one after it ready."""
        with ThreadPoolExecutor(1, "recorder") as ahead:
            step = self._next_step()
            while step.group is not None and not self._stopping:
                following = None if step.is_last else ahead.submit(self._next_step)
                is_written = not self._skip_recorded(step.group) and self._write_group(step.group)
                looked = following.result() if following else _Step(None, step.looked_at_s)
                self._remember_position(at_most_every_s=WATERMARK_INTERVAL_S)
                if not is_written:
                    self._rewind()
                    looked = self._next_step()
                step = looked
        if step.group is None:
            self._drained_at_s = step.looked_at_s
            self._position = max(self._position, (self._journal.epoch, 0))

    def _next_step(self) -> _Step:
        """Look what waits; what comes after a group that is not full waits for the next turn, or each commit would be small."""
        looked_at_s = self._clock.monotonic_s()
        runs, is_last = self._take_runs()
        return _Step(self._make_group(runs) if runs else None, looked_at_s, is_last)

    def _write_group(self, group: Group) -> bool:
        """Commit one group; False when the ledger has it already."""
        started_s = self._clock.monotonic_s()
        name = f"{group.epoch:020d}-{group.first_sequence:020d}"
        try:
            self._set_aside(f"{name}-records", group.refused)
            written = self._store.write(group, lambda refused: self._set_aside(f"{name}-rows", refused))
        except AlreadyRecordedError:
            self._ledger_read_of = None
            return False
        self._position = (group.epoch, group.last_sequence)
        self._count(group, written, self._clock.monotonic_s() - started_s)
        return True

    def _skip_recorded(self, group: Group) -> bool:
        """Go on after what the ledger has: once an epoch and connection; a commit whose answer was lost is found here."""
        if self._ledger_read_of == group.epoch:
            return False
        recorded = self._store.recorded_through(group.epoch)
        self._ledger_read_of = group.epoch
        if recorded < group.first_sequence:
            return False
        self._position = (group.epoch, recorded)
        return True

    def _take_runs(self) -> tuple[list[Run], bool]:
        """Return the next journal records of one epoch, together a batch or what there is, and whether they were the last."""
        taken: list[Run] = []
        missing_bytes = ROWS_A_BATCH * ROW_BYTES
        while missing_bytes > 0:
            self._ahead = self._ahead or self._journal.read_runs(after=self._taken_through, limit=ROWS_A_BATCH)
            if not self._ahead:
                return taken, True
            if taken and self._ahead[0].epoch != taken[0].epoch:
                break
            run, rest = self._ahead[0].split(-(-missing_bytes // max(1, self._ahead[0].record_bytes)))
            assert run is not None
            self._ahead[:1] = [rest] if rest else []
            taken.append(run)
            missing_bytes -= len(run.payload)
            self._taken_through = run.epoch, run.last_sequence
        return taken, False

    def _rewind(self) -> None:
        self._ahead = []
        self._taken_through = self._position

    def _make_group(self, runs: list[Run]) -> Group:
        batch, events, refused = decode_runs(runs)
        rows = sort_for_storage(say_times(batch))
        odd = odd_times(rows, self._clock.now_us(), self._retention_days)
        odd_rows = rows[odd]
        odd_rows["quality"] |= np.int32(Quality.ODD_TIME)
        rows = rows[~odd] if len(odd_rows) else rows
        return Group(
            epoch=runs[0].epoch,
            first_sequence=runs[0].first_sequence,
            last_sequence=runs[-1].last_sequence,
            rows=rows,
            rows_encoded=copy_positions(rows),
            odd_rows=odd_rows,
            events=events,
            refused=tuple(refused),
        )

    def _count(self, group: Group, written: Written, duration_s: float) -> None:
        self.rows_recorded += written.new_count
        self.rows_known += written.known_count
        self.rows_odd += len(group.odd_rows)
        POSITIONS_RECORDED.inc(written.position_count)
        COPY_S.observe(duration_s)

    def _remember_position(self, *, at_most_every_s: float) -> None:
        now_s = self._clock.monotonic_s()
        if self._position <= self._journal.watermark or now_s - self._watermark_at_s < at_most_every_s:
            return
        self._watermark_at_s = now_s
        self._journal.advance(*self._position)

    def _keep_house(self) -> None:
        """Once an hour: partitions of the next days, an end to those past the retention, and to old ledger rows."""
        now_s = self._clock.monotonic_s()
        if now_s - self._housekeeping_at_s < HOUSEKEEPING_INTERVAL_S:
            return
        connection = self._store.connection()
        try:
            dropped = self._store.partitions.keep_house(connection, self._clock.now_us())
            connection.execute("select store.prune_ingest_ledger(%s, %s)", self._journal.watermark)
        except psycopg.Error as error:
            if connection.closed:
                raise
            self._housekeeping_at_s = now_s - HOUSEKEEPING_INTERVAL_S + HOUSEKEEPING_RETRY_S
            _log.warning("housekeeping_failed", error=reason_of(error), again_in_s=HOUSEKEEPING_RETRY_S)
            return
        self._housekeeping_at_s = now_s
        if dropped:
            _log.info("old_partitions_dropped", dropped=dropped, retention_days=self._retention_days)

    def _set_aside(self, name: str, refused: tuple[Refused, ...]) -> None:
        if not refused:
            return
        folder = self._journal.directory / "set_aside"
        folder.mkdir(mode=0o700, exist_ok=True)
        if _folder_bytes(folder) < SET_ASIDE_BYTES:
            write_durably(folder / f"{name}.msgpack", msgspec.msgpack.encode(refused))
        self.rows_set_aside += len(refused)
        _log.error("rows_set_aside", count=len(refused), file=f"{name}.msgpack", reason=refused[0].reason)

    def _note_loss(self, reason: str) -> None:
        self._rewind()
        self._ledger_read_of = None
        if self.last_error is None:
            _log.error("database_away", error=reason)
        self.last_error = reason

    def _note_recovery(self) -> None:
        self._delay_s = FIRST_DELAY_S
        if self.last_error is not None:
            _log.info("database_back")
            self.last_error = None


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
