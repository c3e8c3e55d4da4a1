"""The recorder's side of the database: one connection, one transaction a group of journal records, nothing twice."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg import errors, sql

from telemetry.model.batch import Batch
from telemetry.model.events import AnyEvent
from telemetry.recording.copy_rows import (
    EVENT_COLUMNS,
    EVENT_TYPES,
    POSITION_COLUMNS,
    POSITION_TYPES,
    copy_events,
    copy_positions,
)
from telemetry.recording.journal_records import Refused
from telemetry.recording.late_rows import note_late
from telemetry.recording.partitions import DayPartitions

CONNECT_TIMEOUT_S: Final = 5
_CONNECTION: Final = {
    "application_name": "skybeat recorder",
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
BadDataError: Final = (psycopg.DataError, psycopg.IntegrityError)
"""What the rows are to blame for; everything else is the database's state."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive journal records of one epoch that are written as one: sorted rows, rows of odd times, events.

    `rows_encoded` are the rows as COPY wants them; `refused` are records that are neither.
    """

    epoch: int
    first_sequence: int
    last_sequence: int
    rows: Batch
    rows_encoded: Sequence[memoryview]
    odd_rows: Batch
    events: tuple[AnyEvent, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def row_count(self) -> int:
        """Rows and events of the group."""
        return len(self.rows) + len(self.odd_rows) + len(self.events)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a group became: rows and events that are new in the database (of them positions), and those it had."""

    new_count: int
    position_count: int
    known_count: int = 0


class AlreadyRecordedError(Exception):
    """The ledger has a group that begins here: read the ledger again and go on after it."""


class _Table(NamedTuple):
    """How rows get into one table; `name` is also the staging table's."""

    schema: str
    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    encode: Callable[[Any], Sequence[memoryview]]

    def copy_into(self, target: sql.Composable) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("copy {} ({}) from stdin (format binary)").format(target, columns)

    @property
    def target(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def staging(self) -> sql.Identifier:
        return sql.Identifier(f"staging_{self.name}")

    @property
    def make_staging(self) -> sql.Composed:
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in zip(self.columns, self.types, strict=True)
        ]
        return sql.SQL("create temp table if not exists {} ({}) on commit delete rows").format(
            self.staging, sql.SQL(", ").join(columns)
        )

    @property
    def insert_new(self) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("insert into {} ({}) select {} from {} on conflict do nothing").format(
            self.target, columns, columns, self.staging
        )


POSITION: Final = _Table("store", "position", POSITION_COLUMNS, POSITION_TYPES, copy_positions)
ODD_TIME: Final = _Table("store", "position_odd_time", POSITION_COLUMNS, POSITION_TYPES, copy_positions)
_EVENT: Final = _Table("store", "event", EVENT_COLUMNS, EVENT_TYPES, copy_events)
_CLAIM: Final = (
    "insert into store.ingest_ledger (journal_epoch, first_sequence, last_sequence, row_count) "
    "values (%s, %s, %s, %s) on conflict do nothing"
)
_RECORDED_THROUGH: Final = (
    "select last_sequence from store.ingest_ledger where journal_epoch = %s order by first_sequence desc limit 1"
)


