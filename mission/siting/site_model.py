"""The covering problem itself: demands that the same sites cover become one, a greedy choice starts, CP-SAT proves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

_FINEST: Final = 10**9
"""Weights that are no whole numbers are kept to this part of their sum."""
_LARGEST: Final = 10**12
"""Whole weights with a larger sum are kept to a part of it too."""
_DENOMINATOR: Final = 1000


@dataclass(frozen=True)
class Effort:
    """How hard to look: a limit in seconds, the seed and the number of threads; one thread gives the same answer each time."""

    within_s: float = 10.0
    seed: int = 1
    worker_count: int = 1


@dataclass(frozen=True, eq=False)
class Groups:
    """Demands that the same sites cover, taken together; exact, and often a third of their number.

    `covers` (groups, sites) tells which site that does not stand yet covers which group, `base` (groups,) how many standing ones do
    (2 stands for more), `weight` and `demand_count` are sums, `must` marks what has to be covered.
    """

    covers: Bools
    base: Counts
    weight: Floats
    demand_count: Counts
    must: Bools


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was found: `chosen` (sites,), whether it is proven, what no choice can exceed, and the seconds that it took."""

    chosen: Bools
    is_proven: bool
    bound_weight: float
    solver_s: float


def groups_of(covers: Bools, weight: Floats, *, existing: Bools, free: Bools, must_cover: Bools) -> Groups:
    """Return the demands grouped by the sites that cover them; `covers` has shape (demands, sites).

    `existing` (sites,) marks those that stand, `free` (sites,) those that may be chosen.
    """
    base = np.minimum(covers[:, existing].sum(axis=1), 2).astype(np.int64)
    possible = covers & free
    key = np.column_stack((np.packbits(possible, axis=1), base.astype(np.uint8), must_cover.astype(np.uint8)))
    _, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    sums: Floats = np.bincount(group, weight, minlength=len(first)).astype(np.float64)
    counts = np.bincount(group, minlength=len(first))
    return Groups(possible[first], base[first], sums, counts.astype(np.int64), must_cover[first])


def most(
    groups: Groups,
    *,
    wanted: Sequence[tuple[Bools, int]],
    clashes: Sequence[NDArray[np.int64]],
    backup_share: float,
    effort: Effort,
    told: Callable[[float, float], None] | None,
) -> Outcome:
    """Return the choice that covers the most weight: of each mask in `wanted` exactly so many, of each clash at most one.

    Raises InputError when what must be covered cannot be with so few.
    """
    coefficients = _Coefficients.of(groups.weight, backup_share=backup_share)
    greedy = greedy_choice(groups, wanted=wanted, clashes=clashes, backup_share=backup_share)
    model = _Covering(groups, clashes)
    for mask, count in wanted:
        model.choose_exactly(mask, count)
    model.maximize_weight(coefficients)
    model.hint(greedy)
    scale_factor = coefficients.whole_per_weight
    found = model.solve(effort, whole_per_weight=scale_factor, fallback=greedy, told=told)
    return replace(found, bound_weight=min(found.bound_weight, float(groups.weight.sum()) * (1.0 + backup_share)))


def fewest(groups: Groups, *, free: Bools, clashes: Sequence[NDArray[np.int64]], effort: Effort) -> Outcome:
    """Return the fewest of the `free` sites that cover all that must be covered; its bound counts sites. Raises InputError."""
    model = _Covering(groups, clashes)
    model.choose_exactly(~free, 0)
    model.minimize_sites()
    return model.solve(effort, whole_per_weight=1.0, fallback=None, told=None)


def greedy_choice(
    groups: Groups, *, wanted: Sequence[tuple[Bools, int]], clashes: Sequence[NDArray[np.int64]], backup_share: float
) -> Bools:
    """Return a good choice at once: always the site that adds the most; at least 63 % of the best for one kind."""
    times = groups.base.copy()
    chosen = np.zeros(groups.covers.shape[1], np.bool_)
    open_masks = [mask.copy() for mask, _ in wanted]
    left = [count for _, count in wanted]
    while any(left):
        worth = groups.weight * np.where(times == 0, 1.0, np.where(times == 1, backup_share, 0.0))
        worth = worth + np.where(groups.must & (times == 0), groups.weight.sum() + 1.0, 0.0)
        gain = worth @ groups.covers
        possible = np.logical_or.reduce([mask for mask, count in zip(open_masks, left, strict=True) if count])
        if not possible.any():
            break
        site = int(np.where(possible, gain, -1.0).argmax())
        kind = next(k for k, mask in enumerate(open_masks) if left[k] and mask[site])
        chosen[site] = True
        left[kind] -= 1
        times += groups.covers[:, site]
        shut = np.concatenate([[site], *(clash for clash in clashes if site in clash)])
        for mask in open_masks:
            mask[shut] = False
    return chosen


@dataclass(frozen=True, eq=False)
class _Coefficients:
    """Whole numbers for the solver: of a first and of a second cover of each group, and how many of them one unit of weight is."""

    first: Counts
    second: Counts
    whole_per_weight: float

    @classmethod
    def of(cls, weight: Floats, *, backup_share: float) -> "_Coefficients":
        """Return them exact for whole weights, and to a thousand-millionth of the sum for others."""
        share = Fraction(backup_share).limit_denominator(_DENOMINATOR)
        total = float(weight.sum())
        is_exact = total <= _LARGEST and bool((weight == np.rint(weight)).all())
        scale_factor = 1.0 if is_exact else _FINEST / total
        whole = np.rint(weight * scale_factor).astype(np.int64)
        return cls(whole * share.denominator, whole * share.numerator, scale_factor * share.denominator)


