"""All geofences in force: found by place, by way and by distance; a changed fence is laid anew alone."""

from collections.abc import Collection, Iterable
from copy import copy
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.fence import AreaAssignment, Geofence
from telemetry.geofences.grid import Grid, grid_of, inside
from telemetry.geofences.raster import edges_of
from telemetry.geofences.rules import Rules
from telemetry.geofences.shapes import rings_of
from telemetry.geofences.spread import Rows, spread

FRESH_AT_LEAST: Final = 64
FRESH_SHARE: Final = 0.1
"""Changed fences stand in a small grid beside the great one, until they are this share of all: then all are laid anew."""
_NO_EDGES: Final = np.zeros((0, 5), np.int64)


class GeofenceIndex:
    """An immutable set of geofences; `changed` gives another one. Rows number its fences from 0.

    Building costs some 0.1 ms a fence of 24 corners, 5 KB of memory each.
    """

    def __init__(
        self,
        fences: Iterable[Geofence] = (),
        assignments: Iterable[AreaAssignment] = (),
        *,
        base: "GeofenceIndex | None" = None,
        kept: Collection[int] = (),
    ) -> None:
        """Lay these fences; with a `base` beside its great grid, of whose fences those of the ids `kept` live on."""
        fresh = tuple({fence.geofence_id: fence for fence in fences}.values())
        laid: tuple[Geofence, ...] = () if base is None else base.fences[: base.laid_count]
        self.laid_count: int = len(fresh) if base is None else base.laid_count
        """How many fences the great grid holds; those behind them are in the small one."""
        table = _table_of(fresh, len(laid))
        old = _NO_EDGES if base is None else base.edges[: base.edge_starts[base.laid_count]]
        self.fences: tuple[Geofence, ...] = laid + fresh
        self.edges: NDArray[np.int64] = np.concatenate((old, table))
        self.edge_starts: NDArray[np.intp] = np.searchsorted(self.edges[:, 0], np.arange(len(self.fences) + 1))
        self.boxes = _boxes_of(self.edges, self.edge_starts[:-1])
        """West, south, east and north of each fence, in 1e-7 degrees."""
        self.alive = np.array([fence.geofence_id in kept for fence in laid] + [True] * len(fresh), bool)
        self.row_by_id = {fence.geofence_id: row for row, fence in enumerate(self.fences) if self.alive[row]}
        self.assignments = tuple(assignments)
        self.rules = Rules(self.fences, self.assignments)
        self.grids: tuple[Grid, ...] = _grids_of(table, len(laid), len(fresh), None if base is None else base.grids[0])

    def __len__(self) -> int:
        """Return how many fences there are."""
        return len(self.row_by_id)

    def get(self, geofence_id: int) -> Geofence | None:
        """Return one fence."""
        row = self.row_by_id.get(geofence_id)
        return None if row is None else self.fences[row]

    def living(self) -> list[Geofence]:
        """Return all fences."""
        return [self.fences[row] for row in self.row_by_id.values()]

    def changed(self, fences: Iterable[Geofence], removed: Iterable[int] = ()) -> "GeofenceIndex":
        """Return an index with these fences added or replaced and those gone; unchanged ones are not laid again."""
        wanted = {fence.geofence_id: fence for fence in self.living()}
        wanted.update({fence.geofence_id: fence for fence in fences})
        for geofence_id in removed:
            wanted.pop(geofence_id, None)
        return self.becoming(wanted.values(), self.assignments)

    def becoming(self, fences: Iterable[Geofence], assignments: Iterable[AreaAssignment] = ()) -> "GeofenceIndex":
        """Return an index of exactly these fences; those that are here already are taken over as they are laid."""
        wanted = {fence.geofence_id: fence for fence in fences}
        laid = self.fences[: self.laid_count]
        kept = {fence.geofence_id for fence in laid if wanted.get(fence.geofence_id) == fence}
        fresh = [fence for geofence_id, fence in wanted.items() if geofence_id not in kept]
        if len(fresh) + len(laid) - len(kept) > max(FRESH_AT_LEAST, FRESH_SHARE * len(wanted)):
            return GeofenceIndex(wanted.values(), assignments)
        return GeofenceIndex(fresh, assignments, base=self, kept=kept)

    def apart(self) -> "GeofenceIndex":
        """Return the same with rules of its own, for another thread: what concerns whom is noted as it is asked."""
        other = copy(self)
        other.rules = Rules(self.fences, self.assignments)
        return other

    def inside(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any]) -> tuple[Rows, Rows]:
        """Return pairs (place, row of a fence) of places in fences or on their borders, in no order. Exact."""
        place, fence = inside(self.grids[0], lon_e7, lat_e7)
        for number, grid in enumerate(self.grids[1:], 1):
            more_places, more = inside(grid, lon_e7, lat_e7)
            place, fence = np.concatenate((place, more_places)), np.concatenate((fence, more + self.first_row(number)))
        if len(self.grids) > 1:
            alive = self.alive[fence]
            place, fence = place[alive], fence[alive]
        return place, fence

    def first_row(self, grid_number: int) -> int:
        """Return the row of the first fence of one of `grids`."""
        return 0 if grid_number == 0 else self.laid_count

    def edges_of(self, fences: Rows) -> tuple[Rows, NDArray[np.int64]]:
        """Return for rows of fences pairs of its place therein and an edge (x1, y1, x2, y2), fence after fence."""
        first = self.edge_starts[fences]
        owner, edge = spread(first, self.edge_starts[fences + 1] - first)
        return owner, self.edges[edge, 1:]


def _grids_of(table: NDArray[np.int64], laid: int, fresh: int, great: Grid | None) -> tuple[Grid, ...]:
    local = table.copy()
    local[:, 0] -= laid
    if great is None:
        return (grid_of(local, fresh),)
    return (great, grid_of(local, fresh)) if fresh else (great,)


def _boxes_of(edges: NDArray[np.int64], starts: NDArray[np.intp]) -> NDArray[np.int32]:
    if not len(edges):
        return np.zeros((4, 0), np.int32)
    west = np.minimum.reduceat(np.minimum(edges[:, 1], edges[:, 3]), starts)
    east = np.maximum.reduceat(np.maximum(edges[:, 1], edges[:, 3]), starts)
    south, north = np.minimum.reduceat(edges[:, 2], starts), np.maximum.reduceat(edges[:, 4], starts)
    return np.vstack((west, south, east, north)).astype(np.int32)


def _table_of(fences: Iterable[Geofence], first_row: int) -> NDArray[np.int64]:
    tables = [edges_of(row, rings_of(fence)) for row, fence in enumerate(fences, first_row)]
    return np.concatenate(tables) if tables else _NO_EDGES
