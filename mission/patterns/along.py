"""Patterns along lines: a corridor with its width, once round a border, a net of streets."""

from math import ceil

import numpy as np
import shapely

from mission.patterns.asked import Asked
from mission.patterns.clear import in_order, in_short_order, open_pieces
from mission.patterns.flown import Pattern, Shape
from mission.patterns.mending import mended
from mission.patterns.survey import MOST_UNSEEN_RATIO
from telemetry.model.geodesy import Floats


def corridor(asked: Asked) -> Pattern:
    """Return the flight along lines: so many parallel ones, to and fro, as the width asks for."""
    asked.must_be("LineString", "MultiLineString")
    width_m = asked.task.width_m or asked.swath_m
    lines = [line for line in shapely.get_parts(asked.shape) if line.length > 0.0]
    curves = [curve for line in lines for off in _offsets_m(width_m, asked.swath_m) for curve in _beside(line, off)]
    wanted = asked.shape.buffer(width_m / 2.0, cap_style="flat")
    return _flown_along(asked, curves, wanted)


def perimeter(asked: Asked) -> Pattern:
    """Return the flight once round a polygon's outer border, on as many rings as the width asks for."""
    asked.must_be("Polygon", "MultiPolygon")
    width_m = asked.task.width_m or asked.swath_m
    outlines = [shapely.Polygon(part.exterior) for part in shapely.get_parts(asked.shape)]
    rings = [
        shapely.get_coordinates(part.exterior)
        for outline in outlines
        for off in _offsets_m(width_m, asked.swath_m)
        for part in shapely.get_parts(outline.buffer(off, join_style="mitre") if off else outline)
        if not part.is_empty
    ]
    half_m = width_m / 2.0
    inside = [outline.buffer(-half_m, join_style="mitre") for outline in outlines]
    outside = [outline.buffer(half_m) for outline in outlines]
    return _flown_along(asked, rings, shapely.union_all(outside).difference(shapely.union_all(inside)))


def streets(asked: Asked) -> Pattern:
    """Return the flight along all lines of a net, each once, with short ways between them."""
    asked.must_be("LineString", "MultiLineString")
    merged = shapely.line_merge(asked.shape) if asked.shape.geom_type == "MultiLineString" else asked.shape
    lines = [shapely.get_coordinates(line) for line in shapely.get_parts(merged) if line.length > 0.0]
    pieces = [piece for line in lines for piece in open_pieces(line, asked.ways)]
    return asked.flown(in_short_order(pieces, asked.ways))


def _flown_along(asked: Asked, curves: list[Floats], wanted: Shape) -> Pattern:
    pieces = [piece for curve in curves for piece in open_pieces(curve, asked.ways)]
    places = in_order(pieces, asked.ways) if len(curves) == 1 else in_short_order(pieces, asked.ways)
    free = wanted.difference(asked.ways.kept_off)
    if len(places):
        most_m2 = MOST_UNSEEN_RATIO * free.area
        places = mended(free, places, asked.ways, half_m=asked.swath_m / 2.0, most_m2=most_m2)
    return asked.flown(places, left_out_m2=float(wanted.area - free.area))


def _offsets_m(width_m: float, swath_m: float) -> list[float]:
    """Return how far from the middle lines lie so that their swaths see the width."""
    count = max(1, ceil(width_m / swath_m - 1e-9))
    return [(number - (count - 1) / 2.0) * width_m / count for number in range(count)]


def _beside(line: Shape, off_m: float) -> list[Floats]:
    if off_m == 0.0:
        return [shapely.get_coordinates(line)]
    curve = shapely.offset_curve(line, off_m, join_style="mitre")
    found = [shapely.get_coordinates(part) for part in shapely.get_parts(curve)]
    return [np.asarray(part, np.float64) for part in found if len(part) > 1]
