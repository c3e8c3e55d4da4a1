"""Terminals on real sockets into a bridge with a real journal: what is promised, and what becomes of it when the disk is full or fails."""

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal, JournalFullError
from infra.journal_segment import SegmentFile
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.links.listening import ListeningLink
from telemetry.links.udp import UdpLink
from telemetry.model.batch import Batch, new_batch
from telemetry.model.commands import SendText
from telemetry.model.errors import NotFoundError
from telemetry.model.events import AnyEvent, SosRaised
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.recording.journal_records import KIND_BATCH, decode_runs
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808.terminal import SOS_BIT, Edition, Order, Terminal, TerminalFix
from tests.link_scene import eventually

CODE = "0123456789abcdef0123456789abcdef"
PHONES = {1: "13900000001", 2: "13900000002"}


def registry() -> RegistryTable:
    return RegistryTable(
        RegistryContents(
            units=tuple(
                Unit(unit_id=number, call_sign=f"C{number}", kind=UnitKind.CAR, service=Service.PATROL)
                for number in PHONES
            ),
            devices=tuple(
                Device(device_id=number, protocol="jt808", address=phone) for number, phone in PHONES.items()
            ),
            assignments=tuple(Assignment(device_id=number, unit_id=number, started_us=0) for number in PHONES),
            secrets=dict.fromkeys(PHONES, CODE.encode()),
        )
    )


class Disk:
    """Makes segment files whose syncs fail when the test says so."""

    def __init__(self) -> None:
        self.fails = False

    def create(self, path: Path) -> SegmentFile:
        disk = self

        class Faulty(SegmentFile):
            def sync(self) -> None:
                if disk.fails:
                    raise OSError(errno.EIO, "as the test asked")
                super().sync()

        return Faulty.create(path)


class Running:
    """A bridge with one TCP and one UDP link for terminals, and its journal."""

    def __init__(self, bridge: Bridge, journal: Journal, disk: Disk) -> None:
        self.bridge = bridge
        self.journal = journal
        self.disk = disk
        self.tcp, self.udp = cast(ListeningLink, bridge.links[0]), cast(UdpLink, bridge.links[1])

    def refusal(self) -> str | None:
        """Why the bridge keeps nothing."""
        return self.bridge.refusal

    def told(self) -> list[AnyEvent]:
        """The events that the journal holds."""
        return [event for _, events in self._runs() for event in events]

    def kept(self) -> Batch:
        """The positions that the journal holds."""
        return np.concatenate([batch for batch, _ in self._runs()])

    def _runs(self) -> Iterator[tuple[Batch, tuple[AnyEvent, ...]]]:
        after = self.journal.watermark
        while runs := self.journal.read_runs(after=after, limit=10_000):
            after = (runs[-1].epoch, runs[-1].last_sequence)
            yield decode_runs(runs)[:2]


@asynccontextmanager
async def bridge_running(folder: Path, *, journal_bytes: int = 1 << 24) -> AsyncIterator[Running]:
    disk = Disk()
    journal = Journal.open(folder / "journal", max_bytes=journal_bytes, create_segment=disk.create)
    links = "jt808+tcpin:127.0.0.1:0,jt808+udpin:127.0.0.1:0"
    settings = Settings(data_dir=folder, ingest_port=0, mavlink_links="", links=links)
    bridge = Bridge(registry(), journal, SYSTEM_CLOCK, settings)
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    try:
        yield Running(bridge, journal, disk)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(journal.close)


