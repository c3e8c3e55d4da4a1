"""What a source is: bytes in, an Output out; and what it may ask of the world."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec
import numpy as np

from telemetry.model.batch import Batch, new_batch
from telemetry.model.commands import Command
from telemetry.model.events import AnyEvent
from telemetry.model.sighting import Sighting
from telemetry.model.unit import Device, UnitKind
from telemetry.model.vehicle_frames import VehicleFrame


class Promise(StrEnum):
    """When a reply may leave: at once, or only after the journal has what it acknowledges on disk."""

    NOW = "now"
    DURABLE = "durable"


class Reply(msgspec.Struct, frozen=True):
    """Bytes for the peer. `refusal` is what is said instead of a DURABLE reply whose promise cannot be kept (b"": nothing)."""

    data: bytes
    promise: Promise = Promise.NOW
    refusal: bytes = b""


class SigningFact(msgspec.Struct, frozen=True, kw_only=True, tag="signing"):
    """The newest MAVLink signing timestamp accepted of one stream: 10 us units since 2015-01-01 UTC."""

    device_id: int
    link_id: int
    component_id: int
    timestamp: int


class RegistrationFact(msgspec.Struct, frozen=True, kw_only=True, tag="registration"):
    """A SIP device's registration: where it is reached and until when. `expires_us` 0: it took itself off.

    `host` and `port` are where its messages really come from; `contact` is the address that it names itself.
    """

    device_id: int
    transport: str
    host: str
    port: int
    contact: str
    expires_us: int


class PairedFact(msgspec.Struct, frozen=True, kw_only=True, tag="paired"):
    """A device proved for the first time that it has its secret: it is told to nobody again."""

    device_id: int


Fact = SigningFact | RegistrationFact | PairedFact


def key_of_fact(fact: Fact) -> tuple[object, ...]:
    """Return what a fact is about: a later one of the same replaces it."""
    if isinstance(fact, SigningFact):
        return (fact.device_id, fact.link_id, fact.component_id)
    return (type(fact), fact.device_id)


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn of a decoder gave: a batch, events, replies, facts to remember, counts of what was bad.

    `proven` are the devices that this peer has just proved to be (a connection of theirs that is older is closed);
    `close` says why the peer must go once its replies are sent. `heard` are vehicles' frames as they came, and
    `said` ours to them, for their logs and for other programs; `sightings` are others in the air, for now and not to be kept.
    """

    batch: Batch = msgspec.field(default_factory=lambda: new_batch(0))
    events: tuple[AnyEvent, ...] = ()
    replies: tuple[Reply, ...] = ()
    facts: tuple[Fact, ...] = ()
    bad: Mapping[str, int] = msgspec.field(default_factory=dict)
    proven: tuple[int, ...] = ()
    close: str | None = None
    heard: Sequence[VehicleFrame] = ()
    said: Sequence[VehicleFrame] = ()
    sightings: Sequence[Sighting] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        said = self.events or self.replies or self.facts or self.bad or self.proven
        return bool(len(self.batch) or said or self.close or self.heard or self.sightings)


NOTHING = Output(batch=np.array(new_batch(0)))


class Registry(Protocol):
    """What a decoder may ask of the world; an in-memory table."""

    def device(self, protocol: str, address: str) -> Device | None:
        """Return the device that bears this name, revoked ones too; None when nobody does."""

    def signing_key(self, device_id: int) -> bytes | None:
        """Return the device's 32-byte MAVLink key, None when it has none."""

    def signing_timestamp(self, device_id: int, link_id: int, component_id: int) -> int:
        """Return the newest timestamp ever accepted of this stream (0 when none): survives restarts."""

    def secret(self, device_id: int) -> bytes | None:
        """Return the secret that the device and we share (a password, an authentication code), None when it has none."""

    def may_pair(self, device_id: int, now_us: int) -> bool:
        """Tell whether the device may be told its secret over the air: only in the hours after enrolment, until it used it."""

    def registration(self, device_id: int) -> RegistrationFact | None:
        """Return the device's last SIP registration, expired ones too; None when it never registered."""

    def kind_of(self, device_id: int, at_us: int) -> UnitKind | None:
        """Return what kind of unit the device spoke for at that time, None when for nobody."""

    def quarantine(self, protocol: str, address: str, now_us: int, reason: str) -> None:
        """Remember that an unknown or refused name spoke."""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the other end of a link: one address of a datagram socket, one connection, one port, one broker.

    `transport` is udp, tcp, tls, serial, mqtt or file; `local_host` and `local_port` are where it reaches us.
    `is_trusted`: the peer proved who it is already (a replay of our own raw log), so that no secret is asked again.
    """

    transport: str
    host: str = ""
    port: int = 0
    local_host: str = ""
    local_port: int = 0
    allow_unsigned: bool = False
    is_trusted: bool = False


class SourceContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is made with: the world, its link group, the options of the link's URL and 32 random bytes of this process."""

    registry: Registry
    link_group: str
    options: Mapping[str, str] = msgspec.field(default_factory=dict)
    process_secret: bytes = b""


class Source(Protocol):
    """A protocol on one link group: what its peers share (a network of vehicles, registrations, dialogs).

    A room of telemetry/sources offers one by a function `open_source(context: SourceContext) -> Source`.
    """

    def decoder(self, peer: Peer) -> "Decoder":
        """Return a decoder for one peer; peers of one source share what the source knows."""


class Decoder(Protocol):
    """One for each connection or peer; its state lives inside."""

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take what arrived: a datagram, a chunk of a stream, a request."""

    def tick(self, now_us: int) -> Output:
        """Do what time asks for: heartbeats, timeouts, refreshes."""

    def send(self, command: Command, now_us: int) -> Output:
        """Turn a command into replies; raises InputError for one that this protocol cannot express."""
