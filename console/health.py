"""How the console does: the loop turns, the database answers, the schema is the newest, the journal takes; degraded is not down."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.stream.live import LiveStream
from console.wire import Degraded
from infra.clock import Clock
from infra.logs import get_logger
from infra.migrate import load_migrations

_LOG: Final = get_logger("health")
CHECK_EVERY_S: Final = 2.0
ANSWER_WITHIN_S: Final = 4.0
LONGEST_TURN_S: Final = 5.0
LATE_HISTORY_S: Final = 10.0
WRONG_CLOCK_S: Final = 2.0
_QUESTION: Final = (
    "select extract(epoch from clock_timestamp())::float8, (select max(version) from public.schema_version)"
)


class Health:
    """Looks every two seconds; tells browsers once when a part is lost and once when it is back."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        clock: Clock,
        stream: LiveStream,
        *,
        history_lag_s: Callable[[], float | None],
        journal_state: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.started_s = clock.monotonic_s()
        self.database_ok = False
        self.schema_version: int | None = None
        self.clock_offset_s: float | None = None
        self.history_lag_s = history_lag_s
        self.journal_state = journal_state
        self.further: dict[str, Callable[[], str]] = {}
        """Further parts that say by themselves how they do: "ok" or what is wrong."""
        self._newest_schema = load_migrations()[-1].version
        self._pool = pool
        self._clock = clock
        self._stream = stream
        self._since_us: dict[str, int] = {}

    def is_alive(self) -> bool:
        """Tell whether the stream has made a turn within the last five seconds."""
        return self._clock.monotonic_s() - self._stream.turned_s < LONGEST_TURN_S

    def checks(self) -> dict[str, str]:
        """Return "ok" or what is wrong, by part."""
        lag_s = self.history_lag_s()
        journal = str(self.journal_state().get("failed") or "") or "ok"
        late = f"history is {lag_s:.0f} s behind" if lag_s is not None and lag_s > LATE_HISTORY_S else "ok"
        return {
            "loop": "ok" if self.is_alive() else "the loop does not turn",
            "database": "ok" if self.database_ok else "the database does not answer",
            "schema": self._schema_check(),
            "history": late,
            "journal": journal,
            "clock": self._clock_check(),
            **{part: say() for part, say in self.further.items()},
        }

    def state(self) -> str:
        """Return "ready", "degraded" (the map goes on without a part) or "down" (it cannot do its work)."""
        checks = self.checks()
        if checks["loop"] != "ok" or checks["journal"] != "ok" or (self.database_ok and checks["schema"] != "ok"):
            return "down"
        return "ready" if all(words == "ok" for words in checks.values()) else "degraded"

    async def watch(self) -> None:
        """Look every two seconds; run it as a task."""
        while True:
            await self.look()
            await asyncio.sleep(CHECK_EVERY_S)

    async def look(self) -> None:
        """Ask the database once and tell browsers what changed."""
        before_us = self._clock.now_us()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), self._pool.connection(timeout=CHECK_EVERY_S) as connection:
                row = await (await connection.execute(_QUESTION)).fetchone()
        except (psycopg.Error, PoolTimeout, TimeoutError) as error:
            self.database_ok = False
            _LOG.debug("database_away", error=type(error).__name__)
        else:
            assert row is not None
            middle_us = (before_us + self._clock.now_us()) // 2
            self.database_ok, self.schema_version = True, row[1]
            self.clock_offset_s = row[0] - middle_us / 1_000_000
        lag_s = self.history_lag_s() or 0.0
        self._tell("history", wrong=not self.database_ok or lag_s > LATE_HISTORY_S, lag_s=lag_s)
        self._tell("journal", wrong=bool(self.journal_state().get("failed")), lag_s=0.0)

    def _tell(self, what: str, *, wrong: bool, lag_s: float) -> None:
        since_us = self._since_us.get(what)
        if wrong == (since_us is not None):
            return
        if wrong:
            since_us = self._since_us[what] = self._clock.now_us()
            self._stream.tell_degraded(Degraded(what=what, since_ms=since_us / 1000, lag_s=lag_s))
            _LOG.warning("degraded", what=what, lag_s=lag_s)
            return
        del self._since_us[what]
        self._stream.tell_degraded(Degraded(what=what, since_ms=None, lag_s=lag_s))
        _LOG.info("recovered", what=what)

    def _schema_check(self) -> str:
        if self.schema_version in {self._newest_schema, None}:
            return "ok"
        return f"the schema is at {self.schema_version}, this program needs {self._newest_schema}: run `skybeat db migrate`"

    def _clock_check(self) -> str:
        offset_s = self.clock_offset_s
        if offset_s is None or abs(offset_s) <= WRONG_CLOCK_S:
            return "ok"
        return f"the database's clock differs by {offset_s:.1f} s, {WRONG_CLOCK_S:.0f} s are allowed: check NTP on both machines"
