"""Decoding the raw log again with today's decoders: what differs from the recorded history, and mending it."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Final

import msgspec
import numpy as np

from infra.tasks import contained
from telemetry.links.open import Sources
from telemetry.links.tap import HTTP, RawChunk
from telemetry.links.url import is_loopback, parse_link_url
from telemetry.model.batch import Batch, concatenate
from telemetry.model.decoding import Decoder, Peer
from telemetry.model.enrolment import SecretKind
from telemetry.model.errors import InputError
from telemetry.model.phone_reading import PhoneReplay
from telemetry.raw.log import GAP, HOUR_US, START
from telemetry.raw.recorded_rows import Differences, RecordedRows
from telemetry.registry.table import RegistryTable
from telemetry.sources import find_enrolment_rules, find_phone_sources
from telemetry.tracking.tracker import Tracker

WARM_UP_US: Final = 600_000_000
"""Decoders hear so much before the asked period, so that they know what they knew then."""
UNSURE_AFTER_GAP_US: Final = 60_000_000
"""After a gap in the raw log a decoder may miss the beginning of what follows: nothing recorded then is called wrong."""
PROVED_ONCE: Final = frozenset({SecretKind.CODE, SecretKind.PASSWORD})
"""Secrets that a connection shows once; all others are in each message."""


_RULES: Final = cache(find_enrolment_rules)


class ReplayRegistry(RegistryTable):
    """The registry as decoders of a replay see it: nobody is quarantined, and an old signature's time is no replay."""

    def quarantine(self, protocol: str, address: str, now_us: int, reason: str) -> None:
        """Do nothing: whoever was refused then was written down then."""

    def signing_timestamp(self, device_id: int, link_id: int, component_id: int) -> int:
        """Return 0."""
        del device_id, link_id, component_id
        return 0


class Report(msgspec.Struct, kw_only=True):
    """What a run found: counts of chunks and of rows that today's decoders give, of which some are new, and what they deny.

    `superseded` rows are no longer given, or differ in a value: moved aside, never deleted. `unreadable` chunks belong to
    links or protocols that are no more, or make their decoder fail.
    """

    chunks: int = 0
    gaps: int = 0
    unreadable: int = 0
    rows_decoded: int = 0
    rows_new: int = 0
    rows_superseded: int = 0
    devices: dict[int, Differences] = msgspec.field(default_factory=dict)


