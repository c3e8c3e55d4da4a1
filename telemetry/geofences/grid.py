"""One immutable grid over many fences: which of them hold which places, in a handful of numpy calls however many places."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.raster import rasterise
from telemetry.geofences.spread import Rows, first_of_runs, spread

TILE_BITS: Final = 4
TILE_CELLS: Final = 1 << (2 * TILE_BITS)
"""Cells are kept in tiles of 16 x 16, found by a hash; within a tile by their number."""
_LOCAL: Final = (1 << TILE_BITS) - 1
_EAST_OFFSET: Final = 1_800_000_000
_NORTH_OFFSET: Final = 900_000_000
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_FREE: Final = -1
_LOAD: Final = 8
CHUNK: Final = 32_768
"""So many places are asked at once, that what is made on the way stays small."""
WIDE_E7: Final = 60_000_000
"""6 degrees: twice the square of it still fits 53 bits."""


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a raster, ordered so that a place finds those that it lies in. Made by `grid_of`.

    `levels` are the grids in use, a column; a hash of `shift` bits finds tiles: `keys` and `tiles` by slot. Cell c of tile t has
    the entries [starts[t * 256 + c], starts[t * 256 + c + 1]), those before `borders` fully inside, the others with edges: `fence`, `parity`, and edges [edge_first, + edge_count), each a row of
    `edges`: its lower end and what lies between it and the upper end (x, y, dx, dy). `is_wide`: products need whole numbers.
    """

    fence_count: int
    levels: NDArray[np.int64]
    shift: int
    keys: NDArray[np.int64]
    tiles: NDArray[np.int32]
    starts: NDArray[np.int32]
    borders: NDArray[np.int32]
    fence: NDArray[np.int64]
    parity: NDArray[np.int8]
    edge_first: NDArray[np.int32]
    edge_count: NDArray[np.int32]
    edges: NDArray[np.int32]
    is_wide: bool

    @property
    def size_bytes(self) -> int:
        """What the grid holds of memory."""
        return sum(column.nbytes for column in msgspec.structs.astuple(self) if isinstance(column, np.ndarray))


def grid_of(table: NDArray[np.int64], fence_count: int) -> Grid:
    """Return the grid of fences numbered from 0, whose edges (`raster.edges_of`) stand in `table`, ordered by fence."""
    if not len(table):
        return _EMPTY
    raster = rasterise(table)
    levels = np.unique(raster.level)
    key, local = _tile_of(raster.level, raster.col, raster.row)
    order = np.lexsort((raster.edge_count > 0, key * TILE_CELLS + local))
    key, local = key[order], local[order]
    tile = np.cumsum(first_of_runs(key)) - 1
    names = key[first_of_runs(key)]
    cell = tile * TILE_CELLS + local
    counts = np.bincount(cell, minlength=len(names) * TILE_CELLS)
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    full = np.bincount(cell[raster.edge_count[order] == 0], minlength=len(counts))
    shift, keys, tiles = _hashed(names)
    edges = raster.edges
    return Grid(
        fence_count=fence_count,
        levels=levels[:, None],
        shift=shift,
        keys=keys,
        tiles=tiles,
        starts=starts,
        borders=starts[:-1] + full.astype(np.int32),
        fence=raster.fence[order],
        parity=raster.parity[order].astype(np.int8),
        edge_first=raster.edge_first[order].astype(np.int32),
        edge_count=raster.edge_count[order].astype(np.int32),
        edges=np.column_stack((edges.x1, edges.y1, edges.x2 - edges.x1, edges.y2 - edges.y1)).astype(np.int32),
        is_wide=_is_wide(table),
    )


def entries_of_cells(grid: Grid, level: Rows, col: Rows, row: Rows) -> tuple[Rows, Rows]:
    """Return pairs of a cell's number and an entry in it, of cells named by level, column and row."""
    cell = _cells_at(grid, level, col, row)
    held = (cell >= 0).nonzero()[0]
    owner, entry = _entries_in(grid, cell[held])
    return held[owner], entry


def _entries_in(grid: Grid, cell: NDArray[np.int64]) -> tuple[Rows, Rows]:
    first = grid.starts[cell]
    return spread(first, grid.starts[cell + 1] - first)


