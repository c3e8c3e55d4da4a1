"""Clocks set to a wrong time zone: a device that is off by whole half hours for a while, told once."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import Batch, Quality
from telemetry.model.events import ZoneWrong

HALF_HOUR_US: Final = 1_800_000_000
NEAR_US: Final = 120_000_000
"""An offset so near to whole half hours is a zone's."""
FARTHEST_HALF_HOURS: Final = 28
"""14 hours: no zone is farther from another that is in use here."""
WINDOW_US: Final = 60_000_000
WINDOW_ROWS: Final = 3
"""So long, and so many fixes, an offset must last: a stored fix that happens to be half an hour late proves nothing."""
SAY_AGAIN_US: Final = 86_400_000_000

ZONE: Final = [
    ("zone_from_us", "<i8"),
    ("zone_least_us", "<i8"),
    ("zone_most_us", "<i8"),
    ("zone_rows", "<i4"),
    ("zone_half_hours", "<i4"),
    ("zone_said", "<i4"),
    ("zone_said_us", "<i8"),
]
"""What a tracker keeps of a device: the window's begin (0: none), least and greatest delay and rows; the proven offset."""
_NO_WITNESS: Final = int(
    Quality.REPLAYED | Quality.ARCHIVE | Quality.TIME_OF_ARRIVAL | Quality.TIME_ESTIMATED | Quality.SECONDARY
)


def mark_zones(batch: Batch, table: NDArray[Any], rows: NDArray[np.intp]) -> list[ZoneWrong]:
    """Mark fixes of devices whose zone is proven wrong, and return what is newly proven; `rows` are the devices' in `table`.

    The delay of a device is the least one of a window, since networks only make it greater. Only devices that are off, or were,
    are walked fix by fix.
    """
    delay_us = batch["received_us"] - batch["observed_us"]
    witness = (batch["quality"] & _NO_WITNESS) == 0
    off = witness & (np.abs(delay_us) >= HALF_HOUR_US - NEAR_US)
    begun = table["zone_from_us"][rows] > 0
    if off.any():  # stored fixes are of any age: only those near to whole half hours can begin a window
        beside_us = (delay_us + HALF_HOUR_US // 2) % HALF_HOUR_US - HALF_HOUR_US // 2
        off &= np.abs(beside_us) <= NEAR_US
        begun |= np.isin(rows, rows[off])
    if not begun.any():
        return []
    concerned = witness & begun
    told = [_step(batch, place, table[rows[place]]) for place in np.flatnonzero(concerned).tolist()]
    return [event for event in told if event is not None]


def _step(batch: Batch, place: int, state: Any) -> ZoneWrong | None:  # noqa: ANN401 - one row of a structured array
    received_us = int(batch["received_us"][place])
    delay_us = received_us - int(batch["observed_us"][place])
    least_us = min(delay_us, int(state["zone_least_us"])) if state["zone_from_us"] else delay_us
    most_us = max(delay_us, int(state["zone_most_us"])) if state["zone_from_us"] else delay_us
    half_hours = _half_hours(least_us)
    if half_hours == 0 or most_us - least_us > NEAR_US:
        _begin(state, delay_us, received_us)
        return None
    if not state["zone_from_us"]:
        _begin(state, delay_us, received_us)
    else:
        state["zone_least_us"], state["zone_most_us"] = least_us, most_us
        state["zone_rows"] += 1
    if state["zone_rows"] >= WINDOW_ROWS and received_us - int(state["zone_from_us"]) >= WINDOW_US:
        state["zone_half_hours"] = half_hours
    if state["zone_half_hours"] == 0:
        return None
    batch["quality"][place] |= np.int32(Quality.ZONE_WRONG)
    return _said(state, int(batch["device_id"][place]), received_us)


def _begin(state: Any, delay_us: int, received_us: int) -> None:  # noqa: ANN401 - as above
    """Begin a window with this fix, or none where its delay is like anybody's."""
    is_off = _half_hours(delay_us) != 0
    state["zone_from_us"] = received_us if is_off else 0
    state["zone_least_us"] = state["zone_most_us"] = delay_us
    state["zone_rows"] = 1 if is_off else 0
    state["zone_half_hours"] = 0


def _said(state: Any, device_id: int, received_us: int) -> ZoneWrong | None:  # noqa: ANN401 - as above
    half_hours = int(state["zone_half_hours"])
    if state["zone_said"] == half_hours and received_us - int(state["zone_said_us"]) < SAY_AGAIN_US:
        return None
    state["zone_said"], state["zone_said_us"] = half_hours, received_us
    offset_s = -half_hours * HALF_HOUR_US / 1e6
    return ZoneWrong(device_id=device_id, observed_us=received_us, received_us=received_us, offset_s=offset_s)


def _half_hours(delay_us: int) -> int:
    """Return how many half hours a delay is, 0 where it is none of whole ones."""
    count = round(delay_us / HALF_HOUR_US)
    is_near = abs(delay_us - count * HALF_HOUR_US) <= NEAR_US
    return count if is_near and abs(count) <= FARTHEST_HALF_HOURS else 0
