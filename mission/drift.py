"""Drift: what a station's zone has lost against its plan, and which of its own units are not where the plan has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mission.coverage import Coverage, CoverageNow
from mission.ground import GroundUnits
from mission.roads import Ints
from mission.travel import GROUND_MODES, TravelMode
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

    `missing` are its units (ids) that are not available in its zone, those that explain most first: only named when the
    drift is more than LEAST_DRIFT_RATIO. `present` of its `crew` are there.
    """

    ratio: float
    missing: tuple[int, ...]
    present: int
    crew: int


def crews_at_posts(coverage: Coverage, crews: GroundUnits) -> GroundUnits:
    """Return the crews standing at their stations; a station without any is planned with one car (unit -1).

    Crews of stations that are not known are left out.
    """
    stations = coverage.stations
    index_of = {station_id: index for index, station_id in enumerate(stations.station_id.tolist())}
    known = np.isin(crews.station_id, stations.station_id)
    crews = crews.part(known)
    empty = np.setdiff1d(stations.station_id, crews.station_id).astype(np.int32)
    station_id = np.concatenate((crews.station_id, empty)).astype(np.int32)
    index = np.array([index_of[station] for station in station_id.tolist()], np.int64)
    added = len(empty)
    car = GROUND_MODES.index(TravelMode.CAR)
    return GroundUnits(
        unit_id=np.concatenate((crews.unit_id, np.full(added, -1))).astype(np.int32),
        station_id=station_id,
        lat_deg=stations.lat_deg[index],
        lon_deg=stations.lon_deg[index],
        mode=np.concatenate((crews.mode, np.full(added, car))).astype(np.int32),
        turnout_s=np.concatenate((crews.turnout_s, np.zeros(added))),
    )


def drifts(
    coverage: Coverage, planned_shares: Floats, now: CoverageNow, crews: GroundUnits, *, off_duty: frozenset[int]
) -> list[Drift]:
    """Return each station's drift. `planned_shares` (stations, 3) are the plan's zone shares; 3-minute shares are compared."""
    at_post = _in_own_zone(coverage, now)
    return [
        _drift_of(int(station_id), planned_shares[index, 1] - now.zone_shares[index, 1], crews, at_post, off_duty)
        for index, station_id in enumerate(coverage.stations.station_id.tolist())
    ]


def _drift_of(
    station_id: int, ratio: float, crews: GroundUnits, at_post: Mapping[int, int], off_duty: frozenset[int]
) -> Drift:
    mine = np.flatnonzero(crews.station_id == station_id)
    absent = [row for row in mine.tolist() if at_post.get(int(crews.unit_id[row])) != station_id]
    absent.sort(key=lambda row: (int(crews.unit_id[row]) in off_duty, _REACH_OF[GROUND_MODES[int(crews.mode[row])]]))
    is_lost = bool(ratio > LEAST_DRIFT_RATIO)
    named = tuple(int(crews.unit_id[row]) for row in absent[:NAMED]) if is_lost else ()
    return Drift(float(ratio), named, len(mine) - len(absent), len(mine))


def _in_own_zone(coverage: Coverage, now: CoverageNow) -> dict[int, int]:
    """Return for each unit on the map the station (id) in whose zone it stands."""
    stands = now.standing.stands
    zone: Ints = coverage.zone_of_node[coverage.graph.streets.tail[stands.street]]
    ids = coverage.stations.station_id
    units = now.units.unit_id[stands.owner]
    return {int(unit): int(ids[index]) for unit, index in zip(units.tolist(), zone.tolist(), strict=True) if index >= 0}
