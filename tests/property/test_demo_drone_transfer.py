"""However a ground station's messages are lost, doubled or changed in order, a list comes in whole or not at all."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from console.demo.autopilot.drone import Drone
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.frame import Frame, FrameReader, Value, encode, values
from tests.demo_drone import new_drone

START_US = 1_790_000_000_000_000
TURN_US = 100_000
KINDS = list(MissionList)
Fields = dict[str, Value]
FLAT = {MissionList.MISSION: (16, 0.0), MissionList.FENCE: (5001, 0.0), MissionList.RALLY: (5100, 0.0)}


class Station:
    """A ground station that uploads one list patiently over a link which loses, doubles and delays."""

    def __init__(self, drone: Drone, kind: MissionList, count: int, faults: Iterator[int]) -> None:
        self.drone, self.kind, self.count, self.faults = drone, kind, count, faults
        self.reader, self.sequence, self.now_us = FrameReader(), 0, START_US
        self.result: int | None = None
        self.late: list[bytes] = []

    def item(self, number: int) -> Fields:
        """Return an item's fields: each lies somewhere else."""
        command, first = FLAT[self.kind]
        placed: Fields = {"x": 360_600_000 + number, "y": 1_038_300_000 - number, "z": 40.0 + number, "frame": 3}
        first = float(self.count) if self.kind is MissionList.FENCE else first
        return placed | {"seq": number, "command": command, "param1": first, "autocontinue": 1}

    def say(self, name: str, fields: Fields) -> None:
        """Send a message through the faults: 0 goes through, 1 is lost, 2 comes twice, 3 comes later."""
        self.sequence = (self.sequence + 1) % 256
        whole = fields | {"target_system": 1, "target_component": 1, "mission_type": KINDS.index(self.kind)}
        data = encode(name, whole, system_id=255, component_id=190, sequence=self.sequence)
        fault = next(self.faults, 0)
        if fault == 3:
            self.late.append(data)
            return
        arriving = [data] * {0: 1, 1: 0, 2: 2}[fault] + self.late
        self.late = []
        for one in arriving:
            self.hear(self.drone.hear(one, self.now_us))

    def hear(self, data: bytes) -> None:
        """Answer what the drone asks; its words are lost as well."""
        for frame in self.reader.feed(data):
            if next(self.faults, 0) != 1:
                self.answer(frame)

    def answer(self, frame: Frame) -> None:
        """Give the item that is asked for."""
        said = values(frame)
        if frame.msg_id in {40, 51}:
            number = said["seq"]
            assert isinstance(number, int)
            self.say("MISSION_ITEM_INT", self.item(number))
        elif frame.msg_id == 47 and said["mission_type"] == KINDS.index(self.kind):
            result = said["type"]
            assert isinstance(result, int)
            self.result = result

    def upload(self) -> int | None:
        """Say how many, until the drone says that it has them or gave up."""
        for turn in range(600):
            if self.result is not None:
                return self.result
            if turn % 15 == 0:
                self.say("MISSION_COUNT", {"count": self.count})
            self.now_us += TURN_US
            self.hear(self.drone.tick(self.now_us))
        return None


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    count=st.integers(3, 9),
    faults=st.lists(st.sampled_from([0, 0, 0, 1, 2, 3]), max_size=60),
    asks_int=st.booleans(),
)
def test_a_list_comes_in_whole_over_any_link_that_ends_up_working(
    kind: MissionList, count: int, faults: list[int], asks_int: bool
) -> None:
    drone = new_drone(asks_int=asks_int)
    station = Station(drone, kind, count, iter(faults))
    assert station.upload() == 0
    kept = drone.craft.store[kind]
    first = 1 if kind is MissionList.MISSION else 0
    assert [one.lat_e7 - 360_600_000 for one in kept] == list(range(first, count))


@settings(max_examples=40, deadline=None)
@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    *("MISSION_COUNT", "MISSION_ITEM_INT", "MISSION_ITEM", "MISSION_REQUEST", "MISSION_REQUEST_INT"),
                    *("MISSION_REQUEST_LIST", "MISSION_ACK", "MISSION_CLEAR_ALL"),
                ]
            ),
            st.integers(0, 6),
            st.integers(0, 3),
            st.sampled_from([16, 22, 5001, 5003, 5100, 4242]),
        ),
        max_size=40,
    )
)
def test_whatever_is_said_the_old_list_or_a_whole_new_one_is_kept(frames: list[tuple[str, int, int, int]]) -> None:
    drone = new_drone()
    old = (MissionItem(command=22, alt_m=30.0), MissionItem(command=20, frame=2))
    drone.craft.replace(MissionList.MISSION, old)
    counts = {len(old)}
    for turn, (name, number, kind, command) in enumerate(frames):
        fields: Fields = {"target_system": 1, "target_component": 1, "mission_type": kind}
        if name == "MISSION_COUNT":
            fields["count"] = number
            counts.add(max(number - 1, 0))
        elif name in {"MISSION_ITEM_INT", "MISSION_ITEM"}:
            fields |= {"seq": number, "command": command, "frame": 3, "x": 1, "y": 1, "z": 10.0, "param1": 1.0}
        elif name not in {"MISSION_REQUEST_LIST", "MISSION_ACK", "MISSION_CLEAR_ALL"}:
            fields["seq"] = number
        elif name == "MISSION_CLEAR_ALL":
            counts.add(0)
        drone.hear(encode(name, fields, system_id=255, component_id=190, sequence=turn), START_US + turn * TURN_US)
        assert len(drone.craft.store.mission) in counts


def test_an_upload_that_stops_is_given_up_after_eight_seconds_and_the_old_list_stays() -> None:
    drone = new_drone()
    drone.craft.replace(MissionList.MISSION, (MissionItem(command=22, alt_m=30.0),))
    station = Station(drone, MissionList.MISSION, 5, iter([0, 0, *[1] * 999]))
    station.say("MISSION_COUNT", {"count": 5})
    said = [
        (frame.msg_id, round(turn * TURN_US / 1e6))
        for turn in range(120)
        for frame in FrameReader().feed(drone.tick(START_US + turn * TURN_US))
        if frame.msg_id in {40, 47}
    ]
    assert [msg_id for msg_id, _ in said] == [40] * 7 + [47]
    assert said[-1][1] == 8
    assert len(drone.craft.store.mission) == 1


def test_the_last_item_said_again_is_acknowledged_again() -> None:
    drone = new_drone()
    station = Station(drone, MissionList.RALLY, 3, iter(()))
    assert station.upload() == 0
    again = Station(drone, MissionList.RALLY, 3, iter(()))
    again.say("MISSION_ITEM_INT", again.item(2))
    assert again.result == 0
    assert drone.craft.store.revisions[MissionList.RALLY] == 1


def test_a_second_ground_station_waits_until_the_first_ones_upload_is_over() -> None:
    drone = new_drone()
    first = Station(drone, MissionList.MISSION, 4, iter([0, *[1] * 9]))
    first.say("MISSION_COUNT", {"count": 4})
    fields: Fields = {"target_system": 1, "target_component": 1, "mission_type": 0, "count": 2}
    (answer,) = FrameReader().feed(
        drone.hear(encode("MISSION_COUNT", fields, system_id=250, component_id=190, sequence=1), START_US)
    )
    assert (answer.msg_id, values(answer)["type"], values(answer)["target_system"]) == (47, 14, 250)
