"""What the disk refuses becomes one line that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.errors import GroundError


class DiskError(GroundError):
    """A file or folder cannot be used; the message says which, why and what to do."""


OTHER_FOLDER: Final = "choose a folder that this account may write to with SKYBEAT_DATA_DIR"
_ADVICE: Final = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space or raise the quota",
    errno.EROFS: "mount that disk writable, or {other}",
    errno.EACCES: "run as the account that owns it, or {other}",
    errno.EPERM: "run as the account that owns it, or {other}",
    errno.EIO: "check the disk",
}


@contextmanager
def explained(what: str, path: Path, *, other: str = OTHER_FOLDER) -> Iterator[None]:
    """Turn every OSError of the block into a DiskError about `what` at the error's own path, else `path`.

    `other` says what to choose instead.
    """
    try:
        yield
    except OSError as error:
        raise DiskError(complaint(what, path, error, other=other)) from error


def complaint(what: str, path: Path, error: OSError, *, other: str = OTHER_FOLDER) -> str:
    """Return one line: what cannot be used, where, why, and what to do."""
    place = error.filename if isinstance(error.filename, str) else path
    advice = _ADVICE.get(error.errno or 0, "{other}").format(other=other)
    return f"cannot use {what} {place} ({error.strerror or error}): {advice}"
