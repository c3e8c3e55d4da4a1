"""A demo drone patrols by itself until somebody else wants it; afterwards it charges and goes back to its loop."""

import numpy as np

from console.demo.autopilot.body import STEP_S
from console.demo.autopilot.numbers import CopterMode
from console.demo.dock_pilot import HANDED_BACK_S, DockPilot, Phase
from console.demo.drones import DockedDrone, docked_drone, practice_drone
from console.demo.force_config import Doors, ForceConfig
from console.demo.patrols import patrol_routes
from telemetry.model.geodesy import local_plane
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.frame import FrameReader, Value, encode, values

START_US = 1_790_000_000_000_000
PLANE = local_plane(36.06, 103.83)
SHORT = (
    MissionItem(command=16, frame=0),
    MissionItem(command=22, alt_m=40.0),
    MissionItem(command=16, lat_e7=360_610_000, lon_e7=1_038_300_000, alt_m=40.0),
    MissionItem(command=20, frame=2),
)


def docked(*, first_takeoff_s: float = 5.0) -> DockedDrone:
    return docked_drone(
        patrol_routes(1, 4)[0], (0.0, 0.0), PLANE, system_id=1, key=None, seed=4, first_takeoff_s=first_takeoff_s,
        first_loss_s=1e9,
    )  # fmt: skip


def say(drone: DockedDrone, name: str, **fields: Value) -> list[dict[str, Value]]:
    whole = {"target_system": 1, "target_component": 1} | fields
    answers = drone.hear(encode(name, whole, system_id=255, component_id=190, sequence=0), START_US)
    return [values(frame) for frame in FrameReader().feed(answers)]


def command(drone: DockedDrone, number: int, *params: float) -> None:
    given: dict[str, Value] = {f"param{place}": value for place, value in enumerate(params, 1)}
    given |= {"target_system": drone.system_id}
    (answer,) = say(drone, "COMMAND_LONG", command=number, **given)
    assert answer["result"] == 0, number


def upload(drone: DockedDrone) -> None:
    say(drone, "MISSION_COUNT", count=len(SHORT))
    for number, item in enumerate(SHORT):
        place: dict[str, Value] = {"x": item.lat_e7, "y": item.lon_e7, "z": item.alt_m, "frame": item.frame}
        (answer,) = say(drone, "MISSION_ITEM_INT", seq=number, command=item.command, autocontinue=1, **place)
    assert answer["type"] == 0


def wait(pilot: DockPilot, until_s: float) -> None:
    """Let so many seconds pass."""
    for _ in range(round(until_s / STEP_S)):
        pilot.step()
        pilot.craft.step(START_US + round(pilot.craft.uptime_s * 1e6))


def test_a_drone_in_its_dock_waits_with_its_mission_flies_it_charges_and_goes_back_to_its_loop() -> None:
    drone = docked()
    pilot, craft = drone.pilot, drone.pilot.craft
    upload(drone)
    wait(pilot, 2.0 * HANDED_BACK_S)
    assert (pilot.phase, pilot.on_ground) == (Phase.TAKEN, True)
    assert craft.body.battery.ratio == 1.0
    command(drone, 176, 1.0, 4.0)
    command(drone, 400, 1.0)
    command(drone, 300)
    wait(pilot, 10.0)
    assert craft.landed.name == "TAKEOFF"
    wait(pilot, 120.0)
    assert pilot.on_ground
    assert craft.body.place.away_m(pilot.pad) < 2.0
    wait(pilot, 30.0)
    assert craft.body.battery.ratio > 0.97
    wait(pilot, HANDED_BACK_S + 80.0)
    assert pilot.phase is Phase.PATROL
    assert len(craft.store.mission) > 8


def test_a_drone_on_its_loop_holds_for_a_new_mission_and_then_flies_it() -> None:
    drone = docked()
    pilot, craft = drone.pilot, drone.pilot.craft
    wait(pilot, 90.0)
    assert (pilot.phase, craft.mode) == (Phase.PATROL, CopterMode.AUTO)
    upload(drone)
    assert (pilot.phase.value, craft.mode.name) == ("taken", "LOITER")
    command(drone, 400, 1.0)
    command(drone, 300)
    wait(pilot, 300.0)
    assert pilot.on_ground
    assert len(craft.store.mission) == len(SHORT) - 1


def test_a_drone_that_was_given_a_mission_in_the_air_and_no_start_goes_home() -> None:
    drone = docked()
    wait(drone.pilot, 90.0)
    upload(drone)
    wait(drone.pilot, 299.0)
    assert drone.pilot.craft.mode.name == "LOITER"
    wait(drone.pilot, 180.0)
    assert drone.pilot.on_ground
    assert drone.pilot.craft.store[MissionList.MISSION]


def test_a_pause_from_outside_stops_the_loop_and_a_fence_takes_nothing_over() -> None:
    drone = docked()
    wait(drone.pilot, 90.0)
    say(drone, "MISSION_COUNT", count=0, mission_type=1)
    assert drone.pilot.phase is Phase.PATROL
    command(drone, 193, 0.0)
    wait(drone.pilot, 10.0)
    assert drone.pilot.craft.body.speed_mps < 0.3
    command(drone, 193, 1.0)
    wait(drone.pilot, 10.0)
    assert drone.pilot.craft.body.speed_mps > 3.0
    assert not drone.pilot.go(np.array([[100.0, 100.0]]))


def test_a_drone_for_practice_has_no_key_and_stays_in_its_dock_until_it_is_commanded() -> None:
    doors = Doors(("127.0.0.1", 1), ("127.0.0.1", 1), ("127.0.0.1", 1), ("127.0.0.1", 1))
    drone = practice_drone(ForceConfig(seed=1, roads="", doors=doors, units=(), practice=("127.0.0.1", 14_550)))
    frames = [frame for turn in range(100) for frame in FrameReader().feed(drone.tick(START_US + turn * 100_000))]
    assert all(frame.signature is None for frame in frames)
    wait(drone.pilot, 600.0)
    assert drone.on_ground
    command(drone, 176, 1.0, 4.0)
    command(drone, 400, 1.0)
    command(drone, 22, 0, 0, 0, 0, 0, 0, 20.0)
    wait(drone.pilot, 20.0)
    assert drone.pilot.craft.body.height_m > 19.0
    command(drone, 20)
    wait(drone.pilot, 500.0)
    assert drone.on_ground
