"""How the disk fills: bytes a day as the last week showed them, and the days until it is full at that rate."""

import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from psycopg import AsyncConnection

from infra.clock import utc_of
from infra.database import load_queries

DAY_US: Final = 86_400_000_000
WEEK_US: Final = 7 * DAY_US
SHORTEST_US: Final = 3_000_000_000
"""Less than 50 minutes of growth says nothing."""
QUERIES: Final = load_queries(resources.files("telemetry.recording") / "disk_forecast.sql")


class DiskSample(NamedTuple):
    """How much room there was at a time: the whole database, positions row by row, and their roll-ups."""

    sampled_us: int
    database_bytes: int
    raw_bytes: int
    rollup_bytes: int


class DiskForecast(msgspec.Struct, frozen=True, kw_only=True):
    """How much room history takes and will take; None for what is not known yet.

    `bytes_a_day` is what the database grew by over `seen_s` (seven days at most), what left it subtracted: negative when it
    shrinks. `days_until_full` is None too when the disk does not fill at this rate, or is another machine's.
    """

    database_bytes: int
    raw_bytes: int
    rollup_bytes: int
    seen_s: float | None = None
    bytes_a_day: int | None = None
    free_bytes: int | None = None
    days_until_full: int | None = None


async def disk_samples(connection: AsyncConnection, *, since_us: int) -> list[DiskSample]:
    """Return how the disk filled since then, one sample an hour, oldest first."""
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(QUERIES["disk_samples"], {"since_at": utc_of(since_us)})
        return [DiskSample(*row) for row in await cursor.fetchall()]


def forecast_disk(samples: Sequence[DiskSample], free_bytes: int | None) -> DiskForecast | None:
    """Return the forecast of samples in order of time, None for none."""
    if not samples:
        return None
    last = samples[-1]
    week = [sample for sample in samples if sample.sampled_us >= last.sampled_us - WEEK_US]
    seen_us = last.sampled_us - week[0].sampled_us
    now = DiskForecast(
        database_bytes=last.database_bytes,
        raw_bytes=last.raw_bytes,
        rollup_bytes=last.rollup_bytes,
        free_bytes=free_bytes,
    )
    if seen_us < SHORTEST_US:
        return now
    bytes_a_day = round((last.database_bytes - week[0].database_bytes) * DAY_US / seen_us)
    is_filling = free_bytes is not None and bytes_a_day > 0
    return msgspec.structs.replace(
        now,
        seen_s=seen_us / 1e6,
        bytes_a_day=bytes_a_day,
        days_until_full=(free_bytes or 0) // bytes_a_day if is_filling else None,
    )


def free_bytes_of(data_dir: Path) -> int | None:
    """Return what is free for us on the disk of the data folder; None where it cannot be told."""
    try:
        return shutil.disk_usage(data_dir).free
    except OSError:
        return None
