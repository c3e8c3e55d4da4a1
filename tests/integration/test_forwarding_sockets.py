"""Ground stations that pymavlink speaks for watch a signed demo drone beside us: they see it, may ask at a pace, and order only what they were handed."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymavlink.dialects.v20.ardupilotmega as dialect
import pytest
from pymavlink import mavutil

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.flight.control import Holder, offer, take
from telemetry.flight_log.log import FlightLog
from telemetry.links.udp import UdpLink
from telemetry.model.commands import CommandState, DownloadMission, UploadMission
from telemetry.model.control_events import HolderKind, StationOrdered
from telemetry.model.decoding import Output
from telemetry.model.events import CommandAnswered
from telemetry.model.mission_items import MissionItem
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from tests.demo_drone import DroneOnPort, demo_drone

KEY = bytes(range(32))
ARM, REQUEST_MESSAGE = 400, 512
WANG = Holder(HolderKind.ACCOUNT, 1, "wang")
FIELD = Holder(HolderKind.GROUND_STATION, 0, "field")


class Station:
    """A ground station by pymavlink, on a socket that it opened."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.mav = dialect.MAVLink(None, srcSystem=250, srcComponent=190)
        self.mav.robust_parsing = True
        self.heard: list[Any] = []
        self.peer: Any = None

    def listen(self) -> None:
        """Read what came."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, peer = self.socket.recvfrom(65_536)
                self.peer = self.peer or peer
                self.heard += self.mav.parse_buffer(data) or []

    def say(self, message: Any) -> None:  # noqa: ANN401 - pymavlink has no types
        data = message.pack(self.mav)
        self.mav.seq = (self.mav.seq + 1) & 255
        if self.peer is None:
            self.socket.send(data)
        else:
            self.socket.sendto(data, self.peer)

    def arm(self) -> None:
        self.say(self.mav.command_long_encode(1, 1, ARM, 0, 1, 0, 0, 0, 0, 0, 0))

    def heard_now(self) -> list[Any]:
        self.listen()
        return self.heard

    def kinds(self) -> list[str]:
        return [message.get_type() for message in self.heard_now()]


@dataclass
class Sky:
    bridge: Bridge
    drone: DroneOnPort
    field: Station
    desk: Station

    def refused(self, name: str) -> dict[str, int]:
        return next(status.refused for status in self.bridge.link_statuses() if status.link_group == name)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60.0):
        while not condition():  # noqa: ASYNC110 - sockets of the other side
            await asyncio.sleep(0.02)


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncIterator[Sky]:
    watching = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    watching.bind(("127.0.0.1", 0))
    watching.setblocking(False)
    forward = f"udpout:127.0.0.1:{watching.getsockname()[1]}#field,tcpin:127.0.0.1:0#desk"
    settings = Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="udpin:127.0.0.1:0", forward=forward)
    journal = Journal.open(tmp_path / "journal")
    device = Device(device_id=1, protocol="mavlink", address="main/1")
    bridge = Bridge(
        RegistryTable(RegistryContents(devices=(device,), signing_keys={1: KEY})), journal, SYSTEM_CLOCK, settings
    )
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    port = next(link.port for link in bridge.links if isinstance(link, UdpLink))
    desk_port = next(station.port for station in bridge.stations.stations if station.forward.name == "desk")
    connected = socket.create_connection(("127.0.0.1", desk_port))
    connected.setblocking(False)
    with demo_drone(ground=("127.0.0.1", port), key=KEY, parameters={"DISARM_DELAY": 127.0}) as drone:
        try:
            yield Sky(bridge, drone, Station(watching), Station(connected))
        finally:
            watching.close()
            connected.close()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.to_thread(journal.close)


def lend(bridge: Bridge) -> None:
    """Let wang take the drone and lend it to the station in the field."""
    now_us = SYSTEM_CLOCK.now_us()
    for event in (take(bridge.control.of(1), WANG, now_us), None):
        bridge.take(Output(events=(event or offer(bridge.control.of(1), WANG, FIELD, now_us),)), now_us)


async def test_stations_see_the_drone_without_its_signature_and_each_frame_once(sky: Sky) -> None:
    for station in (sky.field, sky.desk):
        await until(lambda station=station: station.kinds().count("HEARTBEAT") >= 2)  # type: ignore[misc]
        assert not any(message.get_signed() for message in station.heard)
        beats = [message.get_seq() for message in station.heard]
        assert len(beats) == len(set(beats))
        assert {message.get_srcSystem() for message in station.heard} == {1}


async def test_a_station_may_ask_but_not_order_until_control_is_handed_to_it(sky: Sky) -> None:
    craft = sky.drone.drone.craft
    await until(lambda: "HEARTBEAT" in sky.field.kinds())
    sky.field.say(sky.field.mav.param_request_read_encode(1, 1, b"SYSID_THISMAV", -1))
    await until(lambda: "PARAM_VALUE" in sky.field.kinds())
    sky.field.arm()
    await until(lambda: sky.refused("field").get("not_in_control") == 1)
    assert not craft.is_armed
    lend(sky.bridge)
    told: list[StationOrdered] = []
    sky.bridge.listeners.append(lambda event, _: told.append(event) if isinstance(event, StationOrdered) else None)
    sky.field.arm()
    await until(lambda: craft.is_armed)
    assert [(one.device_id, one.station, one.order, one.lent_by_name) for one in told] == [
        (1, "field", "COMMAND_LONG 400", "wang")
    ]
    sky.desk.arm()
    await until(lambda: sky.refused("desk").get("not_in_control") == 1)


async def test_all_parameters_are_asked_for_once_and_then_the_station_waits(sky: Sky) -> None:
    await until(lambda: "HEARTBEAT" in sky.field.kinds() and "HEARTBEAT" in sky.desk.kinds())
    for station in (sky.field, sky.desk):
        station.say(station.mav.param_request_list_encode(1, 1))
        await until(lambda station=station: "PARAM_VALUE" in station.kinds())  # type: ignore[misc]
    await until(lambda: sky.refused("desk") == {"parameters_again": 1})
    assert sky.refused("field") == {}


async def test_a_station_is_denied_a_mission_while_ours_is_sent_and_may_read_it_then(sky: Sky) -> None:
    await until(lambda: "HEARTBEAT" in sky.field.kinds())
    told: list[CommandAnswered] = []
    sky.bridge.listeners.append(lambda event, _: told.append(event) if isinstance(event, CommandAnswered) else None)
    mission = tuple(
        MissionItem(command=16, frame=3, lat_e7=360_600_000 + number * 900, lon_e7=1_038_300_000, alt_m=60.0)
        for number in range(150)
    )
    sky.bridge.send(UploadMission(device_id=1, command_id=4, mission=mission), SYSTEM_CLOCK.now_us())
    sky.field.say(sky.field.mav.mission_request_list_encode(1, 1))
    await until(
        lambda: any(one.get_type() == "MISSION_ACK" and one.target_system == 250 for one in sky.field.heard_now())
    )
    (denied,) = [one for one in sky.field.heard if one.get_type() == "MISSION_ACK" and one.target_system == 250]
    assert (denied.type, denied.get_srcSystem()) == (dialect.MAV_MISSION_DENIED, 1)
    assert any(one.get_type() == "STATUSTEXT" and "a transfer runs" in one.text for one in sky.field.heard)
    assert sky.refused("field") == {"transfer_runs": 1}
    await until(lambda: bool(told))
    assert told[0].state == CommandState.DELIVERED, told[0]
    sky.field.say(sky.field.mav.mission_request_list_encode(1, 1))
    await until(
        lambda: any(one.get_type() == "MISSION_COUNT" and one.target_system == 250 for one in sky.field.heard_now())
    )


async def test_the_log_of_a_flight_has_what_we_and_a_station_ordered_beside_what_the_drone_answered(
    sky: Sky, tmp_path: Path
) -> None:
    log = FlightLog(tmp_path / "flights", SYSTEM_CLOCK, keep_days=1, max_bytes=1 << 30, least_free_bytes=0)
    sky.bridge.tap_frames(log.take, said=log.take_said)
    sky.bridge.listeners.append(log.hear)
    await until(lambda: "HEARTBEAT" in sky.field.kinds())
    lend(sky.bridge)
    sky.field.arm()
    await until(lambda: log.status.flights == 1)
    sky.bridge.send(DownloadMission(device_id=1, command_id=4), SYSTEM_CLOCK.now_us())
    await until(lambda: "MISSION_COUNT" in sky.field.kinds())
    await asyncio.to_thread(log.close)
    (path,) = (tmp_path / "flights").iterdir()
    with contextlib.closing(mavutil.mavlink_connection(str(path), dialect="ardupilotmega")) as read:
        told = list(iter(read.recv_match, None))
    said = [(one.get_type(), one.get_srcSystem()) for one in told]
    kinds = ("COMMAND_LONG", 250), ("COMMAND_ACK", 1), ("MISSION_REQUEST_LIST", 255), ("MISSION_COUNT", 1)
    assert [said.index(kind) for kind in kinds] == sorted(said.index(kind) for kind in kinds)
    assert [one._timestamp for one in told] == sorted(one._timestamp for one in told)


async def test_no_station_speaks_as_a_drone_or_sets_a_key_even_in_control(sky: Sky) -> None:
    await until(lambda: "HEARTBEAT" in sky.field.kinds())
    lend(sky.bridge)
    sky.field.say(sky.field.mav.setup_signing_encode(1, 1, bytes(32), 0))
    sky.field.mav.srcSystem = 1
    sky.field.arm()
    await until(lambda: sky.refused("field") == {"sets_key": 1, "speaks_as_drone": 1})
    assert not sky.drone.drone.craft.is_armed
