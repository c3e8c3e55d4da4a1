"""A namespace of system ids: which vehicles speak on a group of links, who may, and who only pretends."""

import struct
from typing import Final

from telemetry.model.batch import Quality
from telemetry.model.decoding import Registry
from telemetry.model.events import IdentityConflict
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.guard import FLOOD_HEARTBEATS_PER_S, IdentityGuard, RateMeter, Verdict
from telemetry.sources.mavlink.signing import Verdict as Signature
from telemetry.sources.mavlink.signing import Verifier
from telemetry.sources.mavlink.turn import Turn
from telemetry.sources.mavlink.vehicle import Vehicle

HEARTBEAT: Final = 0
SYSTEM_TIME: Final = 2
HIGH_LATENCY2: Final = 235
RADIO_MESSAGES: Final = frozenset({109, 166})
"""RADIO_STATUS and RADIO: a telemetry radio injects them unsigned, under an id of its own or of its vehicle."""

NO_AUTOPILOT: Final = 8
NOT_VEHICLES: Final = frozenset({5, 6, 18, 26, 27, *range(30, 35), *range(36, 43)})
"""MAV_TYPE of what bears a HEARTBEAT but does not move on its own: ground stations, gimbals, cameras, trackers ..."""
NOT_AUTOPILOTS: Final = frozenset({68, 190})
"""Components that never are the autopilot: the telemetry radio, a ground station's proxy."""

TICK_US: Final = 100_000
LOOKUP_US: Final = 1_000_000
EARLY_FRAMES: Final = 256
EARLY_US: Final = 3_000_000
HELD_FRAMES: Final = 1_024
IDENTITY_SILENT_US: Final = 10_000_000
FLOOD_AGAIN_US: Final = 600_000_000

_BOOT_MS_AT: Final = {30: 0, 33: 0, SYSTEM_TIME: 8}
_U32: Final = struct.Struct("<I").unpack_from


Head = tuple[int, int, int, int]
"""System id, component id, sequence number and milliseconds since boot of a frame."""


class Link:
    """What the network must know of the link that a frame came by: its number and whether unsigned frames may speak."""

    __slots__ = ("allow_unsigned", "number")

    def __init__(self, number: int, *, allow_unsigned: bool) -> None:
        self.number = number
        self.allow_unsigned = allow_unsigned


class _Member:
    """What is known of a registered system id."""

    __slots__ = ("checked_us", "device_id", "guard", "heard_us", "held", "vehicle", "verifier")

    def __init__(self, device_id: int, registry: Registry) -> None:
        self.device_id = device_id
        self.checked_us = 0
        self.heard_us = 0
        self.verifier = Verifier(device_id, registry)
        self.guard = IdentityGuard()
        self.held: list[tuple[Frame, int]] = []
        self.vehicle: Vehicle | None = None


class _Stranger:
    """What is known of a system id that nobody registered, or of a component that is no autopilot."""

    __slots__ = ("heartbeats", "quarantined_us", "told_us")

    def __init__(self) -> None:
        self.heartbeats = RateMeter(FLOOD_HEARTBEATS_PER_S)
        self.quarantined_us: int | None = None
        self.told_us: int | None = None


