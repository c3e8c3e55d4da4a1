"""Parked jitter: a device that stands still says other places all the time; its marker keeps to the place of its anchor."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distances_m
from telemetry.model.batch import UNKNOWN_I2, Batch, Quality
from telemetry.model.slots import rows_at
from telemetry.model.unit import UnitKind

PARKED_WITHIN_M: Final = 15.0
"""So far from its anchor, or twice its accuracy, a slow fix is jitter."""
OUTSIDE_BEFORE_LEAVING: Final = 2
"""So many slow fixes in a row outside are a new place."""
SLOW_CMPS: Final = {
    UnitKind.CAR: 150,
    UnitKind.MOTORCYCLE: 150,
    UnitKind.MOBILE_ROOM: 150,
    UnitKind.OFFICER: 50,
    UnitKind.DRONE: 0,
}
"""Below this a unit of the kind stands; an officer on foot walks at 1.4 m/s, and what a hovering drone drifts is real."""
UNKNOWN_KIND_SLOW_CMPS: Final = 50

ANCHOR: Final = [("park_us", "<i8"), ("park_lat_e7", "<i4"), ("park_lon_e7", "<i4"), ("park_outside", "<i4")]
"""What a tracker keeps of a device: `park_us` 0 is no anchor, `park_outside` counts slow fixes outside in a row."""
_MOVED: Final = int(Quality.JUMPED | Quality.TOO_FAST | Quality.INACCURATE)


def mark_parked(
    batch: Batch, table: NDArray[Any], order: NDArray[np.intp], rows: NDArray[np.intp], *, calm: NDArray[np.bool_]
) -> None:
    """Mark the jitter among the fixes `order` of a batch, each of the device in its row of `table`, in order of time by device.

    `calm` tells of each row of the batch whether nothing else is said with it: a fix with an alarm is never jitter. The table
    (with ANCHOR's fields and `slow_cmps`) is written in place.
    """
    good = (batch["quality"][order] & _MOVED) == 0
    if not good.all():
        order, rows = order[good], rows[good]
    while len(order):
        first = np.ones(len(rows), bool)
        first[1:] = rows[1:] != rows[:-1]
        _mark_one_each(batch, table, order[first], rows[first], calm)
        order, rows = order[~first], rows[~first]


def _mark_one_each(
    batch: Batch, table: NDArray[Any], order: NDArray[np.intp], rows: NDArray[np.intp], calm: NDArray[np.bool_]
) -> None:
    lat_e7, lon_e7 = batch["lat_e7"][order], batch["lon_e7"][order]
    speed, accuracy = batch["speed_cmps"][order], batch["accuracy_dm"][order]
    state = rows_at(table, rows)
    within_m = np.maximum(PARKED_WITHIN_M, np.where(accuracy == UNKNOWN_I2, 0.0, accuracy / 5.0))
    near = distances_m(lat_e7, lon_e7, state["park_lat_e7"], state["park_lon_e7"]) < within_m
    slow = (speed != UNKNOWN_I2) & (speed < state["slow_cmps"]) & (state["park_us"] > 0)
    outside = np.where(slow & ~near, state["park_outside"] + 1, 0)
    stays = slow & (outside < OUTSIDE_BEFORE_LEAVING)
    table["park_outside"][rows] = np.where(stays, outside, 0)
    left = rows[~stays]
    table["park_us"][left] = batch["received_us"][order][~stays]
    table["park_lat_e7"][left] = lat_e7[~stays]
    table["park_lon_e7"][left] = lon_e7[~stays]
    marked = order[stays & calm[order]]
    batch["quality"][marked] |= np.int32(Quality.PARKED)
