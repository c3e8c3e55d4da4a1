"""The bridge: wires links, tracker, picture, alarms and journal into one flow within one turn of the loop."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from infra.clock import Clock
from infra.journal import JournalError
from infra.logs import get_logger
from infra.metrics import EVENTS
from infra.settings import Settings
from infra.tasks import Supervisor
from telemetry.alarms.board import AlarmBoard
from telemetry.alarms.confirming import Confirmations
from telemetry.alarms.decisions import AlarmDecision, check_decision
from telemetry.counted import InputCounts
from telemetry.flight.control import ControlBoard
from telemetry.flight.lookout import Lookout
from telemetry.flight.sorties import SortieBoard
from telemetry.forwarding.board import ForwardBoard
from telemetry.forwarding.setting import parse_forwards
from telemetry.geofences.watch import GeofenceWatch
from telemetry.links.file import Enrol, FileLink
from telemetry.links.http import IngestListener
from telemetry.links.ingest import open_ingest
from telemetry.links.link import Link, LinkStatus, PeerStatus
from telemetry.links.open import LinkOpener
from telemetry.links.routes import Routes
from telemetry.links.tap import Tap
from telemetry.links.url import LinkKind, LinkUrl, parse_link_url, parse_link_urls
from telemetry.model.alarm import Alarm
from telemetry.model.batch import Batch
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Output, Peer
from telemetry.model.errors import ConflictError, InputError, NotFoundError, UnavailableError
from telemetry.model.events import AlarmAcknowledged, AlarmKind, AnyEvent, kind_of
from telemetry.model.link_ways import LinkWay
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit_state import UnitBit
from telemetry.model.vehicle_frames import FrameTap, FrameTaps
from telemetry.orders import OrderBoard
from telemetry.picture.device_book import DeviceBook
from telemetry.picture.live import Picture
from telemetry.picture.status import StatusBoard
from telemetry.recording.keeping import JournalDoor, Keeping
from telemetry.registry.learnt import Learnt, Save
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.tracking.quality import DAY_US
from telemetry.tracking.tracker import Tracker

TICK_S: Final = 0.25
FINISHED_LINKS_KEPT: Final = 20
REPLAY_GROUP: Final = "replay"
_ALARM_BITS: Final = {AlarmKind.SOS: UnitBit.SOS, AlarmKind.IDENTITY_CONFLICT: UnitBit.IDENTITY_CONFLICT}
_log: Final = get_logger("bridge")


Listener = Callable[[AnyEvent, int], None]
"""Told of every event, with the time, in the turn that brought it."""


class Bridge:
    """Everything live, in one loop: `take` is the whole way of a position, in the order that it is written there.

    `save` remembers quarantine and what sources learnt; `enrol` makes device and unit of a recorded vehicle; `tap` is handed all
    received bytes. They are given by the composition root, since only it knows the database.
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
        tap: Tap | None = None,
    ) -> None:
        self.registry = registry
        self.picture = Picture(registry, clock.now_us())
        self.geofences = GeofenceWatch(registry, self.picture)
        self._restored: list[Batch] = []
        self.alarms = AlarmBoard(registry.unit_at)
        self.statuses = StatusBoard(registry)
        self.orders = OrderBoard()
        self.said = DeviceBook()
        self.control = ControlBoard()
        self.sorties = SortieBoard()
        self._lookout = Lookout(self.picture, registry, secrets.token_bytes(32))
        self.traffic = self._lookout.board
        self._folds = (
            self.alarms.apply,
            self.statuses.apply,
            self.orders.apply,
            self.said.apply,
            self.control.apply,
            self.sorties.apply,
        )
        self.links: list[Link] = []
        self.routes = Routes()
        self.listeners: list[Listener] = []
        self._frame_taps = FrameTaps()
        self._keeping = Keeping(journal)
        self._learnt = Learnt(registry, save)
        self._confirmations = Confirmations(self.send)
        self._clock = clock
        self._settings = settings
        self._enrol = enrol
        self._tap = tap
        self._tracker = Tracker(registry, retention_us=settings.raw_retention_days * DAY_US)
        self._opener = LinkOpener(
            registry,
            self,
            clock,
            self.routes,
            tap=tap,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        )
        self.routes.on_arrival = self._greet_soon
        self.stations = self._make_stations(settings.forward)
        if self.stations.stations:
            self.tap_frames(self.stations.take)
        self._supervisor = Supervisor()
        self._listener: IngestListener | None = None
        self._counts = InputCounts()
        self._alarms_shown = 0

    @property
    def ingest_port(self) -> int:
        """The port that phones report to; 0 while closed."""
        return self._listener.port if self._listener else 0

    @property
    def refusal(self) -> str | None:
        """Why nothing is kept at the moment: journal_full or journal_failed; None while it is."""
        return self._keeping.refusal

    def take(self, output: Output, now_us: int, *, protocol: str = "mavlink", acknowledged: bool = False) -> int | None:
        """Take what a decoder gave: tracker, then picture and alarms, then journal.

        Returns the sequence of the last record that it became, None when it became none. The map goes on without the journal:
        an acknowledged output then raises JournalError after it was shown, others are dropped and counted.
        """
        try:
            return self.keep_turn(output, now_us, protocol=protocol, acknowledged=acknowledged)
        except JournalError:
            if acknowledged:
                raise
            return None

    def keep_turn(self, output: Output, now_us: int, *, protocol: str, acknowledged: bool) -> int | None:
        """Do as `take`, and raise JournalError in any case when not all of it is kept: it is shown and counted before."""
        tracked = self._tracker.apply(output.batch, now_us, events=output.events)
        self.picture.apply(tracked.batch, now_us)
        fenced = self.geofences.apply(tracked.batch, now_us)
        events = (*output.events, *tracked.events, *fenced)
        self._tell(events, now_us)
        events += self.alarms.take_numbered()
        self._learnt.remember(output.facts)
        if output.sightings:
            self.traffic.take(output.sightings)
        self._frame_taps.hand_on(output.heard, output.said, now_us)
        self._counts.count(output, tracked.placeless_count, len(tracked.batch), protocol)
        return self._keeping.keep(tracked.batch, events, acknowledged=acknowledged)

    def take_report(self, output: Output, now_us: int) -> int | None:
        """Take a phone's report, which is answered only when it is safe. Raises JournalError when it cannot be."""
        return self.take(output, now_us, protocol=PHONE_PROTOCOL, acknowledged=True)

    async def durable(self, sequence: int) -> None:
        """Return when a record that `take` made is on the disk. Raises JournalError when it is not."""
        await self._keeping.durable(sequence)

    def has_room(self) -> bool:
        """Tell whether the journal takes what can be refused."""
        return self._keeping.has_room()

    def restore_positions(self, batch: Batch) -> None:
        """Show positions of the past before the first link opens; they are as stale as they are, and raise nothing."""
        self.picture.apply(batch, self._clock.now_us())
        if len(batch):
            self._restored.append(batch)

    def restore_events(self, events: Iterable[AnyEvent]) -> None:
        """Fold events of the past (since `alarms.first_event_us`, oldest first) into alarms and statuses, before any link opens."""
        told = list(events)
        self.alarms.begin_restore(told)
        for event in told:
            for fold in (*self._folds, self.picture.apply_event):
                fold(event)
            self.geofences.restore_event(event)
        for batch in self._restored:
            self.geofences.restore(batch, self._clock.now_us())
        self._restored.clear()
        self.alarms.end_restore()
        near = [alarm.device_id for alarm in self.alarms.open() if alarm.kind is AlarmKind.TRAFFIC]
        self.traffic.resume(near)
        self._show_alarms()

    async def acknowledge_alarm(self, alarm_id: str, account_id: int, account_name: str, now_us: int) -> Alarm:
        """Let an account take an alarm upon itself: `decide_alarm`."""
        device_id = alarm.device_id if (alarm := self.alarms.get(alarm_id)) else 0
        return await self.decide_alarm(
            AlarmAcknowledged(
                device_id=device_id,
                observed_us=now_us,
                received_us=now_us,
                alarm_id=alarm_id,
                account_id=account_id,
                account_name=account_name,
            )
        )

    async def decide_alarm(self, decision: AlarmDecision) -> Alarm:
        """Take what a person decided about an alarm; shown and returned only once the journal has it on the disk.

        Raises what `check_decision` raises, and UnavailableError when the journal cannot keep it.
        """
        alarm = check_decision(self.alarms, decision)
        try:
            await self._keeping.keep_event(decision)
        except JournalError as error:
            raise UnavailableError(f"the decision cannot be kept: {error}") from error
        check_decision(self.alarms, decision)  # another may have been faster while the disk wrote
        self._tell((decision,), decision.received_us)
        if alarm.acknowledged_us is None:
            self._confirmations.confirm(alarm, decision.received_us)
        kept = self.alarms.get(decision.alarm_id)
        assert kept is not None
        return kept

    def send(self, command: Command, now_us: int) -> None:
        """Send a command by the peer that the device proved to be last, else by any link that hears it.

        Raises NotFoundError when none does, InputError for what the device's protocol cannot express.
        """
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

    def tap_frames(self, tap: FrameTap, *, said: FrameTap | None = None) -> None:
        """Let `tap` have the frames of every vehicle from now on, verified and each once; `said` those that we send to them."""
        self._frame_taps.add(tap, said)
        self._opener.sources.tap_frames()

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a device is heard, the one heard last first; none where its protocol does not tell."""
        return self._opener.sources.ways_of(device_id)

    def link_statuses(self) -> list[LinkStatus]:
        """Return how each link does, the phones' listener last."""
        phones = [] if self._listener is None else [self._listener.status()]
        return [*(link.status() for link in self.links), *phones]

    def link_peers(self, url: str) -> list[PeerStatus]:
        """Return who is at the other end of a link, by the URL of its status; phones come and go. Raises NotFoundError."""
        if self._listener is not None and url == self._listener.status().url:
            return []
        link = next((link for link in self.links if link.status().url == url), None)
        if link is None:
            raise NotFoundError(f"there is no link {url[:200]!r}: see the links that there are")
        return link.peers()

    async def start(self) -> None:
        """Open the ingest listener and the links of the settings.

        Raises ConflictError or InputError for a listener that cannot be; a link that cannot be opened now is tried again.
        """
        self._listener = open_ingest(
            self._settings, self.registry, self.take_report, self.durable, self._clock, tap=self._tap
        )
        self._supervisor.start("ingest listener", self._listener.run)
        urls = [*parse_link_urls(self._settings.mavlink_links), *parse_link_urls(self._settings.links)]
        links = [self._make_link(url, speed=1.0, keep_time=False) for url in urls]
        for link in (*links, *self.stations.stations):
            try:
                await link.open()
            except (ConflictError, InputError) as error:
                _log.error("link_not_opened", link=str(link.url), reason=str(error))
            self._add(link)

    async def run(self) -> None:
        """Run until cancelled; starts what `start` did not yet start."""
        if self._listener is None:
            await self.start()
        self._supervisor.start("bridge tick", self._tick_forever)
        self._supervisor.start("bridge report", self._counts.report_forever)
        self._supervisor.start("bridge save", self._learnt.save_forever)
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
        await self._learnt.save()

    def tick(self, now_us: int) -> None:
        """Do what time asks for: decoders' heartbeats and timeouts, silence, link states, escalation."""
        for link in self.links:
            link.tick(now_us)
        silent = (*self._tracker.tick(now_us), *self.geofences.tick(now_us), *self._lookout.tick(now_us))
        if silent:
            self._tell(silent, now_us)
            silent += self.alarms.take_numbered()
            with contextlib.suppress(JournalError):  # it is counted and said where it happens
                self._keeping.keep(None, silent, acknowledged=False)
        if self.alarms.advance(now_us):
            self._show_alarms()
        self.picture.refresh(now_us)
        self.statuses.refresh(now_us)

    def _make_stations(self, forward: str) -> ForwardBoard:
        transferring = self._opener.sources.transferring
        urls = parse_forwards(forward)
        return ForwardBoard(
            urls, self.registry, self.control, self.send, self._clock, transferring=transferring, keep=self.take
        )

    def _make_link(self, url: LinkUrl, *, speed: float, keep_time: bool) -> Link:
        if url.kind is not LinkKind.FILE:
            return self._opener.make(url)
        enrol = self._enrol or _refuse_to_enrol

        def make_decoder(peer: Peer) -> Decoder:
            return MavlinkDecoder(self.registry, url.link_group, allow_unsigned=peer.allow_unsigned, replayed=True)

        return FileLink(url, make_decoder, self.take, self._clock, enrol=enrol, speed=speed, keep_time=keep_time)

    def _greet_soon(self, device_id: int) -> None:
        """Tell a device that came back what it still has to be told, once its own replies have left."""
        asyncio.get_running_loop().call_soon(self._confirmations.retry, device_id, self._clock.now_us())

    def _add(self, link: Link) -> None:
        finished = [old for old in self.links if old.status().state in ("finished", "failed")]
        for old in finished[: max(0, len(finished) - FINISHED_LINKS_KEPT)]:
            self.links.remove(old)
        self.links.append(link)
        self._supervisor.start(f"link {link.url.kind.value}", link.run)

    def _tell(self, events: tuple[AnyEvent, ...], now_us: int) -> None:
        for event in events:
            EVENTS.labels(kind=kind_of(event)).inc()
            self.picture.apply_event(event, now_us)
            for fold in self._folds:
                fold(event)
            for listen in self.listeners:
                listen(event, now_us)
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

    async def _tick_forever(self) -> None:
        while True:
            self.tick(self._clock.now_us())
            await asyncio.sleep(TICK_S)


async def _refuse_to_enrol(link_group: str, system_id: int) -> None:
    raise UnavailableError(f"recorded vehicle {link_group}/{system_id} cannot be enrolled: this bridge has no database")
