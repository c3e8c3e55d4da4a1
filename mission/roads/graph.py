"""The road graph: nodes, directed edges and ways as numpy arrays, and who reaches which node in how many seconds."""

import zlib
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from mission.roads.streets import Bits, Ints, Streets, partners
from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

__all__ = [
    "ACCESS_ALL",
    "ACCESS_BICYCLE",
    "ACCESS_CAR",
    "ACCESS_EMERGENCY",
    "ACCESS_FOOT",
    "ACCESS_MOTORCYCLE",
    "BASEMAP_CLASS",
    "CLASS_LOCAL",
    "CLASS_MOTORWAY",
    "CLASS_PATH",
    "CLASS_PRIMARY",
    "CLASS_SECONDARY",
    "CLASS_SERVICE",
    "CLASS_SPEED_MPS",
    "CLASS_STEPS",
    "CLASS_TERTIARY",
    "CLASS_TRUNK",
    "GRAPH_FORMAT",
    "Bits",
    "EdgeIndex",
    "Ints",
    "RoadGraph",
    "SecondsMatrix",
    "Snapped",
    "Streets",
    "fastest_matrix",
    "load_roads",
    "reverse_edges",
    "travel_times",
]
SecondsMatrix: TypeAlias = csr_array[np.float64, tuple[int, int]]
"""Sparse (nodes, nodes): row = from, column = to, value = seconds."""

CLASS_TRUNK: Final = 0
CLASS_PRIMARY: Final = 1
CLASS_SECONDARY: Final = 2
CLASS_LOCAL: Final = 3
CLASS_TERTIARY: Final = 4
CLASS_SERVICE: Final = 5
CLASS_PATH: Final = 6
CLASS_STEPS: Final = 7
CLASS_MOTORWAY: Final = 8
CLASS_SPEED_MPS: Final = (18.0, 14.0, 12.0, 8.5, 10.5, 5.0, 3.0, 1.0, 27.0)
"""Driving speed of a patrol car on its way to a call, on roads of each class; `edge_seconds` is reckoned with it."""
BASEMAP_CLASS: Final = (0, 1, 2, 3, 2, 3, 3, 3, 0)
"""As which of the map's four classes (0..3: trunk, primary, secondary, local) a road is drawn."""

ACCESS_CAR: Final = 1
ACCESS_MOTORCYCLE: Final = 2
ACCESS_BICYCLE: Final = 4
ACCESS_FOOT: Final = 8
ACCESS_EMERGENCY: Final = 16
ACCESS_ALL: Final = 31

GRAPH_FORMAT: Final = 3
"""Grows whenever an older file of a graph can no longer be read."""

