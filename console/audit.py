"""The audit: who signed in, who looked at whose trail, who exported, who commanded what; rows are only ever added."""

import asyncio
from collections import deque
from enum import StrEnum
from typing import Any, Final

import msgspec
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY, Account
from infra.clock import Clock, utc_of
from infra.database import SERVICE, scoped
from infra.logs import get_logger
from telemetry.model.errors import UnavailableError

_LOG: Final = get_logger("audit")
KEPT_ENTRIES: Final = 1_000
MAX_TEXT_CHARS: Final = 300
_INSERT: Final = (
    "insert into public.audit (at, account_id, account_name, action, subject, reason, detail) "
    "values (%s, %s, %s, %s, %s, %s, %s)"
)


class AuditAction(StrEnum):
    """What is written down."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of an action
    TRAIL_VIEWED = "trail_viewed"
    EXPORTED = "exported"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    DUTY_SET = "duty_set"
    DISPATCHED = "dispatched"
    RECALLED = "recalled"
    HANDED_OVER = "handed_over"
    DEVICE_ENROLLED = "device_enrolled"
    DEVICE_ROTATED = "device_rotated"
    DEVICE_REVOKED = "device_revoked"
    DEVICE_ASSIGNED = "device_assigned"
    DEVICE_CHANGED = "device_changed"
    DEVICE_TRUSTED = "device_trusted"
    QUARANTINE_DISMISSED = "quarantine_dismissed"
    COMMANDED = "commanded"
    ALARM_HANDED_OVER = "alarm_handed_over"
    ALARM_CLOSED = "alarm_closed"
    GEOFENCE_DRAWN = "geofence_drawn"
    GEOFENCE_CHANGED = "geofence_changed"
    GEOFENCE_REMOVED = "geofence_removed"
    AREA_ASSIGNED = "area_assigned"
    AREA_RELEASED = "area_released"
    ALONE_RULE_SET = "alone_rule_set"
    CONTROL_CHANGED = "control_changed"
    FLIGHT_ORDERED = "flight_ordered"
    SORTIE_GIVEN = "sortie_given"
    SORTIE_GIVEN_BACK = "sortie_given_back"
    FLIGHT_LOG_READ = "flight_log_read"
    PROGRAMME_ADDED = "programme_added"
    PROGRAMME_CHANGED = "programme_changed"
    PROGRAMME_REMOVED = "programme_removed"
    PROGRAMME_BROUGHT = "programme_brought"
    PLAN_MADE = "plan_made"
    PLAN_STATE_SET = "plan_state_set"
    PLAN_REPAIRED = "plan_repaired"
    PLAN_REMOVED = "plan_removed"
    KEY_MADE = "key_made"
    KEY_USED = "key_used"
    KEY_REVOKED = "key_revoked"


Entry = tuple[Any, ...]


class Audit:
    """Adds rows to the table audit."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._kept: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self._turn = asyncio.Lock()

    async def write(
        self,
        account: Account | None,
        action: AuditAction,
        *,
        subject: str = "",
        reason: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Write it down now, before what is audited is given. Raises UnavailableError while the database is away."""
        try:
            await self._insert(self._entry(account, action, subject=subject, reason=reason, detail=detail))
        except DATABASE_AWAY as error:
            message = (
                "the database does not answer, so this cannot be written into the audit: try again when it is back"
            )
            raise UnavailableError(message) from error

    async def write_soon(
        self, account: Account | None, action: AuditAction, *, subject: str = "", detail: dict[str, Any] | None = None
    ) -> None:
        """Write it down, or keep it until the database is back: for what must not wait, as taking an alarm."""
        self._kept.append(self._entry(account, action, subject=subject, reason="", detail=detail))
        await self.flush()

    async def flush(self) -> None:
        """Write what was kept, oldest first."""
        async with self._turn:
            while self._kept:
                try:
                    await self._insert(self._kept[0])
                except DATABASE_AWAY:
                    _LOG.warning("audit_waits", entries=len(self._kept))
                    return
                self._kept.popleft()

    def _entry(
        self, account: Account | None, action: AuditAction, *, subject: str, reason: str, detail: dict[str, Any] | None
    ) -> Entry:
        at = utc_of(self._clock.now_us())
        who = (None, "") if account is None else (account.account_id, account.name)
        return (at, *who, action.value, _kept_text(subject), _kept_text(reason), Jsonb(detail or {}, dumps=_kept_json))

    async def _insert(self, entry: Entry) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
            await connection.execute(_INSERT, entry)


def _kept_text(text: str) -> str:
    """Return a text as PostgreSQL keeps it: an entry that cannot be written would hold up all that wait behind it."""
    return text[:MAX_TEXT_CHARS].replace("\0", "\ufffd")


def _kept_json(detail: dict[str, Any]) -> bytes:
    return msgspec.json.encode(detail).replace(b"\\u0000", b"\\ufffd")
