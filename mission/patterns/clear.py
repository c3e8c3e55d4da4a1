"""Lines as they can be flown: their pieces in open air, joined by ways round closed air, in order or in a short one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from mission.patterns.flown import Shape
from mission.patterns.order import tour_of
from mission.patterns.transit import Ways
from telemetry.model.geodesy import Floats

_SAME_M: Final = 1e-6


def open_pieces(places: Floats, ways: Ways) -> list[Floats]:
    """Return the pieces (k, 2), k >= 2, of a line through places (n, 2) that lie in open air, in the line's order."""
    if ways.closed.is_empty or not shapely.LineString(places).intersects(ways.kept_off):
        return [places]
    pieces: list[Floats] = []
    for start, end in pairwise(places):
        for piece in _open_parts(start, end, ways.kept_off):
            if pieces and np.hypot(*(pieces[-1][-1] - piece[0])) < _SAME_M:
                pieces[-1] = np.concatenate((pieces[-1], piece[1:]))
            else:
                pieces.append(piece)
    return pieces


def in_order(pieces: Sequence[Floats], ways: Ways, *, start: Floats | None = None) -> Floats:
    """Return the places (n, 2) of pieces flown one after the other, with ways between them; who cannot be reached is left out.

    With a `start` (2,) the line begins there. Empty (0, 2) where there are no pieces.
    """
    line = [] if start is None else [np.asarray(start, np.float64)[None, :]]
    for piece in pieces:
        between = ways.way(line[-1][-1], piece[0]) if line else piece[:1]
        if between is not None:
            line += [between[1:-1], piece]
    return without_repeats(np.concatenate(line)) if line else np.zeros((0, 2))


def in_short_order(pieces: Sequence[Floats], ways: Ways, *, apart_m: Floats | None = None, kicks: int = 0) -> Floats:
    """Return the places (n, 2) of all pieces, each flown either way round, in an order with short ways between them.

    `apart_m` (2 n, 2 n) are the metres between the pieces' first and last places in turn, where they are known; for `kicks`
    see `tour_of`.
    """
    if not pieces:
        return np.zeros((0, 2))
    if apart_m is None:
        apart_m = ways.between(np.concatenate([piece[[0, -1]] for piece in pieces]))
    ends = tour_of(apart_m, kicks=kicks).ends[::2]
    return in_order([pieces[end // 2][:: 1 if end % 2 == 0 else -1] for end in ends], ways)


def without_repeats(places: Floats) -> Floats:
    """Leave out places (n, 2) that are the one before again."""
    keep = np.concatenate(([True], np.hypot(*np.diff(places, axis=0).T) > _SAME_M))
    kept: Floats = places[keep]
    return kept


def _open_parts(start: Floats, end: Floats, kept_off: Shape) -> list[Floats]:
    parts = shapely.get_parts(shapely.difference(shapely.linestrings(np.stack((start, end))), kept_off))
    lines = [
        shapely.get_coordinates(part) for part in parts if part.geom_type == "LineString" and part.length > _SAME_M
    ]
    along = end - start
    directed = [line if (line[-1] - line[0]) @ along >= 0.0 else line[::-1] for line in lines]
    return sorted(directed, key=lambda line: float((line[0] - start) @ along))
