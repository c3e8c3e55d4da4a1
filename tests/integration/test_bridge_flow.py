"""Real sockets into a bridge: vehicles over UDP, phones over HTTP, a recording from its file; what is kept and what is shown."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import httpx
import numpy as np
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal, JournalFailedError, JournalFullError
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.model.batch import REPORT, Batch, Quality
from telemetry.model.decoding import Fact
from telemetry.model.errors import ConflictError, InputError, NotFoundError, UnavailableError
from telemetry.model.events import AlarmKind, AnyEvent, SosRaised, decode_event
from telemetry.model.phone import address_of_token
from telemetry.model.unit import Assignment, Device, DutyStatus, LinkState, Service, Unit, UnitKind
from telemetry.model.unit_state import LINK_STATES, UnitBit
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT
from telemetry.registry.table import Quarantined, RegistryContents, RegistryTable
from telemetry.sources.mavlink.frame import encode

TOKEN = "a-token-that-nobody-guesses"
REVOKED = "a-token-that-was-stolen"
DRONE = Unit(unit_id=70, call_sign="Hawk 1", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE)
OFFICER = Unit(unit_id=80, call_sign="Lin", kind=UnitKind.OFFICER, service=Service.PATROL, duty_status=DutyStatus.FREE)


def registry() -> RegistryTable:
    return RegistryTable(
        RegistryContents(
            units=(DRONE, OFFICER),
            devices=(
                Device(device_id=1, protocol="mavlink", address="main/1"),
                Device(device_id=2, protocol="osmand", address=address_of_token(TOKEN), report_interval_s=5),
                Device(device_id=3, protocol="osmand", address=address_of_token(REVOKED), revoked=True),
            ),
            assignments=(
                Assignment(device_id=1, unit_id=70, started_us=0),
                Assignment(device_id=2, unit_id=80, started_us=0),
            ),
        )
    )


class FakeJournal:
    """Keeps records in memory; refuses and stalls when told to."""

    def __init__(self) -> None:
        self.records: list[tuple[int, bytes]] = []
        self.full_for_all = False
        self.full_for_unacknowledged = False
        self.fails_to_sync = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.promised: list[int] = []

    def append(self, kind: int, payload: bytes, *, acknowledged: bool = False) -> int:
        if self.full_for_all or (self.full_for_unacknowledged and not acknowledged):
            message = "the journal is full: 9 bytes of 9"
            raise JournalFullError(message)
        self.records.append((kind, payload))
        return len(self.records)

    async def durable(self, sequence: int) -> None:
        await self.gate.wait()
        if self.fails_to_sync:
            message = "the disk failed"
            raise JournalFailedError(message)
        self.promised.append(sequence)

    def has_room(self, byte_count: int = 0) -> bool:  # noqa: ARG002 - the real one
        return not self.full_for_all

    def batches(self) -> list[Batch]:
        return [np.frombuffer(payload, REPORT) for kind, payload in self.records if kind == KIND_BATCH]

    def events(self) -> list[AnyEvent]:
        return [decode_event(payload) for kind, payload in self.records if kind == KIND_EVENT]


class Running:
    """A bridge under test, its journal and what it saved."""

    def __init__(self, settings: Settings) -> None:
        self.journal = FakeJournal()
        self.saved: list[Quarantined] = []
        self.registry = registry()
        self.bridge = Bridge(self.registry, self.journal, SYSTEM_CLOCK, settings, save=self.save, enrol=self.enrol)

    async def save(self, quarantined: Iterable[Quarantined], facts: Iterable[Fact]) -> None:
        self.saved += quarantined
        assert not list(facts)

    async def enrol(self, link_group: str, system_id: int) -> None:
        device = Device(device_id=1000 + system_id, protocol="mavlink", address=f"{link_group}/{system_id}")
        unit = Unit(unit_id=2000 + system_id, call_sign=device.address, kind=UnitKind.DRONE, service=Service.AIR)
        self.registry.register(device, unit, 0)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.bridge.ingest_port}{path}"

    def link_of(self, unit_id: int) -> LinkState:
        return LINK_STATES[int(self.bridge.picture.units[self.bridge.picture.row_of(unit_id)]["link"])]


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    subject = Running(Settings(ingest_port=0, mavlink_links=""))
    task = asyncio.create_task(subject.bridge.run())
    await eventually(lambda: subject.bridge.ingest_port > 0)
    yield subject
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def eventually(condition: Callable[[], bool], *, within_s: float = 8.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        await asyncio.sleep(0.02)


def heartbeat(sequence: int, system_id: int = 1) -> bytes:
    fields = {"type": 2, "autopilot": 3, "base_mode": 0x81, "custom_mode": 5, "system_status": 4, "mavlink_version": 3}
    return encode(0, fields, system_id=system_id, component_id=1, sequence=sequence)


def position(sequence: int, boot_ms: int, lat_e7: int, system_id: int = 1) -> bytes:
    fields = {"time_boot_ms": boot_ms, "lat": lat_e7, "lon": 1_038_000_000, "alt": 1_600_000, "relative_alt": 50_000}
    return encode(
        33, {**fields, "vx": 100, "vy": 0, "vz": 0, "hdg": 9000}, system_id=system_id, component_id=1, sequence=sequence
    )


def port_of(running: Running) -> int:
    return int(running.bridge.links[-1].port)  # type: ignore[attr-defined]


async def test_a_drone_on_udp_moves_its_marker_is_kept_and_is_answered(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone:
        drone.setblocking(False)
        drone.connect(("127.0.0.1", port_of(running)))
        for step in range(6):
            drone.send(heartbeat(2 * step) + position(2 * step + 1, 1000 + step * 200, 360_000_000 + step * 100))
            await asyncio.sleep(0.05)
        await eventually(lambda: running.link_of(70) is LinkState.LIVE)
        answer = await asyncio.wait_for(loop.sock_recv(drone, 2048), 3)
    assert answer[0] in (0xFD, 0xFE)
    await eventually(lambda: sum(len(batch) for batch in running.journal.batches()) == 6)
    state = running.bridge.picture.units[running.bridge.picture.row_of(70)]
    assert state["lat_e7"] == 360_000_500
    assert state["state"] & UnitBit.ARMED
    status = running.bridge.link_statuses()[0]
    assert (status.state, status.positions, status.peers, status.datagrams) == ("open", 6, 1, 6)


async def test_a_burst_in_one_turn_is_one_batch(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone:
        drone.connect(("127.0.0.1", port_of(running)))
        drone.send(heartbeat(0))
        await asyncio.sleep(0.05)
        for step in range(50):
            drone.send(position(step + 1, 1000 + step * 100, 360_000_000 + step))
    await eventually(lambda: sum(len(batch) for batch in running.journal.batches()) == 50)
    assert len(running.journal.batches()) <= 2


async def test_unknown_bytes_are_counted_and_a_drone_beside_them_is_heard(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone,
    ):
        for sender in (noise, drone):
            sender.connect(("127.0.0.1", port_of(running)))
        for number in range(200):
            noise.send(bytes(number % 256 for number in range(number + 1)))
        noise.send(b"")
        drone.send(heartbeat(0) + position(1, 1000, 360_000_000))
        await eventually(lambda: running.link_of(70) is LinkState.LIVE)
    assert running.bridge.link_statuses()[0].bad["bytes_skipped"] > 0


async def test_an_unknown_drone_goes_to_quarantine_and_is_saved(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone:
        drone.connect(("127.0.0.1", port_of(running)))
        drone.send(heartbeat(0, system_id=9) + position(1, 1000, 360_000_000, system_id=9))
        await eventually(lambda: bool(running.saved))
    assert running.saved[0].address == "main/9"
    assert running.journal.batches() == []


async def test_a_port_in_use_is_said_clearly(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    with pytest.raises(ConflictError, match=r"port \d+ of udpin:.* is in use"):
        await running.bridge.open_link(f"udpin:127.0.0.1:{port_of(running)}")
    with pytest.raises(InputError, match=r"no address 203\.0\.113\.7"):
        await running.bridge.open_link("udpin:203.0.113.7:0")


async def test_udpout_reaches_a_vehicle_that_waits_to_be_called(running: Running) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone:
        drone.bind(("127.0.0.1", 0))
        drone.setblocking(False)
        await running.bridge.open_link(f"udpout:127.0.0.1:{drone.getsockname()[1]}")
        _, caller = await asyncio.wait_for(loop.sock_recvfrom(drone, 2048), 3)
        drone.sendto(heartbeat(0) + position(1, 1000, 360_000_000), caller)
        await eventually(lambda: running.link_of(70) is LinkState.LIVE)


async def report(running: Running, query: str, **options: object) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(running.url(f"/?{query}"), **options)  # type: ignore[arg-type]


async def test_a_phone_is_answered_after_its_report_is_on_disk(running: Running) -> None:
    answer = await report(running, f"id={TOKEN}&lat=36.05&lon=103.8&speed=10&batt=80")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert running.journal.promised == [1]
    row = running.journal.batches()[0][0]
    assert (row["device_id"], row["lat_e7"], row["speed_cmps"]) == (2, 360_500_000, 514)
    assert running.link_of(80) is LinkState.LIVE


async def test_a_traccar_client_is_understood_with_its_token_in_the_header(running: Running) -> None:
    coords = {"latitude": 36.05, "longitude": 103.8, "speed": 2.5, "heading": 90}
    body = {"device_id": "ignored", "location": {"coords": coords, "battery": {"level": 0.5}}}
    async with httpx.AsyncClient() as client:
        answer = await client.post(running.url(), json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert running.journal.batches()[0]["battery_pct"][0] == 50


async def test_an_unknown_and_a_revoked_token_are_refused_and_shown_by_eight_digits(running: Running) -> None:
    unknown = await report(running, "id=stranger&lat=36&lon=103")
    revoked = await report(running, f"id={REVOKED}&lat=36&lon=103")
    assert (unknown.status_code, revoked.status_code) == (401, 401)
    shown = {(entry.address, entry.reason) for entry in running.registry.quarantined()}
    assert shown == {
        (address_of_token("stranger")[:8], "unknown token"),
        (address_of_token(REVOKED)[:8], "revoked token"),
    }
    assert "stranger" not in unknown.text
    assert running.journal.records == []


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        (f"id={TOKEN}&lat=95&lon=0", 400, "lat is 95.0: allowed are -90 .. 90"),
        (f"id={TOKEN}&lat=1&lon=1&timestamp=soon", 400, "timestamp is 'soon'"),
        ("lat=1&lon=1", 400, "names no device"),
        ("", 400, "no report found"),
        (f"id={TOKEN}&" + "x" * 9_000, 414, "at most 8192"),
    ],
)
async def test_a_wrong_report_is_answered_with_what_is_allowed(
    running: Running, query: str, status: int, says: str
) -> None:
    answer = await report(running, query)
    assert answer.status_code == status
    assert says in answer.text


async def test_a_body_that_is_too_long_is_refused_without_reading_it(running: Running) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(running.url(), content=b"{" * 100_000)
        method = await client.put(running.url())
    assert (answer.status_code, method.status_code) == (413, 405)


async def test_without_the_journal_a_phone_is_told_to_come_again_and_the_map_goes_on(running: Running) -> None:
    running.journal.full_for_all = True
    answer = await report(running, f"id={TOKEN}&lat=36.05&lon=103.8")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert running.link_of(80) is LinkState.LIVE
    running.journal.full_for_all = False
    running.journal.fails_to_sync = True
    assert (await report(running, f"id={TOKEN}&lat=36.05&lon=103.8")).status_code == 503


async def test_a_full_journal_drops_udp_and_keeps_room_for_phones(running: Running) -> None:
    await running.bridge.open_link("udpin:127.0.0.1:0")
    running.journal.full_for_unacknowledged = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as drone:
        drone.connect(("127.0.0.1", port_of(running)))
        drone.send(heartbeat(0) + position(1, 1000, 360_000_000))
        await eventually(lambda: running.link_of(70) is LinkState.LIVE)
    assert running.journal.batches() == []
    assert (await report(running, f"id={TOKEN}&lat=36.05&lon=103.8")).status_code == 200


async def test_a_phone_that_asks_too_often_is_told_to_wait(running: Running) -> None:
    async with httpx.AsyncClient() as client:
        codes = [(await client.get(running.url("/?id=wrong"))).status_code]
        while codes[-1] != 429 and len(codes) < 1000:
            codes.append((await client.get(running.url(f"/?id=wrong{len(codes)}"))).status_code)
    assert codes[0] == 401
    assert codes[-1] == 429


async def test_no_token_is_ever_written_to_a_log(
    running: Running, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for query in (f"id={TOKEN}&lat=36&lon=103", f"id={TOKEN}&lat=99&lon=1", f"id={REVOKED}&lat=1&lon=1"):
        await report(running, query)
        await report(running, query, headers={"Authorization": f"Bearer {REVOKED}"})
    running.journal.full_for_all = True
    await report(running, f"id={TOKEN}&lat=36&lon=103")
    reader, writer = await asyncio.open_connection("127.0.0.1", running.bridge.ingest_port)
    writer.write(f"GET /?id={TOKEN} NONSENSE\r\n\r\n".encode())
    assert b"400" in await reader.readline()
    writer.close()
    written = "".join(capfd.readouterr()) + "".join(
        line.getMessage() for line in caplog.records if not line.name.startswith("http")
    )
    assert TOKEN not in written
    assert REVOKED not in written


async def test_a_call_for_help_is_kept_raised_taken_and_over(running: Running) -> None:
    bridge = running.bridge
    assert (await report(running, f"id={TOKEN}&lat=36.05&lon=103.8&alarm=sos")).status_code == 200
    assert isinstance(running.journal.events()[0], SosRaised)
    (alarm,) = bridge.alarms.open()
    assert (alarm.kind, alarm.unit_id) == (AlarmKind.SOS, 80)
    row = bridge.picture.row_of(80)
    assert bridge.picture.units["state"][row] & UnitBit.SOS
    taken = await bridge.acknowledge_alarm(alarm.alarm_id, 5, "Wang", SYSTEM_CLOCK.now_us())
    assert taken.acknowledged_by == "Wang"
    with pytest.raises(ConflictError, match="by Wang"):
        await bridge.acknowledge_alarm(alarm.alarm_id, 6, "Li", SYSTEM_CLOCK.now_us())
    with pytest.raises(NotFoundError):
        await bridge.acknowledge_alarm("sos-9-9", 6, "Li", SYSTEM_CLOCK.now_us())
    await report(running, f"id={TOKEN}&alarm=sos_cleared")
    assert bridge.alarms.open() == []
    assert not bridge.picture.units["state"][row] & UnitBit.SOS
    again = Bridge(registry(), FakeJournal(), SYSTEM_CLOCK, Settings())
    again.restore_events(running.journal.events())
    assert again.alarms.get(alarm.alarm_id) == bridge.alarms.get(alarm.alarm_id)


async def test_an_alarm_counts_as_taken_only_when_the_disk_has_it(running: Running) -> None:
    bridge = running.bridge
    await report(running, f"id={TOKEN}&lat=36.05&lon=103.8&alarm=sos")
    (alarm,) = bridge.alarms.open()
    running.journal.fails_to_sync = True
    with pytest.raises(UnavailableError, match="the disk failed"):
        await bridge.acknowledge_alarm(alarm.alarm_id, 5, "Wang", SYSTEM_CLOCK.now_us())
    assert bridge.alarms.open() == [alarm]
    running.journal.fails_to_sync, running.journal.full_for_all = False, True
    with pytest.raises(UnavailableError, match="full"):
        await bridge.acknowledge_alarm(alarm.alarm_id, 5, "Wang", SYSTEM_CLOCK.now_us())
    running.journal.full_for_all = False
    await bridge.acknowledge_alarm(alarm.alarm_id, 5, "Wang", SYSTEM_CLOCK.now_us())
    assert running.journal.promised[-1] == len(running.journal.records)


async def test_of_two_who_take_an_alarm_at_once_one_gets_it(running: Running) -> None:
    await report(running, f"id={TOKEN}&lat=36.05&lon=103.8&alarm=sos")
    (alarm,) = running.bridge.alarms.open()
    running.journal.gate.clear()
    names = ("Wang", "Li")
    asked = [
        asyncio.create_task(running.bridge.acknowledge_alarm(alarm.alarm_id, 5, name, SYSTEM_CLOCK.now_us()))
        for name in names
    ]
    await asyncio.sleep(0)
    running.journal.gate.set()
    first, second = await asyncio.gather(*asked, return_exceptions=True)
    assert not isinstance(first, BaseException)
    assert first.acknowledged_by == "Wang"
    assert isinstance(second, ConflictError)
    again = Bridge(registry(), FakeJournal(), SYSTEM_CLOCK, Settings())
    again.restore_events(running.journal.events())
    assert again.alarms.get(alarm.alarm_id) == first


async def test_a_device_from_2080_is_kept_marked_and_said_once(running: Running) -> None:
    for second in range(3):
        answer = await report(running, f"id={TOKEN}&lat=36.05&lon=103.8&timestamp=2080-01-01T00:00:0{second}Z")
        assert answer.status_code == 200
    assert all(batch["quality"][0] & Quality.ODD_TIME for batch in running.journal.batches())
    assert [type(event).__name__ for event in running.journal.events()] == ["DeviceClockWrong"]
    assert running.link_of(80) is LinkState.NEVER


@pytest.mark.shared_data
async def test_a_recording_plays_as_a_link_of_its_own_group_moved_to_now(running: Running, test_data: Path) -> None:
    path = test_data / "mavlink" / "dronekit_flight_replay.tlog"
    before_us = SYSTEM_CLOCK.now_us()
    status = await running.bridge.open_link(f"file:{path}", speed=100)
    assert (status.state, status.link_group, status.peers) == ("playing", "replay", 1)
    (unit,) = [unit for unit in running.registry.units.values() if unit.call_sign.startswith("replay/")]
    await eventually(lambda: running.link_of(unit.unit_id) is LinkState.LIVE)
    await eventually(lambda: len(running.journal.batches()) > 5)
    rows = np.concatenate(running.journal.batches())
    assert (rows["quality"] & Quality.REPLAYED).all()
    assert (rows["observed_us"] >= before_us - 10_000_000).all()
    assert (rows["observed_us"] <= rows["received_us"] + 1_000_000).all()
    assert running.bridge.alarms.open() == []


@pytest.mark.shared_data
async def test_a_recording_can_keep_its_own_time(running: Running, test_data: Path) -> None:
    path = test_data / "mavlink" / "dronekit_flight_replay.tlog"
    await running.bridge.open_link(f"file:{path}", speed=100, keep_time=True)
    await eventually(lambda: len(running.journal.batches()) > 1)
    rows = np.concatenate(running.journal.batches())
    assert (rows["observed_us"] < 1_500_000_000_000_000).all()
    assert (rows["quality"] & Quality.ODD_TIME).all()


async def test_a_recording_that_is_none_is_refused(running: Running, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        await running.bridge.open_link("file:/nowhere/flight.tlog")
    (tmp_path / "wrong.tlog").write_bytes(b"not a log" * 50)
    with pytest.raises(InputError):
        await running.bridge.open_link(f"file:{tmp_path}/wrong.tlog")
    with pytest.raises(InputError, match=r"0\.1 \.\. 100"):
        await running.bridge.open_link(f"file:{tmp_path}/wrong.tlog", speed=1000)


async def test_the_real_journal_holds_what_was_promised(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal", max_bytes=16 << 20)
    bridge = Bridge(registry(), journal, SYSTEM_CLOCK, Settings(ingest_port=0, mavlink_links=""))
    task = asyncio.create_task(bridge.run())
    await eventually(lambda: bridge.ingest_port > 0)
    async with httpx.AsyncClient() as client:
        asks: list[Awaitable[httpx.Response]] = [
            client.get(f"http://127.0.0.1:{bridge.ingest_port}/?id={TOKEN}&lat=36.{number}&lon=103.8")
            for number in range(10, 40)
        ]
        answers = await asyncio.gather(*asks)
    assert {answer.status_code for answer in answers} == {200}
    records = await asyncio.to_thread(journal.read, after=(0, 0), limit=1000)
    assert sum(len(np.frombuffer(record.payload, REPORT)) for record in records if record.kind == KIND_BATCH) == 30
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(journal.close)


async def test_the_phones_listener_says_in_the_list_of_links_what_it_heard(running: Running) -> None:
    answers = [await report(running, f"id={token}&lat=36.05&lon=103.8") for token in (TOKEN, REVOKED)]
    assert [answer.status_code for answer in answers] == [200, 401]
    status = running.bridge.link_statuses()[-1]
    assert (status.datagrams, status.positions, status.devices, status.bad) == (1, 1, 1, {"401": 1})
    assert status.bytes_received > 0
    assert status.last_heard_us is not None
    assert running.bridge.link_peers(status.url) == []
