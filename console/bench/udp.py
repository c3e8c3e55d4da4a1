"""How many MAVLink datagrams of many peers are received and decoded in a second of CPU time, against asyncio with pymavlink.

Bursts are sent to a real socket, then received; only the receiving is timed, by CPU time of this process, both sides in turn on
the same bytes. Both decode every value of every message: theirs by asyncio's DatagramProtocol and pymavlink's parser, one a peer;
ours by the product's UDP link, with a source that decodes and does no more (`ratio_asyncio`), and with the product's own, which
also tells vehicles from impostors, estimates their clocks and makes rows of positions (`ratio_asyncio_rows`).
"""

import asyncio
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import uvloop
from pymavlink.dialects.v20 import ardupilotmega as peer

from console.bench import Figures, Goal
from console.bench.decode import mix, touch
from infra.clock import SYSTEM_CLOCK
from telemetry.links.link import Answers, FeedMany, LinkContext, MakeDecoder
from telemetry.links.routes import Routes
from telemetry.links.udp import UdpLink
from telemetry.links.url import parse_link_url
from telemetry.model.commands import Command
from telemetry.model.decoding import NOTHING, Output, Peer, SourceContext
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.mavlink import MavlinkSource
from telemetry.sources.mavlink.block import parse_block
from telemetry.sources.mavlink.frame import FrameReader, decode

PEERS: Final = 50
BURST: Final = 1_000
"""Datagrams that wait when the receiver is called: about what 5 ms bring at the goal's pace."""
BURSTS: Final = 30
BURST_S: Final = BURST / 160
"""How long the vehicles take to say so much, by the boot times of `mix`: sixteen frames in a tenth of a second."""
SENDER_AT: Final = 5
"""Where a version 2 frame names its system."""
WITHIN_S: Final = 20.0
GOALS: Final[dict[str, Goal]] = {"ratio_asyncio": (">=", 3.0), "datagrams_per_cpu_s": (">=", 200_000.0)}


def run(*, runs: int, seed: int) -> Figures:
    """Measure; figures are medians over the runs."""
    frames = mix(seed)[: BURST * BURSTS]
    _decoding_link(frames)  # tables that are made on demand
    rounds = [(_asyncio_and_pymavlink(frames), _decoding_link(frames), _whole_link(frames)) for _ in range(runs)]
    count = len(frames)
    return Figures(
        figures={
            "ratio_asyncio": round(statistics.median(theirs_s / ours_s for theirs_s, ours_s, _ in rounds), 2),
            "ratio_asyncio_rows": round(statistics.median(theirs_s / whole_s for theirs_s, _, whole_s in rounds), 2),
            "datagrams_per_cpu_s": round(count / statistics.median(ours_s for _, ours_s, _ in rounds)),
            "rows_datagrams_per_cpu_s": round(count / statistics.median(whole_s for _, _, whole_s in rounds)),
            "asyncio_datagrams_per_cpu_s": round(count / statistics.median(theirs_s for theirs_s, _, _ in rounds)),
            "datagrams": count,
            "peers": PEERS,
            "burst": BURST,
        },
        goals=GOALS,
    )


class _VehiclesClock:
    """The time that goes by for the vehicles: in the machine's own they would seem to flood us."""

    def __init__(self) -> None:
        self.duration_s = 0.0

    def now_us(self) -> int:
        """Return UTC microseconds."""
        return 1_790_000_000_000_000 + round(self.duration_s * 1e6)

    def monotonic_s(self) -> float:
        """Return seconds."""
        return self.duration_s


class _Bursts:
    """Senders, one a system, and the time that the receiver takes for what they send."""

    def __init__(self, port: int, clock: _VehiclesClock) -> None:
        self._clock = clock
        self._senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PEERS)]
        for sender in self._senders:
            sender.connect(("127.0.0.1", port))

    async def receive(self, frames: Sequence[bytes], received: Callable[[], int]) -> float:
        """Send burst after burst and return the CPU seconds between each one's sending and its reception."""
        cpu_s = 0.0
        for at in range(0, len(frames), BURST):
            burst = frames[at : at + BURST]
            for frame in burst:
                self._senders[frame[SENDER_AT] - 1].send(frame)
            self._clock.duration_s += BURST_S
            end_s = SYSTEM_CLOCK.monotonic_s() + WITHIN_S
            began_s = time.process_time()
            while received() < at + len(burst):
                await asyncio.sleep(0)
                if SYSTEM_CLOCK.monotonic_s() > end_s:
                    message = f"{received()} of {at + len(burst)} datagrams came: the socket's buffer is too small here"
                    raise UnavailableError(message)
            cpu_s += time.process_time() - began_s
        return cpu_s

    def close(self) -> None:
        """Let go of the senders."""
        for sender in self._senders:
            sender.close()


