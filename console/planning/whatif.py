"""Answers the what-if question: the city before and after, as the live message tells it, and what the difference is."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import shapely

from console.api.models_siting import ClosedView, Picture, StreetClosed, WhatIfReply
from console.auth.policy import Scope
from console.city.files import CityFiles
from console.coverage.engine import units_of
from console.coverage.protocol import PostsTold, StationPlace
from console.coverage.view import changed_of, cut_to, shapes_of
from console.planning.protocol import WhatIfAsked
from console.stream.coverage import within
from console.wire import Role
from mission.cover.contours import Surface, zone_shapes
from mission.cover.coverage import Coverage
from mission.cover.drift import drifts
from mission.cover.ground import GroundUnits, station_posts
from mission.cover.posting import Manned
from mission.roads.graph import Ints, RoadGraph
from mission.siting.planning_map import PlanningMap
from mission.siting.whatif import (
    Changes,
    City,
    Situation,
    Stage,
    changed_situation,
    difference,
    situation_of,
    streets_at,
    streets_named,
)
from telemetry.model.errors import InputError

_SHOWN_LINES: Final = 2_000


class WhatIfDesk:
    """Keeps the city as it is, so that only what changes is reckoned anew."""

    def __init__(self) -> None:
        self._key: object = None
        self._stage: Stage | None = None

    def answer(self, files: CityFiles, area: PlanningMap, asked: WhatIfAsked) -> WhatIfReply:
        """Return both cases. Raises InputError and NotFoundError for what cannot be."""
        stage = self._kept(files, area, asked.ground.stations)
        units, crews = units_of(asked.units, files.speeds), units_of(asked.crews, files.speeds)
        closed = [_closed(stage.coverage, one) for one in asked.request.closed]
        changes = Changes(
            moved={one.station_id: (one.lat_deg, one.lon_deg) for one in asked.request.stations},
            closed_streets=np.unique(np.concatenate([np.zeros(0, np.int32), *closed])).astype(np.int32),
            away_unit_ids=frozenset(asked.request.away_unit_ids),
        )
        manned = _manned(asked.posts)
        before = situation_of(stage, units, crews, manned=manned, hour_of_week=asked.hour_of_week)
        after = changed_situation(stage, units, crews, changes, manned=manned, hour_of_week=asked.hour_of_week)
        found = difference(before, after)
        ids, zone = stage.coverage.stations.station_id.tolist(), _zone(stage, asked)
        return WhatIfReply(
            before=_picture(before, crews, asked, zone=zone),
            after=_picture(after, crews, asked, zone=zone),
            lost_km=found.lost_km,
            won_km=found.won_km,
            opened_links=_links(ids, found.opened_links, asked),
            closed_links=_links(ids, found.closed_links, asked),
            closed=[_closed_view(files.graph, streets) for streets in closed],
        )

    def _kept(self, files: CityFiles, area: PlanningMap, stations: list[StationPlace]) -> Stage:
        key = (id(files), stations)
        if self._stage is None or key != self._key:
            posts = station_posts(
                [station.station_id for station in stations],
                [station.lat_deg for station in stations],
                [station.lon_deg for station in stations],
                ring_order=[station.ring_order for station in stations],
            )
            city = City(files.graph, files.speeds, files.places, area.weights)
            self._key, self._stage = key, Stage(city, posts)
        self._stage.coverage.weigh(area.weights)
        return self._stage


def _manned(told: PostsTold | None) -> Manned | None:
    return None if told is None else Manned(told.station_id, np.array(told.lat_deg), np.array(told.lon_deg))


def _closed(coverage: Coverage, closed: StreetClosed) -> Ints:
    if closed.name is not None:
        return streets_named(coverage.graph, closed.name)
    if closed.lat_deg is None or closed.lon_deg is None:
        raise InputError("a street to close has neither a name nor a place: give `name`, or `lat_deg` and `lon_deg`")
    return streets_at(coverage, closed.lat_deg, closed.lon_deg)


def _closed_view(graph: RoadGraph, streets: Ints) -> ClosedView:
    ends = np.stack((graph.streets.tail[streets], graph.streets.head[streets]), axis=1)[:_SHOWN_LINES]
    lines = np.stack((graph.node_lon_deg[ends], graph.node_lat_deg[ends]), axis=2).round(6)
    way = int(graph.streets.way[streets[0]])
    return ClosedView(
        name_zh=str(graph.way_name_zh[way]),
        name_en=str(graph.way_name_en[way]),
        length_km=float(graph.streets.length_m[streets].sum()) / 1000.0,
        lines=lines.tolist(),
    )


def _zone(stage: Stage, asked: WhatIfAsked) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the ground of the asker's stations as they stand; None for who sees all. A dragged station widens nobody's view."""
    if not asked.own_station_ids:
        return None
    ids = stage.coverage.stations.station_id
    zones = zone_shapes(stage.field, stage.coverage.zone_of_node, len(ids))
    return shapely.union_all([zones[row] for row in np.flatnonzero(np.isin(ids, asked.own_station_ids))])


def _picture(case: Situation, crews: GroundUnits, asked: WhatIfAsked, *, zone: Any) -> Picture:  # noqa: ANN401 - shapely has no types
    coverage = case.stage.coverage
    surface = Surface(case.stage.field, case.now.nearest.seconds[0])
    shapes = shapes_of(coverage, surface, case.now, gaps=case.gaps, opened_km2=case.opened_km2, ring=case.ring)
    drift = drifts(coverage, case.plan.zone_shares, case.now, crews)
    changed = changed_of(coverage, case.now, case.plan, drift=drift, shapes=shapes, at_ms=asked.at_ms)
    if zone is None:
        return Picture(coverage=changed, contours=list(shapes.contours))
    part = cut_to(coverage, case.now, shapes, station_ids=asked.own_station_ids, zone=zone, is_fresh=True)
    scope = Scope(Role.SUPERVISOR, frozenset(asked.own_station_ids))
    return Picture(coverage=within(changed, scope, part), contours=part.contours or [])


def _links(ids: Sequence[int], links: Iterable[tuple[int, int]], asked: WhatIfAsked) -> list[list[int]]:
    """Return the links by their stations' ids: those that touch the asker's."""
    own = frozenset(asked.own_station_ids or ids)
    pairs = [[ids[one], ids[other]] for one, other in links]
    return [pair for pair in pairs if not own.isdisjoint(pair)]
