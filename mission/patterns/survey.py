"""All of an area is seen: boustrophedon decomposition at the angle that is flown soonest, round zones and through holes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from mission.patterns.clear import in_short_order
from mission.patterns.mending import mended, unseen
from mission.patterns.strips import Lines, Turned, lines_of, swaths_of
from mission.patterns.transit import Ways, ways_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MOST_UNSEEN_RATIO: Final = 0.0008
"""So much of an area may stay unseen at the corners of turns (of strips that overlap, nothing does)."""
_INSET_SHARE: Final = 0.6
_ANGLE_STEP_DEG: Final = 15.0
_ANGLES_FLOWN: Final = 3
_ANGLES_APART_DEG: Final = 1.0
_LEAST_AREA_M2: Final = 1e-3

Seconds = Callable[[Floats], float]
"""How long a way through places (n, 2) takes."""


@dataclass(frozen=True)
class Survey:
    """Places (n, 2) of a line from which the area is seen; `left_out_m2` of it is closed air or cannot be reached."""

    places: Floats
    angle_deg: float
    unseen_m2: float
    left_out_m2: float


def survey(area: Any, closed: Any, *, swath_m: float, seconds: Seconds) -> Survey:  # noqa: ANN401 - shapely has no types
    """Return the line that sees all of `area` (a polygon with holes, metres in a plane) in the fewest seconds.

    Each place of the line sees half a swath around it; it keeps out of `closed` (no-fly zones), but flies over holes of the
    area itself, which need not be seen. Strips are cut at several angles; those that look best are ordered and flown out,
    and the one that takes the fewest seconds (turns and wind included) is returned. What stays unseen is at most 0.0008 of
    the area, unless it cannot be reached. Raises InputError where nothing is left to see, or it is too large for its swaths.
    """
    ways = ways_of(closed)
    free = shapely.difference(area, ways.kept_off) if not closed.is_empty else area
    if free.area < _LEAST_AREA_M2:
        message = f"of the {area.area:.0f} m2 asked for nothing lies in open air: move the area or the no-fly zones"
        raise InputError(message)
    tried = [_flown(free, ways, angle, swath_m) for angle in _promising(free, swath_m, seconds)]
    usable = [one for one in tried if len(one.places)]
    if not usable:
        raise _unreachable(area)
    best = min(usable, key=lambda one: seconds(one.places))
    back = best.places[::-1]
    places = back if seconds(back) < seconds(best.places) else best.places
    missed_m2 = float(unseen(free, places, swath_m / 2.0).area)
    left_out_m2 = max(float(area.area - free.area), 0.0)
    return Survey(places, best.angle_deg, missed_m2, left_out_m2)


def _promising(free: Any, swath_m: float, seconds: Seconds) -> list[float]:  # noqa: ANN401 - shapely has no types
    """Return the angles whose lines and turns alone take the fewest seconds, the best first."""
    costs = sorted((_rough_s(free, angle, swath_m, seconds), angle) for angle in _angles(free))
    return [angle for _, angle in costs[:_ANGLES_FLOWN]]


def _angles(free: Any) -> list[float]:  # noqa: ANN401 - shapely has no types
    """Return the bearings (0..180) that are tried: those of long borders, and all round in steps."""
    found: list[float] = []
    edges = [_edges(part) for part in shapely.get_parts(free)]
    way = np.concatenate(edges)
    longest = way[np.argsort(-np.hypot(*way.T), kind="stable")[:12]]
    bearings = np.degrees(np.arctan2(longest[:, 0], longest[:, 1])) % 180.0
    for angle in [*bearings.tolist(), *np.arange(0.0, 180.0, _ANGLE_STEP_DEG).tolist()]:
        if all(min(abs(angle - other), 180.0 - abs(angle - other)) > _ANGLES_APART_DEG for other in found):
            found.append(float(angle))
    return found


def _edges(part: Any) -> Floats:  # noqa: ANN401 - shapely has no types
    hull = shapely.get_coordinates(part.convex_hull.exterior)
    border = shapely.get_coordinates(part.exterior)
    return np.concatenate((np.diff(border, axis=0), np.diff(hull, axis=0)))


def _lines(free: Any, turned: Turned, swath_m: float) -> Lines:  # noqa: ANN401 - shapely has no types
    """Cut the strips; their lines end so far before the border that all their corners together leave a part of what may be."""
    area = shapely.transform(free, turned.there)
    half_m = swath_m / 2.0
    first = lines_of(area, half_m=half_m, inset_m=0.0)
    corner_m2 = _INSET_SHARE * MOST_UNSEEN_RATIO * free.area / max(2 * len(first.low), 1)
    inset_m = min((6.0 * half_m * corner_m2) ** (1.0 / 3.0), half_m / 2.0)
    return lines_of(area, half_m=half_m, inset_m=inset_m)


def _rough_s(free: Any, angle_deg: float, swath_m: float, seconds: Seconds) -> float:  # noqa: ANN401 - as above
    turned = Turned(angle_deg)
    lines = lines_of(shapely.transform(free, turned.there), half_m=swath_m / 2.0, inset_m=0.0)
    back = (np.arange(len(lines.low)) % 2).astype(bool)
    enter, leave = np.where(back, lines.high, lines.low), np.where(back, lines.low, lines.high)
    places = np.stack((np.column_stack((lines.across, enter)), np.column_stack((lines.across, leave))), axis=1)
    return seconds(turned.back(places.reshape(-1, 2)))


def _flown(free: Any, ways: Ways, angle_deg: float, swath_m: float) -> Survey:  # noqa: ANN401 - as above
    turned = Turned(angle_deg)
    swaths = swaths_of(_lines(free, turned, swath_m), turned, ways)
    places = (
        in_short_order(swaths, ways)
        if swaths
        else np.asarray([shapely.get_coordinates(free.representative_point())[0]])
    )
    places = mended(free, places, ways, half_m=swath_m / 2.0, most_m2=MOST_UNSEEN_RATIO * free.area)
    return Survey(places, angle_deg, 0.0, 0.0)


def _unreachable(area: Any) -> InputError:  # noqa: ANN401 - shapely has no types
    return InputError(f"of the {area.area:.0f} m2 asked for nothing can be reached: no-fly zones shut it in")
