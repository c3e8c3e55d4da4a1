"""Move-up advice put on a map: who reaches what from where, with the ways to the posts kept, and the way of each move."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mission.cover.ground import GroundUnits, Places
from mission.roads.graph import Ints, Snapped
from mission.roads.travel import GROUND_MODES, MODE_ACCESS, TravelMode
from mission.siting.moveup import LONGEST_DRIVE_S, Advice, MoveUpCase, MoveUpRules, advise
from mission.siting.planning_map import Demands, PlanningMap
from telemetry.model.geodesy import Floats

AT_POST_M: Final = 120.0
"""A unit so near to a post stands at it."""
_ON_ROAD_WITHIN_M: Final = 250.0


@dataclass(frozen=True, eq=False)
class Posts:
    """Where units could stand: junctions (posts,), and where they are in the plane (posts, 2) in metres."""

    node: Ints
    xy_m: Floats


@dataclass(frozen=True, eq=False)
class UnitHistory:
    """How long each unit has stood where it is (seconds) and how often it was moved in this shift, both (units,)."""

    stood_s: Floats
    move_count: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MapAdvice:
    """The advice with, for each move, its way: kilometres and the nodes passed. `unit` indexes the units on the map.

    `on_map` (units,) are the rows of the given units that stand at a street; the others are left out.
    """

    advice: Advice
    on_map: NDArray[np.intp]
    km: tuple[float, ...]
    way_nodes: tuple[Ints, ...]


class MoveUpMap:
    """Posts, demands and first-tier places of one map; ways to the posts are reckoned once a mode (about 1 s for 200 posts)."""

    def __init__(
        self, area: PlanningMap, posts: Posts, demands: Demands, *, first_tier: Places | None, limit_s: float = 180.0
    ) -> None:
        self._area, self._posts, self._demands, self._limit_s = area, posts, demands, limit_s
        self._place_node, self._place_limit_s = _first_tier(area, first_tier)
        self._to_posts: dict[TravelMode, NDArray[np.float32]] = {}
        self._from_posts: dict[TravelMode, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}

    def advise(self, units: GroundUnits, history: UnitHistory, rules: MoveUpRules) -> MapAdvice:
        """Return at most three moves; about 60 ms for 40 units, 200 posts and 2,000 demands once the ways are kept.

        Units that are off the map get no advice and cover nothing. Raises InputError for rules out of range.
        """
        rules.check()
        on_map, snapped = self._on_map(units)
        mode = units.mode[on_map]
        modes = sorted(set(mode.tolist()))
        case = self._case(snapped, mode, modes)
        case = _with_history(case, history.stood_s[on_map], history.move_count[on_map])
        advice = advise(case, rules)
        ways = [
            self._way(GROUND_MODES[mode[move.unit]], _one(snapped, move.unit), int(self._posts.node[move.post]))
            for move in advice.moves
        ]
        return MapAdvice(advice, on_map, tuple(km for km, _ in ways), tuple(nodes for _, nodes in ways))

    def _on_map(self, units: GroundUnits) -> tuple[NDArray[np.intp], Snapped]:
        count = len(units)
        edge, along = np.full(count, -1, np.int32), np.zeros(count)
        is_place = np.isfinite(units.lat_deg) & np.isfinite(units.lon_deg)
        for mode in np.unique(units.mode).tolist():
            mine = np.flatnonzero(is_place & (units.mode == mode))
            found = self._area.index.snap(
                units.lat_deg[mine],
                units.lon_deg[mine],
                within_m=_ON_ROAD_WITHIN_M,
                access=MODE_ACCESS[GROUND_MODES[mode]],
            )
            edge[mine], along[mine] = found.edge, found.along_ratio
        rows = np.flatnonzero(edge >= 0)
        return rows, Snapped(edge[rows], along[rows], np.zeros(len(rows)))

    def _case(self, snapped: Snapped, mode: Ints, modes: list[int]) -> MoveUpCase:
        units, posts = len(mode), len(self._posts.node)
        covers = np.zeros((units, len(self._demands.node)), np.bool_)
        keeps = np.zeros((units, len(self._place_node)), np.bool_)
        drive_s = np.full((units, posts), np.inf)
        tables = []
        for number in modes:
            way = GROUND_MODES[number]
            mine = np.flatnonzero(mode == number)
            part = _one(snapped, mine)
            limit_s = max(self._limit_s, float(self._place_limit_s.max(initial=0.0)))
            seconds = self._area.seconds_from(way, part, limit_s=limit_s)
            covers[mine] = seconds[:, self._demands.node] <= self._limit_s
            keeps[mine] = seconds[:, self._place_node] <= self._place_limit_s
            node, offset_s = self._area.entries(way, part)
            to_posts = self._ways_to_posts(way)
            drive_s[mine] = np.minimum(
                offset_s[0][:, None] + to_posts[:, node[0]].T, offset_s[1][:, None] + to_posts[:, node[1]].T
            )
            tables.append(self._reach_of_posts(way))
        index = np.searchsorted(np.array(modes, np.int64), mode)
        return MoveUpCase(
            weight=self._demands.weight,
            mode=index.astype(np.int64),
            unit_covers=covers,
            post_covers=np.stack([table[0] for table in tables])
            if tables
            else np.zeros((0, posts, covers.shape[1]), np.bool_),
            unit_keeps=keeps,
            post_keeps=np.stack([table[1] for table in tables])
            if tables
            else np.zeros((0, posts, keeps.shape[1]), np.bool_),
            drive_s=drive_s,
            is_taken=self._taken(snapped),
            stood_s=np.zeros(units),
            move_count=np.zeros(units, np.int64),
        )

    def _taken(self, snapped: Snapped) -> NDArray[np.bool_]:
        """Return at which posts a unit stands (posts,)."""
        graph = self._area.graph
        if not len(snapped.edge):
            return np.zeros(len(self._posts.node), np.bool_)
        tail, head = graph.node_xy_m[graph.edge_from[snapped.edge]], graph.node_xy_m[graph.edge_to[snapped.edge]]
        stands = tail + snapped.along_ratio[:, None] * (head - tail)
        away = np.hypot(*(self._posts.xy_m[:, None] - stands[None]).transpose(2, 0, 1))
        return np.asarray((away <= AT_POST_M).any(axis=1))

    def _ways_to_posts(self, mode: TravelMode) -> NDArray[np.float32]:
        """Return the seconds from every node to each post (posts, nodes); kept."""
        if mode not in self._to_posts:
            matrix = self._area.network(mode).reverse_matrix
            parts = np.array_split(self._posts.node, max(1, len(self._posts.node) // 32))
            rows = [
                np.asarray(dijkstra(matrix, indices=part, limit=LONGEST_DRIVE_S), np.float32)
                for part in parts
                if len(part)
            ]
            count = self._area.graph.node_count
            self._to_posts[mode] = np.concatenate(rows) if rows else np.zeros((0, count), np.float32)
        return self._to_posts[mode]

    def _reach_of_posts(self, mode: TravelMode) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return what a unit of the mode covers from each post (posts, demands), and keeps (posts, places); kept."""
        if mode not in self._from_posts:
            goals = np.concatenate((self._demands.node, self._place_node))
            limit_s = max(self._limit_s, float(self._place_limit_s.max(initial=0.0)))
            seconds = self._area.seconds_between(mode, self._posts.node, goals, limit_s=limit_s).T
            count = len(self._demands.node)
            self._from_posts[mode] = (seconds[:, :count] <= self._limit_s, seconds[:, count:] <= self._place_limit_s)
        return self._from_posts[mode]

    def _way(self, mode: TravelMode, snapped: Snapped, post: int) -> tuple[float, Ints]:
        """Return the kilometres and the nodes of the fastest way from a place on a street to a post."""
        node, offset_s = self._area.entries(mode, snapped)
        network = self._area.network(mode)
        away_s, after, _ = dijkstra(
            network.reverse_matrix, indices=[post], limit=LONGEST_DRIVE_S, min_only=True, return_predecessors=True
        )
        total = offset_s[:, 0] + away_s[node[:, 0]]
        nodes = [int(node[int(total.argmin()), 0])]
        while nodes[-1] != post and after[nodes[-1]] >= 0:
            nodes.append(int(after[nodes[-1]]))
        points = self._area.graph.node_xy_m[nodes]
        edge = int(snapped.edge[0])
        tail, head = (
            self._area.graph.node_xy_m[ends[edge]] for ends in (self._area.graph.edge_from, self._area.graph.edge_to)
        )
        start = tail + snapped.along_ratio[0] * (head - tail)
        passed_m = np.hypot(*np.diff(np.concatenate((start[None], points)), axis=0).T).sum()
        return float(passed_m) / 1000.0, np.array(nodes, np.int32)


