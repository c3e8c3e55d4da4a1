"""Keeps what is derived from history: roll-ups, trips and stops, and all that a late row touches; in its own thread."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import psycopg

from infra.clock import Clock, us_of, utc_of
from infra.logs import get_logger
from telemetry.recording.store import reason_of

TURN_S: Final = 20.0
CLAIM_DELAY_S: Final = 120.0
"""What reports later than this after its time counts as late."""
MEND_INTERVAL_S: Final = 60.0
BUSY_LAG_S: Final = 2.0
LONGEST_WAIT_S: Final = 600.0
"""Late rows wait while the recorder is behind, but no longer than this: who uploads a whole night is mended once, not each turn."""
LATE_DEVICES_A_STEP: Final = 20
MOVE_STEP: Final = "10 minutes"
STEPS_A_TURN: Final = 100
END_WITHIN_S: Final = 5.0
_CONNECTION: Final = {
    "application_name": "skybeat derived",
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_LOG: Final = get_logger("derived")
_REFRESH: Final = ("store.position_minute", "store.position_quarter_hour")
_QUARTER_US: Final = 900_000_000

MendHook = Callable[[psycopg.Connection[Any], int, int, int], None]
"""Recomputes what hangs on a device's rows in [from_us, to_us], in the given transaction: (connection, device_id, from_us, to_us)."""


class DerivedHistory:
    """Rolls up what has come in, and mends what late rows touch; behind by minutes at most, whatever it missed.

    A turn that fails is tried again by the next: every step is one transaction and may be done twice.
    """

    def __init__(
        self,
        writer_url: str,
        owner_url: str,
        clock: Clock,
        *,
        lag_s: Callable[[], float],
        mend_hooks: tuple[MendHook, ...] = (),
    ) -> None:
        self._writer_url = writer_url
        self._owner_url = owner_url
        self._clock = clock
        self._lag_s = lag_s
        self._mend_hooks = mend_hooks
        self._mended_at_s = clock.monotonic_s() - MEND_INTERVAL_S
        self._connection: psycopg.Connection[Any] | None = None
        self._is_stopping = False
        self.last_error: str | None = None

    async def run(self) -> None:
        """Take a turn each 20 s until cancelled; an absent database is waited for, and a long step does not hold up the end."""
        self._is_stopping = False
        while True:
            work = asyncio.ensure_future(asyncio.to_thread(self.take_turn))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                self._is_stopping = True
                await asyncio.to_thread(self._interrupt)
                await asyncio.wait({work}, timeout=END_WITHIN_S)
                raise
            await asyncio.sleep(TURN_S)

    def _interrupt(self) -> None:
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=END_WITHIN_S)

    def take_turn(self) -> bool:
        """Derive what can be derived now; return whether the database let us."""
        try:
            with psycopg.connect(self._writer_url, autocommit=True, **_CONNECTION) as connection:  # type: ignore[arg-type]
                self._connection = connection
                connection.execute("set lock_timeout = '2s'")  # the recorder would wait behind us
                self.derive(connection)
        except psycopg.Error as error:
            if self.last_error is None and not self._is_stopping:
                _LOG.warning("derived_history_waits", error=reason_of(error))
            self.last_error = reason_of(error)
            return False
        finally:
            self._connection = None
        self.last_error = None
        return True

    def derive(self, connection: psycopg.Connection[Any], *, move_step: str = MOVE_STEP) -> None:
        """Roll up all but the last two minutes and mend what was late; a long absence is caught up over several turns.

        Rows that are still on their way through the recorder are waited for, so that they do not count as late. Raises
        psycopg.Error.
        """
        line_us = self._clock.now_us() - round((CLAIM_DELAY_S + self._lag_s()) * 1_000_000)
        connection.execute("select store.claim_through(%s)", (utc_of(line_us),))
        for _ in range(STEPS_A_TURN):
            if not _is_more(connection, "select store.derive_next()"):
                break
        for _ in range(STEPS_A_TURN):
            if not _is_more(connection, "select store.move_next(%s)", move_step):
                break
        if self._may_mend():
            self.mend(connection)

    def mend(self, connection: psycopg.Connection[Any]) -> None:
        """Make anew what late rows touch, device by device. Raises psycopg.Error."""
        for _ in range(STEPS_A_TURN):
            if not self._mend_some(connection):
                self._mended_at_s = self._clock.monotonic_s()
                return

    def _may_mend(self) -> bool:
        waited_s = self._clock.monotonic_s() - self._mended_at_s
        return waited_s >= LONGEST_WAIT_S or (waited_s >= MEND_INTERVAL_S and self._lag_s() < BUSY_LAG_S)

    def _mend_some(self, connection: psycopg.Connection[Any]) -> bool:
        with connection.transaction():
            taken = connection.execute("select * from store.take_late(%s)", (LATE_DEVICES_A_STEP,)).fetchall()
            late = [(device_id, us_of(first_at), us_of(last_at)) for device_id, first_at, last_at in taken]
            if late:
                self._refresh_aggregates(min(first for _, first, _ in late), max(last for *_, last in late))
            for device_id, first_us, last_us in late:
                connection.execute("select store.mend_late(%s, %s, %s)", (device_id, utc_of(first_us), utc_of(last_us)))
                for mend in self._mend_hooks:
                    mend(connection, device_id, first_us, last_us)
        if late:
            _LOG.info("late_history_mended", stretches=len(late))
        return len(taken) > 0

    def _refresh_aggregates(self, from_us: int, to_us: int) -> None:
        """Have TimescaleDB bring its aggregates of the period up to date before trips are read from them; else nothing."""
        with psycopg.connect(self._owner_url, autocommit=True, application_name="skybeat derived") as owner:
            found = owner.execute("select store.has_timescaledb()").fetchone()
            if not found or not found[0]:
                return
            period = (utc_of(from_us // _QUARTER_US * _QUARTER_US), utc_of((to_us // _QUARTER_US + 1) * _QUARTER_US))
            owner.execute("set role skybeat_owner")
            for aggregate in _REFRESH:
                owner.execute("call refresh_continuous_aggregate(%s::regclass, %s, %s)", (aggregate, *period))


def _is_more(connection: psycopg.Connection[Any], query: str, *parameters: str) -> bool:
    row = connection.execute(query.encode(), parameters).fetchone()
    return row is not None and bool(row[0])
