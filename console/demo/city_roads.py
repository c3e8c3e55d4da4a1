"""Turns the demo city's street plan into a road graph: no street in a park, every node reachable, exactly as many as asked."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from console.demo import city_table as table
from console.demo.hills import inside
from console.demo.street_plan import StreetPlan
from console.demo.valley import Ground
from mission.roads.graph import ACCESS_ALL, CLASS_LOCAL, CLASS_SPEED_MPS, RoadGraph
from telemetry.model.geodesy import Floats, local_plane

Links = NDArray[np.int64]
_SEARCH_STEPS: Final = 60


def build_roads(plan: StreetPlan, node_count: int) -> RoadGraph:
    """Return the graph of a plan with exactly `node_count` nodes (a plan has fewer junctions than that)."""
    links = _reachable(plan, _outside_greens(plan, plan.link_table()))
    used, renumbered = np.unique(links[:, :2], return_inverse=True)
    rows = plan.junction_table()[used]
    links = np.column_stack((renumbered.reshape(-1, 2), links[:, 2]))
    return _graph(plan, *_bend(plan, rows, links, node_count))


def _outside_greens(plan: StreetPlan, links: Links) -> Links:
    ground = plan.ground_of(plan.junction_table())
    middle = Ground(*((axis[links[:, 0]] + axis[links[:, 1]]) / 2.0 for axis in ground))
    blocked = np.zeros(len(links), np.bool_)
    for green in table.GREENS:
        if green.kind in table.STREETLESS:
            blocked |= inside(green, middle)
    kept: Links = links[~(blocked & (_classes(plan)[links[:, 2]] == CLASS_LOCAL))]
    return kept


def _classes(plan: StreetPlan) -> NDArray[np.int8]:
    return np.array([way.road_class for way in plan.ways], np.int8)


def _oneway(plan: StreetPlan) -> NDArray[np.bool_]:
    return np.array([way.oneway for way in plan.ways], np.bool_)


def _reachable(plan: StreetPlan, links: Links) -> Links:
    """Return the links between junctions from which, and to which, one can drive from everywhere."""
    two_way = ~_oneway(plan)[links[:, 2]]
    tails = np.concatenate((links[:, 0], links[two_way, 1]))
    heads = np.concatenate((links[:, 1], links[two_way, 0]))
    count = plan.junction_count
    matrix = coo_array((np.ones(len(tails), np.int8), (tails, heads)), shape=(count, count))
    _, label = connected_components(matrix, directed=True, connection="strong")
    kept = label == np.bincount(label).argmax()
    reachable: Links = links[kept[links[:, 0]] & kept[links[:, 1]]]
    return reachable


def _bend(plan: StreetPlan, rows: Floats, links: Links, node_count: int) -> tuple[Ground, Links]:
    """Split links evenly so that there are `node_count` nodes; new ones follow the valley's bends."""
    ground = plan.ground_of(rows)
    length = np.hypot(*(axis[links[:, 0]] - axis[links[:, 1]] for axis in ground))
    extra = _splits(length, node_count - len(rows))
    link = np.repeat(np.arange(len(links)), extra)
    rank = np.arange(len(link)) - np.repeat(np.cumsum(extra) - extra, extra)
    ratio = (rank + 1.0) / (extra[link] + 1.0)
    new = _between(plan, rows, ground, links[link], ratio)
    nodes = Ground(*(np.concatenate(pair) for pair in zip(ground, new, strict=True)))
    return nodes, _chain(links, extra, len(rows))


def _splits(length: Floats, wished: int) -> NDArray[np.int64]:
    """Return how many nodes to put on each link so that spacing is even and the sum is `wished`."""
    low, high = 1.0, 1000.0
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if np.ceil(length / middle).sum() - len(length) >= wished else (low, middle)
    extra = (np.ceil(length / low) - 1.0).astype(np.int64)
    surplus = int(extra.sum()) - wished
    extra[np.flatnonzero(extra)[:surplus]] -= 1
    return extra


def _between(plan: StreetPlan, rows: Floats, ground: Ground, links: Links, ratio: Floats) -> Ground:
    first, second = rows[links[:, 0]], rows[links[:, 1]]
    mixed = first + ratio[:, None] * (second - first)
    bending = (first[:, 0] == second[:, 0]) & (first[:, 0] != 0.0)
    mixed[:, 0] = np.where(bending, first[:, 0], 0.0)
    for column, axis in ((3, ground.east_m), (4, ground.north_m)):
        straight = axis[links[:, 0]] + ratio * (axis[links[:, 1]] - axis[links[:, 0]])
        mixed[:, column] = np.where(bending, mixed[:, column], straight)
    return plan.ground_of(mixed)


def _chain(links: Links, extra: NDArray[np.int64], first_new: int) -> Links:
    """Return the pieces of all links in their order: from, to, way."""
    pieces = extra + 1
    link = np.repeat(np.arange(len(links)), pieces)
    rank = np.arange(len(link)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    new_before = first_new + (np.cumsum(extra) - extra)[link] + rank
    tails = np.where(rank == 0, links[link, 0], new_before - 1)
    heads = np.where(rank == extra[link], links[link, 1], new_before)
    return np.column_stack((tails, heads, links[link, 2]))


def _graph(plan: StreetPlan, ground: Ground, links: Links) -> RoadGraph:
    used, way_of = np.unique(links[:, 2], return_inverse=True)
    ways = [plan.ways[number] for number in used]
    oneway = np.array([way.oneway for way in ways], np.bool_)
    back = ~oneway[way_of]
    tails = np.concatenate((links[:, 0], links[back, 1]))
    heads = np.concatenate((links[:, 1], links[back, 0]))
    way = np.concatenate((way_of, way_of[back]))
    road_class = np.array([way.road_class for way in ways], np.int8)[way]
    length = np.hypot(*(axis[tails] - axis[heads] for axis in ground))
    lat, lon = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG).from_plane(ground.east_m, ground.north_m)
    return RoadGraph(
        node_lat_deg=lat,
        node_lon_deg=lon,
        edge_from=tails.astype(np.int32),
        edge_to=heads.astype(np.int32),
        edge_length_m=length,
        edge_seconds=length / np.array(CLASS_SPEED_MPS)[road_class],
        edge_class=road_class,
        edge_access=np.full(len(tails), ACCESS_ALL, np.uint8),
        edge_way=way.astype(np.int32),
        way_name_zh=np.array([way.name_zh for way in ways]),
        way_name_en=np.array([way.name_en for way in ways]),
        way_oneway=oneway,
        way_bridge=np.array([way.bridge for way in ways], np.bool_),
    )
