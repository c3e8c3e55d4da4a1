"""MAVLink: bytes of one link in; positions, events and what we say to the vehicles out."""

from collections.abc import Sequence
from typing import Final

from telemetry.model.commands import (
    ClearMission,
    Command,
    DownloadMission,
    FlightCommand,
    RelayFrames,
    RequestPosition,
    SendText,
    SetReportInterval,
    UploadMission,
)
from telemetry.model.decoding import Output, Peer, Registry, SourceContext
from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.link_ways import LinkWay
from telemetry.sources.mavlink.dialogue import Dialogue
from telemetry.sources.mavlink.frame import FrameReader, Value, encode
from telemetry.sources.mavlink.many import ManySaid, feed_many
from telemetry.sources.mavlink.members import Head
from telemetry.sources.mavlink.network import TIMESYNC, Network
from telemetry.sources.mavlink.reader import message_reader
from telemetry.sources.mavlink.relay import Relay
from telemetry.sources.mavlink.requests import HOME_POSITION, Ask
from telemetry.sources.mavlink.signing import Signer
from telemetry.sources.mavlink.turn import Turn
from telemetry.sources.mavlink.vehicle import Vehicle

__all__ = ["ENROLMENT", "MavlinkDecoder", "MavlinkSource", "Network", "message_reader", "open_source"]

ENROLMENT: Final = EnrolmentRule(
    protocol="mavlink",
    secret=SecretKind.SIGNING_KEY,
    form=r"[a-z0-9_-]{1,32}/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])",
    example="main/1",
    said="LINK_GROUP/SYSTEM_ID (system ids 1 to 255)",
)
TAKES: Final = frozenset(
    {
        SetReportInterval,
        RequestPosition,
        SendText,
        FlightCommand,
        UploadMission,
        DownloadMission,
        ClearMission,
        RelayFrames,
    }
)
OWN_HEARTBEAT: Final[dict[str, Value]] = {"type": 6, "autopilot": 8, "system_status": 4, "mavlink_version": 3}
HEARTBEAT_US: Final = 1_000_000
TIME_EVERY_US: Final = 5_000_000
STATUSTEXT: Final = 253
TEXT_BYTES: Final = 50
TEXT_LEVEL: Final = 5
SHORTEST_INTERVAL_S: Final = 0.1
LONGEST_INTERVAL_S: Final = 3600.0


