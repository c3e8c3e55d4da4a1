"""One peer of a link, whatever it speaks on: its decoder, who it proved to be, and what it is still to be told."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from telemetry.links.link import PeerStatus
from telemetry.model.decoding import Decoder, Peer


@runtime_checkable
class Framed(Protocol):
    """A decoder that says how much of a message has come that is not complete: what lets a link cut whoever never ends one."""

    @property
    def begun_bytes(self) -> int:
        """Bytes of a message that has begun and not ended; 0 between messages."""


@runtime_checkable
class Closes(Protocol):
    """A decoder that wants to know when its peer is gone."""

    def close(self) -> None:
        """Take it that nothing is heard from the peer any more, and nothing reaches it."""


class Speaker(ABC):
    """One address of a datagram socket, one connection, one serial line, one broker."""

    def __init__(self, peer: Peer, decoder: Decoder, now_us: int) -> None:
        self.peer = peer
        self.decoder = decoder
        self.framed = decoder if isinstance(decoder, Framed) else None
        self.since_us = self.heard_us = now_us
        self.begun_us: int | None = None
        """Since when a message has begun that did not end; None between messages."""
        self.begun_bytes = 0
        self.is_proven = False
        """Whether it proved to be somebody of ours."""
        self.is_chosen = False
        """Whether we went to it, so that it is spoken to before it said anything."""
        self.devices: set[int] = set()
        """The devices that it proved to be, which are reached by it."""
        self.heard: set[int] = set()
        """The devices whose positions came by it."""
        self.pieces = self.bytes_received = self.positions = self.bad = 0
        self.waiting = 0
        """Replies that wait for the disk."""
        self.outbox: list[bytes] = []
        self.closing: str | None = None
        """Why it goes once its replies are sent."""
        self.is_paused = False
        self.paused_until_us = 0

    @abstractmethod
    def write(self, replies: Sequence[bytes]) -> None:
        """Send replies in their order, by one write where the transport has no bounds between them; what cannot go is dropped."""

    @abstractmethod
    def cut(self, reason: str) -> None:
        """Let the peer go at once; `reason` is for the counts."""

    @abstractmethod
    def pause(self) -> None:
        """Stop reading from the peer, where that is possible."""

    @abstractmethod
    def resume(self) -> None:
        """Read again."""

    def note_begun(self, heard_bytes: int, now_us: int) -> None:
        """Follow how long the message that is begun has been coming; call it after each feed."""
        if self.framed is None:
            return
        begun_bytes = self.framed.begun_bytes
        if begun_bytes == 0:
            self.begun_us = None
        elif (
            self.begun_us is None or begun_bytes < self.begun_bytes + heard_bytes
        ):  # another message began with these bytes
            self.begun_us = now_us
        self.begun_bytes = begun_bytes

    def status(self) -> PeerStatus:
        """Return how it does."""
        return PeerStatus(
            host=self.peer.host,
            port=self.peer.port,
            device_ids=tuple(sorted(self.devices | self.heard)),
            since_us=self.since_us,
            last_heard_us=self.heard_us,
            is_proven=self.is_proven,
            pieces=self.pieces,
            bytes_received=self.bytes_received,
            positions=self.positions,
            bad=self.bad,
            waiting_replies=self.waiting,
            paused=self.is_paused,
        )
