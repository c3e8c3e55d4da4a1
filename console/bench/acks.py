"""How many positions a second are acknowledged over many TCP connections at once: JT/T 808 terminals, our bridge, a journal on disk.

Terminals run in a process of their own; each has some reports in flight and sends the next when one is acknowledged. Nothing is
acknowledged before the journal's sync. The client's work is a part of what the machine does, so that the figure is a lower bound.
"""

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, cast

import numpy as np
import uvloop

from console.bench import Figures
from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.links.listening import ListeningLink
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808.terminal import Edition, Terminal, TerminalFix

CONNECTIONS: Final = 500
IN_FLIGHT: Final = 10
REPORTS_A_RUN: Final = 120
"""Of each terminal: half a minute's work at the goal's pace is 480."""
ACKED_PER_S_GOAL: Final = 8_000.0
WITHIN_S: Final = 120.0
CODE: Final = "0123456789abcdef0123456789abcdef"
FIRST_PHONE: Final = 13_900_000_000
_REPLY_ID: Final = b"\x80\x01"
_SERIAL_AT: Final = slice(12, 14)
"""Where the 2013 edition's general reply names the serial that it acknowledges, behind a header of 12 bytes."""


def run(*, runs: int, seed: int) -> Figures:
    """Measure `runs` times over the same connections; figures are medians, latencies over all runs."""
    del seed  # terminals stand still at places of their own
    with tempfile.TemporaryDirectory(prefix="skybeat-bench-") as folder:
        rounds, cpu_s = uvloop.run(_measure(Path(folder), runs))
    latency_ms = np.concatenate([np.frombuffer(latencies, np.float32) for _, latencies in rounds])
    count = CONNECTIONS * REPORTS_A_RUN
    return Figures(
        figures={
            "acked_per_s": round(statistics.median(count / duration_s for duration_s, _ in rounds)),
            "ack_p50_ms": round(float(np.percentile(latency_ms, 50)), 2),
            "ack_p99_ms": round(float(np.percentile(latency_ms, 99)), 2),
            "ack_cpu_us": round(cpu_s / (count * runs) * 1e6, 2),
            "connections": CONNECTIONS,
            "in_flight": IN_FLIGHT,
        },
        goals={"acked_per_s": (">=", ACKED_PER_S_GOAL)},
    )


async def _measure(folder: Path, runs: int) -> tuple[list[tuple[float, bytes]], float]:
    """Return (seconds, latencies) of each run and the CPU seconds of this process over all of them."""
    settings = Settings(
        data_dir=folder, ingest_port=0, mavlink_links="", links="jt808+tcpin:127.0.0.1:0", raw_retention_days=3650
    )
    journal = Journal.open(folder / "journal")
    bridge = Bridge(_registry(), journal, SYSTEM_CLOCK, settings)
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    port = cast(ListeningLink, bridge.links[0]).port
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    terminals = context.Process(target=_terminals, args=(port, runs, theirs), daemon=True)
    terminals.start()
    try:
        await _receive(ours)  # all are connected
        began_s = time.process_time()
        ours.send("go")
        rounds = [await _receive(ours) for _ in range(runs)]
        cpu_s = time.process_time() - began_s
        kept, said = bridge.links[0].status().positions, CONNECTIONS * REPORTS_A_RUN * runs
        if kept != said:
            message = f"{said} positions were acknowledged and {kept} kept: the benchmark is wrong"
            raise UnavailableError(message)
        return rounds, cpu_s
    finally:
        terminals.kill()
        terminals.join()
        running.cancel()
        await asyncio.wait((running,))
        await asyncio.to_thread(journal.close)


async def _receive(ours: Connection) -> tuple[float, bytes]:
    async with asyncio.timeout(WITHIN_S):
        said = await asyncio.to_thread(ours.recv)
    if isinstance(said, str):
        message = f"the benchmark's terminals ended: {said}"
        raise UnavailableError(message)
    return cast(tuple[float, bytes], said)


