"""The plan of a day: gathers what is wanted and what there is, decides who flies when, and says why something is left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from mission.model import Programme, Window
from mission.plan import Plan, Refusal, Sortie
from mission.rules import RuleSet
from mission.schedule.apart import parted
from mission.schedule.costs import Costs, costs_of
from mission.schedule.decide import Decided, decide
from mission.schedule.events import Watching, watch
from mission.schedule.figures import figures_of, left_out
from mission.schedule.fleet import Fleet
from mission.schedule.gather import Wanted, fleet_of, wanted_of
from mission.schedule.routing_problem import Effort
from mission.schedule.scene import Scene, scene_of
from mission.schedule.sorties import sortie_of
from telemetry.model.errors import InputError

USUAL_EFFORT: Final = Effort(within_s=10.0)
_RELAY_SECONDS: Final = 1.0


def plan_day(
    programme: Programme,
    window: Window,
    *,
    now_us: int,
    effort: Effort = USUAL_EFFORT,
    rules: RuleSet | None = None,
    on_better: Callable[[Plan], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Plan:
    """Return the plan of a window of time, from `now_us` on at the earliest.

    Events are watched first, then what is worth most for its time is flown. `on_better` is told a first plan at once and each
    better one; `stop` is asked often: True ends the search with the best so far. With an effort in iterations the same
    programme and seed give the same plan. Raises InputError for a programme or window that cannot be planned at all; what of
    it cannot be done is refused within the plan.
    """
    if window.end_us <= window.start_us:
        message = (
            f"the plan would end at {window.end_us} us, before it begins at {window.start_us} us: give a later end"
        )
        raise InputError(message)
    scene = scene_of(programme, window, now_us=now_us, rules=rules)
    wanted = wanted_of(scene, programme.tasks)
    watchings, fleet = _watch_events(scene, wanted, fleet_of(scene), effort)
    costs = costs_of(wanted.targets, scene)

    def tell(decided: Decided) -> None:
        if on_better is not None:
            on_better(_plan(scene, wanted, watchings, costs, decided, fleet=fleet, seed=effort.seed))

    decided = decide(scene, costs, fleet, effort=effort, on_better=tell, stop=stop)
    return _plan(scene, wanted, watchings, costs, decided, fleet=fleet, seed=effort.seed)


def _watch_events(scene: Scene, wanted: Wanted, fleet: Fleet, effort: Effort) -> tuple[list[Watching], Fleet]:
    """Return the watches over all events, the most important first, and the fleet with their flights booked."""
    watchings: list[Watching] = []
    events = sorted(
        wanted.events, key=lambda each: (-each.part.task.priority, each.visit.window.start_us, each.visit.visit_id)
    )
    for watched in events:
        first_id = 1 + sum(len(each.sorties) for each in watchings)
        found = watch(watched, scene, fleet, first_id=first_id, seconds=_RELAY_SECONDS, seed=effort.seed)
        watchings.append(found)
        fleet = replace(fleet, booked=(*fleet.booked, *found.bookings))
    return watchings, fleet


def _plan(
    scene: Scene,
    wanted: Wanted,
    watchings: Sequence[Watching],
    costs: Costs,
    decided: Decided,
    *,
    fleet: Fleet,
    seed: int,
) -> Plan:
    sorties: list[Sortie] = [sortie for watching in watchings for sortie in watching.sorties]
    refusals: list[Refusal] = [*wanted.refusals, *(said for watching in watchings for said in watching.refusals)]
    done = np.zeros(costs.count, np.bool_)
    for draft in decided.drafts:
        try:
            sorties.append(sortie_of(draft, wanted.targets, scene, len(sorties) + 1))
        except InputError as error:
            refusals.append(msgspec.structs.replace(_unflown(str(error)), airframe_id=draft.booking.airframe_id))
            continue
        done[[target for target, _ in draft.stops]] = True
    refusals += left_out(scene, wanted, costs, done, fleet)
    kept_apart, conflicts = parted(scene, sorties, wanted.visits)
    return Plan(
        window=scene.window,
        visits=tuple(wanted.visits),
        sorties=tuple(sorted(kept_apart, key=lambda sortie: (sortie.takeoff_us, sortie.sortie_id))),
        conflicts=tuple(conflicts),
        refusals=tuple(refusals),
        figures=figures_of(scene, wanted, watchings, done, decided),
        seed=seed,
        score=float(costs.prize[done].sum()),
        made_us=scene.now_us,
    )


def _unflown(message: str) -> Refusal:
    return Refusal(
        rule_id="R-03", reason_zh=f"架次无法飞行：{message}", reason_en=f"a sortie cannot be flown: {message}",
        remedy_zh="移动任务或空域", remedy_en="move the task or the zone",
    )  # fmt: skip