def posts_at(area: PlanningMap, snapped: Snapped) -> Posts:
    """Return posts at places on streets."""
    node = area.nodes_at(snapped)
    return Posts(node, area.graph.node_xy_m[node])


def _first_tier(area: PlanningMap, places: Places | None) -> tuple[Ints, Floats]:
    """Return the junctions of the places that must be reached within a minute, and that minute; those off the roads are left out."""
    none = np.zeros(0, np.int32), np.zeros(0)
    if places is None or not (places.minutes == 1).any():
        return none
    first = np.flatnonzero(places.minutes == 1)
    access = MODE_ACCESS[TravelMode.CAR]
    found = area.index.snap(places.lat_deg[first], places.lon_deg[first], within_m=_ON_ROAD_WITHIN_M, access=access)
    kept = np.flatnonzero(found.edge >= 0)
    return area.nodes_at(_one(found, kept)), np.full(len(kept), 60.0)


def _one(snapped: Snapped, which: int | NDArray[np.intp]) -> Snapped:
    rows = np.atleast_1d(which)
    return Snapped(snapped.edge[rows], snapped.along_ratio[rows], snapped.away_m[rows])


def _with_history(case: MoveUpCase, stood_s: Floats, move_count: NDArray[np.int64]) -> MoveUpCase:
    fields = {name: getattr(case, name) for name in case.__dataclass_fields__}
    return MoveUpCase(**(fields | {"stood_s": stood_s, "move_count": move_count}))