_SNAP_CANDIDATES: Final = (12, 60)
"""So many of the nearest sample points are looked at, the second number where the first leaves a doubt."""
_SAMPLE_SPACING_M: Final = 40.0
_LEAST_SECONDS: Final = 1e-6


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """Roads as directed edges between nodes; a two-way street is two edges; `edge_way` points into the ways.

    Shapes: `node_*` (nodes,), `edge_*` (edges,), `way_*` (ways,). Lengths are metres; `edge_seconds` is the time of a patrol
    car on a free road, with CLASS_SPEED_MPS or the posted limit; `edge_access` says who may use an edge in its direction
    (ACCESS_* bits; on foot every street that has the bit in one direction goes both ways). `attribution` is what any map
    of these roads must show, "" where nothing is asked; `way_tunnel` is empty where there are no tunnels.
    """

    node_lat_deg: Floats
    node_lon_deg: Floats
    edge_from: Ints
    edge_to: Ints
    edge_length_m: Floats
    edge_seconds: Floats
    edge_class: NDArray[np.int8]
    edge_access: Bits
    edge_way: Ints
    way_name_zh: NDArray[np.str_]
    way_name_en: NDArray[np.str_]
    way_oneway: NDArray[np.bool_]
    way_bridge: NDArray[np.bool_]
    attribution: str = ""
    way_tunnel: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return len(self.node_lat_deg)

    @cached_property
    def plane(self) -> LocalPlane:
        """The local plane about the middle of the nodes; metres east and north."""
        return local_plane(_middle(self.node_lat_deg), _middle(self.node_lon_deg))

    @cached_property
    def node_xy_m(self) -> Floats:
        """The nodes in the plane, shape (nodes, 2): metres east, metres north."""
        return np.column_stack(self.plane.to_plane(self.node_lat_deg, self.node_lon_deg))

    @cached_property
    def matrix(self) -> SecondsMatrix:
        """Seconds of `edge_seconds` from node to node, whoever may use the edge; of parallel edges the faster one counts."""
        return fastest_matrix(self.edge_from, self.edge_to, self.edge_seconds, self.node_count)

    @cached_property
    def streets(self) -> Streets:
        """Each street between two nodes once; about 60 ms for 50,000 nodes, once a graph."""
        back = partners(self.edge_from, self.edge_to, self.edge_way, self.edge_length_m)
        number = np.arange(len(back))
        leads = (back < 0) | (number < back)
        of_edge = np.cumsum(leads) - 1
        of_edge[~leads] = of_edge[back[~leads]]
        first = np.flatnonzero(leads).astype(np.int32)
        backward = back[first]
        return Streets(
            tail=self.edge_from[first],
            head=self.edge_to[first],
            length_m=self.edge_length_m[first],
            road_class=self.edge_class[first],
            access=self.edge_access[first],
            back_access=np.where(backward >= 0, self.edge_access[backward], 0).astype(np.uint8),
            way=self.edge_way[first],
            forward_edge=first,
            backward_edge=backward,
            of_edge=of_edge,
            edge_is_forward=leads,
            node_count=self.node_count,
        )

    def save(self, path: Path) -> None:
        """Write the graph as one compressed `.npz` (positions to 1e-7 degree, lengths to 1 cm, times to 1 ms)."""
        arrays: dict[str, Any] = {column.name: getattr(self, column.name) for column in fields(self)}
        for name, scale in _STORED_SCALES.items():
            arrays[name] = np.rint(arrays[name] * scale).astype(np.int32)
        arrays["edge_to"] = self.edge_to - self.edge_from
        for name in _STORED_STEPS:
            arrays[name] = np.diff(arrays[name], prepend=np.int32(0))
        np.savez_compressed(path, format=np.int32(GRAPH_FORMAT), **arrays)


_STORED_SCALES: Final = {"node_lat_deg": 1e7, "node_lon_deg": 1e7, "edge_length_m": 100.0, "edge_seconds": 1000.0}
_STORED_STEPS: Final = ("node_lat_deg", "node_lon_deg", "edge_from", "edge_way")
"""Columns kept as the steps from one row to the next, which pack into a third of the room."""


