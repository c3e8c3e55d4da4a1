"""Who flies which targets when: a first plan at once, then better ones by orienteering within slots, chained where they collide."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Final

import numpy as np

from mission.schedule.budget import Budget
from mission.schedule.chain import Candidate, Chosen, chain
from mission.schedule.costs import TICK_S, Costs
from mission.schedule.fleet import Fleet
from mission.schedule.greedy import Craft, Draft, booked, crafts_of, drafted, first_plan, take
from mission.schedule.ledger import Ledger
from mission.schedule.routing.orienteering import solve
from mission.schedule.routing.problem import Effort, Job, Problem, Route, Vehicle
from mission.schedule.routing.search import WITHIN_SLOTS
from mission.schedule.scene import Scene
from mission.schedule.slots import Cut, Slot, slots_of

FIRST_TRIES: Final = 6
"""How many first plans are made, each with other prizes, in"""
_FIRST_SHARE: Final = 0.15
"""this part of the time: routes gain more with it."""
_CUTS: Final = (
    Cut(0.5, is_new=True),
    Cut(0.5, is_new=False),
    Cut(0.2, is_new=True),
    Cut(0.8, is_new=False),
    Cut(0.5, is_new=True),
    Cut(0.2, is_new=False),
)
"""How a plan is cut in turn, round after round."""
_MOST_ROUNDS: Final = 24
_OVER_S: Final = 60
"""How much longer than its slot a flight may be: who is in its way then waits a little, where windows allow. Without this
flights end where slots do, and 2 % of the score are lost."""
_ROUND_S: Final = 0.25
"""How long a round of routes lasts at least for so many targets; an iteration takes the longer, the more there are."""
_ROUND_TARGETS: Final = 100
_ROUND_ITERATIONS: Final = 400
_CHAIN_S: Final = 0.3
_FEW_SLOTS: Final = 400
_MANY_SORTIES: Final = 60
"""With more than these, whoever is nearest is left to the routes' own search."""
_MOST_OPTIONS: Final = 200
"""Sorties times who may fly them: a larger chain costs more time than it gains."""


@dataclass(frozen=True, eq=False)
class Decided:
    """The sorties that are flown, and what they gain."""

    drafts: tuple[Draft, ...]
    score: int
    flight_s: int

    @property
    def worth(self) -> tuple[int, int]:
        """What is to be large: the score, then the time that is not spent in the air."""
        return self.score, -self.flight_s


def decide(
    scene: Scene,
    costs: Costs,
    fleet: Fleet,
    *,
    effort: Effort,
    on_better: Callable[[Decided], None],
    stop: Callable[[], bool] | None,
    first: Sequence[Draft] = (),
    budget: Budget | None = None,
) -> Decided:
    """Return the best sorties found beside what is booked in the fleet; `first` is a plan to begin from.

    `budget` is what is left of the effort's time where some of it has been spent before.
    """
    left = budget or Budget(effort.within_s)
    search = _Search(scene, costs, fleet, on_better, stop or (lambda: False))
    if costs.count == 0 or not search.crafts:
        return search.best
    search.begin(first, left)
    rounds = _rounds(effort, costs.count)
    for number, cut in zip(range(rounds), cycle(_CUTS), strict=False):
        if search.stop() or left.is_spent or (first and search.is_whole):
            break
        search.improve(cut, _share_of(effort, number, rounds, left.spent_ratio))
    return search.best


def _rounds(effort: Effort, target_count: int) -> int:
    """Return in how many rounds an effort is spent: a short one is not divided, nor one for very many targets."""
    round_s = _ROUND_S * max(target_count / _ROUND_TARGETS, 1.0)
    by_time = math.inf if effort.within_s is None else effort.within_s / round_s
    by_iterations = math.inf if effort.iterations is None else effort.iterations / _ROUND_ITERATIONS
    return int(min(max(by_time, 1.0), max(by_iterations, 1.0), _MOST_ROUNDS))


