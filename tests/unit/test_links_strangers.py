"""Who is answered on a UDP link: only somebody who proved to be ours."""

import pytest

from telemetry.links.datagrams import Arrived
from telemetry.links.udp import UdpLink
from telemetry.links.url import parse_link_url
from telemetry.model.decoding import Peer
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import encode
from tests.link_scene import FakeKeeper, context_of

NOW_US = 1_790_000_000_000_000
HEARTBEAT = encode("HEARTBEAT", {"type": 2, "autopilot": 3}, system_id=9, component_id=1, sequence=0)
SYS_STATUS = encode("SYS_STATUS", {}, system_id=9, component_id=1, sequence=0)


def link_of(url: str, registry: RegistryTable | None = None) -> UdpLink:
    registry = registry or RegistryTable()

    def make(peer: Peer) -> MavlinkDecoder:
        return MavlinkDecoder(registry, "main", allow_unsigned=peer.allow_unsigned)

    return UdpLink(parse_link_url(url), context_of(FakeKeeper(), make))


@pytest.mark.parametrize(
    "said", [b"\xfd", b"\xfd\x09\x00", HEARTBEAT, SYS_STATUS], ids=["byte", "bytes", "beat", "other"]
)
async def test_one_from_beyond_loopback_who_proved_nothing_is_not_answered(said: bytes) -> None:
    link = link_of("udpin:0.0.0.0:14550")
    link.hear([Arrived(("192.0.2.9", 40_000), said)], NOW_US)
    assert link.status().peers == 0


async def test_a_forger_is_not_answered_though_its_frames_raise_an_alarm() -> None:
    device = Device(device_id=1, protocol="mavlink", address="main/9")
    registry = RegistryTable(RegistryContents(devices=(device,), signing_keys={1: b"k" * 32}))
    link = link_of("udpin:0.0.0.0:14550", registry)
    for sequence in range(40):
        beat = encode("HEARTBEAT", {"type": 2, "autopilot": 3}, system_id=9, component_id=1, sequence=sequence)
        link.hear([Arrived(("192.0.2.9", 40_000), beat)], NOW_US + sequence * 100_000)
    assert link.status().peers == 0


async def test_on_loopback_a_vehicle_that_waits_for_our_heartbeat_is_answered() -> None:
    link = link_of("udpin:127.0.0.1:14550")
    link.hear([Arrived(("127.0.0.1", 40_000), SYS_STATUS)], NOW_US)
    assert link.status().peers == 1
