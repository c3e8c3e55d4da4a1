"""MAVSDK as ground station flies a demo drone: mission, fence, parameters, pause, going somewhere else, coming home."""

from collections.abc import AsyncIterator

import pytest
from mavsdk.asyncio import ComponentType, Configuration, Mavsdk, System
from mavsdk.asyncio.plugins.action import ActionAsync, ActionError
from mavsdk.asyncio.plugins.geofence import Circle, FenceType, GeofenceAsync, GeofenceData, Point, Polygon
from mavsdk.asyncio.plugins.mission_raw import MissionItem, MissionRawAsync, MissionRawError
from mavsdk.asyncio.plugins.param import ParamAsync
from mavsdk.asyncio.plugins.telemetry import TelemetryAsync

from console.demo.autopilot.numbers import CopterMode, MissionState
from telemetry.model.mission_items import MissionList
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG, DroneOnPort, demo_drone

RELATIVE = 6
NO_PLACE = 2


class Station:
    """A ground station's plugins for the one drone that it sees."""

    def __init__(self, system: System) -> None:
        self.action = ActionAsync(system)
        self.mission = MissionRawAsync(system)
        self.fence = GeofenceAsync(system)
        self.parameters = ParamAsync(system)
        self.telemetry = TelemetryAsync(system)


@pytest.fixture
async def station_and_drone() -> AsyncIterator[tuple[Station, DroneOnPort]]:
    with demo_drone(speed_up=40) as drone:
        configuration = Configuration.create_with_component_type(ComponentType.GROUND_STATION)
        async with Mavsdk(configuration) as mavsdk:
            await mavsdk.add_any_connection(f"udpout://127.0.0.1:{drone.port}")
            yield Station(await mavsdk.first_autopilot(timeout_s=60.0)), drone


def item(
    seq: int,
    command: int,
    place_m: tuple[float, float] | None = None,
    *,
    up_m: float = 0.0,
    frame: int = RELATIVE,
    params: tuple[float, ...] = (),
) -> MissionItem:
    """Return an item `place_m` metres north and east of the pad, or one without a place."""
    x = y = 0
    if place_m is not None:
        x = round((PAD_LAT_DEG + place_m[0] / 111_000.0) * 1e7)
        y = round((PAD_LON_DEG + place_m[1] / 90_000.0) * 1e7)
    return MissionItem(seq, frame, command, int(seq == 0), 1, *(*params, 0.0, 0.0, 0.0, 0.0)[:4], x, y, up_m, 0)


def loop() -> list[MissionItem]:
    return [
        item(0, 16, (0.0, 0.0), frame=0),
        item(1, 22, up_m=40.0),
        item(2, 16, (200.0, 0.0), up_m=40.0),
        item(3, 178, frame=NO_PLACE, params=(1.0, 12.0, -1.0)),
        item(4, 16, (200.0, 250.0), up_m=40.0),
        item(5, 16, (0.0, 250.0), up_m=40.0),
        item(6, 20, frame=NO_PLACE),
    ]


async def test_mavsdk_uploads_a_mission_flies_it_and_sees_it_done(
    station_and_drone: tuple[Station, DroneOnPort],
) -> None:
    station, drone = station_and_drone
    craft = drone.drone.craft
    await station.mission.upload_mission(loop())
    back = await station.mission.download_mission()
    assert [one.command for one in back] == [one.command for one in loop()]
    assert back[2].x == loop()[2].x
    corners = [Point(36.05, 103.82), Point(36.07, 103.82), Point(36.07, 103.84), Point(36.05, 103.84)]
    keep_out = Circle(Point(36.068, 103.838), 80.0, FenceType.EXCLUSION)
    await station.fence.upload_geofence(GeofenceData([Polygon(corners, FenceType.INCLUSION)], [keep_out]))
    assert [one.command for one in craft.store[MissionList.FENCE]] == [5001] * 4 + [5004]
    assert await station.parameters.get_param_float("FENCE_ALT_MAX") == 150.0
    await station.parameters.set_param_float("SIM_WIND_SPD", 4.0)
    assert craft.body.wind.speed_mps == 4.0
    await station.action.arm()
    await station.mission.start_mission()
    async for progress in station.mission.subscribe_mission_progress():
        if progress.current >= 5:
            break
    assert craft.mode is CopterMode.AUTO
    async for armed in station.telemetry.subscribe_armed():
        if not armed:
            break
    assert craft.run.state is MissionState.COMPLETE
    assert craft.body.place.away_m(craft.home) < 2.0
    assert craft.fence.breach_count == 0


async def test_mavsdk_takes_off_goes_somewhere_holds_and_comes_home(
    station_and_drone: tuple[Station, DroneOnPort],
) -> None:
    station, drone = station_and_drone
    craft = drone.drone.craft
    await station.telemetry.set_rate_position(10.0)
    await station.action.set_takeoff_altitude(30.0)
    await station.action.arm()
    await station.action.takeoff()
    async for position in station.telemetry.subscribe_position():
        if position.relative_altitude_m > 29.0:
            break
    await station.action.goto_location(PAD_LAT_DEG + 0.001, PAD_LON_DEG, craft.home_msl_m + 60.0, 90.0)
    async for position in station.telemetry.subscribe_position():
        if position.relative_altitude_m > 59.0 and position.latitude_deg > PAD_LAT_DEG + 0.00098:
            break
    assert craft.mode.name == "GUIDED"
    await station.action.hold()
    assert craft.mode.name == "BRAKE"
    await station.action.return_to_launch()
    assert craft.mode.name == "RTL"
    async for armed in station.telemetry.subscribe_armed():
        if not armed:
            break
    assert craft.body.place.away_m(craft.home) < 2.0


async def test_mavsdk_is_refused_what_an_arducopter_refuses(station_and_drone: tuple[Station, DroneOnPort]) -> None:
    station, drone = station_and_drone
    with pytest.raises(MissionRawError):
        await station.mission.start_mission()
    with drone.lock:
        drone.drone.craft.body.battery.ratio = 0.1
    with pytest.raises(ActionError):
        await station.action.arm()
    assert not drone.drone.craft.is_armed
