"""Follows incidents in the database: the board of this process, told of every change by whichever console made it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from infra.clock import Clock
from infra.database import SERVICE, scoped
from infra.logs import get_logger
from mission.calls import store
from mission.calls.incident import Incident
from mission.calls.incident_board import REMEMBERED_US, IncidentBoard
from telemetry.model.errors import UnavailableError

POLL_S: Final = 10.0
"""How often the database is asked although it told nothing: a notice may be lost with its connection."""
PAUSE_S: Final = 2.0
CHUNK: Final = 5_000
_LOG: Final = get_logger("incidents")

Told = Callable[[Sequence[Incident]], None]


class IncidentFollower:
    """Keeps the board as the database is. `on_change` names who is told of what changed, in the order of the changes."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock) -> None:
        self.board = IncidentBoard()
        self._pool = pool
        self._clock = clock
        self._listeners: list[Told] = []
        self._turn = asyncio.Lock()
        self._is_begun = False

    def on_change(self, listener: Told) -> None:
        """Let `listener` hear of changes; it must not wait."""
        self._listeners.append(listener)

    async def refresh(self) -> None:
        """Read what changed since the last reading. Raises UnavailableError while the database is away."""
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    if not self._is_begun:
                        await self._begin()
                    while await self._read():
                        pass
            except DATABASE_AWAY as error:
                message = "the database does not answer: the map goes on, incidents must wait until it is back"
                raise UnavailableError(message) from error

    async def run(self) -> None:
        """Follow for ever: at each notice, and every 10 s besides; a lost database is asked for again, told once."""
        is_lost = False
        while True:
            try:
                await self._listen()
            except (*DATABASE_AWAY, UnavailableError) as error:
                if not is_lost:
                    _LOG.warning("incidents_wait", reason=type(error).__name__)
                is_lost = True
            else:
                is_lost = False
            await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        url = self._pool.conninfo
        assert isinstance(url, str)  # the pool was made of one (infra/database.py)
        connect = psycopg.AsyncConnection.connect(
            url,
            autocommit=True,
            application_name="skybeat incidents",
            connect_timeout=5,
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
        )
        async with await connect as connection:
            await connection.execute(f"listen {store.CHANNEL}")
            while True:
                await self.refresh()
                self.board.forget(self._clock.now_us())
                async for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                    pass

    async def _begin(self) -> None:
        since_us = max(0, self._clock.now_us() - REMEMBERED_US)
        async with scoped(self._pool, SERVICE) as connection:
            await store.lock_changes(connection)  # both readings are then of one moment
            incidents, forgotten_seq = await store.load_board(connection, since_us)
        self.board.begin(forgotten_seq)
        self._take(incidents)
        self._is_begun = True

    async def _read(self) -> bool:
        """Read one chunk; tell whether there may be more."""
        async with scoped(self._pool, SERVICE) as connection:
            incidents = await store.load_changed(connection, self.board.seq)
        self._take(incidents)
        return len(incidents) >= CHUNK

    def _take(self, incidents: Sequence[Incident]) -> None:
        news = self.board.apply(incidents)
        if not news:
            return
        for listener in self._listeners:
            listener(news)
