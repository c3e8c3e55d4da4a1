"""One ground station that watches beside us: a link on which drones' frames go out, and which it may speak back on."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

from infra.clock import Clock
from infra.logs import get_logger
from infra.metrics import LINK_REFUSED
from telemetry.forwarding.gate import Gate, Standing
from telemetry.forwarding.pace import AskingPace
from telemetry.forwarding.setting import PROTOCOL, ForwardUrl
from telemetry.links.explained import explained
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkStatus, PeerStatus
from telemetry.links.url import LinkKind, LinkUrl
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError, InputError, NotFoundError

DATAGRAM_BYTES: Final = 1_400
UNREAD_BYTES: Final = 256 * 1024
"""More than this a station is behind: frames are left out, as the air itself does."""
CONNECTIONS_AT_MOST: Final = 8
READ_BYTES: Final = 65_536
_log: Final = get_logger("forwarding")

Relay = Callable[[int, bytes], bool]
"""Sends frames of a station to a device, signed by us; tells whether they left."""


class Watched(Protocol):
    """What a station may watch and order (telemetry/forwarding/board.py)."""

    @property
    def pace(self) -> AskingPace:
        """How often stations may ask."""

    def standing(self, station: str) -> Standing:
        """Return what a station may do now."""

    def ordered(self, station: str, device_id: int, order: str) -> None:
        """Write down what a station ordered a device that it is in control of."""


class _Outlet(Protocol):
    """A datagram transport as every event loop makes it, which the standard library's types do not say whole."""

    def sendto(self, data: bytes) -> None:
        """Send a datagram, or keep it until the socket takes it."""

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait."""

    def close(self) -> None:
        """Close it."""


class StationLink:
    """A link (telemetry/links/link.py) on which nothing is heard that we believe: frames go out, orders come in by the gate."""

    def __init__(self, url: ForwardUrl, watched: Watched, relay: Relay, clock: Clock) -> None:
        self.forward = url
        self.heard_us: int | None = None
        self.refused: Counter[str] = Counter()
        self._watched = watched
        self._relay = relay
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._datagrams: _Outlet | None = None
        self._streams: dict[asyncio.StreamWriter, int] = {}
        self._lost = asyncio.Event()
        self._last_error: str | None = None
        self._sent = self._sent_bytes = self._left_out = self._relayed = 0
        self._text = str(url.link)

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self.forward.link

    @property
    def port(self) -> int:
        """The port that is bound; 0 while closed."""
        opened = self._server.sockets[0] if self._server is not None and self._server.sockets else None
        return int(opened.getsockname()[1]) if opened is not None else 0

    async def open(self) -> None:
        """Open it. Raises ConflictError for a port in use, InputError for a host that there is not."""
        loop, link = asyncio.get_running_loop(), self.forward.link
        self._lost.clear()
        try:
            if link.kind is LinkKind.TCP_IN:
                self._server = await asyncio.start_server(self._serve, link.host, link.port)
                return
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), remote_addr=(link.host, link.port)
            )
            self._datagrams = cast("_Outlet", transport)
        except OSError as error:
            raise explained(link, error) from error

    async def run(self) -> None:
        """Keep it open until cancelled."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._server is None and self._datagrams is None:
                    await self.open()
                    delay_s = FIRST_DELAY_S
                await self._lost.wait()
            except (OSError, ConflictError, InputError) as error:
                self.note_loss(str(error))
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def forward_frames(self, frames: Sequence[bytes]) -> None:
        """Send frames that this station watches, in pieces that one datagram holds; what cannot go at once is left out."""
        if self._datagrams is not None:
            for piece in _pieces(frames):
                if self._datagrams.get_write_buffer_size() > UNREAD_BYTES:
                    self._left_out += 1
                    continue
                self._datagrams.sendto(piece)
                self._note_sent(piece)
        data = b"".join(frames) if self._streams else b""
        for writer in self._streams:
            if writer.transport.get_write_buffer_size() > UNREAD_BYTES:
                self._left_out += 1
            else:
                writer.write(data)
                self._note_sent(data)

    def gate(self) -> Gate:
        """Return the gate of one connection."""
        return Gate(self.forward.name, self._watched.pace)

    def hear(self, gate: Gate, data: bytes) -> list[bytes]:
        """Take what the station says, as far as it may; return what it is answered at once."""
        self.heard_us, self._last_error = self._clock.now_us(), None
        passed = gate.feed(data, self._watched.standing(self.forward.name), self._clock.monotonic_s())
        for reason, count in passed.dropped.items():
            self._refuse(reason, count)
        for device_id, frames in passed.frames.items():
            if self._relay(device_id, frames):
                self._relayed += 1
                for order in (name for ordered_id, name in passed.orders if ordered_id == device_id):
                    self._watched.ordered(self.forward.name, device_id, order)
            else:
                self._refuse("drone_not_heard")
        return passed.answers

    def note_loss(self, reason: str) -> None:
        """Remember why nothing goes out; told once."""
        if self._last_error is None:
            _log.warning("station_lost", station=self.forward.name, reason=reason)
        self._last_error = reason

    def tick(self, now_us: int) -> None:
        """Do nothing: time asks nothing of it."""

    def send(self, command: Command, now_us: int) -> None:
        """Raise NotFoundError: no device is reached by a ground station."""
        del now_us
        raise NotFoundError(f"device {command.device_id} is not reached by the ground station {self.forward.name}")

    def status(self) -> LinkStatus:
        """Return how it does; `datagrams` and `bytes_received` count what it was sent and said."""
        is_open = self._server is not None or self._datagrams is not None
        return LinkStatus(
            url=self._text,
            link_group=self.forward.name,
            state="open" if is_open else "retrying",
            protocol=PROTOCOL,
            transport=self.forward.link.transport,
            datagrams=self._sent,
            bytes_received=self._sent_bytes,
            datagrams_dropped=self._left_out,
            peers=len(self._streams) + (1 if self._datagrams is not None else 0),
            devices=sum(len(devices) for devices in self._watched.standing(self.forward.name).systems.values()),
            refused=dict(self.refused),
            last_heard_us=self.heard_us,
            last_error=self._last_error,
        )

    def peers(self) -> list[PeerStatus]:
        """Return nobody: who watches is told by the status alone."""
        return []

    def close(self) -> None:
        """Let go of it."""
        if self._server is not None:
            self._server.close()
        if self._datagrams is not None:
            self._datagrams.close()
        for writer in list(self._streams):
            writer.close()
        self._server = self._datagrams = None
        self._streams.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = str((writer.get_extra_info("peername") or ("",))[0])
        if not self.forward.admits(host) or len(self._streams) >= CONNECTIONS_AT_MOST:
            self._refuse("house_full" if self.forward.admits(host) else "host_not_allowed")
            writer.close()
            return
        gate = self.gate()
        self._streams[writer] = 0
        self._last_error = None
        try:
            while data := await reader.read(READ_BYTES):
                answers = self.hear(gate, data)
                if answers and writer.transport.get_write_buffer_size() <= UNREAD_BYTES:
                    writer.write(b"".join(answers))
        except ConnectionError:
            pass
        finally:
            self._streams.pop(writer, None)
            with contextlib.suppress(ConnectionError):
                writer.close()

    def _refuse(self, reason: str, count: int = 1) -> None:
        self.refused[reason] += count
        LINK_REFUSED.labels(protocol=PROTOCOL, reason=reason).inc(count)

    def _note_sent(self, data: bytes) -> None:
        self._sent += 1
        self._sent_bytes += len(data)


class _Datagrams(asyncio.DatagramProtocol):
    """The socket of a station that is spoken to by datagrams."""

    def __init__(self, station: StationLink) -> None:
        self._station = station
        self._gate = station.gate()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take what the station says."""
        del addr
        answers = self._station.hear(self._gate, data)
        if answers:
            self._station.forward_frames(answers)

    def error_received(self, error: Exception) -> None:
        """Note that nobody listens there."""
        self._station.note_loss(str(error))


def _pieces(frames: Sequence[bytes]) -> list[bytes]:
    """Return frames joined to datagrams that no way has to cut."""
    pieces: list[bytes] = []
    waiting: list[bytes] = []
    waiting_bytes = 0
    for frame in frames:
        if waiting and waiting_bytes + len(frame) > DATAGRAM_BYTES:
            pieces.append(b"".join(waiting))
            waiting, waiting_bytes = [], 0
        waiting.append(frame)
        waiting_bytes += len(frame)
    return [*pieces, b"".join(waiting)] if waiting else pieces
