"""Recorded positions against what decoders give today: new ones are added, denied ones moved aside, and both mend what hangs on them."""

from typing import Any, Final

import msgspec
import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from infra.clock import Clock, utc_of
from telemetry.model.batch import REPORT, Batch, Quality, concatenate, new_batch, sort_for_storage, unknown_of
from telemetry.recording.copy_rows import POSITION_COLUMNS, say_times
from telemetry.recording.late_rows import HOUR_US, note_late
from telemetry.recording.partitions import DayPartitions, odd_times
from telemetry.recording.store import ODD_TIME, POSITION, insert_new

AROUND_US: Final = 26 * HOUR_US
"""How far from its arrival a row's own time is looked for: beyond any time zone; rows farther off are found by today's times."""
COMPARED: Final = (
    "speed_cmps", "climb_cmps", "heading_ddeg", "course_ddeg", "alt_msl_dm", "alt_hae_dm", "alt_home_dm", "accuracy_dm",
)  # fmt: skip
"""Values whose change makes another row of the same fix; what today's decoder does not know changes nothing."""
IDENTITY: Final = ("device_id", "observed_us", "fix_hash")
ARRIVAL: Final = ("device_id", "received_us", "fix_hash")
LONGEST_DRIFT_US: Final = 2_000_000
REASON: Final = "reprocessed: the decoder gives it no more, or with other values"
_FOUND: Final = """
select {columns} from {table}
where device_id = any(%(device_ids)s) and observed_at >= %(from_at)s and observed_at < %(to_at)s
  and received_at >= %(first_at)s and received_at <= %(last_at)s
"""
_MOVE: Final = """
with denied as (
    select * from unnest(%(device_ids)s::int[], %(times)s::timestamptz[], %(hashes)s::int[]) d (device_id, observed_at, fix_hash)
), moved as (
    delete from {table} p using denied d
    where p.device_id = d.device_id and p.observed_at = d.observed_at and p.fix_hash = d.fix_hash
    returning p.*
)
insert into store.position_superseded ({columns}, reason) select {columns}, %(reason)s from moved
"""


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What differs for one device."""

    rows_new: int = 0
    rows_superseded: int = 0

    def __add__(self, other: "Differences") -> "Differences":
        """Return both together."""
        return Differences(
            rows_new=self.rows_new + other.rows_new, rows_superseded=self.rows_superseded + other.rows_superseded
        )


class RecordedRows:
    """The owner's connection to store.position and its side tables."""

    def __init__(self, connection: psycopg.Connection[Any], clock: Clock, *, retention_days: int) -> None:
        self._connection = connection
        self._clock = clock
        self._retention_days = retention_days
        self._partitions = DayPartitions()

    def mend(self, given: Batch, arrivals: set[tuple[int, int]], *, is_dry_run: bool = False) -> dict[int, Differences]:
        """Make history say what `given` says for `arrivals`, pairs of device and time of arrival; return what differed by device.

        One transaction; a dry run changes nothing. Rows of other arrivals stay as they are. Raises psycopg.Error.
        """
        given = sort_for_storage(say_times(given))
        recorded = self._recorded(given, arrivals)
        new, denied = differences(given, recorded, arrivals)
        found = {
            int(device_id): Differences(
                rows_new=int((new["device_id"] == device_id).sum()),
                rows_superseded=int((denied["device_id"] == device_id).sum()),
            )
            for device_id in np.union1d(new["device_id"], denied["device_id"])
        }
        if found and not is_dry_run:
            self._write(new, denied)
        return found

    def _recorded(self, given: Batch, arrivals: set[tuple[int, int]]) -> Batch:
        if not arrivals and not len(given):
            return new_batch(0)
        received_us = [us for _, us in arrivals] + given["received_us"].tolist()
        first_us, last_us = min(received_us), max(received_us)
        from_us = min([first_us - AROUND_US, *given["observed_us"].tolist()])
        to_us = max([last_us + AROUND_US, *given["observed_us"].tolist()]) + 1
        parameters = {
            "device_ids": sorted({device for device, _ in arrivals} | set(given["device_id"].tolist())),
            "from_at": utc_of(from_us),
            "to_at": utc_of(to_us),
            "first_at": utc_of(first_us),
            "last_at": utc_of(last_us),
        }
        return concatenate([self._read(table, parameters) for table in (POSITION.name, ODD_TIME.name)])

    def _read(self, table: str, parameters: dict[str, Any]) -> Batch:
        query = sql.SQL(_FOUND).format(columns=_as_report(), table=sql.Identifier("store", table))
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(query, parameters)
            return np.array(cursor.fetchall(), REPORT)

    def _write(self, new: Batch, denied: Batch) -> None:
        odd = odd_times(new, self._clock.now_us(), self._retention_days)
        new["quality"][odd] |= np.int32(Quality.ODD_TIME)
        self._partitions.ensure(self._connection, new[~odd])
        with self._connection.transaction():
            note_late(self._connection, concatenate([new[~odd], denied]))
            if len(denied):
                for table in (POSITION.name, ODD_TIME.name):
                    self._move(table, denied)
            for target, rows in ((POSITION, new[~odd]), (ODD_TIME, new[odd])):
                if len(rows):
                    insert_new(self._connection, target, rows)

    def _move(self, table: str, denied: Batch) -> None:
        columns = sql.SQL(", ").join(map(sql.Identifier, POSITION_COLUMNS))
        parameters = {
            "device_ids": denied["device_id"].tolist(),
            "times": [*map(utc_of, denied["observed_us"].tolist())],
            "hashes": denied["fix_hash"].tolist(),
            "reason": REASON,
        }
        self._connection.execute(
            sql.SQL(_MOVE).format(columns=columns, table=sql.Identifier("store", table)), parameters
        )


