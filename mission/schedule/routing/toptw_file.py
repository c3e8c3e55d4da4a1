"""Benchmark files of team orienteering with time windows: instances, and the csv file of the best known scores."""

import csv
import io
import math
from dataclasses import dataclass
from typing import Final, NoReturn

import numpy as np

from mission.schedule.routing.problem import Job, Problem, Vehicle
from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import Floats

MOST_VERTICES: Final = 2000
MOST_BYTES: Final = 4_000_000
_FIXED_FIELDS: Final = 9
"""Number, x, y, service, prize, two of no use here, opening, closing; the sixth says how many more stand between."""
_COORDINATE_PARTS: Final = 1000
"""Coordinates have three decimals at most."""


@dataclass(frozen=True, eq=False)
class Instance:
    """An instance: row 0 is where every path begins and ends; with `path_count` paths every vertex can be visited.

    `places` (n, 2), `service` (n,), `prize` (n,), `window` (n, 2) of the start of service; times and lengths are one unit.
    Distances are rounded down to `decimals` decimals: 1 for Solomon's sets, 2 for those of Cordeau (pr...).
    """

    name: str
    path_count: int
    places: Floats
    service: Floats
    prize: tuple[int, ...]
    window: Floats
    decimals: int

    def distances(self) -> Floats:
        """Return the distances (n, n), rounded down as the benchmark wants it."""
        whole = np.rint(self.places * _COORDINATE_PARTS)
        squares = np.square(whole[:, None] - whole[None]).sum(axis=-1)
        floored: Floats = np.floor(np.sqrt(squares * 100.0**self.decimals) / _COORDINATE_PARTS)
        return floored / 10.0**self.decimals

    def problem(self, path_count: int) -> Problem:
        """Return the question for so many paths; job i is vertex i + 1."""
        jobs = tuple(
            Job(place=row, prize=self.prize[row], start_s=first, end_s=last, service_s=float(self.service[row]))
            for row, (first, last) in enumerate(self.window.tolist())
            if row > 0
        )
        paths = Vehicle(
            start=0,
            end=0,
            start_s=float(self.window[0, 0]),
            end_s=float(self.window[0, 1]),
            route_count=path_count,
        )
        return Problem(travel_s=(self.distances(),), jobs=jobs, vehicles=(paths,), tick_s=0.1**self.decimals)


@dataclass(frozen=True)
class BestKnown:
    """The best score known of an instance with `path_count` paths."""

    instance: str
    path_count: int
    score: int
    is_proven: bool


def read_instance(data: bytes, *, name: str) -> Instance:
    """Return the instance of a file; `name` is the file's, without its ending. Raises FileFormatError with the line."""
    lines = [(number, line.split()) for number, line in enumerate(_text(data, name).splitlines(), start=1)]
    lines = [(number, fields) for number, fields in lines if fields]
    if len(lines) < 3:
        _refuse(name, len(lines), "has fewer than three lines: 'k v N t', 'D Q' and the vertices are wanted")
    number, header = lines[0]
    head = _numbers(header, name, number)
    if len(head) < 3 or any(value != int(value) for value in head[1:3]):
        _refuse(name, number, "must begin with whole numbers 'k v N t'")
    path_count, vertex_count = int(head[1]), int(head[2])
    if not (1 <= path_count <= MOST_VERTICES and 1 <= vertex_count <= MOST_VERTICES):
        _refuse(name, number, f"says {path_count} paths and {vertex_count} vertices: 1 to {MOST_VERTICES} is read")
    rows = np.array([_vertex(fields, name, number, wanted) for wanted, (number, fields) in enumerate(lines[2:])])
    if len(rows) not in {vertex_count, vertex_count + 1}:
        _refuse(name, number, f"says {vertex_count} vertices beside the depot, it has {len(rows) - 1}")
    return Instance(
        name=name,
        path_count=path_count,
        places=rows[:, 0:2],
        service=rows[:, 2],
        prize=tuple(int(prize) for prize in rows[:, 3]),
        window=rows[:, 4:6],
        decimals=2 if name.lower().startswith("pr") or bool((rows[:, 0:2] % 1 != 0).any()) else 1,
    )


def read_best_known(data: bytes) -> tuple[BestKnown, ...]:
    """Return the rows of a best_known.csv (instance, m, best_known, and perhaps status). Raises FileFormatError."""
    reader = csv.DictReader(io.StringIO(_text(data, "best_known.csv")))
    if missing := {"instance", "m", "best_known"} - set(reader.fieldnames or ()):
        _refuse("best_known.csv", 1, f"lacks the columns {', '.join(sorted(missing))}")
    found = []
    for row in reader:
        try:
            path_count, score = int(row["m"]), int(row["best_known"])
        except (TypeError, ValueError):
            _refuse(
                "best_known.csv",
                reader.line_num,
                f"has m {row['m']!r} and best_known {row['best_known']!r}: whole numbers",
            )
        if path_count < 1 or score < 1:
            _refuse("best_known.csv", reader.line_num, f"has m {path_count} and best_known {score}: both are 1 or more")
        proven = (row.get("status") or "").startswith("optimal")
        found.append(BestKnown(row["instance"], path_count, score, proven))
    return tuple(found)


def _text(data: bytes, name: str) -> str:
    if len(data) > MOST_BYTES:
        _refuse(name, 1, f"has {len(data)} bytes, {MOST_BYTES} are read at most")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(name, 1, "is no text")


def _vertex(fields: list[str], name: str, line: int, wanted: int) -> tuple[float, ...]:
    """Return x, y, service, prize, opening and closing of one vertex."""
    row = _numbers(fields, name, line)
    if len(row) < _FIXED_FIELDS or len(row) != _FIXED_FIELDS + row[6]:
        _refuse(name, line, f"has {len(row)} fields: 'i x y d S f a', a numbers, 'O C' are wanted")
    number, x, y, service, prize = row[:5]
    first, last = row[-2:]
    if number != wanted:
        _refuse(name, line, f"is vertex {number:g}, {wanted} is due")
    if service < 0 or prize < 0 or prize != int(prize) or first < 0 or last < first:
        _refuse(
            name,
            line,
            f"has service {service:g}, prize {prize:g}, window {first:g} to {last:g}: none may be negative, "
            "the prize is whole, the window opens before it closes",
        )
    return x, y, service, prize, first, last


def _numbers(fields: list[str], name: str, line: int) -> list[float]:
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        _refuse(name, line, f"has a field that is no number: {' '.join(fields)[:80]!r}")
    if not all(math.isfinite(value) and abs(value) < 1e7 for value in numbers):
        _refuse(name, line, "has a number that is not within -1e7 to 1e7")
    return numbers


def _refuse(name: str, line: int, why: str) -> NoReturn:
    message = f"{name} line {line} {why}"
    raise FileFormatError(message)
