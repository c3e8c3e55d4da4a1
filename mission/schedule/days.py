"""Days of a time zone as windows of time."""

from datetime import UTC, date, datetime, time, timedelta

from mission.model import Window
from mission.schedule.recurrence import zone_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def day_window(day: date, zone: str) -> Window:
    """Return a day from its midnight to the next, in a zone of the tz database. Raises InputError for an unknown zone."""
    midnight = datetime.combine(day, time(), zone_of(zone))
    next_midnight = datetime.combine(day + timedelta(days=1), time(), zone_of(zone))
    return Window((midnight - _EPOCH) // _US, (next_midnight - _EPOCH) // _US)


def day_at(at_us: int, zone: str) -> date:
    """Return which day it is at a time, in a zone of the tz database. Raises InputError for an unknown zone."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone_of(zone)).date()