class RecorderStore:
    """The writer's connection; used by one thread. Every method raises psycopg.Error when the database is away or wrong."""

    def __init__(self, writer_url: str) -> None:
        self._writer_url = writer_url
        self._connection: psycopg.Connection[Any] | None = None
        self.partitions = DayPartitions()

    def recorded_through(self, epoch: int) -> int:
        """Return the last journal sequence of this epoch that the ledger has; 0 when it has none."""
        row = self.connection().execute(_RECORDED_THROUGH, (epoch,)).fetchone()
        return int(row[0]) if row else 0

    def connection(self) -> psycopg.Connection[Any]:
        """Return the open connection, made anew when the last one broke."""
        if self._connection is None or self._connection.closed:
            self.partitions.forget()
            self._connection = psycopg.connect(self._writer_url, autocommit=True, **_CONNECTION)  # type: ignore[arg-type]
            self._connection.execute("set synchronous_commit = on")
            self._connection.execute("set lock_timeout = '30s'")
            self._connection.execute("set statement_timeout = '120s'")
        return self._connection

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, group: Group, keep_refused: Callable[[tuple[Refused, ...]], None]) -> Written:
        """Write a group and its ledger row in one transaction, as fast as its rows allow.

        Optimistic COPY first; when a row is known already, staging and ON CONFLICT DO NOTHING; when a row is refused for what
        it is, halving until that row is found; `keep_refused` gets those before the commit. Raises AlreadyRecordedError when
        the ledger has this group.
        """
        connection = self.connection()
        self.partitions.ensure(connection, group.rows)
        try:
            return self._write_directly(connection, group)
        except errors.UniqueViolation:
            pass
        except BadDataError:
            return self._write_by_halving(connection, group, keep_refused)
        try:
            return self._write_staged(connection, group)
        except BadDataError:
            return self._write_by_halving(connection, group, keep_refused)

    def _claim(self, connection: psycopg.Connection[Any], group: Group) -> None:
        """Write the group's ledger row, and note which of its rows belong to a time that is derived already."""
        row = (group.epoch, group.first_sequence, group.last_sequence, group.row_count)
        if connection.execute(_CLAIM, row).rowcount == 0:
            raise AlreadyRecordedError
        note_late(connection, group.rows)

    def _write_directly(self, connection: psycopg.Connection[Any], group: Group) -> Written:
        with connection.transaction():
            self._claim(connection, group)
            for table, rows in _parts(group):
                encoded = group.rows_encoded if rows is group.rows else table.encode(rows)
                _copy(connection, table.copy_into(table.target), encoded)
        return Written(new_count=group.row_count, position_count=len(group.rows) + len(group.odd_rows))

    def _write_staged(self, connection: psycopg.Connection[Any], group: Group) -> Written:
        with connection.transaction():
            self._claim(connection, group)
            counts = {table: insert_new(connection, table, rows) for table, rows in _parts(group)}
        return _written(group, counts)

    def _write_by_halving(
        self, connection: psycopg.Connection[Any], group: Group, keep_refused: Callable[[tuple[Refused, ...]], None]
    ) -> Written:
        self.partitions.forget()
        self.partitions.ensure(connection, group.rows)
        refused: list[Refused] = []
        with connection.transaction():
            self._claim(connection, group)
            counts = {table: _insert_what_goes(connection, table, rows, refused) for table, rows in _parts(group)}
            keep_refused(tuple(refused))
        return _written(group, counts, refused_count=len(refused))


def _written(group: Group, counts: dict[_Table, int], *, refused_count: int = 0) -> Written:
    new_count = sum(counts.values())
    return Written(
        new_count=new_count,
        position_count=new_count - counts.get(_EVENT, 0),
        known_count=group.row_count - new_count - refused_count,
    )


def _parts(group: Group) -> list[tuple[_Table, Any]]:
    parts = [(POSITION, group.rows), (ODD_TIME, group.odd_rows), (_EVENT, group.events)]
    return [(table, rows) for table, rows in parts if len(rows)]


def _copy(connection: psycopg.Connection[Any], statement: sql.Composed, buffers: Sequence[memoryview]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for buffer in buffers:
            copy.write(buffer)


def insert_new(connection: psycopg.Connection[Any], table: _Table, rows: Any) -> int:  # noqa: ANN401 - a batch or events
    """Insert rows by staging, those that are known left out; return how many were new. Raises psycopg.Error."""
    connection.execute(table.make_staging)
    connection.execute(sql.SQL("truncate {}").format(table.staging))
    _copy(connection, table.copy_into(table.staging), table.encode(rows))
    return connection.execute(table.insert_new).rowcount


def _insert_what_goes(
    connection: psycopg.Connection[Any],
    table: _Table,
    rows: Any,  # noqa: ANN401 - a batch or events
    refused: list[Refused],
) -> int:
    try:
        with connection.transaction():
            return insert_new(connection, table, rows)
    except BadDataError as error:
        if len(rows) == 1:
            refused.append(Refused(table.name, _bytes_of(rows), reason_of(error)))
            return 0
    middle = len(rows) // 2
    return _insert_what_goes(connection, table, rows[:middle], refused) + _insert_what_goes(
        connection, table, rows[middle:], refused
    )


def _bytes_of(rows: Any) -> bytes:  # noqa: ANN401 - a batch or events
    return msgspec.msgpack.encode(rows) if isinstance(rows, tuple) else bytes(rows.tobytes())


def reason_of(error: psycopg.Error) -> str:
    """Return what the database says, without the row's values: a log never holds a place."""
    said = error.diag.message_primary or str(error).splitlines()[0]
    return f"{said} ({error.sqlstate})" if error.sqlstate else said
