"""What a flown line leaves unseen, and the small changes by which that is seen too."""

from typing import Final

import numpy as np
import shapely

from mission.patterns.clear import without_repeats
from mission.patterns.flown import Shape, length_m
from mission.patterns.transit import Ways
from telemetry.model.geodesy import Floats

_SAME_M: Final = 1e-6
_ROUNDS: Final = 8
_SEEN_SHARE: Final = 0.3
"""A change is made if it sees at least this part of the piece more than it loses elsewhere."""
_LEAST_PIECE_RATIO: Final = 0.02
"""Pieces smaller than this part of what may stay unseen are left."""


def unseen(area: Shape, places: Floats, half_m: float) -> Shape:
    """Return what of an area lies farther than `half_m` from the line through the places (n, 2): a shapely geometry."""
    line = shapely.linestrings(places) if len(places) > 1 else shapely.points(places[0])
    return shapely.difference(area, shapely.buffer(line, half_m, quad_segs=16))


def mended(area: Shape, places: Floats, ways: Ways, *, half_m: float, most_m2: float) -> Floats:
    """Return the places with small changes until not more than `most_m2` of the area is unseen, or nothing more helps.

    For each unseen piece (large ones are cut up) the shortest of these is taken from which it is seen and nothing else is lost:
    a place moved, a place put in, a detour from the nearest place and back; none of them crosses closed air. About 3 ms a piece.
    """
    for _ in range(_ROUNDS):
        gaps = unseen(area, places, half_m)
        if gaps.area <= most_m2:
            break
        pieces = [piece for piece in _pieces(gaps, half_m) if piece.area > most_m2 * _LEAST_PIECE_RATIO]
        before = places
        left_m2 = float(gaps.area)
        for piece in sorted(pieces, key=lambda piece: -piece.area):
            if left_m2 <= most_m2:
                break
            places = _seen_too(area, places, piece, ways, half_m)
            left_m2 -= piece.area
        if places is before:
            break
    return places


def _seen_too(area: Shape, places: Floats, piece: Shape, ways: Ways, half_m: float) -> Floats:
    """Return the places changed so that the piece is seen; the same where it cannot be reached."""
    corners = shapely.get_coordinates(piece)
    leg, nearest = _nearest(places, corners.mean(axis=0))
    target = _seeing(nearest, corners, ways, half_m)
    changes = [*_bent(places, leg, target), _with_detour(places, leg, nearest, target, ways)]
    for changed in sorted((change for change in changes if change is not None), key=length_m):
        if not _is_open(changed, places, ways):
            continue
        if _lost_m2(area, places, changed, half_m) <= -_SEEN_SHARE * piece.area:
            return changed
    return places


def _bent(places: Floats, leg: int, target: Floats) -> list[Floats]:
    """Return the line with a place near the leg moved to the target, and with the target put into or beside the leg."""
    moved = [np.concatenate((places[:row], target[None], places[row + 1 :])) for row in (leg, leg + 1)]
    added = [np.concatenate((places[:row], target[None], places[row:])) for row in range(leg, leg + 3)]
    return [*(moved if len(places) > 2 else []), *added]


def _is_open(changed: Floats, places: Floats, ways: Ways) -> bool:
    """Tell whether the legs of a changed line that the line did not have keep out of closed air."""
    if ways.closed.is_empty:
        return True
    first, last = _same_ends(places, changed)
    stretch = changed[first : len(changed) - last]
    return bool(ways.sees(stretch[:-1], stretch[1:]).all())


def _same_ends(places: Floats, changed: Floats) -> tuple[int, int]:
    """Return the row of the last place that both lines begin with, and how many places both end with but for one."""
    most = min(len(places), len(changed))
    begins = (places[:most] == changed[:most]).all(axis=1)
    ends = (places[::-1][:most] == changed[::-1][:most]).all(axis=1)
    first = most if begins.all() else int(begins.argmin())
    last = most if ends.all() else int(ends.argmin())
    return max(first - 1, 0), max(min(last, most - first) - 1, 0)


