"""Link URLs in their own form and in those of pymavlink, MAVSDK and mavp2p; wrong ones are answered with what is allowed."""

from pathlib import Path

import pytest

from telemetry.links.url import LinkKind, is_loopback, parse_link_url, parse_link_urls
from telemetry.model.errors import InputError


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("udpin:127.0.0.1:14550", "udpin:127.0.0.1:14550#main"),
        ("udpin://0.0.0.0:14540", "udpin:0.0.0.0:14540#main"),
        ("udpin://:14540", "udpin:0.0.0.0:14540#main"),
        ("udp:127.0.0.1:14550", "udpin:127.0.0.1:14550#main"),
        ("udps:0.0.0.0:5600#north", "udpin:0.0.0.0:5600#north"),
        ("udpout://10.0.0.7:14550", "udpout:10.0.0.7:14550#main"),
        ("udpc:drone.example.org:14550", "udpout:drone.example.org:14550#main"),
        ("udpin:[::1]:14550", "udpin:[::1]:14550#main"),
        ("udpin:0.0.0.0:14550?unsigned=allow#field", "udpin:0.0.0.0:14550?unsigned=allow#field"),
        (" UDPIN:127.0.0.1:0 ", "udpin:127.0.0.1:0#main"),
        ("tcp:10.0.0.7:5760", "tcpout:10.0.0.7:5760#main"),
        ("tcpin://:5760", "tcpin:0.0.0.0:5760#main"),
        ("jt808+tcpin:0.0.0.0:8808", "jt808+tcpin:0.0.0.0:8808#main"),
        ("JT808+udpin:[::]:8808", "jt808+udpin:[::]:8808#main"),
        ("gb28181+udpin:0.0.0.0:5060?realm=4401&id=4402", "gb28181+udpin:0.0.0.0:5060?realm=4401&id=4402#main"),
        ("nmea+serial:/dev/ttyUSB0?baud=9600#car7", "nmea+serial:/dev/ttyUSB0?baud=9600#car7"),
        ("gpsd+tcp:127.0.0.1:2947#car7", "gpsd+tcpout:127.0.0.1:2947#car7"),
        ("traccar+tlsin:0.0.0.0:5055?cert=/a/b.pem", "traccar+tlsin:0.0.0.0:5055?cert=/a/b.pem#main"),
        ("owntracks+mqtts:broker?topic=owntracks/%2B/%2B", "owntracks+mqtts:broker:8883?topic=owntracks/%2B/%2B#main"),
        ("file:/flights/a flight.tlog", "file:/flights/a flight.tlog#main"),
        ("file:///flights/one.tlog#replay", "file:/flights/one.tlog#replay"),
        ("file:/flights/#3 What?.tlog", "file:/flights/#3 What?.tlog#main"),
    ],
)
def test_a_link_is_understood_in_every_usual_form(text: str, plain: str) -> None:
    url = parse_link_url(text)
    assert str(url) == plain
    assert parse_link_url(str(url)) == url


def test_a_link_without_group_belongs_to_the_one_given() -> None:
    assert parse_link_url("udpin:127.0.0.1:1", link_group="north").link_group == "north"
    assert parse_link_url("udpin:127.0.0.1:1#south", link_group="north").link_group == "south"
    assert parse_link_url("file:one.tlog", link_group="replay").path == Path("one.tlog")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is unknown: give udpin:HOST:PORT"),
        ("bluetooth:/dev/ttyUSB0", "is unknown"),
        ("serial:ttyUSB0", "names no serial line"),
        ("jt808+tcpout::8808", "does not say where to send"),
        ("gb28181+udpin:0.0.0.0:5060?id=1&id=2", "the option id stands twice"),
        ("owntracks+mqtt::1883", "does not say where to send"),
        ("127.0.0.1:14550", "is unknown"),
        ("udpin:127.0.0.1", "has no port 0 .. 65535"),
        ("udpin:127.0.0.1:70000", "has no port"),
        ("udpin:127.0.0.1:-1", "has no port"),
        ("udpin:127.0.0.1:١", "has no port"),
        ("udpout::14550", "does not say where to send"),
        ("udpout:10.0.0.7:0", "does not say where to send"),
        ("udpin:127.0.0.1:1?unsigned=yes", "the only one is unsigned=allow"),
        ("udpin:127.0.0.1:1?signed=allow", "signed=allow .* is unknown: a MAVLink link has unsigned=allow"),
        ("udpin:127.0.0.1:1#North Side", "the link group 'North Side'"),
        ("file:", "names no file"),
    ],
)
def test_a_wrong_link_is_answered_with_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_link_url(text)


def test_the_options_that_a_link_does_not_know_are_its_protocols() -> None:
    url = parse_link_url("nmea+tcpin:127.0.0.1:1?baud=4800&talker=GN")
    assert url.source_options == {"talker": "GN"}


def test_a_secret_among_the_options_is_not_shown() -> None:
    assert str(parse_link_url("owntracks+mqtt:broker?username=police&password=red")).endswith(
        "?username=police&password=***#main"
    )


def test_only_a_listener_in_the_clear_beyond_this_machine_is_open_to_others() -> None:
    said = {
        text: parse_link_url(text).is_open_to_others
        for text in ("jt808+tcpin:0.0.0.0:1", "jt808+tcpin:127.0.0.1:1", "jt808+tlsin:0.0.0.0:1", "gpsd+tcp:10.0.0.7:1")
    }
    assert list(said.values()) == [True, False, False, False]


def test_a_setting_holds_many_links_or_none() -> None:
    kinds = [url.kind for url in parse_link_urls("udpin:127.0.0.1:1, udpout:10.0.0.7:2#a,")]
    assert kinds == [LinkKind.UDP_IN, LinkKind.UDP_OUT]
    assert parse_link_urls("") == []


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.7", False),
        ("drone.example.org", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own


@pytest.mark.parametrize(
    "text",
    [
        "owntracks+mqtt:lihua:geheim@broker:1883",
        "owntracks+mqtt://lihua:geheim@broker:1883",
        "owntracks+mqtt:broker:70000?user=lihua&password=geheim",
        "owntracks+mqtt:broker?password=geheim&password=geheim",
        "udpin:0.0.0.0:14550?password=geheim",
        "nothing+known:lihua:geheim@broker",
        "owntracks+mqtt:broker?password=geheim#WRONG GROUP",
    ],
)
def test_a_wrong_link_is_told_without_the_password_that_it_holds(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_link_url(text)
    assert "geheim" not in str(refused.value)


def test_an_account_within_an_option_is_not_shown() -> None:
    text = "gb28181+udpin:0.0.0.0:5060?watch=rtsp://lihua:geheim@media/{ssrc_hex}"
    url = parse_link_url(text)
    assert "geheim" not in str(url)
    assert url.options["watch"] == "rtsp://lihua:geheim@media/{ssrc_hex}"
