"""What arrives at an autopilot is a mission to pymavlink's own loader of waypoints, and its files are missions to us."""

from pathlib import Path

import msgspec
import pymavlink.mavwp as mavwp

from mission.formats.waypoints_file import read_items
from telemetry.model.commands import UploadMission
from telemetry.model.mission_items import MissionItem
from telemetry.sources.mavlink.mission_compare import difference
from tests.pymavlink_autopilot import Autopilot
from tests.unit.test_mavlink_transfer import FENCE, line_to, mission_of, settle


def test_pymavlinks_loader_of_waypoints_reads_our_items_and_we_read_what_it_saves(tmp_path: Path) -> None:
    mission = (
        *(msgspec.structs.replace(item, param4=0.0) for item in mission_of(6)),
        MissionItem(command=178, frame=2, param1=1.0, param2=7.5),
        MissionItem(command=20, frame=2),
    )
    line = line_to(Autopilot())
    assert settle(line, UploadMission(device_id=1, command_id=5, mission=mission)).state == "delivered"
    loader = mavwp.MAVWPLoader()
    for item in line.vehicle.lists[0]:
        loader.add(
            mavwp.mavutil.mavlink.MAVLink_mission_item_message(
                1, 1, item.seq, item.frame, item.command, 0, 1, *_params(item)
            )
        )
    saved = tmp_path / "mission.waypoints"
    loader.save(str(saved))
    again = mavwp.MAVWPLoader()
    assert again.load(str(saved)) == len(mission) + 1
    assert [(again.wp(n).x, again.wp(n).y, again.wp(n).z) for n in range(2, 7)] == [
        (item.lat_e7 / 1e7, item.lon_e7 / 1e7, item.alt_m) for item in mission[1:6]
    ]
    assert again.is_location_wp(again.wp(2))
    assert difference(mission, read_items(saved.read_bytes())[1:]) == ""


def test_pymavlinks_loader_of_fences_takes_our_polygon() -> None:
    line = line_to(Autopilot())
    settle(line, UploadMission(device_id=1, command_id=5, fence=FENCE))
    loader = mavwp.MissionItemProtocol_Fence()
    for item in line.vehicle.lists[1]:
        loader.add(item)
    assert [loader.is_location_command(loader.wp(number).command) for number in range(loader.count())] == [True] * 4


def _params(item: object) -> tuple[float, ...]:
    names = ("param1", "param2", "param3", "param4")
    place = (item.x / 1e7, item.y / 1e7, item.z)  # type: ignore[attr-defined]
    return (*(getattr(item, name) for name in names), *place)
