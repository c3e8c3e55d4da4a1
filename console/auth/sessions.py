"""Sessions: made at sign-in, checked at every request, ended by sign-out, age, idleness or a disabled account."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from console.auth.accounts import Account, Accounts, StoredSession, new_token, sha256_of
from console.auth.policy import NotSignedInError
from infra.clock import MICROSECONDS, Clock
from infra.logs import get_logger
from telemetry.model.errors import UnavailableError

_LOG: Final = get_logger("sessions")
CHECK_EVERY_S: Final = 2.0
TOUCH_EVERY_S: Final = 60.0
SWEEP_EVERY_S: Final = 3600.0


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in: the account and the session's hash and end; `is_key`: not a session but a script's key."""

    account: Account
    token_sha256: bytes
    expires_us: int
    is_key: bool = False


class SessionSource(Protocol):
    """What a request or a websocket asks: who bears this token."""

    async def who(self, token: str | None) -> Signed:
        """Return who is signed in. Raises NotSignedInError or UnavailableError."""


class Sessions:
    """The sessions in use, in memory, checked against the database every two seconds.

    While the database is away those known already stay good until their own end: the map goes on.
    """

    def __init__(self, accounts: Accounts, clock: Clock, *, idle_s: int, absolute_s: int) -> None:
        self._accounts = accounts
        self._clock = clock
        self._idle_us = idle_s * MICROSECONDS
        self._absolute_us = absolute_s * MICROSECONDS
        self._known: dict[bytes, StoredSession] = {}
        self._tell: Callable[[Sequence[bytes], Sequence[bytes]], None] = lambda _ended, _changed: None

    def on_change(self, tell: Callable[[Sequence[bytes], Sequence[bytes]], None]) -> None:
        """Let `tell(ended, changed)` know the hashes of sessions that are over or whose rights are others now."""
        self._tell = tell

    async def sign_in(self, account: Account) -> tuple[str, Signed]:
        """Make a session; return its token for the cookie."""
        token = new_token()
        digest, now_us = sha256_of(token), self._clock.now_us()
        expires_us = now_us + self._absolute_us
        await self._accounts.add_session(digest, account.account_id, now_us=now_us, expires_us=expires_us)
        stored = StoredSession(token_sha256=digest, account=account, last_seen_us=now_us, expires_us=expires_us)
        self._remember(stored)
        return token, _signed(stored)

    async def who(self, token: str | None) -> Signed:
        """Return who is signed in. Raises NotSignedInError, or UnavailableError for an unknown session and no database."""
        if not token:
            message = "nobody is signed in: sign in first"
            raise NotSignedInError(message)
        digest = sha256_of(token)
        if digest not in self._known:  # those known are checked by `watch`, so that a lost database delays no request
            await self._check([digest])
        stored = self._known.get(digest)
        if stored is None or self._is_over(stored):
            message = "the session is over: sign in again"
            raise NotSignedInError(message)
        await self._touch(stored)
        return _signed(stored)

    async def sign_out(self, token_sha256: bytes) -> None:
        """End a session and close its websockets."""
        await self._accounts.end_session(token_sha256)
        self._forget([token_sha256])

    async def end_others_of(self, signed: Signed) -> None:
        """End the account's other sessions, as a new password asks."""
        await self._accounts.end_sessions_of(signed.account.account_id, keep_sha256=signed.token_sha256)
        await self._check(list(self._known))

    async def watch(self) -> None:
        """Check the sessions in use every two seconds, sweep old ones every hour; run it as a task."""
        swept_s = -SWEEP_EVERY_S
        while True:
            try:
                await self._check(list(self._known))
                if self._clock.monotonic_s() - swept_s >= SWEEP_EVERY_S:
                    swept_s = self._clock.monotonic_s()
                    await self._accounts.sweep(self._clock.now_us() - 86_400 * MICROSECONDS)
            except UnavailableError:
                _LOG.warning("sessions_unchecked", known=len(self._known))
            await asyncio.sleep(CHECK_EVERY_S)

    async def _check(self, hashes: list[bytes]) -> None:
        if not hashes:
            return
        now_us = self._clock.now_us()
        try:
            found = await self._accounts.sessions(hashes, now_us=now_us, idle_us=self._idle_us)
        except UnavailableError:
            self._forget([digest for digest in hashes if digest in self._known and self._is_over(self._known[digest])])
            if len(hashes) > 1 or hashes[0] in self._known:
                return
            raise
        changed = [
            digest
            for digest, stored in found.items()
            if digest in self._known and stored.account.scope != self._known[digest].account.scope
        ]
        for stored in found.values():
            self._remember(stored)
        self._forget([digest for digest in hashes if digest not in found])
        if changed:
            self._tell((), changed)

    def _remember(self, stored: StoredSession) -> None:
        self._known[stored.token_sha256] = stored

    def _forget(self, hashes: list[bytes]) -> None:
        ended = [digest for digest in hashes if self._known.pop(digest, None) is not None]
        if ended:
            self._tell(ended, ())

    def _is_over(self, stored: StoredSession) -> bool:
        now_us = self._clock.now_us()
        return now_us >= stored.expires_us or now_us - stored.last_seen_us >= self._idle_us

    async def _touch(self, stored: StoredSession) -> None:
        now_us = self._clock.now_us()
        if now_us - stored.last_seen_us < TOUCH_EVERY_S * MICROSECONDS:
            return
        self._known[stored.token_sha256] = msgspec.structs.replace(stored, last_seen_us=now_us)
        try:
            await self._accounts.touch_session(stored.token_sha256, now_us)
        except UnavailableError:
            _LOG.warning("session_untouched")


def _signed(stored: StoredSession) -> Signed:
    return Signed(account=stored.account, token_sha256=stored.token_sha256, expires_us=stored.expires_us)
