"""A thousand connections at once, and clients that never read: everybody else is served, and memory stays bounded."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from console.wire import SUBPROTOCOL
from infra.clock import SYSTEM_CLOCK
from telemetry.sources.jt808.terminal import Terminal
from tests.chaos.diary import Diary, Fix
from tests.chaos.ground import HERE, Program
from tests.chaos.trial import trial

pytestmark = [pytest.mark.chaos, pytest.mark.database]
CONNECTIONS: Final = 1_000
STALLED: Final = 20
WITHIN_S: Final = 20.0
GROWTH_MIB: Final = 120
HELLO: Final = b'{"type":"hello","v":1}'


async def report_at_once(program: Program, diary: Diary) -> tuple[int, float]:
    """Open a thousand connections, then let each report at the same time; return how many were told 200, and the slowest's time."""
    phones = program.force.of("osmand")
    first_us = SYSTEM_CLOCK.now_us() // 1_000_000 * 1_000_000 - 5_000_000
    lines = [await asyncio.open_connection(HERE, program.ports.osmand) for _ in range(CONNECTIONS)]

    async def report(number: int) -> float:
        reader, writer = lines[number]
        phone = phones[number % len(phones)]
        fix = Fix(phone.device_id, first_us + number * 1_000, 350_000_000 + number * 5, 1_035_000_000)
        place = f"lat={fix.lat_e7 / 1e7:.7f}&lon={fix.lon_e7 / 1e7:.7f}&timestamp={fix.observed_us // 1000}"
        diary.sent(fix)
        started_s = time.monotonic()
        writer.write(f"POST /?id={phone.secret}&{place} HTTP/1.1\r\nHost: {HERE}\r\nContent-Length: 0\r\n\r\n".encode())
        status = int((await reader.readline()).split()[1])
        took_s = time.monotonic() - started_s
        if status == 200:
            diary.acknowledged(fix)
        writer.transport.abort()
        return took_s if status == 200 else -1.0

    async with asyncio.timeout(WITHIN_S):
        took_s = await asyncio.gather(*(report(number) for number in range(CONNECTIONS)))
    return sum(one >= 0 for one in took_s), max(took_s)


def test_a_thousand_connections_at_once_are_all_answered(force_folder: Path) -> None:
    with trial("1,000 connections at once", force_folder, lambda program: program.force.of("jt808", 8)) as one:
        diary = Diary(one.crowd.path)
        answered, slowest_s = asyncio.run(report_at_once(one.program, diary))
        diary.close()
        one.note_end()
        one.wait_for_words(10)
        one.verdict()
    assert answered == CONNECTIONS
    assert slowest_s < 5


@contextmanager
def deaf_browsers(program: Program) -> Iterator[None]:
    """Browsers that ask for everything and read nothing."""
    with ExitStack() as stack:
        for _ in range(STALLED):
            page = stack.enter_context(socket.create_connection((HERE, program.ports.console)))
            page.sendall(upgrade(program))
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += page.recv(1)
            assert b" 101 " in answer
            page.sendall(b"\x81" + bytes([0x80 | len(HELLO)]) + bytes(4) + HELLO)
        yield


def upgrade(program: Program) -> bytes:
    """Return a browser's request for the websocket."""
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {HERE}:{program.ports.console}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        f"Origin: {program.origin}",
        f"Cookie: skybeat={program.force.cookie}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def deaf_terminals(program: Program) -> Iterator[list[tuple[socket.socket, Terminal]]]:
    """Terminals that report and never read an answer."""
    with ExitStack() as stack:
        lines = []
        for member in program.force.of("jt808")[-STALLED:]:
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            line.connect((HERE, program.ports.jt808))
            line.setblocking(False)
            terminal = Terminal(member.address, code=member.secret)
            line.send(terminal.connect() + b"".join(terminal.heartbeat().data for _ in range(200)))
            lines.append((line, terminal))
        yield lines


def test_clients_that_never_read_cost_nobody_else_anything(force_folder: Path) -> None:
    with trial("clients that never read", force_folder, lambda program: program.force.of("osmand", 8)) as one:
        one.wait_for_words(50)
        one.program.look_at_memory()
        before_mib = one.program.memory_mib
        with deaf_browsers(one.program), deaf_terminals(one.program) as lines:
            end_s = time.monotonic() + 6
            while time.monotonic() < end_s:
                for line, terminal in lines:
                    flood(line, terminal)
                one.wait_for_words(20, within_s=3)
            one.note_end()
        one.wait_for_words(20)
        result = one.verdict()
    assert result.memory_mib - before_mib < GROWTH_MIB


def flood(line: socket.socket, terminal: Terminal) -> None:
    """Say heartbeats, each of which wants an answer, as far as the other end takes them."""
    try:
        line.send(b"".join(terminal.heartbeat().data for _ in range(500)))
    except OSError:  # it takes no more, or has cut us off: both are its right
        return
