"""Missions over real sockets and a bad line to autopilots that nobody here wrote, MAVSDK's and one of pymavlink; and to our demo drone."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import pytest

from infra.clock import SYSTEM_CLOCK
from infra.fault_proxy import FaultProxy, Place
from infra.fault_proxy_plan import Faults, Line, always
from infra.journal import Journal
from infra.settings import Settings
from mission.pilot import Pilot, Says
from telemetry.bridge import Bridge
from telemetry.links.udp import UdpLink
from telemetry.model.commands import UploadMission
from telemetry.model.errors import NotFoundError
from telemetry.model.events import AnyEvent, ArmedChanged, CommandAnswered
from telemetry.model.flight_events import MissionTransferred, OnBoard, SortieStep
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from tests.cockpit import READY, brief_of
from tests.demo_drone import demo_drone
from tests.mavlink_scene import KEY
from tests.pymavlink_autopilot import Autopilot
from tests.unit.test_mavlink_transfer import mission_of

HERE: Final = "127.0.0.1"
BAD: Final = Faults(loss=always(0.1), doubling=always(0.05), delay_s=always(0.03), jitter_s=always(0.02))
MAVSDK_VEHICLE: Final = """
import json, sys, time
from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.plugins.action_server import ActionServer, AllowableFlightModes
from mavsdk.plugins.mission_raw_server import MissionRawServer
from mavsdk.plugins.telemetry_server import TelemetryServer

sdk = Mavsdk(Configuration.create_with_component_type(ComponentType.AUTOPILOT))
sdk.add_any_connection(f"udpout://127.0.0.1:{sys.argv[1]}")
me = sdk.server_component_by_type(ComponentType.AUTOPILOT)
telemetry, actions, missions = TelemetryServer(me), ActionServer(me), MissionRawServer(me)
actions.set_armable(True, True)
actions.set_disarmable(True, True)
actions.set_allowable_flight_modes(AllowableFlightModes(True, True, True))
plans, current = [], []
missions.subscribe_incoming_mission(lambda result, plan, *_: plans.append(plan))
missions.subscribe_current_item_changed(lambda item, *_: current.append(item.seq))
modes, armed = [], []
actions.subscribe_flight_mode_change(lambda result, mode, *_: modes.append(mode))
actions.subscribe_arm_disarm(lambda result, what, *_: armed.append(what.arm))
while not (plans and modes and armed):
    time.sleep(0.05)
items = [[item.command, item.x, item.y, round(item.z, 3)] for item in plans[-1].mission_items]
print(json.dumps(items), flush=True)
time.sleep(0.8)
for _ in items:
    missions.set_current_item_complete()
    time.sleep(0.1)
