"""The plan of a day: gathers what is wanted and what there is, decides who flies when, and says why something is left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mission.air.draping import draped
from mission.air.terrain import FLAT, Ground
from mission.checking import sound_part
from mission.formats.mavlink_items import place_count
from mission.model import Programme, Window
from mission.plan import Plan, Refusal, Sortie
from mission.rules import RuleSet, check_ground
from mission.schedule import reasons
from mission.schedule.apart import one_at_a_time, parted, without_conflicts
from mission.schedule.budget import Budget
from mission.schedule.change import NO_CHANGE, Change, changed
from mission.schedule.costs import costs_of
from mission.schedule.decide import Decided, decide
from mission.schedule.events import Watching, intact, watch
from mission.schedule.examine import examined
from mission.schedule.figures import figures_of, left_out, untold, useless
from mission.schedule.fleet import Booking
from mission.schedule.gather import Watched, fleet_of, wanted_of
from mission.schedule.greedy import Draft
from mission.schedule.routing.problem import Effort
from mission.schedule.scene import Scene, scene_of
from mission.schedule.sorties import sortie_of
from mission.schedule.standing import NOTHING, Standing, booking_of, drafts_of, standing_of
from telemetry.model.errors import InputError, chinese_of

USUAL_EFFORT: Final = Effort(within_s=10.0)
REPAIR_EFFORT: Final = Effort(within_s=1.7)
_RELAY_SHARE: Final = 0.06
_RELAY_S: Final = 0.2
_TOLD_SHARE: Final = 0.1
"""How much of the effort may go into plans that are told on the way, the last of them beside."""


def plan_day(
    programme: Programme,
    window: Window,
    *,
    now_us: int,
    effort: Effort = USUAL_EFFORT,
    rules: RuleSet | None = None,
    ground: Ground = FLAT,
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
        raise InputError(
            message, f"方案的结束时间 {window.end_us} 早于开始时间 {window.start_us}（微秒）：改晚结束时间"
        )
    sound, wrong = sound_part(programme)
    scene = scene_of(sound, window, now_us=now_us, rules=rules, ground=ground)
    return _Day(scene, NOTHING, effort, wrong).planned(on_better, stop)


def repair(
    plan: Plan,
    programme: Programme,
    change: Change = NO_CHANGE,
    *,
    now_us: int,
    effort: Effort = REPAIR_EFFORT,
    rules: RuleSet | None = None,
    ground: Ground = FLAT,
    on_better: Callable[[Plan], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Plan:
    """Return the plan mended for what has changed: what is flown, and sorties in the air, stand as they are.

    The rest is planned again beginning with what is left of the plan, so that little is moved: within 2 s for 100 targets.
    `programme` is what the plan was made of; `change` is put into it (see `changed`). A sortie in the air whose airframe is
    lost is broken off, and what it did not see is planned again.
    """
    sound, wrong = sound_part(changed(programme, change))
    scene = scene_of(sound, plan.window, now_us=now_us, rules=rules, ground=ground)
    ready = {airframe.airframe_id for airframe in scene.airframes}
    lost = {sortie.airframe_id for sortie in plan.sorties} - ready
    mended = _Day(scene, standing_of(plan, now_us=now_us, lost=lost), effort, wrong).planned(on_better, stop)
    refusals = (*mended.refusals, *untold(plan, mended))
    return msgspec.structs.replace(
        mended, plan_id=plan.plan_id, version=plan.version + 1, note=plan.note, refusals=refusals
    )


class _Day:
    """A day being planned: what is wanted, what stands, who watches events, and what all ways take."""

    def __init__(self, scene: Scene, standing: Standing, effort: Effort, wrong: Sequence[Refusal]) -> None:
        self.scene, self.standing, self.effort = scene, standing, effort
        self._budget = Budget(effort.within_s)
        self._drawn: dict[Draft, tuple[Sortie, Draft]] = {}
        self.wanted = wanted_of(scene, scene.programme.tasks, standing)
        self.wanted.refusals[:0] = wrong
        booked = [booking_of(sortie, scene) for sortie in standing.sorties if sortie.waypoints]
        self.fleet = one_at_a_time(fleet_of(scene, booked), scene)
        self.watchings: list[Watching] = []
        self._watch_events()
        self.costs = costs_of(self.wanted.targets, scene)
        self.wanted.refusals += useless(scene, self.costs, self.fleet)

    def planned(self, on_better: Callable[[Plan], None] | None, stop: Callable[[], bool] | None) -> Plan:
        """Return the best plan found; `on_better` is told the first and each better one that there is time to write down."""
        told_ratio = 0.0

        def tell(decided: Decided) -> None:
            nonlocal told_ratio
            if on_better is not None and told_ratio <= _TOLD_SHARE:
                before_ratio = self._budget.spent_ratio
                on_better(self._plan(decided))
                told_ratio += self._budget.spent_ratio - before_ratio

        first = drafts_of(self.standing, self.wanted.targets, self.scene)
        decided = decide(
            self.scene,
            self.costs,
            self.fleet,
            effort=self.effort,
            on_better=tell,
            stop=stop,
            first=first,
            budget=self._budget,
        )
        return self._plan(decided, is_last=True)

    def _watch_events(self) -> None:
        """Have all events watched, the most important first, and book their flights."""

        def rank(each: Watched) -> tuple[int, int, int]:
            return -each.part.task.priority, each.window.start_us, each.visit.visit_id

        next_id = self.standing.next_id
        for watched in sorted(self.wanted.events, key=rank):
            now = [each for each in self.standing.open if watched.visit.visit_id in each.visit_ids]
            past = [each for each in self.standing.sorties if watched.visit.visit_id in each.visit_ids]
            found = intact(watched, self.scene, now, past) if now else None
            if found is None:
                found = watch(
                    watched,
                    self.scene,
                    self.fleet,
                    first_id=next_id,
                    within_s=_relay_s(self.effort),
                    seed=self.effort.seed,
                    past=past,
                )
                sorties = (self.standing.unchanged(self._draped(each), self.scene.programme) for each in found.sorties)
                found = replace(found, sorties=tuple(sorties))
                late = [
                    (each, self._late_s(each, one)) for each, one in zip(found.sorties, found.bookings, strict=True)
                ]
                self.wanted.refusals += [reasons.kept_by_hills(each, late_s) for each, late_s in late if late_s > 0.0]
            next_id += len(found.sorties)
            self.watchings.append(found)
            self.fleet = replace(self.fleet, booked=(*self.fleet.booked, *found.bookings))

    def _plan(self, decided: Decided, *, is_last: bool = False) -> Plan:
        """Return what is decided as a plan; the last one is held against the rules, sortie by sortie."""
        scene, wanted, standing = self.scene, self.wanted, self.standing
        sorties = [*standing.sorties, *(sortie for watching in self.watchings for sortie in watching.sorties)]
        refusals = [*wanted.refusals, *(said for watching in self.watchings for said in watching.refusals)]
        frozen = [sortie.sortie_id for sortie in standing.sorties]
        made, unflown = self._made(decided, 1 + max([standing.next_id - 1, *(each.sortie_id for each in sorties)]))
        kept, conflicts = parted(scene, [*sorties, *(sortie for sortie, _ in made)], wanted.visits, frozen=frozen)
        said: list[Refusal] = []
        if is_last:
            kept, said = examined(scene, kept, wanted.visits, frozen=frozen)
            kept, conflicts, near = without_conflicts(scene, kept, conflicts, wanted.visits, frozen=frozen)
            said += near
            said += check_ground(
                kept, docks=scene.programme.docks, ground=scene.ground, rules=scene.rules, plane=scene.plane
            )
        flown = {sortie.sortie_id for sortie in kept}
        done = np.zeros(self.costs.count, np.bool_)
        for sortie, draft in made:
            done[[target for target, _ in draft.stops]] = sortie.sortie_id in flown
        told = {each.visit_id for each in said if not each.is_warning}
        booked = replace(self.fleet, booked=(*self.fleet.booked, *(draft.booking for draft in decided.drafts)))
        left = [each for each in left_out(scene, wanted, self.costs, done, booked) if each.visit_id not in told]
        return Plan(
            window=scene.window,
            visits=tuple(wanted.visits),
            sorties=tuple(sorted(kept, key=lambda sortie: (sortie.takeoff_us, sortie.sortie_id))),
            conflicts=tuple(conflicts),
            refusals=_once([*refusals, *unflown, *said, *left]),
            figures=figures_of(scene, wanted, self.watchings, done, decided, kept),
            seed=self.effort.seed,
            score=self._score(done, kept),
            made_us=scene.now_us,
            terrain=scene.ground.name,
        )

    def _made(self, decided: Decided, first_id: int) -> tuple[list[tuple[Sortie, Draft]], list[Refusal]]:
        """Return the sorties of what is decided with their drafts, and what is said of those without a way."""
        made: list[tuple[Sortie, Draft]] = []
        unflown = []
        for draft in decided.drafts:
            try:
                sortie, fitting = self._fitting(draft, first_id + len(made))
            except InputError as error:
                unflown.append(msgspec.structs.replace(_unflown(error), airframe_id=draft.booking.airframe_id))
                continue
            made.append((self.standing.unchanged(sortie, self.scene.programme), fitting))
        return made, unflown

    def _fitting(self, draft: Draft, sortie_id: int) -> tuple[Sortie, Draft]:
        """Return the sortie of as many of a draft's stops, from the first on, as its controller takes, and these."""
        if draft not in self._drawn:
            self._drawn[draft] = self._draw(draft)
        sortie, fitting = self._drawn[draft]
        return msgspec.structs.replace(sortie, sortie_id=sortie_id), fitting

    def _draw(self, draft: Draft) -> tuple[Sortie, Draft]:
        airframe = next(
            each for each in self.scene.programme.airframes if each.airframe_id == draft.booking.airframe_id
        )
        most = airframe.most_waypoints
        sortie = self._draped(sortie_of(draft, self.wanted.targets, self.scene, 0))
        while (place_count(sortie, airframe) > most or self._exceeds(sortie, draft)) and len(draft.stops) > 1:
            draft = replace(draft, stops=draft.stops[:-1])
            sortie = self._draped(sortie_of(draft, self.wanted.targets, self.scene, 0))
        if (count := place_count(sortie, airframe)) > most:
            message = f"it has {count} waypoints, its controller takes {most}: let another fly it, or part it"
            raise InputError(message, f"共 {count} 个航点，飞控只收 {most} 个：换一架飞，或拆开")
        if (late_s := self._late_s(sortie, draft.booking)) > 0.0:
            message = f"hills keep it in the air for {late_s:.0f} s longer than its drone is free: give it a drone that climbs faster"
            raise InputError(message, f"因地形起伏，比无人机的空闲时间多飞 {late_s:.0f} 秒：换爬升更快的机型")
        return sortie, draft

    def _exceeds(self, sortie: Sortie, draft: Draft) -> bool:
        """Tell whether hills keep a sortie in the air for longer than it is booked, or than its battery allows."""
        is_hilly = not self.scene.ground.is_flat
        too_little = is_hilly and sortie.landing_battery_ratio < self.scene.reserve_ratio
        return too_little or self._late_s(sortie, draft.booking) > 0.0

    def _late_s(self, sortie: Sortie, booking: Booking) -> float:
        """Return how much later than booked a sortie lands because of hills."""
        late_s = self.scene.seconds_of(sortie.landing_us) - booking.landing_s - 1.0
        return 0.0 if self.scene.ground.is_flat else max(late_s, 0.0)

    def _draped(self, sortie: Sortie) -> Sortie:
        """Return a sortie laid over the terrain, where there is one; the rules and the separation look at it as it is then."""
        scene = self.scene
        frame = next(each for each in scene.programme.airframes if each.airframe_id == sortie.airframe_id)
        dock = scene.docks[sortie.dock_id]
        twice_count = place_count(sortie, frame) - len(sortie.waypoints)
        frame = msgspec.structs.replace(frame, most_waypoints=frame.most_waypoints - twice_count)
        return draped(sortie, plane=scene.plane, ground=scene.ground, dock=dock, airframe=frame)

    def _score(self, done: NDArray[np.bool_], sorties: Sequence[Sortie]) -> float:
        """Return what the plan gains: its visits, those that stand too, and events by how much of them is watched."""
        part_of = {
            (visit.visit_id, part.number): part
            for visit in self.wanted.visits
            for part in self.wanted.parts.get(visit.task_id, ())
        }
        stands = sum(part_of[key].prize for key in self.wanted.done if key in part_of)
        watched = 0.0
        for each in self.watchings:
            window, count = each.watched.window, each.watched.count
            wanted_s = (window.end_us - window.start_us) / 1e6 * count
            mine = {sortie.sortie_id for sortie in each.sorties}
            refused = [one.on_watch for one in sorties if one.is_refused and one.sortie_id in mine and one.on_watch]
            missing_s = each.relay.gap_s + sum((one.end_us - one.start_us) / 1e6 for one in refused)
            watched += each.watched.part.prize * max(1.0 - missing_s / max(wanted_s, 1.0), 0.0)
        return round(float(self.costs.prize[done].sum()) + stands + watched, 3)


def _once(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Return the refusals in their order; a warning of the same sentence is said once a task."""
    found: dict[object, Refusal] = {}
    for number, each in enumerate(refusals):
        found.setdefault(
            (each.rule_id, each.task_id, each.airframe_id, each.reason_en) if each.is_warning else number, each
        )
    return tuple(found.values())


def _relay_s(effort: Effort) -> float:
    """Return how long an event's relay may be solved, in CP-SAT's deterministic time: a small share of the effort."""
    return _RELAY_S if effort.within_s is None else effort.within_s * _RELAY_SHARE


def _unflown(error: InputError) -> Refusal:
    return Refusal(
        rule_id="R-03", reason_zh=f"架次无法飞行：{chinese_of(error)}", reason_en=f"a sortie cannot be flown: {error}",
        remedy_zh="移动任务或空域", remedy_en="move the task or the zone",
    )  # fmt: skip
