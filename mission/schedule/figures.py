"""How far a plan does what is asked, task by task, and why what is left out was left out."""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.model import Task, TaskKind, Window
from mission.plan import Plan, Refusal, Sortie, SortieState, TaskFigures, Visit
from mission.schedule import reasons
from mission.schedule.costs import Costs
from mission.schedule.decide import Decided
from mission.schedule.events import Watching
from mission.schedule.fleet import Fleet, most_flight_s
from mission.schedule.gather import Wanted
from mission.schedule.ledger import Ledger
from mission.schedule.scene import Scene
from mission.schedule.seen import seen_ratio
from mission.schedule.targets import WATCHED_KINDS

_MOST_LOOKED_FOR: Final = 20


def figures_of(
    scene: Scene,
    wanted: Wanted,
    watchings: Sequence[Watching],
    done: NDArray[np.bool_],
    decided: Decided,
    sorties: Sequence[Sortie],
) -> tuple[TaskFigures, ...]:
    """Return the figures of each task that is wanted in the plan's time; of events by the watches of the sorties."""
    begun: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    flown: defaultdict[int, set[int]] = defaultdict(set)
    task_of = {visit.visit_id: visit.task_id for visit in wanted.visits}
    for (visit_id, number), begin_s in wanted.done.items():
        begun[task_of[visit_id], number].append(begin_s)
        flown[visit_id].add(number)
    for draft in decided.drafts:
        for number, begin_s in draft.stops:
            target = wanted.targets[number]
            if done[number]:
                begun[target.part.task.task_id, target.part.number].append(begin_s)
                flown[target.visit.visit_id].add(target.part.number)
    events = defaultdict(list)
    for watching in watchings:
        events[watching.watched.part.task.task_id].append(watching)
    found = []
    for task in scene.programme.tasks:
        visits = [visit for visit in wanted.visits if visit.task_id == task.task_id]
        if task.kind in WATCHED_KINDS:
            found += [_event_figures(scene, task, visits, events[task.task_id], sorties)] if visits else []
        elif visits and task.task_id in wanted.parts:
            found.append(_task_figures(scene, wanted, task, visits, begun, flown))
    return tuple(found)


def _event_figures(
    scene: Scene, task: Task, visits: Sequence[Visit], watchings: Sequence[Watching], sorties: Sequence[Sortie]
) -> TaskFigures:
    """Return what the sorties themselves say of an event, those that stand too."""
    count = max((each.watched.count for each in watchings), default=max(task.watcher_count, 1))
    ids = {visit.visit_id for visit in visits}
    spans = [
        (sortie.on_watch.start_us, min(sortie.on_watch.end_us, sortie.landing_us), ids.intersection(sortie.visit_ids))
        for sortie in sorties
        if sortie.on_watch is not None
        and sortie.state is not SortieState.CANCELLED
        and not sortie.is_refused
        and ids.intersection(sortie.visit_ids)
    ]
    planned = {visit_id for span in spans for visit_id in span[2]}
    refused = {visit_id for sortie in sorties if sortie.is_refused for visit_id in sortie.visit_ids}
    watched = [
        _watched_s(visit.window, [span[:2] for span in spans if visit.visit_id in span[2]], count) for visit in visits
    ]
    wanted_s = sum((visit.window.end_us - visit.window.start_us) / 1e6 for visit in visits) * count
    watches = [part for each in watchings for part in each.watched.parts]
    covered_ratio = seen_ratio(task, watches if spans else [], scene)
    overlaps = [each.relay.least_overlap_s for each in watchings if spans and each.relay.least_overlap_s is not None]
    return TaskFigures(
        task_id=task.task_id,
        visit_count=len(visits),
        planned_count=len(planned),
        refused_count=len((refused & ids) - planned),
        covered_ratio=None if covered_ratio is None else round(covered_ratio, 4),
        watched_ratio=round(sum(each for each, _ in watched) / max(wanted_s, 1.0), 6),
        longest_gap_s=round(max((gap_s for _, gap_s in watched), default=0.0), 1),
        least_overlap_s=float(min(overlaps)) if overlaps and task.kind is TaskKind.EVENT else None,
        longest_revisit_s=_longest_round_s(watchings) if watchings and task.kind is TaskKind.STREETS else None,
    )


