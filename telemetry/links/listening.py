"""tcpin and tlsin: a listener that lets many peers in, and keeps a crowd from shutting the door to the others."""

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import Final

from infra.logs import get_logger
from telemetry.links.explained import explained, resolve
from telemetry.links.hub import Hub
from telemetry.links.limits import Door, limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.streams import StreamSpeaker, keep_alive
from telemetry.links.tls import tls_for
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError, InputError

BACKLOG: Final = 4_096
ACCEPTS_A_TURN: Final = 64
HANDSHAKE_WITHIN_S: Final = 10.0
NO_FILES_PAUSE_S: Final = 0.5
_RESET: Final = struct.pack("ii", 1, 0)
_log: Final = get_logger("links")


class ListeningLink:
    """A port that devices connect to, one decoder a connection."""

    def __init__(self, url: LinkUrl, context: LinkContext) -> None:
        limits = limits_of(url.options)
        self._url = url
        self._context = context
        self._hub = Hub(url, context, limits, acknowledged=True)
        self._door = Door(limits)
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._welcomes: set[asyncio.Task[None]] = set()
        self._lost = asyncio.Event()
        self._last_error: str | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    @property
    def port(self) -> int:
        """The port that is bound; 0 while closed."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def open(self) -> None:
        """Bind and listen. Raises ConflictError for a port in use, InputError for a wrong address or certificate."""
        self._tls = await asyncio.to_thread(tls_for, self._url, self._context)
        family, address = await resolve(self._url, socket.SOCK_STREAM)
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(BACKLOG)
        except OSError as error:
            opened.close()
            raise explained(self._url, error) from error
        self._socket = opened
        self._lost.clear()
        self._hub.is_bound_to(self.port)
        self._listen()
        if self._url.is_open_to_others:
            _log.warning("link_in_the_clear", link=str(self._url), advice="use tlsin, or a private network (APN, VPN)")

    async def run(self) -> None:
        """Keep the port open until cancelled; one that could not be opened is tried again after a growing pause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._socket is None:
                    await self.open()
                    self._last_error = None
                await self._lost.wait()
            except (ConflictError, InputError) as error:
                if self._last_error is None:
                    _log.warning("link_lost", link=str(self._url), reason=str(error))
                self._last_error = str(error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def tick(self, now_us: int) -> None:
        """Let every decoder do what time asks for, and let go of whoever took too long."""
        for speaker in list(self._hub.speakers.values()):
            if isinstance(speaker, StreamSpeaker):
                speaker.watch(now_us)
        self._hub.tick(now_us)

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device heard here. Raises NotFoundError when it is not."""
        self._hub.send(command, now_us)

    def status(self) -> LinkStatus:
        """Return how it does."""
        return self._hub.status(state="open" if self._socket else "retrying", last_error=self._last_error)

    def peers(self) -> list[PeerStatus]:
        """Return who is connected, those heard last first."""
        return self._hub.peers()

    def close(self) -> None:
        """Let go of the port and of everybody who is connected."""
        for task in self._welcomes:
            task.cancel()
        for speaker in list(self._hub.speakers.values()):
            if isinstance(speaker, StreamSpeaker):
                speaker.hang_up()
        self._hub.close()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            if self._socket is None:
                return
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no file left: those that wait in the queue wait longer
                self._hub.refuse("no_files")
                _log.error("link_cannot_accept", link=str(self._url), reason=str(error))
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket.fileno())
                loop.call_later(NO_FILES_PAUSE_S, self._listen)
                return
            self._admit(accepted, (str(address[0]), int(address[1])))

    def _admit(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        refusal = self._refusal(address[0])
        if refusal is not None:
            self._hub.refuse(refusal)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            accepted.close()
            return
        self._door.enter(address[0])
        task = asyncio.get_running_loop().create_task(self._welcome(accepted, address), name="links: welcome")
        self._welcomes.add(task)
        task.add_done_callback(self._welcomes.discard)

    async def _welcome(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        """Make a connection of an accepted socket; a failed handshake costs only itself."""
        loop = asyncio.get_running_loop()
        accepted.setblocking(False)  # noqa: FBT003 - as above
        keep_alive(accepted)
        speaker = StreamSpeaker(self._hub, address, when_lost=self._gone)
        try:
            await loop.connect_accepted_socket(
                lambda: speaker,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_WITHIN_S,
            )
        except OSError:
            self._hub.refuse("handshake")
        if not speaker.has_begun:
            self._door.leave(address[0])
            with contextlib.suppress(OSError):
                accepted.close()

    def _gone(self, speaker: StreamSpeaker) -> None:
        self._door.leave(speaker.peer.host)

    def _refusal(self, host: str) -> str | None:
        if not self._door.knock(host, self._hub.clock.monotonic_s()):
            return "connection_rate"
        if self._door.is_crowded(host) and not self._make_room({host}):
            return "connections_of_host"
        return "house_full" if self._door.is_full and not self._make_room(None) else None

    def _make_room(self, hosts: set[str] | None) -> bool:
        """Let the oldest peer go that proved nothing, of these hosts or of that with most of them; tell whether there was one."""
        strangers = [
            speaker
            for speaker in self._hub.speakers.values()
            if not speaker.is_proven and (hosts is None or speaker.peer.host in hosts)
        ]
        if not strangers:
            return False
        crowds: dict[str, int] = {}
        for speaker in strangers:
            crowds[speaker.peer.host] = crowds.get(speaker.peer.host, 0) + 1
        worst = max(strangers, key=lambda speaker: (crowds[speaker.peer.host], -speaker.since_us))
        worst.cut("made_room")
        return True
