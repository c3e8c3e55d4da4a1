"""Who makes the load, in a process of its own: terminals over TCP, vehicles over UDP, browsers that look on."""

import asyncio
import socket
import struct
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import Final, cast

import msgspec
import uvloop

from console.bench.pipeline.browser import Browser
from console.bench.pipeline.frames import ROWS_A_BATCH, Journey, flights
from telemetry.sources.jt808.frame import unescape
from telemetry.sources.jt808.terminal import Edition, Terminal

HERE: Final = "127.0.0.1"
IN_FLIGHT: Final = 2
"""Frames of one terminal that wait for their acknowledgement."""
LOOK_EVERY_S: Final = 0.005
SOCKETS: Final = 10
"""So many addresses the vehicles speak from, as behind ground stations."""
READY_WITHIN_S: Final = 60.0
LAST_WORDS_S: Final = 30.0
_SERIAL: Final = struct.Struct(">H").unpack_from


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to say, to whom and how fast. `rows_a_frame` 1 is the live shape: each terminal `rate_hz` times a second.

    ROWS_A_BATCH is the bulk shape: as fast as it is acknowledged while at most `unsaved_rows` are not in the database yet.
    """

    phones: tuple[tuple[str, str], ...]
    """Phone number and authentication code of each terminal."""
    vehicles: int
    vehicle_hz: float
    browsers: int
    cookie: str
    console_port: int
    jt808_port: int
    mavlink_port: int
    duration_s: float
    first_s: int
    rows_a_frame: int
    rate_hz: float
    unsaved_rows: int


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said and acknowledged: rows by terminal in order of the plan's phones (each a second after the one before)."""

    rows_sent: tuple[int, ...]
    rows_acknowledged: tuple[int, ...]
    refused: int
    datagrams_with_position: int
    took_s: float
    cpu_s: float
    frames_seen: int


class Load:
    """All that speaks, in one loop."""

    def __init__(self, plan: Plan, stored: "Synchronized[int]") -> None:
        self.plan = plan
        self.stored = stored
        self.is_on = False
        self.sent_rows = 0
        self.held: deque[_Uploader] = deque()
        self.uploaders: list[_Uploader] = []
        self.positions_flown = 0

    def has_room(self) -> bool:
        """Tell whether one more frame may be sent: not so many rows wait for the database."""
        unsaved = self.sent_rows + self.positions_flown - self.stored.value
        return self.is_on and unsaved < self.plan.unsaved_rows

    async def open(self) -> None:
        """Connect all terminals and wait until each is authenticated."""
        loop = asyncio.get_running_loop()
        for number in range(len(self.plan.phones)):
            _, uploader = await loop.create_connection(
                lambda number=number: _Uploader(self, number),  # type: ignore[misc]
                HERE,
                self.plan.jt808_port,
            )
            self.uploaders.append(uploader)
        async with asyncio.timeout(READY_WITHIN_S):
            await asyncio.gather(*(uploader.ready for uploader in self.uploaders))

    async def run(self) -> float:
        """Say everything; return for how long."""
        rounds = flights(
            self.plan.vehicles,
            self.plan.duration_s,
            self.plan.vehicle_hz,
            first_ms=round(time.monotonic() * 1000) & 0x7FFFFFFF,
        )
        began_s = time.monotonic()
        self.is_on = True
        if self.plan.rows_a_frame == ROWS_A_BATCH:
            await asyncio.gather(self._upload(began_s), self._fly(rounds, began_s))
        else:
            await asyncio.gather(self._report(began_s), self._fly(rounds, began_s))
        self.is_on = False
        for _ in range(round(LAST_WORDS_S / LOOK_EVERY_S)):
            if not any(uploader.unanswered for uploader in self.uploaders):
                break
            await asyncio.sleep(LOOK_EVERY_S)
        return time.monotonic() - began_s

    async def _upload(self, began_s: float) -> None:
        for uploader in self.uploaders:
            uploader.send_while_room()
        while time.monotonic() - began_s < self.plan.duration_s:
            await asyncio.sleep(LOOK_EVERY_S)
            while self.held and self.has_room():
                self.held.popleft().send_while_room()

    async def _report(self, began_s: float) -> None:
        """Let terminals report one after another, evenly over time."""
        count = len(self.uploaders)
        said, due_s = 0, began_s
        while due_s - began_s < self.plan.duration_s:
            due = int((time.monotonic() - began_s) * self.plan.rate_hz * count)
            for number in range(said, due):
                self.uploaders[number % count].send()
            said = max(said, due)
            await asyncio.sleep(LOOK_EVERY_S)
            due_s = time.monotonic()

    async def _fly(self, rounds: list[list[bytes]], began_s: float) -> None:
        lines = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for line in lines:
            line.connect((HERE, self.plan.mavlink_port))
        for number, datagrams in enumerate(rounds):
            await asyncio.sleep(max(0.0, began_s + number / self.plan.vehicle_hz - time.monotonic()))
            for datagram in datagrams:
                system_id = datagram[5]
                lines[system_id % SOCKETS].send(datagram)
                self.positions_flown += datagram[7] == 33
        for line in lines:
            line.close()


