"""UDP links: a socket that is drained in one turn of the loop, one decoder a peer, opened again when lost."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import Sequence
from typing import Any, Final

from infra.logs import get_logger
from infra.metrics import UDP_DROPPED
from telemetry.links.datagrams import Arrived, Receiver, receiver_of
from telemetry.links.explained import explained, resolve
from telemetry.links.hub import Hub
from telemetry.links.limits import limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.speaker import Speaker
from telemetry.links.url import LinkKind, LinkUrl
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Peer
from telemetry.model.errors import ConflictError, InputError
from telemetry.rate_limit import RateLimit

RECEIVE_BUFFER_BYTES: Final = 16 << 20
TURNS_A_DRAIN: Final = 4
"""So many full turns are read before the loop serves others again."""
MANY: Final = 48
"""From so many datagrams of one turn on they are read together, where the protocol can do that."""
STRANGER_PER_S: Final = 500.0
STRANGER_AT_ONCE: Final = 2_000
STRANGERS_AT_MOST: Final = 256
PEERS_AT_MOST: Final = 20_000
PEER_IDLE_US: Final = 300_000_000
_SO_RCVBUFFORCE: Final = 33
_SO_RXQ_OVFL: Final = 40
_log: Final = get_logger("links")


class DatagramSpeaker(Speaker):
    """One address that sends us datagrams."""

    def __init__(self, link: "UdpLink", key: object, peer: Peer, decoder: Decoder, now_us: int) -> None:
        super().__init__(peer, decoder, now_us)
        self._link = link
        self.key = key

    def write(self, replies: Sequence[bytes]) -> None:
        """Send each reply as a datagram."""
        for reply in replies:
            self._link.send_to(self.key, reply)

    def pause(self) -> None:
        """Do nothing: who sends datagrams cannot be told to wait."""

    def resume(self) -> None:
        """Do nothing, as above."""

    def cut(self, reason: str) -> None:
        """Forget the address; when it speaks again it begins anew."""
        self._link.forget(self, reason)


class UdpLink:
    """A bound (udpin) or connected (udpout) socket. Replies go to the peer whose decoder made them.

    The loop calls us when datagrams wait; all of them become one turn, so that a burst is one batch. The kernel counts what
    it had to drop.
    """

    def __init__(self, url: LinkUrl, context: LinkContext) -> None:
        self._url = url
        self._hub = Hub(url, context, limits_of(url.options), acknowledged=False)
        self._socket: socket.socket | None = None
        self._receiver: Receiver | None = None
        self._strangers: dict[object, DatagramSpeaker] = {}
        self._stranger_rate = RateLimit(STRANGER_PER_S, STRANGER_AT_ONCE)
        self._local_hosts: dict[str, str] = {}
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

    @property
    def received(self) -> int:
        """How many datagrams were read."""
        return self._hub.datagrams

    async def open(self) -> None:
        """Open the socket. Raises ConflictError for a port in use, InputError for a host that there is not."""
        loop = asyncio.get_running_loop()
        opened = _open_socket(self._url, *await resolve(self._url, socket.SOCK_DGRAM))
        self._socket = opened
        self._receiver = receiver_of(opened)
        if self._url.kind is LinkKind.UDP_IN:
            self._hub.is_bound_to(self.port)
        self._lost.clear()
        loop.add_reader(opened.fileno(), self._drain)
        if self._url.kind is LinkKind.UDP_OUT:
            self._speaker(None, self._hub.clock.now_us()).is_chosen = True
        elif self._url.is_open_to_others:
            _log.warning(
                "link_in_the_clear", link=str(self._url), advice="use a private network (APN, VPN), or signed MAVLink"
            )

    async def run(self) -> None:
        """Keep the socket open until cancelled: when it is lost, open it again after a growing, jittered pause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._socket is None:
                    await self.open()
                    self._note_recovery()
                    delay_s = FIRST_DELAY_S
                await self._lost.wait()
            except (OSError, ConflictError, InputError) as error:
                self._note_loss(str(error))
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def tick(self, now_us: int) -> None:
        """Let every decoder do what time asks for, and forget peers that went away."""
        for key, speaker in list(self._hub.speakers.items()):
            if key is not None and now_us - speaker.heard_us > PEER_IDLE_US:
                self._hub.leave(key)
                self._strangers.pop(key, None)
        self._hub.tick(now_us)

    def send(self, command: Command, now_us: int) -> None:
        """Send a command by the peer that the device was last heard from. Raises NotFoundError when there is none."""
        self._hub.send(command, now_us)

    def status(self) -> LinkStatus:
        """Return how it does."""
        return self._hub.status(state="open" if self._socket else "retrying", last_error=self._last_error)

    def peers(self) -> list[PeerStatus]:
        """Return the addresses that speak to us, those heard last first."""
        return self._hub.peers()

    def close(self) -> None:
        """Let go of the socket."""
        self._hub.close()
        self._strangers.clear()
        self._let_go()

    def send_to(self, key: object, reply: bytes) -> None:
        """Send one datagram; one that cannot go at once is dropped and counted, as any may be on its way."""
        if self._socket is None:
            return
        try:
            if key is None:
                self._socket.send(reply)
            else:
                self._socket.sendto(reply, key)  # type: ignore[call-overload]
        except BlockingIOError:
            self._hub.bad["replies_unsent"] += 1
        except OSError as error:
            self._hub.bad["replies_unsent"] += 1
            if key is None:
                self._note_loss(f"cannot send to {self._url} ({os.strerror(error.errno or 0)})")

    def forget(self, speaker: DatagramSpeaker, reason: str) -> None:
        """Let an address go."""
        self._hub.refuse(reason)
        self._hub.leave(speaker.key)
        self._strangers.pop(speaker.key, None)

    def hear(self, arrived: Sequence[Arrived], now_us: int) -> None:
        """Take the datagrams of one turn; each is an address (None on a connected socket) and its bytes."""
        is_many = len(arrived) >= MANY and self._hub.can_hear_many
        together: list[tuple[Speaker, bytes]] = []
        for address, data in arrived:
            speaker = self._speaker(None if self._url.kind is LinkKind.UDP_OUT else address, now_us)
            if is_many and speaker.is_proven:
                together.append((speaker, data))
                continue
            if not speaker.is_proven and not self._stranger_may_speak(speaker, now_us):
                continue
            self._hub.hear(speaker, data, now_us)
            if speaker.is_proven:
                self._strangers.pop(speaker.key, None)
        if together:
            self._hub.hear_many(together, now_us)
        if arrived and self._url.kind is LinkKind.UDP_OUT and self._last_error is not None:
            self._note_recovery()

    def _drain(self) -> None:
        now_us = self._hub.clock.now_us()
        for _ in range(TURNS_A_DRAIN):
            if self._socket is None or self._receiver is None:
                break
            try:
                arrived, dropped, is_more = self._receiver.receive()
            except ConnectionRefusedError as error:
                self._note_loss(f"nobody listens at {self._url} ({error})")
                continue
            except OSError as error:
                self._give_up(error)
                break
            if dropped:
                self._hub.dropped += dropped
                UDP_DROPPED.labels(link=self._url.link_group).inc(dropped)
            self.hear(arrived, now_us)
            if not is_more:
                break

    def _speaker(self, address: Any, now_us: int) -> DatagramSpeaker:  # noqa: ANN401 - as the socket module's addresses
        found = self._hub.speakers.get(address)
        if found is not None:
            assert isinstance(found, DatagramSpeaker)
            return found
        if len(self._strangers) >= STRANGERS_AT_MOST:
            self._hub.leave(min(self._strangers, key=lambda key: self._strangers[key].heard_us))
            self._strangers = {key: known for key, known in self._strangers.items() if key in self._hub.speakers}
        if len(self._hub.speakers) >= PEERS_AT_MOST:
            self._hub.leave(min(self._hub.speakers, key=lambda key: self._hub.speakers[key].heard_us))
        host, port = (str(address[0]), int(address[1])) if address else (self._url.host, self._url.port)
        peer = self._hub.peer_at(host, port, (self._local_host(host, port), self.port))
        speaker = DatagramSpeaker(self, address, peer, self._hub.decoder_for(peer), now_us)
        self._hub.join(address, speaker)
        self._strangers[address] = speaker
        return speaker

    def _stranger_may_speak(self, speaker: Speaker, now_us: int) -> bool:
        """Bound what one address that proved nothing may cost; a peer that we chose is none."""
        if speaker.is_chosen or self._stranger_rate.take(speaker.peer.host, now_us / 1e6):
            return True
        self._hub.refuse("stranger_rate")
        return False

    def _local_host(self, host: str, port: int) -> str:
        """Return the address of this machine by which a peer reaches us; where we are bound to all, the system knows it."""
        if self._url.host not in ("0.0.0.0", "::"):  # noqa: S104 - it is compared, not bound
            return self._url.host
        found = self._local_hosts.get(host)
        if found is None and self._socket is not None:
            with contextlib.suppress(OSError), socket.socket(self._socket.family, socket.SOCK_DGRAM) as asking:
                asking.connect((host, port))  # sends nothing
                found = str(asking.getsockname()[0])
            if len(self._local_hosts) >= PEERS_AT_MOST:
                self._local_hosts.clear()
            self._local_hosts[host] = found or self._url.host
        return found or self._url.host

    def _let_go(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = self._receiver = None

    def _give_up(self, error: OSError) -> None:
        self._note_loss(f"the socket of {self._url} failed ({error})")
        self._let_go()
        self._lost.set()

    def _note_loss(self, reason: str) -> None:
        if self._last_error is None:
            _log.warning("link_lost", link=str(self._url), reason=reason)
        self._last_error = reason

    def _note_recovery(self) -> None:
        if self._last_error is not None:
            _log.info("link_regained", link=str(self._url))
        self._last_error = None


def _open_socket(url: LinkUrl, family: int, address: Any) -> socket.socket:  # noqa: ANN401 - as above
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        _widen(opened)
        if url.kind is LinkKind.UDP_IN:
            opened.bind(address)
        else:
            opened.connect(address)
    except OSError as error:
        opened.close()
        raise explained(url, error) from error
    return opened


def _widen(opened: socket.socket) -> None:
    """Ask for a large receive buffer (past the system's limit where we may) and for the count of dropped datagrams."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    except OSError:  # another system than Linux does not count them
        _log.info("drops_not_counted")
