"""Lays out the streets of the demo city: main roads along and across the valley, bridges, and a local grid in each patch."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from console.demo import city_table as table
from console.demo.street_plan import Names, StreetPlan, Way, merge_places, nearest_of
from mission.roads.graph import CLASS_LOCAL, CLASS_PRIMARY, CLASS_SECONDARY, CLASS_TRUNK
from telemetry.model.geodesy import Floats

Numbers = NDArray[np.int64]

LEVELS_WIDE: Final = (0.0, 0.22, 0.45, 0.72, 1.0)
LEVELS_MIDDLE: Final = (0.0, 0.45, 1.0)
LEVELS_NARROW: Final = (0.0, 1.0)
WIDE_M: Final = 1900.0
MIDDLE_M: Final = 700.0
MERGE_M: Final = 38.0
COLUMN_WIDTH_M: Final = (620.0, 900.0)
LOCAL_SPACING_M: Final = (95.0, 185.0)
JITTER_RATIO: Final = 0.10
ONEWAY_RATIO: Final = 0.22
DROPPED_RATIO: Final = (0.04, 0.16, 0.3)
NAMED_RATIO: Final = 0.4


class Patch(NamedTuple):
    """A piece of ground between two main streets across and two roads along, with the places of its local streets."""

    column: int
    low_share: float
    high_share: float
    columns_m: Floats
    shares: Floats


class SideStreets:
    """Lays out one side of the river."""

    def __init__(self, plan: StreetPlan, side: int, random: np.random.Generator, names: Names) -> None:
        self._plan, self._side, self._random, self._names = plan, side, random, names
        self.bounds_m = _column_bounds(random)
        middles = (self.bounds_m[1:] + self.bounds_m[:-1]) / 2.0
        self._depth_m = plan.valley.depth_m(side, middles)
        self._levels = [_levels_of(depth) for depth in self._depth_m]
        self._patches = [
            self._patch(column, *pair) for column, levels in enumerate(self._levels) for pair in pairwise(levels)
        ]
        self._across: dict[int, tuple[Floats, Numbers]] = {}
        self._along: dict[tuple[int, float], tuple[Floats, Numbers]] = {}

    def lay(self) -> None:
        """Lay the main roads, then the local streets between them."""
        for bound in range(len(self.bounds_m)):
            self._lay_across(bound)
        for level_share in LEVELS_WIDE:
            self._lay_along(level_share)
        for patch in self._patches:
            self._lay_local(patch)

    def riverside(self, bound: int) -> int:
        """Return the junction where the street across at `bound` meets the riverside road."""
        return int(self._across[bound][1][0])

    def hill_junctions(self) -> Numbers:
        """Return the junctions at the foot of the hills, west to east."""
        return np.array([self._across[bound][1][-1] for bound in range(len(self.bounds_m))])

    def cells(self) -> tuple[Floats, Floats]:
        """Return the blocks between local streets: columns (metres) and shares, each of shape (blocks, 2)."""
        columns, shares = [], []
        for patch in self._patches:
            across = np.column_stack((patch.columns_m[:-1], patch.columns_m[1:]))
            along = np.column_stack((patch.shares[:-1], patch.shares[1:]))
            columns.append(np.tile(across, (len(along), 1)))
            shares.append(np.repeat(along, len(across), axis=0))
        return np.concatenate(columns), np.concatenate(shares)

    def _patch(self, column: int, low_share: float, high_share: float) -> Patch:
        left, right = self.bounds_m[column], self.bounds_m[column + 1]
        spacing = self._random.uniform(*LOCAL_SPACING_M, 2)
        hills = self._plan.valley.place(
            self._side, np.array([left, right]), np.array([(low_share + high_share) / 2.0] * 2)
        )
        width = float(np.hypot(np.diff(hills.east_m), np.diff(hills.north_m))[0])
        depth = (high_share - low_share) * float(self._depth_m[column])
        across = max(1, round(width / spacing[0]))
        along = max(1, round(depth / spacing[1]))
        return Patch(
            column,
            low_share,
            high_share,
            np.linspace(left, right, across + 1),
            np.linspace(low_share, high_share, along + 1),
        )

    def _lay_across(self, bound: int) -> None:
        beside = [column for column in (bound - 1, bound) if 0 <= column < len(self._levels)]
        fixed = np.array(sorted({level_share for column in beside for level_share in self._levels[column]}))
        wished = np.concatenate([patch.shares[1:-1] for patch in self._patches if patch.column in beside])
        shares = merge_places(fixed, wished, MERGE_M / float(np.mean(self._depth_m[beside])))
        numbers = self._plan.add_junctions(self._side, np.full(len(shares), self.bounds_m[bound]), shares)
        self._across[bound] = shares, numbers
        self._plan.add_way(self._across_way(float(self.bounds_m[bound])), numbers)

    def _across_way(self, column_m: float) -> Way:
        for crossing in table.CROSSINGS:
            if crossing.column_m == column_m:
                return Way(crossing.street_zh, crossing.street_en, CLASS_PRIMARY)
        return Way(*self._names.next("街", "St"), CLASS_SECONDARY)

    def _lay_along(self, level_share: float) -> None:
        run: list[Numbers] = []
        way = self._along_way(level_share)
        for column, levels in enumerate(self._levels):
            if level_share in levels:
                run.append(self._lay_stretch(column, level_share))
                continue
            way = self._end_run(run, way, level_share)
        self._end_run(run, way, level_share)

    def _end_run(self, run: list[Numbers], way: Way, level_share: float) -> Way:
        """Add the way of the stretches so far; return the way that goes on after a break."""
        if not run:
            return way
        self._plan.add_way(way, np.concatenate([run[0], *(stretch[1:] for stretch in run[1:])]))
        run.clear()
        return self._along_way(level_share)

    def _along_way(self, level_share: float) -> Way:
        if level_share == 0.0:
            return Way(*table.RIVERSIDE[self._side], CLASS_TRUNK)
        if level_share == 1.0:
            return Way(*table.RING[self._side], CLASS_TRUNK)
        if level_share == LEVELS_MIDDLE[1]:
            return Way(*table.MIDDLE[self._side], CLASS_PRIMARY)
        return Way(*self._names.next("路", "Rd"), CLASS_SECONDARY)

    def _lay_stretch(self, column: int, level_share: float) -> Numbers:
        """Lay one column's stretch of a road along; the expressway at the hills has no local junctions."""
        ends = self.bounds_m[column : column + 2]
        beside = (
            []
            if level_share == 1.0
            else [
                p.columns_m[1:-1]
                for p in self._patches
                if p.column == column and level_share in (p.low_share, p.high_share)
            ]
        )
        nearest = MERGE_M * float(ends[1] - ends[0]) / max(self._width_m(column, level_share), 1.0)
        places = merge_places(ends, np.concatenate([ends[:0], *beside]), nearest)
        inner = self._plan.add_junctions(self._side, places[1:-1], np.full(len(places) - 2, level_share))
        numbers = np.concatenate(([self._at(column, level_share)], inner, [self._at(column + 1, level_share)]))
        self._along[column, level_share] = places, numbers
        return numbers

    def _width_m(self, column: int, level_share: float) -> float:
        ground = self._plan.valley.place(self._side, self.bounds_m[column : column + 2], np.full(2, level_share))
        return float(np.hypot(np.diff(ground.east_m), np.diff(ground.north_m))[0])

    def _at(self, bound: int, share: float) -> int:
        shares, numbers = self._across[bound]
        return int(numbers[nearest_of(shares, np.array([share]))[0]])

    def _lay_local(self, patch: Patch) -> None:
        columns, shares = patch.columns_m, patch.shares
        grid = np.full((len(shares), len(columns)), -1, np.int64)
        grid[1:-1, 1:-1] = self._local_junctions(patch)
        for bound, edge in ((patch.column, 0), (patch.column + 1, -1)):
            places, numbers = self._across[bound]
            grid[1:-1, edge] = numbers[nearest_of(places, shares[1:-1])]
        for level_share, edge in ((patch.low_share, 0), (patch.high_share, -1)):
            if level_share < 1.0:
                places, numbers = self._along[patch.column, level_share]
                grid[edge, 1:-1] = numbers[nearest_of(places, columns[1:-1])]
        dropped = self._random.choice(DROPPED_RATIO)
        for place, line in enumerate((*grid[1:-1], *grid.T[1:-1])):
            kept = self._random.random(len(line) - 1) >= dropped
            self._plan.add_way(*self._local_way(line, place), kept)

    def _local_junctions(self, patch: Patch) -> Numbers:
        rows, columns = len(patch.shares) - 2, len(patch.columns_m) - 2
        if rows < 1 or columns < 1:
            return np.zeros((max(rows, 0), max(columns, 0)), np.int64)
        share, column = np.meshgrid(patch.shares[1:-1], patch.columns_m[1:-1], indexing="ij")
        sway = JITTER_RATIO * LOCAL_SPACING_M[0]
        row_sway = self._random.normal(0.0, sway, (rows, 1)) + self._random.normal(0.0, sway / 2, (rows, columns))
        column_sway = self._random.normal(0.0, sway, (1, columns)) + self._random.normal(0.0, sway / 2, (rows, columns))
        numbers = self._plan.add_junctions(
            self._side, column.ravel(), share.ravel(), column_sway.ravel(), row_sway.ravel()
        )
        return numbers.reshape(rows, columns)

    def _local_way(self, line: Numbers, place: int) -> tuple[Way, Numbers]:
        """Return a local street along a grid line: some have names, some are one-way, neighbours in turn."""
        name = self._names.next("巷", "Lane") if self._random.random() < NAMED_RATIO else ("", "")
        oneway = bool(self._random.random() < ONEWAY_RATIO)
        return Way(*name, CLASS_LOCAL, oneway=oneway), line[::-1] if place % 2 else line


