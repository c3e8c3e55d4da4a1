"""What the clients of a fault test write down while it happens: every fix that they sent and every one that was acknowledged."""

import os
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SENT: Final = 0
ACKNOWLEDGED: Final = 1
ENTRY: Final = np.dtype(
    [
        ("what", "i1"),
        ("device_id", "<i4"),
        ("observed_us", "<i8"),
        ("lat_e7", "<i4"),
        ("lon_e7", "<i4"),
        ("at_us", "<i8"),
    ]
)
"""One line of the diary; `at_us` is the machine's monotonic clock, which all of its processes share."""


class Fix(NamedTuple):
    """One position that a client sends; no two of a device are at the same place."""

    device_id: int
    observed_us: int
    lat_e7: int
    lon_e7: int


class Diary:
    """Appends to a file that outlives whatever is killed: each line is handed to the kernel before the client goes on."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def sent(self, *fixes: Fix) -> None:
        """Write down that these are on their way."""
        self._write(SENT, fixes)

    def acknowledged(self, *fixes: Fix) -> None:
        """Write down that the server said that it has these."""
        self._write(ACKNOWLEDGED, fixes)

    def _write(self, what: int, fixes: tuple[Fix, ...]) -> None:
        at_us = time.monotonic_ns() // 1000
        lines = np.array([(what, *fix, at_us) for fix in fixes], ENTRY)
        os.write(self._descriptor, lines.tobytes())

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


def read_diary(path: Path) -> NDArray[Any]:
    """Return the lines (dtype ENTRY) in the order in which they were written."""
    return np.fromfile(path, ENTRY)


def only(diary: NDArray[Any], what: int) -> NDArray[Any]:
    """Return the lines of one kind."""
    lines: NDArray[Any] = diary[diary["what"] == what]
    return lines
