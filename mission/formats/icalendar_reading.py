"""Calendars of others read: crews' shifts and public holidays, recurring ones day by day, and a sentence for all that is neither."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, TypeAlias

import icalendar
import msgspec

from mission.formats.untrusted import Said, checked_count, checked_size
from mission.model import Recurrence, Window
from mission.schedule.recurrence import days
from telemetry.model.errors import InputError, chinese_of

WHAT: Final = Said("the calendar", "日历")
MOST_DAYS: Final = 5 * 366
"""So long from its first day on a rule is followed that does not end before."""
_OURS: Final = re.compile(r"(?:sortie|task)-[-\d]+@skybeat")
_MOST_NAMES: Final = 10
_BROKEN: Final = (
    *(ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError, RecursionError),
    OSError,  # a zone whose name is a folder of the tz database
)
Moment: TypeAlias = date | datetime


class CalendarRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a calendar brought: `shifts` as (whose, when), whole `days`, and what was left out or is to be looked at."""

    shifts: tuple[tuple[str, Window], ...] = ()
    days: tuple[date, ...] = ()
    notes: tuple[Said, ...] = ()


@dataclass(frozen=True)
class _Event:
    """An event as its calendar says it; `replaces` is which occurrence of its recurring namesake it stands for."""

    number: int
    uid: str
    name: str
    start: Moment
    end: Moment
    lasts: timedelta
    is_cancelled: bool
    rule: str
    until: Moment | None
    extra: tuple[Moment, ...]
    skip: frozenset[Moment]
    replaces: Moment | None

    @property
    def where(self) -> Said:
        """Return which event it is."""
        return Said(f"event {self.number} ({self.name[:40]})", f"第 {self.number} 个事件（{self.name[:40]}）")


def read(data: bytes) -> CalendarRead:
    """Return timed events as shifts and whole days as holidays; recurring ones for MOST_DAYS at most.

    Cancelled events and the sorties and tasks of our own calendars are left out with a note. Raises FileFormatError for
    what is no calendar, and for times without zone.
    """
    events = _events(data)
    replaced = {(event.uid, event.replaces) for event in events if event.replaces is not None}
    notes: list[Said] = []
    shifts: list[tuple[str, Window]] = []
    found_days: set[date] = set()
    day_count = 0
    for event in _wanted(events, notes):
        for start, end in _times(event, replaced, notes):
            if isinstance(start, datetime) and isinstance(end, datetime):
                shifts.append((event.name, Window(_us(start), _us(end))))
            else:
                count = max(1, event.lasts.days)
                day_count += count
                checked_count(len(shifts) + day_count, WHAT.at(event.where))
                found_days |= {start + timedelta(days=number) for number in range(count)}
        checked_count(len(shifts) + day_count, WHAT)
    if shifts:
        notes.append(_taken([name for name, _ in shifts]))
    return CalendarRead(shifts=tuple(shifts), days=tuple(sorted(found_days)), notes=tuple(notes))


def _events(data: bytes) -> list[_Event]:
    try:
        calendar = icalendar.Calendar.from_ical(checked_size(data, WHAT))
        found = [event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event)]
        checked_count(len(found), WHAT)
        return [_event(number, event) for number, event in enumerate(found, 1)]
    except (*_BROKEN, icalendar.InvalidCalendar) as error:
        raise WHAT.broken(f" cannot be read: {error}", f"无法读取：{error}") from error


def _event(number: int, event: icalendar.Event) -> _Event:
    start, end = event.start, event.end
    zone = start.tzinfo if isinstance(start, datetime) else None
    rule = event.rrules[0] if event.rrules else {}
    extra = [one[0] if isinstance(one, tuple) else one for one in event.rdates]
    replaces = event.RECURRENCE_ID
    return _Event(
        number=number,
        uid=str(event.get("uid", "")),
        name=str(event.get("summary", "")).strip(),
        start=start,
        end=end,
        lasts=event.duration,
        is_cancelled=str(event.get("status", "")).upper() == "CANCELLED",
        rule=_without_until(event.rrules[0].to_ical().decode()) if event.rrules else "",
        until=next((_zoned(one, zone) for one in rule.get("UNTIL", ())), None),
        extra=tuple(_zoned(one, zone) for one in extra),
        skip=frozenset(_zoned(one, zone) for one in event.exdates),
        replaces=None if replaces is None else _zoned(replaces, zone),
    )


