"""Events of a day: who watches each of them, in sorties, with a spare, and what is said where a gap remains."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mission.air.flight_path import path_of
from mission.model import US, Airframe, Window
from mission.patterns.legs import told_mps
from mission.plan import Refusal, Sortie
from mission.schedule import reasons
from mission.schedule.costs import costs_of
from mission.schedule.fleet import Booking, Fleet, Flyer, Span, charging_s
from mission.schedule.gather import Watched
from mission.schedule.ledger import Ledger
from mission.schedule.relay import Relay, Remedy, gaps_of, least_overlap_s, relay, remedies
from mission.schedule.relay_rota import Event, Watch, rota
from mission.schedule.scene import TRANSIT_ALT_M, WATCH_LAYERS, Scene
from mission.schedule.sorties import watch_of
from mission.schedule.standing import booking_of, is_served, watches_of
from mission.schedule.targets import Target

_LEAST_OVERLAP_S: Final = 30
_MOVING_M: Final = 1.0
_SAME_MPS: Final = 0.05


@dataclass(frozen=True)
class Watching:
    """The watch over one event: its relay, its sorties (the spare's too), and what is said of it."""

    watched: Watched
    relay: Relay
    sorties: tuple[Sortie, ...]
    bookings: tuple[Booking, ...]
    refusals: tuple[Refusal, ...]


def watch(
    watched: Watched,
    scene: Scene,
    fleet: Fleet,
    *,
    first_id: int,
    within_s: float,
    seed: int,
    past: Sequence[Sortie] = (),
) -> Watching:
    """Return who watches an event: the fewest of the nearest drones that leave no gap, and one more as a spare.

    Sorties are numbered from `first_id`. `past` are watches that stand: they are relieved. The relay is solved for up to
    `within_s` of CP-SAT's deterministic time.
    """
    event = _event(watched, scene, past)
    ways = _ways(watched, event, scene, fleet)
    chosen = _enough(event, fleet, ways)
    found = relay(event, fleet, ways=chosen, within_s=within_s, seed=seed)
    ledger, sorties = Ledger(fleet), []
    for number, each in enumerate(found.watches):
        flyer = ledger.flyers[each.airframe_id]
        booking = ledger.fit(flyer, each.takeoff_s, each.landing_s) or _as_flown(fleet, flyer, each)
        ledger.book(booking)
        alt_m = _height_m(scene, watched, event, each.position, number)
        sorties.append(
            watch_of(
                each,
                booking,
                watched.parts[each.position] if watched.is_patrol else watched.part,
                scene,
                visit_id=watched.visit.visit_id,
                sortie_id=first_id + number,
                alt_m=alt_m,
            )
        )
    bookings = ledger.bookings[len(fleet.booked) :]
    if found.spare_id is not None:
        spare = _spare(found.spare_id, fleet, event)
        sorties.append(_standing_by(spare, watched, scene, first_id + len(found.watches)))
        bookings.append(spare)
    return Watching(watched, found, tuple(sorties), tuple(bookings), _said(watched, scene, fleet, event, ways, found))


def intact(watched: Watched, scene: Scene, sorties: Sequence[Sortie], past: Sequence[Sortie]) -> Watching | None:
    """Return the watch of a plan that is mended where nothing speaks against it, else None; `past` watches stand."""
    ready = {airframe.airframe_id: airframe for airframe in scene.airframes}
    for sortie in sorties:
        airframe = ready.get(sortie.airframe_id)
        if airframe is None or scene.kind_number(airframe) not in watched.kinds:
            return None
        if not is_served(sortie, scene.programme) or not _is_flyable(sortie, airframe, watched, scene):
            return None
    found = watches_of([*past, *sorties], scene, watched.count)
    event = replace(_event(watched, scene, ()), start_s=round(scene.seconds_of(scene.now_us)))
    event = replace(event, start_s=max(event.start_s, round(scene.seconds_of(watched.window.start_us))))
    gaps = gaps_of(event, found)
    if not found or gaps or any(watch.end_s > event.end_s for watch in found):
        return None
    spare_id = next((sortie.airframe_id for sortie in sorties if sortie.is_standby), None)
    kept = Relay(watches=tuple(found), gaps=gaps, least_overlap_s=least_overlap_s(event, found), spare_id=spare_id)
    return Watching(watched, kept, tuple(sorties), tuple(booking_of(sortie, scene) for sortie in sorties), ())


def _is_flyable(sortie: Sortie, airframe: Airframe, watched: Watched, scene: Scene) -> bool:
    """Tell whether the air of a sortie is still open, and the wind lets it fly as fast as it was told, and home in time."""
    if not sortie.waypoints:
        return True
    path = path_of(sortie, plane=scene.plane, dock=scene.docks.get(sortie.dock_id), ground=scene.ground)
    if scene.sky.offences(path, approval=sortie.approval):
        return False
    ways = sortie.waypoints
    places = np.column_stack(scene.plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways]))
    home = scene.dock_place(sortie.dock_id)
    legs = np.diff(np.concatenate((home[None], places)), axis=0)
    on_way = scene.wind_in(Window(sortie.takeoff_us, sortie.landing_us))
    for number, (leg, one) in enumerate(zip(legs, ways, strict=True)):
        is_over = number > 0 and one.task_id is not None and ways[number - 1].task_id is not None
        most_mps = told_mps(leg[None], airframe, watched.part.wind if is_over else on_way)[0]
        if np.hypot(*leg) > _MOVING_M and one.speed_mps > most_mps + _SAME_MPS:
            return False
    left_us = (ways[-1].arrive_us or 0) + round(ways[-1].hold_s * US)
    if np.hypot(*(home - places[-1])) <= _MOVING_M or ways[-1].arrive_us is None:
        return True
    back_s = float(scene.fly_s(np.stack((places[-1], home)), airframe, wind=on_way).sum())
    return left_us + round(back_s * US) <= sortie.landing_us


