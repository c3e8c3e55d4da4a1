"""The last ten minutes of every unit's way: one ring of fixes a unit, at most one fix a second."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.slots import grown, put_rows

TRAIL: Final = np.dtype([("observed_us", "<i8"), ("lat_e7", "<i4"), ("lon_e7", "<i4")])
"""One row a fix of a trail; units as in REPORT."""
TRAIL_US: Final = 600_000_000
STEP_US: Final = 1_000_000
CAPACITY: Final = TRAIL_US // STEP_US
_EMPTY: Final = np.zeros(CAPACITY, TRAIL)


class Trails:
    """Rings of fixes by unit row (the caller's numbering)."""

    def __init__(self) -> None:
        self._rings: NDArray[Any] = np.zeros((0, CAPACITY), TRAIL)
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, rows: NDArray[np.intp], fixes: NDArray[Any]) -> None:
        """Append one fix to each of `rows` (each at most once) where the last is a second older or more.

        `fixes` has the fields of TRAIL.
        """
        if not len(rows):
            return
        self._make_room(int(rows.max()) + 1)
        counts = self._counts[rows]
        last_us = self._rings["observed_us"][rows, (counts - 1) % CAPACITY]
        due = fixes["observed_us"] - last_us >= STEP_US
        rows, counts = rows[due], counts[due]
        points = np.empty(len(rows), TRAIL)
        for column in TRAIL.names or ():
            points[column] = fixes[column][due]
        put_rows(self._rings.reshape(-1), rows * CAPACITY + counts % CAPACITY, points)
        self._counts[rows] = counts + 1

    def of(self, row: int) -> NDArray[Any]:
        """Return a unit's fixes of the ten minutes before its newest, oldest first (dtype TRAIL)."""
        count = int(self._counts[row]) if row < len(self._counts) else 0
        held = min(count, CAPACITY)
        fixes: NDArray[Any] = self._rings[row][np.arange(count - held, count) % CAPACITY] if held else _EMPTY[:0]
        if held:
            fixes = fixes[fixes["observed_us"] >= fixes["observed_us"][-1] - TRAIL_US]
        return fixes

    def clear(self, row: int) -> None:
        """Forget a unit's way."""
        if row < len(self._counts):
            self._counts[row] = 0
            self._rings[row] = _EMPTY

    def _make_room(self, row_count: int) -> None:
        self._rings = grown(self._rings, row_count, _EMPTY)
        self._counts = grown(self._counts, len(self._rings), np.zeros((), np.int64))
