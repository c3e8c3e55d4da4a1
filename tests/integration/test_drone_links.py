"""A drone by serial line, by TCP, and by two links at once: heard, ordered, its copies told apart, on real sockets and a pseudo-terminal."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.links.udp import UdpLink
from telemetry.model.commands import CommandState, FlightAction, FlightCommand
from telemetry.model.events import AnyEvent, CommandAnswered
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from tests.demo_drone import new_drone

KEY = bytes(range(32))
HOLD = FlightCommand(device_id=1, command_id=9, action=FlightAction.ARM)


async def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - sockets of the other side
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def bridge_on(tmp_path: Path, *links: str) -> AsyncIterator[tuple[Bridge, list[AnyEvent]]]:
    """Run a bridge with these links for the time of the block; give what events it told."""
    settings = Settings(data_dir=tmp_path, ingest_port=0, mavlink_links=",".join(links))
    journal = Journal.open(tmp_path / "journal")
    device = Device(device_id=1, protocol="mavlink", address="main/1")
    registry = RegistryTable(RegistryContents(devices=(device,), signing_keys={1: KEY}))
    bridge = Bridge(registry, journal, SYSTEM_CLOCK, settings)
    told: list[AnyEvent] = []
    bridge.listeners.append(lambda event, _now_us: told.append(event))
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    try:
        yield bridge, told
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(journal.close)


class Speaking:
    """A demo drone that speaks by whatever takes its bytes, and hears what is handed to it."""

    def __init__(self, *say: Callable[[bytes], None]) -> None:
        self.drone = new_drone(key=KEY)
        self.say = list(say)
        self._task = asyncio.create_task(self._run())

    def hear(self, data: bytes) -> None:
        self._tell(self.drone.hear(data, SYSTEM_CLOCK.now_us()))

    def _tell(self, data: bytes) -> None:
        for say in self.say if data else ():
            say(data)

    async def _run(self) -> None:
        while True:
            self._tell(self.drone.tick(SYSTEM_CLOCK.now_us(), steps=1))
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


def answer_of(told: list[AnyEvent]) -> CommandAnswered | None:
    return next((event for event in told if isinstance(event, CommandAnswered)), None)


async def order_and_see(bridge: Bridge, told: list[AnyEvent], drone: Speaking) -> None:
    """Order the drone to arm once it is known, and see that it does."""
    await until(lambda: any(way.heard_us for way in bridge.ways_of(1)))
    bridge.send(HOLD, SYSTEM_CLOCK.now_us())
    await until(lambda: answer_of(told) is not None)
    answer = answer_of(told)
    assert answer is not None
    assert answer.state == CommandState.DELIVERED, answer
    assert drone.drone.craft.is_armed


async def test_a_drone_on_a_serial_line_is_heard_and_ordered(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    plug = tmp_path / "ttyUSB0"
    plug.symlink_to(os.ttyname(theirs))
    async with bridge_on(tmp_path, f"serial:{plug}?baud=57600") as (bridge, told):

        def say(data: bytes) -> None:
            os.write(ours, data)

        drone = Speaking(say)
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, lambda: drone.hear(os.read(ours, 4096)))
        try:
            await order_and_see(bridge, told, drone)
            (way,) = bridge.ways_of(1)
            assert (way.transport, way.peer) == ("serial", str(plug))
        finally:
            loop.remove_reader(ours)
            await drone.stop()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("scheme", ["tcpin", "tcpout"])
async def test_a_drone_by_tcp_is_heard_and_ordered(tmp_path: Path, scheme: str) -> None:
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(4096):
            drone.hear(data)

    def say(data: bytes) -> None:
        for writer in writers:
            writer.write(data)

    drone = Speaking(say)
    server = await asyncio.start_server(talk, "127.0.0.1", port) if scheme == "tcpout" else None
    async with bridge_on(tmp_path, f"{scheme}:127.0.0.1:{port}") as (bridge, told):
        talking = None
        if server is None:
            talking = asyncio.create_task(talk(*await asyncio.open_connection("127.0.0.1", port)))
        await order_and_see(bridge, told, drone)
        (way,) = bridge.ways_of(1)
        assert way.transport == "tcp"
        await drone.stop()
        for writer in writers:
            writer.close()
        if talking is not None:
            await talking
        if server is not None:
            server.close()


async def test_a_drone_by_two_links_is_one_and_orders_go_on_when_the_better_one_falls_silent(tmp_path: Path) -> None:
    async with bridge_on(tmp_path, "udpin:127.0.0.1:0", "udpin:localhost:0") as (bridge, told):
        ports = [link.port for link in bridge.links if isinstance(link, UdpLink)]
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
        silent: set[int] = set()
        for opened, port in zip(sockets, ports, strict=True):
            opened.connect(("127.0.0.1", port))
            opened.setblocking(False)
        frames: list[bytes] = []
        bridge.tap_frames(lambda heard, _now_us: frames.extend(data for _, _, data in heard))

        def say(number: int) -> Callable[[bytes], None]:
            def send(data: bytes) -> None:
                if number not in silent:
                    sockets[number].send(data)

            return send

        drone = Speaking(say(0), say(1))
        loop = asyncio.get_running_loop()

        def hear(number: int) -> None:
            data = sockets[number].recv(65_535)
            if number not in silent:
                drone.hear(data)

        for number, opened in enumerate(sockets):
            loop.add_reader(opened.fileno(), hear, number)
        try:
            await until(
                lambda: len(bridge.ways_of(1)) == 2 and all(way.rtt_us is not None for way in bridge.ways_of(1))
            )
            assert sum(way.duplicates for way in bridge.ways_of(1)) > 0
            assert len(frames) == len(set(frames))
            best = next(way for way in bridge.ways_of(1) if way.is_best)
            silent.add(
                next(n for n, one in enumerate(sockets) if one.getsockname()[1] == int(best.peer.rpartition(":")[2]))
            )
            await until(lambda: not any(way.is_best and way.peer == best.peer for way in bridge.ways_of(1)))
            await order_and_see(bridge, told, drone)
        finally:
            await drone.stop()
            for opened in sockets:
                loop.remove_reader(opened.fileno())
                opened.close()
