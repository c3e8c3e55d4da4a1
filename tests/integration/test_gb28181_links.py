"""Cameras on real sockets: answers that wait for the disk, refusals while it is full, a move to another port, many at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from infra.clock import SYSTEM_CLOCK
from telemetry.sources.gb28181.camera import Camera, CameraFix
from tests.gb28181_scene import plan
from tests.link_scene import FakeKeeper, eventually
from tests.sip_ground import free_port, server

SECOND_US = 1_000_000
BEGIN_US = 1_790_000_000 * SECOND_US


class Live(asyncio.Protocol, asyncio.DatagramProtocol):
    """A camera with a socket: what it is told it hears, what it says is sent, and it ticks."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.say(self.camera.start(SYSTEM_CLOCK.now_us()))

    def data_received(self, data: bytes) -> None:
        self.say(self.camera.feed(data, SYSTEM_CLOCK.now_us()))

    def datagram_received(self, data: bytes, addr: object) -> None:
        assert addr
        self.data_received(data)

    def say(self, messages: list[bytes]) -> None:
        transport: Any = self.transport
        for message in messages:
            (transport.sendto if self.camera.plan.transport == "udp" else transport.write)(message)

    def report(self, count: int) -> list[CameraFix]:
        fixes = [
            CameraFix(observed_us=BEGIN_US + second * SECOND_US, lat_deg=36 + second / 1e4, lon_deg=103.8)
            for second in range(count)
        ]
        self.say(self.camera.report(fixes, SYSTEM_CLOCK.now_us()))
        return fixes


@asynccontextmanager
async def camera(transport: str, port: int, own_port: int = 0) -> AsyncIterator[Live]:
    """Give a camera that has connected and begun to register."""
    own_port = own_port or free_port()
    live = Live(Camera(plan(transport=transport, local_host="127.0.0.1", local_port=own_port, keepalive_s=0.5)))
    loop = asyncio.get_running_loop()
    remote, local = ("127.0.0.1", port), ("127.0.0.1", own_port)
    if transport == "udp":
        await loop.create_datagram_endpoint(lambda: live, local_addr=local, remote_addr=remote)
    else:
        await loop.create_connection(lambda: live, *remote)
    ticking = asyncio.create_task(_tick(live))
    try:
        yield live
    finally:
        ticking.cancel()
        assert live.transport is not None
        live.transport.close()


async def _tick(live: Live) -> None:
    while True:
        await asyncio.sleep(0.05)
        live.say(live.camera.tick(SYSTEM_CLOCK.now_us()))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_position_is_answered_only_when_the_disk_has_it(transport: str) -> None:
    keeper = FakeKeeper()
    async with server(transport, keeper) as link, camera(transport, link.port) as live:
        await eventually(lambda: live.camera.is_subscribed)
        keeper.gate.clear()
        fixes = live.report(3)
        await eventually(lambda: len(keeper.rows) >= 3)
        await asyncio.sleep(0.1)
        assert live.camera.take_acknowledged() == []
        keeper.gate.set()
        await eventually(lambda: live.camera.unsaid == 0)
        assert sorted(live.camera.take_acknowledged(), key=lambda fix: fix.observed_us) == fixes
        assert link.status().bad == {}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_camera_moves_to_another_port_and_registers_from_there(transport: str) -> None:
    keeper = FakeKeeper()
    async with server(transport, keeper) as link:
        async with camera(transport, link.port) as live:
            await eventually(lambda: live.camera.is_subscribed)
        async with camera(transport, link.port) as moved:
            await eventually(lambda: moved.camera.is_subscribed)
            moved.report(1)
            await eventually(lambda: moved.camera.unsaid == 0)
    assert len(keeper.rows) == 1


async def test_a_full_journal_is_said_with_503_on_udp_and_everything_comes_once_there_is_room() -> None:
    keeper = FakeKeeper()
    async with server("udp", keeper) as link, camera("udp", link.port) as live:
        await eventually(lambda: live.camera.is_subscribed)
        keeper.is_full = True
        live.report(5)
        await eventually(lambda: 503 in live.camera.refused)
        assert live.camera.take_acknowledged() == []
        assert len(keeper.rows) == 0
        keeper.is_full = False
        live.camera._hold_until_us = 0
        await eventually(lambda: live.camera.unsaid == 0)
        assert len(live.camera.take_acknowledged()) == 5
    assert len(keeper.rows) >= 5
