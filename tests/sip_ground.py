"""Our SIP server on real sockets, for tests against software that nobody here wrote."""

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from infra.clock import Clock
from telemetry.links.listening import ListeningLink
from telemetry.links.udp import UdpLink
from telemetry.links.url import parse_link_url
from tests.gb28181_scene import REALM, SERVER_ID, source
from tests.link_scene import FakeKeeper, context_of

TICK_S: Final = 0.05
_PORTS: Final = itertools.cycle(range(15_000 + os.getpid() * 37 % 15_000, 31_000))


@asynccontextmanager
async def server(transport: str, keeper: FakeKeeper, **options: str) -> AsyncIterator[UdpLink | ListeningLink]:
    """Give our SIP server on a free port of this machine."""
    url = parse_link_url(f"gb28181+{transport}in:127.0.0.1:0?id={SERVER_ID}&realm={REALM}")
    context = context_of(keeper, source(None, **options).decoder)
    link = UdpLink(url, context) if transport == "udp" else ListeningLink(url, context)
    await link.open()
    ticking = asyncio.create_task(_tick(link, context.clock))
    try:
        yield link
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        link.close()


async def _tick(link: UdpLink | ListeningLink, clock: Clock) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        link.tick(clock.now_us())


def free_port() -> int:
    """Return a port that nobody uses now, neither by UDP nor by TCP; below those that the system gives to others."""
    for port in _PORTS:
        with contextlib.suppress(OSError):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as taken:
                    taken.bind(("127.0.0.1", port))
            return port
    raise AssertionError
