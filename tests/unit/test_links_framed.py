"""Every protocol of a stream says how much of a message has begun: by that a link cuts whoever never ends one."""

import pytest

from telemetry.links.speaker import Framed
from telemetry.model.decoding import Peer, SourceContext
from telemetry.registry.table import RegistryTable
from telemetry.sources import find_link_sources
from telemetry.sources.jt808.terminal import Terminal
from telemetry.sources.mavlink.frame import encode

NOW_US = 1_790_000_000_000_000
MESSAGES = {
    "jt808": Terminal("13900000001").connect(),
    "mavlink": encode("HEARTBEAT", {}, system_id=1, component_id=1, sequence=0),
    "nmea": b"$GPGGA,,,,,,0,,,,,,,,*66\r\n",
    "gpsd": b'{"class":"VERSION"}\n',
    "gb28181": b"OPTIONS sip:44010200492000000001@h SIP/2.0\r\nContent-Length: 2\r\n\r\nab",
}

OPTIONS = {protocol: dict[str, str]() for protocol in MESSAGES} | {
    "gb28181": {"id": "44010200492000000001", "realm": "4401020049"}
}


@pytest.mark.parametrize("protocol", sorted(MESSAGES))
def test_a_decoder_says_what_has_begun_and_not_ended(protocol: str) -> None:
    source = find_link_sources()[protocol](
        SourceContext(registry=RegistryTable(), link_group="main", process_secret=bytes(32), options=OPTIONS[protocol])
    )
    decoder = source.decoder(Peer(transport="tcp", host="192.0.2.7"))
    assert isinstance(decoder, Framed)
    message = MESSAGES[protocol]
    assert decoder.begun_bytes == 0
    decoder.feed(message[:-3], NOW_US)
    assert decoder.begun_bytes > 0
    decoder.feed(message[-3:], NOW_US)
    assert decoder.begun_bytes == 0


def test_no_protocol_is_left_out() -> None:
    by_datagram_or_packet = {"owntracks", "traccar"}
    assert find_link_sources().keys() - by_datagram_or_packet == MESSAGES.keys()
