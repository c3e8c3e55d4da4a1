"""The demo's autopilot in the air: body and wind, battery, missions of every kind, fences, failsafes, refusals."""

from collections.abc import Callable

import pytest

from console.demo.autopilot.battery import ENDURANCE_S, Battery, effort
from console.demo.autopilot.body import STEP_S, Place
from console.demo.autopilot.building import craft_on
from console.demo.autopilot.craft import Craft
from console.demo.autopilot.numbers import CopterMode, FenceItem, Landed, MissionState, Result
from console.demo.autopilot.target import Target
from telemetry.model.geodesy import LocalPlane
from telemetry.model.mission_items import MissionItem, MissionList

LAT_DEG, LON_DEG = 36.06, 103.83
NOON_US = 1_790_136_000_000_000
PLANE = LocalPlane(LAT_DEG, LON_DEG)


def craft(**parameters: float) -> Craft:
    return craft_on(Place(0.0, 0.0), PLANE, seed=(7, 1), parameters=parameters)


def item(command: int, place_m: tuple[float, float] | None = None, up_m: float = 0.0, *params: float) -> MissionItem:
    first, second, third, fourth = (*params, None, None, None, None)[:4]
    lat_e7 = lon_e7 = 0
    if place_m is not None:
        lat, lon = PLANE.from_plane(*place_m)
        lat_e7, lon_e7 = round(float(lat) * 1e7), round(float(lon) * 1e7)
    return MissionItem(
        command=command,
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        alt_m=up_m,
        param1=first,
        param2=second,
        param3=third,
        param4=fourth,
    )


def fly(one: Craft, until: Callable[[], bool], *, within_s: float = 400.0) -> float:
    """Fly until something is so and return how long that took."""
    for number in range(round(within_s / STEP_S)):
        if until():
            return number * STEP_S
        one.step(NOON_US + round(one.uptime_s * 1e6))
    pytest.fail(f"not so within {within_s} s: {one.mode.name} {one.said}")


def started(*items: MissionItem, **parameters: float) -> Craft:
    """Return a craft that was told to fly a mission from the ground."""
    one = craft(**parameters)
    one.replace(MissionList.MISSION, items)
    assert one.arm() is Result.ACCEPTED
    assert one.start_mission() is Result.ACCEPTED
    return one


def aloft(**parameters: float) -> Craft:
    """Return a craft that hovers at 40 m in GUIDED."""
    one = craft(**parameters)
    one.set_mode(CopterMode.GUIDED)
    one.arm()
    assert one.take_off(40.0) is Result.ACCEPTED
    fly(one, lambda: one.landed is Landed.IN_AIR, within_s=60)
    return one


def texts(one: Craft) -> list[str]:
    return [text for _, text in one.said]


def test_a_body_holds_its_place_in_wind_and_is_carried_by_more_than_it_can_fly() -> None:
    one = aloft(SIM_WIND_SPD=12.0, SIM_WIND_DIR=270.0)
    fly(one, lambda: one.uptime_s > 60.0, within_s=60)
    assert one.body.place.away_m(Place(0.0, 0.0)) < 3.0
    assert 10.0 < one.body.airspeed_mps < 14.0
    one.body.wind.speed_mps = 26.0
    before_m = one.body.place.east_m
    for _ in range(100):
        one.step(NOON_US)
    assert one.body.place.east_m - before_m > 25.0


def test_a_battery_lasts_its_endurance_hovering_and_less_against_the_wind_or_climbing() -> None:
    battery = Battery()
    for _ in range(round(ENDURANCE_S / 2 / STEP_S)):
        battery.drain(effort(0.0, 0.0), over_s=STEP_S)
    assert battery.ratio == pytest.approx(0.5, abs=0.001)
    assert battery.left_s == pytest.approx(ENDURANCE_S / 2, abs=2)
    assert effort(8.0, 0.0) == 1.0 < effort(8.0, 2.0) < effort(18.0, 2.0)
    battery.charge(over_s=60.0)
    assert battery.ratio == pytest.approx(0.7, abs=0.001)


def test_a_mission_is_flown_item_by_item_jumps_counted_and_ends_at_home() -> None:
    one = started(
        item(22, None, 30.0),
        item(16, (100.0, 0.0), 30.0),
        item(178, None, 0.0, 1.0, 14.0, -1.0),
        item(16, (100.0, 120.0), 30.0),
        item(177, None, 0.0, 2.0, 2.0),
        item(20),
    )
    fly(one, lambda: not one.is_armed)
    assert one.reached == [1, 2, 4, 2, 4, 2, 4, 6]
    assert one.run.state is MissionState.COMPLETE
    assert one.body.place.away_m(one.home) < 1.5
    assert "Mission complete" in texts(one)


