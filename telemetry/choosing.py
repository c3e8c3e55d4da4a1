"""Which of a unit's devices speaks for it: by freshness, fitness, agreement, trust, and staying with the one shown."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distances_m
from telemetry.model.batch import UNKNOWN_I2

AGREE_M: Final = 50.0
"""Two devices nearer than this, and their accuracies, say the same."""


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that may speak for units, as columns of one length, ordered by `unit_row`.

    `link_rank` is higher for fresher; `trust` is higher for better; `is_shown` tells the device that speaks now.
    """

    unit_row: NDArray[Any]
    link_rank: NDArray[Any]
    is_fit: NDArray[Any]
    trust: NDArray[Any]
    is_shown: NDArray[Any]
    newest_us: NDArray[Any]
    lat_e7: NDArray[Any]
    lon_e7: NDArray[Any]
    accuracy_dm: NDArray[Any]


def choose(candidates: Candidates) -> NDArray[np.intp]:
    """Return the index of the best candidate of each unit, in order of unit rows.

    A device that is fresher stands first, then one without doubtful bits, then one that more fresh devices of the unit
    agree with; among those that agree the more trusted; then the one shown already, so that a marker does not flicker
    between two; then the newest.
    """
    rows = candidates.unit_row
    last = np.append(rows[1:] != rows[:-1], [True])
    if last.all():
        return np.arange(len(rows))
    agreement = _agreement(candidates)
    trust = np.where(agreement > 0, candidates.trust, 0)
    keys = (candidates.newest_us, candidates.is_shown, trust, agreement, candidates.is_fit, candidates.link_rank, rows)
    order = np.lexsort(keys)
    best: NDArray[np.intp] = order[last]
    return best


def _agreement(candidates: Candidates) -> NDArray[np.int64]:
    """Count for each candidate how many as fresh ones of its unit are at its place."""
    count = len(candidates.unit_row)
    agreement = np.zeros(count, np.int64)
    accuracy_m = np.where(candidates.accuracy_dm == UNKNOWN_I2, 0.0, candidates.accuracy_dm / 10.0)
    for shift in range(1, count):
        first, second = slice(0, count - shift), slice(shift, count)
        paired = candidates.unit_row[first] == candidates.unit_row[second]
        if not paired.any():
            break
        paired &= (candidates.link_rank[first] > 0) & (candidates.link_rank[first] == candidates.link_rank[second])
        apart_m = distances_m(
            candidates.lat_e7[first], candidates.lon_e7[first], candidates.lat_e7[second], candidates.lon_e7[second]
        )
        near = apart_m <= AGREE_M + accuracy_m[first] + accuracy_m[second]
        agreement[first] += paired & near
        agreement[second] += paired & near
    return agreement
