"""Our SIP server on real sockets, for tests against software that nobody here wrote."""

import asyncio
import contextlib
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
    """Return a UDP and TCP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
