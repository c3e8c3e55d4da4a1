"""UDP links: sockets that are drained in one turn of the loop, one decoder a peer, opened again when lost."""

import asyncio
import errno
import os
import random
import socket
import struct
from collections import Counter
from typing import Final

from infra.clock import Clock
from infra.logs import get_logger
from infra.metrics import UDP_DROPPED
from telemetry.links.link import LinkStatus, MakeDecoder, Take
from telemetry.links.turns import merge
from telemetry.links.url import LinkKind, LinkUrl, is_loopback
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Output, Promise, Reply
from telemetry.model.errors import ConflictError, InputError, NotFoundError

DATAGRAM_BYTES: Final = 65_536
DATAGRAMS_A_TURN: Final = 256
"""So many are read before the loop serves others again."""
RECEIVE_BUFFER_BYTES: Final = 8 << 20
PEERS_AT_MOST: Final = 256
PEER_IDLE_US: Final = 300_000_000
FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 15.0
_SO_RXQ_OVFL: Final = 40
_SO_RCVBUFFORCE: Final = 33
_U32: Final = struct.Struct("=I")
_log: Final = get_logger("links")


class _Peer:
    """One address that speaks to us and its decoder."""

    __slots__ = ("address", "allow_unsigned", "decoder", "has_spoken", "heard_us")

    def __init__(self, address: object, decoder: Decoder, now_us: int, *, allow_unsigned: bool) -> None:
        self.address = address
        self.allow_unsigned = allow_unsigned
        self.decoder = decoder
        self.heard_us = now_us
        self.has_spoken = False
        """Whether it proved to be somebody of ours: only then is it answered, or who forges an address floods another."""


