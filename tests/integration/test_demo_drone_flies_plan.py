"""A planned sortie goes by our own pilot and bridge to a drone of the demo's force, is flown as planned, and the drone charges."""

from typing import cast

import pytest

from console.demo.autopilot.battery import ENDURANCE_S
from console.demo.drones import DockedDrone, docked_drone
from mission.formats.mavlink_items import items_of
from mission.pilot import Brief, Pilot
from mission.plan import Sortie
from mission.planner import plan_day
from mission.schedule.routing.problem import Effort
from telemetry.model.flight_events import SortieStep
from telemetry.model.geodesy import distance_m, local_plane
from telemetry.model.mission_items import MissionList
from telemetry.sources.mavlink import MavlinkDecoder
from tests.cockpit import READY, Cockpit
from tests.mavlink_scene import KEY, registry_of
from tests.patrol_day import day, hour, programme
from tests.pymavlink_autopilot import Autopilot, BadLine

TURN_US = 100_000


class OnTheLine:
    """A docked drone as the simulated line asks for its vehicles: it moves on by tenths of a second."""

    def __init__(self, drone: DockedDrone) -> None:
        self.drone = drone
        self._at_us = 0

    def feed(self, data: bytes, now_us: int) -> list[bytes]:
        """Hear a datagram."""
        return [answer] if (answer := self.drone.hear(data, now_us)) else []

    def tick(self, now_us: int) -> list[bytes]:
        """Move on to this time."""
        self._at_us = self._at_us or now_us - TURN_US
        sent = []
        while self._at_us + TURN_US <= now_us:
            self._at_us += TURN_US
            sent.append(self.drone.tick(self._at_us))
        return [data for data in sent if data]


@pytest.fixture(scope="module")
def sortie() -> Sortie:
    """The shortest sortie of a day."""
    plan = plan_day(programme(), day(), now_us=hour(0), effort=Effort(within_s=None, iterations=5, seed=1))
    return min((one for one in plan.sorties if one.waypoints), key=lambda one: one.landing_us - one.takeoff_us)


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_a_sortie_of_the_planner_is_flown_by_a_demo_drone(sortie: Sortie, loss: float) -> None:
    asked = programme()
    airframe = next(one for one in asked.airframes if one.airframe_id == sortie.airframe_id)
    dock = next(one for one in asked.docks if one.dock_id == sortie.dock_id)
    plane = local_plane(dock.lat_deg, dock.lon_deg)
    drone = docked_drone(
        None, (0.0, 0.0), plane, system_id=1, key=KEY, seed=4, first_takeoff_s=5.0, first_loss_s=20.0 if loss else 1e9
    )
    decoder = MavlinkDecoder(registry_of(1, keys={1: KEY}), "g", allow_unsigned=False)
    line = BadLine(decoder, cast("Autopilot", OnTheLine(drone)), loss=loss, delay_us=50_000)
    assert line.run(lambda: decoder.network.vehicle_of(1) is not None, at_most_s=60)
    plan = items_of(sortie, airframe, dock, zones=asked.zones)
    brief = Brief(sortie_id=sortie.sortie_id, plan=plan, waypoint_count=len(sortie.waypoints))
    cockpit = Cockpit(line, Pilot(1, brief, line.now_us), read=len(line.events))
    cockpit.say(cockpit.pilot.begin(READY, line.now_us))
    assert cockpit.fly(SortieStep.READY, SortieStep.FAILED)
    assert cockpit.pilot.step is SortieStep.READY, cockpit.pilot.state.reason_en
    craft = drone.pilot.craft
    assert [one.command for one in craft.store.mission] == [one.command for one in plan.mission]
    assert len(craft.store[MissionList.FENCE]) == len(plan.fence)
    craft.body.battery.ratio, began_us = 1.0, line.now_us
    cockpit.say(cockpit.pilot.start(READY, line.now_us))
    assert cockpit.fly(SortieStep.DONE, SortieStep.FAILED, at_most_s=2_400)
    assert (cockpit.pilot.step, cockpit.pilot.state.flown) == (SortieStep.DONE, len(sortie.waypoints))
    lat_deg, lon_deg = plane.from_plane(*craft.body.place)
    assert float(distance_m(lat_deg, lon_deg, dock.lat_deg, dock.lon_deg)) < 3.0
    assert (line.now_us - began_us) / 1e6 == pytest.approx((sortie.landing_us - sortie.takeoff_us) / 1e6, rel=0.15)
    planned_ratio = (1.0 - sortie.landing_battery_ratio) * airframe.endurance_s / ENDURANCE_S
    assert 1.0 - craft.body.battery.ratio == pytest.approx(planned_ratio, rel=0.2)
    assert craft.fence.breach_count == 0
    landed_ratio = craft.body.battery.ratio
    line.run(lambda: False, at_most_s=30)
    assert craft.body.battery.ratio > landed_ratio + 0.08
    assert drone.air.commands_refused == 0
