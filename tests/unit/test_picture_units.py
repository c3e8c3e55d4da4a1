"""The picture shows each unit where its most trusted fresh device says it is, and how fresh that is."""

import msgspec
import numpy as np
import pytest

from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch
from telemetry.model.errors import NotFoundError
from telemetry.model.events import ArmedChanged, LandedChanged, LandedState, Rebooted
from telemetry.model.unit import Assignment, Device, DutyStatus, LinkState, Service, Unit, UnitKind
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UnitBit
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
HAWK = Unit(unit_id=7, call_sign="Hawk 1", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE)
CREW = Unit(unit_id=9, call_sign="Car 9", kind=UnitKind.CAR, service=Service.PATROL, covert=True)
AUTOPILOT = Device(device_id=1, protocol="mavlink", address="main/1")
PHONE = Device(device_id=2, protocol="osmand", address="aa", report_interval_s=5.0)
TABLET = Device(device_id=3, protocol="osmand", address="bb", report_interval_s=5.0)


def contents(**changed: object) -> RegistryContents:
    base = {
        "units": (HAWK, CREW),
        "devices": (AUTOPILOT, PHONE, TABLET),
        "assignments": (
            Assignment(device_id=1, unit_id=7, started_us=0),
            Assignment(device_id=2, unit_id=9, started_us=0),
            Assignment(device_id=3, unit_id=9, started_us=0),
        ),
    }
    return RegistryContents(**{**base, **changed})  # type: ignore[arg-type]


def report(device_id: int, age_s: float, lat_deg: float, *, quality: int = 0, late_s: float = 0.0) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["observed_us"] = NOW_US - int(age_s * SECOND_US)
    batch["received_us"] = NOW_US - int((age_s - late_s) * SECOND_US)
    batch["lat_e7"] = round(lat_deg * 1e7)
    batch["lon_e7"] = 1_038_000_000
    batch["quality"] = quality
    hash_fixes(batch)
    return batch


def pictured() -> Picture:
    return Picture(RegistryTable(contents()), NOW_US)


def lat_of(picture: Picture, unit_id: int) -> int:
    return int(picture.units[picture.row_of(unit_id)]["lat_e7"])


def link_of(picture: Picture, unit_id: int) -> LinkState:
    return LINK_STATES[int(picture.units[picture.row_of(unit_id)]["link"])]


def test_a_unit_that_was_never_heard_has_no_place() -> None:
    state = pictured().units[0]
    assert state["unit_id"] == 7
    assert state["observed_us"] == 0
    assert state["lat_e7"] == np.iinfo(np.int32).min
    assert LINK_STATES[state["link"]] is LinkState.NEVER
    assert DUTY_STATUSES[state["duty"]] is DutyStatus.FREE


def test_a_report_moves_its_unit_and_raises_the_version() -> None:
    picture = pictured()
    before = picture.version
    picture.apply(report(1, 0.1, 36.0), NOW_US)
    assert lat_of(picture, 7) == 360_000_000
    assert link_of(picture, 7) is LinkState.LIVE
    assert picture.changed_since(before).tolist() == [picture.row_of(7)]
    assert len(picture.changed_since(picture.version)) == 0


def test_an_older_report_changes_nothing() -> None:
    picture = pictured()
    picture.apply(report(1, 1, 36.0), NOW_US)
    before = picture.version
    picture.apply(report(1, 2, 35.0, late_s=2), NOW_US)
    assert lat_of(picture, 7) == 360_000_000
    assert picture.version == before


def test_a_link_goes_stale_after_three_intervals_and_lost_after_ten() -> None:
    picture = pictured()
    picture.apply(np.concatenate([report(1, 0, 36.0), report(2, 0, 36.0)]), NOW_US)
    seen = []
    for age_s in (2, 4, 11, 16, 49, 51):
        picture.refresh(NOW_US + age_s * SECOND_US)
        seen.append((link_of(picture, 7).value, link_of(picture, 9).value))
    live, stale, lost = "live", "stale", "lost"
    assert seen == [(live, live), (stale, live), (lost, live), (lost, stale), (lost, stale), (lost, lost)]


