"""Past calls by place and hour of the week, for coverage that weighs where and when calls come."""

import asyncio
from collections.abc import Sequence
from typing import Final

from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.coverage.protocol import IncidentsTold
from console.coverage.worker import hour_of_week
from infra.clock import MICROSECONDS, Clock
from infra.database import SERVICE, scoped
from mission.calls import store

WEEKS: Final = 13
MOST: Final = 20_000


class PastIncidents:
    """Reads the calls of the last 13 weeks, at most the newest 20,000."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def told(self) -> IncidentsTold | None:
        """Return them; None while the database is away, and where there are none."""
        since_us = max(0, self._clock.now_us() - WEEKS * 7 * 86_400 * MICROSECONDS)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                calls = await store.load_past(connection, since_us, limit=MOST)
        except DATABASE_AWAY:
            return None
        return await asyncio.to_thread(_told, calls) if calls else None


def _told(calls: Sequence[tuple[int, int, int]]) -> IncidentsTold:
    return IncidentsTold(
        lat_deg=[lat_e7 / 1e7 for lat_e7, _, _ in calls],
        lon_deg=[lon_e7 / 1e7 for _, lon_e7, _ in calls],
        hour_of_week=[hour_of_week(reported_us) for _, _, reported_us in calls],
    )
