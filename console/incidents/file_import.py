"""Brings calls from a file into the database: all or none when a line is wrong, each line once however often it comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from console.incidents.place import nearest_station
from infra.clock import utc_of
from infra.database import SERVICE, apply_scope
from mission.calls import dispatch, store
from mission.calls.errand import By
from mission.calls.incident import Draft, IncidentState
from mission.calls.incident_file import IncidentFile, IncidentLine, Problem
from telemetry.model.errors import ConflictError
from telemetry.model.unit import Station

CHUNK_LINES: Final = 200
"""So many lines are written in one transaction; other writers wait no longer than that takes."""
BY_FILE: Final = By(name="file")


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did or, with problems, did not do."""

    added_count: int
    known_count: int
    asked_count: int
    """Calls without a place: kept, and the place is asked for."""
    problems: tuple[Problem, ...]


async def import_incidents(url: str, file: IncidentFile, *, now_us: int, is_dry: bool) -> ImportReport:
    """Write the calls of a file; with one problem nothing is written. `url` is the owner's."""
    async with await psycopg.AsyncConnection.connect(url, application_name="skybeat incident import") as connection:
        await apply_scope(connection, SERVICE)
        known = await _known(connection)
        stations = await _stations(connection)
        await connection.commit()
        problems = [*file.problems, *_changed(file.lines, known)]
        fresh = [line for line in file.lines if line.draft.source_ref not in known]
        if not problems and not is_dry:
            for start in range(0, len(fresh), CHUNK_LINES):
                await _write_chunk(connection, fresh[start : start + CHUNK_LINES], stations, now_us=now_us)
    return ImportReport(
        added_count=len(fresh),
        known_count=len(file.lines) - len(fresh),
        asked_count=sum(line.draft.lat_e7 is None for line in fresh),
        problems=tuple(sorted(problems)),
    )


def _changed(lines: Sequence[IncidentLine], known: dict[str, tuple[str, bytes]]) -> list[Problem]:
    """Return the lines whose call came before with another content."""
    problems = []
    for line in lines:
        number, digest = known.get(line.draft.source_ref, ("", line.draft.sha256))
        if digest != line.draft.sha256:
            problems.append(
                Problem(
                    line.line,
                    f"source_ref {line.draft.source_ref!r} is incident {number} already, with another content: "
                    "edit that incident, or give the new call a reference of its own",
                )
            )
    return problems


async def _known(connection: psycopg.AsyncConnection) -> dict[str, tuple[str, bytes]]:
    cursor = await connection.execute(
        "select source_ref, number, source_sha256 from public.incident where source = 'csv'"
    )
    return {ref: (number, bytes(digest)) for ref, number, digest in await cursor.fetchall()}


async def _stations(connection: psycopg.AsyncConnection) -> dict[int, Station]:
    cursor = await connection.execute(
        "select station_id, number, name_zh, name_en, lat_e7 / 1e7, lon_e7 / 1e7 from public.station"
    )
    return {row[0]: _station(row) for row in await cursor.fetchall()}


def _station(row: tuple[Any, ...]) -> Station:
    station_id, number, name_zh, name_en, lat_deg, lon_deg = row
    return Station(
        station_id=station_id,
        number=number,
        name_zh=name_zh,
        name_en=name_en,
        lat_deg=float(lat_deg),
        lon_deg=float(lon_deg),
    )


async def _write_chunk(
    connection: psycopg.AsyncConnection, lines: Sequence[IncidentLine], stations: dict[int, Station], *, now_us: int
) -> None:
    try:
        async with connection.transaction():
            await apply_scope(connection, SERVICE)
            await store.lock_changes(connection)
            for line in lines:
                await _write(connection, line, stations, now_us=now_us)
    except psycopg.errors.UniqueViolation as error:
        message = (
            f"lines {lines[0].line} to {lines[-1].line} hold a call that somebody else brought in this moment: the lines before "
            "them are written; run the import again, it goes on where it stopped"
        )
        raise ConflictError(message) from error


async def _write(
    connection: psycopg.AsyncConnection, line: IncidentLine, stations: dict[int, Station], *, now_us: int
) -> None:
    draft = _with_station(line.draft, stations)
    number = await store.next_number(connection, draft.reported_us)
    opened_us = min(now_us, draft.reported_us) if line.closed_us is not None else now_us
    incident = await store.add(connection, dispatch.opened(draft, by=BY_FILE, number=number, now_us=opened_us), draft)
    if line.closed_us is not None:
        change = dispatch.stated(incident, IncidentState.CLEARED, by=BY_FILE, now_us=line.closed_us)
        await store.save(connection, incident, change)


def _with_station(draft: Draft, stations: dict[int, Station]) -> Draft:
    if draft.lat_e7 is None or draft.lon_e7 is None:
        return draft
    return msgspec.structs.replace(draft, station_id=nearest_station(stations, draft.lat_e7 / 1e7, draft.lon_e7 / 1e7))


def told_time(at_us: int | None) -> str:
    """Return a time as people read it, UTC; a dash for none."""
    at: datetime | None = None if at_us is None else utc_of(at_us)
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}Z"
