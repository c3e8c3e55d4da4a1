"""Ways between two fixes against borders: which fences a way may touch, when it crosses a border, how far a place is from one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import METRES_PER_E7
from telemetry.geofences.grid import entries_of_cells
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.raster import Ends, spans_of
from telemetry.geofences.spread import Rows

Floats = NDArray[np.float64]
FEW_WAYS: Final = 4
_FENCE_BITS: Final = 32


def fences_on(index: GeofenceIndex, ways: Ends) -> tuple[Rows, Rows]:
    """Return pairs (way, row of a fence) of fences in whose cells a way runs: all that it may touch, and some neighbours."""
    x1, y1, x2, y2 = ways
    if len(x1) <= FEW_WAYS:
        return _by_boxes(index, ways)
    swap = y1 > y2
    upward = (np.where(swap, x2, x1), np.where(swap, y2, y1), np.where(swap, x1, x2), np.where(swap, y1, y2))
    found = [np.zeros(0, np.int64)]
    for number, grid in enumerate(index.grids):
        for level in grid.levels.ravel().tolist():
            owner, row, west, east = spans_of(upward, np.full(len(x1), level, np.int64))
            cell, col = _columns(west, east)
            place, entry = entries_of_cells(grid, np.full(len(cell), level, np.int64), col, row[cell])
            fence = grid.fence[entry] + index.first_row(number)
            found.append(np.unique((owner[cell[place]] << _FENCE_BITS) | fence))
    pairs = np.unique(np.concatenate(found))
    way, fence = pairs >> _FENCE_BITS, pairs & ((1 << _FENCE_BITS) - 1)
    alive = index.alive[fence]
    return way[alive], fence[alive]


def _by_boxes(index: GeofenceIndex, ways: Ends) -> tuple[Rows, Rows]:
    """Return the same for few ways by looking at every fence's box: 10,000 of them cost less than walking the cells of one way."""
    west, south, east, north = index.boxes
    found = [
        np.flatnonzero(
            index.alive
            & (west <= max(x1, x2))
            & (east >= min(x1, x2))
            & (south <= max(y1, y2))
            & (north >= min(y1, y2))
        )
        for x1, y1, x2, y2 in zip(*(column.tolist() for column in ways), strict=True)
    ]
    counts = [len(fences) for fences in found]
    return np.arange(len(found)).repeat(counts), np.concatenate(found)


def _columns(west: Rows, east: Rows) -> tuple[Rows, Rows]:
    counts = east - west + 1
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) + (west - (np.cumsum(counts) - counts))[owner]


def crossings(index: GeofenceIndex, fence: Rows, ways: Ends) -> tuple[Floats, Floats]:
    """Return for pairs of a way and a fence the shares of the way at which it first and last meets the border; NaN: never."""
    owner, edges = index.edges_of(fence)
    x1, y1, x2, y2 = (column[owner].astype(np.float64) for column in ways)
    ex, ey = edges[:, 0].astype(np.float64), edges[:, 1].astype(np.float64)
    rx, ry, sx, sy = x2 - x1, y2 - y1, edges[:, 2] - ex, edges[:, 3] - ey
    bend = rx * sy - ry * sx
    with np.errstate(divide="ignore", invalid="ignore"):
        on_way = ((ex - x1) * sy - (ey - y1) * sx) / bend
        on_edge = ((ex - x1) * ry - (ey - y1) * rx) / bend
    met = (bend != 0) & (on_way >= 0) & (on_way <= 1) & (on_edge >= 0) & (on_edge <= 1)
    first, last = np.full(len(fence), np.inf), np.full(len(fence), -np.inf)
    np.minimum.at(first, owner[met], on_way[met])
    np.maximum.at(last, owner[met], on_way[met])
    never = np.isinf(first)
    first[never] = last[never] = np.nan
    return first, last


def border_distances_m(index: GeofenceIndex, fence: Rows, lon_e7: Rows, lat_e7: Rows) -> Floats:
    """Return the distance of each place from the border of its fence, on a flat earth about the place."""
    owner, edges = index.edges_of(fence)
    north_m = METRES_PER_E7
    east_m = north_m * np.cos(np.radians(lat_e7[owner] / 1e7))
    ax, ay = (edges[:, 0] - lon_e7[owner]) * east_m, (edges[:, 1] - lat_e7[owner]) * north_m
    bx, by = (edges[:, 2] - lon_e7[owner]) * east_m, (edges[:, 3] - lat_e7[owner]) * north_m
    sx, sy = bx - ax, by - ay
    share = np.clip(-(ax * sx + ay * sy) / np.maximum(sx * sx + sy * sy, 1e-12), 0.0, 1.0)
    nearest_m = np.full(len(fence), np.inf)
    np.minimum.at(nearest_m, owner, np.hypot(ax + share * sx, ay + share * sy))
    return nearest_m
