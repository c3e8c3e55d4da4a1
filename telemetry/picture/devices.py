"""One unit's devices, as the console shows them: which is heard, which speaks, and which says that it is elsewhere."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distances_m
from telemetry.model.batch import Batch
from telemetry.model.unit import Device, LinkState
from telemetry.model.unit_state import LINK_STATES


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """One of a unit's devices now; `report` is its newest position (one row of REPORT), None when it was never heard.

    `is_shown` speaks for the unit; `is_chosen` is the one that an operator wants to speak. `distance_m` is how far it is from the
    one that speaks (None where one was never heard); `disagrees`: both are heard, and this cannot be one place.
    """

    device_id: int
    protocol: str
    label: str
    trust: int
    link: LinkState
    is_shown: bool
    is_chosen: bool
    observed_us: int
    report: Batch | None
    distance_m: float | None
    disagrees: bool


def states_of(
    devices: NDArray[Any], known: Mapping[int, Device], apart_m: NDArray[np.float64], *, shown_id: int
) -> list[DeviceState]:
    """Return the states of one unit's rows of the picture's table of devices, the one that speaks first, then by trust."""
    reports = devices["report"]
    distances = _from_speaker(devices, shown_id)
    states = [
        DeviceState(
            device_id=int(device["device_id"]),
            protocol=known[int(device["device_id"])].protocol,
            label=known[int(device["device_id"])].label,
            trust=int(device["trust"]),
            link=LINK_STATES[int(device["link"])],
            is_shown=bool(device["device_id"] == shown_id and device["newest_us"] > 0),
            is_chosen=bool(device["chosen"]),
            observed_us=int(device["newest_us"]),
            report=reports[place : place + 1].copy() if device["newest_us"] else None,
            distance_m=None if np.isnan(distances[place]) else float(distances[place]),
            disagrees=not np.isnan(apart_m[place]),
        )
        for place, device in enumerate(devices)
        if int(device["device_id"]) in known
    ]
    return sorted(states, key=lambda state: (not state.is_shown, -state.trust, state.device_id))


def _from_speaker(devices: NDArray[Any], shown_id: int) -> NDArray[np.float64]:
    """Return the distance of each device from the one that speaks, NaN where one was never heard."""
    reports = devices["report"]
    speaker = np.flatnonzero((devices["device_id"] == shown_id) & (devices["newest_us"] > 0))
    if not len(speaker):
        return np.full(len(devices), np.nan)
    place = np.full(len(devices), speaker[0])
    apart_m = distances_m(reports["lat_e7"], reports["lon_e7"], reports["lat_e7"][place], reports["lon_e7"][place])
    return np.where(devices["newest_us"] > 0, apart_m, np.nan)
