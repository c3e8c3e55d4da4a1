"""The road graph: nodes, directed edges and ways as numpy arrays, and who reaches which node in how many seconds."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

Ints: TypeAlias = NDArray[np.int32]
SecondsMatrix: TypeAlias = csr_array[np.float64, tuple[int, int]]
"""Sparse (nodes, nodes): row = from, column = to, value = seconds."""

CLASS_TRUNK: Final = 0
CLASS_PRIMARY: Final = 1
CLASS_SECONDARY: Final = 2
CLASS_LOCAL: Final = 3
CLASS_SPEED_MPS: Final = (18.0, 14.0, 12.0, 8.5)
"""Driving speed of a patrol car on its way to a call, on trunk, primary, secondary and local roads."""

_SNAP_CANDIDATES: Final = 12
_SAMPLE_SPACING_M: Final = 40.0
_LEAST_SECONDS: Final = 1e-6


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """Roads as directed edges between nodes; a two-way street is two edges; `edge_way` points into the ways.

    Shapes: `node_*` (nodes,), `edge_*` (edges,), `way_*` (ways,). Lengths are metres, `edge_seconds` is the time of a patrol
    car, classes are 0 trunk, 1 primary, 2 secondary, 3 local.
    """

    node_lat_deg: Floats
    node_lon_deg: Floats
    edge_from: Ints
    edge_to: Ints
    edge_length_m: Floats
    edge_seconds: Floats
    edge_class: NDArray[np.int8]
    edge_way: Ints
    way_name_zh: NDArray[np.str_]
    way_name_en: NDArray[np.str_]
    way_oneway: NDArray[np.bool_]
    way_bridge: NDArray[np.bool_]

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
        """Seconds from node to node; of parallel edges the faster one counts."""
        return fastest_matrix(self.edge_from, self.edge_to, self.edge_seconds, self.node_count)

    def save(self, path: Path) -> None:
        """Write the graph as one compressed `.npz` (positions to 1e-7 degree, lengths to 1 cm, times to 1 ms)."""
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, scale in _STORED_SCALES.items():
            arrays[name] = np.rint(arrays[name] * scale).astype(np.int32)
        np.savez_compressed(path, **arrays)


_STORED_SCALES: Final = {"node_lat_deg": 1e7, "node_lon_deg": 1e7, "edge_length_m": 100.0, "edge_seconds": 1000.0}


def load_roads(path: Path) -> RoadGraph:
    """Return the graph that `RoadGraph.save` wrote. Raises FileFormatError for a file that is no road graph."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {field.name: stored[field.name] for field in fields(RoadGraph)}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise FileFormatError(f"{path} holds no road graph ({error}): delete it, and it is made again") from error
    for name, scale in _STORED_SCALES.items():
        arrays[name] = arrays[name] / scale
    return RoadGraph(**arrays)


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
    """Finds the nearest edge of a position: the best of those whose sample points (every 40 m) are nearest."""

    def __init__(self, graph: RoadGraph) -> None:
        self._graph = graph
        self._tails = graph.node_xy_m[graph.edge_from]
        self._vectors = graph.node_xy_m[graph.edge_to] - self._tails
        self._squares = np.maximum((self._vectors**2).sum(axis=1), 1e-9)
        samples = np.maximum(np.ceil(np.sqrt(self._squares) / _SAMPLE_SPACING_M), 1.0).astype(np.int64)
        self._edge_of_sample = np.repeat(np.arange(len(samples)), samples)
        rank = np.arange(len(self._edge_of_sample)) - np.repeat(np.cumsum(samples) - samples, samples)
        ratio = (rank + 0.5) / samples[self._edge_of_sample]
        self._tree = cKDTree(self._tails[self._edge_of_sample] + ratio[:, None] * self._vectors[self._edge_of_sample])

    def snap(self, lat_deg: Floats, lon_deg: Floats, *, within_m: float = 250.0) -> Snapped:
        """Return the nearest edge of each position (n,); about 4 us a position."""
        if not len(lat_deg):
            return Snapped(np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
        points = np.column_stack(self._graph.plane.to_plane(lat_deg, lon_deg))
        count = min(_SNAP_CANDIDATES, len(self._edge_of_sample))
        nearest = np.asarray(self._tree.query(points, k=list(range(1, count + 1)))[1])
        candidates = self._edge_of_sample[nearest]
        offset = points[:, None, :] - self._tails[candidates]
        ratio = np.clip((offset * self._vectors[candidates]).sum(axis=2) / self._squares[candidates], 0.0, 1.0)
        away = np.hypot(*np.moveaxis(offset - ratio[..., None] * self._vectors[candidates], 2, 0))
        row, best = np.arange(len(points)), away.argmin(axis=1)
        near = away[row, best] <= within_m
        edge = np.where(near, candidates[row, best], -1).astype(np.int32)
        return Snapped(edge, ratio[row, best], away[row, best])


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
