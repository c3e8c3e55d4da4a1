"""A person flies a demo drone by our own bridge: control, MAVSDK in its own process, our own commands where MAVSDK fails, and its death."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.api.models_flights import WantAction
from console.auth.accounts import Account
from console.flight.desk import FlightDesk
from console.flight.drones import Place
from console.orders import CommandDesk
from console.wire import Role
from console.wire_flight import ActionView, ActionWay
from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from mission.model import Airframe, Dock
from mission.plan import Sortie, Waypoint
from telemetry.bridge import Bridge
from telemetry.links.udp import UdpLink
from telemetry.model.commands import CommandState, FlightAction
from telemetry.model.events import LandedChanged, LandedState
from telemetry.model.flight_events import SortieStep
from telemetry.model.unit import Assignment, Device, DutyStatus, Service, Unit, UnitKind
from telemetry.registry.table import RegistryContents, RegistryTable
from tests.demo_drone import PAD_LAT_DEG, PAD_LON_DEG, DroneOnPort, demo_drone

HAWK = 7
NO_PLACE = Place(
    lat_deg=0.0,
    lon_deg=0.0,
    alt_msl_m=None,
    alt_home_m=None,
    battery_ratio=None,
    is_heard=False,
    is_armed=None,
    is_airborne=None,
)
KEY = bytes(range(32))
WANG = Account(account_id=1, name="wang", role=Role.OPERATOR)


class Everybody:
    """Accounts that are all signed in."""

    async def signed_in(self, account_ids: Sequence[int], *, now_us: int, idle_us: int) -> frozenset[int]:
        assert now_us > idle_us
        return frozenset(account_ids)


@dataclass
class Sky:
    """A bridge, the desk over it, and one drone in the air of this process."""

    bridge: Bridge
    desk: FlightDesk
    drone: DroneOnPort

    async def order(self, action: FlightAction, **wanted: float) -> ActionView:
        """Order a confirmed action and return it once it ended."""
        want = WantAction(action=action, **wanted)  # type: ignore[arg-type]
        token = (await self.desk.prepare(HAWK, want, WANG)).token
        await self.desk.order(HAWK, WantAction(action=action, token=token, **wanted), WANG)  # type: ignore[arg-type]
        await until(lambda: self.desk.view(HAWK).actions[0].ended_ms is not None)
        return self.desk.view(HAWK).actions[0]


async def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a drone offers no event
            await asyncio.sleep(0.02)


def registry() -> RegistryTable:
    hawk = Unit(unit_id=HAWK, call_sign="Hawk 7", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE)
    return RegistryTable(
        RegistryContents(
            units=(hawk,),
            devices=(Device(device_id=1, protocol="mavlink", address="main/1"),),
            assignments=(Assignment(device_id=1, unit_id=HAWK, started_us=0),),
            signing_keys={1: KEY},
        )
    )


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncIterator[Sky]:
    settings = Settings(data_dir=tmp_path, ingest_port=0, mavlink_links="udpin:127.0.0.1:0")
    journal = Journal.open(tmp_path / "journal")
    bridge = Bridge(registry(), journal, SYSTEM_CLOCK, settings)
    await bridge.start()
    running = asyncio.create_task(bridge.run())
    orders = CommandDesk(bridge, SYSTEM_CLOCK)
    desk = FlightDesk(bridge, SYSTEM_CLOCK, Everybody(), orders=orders, idle_s=3600, briefs_dir=tmp_path / "briefs")
    port = next(link.port for link in bridge.links if isinstance(link, UdpLink))
    with demo_drone(ground=("127.0.0.1", port), key=KEY, speed_up=20, parameters={"DISARM_DELAY": 127.0}) as drone:
        try:
            await until(lambda: bool(bridge.ways_of(1)) and desk.drones.place_of(HAWK) is not None)
            await desk.control.take(1, WANG)
            yield Sky(bridge, desk, drone)
        finally:
            await desk.stop()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.to_thread(journal.close)


async def test_a_person_takes_off_goes_there_holds_and_comes_home(sky: Sky) -> None:
    craft = sky.drone.drone.craft
    up = await sky.order(FlightAction.TAKE_OFF, alt_home_m=30.0)
    assert (up.state, up.ended_ms is not None) == (CommandState.DELIVERED, True), up
    await until(lambda: craft.body.height_m > 25.0)
    there = await sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG + 0.002, lon_deg=PAD_LON_DEG, alt_home_m=40.0)
    assert (there.state, there.way) == (CommandState.DELIVERED, ActionWay.MAVSDK), there
    await until(lambda: craft.body.place.north_m > 100.0)
    held = await sky.order(FlightAction.HOLD)
    assert (held.state, held.way) == (CommandState.DELIVERED, ActionWay.OWN), held
    home = await sky.order(FlightAction.RETURN_HOME)
    assert (home.state, home.way) == (CommandState.DELIVERED, ActionWay.MAVSDK), home
    await until(lambda: craft.body.height_m < 0.5)


async def test_when_mavsdk_dies_over_an_action_our_own_command_does_it_and_the_next_one_is_mavsdks_again(
    sky: Sky,
) -> None:
    await sky.order(FlightAction.TAKE_OFF, alt_home_m=30.0)
    await sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG + 0.002, lon_deg=PAD_LON_DEG)
    engine = sky.desk.engine
    process = engine._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)  # so that it cannot be faster
    ordering = asyncio.create_task(sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG, lon_deg=PAD_LON_DEG + 0.001))
    await until(lambda: bool(engine._waiting))
    process.kill()
    there = await ordering
    assert (there.state, there.way, engine.crashes) == (CommandState.DELIVERED, ActionWay.OWN, 1), there
    assert "MAVSDK ended over this action" in there.answer
    with sky.drone.lock:
        sky.drone.drone.craft.body.battery.ratio = 1.0  # however long the next process takes to start
    again = await sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG + 0.001, lon_deg=PAD_LON_DEG)
    assert (again.state, again.way) == (CommandState.DELIVERED, ActionWay.MAVSDK), again


async def test_a_newer_order_ends_one_that_mavsdk_is_still_at_and_the_way_home_does_not_wait_for_mavsdk(
    sky: Sky,
) -> None:
    await sky.order(FlightAction.TAKE_OFF, alt_home_m=30.0)
    await sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG + 0.002, lon_deg=PAD_LON_DEG)
    engine, craft = sky.desk.engine, sky.drone.drone.craft
    assert engine._process is not None
    engine._process.send_signal(signal.SIGSTOP)
    ordering = asyncio.create_task(sky.order(FlightAction.GO_TO, lat_deg=PAD_LAT_DEG, lon_deg=PAD_LON_DEG + 0.001))
    await until(lambda: bool(engine._waiting))
    held = await sky.order(FlightAction.HOLD)
    assert (held.state, held.way) == (CommandState.DELIVERED, ActionWay.OWN), held
    await ordering
    _, older = sky.desk.view(HAWK).actions[:2]
    assert (older.state, older.answer) == (CommandState.REFUSED, "given up for a newer order: hold"), older
    engine.expect(1)
    await until(lambda: engine._is_ready)
    assert engine._process is not None
    engine._process.send_signal(signal.SIGSTOP)
    home = await sky.order(FlightAction.RETURN_HOME)
    assert (home.state, home.way) == (CommandState.DELIVERED, ActionWay.OWN), home
    assert home.answer == "MAVSDK did not answer within 3 s"
    await until(lambda: craft.body.height_m < 0.5)


def sortie() -> Sortie:
    """North 150 m, west 100 m, and home."""
    places = ((0.00135, 0.0), (0.00135, -0.0011))
    return Sortie(
        sortie_id=5,
        airframe_id=1,
        dock_id=1,
        takeoff_us=0,
        landing_us=1,
        free_us=2,
        visit_ids=(),
        task_ids=(),
        waypoints=tuple(
            Waypoint(lat_deg=PAD_LAT_DEG + north, lon_deg=PAD_LON_DEG + east, alt_home_m=40.0, speed_mps=12.0)
            for north, east in places
        ),
        length_m=500.0,
        landing_battery_ratio=0.8,
        transit_alt_home_m=40.0,
    )


async def test_a_sortie_is_put_on_board_started_watched_with_its_time_of_arrival_and_done(sky: Sky) -> None:
    airframe = Airframe(airframe_id=1, name="Hawk 7", dock_id=1, unit_id=HAWK)
    dock = Dock(dock_id=1, name="Dock", lat_deg=PAD_LAT_DEG, lon_deg=PAD_LON_DEG)
    steps: list[str] = []

    def step() -> SortieStep:
        view = sky.desk.view(HAWK).sortie
        assert view is not None
        assert view.step is not SortieStep.FAILED, view
        steps.append(view.step.value)
        return view.step

    await until(lambda: (sky.desk.drones.place_of(HAWK) or NO_PLACE).battery_ratio is not None)
    await sky.desk.hand(HAWK, sortie(), airframe, dock, WANG)
    await until(lambda: step() is SortieStep.READY)
    assert len(sky.drone.drone.craft.store.mission) >= 4
    await sky.desk.start(HAWK, WANG)
    await until(lambda: step() is SortieStep.FLYING)
    view = sky.desk.view(HAWK).sortie
    assert view is not None
    assert view.arrive_ms is not None
    assert view.left_m == pytest.approx(250, abs=60)
    await until(lambda: step() is SortieStep.DONE)
    done = sky.desk.view(HAWK)
    assert done.sortie is not None
    assert (done.sortie.flown, done.sortie.waypoint_count, done.sortie.given_by) == (2, 2, "wang")
    assert {order.action for order in done.actions} >= {FlightAction.ARM, FlightAction.START}


async def test_the_links_of_a_drone_are_shown_with_loss_and_delay(sky: Sky) -> None:
    await until(lambda: any(way.rtt_ms is not None for way in sky.desk.view(HAWK).links))
    (way,) = sky.desk.view(HAWK).links
    assert (way.link, way.is_best, way.loss_ratio) == (f"udp {way.peer}", True, 0.0)


async def test_a_sortie_that_had_to_wait_begins_by_itself_and_a_restart_goes_on_with_it(
    sky: Sky, tmp_path: Path
) -> None:
    airframe = Airframe(airframe_id=1, name="Hawk 7", dock_id=1, unit_id=HAWK)
    dock = Dock(dock_id=1, name="Dock", lat_deg=PAD_LAT_DEG, lon_deg=PAD_LON_DEG)
    with sky.drone.lock:
        sky.drone.drone.craft.body.battery.ratio = 0.05
    await until(lambda: ((sky.desk.drones.place_of(HAWK) or NO_PLACE).battery_ratio or 1.0) < 0.1)
    view = await sky.desk.hand(HAWK, sortie(), airframe, dock, WANG)
    assert view.sortie is not None
    assert (view.sortie.step, view.sortie.cause) == (SortieStep.HANDED, "battery")
    with sky.drone.lock:
        sky.drone.drone.craft.body.battery.ratio = 1.0

    def step(desk: FlightDesk) -> SortieStep | None:
        told = desk.view(HAWK).sortie
        return None if told is None else told.step

    await until(lambda: step(sky.desk) is SortieStep.READY)
    now_us = SYSTEM_CLOCK.now_us()
    sky.desk.sorties.hear(
        LandedChanged(device_id=1, observed_us=now_us, received_us=now_us, landed=LandedState.ON_GROUND), now_us
    )
    async with asyncio.timeout(30.0):  # what comes in the moment of the end does not keep it from ending
        await sky.desk.stop()
    again = FlightDesk(
        sky.bridge,
        SYSTEM_CLOCK,
        Everybody(),
        orders=CommandDesk(sky.bridge, SYSTEM_CLOCK),
        idle_s=3600,
        briefs_dir=tmp_path / "briefs",
    )
    await again.sorties.restore()
    given = again.sorties.given(1)
    assert given is not None
    assert given.sortie == sortie()
    await again.start(HAWK, WANG)
    await until(lambda: step(again) is SortieStep.FLYING)
    await again.stop()
