"""What we say to vehicles: answered within the turn that asked, however many spoke in it, and handed on for their logs."""

import pymavlink.dialects.v20.ardupilotmega as dialect
import pytest

from telemetry.links.turns import merge
from telemetry.model.commands import DownloadMission, FlightAction, FlightCommand, RelayFrames
from telemetry.model.decoding import Output, Peer, SourceContext
from telemetry.sources.mavlink import MavlinkSource
from telemetry.sources.mavlink.frame import Value
from telemetry.sources.mavlink.signing import Signer
from tests.mavlink_scene import KEY, START_US, Drone, registry_of

SECOND_US = 1_000_000
LOCAL = Peer(transport="udp", host="127.0.0.1", port=1, allow_unsigned=True)
REQUEST_LIST, COUNT, REQUEST_INT = "MISSION_REQUEST_LIST", "MISSION_COUNT", "MISSION_REQUEST_INT"


class Fleet:
    """Vehicles 1 and 2, each by a link of its own, which are heard."""

    def __init__(self, *, is_tapped: bool = False) -> None:
        self.source = MavlinkSource(SourceContext(registry=registry_of(1, 2), link_group="g"))
        if is_tapped:
            self.source.tap_frames()
        self.drones = [Drone(system_id=1), Drone(system_id=2)]
        self.links = [self.source.decoder(LOCAL), self.source.decoder(LOCAL)]
        for drone, link in zip(self.drones, self.links, strict=True):
            link.feed(drone.heartbeat() + drone.position(START_US), START_US)
            link.tick(START_US)

    def count(self, item_count: int) -> bytes:
        """Vehicle 1's answer to the question for its mission."""
        told: dict[str, Value] = {"target_system": 255, "target_component": 190, "count": item_count}
        return self.drones[0].frame(COUNT, told)


def names(frames: list[bytes]) -> list[str]:
    """How pymavlink calls them."""
    return [message.get_type() for message in dialect.MAVLink(None).parse_buffer(b"".join(frames)) or []]


def replies(output: Output) -> list[str]:
    return names([reply.data for reply in output.replies])


def said_to(output: Output, device_id: int) -> list[str]:
    return names([frame for to, _, frame in output.said if to == device_id])


@pytest.mark.parametrize("other_count", [0, 80])
def test_a_transfer_goes_on_within_the_turn_however_many_others_speak_in_it(other_count: int) -> None:
    fleet = Fleet()
    asked = fleet.links[0].send(DownloadMission(device_id=1, command_id=5), START_US)
    assert REQUEST_LIST in replies(asked)
    now_us = START_US + SECOND_US
    others = [(fleet.links[1], fleet.drones[1].position(now_us)) for _ in range(other_count)]
    pieces = [*others[: other_count // 2], (fleet.links[0], fleet.count(3)), *others[other_count // 2 :]]
    said = fleet.source.feed_many(pieces, now_us)
    ((number, answer),) = said.answers
    assert pieces[number][0] is fleet.links[0]
    assert replies(answer) == [REQUEST_INT]
    assert len(said.output.batch) == other_count
    assert REQUEST_INT not in replies(fleet.links[0].tick(now_us + 100_000))


def test_what_is_said_to_a_vehicle_is_handed_on_as_it_left_our_own_and_other_stations() -> None:
    fleet = Fleet(is_tapped=True)
    link, now_us = fleet.links[1], START_US + SECOND_US
    outputs = [
        link.send(FlightCommand(device_id=2, command_id=5, action=FlightAction.HOLD), now_us),
        link.send(RelayFrames(device_id=2, data=Drone(system_id=250).heartbeat()), now_us),
        link.tick(now_us + 2 * SECOND_US),
    ]
    told = merge(outputs)
    assert [frame for _, _, frame in told.said] == [reply.data for output in outputs for reply in output.replies]
    assert {"COMMAND_LONG", "HEARTBEAT", "TIMESYNC"} <= set(said_to(told, 2))
    assert not said_to(told, 1)


@pytest.mark.parametrize(("keys", "frames"), [({}, 1), ({1: KEY, 2: KEY}, 1), ({1: KEY, 2: bytes(32)}, 2)])
def test_what_is_said_to_all_of_a_key_is_handed_on_for_each_of_them(keys: dict[int, bytes], frames: int) -> None:
    source = MavlinkSource(SourceContext(registry=registry_of(1, 2, keys=keys), link_group="g"))
    source.tap_frames()
    link = source.decoder(LOCAL)
    for system_id in (1, 2):
        drone = Drone(system_id=system_id, signer=Signer(keys[system_id], 1) if keys else None)
        link.feed(next(drone.frames_at(0, START_US)), START_US)
    output = link.tick(START_US + SECOND_US)
    assert replies(output).count("HEARTBEAT") == frames
    assert [said_to(output, device_id).count("HEARTBEAT") for device_id in (1, 2)] == [1, 1]


def test_nothing_is_handed_on_where_nobody_wants_it() -> None:
    fleet = Fleet()
    assert fleet.links[0].tick(START_US + 2 * SECOND_US).replies
    assert not fleet.links[0].tick(START_US + 4 * SECOND_US).said
