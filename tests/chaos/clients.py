"""The devices of the fault tests: each tells one fix at a time and knows whether the server said that it has it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import Final

from infra.clock import SYSTEM_CLOCK
from telemetry.sources.gb28181.camera import Camera, CameraFix, CameraPlan
from telemetry.sources.jt808.terminal import Terminal, TerminalFix
from telemetry.sources.mavlink.frame import encode
from tests.chaos.diary import Fix
from tests.chaos.ground import GB28181_REALM, GB28181_SERVER, HERE, Member

ANSWER_WITHIN_S: Final = 5.0
TOLD_AGAIN: Final = 5
"""So many of its last fixes a terminal uploads again now and then, as after a tunnel: they must not be there twice."""
TELL_AGAIN_EVERY: Final = 8
TICK_S: Final = 0.2


class Client(ABC):
    """One device. `report` tells one fix and returns whether the server said that it has it."""

    protocol: str
    is_acknowledged = True
    keeps_whole_seconds = False

    def __init__(self, member: Member, port: int) -> None:
        self.member = member
        self.port = port

    @abstractmethod
    async def report(self, fix: Fix) -> bool:
        """Tell one fix."""


class Phone(Client):
    """OsmAnd over HTTP: one request a fix, over a connection that is kept."""

    protocol = "osmand"

    def __init__(self, member: Member, port: int) -> None:
        super().__init__(member, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def report(self, fix: Fix) -> bool:
        """Return whether the answer was 200."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._ask(fix) == 200
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self._let_go()
            return False

    async def _ask(self, fix: Fix) -> int:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HERE, self.port)
        assert self._reader is not None
        place = f"lat={fix.lat_e7 / 1e7:.7f}&lon={fix.lon_e7 / 1e7:.7f}&timestamp={fix.observed_us // 1000}"
        request = f"POST /?id={self.member.secret}&{place} HTTP/1.1\r\nHost: {HERE}\r\nContent-Length: 0\r\n\r\n"
        self._writer.write(request.encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
        await self._reader.readexactly(length)
        if "connection: close" in head:
            self._let_go()
        return int(head.split()[1])

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


class Vehicle(Client):
    """MAVLink over UDP, which acknowledges nothing."""

    protocol = "mavlink"
    is_acknowledged = False

    def __init__(self, member: Member, port: int) -> None:
        super().__init__(member, port)
        self._system_id = int(member.address.rpartition("/")[2])
        self._sequence = 0
        self._started_s = time.monotonic() - 60.0
        self._transport: asyncio.DatagramTransport | None = None

    async def report(self, fix: Fix) -> bool:
        """Send a heartbeat now and then, and the position."""
        if self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=(HERE, self.port)
            )
        if self._sequence % 10 == 0:
            self._send("HEARTBEAT", {"type": 2, "autopilot": 3, "mavlink_version": 3})
        boot_ms = int((time.monotonic() - self._started_s) * 1000)
        self._send("GLOBAL_POSITION_INT", {"time_boot_ms": boot_ms, "lat": fix.lat_e7, "lon": fix.lon_e7})
        return False

    def _send(self, name: str, fields: dict[str, int]) -> None:
        assert self._transport is not None
        frame = encode(name, {**fields}, system_id=self._system_id, component_id=1, sequence=self._sequence & 255)
        self._sequence += 1
        self._transport.sendto(frame)


class TerminalOnTcp(Client):
    """JT/T 808 over TCP; now and then it uploads its last fixes once more as a batch (0x0704)."""

    protocol = "jt808"
    keeps_whole_seconds = True

    def __init__(self, member: Member, port: int) -> None:
        super().__init__(member, port)
        self._terminal = Terminal(member.address, code=member.secret)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._told: deque[TerminalFix] = deque(maxlen=TOLD_AGAIN)
        self._count = 0

    async def report(self, fix: Fix) -> bool:
        """Return whether the platform's general reply said done."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._connect()
                await self._tell(fix)
        except (OSError, asyncio.IncompleteReadError):
            self._let_go()
            return False
        return True

    async def _tell(self, fix: Fix) -> None:
        place = TerminalFix(
            lat_deg=fix.lat_e7 / 1e7, lon_deg=fix.lon_e7 / 1e7, observed_us=fix.observed_us, speed_mps=3.0
        )
        self._count += 1
        if self._told and self._count % TELL_AGAIN_EVERY == 0:
            self._write(self._terminal.batch(list(self._told), archive=True).data)
        self._told.append(place)
        sent = self._terminal.position(place)
        self._write(sent.data)
        while sent.serial not in await self._hear():
            continue

    async def _connect(self) -> None:
        if self._writer is None:
            await self._open()
            self._write(self._terminal.connect())
        while not self._terminal.is_ready:
            await self._hear()

    async def _hear(self) -> tuple[int, ...]:
        """Answer what the platform says, and return the serials that it acknowledged."""
        heard = self._terminal.feed(await self._read())
        if heard.data:
            self._write(heard.data)
        return heard.acknowledged

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(HERE, self.port)

    def _write(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def _read(self) -> bytes:
        assert self._reader is not None
        data = await self._reader.read(65_536)
        if not data:
            raise ConnectionResetError
        return data

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


class _Datagrams(asyncio.DatagramProtocol):
    """Keeps what comes; an error is as good as silence."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep a datagram."""
        del addr
        self.heard.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """Go on: nobody listens just now."""
        del exc


