"""Day partitions of store.position: there before a row of that day is written, gone when the retention is over."""

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import psycopg

from infra.database import owner_connection
from infra.settings import Settings
from telemetry.model.batch import Batch

DAY_US: Final = 86_400_000_000
_UNIX_DAY: Final = date(1970, 1, 1)
DAYS_AHEAD: Final = 2


class DayPartitions:
    """Remembers which days have their partition, so that the database is asked once a day and not once a batch."""

    def __init__(self) -> None:
        self._days: set[int] = set()

    def ensure(self, connection: psycopg.Connection[Any], batch: Batch) -> None:
        """Make the partitions of every day in the batch; outside of any transaction. Raises psycopg.Error."""
        if not len(batch):
            return
        observed_us = batch["observed_us"]
        if observed_us.min() // DAY_US == observed_us.max() // DAY_US:
            observed_us = observed_us[:1]
        for day in np.unique(observed_us // DAY_US).tolist():
            if day not in self._days:
                self._ensure_days(connection, day, day)

    def _ensure_days(self, connection: psycopg.Connection[Any], first_day: int, last_day: int) -> None:
        period = (_UNIX_DAY + timedelta(days=first_day), _UNIX_DAY + timedelta(days=last_day))
        connection.execute("select store.ensure_position_partitions(%s, %s)", period)
        self._days.update(range(first_day, last_day + 1))

    def forget(self) -> None:
        """Ask again about every day: one may have been dropped, or the database is another one."""
        self._days.clear()

    def keep_house(self, connection: psycopg.Connection[Any], now_us: int) -> int:
        """Make the next days' partitions, note how the disk fills, drop what is past the owner's retention; return how many.

        Raises psycopg.Error.
        """
        today = now_us // DAY_US
        self.forget()
        self._ensure_days(connection, today, today + DAYS_AHEAD)
        connection.execute("select store.note_disk()")
        row = connection.execute("select store.drop_positions_past_retention()").fetchone()
        return int(row[0]) if row else 0


def set_retention(owner_url: str, settings: Settings) -> None:
    """Write down, as the owner, for how many days rows and roll-ups are kept. Raises DatabaseError."""
    days = {
        "raw": settings.raw_retention_days,
        "minute": settings.minute_retention_days,
        "quarter_hour": settings.quarter_hour_retention_days,
    }
    with owner_connection(owner_url) as connection:
        changed = connection.execute(
            "update store.retention set raw_days = %(raw)s, minute_days = %(minute)s, "
            "quarter_hour_days = %(quarter_hour)s where (raw_days, minute_days, quarter_hour_days) "
            "<> (%(raw)s, %(minute)s, %(quarter_hour)s)",
            days,
        ).rowcount
        if changed:
            connection.execute("select store.apply_history_policies()")


def odd_times(batch: Batch, now_us: int, retention_days: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which rows lie outside [now - retention, now + 1 day]: a device that believes it is 2080 costs only itself."""
    observed_us = batch["observed_us"]
    odd: np.ndarray[tuple[int], np.dtype[np.bool_]] = (observed_us < now_us - retention_days * DAY_US) | (
        observed_us > now_us + DAY_US
    )
    return odd