def test_a_drone_holds_at_a_waypoint_circles_and_loiters_as_long_as_it_is_told() -> None:
    one = started(
        item(22, None, 20.0), item(16, (60.0, 0.0), 20.0, 15.0), item(18, (60.0, 40.0), 20.0, 2.0, 0.0, 25.0),
        item(19, (0.0, 0.0), 20.0, 10.0), item(21),
    )  # fmt: skip
    fly(one, lambda: one.run.number == 2, within_s=60)
    assert fly(one, lambda: one.run.number == 3, within_s=60) > 20.0
    farthest_m = 0.0
    while one.run.number == 3:
        one.step(NOON_US)
        farthest_m = max(farthest_m, one.body.place.away_m(Place(60.0, 40.0)))
    assert 22.0 < farthest_m < 45.0
    fly(one, lambda: not one.is_armed)
    assert one.body.place.away_m(Place(0.0, 0.0)) < 2.0


def test_a_delay_waits_on_the_ground_until_its_time_of_day() -> None:
    one = started(item(93, None, 0.0, -1.0, -1.0, -1.0, 30.0), item(22, None, 10.0), item(21))
    waited_s = fly(one, lambda: not one.is_landed, within_s=70)
    assert waited_s == pytest.approx((30.0 - NOON_US / 1e6) % 60.0, abs=0.5)
    fly(one, lambda: not one.is_armed)


def test_the_nose_follows_a_region_of_interest_and_photos_are_taken_by_distance() -> None:
    one = started(
        item(22, None, 40.0), item(195, (0.0, 100.0), 0.0), item(206, None, 0.0, 20.0), item(16, (200.0, 0.0), 40.0),
        item(206, None, 0.0, 0.0), item(197), item(20),
    )  # fmt: skip
    fly(one, lambda: one.run.number == 4, within_s=60)
    fly(one, lambda: one.body.place.east_m > 100.0, within_s=60)
    assert one.body.heading_deg == pytest.approx(one.body.place.bearing_deg(Place(0.0, 100.0)), abs=5.0)
    fly(one, lambda: one.camera.roi is None, within_s=60)
    assert one.run.number == 7
    assert one.camera.photo_count in {10, 11}


def test_a_paused_mission_stops_and_goes_on_and_another_item_may_be_next() -> None:
    one = started(item(22, None, 20.0), item(16, (300.0, 0.0), 20.0), item(16, (0.0, 300.0), 20.0), item(20))
    fly(one, lambda: one.body.place.east_m > 50.0)
    assert one.pause(is_on=True) is Result.ACCEPTED
    fly(one, lambda: one.body.speed_mps < 0.2, within_s=20)
    assert one.mission_state is MissionState.PAUSED
    assert one.pause(is_on=False) is Result.ACCEPTED
    assert one.run.jump_to(3)
    fly(one, lambda: one.body.place.north_m > 200.0)
    assert one.body.place.east_m < 120.0


def test_arming_is_refused_as_an_arducopter_refuses_it() -> None:
    lost = craft_on(Place(0.0, 0.0), PLANE, seed=(7, 1), position_after_s=5.0)
    assert lost.set_mode(CopterMode.GUIDED) is Result.FAILED
    assert texts(lost)[-1] == "Mode change to GUIDED failed: requires position"
    fly(lost, lambda: lost.has_position, within_s=6)
    assert lost.set_mode(CopterMode.BRAKE) is Result.ACCEPTED
    assert lost.arm() is Result.FAILED
    assert texts(lost)[-1] == "Arm: BRAKE mode not armable"
    lost.set_mode(CopterMode.LOITER)
    lost.body.battery.ratio = 0.1
    assert lost.arm() is Result.FAILED
    assert texts(lost)[-1] == "Arm: Battery 1 below minimum arming capacity"
    assert lost.arm(is_forced=True) is Result.ACCEPTED
    assert lost.disarm() is Result.ACCEPTED


