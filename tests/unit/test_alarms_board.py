"""The board raises, ranks, escalates, acknowledges and ends alarms, always alike for the same events."""

import itertools
from typing import Any

import pytest

from telemetry.alarms.board import ESCALATE_US, LOG_LENGTH, AlarmBoard, first_event_us, is_open
from telemetry.model.alarm import Alarm, AlarmState
from telemetry.model.events import (
    AlarmAcknowledged,
    AlarmKind,
    AnyEvent,
    ArmedChanged,
    BatteryLow,
    IdentityConflict,
    LandedChanged,
    LandedState,
    LinkLost,
    LinkRegained,
    SosCleared,
    SosRaised,
)
from telemetry.model.unit import DutyStatus, Service, Unit, UnitKind

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


def unit(kind: UnitKind = UnitKind.OFFICER, duty: DutyStatus = DutyStatus.FREE) -> Unit:
    return Unit(unit_id=70, call_sign="Lin", kind=kind, service=Service.PATROL, duty_status=duty)


def board(kind: UnitKind = UnitKind.OFFICER, duty: DutyStatus = DutyStatus.FREE) -> AlarmBoard:
    return AlarmBoard(lambda device_id, at_us: unit(kind, duty) if device_id == 7 and at_us else None)


def sos(at_s: float = 0, device_id: int = 7, *, replayed: bool = False) -> SosRaised:
    at_us = NOW_US + int(at_s * SECOND_US)
    return SosRaised(device_id=device_id, observed_us=at_us, received_us=at_us, replayed=replayed)


def cleared(at_s: float) -> SosCleared:
    at_us = NOW_US + int(at_s * SECOND_US)
    return SosCleared(device_id=7, observed_us=at_us, received_us=at_us)


def lost(silent_s: float, at_s: float = 0) -> LinkLost:
    at_us = NOW_US + int(at_s * SECOND_US)
    return LinkLost(device_id=7, observed_us=at_us, received_us=at_us, silent_s=silent_s)


def acknowledged(alarm: Alarm, at_s: float) -> AlarmAcknowledged:
    at_us = NOW_US + int(at_s * SECOND_US)
    return AlarmAcknowledged(
        device_id=alarm.device_id,
        observed_us=at_us,
        received_us=at_us,
        alarm_id=alarm.alarm_id,
        account_id=1,
        account_name="Wang",
    )


def test_an_sos_is_of_priority_one_and_bears_its_cause_in_its_name() -> None:
    (alarm,) = board().apply(sos())
    assert (alarm.kind, alarm.priority, alarm.unit_id, alarm.number) == (AlarmKind.SOS, 1, 70, 1)
    assert alarm.alarm_id == f"sos-7-{NOW_US}"


def test_an_sos_repeated_while_open_is_one_alarm() -> None:
    alarms = board()
    alarms.apply(sos())
    assert alarms.apply(sos(5)) == []
    assert len(alarms.open()) == 1


def test_an_sos_sent_again_after_it_was_cleared_raises_nothing_but_a_new_one_does() -> None:
    alarms = board()
    alarms.apply(sos())
    alarms.apply(cleared(10))
    assert alarms.apply(sos()) == []
    (second,) = alarms.apply(sos(20))
    assert second.number == 2


def test_an_sos_nobody_took_escalates_after_a_minute_once() -> None:
    alarms = board()
    alarms.apply(sos())
    assert alarms.advance(NOW_US + ESCALATE_US - 1) == []
    (alarm,) = alarms.advance(NOW_US + ESCALATE_US + 5)
    assert alarm.escalated_us == NOW_US + ESCALATE_US
    assert alarms.advance(NOW_US + 10 * ESCALATE_US) == []


def test_an_acknowledged_sos_does_not_escalate_and_stays_until_it_is_cleared() -> None:
    alarms = board()
    (alarm,) = alarms.apply(sos())
    (taken,) = alarms.apply(acknowledged(alarm, 10))
    assert (taken.state, taken.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "Wang")
    assert alarms.advance(NOW_US + 10 * ESCALATE_US) == []
    assert alarms.open() == [taken]
    (ended,) = alarms.apply(cleared(30))
    assert ended.state is AlarmState.ENDED
    assert alarms.open() == []


def test_a_cleared_sos_stays_on_the_board_until_somebody_has_seen_it() -> None:
    alarms = board()
    (alarm,) = alarms.apply(sos())
    (ended,) = alarms.apply(cleared(5))
    assert alarms.open() == [ended]
    (seen,) = alarms.apply(acknowledged(alarm, 9))
    assert seen.state is AlarmState.ENDED
    assert seen.ended_us == NOW_US + 5 * SECOND_US
    assert not is_open(seen)


def test_an_alarm_is_acknowledged_once() -> None:
    alarms = board()
    (alarm,) = alarms.apply(sos())
    alarms.apply(acknowledged(alarm, 1))
    assert alarms.apply(acknowledged(alarm, 2)) == []