def load_roads(path: Path) -> RoadGraph:
    """Return the graph that `RoadGraph.save` wrote. Raises FileFormatError for a file that is no road graph."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if int(stored["format"]) != GRAPH_FORMAT:
                raise _no_graph(path, f"its format is {stored['format']}, this version reads {GRAPH_FORMAT}")
            graph = _unpacked({column.name: stored[column.name] for column in fields(RoadGraph)})
    except FileFormatError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        raise _no_graph(path, str(error)) from error
    if not _is_whole(graph):
        raise _no_graph(path, "its edges, nodes and ways do not fit together")
    return graph


def _unpacked(arrays: dict[str, Any]) -> RoadGraph:
    for name in _STORED_STEPS:
        arrays[name] = np.cumsum(arrays[name], dtype=np.int32)
    arrays["edge_to"] = arrays["edge_to"] + arrays["edge_from"]
    for name, scale in _STORED_SCALES.items():
        arrays[name] = arrays[name] / scale
    return RoadGraph(**arrays | {"attribution": str(arrays["attribution"])})


def _no_graph(path: Path, reason: str) -> FileFormatError:
    return FileFormatError(
        f"{path} holds no road graph ({reason}): delete it, and it is made again by `skybeat demo` or `skybeat roads import`"
    )


def _is_whole(graph: RoadGraph) -> bool:
    edges, ways = len(graph.edge_from), len(graph.way_name_zh)
    columns = (graph.edge_to, graph.edge_length_m, graph.edge_seconds, graph.edge_class, graph.edge_access)
    is_even = all(len(column) == edges for column in (*columns, graph.edge_way))
    is_even &= all(len(column) == ways for column in (graph.way_name_en, graph.way_oneway, graph.way_bridge))
    is_even &= len(graph.way_tunnel) in {0, ways}
    if not is_even or len(graph.node_lon_deg) != graph.node_count:
        return False
    limits = ((graph.edge_from, graph.node_count), (graph.edge_to, graph.node_count), (graph.edge_way, ways))
    return all(not edges or (column.min() >= 0 and column.max() < limit) for column, limit in limits)


def fastest_matrix(tails: Ints, heads: Ints, seconds: Floats, node_count: int) -> SecondsMatrix:
    """Return a (node_count, node_count) matrix of seconds in which of parallel edges the fastest stands.

    (A plain sparse constructor would add parallel edges up.)
    """
    key = tails.astype(np.int64) * node_count + heads
    order = np.lexsort((seconds, key))
    first = np.concatenate(([True], key[order][1:] != key[order][:-1])) if len(key) else np.zeros(0, np.bool_)
    kept = order[first]
    starts = np.searchsorted(tails[kept], np.arange(node_count + 1)).astype(np.int32)
    data = np.maximum(seconds[kept], _LEAST_SECONDS)
    return csr_array((data, heads[kept].astype(np.int32), starts), shape=(node_count, node_count))


@dataclass(frozen=True)
class Snapped:
    """Where positions lie on the roads: `edge` (-1: too far from any road), `along_ratio` 0..1 from its tail, `away_m`."""

    edge: Ints
    along_ratio: Floats
    away_m: Floats


class EdgeIndex:
    """Finds the nearest street of a position: the best of those whose sample points (every 40 m) are nearest.

    A street whose samples are farther than 20 m beyond the best one found cannot be nearer, so that is where it stops looking.
    """

    def __init__(self, graph: RoadGraph) -> None:
        self._graph, self._streets = graph, graph.streets
        self._tails = graph.node_xy_m[self._streets.tail]
        self._vectors = graph.node_xy_m[self._streets.head] - self._tails
        self._squares = np.maximum((self._vectors**2).sum(axis=1), 1e-9)
        self._samples: dict[int, tuple[NDArray[np.int64], cKDTree]] = {}
        self._sampled(ACCESS_ALL)

    def snap(self, lat_deg: Floats, lon_deg: Floats, *, within_m: float = 250.0, access: int = ACCESS_ALL) -> Snapped:
        """Return the nearest edge of each position (n,) that someone with one of the `access` bits may use; 4 us a position.

        Of a street's two edges the one that leads is named (see Streets). The first question with other bits takes 50 ms.
        """
        street_of_sample, tree = self._sampled(access)
        if not len(lat_deg) or not len(street_of_sample):
            return Snapped(np.full(len(lat_deg), -1, np.int32), np.zeros(len(lat_deg)), np.full(len(lat_deg), np.inf))
        points = np.column_stack(self._graph.plane.to_plane(lat_deg, lon_deg))
        street, ratio, away = np.zeros(len(points), np.int64), np.zeros(len(points)), np.zeros(len(points))
        unsure = np.arange(len(points))
        for wished in _SNAP_CANDIDATES:
            count = min(wished, len(street_of_sample))
            reach_m, nearest = tree.query(points[unsure], k=list(range(1, count + 1)))
            found = self._best(points[unsure], street_of_sample[np.asarray(nearest)])
            street[unsure], ratio[unsure], away[unsure] = found
            unsure = unsure[np.asarray(reach_m)[:, -1] < found[2] + _SAMPLE_SPACING_M / 2.0]
            if not len(unsure) or count == len(street_of_sample):
                break
        edge = np.where(away <= within_m, self._streets.forward_edge[street], -1).astype(np.int32)
        return Snapped(edge, ratio, away)

    def _best(self, points: Floats, candidates: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Return the nearest of the candidate streets (n, k) of each point, how far along it, and how far away."""
        offset = points[:, None, :] - self._tails[candidates]
        ratio = np.clip((offset * self._vectors[candidates]).sum(axis=2) / self._squares[candidates], 0.0, 1.0)
        away = np.hypot(*np.moveaxis(offset - ratio[..., None] * self._vectors[candidates], 2, 0))
        row, best = np.arange(len(points)), away.argmin(axis=1)
        return candidates[row, best], ratio[row, best], away[row, best]

    def _sampled(self, access: int) -> tuple[NDArray[np.int64], cKDTree]:
        """Return the streets of the sample points and their tree, for those who have one of the bits."""
        allowed = ((self._streets.access | self._streets.back_access) & access) != 0
        key = ACCESS_ALL if allowed.all() else access & ACCESS_ALL
        if key not in self._samples:
            streets = np.flatnonzero(allowed)
            samples = np.maximum(np.ceil(np.sqrt(self._squares[streets]) / _SAMPLE_SPACING_M), 1.0).astype(np.int64)
            street = np.repeat(streets, samples)
            rank = np.arange(len(street)) - np.repeat(np.cumsum(samples) - samples, samples)
            ratio = (rank + 0.5) / np.repeat(samples, samples)
            points = self._tails[street] + ratio[:, None] * self._vectors[street]
            self._samples[key] = street, cKDTree(points)
        return self._samples[key]