class _Uploader(asyncio.Protocol):
    """One terminal: sends frames and counts the rows that were acknowledged, in order."""

    def __init__(self, load: Load, number: int) -> None:
        phone, code = load.plan.phones[number]
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rows_sent = 0
        self.rows_acknowledged = 0
        self.unanswered = 0
        self.refused = 0
        self._load = load
        self._hello = Terminal(phone, edition=Edition.E2013, code=code).connect()
        self._journey = Journey(phone, number, first_s=load.plan.first_s, rows_a_frame=load.plan.rows_a_frame)
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Authenticate."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Count acknowledgements, and send as much again."""
        *whole, self._tail = (self._tail + data).split(b"\x7e")
        for content in whole:
            if len(content) >= 18 and content[:2] == b"\x80\x01":
                self._note(unescape(content))
        if self._load.is_on and self._load.plan.rows_a_frame == ROWS_A_BATCH:
            self.send_while_room()

    def _note(self, reply: bytes) -> None:
        is_done = reply[16] == 0
        if not self.ready.done():
            if is_done:
                self.ready.set_result(None)
            else:
                self.ready.set_exception(ConnectionError("the terminal was not let in"))
            return
        self.unanswered -= 1
        if is_done:
            self.rows_acknowledged += self._journey.rows_a_frame
        else:
            self.refused += 1

    def send_while_room(self) -> None:
        """Send until enough is in flight, or wait in line for room."""
        while self.unanswered < IN_FLIGHT:
            if not self._load.has_room():
                self._load.held.append(self)
                return
            self.send()

    def send(self) -> None:
        """Send one frame."""
        self._transport.write(self._journey.next_frame())
        self.unanswered += 1
        self.rows_sent += self._journey.rows_a_frame
        self._load.sent_rows += self._journey.rows_a_frame


def speak(pipe: Connection, plan: Plan, stored: "Synchronized[int]") -> None:
    """Be the load's process: tell when all are connected, begin when told, tell what was said."""
    uvloop.run(_speak(pipe, plan, stored))


async def _speak(pipe: Connection, plan: Plan, stored: "Synchronized[int]") -> None:
    load = Load(plan, stored)
    await load.open()
    loop = asyncio.get_running_loop()
    browsers = []
    for _ in range(plan.browsers):
        _, browser = await loop.create_connection(
            lambda: Browser(plan.console_port, plan.cookie), HERE, plan.console_port
        )
        await asyncio.wait_for(browser.greeted, READY_WITHIN_S)
        browsers.append(browser)
    pipe.send("ready")
    await loop.run_in_executor(None, pipe.recv)
    cpu_s = time.process_time()
    took_s = await load.run()
    pipe.send(
        Said(
            rows_sent=tuple(uploader.rows_sent for uploader in load.uploaders),
            rows_acknowledged=tuple(uploader.rows_acknowledged for uploader in load.uploaders),
            refused=sum(uploader.refused for uploader in load.uploaders),
            datagrams_with_position=load.positions_flown,
            took_s=took_s,
            cpu_s=time.process_time() - cpu_s,
            frames_seen=sum(browser.frames for browser in browsers),
        )
    )
    await loop.run_in_executor(None, pipe.recv)
