"""Branches, tags and Call-IDs: nobody can guess the next from those before."""

import hashlib
import hmac
from typing import Final

MAGIC_COOKIE: Final = "z9hG4bK"
_DIGITS: Final = 24


class Identifiers:
    """Makes identifiers from a secret and a number, so that the same secret gives the same ones again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._number = 0

    def make(self) -> str:
        """Return a new identifier of 24 hexadecimal digits."""
        self._number += 1
        return hmac.new(self._secret, self._number.to_bytes(8, "big"), hashlib.sha256).hexdigest()[:_DIGITS]

    def branch(self) -> str:
        """Return a new branch of a Via."""
        return MAGIC_COOKIE + self.make()
