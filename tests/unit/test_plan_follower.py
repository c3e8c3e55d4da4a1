"""What becomes of sorties is written into their plans, and nothing else of them."""

import msgspec
import pytest

from console.patrols.follower import with_steps
from mission.model import Window
from mission.plan import Plan, Sortie, SortieState, Waypoint
from telemetry.model.flight_events import SortieMoved, SortieStep

PLACES = tuple(Waypoint(lat_deg=36.0, lon_deg=103.8, alt_home_m=60.0, speed_mps=10.0) for _ in range(4))


def sortie(number: int) -> Sortie:
    return Sortie(
        sortie_id=number, airframe_id=1, dock_id=1, takeoff_us=0, landing_us=1, free_us=1, visit_ids=(), task_ids=(),
        waypoints=PLACES, length_m=1.0, landing_battery_ratio=0.5, transit_alt_home_m=60.0,
    )  # fmt: skip


def moved(step: SortieStep, **more: int | bool) -> SortieMoved:
    return SortieMoved(
        device_id=1,
        observed_us=0,
        received_us=0,
        plan_id=3,
        sortie_id=2,
        step=step,
        waypoint_count=4,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("event", "state", "flown"),
    [
        (moved(SortieStep.READY), SortieState.UPLOADED, 0),
        (moved(SortieStep.FLYING, flown=2, has_flown=True), SortieState.FLYING, 2),
        (moved(SortieStep.FLYING, flown=3, flown_before=9, has_flown=True), SortieState.FLYING, 4),
        (moved(SortieStep.DONE, flown=4, has_flown=True), SortieState.FLOWN, 4),
        (moved(SortieStep.FAILED, flown=1, has_flown=True), SortieState.BROKEN_OFF, 1),
        (moved(SortieStep.FAILED), SortieState.PLANNED, 0),
    ],
)
def test_a_sortie_is_as_far_as_its_last_event_says(event: SortieMoved, state: SortieState, flown: int) -> None:
    plan = Plan(window=Window(0, 1), visits=(), sorties=(sortie(1), sortie(2)), plan_id=3, version=7)
    after = with_steps(plan, {2: event})
    assert (after.sorties[1].state, after.sorties[1].flown_waypoints) == (state, flown)
    assert (after.sorties[0], after.version) == (plan.sorties[0], 7)


def test_a_sortie_keeps_when_it_was_given_begun_and_over_and_forgets_it_when_it_never_left() -> None:
    plan = Plan(window=Window(0, 1), visits=(), sorties=(sortie(2),))
    told = []
    for at_us, step in enumerate(
        (SortieStep.HANDED, SortieStep.READY, SortieStep.STARTING, SortieStep.FLYING, SortieStep.DONE)
    ):
        has_flown = step in (SortieStep.FLYING, SortieStep.DONE)
        plan = with_steps(plan, {2: msgspec.structs.replace(moved(step, has_flown=has_flown), observed_us=at_us)})
        told.append((plan.sorties[0].handed_us, plan.sorties[0].started_us, plan.sorties[0].ended_us))
    assert told == [(0, None, None), (0, None, None), (0, 2, None), (0, 2, None), (0, 2, 4)]
    told_again = msgspec.structs.replace(moved(SortieStep.DONE, has_flown=True), observed_us=9)
    assert with_steps(plan, {2: told_again}) == plan
    (again,) = with_steps(plan, {2: moved(SortieStep.FAILED)}).sorties
    assert (again.handed_us, again.started_us, again.ended_us) == (None, None, None)


def test_a_sortie_keeps_why_it_was_broken_off_in_both_languages_until_it_is_given_again() -> None:
    plan = Plan(window=Window(0, 1), visits=(), sorties=(sortie(2),))
    low = msgspec.structs.replace(
        moved(SortieStep.FAILED, has_flown=True), cause="low_battery", reason_zh="电量低", reason_en="low battery"
    )
    (broken_off,) = with_steps(plan, {2: low}).sorties
    assert (broken_off.state, broken_off.reason_zh, broken_off.reason_en) == (
        SortieState.BROKEN_OFF,
        "电量低",
        "low battery",
    )
    (again,) = with_steps(plan, {2: moved(SortieStep.HANDED)}).sorties
    assert (again.reason_zh, again.reason_en) == ("", "")


@pytest.mark.parametrize("step", SortieStep)
def test_every_step_of_a_flight_has_a_state_in_its_plan(step: SortieStep) -> None:
    plan = Plan(window=Window(0, 1), visits=(), sorties=(sortie(2),))
    assert with_steps(plan, {2: moved(step)}).sorties[0].state in SortieState
