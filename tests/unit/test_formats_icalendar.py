"""iCalendar: shifts that come back day by day in, what is no shift left out; tasks out with the days that they are wanted on."""

from datetime import UTC, date, datetime, time, timedelta

import icalendar as peer
import msgspec
import pytest
from dateutil.rrule import rrulestr

from mission.formats import icalendar
from mission.formats.icalendar_reading import read
from mission.formats.plan_files import read_file
from mission.model import HolidayUse, Recurrence
from mission.schedule.recurrence import days
from telemetry.model.errors import FileFormatError
from tests.flown_day import BANK, PLAN, PROGRAMME

SHANGHAI = "DTSTART;TZID=Asia/Shanghai:20270501T070000\r\nDTEND;TZID=Asia/Shanghai:20270501T150000"
LAST = date(2027, 12, 31)


def calendar(*events: str) -> bytes:
    whole = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{whole}END:VCALENDAR\r\n".encode()


def starts(data: bytes) -> list[str]:
    return [f"{datetime.fromtimestamp(window.start_us / 1e6, UTC):%m%dT%H}" for _, window in read(data).shifts]


def test_a_daily_shift_of_ten_days_is_ten_shifts() -> None:
    data = calendar(f"UID:1\r\nSUMMARY:Early\r\n{SHANGHAI}\r\nRRULE:FREQ=DAILY;COUNT=10")
    (crew,) = read_file(data, "c.ics").programme.crews
    assert [shift.start_us for shift in crew.shifts] == [
        crew.shifts[0].start_us + number * 86_400_000_000 for number in range(10)
    ]
    assert {shift.end_us - shift.start_us for shift in crew.shifts} == {8 * 3_600_000_000}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;TZID=Asia/Shanghai:20270502T070000", ["0430T23", "0502T23"]),
        ("RRULE:FREQ=DAILY;UNTIL=20270502T230000Z", ["0430T23", "0501T23", "0502T23"]),
        ("RRULE:FREQ=DAILY;UNTIL=20270502T225959Z", ["0430T23", "0501T23"]),
        ("RDATE;TZID=Asia/Shanghai:20270601T070000", ["0430T23", "0531T23"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=2", ["0430T23", "0507T23"]),
    ],
)
def test_rules_days_put_in_and_days_taken_out_are_followed_in_the_events_own_zone(said: str, wanted: list[str]) -> None:
    assert starts(calendar(f"UID:1\r\nSUMMARY:Early\r\n{SHANGHAI}\r\n{said}")) == wanted


def test_a_moved_occurrence_stands_in_the_place_of_the_one_that_it_moves() -> None:
    moved = "UID:1\r\nRECURRENCE-ID:20270501T230000Z\r\nDTSTART:20270502T020000Z\r\nDTEND:20270502T030000Z"
    gone = "UID:1\r\nSTATUS:CANCELLED\r\nRECURRENCE-ID:20270502T230000Z\r\nDTSTART:20270502T230000Z\r\nDTEND:20270503T070000Z"
    assert starts(calendar(f"UID:1\r\n{SHANGHAI}\r\nRRULE:FREQ=DAILY;COUNT=3", moved, gone)) == ["0430T23", "0502T02"]


def test_a_rule_without_end_is_followed_for_five_years_and_one_that_is_no_rule_of_days_once_with_notes() -> None:
    endless = read(calendar(f"UID:1\r\nSUMMARY:Early\r\n{SHANGHAI}\r\nRRULE:FREQ=WEEKLY"))
    assert len(endless.shifts) == 262
    assert endless.notes[0].en == "event 1 (Early): it was taken until 2032-05-04: what comes after was left out"
    hourly = read(calendar(f"UID:1\r\nSUMMARY:Early\r\n{SHANGHAI}\r\nRRULE:FREQ=HOURLY"))
    assert len(hourly.shifts) == 1
    assert "only its first time was taken" in hourly.notes[0].en
    assert "只采用第一次" in hourly.notes[0].zh


