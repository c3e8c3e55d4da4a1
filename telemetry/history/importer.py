"""Recorded flights into the archive: a .tlog's figures, and its positions once however often it is imported."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from infra.clock import utc_of
from telemetry.model.batch import Batch, concatenate, sort_for_storage
from telemetry.recording.copy_rows import POSITION_COLUMNS, POSITION_TYPES, copy_positions, say_times
from telemetry.registry.enrolment import ensure_device
from telemetry.sources.tlog import Recording, batch_of, parse, read_bytes, survey

NAME_DIGITS: Final = 12
"""How much of a file's SHA-256 names its vehicles."""

_ADD_FLIGHT: Final = (
    "insert into store.flight (file_sha256, file_name, first_at, last_at, frames_good, frames_bad, positions, detail) "
    "values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (file_sha256) do nothing returning flight_id"
)
_FIND_FLIGHT: Final = "select flight_id from store.flight where file_sha256 = %s"
_COLUMNS: Final = sql.SQL(", ").join(map(sql.Identifier, POSITION_COLUMNS))
_STAGING: Final = sql.SQL("create temp table staging_flight ({}) on commit drop").format(
    sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in zip(POSITION_COLUMNS, POSITION_TYPES, strict=True)
    )
)
_COPY: Final = sql.SQL("copy staging_flight ({}) from stdin (format binary)").format(_COLUMNS)
_INSERT_NEW: Final = sql.SQL(
    "insert into store.flight_position (flight_id, {}) select %s, {} from staging_flight on conflict do nothing"
).format(_COLUMNS, _COLUMNS)


class ImportedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One vehicle of a file; times are RFC 3339, of its first and last frame."""

    system_id: int
    kind: str
    first_at: str
    last_at: str
    positions: int


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds; `positions_new` are the rows that the archive did not have, None in a dry run.

    `frames_bad` are runs of skipped bytes, `positions_unknown` those at 0/0.
    """

    frames_good: int
    frames_bad: int
    bytes_skipped: int
    positions: int
    positions_unknown: int
    positions_new: int | None
    reboots: int
    units: tuple[ImportedUnit, ...]


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that was read, and what identifies its file."""

    file_name: str
    file_sha256: bytes
    recording: Recording


def read_flight(path: Path) -> Flight:
    """Read and decode a .tlog. Raises FileFormatError, with what to do, for a file that is none."""
    data = read_bytes(path)
    recording = survey(parse(data, str(path)))
    return Flight(file_name=path.name, file_sha256=hashlib.sha256(data).digest(), recording=recording)


def report_of(flight: Flight, positions_new: int | None = None) -> ImportReport:
    """Return the figures of a flight."""
    block, units = flight.recording.tlog.block, flight.recording.units
    return ImportReport(
        frames_good=block.frames_good,
        frames_bad=block.frames_bad,
        bytes_skipped=block.bytes_skipped,
        positions=sum(len(unit.positions.batch) for unit in units),
        positions_unknown=sum(unit.positions.unknown_count for unit in units),
        positions_new=positions_new,
        reboots=sum(len(unit.positions.reboots) for unit in units),
        units=tuple(
            ImportedUnit(
                system_id=unit.system_id,
                kind=unit.kind,
                first_at=_rfc3339(unit.first_us),
                last_at=_rfc3339(unit.last_us),
                positions=len(unit.positions.batch),
            )
            for unit in units
        ),
    )


def address_of(flight: Flight, system_id: int) -> str:
    """Return the registry address of a vehicle in a file: "import/<12 digits of the file's SHA-256>/<system id>".

    Nearly every aircraft is system 1 of somewhere: only within one file is a system id one vehicle.
    """
    return f"import/{flight.file_sha256.hex()[:NAME_DIGITS]}/{system_id}"


def store_flight(connection: psycopg.Connection[Any], flight: Flight, *, now_us: int) -> int:
    """Write a flight into the archive within the connection's transaction; return how many positions are new.

    Devices are enrolled for it by `address_of`; a file that was imported before adds nothing. Raises psycopg.Error.
    """
    flight_id = _flight_id(connection, flight)
    rows = _rows(connection, flight, now_us)
    if not len(rows):
        return 0
    connection.execute(_STAGING)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for buffer in copy_positions(rows):
            copy.write(buffer)
    return connection.execute(_INSERT_NEW, (flight_id,)).rowcount


def _flight_id(connection: psycopg.Connection[Any], flight: Flight) -> int:
    report, recording = report_of(flight), flight.recording
    detail = {
        "bytes_skipped": report.bytes_skipped,
        "positions_unknown": report.positions_unknown,
        "reboots": report.reboots,
        "units": msgspec.to_builtins(report.units),
    }
    values = (
        flight.file_sha256,
        flight.file_name,
        utc_of(recording.first_us),
        utc_of(recording.last_us),
        report.frames_good,
        report.frames_bad,
        report.positions,
        json.dumps(detail),
    )
    row = connection.execute(_ADD_FLIGHT, values).fetchone()
    row = row or connection.execute(_FIND_FLIGHT, (flight.file_sha256,)).fetchone()
    assert row is not None
    return int(row[0])


def _rows(connection: psycopg.Connection[Any], flight: Flight, now_us: int) -> Batch:
    batches = []
    for unit in flight.recording.units:
        label = f"{flight.file_name}, {unit.kind} {unit.system_id}"
        device = ensure_device(connection, "mavlink", address_of(flight, unit.system_id), label=label, now_us=now_us)
        batches.append(batch_of(unit, device.device_id))
    return say_times(sort_for_storage(concatenate(batches)))


def _rfc3339(us: int) -> str:
    return utc_of(us).isoformat(timespec="microseconds").replace("+00:00", "Z")
