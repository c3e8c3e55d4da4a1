"""A plan's sorties kept apart: moved to other layers or delayed where they would meet, and what could not be mended."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from mission.deconflict import mend
from mission.plan import Conflict, Refusal, Sortie, Visit
from mission.rules import highest_m, limits_of, margins_of
from mission.schedule import reasons
from mission.schedule.fleet import Fleet
from mission.schedule.scene import TRANSIT_ALT_M, Scene

_ROUNDING_M: Final = 1e-6


def one_at_a_time(fleet: Fleet, scene: Scene) -> Fleet:
    """Return the fleet as routes book it: over a dock, however many pads it has, one climbs or lands at a time.

    A movement keeps the air over the dock for as long as it comes down from the transit height and leaves or reaches the
    margin (R-05), with half of the margin in time before and after: two that follow each other so are no conflict.
    """
    margins = margins_of(scene.rules)
    if margins.margin_m <= 0.0 or not scene.airframes:
        return fleet
    down_s = TRANSIT_ALT_M / min(min(each.sink_mps, each.climb_mps) for each in scene.airframes)
    aside_s = margins.margin_m / min(each.cruise_mps for each in scene.airframes)
    return replace(
        fleet,
        grounds=tuple(replace(ground, pad_count=1) for ground in fleet.grounds),
        stagger_s=max(math.ceil(down_s + aside_s + margins.margin_s), fleet.stagger_s),
        lead_s=math.ceil(margins.margin_s / 2.0),
    )


def parted(
    scene: Scene, sorties: Sequence[Sortie], visits: Sequence[Visit], *, frozen: Collection[int] = ()
) -> tuple[list[Sortie], list[Conflict]]:
    """Return the sorties kept apart, and the conflicts that there were; `frozen` ones stay as they are.

    No sortie is moved so that it lands with less than the reserve, or that a visit, a shift or the next flight is missed.
    """
    margins = margins_of(scene.rules)
    limits = replace(
        limits_of(scene.rules),
        visits=visits,
        tasks=scene.programme.tasks,
        airframes=scene.programme.airframes,
        crews=scene.programme.crews,
        frozen=frozen,
        allows=lambda sortie: _may_be_so(scene, sortie),
    )
    return mend(
        sorties,
        plane=scene.plane,
        docks=scene.programme.docks,
        ground=scene.ground,
        sky=scene.sky,
        margin_m=margins.margin_m,
        height_m=margins.height_m,
        margin_s=margins.margin_s,
        limits=limits,
    )


def _may_be_so(scene: Scene, sortie: Sortie) -> bool:
    """Tell whether a sortie that was moved lands with the reserve, and flies no higher than its airframe may (R-01)."""
    frame = next(each for each in scene.airframes if each.airframe_id == sortie.airframe_id)
    most_m = highest_m(scene.rules, frame, sortie.approval) + _ROUNDING_M
    is_low = all(one.alt_home_m - one.ground_above_home_m <= most_m for one in sortie.waypoints)
    return is_low and sortie.landing_battery_ratio >= scene.reserve_ratio


def without_conflicts(
    scene: Scene,
    sorties: Sequence[Sortie],
    conflicts: Sequence[Conflict],
    visits: Sequence[Visit],
    *,
    frozen: Collection[int] = (),
) -> tuple[list[Sortie], list[Conflict], list[Refusal]]:
    """Return the sorties that may be flown together, the conflicts that concern them, and what is said of the others.

    Of two that no layer and no delay keeps apart the one of less priority is left out. Those that are `frozen` and watches
    over events stay: of two such the one that takes off later is marked as refused, and a person decides.
    """
    kept = {sortie.sortie_id: sortie for sortie in sorties}
    priority = {task.task_id: task.priority for task in scene.programme.tasks}
    said: list[Refusal] = []
    for conflict in conflicts:
        pair = [kept.get(number) for number in (conflict.sortie_id, conflict.other_sortie_id or 0)]
        two = [each for each in pair if each is not None and each.sortie_id not in frozen]
        if conflict.mended_by or None in pair or not two:
            continue
        may_go = [each for each in two if each.on_watch is None]
        if may_go:
            least = min(
                may_go, key=lambda each: (sum(priority.get(task, 0) for task in each.task_ids), -each.sortie_id)
            )
            del kept[least.sortie_id]
        else:
            least = max(two, key=lambda each: (each.takeoff_us, each.sortie_id))
            kept[least.sortie_id] = msgspec.structs.replace(least, is_refused=True)
        said += [
            reasons.too_near(visit, conflict, least.airframe_id)
            for visit in visits
            if visit.visit_id in least.visit_ids
        ]
    both = [one for one in conflicts if {one.sortie_id, one.other_sortie_id or one.sortie_id} <= set(kept)]
    return list(kept.values()), both, said
