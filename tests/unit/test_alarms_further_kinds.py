"""Devices' and geofences' alarms are raised, ended, told as late, handed over and closed with a note."""

from typing import Any

import pytest

from telemetry.alarms.board import ESCALATE_US, AlarmBoard, is_open
from telemetry.alarms.decisions import check_decision
from telemetry.model.alarm import Alarm, AlarmState
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmHandedOver,
    AlarmKind,
    AnyEvent,
    DeviceAlarm,
    GeofenceEntered,
    GeofenceLeft,
    GeofenceSpeeding,
    OfficerAlone,
    OutsideArea,
    SosCleared,
    SosRaised,
)
from telemetry.model.unit import Service, Unit, UnitKind

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


def board() -> AlarmBoard:
    return AlarmBoard(lambda _device_id, _at_us: None)


def at(second: float, *, age_s: float = 0.0, device_id: int = 7) -> dict[str, Any]:
    received_us = NOW_US + int(second * SECOND_US)
    return {"device_id": device_id, "observed_us": received_us - int(age_s * SECOND_US), "received_us": received_us}


def decided(kind: type[Any], alarm: Alarm, second: float, **more: Any) -> Any:  # noqa: ANN401 - one of three events
    who = {"account_id": 1, "account_name": "Wang"} | more
    return kind(**at(second), alarm_id=alarm.alarm_id, **who)


@pytest.mark.parametrize(
    ("begin", "end", "kind", "priority"),
    [
        (
            DeviceAlarm(**at(0), alarm=AlarmKind.COLLISION, active=True, code="jt808:29"),
            DeviceAlarm(**at(5), alarm=AlarmKind.COLLISION, active=False),
            AlarmKind.COLLISION,
            1,
        ),
        (
            DeviceAlarm(**at(0), alarm=AlarmKind.POWER_CUT, active=True),
            DeviceAlarm(**at(5), alarm=AlarmKind.POWER_CUT, active=False),
            AlarmKind.POWER_CUT,
            2,
        ),
        (
            GeofenceEntered(**at(0), geofence_id=3, raises_alarm=True, name="河边"),
            GeofenceLeft(**at(5), geofence_id=3, inside_s=5.0),
            AlarmKind.GEOFENCE,
            2,
        ),
        (
            GeofenceSpeeding(**at(0), geofence_id=3, active=True, speed_mps=20.0, limit_mps=10.0),
            GeofenceSpeeding(**at(5), geofence_id=3, active=False, speed_mps=9.0, limit_mps=10.0),
            AlarmKind.SPEEDING,
            3,
        ),
        (OutsideArea(**at(0), active=True), OutsideArea(**at(5), active=False), AlarmKind.OUTSIDE_AREA, 3),
        (
            OfficerAlone(**at(0), active=True, limit_m=300.0, nearest_m=700.0),
            OfficerAlone(**at(5), active=False, limit_m=300.0, nearest_m=20.0),
            AlarmKind.OFFICER_ALONE,
            2,
        ),
    ],
)
def test_an_alarm_is_raised_with_its_cause_and_ended_with_it(
    begin: AnyEvent, end: AnyEvent, kind: AlarmKind, priority: int
) -> None:
    alarms = board()
    (alarm,) = alarms.apply(begin)
    assert (alarm.kind, alarm.priority, alarm.observed_us) == (kind, priority, begin.observed_us)
    (ended,) = alarms.apply(end)
    assert ended.state is AlarmState.ENDED
    assert is_open(ended)


def test_a_fence_that_asks_for_nobody_raises_nothing_and_two_fences_are_two_alarms() -> None:
    alarms = board()
    assert alarms.apply(GeofenceEntered(**at(0), geofence_id=1)) == []
    for geofence_id in (2, 3):
        alarms.apply(GeofenceEntered(**at(0), geofence_id=geofence_id, raises_alarm=True))
    assert sorted(alarm.geofence_id or 0 for alarm in alarms.open()) == [2, 3]


def test_two_devices_of_one_unit_in_one_fence_are_one_alarm() -> None:
    unit = Unit(unit_id=70, call_sign="Lin", kind=UnitKind.OFFICER, service=Service.PATROL)
    alarms = AlarmBoard(lambda _device_id, _at_us: unit)
    for device_id in (7, 8):
        alarms.apply(GeofenceEntered(**at(0, device_id=device_id), geofence_id=3, raises_alarm=True))
    assert [alarm.device_id for alarm in alarms.open()] == [7]


