"""Passwords: argon2id, at most two checks at once, and a limit on attempts by place and by account."""

import asyncio
from collections import OrderedDict
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from console.auth.policy import TooManyAttemptsError

CONCURRENT_CHECKS: Final = 2
WAITING_CHECKS: Final = 16
WINDOW_S: Final = 300.0
ATTEMPTS_BY_PLACE_AND_NAME: Final = 5
ATTEMPTS_BY_PLACE: Final = 30
ATTEMPTS_BY_NAME: Final = 60
REMEMBERED_KEYS: Final = 10_000


class Passwords:
    """Makes and checks argon2id hashes in threads; a check costs 64 MiB and a fifth of a second, so few run at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(CONCURRENT_CHECKS)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Tell whether a password is right; takes as long for an account that has none or does not exist (None).

        Raises TooManyAttemptsError when too many wait already.
        """
        if self._waiting >= WAITING_CHECKS:
            message = f"{self._waiting} sign-ins wait to be checked: try again in a few seconds"
            raise TooManyAttemptsError(message)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._check, password_hash, password)
        finally:
            self._waiting -= 1

    def _check(self, password_hash: str | None, password: str) -> bool:
        if password_hash is None:
            self._nobody = self._nobody or self._hasher.hash("nobody's password")
        try:
            self._hasher.verify(password_hash or self._nobody or "", password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None


class Attempts:
    """Counts failed sign-ins in windows of five minutes: by place and name, by place, by name."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def demand_room(self, place: str, name: str, now_s: float) -> None:
        """Raise TooManyAttemptsError when a place or a name has failed too often."""
        for key, allowed in _limits(place, name):
            started_s, count = self._failed.get(key, (now_s, 0))
            left_s = started_s + WINDOW_S - now_s
            if count >= allowed and left_s > 0:
                message = f"{count} failed sign-ins, {allowed} are allowed in {WINDOW_S / 60:.0f} minutes: wait {left_s:.0f} s"
                raise TooManyAttemptsError(message)

    def failed(self, place: str, name: str, now_s: float) -> None:
        """Count a failure."""
        for key, _ in _limits(place, name):
            started_s, count = self._failed.pop(key, (now_s, 0))
            if now_s - started_s >= WINDOW_S:
                started_s, count = now_s, 0
            self._failed[key] = (started_s, count + 1)
        while len(self._failed) > REMEMBERED_KEYS:
            self._failed.popitem(last=False)

    def begin(self, place: str, name: str, now_s: float) -> None:
        """Count an attempt before it is checked, so that many at once are no more than many in turn.

        Raises TooManyAttemptsError when a place or a name has failed too often.
        """
        self.demand_room(place, name, now_s)
        self.failed(place, name, now_s)

    def succeeded(self, place: str, name: str) -> None:
        """Take back what `begin` counted, and forget the failures of this name from this place."""
        for key, _ in _limits(place, name):
            started_s, count = self._failed.get(key, (0.0, 0))
            if count > 1:
                self._failed[key] = (started_s, count - 1)
            else:
                self._failed.pop(key, None)
        self._failed.pop((place, name), None)


def _limits(place: str, name: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (
        ((place, name), ATTEMPTS_BY_PLACE_AND_NAME),
        ((place, ""), ATTEMPTS_BY_PLACE),
        (("", name), ATTEMPTS_BY_NAME),
    )