class _Covering:
    """The model: a variable a site, one a group for its first and one for its second cover."""

    def __init__(self, groups: Groups, clashes: Sequence[NDArray[np.int64]]) -> None:
        from ortools.sat.python import cp_model  # slow to import (pandas): only where something is solved

        self._library = cp_model
        self._groups = groups
        self._cp = cp_model.CpModel()
        self._sites = [self._cp.new_bool_var("") for _ in range(groups.covers.shape[1])]
        self._coverers = [[self._sites[site] for site in np.flatnonzero(row).tolist()] for row in groups.covers]
        for clash in clashes:
            self._cp.add_at_most_one([self._sites[site] for site in clash.tolist()])
        for group in np.flatnonzero(groups.must & (groups.base == 0)).tolist():
            self._cp.add_bool_or(self._coverers[group])

    def choose_exactly(self, mask: Bools, count: int) -> None:
        """Demand so many of the marked sites."""
        self._cp.add(sum(self._sites[site] for site in np.flatnonzero(mask).tolist()) == count)

    def minimize_sites(self) -> None:
        """Ask for the fewest sites."""
        self._cp.minimize(sum(self._sites))

    def maximize_weight(self, coefficients: _Coefficients) -> int:
        """Ask for the most weight; return the part of it that stands already (in whole numbers)."""
        base = self._groups.base
        given = int(coefficients.first[base >= 1].sum() + coefficients.second[base >= 2].sum())
        terms: list[Any] = []
        for group, coverers in enumerate(self._coverers):
            terms += self._terms(
                coverers, int(base[group]), int(coefficients.first[group]), int(coefficients.second[group])
            )
        self._cp.maximize(sum(terms) + given)
        return given

    def _terms(self, coverers: list[Any], base_count: int, first_weight: int, second_weight: int) -> list[Any]:
        """Return what a group adds to the sum, with its constraints put on the model."""
        if not coverers or base_count >= 2:
            return []
        if base_count == 1:
            return [second_weight * self._any_of(coverers)] if second_weight else []
        covered = self._any_of(coverers)
        if not second_weight or len(coverers) < 2:
            return [first_weight * covered]
        backed = self._cp.new_bool_var("")
        self._cp.add(covered + backed <= sum(coverers))
        self._cp.add_implication(backed, covered)
        return [first_weight * covered, second_weight * backed]

    def _any_of(self, coverers: list[Any]) -> Any:  # noqa: ANN401 - the library's own variable
        if len(coverers) == 1:
            return coverers[0]
        covered = self._cp.new_bool_var("")
        self._cp.add(covered <= sum(coverers))  # a sum, no clause: so that the solver's linear bound sees it
        return covered

    def hint(self, chosen: Bools) -> None:
        """Start from a known choice."""
        for variable, is_chosen in zip(self._sites, chosen.tolist(), strict=True):
            self._cp.add_hint(variable, is_chosen)

    def solve(
        self,
        effort: Effort,
        *,
        whole_per_weight: float,
        fallback: Bools | None,
        told: Callable[[float, float], None] | None,
    ) -> Outcome:
        """Return the best choice that was found in time, `fallback` when none was. Raises InputError when there is none."""
        solver = self._library.CpSolver()
        solver.parameters.max_time_in_seconds = effort.within_s
        solver.parameters.random_seed = effort.seed
        solver.parameters.num_workers = effort.worker_count
        solver.parameters.linearization_level = 2
        status = solver.solve(self._cp, None if told is None else _teller(told, whole_per_weight=whole_per_weight))
        bound_weight = solver.best_objective_bound / whole_per_weight
        if status in {self._library.OPTIMAL, self._library.FEASIBLE}:
            chosen = np.array([bool(solver.value(variable)) for variable in self._sites], np.bool_)
            return Outcome(chosen, status == self._library.OPTIMAL, bound_weight, solver.wall_time)
        if status == self._library.UNKNOWN and fallback is not None and self._covers_what_it_must(fallback):
            return Outcome(chosen=fallback, is_proven=False, bound_weight=np.inf, solver_s=solver.wall_time)
        if status == self._library.UNKNOWN:
            raise InputError(f"no choice was found in {effort.within_s:g} s: allow more time, or more sites")
        raise InputError(
            "what must be covered cannot be with so few new sites, or the kinds have too little ground of their own: "
            "allow more sites, raise the limit, or mark fewer places as a must"
        )

    def _covers_what_it_must(self, chosen: Bools) -> bool:
        open_groups = self._groups.must & (self._groups.base == 0)
        return bool((self._groups.covers[open_groups] & chosen).any(axis=1).all())


def _teller(told: Callable[[float, float], None], *, whole_per_weight: float) -> Any:  # noqa: ANN401 - the library's own class
    """Return a callback of the library that tells each better answer and the bound, both in weight."""
    from ortools.sat.python import cp_model

    class Teller(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            told(self.objective_value / whole_per_weight, self.best_objective_bound / whole_per_weight)

    return Teller()
