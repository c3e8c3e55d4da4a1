"""The demo's vehicles: a JT/T 808 terminal each, on a TCP connection of its own, that keeps what was not acknowledged."""

import asyncio
from collections import OrderedDict, deque
from typing import Final

import msgspec

from console.demo.phone_client import Sighting
from infra.clock import Clock
from telemetry.sources.jt808.messages import ASK_POSITION, name_of
from telemetry.sources.jt808.terminal import Terminal, TerminalFix

AGAIN_S: Final = 2.0
"""So long after a connection was lost or refused the next one is tried."""
HEARTBEAT_S: Final = 20.0
STORED_AT_MOST: Final = 5_000
STORED_A_MESSAGE: Final = 20
ALT_MSL_M: Final = 1520.0
_ASK: Final = name_of(ASK_POSITION)


class VehicleCounts(msgspec.Struct, kw_only=True):
    """What became of all vehicles' positions, and what they were asked."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    connections: int = 0
    orders: int = 0


class Vehicle(asyncio.Protocol):
    """One terminal. It registers when it has no code yet; what was said without an answer is said again as stored positions."""

    def __init__(self, phone: str, plate: str, counts: VehicleCounts, clock: Clock) -> None:
        self._terminal = Terminal(phone, plate=plate, maker="DEMO")
        self._counts = counts
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._in_flight: OrderedDict[int, tuple[TerminalFix, ...]] = OrderedDict()
        self._stored: deque[TerminalFix] = deque(maxlen=STORED_AT_MOST)
        self._newest: TerminalFix | None = None

    @property
    def waiting_count(self) -> int:
        """Positions that nobody acknowledged yet."""
        return len(self._stored) + sum(map(len, self._in_flight.values()))

    def interval_s(self, usual_s: float) -> float:
        """Return how often it reports: as the platform asked, else as usual."""
        return float(self._terminal.report_interval_s or usual_s)

    async def run(self, host: str, port: int) -> None:
        """Stay connected until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._lost.clear()
            try:
                await loop.create_connection(lambda: self, host, port)
                while not self._lost.is_set():
                    await self._beat()
            except OSError:
                pass
            await asyncio.sleep(AGAIN_S)

    def report(self, sighting: Sighting) -> None:
        """Say where the vehicle is, or keep it for later."""
        self._counts.sent += 1
        self._newest = fix = TerminalFix(
            lat_deg=sighting.lat_deg,
            lon_deg=sighting.lon_deg,
            observed_us=self._clock.now_us() // 1_000_000 * 1_000_000,
            alt_msl_m=ALT_MSL_M,
            speed_mps=sighting.speed_mps,
            course_deg=sighting.course_deg or 0.0,
        )
        if self._transport is None or not self._terminal.is_ready:
            self._stored.append(fix)
            return
        sent = self._terminal.position(fix)
        self._in_flight[sent.serial] = (fix,)
        self._transport.write(sent.data)

    def close(self) -> None:
        """Log out and hang up."""
        if self._transport is not None:
            self._transport.write(self._terminal.logout().data)
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: register or authenticate."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._counts.connections += 1
        transport.write(self._terminal.connect())

    def data_received(self, data: bytes) -> None:
        """Obey, and forget what was acknowledged."""
        was_ready = self._terminal.is_ready
        heard = self._terminal.feed(data)
        assert self._transport is not None
        self._transport.write(heard.data)
        for serial in heard.acknowledged:
            self._counts.acknowledged += len(self._in_flight.pop(serial, ()))
        for serial, _ in heard.refused:
            self._counts.refused += len(self._in_flight.pop(serial, ()))
        for order in heard.orders:
            self._counts.orders += 1
            if order.name == _ASK and self._newest is not None:
                self._transport.write(self._terminal.position_answer(order.serial, self._newest).data)
        if self._terminal.is_ready and not was_ready:
            self._say_stored()

    def connection_lost(self, error: Exception | None) -> None:
        """Keep what was not acknowledged."""
        del error  # whatever it was, the next connection says it all again
        self._transport = None
        for fixes in self._in_flight.values():
            self._stored.extend(fixes)
        self._in_flight.clear()
        self._lost.set()

    def _say_stored(self) -> None:
        assert self._transport is not None
        while self._stored:
            fixes = tuple(self._stored.popleft() for _ in range(min(STORED_A_MESSAGE, len(self._stored))))
            sent = self._terminal.batch(fixes, archive=True)
            self._in_flight[sent.serial] = fixes
            self._transport.write(sent.data)

    async def _beat(self) -> None:
        """Wait until the connection is lost, with a heartbeat at its time."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await self._lost.wait()
        except TimeoutError:
            if self._transport is not None and self._terminal.is_ready:
                self._transport.write(self._terminal.heartbeat().data)