def test_auto_wants_a_mission_that_takes_off_and_motors_stop_when_nobody_does() -> None:
    one = craft()
    assert one.set_mode(CopterMode.AUTO) is Result.FAILED
    assert texts(one)[-1] == "Mode change to AUTO failed: no mission"
    one.replace(MissionList.MISSION, (item(16, (50.0, 0.0), 20.0),))
    one.arm()
    assert one.start_mission() is Result.FAILED
    assert texts(one)[-1] == "Mode change to AUTO failed: Missing Takeoff Cmd"
    assert fly(one, lambda: not one.is_armed, within_s=15) == pytest.approx(10.0, abs=0.3)


@pytest.mark.parametrize(
    ("fence", "text"),
    [
        ((item(5003, (0.0, 0.0), 0.0, 150.0),), "Polygon fence breached"),
        ((item(5004, (300.0, 0.0), 0.0, 100.0),), "Polygon fence breached"),
    ],
)
def test_a_broken_fence_brings_the_drone_home(fence: tuple[MissionItem, ...], text: str) -> None:
    one = aloft()
    one.replace(MissionList.FENCE, fence)
    one.go_to(Target(Place(600.0, 0.0), 40.0))
    fly(one, lambda: one.mode is CopterMode.RTL)
    assert text in texts(one)
    assert one.body.place.east_m < 240.0
    fly(one, lambda: not one.is_armed)
    assert one.body.place.away_m(one.home) < 1.5


def test_too_high_is_outside_the_fence_and_switching_it_off_counts() -> None:
    one = aloft(FENCE_ALT_MAX=60.0)
    one.go_to(Target(Place(0.0, 0.0), 80.0))
    fly(one, lambda: one.mode is CopterMode.RTL, within_s=60)
    assert "Max Alt fence breached" in texts(one)
    free = aloft(FENCE_ALT_MAX=60.0, FENCE_ENABLE=0.0)
    free.go_to(Target(Place(0.0, 0.0), 80.0))
    fly(free, lambda: free.body.height_m > 79.0, within_s=60)
    assert free.mode is CopterMode.GUIDED


def test_a_low_battery_brings_it_home_and_a_critical_one_down_where_it_is() -> None:
    one = aloft()
    one.go_to(Target(Place(300.0, 0.0), 40.0))
    fly(one, lambda: one.body.place.east_m > 250.0)
    one.body.battery.ratio = 0.24
    fly(one, lambda: one.mode is CopterMode.RTL, within_s=2)
    one.body.battery.ratio = 0.07
    fly(one, lambda: one.mode is CopterMode.LAND, within_s=2)
    fly(one, lambda: not one.is_armed, within_s=60)
    assert one.body.place.away_m(one.home) > 100.0


def test_a_silent_ground_station_sends_it_home_where_that_is_set_and_not_in_a_mission_that_may_go_on() -> None:
    one = aloft(FS_GCS_ENABLE=1.0)
    one.ground_heard_us = one.utc_us
    assert fly(one, lambda: one.mode is CopterMode.RTL, within_s=20) == pytest.approx(5.0, abs=1.0)
    assert "GCS Failsafe" in texts(one)
    keen = started(item(22, None, 20.0), item(17, (50.0, 0.0), 20.0), FS_GCS_ENABLE=1.0, FS_OPTIONS=2.0)
    keen.ground_heard_us = NOON_US
    fly(keen, lambda: keen.uptime_s > 40.0, within_s=41)
    assert keen.mode is CopterMode.AUTO


def test_it_lands_at_a_rally_point_that_is_nearer_than_home() -> None:
    one = aloft()
    one.replace(MissionList.RALLY, (item(FenceItem.RALLY, (400.0, 0.0), 30.0),))
    one.go_to(Target(Place(350.0, 30.0), 40.0))
    fly(one, lambda: one.body.place.east_m > 340.0)
    assert one.set_mode(CopterMode.RTL) is Result.ACCEPTED
    fly(one, lambda: not one.is_armed)
    assert one.body.place.away_m(Place(400.0, 0.0)) < 1.5


def test_a_velocity_that_is_not_told_again_ends_after_three_seconds() -> None:
    one = aloft()
    one.go_to(Target(one.body.place, 40.0).drift(4.0, 0.0, 0.0))
    fly(one, lambda: one.body.east_mps > 3.5, within_s=3)
    fly(one, lambda: one.body.speed_mps < 0.3, within_s=6)
    assert 5.0 < one.body.place.east_m < 20.0


def test_disarming_in_the_air_needs_force() -> None:
    one = aloft()
    assert one.disarm() is Result.FAILED
    assert one.set_mode(CopterMode.STABILIZE) is Result.FAILED
    assert one.disarm(is_forced=True) is Result.ACCEPTED
    assert one.landed is Landed.ON_GROUND