class Connected:
    """A terminal on its own connection: counts what it is told."""

    def __init__(self, number: int) -> None:
        self.terminal = Terminal(PHONES[number], edition=Edition.E2013, code=CODE)
        self.acknowledged: list[int] = []
        self.orders: list[Order] = []
        self._began_us = SYSTEM_CLOCK.now_us()
        self._step = 0

    async def connect(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(self.terminal.connect())
        self._listening = asyncio.create_task(self._listen())
        await eventually(lambda: self.terminal.is_ready)
        self.acknowledged.clear()

    def report(self, count: int = 1, *, alarm_bits: int = 0) -> list[int]:
        """Send positions; return their serials."""
        sent = [self.terminal.position(self._fix(alarm_bits)) for _ in range(count)]
        self._writer.write(b"".join(one.data for one in sent))
        return [one.serial for one in sent]

    def _fix(self, alarm_bits: int) -> TerminalFix:
        self._step += 1
        at_us = self._began_us - 3_600_000_000 + self._step * 1_000_000
        return TerminalFix(lat_deg=36.0 + self._step * 1e-5, lon_deg=103.8, observed_us=at_us, alarm_bits=alarm_bits)

    async def _listen(self) -> None:
        while data := await self._reader.read(65_536):
            heard = self.terminal.feed(data)
            self.acknowledged += heard.acknowledged
            self.orders += heard.orders
            self._writer.write(heard.data)

    async def hang_up(self) -> None:
        self._listening.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def test_what_a_terminal_is_told_we_have_is_in_the_journal(tmp_path: Path) -> None:
    async with bridge_running(tmp_path) as running:
        terminal = Connected(1)
        await terminal.connect(running.tcp.port)
        serials = terminal.report(50)
        await eventually(lambda: terminal.acknowledged == serials)
        kept = running.kept()
        assert len(kept) == 50
        assert set(kept["device_id"].tolist()) == {1}
        status, phones = running.bridge.link_statuses()[0], running.bridge.link_statuses()[-1]
        assert (status.protocol, status.peers, status.devices, status.positions) == ("jt808", 1, 1, 50)
        assert status.url.endswith(f":{running.tcp.port}#main")
        assert running.bridge.link_peers(status.url)[0].device_ids == (1,)
        assert (phones.protocol, phones.transport) == ("osmand", "http")
        await terminal.hang_up()


class Datagrams(asyncio.DatagramProtocol):
    """A terminal that reports by datagrams."""

    def __init__(self, number: int) -> None:
        self.terminal = Terminal(PHONES[number], edition=Edition.E2013, code=CODE)
        self.acknowledged: list[int] = []
        self._began_us = SYSTEM_CLOCK.now_us() - 3_600_000_000

    async def connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=("127.0.0.1", port))
        self._transport.sendto(self.terminal.connect())
        await eventually(lambda: self.terminal.is_ready)
        self.acknowledged.clear()

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self.acknowledged += self.terminal.feed(data).acknowledged

    def report(self, *, alarm_bits: int = 0) -> int:
        self._began_us += 1_000_000
        fix = TerminalFix(
            lat_deg=36.0 + self._began_us % 997 * 1e-5,
            lon_deg=103.8,
            observed_us=self._began_us,
            alarm_bits=alarm_bits,
        )
        sent = self.terminal.position(fix)
        self._transport.sendto(sent.data)
        return sent.serial

    def hang_up(self) -> None:
        self._transport.close()


async def test_datagrams_are_acknowledged_after_the_sync_too(tmp_path: Path) -> None:
    async with bridge_running(tmp_path) as running:
        terminal = Datagrams(2)
        await terminal.connect(running.udp.port)
        serial = terminal.report()
        await eventually(lambda: terminal.acknowledged == [serial])
        assert len(running.kept()) == 1
        terminal.hang_up()


async def test_datagrams_leave_the_room_that_is_kept_for_those_who_can_be_refused(tmp_path: Path) -> None:
    async with bridge_running(tmp_path, journal_bytes=64 * 1024) as running:
        datagrams, connected = Datagrams(2), Connected(1)
        await datagrams.connect(running.udp.port)
        await connected.connect(running.tcp.port)
        sent = [datagrams.report()]
        while running.refusal() is None:
            sent.append(datagrams.report())
            await asyncio.sleep(0)
        serials = connected.report(5)
        await eventually(lambda: connected.acknowledged == serials)
        assert set(sent) - set(datagrams.acknowledged)
        assert not running.bridge.link_statuses()[0].paused
        datagrams.hang_up()
        await connected.hang_up()


