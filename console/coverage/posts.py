"""The posts that police crews man, as the plan of the coverage has them: standing posts and checkpoints."""

import asyncio
from typing import Final

from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.coverage.protocol import PostsTold
from infra.database import SERVICE, scoped
from telemetry.registry.force_file import PostKind

MANNED: Final = (PostKind.STANDING_POST, PostKind.CHECKPOINT)
"""Safety posts are kept by volunteers, docks by drones."""
_NO_STATION: Final = -1
_POSTS: Final = "select coalesce(station_id, %s), lat_e7, lon_e7 from public.post where kind = any(%s) order by post_id"


class MannedPosts:
    """Reads the posts that crews man from the registry."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def told(self) -> PostsTold | None:
        """Return them; None while the database is away."""
        asked = (_NO_STATION, [kind.value for kind in MANNED])
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                rows = await (await connection.execute(_POSTS, asked)).fetchall()
        except DATABASE_AWAY:
            return None
        return PostsTold(
            station_id=[station_id for station_id, _, _ in rows],
            lat_deg=[lat_e7 / 1e7 for _, lat_e7, _ in rows],
            lon_deg=[lon_e7 / 1e7 for _, _, lon_e7 in rows],
        )