class UdpLink:
    """A bound (udpin) or connected (udpout) socket. Replies go to the peer whose decoder made them.

    The loop calls us when datagrams wait; all of them become one output, so that a burst is one batch. The kernel counts what
    it had to drop.
    """

    def __init__(self, url: LinkUrl, make_decoder: MakeDecoder, take: Take, clock: Clock) -> None:
        self._url = url
        self._make_decoder = make_decoder
        self._take = take
        self._clock = clock
        self._socket: socket.socket | None = None
        self._peers: dict[object, _Peer] = {}
        self._lost = asyncio.Event()
        self._last_error: str | None = None
        self._datagrams = self._bytes = self._dropped = self._dropped_before = self._positions = 0
        self._bad: Counter[str] = Counter()
        self._heard_us: int | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    @property
    def port(self) -> int:
        """The port that is bound; 0 while closed."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def open(self) -> None:
        """Open the socket. Raises ConflictError for a port in use, InputError for a host that there is not."""
        loop = asyncio.get_running_loop()
        address = await self._resolve(loop)
        opened = _open_socket(self._url, *address)
        self._socket = opened
        self._dropped_before = 0
        self._lost.clear()
        loop.add_reader(opened.fileno(), self._drain)
        if self._url.kind is LinkKind.UDP_OUT:
            self._peer(None, self._clock.now_us())

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
        for key, peer in list(self._peers.items()):
            if peer.address is not None and now_us - peer.heard_us > PEER_IDLE_US:
                del self._peers[key]
            elif peer.has_spoken or peer.address is None:
                self._deliver([(peer, peer.decoder.tick(now_us))], now_us)

    def send(self, command: Command, now_us: int) -> None:
        """Send a command by the peer that the device was last heard from. Raises NotFoundError when there is none."""
        for peer in sorted(self._peers.values(), key=lambda peer: -peer.heard_us):
            try:
                output = peer.decoder.send(command, now_us)
            except NotFoundError:
                continue
            self._deliver([(peer, output)], now_us)
            return
        raise NotFoundError(
            f"device {command.device_id} was not heard on {self._url}: try another link, or wait for it"
        )

    def status(self) -> LinkStatus:
        """Return how it does."""
        return LinkStatus(
            url=str(self._url),
            link_group=self._url.link_group,
            state="open" if self._socket else "retrying",
            datagrams=self._datagrams,
            bytes_received=self._bytes,
            datagrams_dropped=self._dropped,
            positions=self._positions,
            peers=sum(peer.has_spoken for peer in self._peers.values()),
            bad=dict(self._bad),
            last_heard_us=self._heard_us,
            last_error=self._last_error,
        )

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    async def _resolve(self, loop: asyncio.AbstractEventLoop) -> tuple[int, tuple[object, ...]]:
        try:
            found = await loop.getaddrinfo(self._url.host, self._url.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise InputError(
                f"the host {self._url.host!r} of {self._url} is unknown ({error}): give a name or an address"
            ) from error
        family, _, _, _, address = found[0]
        return family, address

    def _drain(self) -> None:
        now_us = self._clock.now_us()
        outputs: list[tuple[_Peer, Output]] = []
        for _ in range(DATAGRAMS_A_TURN):
            if self._socket is None:
                break
            try:
                data, extras, _flags, address = self._socket.recvmsg(DATAGRAM_BYTES, socket.CMSG_SPACE(_U32.size))
            except (BlockingIOError, InterruptedError):
                break
            except ConnectionRefusedError as error:
                self._note_loss(f"nobody listens at {self._url} ({error})")
                continue
            except OSError as error:
                self._give_up(error)
                break
            self._count_dropped(extras)
            outputs.append(self._hear(data, address, now_us))
        self._deliver(outputs, now_us)

    def _hear(self, data: bytes, address: object, now_us: int) -> tuple[_Peer, Output]:
        self._datagrams += 1
        self._bytes += len(data)
        self._heard_us = now_us
        peer = self._peer(None if self._url.kind is LinkKind.UDP_OUT else address, now_us)
        peer.heard_us = now_us
        output = peer.decoder.feed(data, now_us)
        is_proven = len(output.batch) or output.facts  # no event: a forged frame makes one too
        if is_proven or (peer.allow_unsigned and data and (output.replies or not output.bad)):
            peer.has_spoken = True
        if peer.address is None and self._last_error is not None:
            self._note_recovery()
        return peer, output

    def _peer(self, address: object, now_us: int) -> _Peer:
        peer = self._peers.get(address)
        if peer is None:
            if len(self._peers) >= PEERS_AT_MOST:
                oldest = min(self._peers, key=lambda key: (self._peers[key].has_spoken, self._peers[key].heard_us))
                del self._peers[oldest]
            host = address[0] if isinstance(address, tuple) else self._url.host
            allow_unsigned = self._url.allow_unsigned or is_loopback(str(host))
            decoder = self._make_decoder(self._url, allow_unsigned)
            peer = self._peers[address] = _Peer(address, decoder, now_us, allow_unsigned=allow_unsigned)
        return peer

    def _deliver(self, outputs: list[tuple[_Peer, Output]], now_us: int) -> None:
        """Hand all outputs of this turn to the bridge as one, then send the replies that need not wait."""
        full = [(peer, output) for peer, output in outputs if output]
        if not full:
            return
        merged = merge([output for _, output in full])
        self._positions += len(merged.batch)
        self._bad.update(merged.bad)
        self._take(merged, now_us)
        for peer, output in full:
            for reply in output.replies:
                self._reply(peer, reply)

    def _reply(self, peer: _Peer, reply: Reply) -> None:
        """Send one datagram; no UDP protocol of ours promises durability by one."""
        if self._socket is None or reply.promise is not Promise.NOW:
            return
        try:
            if peer.address is None:
                self._socket.send(reply.data)
            else:
                self._socket.sendto(reply.data, peer.address)  # type: ignore[call-overload]
        except BlockingIOError:
            self._bad["replies_unsent"] += 1
        except OSError as error:
            self._bad["replies_unsent"] += 1
            if peer.address is None:
                self._note_loss(f"cannot send to {self._url} ({os.strerror(error.errno or 0)})")

    def _count_dropped(self, extras: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in extras:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL) and len(data) >= _U32.size:
                (total,) = _U32.unpack_from(data)
                new = (total - self._dropped_before) & 0xFFFFFFFF
                self._dropped_before = total
                if new:
                    self._dropped += new
                    UDP_DROPPED.labels(link=self._url.link_group).inc(new)

    def _give_up(self, error: OSError) -> None:
        self._note_loss(f"the socket of {self._url} failed ({error})")
        self.close()
        self._lost.set()

    def _note_loss(self, reason: str) -> None:
        if self._last_error is None:
            _log.warning("link_lost", link=str(self._url), reason=reason)
        self._last_error = reason

    def _note_recovery(self) -> None:
        if self._last_error is not None:
            _log.info("link_regained", link=str(self._url))
        self._last_error = None


def _open_socket(url: LinkUrl, family: int, address: tuple[object, ...]) -> socket.socket:
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
        raise _explained(url, error) from error
    return opened


def _widen(opened: socket.socket) -> None:
    """Ask for a large receive buffer (past the system's limit where we may) and for the count of dropped datagrams."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    opened.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)


def _explained(url: LinkUrl, error: OSError) -> ConflictError | InputError:
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            f"port {url.port} of {url} is in use: end the program that holds it (ss -ulpn) or choose another port"
        )
    if error.errno == errno.EACCES:
        return InputError(f"{url} may not be opened by this account: choose a port from 1024 up")
    if error.errno == errno.EADDRNOTAVAIL:
        return InputError(f"{url}: this machine has no address {url.host}; give one of its own, or 0.0.0.0 for all")
    return InputError(f"{url} cannot be opened ({error}): check host, port and network")
