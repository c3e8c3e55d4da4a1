"""What we know of one registered device: where it is reached, what we asked of it, our dialogs with it."""

from typing import Final, TypeAlias

import msgspec

from telemetry.model.decoding import Peer, RegistrationFact
from telemetry.model.events import AlarmKind, CommandAnswered
from telemetry.model.unit import Device
from telemetry.sources.gb28181.transactions import Asking
from telemetry.sources.gb28181.turn import Turn

POSITIONS: Final = "MobilePosition"
ALARMS: Final = "Alarm"
GREET_AFTER_US: Final = 200_000
"""So long after its registration a device is asked for the first time: some are not ready in the moment of the 200."""

PeerKey: TypeAlias = tuple[str, str, int]


class Subscribing(msgspec.Struct, frozen=True, kw_only=True):
    """A SUBSCRIBE of ours: to what, in which dialog, and the commands that wait for it."""

    wanted: str
    call_id: str
    command_ids: tuple[int, ...] = ()


class Querying(msgspec.Struct, frozen=True, kw_only=True):
    """A MESSAGE of ours: the command that waits for it, and the alarm that it puts back."""

    command_id: int = 0
    resets: AlarmKind | None = None


class Inviting(msgspec.Struct, frozen=True, kw_only=True):
    """An INVITE of ours, for a channel's video."""

    channel: str
    call_id: str


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A BYE of ours; the command that waits for it."""

    command_id: int = 0


Purpose: TypeAlias = Subscribing | Querying | Inviting | Ending


class Subscription(msgspec.Struct, kw_only=True):
    """Our subscription to a device's positions or alarms; times are UTC microseconds.

    `remote` is the device's side of the dialog once it has answered or notified ("" before), `refresh_us` when the next
    SUBSCRIBE is due, `base_s` the interval to return to at `faster_until_us` (0: no end). `is_doubted`: the camera may have been
    started anew and know nothing of it; any refusal says so.
    """

    wanted: str
    interval_s: int
    base_s: int
    call_id: str
    local_tag: str
    event_id: str
    refresh_us: int
    remote: str = ""
    target: str = ""
    cseq: int = 0
    faster_until_us: int = 0
    heard_us: int = 0
    failures: int = 0
    is_waiting: bool = False
    is_doubted: bool = False
    command_ids: tuple[int, ...] = ()


class Catalogue(msgspec.Struct, kw_only=True):
    """The parts of one Catalog answer, joined by its SN: the channels so far, how many there are, when it is given up."""

    channels: dict[str, str]
    total: int
    due_us: int


class Call(msgspec.Struct, kw_only=True):
    """A channel's live video; `remote` is "" until the device has answered."""

    channel: str
    call_id: str
    local_tag: str
    branch: str
    ssrc: str
    url: str
    invite_uri: str
    remote: str = ""
    target: str = ""
    cseq: int = 1
    is_unwanted: bool = False
    command_ids: tuple[int, ...] = ()


class Session:
    """One registration. A device that registers from another address, or after it was away, gets a new one."""

    def __init__(self, device: Device, peer: Peer, *, call_id: str, secret: bytes | None, greet_us: int) -> None:
        self.device = device
        self.peer = peer
        self.key = key_of_peer(peer)
        self.call_id = call_id
        self.secret = secret
        self.contact = ""
        self.expires_us = 0
        self.greet_us: int | None = greet_us
        self.subscriptions: dict[str, Subscription] = {}
        self.catalogues: dict[str, Catalogue] = {}
        self.calls: dict[str, Call] = {}
        self.first_channel = ""
        self.is_faulty = False
        self.sn = 0
        self.asking: Asking[Purpose] = Asking(is_reliable=peer.transport != "udp")

    def is_alive(self, now_us: int) -> bool:
        """Tell whether the registration has not expired."""
        return now_us < self.expires_us

    def fact(self) -> RegistrationFact:
        """Return what is remembered of it over restarts."""
        return RegistrationFact(
            device_id=self.device.device_id,
            transport=self.peer.transport,
            host=self.peer.host,
            port=self.peer.port,
            contact=self.contact,
            expires_us=self.expires_us,
        )

    def next_sn(self) -> str:
        """Return the next serial number of our queries to it."""
        self.sn += 1
        return str(self.sn)

    def answer_command(self, command_id: int, turn: Turn, now_us: int, *, refused: str = "") -> None:
        """Say what became of a command; `refused` says why it was (""; it was delivered)."""
        if command_id:
            turn.events.append(
                CommandAnswered(
                    device_id=self.device.device_id,
                    observed_us=now_us,
                    received_us=now_us,
                    command_id=command_id,
                    state="refused" if refused else "delivered",
                    text=refused,
                )
            )


def key_of_peer(peer: Peer) -> PeerKey:
    """Return what a registration is pinned to: transport, address and port."""
    return peer.transport, peer.host, peer.port
