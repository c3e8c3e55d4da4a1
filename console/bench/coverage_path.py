"""How long the line is from which all of an area is seen, against the bound that no line undercuts: rectangle, L, U, holes.

Each place of the line sees w / 2 = 12.5 m around it, so that no line shorter than (A - pi w^2 / 4) / w sees the area A (Steiner).
Holes are no-fly zones. What is unseen and what lies in a hole is measured by shapely, apart from the planner: the area less the
line's buffer of w / 2, and the line's intersection with the holes. `ms` is the CPU time of the slowest shape, the median over
the runs; the planner minimises the seconds of a usual drone, not the metres. With `geojson` the polygons of a file are measured
(WGS-84): rectangles, those of right angles without holes and those with holes stand in the figures of their like, `others` beside.
"""

import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import shapely
from shapely.geometry import shape

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms
from mission.model import Airframe
from mission.patterns.flown import Shape
from mission.patterns.legs import fly_s
from mission.patterns.survey import Survey, survey
from mission.patterns.transit import ways_of
from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import Floats, local_plane

SWATH_M: Final = 25.0
DRONE: Final = Airframe(airframe_id=1, name="a usual drone", dock_id=1)
BOUNDS: Final = {"rectangle": 1.06, "l_and_u": 1.10, "concave_holes": 1.18}
EXACT_SEGMENTS: Final = 64
RECTANGLE_RATIO: Final = 0.999
SHAPES: Final = {
    "rectangle": [shapely.box(0.0, 0.0, 500.0, 400.0)],
    "l_and_u": [
        shapely.Polygon([(0, 0), (600, 0), (600, 200), (250, 200), (250, 500), (0, 500)]),
        shapely.Polygon([(0, 0), (600, 0), (600, 500), (400, 500), (400, 200), (200, 200), (200, 500), (0, 500)]),
    ],
    "concave_holes": [
        shapely.Polygon(
            [(0, 0), (700, 0), (700, 500), (450, 500), (350, 300), (250, 500), (0, 500)],
            [
                [(100, 100), (200, 80), (220, 200), (120, 220)],
                [(450, 120), (560, 150), (540, 260), (430, 230)],
            ],
        )
    ],
}


@dataclass(frozen=True)
class Measured:
    """One shape: its line's length over the bound, what it leaves unseen of the area, its metres in holes, CPU time."""

    ratio: float
    flown_s: float
    unseen_ratio: float
    in_holes_m: float
    cpu_ms: float


def run(*, runs: int, seed: int, geojson: Path | None = None) -> Figures:  # noqa: ARG001 - nothing is drawn by lot
    """Measure the four shapes, or the polygons of a file."""
    shapes = SHAPES if geojson is None else _by_kind(_read(geojson))
    found = {kind: [measured(area, runs) for area in areas] for kind, areas in shapes.items() if areas}
    every = [one for some in found.values() for one in some]
    figures: dict[str, float | int | str | None] = {
        "shapes": "built in" if geojson is None else geojson.name,
        "polygons": len(every),
        **{kind: _worst_ratio(found.get(kind, [])) for kind in (*BOUNDS, "others")},
        "mean_ratio": round(statistics.fmean(one.ratio for one in every), 4),
        "uncovered_ratio": round(max(one.unseen_ratio for one in every), 6),
        "inside_no_fly_m": sum(one.in_holes_m for one in every),
        "flown_s": round(sum(one.flown_s for one in every)),
        "ms": round(max(one.cpu_ms for one in every), 1),
    }
    goals: dict[str, Goal] = {kind: ("<=", bound) for kind, bound in BOUNDS.items() if kind in found}
    goals |= {"uncovered_ratio": ("<=", 0.001), "inside_no_fly_m": ("<=", 0.0), "ms": ("<=", 500.0)}
    return Figures(figures=figures, goals=goals)


def measured(area: Shape, runs: int) -> Measured:
    """Measure one polygon in a plane, metres; its holes are no-fly zones."""
    holes = shapely.union_all([shapely.Polygon(ring) for ring in area.interiors])
    lines: list[Survey] = []
    times_ms = [cpu_ms(lambda: lines.append(_surveyed(area, holes))) for _ in range(runs)]
    line = shapely.LineString(lines[-1].places)
    unseen = area.difference(line.buffer(SWATH_M / 2.0, quad_segs=EXACT_SEGMENTS))
    bound_m = (area.area - math.pi * SWATH_M**2 / 4.0) / SWATH_M
    return Measured(
        ratio=line.length / bound_m if bound_m > 0.0 else math.inf,
        flown_s=float(_legs_s(lines[-1].places).sum()),
        unseen_ratio=unseen.area / area.area,
        in_holes_m=line.intersection(holes).length,
        cpu_ms=statistics.median(times_ms),
    )


def _surveyed(area: Shape, holes: Shape) -> Survey:
    ways_of.cache_clear()  # the graph of sight is part of what is measured
    return survey(area, holes, swath_m=SWATH_M, legs_s=_legs_s)


def _legs_s(places: Floats) -> Floats:
    return fly_s(places, DRONE)


def _worst_ratio(some: list[Measured]) -> float | None:
    return round(max(one.ratio for one in some), 4) if some else None


def _by_kind(areas: list[Shape]) -> dict[str, list[Shape]]:
    kinds: dict[str, list[Shape]] = {kind: [] for kind in (*BOUNDS, "others")}
    for area in areas:
        kinds[_kind(area)].append(area)
    return kinds


def _kind(area: Shape) -> str:
    if area.interiors:
        return "concave_holes"
    if area.area >= RECTANGLE_RATIO * shapely.minimum_rotated_rectangle(area).area:
        return "rectangle"
    way = np.diff(shapely.get_coordinates(area.exterior), axis=0)
    way /= np.hypot(*way.T)[:, None]
    across = np.abs((way * np.roll(way, 1, axis=0)).sum(axis=1))
    return "l_and_u" if (np.minimum(across, 1.0 - across) < 1.0 - RECTANGLE_RATIO).all() else "others"


def _read(path: Path) -> list[Shape]:
    """Return the polygons of a GeoJSON file, each in a plane of its own; FileFormatError where there is none or one is unsound."""
    try:
        found = msgspec.json.decode(path.read_bytes())
        items = found["features"] if found.get("type") == "FeatureCollection" else [found]
        shapes = [shape(item.get("geometry", item)) for item in items]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        message = f"{path} is no GeoJSON ({error}): give polygons, WGS-84"
        raise FileFormatError(message) from error
    areas = [part for one in shapes for part in shapely.get_parts(one) if part.geom_type == "Polygon"]
    if not areas or not all(area.is_valid and area.area > 0.0 for area in areas):
        message = f"{path} holds {len(areas)} polygons, or one that crosses itself: give sound polygons, WGS-84"
        raise FileFormatError(message)
    return [_in_plane(area) for area in areas]


def _in_plane(area: Shape) -> Shape:
    plane = local_plane(area.centroid.y, area.centroid.x)
    return shapely.transform(area, lambda lonlat: np.column_stack(plane.to_plane(lonlat[:, 1], lonlat[:, 0])))