def _wanted(events: Sequence[_Event], notes: list[Said]) -> Iterator[_Event]:
    """Yield the events that are shifts or holidays; raise FileFormatError for those whose times cannot be."""
    ours = 0
    for event in events:
        if _OURS.fullmatch(event.uid):
            ours += 1
        elif event.is_cancelled:
            notes.append(_note(event, "it is cancelled and was left out", "已取消，已略去"))
        elif _has_times(event, notes):
            yield event
    if ours:
        notes.append(
            Said(
                f"{ours} sorties and tasks of a plan's calendar were left out: they are no crews' shifts",
                f"已略去方案日历中的 {ours} 个架次和任务：它们不是机组班次",
            )
        )


def _has_times(event: _Event, notes: list[Said]) -> bool:
    if not isinstance(event.start, datetime) or not isinstance(event.end, datetime):
        return True
    if event.start.tzinfo is None or event.end.tzinfo is None:
        raise WHAT.broken(
            f", event {event.number} has a time without zone: give it a TZID, or write it in UTC",
            f"第 {event.number} 个事件的时间没有时区：填写 TZID，或用 UTC",
        )
    if event.end < event.start:
        raise WHAT.broken(
            f", event {event.number} ends before it begins: mend its DTEND",
            f"第 {event.number} 个事件先结束后开始：改 DTEND",
        )
    if event.end == event.start:
        notes.append(_note(event, "it lasts no time and was left out", "没有时长，已略去"))
        return False
    return True


def _times(
    event: _Event, replaced: Collection[tuple[str, Moment | None]], notes: list[Said]
) -> list[tuple[Moment, Moment]]:
    """Return from when until when an event is, each time; those that another event stands for are left to that."""
    starts = [one for one in _starts(event, notes) if event.replaces is not None or (event.uid, one) not in replaced]
    try:
        times = [(start, start + event.lasts) for start in starts]
        for moment in (moment for both in times for moment in both if isinstance(moment, datetime)):
            moment.astimezone(UTC)
    except OverflowError as error:
        raise WHAT.at(event.where).broken(
            ": its times are out of the years 1 to 9999", "：时间超出公元 1 至 9999 年"
        ) from error
    return times


def _starts(event: _Event, notes: list[Said]) -> list[Moment]:
    """Return when an event begins, each time that its rule and its single days say; days put out are not among them."""
    found: set[Moment] = {event.start, *event.extra}
    if event.rule:
        try:
            found = {*_ruled(event, notes), *event.extra}
        except (InputError, OverflowError) as error:
            zh = chinese_of(error) if isinstance(error, InputError) else str(error)
            notes.append(_note(event, f"only its first time was taken: {error}", f"只采用第一次：{zh}"))
    alike = [one for one in found if isinstance(one, datetime) == isinstance(event.start, datetime)]
    return sorted(one for one in alike if one not in event.skip and _day(one) not in event.skip)


def _ruled(event: _Event, notes: list[Said]) -> list[Moment]:
    first = _day(event.start)
    last = min(first.toordinal() + MOST_DAYS, date.max.toordinal() - 1)
    end = date.fromordinal(last)
    since = event.start.timetz() if isinstance(event.start, datetime) else None
    rule = Recurrence(rule=event.rule, first_on=first, since=time(), until=time(), zone="UTC")
    found = [day if since is None else datetime.combine(day, since) for day in days(rule, first, end)]
    count = re.search(r"COUNT=(\d+)", event.rule)
    is_whole = _day(event.until) <= end if event.until else count is not None and len(found) >= int(count[1])
    if not is_whole:
        notes.append(
            _note(event, f"it was taken until {end}: what comes after was left out", f"只采用到 {end}，之后的已略去")
        )
    return [one for one in found if event.until is None or not _is_after(one, event.until)]


def _is_after(one: Moment, until: Moment) -> bool:
    if isinstance(one, datetime) and isinstance(until, datetime):
        return one > until
    return _day(one) > _day(until)


def _without_until(rule: str) -> str:
    return ";".join(part for part in rule.split(";") if not part.upper().startswith("UNTIL="))


def _zoned(moment: Moment, zone: tzinfo | None) -> Moment:
    """Return a moment in the zone of its event: its day there is what rules speak of."""
    if not isinstance(moment, datetime) or zone is None:
        return moment
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _taken(names: Sequence[str]) -> Said:
    crews = list(dict.fromkeys(name[:40] or "crew" for name in names))
    said = ", ".join(crews[:_MOST_NAMES]) + (" ..." if len(crews) > _MOST_NAMES else "")
    return Said(
        f"{len(names)} timed events were taken as shifts of crews named for them ({said}): leave out what is no shift",
        f"{len(names)} 个定时事件按其名称作为机组班次导入（{said}）：不是班次的请删去",
    )


def _note(event: _Event, en: str, zh: str) -> Said:
    return Said(f"{event.where.en}: {en}", f"{event.where.zh}：{zh}")


def _us(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1e6)
