"""tcpout and tlsout: a connection that we make to a server of positions, and make again when it is lost."""

import asyncio
import random
import socket
import ssl
from typing import Final

from infra.logs import get_logger
from telemetry.links.explained import explained, resolve
from telemetry.links.hub import Hub
from telemetry.links.limits import limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.streams import StreamSpeaker, keep_alive
from telemetry.links.tls import tls_for
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError, InputError

CONNECT_WITHIN_S: Final = 10.0
_log: Final = get_logger("links")


class DiallingLink:
    """One connection to one server."""

    def __init__(self, url: LinkUrl, context: LinkContext) -> None:
        self._url = url
        self._context = context
        self._hub = Hub(url, context, limits_of(url.options), acknowledged=True)
        self._speaker: StreamSpeaker | None = None
        self._lost = asyncio.Event()
        self._last_error: str | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    async def open(self) -> None:
        """Connect. Raises InputError when nobody answers, or when a TLS peer is not who it should be."""
        tls = await asyncio.to_thread(tls_for, self._url, self._context)
        family, address = await resolve(self._url, socket.SOCK_STREAM)
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await asyncio.get_running_loop().sock_connect(opened, address)
            keep_alive(opened)
            await self._begin(opened, tls)
        except ssl.SSLError as error:
            opened.close()
            raise InputError(
                f"{self._url} is not who it should be ({error}): check its certificate, or name ?ca="
            ) from error
        except TimeoutError as error:
            opened.close()
            raise InputError(
                f"{self._url} does not answer within {CONNECT_WITHIN_S:g} s: check host and port"
            ) from error
        except OSError as error:
            opened.close()
            raise explained(self._url, error) from error

    async def run(self) -> None:
        """Keep the connection until cancelled: when it is lost, make it again after a growing, jittered pause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._speaker is None:
                    await self.open()
                    self._note_recovery()
                    delay_s = FIRST_DELAY_S
                await self._lost.wait()
                self._note_loss(f"the connection to {self._url} was lost")
            except (ConflictError, InputError) as error:
                self._note_loss(str(error))
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def tick(self, now_us: int) -> None:
        """Let the decoder do what time asks for, and let go of a server that took too long."""
        if self._speaker is not None:
            self._speaker.watch(now_us)
        self._hub.tick(now_us)

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device heard here. Raises NotFoundError when it is not."""
        self._hub.send(command, now_us)

    def status(self) -> LinkStatus:
        """Return how it does."""
        return self._hub.status(state="open" if self._speaker else "retrying", last_error=self._last_error)

    def peers(self) -> list[PeerStatus]:
        """Return the server, when we are connected."""
        return self._hub.peers()

    def close(self) -> None:
        """Let go of the connection."""
        if self._speaker is not None:
            self._speaker.hang_up()
        self._hub.close()

    async def _begin(self, opened: socket.socket, tls: ssl.SSLContext | None) -> None:
        speaker = StreamSpeaker(self._hub, (self._url.host, self._url.port), when_lost=self._gone)
        self._lost.clear()
        await asyncio.get_running_loop().create_connection(
            lambda: speaker,
            sock=opened,
            ssl=tls,
            server_hostname=None if tls is None else self._url.host,
            ssl_handshake_timeout=None if tls is None else CONNECT_WITHIN_S,
        )
        self._speaker = speaker

    def _gone(self, speaker: StreamSpeaker) -> None:
        del speaker
        self._speaker = None
        self._lost.set()

    def _note_loss(self, reason: str) -> None:
        if self._last_error is None:
            _log.warning("link_lost", link=str(self._url), reason=reason)
        self._last_error = reason

    def _note_recovery(self) -> None:
        if self._last_error is not None:
            _log.info("link_regained", link=str(self._url))
        self._last_error = None
