"""The live stream under load: 200 websocket clients, 833 units that all change at 5 Hz, one client that never reads.

The server runs in a process of its own with the product's socket, stream and picture; so its CPU time is its own. Clients
run in another one and speak the websocket's bytes themselves, so that they disturb little.
"""

import asyncio
import base64
import fcntl
import multiprocessing
import os
import struct
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from console.api.live import LiveSocket
from console.auth.accounts import Account
from console.auth.sessions import Signed
from console.bench import Figures
from console.stream.live import LiveStream
from console.web_app import listen, server_config
from console.wire import HEADER, MAGIC, SUBPROTOCOL, Role
from infra.clock import SYSTEM_CLOCK
from infra.http_guard import GuestServer
from infra.settings import Settings
from telemetry.alarms.board import AlarmBoard
from telemetry.model.batch import Batch, hash_fixes, new_batch
from telemetry.model.unit import Assignment, Device, DutyStatus, Service, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.picture.status import StatusBoard
from telemetry.registry.table import RegistryContents, RegistryTable

CLIENTS: Final = 200
UNITS: Final = 833
RATE_HZ: Final = 5.0
DURATION_S: Final = 10.0
RATIO_CLIENTS: Final = 40
"""Deflate at 200 clients would need more than one core and skip frames; the ratio is taken where both keep up."""
RATIO_DURATION_S: Final = 4.0
SETTLE_S: Final = 1.5
START_TIMEOUT_S: Final = 60.0
ORIGIN: Final = "http://bench"


def run(*, runs: int, seed: int) -> Figures:
    """Measure `runs` times and return medians; the stalled client's bytes are the largest seen."""
    rounds = [_round(clients=CLIENTS, duration_s=DURATION_S, seed=seed + at, deflate=False) for at in range(runs)]
    pairs = [
        tuple(
            _round(clients=RATIO_CLIENTS, duration_s=RATIO_DURATION_S, seed=seed + at, deflate=deflate)["cpu_s"]
            for deflate in (True, False)
        )
        for at in range(runs)
    ]
    figures: dict[str, float | int | str | None] = {
        "cpu_s": round(median(one["cpu_s"] for one in rounds), 3),
        "p50_ms": round(median(one["p50_ms"] for one in rounds), 1),
        "p99_ms": round(median(one["p99_ms"] for one in rounds), 1),
        "frames_received": int(median(one["frames"] for one in rounds)),
        "frames_expected": int(CLIENTS * RATE_HZ * DURATION_S),
        "frame_bytes": int(median(one["frame_bytes"] for one in rounds)),
        "stalled_client_bytes": int(max(one["stalled_bytes"] for one in rounds)),
        "stalled_server_bytes": int(max(one["stalled_server_bytes"] for one in rounds)),
        "rss_growth_bytes": int(median(one["rss_growth_bytes"] for one in rounds)),
        "ratio_deflate": round(median(packed / plain for packed, plain in pairs), 2),
        "clients": CLIENTS,
        "units": UNITS,
    }
    return Figures(figures=figures, goals={"cpu_s": ("<=", 0.9), "stalled_client_bytes": ("<=", 262_144)})


def _round(*, clients: int, duration_s: float, seed: int, deflate: bool) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, seed, deflate), daemon=True)
    server.start()
    crowd_ours, crowd_theirs = context.Pipe()
    crowd: Any = None
    try:
        port = _receive(ours)
        crowd = context.Process(target=watch, args=(crowd_theirs, port, clients, duration_s, deflate), daemon=True)
        crowd.start()
        stalled_port = _receive(crowd_ours)
        ours.send(("measure", duration_s, stalled_port))
        crowd_ours.send("measure")
        seen = _receive(crowd_ours, timeout_s=duration_s + START_TIMEOUT_S)
        measured = _receive(ours, timeout_s=duration_s + START_TIMEOUT_S)
        return {**measured, **seen}
    finally:
        for process in (crowd, server):
            if process is not None:
                process.terminate()
                process.join(5)


def _receive(pipe: Connection, *, timeout_s: float = START_TIMEOUT_S) -> Any:  # noqa: ANN401 - what the other side sent
    if not pipe.poll(timeout_s):
        message = f"the other process of the benchmark said nothing for {timeout_s:.0f} s"
        raise TimeoutError(message)
    return pipe.recv()


# --- the server's process ----------------------------------------------------------------------------------------


