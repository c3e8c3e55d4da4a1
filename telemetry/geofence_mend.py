"""Mends geofence visits that late reports changed: the device's whole track of the period is judged anew."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import psycopg

from infra.clock import utc_of
from telemetry.geofence_store import save_visits
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.presence import UnitAt
from telemetry.geofences.visits import Visit, visits_of
from telemetry.model.batch import NULLABLE, REPORT, Batch, new_batch, unknown_of

MARGIN_US: Final = 6 * 3_600_000_000
"""So much of the track before and behind is read, that visits across the period's ends are seen whole."""
_COLUMNS: Final = ", ".join(
    f"(extract(epoch from {name[:-3]}_at) * 1000000)::bigint"
    if name.endswith("_us")
    else f"coalesce({name}, {unknown_of(name)})"
    if name in NULLABLE
    else name
    for name in REPORT.names or ()
)
_TRACK: Final = f"select {_COLUMNS} from store.device_track(%s::int, %s::timestamptz, %s::timestamptz)"  # noqa: S608 - own columns


class VisitMender:
    """A hook of derived history (telemetry/history/derived.py): called in its thread, within its transaction."""

    def __init__(self, index: Callable[[], GeofenceIndex], unit_at: UnitAt) -> None:
        self._index = index
        self._unit_at = unit_at

    def __call__(self, connection: psycopg.Connection[Any], device_id: int, from_us: int, to_us: int) -> None:
        """Judge the period anew. Raises psycopg.Error."""
        index = self._index()
        if not len(index):
            return
        track = _read(connection, device_id, from_us - MARGIN_US, to_us + MARGIN_US)
        visits = visits_of(track, index.apart(), self._unit_at)
        kept = [visit for visit in visits if visit.left_us is not None and _touches(visit, from_us, to_us)]
        begin_us = min([from_us, *(visit.entered_us for visit in kept)])
        end_us = max([to_us, *(1 + (visit.left_us or 0) for visit in kept)])
        save_visits(connection, device_id, kept, from_us=begin_us, to_us=end_us)


def _touches(visit: Visit, from_us: int, to_us: int) -> bool:
    return visit.entered_us < to_us and (visit.left_us or to_us) >= from_us


def _read(connection: psycopg.Connection[Any], device_id: int, from_us: int, to_us: int) -> Batch:
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_TRACK, (device_id, utc_of(max(from_us, 0)), utc_of(to_us)))
        rows = cursor.fetchall()
    return np.array(rows, REPORT) if rows else new_batch(0)
