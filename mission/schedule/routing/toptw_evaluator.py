"""What a solution of a TOPTW benchmark file is worth, reckoned in whole numbers from the file itself, apart from the solver.

Nothing here is shared with what solves or reads: a mistake there cannot hide here. Distances are the integer square root, exact.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from telemetry.model.errors import InputError


def evaluate(data: bytes, paths: Sequence[Sequence[int]], *, name: str, path_count: int) -> int:
    """Return the score of `paths`, each the numbers of its vertices in their order, the depot (0) left out.

    `name` begins with pr for the sets with two decimals; coordinates that are not whole say so too. Raises InputError, saying
    path and vertex, where the benchmark's rules are broken: too many paths, a vertex twice or unknown, too late.
    """
    rows = [[Fraction(word) for word in line.split()] for line in data.decode().splitlines()[2:] if line.strip()]
    places = [(row[1], row[2]) for row in rows]
    fine = name.lower().startswith("pr") or any(place.denominator > 1 for pair in places for place in pair)
    step = 100 if fine else 10
    _check_visits(paths, path_count, len(rows))
    for number, path in enumerate(paths):
        clock, here = rows[0][-2], 0
        for vertex in [*path, 0]:
            clock = max(clock + _floored(places[here], places[vertex], step), rows[vertex][-2])
            if clock > rows[vertex][-1]:
                message = (
                    f"path {number} is at vertex {vertex} at {float(clock)}, it closes at {float(rows[vertex][-1])}"
                )
                raise InputError(message)
            clock, here = clock + rows[vertex][3], vertex
    return sum(int(rows[vertex][4]) for path in paths for vertex in path)


def _check_visits(paths: Sequence[Sequence[int]], path_count: int, row_count: int) -> None:
    visits = [vertex for path in paths for vertex in path]
    if len(paths) > path_count:
        message = f"{len(paths)} paths, {path_count} are allowed"
        raise InputError(message)
    if len(visits) != len(set(visits)) or any(not 0 < vertex < row_count for vertex in visits):
        message = f"vertices {sorted(visits)}: each of 1 to {row_count - 1} may be visited once"
        raise InputError(message)


def _floored(start: tuple[Fraction, Fraction], end: tuple[Fraction, Fraction], step: int) -> Fraction:
    """Return the Euclidean distance rounded down to whole parts of 1/step."""
    square = ((start[0] - end[0]) ** 2 + (start[1] - end[1]) ** 2) * step * step
    return Fraction(isqrt(square.numerator // square.denominator), step)
