"""A namespace of system ids: which vehicles speak on a group of links, who may, and who only pretends."""

import struct
from typing import Final

from telemetry.model.batch import Quality
from telemetry.model.decoding import Registry
from telemetry.model.events import IdentityConflict
from telemetry.model.link_ways import LinkWay
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.guard import FLOOD_HEARTBEATS_PER_S, Verdict
from telemetry.sources.mavlink.members import (
    HEARTBEAT,
    NO_AUTOPILOT,
    Head,
    Link,
    Member,
    Stranger,
    announces,
    boot_ms_of,
    identity_of,
)
from telemetry.sources.mavlink.signing import Verdict as Signature
from telemetry.sources.mavlink.turn import Turn
from telemetry.sources.mavlink.vehicle import Vehicle
from telemetry.sources.mavlink.ways import LIVE_US, Way

TIMESYNC: Final = 111
RADIO_MESSAGES: Final = frozenset({109, 166})
"""RADIO_STATUS and RADIO: a telemetry radio injects them unsigned, under an id of its own or of its vehicle."""

TICK_US: Final = 100_000
LOOKUP_US: Final = 1_000_000
EARLY_FRAMES: Final = 256
EARLY_US: Final = 3_000_000
HELD_FRAMES: Final = 1_024
IDENTITY_SILENT_US: Final = 10_000_000
WAYS_EVERY_US: Final = 1_000_000
LONGEST_RTT_US: Final = 10_000_000
FLOOD_AGAIN_US: Final = 600_000_000
_TIMES: Final = struct.Struct("<qq").unpack_from