@pytest.mark.parametrize(
    ("kind", "duty", "flies", "priority"),
    [
        (UnitKind.DRONE, DutyStatus.FREE, True, 2),
        (UnitKind.DRONE, DutyStatus.FREE, False, 3),
        (UnitKind.DRONE, DutyStatus.OFF_DUTY, False, 3),
        (UnitKind.OFFICER, DutyStatus.ENGAGED, False, 2),
        (UnitKind.OFFICER, DutyStatus.FREE, False, 3),
        (UnitKind.OFFICER, DutyStatus.OFF_DUTY, False, None),
    ],
)
def test_a_lost_link_matters_more_when_somebody_depends_on_it(
    kind: UnitKind, duty: DutyStatus, flies: bool, priority: int | None
) -> None:
    alarms = board(kind, duty)
    if flies:
        alarms.apply(ArmedChanged(device_id=7, observed_us=NOW_US, received_us=NOW_US, armed=True))
        aloft = LandedChanged(device_id=7, observed_us=NOW_US, received_us=NOW_US, landed=LandedState.IN_AIR)
        alarms.apply(aloft)
    assert alarms.apply(lost(3)) == []
    assert [alarm.priority for alarm in alarms.apply(lost(10))] == ([priority] if priority else [])


def test_a_regained_link_ends_its_alarm() -> None:
    alarms = board(UnitKind.DRONE)
    alarms.apply(lost(10))
    at_us = NOW_US + SECOND_US
    (ended,) = alarms.apply(LinkRegained(device_id=7, observed_us=at_us, received_us=at_us, silent_s=11))
    assert ended.ended_us == at_us


def test_a_battery_alarm_grows_more_urgent_in_the_air() -> None:
    alarms = board(UnitKind.DRONE)
    alarms.apply(ArmedChanged(device_id=7, observed_us=NOW_US, received_us=NOW_US, armed=True))
    low = BatteryLow(device_id=7, observed_us=NOW_US, received_us=NOW_US, battery_ratio=0.25, threshold_ratio=0.3)
    lower = BatteryLow(
        device_id=7, observed_us=NOW_US + 1, received_us=NOW_US + 1, battery_ratio=0.1, threshold_ratio=0.15
    )
    (first,) = alarms.apply(low)
    (second,) = alarms.apply(lower)
    assert (first.priority, second.priority) == (3, 2)
    assert first.alarm_id == second.alarm_id


def test_an_identity_conflict_ends_with_its_acknowledgement() -> None:
    alarms = board()
    conflict = IdentityConflict(device_id=7, observed_us=NOW_US, received_us=NOW_US, evidence="two sequences")
    (alarm,) = alarms.apply(conflict)
    assert alarm.priority == 2
    alarms.apply(acknowledged(alarm, 1))
    assert alarms.open() == []


def test_a_recording_raises_no_alarm() -> None:
    assert board().apply(sos(replayed=True)) == []


def test_urgent_alarms_stand_first() -> None:
    alarms = board(UnitKind.DRONE)
    alarms.apply(lost(10))
    alarms.apply(sos(1))
    assert [alarm.kind for alarm in alarms.open()] == [AlarmKind.SOS, AlarmKind.LINK_LOST]


def test_a_client_that_was_away_gets_what_it_missed_or_learns_that_it_missed_too_much() -> None:
    alarms = board()
    for number in range(LOG_LENGTH // 2 + 10):
        alarms.apply(sos(number * 2))
        alarms.apply(cleared(number * 2 + 1))
    assert alarms.changes_since(3)[0][0] > 4
    assert alarms.changes_since(alarms.sequence) == []
    missed = alarms.changes_since(alarms.sequence - 2)
    assert [number for number, _ in missed] == [alarms.sequence - 1, alarms.sequence]


def test_numbers_start_again_each_day_and_survive_a_restart() -> None:
    history: list[AnyEvent] = [sos(hour * 3600, device_id=100 + hour) for hour in range(60)]
    whole = board()
    numbers = {alarm.alarm_id: alarm.number for event in history for alarm in whole.apply(event)}
    from_us = first_event_us(history[-1].received_us)
    later = board()
    raised = [alarm for event in history if event.received_us >= from_us for alarm in later.apply(event)]
    assert {alarm.alarm_id: alarm.number for alarm in raised}.items() <= numbers.items()
    days = [len(list(group)) for _, group in itertools.groupby(sorted(numbers.values()))]
    assert max(days) == 4


def test_a_second_call_for_help_with_the_first_ones_time_is_an_alarm_of_its_own() -> None:
    board = AlarmBoard(lambda _device_id, _at_us: None)
    stuck: dict[str, Any] = {"device_id": 1, "observed_us": 5_000_000}
    [first] = board.apply(SosRaised(**stuck, received_us=10_000_000))
    board.apply(SosCleared(**stuck, received_us=20_000_000))
    [second] = board.apply(SosRaised(**stuck, received_us=30_000_000))
    assert second.alarm_id != first.alarm_id
    assert [alarm.alarm_id for alarm in board.open() if alarm.ended_us is None] == [second.alarm_id]
