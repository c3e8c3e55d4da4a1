"""Whether the stations' ring is closed: each link's far ends reached from both sides in time, or how many seconds are missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mission.cover.coverage import Coverage
from mission.cover.ground import Standing
from mission.roads.graph import Ints
from mission.roads.labels import NOBODY, Labels, Starts, nearest_labels
from mission.roads.skeleton import Stands, Ways
from mission.roads.travel import GROUND_MODES, TravelMode
from telemetry.model.geodesy import Floats

LIMIT_S: Final = 300.0
CLOSED_RATIO: Final = 0.95
SETTLED_AFTER_S: Final = 2.0
FARTHEST_S: Final = 1800.0
_CAR: Final = GROUND_MODES.index(TravelMode.CAR)
_KEPT: Final = 1024


@dataclass(frozen=True)
class Border:
    """Where the zones of two neighbouring stations (by index) meet: points on streets with the length each stands for.

    `way` is the fastest way from one station to the other as nodes, for drawing.
    """

    one: int
    other: int
    points: Stands
    length_m: Floats
    way: Ints


@dataclass(frozen=True)
class LinkState:
    """A link between neighbouring stations (by index): closed, or open with its missing seconds and worst point.

    `overlap_ratio` is the share of the border that both sides reach in time; `missing_s` is how much later than the limit the
    later side is at the worst point that counts: inf when it does not come at all, 0 when the link is closed.
    """

    one: int
    other: int
    overlap_ratio: float
    missing_s: float
    worst_lat_deg: float | None
    worst_lon_deg: float | None

    @property
    def closed(self) -> bool:
        """Whether enough of the border is reached in time by both."""
        return self.overlap_ratio >= CLOSED_RATIO


@dataclass(frozen=True)
class RingNow:
    """The links in ring order; the chain is closed when there is one and each of its links is.

    `opened_by` names for each unit (row) whose leaving alone would open a closed link the first such link (index).
    """

    limit_s: float
    links: tuple[LinkState, ...]
    opened_by: Mapping[int, int]

    @property
    def closed(self) -> bool:
        """Whether the chain has no break."""
        return bool(self.links) and all(link.closed for link in self.links)


class Settled:
    """What is shown of a ring: a link that opens or closes is shown so once it has stayed so for 2 s."""

    def __init__(self, *, after_s: float = SETTLED_AFTER_S) -> None:
        self._after_s = after_s
        self._shown: dict[tuple[int, int], LinkState] = {}
        self._since_s: dict[tuple[int, int], float] = {}

    def take(self, ring: RingNow, at_s: float) -> RingNow:
        """Return the ring as it is to be shown at a time of a clock that never jumps."""
        return replace(ring, links=tuple(self._settle(link, at_s) for link in ring.links))

    def _settle(self, link: LinkState, at_s: float) -> LinkState:
        key = (link.one, link.other)
        shown = self._shown.get(key, link)
        if shown.closed == link.closed:
            self._since_s.pop(key, None)
            self._shown[key] = link
        elif at_s - self._since_s.setdefault(key, at_s) >= self._after_s:
            del self._since_s[key]
            self._shown[key] = link
        return self._shown[key]


@dataclass(frozen=True)
class Arrival:
    """One station's units at a border's points (points,): the first one's seconds and row, and the next one's seconds."""

    first_s: Floats
    owner: Ints
    next_s: Floats


class Ring:
    """The stations' ring on a coverage's roads; building it takes about 0.1 s for 14 stations and 50,000 nodes.

    Neighbours follow each other in `ring_order`, the last meets the first. A border is the streets whose ends lie in both
    zones, each at the point that both stations reach at the same time; where zones do not touch, it is the middle of the
    fastest way between the stations. A link is closed when at least 95 % of its border is reached in time by units of both.
    """

    def __init__(self, coverage: Coverage, *, limit_s: float = LIMIT_S) -> None:
        self.limit_s: Final = limit_s
        self._coverage = coverage
        self._approaches: dict[tuple[int, Ways], _Approach] = {}
        order = coverage.stations.ring_order
        members = [
            int(index) for index in np.argsort(order, kind="stable") if order[index] >= 0 and coverage.has_zone[index]
        ]
        pairs = list(zip(members, members[1:] + members[:1], strict=True)) if len(members) > 1 else []
        self.borders: Final = tuple(
            self._border(one, other) for one, other in (pairs if len(members) > 2 else pairs[:1])
        )

    def now(self, standing: Standing, station_of: Ints, *, hour: int | None = None) -> RingNow:
        """Return the ring's state by available units; `station_of` (units,) is each one's station by index, -1: none.

        About 30 ms for 500 units in three modes, 14 stations and 50,000 nodes; 3 ms more for each open side.
        """
        members = sorted({station for border in self.borders for station in (border.one, border.other)})
        arrivals = {
            (station, place): arrival
            for station in members
            for place, arrival in self._arrivals(standing, station_of, station, hour=hour)
        }
        for place, border in enumerate(self.borders):
            for station in self._unknown(place, arrivals):
                parties = self._parties(standing, station_of, station, hour=hour, limits_s=(FARTHEST_S,))
                arrivals[station, place] = _two_soonest(border.points, list(parties))
        links = tuple(self._link(place, arrivals) for place in range(len(self.borders)))
        opened: dict[int, int] = {}
        for place, link in enumerate(links):
            for row in self._breakers(place, arrivals) if link.closed else ():
                opened.setdefault(row, place)
        return RingNow(self.limit_s, links, opened)

    def ways_geojson(self) -> dict[str, Any]:
        """Return the links' ways as a GeoJSON FeatureCollection; properties `from_station_id` and `to_station_id`."""
        graph, ids = self._coverage.graph, self._coverage.stations.station_id
        features = [
            {
                "type": "Feature",
                "properties": {"from_station_id": int(ids[border.one]), "to_station_id": int(ids[border.other])},
                "geometry": {
                    "type": "LineString",
                    "coordinates": np.column_stack((graph.node_lon_deg[border.way], graph.node_lat_deg[border.way]))
                    .round(6)
                    .tolist(),
                },
            }
            for border in self.borders
        ]
        return {"type": "FeatureCollection", "features": features}

    # --- borders ---------------------------------------------------------------------------------------------------

    def _border(self, one: int, other: int) -> Border:
        coverage = self._coverage
        streets, zone = coverage.graph.streets, coverage.zone_of_node
        tail_zone, head_zone = zone[streets.tail], zone[streets.head]
        meets = ((tail_zone == one) & (head_zone == other)) | ((tail_zone == other) & (head_zone == one))
        street = np.flatnonzero(meets & (coverage.road_m > 0.0)).astype(np.int32)
        way = self._way(one, other)
        if not len(street):
            return Border(one, other, self._middle(way), np.ones(1), way)
        return Border(one, other, self._meeting_points(street), streets.length_m[street], way)

    def _meeting_points(self, street: Ints) -> Stands:
        """Return where on streets between two zones both stations are at the same time; a one-way street: at its far end."""
        coverage = self._coverage
        streets, network = coverage.graph.streets, coverage.ways(_CAR).network
        seconds = coverage.zone_labels.seconds[0]
        tail_s, head_s = seconds[streets.tail[street]], seconds[streets.head[street]]
        forward_s, backward_s = network.forward_s[street], network.backward_s[street]
        both = np.isfinite(forward_s) & np.isfinite(backward_s)
        whole = np.where(both, forward_s, 0.0) + np.where(both, backward_s, 1.0)
        along = np.clip((head_s + np.where(both, backward_s, 0.0) - tail_s) / whole, 0.0, 1.0)
        along = np.where(both, along, np.where(np.isfinite(forward_s), 1.0, 0.0))
        return Stands(street, along, np.arange(len(street), dtype=np.int32))

    def _way(self, one: int, other: int) -> Ints:
        """Return the nodes of the fastest way by car, or the stations' own nodes where there is none."""
        coverage = self._coverage
        matrix = coverage.ways(_CAR).network.matrix
        streets, stands = coverage.graph.streets, coverage.station_stands
        ends = [
            int((streets.head if stands.along_ratio[place] > 0.5 else streets.tail)[stands.street[place]])
            for place in (one, other)
        ]
        before = dijkstra(matrix, indices=[ends[0]], return_predecessors=True)[1][0]
        way = [ends[1]]
        while way[-1] != ends[0] and before[way[-1]] >= 0:
            way.append(int(before[way[-1]]))
        if way[-1] != ends[0]:
            way.append(ends[0])
        return np.array(way[::-1], np.int32)

    def _middle(self, way: Ints) -> Stands:
        """Return the middle of a way by length, as a place on a street that begins there."""
        graph = self._coverage.graph
        steps = np.hypot(*np.diff(graph.node_xy_m[way], axis=0).T) if len(way) > 1 else np.zeros(0)
        passed = np.concatenate(([0.0], np.cumsum(steps)))
        node = way[int(np.abs(passed - passed[-1] / 2.0).argmin())]
        at_tail = np.flatnonzero(graph.streets.tail == node)
        street = at_tail[0] if len(at_tail) else np.flatnonzero(graph.streets.head == node)[0]
        return Stands(np.array([street], np.int32), np.array([0.0 if len(at_tail) else 1.0]), np.zeros(1, np.int32))

    # --- now -------------------------------------------------------------------------------------------------------

    def _arrivals(
        self, standing: Standing, station_of: Ints, station: int, *, hour: int | None
    ) -> Iterator[tuple[int, Arrival]]:
        """Give how soon a station's units are at the points of its links' borders, by link; only within the limit."""
        near_s = (self.limit_s, self.limit_s)
        parties = list(self._parties(standing, station_of, station, hour=hour, limits_s=near_s))
        for place, border in enumerate(self.borders):
            if station in {border.one, border.other}:
                yield place, _two_soonest(border.points, parties)

    def _parties(
        self, standing: Standing, station_of: Ints, station: int, *, hour: int | None, limits_s: tuple[float, ...]
    ) -> Iterator[tuple[Ways, Stands, Labels]]:
        """Give a station's units by mode with the labels of the junctions; beyond the ring's limit of all junctions."""
        mine = station_of[standing.stands.owner] == station
        for mode in np.unique(standing.mode[mine]).tolist():
            ways = self._coverage.ways(mode, hour)
            stands = standing.stands.of((standing.mode == mode) & mine)
            starts = ways.starts(stands)
            if limits_s[0] > self.limit_s:
                yield ways, stands, nearest_labels(ways.matrix, starts, limits_s=limits_s)
            else:
                yield ways, stands, self._approach(station, ways).labels(starts, limits_s)

    def _approach(self, station: int, ways: Ways) -> "_Approach":
        found = self._approaches.get((station, ways))
        if found is None:
            if len(self._approaches) >= _KEPT:  # those of an hour that is over
                self._approaches.clear()
            points = [border.points for border in self.borders if station in {border.one, border.other}]
            found = self._approaches[station, ways] = _Approach(ways, points, self.limit_s)
        return found

    def _later_s(self, place: int, arrivals: Mapping[tuple[int, int], Arrival], without: int = NOBODY) -> Floats:
        border = self.borders[place]
        sides = (arrivals[border.one, place], arrivals[border.other, place])
        one, other = (np.where(side.owner == without, side.next_s, side.first_s) for side in sides)
        return np.asarray(np.maximum(one, other), np.float64)

    def _unknown(self, place: int, arrivals: Mapping[tuple[int, int], Arrival]) -> list[int]:
        """Return the sides of an open link that are somewhere late: what is beyond the limit was not looked for in full."""
        later_s = self._later_s(place, arrivals)
        border = self.borders[place]
        if _ratio(border.length_m, later_s <= self.limit_s) >= CLOSED_RATIO:
            return []
        sides = (border.one, border.other)
        return [station for station in sides if (arrivals[station, place].first_s > self.limit_s).any()]

    def _breakers(self, place: int, arrivals: Mapping[tuple[int, int], Arrival]) -> list[int]:
        """Return the units (rows) without which a closed link would be open."""
        border = self.borders[place]
        owners = np.unique(np.concatenate([arrivals[side, place].owner for side in (border.one, border.other)]))
        return [
            row
            for row in owners[owners != NOBODY].tolist()
            if _ratio(border.length_m, self._later_s(place, arrivals, row) <= self.limit_s) < CLOSED_RATIO
        ]

    def _link(self, place: int, arrivals: Mapping[tuple[int, int], Arrival]) -> LinkState:
        border, later_s = self.borders[place], self._later_s(place, arrivals)
        ratio = _ratio(border.length_m, later_s <= self.limit_s)
        if ratio >= CLOSED_RATIO:
            return LinkState(border.one, border.other, ratio, 0.0, None, None)
        worst = _worst(later_s, border.length_m)
        lat_deg, lon_deg = self._position(border.points, worst)
        missing_s = float(later_s[worst]) - self.limit_s
        return LinkState(border.one, border.other, ratio, missing_s, lat_deg, lon_deg)

    def _position(self, points: Stands, place: int) -> tuple[float, float]:
        graph = self._coverage.graph
        street, along = int(points.street[place]), float(points.along_ratio[place])
        tail, head = int(graph.streets.tail[street]), int(graph.streets.head[street])
        lat, lon = graph.node_lat_deg, graph.node_lon_deg
        return (
            float(lat[tail] + along * (lat[head] - lat[tail])),
            float(lon[tail] + along * (lon[head] - lon[tail])),
        )