class Network:
    """The vehicles of one link group; several decoders may share one, so that a vehicle may come by several links.

    Device address in the registry: "link_group/system_id".
    """

    def __init__(self, registry: Registry, link_group: str, *, replayed: bool = False) -> None:
        self.link_group = link_group
        self._registry = registry
        self._replayed = replayed
        self._members: dict[int, Member | None] = {}
        self._by_device: dict[int, Member] = {}
        self._looked_up_us: dict[int, int] = {}
        self._strangers: dict[int, Stranger] = {}
        self.is_tapped = False
        """Whether the vehicles' frames are wanted as they came."""
        self._links: dict[int, Link] = {}
        self._link_count = 0
        self._ticked_us: int | None = None
        self._turned_us = 0
        self._by_link: dict[int, list[Vehicle]] = {}
        self._on_link: dict[int, list[Vehicle]] = {}
        self._told_us: dict[int, int] = {}
        self.talking: dict[int, Vehicle] = {}
        """The vehicles with which something is being settled, by device."""

    def join(self, *, allow_unsigned: bool, transport: str = "", peer: str = "") -> Link:
        """Return a new link of this network; who is at its other end is for people to read."""
        self._link_count += 1
        link = Link(self._link_count, allow_unsigned=allow_unsigned, transport=transport, peer=peer)
        self._links[link.number] = link
        return link

    def leave(self, link: Link) -> None:
        """Forget a link that is closed: nothing is sent by it any more."""
        self._links.pop(link.number, None)
        for member in self._members.values():
            if member is not None and link.number in member.ways:
                member.ways.leave(link.number, self._turned_us)
                if member.vehicle is not None:
                    member.vehicle.route = member.ways.best

    def vehicles(self) -> list[Vehicle]:
        """Return the vehicles discovered so far, by system id."""
        found = sorted((system_id, member) for system_id, member in self._members.items() if member is not None)
        return [member.vehicle for _, member in found if member.vehicle is not None]

    def vehicles_by(self, link: Link) -> list[Vehicle]:
        """Return the vehicles for which this is the best link, as of the last tick."""
        return self._by_link.get(link.number, [])

    def vehicles_on(self, link: Link) -> list[Vehicle]:
        """Return the vehicles that are heard by this link, whichever is their best, as of about a second ago."""
        return self._on_link.get(link.number, [])

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a device is heard, the one heard last first."""
        member = self._by_device.get(device_id)
        if member is None:
            return []
        return [self._told_way(member, way) for way in member.ways.all() if way.number in self._links]

    def links_silent(self, device_id: int, now_us: int) -> list[Link]:
        """Return the links by which a device was heard and is not any more."""
        member = self._by_device.get(device_id)
        ways = [] if member is None else member.ways.all()
        silent = [way.number for way in ways if now_us - way.heard_us > LIVE_US]
        return [self._links[number] for number in silent if number in self._links]

    def _told_way(self, member: Member, way: Way) -> LinkWay:
        link = self._links[way.number]
        return LinkWay(
            device_id=member.device_id,
            transport=link.transport,
            peer=link.peer,
            loss_ratio=way.loss_ratio,
            rtt_us=way.rtt_us,
            heard_us=way.heard_us,
            duplicates=way.duplicates,
            is_best=way.number == member.ways.best,
        )

    def vehicle_of(self, device_id: int) -> Vehicle | None:
        """Return the discovered vehicle of a device."""
        member = self._by_device.get(device_id)
        return None if member is None else member.vehicle

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
        ways, way = member.ways, member.ways.only
        if way is None or way.number != link.number:  # it is heard by several links: some frames are copies
            member.note_only_way()
            way = None
            if ways.is_copy(frame.raw, link.number, now_us):
                way = ways.way(link.number, now_us)
                way.duplicates += 1
                self._note_way(member, way, frame, link, now_us)
                return
        if self._is_allowed(member, frame, link, now_us, turn):
            if way is None:
                way = ways.way(link.number, now_us)
                ways.remember(frame.raw, link.number, now_us)
            way.brings_news = True
            self._note_way(member, way, frame, link, now_us)
            self._take_verified(member, frame, link, now_us, turn)
        self._tell_conflict(member, now_us, turn)

    def _note_way(self, member: Member, way: Way, frame: Frame, link: Link, now_us: int) -> None:
        vehicle = member.vehicle
        if vehicle is not None and frame.component_id == vehicle.component_id:
            way.hear(frame.sequence, now_us)
        if frame.msg_id == TIMESYNC and link.asked_us:
            answered_ns, asked_ns = _TIMES(frame.payload)
            if answered_ns and asked_ns == link.asked_us * 1000 and 0 <= now_us - link.asked_us <= LONGEST_RTT_US:
                way.note_rtt(now_us - link.asked_us)

    def follow(self, link: Link, head: Head, now_us: int) -> Vehicle | None:
        """Take the head of an unsigned version 2 frame that simply goes on from its vehicle's last one, and return the vehicle.

        None: nothing was done, and `take` must decide. Only for messages that bear a boot time and no HEARTBEAT.
        """
        system_id, component_id, sequence, boot_ms = head
        member = self._members.get(system_id)
        if member is None or not 0 <= now_us - member.looked_up_us < LOOKUP_US:
            return None
        vehicle, way = member.vehicle, member.ways.only
        if vehicle is None or vehicle.component_id != component_id or member.held or not link.allow_unsigned:
            return None
        if way is None or way.number != link.number:  # of several links' frames some are copies
            return None
        if self._registry.signing_key(member.device_id) is not None or not vehicle.is_calm(now_us):
            return None
        ahead = 0 if member.guard.news is not None else member.guard.follow(sequence, now_us, boot_ms)
        if not ahead:
            return None
        way.sequence = sequence  # as `hear` does, a call too many here; when it was heard is the member's
        way.received += 1
        if ahead != 1:
            way.lost += ahead - 1
        member.heard_us = now_us
        vehicle.heard_calmly(now_us)
        return vehicle

    def tick(self, now_us: int, turn: Turn) -> None:
        """Watch for silence; of several links' ticks at about one time only the first does something."""
        if self._ticked_us is not None and 0 <= now_us - self._ticked_us < TICK_US:
            return
        self._ticked_us = now_us
        self._turn_ways(now_us)
        self._by_link = {}
        for vehicle in self.vehicles():
            vehicle.watch(now_us, turn)
            self._by_link.setdefault(vehicle.route, []).append(vehicle)

    def _turn_ways(self, now_us: int) -> None:
        """Let each vehicle's best link be chosen anew, about once a second."""
        if 0 <= now_us - self._turned_us < WAYS_EVERY_US:
            return
        self._turned_us, self._on_link = now_us, {}
        for member in self._members.values():
            if member is None or member.vehicle is None:
                continue
            member.note_only_way()
            member.ways.turn(now_us)
            member.vehicle.route = member.ways.best or member.vehicle.route
            for way in member.ways.all():
                self._on_link.setdefault(way.number, []).append(member.vehicle)

    def _member(self, system_id: int, now_us: int) -> Member | None:
        looked_up_us = self._looked_up_us.get(system_id)
        if looked_up_us is not None and 0 <= now_us - looked_up_us < LOOKUP_US:
            return self._members[system_id]
        self._looked_up_us[system_id] = now_us
        device = self._registry.device("mavlink", f"{self.link_group}/{system_id}")
        before = member = self._members.get(system_id)
        if device is None or device.revoked:
            member = None
        elif member is None or member.device_id != device.device_id:
            member = Member(device.device_id, self._registry)
        if member is not None:
            member.looked_up_us = now_us
        self._members[system_id] = member
        if member is not before:
            self._by_device = {one.device_id: one for one in self._members.values() if one is not None}
        return member

    def _is_allowed(self, member: Member, frame: Frame, link: Link, now_us: int, turn: Turn) -> bool:
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
        if verdict is Signature.REPLAYED:  # a copy by a second link? the next ones are told apart from replays then
            member.ways.way(link.number, now_us)
        self._reject(member, frame, verdict, now_us, turn)
        return False

    def _reject(self, member: Member, frame: Frame, verdict: Signature, now_us: int, turn: Turn) -> None:
        turn.bad[verdict.value] += 1
        vehicle = member.vehicle
        if vehicle is not None and frame.component_id != vehicle.component_id:
            return
        if verdict is Signature.FORGED or verdict is Signature.UNSIGNED:
            member.guard.unverified(verdict.value, now_us)
        if vehicle is None and announces(frame):
            self._quarantine(frame.system_id, now_us, f"refused: {verdict.value}")

    def _take_verified(self, member: Member, frame: Frame, link: Link, now_us: int, turn: Turn) -> None:
        vehicle = member.vehicle
        if vehicle is None:
            if not announces(frame):
                self._await_discovery(member, frame, now_us, turn)
                return
            vehicle = member.vehicle = self._discover(member, frame)
            early, member.held = member.held, []
            for early_frame, at_us in early:
                if early_frame.component_id == frame.component_id and now_us - at_us <= EARLY_US:
                    self._judge(member, vehicle, early_frame, link, at_us, turn)
        if frame.component_id != vehicle.component_id:
            self._tap(member, frame, link, turn)
            vehicle.see(frame, now_us, turn)
            return
        if frame.msg_id == HEARTBEAT and self._contradicts(member, vehicle, frame, now_us):
            turn.bad["second_speaker"] += 1
            return
        self._judge(member, vehicle, frame, link, now_us, turn)

    def _await_discovery(self, member: Member, frame: Frame, now_us: int, turn: Turn) -> None:
        """Keep what a registered system says in the seconds before its first HEARTBEAT."""
        if frame.msg_id == HEARTBEAT:
            self._heartbeat_of_stranger(frame, now_us, turn)
        elif len(member.held) < EARLY_FRAMES or now_us - member.held[0][1] > EARLY_US:
            member.held = [*member.held[-EARLY_FRAMES + 1 :], (frame, now_us)]

    def _judge(self, member: Member, vehicle: Vehicle, frame: Frame, link: Link, now_us: int, turn: Turn) -> None:
        verdict = member.guard.judge(frame.version, frame.sequence, now_us, boot_ms=boot_ms_of(frame))
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
                self._tap(member, held_frame, link, turn)
                vehicle.take(held_frame, at_us, turn)
        elif held:
            turn.bad[dropped_as] += len(held)
        member.heard_us = now_us
        if frame.msg_id == HEARTBEAT:
            vehicle.route = member.ways.best or link.number
        self._tap(member, frame, link, turn)
        vehicle.take(frame, now_us, turn)

    def _tap(self, member: Member, frame: Frame, link: Link, turn: Turn) -> None:
        if self.is_tapped:
            turn.heard.append((member.device_id, link.number, frame.raw))

    def _contradicts(self, member: Member, vehicle: Vehicle, frame: Frame, now_us: int) -> bool:
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

    def _discover(self, member: Member, frame: Frame) -> Vehicle:
        kind, autopilot = identity_of(frame)
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
        if announces(frame):
            self._quarantine(frame.system_id, now_us, "unknown")
            stranger = self._strangers[frame.system_id]
        if frame.msg_id == HEARTBEAT:
            self._heartbeat_of_stranger(frame, now_us, turn)
        if stranger is not None and stranger.quarantined_us is not None:
            turn.bad["unknown_system"] += 1

    def _quarantine(self, system_id: int, now_us: int, reason: str) -> None:
        stranger = self._strangers.setdefault(system_id, Stranger())
        if stranger.quarantined_us is None or now_us - stranger.quarantined_us >= LOOKUP_US:
            stranger.quarantined_us = now_us
            self._registry.quarantine("mavlink", f"{self.link_group}/{system_id}", now_us, reason)

    def _heartbeat_of_stranger(self, frame: Frame, now_us: int, turn: Turn) -> None:
        """Watch the rate of heartbeats that are no vehicle's: a flood is told once, to the first vehicle it disturbs."""
        stranger = self._strangers.setdefault(frame.system_id, Stranger())
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

    def _tell_conflict(self, member: Member, now_us: int, turn: Turn) -> None:
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
