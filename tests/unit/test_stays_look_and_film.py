"""A drone that stays over a place looks at it and films for the whole of its stay: a responder's errand, a watch of a relay."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest

from console.demo.autopilot.body import Place
from console.demo.autopilot.building import craft_on
from console.demo.autopilot.numbers import CopterMode, Result
from mission.flying.responder import candidates_for
from mission.flying.responder_trip import Errand, Standing
from mission.formats.mavlink_items import VIDEO_START, VIDEO_STOP, WAYPOINT, items_of, place_count
from mission.model import Airframe, Dock, Programme, Window
from mission.plan import CameraAction, Sortie
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from telemetry.model.geodesy import local_plane
from telemetry.model.mission_items import MissionList
from tests.flown_day import DOCK, HAWK, LOOK, SORTIE
from tests.patrol_day import airframe, day, dock, hour, place, programme, tasks

NOON_US = hour(12)
STEP_US = 100_000
NEAR_M = 4.0


class Moment(NamedTuple):
    """A tenth of a second of a flight."""

    away_m: float
    pitch_deg: float
    looks: bool
    films: bool


def flight(sortie: Sortie, frame: Airframe, home: Dock, goal: int) -> Iterator[Moment]:
    """Fly a sortie with the demo's autopilot; how far it is from waypoint `goal` (from 0), and what its camera does."""
    plane = local_plane(home.lat_deg, home.lon_deg)
    craft = craft_on(Place(0.0, 0.0), plane, seed=(1, 1))
    craft.replace(MissionList.MISSION, items_of(sortie, frame, home).mission)
    craft.set_mode(CopterMode.GUIDED)
    assert (craft.arm(), craft.start_mission()) == (Result.ACCEPTED, Result.ACCEPTED)
    stand = Place(
        *(float(each) for each in plane.to_plane(sortie.waypoints[goal].lat_deg, sortie.waypoints[goal].lon_deg))
    )
    at_us = NOON_US
    while craft.is_armed:
        craft.step(at_us)
        at_us += STEP_US
        assert at_us < NOON_US + 3_600_000_000
        camera = craft.camera
        yield Moment(craft.body.place.away_m(stand), camera.pitch_deg, camera.roi is not None, camera.is_recording)


def stay_of(moments: Iterator[Moment]) -> list[Moment]:
    """Return the moments near the place, from the first to the last."""
    whole = list(moments)
    near = [number for number, moment in enumerate(whole) if moment.away_m < NEAR_M]
    return whole[near[0] : near[-1] + 1]


def errand() -> tuple[Sortie, Airframe, Dock]:
    frame, home = airframe(1, 1), dock(1, 500, 0)
    lon_deg, lat_deg = place(50, 400)
    whole = Programme(airframes=(frame,), docks=(home,))
    wanted = Errand(lat_deg=lat_deg, lon_deg=lon_deg, stay_s=100.0)
    (found,) = candidates_for(wanted, whole, [Standing(airframe_id=1, battery_ratio=1.0)], now_us=NOON_US)
    assert found.sortie is not None
    return found.sortie, frame, home


def watch() -> tuple[Sortie, Airframe, Dock]:
    festival = msgspec.structs.replace(tasks()[1], recurrence=None, windows=(Window(hour(12), hour(12.75)),))
    whole = programme(tasks=(festival,), zones=())
    plan = plan_day(whole, day(), now_us=hour(0), effort=Effort(within_s=None, iterations=1, seed=1))
    sortie = next(one for one in plan.sorties if one.on_watch is not None and not one.is_standby)
    frame = next(one for one in whole.airframes if one.airframe_id == sortie.airframe_id)
    return sortie, frame, next(one for one in whole.docks if one.dock_id == sortie.dock_id)


def test_an_errand_is_looked_at_and_filmed_while_the_drone_stands_before_it() -> None:
    sortie, frame, home = errand()
    goal = next(number for number, waypoint in enumerate(sortie.waypoints) if waypoint.hold_s > 0.0)
    stay = stay_of(flight(sortie, frame, home, goal))
    assert len(stay) * STEP_US / 1e6 >= sortie.waypoints[goal].hold_s
    looking_s = sum(moment.looks and moment.films for moment in stay) * STEP_US / 1e6
    assert looking_s >= sortie.waypoints[goal].hold_s


def test_a_watch_of_a_relay_is_filmed_with_the_camera_down_for_all_its_time() -> None:
    sortie, frame, home = watch()
    goal = next(number for number, waypoint in enumerate(sortie.waypoints) if waypoint.hold_s > 0.0)
    held_s, pitch_deg = sortie.waypoints[goal].hold_s, sortie.waypoints[goal].gimbal_pitch_deg
    assert held_s > 600.0
    stay = stay_of(flight(sortie, frame, home, goal))
    watched_s = sum(moment.films and moment.pitch_deg == pytest.approx(pitch_deg, abs=1.0) for moment in stay)
    assert watched_s * STEP_US / 1e6 >= held_s


@pytest.mark.parametrize("action", [CameraAction.PHOTO, CameraAction.STOP_VIDEO])
def test_a_photo_and_the_end_of_a_film_come_when_the_stay_is_over(action: CameraAction) -> None:
    sortie = msgspec.structs.replace(SORTIE, waypoints=(msgspec.structs.replace(LOOK, action=action),))
    commands = [(item.command, item.param1) for item in items_of(sortie, HAWK, DOCK).mission]
    places = [number for number, (command, _) in enumerate(commands) if command == WAYPOINT]
    assert [commands[number][1] for number in places] == [0.0, 90.0]
    assert commands[places[1] + 1][0] in {2000, VIDEO_STOP}
    assert VIDEO_START not in [command for command, _ in commands]


def test_a_controller_s_places_are_counted_as_they_are_told() -> None:
    plan = items_of(SORTIE, HAWK, DOCK)
    assert place_count(SORTIE, msgspec.structs.replace(HAWK, firmware="dji")) == 4
    assert place_count(SORTIE, HAWK) == sum(item.command == WAYPOINT for item in plan.mission) == 5
