"""What if a station stood elsewhere, a street were closed, units were away: the city as it is beside the city as it would be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.cover.contours import LIVE_CELL_M, Field, field_of
from mission.cover.coverage import Coverage, CoverageNow
from mission.cover.gaps import GapArea, Gaps
from mission.cover.ground import GroundUnits, Places, StationPosts, Weights
from mission.cover.posting import Manned, lines_of, planned_units, posts_of
from mission.cover.ring import Ring, RingNow
from mission.roads.graph import Ints, RoadGraph
from mission.roads.labels import NOBODY
from mission.roads.travel import DEFAULT_SPEEDS, Speeds
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.geodesy import Floats, distance_m

STATION_WITHIN_M: Final = 250.0
AT_STATION_M: Final = 250.0
"""Units of a station that stand so near to its post go with it when it is dragged."""
STRETCH_M: Final = 150.0
BRIDGE_M: Final = 1_500.0
CLOSED_WITHIN_M: Final = 100.0
_LIMIT_S: Final = 180.0


@dataclass(frozen=True, eq=False)
class City:
    """What does not change from question to question."""

    graph: RoadGraph
    speeds: Speeds = DEFAULT_SPEEDS
    places: Places | None = None
    weights: Weights | None = None
    ring_limit_s: float = 300.0


@dataclass(frozen=True, eq=False)
class Changes:
    """What would be otherwise: stations' places by station id (WGS-84), closed streets (indexes), units away (ids)."""

    moved: Mapping[int, tuple[float, float]]
    closed_streets: Ints
    away_unit_ids: Collection[int]


class Stage:
    """A city with stations and closures, ready for any units; about 0.6 s for 14 stations and 50,000 nodes. Raises InputError."""

    def __init__(
        self, city: City, stations: StationPosts, *, closed_streets: Ints | None = None, field: Field | None = None
    ) -> None:
        self.city: Final = city
        self.coverage: Final = Coverage(
            city.graph,
            stations,
            speeds=city.speeds,
            places=city.places,
            weights=city.weights,
            closed_streets=closed_streets,
        )
        self.field: Final = field or field_of(city.graph, cell_m=LIVE_CELL_M)
        self.gaps: Final = Gaps(self.coverage, self.field)
        self.ring: Final = Ring(self.coverage, limit_s=city.ring_limit_s)
        self.lines: Final = lines_of(self.coverage, self.ring)


@dataclass(frozen=True, eq=False)
class Situation:
    """One case: its stage, the coverage by units as they stand and as planned from the posts, gaps, what would open them, the ring."""

    stage: Stage
    now: CoverageNow
    plan: CoverageNow
    gaps: tuple[GapArea, ...]
    opened_km2: Mapping[int, float]
    ring: RingNow


def situation_of(
    stage: Stage,
    units: GroundUnits,
    crews: GroundUnits,
    *,
    manned: Manned | None = None,
    hour_of_week: int | None = None,
) -> Situation:
    """Return the coverage on a stage; about 0.2 s for 500 units on 50,000 nodes. `manned` are posts of the plan."""
    coverage, weights = stage.coverage, stage.city.weights
    now = coverage.now(units, hour_of_week=hour_of_week)
    hour = None if hour_of_week is None else hour_of_week % 24
    posts = None if manned is None else posts_of(coverage, *manned)
    return Situation(
        stage=stage,
        now=now,
        plan=coverage.now(planned_units(coverage, crews, lines=stage.lines, posts=posts), hour_of_week=hour_of_week),
        gaps=stage.gaps.find(now, people=None if weights is None else weights.people),
        opened_km2=stage.gaps.opened_km2(now),
        ring=stage.ring.now(now.standing, _station_rows(coverage.stations, units), hour=hour),
    )


def changed_situation(
    before: Stage,
    units: GroundUnits,
    crews: GroundUnits,
    changes: Changes,
    *,
    manned: Manned | None = None,
    hour_of_week: int | None = None,
) -> Situation:
    """Return the case after the changes.

    Raises NotFoundError for stations and units that there are not, InputError for a station dragged off the streets or the map.
    """
    stations = _moved_stations(before.coverage, changes.moved)
    _check_units(changes.away_unit_ids, units, crews)
    units = _moved_units(before.coverage.stations, stations, units)
    away = list(changes.away_unit_ids)
    stage = before
    if changes.moved or len(changes.closed_streets):
        stage = Stage(before.city, stations, closed_streets=changes.closed_streets, field=before.field)
    present = units.part(~np.isin(units.unit_id, away))
    staying = crews.part(~np.isin(crews.unit_id, away))
    return situation_of(stage, present, staying, manned=manned, hour_of_week=hour_of_week)


@dataclass(frozen=True)
class Difference:
    """What the changes do: kilometres of road that fall out of three minutes and that come within, and ring links (index pairs)."""

    lost_km: float
    won_km: float
    opened_links: tuple[tuple[int, int], ...]
    closed_links: tuple[tuple[int, int], ...]


def difference(before: Situation, after: Situation) -> Difference:
    """Return what is otherwise after; road is counted by halves of streets at their ends."""
    road_m = before.stage.coverage.node_road_m
    was, will = (case.now.nearest.seconds[0] <= _LIMIT_S for case in (before, after))
    links = [{(link.one, link.other): link.closed for link in case.ring.links} for case in (before, after)]
    opened = tuple(pair for pair, closed in links[1].items() if not closed and links[0].get(pair, False))
    closed = tuple(pair for pair, closed in links[1].items() if closed and not links[0].get(pair, True))
    return Difference(
        lost_km=float(road_m[was & ~will].sum()) / 1000.0,
        won_km=float(road_m[will & ~was].sum()) / 1000.0,
        opened_links=opened,
        closed_links=closed,
    )


