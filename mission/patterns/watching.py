"""Patterns that look at a place: a circle round it with the camera on it, a stand over it, viewpoints from which all is seen."""

from math import ceil, pi, sqrt
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from mission.patterns.asked import Asked
from mission.patterns.clear import in_order, open_pieces
from mission.patterns.flown import Pattern, Shape
from mission.patterns.footprint import seen_length_m, slant, tilt_to_deg
from mission.patterns.order import tour_of
from mission.patterns.transit import Ways
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

_ARROW_M: Final = 1.0
"""A circle is flown as a polygon whose sides stay so near to it."""
_FEWEST_SIDES, _MOST_SIDES = 8, 36
_MOST_ROUNDS: Final = 20
_VIEWS: Final = 4
_MOST_VIEWPOINTS: Final = 1_000
_COMB_RATIO: Final = 0.98
"""Cells of a honeycomb are so much smaller than what is seen from their middles, so that no gap is left between three."""


def orbit(asked: Asked) -> Pattern:
    """Return a circle round a place, clockwise, the camera on it: `width_m` is its radius, usual is the height.

    It is flown as often as the dwell asks for (at most 20 times); where a zone cuts it, a way round the zone is flown, and where
    all of it is closed the place is watched from the nearest open one.
    """
    middle, radius_m = _middle(asked.shape), asked.task.width_m or asked.alt_agl_m
    sides = int(np.clip(ceil(pi / np.arccos(max(1.0 - _ARROW_M / radius_m, 0.0))), _FEWEST_SIDES, _MOST_SIDES))
    ring = around(middle, radius_m, sides)
    lap = in_order(open_pieces(np.concatenate((ring, ring[:1])), asked.ways), asked.ways)
    if not len(lap):
        return hold(asked)
    lap_s = float(
        asked.legs_s(in_order([lap] * 2, asked.ways)).sum() - asked.legs_s(lap).sum()
    )  # it stops at the last's end
    rounds = min(max(1, ceil(asked.task.dwell_s / max(lap_s, 1.0))), _MOST_ROUNDS)
    places = in_order([lap] * rounds, asked.ways)
    return _gazing(asked, places, middle, np.zeros(len(places)), radius_m)


def hold(asked: Asked) -> Pattern:
    """Return one place over what is looked at, stood at for the dwell; where that is closed, the nearest open one, aslant."""
    middle = _middle(asked.shape)
    place = nearest_open(middle, asked.ways)
    away_m = float(np.hypot(*(middle - place)))
    hold_s = np.array([asked.task.dwell_s])
    if away_m == 0.0:
        return asked.flown(place[None, :], hold_s=hold_s)
    return _gazing(asked, place[None, :], middle, hold_s, away_m)


def viewpoints(asked: Asked) -> Pattern:
    """Return places to stop at: four round a point, the camera on it; so many over an area or a line that all is seen."""
    if asked.shape.geom_type == "Point":
        middle, radius_m = _middle(asked.shape), asked.task.width_m or asked.alt_agl_m
        wanted = around(middle, radius_m, _VIEWS)
        open_now = np.array([nearest_open(place, asked.ways) for place in wanted])
        places, is_stop = _visited(open_now, asked.ways)
        hold_s = np.where(is_stop, asked.task.dwell_s / max(int(is_stop.sum()), 1), 0.0)
        return _gazing(asked, places, middle, hold_s, radius_m)
    half_m = (
        min(asked.seen_m, seen_length_m(asked.camera, asked.alt_agl_m)) / 2.0 * (1.0 - asked.task.side_overlap_ratio)
    )
    stands = _stands(asked.shape, half_m, asked.ways)
    places, is_stop = _visited(stands, asked.ways)
    hold_s = np.where(is_stop, max(asked.task.dwell_s, asked.camera.least_interval_s), 0.0)
    seen = shapely.union_all(shapely.buffer(shapely.points(stands), half_m))
    left_out_m2 = float(asked.shape.difference(seen).area)
    return asked.flown(places, hold_s=hold_s, footprint=seen, left_out_m2=left_out_m2)


def around(middle: Floats, radius_m: float, count: int) -> Floats:
    """Return `count` places (count, 2) on a circle, clockwise from north."""
    bearing = np.linspace(0.0, 2.0 * pi, count, endpoint=False)
    return np.asarray(middle + radius_m * np.column_stack((np.sin(bearing), np.cos(bearing))), np.float64)


def nearest_open(place: Floats, ways: Ways) -> Floats:
    """Return the place itself where its air is open, else the nearest that is."""
    point = shapely.Point(place)
    if ways.closed.is_empty or not ways.kept_off.intersects(point):
        return place
    return np.asarray(shapely.get_coordinates(shapely.shortest_line(point, ways.kept_off.boundary))[1], np.float64)


def _gazing(asked: Asked, places: Floats, middle: Floats, hold_s: Floats, away_m: float) -> Pattern:
    """Return a pattern that looks at `middle` from about `away_m`; seen is what the picture's height shows around it."""
    tilt_deg = 90.0 + tilt_to_deg(asked.alt_agl_m, away_m)
    sight = slant(asked.camera, asked.alt_agl_m, tilt_deg)
    half_m = min(sight.middle_m - sight.near_m, (sight.near_width_m + sight.far_width_m) / 4.0)
    return asked.flown(
        places,
        gaze=np.broadcast_to(middle, places.shape).copy(),
        hold_s=hold_s,
        footprint=shapely.Point(middle).buffer(half_m),
        gimbal_pitch_deg=tilt_to_deg(asked.alt_agl_m, away_m),
    )


def _middle(shape: Shape) -> Floats:
    middle = shape.centroid
    return np.array([middle.x, middle.y])


def _stands(shape: Shape, half_m: float, ways: Ways) -> Floats:
    """Return the places of a honeycomb whose circles together see all of a shape, moved out of closed air."""
    west, south, east, north = shape.bounds
    step_m = _COMB_RATIO * half_m
    across, along = step_m * sqrt(3.0), step_m * 1.5
    columns, rows = ceil((east - west) / across) + 2, ceil((north - south) / along) + 2
    if columns * rows > _MOST_VIEWPOINTS * 4:
        message = (
            f"{columns * rows} viewpoints of {half_m:.0f} m would be looked through: fly higher or survey the area"
        )
        raise InputError(message, f"需要查看 {columns * rows} 个 {half_m:.0f} m 的视点：飞高些，或改为测绘航线")
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(columns), np.arange(rows)))
    grid = np.column_stack((west + (column - 0.5 * (row % 2)) * across, south + row * along))
    meets = shapely.dwithin(shape, shapely.points(grid), half_m)
    return np.array([nearest_open(place, ways) for place in grid[meets]]).reshape(-1, 2)


def _visited(stops: Floats, ways: Ways) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the places of a short way by all stops (n, 2), and which of them are stops."""
    apart_m = np.repeat(np.repeat(ways.between(stops), 2, axis=0), 2, axis=1)
    in_turn = stops[tour_of(apart_m).ends[::2] // 2]
    places, is_stop = [in_turn[:1]], [np.array([True])]
    for stop in in_turn[1:]:
        way = ways.way(places[-1][-1], stop)
        if way is not None:
            places.append(way[1:])
            is_stop.append(np.arange(len(way) - 1) == len(way) - 2)
    return np.concatenate(places), np.concatenate(is_stop)
