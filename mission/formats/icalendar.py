"""iCalendar (RFC 5545): sorties, shifts and recurring tasks for any calendar; `icalendar_reading` takes those of others."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import icalendar
import msgspec

from mission.days import zone_of
from mission.formats.icalendar_reading import MOST_DAYS
from mission.model import Crew, HolidayUse, Programme, Recurrence, Task, Window
from mission.plan import Plan, Sortie
from mission.schedule.recurrence import days, rule_parts

PRODUCT: Final = "-//skybeat//mission planner//EN"


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
            for event in _recurring(task, task.recurrence, plan, programme.holidays):
                event.add("summary", _name(task, language))
                calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


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


def _recurring(task: Task, told: Recurrence, plan: Plan, holidays: Collection[date]) -> Iterator[icalendar.Event]:
    """Yield a recurring task as one event that begins on the first day that its rule matches; none where no day is found."""
    last = max((told.first_on + timedelta(days=MOST_DAYS), *holidays, *told.skip, *told.extra))
    by_rule = msgspec.structs.replace(told, holidays=HolidayUse.AS_OTHERS, skip=(), extra=())
    ruled = days(by_rule, told.first_on, last)
    wanted = days(told, min((told.first_on, *told.extra)), last, holidays=holidays)
    if not wanted:
        return
    zone = zone_of(told.zone)
    is_ruled = bool(ruled) and told.holidays is not HolidayUse.ONLY
    first = ruled[0] if is_ruled else wanted[0]
    event = icalendar.Event()
    event.add("uid", f"task-{task.task_id}@skybeat")
    event.add("dtstamp", _utc(plan.made_us))
    event.add("dtstart", _at(first, told.since, zone))
    event.add("dtend", _at(first + timedelta(days=told.until <= told.since), told.until, zone))
    if is_ruled:
        event.add("rrule", _rule(told, zone))
        for day in sorted(set(ruled).difference(wanted)):
            event.add("exdate", _at(day, told.since, zone))
    for day in sorted(set(wanted).difference(ruled if is_ruled else [first])):
        event.add("rdate", _at(day, told.since, zone))
    yield event


def _rule(told: Recurrence, zone: ZoneInfo) -> icalendar.vRecur:
    """Return a rule as calendars take it: its last day as a time in UTC, for the event begins at a time."""
    parts = rule_parts(told.rule)
    if "UNTIL" in parts:
        until = parts["UNTIL"]
        day = date(int(until[:4]), int(until[4:6]), int(until[6:8]))
        parts["UNTIL"] = f"{_at(day, told.since, zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    rule: icalendar.vRecur = icalendar.vRecur.from_ical(";".join(f"{name}={value}" for name, value in parts.items()))
    return rule


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone)


def _name(task: Task, language: str) -> str:
    first, second = (task.name_zh, task.name_en) if language == "zh" else (task.name_en, task.name_zh)
    return first or second


def _window(sortie: Sortie) -> Window:
    return Window(sortie.takeoff_us, sortie.landing_us)


def _utc(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC)