def test_a_call_that_was_a_little_late_is_said_to_be_and_escalates_all_the_same() -> None:
    alarms = board()
    (alarm,) = alarms.apply(SosRaised(**at(0, age_s=300), sent_late=True))
    assert (alarm.priority, alarm.is_late) == (1, True)
    (escalated,) = alarms.advance(NOW_US + ESCALATE_US)
    assert escalated.escalated_us is not None


def test_a_call_of_an_hour_ago_still_needs_a_person_but_calls_nobody_twice() -> None:
    alarms = board()
    (alarm,) = alarms.apply(SosRaised(**at(0, age_s=3_600), sent_late=True))
    assert (alarm.priority, alarm.is_late) == (2, True)
    assert alarms.advance(NOW_US + 10 * ESCALATE_US) == []
    (fresh,) = alarms.apply(SosRaised(**at(5)))
    assert (fresh.alarm_id, fresh.priority) == (alarm.alarm_id, 1)


def test_the_end_of_an_earlier_alarm_that_comes_late_does_not_end_a_new_one() -> None:
    alarms = board()
    alarms.apply(SosRaised(**at(0)))
    assert alarms.apply(SosCleared(**at(5, age_s=600))) == []
    assert alarms.apply(SosCleared(**at(6)))[0].state is AlarmState.ENDED


def test_an_alarm_is_handed_over_with_a_note_and_closed_with_another() -> None:
    alarms = board()
    (alarm,) = alarms.apply(SosRaised(**at(0)))
    alarms.apply(decided(AlarmAcknowledged, alarm, 1))
    (given,) = alarms.apply(
        decided(
            AlarmHandedOver, alarm, 2, account_id=2, account_name="Li", by_account_id=1, by_name="Wang", note="yours"
        )
    )
    assert (given.owner, given.acknowledged_by, given.note, given.state) == (
        "Li",
        "Wang",
        "yours",
        AlarmState.ACKNOWLEDGED,
    )
    (closed,) = alarms.apply(decided(AlarmClosed, alarm, 3, account_id=2, account_name="Li", note="false alarm"))
    assert (closed.closed_by, closed.note, closed.state) == ("Li", "false alarm", AlarmState.ENDED)
    assert alarms.open() == []
    (second,) = alarms.apply(SosRaised(**at(9)))
    assert second.alarm_id != alarm.alarm_id


def test_closing_what_nobody_took_takes_it() -> None:
    alarms = board()
    (alarm,) = alarms.apply(SosRaised(**at(0)))
    (closed,) = alarms.apply(decided(AlarmClosed, alarm, 3, note="drill"))
    assert (closed.acknowledged_by, closed.owner) == ("Wang", "Wang")
    assert not is_open(closed)


def test_decisions_that_cannot_be_are_refused_with_why() -> None:
    alarms = board()
    (alarm,) = alarms.apply(SosRaised(**at(0)))
    hand_over = decided(
        AlarmHandedOver, alarm, 1, account_id=2, account_name="Li", by_account_id=1, by_name="Wang", note=""
    )
    with pytest.raises(ConflictError, match="acknowledge it first"):
        check_decision(alarms, hand_over)
    alarms.apply(decided(AlarmAcknowledged, alarm, 1, account_id=2, account_name="Li"))
    with pytest.raises(ConflictError, match="Li's already"):
        check_decision(alarms, hand_over)
    with pytest.raises(ConflictError, match="acknowledged by Li"):
        check_decision(alarms, decided(AlarmAcknowledged, alarm, 2))
    with pytest.raises(InputError, match="500"):
        check_decision(alarms, decided(AlarmClosed, alarm, 2, note="x" * 501))
    alarms.apply(decided(AlarmClosed, alarm, 3))
    with pytest.raises(ConflictError, match="closed by Wang"):
        check_decision(alarms, decided(AlarmClosed, alarm, 4))
    with pytest.raises(NotFoundError):
        check_decision(alarms, AlarmClosed(**at(0), alarm_id="sos-1-1", account_id=1, account_name="Wang"))
