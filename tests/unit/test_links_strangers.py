"""Who is answered on a UDP link: only somebody who proved to be ours."""

import pytest

from infra.clock import SYSTEM_CLOCK
from telemetry.link_url import parse_link_url
from telemetry.links import UdpLink
from telemetry.registry import RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import encode

NOW_US = 1_790_000_000_000_000
HEARTBEAT = encode("HEARTBEAT", {"type": 2, "autopilot": 3}, system_id=9, component_id=1, sequence=0)
SYS_STATUS = encode("SYS_STATUS", {}, system_id=9, component_id=1, sequence=0)


def link_of(url: str) -> UdpLink:
    registry = RegistryTable()

    def make(_: object, allow_unsigned: bool) -> MavlinkDecoder:
        return MavlinkDecoder(registry, "main", allow_unsigned=allow_unsigned)

    return UdpLink(parse_link_url(url), make, lambda _output, _now_us: None, SYSTEM_CLOCK)


@pytest.mark.parametrize(
    "said", [b"\xfd", b"\xfd\x09\x00", HEARTBEAT, SYS_STATUS], ids=["byte", "bytes", "beat", "other"]
)
def test_one_from_beyond_loopback_who_proved_nothing_is_not_answered(said: bytes) -> None:
    link = link_of("udpin:0.0.0.0:14550")
    link._hear(said, ("192.0.2.9", 40_000), NOW_US)
    assert link.status().peers == 0


def test_on_loopback_a_vehicle_that_waits_for_our_heartbeat_is_answered() -> None:
    link = link_of("udpin:127.0.0.1:14550")
    link._hear(SYS_STATUS, ("127.0.0.1", 40_000), NOW_US)
    assert link.status().peers == 1
