"""All of an area is seen: boustrophedon decomposition at the angle that is flown soonest, round zones and through holes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from mission.patterns.clear import in_short_order
from mission.patterns.flown import Shape, length_m
from mission.patterns.limbs import Limb, is_near, limbs_of
from mission.patterns.mending import mended, unseen
from mission.patterns.order import first_tour_of
from mission.patterns.strips import Lines, Turned, lines_of, swaths_of
from mission.patterns.transit import CLEAR_M, Ways, ways_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

MOST_UNSEEN_RATIO: Final = 0.0008
"""So much of an area may stay unseen at the corners of turns (of strips that overlap, nothing does)."""
_INSET_SHARE: Final = 0.6
_ANGLE_STEP_DEG: Final = 15.0
_ANGLES_CUT: Final = 10
_ANGLES_FLOWN: Final = 3
_ANGLES_APART_DEG: Final = 1.0
_LEAST_AREA_M2: Final = 1e-3
_GRID_M: Final = 1e-3
"""Borders are snapped to a millimetre: what is thinner is no area, and no rounding makes an unsound one of it."""
_KICKS: Final = 20
_MOST_KICKED: Final = 120

LegSeconds = Callable[[Floats], Floats]
"""How long the legs (n - 1,) between places (n, 2) take."""


@dataclass(frozen=True)
class Survey:
    """Places (n, 2) of a line from which the area is seen; `left_out_m2` of it is closed air or cannot be reached."""

    places: Floats
    unseen_m2: float
    left_out_m2: float


@dataclass(frozen=True)
class _Cut:
    """The swaths of one way to cut, the metres between all their ends, and about how long it takes to fly them."""

    swaths: list[Floats]
    apart_m: Floats
    rough_s: float


def survey(area: Shape, closed: Shape, *, swath_m: float, legs_s: LegSeconds) -> Survey:
    """Return the line that sees all of `area` (a polygon with holes, metres in a plane) in the fewest seconds.

    Each place of the line sees half a swath around it; it keeps out of `closed` (no-fly zones), but flies over holes of the
    area itself, which need not be seen. Strips are cut at several angles; those that look best are ordered and flown out,
    and of those that see enough the one that takes the fewest seconds (turns and wind included) is returned. What stays unseen is at most 0.0008 of
    the area, unless it cannot be reached. Raises InputError where nothing is left to see, or it is too large for its swaths.
    """
    ways = ways_of(closed)
    reachable = _reachable(shapely.difference(area, ways.shut), ways)
    left_out_m2 = max(float(area.area - reachable.area), 0.0)
    free = shapely.set_precision(reachable, _GRID_M)
    if free.area < _LEAST_AREA_M2:
        message = f"of the {area.area:.0f} m2 asked for nothing lies in open air: move the area or the no-fly zones"
        raise InputError(message, f"所要的 {area.area:.0f} m² 没有一处在开放空域：移动区域或禁飞区")
    flown = [_flown(free, ways, cut, swath_m) for cut in _promising(free, ways, swath_m, legs_s)]
    missed_m2 = [float(unseen(free, line, swath_m / 2.0).area) for line in flown]
    enough_m2 = max(MOST_UNSEEN_RATIO * free.area, min(missed_m2))
    tried = [
        (float(legs_s(places).sum()), number, places)
        for number, line in enumerate(flown)
        for places in (line, line[::-1])
        if missed_m2[number] <= enough_m2
    ]
    _, number, places = min(tried, key=lambda one: one[:2])
    return Survey(places, missed_m2[number], left_out_m2)


def _reachable(free: Shape, ways: Ways) -> Shape:
    """Return what of an area lies in one stretch of open air: where zones shut rooms in, the room (or outside) with most."""
    rings = [ring for part in shapely.get_parts(ways.kept_off) for ring in part.interiors]
    rooms = [shapely.Polygon(ring).buffer(2.0 * CLEAR_M, join_style="mitre") for ring in rings]
    if not rooms:
        return free
    within = [shapely.intersection(free, room) for room in rooms]
    outside = shapely.difference(free, shapely.union_all(rooms))
    return max([outside, *within], key=lambda part: part.area)


def _promising(free: Shape, ways: Ways, swath_m: float, legs_s: LegSeconds) -> list[_Cut]:
    """Return the cuts that take the fewest seconds: of the angles with the quickest lines those with short ways between."""

    def lines_s(part: Shape, angle_deg: float) -> float:
        return _lines_s(part, angle_deg, swath_m, legs_s)

    costs = sorted((lines_s(free, angle), angle) for angle in _angles(free))
    plans = [[(free, angle)] for _, angle in costs[:_ANGLES_CUT]]
    limbs = limbs_of(free, swath_m, lines_s)
    cuts = [_cut(plan, ways, swath_m, legs_s) for plan in (plans if not limbs else [*plans, limbs])]
    return sorted(cuts, key=lambda cut: cut.rough_s)[:_ANGLES_FLOWN]


def _cut(limbs: list[Limb], ways: Ways, swath_m: float, legs_s: LegSeconds) -> _Cut:
    """Cut the strips of each limb at its angle and reckon how long all take in the order of nearest neighbours."""
    swaths: list[Floats] = []
    for limb, angle in limbs:
        turned = Turned(angle)
        swaths += swaths_of(_lines(limb, turned, swath_m), turned, ways)
    if not swaths:
        swaths = [np.repeat(shapely.get_coordinates(limbs[0][0].representative_point()), 2, axis=0)]
    apart_m = ways.between(np.concatenate([swath[[0, -1]] for swath in swaths]))
    tour = first_tour_of(apart_m)
    line = np.concatenate([swaths[end // 2][:: 1 if end % 2 == 0 else -1] for end in tour.ends[::2]])
    straight_m = length_m(line) - sum(length_m(swath) for swath in swaths)
    flown_s = float(legs_s(line).sum())
    rough_s = flown_s * (1.0 + (tour.length_m - straight_m) / max(length_m(line), 1.0))
    return _Cut(swaths, apart_m, rough_s)


def _angles(free: Shape) -> list[float]:
    """Return the bearings (0..180) that are tried: those of long borders, and all round in steps."""
    found: list[float] = []
    edges = [_edges(part) for part in shapely.get_parts(free)]
    way = np.concatenate(edges)
    longest = way[np.argsort(-np.hypot(*way.T), kind="stable")[:12]]
    bearings = np.degrees(np.arctan2(longest[:, 0], longest[:, 1])) % 180.0
    for angle in [*bearings.tolist(), *np.arange(0.0, 180.0, _ANGLE_STEP_DEG).tolist()]:
        if not is_near(angle, found, _ANGLES_APART_DEG):
            found.append(float(angle))
    return found


def _edges(part: Shape) -> Floats:
    hull = shapely.get_coordinates(part.convex_hull.exterior)
    border = shapely.get_coordinates(part.exterior)
    return np.concatenate((np.diff(border, axis=0), np.diff(hull, axis=0)))


def _lines(free: Shape, turned: Turned, swath_m: float) -> Lines:
    """Cut the strips; their lines end so far before the border that all their corners together leave a part of what may be."""
    area = shapely.transform(free, turned.there)
    half_m = swath_m / 2.0
    first = lines_of(area, half_m=half_m, inset_m=0.0)
    corner_m2 = _INSET_SHARE * MOST_UNSEEN_RATIO * free.area / max(2 * len(first.low), 1)
    inset_m = min((6.0 * half_m * corner_m2) ** (1.0 / 3.0), half_m / 2.0)
    return lines_of(area, half_m=half_m, inset_m=inset_m)


def _lines_s(free: Shape, angle_deg: float, swath_m: float, legs_s: LegSeconds) -> float:
    """Return the seconds of the lines at an angle flown to and fro, each with a way between them as most are."""
    turned = Turned(angle_deg)
    lines = lines_of(shapely.transform(free, turned.there), half_m=swath_m / 2.0, inset_m=0.0)
    back = (np.arange(len(lines.low)) % 2).astype(bool)
    enter, leave = np.where(back, lines.high, lines.low), np.where(back, lines.low, lines.high)
    places = np.stack((np.column_stack((lines.across, enter)), np.column_stack((lines.across, leave))), axis=1)
    turn = turned.back(swath_m * np.array([[0.0, 0.0], [0.0, 10.0], [1.0, 10.0], [1.0, 0.0]]))
    return float(legs_s(turned.back(places.reshape(-1, 2)))[::2].sum() + legs_s(turn)[1] * (len(places) - 1))


def _flown(free: Shape, ways: Ways, cut: _Cut, swath_m: float) -> Floats:
    """Return the places of a cut's swaths in a short order, mended."""
    kicks = _KICKS if len(cut.swaths) <= _MOST_KICKED else 0
    places = in_short_order(cut.swaths, ways, apart_m=cut.apart_m, kicks=kicks)
    return mended(free, places, ways, half_m=swath_m / 2.0, most_m2=MOST_UNSEEN_RATIO * free.area)