def _registry() -> RegistryTable:
    numbers = range(1, CONNECTIONS + 1)
    return RegistryTable(
        RegistryContents(
            units=tuple(
                Unit(unit_id=number, call_sign=f"B{number}", kind=UnitKind.CAR, service=Service.PATROL)
                for number in numbers
            ),
            devices=tuple(
                Device(device_id=number, protocol="jt808", address=str(FIRST_PHONE + number)) for number in numbers
            ),
            assignments=tuple(Assignment(device_id=number, unit_id=number, started_us=0) for number in numbers),
            secrets=dict.fromkeys(numbers, CODE.encode()),
        )
    )


class _Driver(asyncio.Protocol):
    """One terminal: authenticates, then sends its frames with some in flight."""

    def __init__(self, number: int, frame_count: int) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._terminal = Terminal(str(FIRST_PHONE + number), edition=Edition.E2013, code=CODE)
        self._hello = self._terminal.connect()
        self._frames = _frames(self._terminal, number, frame_count)
        self._sent_s: dict[int, float] = {}
        self._next = self._until = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Authenticate."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that nothing more comes."""
        for waiting in (self.ready, self.done):
            if not waiting.done():
                waiting.set_exception(exc or ConnectionError("the bridge closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Count what is acknowledged, and send as much again."""
        if not self.ready.done():
            self.ready.set_result(None)
            return
        now_s = time.monotonic()
        for serial in _acknowledged(data):
            self.latencies.append((now_s - self._sent_s.pop(serial)) * 1000)
        self._send(now_s)
        if not self._sent_s and self._next == self._until and not self.done.done():
            self.done.set_result(None)

    def begin(self, count: int) -> None:
        """Send `count` more."""
        self.done = asyncio.get_running_loop().create_future()
        self.latencies = []
        self._until = self._next + count
        self._send(time.monotonic())

    def _send(self, now_s: float) -> None:
        room = min(IN_FLIGHT - len(self._sent_s), self._until - self._next)
        if room <= 0:
            return
        chosen = self._frames[self._next : self._next + room]
        self._next += room
        for serial, _ in chosen:
            self._sent_s[serial] = now_s
        self._transport.write(b"".join(frame for _, frame in chosen))


def _frames(terminal: Terminal, number: int, count: int) -> list[tuple[int, bytes]]:
    began_us = SYSTEM_CLOCK.now_us() - count * 1_000_000
    frames = []
    for step in range(count):
        lat_deg, lon_deg = 36.0 + number * 1e-3 + step * 1e-5, 103.8 + step * 1e-5
        fix = TerminalFix(lat_deg=lat_deg, lon_deg=lon_deg, observed_us=began_us + step * 1_000_000, speed_mps=8.0)
        sent = terminal.position(fix)
        frames.append((sent.serial, sent.data))
    return frames


def _acknowledged(data: bytes) -> list[int]:
    """Return the serials that whole general replies acknowledge; the bridge writes them whole."""
    pieces = data.split(b"~")[1::2]
    if b"}" in data:
        pieces = [piece.replace(b"}\x02", b"~").replace(b"}\x01", b"}") for piece in pieces]
    return [int.from_bytes(piece[_SERIAL_AT]) for piece in pieces if piece[:2] == _REPLY_ID]


def _terminals(port: int, runs: int, pipe: Connection) -> None:
    """Run in the terminals' process: connect all, wait for the word, then report seconds and latencies of each run."""
    try:
        uvloop.run(_drive(port, runs, pipe))
    except (OSError, TimeoutError) as error:
        pipe.send(f"{type(error).__name__}: {error}")


async def _drive(port: int, runs: int, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    drivers = [_Driver(number, runs * REPORTS_A_RUN) for number in range(1, CONNECTIONS + 1)]
    for driver in drivers:
        await loop.create_connection(lambda driver=driver: driver, "127.0.0.1", port)  # type: ignore[misc]
    await _all([driver.ready for driver in drivers])
    pipe.send((0.0, b""))
    await asyncio.to_thread(pipe.recv)
    for _ in range(runs):
        began_s = time.monotonic()
        for driver in drivers:
            driver.begin(REPORTS_A_RUN)
        await _all([driver.done for driver in drivers])
        duration_s = time.monotonic() - began_s
        latencies = np.concatenate([np.array(driver.latencies, np.float32) for driver in drivers])
        pipe.send((duration_s, latencies.tobytes()))


async def _all(futures: Sequence["asyncio.Future[None]"]) -> None:
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(*futures)
