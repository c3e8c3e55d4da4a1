"""Which units coverage counts: those that may be sent over the roads now, and those that the plan has at the stations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from console.coverage.protocol import UnitColumns
from mission.roads.travel import GROUND_MODES, TravelMode, mode_of
from telemetry.model.unit import AVAILABLE, DutyStatus, LinkState, Unit, UnitKind
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UnitBit, UnitStates

_AVAILABLE_INDEXES: Final = tuple(index for index, status in enumerate(DUTY_STATUSES) if status in AVAILABLE)
_HEARD_INDEXES: Final = tuple(
    index for index, link in enumerate(LINK_STATES) if link in (LinkState.LIVE, LinkState.STALE)
)
NO_STATION: Final = -1


def available_units(states: UnitStates, units: Mapping[int, Unit]) -> UnitColumns:
    """Return where the units stand that may be sent over the roads: free or standby, heard of lately, no drones.

    Covert units are left out: whoever may see the shares and the count could tell from them that there is one, and where.
    """
    ready = (
        np.isin(states["duty"], _AVAILABLE_INDEXES)
        & (states["state"] & int(UnitBit.COVERT) == 0)
        & np.isin(states["link"], _HEARD_INDEXES)
        & (states["observed_us"] > 0)
    )
    ready &= (states["lat_e7"] != np.iinfo(np.int32).min) & (states["lon_e7"] != np.iinfo(np.int32).min)
    chosen = states[ready]
    ids = chosen["unit_id"].tolist()
    rows = [row for row, unit_id in enumerate(ids) if unit_id in units and is_on_ground(units[unit_id])]
    known = [units[ids[row]] for row in rows]
    return UnitColumns(
        unit_id=[unit.unit_id for unit in known],
        station_id=[_station_of(unit) for unit in known],
        lat_deg=(chosen["lat_e7"][rows] * 1e-7).tolist(),
        lon_deg=(chosen["lon_e7"][rows] * 1e-7).tolist(),
        mode=[_mode_index(unit) for unit in known],
    )


def crews(units: Iterable[Unit]) -> UnitColumns:
    """Return the units on duty that belong to stations; their places are not told.

    Covert ones are left out, and so are mobile rooms, which serve whoever comes and go to no call.
    """
    mine = [unit for unit in units if _is_crew(unit)]
    return UnitColumns(
        unit_id=[unit.unit_id for unit in mine],
        station_id=[_station_of(unit) for unit in mine],
        lat_deg=[0.0] * len(mine),
        lon_deg=[0.0] * len(mine),
        mode=[_mode_index(unit) for unit in mine],
    )


def silent(states: UnitStates, crew_ids: Sequence[int]) -> list[int]:
    """Return those of a crew from whom nothing was heard lately, or ever."""
    heard = set(states["unit_id"][np.isin(states["link"], _HEARD_INDEXES)].tolist())
    return [unit_id for unit_id in crew_ids if unit_id not in heard]


def _is_crew(unit: Unit) -> bool:
    is_rostered = unit.station_id is not None and unit.duty_status is not DutyStatus.OFF_DUTY
    return is_rostered and unit.kind is not UnitKind.MOBILE_ROOM and is_on_ground(unit)


def is_on_ground(unit: Unit) -> bool:
    """Tell whether coverage may count the unit at all: on the ground and not covert."""
    return not unit.covert and mode_of(unit.kind) is not TravelMode.DRONE


def _station_of(unit: Unit) -> int:
    return NO_STATION if unit.station_id is None else unit.station_id


def _mode_index(unit: Unit) -> int:
    return GROUND_MODES.index(mode_of(unit.kind))
