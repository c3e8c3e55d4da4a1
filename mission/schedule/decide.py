"""Who flies which targets when: a first plan at once, then better ones by orienteering between what is booked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mission.schedule.costs import Costs
from mission.schedule.fleet import Fleet
from mission.schedule.greedy import Craft, Draft, crafts_of, first_plan
from mission.schedule.ledger import Ledger
from mission.schedule.routing_problem import Effort
from mission.schedule.scene import Scene


@dataclass(frozen=True, eq=False)
class Decided:
    """The sorties that are flown, and what they gain."""

    drafts: tuple[Draft, ...]
    score: int


def decide(
    scene: Scene,
    costs: Costs,
    fleet: Fleet,
    *,
    effort: Effort,
    on_better: Callable[[Decided], None],
    stop: Callable[[], bool] | None,
) -> Decided:
    """Return the best sorties found beside what is booked in the fleet."""
    kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
    crafts = crafts_of(fleet, costs, kinds)
    until_s = scene.seconds_of(scene.window.end_us)
    best = greedy(costs, crafts, fleet, until_s=until_s, seed=0)
    on_better(best)
    return best


def greedy(costs: Costs, crafts: list[Craft], fleet: Fleet, *, until_s: float, seed: int) -> Decided:
    """Return a plan made at once; a seed above 0 makes another one of it."""
    noise = None if seed == 0 else np.random.default_rng(seed).uniform(0.5, 1.5, costs.count)
    left = np.ones(costs.count, np.bool_)
    drafts = first_plan(costs, crafts, Ledger(fleet), until_s=until_s, left=left, noise=noise)
    return Decided(tuple(drafts), score_of(costs, drafts))


def score_of(costs: Costs, drafts: list[Draft]) -> int:
    """Return what the sorties gain."""
    return int(sum(costs.prize[target] for draft in drafts for target, _ in draft.stops))