def differences(given: Batch, recorded: Batch, arrivals: set[tuple[int, int]]) -> tuple[Batch, Batch]:
    """Return the rows of `given` that are to be added, and those of `recorded` that its arrivals no longer give.

    A row whose time was estimated is the same as one of the same device, arrival and fix within two seconds. Of the same fix
    with another value the recorded row is denied and the given one added. About 3 us a row.
    """
    match = _matches(given, recorded)
    is_known = match >= 0
    has_arrived = np.array(
        [arrival in arrivals for arrival in _columns(recorded, "device_id", "received_us")], np.bool_
    )
    is_changed = np.zeros(len(given), np.bool_)
    for column in COMPARED:
        said, before = given[column][is_known], recorded[column][match[is_known]]
        is_changed[is_known] |= (said != before) & (said != unknown_of(column))
    is_changed[is_known] &= has_arrived[match[is_known]]
    is_confirmed = np.zeros(len(recorded), np.bool_)
    is_confirmed[match[is_known & ~is_changed]] = True
    return given[~is_known | is_changed], recorded[has_arrived & ~is_confirmed]


def _matches(given: Batch, recorded: Batch) -> NDArray[np.int64]:
    """Return for each given row the index of the recorded row that is the same, -1 for none."""
    known = {key: index for index, key in enumerate(_columns(recorded, *IDENTITY))}
    match = np.array([known.get(key, -1) for key in _columns(given, *IDENTITY)], np.int64)
    unsure = np.flatnonzero((match < 0) & (given["quality"] & np.int32(Quality.TIME_ESTIMATED) != 0))
    if len(unsure):
        near = {key: index for index, key in enumerate(_columns(recorded, *ARRIVAL))}
        found = np.array([near.get(key, -1) for key in _columns(given[unsure], *ARRIVAL)], np.int64)
        drift_us = np.abs(recorded["observed_us"][found] - given["observed_us"][unsure]) if len(recorded) else found
        match[unsure] = np.where((found >= 0) & (drift_us < LONGEST_DRIFT_US), found, -1)
    return match


def _columns(batch: Batch, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(batch[name].tolist() for name in names), strict=True))


def _as_report() -> sql.Composed:
    """Return store.position's columns as the fields of REPORT: times in microseconds, NULL as the type's smallest value."""
    return sql.SQL(", ").join(map(_field, REPORT.names or ()))


def _field(name: str) -> sql.Composable:
    if name in {"observed_us", "received_us"}:
        column = sql.Identifier(name.replace("_us", "_at"))
        return sql.SQL("(extract(epoch from {}) * 1000000)::bigint").format(column)
    if name in {"device_id", "quality", "fix_hash"}:
        return sql.Identifier(name)
    return sql.SQL("coalesce({}, {})").format(sql.Identifier(name), sql.Literal(unknown_of(name)))
