"""What a source is: bytes in, an Output out; and what it may ask of the world."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec
import numpy as np

from telemetry.model.batch import Batch, new_batch
from telemetry.model.commands import Command
from telemetry.model.events import AnyEvent
from telemetry.model.unit import Device


class Promise(StrEnum):
    """When a reply may leave: at once, or only after the journal has what it acknowledges on disk."""

    NOW = "now"
    DURABLE = "durable"


class Reply(msgspec.Struct, frozen=True):
    """Bytes for the peer."""

    data: bytes
    promise: Promise = Promise.NOW


class SigningFact(msgspec.Struct, frozen=True, kw_only=True, tag="signing"):
    """The newest MAVLink signing timestamp accepted of one stream: 10 us units since 2015-01-01 UTC."""

    device_id: int
    link_id: int
    component_id: int
    timestamp: int


Fact = SigningFact


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn of a decoder gave: a batch, events, replies, facts to remember, counts of what was bad."""

    batch: Batch = msgspec.field(default_factory=lambda: new_batch(0))
    events: tuple[AnyEvent, ...] = ()
    replies: tuple[Reply, ...] = ()
    facts: tuple[Fact, ...] = ()
    bad: Mapping[str, int] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(len(self.batch) or self.events or self.replies or self.facts or self.bad)


NOTHING = Output(batch=np.array(new_batch(0)))


class Registry(Protocol):
    """What a decoder may ask of the world; an in-memory table."""

    def device(self, protocol: str, address: str) -> Device | None:
        """Return the device that bears this name, revoked ones too; None when nobody does."""

    def signing_key(self, device_id: int) -> bytes | None:
        """Return the device's 32-byte MAVLink key, None when it has none."""

    def signing_timestamp(self, device_id: int, link_id: int, component_id: int) -> int:
        """Return the newest timestamp ever accepted of this stream (0 when none): survives restarts."""

    def quarantine(self, protocol: str, address: str, now_us: int, reason: str) -> None:
        """Remember that an unknown or refused name spoke."""


class Decoder(Protocol):
    """One for each connection or peer; its state lives inside."""

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take what arrived: a datagram, a chunk of a stream, a request."""

    def tick(self, now_us: int) -> Output:
        """Do what time asks for: heartbeats, timeouts, refreshes."""

    def send(self, command: Command, now_us: int) -> Output:
        """Turn a command into replies; raises InputError for one that this protocol cannot express."""
