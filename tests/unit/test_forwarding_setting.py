"""The setting of ground stations beside us, and what the gate lets through."""

import pytest

from telemetry.forwarding.gate import Gate
from telemetry.forwarding.setting import parse_forwards
from telemetry.model.errors import InputError
from telemetry.sources.mavlink.frame import Value, encode

WATCHED = {1: [11], 2: [12], 3: [13, 14]}


def station(message: str, **fields: Value) -> bytes:
    return encode(message, fields, system_id=250, component_id=190, sequence=1)


def test_stations_have_names_drones_and_hosts() -> None:
    field, desk = parse_forwards(
        "udpout:10.0.0.5:14550#field, tcpin:0.0.0.0:5762?devices=main/1+main/7&hosts=10.0.0.0/24#desk"
    )
    assert (field.name, field.devices, field.link.host) == ("field", frozenset(), "10.0.0.5")
    assert (desk.name, desk.devices) == ("desk", frozenset({"main/1", "main/7"}))
    assert [desk.admits(host) for host in ("10.0.0.9", "127.0.0.1", "10.0.1.9")] == [True, True, False]
    assert parse_forwards("") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcpin:0.0.0.0:5762#desk", "would show every drone to whoever connects"),
        ("udpin:127.0.0.1:1#desk", "udpin: of the ground station"),
        ("udpout:10.0.0.5:1?rate=5#desk", "the option rate"),
        ("udpout:10.0.0.5:1#a,udpout:10.0.0.6:1#a", "two ground stations are called 'a'"),
        ("tcpin:0.0.0.0:1?hosts=everybody#a", "the host 'everybody'"),
    ],
)
def test_a_wrong_station_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_forwards(text)


@pytest.mark.parametrize(
    ("frame", "goes_to", "dropped"),
    [
        (station("PARAM_REQUEST_LIST", target_system=1), [11], {}),
        (station("COMMAND_LONG", target_system=1, command=512), [11], {}),
        (station("COMMAND_LONG", target_system=1, command=400), [], {"not_in_control": 1}),
        (station("COMMAND_LONG", target_system=2, command=400), [12], {}),
        (station("COMMAND_LONG", target_system=9, command=512), [], {"not_watched": 1}),
        (station("COMMAND_LONG", target_system=3, command=512), [], {"ambiguous_drone": 1}),
        (station("COMMAND_LONG", target_system=0, command=21), [12], {}),
        (station("PARAM_SET", target_system=1), [], {"not_in_control": 1}),
        (station("SET_MODE", target_system=1), [], {"not_in_control": 1}),
        (station("SETUP_SIGNING", target_system=2), [], {"sets_key": 1}),
        (station("MISSION_COUNT", target_system=1, count=3), [], {"not_in_control": 1}),
    ],
)
def test_the_gate_lets_reads_through_and_orders_only_to_what_was_handed_over(
    frame: bytes, goes_to: list[int], dropped: dict[str, int]
) -> None:
    passed = Gate().feed(frame, WATCHED, frozenset({12}))
    assert (list(passed.frames), dict(passed.dropped)) == (goes_to, dropped)


def test_a_station_that_holds_nothing_is_not_blamed_for_its_heartbeat() -> None:
    passed = Gate().feed(station("HEARTBEAT", type=6), WATCHED, frozenset())
    assert (passed.frames, passed.dropped.total()) == ({}, 0)
