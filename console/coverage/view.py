"""Coverage as browsers see it: the message of a tick, its contours and gaps as polygons, and what a scope may see of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from console.coverage.protocol import ScopeCover
from console.wire_coverage import (
    Contour,
    CoverageChanged,
    Gap,
    GapCloser,
    RingLink,
    RingState,
    StationShares,
    TierShares,
)
from mission.cover.contours import Surface, as_multi, rings_of
from mission.cover.coverage import LIMITS_S, MINUTES, Coverage, CoverageNow
from mission.cover.drift import Drift
from mission.cover.gaps import GapArea
from mission.cover.ring import RingNow
from mission.roads.graph import RoadGraph
from telemetry.model.geodesy import Floats

_ID_BYTES: Final = 8
_DECIMALS: Final = 4
LEAST_PIECE_M2: Final = 5_000.0
"""Smaller pieces of a contour or gap at a zone's border are not told."""


@dataclass(frozen=True)
class Drawn:
    """A contour in the plane and as it is told."""

    minutes: int
    shape: Any
    contour: Contour


@dataclass(frozen=True)
class Shapes:
    """What is reckoned every few seconds: contours, gaps, the ring, and what units' leaving would open (by unit id)."""

    drawn: tuple[Drawn, ...]
    gap_areas: tuple[GapArea, ...]
    gaps: tuple[Gap, ...]
    ring: RingState | None
    opened_km2: Mapping[int, float]
    opened_links: Mapping[int, tuple[int, int]]

    @property
    def contours(self) -> tuple[Contour, ...]:
        """The contours as they are told."""
        return tuple(drawn.contour for drawn in self.drawn)


def shapes_of(
    coverage: Coverage,
    surface: Surface,
    now: CoverageNow,
    *,
    gaps: tuple[GapArea, ...],
    opened_km2: Mapping[int, float],
    ring: RingNow,
) -> Shapes:
    """Return the shapes of a tick; what was by row becomes by unit id. About 20 ms for a city."""
    unit_id, station_id = now.units.unit_id, coverage.stations.station_id
    links = [(int(station_id[link.one]), int(station_id[link.other])) for link in ring.links]
    return Shapes(
        drawn=tuple(_drawn(coverage.graph, surface)),
        gap_areas=gaps,
        gaps=tuple(_gap_view(coverage, now, gap, gap.shape) for gap in gaps),
        ring=_ring_view(coverage, ring) if ring.links else None,
        opened_km2={int(unit_id[row]): area for row, area in opened_km2.items()},
        opened_links={int(unit_id[row]): links[place] for row, place in ring.opened_by.items()},
    )


def changed_of(
    coverage: Coverage, now: CoverageNow, plan: CoverageNow, *, drift: Sequence[Drift], shapes: Shapes, at_ms: float
) -> CoverageChanged:
    """Return the message of a tick; `computed_ms` is filled in by whoever holds the clock."""
    is_known = now.on_map_count > 0
    return CoverageChanged(
        at_ms=at_ms,
        shares=_numbers(now.shares),
        stations=_stations(coverage, now, plan, drift),
        available_count=now.on_map_count,
        computed_ms=0.0,
        plan=_numbers(plan.shares),
        double_shares=_numbers(now.double_shares),
        people_shares=None if now.people_shares is None else _numbers(now.people_shares),
        incident_shares=None if now.incident_shares is None else _numbers(now.incident_shares),
        response_p50_s=now.response.p50_s if is_known else None,
        response_p90_s=now.response.p90_s if is_known else None,
        tiers=_tiers(coverage, now, None),
        gaps=list(shapes.gaps),
        ring=shapes.ring,
        off_map_count=now.off_map_count,
    )


def cut_to(
    coverage: Coverage,
    now: CoverageNow,
    shapes: Shapes,
    *,
    station_ids: list[int],
    zone: Any,  # noqa: ANN401 - shapely has no types
    is_fresh: bool,
) -> ScopeCover:
    """Return the contours, gaps and places of some stations' zones (`zone`: their ground); closers are their own units."""
    members = frozenset(station_ids)
    own = frozenset(now.units.unit_id[np.isin(now.units.station_id, station_ids)].tolist())
    gaps = []
    for area, gap in zip(shapes.gap_areas, shapes.gaps, strict=True):
        piece = _largest(shapely.intersection(area.shape, zone))
        if piece is not None:
            closers = [closer for closer in gap.closers if closer.unit_id in own]
            view = _gap_view(coverage, now, area, piece)
            gaps.append(msgspec.structs.replace(view, closers=closers, area_km2=round(piece.area / 1e6, _DECIMALS)))
    return ScopeCover(
        station_ids=station_ids,
        contours=_cut_contours(coverage.graph, shapes, zone) if is_fresh else None,
        gaps=gaps,
        tiers=_tiers(coverage, now, members),
    )