class _Bridge:
    """The product's registry, picture and alarm board with a force that all moves."""

    def __init__(self, seed: int) -> None:
        self.registry = RegistryTable(_force())
        self.picture = Picture(self.registry, SYSTEM_CLOCK.now_us())
        self.alarms = AlarmBoard(lambda _device_id, _at_us: None)
        self.statuses = StatusBoard(self.registry)
        self._random = np.random.default_rng(seed)
        self._batch = _first_batch(self._random)

    def move(self) -> None:
        """Move every unit a little."""
        batch = self._batch.copy()
        batch["observed_us"] = batch["received_us"] = SYSTEM_CLOCK.now_us()
        batch["lat_e7"] += self._random.integers(-500, 500, UNITS, np.int32)
        batch["lon_e7"] += self._random.integers(-500, 500, UNITS, np.int32)
        hash_fixes(batch)
        self.picture.apply(batch, SYSTEM_CLOCK.now_us())

    def link_statuses(self) -> list[Any]:
        """Return no links."""
        return []


class _Anyone:
    """Everyone is an administrator here: what is measured is the stream."""

    async def who(self, token: str | None) -> Signed:
        del token
        account = Account(account_id=1, name="bench", role=Role.ADMIN)
        return Signed(account=account, token_sha256=b"", expires_us=2**62)


def _force() -> RegistryContents:
    numbers = range(1, UNITS + 1)
    return RegistryContents(
        units=tuple(
            Unit(
                unit_id=n,
                call_sign=f"U{n}",
                kind=UnitKind.CAR,
                service=Service.PATROL,
                duty_status=DutyStatus.FREE,
                name_zh=f"巡逻{n}",
            )
            for n in numbers
        ),
        devices=tuple(Device(device_id=n, protocol="osmand", address=f"{n:064x}") for n in numbers),
        assignments=tuple(Assignment(device_id=n, unit_id=n, started_us=0) for n in numbers),
    )


def _first_batch(random: np.random.Generator) -> Batch:
    batch = new_batch(UNITS)
    batch["device_id"] = np.arange(1, UNITS + 1)
    batch["lat_e7"] = random.integers(360_000_000, 362_000_000, UNITS)
    batch["lon_e7"] = random.integers(1_036_000_000, 1_040_000_000, UNITS)
    batch["speed_cmps"] = random.integers(0, 2000, UNITS)
    batch["course_ddeg"] = random.integers(0, 3600, UNITS)
    batch["battery_pct"] = random.integers(5, 100, UNITS)
    return batch


def serve(pipe: Connection, seed: int, deflate: bool) -> None:  # noqa: FBT001 - a process's target
    """Be the server's process."""
    uvloop.run(_serve(pipe, seed, deflate=deflate))


async def _serve(pipe: Connection, seed: int, *, deflate: bool) -> None:
    settings = Settings(data_dir=Path("/nonexistent"), host="127.0.0.1", port=0)
    bridge = _Bridge(seed)
    stream = LiveStream(bridge, SYSTEM_CLOCK)
    live = LiveSocket(stream, _Anyone(), SYSTEM_CLOCK, origins=frozenset({ORIGIN}), cookie_name="skybeat")
    app = Starlette(routes=[WebSocketRoute("/ws", live)], lifespan=_moving(bridge, stream))
    bound = listen(settings)
    server = GuestServer(server_config(app, settings, deflate=deflate))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    pipe.send(bound.getsockname()[1])
    loop = asyncio.get_running_loop()
    _, duration_s, stalled_port = await loop.run_in_executor(None, pipe.recv)
    pipe.send(await _measure(server, duration_s, stalled_port))
    await task


def _moving(bridge: _Bridge, stream: LiveStream) -> Any:  # noqa: ANN401 - Starlette's lifespan
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_move(bridge)), asyncio.create_task(stream.run())]
        yield
        for task in tasks:
            task.cancel()

    return lifespan


async def _move(bridge: _Bridge) -> None:
    due_s = time.monotonic()
    while True:
        bridge.move()
        due_s = max(due_s + 1 / RATE_HZ, time.monotonic())
        await asyncio.sleep(due_s - time.monotonic())


async def _measure(server: GuestServer, duration_s: float, stalled_port: int) -> dict[str, float]:
    transport = next(
        connection.transport
        for connection in server.server_state.connections
        if connection.transport.get_extra_info("peername")[1] == stalled_port
    )
    rss_bytes, cpu_s, end_s = _rss_bytes(), time.process_time(), time.monotonic() + duration_s
    held, whole = 0, 0
    while time.monotonic() < end_s:
        waiting = transport.get_write_buffer_size()
        held, whole = max(held, waiting), max(whole, waiting + _kernel_bytes(transport))
        await asyncio.sleep(0.05)
    return {
        "cpu_s": time.process_time() - cpu_s,
        "stalled_bytes": whole,
        "stalled_server_bytes": held,
        "rss_growth_bytes": _rss_bytes() - rss_bytes,
    }


