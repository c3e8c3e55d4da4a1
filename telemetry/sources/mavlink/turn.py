"""What one turn of a decoder gathers before it becomes an Output."""

from collections import Counter

import numpy as np

from telemetry.model.batch import REPORT, Batch, concatenate, new_batch
from telemetry.model.decoding import NOTHING, Fact, Output, Promise, Reply
from telemetry.model.events import AnyEvent
from telemetry.model.sighting import Sighting
from telemetry.model.vehicle_frames import VehicleFrame
from telemetry.sources.mavlink.fusion import Row


class Turn:
    """Rows, events, facts, frames to send, frames as they were heard and said to a vehicle, and counts of what was bad, in the order they came."""

    __slots__ = ("bad", "batches", "events", "facts", "frames", "heard", "rows", "said", "sightings")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.batches: list[Batch] = []
        self.events: list[AnyEvent] = []
        self.facts: list[Fact] = []
        self.frames: list[bytes] = []
        self.heard: list[VehicleFrame] = []
        self.said: list[VehicleFrame] = []
        self.sightings: list[Sighting] = []
        self.bad: Counter[str] = Counter()

    def output(self) -> Output:
        """Return what was gathered."""
        if not (
            self.rows
            or self.batches
            or self.events
            or self.facts
            or self.frames
            or self.bad
            or self.heard
            or self.sightings
        ):
            return NOTHING
        return Output(
            batch=self._batch(),
            events=tuple(self.events),
            replies=tuple(Reply(frame, Promise.NOW) for frame in self.frames),
            facts=tuple(self.facts),
            bad=dict(self.bad),
            heard=self.heard,
            said=self.said,
            sightings=self.sightings,
        )

    def _batch(self) -> Batch:
        if not self.rows:
            return concatenate(self.batches)
        rows = np.array(self.rows, REPORT) if self.rows else new_batch(0)
        return concatenate([*self.batches, rows]) if self.batches else rows