class MavlinkDecoder:
    """The decoder of one link; links of one group share a `network`, in which a system id is one vehicle.

    `allow_unsigned` lets devices without a key speak on this link (a device with a key must always sign). A `replayed`
    link is a recording: its rows say so and nothing is ever sent on it.
    """

    def __init__(
        self,
        registry: Registry,
        link_group: str,
        *,
        allow_unsigned: bool,
        replayed: bool = False,
        system_id: int = 255,
        component_id: int = 190,
        network: Network | None = None,
        peer: Peer | None = None,
    ) -> None:
        self.network = network or Network(registry, link_group, replayed=replayed)
        transport, place = (
            ("", "") if peer is None else (peer.transport, f"{peer.host}:{peer.port}" if peer.port else peer.host)
        )
        self.link = self.network.join(allow_unsigned=allow_unsigned, transport=transport, peer=place)
        self._replayed = replayed
        self._system_id = system_id
        self._component_id = component_id
        self._reader = FrameReader()
        self._bad_before = (0, 0)
        self._sequence = 0
        self._text_id = 0
        self._heartbeat_due_us = 0
        self._time_due_us = 0
        self._signers: dict[bytes, Signer] = {}
        self._relay = Relay()

    @property
    def frames_good(self) -> int:
        """Return how many frames with a right checksum came by this link."""
        return self._reader.frames_good

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes wait for the rest of a frame."""
        return self._reader.pending_bytes

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take a datagram, or a piece of a stream, that arrived at `now_us`."""
        turn = Turn()
        self.feed_into(data, now_us, turn)
        if self.network.talking:
            self._say_on(now_us, turn)
        return turn.output()

    def feed_into(self, data: bytes, now_us: int, turn: Turn) -> None:
        """Do as `feed` within a turn of several decoders."""
        for frame in self._reader.feed(data):
            self.network.take(frame, self.link, now_us, turn)
        self._count_bad(turn)

    def say_on(self, now_us: int) -> Output:
        """Return what is to be said by this link now, after `feed_into`."""
        turn = Turn()
        self._say_on(now_us, turn)
        return turn.output()

    def follow(self, head: Head, now_us: int) -> Vehicle | None:
        """Take the head of a whole frame as `Network.follow` does; None where the stream is not between frames."""
        if not self._reader.is_between_frames:
            return None
        vehicle = self.network.follow(self.link, head, now_us)
        if vehicle is not None:
            self._reader.frames_good += 1
        return vehicle

    def tick(self, now_us: int) -> Output:
        """Watch for silence; say that we are here (1 Hz) and ask each vehicle for the streams that are missing."""
        turn = Turn()
        self.network.tick(now_us, turn)
        if not self._replayed:
            mine = self.network.vehicles_by(self.link)
            self._say_here(mine, now_us, turn)
            self._ask_time(now_us, turn)
            for vehicle in mine:
                for ask in vehicle.requests.due(now_us):
                    self._say(ask, [vehicle], now_us, turn)
            for vehicle in self.network.talking.values():
                if vehicle.dialogue is not None:
                    self._follow_port(vehicle, vehicle.dialogue, now_us)
                    turn.events += vehicle.dialogue.tick(self.link.number, now_us)
            self._say_on(now_us, turn)
        return turn.output()

    def send(self, command: Command, now_us: int) -> Output:
        """Turn a command into frames. Raises NotFoundError for a device not heard here, InputError for a bad value."""
        vehicle = self.network.vehicle_of(command.device_id)
        if vehicle is None or self._replayed:
            raise NotFoundError(
                f"device {command.device_id} has not been heard on link group {self.network.link_group}: "
                "wait for its heartbeat or use another link"
            )
        if vehicle.route not in {0, self.link.number}:
            raise NotFoundError(
                f"device {command.device_id} is reached best by another link of its group: send it there"
            )
        turn = Turn()
        match command:
            case UploadMission() | DownloadMission() | ClearMission():
                dialogue = self._dialogue(vehicle, now_us, turn)
                turn.events += dialogue.order_transfer(command, self.link.number, now_us)
            case FlightCommand():
                dialogue = self._dialogue(vehicle, now_us, turn)
                turn.events += dialogue.order_flight(command, self.link.number, now_us)
            case RelayFrames(data=data):
                frames, left_out = self._relay.relayed(data, vehicle.system_id, self._signer(vehicle.device_id, now_us))
                for frame in frames:
                    self._put(frame, [vehicle], turn)
                turn.bad.update({"relayed_for_others": left_out} if left_out else {})
            case _:
                for ask in self._asks(command, vehicle):
                    self._say(ask, [vehicle], now_us, turn)
        self._say_on(now_us, turn)
        return turn.output()

    def _dialogue(self, vehicle: Vehicle, now_us: int, turn: Turn) -> Dialogue:
        """Return what is being settled with a vehicle, which is asked where its home is while we do not know it."""
        if vehicle.dialogue is None:
            vehicle.dialogue = Dialogue(vehicle, vehicle.device_id, self._system_id)
        if vehicle.home_msl_mm is None:
            self._say(vehicle.requests.message_now(HOME_POSITION), [vehicle], now_us, turn)
        self.network.talking[vehicle.device_id] = vehicle
        return vehicle.dialogue

    def _follow_port(self, vehicle: Vehicle, dialogue: Dialogue, now_us: int) -> None:
        """Go on by this link with what began on one that is silent now, where only the port of the same host is another.

        An address translator on the way does that; it is still the same way to the vehicle.
        """
        if vehicle.route != self.link.number or self.link.transport != "udp":
            return
        host = self.link.peer.rpartition(":")[0]
        for link in self.network.links_silent(vehicle.device_id, now_us):
            if link.transport == "udp" and link.peer.rpartition(":")[0] == host:
                dialogue.move(link.number, self.link.number, now_us)

    def _say_on(self, now_us: int, turn: Turn) -> None:
        """Send what is to be said by this link, and forget the vehicles with which all is settled."""
        for vehicle in list(self.network.talking.values()):
            dialogue = vehicle.dialogue
            if dialogue is None:
                continue
            for ask in dialogue.outbox.pop(self.link.number, ()):
                self._say(ask, [vehicle], now_us, turn)
            if not dialogue.is_busy and not dialogue.outbox:
                del self.network.talking[vehicle.device_id]

    def _asks(self, command: Command, vehicle: Vehicle) -> list[Ask]:
        match command:
            case SetReportInterval(interval_s=interval_s):
                if not SHORTEST_INTERVAL_S <= interval_s <= LONGEST_INTERVAL_S:
                    raise InputError(
                        f"report interval {interval_s} s: give {SHORTEST_INTERVAL_S} .. {LONGEST_INTERVAL_S} s"
                    )
                return [vehicle.requests.set_interval(round(interval_s * 1e6))]
            case RequestPosition():
                return [vehicle.requests.position_now()]
            case SendText(text=text):
                return self._text(text)
            case _:
                raise InputError(
                    f"MAVLink has no {type(command).__name__}: give a report interval, a position, a text, a mission or a flight command"
                )

    def _text(self, text: str) -> list[Ask]:
        """Return a text as one STATUSTEXT, or as numbered chunks of 50 bytes that share an id."""
        data = text.encode()
        pieces = [data[at : at + TEXT_BYTES] for at in range(0, len(data), TEXT_BYTES)] or [b""]
        if len(pieces) == 1:
            return [Ask(STATUSTEXT, {"severity": TEXT_LEVEL, "text": text})]
        if len(pieces[-1]) == TEXT_BYTES:
            pieces.append(b"")
        self._text_id = self._text_id % 65535 + 1
        return [
            Ask(
                STATUSTEXT,
                {
                    "severity": TEXT_LEVEL,
                    "text": piece.decode("utf-8", "surrogateescape"),
                    "id": self._text_id,
                    "chunk_seq": number,
                },
            )
            for number, piece in enumerate(pieces)
        ]

    def _say_here(self, mine: list[Vehicle], now_us: int, turn: Turn) -> None:
        """Send our HEARTBEAT once for each key in use, and unsigned for those without."""
        if now_us < self._heartbeat_due_us:
            return
        self._heartbeat_due_us = now_us + HEARTBEAT_US
        ask = Ask(0, OWN_HEARTBEAT)
        for vehicles in self._by_key(mine) or [[]]:
            self._say(ask, vehicles, now_us, turn)

    def _ask_time(self, now_us: int, turn: Turn) -> None:
        """Ask the vehicles that are heard here for their time, once for each key in use: the answer tells how long the way is."""
        if now_us < self._time_due_us:
            return
        here = self.network.vehicles_on(self.link)
        if not here:
            return
        self._time_due_us = now_us + TIME_EVERY_US
        self.link.asked_us = now_us
        ask = Ask(TIMESYNC, {"tc1": 0, "ts1": now_us * 1000})
        for vehicles in self._by_key(here):
            self._say(ask, vehicles, now_us, turn)

    def close(self) -> None:
        """Forget the link: nothing is sent by it any more."""
        self.network.leave(self.link)

    def _by_key(self, vehicles: list[Vehicle]) -> list[list[Vehicle]]:
        """Return the vehicles that one frame to all can reach, together: those of the same key."""
        found: dict[bytes | None, list[Vehicle]] = {}
        for vehicle in vehicles:
            found.setdefault(self.network.signing_key(vehicle.device_id), []).append(vehicle)
        return list(found.values())

    def _say(self, ask: Ask, vehicles: list[Vehicle], now_us: int, turn: Turn) -> None:
        """Send one message to vehicles of the same key; unsigned where there is none."""
        self._sequence = (self._sequence + 1) & 255
        frame = encode(
            ask.msg_id,
            ask.fields,
            system_id=self._system_id,
            component_id=self._component_id,
            sequence=self._sequence,
            signer=self._signer(vehicles[0].device_id, now_us) if vehicles else None,
        )
        self._put(frame, vehicles, turn)

    def _put(self, frame: bytes, vehicles: list[Vehicle], turn: Turn) -> None:
        turn.frames.append(frame)
        if self.network.is_tapped:
            turn.said += [(vehicle.device_id, self.link.number, frame) for vehicle in vehicles]

    def _signer(self, device_id: int, now_us: int) -> Signer | None:
        key = self.network.signing_key(device_id)
        if key is None:
            return None
        signer = self._signers.get(key)
        if signer is None:
            signer = self._signers[key] = Signer(key, self.link.number & 255)
        signer.advance(now_us)
        return signer

    def _count_bad(self, turn: Turn) -> None:
        counts = (self._reader.frames_bad, self._reader.bytes_skipped)
        if counts != self._bad_before:
            turn.bad["frames_bad"] += counts[0] - self._bad_before[0]
            turn.bad["bytes_skipped"] += counts[1] - self._bad_before[1]
            self._bad_before = counts


