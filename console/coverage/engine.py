"""The coverage process's mind: it holds the map, the plan and the last tick, and answers one question after another."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from console.city.files import load_city
from console.coverage.nearest import nearest_of, place_of
from console.coverage.protocol import (
    Answer,
    CrewsTold,
    Done,
    Failed,
    GeoJsonAnswer,
    IncidentsTold,
    Leaving,
    LeavingAnswer,
    LeavingAsked,
    NearestAsked,
    Order,
    PlaceAsked,
    PlannedAsked,
    PostAway,
    PostsTold,
    Question,
    Ready,
    RingAsked,
    StationPlace,
    TickAnswer,
    TickAsked,
    UnitColumns,
)
from console.coverage.view import Shapes, changed_of, cut_to, shapes_of
from mission.airspace import load_airspace
from mission.cover.contours import LIVE_CELL_M, Surface, field_of, planned_geojson, zone_shapes
from mission.cover.coverage import Coverage, CoverageNow
from mission.cover.drift import drifts
from mission.cover.gaps import Gaps
from mission.cover.ground import GroundUnits, StationPosts, Weights, at_nodes
from mission.cover.posting import Outposts, lines_of, planned_units, posts_of
from mission.cover.ring import Ring, Settled
from mission.roads.graph import Ints
from mission.roads.labels import NOBODY
from mission.roads.travel import GROUND_MODES, Speeds
from telemetry.model.geodesy import Floats


class CoverageEngine:
    """Answers questions about one map. `coverage`, `now` and `standing units` of the last tick are there for who is nearest.

    Raises what the map's files raise when it is made: FileFormatError, InputError.
    """

    def __init__(self, order: Order) -> None:
        city = load_city(Path(order.city_dir))
        stations = _posts_of(order.stations)
        self.coverage: Final = Coverage(
            city.graph, stations, speeds=city.speeds, places=city.places, weights=city.weights
        )
        self.speeds: Final = city.speeds
        self._airspace = load_airspace(Path(order.city_dir), plane=city.graph.plane)
        self._people = city.weights.people
        self._ring = Ring(self.coverage, limit_s=order.ring_limit_s)
        self._settled = Settled()
        self._field = field_of(city.graph, cell_m=LIVE_CELL_M)
        self._gaps = Gaps(self.coverage, self._field)
        self._zones = zone_shapes(self._field, self.coverage.zone_of_node, len(stations))
        self._scope_zones: dict[tuple[int, ...], Any] = {}
        self._index_of = {station_id: index for index, station_id in enumerate(stations.station_id.tolist())}
        self.now: CoverageNow | None = None
        self._shapes: Shapes | None = None
        self._crews, self._posts = GroundUnits(), Outposts()
        self._lines = lines_of(self.coverage, self._ring)
        self._plan_hour: int | None = None
        self._plan = self._planned()

    def ready(self) -> Ready:
        """Return what is said once the map is loaded."""
        stations, coverage = self.coverage.stations, self.coverage
        rows = zip(
            stations.station_id.tolist(), coverage.station_away_m.tolist(), coverage.has_zone.tolist(), strict=True
        )
        return Ready(coverage.graph.node_count, [PostAway(station, away_m, has) for station, away_m, has in rows])

    def answer(self, question: Question) -> Answer:
        """Answer anything but another Order."""
        match question:
            case TickAsked():
                return self._tick(question)
            case CrewsTold(crews=crews):
                self._crews = units_of(crews, self.speeds)
                self._plan = self._planned()
                return Done()
            case PostsTold(station_id=station_ids, lat_deg=lat_deg, lon_deg=lon_deg):
                self._posts = posts_of(self.coverage, station_ids, np.array(lat_deg), np.array(lon_deg))
                self._plan = self._planned()
                return Done()
            case IncidentsTold():
                return self._take_incidents(question)
            case LeavingAsked(unit_ids=unit_ids):
                return LeavingAnswer(self.leaving(unit_ids))
            case PlannedAsked():
                return GeoJsonAnswer(msgspec.json.encode(planned_geojson(self.coverage, self._plan)))
            case RingAsked():
                return GeoJsonAnswer(msgspec.json.encode(self._ring.ways_geojson()))
            case NearestAsked():
                units = units_of(question.units, self.speeds)
                return nearest_of(
                    self.coverage, self.speeds, units, question, airspace=self._airspace, leaving=self.leaving
                )
            case PlaceAsked():
                return place_of(self.coverage, question)
            case Order():
                return Failed("the map is loaded already: end this process and start another for another map")

    def leaving(self, unit_ids: list[int]) -> list[Leaving]:
        """Return what these units' leaving uncovers, by the last tick; those that do not count now are left out."""
        now = self.now
        if now is None:
            return []
        row_of = {int(unit_id): row for row, unit_id in enumerate(now.units.unit_id)}
        return [self._leaving(now, row_of[unit_id]) for unit_id in unit_ids if unit_id in row_of]

    # --- the tick --------------------------------------------------------------------------------------------------

    def _tick(self, asked: TickAsked) -> TickAnswer:
        units = units_of(asked.units, self.speeds)
        now = self.coverage.now(units, hour_of_week=asked.hour_of_week)
        self.now = now
        if asked.hour_of_week != self._plan_hour:
            self._plan_hour = asked.hour_of_week
            self._plan = self._planned()
        is_fresh = asked.wants_shapes or self._shapes is None
        shapes = self._shapes_of(now, asked) if is_fresh else self._shapes
        assert shapes is not None
        self._shapes = shapes
        drift = drifts(self.coverage, self._plan.zone_shares, now, self._crews, silent=frozenset(asked.silent))
        changed = changed_of(self.coverage, now, self._plan, drift=drift, shapes=shapes, at_ms=asked.at_ms)
        scopes = [
            cut_to(self.coverage, now, shapes, station_ids=scope, zone=self._zone_of(scope), is_fresh=is_fresh)
            for scope in asked.scopes
        ]
        losses = [self._leaving(now, row) for row in now.standing.row.tolist()]
        return TickAnswer(changed, list(shapes.contours) if is_fresh else None, scopes, losses)

    def _shapes_of(self, now: CoverageNow, asked: TickAsked) -> Shapes:
        hour = asked.hour_of_week % 24
        surface = Surface(self._field, now.nearest.seconds[0])
        ring = self._ring.now(now.standing, self._station_rows(now.units), hour=hour)
        return shapes_of(
            self.coverage,
            surface,
            now,
            gaps=self._gaps.find(now, surface, people=self._people),
            opened_km2=self._gaps.opened_km2(now),
            ring=self._settled.take(ring, asked.steady_ms / 1000.0),
        )

    def _leaving(self, now: CoverageNow, row: int) -> Leaving:
        shapes = self._shapes
        unit_id = int(now.units.unit_id[row])
        opens_km2 = None if shapes is None else shapes.opened_km2.get(unit_id)
        return Leaving(unit_id, float(now.loss_ratio[row]), opens_km2, self._opened_link(shapes, unit_id))

    def _opened_link(self, shapes: Shapes | None, unit_id: int) -> list[int] | None:
        link = None if shapes is None else shapes.opened_links.get(unit_id)
        return None if link is None else list(link)

    def _zone_of(self, scope: list[int]) -> Any:  # noqa: ANN401 - shapely has no types
        """Return the ground of some stations' zones; None where none of them has any."""
        key = tuple(sorted(scope))
        if key not in self._scope_zones:
            zones = [self._zones[self._index_of[station]] for station in key if station in self._index_of]
            self._scope_zones[key] = shapely.union_all(zones)
        return self._scope_zones[key]

    # --- what is told ----------------------------------------------------------------------------------------------

    def _planned(self) -> CoverageNow:
        """Return what the plan reaches at the hour that is looked at: rush hours slow it down as they do what is now."""
        units = planned_units(self.coverage, self._crews, lines=self._lines, posts=self._posts)
        return self.coverage.now(units, hour_of_week=self._plan_hour)

    def _take_incidents(self, told: IncidentsTold) -> Answer:
        if not len(told.lat_deg) == len(told.lon_deg) == len(told.hour_of_week):
            return Failed("past incidents' columns differ in length: give one place and hour each")
        nodes = at_nodes(self.coverage.graph, np.array(told.lat_deg), np.array(told.lon_deg))
        placed = nodes >= 0
        hours = np.array(told.hour_of_week, np.int32)
        self.coverage.weigh(Weights(people=self._people, incident_node=nodes[placed], incident_hour=hours[placed]))
        self._plan = self._planned()
        return Done()

    def _station_rows(self, units: GroundUnits) -> Ints:
        return np.array([self._index_of.get(station, NOBODY) for station in units.station_id.tolist()], np.int32)