class _Slice:
    """An hour of the log: rows that its chunks give now, and which (device, time of arrival) they speak for."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.arrivals: set[tuple[int, int]] = set()


class Reprocessor:
    """Feeds chunks to fresh decoders, hour by hour, and compares what they give with what is recorded."""

    def __init__(
        self,
        registry: RegistryTable,
        recorded: RecordedRows,
        *,
        from_us: int,
        to_us: int,
        device_id: int | None = None,
        is_dry_run: bool = False,
        tell: Callable[[Report], None] = lambda _: None,
    ) -> None:
        if from_us >= to_us:
            message = "the period to reprocess is empty: give --from before --to"
            raise InputError(message)
        self._registry = registry
        self._recorded = recorded
        self._from_us = from_us
        self._to_us = to_us
        self._device_id = device_id
        self._is_dry_run = is_dry_run
        self._tell = tell
        self._unsure_until_us = 0
        self.report = Report()
        self._forget()

    def run(self, chunks: Iterable[RawChunk]) -> Report:
        """Decode chunks (in order, beginning WARM_UP_US before the period) and mend history unless it is a dry run.

        Each hour is one transaction, so that a run that ends half-way has done whole hours; running it again changes
        nothing twice. Raises psycopg.Error.
        """
        hour = -1
        current = _Slice()
        for chunk in chunks:
            if chunk.received_us // HOUR_US != hour:
                self._settle(current)
                hour, current = chunk.received_us // HOUR_US, _Slice()
            self._hear(chunk, current)
        self._settle(current)
        return self.report

    def _forget(self) -> None:
        self._sources = Sources(self._registry)
        self._decoders: dict[tuple[str, str, int], Decoder] = {}
        self._tracker = Tracker(self._registry)

    def _hear(self, chunk: RawChunk, current: _Slice) -> None:
        if chunk.transport == START:  # decoders were as fresh then
            self._forget()
            return
        if chunk.transport == GAP:
            self.report.gaps += 1
            self._unsure_until_us = chunk.received_us + UNSURE_AFTER_GAP_US
            return
        is_asked = self._from_us <= chunk.received_us < self._to_us
        self.report.chunks += is_asked
        try:
            decoder = self._decoder_of(chunk)
        except InputError:
            self.report.unreadable += is_asked
            return
        given = contained("reprocess", partial(_feed, decoder, chunk))
        if given is None:  # the decoder still fails on these bytes
            self.report.unreadable += is_asked
            self._unsure_until_us = chunk.received_us + UNSURE_AFTER_GAP_US
            return
        batch = _believed(chunk, given)
        batch = self._tracker.apply(batch, chunk.received_us).batch
        if not is_asked:
            return
        batch = batch if self._device_id is None else batch[batch["device_id"] == self._device_id]
        self.report.rows_decoded += len(batch)
        if len(batch):
            current.batches.append(batch)
        if chunk.received_us >= self._unsure_until_us:
            current.arrivals |= {(device_id, chunk.received_us) for device_id in self._speakers(chunk, batch)}

    def _speakers(self, chunk: RawChunk, batch: Batch) -> set[int]:
        speakers = {*chunk.device_ids, *np.unique(batch["device_id"]).tolist()}
        return speakers if self._device_id is None else speakers & {self._device_id}

    def _decoder_of(self, chunk: RawChunk) -> Decoder:
        if chunk.transport == HTTP:
            return self._phone_of(chunk)
        key = (chunk.link, chunk.host, chunk.port)
        if key not in self._decoders:
            url = parse_link_url(chunk.link, link_group=chunk.link_group)
            peer = Peer(
                transport=chunk.transport,
                host=chunk.host,
                port=chunk.port,
                allow_unsigned=url.allow_unsigned or is_loopback(chunk.host),
                is_trusted=True,
            )
            self._decoders[key] = self._sources.of(url).decoder(peer)
        return self._decoders[key]

    def _phone_of(self, chunk: RawChunk) -> Decoder:
        device = self._registry.devices.get(chunk.device_ids[0]) if chunk.device_ids else None
        if device is None:
            message = "the phone of this request is enrolled no more"
            raise InputError(message)
        return PhoneReplay(find_phone_sources(), device)

    def _settle(self, current: _Slice) -> None:
        if not current.arrivals and not current.batches:
            return
        found = self._recorded.mend(concatenate(current.batches), current.arrivals, is_dry_run=self._is_dry_run)
        for device_id, differences in found.items():
            before = self.report.devices.get(device_id, Differences())
            self.report.devices[device_id] = before + differences
            self.report.rows_new += differences.rows_new
            self.report.rows_superseded += differences.rows_superseded
        self._tell(self.report)


def _believed(chunk: RawChunk, batch: Batch) -> Batch:
    """Leave out who never proved to be that device: in a replay nobody is asked for the secret of a connection again."""
    rule = _RULES().get(chunk.protocol)
    if rule is None or rule.secret not in PROVED_ONCE:
        return batch
    believed: Batch = batch[np.isin(batch["device_id"], chunk.device_ids)]
    return believed


def _feed(decoder: Decoder, chunk: RawChunk) -> Batch:
    return concatenate([decoder.feed(piece, chunk.received_us).batch for piece in _pieces(chunk)])


def _pieces(chunk: RawChunk) -> Iterator[bytes]:
    """Give what each feed got: the datagrams that the chunk joins, or the piece of a stream."""
    begin = 0
    for size_bytes in chunk.sizes or (len(chunk.data),):
        yield chunk.data[begin : begin + size_bytes]
        begin += size_bytes
