"""The only place that reads the machine's clock; everything else is told the time."""

import time
from datetime import UTC, datetime
from typing import Final, Protocol

MICROSECONDS: Final = 1_000_000


class Clock(Protocol):
    """Tells the time: UTC for stamps, monotonic for durations."""

    def now_us(self) -> int:
        """Return UTC microseconds since 1970."""

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Return UTC microseconds since 1970."""
        return time.time_ns() // 1000  # noqa: TID251 - this is the one reader

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


SYSTEM_CLOCK: Final = SystemClock()


def utc_of(us: int) -> datetime:
    """Return UTC microseconds as an aware datetime. Raises OverflowError outside the years 1..9999."""
    return datetime.fromtimestamp(us // MICROSECONDS, UTC).replace(microsecond=us % MICROSECONDS)


def us_of(at: datetime) -> int:
    """Return an aware datetime as UTC microseconds. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        message = f"the time {at.isoformat()} has no zone: give an aware time, in UTC"
        raise ValueError(message)
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS + delta.microseconds
