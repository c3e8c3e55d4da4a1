"""Keys of call centres' own programs: bearer tokens by their SHA-256, webhooks' secrets unsealed; how often each may ask."""

import asyncio
import secrets
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY, sha256_of
from console.auth.policy import NotSignedInError, TooManyAttemptsError
from console.auth.strangers import Strangers
from console.webhooks.signature import SECRET_BYTES, secret_text
from infra.clock import Clock, utc_of
from infra.database import SERVICE, scoped
from infra.vault import Vault
from mission.calls.store import QUERIES
from telemetry.model.errors import ConflictError, InputError, NotFoundError, UnavailableError
from telemetry.rate_limit import RateLimit

TOKEN_PREFIX: Final = "skbi_"  # noqa: S105 - the prefix that every token of this kind bears
TOKEN_BYTES: Final = 32
CALLS_PER_S: Final = 10.0
CALLS_AT_ONCE: Final = 100
LABEL_CHARS: Final = 64


class IntakeKey(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends calls."""

    intake_key_id: int
    label: str


class IntakeKeys:
    """Tells whose a call is, and refuses who sends too many. Raises UnavailableError while the database is away."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock, data_dir: Path) -> None:
        self._pool = pool
        self._clock = clock
        self._data_dir = data_dir
        self._vault: Vault | None = None
        self._of_key = RateLimit(CALLS_PER_S, CALLS_AT_ONCE)
        self._strangers = Strangers(clock)

    async def by_bearer(self, header: str, host: str) -> IntakeKey:
        """Return whose token an Authorization header bears. Raises NotSignedInError, TooManyAttemptsError."""
        kind, _, token = header.partition(" ")
        token = token.strip()
        digest = sha256_of(token)
        self._strangers.demand(host, digest)
        rows = []
        if kind.lower() == "bearer" and token.startswith(TOKEN_PREFIX):
            rows = await self._ask("find_key_by_token", {"token_sha256": digest})
        if not rows:
            self._strangers.refused(host, digest)
            message = "no intake key, or one that is revoked: send Authorization: Bearer with a key of `skybeat incident key add`"
            raise NotSignedInError(message)
        self._strangers.proved(digest)
        key = _key_of(rows[0])
        self.admit(key)
        return key

    async def hook(self, intake_key_id: int, host: str) -> tuple[IntakeKey, bytes]:
        """Return a webhook's key and secret; `admit` it once its signature is right. Raises NotSignedInError, TooManyAttemptsError."""
        self._strangers.demand(host)
        rows = await self._ask("find_key", {"intake_key_id": intake_key_id})
        if not rows:
            self.refused(host)
            message = f"there is no webhook {intake_key_id}, or it is revoked: `skybeat incident key list` shows yours"
            raise NotSignedInError(message)
        if self._vault is None:
            self._vault = await asyncio.to_thread(Vault.open, self._data_dir)
        return _key_of(rows[0]), self._vault.unseal(bytes(rows[0]["secret_sealed"]))

    def admit(self, key: IntakeKey) -> None:
        """Count a call whose sender proved its key; a stranger's uses nobody's room up. Raises TooManyAttemptsError."""
        if not self._of_key.take(str(key.intake_key_id), self._clock.monotonic_s()):
            message = (
                f"more than {CALLS_AT_ONCE} calls at once or {CALLS_PER_S:g} a second with the key {key.label!r}: "
                "wait a second and send the call again, it is the same one"
            )
            raise TooManyAttemptsError(message)

    def refused(self, host: str) -> None:
        """Count a call whose key or signature was wrong."""
        self._strangers.refused(host)

    async def _ask(self, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                cursor = connection.cursor(row_factory=dict_row)
                await cursor.execute(QUERIES[query], values)
                return await cursor.fetchall()
        except DATABASE_AWAY as error:
            message = "the database does not answer: nothing was taken, send the call again in a minute"
            raise UnavailableError(message) from error


def _key_of(row: dict[str, Any]) -> IntakeKey:
    return IntakeKey(intake_key_id=row["intake_key_id"], label=row["label"])


# --- the command's side --------------------------------------------------------------------------------------------


def add_key(connection: psycopg.Connection, label: str, *, vault: Vault | None, now_us: int) -> tuple[IntakeKey, str]:
    """Add a key (a webhook's, where a vault to seal its secret is given); return it and its secret, told this once.

    Raises InputError for a label that is none, ConflictError for one that is taken.
    """
    if not label.strip() or len(label) > LABEL_CHARS or not label.isprintable():
        message = f"label {label[:80]!r}: 1 to {LABEL_CHARS} printable characters that name the sender"
        raise InputError(message)
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    secret = secrets.token_bytes(SECRET_BYTES)
    values = (label, None if vault else sha256_of(token), vault.seal(secret) if vault else None, utc_of(now_us))
    row = connection.execute(
        "insert into public.intake_key (label, token_sha256, secret_sealed, created_at) values (%s, %s, %s, %s) "
        "on conflict (label) do nothing returning intake_key_id",
        values,
    ).fetchone()
    if row is None:
        message = f"there is an intake key {label!r} already, perhaps a revoked one: choose another label"
        raise ConflictError(message)
    return IntakeKey(intake_key_id=row[0], label=label), secret_text(secret) if vault else token


def revoke_key(connection: psycopg.Connection, label: str, *, now_us: int) -> None:
    """Refuse a key from now on. Raises NotFoundError."""
    row = connection.execute(
        "update public.intake_key set revoked_at = coalesce(revoked_at, %s) where label = %s returning intake_key_id",
        (utc_of(now_us), label),
    ).fetchone()
    if row is None:
        message = f"there is no intake key {label!r}: `skybeat incident key list` shows them"
        raise NotFoundError(message)