def _cut_contours(graph: RoadGraph, shapes: Shapes, zone: Any) -> list[Contour]:  # noqa: ANN401 - shapely has no types
    pieces = [(drawn.minutes, as_multi(shapely.intersection(drawn.shape, zone))) for drawn in shapes.drawn]
    return [
        _contour(graph, minutes, polygon)
        for minutes, piece in pieces
        for polygon in piece.geoms
        if polygon.area >= LEAST_PIECE_M2
    ]


def _largest(shape: Any) -> Any:  # noqa: ANN401 - shapely has no types
    pieces = [piece for piece in as_multi(shape).geoms if piece.area >= LEAST_PIECE_M2]
    return max(pieces, key=lambda piece: piece.area, default=None)


def _drawn(graph: RoadGraph, surface: Surface) -> list[Drawn]:
    return [
        Drawn(minutes, polygon, _contour(graph, minutes, polygon))
        for minutes, limit_s in zip(MINUTES, LIMITS_S, strict=True)
        for polygon in surface.within(limit_s)
    ]


def _contour(graph: RoadGraph, minutes: int, polygon: Any) -> Contour:  # noqa: ANN401 - shapely has no types
    """Return a polygon with a name that follows from its place and shape alone."""
    rings = rings_of(graph, polygon)
    digest = hashlib.blake2b(msgspec.json.encode((minutes, rings)), digest_size=_ID_BYTES)
    return Contour(contour_id=digest.hexdigest(), minutes=minutes, polygon=rings)


def _gap_view(coverage: Coverage, now: CoverageNow, gap: GapArea, shape: Any) -> Gap:  # noqa: ANN401 - shapely has no types
    graph, node = coverage.graph, gap.middle_node
    closers = [
        GapCloser(unit_id=int(now.units.unit_id[closer.row]), travel_s=round(closer.arrival_s, 1))
        for closer in gap.closers
    ]
    return Gap(
        label=gap.label,
        area_km2=round(gap.area_km2, _DECIMALS),
        road_km=round(gap.road_km, 3),
        people_ratio=None if gap.people_ratio is None else round(gap.people_ratio, _DECIMALS),
        worst_s=round(gap.worst_s, 1) if np.isfinite(gap.worst_s) else None,
        lat_deg=round(float(graph.node_lat_deg[node]), 6),
        lon_deg=round(float(graph.node_lon_deg[node]), 6),
        station_id=None if gap.station < 0 else int(coverage.stations.station_id[gap.station]),
        polygon=rings_of(graph, shape),
        closers=closers,
    )


def _ring_view(coverage: Coverage, ring: RingNow) -> RingState:
    ids = coverage.stations.station_id
    links = [
        RingLink(
            from_station_id=int(ids[link.one]),
            to_station_id=int(ids[link.other]),
            closed=link.closed,
            overlap_ratio=round(link.overlap_ratio, _DECIMALS),
            missing_s=None if link.closed or not np.isfinite(link.missing_s) else round(link.missing_s, 1),
            worst_lat_deg=link.worst_lat_deg,
            worst_lon_deg=link.worst_lon_deg,
        )
        for link in ring.links
    ]
    return RingState(closed=ring.closed, limit_s=ring.limit_s, links=links)


def _stations(coverage: Coverage, now: CoverageNow, plan: CoverageNow, drift: Sequence[Drift]) -> list[StationShares]:
    ids, away_m = coverage.stations.station_id.tolist(), coverage.station_away_m.round(1).tolist()
    rows = zip(ids, away_m, now.zone_shares, plan.zone_shares, drift, strict=True)
    return [
        StationShares(
            station_id=station_id,
            shares=_numbers(shares),
            plan=_numbers(planned),
            on_duty=found.present,
            crew=found.crew,
            missing_unit_ids=list(found.missing),
            post_away_m=away,
        )
        for station_id, away, shares, planned, found in rows
    ]


def _tiers(coverage: Coverage, now: CoverageNow, members: frozenset[int] | None) -> list[TierShares]:
    """Return the tiers of all places, or of those in some stations' zones."""
    places, ids = coverage.places, coverage.stations.station_id
    if places is None:
        return []
    told = []
    for tier in now.tiers:
        mine = set(np.flatnonzero(places.minutes == tier.minutes).tolist())
        if members is not None:
            mine = {
                row
                for row in mine
                if int(coverage.zone_of_place[row]) >= 0 and int(ids[coverage.zone_of_place[row]]) in members
            }
        misses = [row for row in tier.misses if row in mine]
        told.append(
            TierShares(
                minutes=tier.minutes,
                total=len(mine),
                met=len(mine) - len(misses),
                misses_zh=[places.name_zh[row] for row in misses],
                misses_en=[places.name_en[row] for row in misses],
            )
        )
    return told


def _numbers(values: Floats) -> list[float]:
    """Return shares as they are told; none at all where they are not known."""
    return [] if np.isnan(values).any() else values.round(_DECIMALS).tolist()