def lay_streets(plan: StreetPlan, random: np.random.Generator, names: Names) -> dict[int, SideStreets]:
    """Lay both sides of the river and the bridges; return the sides."""
    sides = {side: SideStreets(plan, side, random, names) for side in (1, -1)}
    for side in sides.values():
        side.lay()
    for crossing in table.CROSSINGS:
        ends = [side.riverside(int(np.searchsorted(side.bounds_m, crossing.column_m))) for side in sides.values()]
        plan.add_way(Way(crossing.bridge_zh, crossing.bridge_en, CLASS_PRIMARY, bridge=True), np.array(ends))
    return sides


def _column_bounds(random: np.random.Generator) -> Floats:
    """Return where the main streets across meet the river: the bridges and places between them."""
    fixed = [table.TOWN_EAST_M[0], *(crossing.column_m for crossing in table.CROSSINGS), table.TOWN_EAST_M[1]]
    bounds = [fixed[0]]
    for left, right in pairwise(fixed):
        parts = max(1, round((right - left) / random.uniform(*COLUMN_WIDTH_M)))
        between = np.linspace(left, right, parts + 1)[1:-1]
        bounds += [*(between + random.uniform(-60.0, 60.0, len(between))), right]
    return np.array(bounds)


def _levels_of(depth_m: float) -> tuple[float, ...]:
    if depth_m > WIDE_M:
        return LEVELS_WIDE
    return LEVELS_MIDDLE if depth_m > MIDDLE_M else LEVELS_NARROW