class Network:
    """The vehicles of one link group; several decoders may share one, so that a vehicle may come by several links.

    Device address in the registry: "link_group/system_id".
    """

    def __init__(self, registry: Registry, link_group: str, *, replayed: bool = False) -> None:
        self.link_group = link_group
        self._registry = registry
        self._replayed = replayed
        self._members: dict[int, _Member | None] = {}
        self._looked_up_us: dict[int, int] = {}
        self._strangers: dict[int, _Stranger] = {}
        self._links = 0
        self._ticked_us: int | None = None
        self._by_link: dict[int, list[Vehicle]] = {}
        self._told_us: dict[int, int] = {}
        self.talking: dict[int, Vehicle] = {}
        """The vehicles with which something is being settled, by device."""

    def join(self, *, allow_unsigned: bool) -> Link:
        """Return a new link of this network."""
        self._links += 1
        return Link(self._links, allow_unsigned=allow_unsigned)

    def vehicles(self) -> list[Vehicle]:
        """Return the vehicles discovered so far, by system id."""
        found = sorted((system_id, member) for system_id, member in self._members.items() if member is not None)
        return [member.vehicle for _, member in found if member.vehicle is not None]

    def vehicles_by(self, link: Link) -> list[Vehicle]:
        """Return the vehicles whose HEARTBEAT came by this link last, as of the last tick."""
        return self._by_link.get(link.number, [])

    def vehicle_of(self, device_id: int) -> Vehicle | None:
        """Return the discovered vehicle of a device."""
        return next((vehicle for vehicle in self.vehicles() if vehicle.device_id == device_id), None)

    def signing_key(self, device_id: int) -> bytes | None:
        """Return the key that frames for this device are signed with."""
        return self._registry.signing_key(device_id)

    def take(self, frame: Frame, link: Link, now_us: int, turn: Turn) -> None:
        """Take one good frame: find out whose it is, whether it may speak, and what it means."""
        if frame.msg_id in RADIO_MESSAGES:
            return
        member = self._member(frame.system_id, now_us)
        if member is None:
            self._stranger(frame, now_us, turn)
            return
        if self._is_allowed(member, frame, link, now_us, turn):
            self._take_verified(member, frame, link, now_us, turn)
        self._tell_conflict(member, now_us, turn)

    def follow(self, link: Link, head: Head, now_us: int) -> Vehicle | None:
        """Take the head of an unsigned version 2 frame that simply goes on from its vehicle's last one, and return the vehicle.

        None: nothing was done, and `take` must decide. Only for messages that bear a boot time and no HEARTBEAT.
        """
        system_id, component_id, sequence, boot_ms = head
        looked_up_us = self._looked_up_us.get(system_id)
        member = self._members.get(system_id)
        if looked_up_us is None or not 0 <= now_us - looked_up_us < LOOKUP_US or member is None:
            return None
        vehicle = member.vehicle
        if vehicle is None or vehicle.component_id != component_id or member.held or not link.allow_unsigned:
            return None
        if self._registry.signing_key(member.device_id) is not None or not vehicle.is_calm(now_us):
            return None
        if member.guard.news is not None or not member.guard.follow(sequence, now_us, boot_ms):
            return None
        member.heard_us = now_us
        vehicle.heard_calmly(now_us)
        return vehicle

    def tick(self, now_us: int, turn: Turn) -> None:
        """Watch for silence; of several links' ticks at about one time only the first does something."""
        if self._ticked_us is not None and 0 <= now_us - self._ticked_us < TICK_US:
            return
        self._ticked_us = now_us
        self._by_link = {}
        for vehicle in self.vehicles():
            vehicle.watch(now_us, turn)
            self._by_link.setdefault(vehicle.route, []).append(vehicle)

    def _member(self, system_id: int, now_us: int) -> _Member | None:
        looked_up_us = self._looked_up_us.get(system_id)
        if looked_up_us is not None and 0 <= now_us - looked_up_us < LOOKUP_US:
            return self._members[system_id]
        self._looked_up_us[system_id] = now_us
        device = self._registry.device("mavlink", f"{self.link_group}/{system_id}")
        member = self._members.get(system_id)
        if device is None or device.revoked:
            member = None
        elif member is None or member.device_id != device.device_id:
            member = _Member(device.device_id, self._registry)
        self._members[system_id] = member
        return member

    def _is_allowed(self, member: _Member, frame: Frame, link: Link, now_us: int, turn: Turn) -> bool:
        """Apply the signing policy: a device with a key must sign, others speak only where the link lets them."""
        if frame.signature is None:
            has_key = self._registry.signing_key(member.device_id) is not None
            if not has_key and link.allow_unsigned:
                return True
            self._reject(member, frame, Signature.UNSIGNED, now_us, turn)
            return False
        verdict = member.verifier.verify(frame, now_us)
        if verdict is Signature.GENUINE:
            turn.facts += member.verifier.take_facts()
            return True
        if verdict is Signature.NO_KEY and link.allow_unsigned:
            return True
        self._reject(member, frame, verdict, now_us, turn)
        return False

    def _reject(self, member: _Member, frame: Frame, verdict: Signature, now_us: int, turn: Turn) -> None:
        turn.bad[verdict.value] += 1
        vehicle = member.vehicle
        if vehicle is not None and frame.component_id != vehicle.component_id:
            return
        if verdict is Signature.FORGED or verdict is Signature.UNSIGNED:
            member.guard.unverified(verdict.value, now_us)
        if vehicle is None and _announces(frame):
            self._quarantine(frame.system_id, now_us, f"refused: {verdict.value}")

    def _take_verified(self, member: _Member, frame: Frame, link: Link, now_us: int, turn: Turn) -> None:
        vehicle = member.vehicle
        if vehicle is None:
            if not _announces(frame):
                self._await_discovery(member, frame, now_us, turn)
                return
            vehicle = member.vehicle = self._discover(member, frame)
            early, member.held = member.held, []
            for early_frame, at_us in early:
                if early_frame.component_id == frame.component_id and now_us - at_us <= EARLY_US:
                    self._judge(member, vehicle, early_frame, link, at_us, turn)
        if frame.component_id != vehicle.component_id:
            return
        if frame.msg_id == HEARTBEAT and self._contradicts(member, vehicle, frame, now_us):
            turn.bad["second_speaker"] += 1
            return
        self._judge(member, vehicle, frame, link, now_us, turn)

    def _await_discovery(self, member: _Member, frame: Frame, now_us: int, turn: Turn) -> None:
        """Keep what a registered system says in the seconds before its first HEARTBEAT."""
        if frame.msg_id == HEARTBEAT:
            self._heartbeat_of_stranger(frame, now_us, turn)
        elif len(member.held) < EARLY_FRAMES or now_us - member.held[0][1] > EARLY_US:
            member.held = [*member.held[-EARLY_FRAMES + 1 :], (frame, now_us)]

    def _judge(self, member: _Member, vehicle: Vehicle, frame: Frame, link: Link, now_us: int, turn: Turn) -> None:
        verdict = member.guard.judge(frame.version, frame.sequence, now_us, boot_ms=_boot_ms(frame))
        if verdict is Verdict.TAKE and frame.msg_id == HEARTBEAT:
            verdict = member.guard.heartbeat(now_us)
        if verdict is Verdict.HOLD and len(member.held) < HELD_FRAMES:
            member.held.append((frame, now_us))
            return
        dropped_as = "second_speaker" if member.guard.is_in_conflict else "out_of_sequence"
        if verdict in {Verdict.HOLD, Verdict.DROP}:
            turn.bad[dropped_as] += 1
            return
        held, member.held = member.held, []
        if verdict is Verdict.RELEASE:
            for held_frame, at_us in held:
                vehicle.take(held_frame, at_us, turn)
        elif held:
            turn.bad[dropped_as] += len(held)
        member.heard_us = now_us
        if frame.msg_id == HEARTBEAT:
            vehicle.route = link.number
        vehicle.take(frame, now_us, turn)

    def _contradicts(self, member: _Member, vehicle: Vehicle, frame: Frame, now_us: int) -> bool:
        """Tell whether a HEARTBEAT names another type or autopilot than the one that was discovered."""
        vehicle_type, autopilot = frame.payload[4], frame.payload[5]
        if (vehicle_type, autopilot) == (vehicle.vehicle_type, vehicle.autopilot):
            return False
        if now_us - member.heard_us > IDENTITY_SILENT_US and autopilot != NO_AUTOPILOT:
            vehicle.vehicle_type, vehicle.autopilot = vehicle_type, autopilot
            return False
        told, known = f"type {vehicle_type}, autopilot {autopilot}", (vehicle.vehicle_type, vehicle.autopilot)
        member.guard.report(f"a heartbeat tells {told} where type {known[0]}, autopilot {known[1]} is known", now_us)
        return True

    def _discover(self, member: _Member, frame: Frame) -> Vehicle:
        kind, autopilot = _identity(frame)
        quality = Quality.REPLAYED if self._replayed else Quality(0)
        if frame.signature is None:
            quality |= Quality.UNSIGNED
        return Vehicle(
            member.device_id,
            (frame.system_id, kind, autopilot),
            frame.component_id,
            base_quality=int(quality),
        )

    def _stranger(self, frame: Frame, now_us: int, turn: Turn) -> None:
        stranger = self._strangers.get(frame.system_id)
        if _announces(frame):
            self._quarantine(frame.system_id, now_us, "unknown")
            stranger = self._strangers[frame.system_id]
        if frame.msg_id == HEARTBEAT:
            self._heartbeat_of_stranger(frame, now_us, turn)
        if stranger is not None and stranger.quarantined_us is not None:
            turn.bad["unknown_system"] += 1

    def _quarantine(self, system_id: int, now_us: int, reason: str) -> None:
        stranger = self._strangers.setdefault(system_id, _Stranger())
        if stranger.quarantined_us is None or now_us - stranger.quarantined_us >= LOOKUP_US:
            stranger.quarantined_us = now_us
            self._registry.quarantine("mavlink", f"{self.link_group}/{system_id}", now_us, reason)

    def _heartbeat_of_stranger(self, frame: Frame, now_us: int, turn: Turn) -> None:
        """Watch the rate of heartbeats that are no vehicle's: a flood is told once, to the first vehicle it disturbs."""
        stranger = self._strangers.setdefault(frame.system_id, _Stranger())
        if not stranger.heartbeats.exceeds(now_us):
            return
        turn.bad["flood"] += 1
        if stranger.told_us is not None and now_us - stranger.told_us < FLOOD_AGAIN_US:
            return
        disturbed = self.vehicles()
        if not disturbed:
            return
        stranger.told_us = now_us
        self._quarantine(frame.system_id, now_us, "flood of heartbeats")
        evidence = (
            f"system {frame.system_id}, component {frame.component_id} floods the link: "
            f"more than {FLOOD_HEARTBEATS_PER_S} heartbeats within a second"
        )
        self._conflict(disturbed[0].device_id, evidence, now_us, turn)

    def _tell_conflict(self, member: _Member, now_us: int, turn: Turn) -> None:
        evidence = member.guard.news
        if evidence is not None:
            member.guard.news = None
            self._conflict(member.device_id, evidence, now_us, turn)

    def _conflict(self, device_id: int, evidence: str, now_us: int, turn: Turn) -> None:
        """Tell of a conflict, once a device within ten minutes: one attack may show in several ways."""
        told_us = self._told_us.get(device_id)
        if told_us is not None and now_us - told_us < FLOOD_AGAIN_US:
            return
        self._told_us[device_id] = now_us
        turn.events.append(
            IdentityConflict(
                device_id=device_id, observed_us=now_us, received_us=now_us, replayed=self._replayed, evidence=evidence
            )
        )


def _identity(frame: Frame) -> tuple[int, int]:
    """Return (MAV_TYPE, MAV_AUTOPILOT) of a HEARTBEAT or HIGH_LATENCY2."""
    at = 4 if frame.msg_id == HEARTBEAT else 24
    return frame.payload[at], frame.payload[at + 1]


def _announces(frame: Frame) -> bool:
    """Tell whether a frame is the HEARTBEAT (or, on a satellite link, HIGH_LATENCY2) of a real autopilot."""
    if frame.msg_id not in {HEARTBEAT, HIGH_LATENCY2} or frame.component_id in NOT_AUTOPILOTS:
        return False
    vehicle_type, autopilot = _identity(frame)
    return autopilot != NO_AUTOPILOT and vehicle_type not in NOT_VEHICLES


def _boot_ms(frame: Frame) -> int | None:
    at = _BOOT_MS_AT.get(frame.msg_id)
    return None if at is None else int(_U32(frame.payload, at)[0])