def reverse_edges(graph: RoadGraph) -> Ints:
    """Return for each edge the fastest edge that runs the other way between its nodes, -1 on one-way streets."""
    count = graph.node_count
    forward = graph.edge_from.astype(np.int64) * count + graph.edge_to
    backward = graph.edge_to.astype(np.int64) * count + graph.edge_from
    order = np.lexsort((graph.edge_seconds, forward))
    ordered = forward[order]
    place = np.minimum(np.searchsorted(ordered, backward), max(len(order) - 1, 0))
    found = ordered[place] == backward if len(order) else np.zeros(0, np.bool_)
    return np.where(found, order[place], -1).astype(np.int32)


def travel_times(graph: RoadGraph, nodes: Ints, limit_s: float, *, offsets_s: Floats | None = None) -> Floats:
    """Return the seconds (nodes,) in which the nearest of the starting `nodes` reaches each node; inf beyond `limit_s`.

    `offsets_s` (same length as `nodes`) are seconds already spent before a start. Direction and one-way streets count:
    from the starts to the nodes. About 12 ms for 500 starts on 50,000 nodes.
    """
    if not len(nodes):
        return np.full(graph.node_count, np.inf)
    offsets = np.zeros(len(nodes)) if offsets_s is None else offsets_s
    source = graph.node_count
    found = dijkstra(_with_source(graph, np.asarray(nodes), offsets), indices=[source], limit=limit_s)[0]
    return np.asarray(found[:source], np.float64)


def _with_source(graph: RoadGraph, nodes: Ints, offsets_s: Floats) -> SecondsMatrix:
    """Return the matrix with one more node, from which all starts are reached in their offsets."""
    base, count = graph.matrix, graph.node_count
    order = np.lexsort((offsets_s, nodes))
    heads, first = np.unique(nodes[order], return_index=True)
    seconds = np.maximum(offsets_s[order][first], _LEAST_SECONDS)
    data = np.concatenate((base.data, seconds))
    indices = np.concatenate((base.indices, heads.astype(np.int32)))
    starts = np.append(base.indptr, base.indptr[-1] + len(heads)).astype(np.int32)
    return csr_array((data, indices, starts), shape=(count + 1, count + 1))


def _middle(values: Floats) -> float:
    return round(float(values.min() + values.max()) / 2.0, 4) if len(values) else 0.0
