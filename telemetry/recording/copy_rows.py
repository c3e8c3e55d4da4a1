"""Rows as PostgreSQL's binary COPY wants them: whole batches at once, one fixed-width buffer a pattern of NULLs."""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import NULLABLE, REPORT, Batch, Quality, unknown_of
from telemetry.model.events import AnyEvent, SosRaised, kind_of, severity_of
from telemetry.model.slots import put_rows, rows_at

POSTGRES_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01 UTC, from which timestamptz counts its microseconds."""
EARLIEST_US: Final = -62_135_596_800_000_000
LATEST_US: Final = 253_402_300_799_999_999
"""The years 1..9999, which both PostgreSQL and Python can say."""

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
_SQL_NAMES: Final = {"observed_us": "observed_at", "received_us": "received_at"}
_SQL_TYPES: Final = {"i1": "smallint", "i2": "smallint", "i4": "int", "i8": "timestamptz"}
_WIRE_TYPES: Final = {"i1": ">i2", "i2": ">i2", "i4": ">i4", "i8": ">i8"}


def _type_of(column: str) -> str:
    return REPORT[column].str.lstrip("<|")


POSITION_COLUMNS: Final = tuple(_SQL_NAMES.get(name, name) for name in REPORT.names or ())
"""The columns of store.position in the order of the rows."""
POSITION_TYPES: Final = tuple(_SQL_TYPES[_type_of(name)] for name in REPORT.names or ())
EVENT_COLUMNS: Final = ("device_id", "observed_at", "received_at", "kind", "severity", "body", "event_hash")
"""The columns of store.event in the order of the rows."""
EVENT_TYPES: Final = ("int", "timestamptz", "timestamptz", "text", "smallint", "jsonb", "bigint")


def copy_positions(batch: Batch) -> list[memoryview]:
    """Return the whole COPY stream of a batch: header, one buffer a NULL pattern, trailer.

    Rows keep their order within a pattern. Unknown becomes NULL, one-byte columns become smallint; every time must lie in
    [EARLIEST_US, LATEST_US]. About 0.1 us a row.
    """
    buffers = [memoryview(HEADER)]
    buffers += [_encode_pattern(rows, pattern) for pattern, rows in _by_pattern(batch)]
    buffers.append(memoryview(TRAILER))
    return buffers


def _by_pattern(batch: Batch) -> Iterator[tuple[int, Batch]]:
    """Give (which of NULLABLE are unknown as bits, those rows) for each pattern that occurs."""
    patterns = np.zeros(len(batch), np.int16)
    for bit, column in enumerate(NULLABLE):
        patterns |= (batch[column] == unknown_of(column)).astype(np.int16) << np.int16(bit)
    counts = np.bincount(patterns, minlength=0)
    occurring = np.flatnonzero(counts)
    for pattern in occurring.tolist():
        yield pattern, batch if len(occurring) == 1 else rows_at(batch, patterns == pattern)


def _encode_pattern(rows: Batch, pattern: int) -> memoryview:
    template, columns = _layout(pattern)
    wire = np.empty(len(rows), template.dtype)
    put_rows(wire, slice(None), template)
    for column in columns:
        wire[column] = rows[column]
    for column in _SQL_NAMES:
        wire[column] -= POSTGRES_EPOCH_US
    return wire.view(np.uint8).data


@lru_cache(maxsize=512)
def _layout(pattern: int) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return one wire row with its count and lengths filled in, and the columns that have a value in this pattern."""
    unknown = {column for bit, column in enumerate(NULLABLE) if pattern >> bit & 1}
    fields: list[tuple[str, str]] = [("field_count", ">i2")]
    for column in REPORT.names or ():
        fields.append((f"{column}_length", ">i4"))
        if column not in unknown:
            fields.append((column, _WIRE_TYPES[_type_of(column)]))
    template = np.zeros(1, np.dtype(fields))
    template["field_count"] = len(POSITION_COLUMNS)
    for column in REPORT.names or ():
        width = -1 if column in unknown else np.dtype(_WIRE_TYPES[_type_of(column)]).itemsize
        template[f"{column}_length"] = width
    return template, tuple(column for column in REPORT.names or () if column not in unknown)


def say_times(batch: Batch) -> Batch:
    """Return the batch with times outside the years 1..9999 cut to them and marked SATURATED; the same one if none is."""
    odd = np.zeros(len(batch), np.bool_)
    for column in _SQL_NAMES:
        odd |= (batch[column] < EARLIEST_US) | (batch[column] > LATEST_US)
    if not odd.any():
        return batch
    said = batch.copy()
    for column in _SQL_NAMES:
        said[column] = np.clip(batch[column], EARLIEST_US, LATEST_US)
    said["quality"][odd] |= np.int32(Quality.SATURATED)
    return said


def copy_events(events: Iterable[AnyEvent]) -> list[memoryview]:
    """Return the whole COPY stream of events: rare, so one by one."""
    return [memoryview(HEADER), *(memoryview(_event_row(event)) for event in events), memoryview(TRAILER)]


def _event_row(event: AnyEvent) -> bytes:
    body = b"\x01" + body_of(event)
    kind = kind_of(event).encode()
    times = [min(max(us, EARLIEST_US), LATEST_US) - POSTGRES_EPOCH_US for us in (event.observed_us, event.received_us)]
    head = struct.pack(">hiiiqiq", len(EVENT_COLUMNS), 4, event.device_id, 8, times[0], 8, times[1])
    tail = struct.pack(">ihi", 2, int(severity_of(event)), len(body))
    return b"".join((head, struct.pack(">i", len(kind)), kind, tail, body, struct.pack(">iq", 8, hash_event(event))))


def body_of(event: AnyEvent) -> bytes:
    """Return the JSON of store.event's `body`: the whole event, `kind` included, so that it reads back as an AnyEvent.

    A NUL character, which PostgreSQL cannot keep, becomes U+FFFD.
    """
    said = msgspec.to_builtins(event)
    return msgspec.json.encode(
        {name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value for name, value in said.items()}
    )


def hash_event(event: AnyEvent) -> int:
    """Return 64 bits of what the event says, without when we heard it: an event sent again is the same row.

    A call for help is kept each time that it is heard: a device whose clock stands still must not lose its second one.
    """
    said = msgspec.to_builtins(event)
    if not isinstance(event, SosRaised):
        said.pop("received_us")
    digest = hashlib.blake2b(msgspec.json.encode(said, order="deterministic"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
