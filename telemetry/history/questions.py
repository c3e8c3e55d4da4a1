"""Questions to history: tracks, newest positions, roll-ups and events, as batches and events again."""

from collections.abc import Sequence
from importlib import resources
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from infra.clock import utc_of
from infra.database import load_queries
from telemetry.flat_earth import distances_m
from telemetry.model.batch import REPORT, UNKNOWN_I2, UNKNOWN_I4, Batch, new_batch
from telemetry.model.events import AnyEvent, encode_event

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
        ("distance_m", "<f4"),
    ]
)
"""One row a step that has positions; unknown is the smallest value of the type.

`distance_m` is the way within the step and from the step before; of a silence above ten minutes nobody knows the way.
"""
_STEP: Final = np.dtype(
    [
        *((name, ROLLUP[name]) for name in (ROLLUP.names or ())[:-1]),
        ("path_m", "<f4"),
        ("first_us", "<i8"),
        ("first_lat_e7", "<i4"),
        ("first_lon_e7", "<i4"),
        ("last_us", "<i8"),
    ]
)
UNKNOWN_STEPS: Final = {
    "last_lat_e7": UNKNOWN_I4,
    "last_lon_e7": UNKNOWN_I4,
    "mean_speed_cmps": UNKNOWN_I4,
    "highest_speed_cmps": UNKNOWN_I2,
}
"""What stands for unknown in the columns of ROLLUP that may be."""
LONGEST_SILENCE_US: Final = 600_000_000


class Movement(NamedTuple):
    """A trip or a stop of one device; None where it reaches beyond the time that the device spoke for the unit."""

    unit_id: int
    device_id: int
    kind: str
    started_us: int
    ended_us: int
    distance_m: float | None
    start_lat_e7: int | None
    start_lon_e7: int | None
    end_lat_e7: int | None
    end_lon_e7: int | None


UNKNOWN_I8: Final = -(2**63)

TRACK_LIMIT: Final = 20_000
"""Rows of one track: a day at one position each 4 seconds."""
EVENT_LIMIT: Final = 100_000
QUERIES: Final = load_queries(resources.files("telemetry.history") / "questions.sql")


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
    """Return a unit's track in steps of `step_s` seconds (>= 1, at most 100,000 steps), dtype ROLLUP, by device and time.

    Steps of whole minutes that begin on one, and of quarters of an hour, are read from what is derived: years in
    milliseconds, also where the rows themselves are past their retention.
    """
    parameters = {"unit_id": unit_id, "from_at": utc_of(from_us), "to_at": utc_of(to_us), "step_s": step_s}
    steps = await _fetch(connection, "rollup", parameters, _STEP)
    return _with_distance(steps[np.lexsort((steps["bin_us"], steps["device_id"]))])


def _with_distance(steps: NDArray[Any]) -> NDArray[Any]:
    """Return steps as ROLLUP: to the way within each comes the leg from the last place of the one before."""
    places = np.flatnonzero(steps["first_us"] != UNKNOWN_I8)
    befores, afters = steps[places[:-1]], steps[places[1:]]
    legs_m = distances_m(befores["last_lat_e7"], befores["last_lon_e7"], afters["first_lat_e7"], afters["first_lon_e7"])
    is_known = (befores["device_id"] == afters["device_id"]) & (
        afters["first_us"] - befores["last_us"] <= LONGEST_SILENCE_US
    )
    found = np.empty(len(steps), ROLLUP)
    for name in (ROLLUP.names or ())[:-1]:
        found[name] = steps[name]
    found["distance_m"] = steps["path_m"]
    found["distance_m"][places[1:]] += np.where(is_known, legs_m, 0)
    return found


async def movements(connection: AsyncConnection, unit_id: int, *, from_us: int, to_us: int) -> list[Movement]:
    """Return a unit's trips and stops that touch [from_us, to_us), by time; those of the last minutes are not derived yet.

    A stop: three minutes or more within 200 m. A trip lies between stops, is 200 m or longer and ends at a silence of an
    hour; both are cut where a unit's day begins. Refused as `track` is.
    """
    parameters = {"unit_id": unit_id, "from_at": utc_of(from_us), "to_at": utc_of(to_us)}
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(QUERIES["movements"], parameters)
        found = [Movement(*row) for row in await cursor.fetchall()]
    return sorted(found, key=lambda movement: (movement.started_us, movement.device_id))


async def events_since(connection: AsyncConnection, since_us: int, *, limit: int = EVENT_LIMIT) -> list[AnyEvent]:
    """Return the events that reached us since `since_us` of units within the scope, oldest first."""
    return await _fetch_events(connection, "events_since", since_us, limit)


async def recorded_events_since(
    connection: AsyncConnection, since_us: int, *, limit: int = EVENT_LIMIT
) -> list[AnyEvent]:
    """Return all events that reached us since `since_us`, oldest first, read `limit` at a time. Needs the writer's role."""
    events: dict[bytes, AnyEvent] = {}
    while True:
        page = await _fetch_events(connection, "recorded_events_since", since_us, limit)
        events |= {encode_event(event): event for event in page}  # a page begins in its predecessor's last microsecond
        if len(page) < limit:
            return list(events.values())
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
