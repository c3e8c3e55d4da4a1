"""Addresses that come with keys that are none: a few tries, then a wait; a key that was right before is heard all the same."""

from typing import Final

from console.auth.policy import TooManyAttemptsError
from infra.clock import Clock
from telemetry.rate_limit import RateLimit

WRONG_KEYS_PER_S: Final = 0.2
WRONG_KEYS_AT_ONCE: Final = 20
"""How often one address may come with a key that is none."""


class Strangers:
    """Counts wrong keys by address; keys are told by their SHA-256."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: set[bytes] = set()
        self._rate = RateLimit(WRONG_KEYS_PER_S, WRONG_KEYS_AT_ONCE)

    def demand(self, host: str, token_sha256: bytes | None = None) -> None:
        """Raise TooManyAttemptsError for an address with too many wrong keys, unless this key was right before."""
        if token_sha256 not in self._known and not self._rate.allows(host, self._clock.monotonic_s()):
            message = f"too many calls with wrong keys from {host}: wait a minute, and mend the key"
            raise TooManyAttemptsError(message)

    def refused(self, host: str, token_sha256: bytes | None = None) -> None:
        """Count a key or a signature that was wrong."""
        self._known.discard(token_sha256 or b"")
        self._rate.take(host, self._clock.monotonic_s())

    def proved(self, token_sha256: bytes) -> None:
        """Remember a key that was right."""
        self._known.add(token_sha256)