# --- streets ---------------------------------------------------------------------------------------------------------


def streets_named(graph: RoadGraph, name: str) -> Ints:
    """Return all streets of this Chinese or English name. Raises NotFoundError with names that resemble it."""
    wanted = name.strip().casefold()
    names = np.stack((np.char.lower(graph.way_name_zh), np.char.lower(graph.way_name_en)))
    ways = np.flatnonzero((names == wanted).any(axis=0))
    streets = np.flatnonzero(np.isin(graph.streets.way, ways)) if wanted else np.zeros(0, np.int64)
    if not len(streets):
        both = np.concatenate((graph.way_name_zh, graph.way_name_en))
        alike = sorted({str(one) for one in both.tolist() if wanted and one and wanted[:2] in one.casefold()})[:5]
        hint = f"; perhaps {', '.join(alike)}" if alike else ""
        raise NotFoundError(
            f"no street of this map is called {name!r}{hint}: write its name as the map does, or click on it"
        )
    return streets.astype(np.int32)


def streets_at(coverage: Coverage, lat_deg: float, lon_deg: float) -> Ints:
    """Return the stretch of street at a place: of a bridge all of it and its other carriageway, else about 150 m each way.

    Raises InputError where no street is within 100 m.
    """
    graph, streets = coverage.graph, coverage.graph.streets
    snapped = coverage.index.snap(np.array([lat_deg]), np.array([lon_deg]), within_m=CLOSED_WITHIN_M)
    if snapped.edge[0] < 0:
        raise InputError(
            f"no street lies within {CLOSED_WITHIN_M:.0f} m of the place to close: click on the street itself, or name it"
        )
    street = int(streets.of_edge[snapped.edge[0]])
    way = int(streets.way[street])
    is_bridge = bool(graph.way_bridge[way])
    place = np.column_stack(graph.plane.to_plane(np.array([lat_deg]), np.array([lon_deg])))[0]
    middle = (graph.node_xy_m[streets.tail] + graph.node_xy_m[streets.head]) / 2.0
    near = np.hypot(*(middle - place).T) <= (BRIDGE_M if is_bridge else STRETCH_M)
    same = np.isin(streets.way, _ways_like(graph, way)) & near
    same[street] = True
    return np.flatnonzero(same).astype(np.int32)


def _ways_like(graph: RoadGraph, way: int) -> NDArray[np.intp]:
    """Return the way itself and, where it has a name, its namesakes that are bridges as it is, or are not as it is not."""
    name = graph.way_name_zh[way] or graph.way_name_en[way]
    if not name:
        return np.array([way])
    named = (graph.way_name_zh == graph.way_name_zh[way]) & (graph.way_name_en == graph.way_name_en[way])
    return np.flatnonzero(named & (graph.way_bridge == graph.way_bridge[way]))


# --- stations and units ----------------------------------------------------------------------------------------------


def _moved_stations(coverage: Coverage, moved: Mapping[int, tuple[float, float]]) -> StationPosts:
    stations = coverage.stations
    lat, lon = stations.lat_deg.copy(), stations.lon_deg.copy()
    for station_id, (lat_deg, lon_deg) in moved.items():
        rows = np.flatnonzero(stations.station_id == station_id)
        if not len(rows):
            raise NotFoundError(f"there is no station {station_id}: choose one of those on the map")
        lat[rows], lon[rows] = _on_street(coverage, station_id, lat_deg, lon_deg)
    return replace(stations, lat_deg=lat, lon_deg=lon)


def _on_street(coverage: Coverage, station_id: int, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    snapped = coverage.index.snap(np.array([lat_deg]), np.array([lon_deg]), within_m=np.inf)
    away_m = float(snapped.away_m[0]) if np.isfinite(lat_deg + lon_deg) else np.inf
    if not away_m <= STATION_WITHIN_M:
        raise InputError(
            f"station {station_id} would stand {away_m:.0f} m from the nearest street, in water, in open land or off the map: "
            f"allowed are {STATION_WITHIN_M:.0f} m; drag it to a street"
        )
    return lat_deg, lon_deg


def _moved_units(before: StationPosts, after: StationPosts, units: GroundUnits) -> GroundUnits:
    """Return the units, those at a dragged station dragged along."""
    lat, lon = units.lat_deg.copy(), units.lon_deg.copy()
    places: Sequence[Floats] = (before.lat_deg, before.lon_deg, after.lat_deg, after.lon_deg)
    for station_id, *was_and_will in zip(
        before.station_id.tolist(), *(place.tolist() for place in places), strict=True
    ):
        was_lat, was_lon, will_lat, will_lon = was_and_will
        if (was_lat, was_lon) != (will_lat, will_lon):
            mine = np.flatnonzero((units.station_id == station_id) & np.isfinite(units.lat_deg + units.lon_deg))
            there = mine[distance_m(lat[mine], lon[mine], was_lat, was_lon) <= AT_STATION_M]
            lat[there], lon[there] = will_lat, will_lon
    return replace(units, lat_deg=lat, lon_deg=lon)


def _check_units(away: Collection[int], units: GroundUnits, crews: GroundUnits) -> None:
    known = set(units.unit_id.tolist()) | set(crews.unit_id.tolist())
    unknown = sorted(set(away) - known)
    if unknown:
        raise NotFoundError(
            f"no unit {', '.join(str(unit) for unit in unknown[:5])} counts in the coverage: choose units of the ground on duty"
        )


def _station_rows(stations: StationPosts, units: GroundUnits) -> Ints:
    index = {station_id: row for row, station_id in enumerate(stations.station_id.tolist())}
    return np.array([index.get(station_id, NOBODY) for station_id in units.station_id.tolist()], np.int32)