def inside(grid: Grid, lon_e7: NDArray[Any], lat_e7: NDArray[Any]) -> tuple[Rows, Rows]:
    """Return pairs (place, fence) of places that lie in a fence or on its border, in no order. Exact."""
    lon, lat = np.asarray(lon_e7, np.int64), np.asarray(lat_e7, np.int64)
    if len(lon) <= CHUNK:
        return _inside(grid, lon, lat)
    parts = []
    order = _by_neighbourhood(lon, lat)
    for start in range(0, len(lon), CHUNK):
        chunk = order[start : start + CHUNK]
        place, fence = _inside(grid, lon[chunk], lat[chunk])
        parts.append((chunk[place], fence))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _by_neighbourhood(lon: NDArray[np.int64], lat: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return an order of places in which neighbours (some 360 m) stand together: their cells then lie together in memory."""
    return np.argsort((((lat >> 15) & 255) << 8 | (lon >> 15) & 255).astype(np.uint16), kind="stable")


def _inside(grid: Grid, lon: NDArray[np.int64], lat: NDArray[np.int64]) -> tuple[Rows, Rows]:
    levels = grid.levels
    cell = _cells_at(grid, levels, lon >> levels, lat >> levels)
    held = (cell >= 0).nonzero()
    cell, place = cell[held], held[1]
    first, border, end = grid.starts.take(cell), grid.borders.take(cell), grid.starts.take(cell + 1)
    owner, entry = spread(first, border - first)
    full_place, full_fence = place.take(owner), grid.fence.take(entry)
    owner, entry = spread(border, end - border)
    if not len(entry):
        return full_place, full_fence
    asked = place.take(owner)
    held_there = _holds(grid, entry, lon.take(asked), lat.take(asked)).nonzero()[0]
    return (
        np.concatenate((full_place, asked.take(held_there))),
        np.concatenate((full_fence, grid.fence.take(entry.take(held_there)))),
    )


def _holds(grid: Grid, entry: Rows, lon: NDArray[np.int64], lat: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of each entry that has edges, and a place in its cell, whether the fence holds the place."""
    count = grid.edge_count.take(entry)
    owner, edge = spread(grid.edge_first.take(entry), count)
    x1, y1, run, rise = grid.edges.take(edge, axis=0).T
    east, north = lon.astype(np.int32).take(owner) - x1, lat.astype(np.int32).take(owner) - y1
    exact = np.int64 if grid.is_wide else np.float64
    side = run * north.astype(exact) - rise * east.astype(exact)
    crosses = (side < 0) & (north >= 0) & (north < rise)
    crossed = crosses.cumsum(dtype=np.int32)[count.cumsum() - 1]
    crossed[1:] -= crossed[:-1].copy()
    holds: NDArray[np.bool_] = ((crossed + grid.parity.take(entry)) & 1) == 1
    touched = (side == 0).nonzero()[0]
    if len(touched):
        x, y = east[touched], north[touched]
        on = (y >= 0) & (y <= rise[touched]) & (x >= np.minimum(run[touched], 0)) & (x <= np.maximum(run[touched], 0))
        holds[owner[touched[on]]] = True
    return holds


def _cells_at(grid: Grid, level: NDArray[Any], col: NDArray[Any], row: NDArray[Any]) -> NDArray[np.int64]:
    """Return where in `starts` each cell stands, -1 for cells of tiles that no fence touches."""
    key, local = _tile_of(level, col, row)
    slot = ((key.view(np.uint64) * _MIX) >> np.uint64(grid.shift)).view(np.int64)
    found = grid.keys[slot]
    tile = grid.tiles[slot]
    astray = (found != key).nonzero()
    if len(astray[0]):
        tile[astray] = _tiles_further(grid, key[astray], slot[astray])
    cell: NDArray[np.int64] = tile * np.int64(TILE_CELLS) + local
    cell[tile < 0] = -1
    return cell


def _tiles_further(grid: Grid, key: NDArray[np.int64], slot: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the tiles of keys that are not in the slots where they belong: in one of the next, or nowhere."""
    tile = np.full(len(key), _FREE, np.int32)
    asked = np.flatnonzero(grid.keys[slot] != _FREE)
    while len(asked):
        slot[asked] = (slot[asked] + 1) % len(grid.keys)
        found = grid.keys[slot[asked]]
        hit = found == key[asked]
        tile[asked[hit]] = grid.tiles[slot[asked[hit]]]
        asked = asked[~hit & (found != _FREE)]
    return tile


def _is_wide(table: NDArray[np.int64]) -> bool:
    """Tell whether some fence is so wide that products of its coordinates do not fit a float's 53 bits."""
    starts = np.flatnonzero(first_of_runs(table[:, 0]))
    spans = [
        np.maximum.reduceat(np.maximum(table[:, one], table[:, other]), starts)
        - np.minimum.reduceat(np.minimum(table[:, one], table[:, other]), starts)
        for one, other in ((1, 3), (2, 4))
    ]
    return bool(max(span.max() for span in spans) >= WIDE_E7)


def _tile_of(level: NDArray[Any], col: NDArray[Any], row: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the key of a cell's tile and its number therein."""
    key = (level << 56) | (((row >> TILE_BITS) + (1 << 27)) << 28) | ((col >> TILE_BITS) + (1 << 27))
    return key, ((row & _LOCAL) << TILE_BITS) | (col & _LOCAL)


def _hashed(names: NDArray[np.int64]) -> tuple[int, NDArray[np.int64], NDArray[np.int32]]:
    """Return the hash's shift, its keys (-1: free) and tiles by slot; a taken slot's name goes to the next free one."""
    bits = max(4, int(np.ceil(np.log2(_LOAD * len(names)))))
    shift = 64 - bits
    keys = np.full(1 << bits, _FREE, np.int64)
    tiles = np.full(1 << bits, _FREE, np.int32)
    slots = (names.astype(np.uint64) * _MIX) >> np.uint64(shift)
    waiting = np.arange(len(names))
    while len(waiting):
        wanted = slots[waiting]
        free = np.flatnonzero(keys[wanted] == _FREE)
        _, first = np.unique(wanted[free], return_index=True)
        winners = free[first]
        keys[wanted[winners]] = names[waiting[winners]]
        tiles[wanted[winners]] = waiting[winners]
        waiting = np.delete(waiting, winners)
        slots[waiting] = (slots[waiting] + np.uint64(1)) % np.uint64(len(keys))
    return shift, keys, tiles


_EMPTY: Final = Grid(
    fence_count=0,
    levels=np.zeros((0, 1), np.int64),
    shift=60,
    keys=np.full(16, _FREE, np.int64),
    tiles=np.full(16, _FREE, np.int32),
    starts=np.zeros(2, np.int32),
    borders=np.zeros(1, np.int32),
    fence=np.zeros(0, np.int64),
    parity=np.zeros(0, np.int8),
    edge_first=np.zeros(0, np.int32),
    edge_count=np.zeros(0, np.int32),
    edges=np.zeros((0, 4), np.int32),
    is_wide=False,
)
