"""Drift: what a station's zone has lost against its plan, and which of its own units are not where the plan has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mission.cover.coverage import Coverage, CoverageNow
from mission.cover.ground import GroundUnits
from mission.roads.graph import Ints
from mission.roads.travel import GROUND_MODES, TravelMode
from telemetry.model.geodesy import Floats

LEAST_DRIFT_RATIO: Final = 0.02
NAMED: Final = 6
_REACH_OF: Final[Mapping[TravelMode, int]] = {
    TravelMode.BLUE_LIGHT: 0,
    TravelMode.MOTORCYCLE: 1,
    TravelMode.CAR: 2,
    TravelMode.EBIKE: 3,
    TravelMode.FOOT: 4,
}
"""Who is missed first: the farther a mode reaches, the sooner."""


@dataclass(frozen=True)
class Drift:
    """A station (by index): how much of its 3-minute share the plan is ahead of now (negative: now is better), and why.

    `crew` counts its units on duty, `present` those of them that are heard. `missing` are units on duty (ids) that are silent,
    engaged or away from its zone, those that explain most first: only named when the drift is more than LEAST_DRIFT_RATIO.
    A crew of 0 is a cause too: nobody is there whom the plan could count on.
    """

    ratio: float
    missing: tuple[int, ...]
    present: int
    crew: int


def drifts(
    coverage: Coverage,
    planned_shares: Floats,
    now: CoverageNow,
    crews: GroundUnits,
    *,
    silent: frozenset[int] = frozenset(),
) -> list[Drift]:
    """Return each station's drift. `planned_shares` (stations, 3) are the plan's zone shares; 3-minute shares are compared.

    `crews` are the units on duty; of those, nothing is heard from the `silent` ones (ids).
    """
    in_zone = _in_own_zone(coverage, now)
    return [
        _drift_of(int(station_id), planned_shares[index, 1] - now.zone_shares[index, 1], crews, in_zone, silent)
        for index, station_id in enumerate(coverage.stations.station_id.tolist())
    ]


def _drift_of(
    station_id: int, ratio: float, crews: GroundUnits, in_zone: Mapping[int, int], silent: frozenset[int]
) -> Drift:
    rows = np.flatnonzero(crews.station_id == station_id).tolist()
    mine = {int(crews.unit_id[row]): _REACH_OF[GROUND_MODES[int(crews.mode[row])]] for row in rows}
    absent = sorted((unit for unit in mine if in_zone.get(unit) != station_id), key=lambda unit: mine[unit])
    is_lost = bool(ratio > LEAST_DRIFT_RATIO)
    named = tuple(absent[:NAMED]) if is_lost else ()
    return Drift(float(ratio), named, len(mine.keys() - silent), len(mine))


def _in_own_zone(coverage: Coverage, now: CoverageNow) -> dict[int, int]:
    """Return for each unit on the map the station (id) in whose zone it stands."""
    stands = now.standing.stands
    zone: Ints = coverage.zone_of_node[coverage.graph.streets.tail[stands.street]]
    ids = coverage.stations.station_id
    units = now.units.unit_id[stands.owner]
    return {int(unit): int(ids[index]) for unit, index in zip(units.tolist(), zone.tolist(), strict=True) if index >= 0}