def _share_of(effort: Effort, number: int, rounds: int, spent_ratio: float) -> Effort:
    """Return a round's share of the effort: of the time that is left, and of the iterations."""
    within_s = None if effort.within_s is None else effort.within_s * (1.0 - spent_ratio) / (rounds - number)
    iterations = None if effort.iterations is None else max(effort.iterations // rounds, 1)
    return replace(effort, within_s=within_s, iterations=iterations, seed=effort.seed + 100 * number)


class _Search:
    """The best plan so far, and what makes it better."""

    def __init__(
        self, scene: Scene, costs: Costs, fleet: Fleet, on_better: Callable[[Decided], None], stop: Callable[[], bool]
    ) -> None:
        kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
        self.costs, self.fleet, self.stop = costs, fleet, stop
        self.crafts = crafts_of(fleet, costs, kinds)
        self.craft_of = {craft.flyer.airframe_id: craft for craft in self.crafts}
        self.until_s = scene.seconds_of(scene.window.end_us)
        self._on_better = on_better
        self.best = Decided((), 0, 0)
        self._stays = False

    @property
    def is_whole(self) -> bool:
        """Tell whether every target, one of each group, is flown: nothing more can be gained."""
        flown = {target for draft in self.best.drafts for target, _ in draft.stops}
        groups = {int(self.costs.group[target]) for target in flown}
        return all(row in flown or int(self.costs.group[row]) in groups - {-1} for row in range(self.costs.count))

    def begin(self, first: Sequence[Draft], budget: Budget) -> None:
        """Make first plans, beginning with the present one: that stays where nothing gains more."""
        if first:
            self._fill(list(first), is_present=True)
            self._stays = True
        for seed in range(FIRST_TRIES):
            if seed and (self.stop() or budget.spent_ratio > _FIRST_SHARE):
                return
            noise = None if seed == 0 else np.random.default_rng(seed).uniform(0.5, 1.5, self.costs.count)
            left = np.ones(self.costs.count, np.bool_)
            drafts = first_plan(
                self.costs, self.crafts, Ledger(self.fleet), until_s=self.until_s, left=left, noise=noise
            )
            self._keep(drafts)

    def improve(self, cut: Cut, effort: Effort) -> None:
        """Solve the routes anew within slots round the best plan, chain those that collide, and fill what is left."""
        slots = slots_of(self.fleet, self.crafts, self.best.drafts, until_s=self.until_s, cut=cut)[:_FEW_SLOTS]
        if not slots:
            return
        begin = [
            (number, [target for target, _ in self.best.drafts[slot.draft].stops])
            for number, slot in enumerate(slots) if slot.draft >= 0
        ]  # fmt: skip
        routes = solve(self._problem(slots), effort=effort, first=begin, stop=self.stop, portfolio=WITHIN_SLOTS)
        ledger, drafts, collided = Ledger(self.fleet), [], []
        for route in sorted(routes.routes, key=lambda each: each.start_s):
            craft = self.crafts[slots[route.vehicle].craft]
            stops = [(stop.job, stop.start_s) for stop in route.stops]
            draft = self._booked(craft, ledger, stops) if stops else None
            if draft is not None:
                drafts.append(draft)
            elif stops:
                collided.append((craft, stops))
        if collided:
            self._chain(routes.routes, slots)
        self._fill(drafts)

    def _booked(self, craft: Craft, ledger: Ledger, stops: Sequence[tuple[int, float]]) -> Draft | None:
        """Book a sortie at its times or, where a pad, a charger or a crew is taken then, as soon as its windows allow."""
        draft = booked(self.costs, craft, ledger, stops)
        if draft is not None:
            return draft
        asked = self._candidate(craft, stops)
        booking = ledger.earliest(craft.flyer, asked.flight_s, from_s=asked.earliest_s, until_s=asked.latest_s)
        if booking is None:
            return None
        ledger.book(booking)
        later_s = booking.takeoff_s - self._takeoff_s(craft, stops)
        return Draft(booking, tuple((target, begin_s + later_s) for target, begin_s in stops))

    def _keep(self, drafts: Sequence[Draft]) -> None:
        found = Decided(
            tuple(drafts),
            int(sum(self.costs.prize[target] for draft in drafts for target, _ in draft.stops)),
            sum(draft.flight_s for draft in drafts),
        )
        is_better = found.score > self.best.score if self._stays and self.best.drafts else found.worth > self.best.worth
        if is_better:
            self.best = found
            self._on_better(found)

    def _fill(self, drafts: list[Draft], *, is_present: bool = False) -> None:
        """Book drafts and give what time is left to the targets that are left; those of the present plan are not moved."""
        ledger, kept = Ledger(self.fleet), []
        left = np.ones(self.costs.count, np.bool_)
        for draft in drafts:
            craft = self.craft_of.get(draft.booking.airframe_id)
            stops = list(draft.stops)
            again = booked(self.costs, craft, ledger, stops, is_kept_apart=is_present) if craft else None
            if again is not None:
                kept.append(again)
                for target, _ in again.stops:
                    take(self.costs, left, target)
        if left.any():
            kept += first_plan(self.costs, self.crafts, ledger, until_s=self.until_s, left=left)
        is_many = len(kept) > _MANY_SORTIES
        self._keep(kept if is_present or is_many else self._nearer(kept))

    def _nearer(self, drafts: list[Draft]) -> list[Draft]:
        """Give each sortie to whoever flies it in the least time, where that fits."""
        for number in range(len(drafts)):
            others = [draft.booking for draft in drafts[:number] + drafts[number + 1 :]]
            ledger = Ledger(replace(self.fleet, booked=(*self.fleet.booked, *others)))
            offers = [drafts[number]]
            for craft in self.crafts:
                if self._can(craft, drafts[number].stops):
                    offers += [each for each in [drafted(self.costs, craft, ledger, drafts[number].stops)] if each]
            drafts[number] = min(offers, key=lambda each: each.flight_s)
        return drafts

    def _can(self, craft: Craft, stops: Sequence[tuple[int, float]]) -> bool:
        """Tell whether a craft keeps the times of these stops, and has battery and waypoints for them."""
        costs, here_s = self.costs, -np.inf
        if len(stops) > 1 and costs.place_count[[target for target, _ in stops]].sum() > costs.most_places[craft.kind]:
            return False
        for number, (target, begin_s) in enumerate(stops):
            if number and here_s + costs.between_s[craft.kind][stops[number - 1][0], target] > begin_s + 1e-6:
                return False
            here_s = begin_s + costs.service_s[craft.kind, target]
        takeoff_s = stops[0][1] - costs.out_s[craft.kind][craft.dock, stops[0][0]]
        flight_s = here_s + costs.back_s[craft.kind][stops[-1][0], craft.dock] - takeoff_s
        return bool(flight_s <= craft.most_s - 1.0)

    def _problem(self, slots: Sequence[Slot]) -> Problem:
        costs, docks = self.costs, len(self.costs.dock_ids)
        size = docks + costs.count
        matrices = []
        for kind in range(len(costs.between_s)):
            matrix = np.full((size, size), np.inf)
            matrix[:docks, docks:], matrix[docks:, :docks] = costs.out_s[kind], costs.back_s[kind]
            matrix[docks:, docks:] = costs.between_s[kind]
            np.fill_diagonal(matrix, 0.0)
            matrices.append(matrix)
        jobs = tuple(
            Job(
                place=docks + row,
                prize=int(costs.prize[row]),
                start_s=max(float(costs.from_s[row]), 0.0),
                end_s=max(float(costs.until_s[row]), 0.0),
                service_s=tuple(costs.service_s[:, row].tolist()),
                load_count=int(costs.place_count[row]),
                group=int(costs.group[row]) if costs.group[row] >= 0 else None,
            )
            for row in range(costs.count)
        )
        vehicles = []
        for slot in slots:
            craft = self.crafts[slot.craft]
            vehicles.append(
                Vehicle(
                    start=craft.dock, end=craft.dock, profile=craft.kind,
                    start_s=float(max(slot.start_s - _OVER_S // 2, craft.flyer.ready_s, 0)),
                    end_s=float(max(slot.end_s, slot.start_s, 0) + _OVER_S), most_s=self._most_s(slot),
                    most_load_count=costs.most_places[craft.kind],
                )
            )  # fmt: skip
        return Problem(travel_s=tuple(matrices), jobs=jobs, vehicles=tuple(vehicles), tick_s=TICK_S)

    def _most_s(self, slot: Slot) -> float:
        """Return how long a slot's flight may be: whole seconds of take-off and landing kept, but never less than it is now."""
        craft, now_s = self.crafts[slot.craft], 0.0
        if slot.draft >= 0:
            stops = self.best.drafts[slot.draft].stops
            now_s = self._landing_s(craft, stops) - self._leaving_s(craft, stops) + TICK_S
        return max(min(slot.most_s + _OVER_S, craft.most_s) - 2.0, now_s, 0.0)

    def _chain(self, routes: Sequence[Route], slots: Sequence[Slot]) -> None:
        """Choose among the routes and the present sorties what can be flown together, shifted in time where that helps."""
        now = [(self.craft_of[draft.booking.airframe_id], list(draft.stops)) for draft in self.best.drafts]
        new = [
            (self.crafts[slots[route.vehicle].craft], [(stop.job, stop.start_s) for stop in route.stops])
            for route in routes
            if route.stops
        ]
        pool = [(craft, stops, self._candidate(craft, stops)) for craft, stops in [*now, *new]]
        if sum(len(candidate.airframe_ids) for _, _, candidate in pool) > _MOST_OPTIONS:
            return
        known = [
            Chosen(number, draft.booking.airframe_id, draft.booking.takeoff_s)
            for number, draft in enumerate(self.best.drafts)
        ]
        chosen = chain([candidate for _, _, candidate in pool], self.fleet, known=known, within_s=_CHAIN_S)
        ledger, drafts = Ledger(self.fleet), []
        for each in chosen:
            craft, stops, _ = pool[each.candidate]
            later_s = each.takeoff_s - self._takeoff_s(craft, stops)
            shifted = [(target, begin_s + later_s) for target, begin_s in stops]
            draft = booked(self.costs, self.craft_of[each.airframe_id], ledger, shifted)
            if draft is not None:
                drafts.append(draft)
        self._fill(drafts)

    def _leaving_s(self, craft: Craft, stops: Sequence[tuple[int, float]]) -> float:
        return float(stops[0][1] - self.costs.out_s[craft.kind][craft.dock, stops[0][0]])

    def _takeoff_s(self, craft: Craft, stops: Sequence[tuple[int, float]]) -> int:
        return int(np.floor(self._leaving_s(craft, stops)))

    def _landing_s(self, craft: Craft, stops: Sequence[tuple[int, float]]) -> float:
        last, last_s = stops[-1]
        costs = self.costs
        return float(last_s + costs.service_s[craft.kind, last] + costs.back_s[craft.kind][last, craft.dock])

    def _candidate(self, craft: Craft, stops: Sequence[tuple[int, float]]) -> Candidate:
        """Return a route as a candidate: how far it may be shifted, and who else of its dock and kind may fly it."""
        costs = self.costs
        takeoff_s = self._takeoff_s(craft, stops)
        landing_s = int(np.ceil(self._landing_s(craft, stops)))
        sooner_s = max(float(costs.from_s[target]) - begin_s for target, begin_s in stops)
        later_s = min(float(costs.until_s[target]) - begin_s for target, begin_s in stops)
        alike = [each.flyer.airframe_id for each in self.crafts if (each.kind, each.dock) == (craft.kind, craft.dock)]
        claims = {int(target) for target, _ in stops}
        claims |= {-1 - int(costs.group[target]) for target, _ in stops if costs.group[target] >= 0}
        return Candidate(
            earliest_s=takeoff_s + int(np.ceil(min(sooner_s, 0.0))),
            latest_s=takeoff_s + int(max(later_s, 0.0)),
            flight_s=landing_s - takeoff_s,
            prize=int(sum(costs.prize[target] for target, _ in stops)),
            airframe_ids=tuple(alike),
            claims=frozenset(claims),
        )
