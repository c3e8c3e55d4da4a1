"""What the bridge asks of any link, and what a link tells of itself."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Output

Take = Callable[[Output, int], int | None]
"""What the bridge does with an output at a time; returns the journal's sequence that replies wait for."""
MakeDecoder = Callable[[LinkUrl, bool], Decoder]
"""Makes a decoder for one peer of a link; the second argument tells whether it may speak unsigned."""


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a link does: `state` is open, retrying, playing, finished, failed or closed; counts since it was made."""

    url: str
    link_group: str
    state: str
    datagrams: int = 0
    bytes_received: int = 0
    datagrams_dropped: int = 0
    positions: int = 0
    peers: int = 0
    bad: dict[str, int] = msgspec.field(default_factory=dict)
    last_heard_us: int | None = None
    last_error: str | None = None


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

    def close(self) -> None:
        """Let go of the socket or file."""
