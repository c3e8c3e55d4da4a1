"""Where a drone returns to: by its own word, else where it was seen to be armed, and never where it was first heard in the air."""

from typing import Any

from console.flight.drones import Place
from console.flight.homes import Homes
from telemetry.model.events import AnyEvent, ArmedChanged
from telemetry.model.flight_events import HomeTold
from telemetry.sources.mavlink.status import Status

DRONE = 1
PAD = Place(lat_deg=36.06, lon_deg=103.83, is_heard=True, is_located=True)
ALOFT = Place(lat_deg=36.10, lon_deg=103.90, is_heard=True, is_located=True, is_airborne=True)
BASE: Any = {"device_id": DRONE, "observed_us": 1, "received_us": 1}


def armed(is_armed: bool) -> ArmedChanged:
    return ArmedChanged(armed=is_armed, **BASE)


def test_a_drone_that_is_first_heard_in_the_air_has_its_home_where_it_says_and_not_there() -> None:
    homes = Homes()
    homes.hear(armed(True), ALOFT)
    assert homes.get(DRONE) is None
    homes.hear(HomeTold(lat_e7=360_600_000, lon_e7=1_038_300_000, **BASE), ALOFT)
    found = homes.get(DRONE)
    assert found is not None
    assert (found.lat_deg, found.lon_deg) == (36.06, 103.83)


def test_a_drone_that_tells_no_home_has_it_where_it_was_seen_to_be_armed() -> None:
    homes = Homes()
    homes.hear(armed(False), PAD)
    homes.hear(armed(True), Place(lat_deg=1.0, lon_deg=2.0))
    assert homes.get(DRONE) is None, "a place of which nobody knows how old it is, is no home"
    homes.hear(armed(False), PAD)
    homes.hear(armed(True), PAD)
    assert homes.get(DRONE) == PAD


def told(status: Status, *homes_e7: tuple[int, int]) -> list[AnyEvent]:
    return [event for lat_e7, lon_e7 in homes_e7 for event in status.home_told(lat_e7, lon_e7, 1)]


def test_a_home_is_told_once_and_again_when_it_is_another_one_and_0_0_is_none() -> None:
    there, beside, elsewhere = (360_600_000, 1_038_300_000), (360_600_050, 1_038_300_000), (360_601_000, 1_038_300_000)
    events = told(Status(DRONE, replayed=False), (0, 0), there, beside, there, elsewhere)
    assert [(event.lat_e7, event.lon_e7) for event in events if isinstance(event, HomeTold)] == [there, elsewhere]
