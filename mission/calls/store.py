"""Incidents in the database: rows to structs and back. Every function works in the caller's transaction and its scope."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any, Final, TypeAlias

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from infra.clock import us_of, utc_of
from infra.database import load_queries
from mission.calls.dispatch import Change
from mission.calls.incident import (
    Agency,
    Caller,
    Category,
    Dispatch,
    DispatchState,
    Draft,
    Entry,
    Equipment,
    Incident,
    IncidentState,
    Urgency,
)
from mission.calls.incident_board import day_begins_us
from telemetry.model.errors import NotFoundError

QUERIES: Final = load_queries(resources.files("mission.calls") / "store.sql")
CHANNEL: Final = "skybeat_incident"
"""The channel on which PostgreSQL tells that some incident changed."""
_LOCK_KEY: Final = 0x736B_7969_6E63
_DISPATCH_TIMES: Final = (
    *("queued", "sent", "received", "accepted", "under_way", "arrived", "cleared", "declined", "recalled"),
)
_HALF_DAY_US: Final = 43_200_000_000

Row: TypeAlias = Mapping[str, Any]


async def lock_changes(connection: AsyncConnection) -> None:
    """Wait until nobody else changes an incident in this database; holds until the transaction's end."""
    await _run(connection, "lock_changes", {"key": _LOCK_KEY})


async def sees_incident(connection: AsyncConnection, incident_id: int) -> bool:
    """Tell whether the transaction's scope may see an incident."""
    return bool(await _run(connection, "sees_incident", {"incident_id": incident_id}))


async def find_incident(connection: AsyncConnection, incident_id: int) -> Incident:
    """Return an incident as the scope sees it. Raises NotFoundError."""
    found = await _incidents(connection, await _run(connection, "find_incidents", {"incident_ids": [incident_id]}))
    if not found:
        message = f"there is no incident {incident_id} in your scope: GET /api/incidents lists yours"
        raise NotFoundError(message)
    return found[0]


async def find_drafted(connection: AsyncConnection, draft: Draft) -> tuple[Incident, bytes] | None:
    """Return the incident that this call made when it came before, with the digest of what was said then."""
    values = msgspec.structs.asdict(draft)
    rows = await _run(connection, "find_by_webhook", values) if draft.webhook_id is not None else []
    rows = rows or await _run(connection, "find_by_source", values)
    if not rows:
        return None
    return (await _incidents(connection, rows))[0], bytes(rows[0]["source_sha256"])


async def incident_id_of(connection: AsyncConnection, dispatch_id: int) -> int:
    """Return the incident to which a dispatch belongs. Raises NotFoundError."""
    rows = await _run(connection, "find_of_dispatch", {"dispatch_id": dispatch_id})
    if not rows:
        message = f"there is no dispatch {dispatch_id} in your scope: read your tasks again"
        raise NotFoundError(message)
    return int(rows[0]["incident_id"])


async def wanted_elsewhere(connection: AsyncConnection, unit_ids: Sequence[int]) -> list[tuple[int, str]]:
    """Return (unit_id, number of the incident) of those units that are wanted somewhere now."""
    rows = await _run(connection, "live_dispatches_of_units", {"unit_ids": list(unit_ids)})
    return [(row["unit_id"], row["number"]) for row in rows]


async def next_number(connection: AsyncConnection, reported_us: int) -> str:
    """Return the number that people call the next incident of that day by: JQ-1122-0418."""
    day = utc_of(day_begins_us(reported_us) + _HALF_DAY_US).date()
    rows = await _run(connection, "next_number", {"day": day})
    return f"JQ-{day:%m%d}-{rows[0]['last_number']:04d}"


async def add(connection: AsyncConnection, change: Change, draft: Draft) -> Incident:
    """Write a new incident and its first entries; return it with its numbers."""
    incident = change.incident
    values = _incident_values(incident) | {
        "source": draft.source,
        "source_ref": draft.source_ref,
        "intake_key_id": draft.intake_key_id,
        "webhook_id": draft.webhook_id,
        "source_sha256": draft.sha256,
        "number": incident.number,
        "reported_at": utc_of(incident.reported_us),
        "created_at": utc_of(incident.created_us),
    }
    row = (await _run(connection, "add_incident", values))[0]
    incident_id = row["incident_id"]
    await _add_entries(connection, incident_id, change.entries)
    return msgspec.structs.replace(incident, incident_id=incident_id, change_seq=row["change_sequence"])


