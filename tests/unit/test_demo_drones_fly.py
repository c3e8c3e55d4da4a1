"""Demo drones fly plausibly: out, round, home on a low battery, charged and out again; and our own decoder believes them."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import shapely

from console.demo.autopilot.body import ACCELERATION_MPS2, STEP_S
from console.demo.autopilot.numbers import CopterMode
from console.demo.dock_pilot import DockPilot, Phase
from console.demo.drones import DockedDrone, docked_drone
from console.demo.patrols import patrol_routes
from console.demo.pilot import PilotedDrone, way_round
from mission.airspace import Airspace
from telemetry.model.batch import Quality
from telemetry.model.events import kind_of
from telemetry.model.geodesy import local_plane
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import FrameReader, encode, values
from telemetry.sources.mavlink.signing import Signer

KEY = bytes(range(32))
START_US = 1_790_000_000_000_000


def docked(system_id: int = 1, *, seed: int = 4, first_loss_s: float = 1e9) -> DockedDrone:
    route = patrol_routes(system_id, seed)[-1]
    east_m, north_m = (route.waypoints_m[0] + 60.0).tolist()
    return docked_drone(
        route,
        (east_m, north_m),
        local_plane(36.06, 103.83),
        system_id=system_id,
        key=KEY,
        seed=seed,
        first_takeoff_s=5.0,
        first_loss_s=first_loss_s,
    )


def step(dock: DockPilot) -> None:
    """Let a tenth of a second pass."""
    dock.step()
    dock.craft.step(START_US + round(dock.craft.uptime_s * 1e6))


def test_a_flight_goes_round_and_comes_home_and_starts_again() -> None:
    dock = docked().pilot
    body = dock.craft.body
    phases, fastest, hardest, highest = [dock.phase], 0.0, 0.0, 0.0
    before = (body.east_mps, body.north_mps)
    for _ in range(round(3000 / STEP_S)):
        step(dock)
        if dock.phase is not phases[-1]:
            phases.append(dock.phase)
        fastest, highest = max(fastest, body.speed_mps), max(highest, body.height_m)
        if not dock.on_ground:
            hardest = max(hardest, float(np.hypot(body.east_mps - before[0], body.north_mps - before[1])) / STEP_S)
        before = (body.east_mps, body.north_mps)
    assert phases[:5] == [Phase.WAITING, Phase.PATROL, Phase.RETURN, Phase.CHARGING, Phase.WAITING]
    assert 6.0 < fastest < 14.0
    assert 70.0 < highest < 120.0
    assert hardest <= ACCELERATION_MPS2 * 1.01
    assert body.battery.ratio > 0.05


def test_the_same_seed_flies_the_same_bytes() -> None:
    def bytes_of(seed: int) -> bytes:
        mine = docked(seed=seed)
        return b"".join(mine.tick(START_US + tick * 100_000) for tick in range(200))

    assert bytes_of(4) == bytes_of(4)
    assert bytes_of(4) != bytes_of(5)


def test_a_drone_sends_each_message_at_its_rate_and_tells_the_truth() -> None:
    mine = docked()
    reader, seen, altitudes = FrameReader(), Counter[int](), []
    for tick in range(600):
        for frame in reader.feed(mine.tick(START_US + tick * 100_000)):
            seen[frame.msg_id] += 1
            assert frame.signature is not None
            if frame.msg_id == 33:
                altitudes.append(values(frame)["relative_alt"])
    assert reader.frames_bad == 0
    assert seen[0] == pytest.approx(60, abs=1)
    assert seen[33] == mine.air.positions_sent == pytest.approx(240, abs=3)
    assert sum(seen.values()) == mine.air.frames_sent
    assert max(altitudes) > 70_000  # type: ignore[operator]


def test_a_lost_link_is_silent_for_five_to_fifteen_seconds_and_comes_back() -> None:
    mine = docked(first_loss_s=20.0)
    spoke = [tick for tick in range(600) if mine.tick(START_US + tick * 100_000)]
    silences_s = np.diff(spoke) * STEP_S
    assert (silences_s > 2.0).sum() == 1
    assert 5.0 <= silences_s.max() <= 16.0
    assert spoke[int(silences_s.argmax())] == pytest.approx(200, abs=8)


def test_commands_that_are_not_signed_by_our_key_are_refused() -> None:
    mine = docked()
    mine.tick(START_US)
    fields = {"command": 511, "param1": 33.0, "param2": 1e6, "target_system": 1}
    common = {"system_id": 255, "component_id": 190, "sequence": 1}
    for signer in (None, Signer(bytes(32), 0)):
        forged = encode("COMMAND_LONG", fields, signer=signer, **common)
        assert mine.hear(forged, START_US) == b""
    assert mine.air.commands_refused == 2
    genuine = encode("COMMAND_LONG", fields, signer=Signer(KEY, 0), **common)
    (answer,) = FrameReader().feed(mine.hear(genuine, START_US))
    assert values(answer)["result"] == 0
    sent = mine.air.positions_sent
    for tick in range(100):
        mine.tick(START_US + tick * 100_000)
    assert mine.air.positions_sent - sent == pytest.approx(10, abs=2)


def test_routes_lie_in_the_city_and_each_has_a_name() -> None:
    routes = patrol_routes(24, 1)
    assert all(route.name for route in routes)
    places = np.concatenate([route.waypoints_m for route in routes])
    assert np.abs(places[:, 0]).max() < 12_000
    assert np.abs(places[:, 1]).max() < 6_000


class OneKey(RegistryTable):
    """A registry of one drone."""

    def device(self, protocol: str, address: str) -> Device | None:
        return Device(device_id=7, protocol=protocol, address=address) if address == "main/1" else None

    def signing_key(self, _device_id: int) -> bytes | None:
        return KEY

    def signing_timestamp(self, _device_id: int, _link_id: int, _component_id: int) -> int:
        return 0

    def quarantine(self, _protocol: str, address: str, _now_us: int, reason: str) -> None:
        raise AssertionError((address, reason))


def test_our_own_decoder_believes_a_whole_flight_and_gets_what_it_asks_for() -> None:
    mine = docked(first_loss_s=60.0)
    decoder = MavlinkDecoder(OneKey(), "main", allow_unsigned=False)
    batches, kinds, bad = [], Counter[str](), Counter[str]()
    for tick in range(1500):
        now_us = START_US + tick * 100_000
        outputs = [decoder.feed(sent, now_us)] if (sent := mine.tick(now_us)) else []
        outputs.append(decoder.tick(now_us))
        for output in outputs:
            batches.append(output.batch)
            kinds.update(kind_of(event) for event in output.events)
            bad.update(output.bad)
            for reply in output.replies:
                answer = mine.hear(reply.data, now_us)
                if answer:
                    decoder.feed(answer, now_us)
    rows = np.concatenate(batches)
    primary = rows[(rows["quality"] & Quality.SECONDARY) == 0]
    assert mine.air.commands_refused == 0
    assert not bad
    assert len(primary) == mine.air.positions_sent > 650
    assert np.median(np.diff(primary["observed_us"])) == pytest.approx(200_000, abs=20_000)
    assert set(rows["device_id"]) == {7}
    assert {
        "mode_changed",
        "armed_changed",
        "landed_changed",
        "link_lost",
        "link_regained",
        "status_text",
    } <= kinds.keys()
    assert not {"identity_conflict", "rebooted"} & kinds.keys()


def fly(dock: DockPilot, until: Callable[[], bool], *, within_s: float) -> float:
    """Fly until something is so and return how long that took."""
    for number in range(round(within_s / STEP_S)):
        if until():
            return number * STEP_S
        step(dock)
    pytest.fail(f"not so within {within_s} s: {dock.phase}")


def test_a_drone_in_its_pilots_hands_goes_to_a_call_hovers_and_goes_back_on_patrol() -> None:
    dock, plane = docked().pilot, local_plane(36.06, 103.83)
    craft = dock.craft
    piloted = PilotedDrone(dock, plane, Airspace(plane=plane))
    fly(dock, lambda: craft.run.number > 1, within_s=120)
    left = craft.body.place
    goal_m = np.array(left) + np.array([900.0, -1200.0])
    lat, lon = plane.from_plane(*goal_m)
    assert piloted.go(float(lat), float(lon), after_s=10.0)
    assert craft.mode.name == "GUIDED"
    assert 95.0 < fly(dock, lambda: piloted.is_there, within_s=150) < 125.0
    assert np.hypot(*(np.array(craft.body.place) - goal_m)) < 13.0
    for _ in range(600):
        step(dock)
    assert piloted.is_there
    assert craft.body.speed_mps < 1.0
    piloted.release()
    fly(dock, lambda: not piloted.is_there, within_s=1)
    fly(dock, lambda: dock.phase is Phase.PATROL, within_s=150)
    assert craft.mode.name == "AUTO"
    assert craft.body.place.away_m(left) < 20.0


def test_a_drone_takes_off_for_a_call_and_stays_at_home_when_its_battery_would_not_last() -> None:
    dock, plane = docked().pilot, local_plane(36.06, 103.83)
    body = dock.craft.body
    piloted = PilotedDrone(dock, plane, Airspace(plane=plane))
    lat, lon = (float(axis) for axis in plane.from_plane(*(np.array(body.place) + np.array([0.0, 800.0]))))
    body.battery.ratio = 0.25
    assert not piloted.go(lat, lon, after_s=10.0)
    assert dock.on_ground
    body.battery.ratio = 0.95
    assert piloted.go(lat, lon, after_s=10.0)
    fly(dock, lambda: piloted.is_there, within_s=200)
    assert body.height_m > 70.0
    body.battery.ratio = 0.2
    assert piloted.must_leave
    step(dock)
    piloted.release()
    fly(dock, lambda: dock.phase is Phase.RETURN, within_s=200)
    assert dock.craft.mode is CopterMode.RTL


def test_a_drone_flies_round_a_no_fly_zone_and_not_into_one() -> None:
    plane = local_plane(36.0, 103.8)
    lon, lat = (np.array(axis) for axis in plane.from_plane(np.array([-300.0, 300.0]), np.array([-400.0, 400.0]))[::-1])
    sky = Airspace([shapely.box(lon[0], lat[0], lon[1], lat[1])], plane=plane)
    start, goal = np.array([-900.0, 30.0]), np.array([900.0, 30.0])
    way = way_round(sky, start, goal)
    assert way is not None
    assert way[-1].tolist() == goal.tolist()
    points = np.concatenate((start[None, :], way))
    assert sky.sees(points[:-1], points[1:]).all()
    assert shapely.distance(sky.closed, shapely.linestrings(points)) > 25.0
    assert 1900.0 < np.hypot(*np.diff(points, axis=0).T).sum() < 2200.0
    assert way_round(sky, start, np.array([0.0, 0.0])) is None
    straight = way_round(sky, start, np.array([-900.0, 900.0]))
    assert straight is not None
    assert straight.tolist() == [[-900.0, 900.0]]
