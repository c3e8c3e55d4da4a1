"""Of a unit's devices the trusted one speaks, an operator's choice before all while it is heard, and disagreement is shown."""

from typing import Any

import msgspec
import pytest

from telemetry.model.batch import Batch, new_batch
from telemetry.model.errors import NotFoundError
from telemetry.model.unit import Assignment, Device, DeviceOptions, LinkState, Service, Unit, UnitKind
from telemetry.model.unit_state import UnitBit
from telemetry.picture.choosing import trust_of
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
CAR, BODYCAM, PHONE = 1, 2, 3
UNIT = Unit(unit_id=9, call_sign="Lin", kind=UnitKind.CAR, service=Service.PATROL)


def contents(trusted_device_id: int | None = None, **options: Any) -> RegistryContents:  # noqa: ANN401 - options of the phone
    protocols = {CAR: "jt808", BODYCAM: "gb28181", PHONE: "osmand"}
    return RegistryContents(
        units=(msgspec.structs.replace(UNIT, trusted_device_id=trusted_device_id),),
        devices=tuple(
            Device(
                device_id=number,
                protocol=protocol,
                address=str(number),
                options=DeviceOptions(**options) if number == PHONE else DeviceOptions(),
            )
            for number, protocol in protocols.items()
        ),
        assignments=tuple(Assignment(device_id=number, unit_id=9, started_us=0) for number in protocols),
    )


def report(device_id: int, north_m: float = 0.0, *, age_s: float = 0.0, speed_cmps: int = 0) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["observed_us"] = batch["received_us"] = NOW_US - int(age_s * SECOND_US)
    batch["lat_e7"] = 360_000_000 + int(north_m * 90)
    batch["lon_e7"] = 1_038_000_000
    batch["speed_cmps"] = speed_cmps
    return batch


def shown(picture: Picture) -> int:
    return int(picture.units[picture.row_of(9)]["device_id"])


def disagrees(picture: Picture) -> bool:
    return bool(picture.units[picture.row_of(9)]["state"] & UnitBit.DISAGREES)


def test_trust_rises_from_phones_over_bodycams_to_vehicles_and_options_say_otherwise() -> None:
    devices = {device.device_id: device for device in contents(trust=7).devices}
    assert trust_of(devices[PHONE]) == 7 > trust_of(devices[CAR]) > trust_of(devices[BODYCAM]) > 1


def test_of_devices_that_agree_the_vehicles_own_speaks() -> None:
    picture = Picture(RegistryTable(contents()), NOW_US)
    for device_id in (PHONE, BODYCAM, CAR):
        picture.apply(report(device_id, device_id), NOW_US)
        assert shown(picture) == device_id
    assert not disagrees(picture)


def test_what_an_operator_chose_speaks_while_it_is_heard() -> None:
    table = RegistryTable(contents())
    picture = Picture(table, NOW_US)
    picture.apply(report(CAR), NOW_US)
    picture.apply(report(PHONE, 900, age_s=5), NOW_US)
    assert shown(picture) == CAR
    table.replace(contents(trusted_device_id=PHONE))
    picture.refresh(NOW_US)
    assert shown(picture) == PHONE
    picture.refresh(NOW_US + 7 * SECOND_US)
    assert shown(picture) == CAR


def test_devices_that_are_elsewhere_are_told_with_how_far_they_are() -> None:
    picture = Picture(RegistryTable(contents()), NOW_US)
    picture.apply(report(CAR), NOW_US)
    picture.apply(report(BODYCAM, 20), NOW_US)
    picture.apply(report(PHONE, 700), NOW_US)
    assert disagrees(picture)
    states = picture.devices_of(9, NOW_US)
    told = [(state.device_id, state.is_shown, state.disagrees, state.link) for state in states]
    assert told == [
        (CAR, True, False, LinkState.LIVE),
        (BODYCAM, False, False, LinkState.LIVE),
        (PHONE, False, True, LinkState.LIVE),
    ]
    assert states[2].distance_m == pytest.approx(700, abs=2)
    assert states[2].report is not None
    assert states[2].report["device_id"][0] == PHONE


def test_who_was_left_behind_agrees_again_when_it_falls_silent() -> None:
    picture = Picture(RegistryTable(contents()), NOW_US)
    picture.apply(report(CAR), NOW_US)
    picture.apply(report(PHONE, 700, age_s=5), NOW_US)
    assert disagrees(picture)
    later_us = NOW_US + 11 * SECOND_US
    fresh = report(CAR)
    fresh["observed_us"] = fresh["received_us"] = later_us
    picture.apply(fresh, later_us)
    assert not disagrees(picture)


def test_a_moving_car_heard_at_two_times_does_not_disagree_with_itself() -> None:
    picture = Picture(RegistryTable(contents()), NOW_US)
    picture.apply(report(BODYCAM, 0, age_s=5, speed_cmps=2_500), NOW_US)
    picture.apply(report(CAR, 125, speed_cmps=2_500), NOW_US)
    assert not disagrees(picture)


def test_a_unit_never_heard_has_silent_devices_and_an_unknown_unit_is_refused() -> None:
    picture = Picture(RegistryTable(contents()), NOW_US)
    states = picture.devices_of(9, NOW_US)
    assert {(state.link, state.report is None, state.distance_m) for state in states} == {(LinkState.NEVER, True, None)}
    with pytest.raises(NotFoundError):
        picture.devices_of(10, NOW_US)
