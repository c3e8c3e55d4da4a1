"""One connection of a stream link: bytes in as they come, replies out by one write, cut when it breaks a limit."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from telemetry.links.hub import Hub
from telemetry.links.limits import Pace
from telemetry.links.speaker import Speaker
from telemetry.links.url import LISTENING

CLOSE_WITHIN_S: Final = 5.0
"""So long may a peer that is let go take to read what was written to it."""
PROBE_AFTER_S: Final = 60
PROBE_EVERY_S: Final = 15
PROBES: Final = 4
"""The kernel asks a silent peer whether it is there; two minutes after it vanished its connection ends."""


class StreamSpeaker(Speaker, asyncio.Protocol):
    """The peer at the other end of a TCP or TLS connection; `when_lost` is told once when it is over."""

    def __init__(self, hub: Hub, address: tuple[str, int], *, when_lost: Callable[["StreamSpeaker"], None]) -> None:
        self._hub = hub
        self._address = address
        self._when_lost = when_lost
        self._transport: asyncio.Transport | None = None
        self._unread_since_us: int | None = None

    @property
    def has_begun(self) -> bool:
        """Tell whether the connection was ever made: a TLS handshake may fail before."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with a fresh decoder."""
        hub, now_us = self._hub, self._hub.clock.now_us()
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=hub.limits.unread_bytes // 4)
        local: Any = transport.get_extra_info("sockname") or ("", 0)
        peer = hub.peer_at(*self._address, local=(str(local[0]), int(local[1])))
        Speaker.__init__(self, peer, hub.decoder_for(peer), now_us)
        self.is_chosen = hub.url.kind not in LISTENING
        self._pace = Pace(now_us, hub.limits.device_bytes_per_s)
        hub.join(self, self)

    def data_received(self, data: bytes) -> None:
        """Hear a piece of the stream."""
        if self.closing is not None:
            return  # it was told to go: what it says on its way out promises nothing
        hub, now_us = self._hub, self._hub.clock.now_us()
        hub.hear(self, data, now_us)
        if self.begun_bytes > hub.limits.frame_bytes:
            self.cut("frame_too_long")
            return
        wait_us = self._pace.wait_us(len(data), len(self.devices), now_us)
        if wait_us:
            self.paused_until_us = now_us + wait_us
            self.pause()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        del exc
        self._hub.leave(self)
        self._when_lost(self)

    def pause_writing(self) -> None:
        """Begin to count how long the peer does not read."""
        self._unread_since_us = self._hub.clock.now_us()

    def resume_writing(self) -> None:
        """Note that the peer reads again."""
        self._unread_since_us = None

    def write(self, replies: Sequence[bytes]) -> None:
        """Send by one write; a peer for which too much waits is cut."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(b"".join(replies))
        if self._transport.get_write_buffer_size() > self._hub.limits.unread_bytes:
            self.cut("never_reads")

    def cut(self, reason: str) -> None:
        """Close after what is written has left; whoever broke a limit by not reading or by flooding is not waited for."""
        if self._transport is None or self._transport.is_closing():
            return
        self._hub.refuse(reason)
        self.closing = reason
        self._hub.leave(self)
        if reason == "never_reads":
            self._transport.abort()
        else:
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._transport.abort)

    def hang_up(self) -> None:
        """Close without counting it as anybody's fault."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Stop reading, so that the peer's system tells it to wait."""
        if not self.is_paused and self._transport is not None and not self._transport.is_closing():
            self.is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again; the time in which it was not read from is not counted against it."""
        if self.is_paused and self._transport is not None and not self._transport.is_closing():
            self.is_paused = False
            self.heard_us = self._hub.clock.now_us()
            self.begun_us = None if self.begun_us is None else self.heard_us
            self._transport.resume_reading()

    def watch(self, now_us: int) -> None:
        """Do what time asks for: cut whoever took too long, go on reading from whoever waited long enough."""
        limits = self._hub.limits
        if self.is_paused and not self._hub.is_paused and now_us >= self.paused_until_us:
            self.resume()
        if self._unread_since_us is not None and now_us - self._unread_since_us > limits.unread_within_us:
            self.cut("never_reads")
        elif self.is_paused:
            return  # who is not read from cannot prove, finish or say anything
        elif not self.is_proven and not self.is_chosen and now_us - self.since_us > limits.prove_within_us:
            self.cut("proved_nothing")
        elif self.begun_us is not None and now_us - self.begun_us > limits.frame_within_us:
            self.cut("frame_too_slow")
        elif now_us - self.heard_us > limits.silent_us:
            self.cut("silent")


def keep_alive(opened: socket.socket) -> None:
    """Let the kernel find a peer that vanished, and send small replies at once."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (("TCP_KEEPIDLE", PROBE_AFTER_S), ("TCP_KEEPINTVL", PROBE_EVERY_S), ("TCP_KEEPCNT", PROBES)):
        option = getattr(socket, name, None)  # not every system has them
        if option is not None:
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
