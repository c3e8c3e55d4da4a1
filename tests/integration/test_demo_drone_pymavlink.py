"""pymavlink as ground station flies a demo drone: its waypoint loader's items up, down, flown; signed and unsigned."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol, cast

import pytest
from pymavlink import mavutil, mavwp
from pymavlink.dialects.v20 import ardupilotmega as dialect

from console.demo.autopilot.numbers import MissionState
from telemetry.model.mission_items import MissionList
from tests.demo_drone import DroneOnPort, demo_drone

KEY = bytes(range(1, 33))
ROUTE = """QGC WPL 110
0\t1\t0\t16\t0\t0\t0\t0\t36.06\t103.83\t1520\t1
1\t0\t3\t22\t0\t0\t0\t0\t0\t0\t35\t1
2\t0\t3\t16\t2\t0\t0\t0\t36.0612\t103.83\t35\t1
3\t0\t3\t16\t0\t0\t0\t0\t36.0612\t103.8318\t45\t1
4\t0\t3\t206\t25\t0\t0\t0\t0\t0\t0\t1
5\t0\t3\t16\t0\t0\t0\t0\t36.06\t103.8318\t45\t1
6\t0\t3\t206\t0\t0\t0\t0\t0\t0\t0\t1
7\t0\t3\t20\t0\t0\t0\t0\t0\t0\t0\t1
"""


class Message(Protocol):
    """What is used of pymavlink's messages."""

    seq: int
    type: int
    count: int
    result: int
    text: str

    def get_type(self) -> str:
        """Return its name."""


class Station:
    """A ground station by pymavlink alone."""

    def __init__(self, port: int) -> None:
        self.link = mavutil.mavlink_connection(f"udpout:127.0.0.1:{port}", source_system=255, dialect="ardupilotmega")
        self.link.mav.heartbeat_send(6, 8, 0, 0, 0)

    def close(self) -> None:
        """End it."""
        self.link.close()

    def wait(self, *names: str, until: Callable[[Message], bool] = lambda _: True) -> Message:
        """Return the first of these messages for which it is so."""
        deadline_s = time.monotonic() + 60.0
        while time.monotonic() < deadline_s:
            message = self.link.recv_match(type=list(names), blocking=True, timeout=1.0)
            if message is not None and until(message):
                return cast("Message", message)
        raise AssertionError(names)

    def command(self, number: int, *params: float) -> int:
        """Send a command and return its result."""
        self.link.mav.command_long_send(1, 1, number, 0, *(*params, *[0.0] * 7)[:7])
        return self.wait("COMMAND_ACK").result

    def upload(self, items: mavwp.MAVWPLoader, kind: int = 0) -> int:
        """Hand a list up and return what the drone thinks of it."""
        self.link.mav.mission_count_send(1, 1, items.count(), kind)
        while True:
            message = self.wait("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK")
            if message.get_type() == "MISSION_ACK":
                return message.type
            self.link.mav.send(items.wp(message.seq))


@pytest.fixture
def drone() -> Iterator[DroneOnPort]:
    with demo_drone(speed_up=40) as on_port:
        yield on_port


@pytest.fixture
def station(drone: DroneOnPort) -> Iterator[Station]:
    with closing(Station(drone.port)) as speaking:
        yield speaking


def route(folder: Path) -> mavwp.MAVWPLoader:
    file = folder / "route.waypoints"
    file.write_text(ROUTE)
    loader = mavwp.MAVWPLoader(target_system=1, target_component=1)
    assert loader.load(str(file)) == 8
    return loader


def test_the_waypoint_loaders_file_is_flown_item_by_item_with_its_photos(
    drone: DroneOnPort, station: Station, tmp_path: Path
) -> None:
    craft = drone.drone.craft
    assert station.upload(route(tmp_path)) == 0
    station.link.mav.mission_request_list_send(1, 1, 0)
    assert station.wait("MISSION_COUNT").count == 8
    for number in range(8):
        station.link.mav.mission_request_send(1, 1, number, 0)
        assert station.wait("MISSION_ITEM").seq == number
    station.link.mav.mission_ack_send(1, 1, 0, 0)
    assert station.command(400, 1) == 0
    assert station.command(300) == 0
    reached: list[int] = []
    while not reached or reached[-1] != 7:
        reached.append(station.wait("MISSION_ITEM_REACHED").seq)
    assert reached == [1, 2, 3, 5, 7]
    station.wait("STATUSTEXT", until=lambda one: one.text == "Disarming motors")
    assert craft.run.state is MissionState.COMPLETE
    assert 4 <= craft.camera.photo_count <= 7


def test_a_fence_in_the_way_is_broken_and_the_drone_comes_home(
    drone: DroneOnPort, station: Station, tmp_path: Path
) -> None:
    craft = drone.drone.craft
    fence = mavwp.MissionItemProtocol_Fence(1, 1)
    for lat, lon in ((36.0595, 103.829), (36.0608, 103.829), (36.0608, 103.833), (36.0595, 103.833)):
        corner = dialect.MAVLink_mission_item_int_message(
            1, 1, fence.count(), 0, 5001, 0, 1, 4, 0, 0, 0, round(lat * 1e7), round(lon * 1e7), 0, 1
        )
        fence.add(corner)
    assert station.upload(fence, 1) == 0
    assert len(craft.store[MissionList.FENCE]) == 4
    assert station.upload(route(tmp_path)) == 0
    assert station.command(400, 1) == 0
    assert station.command(300) == 0
    station.wait("STATUSTEXT", until=lambda one: one.text == "Polygon fence breached")
    station.wait("STATUSTEXT", until=lambda one: one.text == "Disarming motors")
    assert craft.mode.name == "RTL"
    assert craft.body.place.away_m(craft.home) < 2.0


def test_a_drone_with_a_key_obeys_pymavlink_once_it_signs() -> None:
    with demo_drone(key=KEY, speed_up=1) as drone, closing(Station(drone.port)) as station:
        station.link.mav.command_long_send(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0)
        station.link.setup_signing(KEY, sign_outgoing=True, allow_unsigned_callback=lambda *_: False)
        assert station.command(400, 1) == 0
        assert drone.drone.craft.is_armed
        assert drone.drone.commands_refused == 1


def test_nothing_but_heartbeats_come_until_they_are_asked_for(station: Station) -> None:
    station.wait("HEARTBEAT")
    assert "GLOBAL_POSITION_INT" not in station.link.messages
    assert station.command(511, 33, 100_000) == 0
    station.wait("GLOBAL_POSITION_INT")
    station.link.mav.request_data_stream_send(1, 1, 10, 10, 1)
    station.wait("ATTITUDE")
    station.link.mav.param_request_list_send(1, 1)
    station.wait("PARAM_VALUE")
    assert station.command(512, 148) == 0
    station.wait("AUTOPILOT_VERSION")