def test_what_is_cancelled_ours_or_without_time_is_left_out_and_every_crew_that_was_made_is_named() -> None:
    times = "DTSTART:20270501T090000Z\r\nDTEND:20270501T100000Z"
    found = read_file(
        calendar(
            f"UID:1\r\nSUMMARY:Gone\r\nSTATUS:CANCELLED\r\n{times}",
            f"UID:sortie-8-12@skybeat\r\nSUMMARY:Hawk\r\n{times}",
            f"UID:task-3@skybeat\r\nSUMMARY:Bank\r\n{times}",
            "UID:2\r\nSUMMARY:Call\r\nDTSTART:20270501T090000Z",
            f"UID:shift-2-99@skybeat\r\nSUMMARY:Zhou Lan\r\n{times}",
            f"UID:4\r\nSUMMARY:Team meeting\r\n{times}",
        ),
        "c.ics",
    )
    assert [crew.name for crew in found.programme.crews] == ["Zhou Lan", "Team meeting"]
    assert [note.en for note in found.notes] == [
        "event 1 (Gone): it is cancelled and was left out",
        "event 4 (Call): it lasts no time and was left out",
        "2 sorties and tasks of a plan's calendar were left out: they are no crews' shifts",
        "2 timed events were taken as shifts of crews named for them (Zhou Lan, Team meeting): leave out what is no shift",
    ]
    assert all(note.zh != note.en for note in found.notes)


def test_a_yearly_holiday_is_one_of_each_year() -> None:
    found = read(
        calendar("UID:1\r\nDTSTART;VALUE=DATE:20270501\r\nDTEND;VALUE=DATE:20270503\r\nRRULE:FREQ=YEARLY;COUNT=2")
    )
    assert [day.isoformat() for day in found.days] == ["2027-05-01", "2027-05-02", "2028-05-01", "2028-05-02"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("DTSTART:99991231T230000Z\r\nDURATION:P1D", "cannot be read|years 1 to 9999"),
        ("DTSTART;TZID=Asia/Shanghai:00010101T000000\r\nDTEND;TZID=Asia/Shanghai:00010101T010000", "years 1 to 9999"),
        ("DTSTART;TZID=Asia/:20270501T070000", "cannot be read"),
        ("DTSTART;VALUE=DATE:00010101\r\nDTEND;VALUE=DATE:99990101", "at most 20000"),
        (
            "DTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20290101\r\nRRULE:FREQ=DAILY\r\nRDATE;VALUE=DATE:99991231",
            "years 1 to 9999",
        ),
    ],
)
def test_times_without_measure_are_refused_at_once(said: str, why: str) -> None:
    with pytest.raises(FileFormatError, match=why):
        read(calendar(f"UID:1\r\n{said}"))


def recurring(**said: object) -> Recurrence:
    usual = Recurrence(
        rule="FREQ=WEEKLY;BYDAY=TU,SA", first_on=date(2027, 1, 1), since=time(8), until=time(18), zone="Asia/Shanghai"
    )
    return msgspec.structs.replace(usual, **said)


@pytest.mark.parametrize(
    "told",
    [
        recurring(),
        recurring(holidays=HolidayUse.NEVER),
        recurring(holidays=HolidayUse.ONLY),
        recurring(skip=(date(2027, 1, 2),), extra=(date(2027, 1, 3), date(2027, 5, 4))),
        recurring(holidays=HolidayUse.NEVER, extra=(date(2027, 5, 1),)),
        recurring(rule="RRULE:FREQ=DAILY;UNTIL=20270110", until=time()),
        recurring(rule="FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31", zone="Europe/Berlin"),
    ],
)
def test_other_calendars_see_a_task_on_the_days_on_which_it_is_wanted(told: Recurrence) -> None:
    holidays = (date(2027, 5, 1), date(2027, 5, 2), date(2027, 10, 5))
    task = msgspec.structs.replace(BANK, recurrence=told)
    programme = msgspec.structs.replace(PROGRAMME, tasks=(task,), holidays=holidays)
    read_back = peer.Calendar.from_ical(icalendar.write(PLAN, programme))
    event = next(one for one in read_back.walk("VEVENT") if str(one["uid"]) == "task-1@skybeat")
    assert isinstance(event, peer.Event)
    start = event.start
    assert isinstance(start, datetime)
    seen = {start, *(one[0] if isinstance(one, tuple) else one for one in event.rdates)}
    for rule in event.rrules:
        said = rrulestr(rule.to_ical().decode(), dtstart=start)
        seen.update(said.between(start, start + timedelta(days=365), inc=True))
    wanted = days(told, date(2027, 1, 1), LAST, holidays=holidays)
    shown = sorted(f"{one:%Y-%m-%d}" for one in seen.difference(event.exdates))
    assert [day for day in shown if day <= LAST.isoformat()] == [day.isoformat() for day in wanted]
    assert event.end - event.start == timedelta(hours=10 if told.until > told.since else 16)
    assert str(read_back.walk("VTIMEZONE")[0]["tzid"]) == told.zone
