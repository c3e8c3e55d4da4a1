"""The plan: where a station's crew stands when everything is as planned. This is the one place that says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits
from mission.cover.ring import Ring
from mission.roads.graph import Ints
from mission.roads.labels import NOBODY
from mission.roads.travel import GROUND_MODES, TravelMode
from telemetry.model.geodesy import Floats

_LINE_MODES: Final = tuple(
    GROUND_MODES.index(mode) for mode in (TravelMode.BLUE_LIGHT, TravelMode.CAR, TravelMode.MOTORCYCLE)
)
"""Vehicles in the order in which they are put on lines."""
_CAR: Final = GROUND_MODES.index(TravelMode.CAR)


def _no_ints() -> Ints:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Outposts:
    """Places beside the stations at which crews stand: the station (index; -1 none) and WGS-84 degrees, all (n,)."""

    station: Ints = field(default_factory=_no_ints)
    lat_deg: Floats = field(default_factory=lambda: np.zeros(0))
    lon_deg: Floats = field(default_factory=lambda: np.zeros(0))

    def of(self, station: int) -> list[tuple[float, float]]:
        """Return the places of one station."""
        mine = self.station == station
        return list(zip(self.lat_deg[mine].tolist(), self.lon_deg[mine].tolist(), strict=True))


class Manned(NamedTuple):
    """Posts that crews man, as the registry has them: their stations' ids (-1: none) and WGS-84 degrees, all (n,)."""

    station_ids: Sequence[int]
    lat_deg: Floats
    lon_deg: Floats


def posts_of(coverage: Coverage, station_ids: Sequence[int], lat_deg: Floats, lon_deg: Floats) -> Outposts:
    """Return posts as places of their stations (ids); one without, or of a station not known, is of the zone it lies in."""
    index_of = {station_id: index for index, station_id in enumerate(coverage.stations.station_id.tolist())}
    station = np.array([index_of.get(station_id, NOBODY) for station_id in station_ids], np.int32)
    snapped = coverage.index.snap(lat_deg, lon_deg, within_m=np.inf)
    node = coverage.graph.edge_from[np.maximum(snapped.edge, 0)]
    zone = np.where(snapped.edge >= 0, coverage.zone_of_node[node], NOBODY)
    return Outposts(np.where(station >= 0, station, zone).astype(np.int32), lat_deg, lon_deg)


def lines_of(coverage: Coverage, ring: Ring) -> Outposts:
    """Return the patrol lines of the ring's stations, each as the middle of its length.

    The registry knows no lines; the ring implies them: neighbours hold together where each patrols the way to the other as
    far as its own zone goes. Who moves along a line is on average in its middle.
    """
    stations, nodes = [], []
    for border in ring.borders:
        for station, way in ((border.one, border.way), (border.other, border.way[::-1])):
            stations.append(station)
            nodes.append(_middle_of_line(coverage, way, station))
    node = np.array(nodes, np.int64)
    graph = coverage.graph
    return Outposts(np.array(stations, np.int32), graph.node_lat_deg[node], graph.node_lon_deg[node])


