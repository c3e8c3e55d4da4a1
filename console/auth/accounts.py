"""Accounts, sessions and one-time links in the database; tokens are kept as their SHA-256 alone."""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.auth.policy import Scope
from console.wire import Role
from infra.clock import MICROSECONDS, us_of, utc_of
from infra.database import SERVICE, load_queries, scoped
from telemetry.model.errors import ConflictError, InputError, NotFoundError, UnavailableError

QUERIES: Final = load_queries(resources.files("console.auth") / "accounts.sql")
LINK_LIFETIME_S: Final = 15 * 60
TOKEN_BYTES: Final = 32
MAX_NAME_CHARS: Final = 64
ANSWER_WITHIN_S: Final = 5.0
DATABASE_AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TimeoutError)
"""What is raised when the server is gone or does not answer; put a time limit around what asks it."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who may sign in. Empty `station_ids`: all stations; `unit_id` is an officer's own unit."""

    account_id: int
    name: str
    role: Role
    station_ids: tuple[int, ...] = ()
    unit_id: int | None = None
    password_hash: str | None = None
    disabled: bool = False

    @property
    def scope(self) -> Scope:
        """What the account may see."""
        return Scope(self.role, frozenset(self.station_ids), self.unit_id)


class StoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has not ended, with its account as it stands now; times are UTC microseconds."""

    token_sha256: bytes
    account: Account
    last_seen_us: int
    expires_us: int


def new_token() -> str:
    """Return an unguessable token of 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def sha256_of(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class Accounts:
    """The tables account, session and sign_in_link. Every call raises UnavailableError while the database is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def by_name(self, name: str) -> Account | None:
        """Return an account, disabled ones too."""
        rows = await self._ask("account_by_name", {"name": name})
        return account_of_row(rows[0]) if rows else None

    async def all(self) -> list[Account]:
        """Return all accounts by name."""
        return [account_of_row(row) for row in await self._ask("list_accounts", {})]

    async def has_admin_with_password(self) -> bool:
        """Tell whether an administrator could sign in without a link."""
        return bool((await self._ask("count_admins_with_password", {}))[0]["count"])

    async def add(
        self, name: str, role: Role, *, station_ids: Sequence[int] = (), unit_id: int | None = None
    ) -> Account:
        """Add an account without a password. Raises ConflictError for a taken name, InputError for a wrong combination."""
        _check_new(name, role, unit_id)
        values = {"name": name, "role": role.value, "station_ids": list(station_ids), "unit_id": unit_id}
        try:
            rows = await self._ask("add_account", values)
        except psycopg.errors.ForeignKeyViolation as error:
            message = f"there is no unit {unit_id}: see `skybeat device list` for the units"
            raise InputError(message) from error
        if not rows:
            message = f"an account named {name!r} exists already: take another name"
            raise ConflictError(message)
        return account_of_row(rows[0])

    async def set_password_hash(self, account_id: int, password_hash: str) -> None:
        """Keep a new argon2id hash."""
        await self._ask("set_password", {"account_id": account_id, "password_hash": password_hash})

    async def disable(self, name: str, now_us: int) -> None:
        """Disable an account and end its sessions and links. Raises NotFoundError for an unknown name."""
        rows = await self._ask("disable_account", {"name": name, "now": utc_of(now_us)})
        if not rows:
            message = f"there is no account named {name!r}: `skybeat user list` shows all"
            raise NotFoundError(message)
        await self.end_sessions_of(rows[0]["account_id"])
        await self._ask("void_links_of", {"account_id": rows[0]["account_id"], "now": utc_of(now_us)})

    async def end_sessions_of(self, account_id: int, *, keep_sha256: bytes | None = None) -> None:
        """End an account's sessions, except one."""
        await self._ask("end_sessions_of", {"account_id": account_id, "except_sha256": keep_sha256})

    async def make_link(self, account_id: int, now_us: int) -> str:
        """Return the token of a new one-time link, good for 15 minutes; earlier links of the account stop working."""
        token = new_token()
        expires_at = utc_of(now_us + LINK_LIFETIME_S * MICROSECONDS)
        await self._ask("void_links_of", {"account_id": account_id, "now": utc_of(now_us)})
        await self._ask(
            "add_link", {"token_sha256": sha256_of(token), "account_id": account_id, "expires_at": expires_at}
        )
        return token

    async def use_link(self, token: str, now_us: int) -> Account | None:
        """Use a link up and return its account; None for a used, expired or unknown one."""
        rows = await self._ask("use_link", {"token_sha256": sha256_of(token), "now": utc_of(now_us)})
        return account_of_row(rows[0]) if rows else None

    async def has_used_link_since(self, account_id: int, since_us: int) -> bool:
        """Tell whether the account signed in by a one-time link since then: who lost the password may set another."""
        rows = await self._ask("link_used_since", {"account_id": account_id, "since": utc_of(since_us)})
        return bool(rows[0]["used"])

    async def add_session(self, token_sha256: bytes, account_id: int, *, now_us: int, expires_us: int) -> None:
        """Keep a session."""
        values = {"token_sha256": token_sha256, "account_id": account_id}
        await self._ask("add_session", values | {"now": utc_of(now_us), "expires_at": utc_of(expires_us)})

    async def sessions(self, hashes: Sequence[bytes], *, now_us: int, idle_us: int) -> dict[bytes, StoredSession]:
        """Return those of the sessions that have not ended, were used within `idle_us` and whose account may sign in."""
        times = {"now": utc_of(now_us), "idle_since": utc_of(now_us - idle_us)}
        rows = await self._ask("sessions", {"hashes": list(hashes), **times})
        return {bytes(row["token_sha256"]): _stored(row) for row in rows}

    async def signed_in(self, account_ids: Sequence[int], *, now_us: int, idle_us: int) -> frozenset[int]:
        """Return those of the accounts that are signed in anywhere."""
        times = {"now": utc_of(now_us), "idle_since": utc_of(now_us - idle_us)}
        rows = await self._ask("signed_in", {"account_ids": list(account_ids), **times})
        return frozenset(row["account_id"] for row in rows)

    async def touch_session(self, token_sha256: bytes, now_us: int) -> None:
        """Note that the session is used."""
        await self._ask("touch_session", {"token_sha256": token_sha256, "now": utc_of(now_us)})

    async def end_session(self, token_sha256: bytes) -> None:
        """Sign out."""
        await self._ask("end_session", {"token_sha256": token_sha256})

    async def sweep(self, before_us: int) -> None:
        """Forget sessions and links that ended before `before_us`."""
        await self._ask("sweep", {"before": utc_of(before_us)})

    async def _ask(self, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
                await cursor.execute(QUERIES[query], dict(values))
                return await cursor.fetchall() if cursor.description else []
        except DATABASE_AWAY as error:
            message = "the database does not answer: the map goes on, signing in must wait until it is back"
            raise UnavailableError(message) from error


async def first_link(accounts: Accounts, now_us: int) -> str | None:
    """Return the token of a one-time link for the account "admin" (made if missing) while no administrator has a password."""
    if await accounts.has_admin_with_password():
        return None
    admin = await accounts.by_name("admin")
    if admin is None:
        admin = await accounts.add("admin", Role.ADMIN)
    return None if admin.disabled else await accounts.make_link(admin.account_id, now_us)


def _check_new(name: str, role: Role, unit_id: int | None) -> None:
    if not name.isprintable() or not 1 <= len(name.strip()) <= MAX_NAME_CHARS or name != name.strip():
        message = f"the account name {name!r}: 1 to {MAX_NAME_CHARS} printable characters, no space at either end"
        raise InputError(message)
    if (role is Role.OFFICER) != (unit_id is not None):
        message = (
            f"role {role.value} with unit {unit_id}: an officer's account needs its own unit, no other role has one"
        )
        raise InputError(message)


def account_of_row(row: Mapping[str, Any]) -> Account:
    """Return the account of a row of the table."""
    return Account(
        account_id=row["account_id"],
        name=row["name"],
        role=Role(row["role"]),
        station_ids=tuple(row["station_ids"]),
        unit_id=row["unit_id"],
        password_hash=row["password_hash"],
        disabled=row["disabled"],
    )


def _stored(row: Mapping[str, Any]) -> StoredSession:
    return StoredSession(
        token_sha256=bytes(row["token_sha256"]),
        account=account_of_row(row),
        last_seen_us=us_of(row["last_seen_at"]),
        expires_us=us_of(row["expires_at"]),
    )
