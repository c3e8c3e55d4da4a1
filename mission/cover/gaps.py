"""Gaps: connected ground that no available unit reaches in time, worst first, and who would close each of them soonest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import label

from mission.cover.contours import Field, Surface
from mission.cover.coverage import FARTHEST_S, Coverage, CoverageNow
from mission.roads.skeleton import Stands
from telemetry.model.geodesy import Floats

LIMIT_S: Final = 300.0
LEAST_AREA_KM2: Final = 0.25
LEAST_ROAD_KM: Final = 0.2
CLOSERS: Final = 3
SHOWN: Final = 8
_M2_OF_KM2: Final = 1e6


@dataclass(frozen=True)
class Closer:
    """A unit (row of the units) and how long it takes until it stands in a gap's middle, mobilisation included."""

    row: int
    arrival_s: float


@dataclass(frozen=True)
class GapArea:
    """Connected ground beyond the limit; `label` is A, B, C from the worst. `shape` is a polygon in the graph's plane.

    `worst_s` is inf where nobody comes at all; `people_ratio` is None where nothing is known of people. The middle is a node
    on a road within; `station` is the index of the station in whose zone it lies, -1: none.
    """

    label: str
    shape: Any
    area_km2: float
    road_km: float
    people_ratio: float | None
    worst_s: float
    middle_node: int
    station: int
    closers: tuple[Closer, ...] = ()


class Gaps:
    """Finds the gaps of a coverage on its raster; about 10 ms a time for a city of 50,000 nodes, and 2 ms a gap for its closers."""

    def __init__(self, coverage: Coverage, field: Field) -> None:
        self._coverage, self._field = coverage, field
        self._cell_km2 = field.cell_m**2 / _M2_OF_KM2

    def find(
        self,
        now: CoverageNow,
        surface: Surface | None = None,
        *,
        limit_s: float = LIMIT_S,
        people: Floats | None = None,
    ) -> tuple[GapArea, ...]:
        """Return at most SHOWN gaps of at least LEAST_AREA_KM2 with some road in them, most road first.

        `surface` is that of the nearest unit's seconds, where it is at hand.
        """
        seconds = now.nearest.seconds[0]
        ground = Surface(self._field, seconds) if surface is None else surface
        shapes = ground.beyond(limit_s, least_m2=LEAST_AREA_KM2 * _M2_OF_KM2)
        found = [self._gap(shape, seconds, limit_s, people) for shape in shapes]
        sound = sorted((gap for gap in found if gap is not None), key=lambda gap: -gap.road_km)[:SHOWN]
        return tuple(self._labelled(gap, place, now) for place, gap in enumerate(sound))

    def opened_km2(self, now: CoverageNow, *, limit_s: float = LIMIT_S) -> dict[int, float]:
        """Return for units (rows) whose leaving alone would open or widen a gap the largest area that would be uncovered."""
        field = self._field
        first, second = now.nearest.seconds
        owner = now.nearest.owner[0]
        is_alone = (first <= limit_s) & (second > limit_s)
        alone = is_alone[field.node] & field.is_ground & (first[field.node] + field.off_road_s <= limit_s)
        cell_owner = np.where(alone, owner[field.node], -1)
        counts = np.bincount(cell_owner[alone], minlength=len(now.units))
        opened = {}
        for row in np.flatnonzero(counts * self._cell_km2 >= LEAST_AREA_KM2).tolist():
            pieces, count = label(cell_owner == row)
            largest = int(np.bincount(pieces.ravel())[1:].max()) if count else 0
            if largest * self._cell_km2 >= LEAST_AREA_KM2:
                opened[row] = largest * self._cell_km2
        return opened

    # --- shapes ----------------------------------------------------------------------------------------------------

    def _gap(self, shape: Any, seconds: Floats, limit_s: float, people: Floats | None) -> GapArea | None:  # noqa: ANN401 - shapely has no types
        coverage = self._coverage
        xy = coverage.graph.node_xy_m
        near = self._within_box(shape, xy)
        inside = near[shapely.contains_xy(shape, xy[near, 0], xy[near, 1])]
        late = inside[seconds[inside] > limit_s]
        road_km = float(coverage.node_road_m[late].sum()) / 1000.0
        if road_km < LEAST_ROAD_KM:
            return None
        middle = self._middle(shape, inside)
        whole = 0.0 if people is None else float(people.sum())
        return GapArea(
            label="",
            shape=shape,
            area_km2=shape.area / _M2_OF_KM2,
            road_km=road_km,
            people_ratio=None if people is None or whole <= 0.0 else float(people[inside].sum()) / whole,
            worst_s=float(seconds[inside].max()),
            middle_node=middle,
            station=int(coverage.zone_of_node[middle]),
        )

    def _within_box(self, shape: Any, xy: Floats) -> NDArray[np.intp]:  # noqa: ANN401 - shapely has no types
        west, south, east, north = shape.bounds
        return np.flatnonzero((xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north))

    def _middle(self, shape: Any, inside: NDArray[np.intp]) -> int:  # noqa: ANN401 - shapely has no types
        """Return the road node within that is nearest to the middle of the shape's ground."""
        xy = self._coverage.graph.node_xy_m[inside]
        centre = shape.centroid if shape.contains(shape.centroid) else shape.representative_point()
        return int(inside[np.hypot(xy[:, 0] - centre.x, xy[:, 1] - centre.y).argmin()])

    def _labelled(self, gap: GapArea, place: int, now: CoverageNow) -> GapArea:
        return replace(gap, label=chr(ord("A") + place), closers=self._closers(gap.middle_node, now))

    def _closers(self, node: int, now: CoverageNow) -> tuple[Closer, ...]:
        """Return the units that would stand in the middle soonest."""
        target = _place_at(self._coverage, node)
        rows: list[NDArray[np.int32]] = [np.zeros(0, np.int32)]
        times: list[Floats] = [np.zeros(0)]
        for party in now.parties:
            rows.append(party.stands.owner)
            times.append(party.ways.times_to(party.stands, target, limit_s=FARTHEST_S))
        row, travel_s = np.concatenate(rows), np.concatenate(times)
        seconds = travel_s + now.units.turnout_s[row]
        order = np.argsort(seconds, kind="stable")[:CLOSERS]
        return tuple(Closer(int(row[at]), float(seconds[at])) for at in order if np.isfinite(seconds[at]))


def _place_at(coverage: Coverage, node: int) -> Stands:
    """Return a node as a place on one of its streets."""
    streets = coverage.graph.streets
    at_tail = np.flatnonzero(streets.tail == node)
    street = at_tail[0] if len(at_tail) else np.flatnonzero(streets.head == node)[0]
    along = 0.0 if len(at_tail) else 1.0
    return Stands(np.array([street], np.int32), np.array([along]), np.zeros(1, np.int32))


def total_area_km2(gaps: Sequence[GapArea]) -> float:
    """Return the area of gaps together."""
    return sum(gap.area_km2 for gap in gaps)