def units_of(columns: UnitColumns, speeds: Speeds) -> GroundUnits:
    """Return the units of columns, with the turnout of their modes. Raises ValueError when their lengths differ."""
    lengths = {len(column) for column in msgspec.structs.astuple(columns)}
    if len(lengths) != 1:
        message = "the units' columns differ in length: give one value each"
        raise ValueError(message)
    mode = np.array(columns.mode, np.int32)
    if len(mode) and not (mode.min() >= 0 and mode.max() < len(GROUND_MODES)):
        message = f"modes {mode.min()} to {mode.max()} do not all exist: allowed are 0 to {len(GROUND_MODES) - 1}"
        raise ValueError(message)
    return GroundUnits(
        np.array(columns.unit_id, np.int32),
        np.array(columns.station_id, np.int32),
        np.array(columns.lat_deg, np.float64),
        np.array(columns.lon_deg, np.float64),
        mode,
        np.array([speeds.turnout_s[ground_mode] for ground_mode in GROUND_MODES])[mode],
    )


def _posts_of(stations: list[StationPlace]) -> StationPosts:
    columns: Mapping[str, Callable[[StationPlace], float]] = {
        "lat_deg": lambda station: station.lat_deg,
        "lon_deg": lambda station: station.lon_deg,
    }
    places: dict[str, Floats] = {
        name: np.array([take(station) for station in stations]) for name, take in columns.items()
    }
    order = [NOBODY if station.ring_order is None else station.ring_order for station in stations]
    ids = np.array([station.station_id for station in stations], np.int32)
    return StationPosts(ids, places["lat_deg"], places["lon_deg"], np.array(order, np.int32))
