"""When a task comes back: rules of days, holidays, midnight and the clocks that are put forward and back."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from mission.model import HolidayUse, Recurrence, Window
from mission.schedule.recurrence import days, hours, united
from telemetry.model.errors import InputError

SHANGHAI = "Asia/Shanghai"


def at_us(text: str, zone: str = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1e6)


def utc_text(window: Window) -> tuple[str, str]:
    return tuple(datetime.fromtimestamp(us / 1e6, UTC).strftime("%d %H:%M") for us in (window.start_us, window.end_us))  # type: ignore[return-value]


def recurrence(rule: str = "FREQ=DAILY", **changes: object) -> Recurrence:
    values: dict[str, object] = {
        "rule": rule, "first_on": date(2026, 1, 1), "since": time(7, 30), "until": time(8, 15), "zone": SHANGHAI,
    }  # fmt: skip
    return Recurrence(**(values | changes))  # type: ignore[arg-type]


WEEK = Window(at_us("2026-09-14T00:00"), at_us("2026-09-21T00:00"))


def test_school_days_come_back_on_weekdays_at_the_hours_of_the_zone() -> None:
    found = hours(recurrence("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), WEEK)
    assert len(found) == 5
    assert utc_text(found[0]) == ("13 23:30", "14 00:15")


def test_holidays_are_left_out_or_the_only_days() -> None:
    feast = {date(2026, 9, 16)}
    assert len(hours(recurrence(holidays=HolidayUse.NEVER), WEEK, holidays=feast)) == 6
    assert len(hours(recurrence(holidays=HolidayUse.ONLY), WEEK, holidays=feast)) == 1


def test_single_days_are_taken_out_and_put_in_whatever_the_rule_says() -> None:
    rule = recurrence("FREQ=WEEKLY;BYDAY=MO", skip=(date(2026, 9, 14),), extra=(date(2026, 9, 19),))
    assert [utc_text(window)[0] for window in hours(rule, WEEK)] == ["18 23:30"]


def test_a_night_reaches_into_the_next_morning_and_into_the_plan_of_that_day() -> None:
    night = recurrence(since=time(22), until=time(2))
    day = Window(at_us("2026-09-18T00:00"), at_us("2026-09-19T00:00"))
    assert [utc_text(window) for window in hours(night, day)] == [("17 16:00", "17 18:00"), ("18 14:00", "18 16:00")]


def test_round_the_clock_is_one_window() -> None:
    always = recurrence(since=time(0), until=time(0))
    assert hours(always, WEEK) == (WEEK,)


@pytest.mark.parametrize(
    ("day", "since", "until", "seen"),
    [
        ("2026-03-29", time(1), time(4), 2),
        ("2026-10-25", time(1), time(4), 4),
        ("2026-03-29", time(2, 30), time(4), 0.5),
        ("2026-10-25", time(2, 30), time(2, 45), 1.25),
    ],
)
def test_clocks_put_forward_and_back_make_hours_shorter_and_longer(
    day: str, since: time, until: time, seen: float
) -> None:
    window = Window(at_us(f"{day}T00:00", "Europe/Berlin"), at_us(f"{day}T23:00", "Europe/Berlin"))
    (found,) = hours(recurrence(since=since, until=until, zone="Europe/Berlin"), window)
    assert (found.end_us - found.start_us) / 3.6e9 == seen


def test_a_count_counts_from_the_first_day_and_an_end_ends() -> None:
    assert len(hours(recurrence("FREQ=DAILY;COUNT=3", first_on=date(2026, 9, 13)), WEEK)) == 2
    assert len(hours(recurrence("RRULE:FREQ=DAILY;UNTIL=20260915T235959Z"), WEEK)) == 2


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=4", "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
     "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"],
)  # fmt: skip
def test_a_rule_that_never_matches_has_no_days_and_is_followed_only_as_far_as_it_is_asked(rule: str) -> None:
    assert hours(recurrence(rule), WEEK) == ()


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;BYMONTH=3,10;BYDAY=SA,SU", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
     "FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=-1,15", "FREQ=MONTHLY;INTERVAL=2;BYDAY=2MO,-1FR",
     "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1", "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
     "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYYEARDAY=1,-1,100",
     "FREQ=YEARLY;BYWEEKNO=20,-2;BYDAY=TH", "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=10;WKST=WE", "FREQ=DAILY;COUNT=900"],
)  # fmt: skip
def test_a_rules_days_are_those_of_dateutil(rule: str) -> None:
    first_on, since, last = date(2023, 10, 31), date(2025, 12, 20), date(2028, 3, 5)
    theirs = rrulestr(rule, dtstart=datetime.combine(first_on, time()))
    until = datetime.combine(last, time())
    between = theirs.between(datetime.combine(since, time()), until, inc=True)
    assert days(recurrence(rule, first_on=first_on), since, last) == [moment.date() for moment in between]


@pytest.mark.parametrize(
    "rule", ["", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=8", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY\nX",
             "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;COUNT=-1"],
)  # fmt: skip
def test_what_is_no_rule_of_days_is_refused_with_what_is_allowed(rule: str) -> None:
    with pytest.raises(InputError, match=r"allowed|write e\.g\."):
        hours(recurrence(rule), WEEK)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InputError, match="tz database"):
        hours(recurrence(zone="Asia/Beijin"), WEEK)


def test_touching_windows_are_one() -> None:
    assert united([Window(5, 9), Window(0, 5), Window(20, 20), Window(8, 10)]) == (Window(0, 10),)
