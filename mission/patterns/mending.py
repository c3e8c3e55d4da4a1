"""What a flown line leaves unseen, and the small detours from which that is seen too."""

from typing import Any, Final

import numpy as np
import shapely

from mission.patterns.transit import Ways
from telemetry.model.geodesy import Floats

_SAME_M: Final = 1e-6
_ROUNDS: Final = 8
_LEAST_PIECE_RATIO: Final = 0.02
"""Pieces smaller than this part of what may stay unseen are left."""


def unseen(area: Any, places: Floats, half_m: float) -> Any:  # noqa: ANN401 - shapely has no types
    """Return what of an area lies farther than `half_m` from the line through the places (n, 2): a shapely geometry."""
    line = shapely.linestrings(places) if len(places) > 1 else shapely.points(places[0])
    return shapely.difference(area, shapely.buffer(line, half_m, quad_segs=16))


def mended(area: Any, places: Floats, ways: Ways, *, half_m: float, most_m2: float) -> Floats:  # noqa: ANN401 - as above
    """Return the places with detours put in until not more than `most_m2` of the area is unseen, or nothing more helps.

    A detour leads from the line's nearest place so near to an unseen piece that all of it is seen (large pieces take several
    rounds), by ways that cross no closed air. About 1 ms a detour.
    """
    for _ in range(_ROUNDS):
        gaps = unseen(area, places, half_m)
        if gaps.area <= most_m2:
            break
        pieces = [piece for piece in _pieces(gaps, half_m) if piece.area > most_m2 * _LEAST_PIECE_RATIO]
        before = len(places)
        for piece in sorted(pieces, key=lambda piece: -piece.area):
            places = _with_detour(places, piece, ways, half_m)
        if len(places) == before:
            break
    return places


def _pieces(gaps: Any, half_m: float) -> list[Any]:  # noqa: ANN401 - shapely has no types
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


def _with_detour(places: Floats, piece: Any, ways: Ways, half_m: float) -> Floats:  # noqa: ANN401 - as above
    corners = shapely.get_coordinates(piece)
    leg, nearest = _nearest(places, corners.mean(axis=0))
    target = _seeing(nearest, corners, ways, half_m)
    if target is None:
        return places
    there = ways.way(nearest, target)
    if there is None:
        return places
    at_place = np.hypot(*(places - nearest).T).argmin()
    if np.hypot(*(places[at_place] - nearest)) < _SAME_M:
        leg, there = int(at_place), there[1:]
        back = np.concatenate((there[-2::-1], places[leg : leg + 1])) if leg + 1 < len(places) else there[:0]
    else:
        back = there[-2::-1]
    return np.concatenate((places[: leg + 1], there, back, places[leg + 1 :]))


def _seeing(start: Floats, corners: Floats, ways: Ways, half_m: float) -> Floats | None:
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
