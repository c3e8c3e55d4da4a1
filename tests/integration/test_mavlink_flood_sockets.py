"""The recorded floods over real UDP sockets beside a live drone of the same name."""

import asyncio
import socket
from pathlib import Path

import numpy as np
import pytest

from infra.clock import SYSTEM_CLOCK
from telemetry.links.udp import UdpLink
from telemetry.links.url import parse_link_url
from telemetry.model.decoding import Decoder, Peer
from telemetry.sources.mavlink import MavlinkDecoder, Network
from telemetry.sources.mavlink.block import Tlog
from tests.link_scene import FakeKeeper, context_of
from tests.mavlink_scene import Drone, Heard, log, registry_of

SPEED = 25.0
FLIGHT_TICKS = 50


async def fly(drone: Drone, sender: socket.socket) -> None:
    for tick in range(FLIGHT_TICKS):
        for frame in drone.frames_at(tick, SYSTEM_CLOCK.now_us()):
            sender.send(frame)
        await asyncio.sleep(0.1)


async def attack(flood: Tlog, sender: socket.socket) -> None:
    await asyncio.sleep(0.5)
    due_s = (np.maximum.accumulate(flood.stamp_us) - flood.stamp_us[0]) / 1e6 / SPEED
    began_s, at = SYSTEM_CLOCK.monotonic_s(), 0
    while at < len(due_s):
        until = int(np.searchsorted(due_s, SYSTEM_CLOCK.monotonic_s() - began_s))
        for number in range(at, until):
            sender.send(flood.block.frame(number).raw)
        at = until
        await asyncio.sleep(0.005)


def sender_to(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.connect(("127.0.0.1", port))
    opened.setblocking(False)
    return opened


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["dvd_attack_mavlink_flood", "dvd_attack_mission_request_flood"])
async def test_a_flood_over_udp_costs_the_live_drone_less_than_a_twentieth_and_raises_one_event(
    name: str, test_data: Path
) -> None:
    registry, heard, drone = registry_of(1), Heard(), Drone(boot_us=SYSTEM_CLOCK.now_us() - 100_000_000)
    network = Network(registry, "g")

    def make(peer: Peer) -> Decoder:
        return MavlinkDecoder(registry, "g", allow_unsigned=peer.allow_unsigned, network=network)

    keeper = FakeKeeper()
    link = UdpLink(parse_link_url("udpin:127.0.0.1:0#g"), context_of(keeper, make))
    await link.open()
    with sender_to(link.port) as drones_socket, sender_to(link.port) as attackers_socket:
        flood = await asyncio.to_thread(log, test_data, name)
        await asyncio.gather(fly(drone, drones_socket), attack(flood, attackers_socket))
        async with asyncio.timeout(30.0):
            while link.received + link.status().datagrams_dropped < drone.sent + len(flood.stamp_us):  # noqa: ASYNC110 - the kernel hands them over
                await asyncio.sleep(0.02)
    link.close()
    for turn in keeper.turns:
        heard.add(turn)
    genuine = np.count_nonzero(heard.batch["lon_e7"] == 1_038_300_000)
    assert link.status().datagrams_dropped == 0
    assert genuine >= 0.95 * drone.positions_sent
    assert len(heard.batch) - genuine <= 0.05 * drone.positions_sent
    assert len(heard.of("identity_conflict")) == 1
