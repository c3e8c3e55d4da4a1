"""A plan's sorties kept apart: moved to other layers or delayed where they would meet, and what could not be mended."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mission.deconflict import mend
from mission.plan import Conflict, Sortie, Visit
from mission.rules import limits_of, margins_of
from mission.schedule.scene import Scene


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
        allows=lambda sortie: sortie.landing_battery_ratio >= scene.reserve_ratio,
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