time.sleep(1.0)
actions.set_armed_state(False)
time.sleep(600)
"""


@dataclass
class Ground:
    """A bridge that listens on a port of this machine, and everything that it was told."""

    bridge: Bridge
    port: int
    events: list[AnyEvent] = field(default_factory=list)

    async def until(self, is_so: Callable[[], bool], *, at_most_s: float = 60.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(at_most_s):
            while not is_so():  # noqa: ASYNC110 - a state of many parts, no event
                await asyncio.sleep(0.02)

    async def answer(self, command: UploadMission) -> CommandAnswered:
        """Send a command as soon as the vehicle is there, and return its answer."""
        await self.until(lambda: self._sends(command))
        await self.until(lambda: bool(self._answers(command.command_id)))
        return self._answers(command.command_id)[0]

    async def fly(self, pilot: Pilot, *, at_most_s: float = 60.0) -> None:
        """Run a sortie to its end."""
        read, number = len(self.events), 7_000

        def say(says: Says) -> None:
            nonlocal number
            if says.command is None:
                return
            number += 1
            now_us = SYSTEM_CLOCK.now_us()
            try:
                self.bridge.send(msgspec.structs.replace(says.command, command_id=number), now_us)
            except NotFoundError as error:
                say(pilot.unsent(str(error), now_us))
            else:
                pilot.sent(number)

        def turned() -> bool:
            nonlocal read
            now_us = SYSTEM_CLOCK.now_us()
            while read < len(self.events):
                read += 1
                say(pilot.take(self.events[read - 1], now_us))
            say(pilot.tick(now_us))
            if pilot.step is SortieStep.READY:
                say(pilot.start(READY, now_us))
            return pilot.step in {SortieStep.DONE, SortieStep.FAILED}

        await self.until(lambda: any(isinstance(event, ArmedChanged) for event in self.events))
        say(pilot.begin(READY, SYSTEM_CLOCK.now_us()))
        await self.until(turned, at_most_s=at_most_s)

    def transfers(self) -> list[MissionTransferred]:
        """What it was told of transfers."""
        return [event for event in self.events if isinstance(event, MissionTransferred)]

    def _sends(self, command: UploadMission) -> bool:
        try:
            self.bridge.send(command, SYSTEM_CLOCK.now_us())
        except NotFoundError:
            return False
        return True

    def _answers(self, command_id: int) -> list[CommandAnswered]:
        return [event for event in self.events if isinstance(event, CommandAnswered) and event.command_id == command_id]


@asynccontextmanager
async def ground(tmp_path: Path, *, key: bytes | None = None) -> AsyncIterator[Ground]:
    devices = (Device(device_id=1, protocol="mavlink", address="main/1"),)
    registry = RegistryTable(RegistryContents(devices=devices, signing_keys={1: key} if key else {}))
    settings = Settings(data_dir=tmp_path, ingest_port=0, mavlink_links=f"udpin:{HERE}:0")
    journal = Journal.open(tmp_path / "journal")
    bridge = Bridge(registry, journal, SYSTEM_CLOCK, settings)
    await bridge.start()
    port = next(link.port for link in bridge.links if isinstance(link, UdpLink))
    here = Ground(bridge, port)
    bridge.listeners.append(lambda event, _: here.events.append(event))
    running = asyncio.create_task(bridge.run())
    try:
        yield here
    finally:
        running.cancel()
        await asyncio.wait((running,))
        await asyncio.to_thread(journal.close)


@asynccontextmanager
async def bad_line(port: int) -> AsyncIterator[int]:
    proxy = FaultProxy(Line.UDP, Place(HERE, 0), Place(HERE, port), BAD, seed=4)
    try:
        yield await proxy.open()
    finally:
        await proxy.close()


class OnSocket(asyncio.DatagramProtocol):
    """The autopilot of pymavlink on a datagram socket; it ticks four times a second."""

    def __init__(self, autopilot: Autopilot) -> None:
        self._autopilot = autopilot
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self._send(self._autopilot.feed(data, SYSTEM_CLOCK.now_us()))

    async def run(self) -> None:
        while True:
            self._send(self._autopilot.tick(SYSTEM_CLOCK.now_us()))
            await asyncio.sleep(0.25)

    def _send(self, frames: list[bytes]) -> None:
        assert self._transport is not None
        for frame in frames:
            self._transport.sendto(frame)


async def test_mavsdks_autopilot_takes_our_mission_over_a_bad_line_runs_it_and_reports_it(tmp_path: Path) -> None:
    pytest.importorskip("mavsdk", reason="MAVSDK IS NOT INSTALLED: its autopilot cannot take our mission")
    async with ground(tmp_path) as here, bad_line(here.port) as port:
        vehicle = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MAVSDK_VEHICLE, str(port), stdout=asyncio.subprocess.PIPE
        )
        try:
            pilot = Pilot(1, brief_of(2), SYSTEM_CLOCK.now_us())
            await here.fly(pilot)
            assert vehicle.stdout is not None
            lines = (await vehicle.stdout.read(65_536)).decode().splitlines()
        finally:
            vehicle.kill()
            await vehicle.wait()
    assert (pilot.step, pilot.state.flown, pilot.state.reason_en) == (SortieStep.DONE, 2, "")
    said = next(json.loads(line) for line in lines if line.startswith("[["))
    assert said == [[item.command, item.lat_e7, item.lon_e7, round(item.alt_m, 3)] for item in pilot.brief.plan.mission]


async def test_a_plan_gets_whole_through_a_line_that_loses_doubles_and_delays(tmp_path: Path) -> None:
    async with ground(tmp_path, key=KEY) as here, bad_line(here.port) as port:
        vehicle = Autopilot(key=KEY)
        loop = asyncio.get_running_loop()
        transport, on_socket = await loop.create_datagram_endpoint(lambda: OnSocket(vehicle), remote_addr=(HERE, port))
        running = asyncio.create_task(on_socket.run())
        try:
            order = UploadMission(device_id=1, command_id=5, mission=mission_of(5), fence=())
            assert (await here.answer(order)).text == ""
        finally:
            running.cancel()
            transport.close()
    assert [told.on_board for told in here.transfers()] == [OnBoard.AS_ASKED] * 2
    assert [item.x for item in vehicle.lists[0][2:]] == [item.lat_e7 for item in mission_of(5)[1:]]
    assert vehicle.unsigned == 0


async def test_our_demo_drone_flies_a_sortie_that_its_pilot_sends_signed(tmp_path: Path) -> None:
    async with ground(tmp_path, key=KEY) as here:
        patient = {"DISARM_DELAY": 127.0}  # at this speed it would disarm again while a busy machine sends the start
        with demo_drone(ground=(HERE, here.port), key=KEY, speed_up=40, parameters=patient):
            pilot = Pilot(1, brief_of(4), SYSTEM_CLOCK.now_us())
            await here.fly(pilot)
    assert (pilot.step, pilot.state.flown, pilot.state.reason_en) == (SortieStep.DONE, 4, "")
