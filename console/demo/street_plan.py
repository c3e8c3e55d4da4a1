"""Junctions, links and ways of the demo city while it is being laid out, before the links get their bends."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from console.demo import city_table as table
from console.demo.valley import Ground, Valley
from telemetry.model.geodesy import Floats

FREE: Final = 0
"""The side of a junction that does not lie in the valley's own coordinates (bridges, hill roads)."""


class Way(NamedTuple):
    """A street: its names (empty: none), class 0..3, and whether it is one-way or a bridge."""

    name_zh: str
    name_en: str
    road_class: int
    oneway: bool = False
    bridge: bool = False


class Names:
    """Gives each street a name that no other street bears, in Chinese and English."""

    def __init__(self, random: np.random.Generator) -> None:
        pairs = [(first, second) for first in table.NAME_FIRST for second in table.NAME_SECOND]
        self._stems = [pairs[place] for place in random.permutation(len(pairs))]
        self._given = 0

    def next(self, kind_zh: str, kind_en: str) -> tuple[str, str]:
        """Return the next stem with a kind of street behind it; numbered once all stems are given."""
        turn, place = divmod(self._given, len(self._stems))
        self._given += 1
        (first_zh, first_en), (second_zh, second_en) = self._stems[place]
        number_zh, number_en = ("", "") if turn == 0 else (f"{turn + 1}", f" {turn + 1}")
        return f"{first_zh}{second_zh}{number_zh}{kind_zh}", f"{first_en}{second_en}{number_en} {kind_en}"


@dataclass
class StreetPlan:
    """What has been laid out so far: columns of junctions and links, as lists of arrays that grow."""

    valley: Valley
    junctions: list[Floats] = field(default_factory=list)
    links: list[NDArray[np.int64]] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    junction_count: int = 0

    def add_junctions(
        self,
        side: int,
        column_m: Floats,
        share: Floats,
        shift_east_m: Floats | float = 0.0,
        shift_north_m: Floats | float = 0.0,
    ) -> NDArray[np.int64]:
        """Add junctions in the valley's coordinates, moved by a shift; return their numbers."""
        rows = np.column_stack(
            np.broadcast_arrays(np.full(len(column_m), float(side)), column_m, share, shift_east_m, shift_north_m)
        )
        self.junctions.append(rows)
        first = self.junction_count
        self.junction_count += len(rows)
        return np.arange(first, self.junction_count)

    def add_free(self, ground: Ground) -> NDArray[np.int64]:
        """Add junctions at places in the plane; return their numbers."""
        nothing = np.zeros(len(ground.east_m))
        return self.add_junctions(FREE, nothing, nothing, ground.east_m, ground.north_m)

    def add_way(self, way: Way, numbers: NDArray[np.int64], kept: NDArray[np.bool_] | None = None) -> None:
        """Add a way along junctions (in its driving direction where one-way); `kept` leaves out some of its links."""
        pairs = np.column_stack((numbers[:-1], numbers[1:], np.full(len(numbers) - 1, len(self.ways))))
        sound = (pairs[:, 0] >= 0) & (pairs[:, 1] >= 0) & (pairs[:, 0] != pairs[:, 1])
        self.links.append(pairs[sound if kept is None else sound & kept])
        self.ways.append(way)

    def junction_table(self) -> Floats:
        """Return all junctions: columns side, column_m, share, shift_east_m, shift_north_m."""
        return np.concatenate(self.junctions)

    def link_table(self) -> NDArray[np.int64]:
        """Return all links: columns from, to, way."""
        return np.concatenate(self.links)

    def ground_of(self, rows: Floats) -> Ground:
        """Return where junction rows lie in the plane."""
        east, north = rows[:, 3].copy(), rows[:, 4].copy()
        for side in (1, -1):
            mine = rows[:, 0] == side
            ground = self.valley.place(side, rows[mine, 1], rows[mine, 2])
            east[mine] += ground.east_m
            north[mine] += ground.north_m
        return Ground(east, north)


def merge_places(fixed: Floats, wished: Floats, lowest: float) -> Floats:
    """Return `fixed` and those of `wished` that are at least `lowest` from all before them, sorted."""
    kept = list(fixed)
    for place in np.sort(wished):
        if min(abs(place - other) for other in kept) >= lowest:
            kept.append(float(place))
    return np.array(sorted(kept))


def nearest_of(places: Floats, wished: Floats) -> NDArray[np.int64]:
    """Return for each wish the index of the nearest of sorted `places`."""
    right = np.clip(np.searchsorted(places, wished), 1, len(places) - 1)
    left_nearer = wished - places[right - 1] <= places[right] - wished
    return np.where(left_nearer, right - 1, right)
