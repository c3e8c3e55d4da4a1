"""Alarm bits of JT/T 808 become events at their edges, late ones say so, and a person's confirmation reaches the terminal."""

from typing import cast

import pytest

from telemetry.model.commands import ConfirmAlarm
from telemetry.model.events import AlarmKind, DeviceAlarm, SosCleared, SosRaised
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.alarms import ALARMS, CONFIRMABLE, bits_of
from telemetry.sources.jt808.terminal import SOS_BIT
from tests.jt808_scene import START_US, Call, fix_at

COLLISION = 1 << 29
AREA = 1 << 20
MINUTE_US = 60_000_000


def report(call: Call, alarm_bits: int, *, age_us: int = 0) -> None:
    """One more position, a second after the last, with these alarm bits."""
    call.now_us += 1_000_000
    call.say(call.terminal.position(fix_at(call.now_us - age_us, alarm_bits=alarm_bits)).data)


def sos_of(call: Call) -> list[SosRaised]:
    return [cast(SosRaised, event) for event in call.events_of(SosRaised)]


def alarms_of(call: Call) -> list[tuple[AlarmKind, bool, bool]]:
    alarms = [cast(DeviceAlarm, event) for event in call.events_of(DeviceAlarm)]
    return [(alarm.alarm, alarm.active, alarm.sent_late) for alarm in alarms]


def test_an_alarm_is_told_when_it_begins_and_when_it_ends_and_not_with_every_position() -> None:
    call = Call().connect()
    for bits in (0, COLLISION, COLLISION, COLLISION | 1, COLLISION | 1, 1, 0, 0):
        report(call, bits)
    assert alarms_of(call) == [(AlarmKind.COLLISION, True, False), (AlarmKind.COLLISION, False, False)]
    (sos,) = sos_of(call)
    assert not sos.sent_late
    assert not call.events_of(SosCleared), "a bit that falls is no person who says that it is over"


def test_an_alarm_still_on_after_reconnecting_is_the_same_alarm() -> None:
    call = Call().connect()
    report(call, SOS_BIT | AREA)
    call.connect()
    report(call, SOS_BIT | AREA)
    assert len(sos_of(call)) == 1
    assert len(alarms_of(call)) == 1
    report(call, 0)
    report(call, SOS_BIT)
    assert len(sos_of(call)) == 2


def test_an_alarm_out_of_a_blind_area_is_told_late_once_and_leaves_the_live_ones_alone() -> None:
    call = Call().connect()
    report(call, COLLISION)
    old = [fix_at(START_US - 60 * MINUTE_US + n * 1_000_000, alarm_bits=SOS_BIT if n > 3 else 0) for n in range(40)]
    call.say(call.terminal.batch(old, archive=True).data)
    (sos,) = sos_of(call)
    assert sos.sent_late
    assert sos.observed_us == old[4].observed_us
    report(call, COLLISION)
    assert alarms_of(call) == [(AlarmKind.COLLISION, True, False)]
    report(call, COLLISION | SOS_BIT)
    assert [event.sent_late for event in sos_of(call)] == [True, False], "what is on now is never only late"


def test_an_sos_that_is_on_is_not_told_again_by_the_stored_positions_that_had_it() -> None:
    call = Call().connect()
    report(call, SOS_BIT)
    call.say(call.terminal.batch([fix_at(START_US - 5 * MINUTE_US, alarm_bits=SOS_BIT)], archive=True).data)
    assert len(sos_of(call)) == 1


@pytest.mark.parametrize(
    ("age_us", "is_late"),
    [
        (0, False),
        (4 * MINUTE_US, False),
        (7 * MINUTE_US, True),
        (8 * 60 * MINUTE_US, False),
        (-8 * 60 * MINUTE_US, False),
    ],
    ids=["now", "4 min", "7 min", "zone 8 h behind", "zone 8 h ahead"],
)
def test_an_old_position_makes_its_sos_late_but_a_zone_set_wrong_does_not(age_us: int, is_late: bool) -> None:
    call = Call().connect()
    report(call, SOS_BIT, age_us=age_us)
    assert [event.sent_late for event in sos_of(call)] == [is_late]


def test_one_position_out_of_the_future_does_not_make_every_later_alarm_old() -> None:
    call = Call().connect()
    report(call, 0, age_us=-50 * 365 * 24 * 60 * MINUTE_US)
    report(call, SOS_BIT)
    assert [event.sent_late for event in sos_of(call)] == [False]


def test_every_alarm_bit_but_that_of_sos_has_a_kind_and_words() -> None:
    assert sorted(ALARMS) == list(range(1, 32))
    assert all(text for _, text in ALARMS.values())
    assert bits_of(AlarmKind.SOS) == 1
    assert bits_of(AlarmKind.OFFICER_ALONE) == 0


def test_a_taken_alarm_is_confirmed_with_its_bits_and_the_number_that_the_terminal_gave_it() -> None:
    call = Call().connect()
    call.say(call.terminal.position(fix_at(alarm_bits=SOS_BIT | AREA, items=((0x04, b"\x12\x34"),))).data)
    call.hear(call.decoder.send(ConfirmAlarm(device_id=7, alarm=AlarmKind.SOS), START_US))
    assert call.frames[-1].msg_id == m.CONFIRM_ALARM
    assert call.frames[-1].body.hex() == "1234" + "00000001"
    call.hear(call.decoder.send(ConfirmAlarm(device_id=7, alarm=AlarmKind.GEOFENCE), START_US))
    assert int.from_bytes(call.frames[-1].body[2:]) == AREA, "only what is on is confirmed"


def test_an_alarm_that_0x8203_cannot_confirm_is_confirmed_by_a_general_reply_to_its_position() -> None:
    call = Call().connect()
    sent = call.terminal.position(fix_at(alarm_bits=COLLISION))
    call.say(sent.data)
    assert not COLLISION & CONFIRMABLE
    call.hear(call.decoder.send(ConfirmAlarm(device_id=7, alarm=AlarmKind.COLLISION), START_US))
    assert m.read_reply(call.frames[-1].body) == (sent.serial, m.POSITION, m.Result.ALARM_TAKEN)


@pytest.mark.parametrize("years", [2, 20, 26], ids=["reset", "weeks counted anew", "the year 2000"])
def test_a_clock_that_was_never_set_makes_no_call_for_help_late(years: int) -> None:
    for before_us in (None, 0):
        call = Call().connect()
        if before_us is not None:
            report(call, 0, age_us=before_us)
        report(call, SOS_BIT, age_us=years * 365 * 24 * 60 * MINUTE_US)
        (sos,) = sos_of(call)
        assert not sos.sent_late
        assert sos.observed_us == sos.received_us
        report(call, SOS_BIT)
        assert len(sos_of(call)) == 1, "it is the same one when the clock is right"
