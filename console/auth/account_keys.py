"""Keys by which scripts speak for an account: bearer tokens, kept as their SHA-256; refused with the account that they are of."""

import asyncio
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import msgspec
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from console.audit import Audit, AuditAction
from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY, account_of_row, new_token, sha256_of
from console.auth.policy import NotSignedInError
from console.auth.sessions import Signed
from console.auth.strangers import Strangers
from infra.clock import MICROSECONDS, Clock, us_of, utc_of
from infra.database import SERVICE, load_queries, scoped
from telemetry.model.errors import InputError, NotFoundError, UnavailableError

QUERIES: Final = load_queries(resources.files("console.auth") / "account_keys.sql")
TOKEN_PREFIX: Final = "skbk_"  # noqa: S105 - the prefix that every token of this kind bears
TOUCHED_EVERY_S: Final = 60
AUDITED_EVERY_S: Final = 3600
LABEL_CHARS: Final = 64


class AccountKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is listed; times are UTC microseconds."""

    key_id: int
    label: str
    made_us: int
    used_us: int | None


class AccountKeys:
    """The table account_key. Every call raises UnavailableError while the database is away."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock, audit: Audit) -> None:
        self._pool, self._clock, self._audit = pool, clock, audit
        self._strangers = Strangers(clock)

    async def make(self, name: str, label: str) -> str:
        """Return the token of a new key for an account: told once, never again. Raises NotFoundError, InputError."""
        if not label.isprintable() or not 1 <= len(label.strip()) <= LABEL_CHARS:
            message = f"the label {label!r}: 1 to {LABEL_CHARS} printable characters that tell what the key is for"
            raise InputError(message)
        token = TOKEN_PREFIX + new_token()
        values = {"name": name, "label": label.strip(), "secret_sha256": sha256_of(token)}
        if not await self._ask("add_key", values | {"now": utc_of(self._clock.now_us())}):
            message = f"there is no account named {name!r} that may sign in: `skybeat user list` shows all"
            raise NotFoundError(message)
        return token

    async def all_of(self, name: str) -> list[AccountKey]:
        """Return an account's keys that work, the newest first."""
        return [
            AccountKey(
                key_id=row["key_id"],
                label=row["label"],
                made_us=us_of(row["made_at"]),
                used_us=None if row["used_at"] is None else us_of(row["used_at"]),
            )
            for row in await self._ask("list_keys", {"name": name})
        ]

    async def revoke(self, name: str, key_id: int) -> None:
        """Let a key work no longer. Raises NotFoundError."""
        values = {"name": name, "key_id": key_id, "now": utc_of(self._clock.now_us())}
        if not await self._ask("revoke_key", values):
            message = f"{name!r} has no key {key_id} that works: `skybeat user keys {name}` lists them"
            raise NotFoundError(message)

    async def who(self, header: str, host: str) -> Signed:
        """Return for whom an Authorization header speaks. Raises NotSignedInError, TooManyAttemptsError."""
        kind, _, token = header.partition(" ")
        token = token.strip()
        digest = sha256_of(token)
        self._strangers.demand(host, digest)
        rows = []
        if kind.lower() == "bearer" and token.startswith(TOKEN_PREFIX):
            rows = await self._ask("find_key", {"secret_sha256": digest})
        if not rows:
            self._strangers.refused(host, digest)
            message = (
                "the key in the Authorization header works for nobody: `skybeat user key NAME --label L` makes one"
            )
            raise NotSignedInError(message)
        self._strangers.proved(digest)
        now_us = self._clock.now_us()
        signed = Signed(account=account_of_row(rows[0]), token_sha256=digest, expires_us=now_us, is_key=True)
        await self._note(signed, rows[0], host, now_us)
        return signed

    async def _note(self, signed: Signed, row: Mapping[str, Any], host: str, now_us: int) -> None:
        """Keep when the key was used, and once an hour of use write it into the audit."""
        unused_us = now_us - (0 if row["used_at"] is None else us_of(row["used_at"]))
        if unused_us >= TOUCHED_EVERY_S * MICROSECONDS:
            await self._ask("touch_key", {"key_id": row["key_id"], "now": utc_of(now_us)})
        if unused_us >= AUDITED_EVERY_S * MICROSECONDS:
            detail = {"key_id": row["key_id"], "from": host}
            await self._audit.write_soon(signed.account, AuditAction.KEY_USED, subject=row["label"], detail=detail)

    async def _ask(self, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                cursor = connection.cursor(row_factory=dict_row)
                await cursor.execute(QUERIES[query], dict(values))
                return await cursor.fetchall() if cursor.description else []
        except DATABASE_AWAY as error:
            message = "the database does not answer: keys cannot be looked at; try again when it is back"
            raise UnavailableError(message) from error
