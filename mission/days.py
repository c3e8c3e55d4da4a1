"""Days of a time zone: which day it is there, and from when until when it lasts."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mission.model import Window
from telemetry.model.errors import InputError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the tz database. Raises InputError for a name that it does not hold."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"the time zone {name!r} is not known: give a name of the tz database, such as Asia/Shanghai or UTC"
        raise InputError(message, f"没有时区“{name}”：填写 tz 数据库中的名称，如 Asia/Shanghai 或 UTC") from error


def day_window(day: date, zone: ZoneInfo) -> Window:
    """Return a day from its midnight to the next: 23 or 25 hours where clocks are changed."""
    midnight = datetime.combine(day, time(), zone)
    next_midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return Window((midnight - _EPOCH) // _US, (next_midnight - _EPOCH) // _US)


def local_time(at_us: int, zone: ZoneInfo) -> datetime:
    """Return a time as the clocks of a zone show it."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