class _Approach:
    """The junctions from which some points are reached within a limit: whoever is there in time comes over these alone."""

    def __init__(self, ways: Ways, points: Sequence[Stands], limit_s: float) -> None:
        targets = Stands(*(np.concatenate(column) for column in zip(*map(_columns, points), strict=True)))
        self._junction = np.flatnonzero(np.isfinite(ways.away_s(targets, limit_s=limit_s)))
        self._count = ways.matrix.shape[0]
        self._number = np.full(self._count, NOBODY, np.int32)
        self._number[self._junction] = np.arange(len(self._junction), dtype=np.int32)
        self._matrix = csr_array(ways.matrix[self._junction][:, self._junction])

    def labels(self, starts: Starts, limits_s: tuple[float, ...]) -> Labels:
        """Return the labels of all junctions; of those from which no point is reached in time nothing is known."""
        number = self._number[starts.node]
        kept = number >= 0
        inner = Starts(number[kept], starts.owner[kept], starts.offset_s[kept])
        found = nearest_labels(self._matrix, inner, limits_s=limits_s)
        shape = (len(limits_s), self._count)
        labels = Labels(np.full(shape, np.inf), np.full(shape, NOBODY, np.int32))
        labels.seconds[:, self._junction], labels.owner[:, self._junction] = found.seconds, found.owner
        return labels