class TerminalOnUdp(TerminalOnTcp):
    """JT/T 808 over UDP: the same messages, one a datagram; what is not answered is said again after a second."""

    protocol = "jt808_udp"

    def __init__(self, member: Member, port: int) -> None:
        super().__init__(member, port)
        self._line: tuple[asyncio.DatagramTransport, _Datagrams] | None = None

    async def report(self, fix: Fix) -> bool:
        """Return whether the platform answered within a second."""
        try:
            async with asyncio.timeout(1.0):
                await self._connect()
                await self._tell(fix)
        except TimeoutError:
            self._terminal.is_ready = False
            self._write(self._terminal.connect())
            return False
        return True

    async def _connect(self) -> None:
        if self._line is None:
            self._line = await asyncio.get_running_loop().create_datagram_endpoint(
                _Datagrams, remote_addr=(HERE, self.port)
            )
            self._write(self._terminal.connect())
        while not self._terminal.is_ready:
            await self._hear()

    def _write(self, data: bytes) -> None:
        assert self._line is not None
        self._line[0].sendto(data)

    async def _read(self) -> bytes:
        assert self._line is not None
        return await self._line[1].heard.get()


class CameraOnUdp(Client):
    """GB/T 28181 over UDP: registers, is subscribed to, and reports; it says again by itself what was not answered."""

    protocol = "gb28181"
    keeps_whole_seconds = True

    def __init__(self, member: Member, port: int) -> None:
        super().__init__(member, port)
        self._camera: Camera | None = None
        self._line: tuple[asyncio.DatagramTransport, _Datagrams] | None = None
        self._given: Fix | None = None
        self._ticks_s = 0.0

    async def report(self, fix: Fix) -> bool:
        """Return whether the server answered 200 within the time."""
        camera = self._camera or await self._start()
        if fix != self._given:
            self._given = fix
            place = CameraFix(
                observed_us=fix.observed_us, lat_deg=fix.lat_e7 / 1e7, lon_deg=fix.lon_e7 / 1e7, speed_mps=3.0
            )
            self._send(camera.report([place], SYSTEM_CLOCK.now_us()))
        end_s = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end_s:
            await self._hear(camera)
            if any(told.observed_us == fix.observed_us for told in camera.take_acknowledged()):
                return True
        return False

    async def _start(self) -> Camera:
        self._line = await asyncio.get_running_loop().create_datagram_endpoint(
            _Datagrams, remote_addr=(HERE, self.port)
        )
        host, port = self._line[0].get_extra_info("sockname")
        plan = CameraPlan(
            address=self.member.address,
            password=self.member.secret,
            server_id=GB28181_SERVER,
            realm=GB28181_REALM,
            transport="udp",
            local_host=host,
            local_port=port,
            seed=self.member.device_id,
        )
        self._camera = Camera(plan)
        self._send(self._camera.start(SYSTEM_CLOCK.now_us()))
        return self._camera

    async def _hear(self, camera: Camera) -> None:
        assert self._line is not None
        try:
            async with asyncio.timeout(TICK_S):
                data = await self._line[1].heard.get()
        except TimeoutError:
            self._send(camera.tick(SYSTEM_CLOCK.now_us()))
        else:
            self._send(camera.feed(data, SYSTEM_CLOCK.now_us()))

    def _send(self, messages: list[bytes]) -> None:
        assert self._line is not None
        for message in messages:
            self._line[0].sendto(message)


CLIENTS: Final[dict[str, type[Client]]] = {
    client.protocol: client for client in (Phone, Vehicle, TerminalOnTcp, TerminalOnUdp, CameraOnUdp)
}
