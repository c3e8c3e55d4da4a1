"""Siting put on a map: what stands already, where something could stand, who must be reached, and what the answer is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.cover.ground import Places
from mission.roads.graph import Ints
from mission.roads.travel import TravelMode
from mission.siting.planning_map import Demands, PlanningMap
from mission.siting.site_model import Effort
from mission.siting.sites import SiteKind, Siting, best_sites, fewest_sites, out_of_reach
from telemetry.model.errors import InputError

MOST_DEMANDS: Final = 3_000
MOST_SITES: Final = 1_000


@dataclass(frozen=True, eq=False)
class SiteWish:
    """What is wanted of one kind: by which mode its crew moves, its limit, how many new; junctions that stand and that could.

    `new_count` None asks for the fewest that cover all that can be covered (only as the single wish).
    """

    name: str
    mode: TravelMode
    limit_s: float
    new_count: int | None
    standing: Ints
    candidates: Ints


@dataclass(frozen=True, eq=False)
class SitePlan:
    """The answer on the map: `nodes` holds for each wish the junctions of its new sites.

    Shares are of all demand (0..1): covered before, after, doubly after, in reach of no site at all, and for each new site
    of each wish what only it covers. `bound_share` is what no choice can exceed (of covered plus valued backup).
    """

    nodes: tuple[Ints, ...]
    alone_shares: tuple[NDArray[np.float64], ...]
    before_share: float
    covered_share: float
    backup_share: float
    beyond_share: float
    bound_share: float
    siting: Siting


def plan_sites(
    area: PlanningMap,
    demands: Demands,
    wishes: Sequence[SiteWish],
    *,
    backup_share: float = 0.0,
    must_reach: Places | None = None,
    effort: Effort | None = None,
) -> SitePlan:
    """Return where the wished sites should stand.

    `must_reach` are places that must be covered within their own minutes, whatever else is. Travel seconds count, turnout is
    apart. About 0.5 s for 300 demands and 60 sites on 50,000 nodes. Raises InputError for what cannot be.
    """
    _check(demands, wishes)
    nodes, must, limit_s = _with_places(area, demands, must_reach)
    weight = np.concatenate((demands.weight, np.zeros(len(nodes) - len(demands.node))))
    kinds = [_kind(area, wish, nodes, limit_s) for wish in wishes]
    if must_reach is not None:
        _demand_reachable(must_reach, out_of_reach(kinds)[len(demands.node) :])
    if wishes[0].new_count is None:
        siting = fewest_sites(kinds[0], weight, effort=effort)
    else:
        siting = best_sites(kinds, weight, backup_share=backup_share, must_cover=must, effort=effort)
    total = siting.total_weight
    return SitePlan(
        nodes=tuple(
            wish.candidates[chosen - len(wish.standing)] for wish, chosen in zip(wishes, siting.chosen, strict=True)
        ),
        alone_shares=tuple(alone / total for alone in siting.alone_weight),
        before_share=_covered_before(kinds, weight) / total,
        covered_share=siting.covered_weight / total,
        backup_share=siting.backup_weight / total,
        beyond_share=float(weight[out_of_reach(kinds)].sum()) / total,
        bound_share=siting.bound_weight / total,
        siting=siting,
    )


def _check(demands: Demands, wishes: Sequence[SiteWish]) -> None:
    if len(demands.node) > MOST_DEMANDS:
        raise InputError(
            f"{len(demands.node)} demands: at most {MOST_DEMANDS} are reckoned with; gather them more coarsely"
        )
    sites = sum(len(wish.standing) + len(wish.candidates) for wish in wishes)
    if sites > MOST_SITES:
        raise InputError(f"{sites} sites: at most {MOST_SITES} are reckoned with; name fewer candidates")
    if any(wish.new_count is None for wish in wishes) and len(wishes) > 1:
        raise InputError("the fewest sites are found for one kind at a time: ask for one kind, or say how many of each")


def _with_places(
    area: PlanningMap, demands: Demands, places: Places | None
) -> tuple[Ints, NDArray[np.bool_], NDArray[np.float64]]:
    """Return the junctions of demands and places, which of them must be covered, and their own limits (inf: the kind's)."""
    if places is None or not len(places.minutes):
        none = np.zeros(len(demands.node), np.bool_)
        return demands.node, none, np.full(len(demands.node), np.inf)
    names = [zh or en or "a place" for zh, en in zip(places.name_zh, places.name_en, strict=True)]
    at = area.nodes_at(area.snap(places.lat_deg, places.lon_deg, mode=TravelMode.CAR, names=names))
    must = np.concatenate((np.zeros(len(demands.node), np.bool_), np.ones(len(at), np.bool_)))
    limits = np.concatenate((np.full(len(demands.node), np.inf), 60.0 * places.minutes))
    return np.concatenate((demands.node, at)).astype(np.int32), must, limits


def _demand_reachable(places: Places, beyond: NDArray[np.bool_]) -> None:
    lost = np.flatnonzero(beyond).tolist()
    if lost:
        named = ", ".join(places.name_zh[row] or places.name_en[row] or "a place" for row in lost[:3])
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise InputError(
            f"{named}{more} must be reached within their own minutes and are in reach of no site: name candidates near them, "
            "or ask without `must_reach_first_tier`"
        )


def _kind(area: PlanningMap, wish: SiteWish, nodes: Ints, limit_s: NDArray[np.float64]) -> SiteKind:
    sites = np.concatenate((wish.standing, wish.candidates)).astype(np.int32)
    seconds = area.seconds_between(wish.mode, sites, nodes, limit_s=wish.limit_s)
    late = seconds > limit_s[:, None]
    return SiteKind(
        name=wish.name,
        seconds=np.where(late, np.inf, seconds),
        limit_s=wish.limit_s,
        new_count=wish.new_count or 0,
        is_existing=np.arange(len(sites)) < len(wish.standing),
        place=sites.astype(np.int64),
    )


def _covered_before(kinds: Sequence[SiteKind], weight: NDArray[np.float64]) -> float:
    covered = np.zeros(len(weight), np.bool_)
    for kind in kinds:
        assert kind.is_existing is not None
        covered |= (kind.seconds[:, kind.is_existing] <= kind.limit_s).any(axis=1)
    return float(weight[covered].sum())
