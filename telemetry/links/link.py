"""What the bridge asks of any link, what a link asks of the bridge, and what a link tells of itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from infra.clock import Clock
from telemetry.links.routes import Routes
from telemetry.links.tap import Tap
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Output, Peer

MakeDecoder = Callable[[Peer], Decoder]
"""Makes a decoder for one peer of a link."""
Answers = list[tuple[int, Output]]
"""What peers are to be told: the number of a datagram of theirs, and an output with the replies."""
FeedMany = Callable[[Sequence[tuple[Any, bytes]], int], tuple[Output, list[int], list[int], Answers]]
"""Feeds a turn of datagrams, each with the decoder of its peer, at a time; returns what they gave together, without replies, for
each datagram how many rows and how many bad things it held, and the replies. The result is that of feeding them one by one."""
Take = Callable[[Output, int], int | None]
"""What the bridge does with an output at a time; returns the journal's sequence that replies wait for."""

FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 15.0


class Keeper(Protocol):
    """Who shows and keeps what was heard: the bridge."""

    def keep_turn(self, output: Output, now_us: int, *, protocol: str, acknowledged: bool) -> int | None:
        """Show what a turn gave and hand it to the journal; `acknowledged` may use the room kept for those who can be refused.

        Returns the sequence of its last record, None when it became none. Raises JournalError when not all of it is kept.
        """

    async def durable(self, sequence: int) -> None:
        """Return when that record and all before it are on the disk. Raises JournalError when they are not."""

    def has_room(self) -> bool:
        """Tell whether the journal takes what can be refused."""


@dataclass(frozen=True, kw_only=True)
class LinkContext:
    """What every link of a bridge is made with, beside its URL."""

    keeper: Keeper
    clock: Clock
    make_decoder: MakeDecoder
    routes: Routes
    feed_many: FeedMany | None = None
    tap: Tap | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None


class PeerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One peer of a link: where it is, who it proved to be, and what it said; times are UTC microseconds, counts since it came."""

    host: str
    port: int
    device_ids: tuple[int, ...]
    since_us: int
    last_heard_us: int
    is_proven: bool
    pieces: int
    bytes_received: int
    positions: int
    bad: int
    waiting_replies: int
    paused: bool


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a link does: `state` is open, retrying, playing, finished, failed or closed; counts since it was made.

    `datagrams` counts the pieces of streams too. `peers` have proved who they are, `strangers` not yet. `refused` says by reason
    who was sent away: a limit's name. `replies_waiting` wait for the disk; `replies_refused` were not sent because the journal
    could not keep what they promise. `paused`: it does not read until the journal has room. `is_plain`: it listens beyond this
    machine in the clear.
    """

    url: str
    link_group: str
    state: str
    protocol: str = "mavlink"
    transport: str = "udp"
    datagrams: int = 0
    bytes_received: int = 0
    datagrams_dropped: int = 0
    positions: int = 0
    peers: int = 0
    strangers: int = 0
    devices: int = 0
    bad: dict[str, int] = msgspec.field(default_factory=dict)
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    replies_waiting: int = 0
    replies_refused: int = 0
    paused: bool = False
    is_plain: bool = False
    last_heard_us: int | None = None
    last_error: str | None = None


def trouble_of(statuses: Sequence[LinkStatus]) -> str:
    """Return "ok", or in a sentence which links are down or stopped; a recording that ended or failed is no trouble."""
    down = [status for status in statuses if status.state == "retrying"]
    if down:
        reason = down[0].last_error or "it could not be opened yet"
        return f"{len(down)} of {len(statuses)} links are down, first {down[0].url}: {reason}"
    paused = sum(status.paused for status in statuses)
    return f"{paused} links wait until the journal has room" if paused else "ok"


class Link(Protocol):
    """What the bridge asks of any link."""

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""

    async def open(self) -> None:
        """Open it, or raise: ConflictError for a port in use, InputError for a host or file that does not exist."""

    async def run(self) -> None:
        """Keep it open until cancelled or finished."""

    def tick(self, now_us: int) -> None:
        """Do what time asks for."""

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device heard here. Raises NotFoundError when it is not."""

    def status(self) -> LinkStatus:
        """Return how it does."""

    def peers(self) -> list[PeerStatus]:
        """Return who is at the other end, those heard last first."""

    def close(self) -> None:
        """Let go of the socket, line or file."""
