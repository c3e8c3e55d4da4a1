"""A bad line on purpose: a UDP or TCP proxy whose loss, delay, corruption and silence are seeded and follow a schedule."""

import asyncio
import heapq
import itertools
import socket
import struct
from collections import Counter
from typing import Any, Final, NamedTuple

from infra.clock import SYSTEM_CLOCK, Clock
from infra.fault_proxy_plan import Crossing, Faults, Lane, Line
from infra.logs import get_logger

READ_BYTES: Final = 65_536
LOOK_AGAIN_S: Final = 0.02
"""How often a silent connection looks whether its silence is over."""
WAITING_AT_MOST: Final = 256
"""Pieces of a stream that may wait for their time; then the sender is read no further."""
CONNECT_WITHIN_S: Final = 5.0
_HARD_CLOSE: Final = struct.pack("ii", 1, 0)
_log: Final = get_logger("fault_proxy")


class Place(NamedTuple):
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class FaultProxy:
    """Listens at one place and passes on to another, with faults. `open` it, `close` it; `counts` says what it did.

    The n-th connection (UDP: the n-th client address) of a seed always meets the same faults at the same pieces.
    """

    def __init__(
        self, line: Line, listen: Place, target: Place, faults: Faults, *, seed: int = 1, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._line = line
        self._listen = listen
        self._target = target
        self._faults = faults
        self._seed = seed
        self._clock = clock
        self._started_s = clock.monotonic_s()
        self._numbers = itertools.count()
        self._shell: _Datagrams | _Streams | None = None

    async def open(self) -> int:
        """Listen, and return the port. The schedule begins now. Raises OSError when the place cannot be had."""
        self._started_s = self._clock.monotonic_s()
        self._shell = _Datagrams(self) if self._line is Line.UDP else _Streams(self)
        return await self._shell.open(self._listen, self._target)

    async def close(self) -> None:
        """Cut every connection and listen no more."""
        if self._shell is not None:
            await self._shell.close()
            self._shell = None

    def elapsed_s(self) -> float:
        """Return the seconds since the proxy was opened: the time of the schedule."""
        return self._clock.monotonic_s() - self._started_s

    def lanes(self) -> tuple[Lane, Lane]:
        """Return the lanes of a new connection: to the target, and back."""
        number = next(self._numbers)
        self.counts["connections"] += 1
        there, back = (
            Lane(self._faults, self._line, self._seed, number, name, counts=self.counts) for name in ("there", "back")
        )
        return there, back


class _Route:
    """A UDP client: its address, the socket that speaks for it to the target, and its two lanes."""

    def __init__(self, address: Any, lanes: tuple[Lane, Lane]) -> None:  # noqa: ANN401 - an address of any family
        self.address = address
        self.there, self.back = lanes
        self.transport: asyncio.DatagramTransport | None = None
        self.opening: asyncio.Task[None] | None = None
        self.waiting: list[bytes] = []


class _Datagrams(asyncio.DatagramProtocol):
    """The UDP side: one socket for all clients, one to the target for each of them; a heap of what must wait."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._routes: dict[Any, _Route] = {}
        self._due: list[tuple[float, int, _Route, bool, Crossing]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._target = Place("", 0)

    async def open(self, listen: Place, target: Place) -> int:
        """Bind the clients' socket."""
        self._target = target
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=listen)
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    async def close(self) -> None:
        """Close every socket."""
        if self._timer is not None:
            self._timer.cancel()
        for route in self._routes.values():
            _forget(route)
        opening = [route.opening for route in self._routes.values() if route.opening is not None]
        await asyncio.gather(*opening, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - an address of any family
        """Take what a client sent."""
        route = self._routes.get(addr)
        if route is None:
            route = self._routes[addr] = _Route(addr, self._proxy.lanes())
        self._take(route, data, is_back=False)

    def take_answer(self, route: _Route, data: bytes) -> None:
        """Take what the target sent to a client."""
        self._take(route, data, is_back=True)

    def _take(self, route: _Route, data: bytes, *, is_back: bool) -> None:
        lane = route.back if is_back else route.there
        for crossing in lane.cross(data, self._proxy.elapsed_s()):
            heapq.heappush(self._due, (crossing.due_s, next(self._order), route, is_back, crossing))
        self._send_due()

    def _send_due(self) -> None:
        now_s = self._proxy.elapsed_s()
        while self._due and self._due[0][0] <= now_s:
            _, _, route, is_back, crossing = heapq.heappop(self._due)
            self._send(route, crossing, is_back=is_back)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            self._timer = asyncio.get_running_loop().call_later(self._due[0][0] - now_s, self._send_due)

    def _send(self, route: _Route, crossing: Crossing, *, is_back: bool) -> None:
        if crossing.is_reset:
            _forget(route)
        elif is_back:
            if self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(crossing.data, route.address)
        elif route.transport is not None:
            route.transport.sendto(crossing.data)
        else:
            route.waiting.append(crossing.data)
            if route.opening is None:
                route.opening = asyncio.create_task(self._reach(route))

    async def _reach(self, route: _Route) -> None:
        """Open a client's socket to the target, which sees it as a peer of its own."""
        loop = asyncio.get_running_loop()
        try:
            route.transport, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(self, route), remote_addr=self._target
            )
        except OSError as error:
            self._proxy.counts["target_away"] += 1
            _log.warning("target_away", target=str(self._target), reason=str(error))
            return
        finally:
            waiting, route.waiting, route.opening = route.waiting, [], None
        for data in waiting:
            route.transport.sendto(data)


