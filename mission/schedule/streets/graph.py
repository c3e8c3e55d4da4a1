"""Nets of streets to patrol: places, ways between them and the shortest ones; from lines, or from a file of patrolling research."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from shapely import LineString, MultiLineString, get_coordinates, segmentize, unary_union

from telemetry.model.errors import FileFormatError, InputError
from telemetry.model.geodesy import Floats

MOST_PLACES: Final = 2000
MOST_BYTES: Final = 4_000_000
_COINCIDING_M: Final = 0.01
_HEAD_FIELDS: Final = 6


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Places (n, 2) and directed ways between them; lengths in metres, or in the file's own unit.

    `way` (m, 2) numbers the places that each way leads from and to, `length_m` (m,) is its length.
    """

    places: Floats
    way: NDArray[np.int64]
    length_m: Floats

    @cached_property
    def away_m(self) -> Floats:
        """The shortest lengths (n, n) from place to place; inf where no way leads."""
        return self._shortest[0]

    def path(self, start: int, end: int) -> list[int]:
        """Return the places on the shortest way, both ends included. The way must exist."""
        before, path = self._shortest[1], [end]
        while path[-1] != start:
            path.append(int(before[start, path[-1]]))
        return path[::-1]

    @cached_property
    def _shortest(self) -> tuple[Floats, NDArray[np.int32]]:
        count = len(self.places)
        order = np.lexsort((self.length_m, self.way[:, 1], self.way[:, 0]))
        way, length_m = self.way[order], self.length_m[order]
        first = np.ones(len(way), dtype=bool)
        first[1:] = (way[1:] != way[:-1]).any(axis=1)
        net = csr_array((length_m[first], (way[first, 0], way[first, 1])), shape=(count, count))
        away_m, before = shortest_path(net, method="D", return_predecessors=True)
        return away_m, before

    def check(self) -> None:
        """Raise InputError where the net is empty, too large, or a place cannot be reached from another."""
        if not 1 <= len(self.places) <= MOST_PLACES:
            message = f"a net of {len(self.places)} places: 1 to {MOST_PLACES} can be patrolled; leave some out or set them wider"
            raise InputError(message)
        cut_off = np.flatnonzero(np.isinf(self.away_m[0]) | np.isinf(self.away_m[:, 0]))
        if len(cut_off):
            message = (
                f"{len(cut_off)} places, the first is number {cut_off[0]}, have no way to and from place 0: "
                "join the parts of the net or ask for a patrol of each"
            )
            raise InputError(message)


def graph_of_lines(lines: Iterable[Floats], *, spacing_m: float) -> StreetGraph:
    """Return the net of lines, each (n, 2) metres in a plane: places where they begin, bend and cross, at most `spacing_m` apart.

    Raises InputError for a spacing that is not positive, or where nothing has a length.
    """
    if not 0.0 < spacing_m < math.inf:
        message = f"places {spacing_m} m apart: give a positive number of metres"
        raise InputError(message)
    given = [LineString(line) for line in lines if len(line) >= 2]
    given = [line for line in given if line.length > 0.0]
    if not given:
        message = "no line has a length: a net of streets needs at least two places that differ"
        raise InputError(message)
    net = segmentize(unary_union(MultiLineString(given)), spacing_m)
    parts = [get_coordinates(part) for part in getattr(net, "geoms", [net])]
    pairs = np.concatenate([np.stack((part[:-1], part[1:]), axis=1) for part in parts])
    places, number = np.unique(np.rint(pairs.reshape(-1, 2) / _COINCIDING_M), axis=0, return_inverse=True)
    way = number.reshape(-1, 2).astype(np.int64)
    way = way[way[:, 0] != way[:, 1]]
    places = places * _COINCIDING_M
    length_m: Floats = np.hypot(*(places[way[:, 0]] - places[way[:, 1]]).T)
    return StreetGraph(places, np.concatenate((way, way[:, ::-1])), np.tile(length_m, 2))


def read_patrol_graph(data: bytes, *, name: str) -> StreetGraph:
    """Return the net of a file of patrolling_sim: count, width, height, resolution, offsets, then places with their ways.

    A place is `id x y degree`, then degree times `neighbour direction cost`. Raises FileFormatError with the place.
    """
    words = _words(data, name)
    try:
        count = int(words[0])
        [float(word) for word in words[1:_HEAD_FIELDS]]
    except (IndexError, ValueError):
        _refuse(name, "begins with no count, width, height, resolution and offsets")
    if not 1 <= count <= MOST_PLACES:
        _refuse(name, f"says {count} places: 1 to {MOST_PLACES} are read")
    places, ways, at = [], [], _HEAD_FIELDS
    for wanted in range(count):
        try:
            number, x, y, degree = int(words[at]), float(words[at + 1]), float(words[at + 2]), int(words[at + 3])
            end = at + 4 + 3 * degree
            ways += [(number, int(words[i]), float(words[i + 2])) for i in range(at + 4, end, 3)]
        except (IndexError, ValueError):
            _refuse(name, f"breaks off or has a word that is no number at place {wanted}")
        if number != wanted or degree < 0:
            _refuse(name, f"has place {number} with {degree} ways where place {wanted} is due")
        places.append((x, y))
        at = end
    _check_ways(ways, count, name)
    return StreetGraph(
        np.array(places),
        np.array([way[:2] for way in ways], dtype=np.int64).reshape(-1, 2),
        np.array([way[2] for way in ways], dtype=np.float64),
    )


def _words(data: bytes, name: str) -> list[str]:
    if len(data) > MOST_BYTES:
        _refuse(name, f"has {len(data)} bytes, {MOST_BYTES} are read at most")
    try:
        return data.decode("ascii").split()
    except UnicodeDecodeError:
        _refuse(name, "is no plain text")


def _check_ways(ways: Sequence[tuple[int, int, float]], count: int, name: str) -> None:
    for start, end, length_m in ways:
        if not 0 <= end < count or not 0.0 < length_m < math.inf:
            _refuse(
                name,
                f"has a way from {start} to {end} of length {length_m}: ends are 0 to {count - 1}, lengths positive",
            )


def _refuse(name: str, why: str) -> NoReturn:
    message = f"{name} {why}"
    raise FileFormatError(message)
