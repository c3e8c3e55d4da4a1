"""Answers the siting question: what stands, where something could, and the plan as the browser gets it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from console.api.models_siting import SiteKindWanted, SiteView, SitingReply
from console.planning.places import nodes_near, street_names
from console.planning.protocol import Ground, PostPlace, SitesAsked
from mission.cover.ground import Places
from mission.roads.graph import Ints
from mission.roads.travel import TravelMode
from mission.siting.planning_map import PlanningMap
from mission.siting.site_model import Effort
from mission.siting.site_questions import SitePlan, SiteWish, plan_sites
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

_HOLDING_POSTS: Final = frozenset({"standing_post", "safety_post", "checkpoint"})


def sites(area: PlanningMap, tiers: Places | None, asked: SitesAsked) -> SitingReply:
    """Answer where the wished sites should stand. Raises InputError."""
    request = asked.request
    demands = area.demands(request.demand, most_count=request.demand_count, hour_of_week=request.hour_of_week)
    first_tier = _first_tier(tiers) if request.must_reach_first_tier else None
    wishes = [_wish(area, tiers, asked.ground, wanted, near=_tiered(first_tier)) for wanted in request.kinds]
    plan = plan_sites(
        area,
        demands,
        wishes,
        backup_share=request.backup_share,
        must_reach=first_tier,
        effort=Effort(request.within_s, request.seed),
    )
    views: list[SiteView] = []
    for wish, nodes, alone in zip(wishes, plan.nodes, plan.alone_shares, strict=True):
        views += _site_views(area, wish.name, nodes, alone)
    return _siting_reply(plan, views, demand_count=len(demands.node), wishes=wishes)


def _wish(
    area: PlanningMap,
    tiers: Places | None,
    ground: Ground,
    wanted: SiteKindWanted,
    *,
    near: Sequence[tuple[float, float]],
) -> SiteWish:
    """Return the wish on the map; what nobody named as a candidate is spread over it, and stands `near` these places too."""
    standing = _standing(area, ground, wanted) if wanted.keep_existing else np.zeros(0, np.int32)
    return SiteWish(
        name=wanted.kind,
        mode=wanted.mode,
        limit_s=wanted.limit_s,
        new_count=wanted.new_count,
        standing=standing,
        candidates=np.union1d(
            _candidates(area, tiers, ground, wanted), nodes_near(area, [] if wanted.candidates is not None else near)
        ).astype(np.int32),
    )


def _standing(area: PlanningMap, ground: Ground, wanted: SiteKindWanted) -> Ints:
    if wanted.kind == "station":
        places = [(station.lat_deg, station.lon_deg) for station in ground.stations]
    elif wanted.kind == "post":
        places = [(post.lat_deg, post.lon_deg) for post in _holding(ground.posts)]
    else:
        places = []
    return np.unique(nodes_near(area, places))


def _candidates(area: PlanningMap, tiers: Places | None, ground: Ground, wanted: SiteKindWanted) -> Ints:
    if wanted.candidates is not None:
        names = [f"candidate {number}" for number in range(1, len(wanted.candidates) + 1)]
        places = np.array([(place.lat_deg, place.lon_deg) for place in wanted.candidates], np.float64).reshape(-1, 2)
        snapped = area.snap(places[:, 0], places[:, 1], mode=TravelMode.CAR, names=names)
        return np.unique(area.nodes_at(snapped))
    if wanted.kind == "mobile_room":
        parking = nodes_near(area, _tiered(tiers) + [(post.lat_deg, post.lon_deg) for post in ground.posts])
        return (
            np.unique(parking)[: wanted.candidate_count]
            if len(parking)
            else area.candidates(count=wanted.candidate_count)
        )
    return area.candidates(count=wanted.candidate_count)


def _holding(posts: Sequence[PostPlace]) -> list[PostPlace]:
    return [post for post in posts if post.kind in _HOLDING_POSTS]


def _tiered(places: Places | None) -> list[tuple[float, float]]:
    return [] if places is None else list(zip(places.lat_deg.tolist(), places.lon_deg.tolist(), strict=True))


def _first_tier(places: Places | None) -> Places:
    if places is None or not (places.minutes == 1).any():
        raise InputError("this city has no places of the first tier: ask without `must_reach_first_tier`")
    first = np.flatnonzero(places.minutes == 1)
    names = ([texts[row] for row in first] for texts in (places.name_zh, places.name_en))
    zh, en = names
    return Places(places.lat_deg[first], places.lon_deg[first], places.minutes[first], tuple(zh), tuple(en))


def _site_views(area: PlanningMap, kind: str, nodes: Ints, alone: Floats) -> list[SiteView]:
    views = []
    for node, share in zip(nodes.tolist(), alone.tolist(), strict=True):
        zh, en = street_names(area, node)
        lat, lon = float(area.graph.node_lat_deg[node]), float(area.graph.node_lon_deg[node])
        views.append(SiteView(kind=kind, lat_deg=lat, lon_deg=lon, street_zh=zh, street_en=en, alone_share=share))
    return views


def _siting_reply(plan: SitePlan, sites: list[SiteView], *, demand_count: int, wishes: list[SiteWish]) -> SitingReply:
    return SitingReply(
        sites=sites,
        proof=plan.siting.proof,
        before_share=plan.before_share,
        covered_share=plan.covered_share,
        backup_share=plan.backup_share,
        beyond_share=plan.beyond_share,
        bound_share=plan.bound_share,
        gap_ratio=plan.siting.gap_ratio,
        solver_s=round(plan.siting.solver_s, 3),
        demand_count=demand_count,
        site_count=sum(len(wish.standing) + len(wish.candidates) for wish in wishes),
    )