def _lost_m2(area: Shape, places: Floats, changed: Floats, half_m: float) -> float:
    """Return how much more of the area a changed line leaves unseen (negative: less), looking only where it changed."""
    first, last = _same_ends(places, changed)
    near = np.concatenate((places[first : len(places) - last], changed[first : len(changed) - last]))
    low, high = near.min(axis=0) - half_m, near.max(axis=0) + half_m
    part = shapely.intersection(area, shapely.box(*low, *high))
    box = (*(low - half_m), *(high + half_m))
    then, now = (
        shapely.difference(part, shapely.clip_by_rect(shapely.linestrings(line), *box).buffer(half_m, quad_segs=16))
        for line in (changed, places if len(places) > 1 else np.repeat(places, 2, axis=0))
    )
    return float(then.area - now.area)


def _pieces(gaps: Shape, half_m: float) -> list[Shape]:
    """Cut unseen pieces into ones that are seen from one place."""
    found = []
    for piece in shapely.get_parts(gaps):
        west, south, east, north = piece.bounds
        columns, rows = (max(1, int(np.ceil(size / (1.2 * half_m)))) for size in (east - west, north - south))
        across, along = np.linspace(west, east, columns + 1), np.linspace(south, north, rows + 1)
        cells = shapely.box(*(edge.ravel() for edge in _grid(across, along)))
        found += [part for part in shapely.get_parts(shapely.intersection(cells, piece)) if part.area > 0.0]
    return found


def _grid(across: Floats, along: Floats) -> tuple[Floats, ...]:
    west, south = np.meshgrid(across[:-1], along[:-1])
    east, north = np.meshgrid(across[1:], along[1:])
    return west, south, east, north


def _with_detour(places: Floats, leg: int, nearest: Floats, target: Floats, ways: Ways) -> Floats | None:
    """Return the line with a way from its nearest place to the target and back; one way only at the line's ends."""
    there = ways.way(nearest, target)
    if there is None:
        return None
    is_first, is_last = (bool(np.hypot(*(places[row] - nearest)) < _SAME_M) for row in (0, -1))
    if is_last:
        return np.concatenate((places, there[1:]))
    if is_first:
        return np.concatenate((there[:0:-1], places))
    return without_repeats(np.concatenate((places[: leg + 1], there, there[-2::-1], places[leg + 1 :])))


def _seeing(start: Floats, corners: Floats, ways: Ways, half_m: float) -> Floats:
    """Return the place nearest to `start`, on the way to the corners' middle, from which all of them are seen."""
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2.0
    steps = np.linspace(0.0, 1.0, 21)[:, None]
    tried = start + steps * (middle - start)
    farthest = np.hypot(*(tried[:, None, :] - corners[None, :, :]).transpose(2, 0, 1)).max(axis=1)
    is_free = ~shapely.intersects_xy(ways.kept_off, tried[:, 0], tried[:, 1])
    sees_all = np.flatnonzero((farthest <= half_m) & is_free)
    if len(sees_all):
        found: Floats = tried[sees_all[0]]
        return found
    if is_free[-1]:
        return np.asarray(middle, np.float64)
    edge = shapely.get_coordinates(shapely.shortest_line(shapely.Point(middle), ways.kept_off.boundary))[1]
    return np.asarray(edge, np.float64)


def _nearest(places: Floats, target: Floats) -> tuple[int, Floats]:
    """Return the leg's number and the place on it that lies nearest to `target`."""
    if len(places) == 1:
        return 0, places[0]
    start, along = places[:-1], np.diff(places, axis=0)
    square = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((target - start) * along).sum(axis=1) / square, 0.0, 1.0)
    on_leg = start + share[:, None] * along
    leg = int(np.hypot(*(on_leg - target).T).argmin())
    return leg, np.asarray(on_leg[leg], np.float64)
