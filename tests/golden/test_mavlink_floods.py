"""Recorded floods beside a live drone: it loses less than 5 % of its frames and one event tells of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from telemetry.sources.mavlink import MavlinkDecoder, Network
from telemetry.sources.mavlink.block import Tlog
from telemetry.sources.mavlink.signing import Signer
from tests.mavlink_scene import KEY, START_US, Drone, Heard, log, play, registry_of

FLOODS = ("dvd_attack_mavlink_flood", "dvd_attack_mission_request_flood")


def beside(flood: Tlog, drone: Drone, *, speed: float, allow_unsigned: bool = True) -> Heard:
    """Play a flood from one peer while the drone flies for 60 s by another; both decoders share the network."""
    registry = registry_of(drone.system_id, keys={drone.system_id: KEY} if drone.signer else {})
    network = Network(registry, "g")
    ours = MavlinkDecoder(registry, "g", allow_unsigned=allow_unsigned, network=network)
    theirs = MavlinkDecoder(registry, "g", allow_unsigned=allow_unsigned, network=network)
    heard = Heard()
    stamps = np.maximum.accumulate(flood.stamp_us)
    arrivals = START_US + 5_000_000 + ((stamps - stamps[0]) / speed).astype(np.int64)
    at = 0
    for tick in range(600):
        now_us = START_US + tick * 100_000
        for frame in drone.frames_at(tick, now_us):
            heard.add(ours.feed(frame, now_us))
        until = int(np.searchsorted(arrivals, now_us + 100_000))
        for number in range(at, until):
            heard.add(theirs.feed(flood.block.frame(number).raw, int(arrivals[number])))
        at = until
        heard.add(ours.tick(now_us))
    return heard


@pytest.mark.shared_data
@pytest.mark.parametrize("speed", [1.0, 10.0, 1000.0])
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_a_live_drone_of_the_same_name_less_than_a_twentieth_and_raises_one_event(
    name: str, speed: float, test_data: Path
) -> None:
    drone = Drone()
    heard = beside(log(test_data, name), drone, speed=speed)
    genuine = heard.batch[heard.batch["lon_e7"] == 1_038_300_000]
    assert len(heard.of("identity_conflict")) == 1
    assert len(genuine) >= 0.95 * drone.positions_sent
    assert len(heard.batch) - len(genuine) <= 0.05 * drone.positions_sent
    assert set(heard.batch["device_id"].tolist()) == {1}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_does_not_touch_a_drone_of_another_name_and_raises_one_event(name: str, test_data: Path) -> None:
    drone = Drone(system_id=7)
    heard = beside(log(test_data, name), drone, speed=10.0)
    assert len(heard.batch) == drone.positions_sent
    assert len(heard.of("identity_conflict")) == 1
    assert set(heard.batch["device_id"].tolist()) == {7}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_unsigned_frames_costs_a_signing_drone_nothing_and_raises_one_event(
    name: str, test_data: Path
) -> None:
    drone = Drone(signer=Signer(KEY, 1))
    heard = beside(log(test_data, name), drone, speed=10.0)
    assert len(heard.batch) == drone.positions_sent
    assert len(heard.of("identity_conflict")) == 1
    assert heard.bad["unsigned"] > 0


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FLOODS)
def test_the_recorded_vehicle_itself_loses_less_than_a_twentieth_of_its_frames(name: str, test_data: Path) -> None:
    tlog = log(test_data, name)
    heard = play(MavlinkDecoder(registry_of(1), "g", allow_unsigned=True), tlog)
    positions = tlog.block.of("GLOBAL_POSITION_INT")
    heartbeats = tlog.block.of("HEARTBEAT")
    real = (heartbeats.system_id == 1) & (heartbeats.rows["autopilot"] == 3)
    known = int(np.count_nonzero(positions.index > heartbeats.index[real][0]))
    assert len(heard.of("identity_conflict")) == 1
    assert len(heard.batch) >= 0.95 * known


@pytest.mark.shared_data
def test_a_flood_from_an_unknown_system_makes_no_vehicle(test_data: Path) -> None:
    registry = registry_of(1)
    decoder = MavlinkDecoder(registry, "g", allow_unsigned=True)
    tlog = log(test_data, "dvd_attack_mavlink_flood")
    systems = Counter(tlog.block.system_id.tolist())
    assert systems[2] == 18_741
    play(decoder, tlog)
    assert [vehicle.system_id for vehicle in decoder.network.vehicles()] == [1]
