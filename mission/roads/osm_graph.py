"""Makes a road graph of an extract's ways: gaps, islands and barriers dealt with, everything left out counted."""

from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mission.roads.graph import ACCESS_CAR, ACCESS_FOOT, Bits, Ints, RoadGraph
from mission.roads.osm_tags import WayRule
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats, distance_m

Longs = NDArray[np.int64]

ISLAND_NODES: Final = 50
"""Roads that hang together with fewer nodes than this, and with nothing else, are left out (but never the largest part)."""
LEAST_LENGTH_M: Final = 0.01
"""The length of an edge between two nodes at the same position: they stay joined."""
ATTRIBUTION: Final = "© OpenStreetMap contributors"
"""What the Open Database License asks to be shown on every map made of these data."""
_DEGREE: Final = 1e7
_HALF_TURN_E7: Final = 1_800_000_000
_QUARTER_TURN_E7: Final = 900_000_000


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import read, kept and left out.

    `ways_*` count roads and paths; `no_road` counts squares, platforms and roads being built; `dangling_refs` nodes that a way
    names and the file does not hold; `island_nodes` those of the `islands` left out; `one_sided_nodes` (kept) are those
    which a car cannot both reach and leave: mostly one-way streets cut at the extract's border.
    """

    ways_read: int
    ways_kept: int
    node_count: int
    edge_count: int
    road_km: float
    oneway_ways: int
    bridge_ways: int
    tunnel_ways: int
    barriers: int
    no_road: int
    no_access: int
    dangling_refs: int
    repeated_refs: int
    islands: int
    island_nodes: int
    one_sided_nodes: int
    areas_kept: int = 0
    areas_left_out: int = 0


@dataclass
class RawWays:
    """The ways as they were read: node references and positions (1e-7 degree) of all ways behind one another.

    A node that the file does not hold has a position off the globe.
    """

    refs: list[int] = field(default_factory=list)
    lon_e7: list[int] = field(default_factory=list)
    lat_e7: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    rules: list[WayRule] = field(default_factory=list)
    blocked: dict[int, int] = field(default_factory=dict)
    ways_read: int = 0
    no_road: int = 0
    no_access: int = 0


@dataclass(frozen=True)
class _Pieces:
    """The stretches between two nodes, in the ways' directions; `tail` and `head` number the nodes."""

    tail: Longs
    head: Longs
    way: Longs
    length_m: Floats
    access: Bits
    back_access: Bits

    def part(self, kept: NDArray[np.bool_]) -> "_Pieces":
        return _Pieces(
            self.tail[kept],
            self.head[kept],
            self.way[kept],
            self.length_m[kept],
            self.access[kept],
            self.back_access[kept],
        )


@dataclass(frozen=True)
class _Nodes:
    ref: Longs
    lat_deg: Floats
    lon_deg: Floats


def build_graph(raw: RawWays) -> tuple[RoadGraph, ImportReport]:
    """Return the graph and the report of ways that were read. Raises InputError when no road is left."""
    nodes, pieces, dangling, repeated = _pieces(raw)
    pieces, barriers = _with_barriers(raw, nodes, pieces)
    pieces = pieces.part((pieces.access | pieces.back_access) != 0)
    pieces, islands, island_nodes = _without_islands(pieces, len(nodes.ref))
    if not len(pieces.tail):
        message = f"the extract holds no road that anybody may use ({raw.ways_read} ways read): choose one of a city's streets"
        raise InputError(message)
    graph = _graph(raw, nodes, pieces)
    report = ImportReport(
        ways_read=raw.ways_read,
        ways_kept=len(graph.way_oneway),
        node_count=graph.node_count,
        edge_count=len(graph.edge_from),
        road_km=round(float(pieces.length_m.sum()) / 1000.0, 3),
        oneway_ways=int(graph.way_oneway.sum()),
        bridge_ways=int(graph.way_bridge.sum()),
        tunnel_ways=int(graph.way_tunnel.sum()),
        barriers=barriers,
        no_road=raw.no_road,
        no_access=raw.no_access,
        dangling_refs=dangling,
        repeated_refs=repeated,
        islands=islands,
        island_nodes=island_nodes,
        one_sided_nodes=_one_sided(graph),
    )
    return graph, report


def _pieces(raw: RawWays) -> tuple[_Nodes, _Pieces, int, int]:
    """Return nodes and pieces, how many references dangle and how many repeat the one before."""
    refs = np.array(raw.refs, np.int64)
    lon_e7, lat_e7 = np.array(raw.lon_e7, np.int64), np.array(raw.lat_e7, np.int64)
    way = np.repeat(np.arange(len(raw.sizes)), np.array(raw.sizes, np.int64))
    is_known = (np.abs(lon_e7) <= _HALF_TURN_E7) & (np.abs(lat_e7) <= _QUARTER_TURN_E7)
    same_way = way[1:] == way[:-1]
    repeated = same_way & (refs[1:] == refs[:-1])
    first = np.flatnonzero(same_way & ~repeated & is_known[1:] & is_known[:-1])
    place, tail, head = _numbered(refs, first)
    nodes = _Nodes(refs[place], lat_e7[place] / _DEGREE, lon_e7[place] / _DEGREE)
    length_m = distance_m(nodes.lat_deg[tail], nodes.lon_deg[tail], nodes.lat_deg[head], nodes.lon_deg[head])
    access = np.array([rule.access for rule in raw.rules], np.uint8)
    back_access = np.array([rule.back_access for rule in raw.rules], np.uint8)
    way = way[first]
    pieces = _Pieces(tail, head, way, np.maximum(length_m, LEAST_LENGTH_M), access[way], back_access[way])
    return nodes, pieces, int((~is_known).sum()), int(repeated.sum())


