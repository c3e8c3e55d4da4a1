"""The live picture's row: what is known now of one unit, derived from its devices."""

from enum import IntFlag
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.model.unit import DutyStatus, LinkState

UNIT_STATE: Final = np.dtype(
    [
        ("unit_id", "<i4"),
        ("lat_e7", "<i4"),
        ("lon_e7", "<i4"),
        ("alt_msl_dm", "<i4"),
        ("alt_home_dm", "<i4"),
        ("observed_us", "<i8"),
        ("received_us", "<i8"),
        ("speed_cmps", "<i2"),
        ("climb_cmps", "<i2"),
        ("heading_ddeg", "<i2"),
        ("course_ddeg", "<i2"),
        ("accuracy_dm", "<i2"),
        ("battery_pct", "i1"),
        ("satellites", "i1"),
        ("fix", "i1"),
        ("link", "i1"),
        ("duty", "i1"),
        ("state", "<i4"),
        ("quality", "<i4"),
        ("device_id", "<i4"),
        ("version", "<i8"),
    ]
)
"""One row a unit; units and unknowns as in REPORT. `observed_us` 0: never heard. `link` and `duty` are indexes into
LINK_STATES and DUTY_STATUSES; `state` holds UnitBit; `version` grows with every change of the row."""

UnitStates: TypeAlias = NDArray[Any]
"""A one-dimensional array of dtype UNIT_STATE."""

LINK_STATES: Final = tuple(LinkState)
DUTY_STATUSES: Final = tuple(DutyStatus)


class UnitBit(IntFlag):
    """Bits of the `state` column. ARMED and AIRBORNE mean something only where their KNOWN bit stands."""

    ARMED = 1 << 0
    ARMED_KNOWN = 1 << 1
    AIRBORNE = 1 << 2
    AIRBORNE_KNOWN = 1 << 3
    SOS = 1 << 4
    ALARMED = 1 << 5
    COVERT = 1 << 6
    REPLAYED = 1 << 7
    IDENTITY_CONFLICT = 1 << 8
    DISAGREES = 1 << 9
    """Another device of the unit, heard as well, says that it is elsewhere."""
