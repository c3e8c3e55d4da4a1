"""What a network knows of a link, of a registered system id and of a stranger; and what a frame says of its speaker."""

import struct
from typing import Final

from telemetry.model.decoding import Registry
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.guard import FLOOD_HEARTBEATS_PER_S, IdentityGuard, RateMeter
from telemetry.sources.mavlink.signing import Verifier
from telemetry.sources.mavlink.vehicle import Vehicle
from telemetry.sources.mavlink.ways import Ways

HEARTBEAT: Final = 0
SYSTEM_TIME: Final = 2
HIGH_LATENCY2: Final = 235
NO_AUTOPILOT: Final = 8
NOT_VEHICLES: Final = frozenset({5, 6, 18, 26, 27, *range(30, 35), *range(36, 43)})
"""MAV_TYPE of what bears a HEARTBEAT but does not move on its own: ground stations, gimbals, cameras, trackers ..."""
NOT_AUTOPILOTS: Final = frozenset({68, 190})
"""Components that never are the autopilot: the telemetry radio, a ground station's proxy."""
_BOOT_MS_AT: Final = {30: 0, 33: 0, SYSTEM_TIME: 8}
_U32: Final = struct.Struct("<I").unpack_from

Head = tuple[int, int, int, int]
"""System id, component id, sequence number and milliseconds since boot of a frame."""


class Link:
    """What the network must know of the link that a frame came by: its number, its name, whether unsigned frames may speak.

    `asked_us` is when the vehicles on it were asked for the time last.
    """

    __slots__ = ("allow_unsigned", "asked_us", "number", "peer", "transport")

    def __init__(self, number: int, *, allow_unsigned: bool, transport: str = "", peer: str = "") -> None:
        self.number = number
        self.allow_unsigned = allow_unsigned
        self.transport = transport
        self.peer = peer
        self.asked_us = 0


class Member:
    """What is known of a registered system id."""

    __slots__ = ("device_id", "guard", "heard_us", "held", "looked_up_us", "vehicle", "verifier", "ways")

    def __init__(self, device_id: int, registry: Registry) -> None:
        self.device_id = device_id
        self.looked_up_us = 0
        self.heard_us = 0
        self.verifier = Verifier(device_id, registry)
        self.guard = IdentityGuard()
        self.held: list[tuple[Frame, int]] = []
        self.vehicle: Vehicle | None = None
        self.ways = Ways()

    def note_only_way(self) -> None:
        """Let the only link have the time when it was heard, which `Network.follow` notes here alone."""
        way = self.ways.only
        if way is not None:
            way.heard_us = max(way.heard_us, self.heard_us)


class Stranger:
    """What is known of a system id that nobody registered, or of a component that is no autopilot."""

    __slots__ = ("heartbeats", "quarantined_us", "told_us")

    def __init__(self) -> None:
        self.heartbeats = RateMeter(FLOOD_HEARTBEATS_PER_S)
        self.quarantined_us: int | None = None
        self.told_us: int | None = None


def identity_of(frame: Frame) -> tuple[int, int]:
    """Return (MAV_TYPE, MAV_AUTOPILOT) of a HEARTBEAT or HIGH_LATENCY2."""
    at = 4 if frame.msg_id == HEARTBEAT else 24
    return frame.payload[at], frame.payload[at + 1]


def announces(frame: Frame) -> bool:
    """Tell whether a frame is the HEARTBEAT (or, on a satellite link, HIGH_LATENCY2) of a real autopilot."""
    if frame.msg_id not in {HEARTBEAT, HIGH_LATENCY2} or frame.component_id in NOT_AUTOPILOTS:
        return False
    vehicle_type, autopilot = identity_of(frame)
    return autopilot != NO_AUTOPILOT and vehicle_type not in NOT_VEHICLES


def boot_ms_of(frame: Frame) -> int | None:
    """Return the milliseconds since boot of a message that bears them first among what it says, None of others."""
    at = _BOOT_MS_AT.get(frame.msg_id)
    return None if at is None else int(_U32(frame.payload, at)[0])
