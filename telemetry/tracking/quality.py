"""Plausibility bits that one row shows by itself: odd times, 0/0, impossible speeds, poor accuracy."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import FIX_2D, UNKNOWN_I1, UNKNOWN_I2, UNKNOWN_I4, Batch, Quality
from telemetry.model.slots import copied, rows_at
from telemetry.model.unit import UnitKind

DAY_US: Final = 86_400_000_000
RAW_RETENTION_US: Final = 90 * DAY_US
INACCURATE_OVER_DM: Final = 2_000

SPEED_LIMIT_MPS: Final = {
    UnitKind.DRONE: 90.0,
    UnitKind.OFFICER: 60.0,
    UnitKind.MOTORCYCLE: 75.0,
    UnitKind.CAR: 75.0,
    UnitKind.MOBILE_ROOM: 50.0,
}
"""Faster than this nothing of the kind moves; an officer may sit in a car or a train."""
UNKNOWN_KIND_LIMIT_MPS: Final = 120.0

UNFIT: Final = int(
    Quality.JUMPED | Quality.TOO_FAST | Quality.NO_FIX | Quality.MOCK | Quality.INACCURATE | Quality.SECONDARY
)
"""Bits of which a position may be shown only when its unit has nothing better."""
UNPLACEABLE: Final = int(Quality.NO_FIX | Quality.NULL_ISLAND | Quality.ENCRYPTED)
"""Bits of a position that says nothing about where the unit is."""


def is_placeless(batch: Batch) -> NDArray[np.bool_]:
    """Tell which rows have no coordinates at all and no reason why: signs of life, not positions."""
    unknown = (batch["lat_e7"] == UNKNOWN_I4) | (batch["lon_e7"] == UNKNOWN_I4)
    nowhere: NDArray[np.bool_] = unknown & ((batch["quality"] & np.int32(Quality.ENCRYPTED)) == 0)
    return nowhere


def effective_us(batch: Batch) -> NDArray[np.int64]:
    """Return when each row was true at the latest: observed, but never after we received it.

    A device whose clock runs ahead is ordered by arrival, so that it neither looks newer than now nor goes back in time
    when its clock is set right.
    """
    earliest: NDArray[np.int64] = np.minimum(batch["observed_us"], batch["received_us"])
    return earliest


def mark(batch: Batch, limit_cmps: NDArray[Any], retention_us: int = RAW_RETENTION_US) -> Batch:
    """Return the rows that are positions, a copy with the bits that each row earns by itself; 0/0 and encrypted ones are kept.

    `limit_cmps` is the fastest ground speed of each row's kind, in cm/s. Odd times are those outside
    [received - retention, received + 1 day]. A fix hash is not touched.
    """
    placed = ~is_placeless(batch)
    rows, limits = (copied(batch), limit_cmps) if placed.all() else (rows_at(batch, placed), limit_cmps[placed])
    bits = rows["quality"].copy()
    ahead_us = rows["observed_us"] - rows["received_us"]
    bits |= _where((ahead_us > DAY_US) | (ahead_us < -retention_us), Quality.ODD_TIME)
    bits |= _where((rows["lat_e7"] == 0) & (rows["lon_e7"] == 0), Quality.NULL_ISLAND)
    bits |= _where((rows["fix"] < FIX_2D) & (rows["fix"] != UNKNOWN_I1), Quality.NO_FIX)
    bits |= _where(rows["accuracy_dm"] > INACCURATE_OVER_DM, Quality.INACCURATE)
    bits |= _where((rows["speed_cmps"] > limits) & (rows["speed_cmps"] != UNKNOWN_I2), Quality.TOO_FAST)
    rows["quality"] = bits
    return rows


def _where(chosen: NDArray[np.bool_], bit: Quality) -> NDArray[np.int32]:
    return np.where(chosen, np.int32(bit), np.int32(0))
