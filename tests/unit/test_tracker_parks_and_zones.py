"""Jitter of who stands still is marked, wrong time zones are found, and what says no place is kept and concluded from never."""

import numpy as np
import pytest

from telemetry.model.batch import Batch, Quality, concatenate, new_batch
from telemetry.model.events import AlarmKind, AnyEvent, BatteryLow, DeviceAlarm, SosRaised, ZoneWrong
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.tracking.tracker import Tracker

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
METRE_E7 = 90
KINDS = {1: UnitKind.CAR, 2: UnitKind.OFFICER, 3: UnitKind.DRONE}


def registry() -> RegistryTable:
    return RegistryTable(
        RegistryContents(
            units=tuple(
                Unit(unit_id=number, call_sign=str(number), kind=kind, service=Service.PATROL)
                for number, kind in KINDS.items()
            ),
            devices=tuple(Device(device_id=number, protocol="jt808", address=str(number)) for number in KINDS),
            assignments=tuple(Assignment(device_id=number, unit_id=number, started_us=0) for number in KINDS),
        )
    )


def fix(at_s: float, north_m: float = 0.0, *, device_id: int = 1, speed_cmps: int = 20, age_s: float = 0.0) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["received_us"] = NOW_US + int(at_s * SECOND_US)
    batch["observed_us"] = batch["received_us"] - int(age_s * SECOND_US)
    batch["lat_e7"] = 360_000_000 + int(north_m * METRE_E7)
    batch["lon_e7"] = 1_038_000_000
    batch["speed_cmps"] = speed_cmps
    return batch


def parked(*fixes: Batch) -> list[bool]:
    tracked = Tracker(registry()).apply(concatenate(list(fixes)), NOW_US)
    return [bool(row & Quality.PARKED) for row in tracked.batch["quality"].tolist()]


def test_a_standing_car_jitters_about_its_anchor_until_two_fixes_stand_elsewhere() -> None:
    way = [0.0, 5.0, -9.0, 30.0, 3.0, 30.0, 31.0, 33.0]
    assert parked(*(fix(at, north) for at, north in enumerate(way))) == [
        False, True, True, True, True, True, False, True,
    ]  # fmt: skip


def test_who_drives_is_never_parked_and_leaves_its_anchor_at_once() -> None:
    assert parked(fix(0), fix(1, 2, speed_cmps=400), fix(2, 4), fix(3, 300, speed_cmps=-32768)) == [
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(("device_id", "speed_cmps"), [(2, 120), (3, 0)])
def test_walking_officers_and_hovering_drones_are_not_parked(device_id: int, speed_cmps: int) -> None:
    assert not any(parked(*(fix(at, at, device_id=device_id, speed_cmps=speed_cmps) for at in range(5))))


def test_a_fix_that_came_with_an_alarm_is_no_jitter() -> None:
    tracker = Tracker(registry())
    tracker.apply(fix(0), NOW_US)
    for alarm in (
        SosRaised(device_id=1, observed_us=NOW_US, received_us=NOW_US),
        DeviceAlarm(device_id=1, observed_us=NOW_US, received_us=NOW_US, alarm=AlarmKind.COLLISION, active=True),
    ):
        tracked = tracker.apply(fix(1, 3), NOW_US, events=(alarm,))
        assert not tracked.batch["quality"][0] & Quality.PARKED


def test_the_marker_of_a_parked_car_stays_where_it_was() -> None:
    table = registry()
    tracker, picture = Tracker(table), Picture(table, NOW_US)
    for at, north_m in enumerate((0, 5, -9)):
        picture.apply(tracker.apply(fix(at, north_m), NOW_US + at * SECOND_US).batch, NOW_US + at * SECOND_US)
    state = picture.units[picture.row_of(1)]
    assert (state["lat_e7"], state["observed_us"]) == (360_000_000, NOW_US + 2 * SECOND_US)


def zones(*fixes: Batch) -> tuple[list[bool], list[AnyEvent]]:
    tracker = Tracker(registry())
    bits: list[bool] = []
    events: list[AnyEvent] = []
    for one in fixes:
        tracked = tracker.apply(one, int(one["received_us"][0]))
        bits.append(bool(tracked.batch["quality"][0] & Quality.ZONE_WRONG))
        events += tracked.events
    return bits, events


@pytest.mark.parametrize(("age_s", "offset_s"), [(28_800.0, -28_800), (-3_600.0, 3_600), (19_801.5, -19_800)])
def test_a_clock_off_by_whole_half_hours_is_told_once_and_marked_from_then(age_s: float, offset_s: float) -> None:
    bits, events = zones(*(fix(30 * at, 50 * at, age_s=age_s) for at in range(6)))
    assert bits == [False, False, True, True, True, True]
    assert [event.offset_s for event in events if isinstance(event, ZoneWrong)] == [offset_s]


def test_stored_fixes_sent_late_are_no_wrong_zone() -> None:
    assert not any(zones(*(fix(at, 50 * at, age_s=7_200 - 60 * at) for at in range(120)))[0])
    assert zones(*(fix(30 * at, age_s=1_000.0) for at in range(9)))[1] == []


def test_a_clock_that_is_set_right_is_right_at_once() -> None:
    wrong = [fix(30 * at, 50 * at, age_s=28_800.0) for at in range(4)]
    bits, events = zones(*wrong, fix(150, 300), fix(180, 350, age_s=28_800.0))
    assert bits == [False, False, True, True, False, False]
    assert len(events) == 1


@pytest.mark.parametrize("bit", [Quality.NULL_ISLAND, Quality.ENCRYPTED, Quality.ARCHIVE])
def test_what_says_no_present_place_is_kept_and_moves_nobody(bit: Quality) -> None:
    table = registry()
    tracker, picture = Tracker(table), Picture(table, NOW_US)
    odd = fix(1, 40_000)
    if bit is Quality.NULL_ISLAND:
        odd["lat_e7"] = odd["lon_e7"] = 0
    else:
        odd["quality"] = bit
    odd["battery_pct"] = 15
    kept: list[Quality] = []
    events: list[AnyEvent] = []
    for one in (fix(0), odd, fix(2, 5, speed_cmps=300)):
        tracked = tracker.apply(one, NOW_US + 2 * SECOND_US)
        picture.apply(tracked.batch, NOW_US + 2 * SECOND_US)
        kept.append(Quality(int(tracked.batch["quality"][0])))
        events += tracked.events
    assert kept == [Quality(0), bit, Quality(0)]
    assert picture.units[picture.row_of(1)]["lat_e7"] == 360_000_450
    assert all(isinstance(event, BatteryLow) for event in events)
    assert np.isin(0, picture.trail(1)["lat_e7"]).sum() == 0


def test_encrypted_coordinates_that_were_left_out_are_kept_too() -> None:
    row = fix(0)
    row["lat_e7"] = row["lon_e7"] = -2147483648
    row["quality"] = Quality.ENCRYPTED
    assert len(Tracker(registry()).apply(row, NOW_US).batch) == 1
