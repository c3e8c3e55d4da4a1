"""How a start goes on: a refusal to arm, a drone that falls silent, control that somebody else takes meanwhile."""

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from console.auth.accounts import Account
from console.flight.control import holder_of
from console.flight.sorties import Flown, SortieDesk
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.flying.pilot_words import Cause, reason
from mission.flying.sortie_watch import Purpose
from mission.pilot import Pilot, Seen
from telemetry.model.commands import FlightCommand
from telemetry.model.errors import ConflictError
from telemetry.model.events import ArmedChanged, CommandAnswered, LinkLost, ModeChanged
from telemetry.model.flight_events import SortieStep
from tests.cockpit import READY, brief_of
from tests.pymavlink_autopilot import SECOND
from tests.unit.test_mission_pilot import NOW_US, flying


def answered(command_id: int, now_us: int, problem: str = "") -> CommandAnswered:
    state = "refused" if problem else "delivered"
    base: Any = {"device_id": 1, "observed_us": now_us, "received_us": now_us}
    return CommandAnswered(command_id=command_id, state=state, text=problem, **base)


def starting(seen: Seen) -> Pilot:
    """A pilot that has just sent the order to arm, number 2."""
    pilot = Pilot(1, brief_of(3), NOW_US, seen=seen)
    pilot.begin(READY, NOW_US)
    pilot.sent(1)
    pilot.take(answered(1, NOW_US), NOW_US)
    pilot.start(READY, NOW_US)
    pilot.sent(2)
    return pilot


