"""An area parted into limbs, each flown in a direction of its own: the arms of an L or a U along their length."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import shapely
from shapely.ops import split

from mission.patterns.flown import Shape
from telemetry.model.geodesy import Floats

Limb = tuple[Shape, float]
"""A part of an area and the bearing of its lines, degrees."""
_MOST_BENDS: Final = 4
_MOST_CUTS: Final = 3
_ANGLES_OF_LIMB: Final = 3
_ANGLES_APART_DEG: Final = 5.0
_LEAST_GAIN_RATIO: Final = 0.02
_LEAST_LIMB_SWATHS2: Final = 6.0
_LEAST_BEND_RAD: Final = 0.3
_FAR_FACTOR: Final = 4.0


def limbs_of(area: Shape, swath_m: float, lines_s: Callable[[Shape, float], float]) -> list[Limb]:
    """Return the limbs of an area that are flown sooner one by one, each with its angle; empty where none are.

    Cuts go on from borders that meet in a corner which points inward; the best cut is made, and the limbs are cut again, as
    long as `lines_s(limb, angle_deg)`, the seconds of its lines, falls by 2 %. About 1 ms for each angle tried.
    """
    if area.geom_type != "Polygon":
        return []
    limbs = [_best_angle(area, lines_s)]
    for _ in range(_MOST_CUTS):
        tried = [
            [*limbs[:number], *parts, *limbs[number + 1 :]]
            for number, (limb, _) in enumerate(limbs)
            for parts in _parted(limb[0], swath_m, lines_s)
        ]
        best = min(tried, key=_seconds_of, default=limbs)
        if _seconds_of(best) >= _seconds_of(limbs) * (1.0 - _LEAST_GAIN_RATIO):
            break
        limbs = best
    return [limb for limb, _ in limbs] if len(limbs) > 1 else []


def _seconds_of(limbs: list[tuple[Limb, float]]) -> float:
    return sum(cost for _, cost in limbs)


def _parted(area: Shape, swath_m: float, lines_s: Callable[[Shape, float], float]) -> list[list[tuple[Limb, float]]]:
    """Return an area cut in two or more in each way that is tried, each part with its best angle and seconds."""
    found = []
    for cut in _cuts(area):
        parts = [part for part in split(area, cut).geoms if part.area > 0.0]
        if len(parts) > 1 and min(part.area for part in parts) >= _LEAST_LIMB_SWATHS2 * swath_m**2:
            found.append([_best_angle(part, lines_s) for part in parts])
    return found


def _best_angle(area: Shape, lines_s: Callable[[Shape, float], float]) -> tuple[Limb, float]:
    cost, angle = min((lines_s(area, angle), angle) for angle in longest_bearings(area, _ANGLES_OF_LIMB))
    return (area, angle), cost


def longest_bearings(area: Shape, most: int) -> list[float]:
    """Return the bearings (0..180 degrees) of the longest borders that differ by 5 degrees or more."""
    found: list[float] = []
    way = np.diff(shapely.get_coordinates(area.exterior), axis=0)
    for row in np.argsort(-np.hypot(*way.T), kind="stable"):
        angle = float(np.degrees(np.arctan2(way[row, 0], way[row, 1])) % 180.0)
        if not is_near(angle, found, _ANGLES_APART_DEG):
            found.append(angle)
    return found[:most]


def is_near(angle_deg: float, others_deg: Sequence[float], apart_deg: float) -> bool:
    """Tell whether a line's bearing is one of others, directions and their opposites being alike."""
    return any(abs((angle_deg - other + 90.0) % 180.0 - 90.0) <= apart_deg for other in others_deg)


def _cuts(area: Shape) -> list[Shape]:
    """Return the lines that go on from the borders at the corners that point inward most."""
    ring = shapely.get_coordinates(shapely.orient_polygons(area).exterior)[:-1]
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    turn_rad = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
    west, south, east, north = area.bounds
    far_m = _FAR_FACTOR * (east - west + north - south)
    inward = [int(row) for row in np.argsort(turn_rad, kind="stable")[:_MOST_BENDS] if turn_rad[row] < -_LEAST_BEND_RAD]
    return [_onward(area, ring[row], way, far_m) for row in inward for way in (before[row], -after[row])]


def _onward(area: Shape, corner: Floats, way: Floats, far_m: float) -> Shape:
    """Return the line from a corner on, as far as it stays in the area for the first time."""
    ray = shapely.LineString([corner - 1e-6 * way, corner + way * (far_m / max(float(np.hypot(*way)), 1e-9))])
    inside = [part for part in shapely.get_parts(ray.intersection(area)) if part.length > 1e-3]
    first = min(inside, key=lambda part: part.distance(shapely.Point(corner)), default=shapely.LineString())
    return _lengthened(first)


def _lengthened(line: Shape) -> Shape:
    """Return a straight line a little longer at both ends, so that it cuts what it ends at."""
    if line.is_empty:
        return line
    ends = shapely.get_coordinates(line)[[0, -1]]
    more = (ends[1] - ends[0]) / max(float(line.length), 1e-9) * 1e-3
    return shapely.LineString([ends[0] - more, ends[1] + more])