def _watched_s(window: Window, spans: Sequence[tuple[int, int]], count: int) -> tuple[float, float]:
    """Return the seconds of watch in a window, those of all `count` watchers together, and the longest time with fewer of them."""
    clipped = [(max(start, window.start_us), min(end, window.end_us)) for start, end in spans]
    cuts = sorted({window.start_us, window.end_us, *(cut for span in clipped if span[0] < span[1] for cut in span)})
    watched_us = gap_us = longest_us = 0
    for start, end in pairwise(cuts):
        there = sum(since <= start and end <= until for since, until in clipped)
        watched_us += min(there, count) * (end - start)
        gap_us = gap_us + end - start if there < count else 0
        longest_us = max(longest_us, gap_us)
    return watched_us / 1e6, longest_us / 1e6


def _longest_round_s(watchings: Sequence[Watching]) -> float:
    """Return how long a place of a patrol waits at most: a round, and what is missing between two drones."""
    return max(
        math.ceil(max(s for part in each.watched.parts for s in part.service_s if s < math.inf))
        + each.relay.longest_gap_s
        for each in watchings
    )


def _task_figures(
    scene: Scene,
    wanted: Wanted,
    task: Task,
    visits: Sequence[Visit],
    begun: dict[tuple[int, int], list[float]],
    flown: dict[int, set[int]],
) -> TaskFigures:
    parts = wanted.parts[task.task_id]
    numbers = frozenset(part.number for part in parts if begun.get((task.task_id, part.number)))
    if (task.task_id, numbers) not in wanted.seen:
        wanted.seen[task.task_id, numbers] = seen_ratio(task, [part for part in parts if part.number in numbers], scene)
    covered_ratio = wanted.seen[task.task_id, numbers]
    waits = [
        _longest_wait_s(scene, hours, begun.get((task.task_id, part.number), []))
        for part in parts for hours in wanted.hours[task.task_id]
    ]  # fmt: skip
    return TaskFigures(
        task_id=task.task_id,
        visit_count=len(visits),
        planned_count=sum(len(flown.get(visit.visit_id, ())) == len(parts) for visit in visits),
        covered_ratio=None if covered_ratio is None else round(covered_ratio, 4),
        longest_revisit_s=round(max(waits), 1) if task.revisit_s is not None else None,
    )


def _longest_wait_s(scene: Scene, hours: Window, begun_s: Sequence[float]) -> float:
    """Return the longest time within the hours without a visit."""
    start_s, end_s = scene.seconds_of(hours.start_us), scene.seconds_of(hours.end_us)
    moments = [start_s, *sorted(each for each in begun_s if start_s <= each <= end_s), end_s]
    return max(after - before for before, after in pairwise(moments))


def left_out(scene: Scene, wanted: Wanted, costs: Costs, done: NDArray[np.bool_], fleet: Fleet) -> list[Refusal]:
    """Return for each visit of which a part is not flown why not: no way, too far, no crew, or nobody free.

    `fleet` has all flights of the plan booked: of the first visits it is said when somebody could come.
    """
    groups = set(costs.group[done & (costs.group >= 0)].tolist())
    refused: dict[int, Refusal] = {}
    ledger = Ledger(fleet)
    for number, target in enumerate(wanted.targets):
        if done[number] or target.group in groups or target.visit.visit_id in refused:
            continue
        looked_for = ledger if len(refused) < _MOST_LOOKED_FOR else None
        refused[target.visit.visit_id] = _reason(scene, wanted, costs, number, fleet, looked_for)
    return list(refused.values())


def untold(plan: Plan, mended: Plan) -> list[Refusal]:
    """Return what the plan before said of visits, now past, of which the mended one says nothing, and that they are missed."""
    told = {visit_id for sortie in mended.sorties for visit_id in sortie.visit_ids}
    told |= {each.visit_id for each in mended.refusals if each.visit_id is not None and not each.is_warning}
    tasks = {each.task_id for each in mended.refusals if each.visit_id is None and not each.is_warning}
    found = []
    for visit in mended.visits:
        if visit.visit_id not in told and visit.task_id not in tasks:
            said = [each for each in plan.refusals if each.visit_id == visit.visit_id and not each.is_warning]
            found += said or [reasons.missed(visit)]
    return found


def _next_begin_us(scene: Scene, costs: Costs, number: int, ledger: Ledger) -> int | None:
    """Return when, after its window, somebody could begin a target; None where nobody can within the plan's time."""
    until_s = scene.seconds_of(scene.window.end_us)
    offers = _begins_s(scene, costs, number, ledger, from_s=float(costs.until_s[number]), until_s=until_s)
    return scene.us_of(math.ceil(min(offers) / 60.0) * 60.0) if offers else None


