"""What a journal record is here: a batch or an event, and how runs of records become both again."""

from typing import Final, NamedTuple

import msgspec
import numpy as np

from infra.journal import Record, Run
from telemetry.model.batch import REPORT, Batch, new_batch
from telemetry.model.events import AnyEvent, decode_event

KIND_BATCH: Final = 1
"""A journal record that is `batch.tobytes()`."""
KIND_EVENT: Final = 2
"""A journal record that is `encode_event(event)`."""
ROW_BYTES: Final = REPORT.itemsize


class Refused(NamedTuple):
    """A record, row or event that cannot be kept whatever one does: what it was, its bytes and why."""

    kind: str
    payload: bytes
    reason: str


def decode_runs(runs: list[Run]) -> tuple[Batch, tuple[AnyEvent, ...], list[Refused]]:
    """Return the positions and events of journal records, and the records that are neither."""
    chunks: list[bytes] = []
    events: list[AnyEvent] = []
    refused: list[Refused] = []
    for run in runs:
        if run.kind == KIND_BATCH and not run.record_bytes % ROW_BYTES:
            chunks.append(run.payload)
            continue
        for record in run.records():
            try:
                events.append(_decode_event(record))
            except msgspec.DecodeError as error:
                refused.append(Refused("record", record.payload, str(error)))
    data = b"".join(chunks)
    batch: Batch = np.frombuffer(data, REPORT) if data else new_batch(0)
    return batch, tuple(events), refused


def _decode_event(record: Record) -> AnyEvent:
    if record.kind != KIND_EVENT:
        message = f"journal record of kind {record.kind} with {len(record.payload)} bytes is no batch and no event"
        raise msgspec.DecodeError(message)
    event = decode_event(record.payload)
    if not -(2**31) <= event.device_id < 2**31:
        message = f"an event of device {event.device_id}: registry numbers have 32 bits"
        raise msgspec.ValidationError(message)
    return event