def test_a_doubtful_fix_is_shown_only_when_there_is_nothing_better_for_a_minute() -> None:
    picture = pictured()
    picture.apply(report(1, 80, 36.0), NOW_US)
    picture.apply(report(1, 70, 37.0, quality=Quality.JUMPED), NOW_US)
    assert lat_of(picture, 7) == 360_000_000
    picture.apply(report(1, 10, 37.0, quality=Quality.JUMPED), NOW_US)
    assert lat_of(picture, 7) == 370_000_000


def test_a_device_from_1970_or_2080_is_never_shown_as_live() -> None:
    picture = pictured()
    picture.apply(report(1, 50 * 365 * 86_400, 36.0, quality=Quality.ODD_TIME, late_s=50 * 365 * 86_400), NOW_US)
    ahead_s = -55 * 365 * 86_400.0
    picture.apply(report(1, ahead_s, 36.0, quality=Quality.ODD_TIME, late_s=ahead_s), NOW_US)
    assert link_of(picture, 7) is LinkState.NEVER


def test_a_recording_kept_in_its_own_time_is_shown_as_lost() -> None:
    picture = pictured()
    years_s = 10 * 365 * 86_400.0
    picture.apply(report(1, years_s, 36.0, quality=Quality.ODD_TIME | Quality.REPLAYED, late_s=years_s), NOW_US)
    assert link_of(picture, 7) is LinkState.LOST
    assert picture.units[0]["state"] & UnitBit.REPLAYED


def test_a_device_that_runs_ahead_is_ordered_by_arrival() -> None:
    picture = pictured()
    picture.apply(report(1, -3600, 36.0, late_s=-3601), NOW_US)
    picture.apply(report(1, 0.5, 36.1), NOW_US)
    assert lat_of(picture, 7) == 361_000_000
    assert picture.units[0]["observed_us"] <= NOW_US


def test_the_map_goes_on_when_our_own_clock_is_set_back_by_hours() -> None:
    picture = pictured()
    picture.apply(report(1, 0, 36.0), NOW_US)
    earlier_us = NOW_US - 7_200 * SECOND_US
    picture.apply(report(1, 7_200 + 3_600, 35.0), earlier_us)  # told late: no reason to move
    assert lat_of(picture, 7) == 360_000_000
    for second in range(3):
        picture.apply(
            report(1, -second, 36.1 + second / 10, late_s=7_200 - 2 * second), earlier_us + second * SECOND_US
        )
        assert lat_of(picture, 7) == 361_000_000 + second * 1_000_000


def test_the_shown_device_stays_while_two_disagree_and_gives_way_when_it_falls_silent() -> None:
    picture = pictured()
    picture.apply(report(2, 4, 36.0), NOW_US)
    picture.apply(report(3, 1, 36.5), NOW_US)
    assert lat_of(picture, 9) == 360_000_000
    picture.apply(report(3, -14, 36.5), NOW_US + 14 * SECOND_US)
    assert lat_of(picture, 9) == 365_000_000


def test_a_device_without_doubtful_bits_speaks_before_one_with() -> None:
    picture = pictured()
    picture.apply(report(2, 4, 36.0, quality=Quality.MOCK), NOW_US)
    picture.apply(report(3, 5, 36.5), NOW_US)
    assert lat_of(picture, 9) == 365_000_000


def test_of_devices_that_agree_the_more_trusted_speaks() -> None:
    registry = RegistryTable(
        contents(
            assignments=tuple(Assignment(device_id=number, unit_id=9, started_us=0) for number in (1, 2, 3)),
        )
    )
    picture = Picture(registry, NOW_US)
    picture.apply(report(2, 1, 36.0), NOW_US)
    picture.apply(report(1, 1, 36.0001), NOW_US)
    assert lat_of(picture, 9) == 360_001_000


