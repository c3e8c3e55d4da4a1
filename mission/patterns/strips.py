"""The strips into which an area is cut across one direction, and in each the shortest line from which all of it is seen."""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from mission.patterns.clear import open_pieces
from mission.patterns.flown import Shape, length_m
from mission.patterns.transit import Ways
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MOST_STRIPS: Final = 2_000
_GRID_M: Final = 1e-4
_EDGE_SHARE: Final = 0.02
"""So much of a strip at both of its edges joins no parts: what hangs together there alone is not flown through."""
_LEAST_PART_M2: Final = 1e-6
_DETOUR: Final = 2.5
"""A line that a zone cuts goes on behind it when the way round is not longer than so many times the straight one."""


@dataclass(frozen=True)
class Turned:
    """A turn of the plane after which lines are flown along its second axis; `angle_deg` is their bearing."""

    angle_deg: float

    def there(self, places: Floats) -> Floats:
        """Return places (n, 2) in turned axes: across the lines, along them."""
        sine, cosine = np.sin(np.radians(self.angle_deg)), np.cos(np.radians(self.angle_deg))
        turned: Floats = places @ np.array([[cosine, sine], [-sine, cosine]])
        return turned

    def back(self, places: Floats) -> Floats:
        """Return places (n, 2) of turned axes in the plane."""
        sine, cosine = np.sin(np.radians(self.angle_deg)), np.cos(np.radians(self.angle_deg))
        plain: Floats = places @ np.array([[cosine, -sine], [sine, cosine]])
        return plain


@dataclass(frozen=True)
class Lines:
    """The lines of all strips: `across` (n,), `low` and `high` (n,) along, in turned axes; `strip` (n,) counts from 0."""

    across: Floats
    low: Floats
    high: Floats
    strip: NDArray[np.intp]


def lines_of(area: Shape, *, half_m: float, inset_m: float) -> Lines:
    """Return the lines of an area that is given in turned axes; each sees `half_m` around itself.

    Strips are as wide as fits a whole number of them. A line reaches as far as the farthest corner of its part of the strip
    asks for: who comes to (u, v) across and along is seen from v -+ sqrt(half^2 - u^2) on, so that it ends short of the border
    where strips overlap; corners of full strips are left unseen by so much as ends `inset_m` before them leave.
    Raises InputError for more than 2,000 strips.
    """
    area = shapely.set_precision(area, _GRID_M)  # turned borders that nearly meet may cross by a rounding
    west, _, east, _ = shapely.bounds(area)
    count = max(1, ceil((east - west) / (2.0 * half_m) - 1e-9))
    if count > MOST_STRIPS:
        message = (
            f"the area is {east - west:.0f} m wide and a line sees {2 * half_m:.1f} m: that is {count} lines, allowed are "
            f"{MOST_STRIPS}; fly higher, ask for a coarser picture or divide the area"
        )
        zh = f"区域宽 {east - west:.0f} m，一条航线可见 {2 * half_m:.1f} m：共 {count} 条，上限 {MOST_STRIPS}；飞高些、放宽清晰度，或分区"
        raise InputError(message, zh)
    edges = np.linspace(west, east, count + 1)
    parts, strip = _parts(area, edges)
    corners, part = shapely.get_coordinates(parts, return_index=True)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    left = np.minimum.reduceat(corners[:, 0], starts)
    right = np.maximum.reduceat(corners[:, 0], starts)
    across = (left + right) / 2.0
    off = (corners[:, 0] - across[part]) / (1.0 - 2.0 * _EDGE_SHARE)
    reach = np.sqrt(np.maximum(half_m**2 + inset_m**2 - off**2, 0.0))
    high = np.maximum.reduceat(corners[:, 1] - reach, starts)
    low = np.minimum.reduceat(corners[:, 1] + reach, starts)
    middle = (high + low) / 2.0
    is_point = high < low
    return Lines(across, np.where(is_point, middle, low), np.where(is_point, middle, high), strip)


def _parts(area: Shape, edges: Floats) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the polygons of an area between neighbouring edges, and the number of the strip of each."""
    _, south, _, north = shapely.bounds(area)
    margin = _EDGE_SHARE * (edges[1] - edges[0])
    boxes = shapely.box(edges[:-1] + margin, south - 1.0, edges[1:] - margin, north + 1.0)
    parts, strip = shapely.get_parts(shapely.intersection(boxes, area), return_index=True)
    is_area = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > _LEAST_PART_M2)
    return parts[is_area], strip[is_area]


def swaths_of(lines: Lines, turned: Turned, ways: Ways) -> list[Floats]:
    """Return the swaths, each (k, 2) places in the plane, k >= 2: lines, led round zones where that is near.

    A line of which a zone leaves pieces is one swath where the way round is short, else several; a zone's inside has none.
    """
    low = turned.back(np.column_stack((lines.across, lines.low)))
    high = turned.back(np.column_stack((lines.across, lines.high)))
    if ways.closed.is_empty:
        return list(np.stack((low, high), axis=1))
    free = shapely.linestrings(np.stack((low, high), axis=1))
    is_cut = shapely.intersects(ways.closed, free) | ~ways.sees(low, high)
    return [
        swath
        for line, first, last, cut in zip(free, low, high, is_cut, strict=True)
        for swath in (_led_round(line, ways) if cut else [np.stack((first, last))])
    ]


def _led_round(line: Shape, ways: Ways) -> list[Floats]:
    if line.length == 0.0:
        return []
    swaths: list[Floats] = []
    for piece in open_pieces(shapely.get_coordinates(line), ways):
        between = ways.way(swaths[-1][-1], piece[0]) if swaths else None
        if between is not None and length_m(between) <= _DETOUR * np.hypot(*(piece[0] - swaths[-1][-1])):
            swaths[-1] = np.concatenate((swaths[-1], between[1:-1], piece))
        else:
            swaths.append(piece)
    return swaths
