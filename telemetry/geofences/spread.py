"""Ranges spread out: how numpy walks lists of different lengths without a loop."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def spread(starts: NDArray[Any], counts: NDArray[Any]) -> tuple[Rows, Rows]:
    """Return for ranges [start, start + count) the number of each item's range, and the item itself, range after range."""
    counts = np.asarray(counts, np.int64)
    owners = np.arange(len(counts)).repeat(counts)
    offsets = starts - (counts.cumsum() - counts)
    return owners, np.arange(len(owners)) + offsets.take(owners)


def first_of_runs(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which of sorted keys differ from the one before."""
    is_first = np.ones(len(keys), bool)
    is_first[1:] = keys[1:] != keys[:-1]
    return is_first