def test_two_that_agree_outvote_a_third() -> None:
    registry = RegistryTable(
        contents(
            assignments=tuple(Assignment(device_id=number, unit_id=9, started_us=0) for number in (1, 2, 3)),
        )
    )
    picture = Picture(registry, NOW_US)
    picture.apply(report(1, 1, 36.9), NOW_US)
    picture.apply(report(2, 1, 36.0), NOW_US)
    picture.apply(report(3, 1, 36.0001), NOW_US)
    assert abs(lat_of(picture, 9) - 360_000_000) < 2_000


def test_events_tell_whether_a_drone_flies() -> None:
    picture = pictured()
    armed = ArmedChanged(device_id=1, observed_us=NOW_US, received_us=NOW_US, armed=True)
    aloft = LandedChanged(device_id=1, observed_us=NOW_US, received_us=NOW_US, landed=LandedState.IN_AIR)
    rebooted = Rebooted(device_id=1, observed_us=NOW_US, received_us=NOW_US, epoch=1, fell_back_s=60)
    picture.apply_event(armed)
    picture.apply_event(aloft)
    known = UnitBit.ARMED_KNOWN | UnitBit.AIRBORNE_KNOWN
    assert picture.units[0]["state"] == UnitBit.ARMED | UnitBit.AIRBORNE | known
    picture.apply_event(msgspec.structs.replace(aloft, landed=LandedState.ON_GROUND))
    picture.apply_event(msgspec.structs.replace(armed, armed=False))
    assert picture.units[0]["state"] == known
    picture.apply_event(rebooted)
    assert picture.units[0]["state"] == 0


def test_alarm_bits_come_and_go() -> None:
    picture = pictured()
    covert = int(UnitBit.COVERT)
    picture.show_alarms({9: UnitBit.SOS | UnitBit.ALARMED})
    assert picture.units[picture.row_of(9)]["state"] == covert | UnitBit.SOS | UnitBit.ALARMED
    version = picture.version
    picture.show_alarms({9: UnitBit.SOS | UnitBit.ALARMED})
    assert picture.version == version
    picture.show_alarms({})
    assert picture.units[picture.row_of(9)]["state"] == covert


def test_a_registry_change_reaches_the_rows() -> None:
    registry = RegistryTable(contents())
    picture = Picture(registry, NOW_US)
    picture.apply(report(1, 1, 36.0), NOW_US)
    row = picture.row_of(9)
    registry.replace(contents(units=(HAWK,), assignments=()))
    picture.refresh(NOW_US)
    assert picture.units[row]["unit_id"] == 0
    assert link_of(picture, 7) is LinkState.NEVER
    with pytest.raises(NotFoundError, match="no unit 9"):
        picture.row_of(9)


def test_a_device_that_changes_hands_takes_its_place_along() -> None:
    registry = RegistryTable(contents())
    picture = Picture(registry, NOW_US)
    picture.apply(report(1, 1, 36.0), NOW_US)
    registry.replace(contents(assignments=(Assignment(device_id=1, unit_id=9, started_us=0),)))
    picture.refresh(NOW_US)
    assert link_of(picture, 7) is LinkState.NEVER
    assert lat_of(picture, 9) == 360_000_000


def test_a_trail_holds_ten_minutes_at_most_one_fix_a_second() -> None:
    picture = pictured()
    for step in range(1400):
        now_us = NOW_US + step * SECOND_US // 2
        picture.apply(report(1, -step / 2, 36.0 + step * 1e-5), now_us)
    trail = picture.trail(7)
    assert len(trail) == 600
    assert (np.diff(trail["observed_us"]) == SECOND_US).all()
    assert len(picture.trail(9)) == 0


def test_a_report_of_a_device_without_unit_moves_nobody() -> None:
    picture = Picture(RegistryTable(contents(assignments=())), NOW_US)
    before = picture.version
    picture.apply(report(1, 1, 36.0), NOW_US)
    picture.apply(report(55, 1, 36.0), NOW_US)
    assert picture.version == before
