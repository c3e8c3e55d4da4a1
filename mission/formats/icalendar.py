"""iCalendar (RFC 5545): sorties, shifts and recurring tasks for any calendar; crews' shifts and holidays in."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import icalendar

from mission.formats.untrusted import Said, checked_count, checked_size
from mission.model import Crew, Programme, Task, Window
from mission.plan import Plan, Sortie

PRODUCT: Final = "-//skybeat//mission planner//EN"
WHAT: Final = Said("the calendar", "日历")


def write(plan: Plan, programme: Programme, *, language: str = "en") -> bytes:
    """Return the plan's sorties and its crews' shifts of the day as events, and recurring tasks by their rules.

    Identifiers stay the same from version to version, so that a calendar changes what it has. No coordinates are in it.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-timezone", programme.zone)
    airframes = {airframe.airframe_id: airframe.name for airframe in programme.airframes}
    docks = {dock.dock_id: dock.name for dock in programme.docks}
    tasks = {task.task_id: _name(task, language) for task in programme.tasks}
    for sortie in plan.sorties:
        about = ", ".join(tasks.get(task_id, str(task_id)) for task_id in sortie.task_ids)
        event = _event(f"sortie-{plan.plan_id}-{sortie.sortie_id}", plan, _window(sortie))
        event.add("summary", f"{airframes.get(sortie.airframe_id, sortie.airframe_id)}: {about}")
        event.add("location", str(docks.get(sortie.dock_id, sortie.dock_id)))
        event.add("sequence", plan.version)
        calendar.add_component(event)
    for crew in programme.crews:
        for event in _shifts(crew, plan):
            calendar.add_component(event)
    for task in programme.tasks:
        if task.recurrence is not None:
            calendar.add_component(_recurring(task, plan, language))
    content: bytes = calendar.to_ical()
    return content


def read_windows(data: bytes) -> tuple[tuple[str, Window], ...]:
    """Return (summary, window) of each event with times: a crew's shifts. Raises FileFormatError for times without zone."""
    found: list[tuple[str, Window]] = []
    for number, event in enumerate(_events(data), 1):
        start, end = event.start, event.end
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            continue
        if start.tzinfo is None or end.tzinfo is None:
            raise WHAT.broken(
                f", event {number} has a time without zone: give it a TZID, or write it in UTC",
                f"第 {number} 个事件的时间没有时区：填写 TZID，或用 UTC",
            )
        if end <= start:
            raise WHAT.broken(
                f", event {number} ends before it begins: mend its DTEND", f"第 {number} 个事件先结束后开始：改 DTEND"
            )
        found.append((str(event.get("summary", "")), Window(_us(start), _us(end))))
    return tuple(found)


def read_days(data: bytes) -> tuple[date, ...]:
    """Return the days of all-day events: public holidays. Raises FileFormatError."""
    days: set[date] = set()
    for event in _events(data):
        start, end = event.start, event.end
        if isinstance(start, datetime) or isinstance(end, datetime):
            continue
        count = max(1, (end - start).days)
        checked_count(count, WHAT)
        days |= {start + timedelta(days=number) for number in range(count)}
    return tuple(sorted(days))


def _events(data: bytes) -> list[icalendar.Event]:
    try:
        calendar = icalendar.Calendar.from_ical(checked_size(data, WHAT))
        events = [event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event)]
        for event in events:
            _ = event.start, event.end
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, icalendar.InvalidCalendar) as error:
        raise WHAT.broken(f" cannot be read: {error}", f"无法读取：{error}") from error
    checked_count(len(events), WHAT)
    return events


def _event(identifier: str, plan: Plan, window: Window) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{identifier}@skybeat")
    event.add("dtstamp", _utc(plan.made_us))
    event.add("dtstart", _utc(window.start_us))
    event.add("dtend", _utc(window.end_us))
    return event


def _shifts(crew: Crew, plan: Plan) -> Iterable[icalendar.Event]:
    for shift in crew.shifts:
        if shift.start_us < plan.window.end_us and shift.end_us > plan.window.start_us:
            event = _event(f"shift-{crew.crew_id}-{shift.start_us}", plan, shift)
            event.add("summary", crew.name)
            yield event


def _recurring(task: Task, plan: Plan, language: str) -> icalendar.Event:
    told = task.recurrence
    assert told is not None
    zone = ZoneInfo(told.zone)
    start = datetime.combine(told.first_on, told.since, zone)
    end = datetime.combine(told.first_on, told.until, zone) + timedelta(days=1 if told.until <= told.since else 0)
    event = icalendar.Event()
    event.add("uid", f"task-{task.task_id}@skybeat")
    event.add("dtstamp", _utc(plan.made_us))
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("rrule", icalendar.vRecur.from_ical(told.rule))
    for day in told.skip:
        event.add("exdate", _at(day, told.since, zone))
    for day in told.extra:
        event.add("rdate", _at(day, told.since, zone))
    event.add("summary", _name(task, language))
    return event


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone)


def _name(task: Task, language: str) -> str:
    first, second = (task.name_zh, task.name_en) if language == "zh" else (task.name_en, task.name_zh)
    return first or second


def _window(sortie: Sortie) -> Window:
    return Window(sortie.takeoff_us, sortie.landing_us)


def _utc(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC)


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
