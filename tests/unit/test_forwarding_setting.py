"""The setting of ground stations beside us."""

import pytest

from telemetry.forwarding.setting import parse_forwards
from telemetry.model.errors import InputError


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