def _is_dock_busy(scene: Scene, costs: Costs, number: int, ledger: Ledger) -> bool:
    """Tell whether somebody could begin a target in its window if only the air over the dock were free."""
    from_s, until_s = float(costs.from_s[number]), float(costs.until_s[number])
    return bool(_begins_s(scene, costs, number, ledger, from_s=from_s, until_s=until_s, is_kept_apart=True))


def _begins_s(
    scene: Scene,
    costs: Costs,
    number: int,
    ledger: Ledger,
    *,
    from_s: float,
    until_s: float,
    is_kept_apart: bool = False,
) -> list[float]:
    """Return when each drone that can could begin a target, from one time on, to have landed or begun by another."""
    kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
    offers = []
    for flyer in ledger.flyers.values():
        kind, dock = kinds[flyer.airframe_id], costs.dock_ids.index(flyer.dock_id)
        out_s, back_s = costs.out_s[kind][dock, number], costs.back_s[kind][number, dock]
        flight_s = out_s + costs.service_s[kind, number] + back_s
        if flight_s <= most_flight_s(flyer, ledger.fleet.cells_of(flyer)):
            last_s = until_s - (out_s if is_kept_apart else flight_s)
            found = ledger.earliest(
                flyer,
                math.ceil(flight_s),
                from_s=math.ceil(from_s - out_s),
                until_s=int(last_s),
                is_kept_apart=is_kept_apart,
            )
            offers += [found.takeoff_s + float(out_s)] if found else []
    return offers


def useless(scene: Scene, costs: Costs, fleet: Fleet) -> list[Refusal]:
    """Return, as warnings, the airframes that reach none of the day's targets and events."""
    if costs.count == 0:
        return []
    kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
    booked = {booking.airframe_id for booking in fleet.booked}
    found = []
    for flyer in fleet.flyers:
        kind, dock = kinds[flyer.airframe_id], costs.dock_ids.index(flyer.dock_id)
        needed_s = costs.out_s[kind][dock] + costs.service_s[kind] + costs.back_s[kind][:, dock]
        usable_s = most_flight_s(flyer, fleet.cells_of(flyer))
        if float(needed_s.min()) > usable_s and flyer.airframe_id not in booked:
            nearest_s = float(needed_s.min())
            found.append(reasons.reaches_nothing(flyer.airframe_id, needed_s=nearest_s, usable_s=usable_s))
    return found


def _reason(scene: Scene, wanted: Wanted, costs: Costs, number: int, fleet: Fleet, ledger: Ledger | None) -> Refusal:
    target = wanted.targets[number]
    task, visit = target.part.task, target.visit
    window = Window(scene.us_of(target.from_s), scene.us_of(target.until_s))
    kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
    offers = []
    for flyer in fleet.flyers:
        kind, dock = kinds[flyer.airframe_id], costs.dock_ids.index(flyer.dock_id)
        needed_s = costs.out_s[kind][dock, number] + costs.service_s[kind, number] + costs.back_s[kind][number, dock]
        offers.append((float(needed_s), most_flight_s(flyer, fleet.cells_of(flyer))))
    if not any(math.isfinite(needed_s) for needed_s, _ in offers):
        return reasons.no_way(task, visit, window)
    needed_s, usable_s = min(offers, key=lambda offer: offer[0] - offer[1])
    if needed_s > usable_s:
        return reasons.too_far(
            task, visit, window, needed_s=needed_s, usable_s=usable_s, reserve_ratio=scene.reserve_ratio
        )
    on_shift = any(
        start <= target.until_s and target.from_s + needed_s <= end
        for staff in fleet.staff
        for start, end in staff.shifts
    )
    if fleet.staff and not on_shift:
        return reasons.no_crew(task, visit, window)
    begin_us = _next_begin_us(scene, costs, number, ledger) if ledger is not None else None
    if ledger is not None and _is_dock_busy(scene, costs, number, ledger):
        return reasons.dock_busy(task, visit, window, scene.programme.zone, begin_us=begin_us)
    return reasons.nobody_free(
        task, visit, window, scene.programme.zone, begin_us=begin_us, drone_count=len(fleet.flyers)
    )