def planned_units(
    coverage: Coverage, crews: GroundUnits, *, lines: Outposts | None = None, posts: Outposts | None = None
) -> GroundUnits:
    """Return the crews on duty where the plan has them: points, lines and areas.

    - Points: the posts that crews man (standing posts and checkpoints), by those on foot, then by vehicles to spare. Safety
      posts are volunteers', docks are drones', and a mobile room serves whoever comes: none of them is planned to be sent.
    - Lines: cars first, then motorcycles patrol towards the neighbours in the ring, one a line (see `lines_of`).
    - Areas: one vehicle stays at the station ready to go, a car where there is one left; the others patrol the whole zone
      and are on average in the middle of its roads.
    - Everybody else stands at the station. A station with nobody on duty is planned with one car (unit -1): stations are
      manned day and night. Crews of stations that are not known are left out.
    """
    stations = coverage.stations
    crews = crews.part(np.isin(crews.station_id, stations.station_id))
    crews = _with_least_crew(coverage, crews)
    lines, posts = lines or Outposts(), posts or Outposts()
    lat_deg, lon_deg = np.empty(len(crews)), np.empty(len(crews))
    for index, station_id in enumerate(stations.station_id.tolist()):
        mine = np.flatnonzero(crews.station_id == station_id)
        lat_deg[mine], lon_deg[mine] = stations.lat_deg[index], stations.lon_deg[index]
        rest = _put(_vehicles(crews, mine)[:-1], lines.of(index), lat_deg, lon_deg)
        walkers = [row for row in mine.tolist() if int(crews.mode[row]) not in _LINE_MODES]
        _put(walkers + rest, posts.of(index), lat_deg, lon_deg)
        area = rest[max(0, len(posts.of(index)) - len(walkers)) :]
        middle = _middle_of_zone(coverage, index) if area else None
        if middle is not None:
            lat_deg[area], lon_deg[area] = coverage.graph.node_lat_deg[middle], coverage.graph.node_lon_deg[middle]
    return GroundUnits(crews.unit_id, crews.station_id, lat_deg, lon_deg, crews.mode, crews.turnout_s)


def _vehicles(crews: GroundUnits, rows: NDArray[np.intp]) -> list[int]:
    """Return the vehicles in the order in which they are put on lines, and last who stays at the station.

    That is a car when two others are left for the lines, else the last motorcycle, else the last car.
    """
    ordered = [row for mode in _LINE_MODES for row in rows.tolist() if int(crews.mode[row]) == mode]
    cars = [row for row in ordered if int(crews.mode[row]) != _LINE_MODES[-1]]
    if len(cars) > _LINES:
        ordered.append(ordered.pop(_LINES))
    return ordered


_LINES: Final = 2
"""A station in the ring has a neighbour before and one after it."""


def _put(rows: list[int], places: list[tuple[float, float]], lat_deg: Floats, lon_deg: Floats) -> list[int]:
    """Put one row at each place as far as there are rows; return those left."""
    for row, (lat, lon) in zip(rows, places, strict=False):
        lat_deg[row], lon_deg[row] = lat, lon
    return rows[len(places) :]


def _with_least_crew(coverage: Coverage, crews: GroundUnits) -> GroundUnits:
    empty = np.setdiff1d(coverage.stations.station_id, crews.station_id).astype(np.int32)
    zeros = np.zeros(len(empty))
    return GroundUnits(
        unit_id=np.concatenate((crews.unit_id, np.full(len(empty), NOBODY))).astype(np.int32),
        station_id=np.concatenate((crews.station_id, empty)).astype(np.int32),
        lat_deg=np.concatenate((crews.lat_deg, zeros)),
        lon_deg=np.concatenate((crews.lon_deg, zeros)),
        mode=np.concatenate((crews.mode, np.full(len(empty), _CAR))).astype(np.int32),
        turnout_s=np.concatenate((crews.turnout_s, zeros)),
    )


def _middle_of_line(coverage: Coverage, way: Ints, station: int) -> int:
    """Return the node in the middle of the part of a way that lies in the zone of the station where it begins."""
    beyond = np.flatnonzero(coverage.zone_of_node[way] != station)
    own = way[: int(beyond[0])] if len(beyond) else way
    if len(own) < 2:
        return int(way[0])
    passed = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(coverage.graph.node_xy_m[own], axis=0).T))))
    return int(own[int(np.abs(passed - passed[-1] / 2.0).argmin())])


def _middle_of_zone(coverage: Coverage, station: int) -> int | None:
    """Return the road node next to the middle of a zone's roads, None where the station has no zone."""
    mine = np.flatnonzero((coverage.zone_of_node == station) & (coverage.node_road_m > 0.0))
    if not len(mine):
        return None
    xy_m = coverage.graph.node_xy_m[mine]
    middle = np.average(xy_m, axis=0, weights=coverage.node_road_m[mine])
    return int(mine[int(np.hypot(*(xy_m - middle).T).argmin())])