class _Theirs(asyncio.DatagramProtocol):
    """What one writes first: a parser for each address."""

    def __init__(self) -> None:
        self.count = 0
        self._parsers: dict[Any, Any] = {}

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - as asyncio's own
        """Parse a datagram."""
        self.count += 1
        parser = self._parsers.get(addr)
        if parser is None:
            parser = self._parsers[addr] = peer.MAVLink(None)
            parser.robust_parsing = True
        parser.parse_buffer(data)


def _asyncio_and_pymavlink(frames: list[bytes]) -> float:
    async def measure() -> float:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(_Theirs, local_addr=("127.0.0.1", 0))
        opened = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        bursts = _Bursts(opened.getsockname()[1], _VehiclesClock())
        try:
            return await bursts.receive(frames, lambda: protocol.count)
        finally:
            bursts.close()
            transport.close()

    return asyncio.run(measure())


class _Reader:
    """A decoder that decodes every value of every frame, and does no more."""

    def __init__(self, peer: Peer) -> None:
        del peer
        self._reader = FrameReader()

    def feed(self, data: bytes, now_us: int) -> Output:
        """Decode one datagram."""
        del now_us
        for frame in self._reader.feed(data):
            decode(frame)
        return NOTHING

    def tick(self, now_us: int) -> Output:
        """Do nothing."""
        del now_us
        return NOTHING

    def send(self, command: Command, now_us: int) -> Output:
        """Do nothing."""
        del command, now_us
        return NOTHING


def _read_many(pieces: Sequence[tuple[Any, bytes]], now_us: int) -> tuple[Output, list[int], list[int], Answers]:
    """Decode the datagrams of a turn by columns."""
    del now_us
    touch(parse_block(b"".join([data for _, data in pieces])))
    nothing = [0] * len(pieces)
    return NOTHING, nothing, nothing, []


class _Keeper:
    """Where rows end: they are counted."""

    def __init__(self) -> None:
        self.rows = 0

    def keep_turn(self, output: Output, now_us: int, *, protocol: str, acknowledged: bool) -> int | None:
        """Count."""
        del now_us, protocol, acknowledged
        self.rows += len(output.batch)
        return None

    async def durable(self, sequence: int) -> None:
        """Promise nothing."""

    def has_room(self) -> bool:
        """Take everything."""
        return True


def _decoding_link(frames: list[bytes]) -> float:
    return _link(frames, _Keeper(), _Reader, _read_many)


def _whole_link(frames: list[bytes]) -> float:
    devices = tuple(
        Device(device_id=number, protocol="mavlink", address=f"bench/{number}") for number in range(1, PEERS + 1)
    )
    registry = RegistryTable(RegistryContents(devices=devices))
    source = MavlinkSource(SourceContext(registry=registry, link_group="bench"))
    keeper = _Keeper()
    cpu_s = _link(frames, keeper, source.decoder, source.feed_many)
    if not keeper.rows:
        message = "no datagram became a row: the benchmark is wrong"
        raise UnavailableError(message)
    return cpu_s


def _link(frames: list[bytes], keeper: _Keeper, make_decoder: MakeDecoder, feed_many: FeedMany) -> float:
    async def measure() -> float:
        clock = _VehiclesClock()
        context = LinkContext(
            keeper=keeper, clock=clock, make_decoder=make_decoder, routes=Routes(), feed_many=feed_many
        )
        link = UdpLink(parse_link_url("udpin:127.0.0.1:0#bench"), context)
        await link.open()
        bursts = _Bursts(link.port, clock)
        try:
            return await bursts.receive(frames, lambda: link.received)
        finally:
            bursts.close()
            link.close()

    return uvloop.run(measure())
