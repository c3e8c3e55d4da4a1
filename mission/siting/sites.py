"""Where stations, posts and mobile rooms should stand: maximal covering with backup, and the fewest sites that cover all.

The questions are put on plain matrices of seconds (mission/siting/site_questions.py makes them from a road graph) and are solved by
CP-SAT, so that an answer comes with a bound that proves how good it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.siting.site_model import Effort, Groups, Outcome, fewest, groups_of, most
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

Bools = NDArray[np.bool_]
Indexes = NDArray[np.int64]
MOST_WITHIN_S: Final = 600.0


class Proof(StrEnum):
    """What is known of an answer."""

    OPTIMAL = "optimal"
    """Proven: no choice is better."""
    FEASIBLE = "feasible"
    """The time ran out: the bound says by how much another choice could be better at most."""


@dataclass(frozen=True, eq=False)
class SiteKind:
    """A kind of place to put: who reaches which demand in how many seconds, and how many new ones are wanted.

    `seconds` has shape (demands, sites of this kind), inf where there is no way; a site covers what it reaches within
    `limit_s`. `is_existing` (sites,) marks places that stand and stay; `new_count` more are chosen among the others.
    `place` (sites,) names the ground by a number: nothing new is put where something stands or is put already; None: every
    site is on ground of its own.
    """

    name: str
    seconds: Floats
    limit_s: float
    new_count: int
    is_existing: Bools | None = None
    place: Indexes | None = None


@dataclass(frozen=True, eq=False)
class Siting:
    """An answer; weights are in the demands' own unit.

    `chosen` holds for each kind the indexes of its new sites, ascending, and `alone_weight` for each of these the weight that
    no other place covers. `covered_weight` is covered from at least one place, `backup_weight` from at least two;
    `objective_weight` is the first plus the backup's share of the second, `bound_weight` what no choice can exceed.
    `solver_s` is the time that the solver took.
    """

    chosen: tuple[Indexes, ...]
    alone_weight: tuple[Floats, ...]
    proof: Proof
    covered_weight: float
    backup_weight: float
    total_weight: float
    objective_weight: float
    bound_weight: float
    solver_s: float

    @property
    def gap_ratio(self) -> float:
        """By how much of the bound the answer stays below it, 0..1; 0 is proven."""
        return max(0.0, 1.0 - self.objective_weight / self.bound_weight) if self.bound_weight > 0.0 else 0.0


def best_sites(
    kinds: Sequence[SiteKind],
    weight: Floats,
    *,
    backup_share: float = 0.0,
    must_cover: Bools | None = None,
    effort: Effort | None = None,
    told: Callable[[float, float], None] | None = None,
) -> Siting:
    """Return the new sites that cover the most weight, where a second cover counts `backup_share` (0..1) of the first.

    `weight` (demands,) is not negative. What `must_cover` (demands,) marks is covered in any case. `told(objective_weight,
    bound_weight)` hears of each better answer while the search goes on. 300 demands by 60 sites are proven in about 0.1 s.
    Raises InputError for what cannot be asked or has no answer.
    """
    effort = effort or Effort()
    _check(kinds, weight, backup_share=backup_share, effort=effort)
    must = np.zeros(len(weight), np.bool_) if must_cover is None else must_cover
    grounds = _grounds(kinds)
    groups = groups_of(_covers(kinds), weight, existing=_existing(kinds), free=grounds.free, must_cover=must)
    _check_must(groups)
    wanted = _wanted(kinds, grounds.free)
    outcome = most(groups, wanted=wanted, clashes=grounds.clashes, backup_share=backup_share, effort=effort, told=told)
    return _siting(kinds, weight, outcome, backup_share=backup_share)


def fewest_sites(kind: SiteKind, weight: Floats, *, effort: Effort | None = None) -> Siting:
    """Return the fewest new sites that cover every demand which any site covers; among these, those with the most backup.

    `new_count` of the kind is not read; what no site reaches is left out (see `out_of_reach`). Raises InputError.
    """
    effort = effort or Effort()
    kinds = [replace(kind, new_count=0)]
    _check(kinds, weight, backup_share=1.0, effort=effort)
    free, clashes = (grounds := _grounds(kinds)).free, grounds.clashes
    must = ~out_of_reach(kinds)
    groups = groups_of(_covers(kinds), weight, existing=_existing(kinds), free=free, must_cover=must)
    first = fewest(groups, free=free, clashes=clashes, effort=effort)
    wanted = [(free, int(first.chosen.sum()))]
    outcome = most(groups, wanted=wanted, clashes=clashes, backup_share=1.0, effort=effort, told=None)
    found = _siting(kinds, weight, outcome, backup_share=1.0)
    return found if first.is_proven else replace(found, proof=Proof.FEASIBLE)


def out_of_reach(kinds: Sequence[SiteKind]) -> Bools:
    """Return for each demand whether no site of any kind, standing or possible, covers it; shape (demands,)."""
    usable = _existing(kinds) | _grounds(kinds).free
    return np.asarray(~_covers(kinds)[:, usable].any(axis=1))


def _covers(kinds: Sequence[SiteKind]) -> Bools:
    """Return which site of all kinds, side by side, covers which demand; shape (demands, all sites)."""
    return np.column_stack([kind.seconds <= kind.limit_s for kind in kinds])


def _existing(kinds: Sequence[SiteKind]) -> Bools:
    return np.concatenate([_stands(kind) for kind in kinds])


def _stands(kind: SiteKind) -> Bools:
    return np.zeros(kind.seconds.shape[1], np.bool_) if kind.is_existing is None else kind.is_existing


@dataclass(frozen=True, eq=False)
class _Grounds:
    """Which of all sites may be chosen, and the sets of these of which only one can be: those on the same ground."""

    free: Bools
    clashes: list[Indexes]


def _grounds(kinds: Sequence[SiteKind]) -> _Grounds:
    free = ~_existing(kinds)
    if all(kind.place is None for kind in kinds):
        return _Grounds(free, [])
    ends = np.cumsum([kind.seconds.shape[1] for kind in kinds])
    own = -1 - np.arange(int(ends[-1]), dtype=np.int64)  # ground of its own: numbers that nobody names
    parts = np.split(own, ends[:-1])
    place = np.concatenate(
        [part if kind.place is None else kind.place for part, kind in zip(parts, kinds, strict=True)]
    )
    free &= ~np.isin(place, place[~free])
    sites = np.flatnonzero(free)
    order = sites[np.argsort(place[sites], kind="stable")]
    together = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    return _Grounds(free, [part for part in together if len(part) > 1])


def _wanted(kinds: Sequence[SiteKind], free: Bools) -> list[tuple[Bools, int]]:
    """Return for each kind which of all sites are its possible ones, and how many are wanted."""
    ends = np.cumsum([kind.seconds.shape[1] for kind in kinds]).tolist()
    wanted = []
    for start, end, kind in zip([0, *ends], ends, kinds, strict=False):
        mine = np.zeros(len(free), np.bool_)
        mine[start:end] = free[start:end]
        wanted.append((mine, kind.new_count))
    return wanted


def _siting(kinds: Sequence[SiteKind], weight: Floats, outcome: Outcome, *, backup_share: float) -> Siting:
    covers = _covers(kinds)
    stands = _existing(kinds) | outcome.chosen
    times = covers[:, stands].sum(axis=1)
    covered, backup = float(weight[times >= 1].sum()), float(weight[times >= 2].sum())
    objective = covered + backup_share * backup
    ends = np.cumsum([kind.seconds.shape[1] for kind in kinds])[:-1]
    chosen = tuple(np.flatnonzero(part) for part in np.split(outcome.chosen, ends))
    alone = np.where(times == 1, weight, 0.0) @ covers
    return Siting(
        chosen=chosen,
        alone_weight=tuple(part[own] for part, own in zip(np.split(alone, ends), chosen, strict=True)),
        proof=Proof.OPTIMAL if outcome.is_proven else Proof.FEASIBLE,
        covered_weight=covered,
        backup_weight=backup,
        total_weight=float(weight.sum()),
        objective_weight=objective,
        bound_weight=objective if outcome.is_proven else max(objective, outcome.bound_weight),
        solver_s=outcome.solver_s,
    )


def _check(kinds: Sequence[SiteKind], weight: Floats, *, backup_share: float, effort: Effort) -> None:
    if not kinds:
        raise InputError("no kind of site is given: say at least one, such as stations, and how many are wanted")
    if not len(weight) or not np.isfinite(weight).all() or (weight < 0.0).any() or weight.sum() <= 0.0:
        raise InputError(
            "the demands' weights must be numbers of 0 or more, at least one above 0: give each place its people or incidents"
        )
    if not 0.0 <= backup_share <= 1.0:
        raise InputError(f"the backup's share is {backup_share}: allowed is 0 (a second cover is worth nothing) to 1")
    if not 0.0 < effort.within_s <= MOST_WITHIN_S:
        raise InputError(f"a search of {effort.within_s} s: allowed is above 0, up to {MOST_WITHIN_S:g} s")
    for kind in kinds:
        _check_kind(kind, len(weight))
    for kind, (mask, count) in zip(kinds, _wanted(kinds, _grounds(kinds).free), strict=True):
        if not 0 <= count <= int(mask.sum()):
            raise InputError(
                f"{kind.name}: {count} new sites are wanted and {int(mask.sum())} are possible: "
                f"want 0 to {int(mask.sum())}, or name more candidates"
            )


def _check_kind(kind: SiteKind, demand_count: int) -> None:
    if kind.seconds.ndim != 2 or kind.seconds.shape[0] != demand_count:
        raise InputError(
            f"{kind.name}: the seconds have the shape {kind.seconds.shape}, wanted is ({demand_count}, sites): one row a demand"
        )
    if np.isnan(kind.seconds).any():
        raise InputError(f"{kind.name}: some seconds are no number: write inf where there is no way")
    if not 0.0 < kind.limit_s < np.inf:
        raise InputError(f"{kind.name}: the limit is {kind.limit_s} s: it must be above 0 and finite, such as 180")


def _check_must(groups: Groups) -> None:
    hopeless = int(groups.demand_count[groups.must & (groups.base == 0) & ~groups.covers.any(axis=1)].sum())
    if hopeless:
        raise InputError(
            f"{hopeless} demands that must be covered are in reach of no site: add candidates near them or raise the limit"
        )
