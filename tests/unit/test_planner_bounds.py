"""What bounds a plan beside time: a controller's waypoints, the air over a dock, and flights that nothing keeps apart."""

import msgspec

from console.bench.repair import programme_of
from mission.model import Task, TaskKind, Window
from mission.plan import Conflict, Plan
from mission.planner import plan_day
from mission.schedule.apart import one_at_a_time, without_conflicts
from mission.schedule.fleet import Fleet
from mission.schedule.gather import MOST_TARGETS, fleet_of, wanted_of
from mission.schedule.ledger import Ledger
from mission.schedule.routing.problem import Effort
from mission.schedule.scene import Scene, scene_of
from tests.patrol_day import day, hour, point, programme

FEW = Effort(within_s=None, iterations=60)


def fleet() -> tuple[Scene, Fleet]:
    scene = scene_of(programme(), day(), now_us=hour(-2))
    return scene, fleet_of(scene)


def test_routes_are_made_for_as_many_waypoints_as_a_controller_takes() -> None:
    many, window = programme_of(5)

    def planned(most_waypoints: int) -> Plan:
        airframes = tuple(msgspec.structs.replace(each, most_waypoints=most_waypoints) for each in many.airframes)
        of = msgspec.structs.replace(many, airframes=airframes)
        return plan_day(of, Window(window.start_us, window.end_us), now_us=window.start_us, effort=FEW)

    few, more = planned(100), planned(400)
    assert max(len(sortie.waypoints) for sortie in few.sorties) <= 100
    assert max(len(sortie.waypoints) for sortie in more.sorties) > 100
    assert more.score > few.score
    assert all(len(sortie.visit_ids) in {1, 2, 3} for sortie in few.sorties), "each circle takes 27 of 92"
    assert sum(len(sortie.visit_ids) == 3 for sortie in few.sorties) >= len(few.sorties) // 2


def test_over_a_dock_with_two_pads_one_drone_climbs_or_lands_at_a_time() -> None:
    scene, of = fleet()
    alone = one_at_a_time(of, scene)
    first = next(flyer for flyer in alone.flyers)
    other = next(flyer for flyer in alone.flyers if flyer.dock_id == first.dock_id and flyer is not first)
    at_s = 10_000
    ledger = Ledger(alone)
    booking = ledger.fit(first, at_s, at_s + 600)
    assert booking is not None
    ledger.book(booking)
    assert ledger.fit(other, at_s, at_s + 300) is None
    soon = ledger.earliest(other, 300, from_s=at_s, until_s=at_s + 900)
    assert soon is not None
    assert at_s < soon.takeoff_s <= at_s + 2 * alone.stagger_s


def test_of_two_sorties_that_nothing_keeps_apart_the_lesser_is_refused_with_the_reason() -> None:
    scene, _ = fleet()
    plan = plan_day(programme(), day(), now_us=hour(-2), effort=FEW)
    one, other = [sortie for sortie in plan.sorties if sortie.on_watch is None and sortie.visit_ids][:2]
    met = Conflict(
        sortie_id=one.sortie_id, other_sortie_id=other.sortie_id, window=Window(one.takeoff_us, one.landing_us),
        lat_deg=36.0, lon_deg=103.8, alt_home_m=60.0, distance_m=12.0, height_apart_m=0.0,
    )  # fmt: skip
    kept, conflicts, said = without_conflicts(scene, plan.sorties, [met], plan.visits)
    (gone,) = {one.sortie_id, other.sortie_id} - {sortie.sortie_id for sortie in kept}
    assert len(kept) == len(plan.sorties) - 1
    assert conflicts == []
    assert {each.visit_id for each in said} == set((one if gone == one.sortie_id else other).visit_ids)
    assert all(each.rule_id == "R-05" and each.numbers["distance_m"] == 12.0 for each in said)
    mended = msgspec.structs.replace(met, mended_by="layer")
    assert without_conflicts(scene, plan.sorties, [mended], plan.visits) == (list(plan.sorties), [mended], [])
    frozen = [one.sortie_id, other.sortie_id]
    assert without_conflicts(scene, plan.sorties, [met], plan.visits, frozen=frozen)[1] == [met]


def test_what_would_be_more_than_is_planned_at_once_is_refused_and_the_more_important_stays() -> None:
    scene, _ = fleet()
    often = [
        Task(
            task_id=number, name_zh="岗", name_en="post", kind=TaskKind.POINT, geometry=point(50.0 * number, 200.0),
            priority=number, revisit_s=90.0, alt_agl_m=60.0,
        )
        for number in (3, 4)
    ]  # fmt: skip
    wanted = wanted_of(scene, often)
    assert {visit.task_id for visit in wanted.visits} == {4}
    assert len(wanted.targets) <= MOST_TARGETS
    (refusal,) = [each for each in wanted.refusals if not each.is_warning]
    assert refusal.task_id == 3
    assert f"at most {MOST_TARGETS} are planned at once" in refusal.reason_en
    assert f"一次最多规划 {MOST_TARGETS}" in refusal.reason_zh
