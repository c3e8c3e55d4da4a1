"""When a task comes back: an RFC 5545 rule of days, with holidays, days taken out and put in, and hours in a time zone."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from mission.days import zone_of
from mission.model import HolidayUse, Recurrence, Window
from mission.schedule.rule_days import RuleOfDays, rule_of_days
from telemetry.model.errors import InputError

ALLOWED_PARTS: Final = frozenset(
    (
        "FREQ",
        "UNTIL",
        "COUNT",
        "INTERVAL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYMONTH",
        "BYSETPOS",
    )
)
"""What a rule of days may say; hours stand in `since` and `until`."""
FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY: Final = timedelta(days=1)
_US: Final = timedelta(microseconds=1)


def hours(recurrence: Recurrence, window: Window, *, holidays: Collection[date] = ()) -> tuple[Window, ...]:
    """Return the times within `window` at which the task is wanted, in order, touching ones as one.

    A clock that is put forward takes no hour from them, one that is put back gives both of its doubled hours. Raises
    InputError for a rule, a zone or days that cannot be.
    """
    zone = zone_of(recurrence.zone)
    first = _local_day(window.start_us, zone) - _ONE_DAY
    last = _local_day(window.end_us, zone)
    spans = [_span(day, recurrence, zone) for day in days(recurrence, first, last, holidays=holidays)]
    return united(clipped(spans, window))


def days(recurrence: Recurrence, first: date, last: date, *, holidays: Collection[date] = ()) -> list[date]:
    """Return the days from `first` to `last` (both included) on which the task comes back, in order.

    Days of `extra` come whatever the rule and the holidays say; days of `skip` never do.
    """
    use = recurrence.holidays
    found = set()
    for day in _ruled(recurrence.rule, recurrence.first_on, first, last):
        is_holiday = day in holidays
        if day >= first and (use is HolidayUse.AS_OTHERS or is_holiday == (use is HolidayUse.ONLY)):
            found.add(day)
    found.update(day for day in recurrence.extra if first <= day <= last)
    return sorted(found.difference(recurrence.skip))


def united(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the same times in order, overlapping and touching windows as one, empty ones left out."""
    merged: list[Window] = []
    for window in sorted(windows):
        if window.end_us <= window.start_us:
            continue
        if merged and window.start_us <= merged[-1].end_us:
            merged[-1] = Window(merged[-1].start_us, max(merged[-1].end_us, window.end_us))
        else:
            merged.append(window)
    return tuple(merged)


def clipped(windows: Iterable[Window], within: Window) -> list[Window]:
    """Return what of the windows lies in `within`."""
    cut = [Window(max(each.start_us, within.start_us), min(each.end_us, within.end_us)) for each in windows]
    return [each for each in cut if each.start_us < each.end_us]


def rule_parts(rule: str) -> dict[str, str]:
    """Return an RRULE's parts by name. Raises InputError for what is no rule of days."""
    text = rule.strip().upper().removeprefix("RRULE:")
    pairs = [part.partition("=") for part in text.split(";") if part]
    parts = {name: value for name, _, value in pairs}
    unknown = sorted(set(parts) - ALLOWED_PARTS)
    if unknown or len(parts) != len(pairs):
        what, zh = (f"{unknown[0]!r} in it", f"含“{unknown[0]}”") if unknown else ("a part twice in it", "有重复的部分")
        allowed = ", ".join(sorted(ALLOWED_PARTS))
        raise _no_rule(rule, f"{what}; allowed, each once: {allowed}", f"{zh}；每项一次，可用 {allowed}")
    if parts.get("FREQ") not in FREQUENCIES:
        said, allowed = parts.get("FREQ", ""), ", ".join(FREQUENCIES)
        raise _no_rule(rule, f"FREQ {said or 'missing'}; allowed: {allowed}", f"FREQ {said or '缺失'}；可用 {allowed}")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not (parts[name].isascii() and parts[name].isdigit() and 0 < int(parts[name]) < 10_000):
            raise _no_rule(
                rule, f"{name} {parts[name]!r}; allowed: 1 to 9999", f"{name} {parts[name]!r}；允许 1 至 9999"
            )
    return parts


def _ruled(rule: str, first_on: date, since: date, last: date) -> Iterable[date]:
    """Return the rule's days from `since` to `last`; those that a COUNT counts are gone through from the first on."""
    parts = rule_parts(rule)
    count = parts.pop("COUNT", None)
    end = min(last, _until(rule, parts.pop("UNTIL", "")) or last)
    days_of_rule = _rule(";".join(f"{name}={value}" for name, value in parts.items()), first_on)
    if count is None:
        return days_of_rule.days(first_on, since, end)
    return islice(days_of_rule.days(first_on, first_on, end), int(count))


@lru_cache(maxsize=256)
def _rule(text: str, first_on: date) -> RuleOfDays:
    try:
        rrulestr(text, dtstart=datetime.combine(first_on, time()))
        return rule_of_days(rule_parts(text), first_on)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_rule(text, str(error), str(error)) from error


def _until(rule: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError as error:
        raise _no_rule(
            rule, f"UNTIL {text!r}; allowed: a day such as 20261231", f"UNTIL {text!r}；须为日期，如 20261231"
        ) from error


def _span(day: date, recurrence: Recurrence, zone: ZoneInfo) -> Window:
    last_day = day if recurrence.until > recurrence.since else day + _ONE_DAY
    start = datetime.combine(day, recurrence.since.replace(fold=0), zone)
    end = datetime.combine(last_day, recurrence.until.replace(fold=1), zone)
    return Window(_us(start), _us(end))


def _us(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _US


def _local_day(time_us: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone).date()


def _no_rule(rule: str, reason: str, zh: str) -> InputError:
    return InputError(
        f"the recurrence {rule!r} is no rule of days: {reason}; write e.g. FREQ=WEEKLY;BYDAY=MO,TH",
        f"“{rule}”不是按日的重复规则：{zh}；例如 FREQ=WEEKLY;BYDAY=MO,TH",
    )