class _Answers(asyncio.DatagramProtocol):
    """Hears the target's answers to one client."""

    def __init__(self, datagrams: _Datagrams, route: _Route) -> None:
        self._datagrams = datagrams
        self._route = route

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - an address of any family
        """Take an answer."""
        del addr
        self._datagrams.take_answer(self._route, data)


def _forget(route: _Route) -> None:
    """Let go of a client's port towards the target: its next datagram comes from another one."""
    if route.opening is not None:
        route.opening.cancel()
    if route.transport is not None:
        route.transport.close()
        route.transport = None


class _Streams:
    """The TCP side: a connection to the target for each one taken, and two pumps between them."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._target = Place("", 0)

    async def open(self, listen: Place, target: Place) -> int:
        """Listen for clients."""
        self._target = target
        self._server = await asyncio.start_server(self._serve, listen.host, listen.port, backlog=1_024)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Cut everything."""
        if self._server is not None:
            self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        there, back = self._proxy.lanes()
        further: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                answers, further = await asyncio.open_connection(self._target.host, self._target.port)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(there, reader, further))
                pumps.create_task(self._pump(back, answers, writer))
        except* OSError:
            self._proxy.counts["target_away"] += further is None
        finally:
            self._running.discard(task)
            for end in (writer, further):
                if end is not None:
                    _cut(end)

    async def _pump(self, lane: Lane, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one direction on until its end; a reset ends it at once."""
        due: asyncio.Queue[Crossing | None] = asyncio.Queue(WAITING_AT_MOST)
        async with asyncio.TaskGroup() as halves:
            halves.create_task(self._read(lane, reader, due))
            halves.create_task(self._write(lane, due, writer))

    async def _read(self, lane: Lane, reader: asyncio.StreamReader, due: "asyncio.Queue[Crossing | None]") -> None:
        while data := await reader.read(READ_BYTES):
            await self._while_silent(lane)
            for crossing in lane.cross(data, self._proxy.elapsed_s()):
                await due.put(crossing)
        await due.put(None)

    async def _write(self, lane: Lane, due: "asyncio.Queue[Crossing | None]", writer: asyncio.StreamWriter) -> None:
        while (crossing := await due.get()) is not None:
            await asyncio.sleep(max(0.0, crossing.due_s - self._proxy.elapsed_s()))
            await self._while_silent(lane)
            if crossing.is_reset:
                raise ConnectionResetError
            writer.write(crossing.data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _while_silent(self, lane: Lane) -> None:
        if lane.is_silent(self._proxy.elapsed_s()):
            lane.counts["silences"] += 1
        while lane.is_silent(self._proxy.elapsed_s()):  # noqa: ASYNC110 - the schedule is a time, no event
            await asyncio.sleep(LOOK_AGAIN_S)


def _cut(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, so that neither end believes the other to be there."""
    kernel_socket = writer.get_extra_info("socket")
    if kernel_socket is not None and not writer.is_closing():
        kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HARD_CLOSE)
    writer.transport.abort()
