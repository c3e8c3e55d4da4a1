"""The way of a demo unit to a call and back: the fastest along the roads, as a line that it drives in the time that takes."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse.csgraph import dijkstra

from mission.roads.graph import EdgeIndex, RoadGraph
from mission.roads.travel import MODE_ACCESS, ModeNetwork, TravelMode, mode_of, network_of
from telemetry.model.geodesy import Floats
from telemetry.model.unit import UnitKind

WALKING_MPS: Final = 1.5
"""From the roadside to the door."""


class Leg(NamedTuple):
    """Where a unit is on its way: place and direction in the plane (metres east and north), and its speed."""

    place_m: Floats
    direction: Floats
    speed_mps: float


@dataclass
class Trip:
    """A line to be driven: `points_m` (n, 2) in the plane, `passed_s` (n,) the time at each point, from 0."""

    points_m: Floats
    passed_s: Floats
    driven_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether its end is reached."""
        return self.driven_s >= float(self.passed_s[-1])

    def drive(self, elapsed_s: float, pace_ratio: float) -> Leg:
        """Go on for `elapsed_s` seconds at a share of the planned pace, and return where that is."""
        self.driven_s = min(self.driven_s + elapsed_s * pace_ratio, float(self.passed_s[-1]))
        ahead = int(np.clip(np.searchsorted(self.passed_s, self.driven_s, side="right"), 1, len(self.passed_s) - 1))
        step_m = self.points_m[ahead] - self.points_m[ahead - 1]
        step_s = max(float(self.passed_s[ahead] - self.passed_s[ahead - 1]), 1e-6)
        ratio = min((self.driven_s - float(self.passed_s[ahead - 1])) / step_s, 1.0)
        length_m = float(np.hypot(*step_m))
        speed_mps = 0.0 if self.is_over else pace_ratio * length_m / step_s
        return Leg(self.points_m[ahead - 1] + ratio * step_m, step_m / max(length_m, 1e-6), speed_mps)


class Router:
    """Finds ways on one road graph, one search each: about 20 ms for 50,000 nodes."""

    def __init__(self, graph: RoadGraph, index: EdgeIndex) -> None:
        self._graph, self._index = graph, index
        self._networks: dict[TravelMode, ModeNetwork] = {}

    def trip(self, kind: UnitKind, start_m: Floats, lat_deg: float, lon_deg: float) -> Trip | None:
        """Return the fastest trip from a place in the plane to a WGS-84 place; None where the roads lead nowhere."""
        goal_m = np.array([float(axis) for axis in self._graph.plane.to_plane(lat_deg, lon_deg)])
        network, streets = self._network(kind), self._graph.streets
        start, goal = self._street_at(network, start_m), self._street_at(network, goal_m)
        if start is None or goal is None:
            return None
        from_nodes = (int(streets.tail[start]), int(streets.head[start]))
        to_nodes = (int(streets.tail[goal]), int(streets.head[goal]))
        nodes = self._nodes(network, from_nodes, to_nodes, start_m, goal_m)
        if nodes is None:
            return None
        middle_m = self._graph.node_xy_m[nodes]
        points_m = np.vstack((start_m, middle_m, self._on_street(goal, goal_m), goal_m))
        seconds = np.concatenate(([0.0], self._seconds(network, nodes), [0.0]))
        lengths_m = np.hypot(*np.diff(points_m, axis=0).T)
        pace_mps = self._pace_mps(network, goal)
        seconds[0], seconds[-1] = lengths_m[0] / pace_mps, lengths_m[-2] / pace_mps
        passed_s = np.concatenate(([0.0], np.cumsum(np.append(seconds, lengths_m[-1] / WALKING_MPS))))
        return Trip(points_m, passed_s)

    def _network(self, kind: UnitKind) -> ModeNetwork:
        mode = mode_of(kind)
        if mode not in self._networks:
            self._networks[mode] = network_of(self._graph, mode)
        return self._networks[mode]

    def _street_at(self, network: ModeNetwork, place_m: Floats) -> int | None:
        lat, lon = self._graph.plane.from_plane(place_m[0], place_m[1])
        access = MODE_ACCESS[network.mode]
        edge = self._index.snap(np.array([lat]), np.array([lon]), within_m=2000.0, access=access).edge[0]
        return None if edge < 0 else int(self._graph.streets.of_edge[edge])

    def _nodes(
        self,
        network: ModeNetwork,
        starts: tuple[int, int],
        goals: tuple[int, int],
        start_m: Floats,
        goal_m: Floats,
    ) -> list[int] | None:
        """Return the nodes of the fastest way from one of two nodes to one of two others."""
        seconds, after = dijkstra(network.reverse_matrix, indices=list(goals), return_predecessors=True)
        xy_m = self._graph.node_xy_m
        best = (np.inf, 0, 0)
        for row, goal in enumerate(goals):
            for start in starts:
                apart_m = float(np.hypot(*(xy_m[start] - start_m)) + np.hypot(*(xy_m[goal] - goal_m)))
                best = min(best, (float(seconds[row, start]) + apart_m / 10.0, row, start))
        if not np.isfinite(best[0]):
            return None
        row, nodes = best[1], [best[2]]
        while nodes[-1] != goals[row]:
            nodes.append(int(after[row, nodes[-1]]))
        return nodes

    def _seconds(self, network: ModeNetwork, nodes: list[int]) -> Floats:
        pairs = np.array(nodes)
        if len(pairs) < 2:  # from one street into its neighbour: scipy answers no pairs with a sparse array
            return np.zeros(0)
        return np.asarray(network.matrix[pairs[:-1], pairs[1:]], np.float64).reshape(-1)

    def _on_street(self, street: int, place_m: Floats) -> Floats:
        streets, xy_m = self._graph.streets, self._graph.node_xy_m
        tail, head = xy_m[streets.tail[street]], xy_m[streets.head[street]]
        along = np.clip((place_m - tail) @ (head - tail) / max(float((head - tail) @ (head - tail)), 1e-9), 0.0, 1.0)
        place: Floats = tail + along * (head - tail)
        return place

    def _pace_mps(self, network: ModeNetwork, street: int) -> float:
        seconds = min(float(network.forward_s[street]), float(network.backward_s[street]))
        return float(self._graph.streets.length_m[street]) / max(seconds, 1e-3)