def _event(watched: Watched, scene: Scene, past: Sequence[Sortie]) -> Event:
    """Return what is watched, seconds from the plan's zero; a patrol ends with its last whole round."""
    task, window, count = watched.part.task, watched.window, watched.count
    stands = watches_of(past, scene, count)
    start_s, end_s = round(scene.seconds_of(window.start_us)), round(scene.seconds_of(window.end_us))
    covered_s = tuple(
        max((each.end_s for each in stands if each.position == position), default=0) for position in range(count)
    )
    if not watched.is_patrol:
        overlap_s = max(round(task.overlap_s), _LEAST_OVERLAP_S)
        return Event(start_s=start_s, end_s=end_s, watcher_count=count, overlap_s=overlap_s, covered_s=covered_s)
    round_s = math.ceil(max(each for part in watched.parts for each in part.service_s if each < math.inf))
    since_s = max(start_s, min(covered_s))
    until_s = since_s + max((end_s - since_s) // round_s, 1) * round_s
    return Event(start_s=start_s, end_s=until_s, watcher_count=count, overlap_s=0, covered_s=covered_s, step_s=round_s)


def _ways(watched: Watched, event: Event, scene: Scene, fleet: Fleet) -> dict[int, Span]:
    """Return how long each airframe that can watch flies there and back, up to the highest watch and down from it."""
    costs = costs_of([Target(watched.visit, part, 0.0, 0.0, 1) for part in watched.parts], scene)
    ways = {}
    kinds = {airframe.airframe_id: scene.kind_number(airframe) for airframe in scene.airframes}
    top_m = max(
        _height_m(scene, watched, event, event.watcher_count - 1, number) for number in range(2 * event.watcher_count)
    )
    higher_m = max(top_m - scene.reckoned_top_m, 0.0)
    for flyer in fleet.flyers:
        kind, dock = kinds[flyer.airframe_id], costs.dock_ids.index(flyer.dock_id)
        out_s = float(costs.out_s[kind][dock].max()) + higher_m / scene.kinds[kind].climb_mps
        back_s = float(costs.back_s[kind][:, dock].max()) + higher_m / scene.kinds[kind].sink_mps
        if kind in watched.kinds and max(out_s, back_s, watched.part.service_s[kind]) < float("inf"):
            ways[flyer.airframe_id] = (int(out_s) + 1, int(back_s) + 1)
    return ways


def _enough(event: Event, fleet: Fleet, ways: dict[int, Span]) -> dict[int, Span]:
    """Return the nearest that watch without a gap, and one more; all where they do not."""
    nearest = sorted(ways, key=lambda airframe: (sum(ways[airframe]), airframe))
    for count in range(event.watcher_count, len(nearest)):
        some = {airframe: ways[airframe] for airframe in nearest[:count]}
        if not gaps_of(event, rota(event, fleet, some)):
            return {airframe: ways[airframe] for airframe in nearest[: count if event.step_s else count + 1]}
    return ways


def _height_m(scene: Scene, watched: Watched, event: Event, position: int, number: int) -> float:
    """Return at what height a watch is stood: who relieves stands a layer above or below who is relieved."""
    kinds = [scene.kinds[kind] for kind in sorted(watched.kinds)]
    heights = scene.watch_alts_m(watched.part.pattern.alt_agl_m, event.watcher_count, kinds)
    return heights[WATCH_LAYERS * position + number // event.watcher_count % WATCH_LAYERS]


def _as_flown(fleet: Fleet, flyer: Flyer, watch: Watch) -> Booking:
    """Return the booking of a watch that was found in another order of flights: its cell charges as soon as it has landed."""
    cells = fleet.cells_of(flyer)
    charged_s = watch.landing_s + charging_s(flyer, cells, watch.landing_s - watch.takeoff_s)
    free_s = watch.landing_s + fleet.turn_s(flyer) if fleet.turn_s(flyer) else charged_s
    return Booking(
        airframe_id=flyer.airframe_id,
        dock_id=flyer.dock_id,
        takeoff_s=watch.takeoff_s,
        landing_s=watch.landing_s,
        free_s=free_s,
        charged_s=charged_s,
        battery_id=cells[0].battery_id,
    )


def _spare(airframe_id: int, fleet: Fleet, event: Event) -> Booking:
    flyer = next(each for each in fleet.flyers if each.airframe_id == airframe_id)
    start_s = max(event.start_s, flyer.ready_s)
    return Booking(airframe_id, flyer.dock_id, start_s, event.end_s, event.end_s, event.end_s)


def _standing_by(spare: Booking, watched: Watched, scene: Scene, sortie_id: int) -> Sortie:
    task = watched.part.task
    return Sortie(
        sortie_id=sortie_id, airframe_id=spare.airframe_id, dock_id=spare.dock_id, takeoff_us=scene.us_of(spare.takeoff_s),
        landing_us=scene.us_of(spare.landing_s), free_us=scene.us_of(spare.free_s), visit_ids=(watched.visit.visit_id,),
        task_ids=(task.task_id,), waypoints=(), length_m=0.0, landing_battery_ratio=1.0, transit_alt_home_m=TRANSIT_ALT_M,
        is_standby=True, approval=task.approval,
    )  # fmt: skip


def _said(
    watched: Watched, scene: Scene, fleet: Fleet, event: Event, ways: dict[int, Span], found: Relay
) -> tuple[Refusal, ...]:
    task, zone = watched.part.task, scene.programme.zone
    if found.gaps:
        longest = max(found.gaps, key=lambda gap: gap[1] - gap[0])
        return (
            reasons.event_gap(
                task, watched.visit, zone, gap=Window(scene.us_of(longest[0]), scene.us_of(longest[1])),
                total_s=found.gap_s, longest_s=found.longest_gap_s,
                remedies=_remedies(scene, remedies(event, replace(fleet), ways=ways)),
            ),
        )  # fmt: skip
    if found.spare_id is None:
        return (reasons.no_spare(task, watched.visit, failure_gap_s=found.failure_gap_s),)
    return ()


def _remedies(scene: Scene, found: Sequence[Remedy]) -> list[tuple[str, int]]:
    return [(each.field, scene.us_of(each.value) if each.field == "end" else each.value) for each in found]