def _kernel_bytes(transport: asyncio.BaseTransport) -> int:
    """Return what the kernel holds unacknowledged for the peer."""
    answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int.from_bytes(answer, "little")


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


# --- the clients' process ----------------------------------------------------------------------------------------


class _Watcher(asyncio.Protocol):
    """A websocket client that says hello, counts frames and reads their age; a stalled one stops reading after hello."""

    def __init__(self, *, port: int, deflate: bool, stalled: bool) -> None:
        self.frames = 0
        self.frame_bytes = 0
        self.ages_ms: list[float] = []
        self.greeted = asyncio.get_running_loop().create_future()
        self._request = _upgrade(port, deflate=deflate)
        self._stalled = stalled
        self._data = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take bytes apart into frames."""
        self._data += data
        if not self.greeted.done() and not self._greet():
            return
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode & 0x0F == 2:
                self._count(payload)
            elif opcode & 0x0F == 9:
                self._transport.write(_masked(0x8A, bytes(payload)))

    def start_over(self) -> None:
        """Forget what was counted until now."""
        self.frames = 0
        self.ages_ms.clear()

    def port(self) -> int:
        """Return our own port."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def _greet(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        if b" 101 " not in self._data[:20]:
            self.greeted.set_exception(ConnectionError(bytes(self._data[:200])))
            return False
        del self._data[: end + 4]
        self._transport.write(_masked(0x81, b'{"type":"hello","v":1}'))
        self.greeted.set_result(None)
        if self._stalled:
            self._transport.pause_reading()
        return True

    def _next_frame(self) -> tuple[int, memoryview] | None:
        data = self._data
        if len(data) < 2:
            return None
        length, start = data[1] & 0x7F, 2
        if length >= 126:
            form, size = (">H", 2) if length == 126 else (">Q", 8)
            if len(data) < 2 + size:
                return None
            length, start = struct.unpack_from(form, data, 2)[0], 2 + size
        if len(data) < start + length:
            return None
        opcode, payload = data[0], memoryview(bytes(data[start : start + length]))
        del data[: start + length]
        return opcode, payload

    def _count(self, payload: memoryview) -> None:
        self.frames += 1
        self.frame_bytes = len(payload)
        if bytes(payload[:2]) == MAGIC:
            self.ages_ms.append(SYSTEM_CLOCK.now_us() / 1000 - HEADER.unpack_from(payload)[-1])


def _upgrade(port: int, *, deflate: bool) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        f"Origin: {ORIGIN}",
    ]
    if deflate:
        lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _masked(opcode: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    return bytes((opcode, 0x80 | len(payload))) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def watch(pipe: Connection, port: int, clients: int, duration_s: float, deflate: bool) -> None:  # noqa: FBT001 - a process's target
    """Be the clients' process."""
    uvloop.run(_watch(pipe, port, clients, duration_s=duration_s, deflate=deflate))


async def _watch(pipe: Connection, port: int, clients: int, *, duration_s: float, deflate: bool) -> None:
    loop = asyncio.get_running_loop()
    watchers = [await _connect(port, deflate=deflate, stalled=False) for _ in range(clients)]
    stalled = await _connect(port, deflate=deflate, stalled=True)
    await asyncio.sleep(SETTLE_S)
    pipe.send(stalled.port())
    await loop.run_in_executor(None, pipe.recv)
    for watcher in watchers:
        watcher.start_over()
    await asyncio.sleep(duration_s)
    ages_ms = np.concatenate([np.array(watcher.ages_ms) for watcher in watchers])
    pipe.send(
        {
            "frames": sum(watcher.frames for watcher in watchers),
            "frame_bytes": watchers[0].frame_bytes,
            "p50_ms": float(np.percentile(ages_ms, 50)) if len(ages_ms) else 0.0,
            "p99_ms": float(np.percentile(ages_ms, 99)) if len(ages_ms) else 0.0,
        }
    )
    await asyncio.sleep(START_TIMEOUT_S)


async def _connect(port: int, *, deflate: bool, stalled: bool) -> _Watcher:
    loop = asyncio.get_running_loop()
    _, watcher = await loop.create_connection(
        lambda: _Watcher(port=port, deflate=deflate, stalled=stalled), "127.0.0.1", port
    )
    await asyncio.wait_for(watcher.greeted, START_TIMEOUT_S)
    return watcher
