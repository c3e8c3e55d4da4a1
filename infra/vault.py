"""Seals what must be read back (MAVLink keys) with a key that lives outside the database."""

import os
import secrets
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.disk import explained
from infra.errors import SecretError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FORMAT: Final = b"\x01"


class Vault:
    """AES-256-GCM under the key file `vault.key`; sealed = format byte, nonce, cipher text with tag."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = (
                f"the vault's key has {len(key)} bytes, {KEY_BYTES} are needed: restore vault.key from your backup"
            )
            raise SecretError(message)
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, data_dir: Path) -> Self:
        """Read the key file under `data_dir`; makes it, for its owner's eyes only, when there is none.

        Raises SecretError when others may read it, DiskError when it cannot be written or read.
        """
        with explained("the vault's key", data_dir):
            return cls._open(data_dir / "vault.key")

    @classmethod
    def _open(cls, path: Path) -> Self:
        path.parent.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(_read_private(path))
        with os.fdopen(descriptor, "wb") as file:
            file.write(key := secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    def seal(self, secret: bytes) -> bytes:
        """Return `secret` encrypted and authenticated."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, secret, FORMAT)

    def unseal(self, sealed: bytes) -> bytes:
        """Return what `seal` was given. Raises SecretError when it was sealed by another key or was changed."""
        nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, sealed[:1])
        except (InvalidTag, ValueError) as error:
            message = "a sealed secret does not fit vault.key: restore the key file that belongs to this database"
            raise SecretError(message) from error


def _read_private(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        message = f"{path} may be read by others (mode {mode:o}): set it to 600, and replace the keys sealed with it"
        raise SecretError(message)
    return path.read_bytes()