async def save(connection: AsyncConnection, before: Incident, change: Change) -> Incident:
    """Write what a change made of an incident: its row, its dispatches, its entries; return it with the new numbers."""
    after = change.incident
    values = _incident_values(after) | {"version": after.version, "incident_id": after.incident_id}
    row = (await _run(connection, "save_incident", values))[0]
    known = {sent.dispatch_id: sent for sent in before.dispatches}
    dispatches = [
        sent if known.get(sent.dispatch_id) == sent else await _save_dispatch(connection, sent)
        for sent in after.dispatches
    ]
    await _add_entries(connection, after.incident_id, change.entries)
    return msgspec.structs.replace(after, change_seq=row["change_sequence"], dispatches=tuple(dispatches))


async def _save_dispatch(connection: AsyncConnection, sent: Dispatch) -> Dispatch:
    values = msgspec.structs.asdict(sent) | {"state": sent.state.value}
    for name in _DISPATCH_TIMES:
        values[f"{name}_at"] = _at(values.pop(f"{name}_us"))
    if sent.dispatch_id:
        await _run(connection, "save_dispatch", values)
        return sent
    rows = await _run(connection, "add_dispatch", values)
    return msgspec.structs.replace(sent, dispatch_id=rows[0]["dispatch_id"])


async def _add_entries(connection: AsyncConnection, incident_id: int, entries: Iterable[Entry]) -> None:
    for entry in entries:
        values = msgspec.structs.asdict(entry) | {
            "incident_id": incident_id,
            "at": utc_of(entry.at_us),
            "state": None if entry.state is None else entry.state.value,
            "changes": Jsonb(entry.changes),
        }
        await _run(connection, "add_entry", values)


async def load_board(connection: AsyncConnection, since_us: int) -> tuple[list[Incident], int]:
    """Return the incidents open or closed since `since_us`, and the highest change number of all others."""
    values = {"since_at": utc_of(since_us)}
    rows = await _run(connection, "load_board", values)
    forgotten = await _run(connection, "forgotten_sequence", values)
    return await _incidents(connection, rows), int(forgotten[0]["sequence"])


async def load_changed(connection: AsyncConnection, after_seq: int) -> list[Incident]:
    """Return the incidents changed after a number, in the order of their changes; at most 5,000 at once."""
    found = await _incidents(connection, await _run(connection, "load_changed", {"sequence": after_seq}))
    return sorted(found, key=lambda incident: incident.change_seq)