class MavlinkSource:
    """The vehicles of one link group, by whichever links and peers they come."""

    def __init__(self, context: SourceContext) -> None:
        self.network = Network(context.registry, context.link_group)
        self._registry = context.registry

    def decoder(self, peer: Peer) -> MavlinkDecoder:
        """Return a decoder for one peer, in which a vehicle of the group may come by another one at any time."""
        group, allow_unsigned = self.network.link_group, peer.allow_unsigned
        return MavlinkDecoder(self._registry, group, allow_unsigned=allow_unsigned, network=self.network, peer=peer)

    def feed_many(self, pieces: Sequence[tuple[MavlinkDecoder, bytes]], now_us: int) -> ManySaid:
        """Feed the datagrams of many peers at once, as their decoders' `feed` would one by one."""
        said = feed_many(pieces, now_us, is_tapped=self.network.is_tapped)
        if not self.network.talking:
            return said
        spoken = {decoder: number for number, (decoder, _) in enumerate(pieces)}
        answers = [(number, decoder.say_on(now_us)) for decoder, number in spoken.items()]
        return said._replace(answers=[(number, answer) for number, answer in answers if answer])

    def tap_frames(self) -> None:
        """Hand out vehicles' frames as they come, from now on."""
        self.network.is_tapped = True

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a vehicle is heard."""
        return self.network.ways_of(device_id)

    def transferring(self) -> frozenset[int]:
        """Return the vehicles with which a transfer of ours runs, or waits for another one's end."""
        talking = self.network.talking.items()
        return frozenset(device_id for device_id, vehicle in talking if vehicle.is_transferring)


def open_source(context: SourceContext) -> MavlinkSource:
    """Return the source of one link group."""
    return MavlinkSource(context)
