"""The map as planning asks it: places snapped to junctions or refused, seconds between places, demands and candidate sites."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mission.cover.ground import Weights
from mission.roads.graph import EdgeIndex, Ints, RoadGraph, Snapped
from mission.roads.travel import DEFAULT_SPEEDS, LEAST_SECONDS, MODE_ACCESS, ModeNetwork, Speeds, TravelMode, network_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

SITE_WITHIN_M: Final = 250.0
"""So far from a street a station, post or unit may stand."""
MAP_MARGIN_M: Final = 2_000.0
_ROWS_AT_ONCE: Final = 64
_SITE_CLASSES: Final = 3
"""Trunk, primary and secondary roads have lower class numbers: new stations stand on these."""


class DemandKind(StrEnum):
    """What counts as demand."""

    ROADS = "roads"
    """Road length: every street alike."""
    PEOPLE = "people"
    INCIDENTS = "incidents"


@dataclass(frozen=True, eq=False)
class Demands:
    """Demand gathered at junctions: `node` and `weight` (demands,); weight in metres of road, people or incidents."""

    kind: DemandKind
    node: Ints
    weight: Floats


class PlanningMap:
    """One map for many questions: networks by mode are kept. Building it takes about 0.2 s for 50,000 nodes."""

    def __init__(
        self,
        graph: RoadGraph,
        *,
        speeds: Speeds = DEFAULT_SPEEDS,
        weights: Weights | None = None,
        closed_streets: Ints | None = None,
    ) -> None:
        if not graph.node_count or not graph.streets.count:
            raise InputError("the map holds no roads: import one with `skybeat roads import`")
        self.graph: Final = graph
        self.index: Final = EdgeIndex(graph)
        self.weights = weights or Weights()
        self.speeds: Final = speeds
        self._closed = closed_streets
        self._networks: dict[TravelMode, ModeNetwork] = {}

    def network(self, mode: TravelMode) -> ModeNetwork:
        """Return the network of a ground mode at a free hour; built once."""
        if mode not in self._networks:
            self._networks[mode] = network_of(self.graph, mode, speeds=self.speeds, closed_streets=self._closed)
        return self._networks[mode]

    def weigh(self, weights: Weights) -> None:
        """Count with other people and past incidents from now on."""
        self.weights = weights

    def node_weight(self, kind: DemandKind, *, hour_of_week: int | None = None) -> Floats:
        """Return demand by node (nodes,). Raises InputError when this map knows none of the kind."""
        if kind is DemandKind.ROADS:
            streets = self.graph.streets
            drivable = ((streets.access | streets.back_access) & MODE_ACCESS[TravelMode.CAR]) != 0
            half_m = np.where(drivable, streets.length_m / 2.0, 0.0)
            ends = np.concatenate((streets.tail, streets.head))
            return np.bincount(ends, np.tile(half_m, 2), minlength=self.graph.node_count).astype(np.float64)
        if kind is DemandKind.PEOPLE:
            known = self.weights.people
        else:
            known = self.weights.incidents(self.graph.node_count, hour_of_week)
        if known is None or known.sum() <= 0.0:
            raise InputError(
                f"this map knows no {kind.value}: ask with the demand `roads`, or bring {kind.value} first"
            )
        return known

    def demands(self, kind: DemandKind, *, most_count: int, hour_of_week: int | None = None) -> Demands:
        """Return at most `most_count` demands: the nodes' weights gathered in squares, each at its heaviest junction."""
        weight = self.node_weight(kind, hour_of_week=hour_of_week)
        reachable = self._on_network(TravelMode.CAR)
        nodes = np.flatnonzero((weight > 0.0) & reachable)
        if not len(nodes):
            raise InputError(f"no {kind.value} lie at a street that cars may use: ask with another demand")
        group = _squares(self.graph.node_xy_m[nodes], most_count)
        order = np.lexsort((-weight[nodes], group))
        first = np.concatenate(([True], np.diff(group[order]) != 0))
        sums = np.bincount(np.cumsum(first) - 1, weight[nodes][order])
        return Demands(kind, nodes[order][first].astype(np.int32), sums.astype(np.float64))

    def candidates(self, *, count: int, eligible: NDArray[np.bool_] | None = None) -> Ints:
        """Return junctions spread over the map where something could stand (at most `count`).

        By default on trunk, primary and secondary roads; `eligible` (nodes,) marks others instead.
        """
        wanted = self._junctions_of_main_roads() if eligible is None else eligible
        nodes = np.flatnonzero(wanted & self._on_network(TravelMode.CAR))
        if not len(nodes):
            nodes = np.flatnonzero(self._on_network(TravelMode.CAR))
        return nodes[_spread(self.graph.node_xy_m[nodes], count)].astype(np.int32)

    def _junctions_of_main_roads(self) -> NDArray[np.bool_]:
        streets = self.graph.streets
        ends = np.concatenate((streets.tail, streets.head))
        degree = np.bincount(ends, minlength=self.graph.node_count)
        main = np.tile(streets.road_class < _SITE_CLASSES, 2)
        on_main = np.bincount(ends[main], minlength=self.graph.node_count) > 0
        return np.asarray(on_main & (degree >= 3))

    def _on_network(self, mode: TravelMode) -> NDArray[np.bool_]:
        network = self.network(mode)
        usable = np.isfinite(network.forward_s) | np.isfinite(network.backward_s)
        touched = np.zeros(self.graph.node_count, np.bool_)
        touched[network.streets.tail[usable]] = touched[network.streets.head[usable]] = True
        return touched

    def snap(self, lat_deg: Floats, lon_deg: Floats, *, mode: TravelMode, names: list[str]) -> Snapped:
        """Return where places (n,) lie on the mode's streets. Raises InputError that names what is off the map or the road."""
        if not (np.isfinite(lat_deg) & np.isfinite(lon_deg)).all() or (np.abs(lat_deg) > 90.0).any():
            raise InputError("a place is no position: give latitude -90 to 90 and longitude -180 to 180 in degrees")
        east, north = self.graph.plane.to_plane(lat_deg, lon_deg)
        points, nodes = np.column_stack((east, north)), self.graph.node_xy_m
        low, high = nodes.min(axis=0) - MAP_MARGIN_M, nodes.max(axis=0) + MAP_MARGIN_M
        outside = np.flatnonzero(~((points >= low) & (points <= high)).all(axis=1))
        if len(outside):
            raise InputError(
                f"{names[int(outside[0])]} lies off this map: choose a place on it, or say its crs if its coordinates are shifted"
            )
        snapped = self.index.snap(lat_deg, lon_deg, within_m=SITE_WITHIN_M, access=MODE_ACCESS[mode])
        lost = np.flatnonzero(snapped.edge < 0)
        if len(lost):
            away_m = float(snapped.away_m[lost[0]])
            raise InputError(
                f"{names[int(lost[0])]} lies {away_m:.0f} m from the nearest street that a {mode.value.replace('_', ' ')} may "
                f"use: allowed are {SITE_WITHIN_M:.0f} m; choose a place at a street, not in water or open land"
            )
        return snapped

    def nodes_at(self, snapped: Snapped) -> Ints:
        """Return the nearer end of the street of each place; every place must be on one."""
        start = np.where(
            snapped.along_ratio <= 0.5, self.graph.edge_from[snapped.edge], self.graph.edge_to[snapped.edge]
        )
        return start.astype(np.int32)

    def seconds_between(self, mode: TravelMode, sites: Ints, demands: Ints, *, limit_s: float) -> Floats:
        """Return the seconds from junctions `sites` to junctions `demands`, shape (demands, sites); inf beyond the limit."""
        matrix = self.network(mode).matrix
        columns = [
            np.asarray(dijkstra(matrix, indices=part, limit=limit_s))[:, demands]
            for part in np.array_split(sites, max(1, -(-len(sites) // _ROWS_AT_ONCE)))
            if len(part)
        ]
        return np.concatenate(columns).T if columns else np.zeros((len(demands), 0))

    def seconds_from(self, mode: TravelMode, snapped: Snapped, *, limit_s: float) -> Floats:
        """Return the seconds from places on streets to all nodes, shape (places, nodes); inf beyond the limit."""
        matrix, count, places = self.network(mode).matrix, self.graph.node_count, len(snapped.edge)
        node, offset_s = self.entries(mode, snapped)
        is_open = np.isfinite(offset_s)
        starts = np.cumsum(np.concatenate(([matrix.indptr[-1]], is_open.sum(axis=0))))
        data = np.concatenate((matrix.data, np.maximum(offset_s.T[is_open.T], LEAST_SECONDS)))
        indices = np.concatenate((matrix.indices, node.T[is_open.T].astype(np.int32)))
        indptr = np.concatenate((matrix.indptr, starts[1:])).astype(np.int32)
        widened = csr_array((data, indices, indptr), shape=(count + places, count + places))
        return np.asarray(dijkstra(widened, indices=np.arange(count, count + places), limit=limit_s))[:, :count]

    def entries(self, mode: TravelMode, snapped: Snapped) -> tuple[Ints, Floats]:
        """Return the two nodes by which places on streets enter the net and the seconds to each, both (2, places)."""
        network, streets = self.network(mode), self.graph.streets
        street = streets.of_edge[snapped.edge]
        along = np.where(streets.edge_is_forward[snapped.edge], snapped.along_ratio, 1.0 - snapped.along_ratio)
        to_tail = _part(along, network.backward_s[street])
        to_head = _part(1.0 - along, network.forward_s[street])
        return np.stack((streets.tail[street], streets.head[street])), np.stack((to_tail, to_head))


def _part(ratio: Floats, seconds: Floats) -> Floats:
    """Return the seconds of a part of a street; none are needed for no part, even against a one-way street."""
    return np.where(ratio > 0.0, np.where(ratio > 0.0, ratio, 1.0) * seconds, 0.0)


def _squares(points_m: Floats, most_count: int) -> NDArray[np.int64]:
    """Return for each point (n, 2) the number of its square, of squares as small as give at most `most_count` of them."""
    low, high = 1.0, float(np.ptp(points_m, axis=0).max()) + 2.0
    if len(points_m) <= most_count:
        return np.arange(len(points_m), dtype=np.int64)
    best = np.zeros(len(points_m), np.int64)
    for _ in range(24):
        side_m = float(np.sqrt(low * high))
        cell = np.floor((points_m - points_m.min(axis=0)) / side_m).astype(np.int64)
        key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
        _, group = np.unique(key, return_inverse=True)
        if int(group.max()) + 1 <= most_count:
            best, high = group.ravel(), side_m
        else:
            low = side_m
    return best


def _spread(points_m: Floats, count: int) -> NDArray[np.int64]:
    """Return indexes of points (n, 2), each the farthest from those before; the first is nearest to the middle."""
    middle = (points_m.min(axis=0) + points_m.max(axis=0)) / 2.0
    chosen = [int(((points_m - middle) ** 2).sum(axis=1).argmin())]
    away = ((points_m - points_m[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(points_m)) and away.max() > 0.0:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, ((points_m - points_m[chosen[-1]]) ** 2).sum(axis=1))
    return np.array(chosen, np.int64)
