"""The days of an RFC 5545 rule, reckoned period by period: it ends where it is told to, whether or not a day ever matches."""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY: Final = re.compile(r"([+-]?\d{0,3})(MO|TU|WE|TH|FR|SA|SU)")
_ONE_DAY: Final = timedelta(days=1)
_WEEK_DAYS: Final = 7
_LEAST_FIRST_WEEK_DAYS: Final = 4


@dataclass(frozen=True)
class RuleOfDays:
    """A rule's parts, weekdays counted from Monday as 0; what is empty limits nothing. `nth_weekdays` are (n, weekday).

    Negative numbers count from the end of the month or year. `positions` choose among the days of a period.
    """

    frequency: str
    interval: int = 1
    week_start: int = 0
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    positions: frozenset[int] = frozenset()

    def days(self, first_on: date, since: date, last: date) -> Iterator[date]:
        """Yield, in order, the days from `since` to `last` (both included) of the rule that begins on `first_on`.

        About 1 us a day of the periods between.
        """
        for period in self._periods(first_on, since, last):
            found = [day for day in period if self._matches(day)]
            if self.positions:
                chosen = {position - (position > 0) for position in self.positions}
                found = [day for n, day in enumerate(found) if n in chosen or n - len(found) in chosen]
            yield from (day for day in found if max(since, first_on) <= day <= last)

    def _periods(self, first_on: date, since: date, last: date) -> Iterator[list[date]]:
        """Yield the days of each period that counts, from the one with `since` or one before it on."""
        reach = max(min(since, last) - first_on, timedelta(0))
        if self.frequency in {"DAILY", "WEEKLY"}:
            length = 1 if self.frequency == "DAILY" else _WEEK_DAYS
            start = first_on - timedelta(days=(first_on.weekday() - self.week_start) % _WEEK_DAYS * (length > 1))
            step = timedelta(days=length * self.interval)
            start += max(reach // step - 1, 0) * step
            while start <= last:
                yield [start + number * _ONE_DAY for number in range(length)]
                start += step
            return
        length = 1 if self.frequency == "MONTHLY" else 12
        month = first_on.year * 12 + (first_on.month - 1 if length == 1 else 0)
        month += max(reach.days // (31 * length * self.interval) - 1, 0) * length * self.interval
        while month <= last.year * 12 + last.month - 1:
            yield [day for number in range(month, month + length) for day in _days_of_month(number)]
            month += length * self.interval

    def _matches(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.month_days and self.month_days.isdisjoint((day.day, day.day - length - 1)):
            return False
        is_asked = day.weekday() in self.weekdays or (self.nth_weekdays and self._is_nth(day, length))
        if (self.weekdays or self.nth_weekdays) and not is_asked:
            return False
        number, total = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
        if self.year_days and self.year_days.isdisjoint((number, number - total - 1)):
            return False
        return not self.weeks or not self.weeks.isdisjoint(_week(day, self.week_start))

    def _is_nth(self, day: date, month_length: int) -> bool:
        """Tell whether it is a weekday of the wanted number: of the month or, yearly without months, of the year."""
        number, length = day.day, month_length
        if self.frequency == "YEARLY" and not self.months:
            number, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
        nth = {(number - 1) // _WEEK_DAYS + 1, -((length - number) // _WEEK_DAYS + 1)}
        return any((n, day.weekday()) in self.nth_weekdays for n in nth)


def rule_of_days(parts: Mapping[str, str], first_on: date) -> RuleOfDays:
    """Return the rule of an RRULE's parts, those that it does not say taken from its first day. Raises ValueError."""
    frequency = parts["FREQ"]
    numbers = {name: _numbers(parts, name) for name in ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")}
    months, month_days = numbers["BYMONTH"], numbers["BYMONTHDAY"]
    by_weekday = [_weekday(text) for text in _listed(parts, "BYDAY")]
    counts = frequency in {"MONTHLY", "YEARLY"}
    weekdays = frozenset(weekday for n, weekday in by_weekday if n == 0 or not counts)
    if not (month_days or numbers["BYYEARDAY"] or numbers["BYWEEKNO"] or by_weekday):
        months = frozenset({first_on.month}) if frequency == "YEARLY" and not months else months
        month_days = frozenset({first_on.day}) if counts else month_days
        weekdays = frozenset({first_on.weekday()}) if frequency == "WEEKLY" else weekdays
    return RuleOfDays(
        frequency=frequency,
        interval=int(parts.get("INTERVAL", "1")),
        week_start=_WEEKDAYS.index(parts.get("WKST", "MO")),
        months=months,
        month_days=month_days,
        year_days=numbers["BYYEARDAY"],
        weeks=numbers["BYWEEKNO"],
        weekdays=weekdays,
        nth_weekdays=frozenset((n, weekday) for n, weekday in by_weekday if n and counts),
        positions=numbers["BYSETPOS"],
    )


def _listed(parts: Mapping[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _numbers(parts: Mapping[str, str], name: str) -> frozenset[int]:
    return frozenset(int(text) for text in _listed(parts, name))


def _weekday(text: str) -> tuple[int, int]:
    """Return (n, weekday) of such as 2MO, -1FR or TU: n 0 is every one."""
    found = _WEEKDAY.fullmatch(text)
    if found is None:
        message = f"BYDAY {text!r}"
        raise ValueError(message)
    return int(found[1]) if found[1] else 0, _WEEKDAYS.index(found[2])


def _days_of_month(month: int) -> list[date]:
    """Return the days of a month, counted from the year 0."""
    first = date(month // 12, month % 12 + 1, 1)
    return [first.replace(day=day) for day in range(1, calendar.monthrange(first.year, first.month)[1] + 1)]


def _week(day: date, week_start: int) -> tuple[int, int]:
    """Return the number of its week in that week's year, from the front and, negative, from the end."""
    start = day - timedelta(days=(day.weekday() - week_start) % _WEEK_DAYS)
    year = (start + timedelta(days=_LEAST_FIRST_WEEK_DAYS - 1)).year
    first, following = _first_week(year, week_start), _first_week(year + 1, week_start)
    number, total = (start - first).days // _WEEK_DAYS + 1, (following - first).days // _WEEK_DAYS
    return number, number - total - 1


def _first_week(year: int, week_start: int) -> date:
    """Return the first day of the first week that has four days of the year."""
    fourth = date(year, 1, _LEAST_FIRST_WEEK_DAYS)
    return fourth - timedelta(days=(fourth.weekday() - week_start) % _WEEK_DAYS)
