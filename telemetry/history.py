"""Questions to history: tracks, newest positions, roll-ups and events, as batches and events again."""

from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from infra.clock import utc_of
from infra.database import load_queries
from telemetry.model.batch import REPORT, Batch, new_batch
from telemetry.model.events import AnyEvent

TRACK: Final = np.dtype([("unit_id", "<i4"), *((name, REPORT[name]) for name in REPORT.names or ())])
ROLLUP: Final = np.dtype(
    [
        ("unit_id", "<i4"),
        ("device_id", "<i4"),
        ("bin_us", "<i8"),
        ("position_count", "<i8"),
        ("last_lat_e7", "<i4"),
        ("last_lon_e7", "<i4"),
        ("mean_speed_cmps", "<i4"),
        ("highest_speed_cmps", "<i2"),
    ]
)
"""One row a step that has positions; unknown is the smallest value of the type."""

TRACK_LIMIT: Final = 20_000
"""Rows of one track: a day at one position each 4 seconds."""
EVENT_LIMIT: Final = 100_000
QUERIES: Final = load_queries(resources.files("telemetry") / "history.sql")


async def track(
    connection: AsyncConnection, unit_id: int, *, from_us: int, to_us: int, limit: int = TRACK_LIMIT
) -> Batch:
    """Return a unit's positions in [from_us, to_us), oldest first; of more than `limit` the newest.

    Of each device only what it said while it was assigned to the unit. The transaction's scope must hold the unit
    (psycopg.errors.InsufficientPrivilege else); an empty period raises psycopg.errors.InvalidParameterValue.
    """
    found = await tracks(connection, [unit_id], from_us=from_us, to_us=to_us, limit=limit)
    return found[unit_id]


async def tracks(
    connection: AsyncConnection, unit_ids: Sequence[int], *, from_us: int, to_us: int, limit: int = TRACK_LIMIT
) -> dict[int, Batch]:
    """Return the tracks of several units, each as `track` does; a unit without positions has an empty batch."""
    parameters = {
        "unit_ids": list(unit_ids),
        "from_at": utc_of(from_us),
        "to_at": utc_of(to_us),
        "row_limit": limit,
    }
    rows = await _fetch(connection, "tracks", parameters, TRACK)
    return {unit_id: _newest_rows(rows[rows["unit_id"] == unit_id], limit) for unit_id in unit_ids}


async def newest(connection: AsyncConnection, unit_ids: Sequence[int], *, since_us: int) -> dict[int, Batch]:
    """Return for each unit the newest position of each of its present devices, none older than `since_us`."""
    parameters = {"unit_ids": list(unit_ids), "since_at": utc_of(since_us)}
    rows = await _fetch(connection, "newest", parameters, TRACK)
    return {unit_id: _as_batch(rows[rows["unit_id"] == unit_id]) for unit_id in unit_ids}


async def newest_of_devices(connection: AsyncConnection, device_ids: Sequence[int], *, since_us: int) -> Batch:
    """Return the newest position of each device: what a starting bridge shows first. Needs the writer's role."""
    parameters = {"device_ids": list(device_ids), "since_at": utc_of(since_us)}
    return await _fetch(connection, "newest_of_devices", parameters, REPORT)


async def rollup(connection: AsyncConnection, unit_id: int, *, from_us: int, to_us: int, step_s: int) -> NDArray[Any]:
    """Return a unit's track in steps of `step_s` seconds (>= 1, at most 100,000 steps), dtype ROLLUP, by device and time."""
    parameters = {"unit_id": unit_id, "from_at": utc_of(from_us), "to_at": utc_of(to_us), "step_s": step_s}
    return await _fetch(connection, "rollup", parameters, ROLLUP)


async def events_since(connection: AsyncConnection, since_us: int, *, limit: int = EVENT_LIMIT) -> list[AnyEvent]:
    """Return the events that reached us since `since_us` of units within the scope, oldest first."""
    return await _fetch_events(connection, "events_since", since_us, limit)


async def recorded_events_since(
    connection: AsyncConnection, since_us: int, *, limit: int = EVENT_LIMIT
) -> list[AnyEvent]:
    """Return all events that reached us since `since_us`, oldest first, read `limit` at a time. Needs the writer's role."""
    events: dict[AnyEvent, None] = {}
    while True:
        page = await _fetch_events(connection, "recorded_events_since", since_us, limit)
        events |= dict.fromkeys(page)  # a page begins in its predecessor's last microsecond
        if len(page) < limit:
            return list(events)
        since_us = max(page[-1].received_us, since_us + 1)


async def _fetch(connection: AsyncConnection, query: str, parameters: dict[str, Any], dtype: np.dtype[Any]) -> Batch:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(QUERIES[query], parameters)
        return np.array(await cursor.fetchall(), dtype)


async def _fetch_events(connection: AsyncConnection, query: str, since_us: int, limit: int) -> list[AnyEvent]:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(QUERIES[query], {"since_at": utc_of(since_us), "row_limit": limit})
        return [_as_event(*row) for row in await cursor.fetchall()]


def _as_event(device_id: int, observed_us: int, received_us: int, kind: str, body: dict[str, Any]) -> AnyEvent:
    columns = {"device_id": device_id, "observed_us": observed_us, "received_us": received_us, "kind": kind}
    event: AnyEvent = msgspec.convert(body | columns, AnyEvent)
    return event


def _newest_rows(rows: NDArray[Any], limit: int) -> Batch:
    order = np.argsort(rows["observed_us"], kind="stable")
    return _as_batch(rows[order[-limit:]])


def _as_batch(rows: NDArray[Any]) -> Batch:
    batch = new_batch(len(rows))
    for name in REPORT.names or ():
        batch[name] = rows[name]
    return batch
