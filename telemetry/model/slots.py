"""Dense places for sparse numbers: which row of a growing table belongs to a device or a unit."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Slots:
    """Gives each number a row of its own, in order of first appearance; a row is never given back.

    Looking up n numbers costs one binary search each, in one numpy call.
    """

    def __init__(self) -> None:
        self.ids: NDArray[np.int32] = np.empty(0, np.int32)
        """The number of each row, in order of rows."""
        self._sorted_ids: NDArray[np.int32] = np.empty(0, np.int32)
        self._sorted_rows: NDArray[np.intp] = np.empty(0, np.intp)

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, ids: NDArray[Any]) -> NDArray[np.intp]:
        """Return the rows of `ids`, -1 for numbers that have none."""
        if not len(self._sorted_ids):
            return np.full(len(ids), -1, np.intp)
        places = self._sorted_ids.searchsorted(ids)
        found = self._sorted_ids.take(places, mode="clip") == ids
        return np.where(found, self._sorted_rows.take(places, mode="clip"), -1)

    def take(self, ids: NDArray[Any]) -> NDArray[np.intp]:
        """Return the rows of `ids`; numbers seen for the first time get new ones at the end."""
        rows = self.find(ids)
        if len(rows) and rows.min() < 0:
            self._add(ids[rows < 0])
            rows = self.find(ids)
        return rows

    def _add(self, ids: NDArray[Any]) -> None:
        unique, first = np.unique(ids, return_index=True)
        self.ids = np.concatenate((self.ids, unique[np.argsort(first)].astype(np.int32)))
        order = np.argsort(self.ids, kind="stable")
        self._sorted_ids = self.ids[order]
        self._sorted_rows = order


def rows_at(table: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of these rows (indexes or a mask) of a structured array, as plain bytes.

    Field by field, as numpy copies rows itself, it costs four times as much for one row and twenty times for a thousand.
    """
    copied: NDArray[Any] = table.view(_opaque(table.dtype))[rows].view(table.dtype)
    return copied


def copied(table: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of a structured array, as plain bytes: cheaper for the same reason as `rows_at`."""
    copy: NDArray[Any] = table.view(_opaque(table.dtype)).copy().view(table.dtype)
    return copy


def put_rows(table: NDArray[Any], rows: NDArray[Any] | slice, values: NDArray[Any]) -> None:
    """Write rows of the same dtype to these places (indexes, a mask or a slice) of a structured array, as plain bytes."""
    opaque = _opaque(table.dtype)
    table.view(opaque)[rows] = values.view(opaque)


@cache
def _opaque(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype((np.void, dtype.itemsize))


def grown(table: NDArray[Any], row_count: int, fresh: NDArray[Any]) -> NDArray[Any]:
    """Return `table` with room for `row_count` rows (doubling), new ones filled from the one row `fresh`."""
    if row_count <= len(table):
        return table
    bigger = np.empty((max(row_count, 2 * len(table), 16), *table.shape[1:]), table.dtype)
    bigger[: len(table)] = table
    bigger[len(table) :] = fresh
    return bigger
