"""A planned day keeps every rule, sortie by sortie, as if each were checked by itself before take-off."""

from mission.deconflict import find
from mission.planner import plan_day
from mission.rules import check_sortie, margins_of
from mission.schedule.routing.orienteering import Effort
from mission.schedule.scene import scene_of
from tests.patrol_day import day, hour, programme


def test_no_sortie_of_a_day_breaks_a_rule_and_no_two_come_too_near() -> None:
    asked, whole, now_us = programme(), day(6.0, 22.0), hour(0.0)
    plan = plan_day(asked, whole, now_us=now_us, effort=Effort(within_s=None, iterations=30, seed=1))
    scene = scene_of(asked, whole, now_us=now_us)
    assert len(plan.sorties) > 10
    frames = {one.airframe_id: one for one in asked.airframes}
    docks = {one.dock_id: one for one in asked.docks}
    crews = {one.crew_id: one for one in asked.crews}
    for sortie in plan.sorties:
        said = check_sortie(
            sortie,
            frames[sortie.airframe_id],
            dock=docks[sortie.dock_id],
            **scene.conditions,
            tasks=asked.tasks,
            visits=plan.visits,
            crew=crews.get(sortie.crew_id or 0),
            crew_sorties=[one for one in plan.sorties if one.crew_id == sortie.crew_id],
        )
        assert [one for one in said if not one.is_warning] == [], sortie.sortie_id
    margins = margins_of(scene.rules)
    found = find(
        plan.sorties,
        plane=scene.plane,
        docks=asked.docks,
        sky=scene.sky,
        margin_m=margins.margin_m,
        height_m=margins.height_m,
        margin_s=margins.margin_s,
    )
    assert found == [one for one in plan.conflicts if not one.mended_by]