def _numbered(refs: Longs, first: Longs) -> tuple[Longs, Longs, Longs]:
    """Return where each node first stands in `refs`, and tails and heads of the pieces by those numbers, in reading order."""
    ends = np.column_stack((first, first + 1)).ravel()
    _, index, inverse = np.unique(refs[ends], return_index=True, return_inverse=True)
    order = np.argsort(index)
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    numbered = number[inverse].reshape(-1, 2)
    return ends[index[order]], numbered[:, 0], numbered[:, 1]


def _with_barriers(raw: RawWays, nodes: _Nodes, pieces: _Pieces) -> tuple[_Pieces, int]:
    """Close, of the pieces that meet at a barrier, all but the longest to those who cannot pass it."""
    if not raw.blocked or not len(pieces.tail):
        return pieces, 0
    known = np.array(list(raw.blocked), np.int64)
    order = np.argsort(nodes.ref)
    at = order[np.minimum(np.searchsorted(nodes.ref[order], known), len(order) - 1)]
    on_road = nodes.ref[at] == known
    bits = np.array(list(raw.blocked.values()), np.uint8)[on_road]
    closed = np.zeros(len(pieces.tail), np.uint8)
    for meeting, blocked in zip(_meeting(pieces, at[on_road]), bits, strict=True):
        longest = meeting[pieces.length_m[meeting].argmax()]
        closed[meeting[meeting != longest]] |= blocked
    changed = replace(pieces, access=pieces.access & ~closed, back_access=pieces.back_access & ~closed)
    return changed, int(on_road.sum())


def _meeting(pieces: _Pieces, at: Longs) -> list[Longs]:
    """Return for each of the nodes the pieces that meet there."""
    ends = np.concatenate((pieces.tail, pieces.head))
    order = np.argsort(ends, kind="stable")
    low, high = (np.searchsorted(ends[order], at, side=side) for side in ("left", "right"))
    count = len(pieces.tail)
    return [order[start:stop] % count for start, stop in zip(low, high, strict=True)]


def _without_islands(pieces: _Pieces, node_count: int) -> tuple[_Pieces, int, int]:
    """Return the pieces that belong to the largest part or to one of ISLAND_NODES, how many parts went, with how many nodes."""
    if not len(pieces.tail):
        return pieces, 0, 0
    _, part = connected_components(_links(pieces.tail, pieces.head, node_count), directed=False)
    used = np.zeros(node_count, np.bool_)
    used[pieces.tail] = used[pieces.head] = True
    size = np.bincount(part[used], minlength=int(part.max()) + 1)
    kept = size >= min(ISLAND_NODES, int(size.max()))
    gone = ~kept & (size > 0)
    return pieces.part(kept[part[pieces.tail]]), int(gone.sum()), int(size[gone].sum())


def _links(tail: Longs | Ints, head: Longs | Ints, node_count: int) -> "coo_array[np.int8, tuple[int, int]]":
    return coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(node_count, node_count))


def _graph(raw: RawWays, nodes: _Nodes, pieces: _Pieces) -> RoadGraph:
    """Return the graph of the pieces: all edges along, then those against (none where only walkers go back)."""
    used, ends = np.unique(np.concatenate((pieces.tail, pieces.head)), return_inverse=True)
    tail, head = ends[: len(pieces.tail)], ends[len(pieces.tail) :]
    ways, way_of = np.unique(pieces.way, return_inverse=True)
    rules = [raw.rules[way] for way in ways]
    along = (pieces.access & ~np.uint8(ACCESS_FOOT) != 0) | (pieces.back_access & ~np.uint8(ACCESS_FOOT) == 0)
    back = np.flatnonzero(pieces.back_access & ~np.uint8(ACCESS_FOOT))
    along_pieces = np.flatnonzero(along)
    piece = np.concatenate((along_pieces, back))
    way = way_of[piece]
    length_m = pieces.length_m[piece]
    return RoadGraph(
        node_lat_deg=nodes.lat_deg[used],
        node_lon_deg=nodes.lon_deg[used],
        edge_from=np.concatenate((tail[along_pieces], head[back])).astype(np.int32),
        edge_to=np.concatenate((head[along_pieces], tail[back])).astype(np.int32),
        edge_length_m=length_m,
        edge_seconds=length_m / np.array([rule.speed_mps for rule in rules])[way],
        edge_class=np.array([rule.road_class for rule in rules], np.int8)[way],
        edge_access=np.concatenate((pieces.access[along_pieces], pieces.back_access[back])),
        edge_way=way.astype(np.int32),
        way_name_zh=np.array([rule.name_zh for rule in rules], np.str_),
        way_name_en=np.array([rule.name_en for rule in rules], np.str_),
        way_oneway=np.array([rule.is_oneway for rule in rules], np.bool_),
        way_bridge=np.array([rule.is_bridge for rule in rules], np.bool_),
        way_tunnel=np.array([rule.is_tunnel for rule in rules], np.bool_),
        attribution=ATTRIBUTION,
    )


def _one_sided(graph: RoadGraph) -> int:
    """Return how many nodes a car can reach or leave but not both, from and to the largest part where it can."""
    cars = (graph.edge_access & ACCESS_CAR) != 0
    if not cars.any():
        return 0
    tail, head = graph.edge_from[cars], graph.edge_to[cars]
    _, part = connected_components(_links(tail, head, graph.node_count), directed=True, connection="strong")
    on_car_roads = np.unique(np.concatenate((tail, head)))
    size = np.bincount(part[on_car_roads])
    return int(len(on_car_roads) - size.max())