async def test_a_call_for_help_that_found_no_room_is_kept_with_what_is_acknowledged_next(tmp_path: Path) -> None:
    async with bridge_running(tmp_path, journal_bytes=64 * 1024) as running:
        datagrams, connected = Datagrams(2), Connected(1)
        await datagrams.connect(running.udp.port)
        await connected.connect(running.tcp.port)
        with contextlib.suppress(JournalFullError):
            while True:
                running.journal.append(KIND_BATCH, new_batch(1).tobytes())
        datagrams.report(alarm_bits=SOS_BIT)
        await eventually(lambda: bool(running.bridge.alarms.open()))
        serials = connected.report()  # may use the room that is kept for those who can be refused
        await eventually(lambda: connected.acknowledged == serials)
        assert [event.device_id for event in running.told() if isinstance(event, SosRaised)] == [2]
        datagrams.hang_up()
        await connected.hang_up()


async def test_a_full_journal_stops_terminals_and_nothing_is_lost_when_it_has_room_again(tmp_path: Path) -> None:
    async with bridge_running(tmp_path, journal_bytes=64 * 1024) as running:
        terminal = Connected(1)
        await terminal.connect(running.tcp.port)
        sent: list[int] = []
        while not running.bridge.link_statuses()[0].paused:
            sent += terminal.report(20)
            await asyncio.sleep(0)
        await asyncio.sleep(0.4)  # more than a tick: it must not go on by itself
        assert running.bridge.link_statuses()[0].paused
        refused = set(sent) - set(terminal.acknowledged)
        first = running.kept()
        assert len(first) == len(terminal.acknowledged)
        assert refused
        await asyncio.to_thread(running.journal.advance, running.journal.epoch, running.journal.durable_through)
        await eventually(lambda: not running.bridge.link_statuses()[0].paused)
        late = terminal.report(5)
        await eventually(lambda: set(late) <= set(terminal.acknowledged))
        assert running.refusal() is None
        await terminal.hang_up()


async def test_after_a_failed_sync_nobody_is_told_that_we_have_anything(tmp_path: Path) -> None:
    async with bridge_running(tmp_path) as running:
        terminal = Connected(1)
        await terminal.connect(running.tcp.port)
        kept = terminal.report(3)
        await eventually(lambda: terminal.acknowledged == kept)
        running.disk.fails = True
        terminal.report(5)
        await eventually(lambda: running.refusal() == "journal_failed")
        terminal.report(5)
        await eventually(lambda: running.bridge.link_statuses()[0].positions == 13)
        assert terminal.acknowledged == kept
        assert running.journal.failure
        await terminal.hang_up()


async def test_a_person_who_takes_an_alarm_is_told_to_the_device_also_when_it_is_away(tmp_path: Path) -> None:
    async with bridge_running(tmp_path) as running:
        terminal = Connected(1)
        await terminal.connect(running.tcp.port)
        terminal.report(alarm_bits=SOS_BIT)
        await eventually(lambda: bool(running.bridge.alarms.open()))
        await terminal.hang_up()
        await eventually(lambda: running.bridge.routes.of(1) is None)
        alarm = running.bridge.alarms.open()[0]
        await running.bridge.acknowledge_alarm(alarm.alarm_id, 1, "Lin", SYSTEM_CLOCK.now_us())
        with pytest.raises(NotFoundError, match="wait until it reports"):
            running.bridge.send(SendText(device_id=1, text="?"), SYSTEM_CLOCK.now_us())
        again = Connected(1)
        await again.connect(running.tcp.port)
        await eventually(lambda: [order.alarm_bits for order in again.orders] == [SOS_BIT])
        running.bridge.send(SendText(device_id=1, text="come home"), SYSTEM_CLOCK.now_us())
        await eventually(lambda: [order.text for order in again.orders][1:] == ["come home"])
        await again.hang_up()
