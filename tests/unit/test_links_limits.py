"""The door's counts and rates, a peer's pace, and the options that set them."""

import pytest

from telemetry.links.limits import DEVICE_BYTES_AT_ONCE, STRANGER_BYTES_AT_ONCE, Door, Limits, Pace, limits_of
from telemetry.model.errors import InputError


def test_a_host_may_come_often_at_once_but_not_for_ever() -> None:
    door = Door(Limits(new_per_host_per_s=10, new_per_host_at_once=50))
    assert sum(door.knock("192.0.2.7", 0.0) for _ in range(100)) == 50
    assert door.knock("192.0.2.8", 0.0)
    assert sum(door.knock("192.0.2.7", 1.0) for _ in range(100)) == 10


def test_the_door_counts_who_is_in() -> None:
    door = Door(Limits(connections=3, per_host=2))
    for host in ("a", "a", "b"):
        door.enter(host)
    assert (door.is_full, door.is_crowded("a"), door.is_crowded("b")) == (True, True, False)
    door.leave("a")
    assert (door.is_full, door.is_crowded("a"), door.count) == (False, False, 2)


def test_a_device_may_send_much_at_once_then_waits_as_long_as_it_was_too_fast() -> None:
    pace = Pace(0, 1_000_000)
    assert pace.wait_us(DEVICE_BYTES_AT_ONCE, 1, 0) == 0
    assert pace.wait_us(2_000_000, 1, 0) == pytest.approx(2_000_000, abs=2)
    assert pace.wait_us(1, 1, 4_000_000) == 0


def test_one_that_proved_nothing_may_send_little() -> None:
    assert Pace(0, 1_000_000).wait_us(STRANGER_BYTES_AT_ONCE, 0, 0) == 0
    assert Pace(0, 1_000_000).wait_us(STRANGER_BYTES_AT_ONCE + 16 * 1024, 0, 0) == pytest.approx(1_000_000, abs=2)


def test_options_of_a_link_set_its_limits_and_wrong_ones_are_answered() -> None:
    limits = limits_of({"connections": "100", "per_host": "500", "pace": "5000"})
    assert (limits.connections, limits.per_host, limits.device_bytes_per_s) == (100, 100, 5000)
    for wrong in ("0", "-1", "many", "٣"):
        with pytest.raises(InputError, match="give a whole number 1"):
            limits_of({"per_host": wrong})