def _columns(stands: Stands) -> tuple[Ints, Floats, Ints]:
    return stands.street, stands.along_ratio, stands.owner


def _ratio(length_m: Floats, reached: NDArray[np.bool_]) -> float:
    return float(length_m[reached].sum() / length_m.sum())


def _worst(later_s: Floats, length_m: Floats) -> int:
    """Return the latest point that counts: those that the tolerance forgives, the latest ones, are left out."""
    order = np.argsort(later_s, kind="stable")
    passed = np.cumsum(length_m[order])
    return int(order[int(np.searchsorted(passed, CLOSED_RATIO * passed[-1] * (1.0 - 1e-12)))])


def _two_soonest(points: Stands, parties: Sequence[tuple[Ways, Stands, Labels]]) -> Arrival:
    """Return the two units that are soonest at each point, over all modes."""
    count = len(points.street)
    point, owner, seconds = [np.zeros(0, np.intp)], [np.zeros(0, np.int32)], [np.zeros(0)]
    for ways, stands, labels in parties:
        for ends_s, ends_owner in ways.at_from_ends(labels, points):
            point.append(np.arange(count))
            owner.append(ends_owner)
            seconds.append(ends_s)
        at, unit = np.nonzero(ways.chain_of(points)[:, None] == ways.chain_of(stands)[None, :])
        if not len(at):
            continue
        point.append(at)
        owner.append(stands.owner[unit])
        seconds.append(ways.direct_s(stands.of(unit), points.of(at)))
    return _reduced(np.concatenate(point), np.concatenate(owner), np.concatenate(seconds), count)


def _reduced(point: NDArray[np.intp], owner: Ints, seconds: Floats, count: int) -> Arrival:
    known = np.isfinite(seconds) & (owner != NOBODY)
    point, owner, seconds = point[known], owner[known], seconds[known]
    order = np.lexsort((seconds, owner, point))
    is_best = np.ones(len(order), np.bool_)
    is_best[1:] = (point[order][1:] != point[order][:-1]) | (owner[order][1:] != owner[order][:-1])
    best = order[is_best]
    best = best[np.lexsort((seconds[best], point[best]))]
    rank = np.arange(len(best)) - np.searchsorted(point[best], point[best])
    found = Arrival(np.full(count, np.inf), np.full(count, NOBODY, np.int32), np.full(count, np.inf))
    first, second = best[rank == 0], best[rank == 1]
    found.first_s[point[first]], found.owner[point[first]] = seconds[first], owner[first]
    found.next_s[point[second]] = seconds[second]
    return found
