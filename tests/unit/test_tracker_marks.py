"""The tracker marks order, jumps, odd times and speeds, and tells of clocks, batteries and silence without storms."""

import numpy as np
import pytest

from telemetry.model.batch import UNKNOWN_I4, Batch, Quality, concatenate, new_batch
from telemetry.model.events import AnyEvent, BatteryLow, DeviceClockWrong, LinkLost, LinkRegained
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.tracking.tracker import Tracker

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
YEAR_S = 365 * 86_400.0
OFFICER = Unit(unit_id=70, call_sign="Lin", kind=UnitKind.OFFICER, service=Service.PATROL)
DRONE = Unit(unit_id=71, call_sign="Hawk", kind=UnitKind.DRONE, service=Service.AIR)
METRE_E7 = 90


def tracker() -> Tracker:
    return Tracker(
        RegistryTable(
            RegistryContents(
                units=(OFFICER, DRONE),
                devices=(
                    Device(device_id=1, protocol="osmand", address="aa", report_interval_s=5),
                    Device(device_id=2, protocol="mavlink", address="main/1"),
                ),
                assignments=(
                    Assignment(device_id=1, unit_id=70, started_us=0),
                    Assignment(device_id=2, unit_id=71, started_us=0),
                ),
            )
        )
    )


def fix(
    at_s: float,
    north_m: float = 0,
    *,
    device_id: int = 1,
    late_s: float = 0.0,
    quality: int = 0,
    battery_pct: int | None = None,
    speed_cmps: int | None = None,
) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["observed_us"] = NOW_US + int(at_s * SECOND_US)
    batch["received_us"] = NOW_US + int((at_s + late_s) * SECOND_US)
    batch["lat_e7"] = 360_000_000 + int(north_m * METRE_E7)
    batch["lon_e7"] = 1_038_000_000
    batch["quality"] = quality
    if battery_pct is not None:
        batch["battery_pct"] = battery_pct
    if speed_cmps is not None:
        batch["speed_cmps"] = speed_cmps
    return batch


def bits(subject: Tracker, *fixes: Batch) -> list[Quality]:
    """Track fixes one by one; return each one's bits."""
    marks = [int(subject.apply(one, int(one["received_us"][0])).batch["quality"][0]) for one in fixes]
    return [Quality(mark) for mark in marks]


def events(subject: Tracker, *fixes: Batch) -> list[AnyEvent]:
    return [event for one in fixes for event in subject.apply(one, int(one["received_us"][0])).events]


def test_a_fix_sent_late_is_marked_and_the_next_is_not() -> None:
    assert bits(tracker(), fix(0), fix(10), fix(5, late_s=6), fix(15)) == [0, 0, Quality.OUT_OF_ORDER, 0]


def test_the_same_fix_sent_twice_is_no_late_one() -> None:
    assert bits(tracker(), fix(10), fix(10)) == [0, 0]


def test_one_far_fix_is_a_jump_and_the_way_back_is_none() -> None:
    assert bits(tracker(), fix(0), fix(5, 5_000), fix(10, 40), fix(15, 80)) == [0, Quality.JUMPED, 0, 0]


def test_three_far_fixes_that_agree_prove_the_first_place_wrong() -> None:
    fixes = [fix(0), fix(5, 50_000), fix(10, 50_050), fix(15, 50_100), fix(20, 50_150), fix(25, 0)]
    jumped = Quality.JUMPED
    assert bits(tracker(), *fixes) == [0, jumped, jumped, 0, 0, jumped]


def test_far_fixes_that_contradict_each_other_prove_nothing() -> None:
    fixes = [fix(0), *(fix(5 + 5 * number, 50_000 * (number + 1)) for number in range(6))]
    assert bits(tracker(), *fixes)[1:] == [Quality.JUMPED] * 6


def test_who_was_silent_for_long_may_be_far_away() -> None:
    assert bits(tracker(), fix(0), fix(3_600, 50_000)) == [0, 0]


def test_a_drone_may_fly_faster_than_an_officer_drives() -> None:
    officer = bits(tracker(), fix(0, speed_cmps=8_000))
    drone = bits(tracker(), fix(0, speed_cmps=8_000, device_id=2))
    assert (officer, drone) == ([Quality.TOO_FAST], [0])


