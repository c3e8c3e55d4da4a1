"""Two published plans never want one drone at one time: the newer one counts, and what flies already is flown to its end."""

import msgspec

from mission.plan import SortieState
from mission.schedule.superseding import moved_on, superseded
from tests.flown_day import MINUTE_US, PLAN, SORTIE

NEWER = msgspec.structs.replace(PLAN, plan_id=9)


def test_a_sortie_of_a_drone_that_the_newer_plan_flies_then_is_cancelled() -> None:
    found = superseded(PLAN, NEWER)
    assert found is not None
    assert [sortie.state for sortie in found.sorties] == [SortieState.CANCELLED]


def test_another_drone_another_time_and_a_sortie_that_a_pilot_has_stay() -> None:
    later = SORTIE.free_us
    for kept in (
        msgspec.structs.replace(SORTIE, airframe_id=99),
        msgspec.structs.replace(SORTIE, takeoff_us=later, landing_us=later + MINUTE_US, free_us=later + 2 * MINUTE_US),
        msgspec.structs.replace(SORTIE, state=SortieState.HANDED),
        msgspec.structs.replace(SORTIE, state=SortieState.FLYING),
        msgspec.structs.replace(SORTIE, state=SortieState.FLOWN),
    ):
        assert superseded(msgspec.structs.replace(PLAN, sorties=(kept,)), NEWER) is None


def test_a_plan_that_was_mended_meanwhile_keeps_how_far_its_sorties_came() -> None:
    flying = msgspec.structs.replace(SORTIE, state=SortieState.FLYING, flown_waypoints=2)
    mended = moved_on(PLAN, msgspec.structs.replace(PLAN, sorties=(flying,)))
    assert [(sortie.state, sortie.flown_waypoints) for sortie in mended.sorties] == [(SortieState.FLYING, 2)]
    assert moved_on(PLAN, PLAN) == PLAN