@pytest.mark.parametrize("seen", [Seen(), Seen(is_heard=True, is_armed=False), Seen(is_heard=True, is_armed=True)])
def test_a_refusal_to_arm_is_tried_again_for_a_minute_whatever_was_heard_before(seen: Seen) -> None:
    pilot, now_us, orders = starting(seen), NOW_US, [(0, "arm")]
    command = pilot.take(answered(2, now_us, "Need Position Estimate"), now_us).command
    while pilot.step is SortieStep.STARTING and len(orders) < 40:
        now_us += SECOND
        command = pilot.tick(now_us, Seen(is_heard=True, is_armed=False, is_airborne=False)).command
        if isinstance(command, FlightCommand):
            orders.append(((now_us - NOW_US) // SECOND, command.action.value))
            pilot.sent(len(orders) + 1)
            pilot.take(answered(len(orders) + 1, now_us, "Need Position Estimate"), now_us)
    assert orders == [(after_s, "arm") for after_s in range(0, 60, 5)]
    assert (pilot.step, pilot.state.cause) == (SortieStep.FAILED, "arm")


def test_a_start_is_called_off_on_the_ground_where_the_drone_was_heard_before_its_pilot_was_there() -> None:
    pilot = starting(Seen(is_heard=True, is_armed=False))
    assert pilot.come_home(NOW_US).command is None
    assert (pilot.step, pilot.state.cause) == (SortieStep.FAILED, "stopped")


@pytest.mark.parametrize(
    ("seen", "after_s", "step"),
    [
        (Seen(is_heard=False, is_armed=True, is_airborne=False), 46, SortieStep.FLYING),
        (Seen(is_heard=True, is_armed=True), 46, SortieStep.FLYING),
        (Seen(is_heard=True, is_armed=True, is_airborne=True), 46, SortieStep.FLYING),
        (Seen(is_heard=True, is_armed=True, is_airborne=False), 46, SortieStep.FLYING),
        (Seen(is_heard=True, is_armed=True, is_airborne=False), 92, SortieStep.FAILED),
    ],
)
def test_a_drone_that_is_silent_after_its_start_is_not_given_up_before_it_is_seen_to_stand(
    seen: Seen, after_s: int, step: SortieStep
) -> None:
    pilot = starting(Seen(is_heard=True, is_armed=False, is_airborne=False))
    pilot.take(answered(2, NOW_US), NOW_US)
    pilot.sent(3)
    pilot.take(answered(3, NOW_US), NOW_US)
    base: Any = {"device_id": 1, "observed_us": NOW_US, "received_us": NOW_US}
    pilot.take(ArmedChanged(armed=True, **base), NOW_US)
    pilot.take(LinkLost(silent_s=10.0, **base), NOW_US)
    for late_s in range(1, 46):
        assert pilot.tick(NOW_US + late_s * SECOND, Seen(is_heard=False, is_armed=True, is_airborne=False)) == (
            None,
            None,
        )
    says = pilot.tick(NOW_US + after_s * SECOND, seen)
    assert (pilot.step, says.command is not None) == (step, step is SortieStep.FAILED)
    assert pilot.state.has_flown is bool(seen.is_airborne)


def test_a_start_is_called_off_once_somebody_else_is_in_control() -> None:
    pilot = starting(Seen(is_heard=True, is_armed=False, is_airborne=False))
    says = pilot.lose_control("Li", NOW_US)
    assert says.command is None
    assert (pilot.step, pilot.state.reason_en) == (SortieStep.READY, "Li is in control: take over first")
    assert pilot.take(answered(2, NOW_US), NOW_US) == (None, None)
    assert pilot.tick(NOW_US + 10 * SECOND).command is None


def test_a_mission_on_its_way_comes_on_board_without_control_and_is_not_started() -> None:
    pilot = Pilot(1, brief_of(3), NOW_US)
    pilot.begin(READY, NOW_US)
    pilot.sent(1)
    pilot.lose_control("Li", NOW_US)
    assert pilot.lose_control("Li", NOW_US) == (None, None)
    assert (pilot.step, pilot.state.cause) == (SortieStep.UPLOADING, "control")
    assert pilot.take(answered(1, NOW_US), NOW_US).command is None
    assert (pilot.step, pilot.state.cause) == (SortieStep.READY, "control")


def test_another_task_in_the_air_stands_where_control_was_lost_before_it_was_started() -> None:
    cockpit = flying()
    cockpit.say(cockpit.pilot.give_another(brief_of(4, sortie_id=9), cockpit.line.now_us))
    assert cockpit.until(lambda: cockpit.pilot._purpose is Purpose.UPLOAD, at_most_s=30)
    cockpit.say(cockpit.pilot.lose_control("Li", cockpit.line.now_us))
    assert cockpit.fly(SortieStep.PAUSED)
    assert (cockpit.pilot.state.cause, cockpit.line.vehicle.mode) == ("control", 4)
    cockpit.say(cockpit.pilot.lose_control("Li", cockpit.line.now_us))
    assert cockpit.pilot.step is SortieStep.PAUSED


async def test_what_a_pilot_wants_for_one_whose_control_was_taken_by_force_is_not_sent() -> None:
    wang, li = (Account(account_id=number, name=f"{number}", role=Role.OPERATOR) for number in (1, 2))
    kept: list[Any] = []
    fake: Any = SimpleNamespace(
        of=lambda _: SimpleNamespace(holder=holder_of(li)),
        take=lambda output, *_, **__: kept.extend(output.events),
        unit_of=lambda _: None,
    )
    desk = SortieDesk(
        fake, SYSTEM_CLOCK, orders=fake, control=fake, drones=fake, actions=fake, briefs=fake, on_change=kept.append
    )
    pilot = starting(Seen(is_heard=True, is_armed=False))
    given: Any = None
    says = pilot.take(answered(2, NOW_US), NOW_US)
    assert isinstance(says.command, FlightCommand)
    await desk._do(Flown(7, given, pilot, wang), says)
    assert (pilot.step, pilot.state.cause) == (SortieStep.READY, "control")
    assert kept[-1].reason_en == "2 is in control: take over first"


async def test_a_sortie_that_starts_while_it_is_given_back_goes_on() -> None:
    wang = Account(account_id=1, name="wang", role=Role.OPERATOR)
    fake: Any = SimpleNamespace(
        demand=lambda *_: None, device_of=lambda _: 1, take=lambda *_, **__: None, unit_of=lambda _: None
    )
    desk = SortieDesk(
        fake, SYSTEM_CLOCK, orders=fake, control=fake, drones=fake, actions=fake, briefs=fake, on_change=fake.take
    )
    given: Any = None
    flown = desk._flown[1] = Flown(7, given, Pilot(1, brief_of(3), NOW_US), wang)
    async with flown.turn:
        giving = asyncio.create_task(desk.give_back(7, wang))
        await asyncio.sleep(0)
        flown.pilot = starting(Seen(is_heard=True, is_armed=False))
    with pytest.raises(ConflictError, match="no sortie that waits on the ground"):
        await giving
    assert flown.pilot.step is SortieStep.STARTING
    flown.pilot = Pilot(1, brief_of(3), NOW_US)
    await desk.give_back(7, wang)
    assert (flown.pilot.step, flown.pilot.state.cause) == (SortieStep.FAILED, "stopped")


def test_a_sortie_that_waits_on_the_ground_is_called_off_with_why_and_one_in_the_air_is_not() -> None:
    pilot = Pilot(1, brief_of(3), NOW_US)
    pilot.begin(msgspec.structs.replace(READY, battery_ratio=0.1), NOW_US)
    found = reason(Cause.NOT_LAUNCHED, pilot.state.reason_en, waited_min=15)
    assert pilot.call_off(found, NOW_US).moved is not None
    assert pilot.step is SortieStep.FAILED
    assert pilot.state.reason_en == (
        "it could not be launched within 15 min and is launched no more by itself: "
        "10 % of the battery, this sortie needs 30 %: charge it or change it"
    )
    flown = flying().pilot
    assert flown.call_off(found, NOW_US) == (None, None)


def test_it_is_at_its_goal_once_and_another_task_has_another_one() -> None:
    pilot = flying().pilot
    moved = pilot.arrive(NOW_US).moved
    assert moved is not None
    assert (moved.arrived_us, moved.step) == (NOW_US, SortieStep.FLYING)
    assert pilot.arrive(NOW_US + SECOND) == (None, None)
    pilot.give_another(brief_of(4, sortie_id=9), NOW_US)
    assert pilot.state.arrived_us is None
    assert starting(Seen()).arrive(NOW_US) == (None, None)


def test_a_sortie_does_not_begin_with_a_drone_that_stands_elsewhere_than_at_its_dock() -> None:
    pilot = Pilot(1, brief_of(3), NOW_US)
    assert pilot.begin(msgspec.structs.replace(READY, away_m=4_940.0), NOW_US).command is None
    assert pilot.state.reason_en == "it stands 4.9 km from its dock, where this sortie begins: bring it there first"
    assert pilot.state.reason_zh == "无人机停在距机库 4.9 km 处：先将其送回机库"
    assert pilot.begin(msgspec.structs.replace(READY, away_m=49.0), NOW_US).command is not None


def test_a_start_whose_answer_was_lost_is_flown_once_it_is_seen_in_the_air() -> None:
    pilot = starting(Seen(is_heard=True, is_armed=False, is_airborne=False))
    pilot.take(answered(2, NOW_US), NOW_US)
    pilot.sent(3)
    pilot.tick(NOW_US + SECOND, Seen(is_heard=True, is_armed=True, is_airborne=True))
    base: Any = {"device_id": 1, "observed_us": NOW_US, "received_us": NOW_US}
    pilot.take(ModeChanged(mode="AUTO", **base), NOW_US + SECOND)
    says = pilot.take(answered(3, NOW_US + 2 * SECOND, "no answer in 12 s"), NOW_US + 2 * SECOND)
    assert (says.command, pilot.step) == (None, SortieStep.FLYING)
    pilot.tick(NOW_US + 3 * SECOND, Seen(is_heard=True, is_armed=True, is_airborne=True))
    assert pilot.state.has_flown


def test_a_start_that_is_refused_in_the_air_in_another_mode_is_no_start() -> None:
    pilot = starting(Seen(is_heard=True, is_armed=True, is_airborne=True))
    pilot.take(answered(2, NOW_US), NOW_US)
    pilot.sent(3)
    pilot.take(answered(3, NOW_US, "refused"), NOW_US)
    assert (pilot.step, pilot.state.cause) == (SortieStep.STARTING, "start")
