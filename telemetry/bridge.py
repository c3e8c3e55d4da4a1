"""The bridge: wires links, tracker, picture, alarms and journal into one flow within one turn of the loop."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import psycopg

from infra.clock import Clock
from infra.journal import JournalError, JournalFullError
from infra.logs import get_logger
from infra.metrics import BAD_INPUT, EVENTS, POSITIONS_RECEIVED, POSITIONS_REFUSED
from infra.settings import Settings
from infra.tasks import Supervisor
from telemetry.alarms import AlarmBoard
from telemetry.device_book import DeviceBook
from telemetry.journal_records import KIND_BATCH, KIND_EVENT
from telemetry.links.file import Enrol, FileLink
from telemetry.links.http import IngestApp, IngestListener
from telemetry.links.link import Link, LinkStatus
from telemetry.links.udp import UdpLink
from telemetry.links.url import LinkKind, LinkUrl, parse_link_url, parse_link_urls
from telemetry.model.alarm import Alarm
from telemetry.model.batch import Batch
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Fact, Output, key_of_fact
from telemetry.model.errors import ConflictError, InputError, NotFoundError, UnavailableError
from telemetry.model.events import AlarmAcknowledged, AlarmKind, AnyEvent, encode_event, kind_of
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit import Unit
from telemetry.model.unit_state import UnitBit
from telemetry.orders import OrderBoard
from telemetry.picture import Picture
from telemetry.quality import DAY_US
from telemetry.registry import Quarantined, RegistryTable
from telemetry.sources import find_phone_sources
from telemetry.sources.mavlink import MavlinkDecoder, Network
from telemetry.status import StatusBoard
from telemetry.tracker import Tracker

TICK_S: Final = 0.25
REPORT_EVERY_S: Final = 1.0
SAVE_EVERY_S: Final = 1.0
SAVE_AGAIN_S: Final = 15.0
FINISHED_LINKS_KEPT: Final = 20
REPLAY_GROUP: Final = "replay"
_ALARM_BITS: Final = {AlarmKind.SOS: UnitBit.SOS, AlarmKind.IDENTITY_CONFLICT: UnitBit.IDENTITY_CONFLICT}
_log: Final = get_logger("bridge")


class JournalDoor(Protocol):
    """What the bridge asks of the journal (infra/journal.py)."""

    def append(self, kind: int, payload: bytes, *, acknowledged: bool = False) -> int:
        """Take a record; raises JournalFullError or JournalFailedError."""

    async def durable(self, sequence: int) -> None:
        """Return when the record is on the disk."""


Save = Callable[[Iterable[Quarantined], Iterable[Fact]], Awaitable[None]]
"""Writes down what was learnt (`RegistryStore.save`). Raises psycopg.Error when the database is away."""


class Bridge:
    """Everything live, in one loop: `take` is the whole way of a position, in the order that it is written there.

    `save` remembers quarantine and signing timestamps; `enrol` makes device and unit of a recorded vehicle. Both are given by
    the composition root, since only it knows the database.
    """

    def __init__(
        self,
        registry: RegistryTable,
        journal: JournalDoor,
        clock: Clock,
        settings: Settings,
        *,
        save: Save | None = None,
        enrol: Enrol | None = None,
    ) -> None:
        self.registry = registry
        self.picture = Picture(registry, clock.now_us())
        self.alarms = AlarmBoard(self._unit_at)
        self.statuses = StatusBoard(registry)
        self.orders = OrderBoard()
        self.said = DeviceBook()
        self._folds = (self.alarms.apply, self.statuses.apply, self.orders.apply, self.said.apply)
        self.links: list[Link] = []
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._save = save
        self._enrol = enrol
        self._tracker = Tracker(registry, retention_us=settings.raw_retention_days * DAY_US)
        self._networks: dict[str, Network] = {}
        self._supervisor = Supervisor()
        self._listener: IngestListener | None = None
        self._bad: Counter[tuple[str, str]] = Counter()
        self._refused: str | None = None
        self._refused_rows = 0
        self._facts: dict[tuple[object, ...], Fact] = {}
        self._alarms_shown = 0

    @property
    def ingest_port(self) -> int:
        """The port that phones report to; 0 while closed."""
        return self._listener.port if self._listener else 0

    def take(self, output: Output, now_us: int, *, protocol: str = "mavlink", acknowledged: bool = False) -> int | None:
        """Take what a decoder gave: tracker, then picture and alarms, then journal.

        Returns the sequence of the last record that it became, None when it became none. The map goes on without the journal:
        an acknowledged output then raises JournalError after it was shown, others are dropped and counted.
        """
        tracked = self._tracker.apply(output.batch, now_us)
        self.picture.apply(tracked.batch, now_us)
        events = output.events + tracked.events
        self._tell(events, now_us)
        self._learn(output.facts)
        self._count(output, tracked.placeless_count, len(tracked.batch), protocol)
        return self._keep(tracked.batch, events, acknowledged=acknowledged)

    def take_report(self, output: Output, now_us: int) -> int | None:
        """Take a phone's report, which is answered only when it is safe. Raises JournalError when it cannot be."""
        return self.take(output, now_us, protocol=PHONE_PROTOCOL, acknowledged=True)

    async def durable(self, sequence: int) -> None:
        """Return when a record that `take` made is on the disk. Raises JournalError when it never will be."""
        await self._journal.durable(sequence)

    def restore_positions(self, batch: Batch) -> None:
        """Show positions of the past before the first link opens; they are as stale as they are, and raise nothing."""
        self.picture.apply(batch, self._clock.now_us())

    def restore_events(self, events: Iterable[AnyEvent]) -> None:
        """Fold events of the past (since `alarms.first_event_us`, oldest first) into alarms and statuses, before any link opens."""
        for event in events:
            for fold in (*self._folds, self.picture.apply_event):
                fold(event)
        self._show_alarms()

    async def acknowledge_alarm(self, alarm_id: str, account_id: int, account_name: str, now_us: int) -> Alarm:
        """Let an account take an alarm upon itself; shown and returned only once the journal has it on the disk.

        Raises NotFoundError for an alarm that there is not, ConflictError for one that is taken, UnavailableError when the
        journal cannot keep it.
        """
        alarm = self._untaken_alarm(alarm_id)
        event = AlarmAcknowledged(
            device_id=alarm.device_id,
            observed_us=now_us,
            received_us=now_us,
            alarm_id=alarm_id,
            account_id=account_id,
            account_name=account_name,
        )
        try:
            await self._journal.durable(self._journal.append(KIND_EVENT, encode_event(event), acknowledged=True))
        except JournalError as error:
            raise UnavailableError(f"the acknowledgement cannot be kept: {error}") from error
        self._untaken_alarm(alarm_id)  # another may have taken it while the disk wrote
        self._tell((event,), now_us)
        kept = self.alarms.get(alarm_id)
        assert kept is not None
        return kept

    def send(self, command: Command, now_us: int) -> None:
        """Send a command by the link that hears the device. Raises NotFoundError when none does."""
        for link in self.links:
            try:
                return link.send(command, now_us)
            except NotFoundError:
                continue
        raise NotFoundError(f"device {command.device_id} is not heard on any link: wait until it reports")

    async def open_link(
        self, url: str, *, link_group: str | None = None, speed: float = 1.0, keep_time: bool = False
    ) -> LinkStatus:
        """Open a link and keep it open; `speed` and `keep_time` belong to files, whose group is "replay" if none is given.

        Raises InputError (URL, host, file), ConflictError (port in use).
        """
        default = link_group or (REPLAY_GROUP if url.startswith("file:") else None)
        parsed = parse_link_url(url, link_group=default)
        link = self._make_link(parsed, speed=speed, keep_time=keep_time)
        await link.open()
        self.picture.refresh(self._clock.now_us())
        self._add(link)
        _log.info("link_open", link=str(parsed))
        return link.status()

    def link_statuses(self) -> list[LinkStatus]:
        """Return how each link does."""
        return [link.status() for link in self.links]

    async def start(self) -> None:
        """Open the ingest listener and the links of the settings.

        Raises ConflictError or InputError for a listener that cannot be; a link that cannot be opened now is tried again.
        """
        self._open_listener()
        for url in parse_link_urls(self._settings.mavlink_links):
            link = self._make_link(url, speed=1.0, keep_time=False)
            try:
                await link.open()
            except (ConflictError, InputError) as error:
                _log.error("link_not_opened", link=str(url), reason=str(error))
            self._add(link)

    async def run(self) -> None:
        """Run until cancelled; starts what `start` did not yet start."""
        if self._listener is None:
            await self.start()
        self._supervisor.start("bridge tick", self._tick_forever)
        self._supervisor.start("bridge report", self._report_forever)
        if self._save is not None:
            self._supervisor.start("bridge save", self._save_forever)
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Close every link and the listener, and save what was learnt."""
        await self._supervisor.stop()
        for link in self.links:
            link.close()
        self._listener = None
        if self._save is not None:
            await self._save_learnt(self._save)

    def tick(self, now_us: int) -> None:
        """Do what time asks for: decoders' heartbeats and timeouts, silence, link states, escalation."""
        for link in self.links:
            link.tick(now_us)
        silent = self._tracker.tick(now_us)
        if silent:
            self._tell(silent, now_us)
            self._keep(None, silent, acknowledged=False)
        if self.alarms.advance(now_us):
            self._show_alarms()
        self.picture.refresh(now_us)
        self.statuses.refresh(now_us)

    def _open_listener(self) -> None:
        settings = self._settings
        app = IngestApp(
            self.registry,
            find_phone_sources(),
            self.take_report,
            self._journal.durable,
            self._clock,
            behind_proxy=settings.behind_proxy,
        )
        listener = IngestListener(
            app,
            host=settings.ingest_host,
            port=settings.ingest_port,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
            behind_proxy=settings.behind_proxy,
        )
        listener.open()
        self._listener = listener
        self._supervisor.start("ingest listener", listener.run)

    def _make_link(self, url: LinkUrl, *, speed: float, keep_time: bool) -> Link:
        if url.kind is not LinkKind.FILE:
            return UdpLink(url, self._make_decoder, self.take, self._clock)
        enrol = self._enrol or _refuse_to_enrol
        return FileLink(
            url, self._make_replay_decoder, self.take, self._clock, enrol=enrol, speed=speed, keep_time=keep_time
        )

    def _make_decoder(self, url: LinkUrl, allow_unsigned: bool) -> Decoder:  # noqa: FBT001 - the links' own signature
        network = self._networks.get(url.link_group)
        if network is None:
            network = self._networks[url.link_group] = Network(self.registry, url.link_group)
        return MavlinkDecoder(self.registry, url.link_group, allow_unsigned=allow_unsigned, network=network)

    def _make_replay_decoder(self, url: LinkUrl, allow_unsigned: bool) -> Decoder:  # noqa: FBT001 - as above
        return MavlinkDecoder(self.registry, url.link_group, allow_unsigned=allow_unsigned, replayed=True)

    def _add(self, link: Link) -> None:
        finished = [old for old in self.links if old.status().state in ("finished", "failed")]
        for old in finished[: max(0, len(finished) - FINISHED_LINKS_KEPT)]:
            self.links.remove(old)
        self.links.append(link)
        self._supervisor.start(f"link {link.url.kind.value}", link.run)

    def _unit_at(self, device_id: int, at_us: int) -> Unit | None:
        unit_id = self.registry.unit_of(device_id, at_us)
        return None if unit_id is None else self.registry.units.get(unit_id)

    def _untaken_alarm(self, alarm_id: str) -> Alarm:
        alarm = self.alarms.get(alarm_id)
        if alarm is None:
            raise NotFoundError(f"there is no alarm {alarm_id[:80]!r}: see the alarms that are open")
        if alarm.acknowledged_us is not None:
            raise ConflictError(f"alarm {alarm.number} was acknowledged by {alarm.acknowledged_by} already")
        return alarm

    def _tell(self, events: tuple[AnyEvent, ...], now_us: int) -> None:
        for event in events:
            EVENTS.labels(kind=kind_of(event)).inc()
            self.picture.apply_event(event, now_us)
            for fold in self._folds:
                fold(event)
        if self.alarms.sequence != self._alarms_shown:
            self._show_alarms()

    def _show_alarms(self) -> None:
        """Light the bits of units whose alarms are open."""
        self._alarms_shown = self.alarms.sequence
        bits: Counter[int] = Counter()
        for alarm in self.alarms.open():
            if alarm.unit_id is not None:
                lasting = _ALARM_BITS.get(alarm.kind, 0) if alarm.ended_us is None else 0
                bits[alarm.unit_id] |= int(UnitBit.ALARMED | lasting)
        self.picture.show_alarms(bits)

    def _learn(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.registry.remember(fact)
            self._facts[key_of_fact(fact)] = fact

    def _count(self, output: Output, placeless_count: int, row_count: int, protocol: str) -> None:
        if row_count:
            POSITIONS_RECEIVED.labels(protocol=protocol).inc(row_count)
        if placeless_count:
            POSITIONS_REFUSED.labels(reason="no_place").inc(placeless_count)
        for reason, count in output.bad.items():
            BAD_INPUT.labels(protocol=protocol, reason=reason).inc(count)
            self._bad[protocol, reason] += count

    def _keep(self, batch: Batch | None, events: tuple[AnyEvent, ...], *, acknowledged: bool) -> int | None:
        sequence = None
        try:
            if batch is not None and len(batch):
                sequence = self._journal.append(KIND_BATCH, batch.tobytes(), acknowledged=acknowledged)
            for event in events:
                sequence = self._journal.append(KIND_EVENT, encode_event(event), acknowledged=acknowledged)
        except JournalError as error:
            self._note_refusal(error, 0 if batch is None else len(batch))
            if acknowledged:
                raise
            return sequence
        if sequence is not None and self._refused is not None:
            _log.info("journal_takes_again", refused_rows=self._refused_rows)
            self._refused, self._refused_rows = None, 0
        return sequence

    def _note_refusal(self, error: JournalError, row_count: int) -> None:
        reason = "journal_full" if isinstance(error, JournalFullError) else "journal_failed"
        POSITIONS_REFUSED.labels(reason=reason).inc(row_count)
        if self._refused is None:
            _log.error(reason, error=str(error))
        self._refused = reason
        self._refused_rows += row_count

    async def _tick_forever(self) -> None:
        while True:
            self.tick(self._clock.now_us())
            await asyncio.sleep(TICK_S)

    async def _report_forever(self) -> None:
        """Say once a second what was bad, with its counts."""
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            for (protocol, reason), count in self._bad.items():
                _log.warning("bad_input", protocol=protocol, reason=reason, count=count)
            self._bad.clear()

    async def _save_forever(self) -> None:
        assert self._save is not None
        while True:
            saved = await self._save_learnt(self._save)
            await asyncio.sleep(SAVE_EVERY_S if saved else SAVE_AGAIN_S * random.uniform(0.7, 1.3))  # noqa: S311 - jitter

    async def _save_learnt(self, save: Save) -> bool:
        """Save what changed; what could not be saved is kept for the next time."""
        facts, self._facts = self._facts, {}
        quarantined = self.registry.take_unsaved_quarantine()
        if not facts and not quarantined:
            return True
        try:
            await save(quarantined, facts.values())
        except psycopg.Error as error:
            _log.warning("registry_not_saved", reason=type(error).__name__)
            self._facts = {**facts, **self._facts}
            self.registry.keep_unsaved_quarantine(quarantined)
            return False
        return True


async def _refuse_to_enrol(link_group: str, system_id: int) -> None:
    raise UnavailableError(f"recorded vehicle {link_group}/{system_id} cannot be enrolled: this bridge has no database")
