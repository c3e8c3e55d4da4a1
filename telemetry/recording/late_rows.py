"""Rows of a time that is derived already: which stretches of which devices they touch, noted where they are written."""

from typing import Any, Final, NamedTuple

import numpy as np
import psycopg

from infra.clock import utc_of
from telemetry.model.batch import Batch

HOUR_US: Final = 3_600_000_000
_HOLD: Final = "select store.hold_claimed_through()"
_NOTE: Final = (
    "insert into store.late_interval (device_id, first_at, last_at) "
    "select * from unnest(%s::int[], %s::timestamptz[], %s::timestamptz[])"
)


class Stretch(NamedTuple):
    """A device's late rows within one hour: the first and the last, microseconds since 1970."""

    device_id: int
    first_us: int
    last_us: int


def note_late(connection: psycopg.Connection[Any], rows: Batch) -> None:
    """Note the late ones of `rows`, which the same transaction writes; until its end the line of lateness stays.

    A crash then leaves both or neither. One question to the server. Raises psycopg.Error.
    """
    if not len(rows):
        return
    held = connection.execute(_HOLD).fetchone()
    stretches = late_stretches(rows, int(held[0])) if held else []
    if stretches:
        device_ids, first_us, last_us = zip(*stretches, strict=True)
        connection.execute(_NOTE, (list(device_ids), [*map(utc_of, first_us)], [*map(utc_of, last_us)]))


def late_stretches(rows: Batch, derived_through_us: int) -> list[Stretch]:
    """Return where rows lie before that time: one stretch for each device and hour."""
    observed_us = rows["observed_us"]
    late = observed_us < derived_through_us
    if not late.any():
        return []
    observed_us, device_ids = observed_us[late], rows["device_id"][late].astype(np.int64)
    order = np.lexsort((observed_us, device_ids))
    observed_us, device_ids = observed_us[order], device_ids[order]
    hours = observed_us // HOUR_US
    begins = np.flatnonzero(np.concatenate(([True], (np.diff(device_ids) != 0) | (np.diff(hours) != 0))))
    ends = np.concatenate((begins[1:], [len(observed_us)])) - 1
    columns = (device_ids[begins].tolist(), observed_us[begins].tolist(), observed_us[ends].tolist())
    return [Stretch(*stretch) for stretch in zip(*columns, strict=True)]