async def list_incidents(
    connection: AsyncConnection,
    *,
    limit: int,
    before_id: int | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> list[Incident]:
    """Return incidents of the scope, the newest first: those before an id, reported within [from_us, to_us)."""
    values = {"before_id": before_id, "limit": limit, "from_at": _at(from_us), "to_at": _at(to_us)}
    return await _incidents(connection, await _run(connection, "list_incidents", values))


async def entries_of(connection: AsyncConnection, incident_id: int, *, after_version: int = 0) -> list[Entry]:
    """Return an incident's history as the scope sees it, oldest first; only what came after a version, if asked."""
    rows = await _run(connection, "list_entries", {"incident_id": incident_id, "after_version": after_version})
    return [_entry(row) for row in rows]


async def agencies(connection: AsyncConnection) -> list[Agency]:
    """Return all agencies."""
    return [
        Agency(
            agency_id=row["agency_id"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            phone=row["phone"],
            categories=tuple(Category(name) for name in row["categories"]),
        )
        for row in await _run(connection, "list_agencies", {})
    ]


async def load_past(connection: AsyncConnection, since_us: int, *, limit: int) -> list[tuple[int, int, int]]:
    """Return (lat_e7, lon_e7, reported_us) of the scope's calls since a time, the newest first; what was no police work apart."""
    rows = await _run(connection, "load_past", {"since_at": utc_of(since_us), "limit": limit})
    return [(row["lat_e7"], row["lon_e7"], us_of(row["reported_at"])) for row in rows]


async def _run(connection: AsyncConnection, query: str, values: Row) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(QUERIES[query], dict(values))
    return await cursor.fetchall() if cursor.description else []


async def _incidents(connection: AsyncConnection, rows: Sequence[Row]) -> list[Incident]:
    if not rows:
        return []
    sent: dict[int, list[Dispatch]] = {}
    for row in await _run(connection, "find_dispatches", {"incident_ids": [row["incident_id"] for row in rows]}):
        sent.setdefault(row["incident_id"], []).append(_dispatch(row))
    return [_incident(row, sent.get(row["incident_id"], ())) for row in rows]


def _incident(row: Row, dispatches: Sequence[Dispatch]) -> Incident:
    return Incident(
        incident_id=row["incident_id"],
        number=row["number"],
        version=row["version"],
        change_seq=row["change_sequence"],
        state=IncidentState(row["state"]),
        urgency=Urgency(row["urgency_rank"]),
        category=Category(row["category"]),
        title=row["title"],
        text=row["text"],
        place_text=row["place_text"],
        place_note=row["place_note"],
        lat_e7=row["lat_e7"],
        lon_e7=row["lon_e7"],
        caller=Caller(name=row["caller_name"], phone=row["caller_phone"]),
        audio_url=row["audio_url"],
        recording_url=row["recording_url"],
        station_id=row["station_id"],
        past_station_ids=tuple(row["past_station_ids"]),
        source=row["source"],
        source_ref=row["source_ref"],
        reported_us=us_of(row["reported_at"]),
        created_us=us_of(row["created_at"]),
        changed_us=us_of(row["changed_at"]),
        closed_us=_us(row["closed_at"]),
        agency_id=row["agency_id"],
        needs=tuple(Equipment(name) for name in row["needs"]),
        dispatches=tuple(dispatches),
    )


def _incident_values(incident: Incident) -> dict[str, Any]:
    return {
        "state": incident.state.value,
        "urgency_rank": int(incident.urgency),
        "category": incident.category.value,
        "title": incident.title,
        "text": incident.text,
        "place_text": incident.place_text,
        "place_note": incident.place_note,
        "lat_e7": incident.lat_e7,
        "lon_e7": incident.lon_e7,
        "caller_name": incident.caller.name,
        "caller_phone": incident.caller.phone,
        "audio_url": incident.audio_url,
        "recording_url": incident.recording_url,
        "needs": [need.value for need in incident.needs],
        "station_id": incident.station_id,
        "past_station_ids": list(incident.past_station_ids),
        "agency_id": incident.agency_id,
        "changed_at": utc_of(incident.changed_us),
        "closed_at": _at(incident.closed_us),
    }


def _dispatch(row: Row) -> Dispatch:
    times: dict[str, Any] = {f"{name}_us": _us(row[f"{name}_at"]) for name in _DISPATCH_TIMES}
    return Dispatch(
        dispatch_id=row["dispatch_id"],
        incident_id=row["incident_id"],
        unit_id=row["unit_id"],
        state=DispatchState(row["state"]),
        travel_s=row["travel_s"],
        distance_m=row["distance_m"],
        channel=row["channel"],
        sent_by=row["sent_by"],
        arrived_by=row["arrived_by"],
        reason=row["reason"],
        **times,
    )


def _entry(row: Row) -> Entry:
    return Entry(
        entry_id=row["entry_id"],
        incident_id=row["incident_id"],
        version=row["version"],
        at_us=us_of(row["at"]),
        account_name=row["account_name"],
        account_id=row["account_id"],
        action=row["action"],
        unit_id=row["unit_id"],
        state=None if row["state"] is None else IncidentState(row["state"]),
        note=row["note"],
        changes=row["changes"],
    )


def _at(us: int | None) -> datetime | None:
    return None if us is None else utc_of(us)


def _us(at: datetime | None) -> int | None:
    return None if at is None else us_of(at)
