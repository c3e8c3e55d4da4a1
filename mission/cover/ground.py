"""What coverage is reckoned from: units on the ground, stations, places with a tier, and weights of people and past incidents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mission.roads.graph import EdgeIndex, Ints, RoadGraph
from mission.roads.skeleton import Stands
from mission.roads.travel import GROUND_MODES, MODE_ACCESS
from telemetry.model.datum import parse_crs, to_wgs84
from telemetry.model.geodesy import Floats

HOURS_OF_WEEK: Final = 168
ON_ROAD_WITHIN_M: Final = 250.0
ENOUGH_INCIDENTS: Final = 20
PLACED_WITHIN_M: Final = 500.0


def _no_ints() -> Ints:
    return np.zeros(0, np.int32)


@dataclass(frozen=True)
class GroundUnits:
    """Units that may be sent over the roads, all arrays (n,): WGS-84 degrees, `mode` an index into GROUND_MODES.

    `station_id` is -1 for units of no station; `turnout_s` is what passes before they move off.
    """

    unit_id: Ints = field(default_factory=_no_ints)
    station_id: Ints = field(default_factory=_no_ints)
    lat_deg: Floats = field(default_factory=lambda: np.zeros(0))
    lon_deg: Floats = field(default_factory=lambda: np.zeros(0))
    mode: Ints = field(default_factory=_no_ints)
    turnout_s: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.unit_id)

    def part(self, mask: NDArray[np.bool_]) -> "GroundUnits":
        """Return those of a mask (n,)."""
        return GroundUnits(
            self.unit_id[mask],
            self.station_id[mask],
            self.lat_deg[mask],
            self.lon_deg[mask],
            self.mode[mask],
            self.turnout_s[mask],
        )


@dataclass(frozen=True)
class StationPosts:
    """Where stations stand, all arrays (stations,), WGS-84; `ring_order` is -1 for those outside the ring."""

    station_id: Ints
    lat_deg: Floats
    lon_deg: Floats
    ring_order: Ints

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.station_id)


def station_posts(
    station_ids: Sequence[int],
    lat_deg: Sequence[float] | Floats,
    lon_deg: Sequence[float] | Floats,
    *,
    ring_order: Sequence[int | None] | None = None,
    crs: str = "wgs84",
) -> StationPosts:
    """Return stations at places in `crs`. Raises InputError for an unknown crs or places that are none."""
    lat, lon = to_wgs84(np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64), crs=parse_crs(crs))
    order = [None] * len(station_ids) if ring_order is None else ring_order
    ring = np.array([-1 if place is None else place for place in order], np.int32)
    return StationPosts(np.array(station_ids, np.int32), lat, lon, ring)


@dataclass(frozen=True)
class Places:
    """Places that must be reached within `minutes` (1, 3 or 5) of their tier; WGS-84, arrays and names (n,)."""

    lat_deg: Floats
    lon_deg: Floats
    minutes: Ints
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """What counts beside road length: people per node (nodes,), and past incidents (node and hour of week, both (n,)).

    None where nothing is known; hours of the week count from Monday 0:00, local time.
    """

    people: Floats | None = None
    incident_node: Ints | None = None
    incident_hour: Ints | None = None

    def incidents(self, node_count: int, hour_of_week: int | None) -> Floats | None:
        """Return incidents per node for an hour of the week; None when none are known.

        Those of that hour and its neighbours count where there are enough of them, else those of the same hours of any day,
        else all.
        """
        node, hour = self.incident_node, self.incident_hour
        if node is None or hour is None or not len(node):
            return None
        chosen = np.ones(len(node), np.bool_)
        if hour_of_week is not None:
            for period in (HOURS_OF_WEEK, 24):
                away = (hour - hour_of_week) % period
                near = np.minimum(away, period - away) <= 1
                if near.sum() >= ENOUGH_INCIDENTS:
                    chosen = near
                    break
        return np.bincount(node[chosen], minlength=node_count).astype(np.float64)


def at_nodes(graph: RoadGraph, lat_deg: Floats, lon_deg: Floats) -> Ints:
    """Return the nearest node of WGS-84 places (n,); -1 where none is within 500 m or the place is none."""
    nodes = np.full(len(lat_deg), -1, np.int32)
    is_place = np.isfinite(lat_deg) & np.isfinite(lon_deg)
    if not graph.node_count or not is_place.any():
        return nodes
    points = np.column_stack(graph.plane.to_plane(lat_deg[is_place], lon_deg[is_place]))
    away, nearest = cKDTree(graph.node_xy_m).query(points, distance_upper_bound=PLACED_WITHIN_M)
    nodes[is_place] = np.where(np.isfinite(away), nearest, -1)
    return nodes


def people_at_nodes(graph: RoadGraph, lat_deg: Floats, lon_deg: Floats, people: Floats) -> Floats:
    """Return people per node (nodes,) of counts at WGS-84 points (n,); points far from any road are left out."""
    nodes = at_nodes(graph, lat_deg, lon_deg)
    placed = nodes >= 0
    counts = np.bincount(nodes[placed], people[placed], minlength=graph.node_count)
    return np.asarray(counts, np.float64)


@dataclass(frozen=True)
class Standing:
    """Units on the streets: `row` (n,) says which of the given units they are, `stands` where; others are off the map."""

    row: NDArray[np.intp]
    stands: Stands
    mode: Ints
    off_map: NDArray[np.intp]

    def of_mode(self, mode: int) -> Stands:
        """Return the stands of one mode."""
        return self.stands.of(self.mode == mode)


def stand(graph: RoadGraph, index: EdgeIndex, units: GroundUnits) -> Standing:
    """Return where units stand on the streets that their modes may use; owners are rows of `units`.

    Whoever is more than 250 m from such a street, or has no place at all, is off the map. About 3 ms for 500 units.
    """
    count = len(units)
    edge = np.full(count, -1, np.int32)
    along = np.zeros(count)
    is_place = np.isfinite(units.lat_deg) & np.isfinite(units.lon_deg)
    is_place &= (np.abs(units.lat_deg) <= 90.0) & (np.abs(units.lon_deg) <= 180.0)
    for mode in np.unique(units.mode).tolist():
        mine = np.flatnonzero(is_place & (units.mode == mode))
        access = MODE_ACCESS[GROUND_MODES[mode]]
        snapped = index.snap(units.lat_deg[mine], units.lon_deg[mine], within_m=ON_ROAD_WITHIN_M, access=access)
        edge[mine], along[mine] = snapped.edge, snapped.along_ratio
    row = np.flatnonzero(edge >= 0)
    street, ratio = street_places(graph, edge[row], along[row])
    stands = Stands(street, ratio, row.astype(np.int32))
    return Standing(row, stands, units.mode[row], np.flatnonzero(edge < 0))


def street_places(graph: RoadGraph, edge: Ints, along_ratio: Floats) -> tuple[Ints, Floats]:
    """Return the streets of places on edges (n,), and how far along the streets they are (0..1 from the tail)."""
    streets = graph.streets
    street = streets.of_edge[edge].astype(np.int32)
    return street, np.where(streets.edge_is_forward[edge], along_ratio, 1.0 - along_ratio)
