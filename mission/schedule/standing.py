"""What of a plan stands when it is mended: what is flown or in the air, what it has done, and the sorties to begin again from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mission.model import Programme
from mission.plan import Plan, Sortie, SortieState, TaskFigures, Visit, VisitPart
from mission.schedule.fleet import Booking
from mission.schedule.greedy import Draft
from mission.schedule.relay_rota import Watch
from mission.schedule.scene import Scene
from mission.schedule.targets import Part, Target

_GONE: Final = frozenset({SortieState.UPLOADED, SortieState.FLYING, SortieState.FLOWN})
_OVER: Final = frozenset({SortieState.BROKEN_OFF, SortieState.CANCELLED})
_ROUNDED_S: Final = 2.0
_SAME_DEG: Final = 1e-6
_SAME_MPS: Final = 0.05


@dataclass(frozen=True, eq=False)
class Standing:
    """Sorties that stay as they are, the visits of the plan, and the sorties that may be flown otherwise."""

    sorties: tuple[Sortie, ...] = ()
    visits: tuple[Visit, ...] = ()
    open: tuple[Sortie, ...] = ()
    figures: tuple[TaskFigures, ...] = ()

    @property
    def next_id(self) -> int:
        """Return the first number that no sortie of the plan has."""
        return 1 + max((sortie.sortie_id for sortie in (*self.sorties, *self.open)), default=0)

    def unchanged(self, sortie: Sortie, programme: Programme) -> Sortie:
        """Return the open sortie of the plan that is the same flight, with its number and state, else this one.

        The same flight is one over the same places at the same speeds: not one whose way home a new zone or another wind changed.
        It keeps its battery and crew where these are still there.
        """
        for before in self.open:
            is_same = (before.airframe_id, before.visit_ids) == (sortie.airframe_id, sortie.visit_ids)
            is_same = is_same and before.visit_parts == sortie.visit_parts and _is_same_way(before, sortie)
            if is_same and abs(before.takeoff_us - sortie.takeoff_us) <= _ROUNDED_S * 1e6:
                found = {"battery_id": sortie.battery_id, "crew_id": sortie.crew_id}
                return before if is_served(before, programme) else msgspec.structs.replace(before, **found)
        return sortie


NOTHING = Standing()


def standing_of(plan: Plan, *, now_us: int, lost: Collection[int]) -> Standing:
    """Return what stands at `now_us` when the airframes in `lost` fly no more.

    A sortie in the air whose airframe is lost is broken off where it is; one that is planned for a lost airframe is open.
    """
    stands, open_now = [], []
    for sortie in plan.sorties:
        has_begun = sortie.takeoff_us <= now_us and not sortie.is_standby
        if sortie.state in _OVER or (sortie.landing_us <= now_us and has_begun):
            stands.append(sortie)
        elif sortie.airframe_id in lost and (has_begun or sortie.state is SortieState.FLYING):
            stands.append(_broken_off(sortie, now_us))
        elif (has_begun or sortie.state in _GONE) and sortie.airframe_id not in lost:
            stands.append(sortie)
        else:
            open_now.append(sortie)
    return Standing(tuple(stands), plan.visits, tuple(open_now), plan.figures)


def _is_same_way(one: Sortie, other: Sortie) -> bool:
    """Tell whether two sorties lead over the same places with the same speeds, and the one has time for the other's way home.

    How high they are layered may differ.
    """
    has_time = _homeward_us(other) <= _homeward_us(one) + _ROUNDED_S * 1e6
    return (
        has_time
        and len(one.waypoints) == len(other.waypoints)
        and all(
            abs(here.lat_deg - there.lat_deg) < _SAME_DEG
            and abs(here.lon_deg - there.lon_deg) < _SAME_DEG
            and abs(here.speed_mps - there.speed_mps) < _SAME_MPS
            for here, there in zip(one.waypoints, other.waypoints, strict=True)
        )
    )


def _homeward_us(sortie: Sortie) -> int:
    """Return how long a sortie takes from its last waypoint until it has landed; 0 where it does not say when it is there."""
    last = sortie.waypoints[-1] if sortie.waypoints else None
    reached_us = None if last is None else last.arrive_us
    return 0 if last is None or reached_us is None else sortie.landing_us - reached_us - round(last.hold_s * 1e6)


def is_served(sortie: Sortie, programme: Programme) -> bool:
    """Tell whether the battery and the crew of a sortie are still there."""
    batteries = {battery.battery_id for battery in programme.batteries if not battery.is_ready}
    crews = {crew.crew_id for crew in programme.crews if not crew.is_ready}
    return sortie.battery_id not in batteries and sortie.crew_id not in crews


def _broken_off(sortie: Sortie, now_us: int) -> Sortie:
    flown = sum((waypoint.arrive_us or now_us + 1) <= now_us for waypoint in sortie.waypoints)
    return msgspec.structs.replace(
        sortie, state=SortieState.BROKEN_OFF, landing_us=now_us, free_us=now_us, flown_waypoints=flown
    )


def booking_of(sortie: Sortie, scene: Scene) -> Booking:
    """Return the booking of a sortie that stands."""
    free_s = round(scene.seconds_of(sortie.free_us))
    return Booking(
        airframe_id=sortie.airframe_id,
        dock_id=sortie.dock_id,
        takeoff_s=round(scene.seconds_of(sortie.takeoff_us)),
        landing_s=round(scene.seconds_of(sortie.landing_us)),
        free_s=free_s,
        charged_s=free_s,
        battery_id=sortie.battery_id,
        crew_id=sortie.crew_id,
    )


def done_of(standing: Standing, parts: Sequence[Part], scene: Scene) -> dict[tuple[int, int], float]:
    """Return which parts of the task's visits are flown by sorties that stand, with the seconds at which each was begun.

    Where the task is parted otherwise now (the wind has turned), a visit is done when all its parts were.
    """
    found: dict[int, dict[int, tuple[int, float]]] = {}
    for sortie in standing.sorties:
        for each in sortie.visit_parts if sortie.state is not SortieState.CANCELLED else ():
            is_flown = sortie.state is not SortieState.BROKEN_OFF or each.last_waypoint < sortie.flown_waypoints
            if is_flown:
                found.setdefault(each.visit_id, {})[each.number] = (each.part_count, _begun_s(sortie, each, scene))
    mine = {visit.visit_id for visit in standing.visits if parts and visit.task_id == parts[0].task.task_id}
    done = {}
    for visit_id in mine & set(found):
        flown = found[visit_id]
        is_whole = len(flown) == next(iter(flown.values()))[0]
        for part in parts:
            count, begin_s = flown.get(part.number, next(iter(flown.values())))
            if is_whole or (part.number in flown and count == part.part_count):
                done[visit_id, part.number] = begin_s
    return done


def _begun_s(sortie: Sortie, part: VisitPart, scene: Scene) -> float:
    return scene.seconds_of(sortie.waypoints[part.first_waypoint].arrive_us or sortie.takeoff_us)


def drafts_of(standing: Standing, targets: Sequence[Target], scene: Scene) -> list[Draft]:
    """Return the open sorties as drafts over the targets; stops that may not be begun then any more are left out."""
    numbers: dict[tuple[int, int, int], list[int]] = {}
    for number, target in enumerate(targets):
        key = (target.visit.visit_id, target.part.number, target.part.part_count)
        numbers.setdefault(key, []).append(number)
    drafts = []
    for sortie in standing.open:
        stops = []
        for each in sortie.visit_parts:
            begin_s = _begun_s(sortie, each, scene)
            for number in numbers.get((each.visit_id, each.number, each.part_count), []):
                from_s, until_s = targets[number].from_s, targets[number].until_s
                if from_s - _ROUNDED_S <= begin_s <= until_s + _ROUNDED_S:
                    stops.append((number, min(max(begin_s, from_s), until_s)))
                    break
        if stops:
            drafts.append(Draft(booking_of(sortie, scene), tuple(stops)))
    return drafts


def watches_of(sorties: Sequence[Sortie], scene: Scene, watcher_count: int) -> list[Watch]:
    """Return sorties over an event as watches: each relieves whoever's watch ends first; those on a walk, who is on it."""
    until_us = [0] * watcher_count
    found: list[Watch] = []
    watching = sorted((each.on_watch, each.sortie_id, each) for each in sorties if each.on_watch is not None)
    for window, _, sortie in watching:
        walks = [part.number for part in sortie.visit_parts if part.part_count > 1]
        position = walks[0] if walks and walks[0] < watcher_count else until_us.index(min(until_us))
        end_us = min(window.end_us, sortie.landing_us)
        until_us[position] = end_us
        if end_us <= window.start_us:
            continue
        found.append(
            Watch(
                airframe_id=sortie.airframe_id,
                position=position,
                takeoff_s=round(scene.seconds_of(sortie.takeoff_us)),
                start_s=round(scene.seconds_of(window.start_us)),
                end_s=round(scene.seconds_of(end_us)),
                landing_s=round(scene.seconds_of(sortie.landing_us)),
            )
        )
    return found
