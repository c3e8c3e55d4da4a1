"""Answers the move-up question: posts and demands of the map are kept from question to question."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from console.api.models_siting import MoveUpReply, MoveView, UnitHeld
from console.coverage.engine import units_of
from console.planning.places import street_names
from console.planning.protocol import Ground, MoveUpAsked
from mission.cover.ground import Places
from mission.roads.graph import Snapped
from mission.roads.travel import MODE_ACCESS, TravelMode
from mission.siting.moveup import Move, MoveUpRules
from mission.siting.moveup_map import MapAdvice, MoveUpMap, Posts, UnitHistory
from mission.siting.planning_map import SITE_WITHIN_M, PlanningMap

DEMANDS_COUNT: Final = 2_000
FEW_POSTS: Final = 12
"""With fewer posts than these, junctions of main roads are offered too."""
OFFERED_COUNT: Final = 60
NEVER_MOVED_S: Final = 1e9
"""A unit of which nobody saw it move has stood for long enough."""


@dataclass(frozen=True)
class _Post:
    """A place to stand: its number in the registry (None: a station or a junction) and its name."""

    post_id: int | None
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float


class MoveUpDesk:
    """Keeps the ways to the posts while map, posts, demand and limit stay the same."""

    def __init__(self) -> None:
        self._key: object = None
        self._board: tuple[MoveUpMap, list[_Post]] | None = None

    def answer(self, area: PlanningMap, tiers: Places | None, asked: MoveUpAsked) -> MoveUpReply:
        """Return at most three moves. Raises InputError for rules out of range or a demand that the map does not know."""
        rules = MoveUpRules(
            busy_ratio=asked.busy_ratio,
            drive_limit_s=asked.drive_limit_s,
            dwell_s=asked.dwell_s,
            shift_move_count=asked.shift_move_count,
        )
        rules.check()
        board, posts = self._kept(area, tiers, asked)
        units = units_of(asked.units, area.speeds)
        found = board.advise(units, _history(asked), rules)
        own = None if asked.movable_unit_ids is None else frozenset(asked.movable_unit_ids)
        ids = units.unit_id[found.on_map].tolist()
        return MoveUpReply(
            as_of_ms=asked.at_ms,
            limit_s=asked.limit_s,
            busy_ratio=asked.busy_ratio,
            moves=[
                _move_view(area, asked, found, number, unit_row=int(found.on_map[move.unit]), post=posts[move.post])
                for number, move in enumerate(found.advice.moves)
            ],
            expected_before_share=found.advice.expected_before_share,
            expected_after_share=found.advice.expected_after_share,
            covered_before_share=found.advice.covered_before_share,
            covered_after_share=found.advice.covered_after_share,
            available_count=len(found.on_map),
            off_map_count=len(units) - len(found.on_map),
            held=[
                UnitHeld(unit_id=ids[unit], reason=reason)
                for unit, reason in found.advice.held.items()
                if own is None or ids[unit] in own
            ],
        )

    def _kept(self, area: PlanningMap, tiers: Places | None, asked: MoveUpAsked) -> tuple[MoveUpMap, list[_Post]]:
        ground, hour = asked.ground, asked.hour_of_week if asked.demand == "incidents" else -1
        key = (ground.stations, ground.posts, ground.incidents, asked.demand, asked.limit_s, hour)
        if self._board is None or key != self._key:
            posts, nodes = _posts(area, ground)
            demands = area.demands(asked.demand, most_count=DEMANDS_COUNT, hour_of_week=None if hour < 0 else hour)
            board = MoveUpMap(area, nodes, demands, first_tier=tiers, limit_s=asked.limit_s)
            self._key, self._board = key, (board, posts)
        return self._board


def _history(asked: MoveUpAsked) -> UnitHistory:
    """Return how long units stood and how often they moved; whom the asker may not move has just arrived."""
    own = None if asked.movable_unit_ids is None else frozenset(asked.movable_unit_ids)
    stood = [
        0.0 if own is not None and unit_id not in own else NEVER_MOVED_S if stood_s is None else stood_s
        for unit_id, stood_s in zip(asked.units.unit_id, asked.stood_s, strict=True)
    ]
    blocked = [own is not None and unit_id not in own for unit_id in asked.units.unit_id]
    moves = [10**6 if is_blocked else count for is_blocked, count in zip(blocked, asked.move_count, strict=True)]
    return UnitHistory(np.array(stood, np.float64), np.array(moves, np.int64))


def _posts(area: PlanningMap, ground: Ground) -> tuple[list[_Post], Posts]:
    places = [_Post(None, "", "", station.lat_deg, station.lon_deg) for station in ground.stations]
    places += [
        _Post(post.post_id, post.name_zh, post.name_en, post.lat_deg, post.lon_deg)
        for post in ground.posts
        if post.kind != "dock"
    ]
    if len(places) < len(ground.stations) + FEW_POSTS:
        lat, lon = area.graph.node_lat_deg, area.graph.node_lon_deg
        junctions = area.candidates(count=OFFERED_COUNT).tolist()
        places += [_Post(None, *street_names(area, node), float(lat[node]), float(lon[node])) for node in junctions]
    points = np.array([(place.lat_deg, place.lon_deg) for place in places], np.float64).reshape(-1, 2)
    found = area.index.snap(points[:, 0], points[:, 1], within_m=SITE_WITHIN_M, access=MODE_ACCESS[TravelMode.CAR])
    near = np.flatnonzero(found.edge >= 0)
    nodes = area.nodes_at(Snapped(found.edge[near], found.along_ratio[near], found.away_m[near]))
    _, first = np.unique(nodes, return_index=True)
    first = np.sort(first)
    kept = nodes[first]
    return [places[row] for row in near[first].tolist()], Posts(kept, area.graph.node_xy_m[kept])


def _move_view(
    area: PlanningMap, asked: MoveUpAsked, found: MapAdvice, number: int, *, unit_row: int, post: _Post
) -> MoveView:
    move: Move = found.advice.moves[number]
    nodes = found.way_nodes[number]
    lon, lat = area.graph.node_lon_deg[nodes].round(6).tolist(), area.graph.node_lat_deg[nodes].round(6).tolist()
    start = [asked.units.lon_deg[unit_row], asked.units.lat_deg[unit_row]]
    return MoveView(
        unit_id=asked.units.unit_id[unit_row],
        post_id=post.post_id,
        lat_deg=post.lat_deg,
        lon_deg=post.lon_deg,
        name_zh=post.name_zh,
        name_en=post.name_en,
        gain_share=move.gain_share,
        covered_gain_share=move.covered_gain_share,
        left_share=move.left_share,
        won_share=move.won_share,
        drive_s=move.drive_s,
        drive_km=found.km[number],
        kept_count=move.kept_count,
        stood_s=asked.stood_s[unit_row],
        move_count=asked.move_count[unit_row],
        way=[start, *([one_lon, one_lat] for one_lon, one_lat in zip(lon, lat, strict=True))],
    )