def test_a_device_without_clock_sense_is_odd_and_disturbs_no_order() -> None:
    odd = Quality.ODD_TIME
    fixes = [fix(0), fix(55 * YEAR_S, late_s=-55 * YEAR_S), fix(-50 * YEAR_S, late_s=50 * YEAR_S), fix(5)]
    assert bits(tracker(), *fixes) == [0, odd, odd, 0]


def test_a_wrong_clock_is_told_once_a_day() -> None:
    fixes = [fix(-50 * YEAR_S + second, late_s=50 * YEAR_S) for second in range(20)]
    (event,) = events(tracker(), *fixes)
    assert isinstance(event, DeviceClockWrong)
    assert event.offset_s == pytest.approx(-50 * YEAR_S)


def test_a_recording_in_its_own_time_is_odd_but_no_wrong_clock() -> None:
    recorded = fix(-5 * YEAR_S, late_s=5 * YEAR_S, quality=Quality.REPLAYED)
    assert bits(tracker(), recorded) == [Quality.ODD_TIME | Quality.REPLAYED]
    assert events(tracker(), recorded) == []


def test_a_recording_played_fast_makes_no_jumps() -> None:
    replayed = [fix(second, 5_000 * second, quality=Quality.REPLAYED) for second in range(5)]
    assert bits(tracker(), *replayed) == [Quality.REPLAYED] * 5


def test_a_fix_without_a_place_is_taken_as_a_sign_of_life_only() -> None:
    subject = tracker()
    nowhere = fix(0)
    nowhere["lat_e7"] = nowhere["lon_e7"] = UNKNOWN_I4
    tracked = subject.apply(nowhere, NOW_US)
    assert (len(tracked.batch), tracked.placeless_count) == (0, 1)
    subject.tick(NOW_US + SECOND_US)
    assert subject.tick(NOW_US + 2 * SECOND_US) == ()


def test_a_phones_battery_is_told_once_a_band_and_again_after_charging() -> None:
    levels = [50, 21, 20, 19, 18, 10, 9, 15, 24, 80, 20]
    told = events(tracker(), *(fix(5 * place, battery_pct=level) for place, level in enumerate(levels)))
    assert [event.battery_ratio for event in told if isinstance(event, BatteryLow)] == [0.2, 0.1, 0.2]


def test_a_drones_battery_is_its_decoders_to_tell() -> None:
    assert events(tracker(), fix(0, device_id=2, battery_pct=5)) == []


def ticked(subject: Tracker, from_s: float, to_s: float) -> list[AnyEvent]:
    steps = np.arange(from_s, to_s, 0.25)
    return [event for at_s in steps for event in subject.tick(NOW_US + int(at_s * SECOND_US))]


def test_silence_is_told_at_three_and_at_ten_intervals_and_its_end_once() -> None:
    subject = tracker()
    events(subject, fix(0))
    told = ticked(subject, 0, 100)
    assert [round(event.silent_s) for event in told if isinstance(event, LinkLost)] == [15, 50]
    assert len(told) == 2
    (regained,) = events(subject, fix(100), fix(105))
    assert isinstance(regained, LinkRegained)
    assert regained.silent_s == pytest.approx(100)


def test_a_device_that_comes_and_goes_makes_no_storm() -> None:
    subject = tracker()
    told: list[AnyEvent] = []
    for round_s in range(0, 400, 20):
        told += events(subject, fix(round_s))
        told += ticked(subject, round_s, round_s + 20)
    assert sum(isinstance(event, LinkLost) for event in told) <= 400 / 60 + 1


def test_our_own_deafness_is_nobodys_silence() -> None:
    subject = tracker()
    events(subject, fix(0))
    ticked(subject, 0, 3)
    assert subject.tick(NOW_US + 120 * SECOND_US) == ()


def test_one_batch_of_many_devices_is_marked_row_by_row_as_it_came() -> None:
    mixed = concatenate([fix(10), fix(10, device_id=2), fix(5, late_s=5), fix(15, device_id=2), fix(12)])
    tracked = tracker().apply(mixed, NOW_US + 20 * SECOND_US)
    assert tracked.batch["device_id"].tolist() == [1, 2, 1, 2, 1]
    assert tracked.batch["quality"].tolist() == [0, 0, int(Quality.OUT_OF_ORDER), 0, 0]
    assert mixed["quality"].tolist() == [0] * 5
