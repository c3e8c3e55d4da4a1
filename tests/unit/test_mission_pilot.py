"""A sortie from its check to its end, with an autopilot that pymavlink speaks for; and what may come between."""

from typing import Any

import msgspec
import pytest

from mission.flying.preflight import Readiness
from mission.pilot import Pilot
from mission.plan import Refusal
from telemetry.model.commands import FlightCommand
from telemetry.model.errors import ConflictError, chinese_of
from telemetry.model.events import (
    ArmedChanged,
    CommandAnswered,
    LandedChanged,
    LandedState,
    MissionProgress,
    ModeChanged,
    decode_event,
    encode_event,
)
from telemetry.model.flight_events import SortieMoved, SortieStep
from tests.cockpit import READY, Cockpit, brief_of, seen_of
from tests.pymavlink_autopilot import SECOND, Autopilot, Manners
from tests.unit.test_mavlink_transfer import FENCE, line_to

BOTH = pytest.mark.parametrize("manners", list(Manners))
NOW_US = 1_790_000_000 * SECOND


def cockpit_of(vehicle: Autopilot, *, waypoint_count: int = 5, loss: float = 0.0, seed: int = 1) -> Cockpit:
    line = line_to(vehicle, loss=loss, seed=seed)
    pilot = Pilot(1, brief_of(waypoint_count, fence=FENCE), line.now_us, seen=seen_of(line.events))
    return Cockpit(line, pilot, read=len(line.events))


def flying(vehicle: Autopilot | None = None, *, waypoint_count: int = 30) -> Cockpit:
    """A pilot whose drone has flown two waypoints."""
    cockpit = cockpit_of(vehicle or Autopilot(), waypoint_count=waypoint_count)
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.FLYING)
    assert cockpit.until(lambda: cockpit.pilot.state.flown >= 2, at_most_s=60)
    return cockpit


@BOTH
@pytest.mark.parametrize("loss", [0.0, 0.15])
def test_a_sortie_is_sent_started_flown_and_done(manners: Manners, loss: float) -> None:
    cockpit = cockpit_of(Autopilot(manners=manners), loss=loss)
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    assert cockpit.pilot.state.digest
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.DONE, SortieStep.FAILED)
    assert (cockpit.pilot.step, cockpit.pilot.state.flown, cockpit.pilot.state.cause) == (SortieStep.DONE, 5, "")
    assert cockpit.steps == ["uploading", "ready", "starting", "flying", "returning", "done"]
    assert cockpit.line.vehicle.heeds_fence is (manners is Manners.ARDUPILOT)


def test_every_reason_that_stands_in_the_way_is_told_in_both_languages() -> None:
    rule = Refusal(rule_id="R-11", reason_zh="风 12 m/s", reason_en="wind 12 m/s", remedy_zh="", remedy_en="")
    readiness = Readiness(is_heard=True, has_position=False, battery_ratio=0.2, controller="Li", refusals=(rule,))
    pilot = Pilot(1, brief_of(3), NOW_US)
    command, moved = pilot.begin(readiness, NOW_US)
    assert command is None
    assert moved is not None
    assert moved.step is SortieStep.HANDED
    assert moved.reason_en == (
        "Li is in control: take over first; the drone has no position that it could fly by: wait for its satellites; "
        "20 % of the battery, this sortie needs 30 %: charge it or change it; the rules do not allow it: wind 12 m/s (R-11)"
    )
    assert "电量 20 %" in moved.reason_zh


def test_a_vehicle_whose_position_settles_late_is_armed_when_it_has_settled() -> None:
    cockpit = cockpit_of(Autopilot(position_ok=False))
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert not cockpit.fly(SortieStep.FLYING, at_most_s=20)
    assert (
        cockpit.pilot.state.reason_en
        == "it does not arm: arming: it tried and failed (it says: PreArm: Need Position Estimate)"
    )
    cockpit.line.vehicle.position_ok = True
    assert cockpit.fly(SortieStep.DONE)


def test_a_vehicle_that_never_arms_fails_with_what_it_says() -> None:
    cockpit = cockpit_of(Autopilot(position_ok=False))
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.FAILED)
    assert "Need Position Estimate" in cockpit.pilot.state.reason_zh


def ready_for_an_hour(vehicle: Autopilot | None = None) -> Cockpit:
    """A pilot whose mission was read back long ago."""
    cockpit = cockpit_of(vehicle or Autopilot())
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    cockpit.line.run(lambda: False, at_most_s=60)
    return cockpit


@BOTH
def test_what_is_on_board_for_long_is_read_back_before_it_starts(manners: Manners) -> None:
    cockpit = ready_for_an_hour(Autopilot(manners=manners))
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert not cockpit.line.vehicle.armed
    assert cockpit.fly(SortieStep.DONE)
    assert cockpit.steps == ["uploading", "ready", "starting", "flying", "returning", "done"]


@BOTH
@pytest.mark.parametrize("which", [0, 1])
def test_what_another_ground_station_put_on_board_is_not_flown_but_replaced(manners: Manners, which: int) -> None:
    cockpit = ready_for_an_hour(Autopilot(manners=manners))
    ours = list(cockpit.line.vehicle.lists[which])
    cockpit.line.vehicle.lists[which] = [*ours[:-2], ours[-1]]
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.UPLOADING)
    assert cockpit.pilot.state.cause == "uploaded_anew"
    assert not cockpit.line.vehicle.armed
    assert cockpit.fly(SortieStep.DONE)
    assert [len(cockpit.line.vehicle.lists[which]), cockpit.pilot.state.flown] == [len(ours), 5]
    assert cockpit.steps[2:6] == ["starting", "uploading", "starting", "flying"]


def test_what_cannot_be_read_back_is_not_started_and_what_was_just_read_is_not_read_again() -> None:
    cockpit = ready_for_an_hour()
    cockpit.line.silent = lambda _: True
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY, at_most_s=160)
    assert cockpit.pilot.look(READY, cockpit.line.now_us) == (None, None)
    assert cockpit.pilot.state.cause == "read_back"
    cockpit.line.silent = lambda _: False
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.FLYING)
    fresh = cockpit_of(Autopilot())
    fresh.say(fresh.pilot.begin(READY, fresh.line.now_us))
    assert fresh.fly(SortieStep.READY)
    command, _ = fresh.pilot.start(READY, fresh.line.now_us)
    assert isinstance(command, FlightCommand)


def test_a_start_that_is_being_read_back_can_be_called_off() -> None:
    cockpit = ready_for_an_hour()
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    cockpit.say(cockpit.pilot.come_home(cockpit.line.now_us))
    assert (cockpit.pilot.step, cockpit.pilot.state.cause) == (SortieStep.FAILED, "stopped")


def test_what_the_rules_say_by_now_is_told_while_it_is_ready_and_refuses_its_start() -> None:
    cockpit = ready_for_an_hour()
    pilot, now_us = cockpit.pilot, cockpit.line.now_us
    rule = Refusal(
        rule_id="R-03", reason_zh="航线穿过管制区", reason_en="crosses a zone", remedy_zh="绕行", remedy_en="go round"
    )
    refused = msgspec.structs.replace(READY, refusals=(rule,))
    warned = msgspec.structs.replace(READY, refusals=(msgspec.structs.replace(rule, is_warning=True),))
    _, moved = pilot.look(warned, now_us)
    assert moved is not None
    assert (moved.step, moved.cause, moved.reason_zh) == (
        SortieStep.READY, "warned_by_rules", "规则提醒：航线穿过管制区（R-03）：绕行",
    )  # fmt: skip
    assert pilot.look(warned, now_us) == (None, None)
    command, moved = pilot.start(refused, now_us)
    assert (command, pilot.step, pilot.state.cause) == (None, SortieStep.READY, "refused_by_rules")
    assert pilot.state.reason_en == "the rules do not allow it: crosses a zone (R-03): go round"
    _, moved = pilot.look(READY, now_us)
    assert moved is not None
    assert moved.cause == ""
    cockpit.say(pilot.start(warned, now_us))
    assert pilot.step is SortieStep.STARTING


def test_an_upload_that_failed_can_be_begun_again() -> None:
    cockpit = cockpit_of(Autopilot(room=3))
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.FAILED)
    assert "it has no room" in cockpit.pilot.state.reason_en
    cockpit.line.vehicle.room = 50
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)


def test_it_is_paused_and_continued_where_it_was_left() -> None:
    cockpit = flying()
    cockpit.say(cockpit.pilot.pause(cockpit.line.now_us))
    assert cockpit.fly(SortieStep.PAUSED)
    at = cockpit.line.vehicle.current
    cockpit.line.run(lambda: False, at_most_s=5)
    assert cockpit.line.vehicle.current == at
    cockpit.say(cockpit.pilot.go_on(cockpit.line.now_us))
    assert cockpit.fly(SortieStep.DONE)
    assert cockpit.pilot.state.flown == 30


def test_it_is_called_home_and_says_that_it_was_broken_off() -> None:
    cockpit = flying()
    cockpit.say(cockpit.pilot.come_home(cockpit.line.now_us))
    assert cockpit.fly(SortieStep.RETURNING)
    cockpit.line.vehicle.armed = False
    assert cockpit.fly(SortieStep.FAILED)
    assert cockpit.pilot.state.cause == "stopped"


def test_another_task_in_the_air_begins_from_there_and_what_was_flown_is_kept() -> None:
    cockpit = flying()
    flown = cockpit.pilot.state.flown
    cockpit.say(cockpit.pilot.give_another(brief_of(4, sortie_id=9), cockpit.line.now_us))
    assert cockpit.pilot.step is SortieStep.UPLOADING
    assert cockpit.fly(SortieStep.FLYING)
    assert cockpit.line.vehicle.lists[0][1].command == 178
    assert cockpit.fly(SortieStep.DONE)
    state = cockpit.pilot.state
    assert (state.sortie_id, state.part, state.flown, state.waypoint_count) == (9, 2, 4, 4)
    assert flown <= state.flown_before <= flown + 3


def test_a_task_that_cannot_be_sent_in_the_air_leaves_it_standing_and_not_flying_what_nobody_knows() -> None:
    cockpit = flying()
    cockpit.line.vehicle.room = 3
    cockpit.say(cockpit.pilot.give_another(brief_of(9), cockpit.line.now_us))
    assert cockpit.fly(SortieStep.PAUSED)
    assert "it has no room" in cockpit.pilot.state.reason_en
    assert cockpit.line.vehicle.mode == 4
    with pytest.raises(ConflictError, match="is not this sortie's mission"):
        cockpit.pilot.go_on(cockpit.line.now_us)


def test_a_drone_that_turns_home_by_itself_is_told_so() -> None:
    cockpit = flying()
    cockpit.line.vehicle.mode = 6
    assert cockpit.fly(SortieStep.RETURNING)
    assert cockpit.pilot.state.reason_en == "it turned home by itself (RTL)"


def test_a_mode_that_somebody_else_set_pauses_the_sortie_until_the_mission_goes_on() -> None:
    cockpit = flying()
    cockpit.line.vehicle.mode = 5
    assert cockpit.fly(SortieStep.PAUSED)
    assert cockpit.pilot.state.reason_zh == "飞行模式被改为 LOITER"
    cockpit.line.vehicle.mode = 3
    assert cockpit.fly(SortieStep.FLYING)
    assert cockpit.fly(SortieStep.DONE)


def test_landing_before_the_end_is_no_success() -> None:
    cockpit = flying()
    cockpit.line.vehicle.armed = False
    assert cockpit.fly(SortieStep.FAILED)
    assert cockpit.pilot.state.cause == "landed_early"
    assert cockpit.pilot.state.reason_en.endswith("of 30 waypoints")


def test_silence_in_flight_is_told_and_taken_back() -> None:
    cockpit = flying(waypoint_count=60)
    began_us = cockpit.line.now_us
    cockpit.line.silent = lambda _: cockpit.line.now_us < began_us + 15 * SECOND
    assert cockpit.until(lambda: cockpit.pilot.state.cause == "lost", at_most_s=30)
    assert cockpit.fly(SortieStep.DONE)
    assert cockpit.pilot.state.flown == 60


@BOTH
def test_a_pilot_goes_on_after_a_restart_from_its_last_event(manners: Manners) -> None:
    cockpit = flying(Autopilot(manners=manners))
    kept = decode_event(encode_event(cockpit.moved[-1]))
    assert isinstance(kept, SortieMoved)
    cockpit.pilot = Pilot.restored(kept, cockpit.pilot.brief, cockpit.line.now_us)
    assert cockpit.fly(SortieStep.DONE)


@pytest.mark.parametrize(
    ("step", "has_flown", "goes_on_as"),
    [
        (SortieStep.UPLOADING, False, SortieStep.HANDED),
        (SortieStep.UPLOADING, True, SortieStep.PAUSED),
        (SortieStep.STARTING, False, SortieStep.READY),
        (SortieStep.PAUSED, True, SortieStep.PAUSED),
    ],
)
def test_what_a_restart_interrupted_is_asked_anew(step: SortieStep, has_flown: bool, goes_on_as: SortieStep) -> None:
    state = msgspec.structs.replace(Pilot(1, brief_of(3), NOW_US).state, step=step, has_flown=has_flown, digest="a")
    assert Pilot.restored(state, brief_of(3), NOW_US).step is goes_on_as


def test_a_mission_that_was_started_just_before_a_restart_is_recognised() -> None:
    state = msgspec.structs.replace(
        Pilot(1, brief_of(3), NOW_US).state, step=SortieStep.STARTING, digest="a", first_item=1
    )
    pilot = Pilot.restored(state, brief_of(3), NOW_US)
    base: Any = {"device_id": 1, "observed_us": NOW_US, "received_us": NOW_US}
    steps = []
    pilot.take(ModeChanged(mode="AUTO", **base), NOW_US)
    pilot.take(ArmedChanged(armed=True, **base), NOW_US)
    steps.append(pilot.step)
    pilot.take(LandedChanged(landed=LandedState.IN_AIR, **base), NOW_US)
    pilot.take(MissionProgress(item=6, **base), NOW_US)
    steps.append(pilot.step)
    assert steps == [SortieStep.FLYING, SortieStep.RETURNING]
    assert pilot.state.flown == 3


def test_a_drone_that_does_not_take_off_is_disarmed_and_the_sortie_fails() -> None:
    vehicle = Autopilot()
    vehicle._fly = lambda _: None  # type: ignore[assignment,method-assign]
    cockpit = cockpit_of(vehicle)
    cockpit.say(cockpit.pilot.begin(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.READY)
    cockpit.say(cockpit.pilot.start(READY, cockpit.line.now_us))
    assert cockpit.fly(SortieStep.FAILED)
    assert cockpit.pilot.state.cause == "no_take_off"
    cockpit.line.run(lambda: False, at_most_s=3)
    assert not vehicle.armed


def test_what_makes_no_sense_now_is_refused_with_what_is_allowed() -> None:
    pilot = Pilot(1, brief_of(3), NOW_US)
    with pytest.raises(ConflictError, match="a sortie that is handed cannot be started: it must be ready") as refused:
        pilot.start(READY, NOW_US)
    assert chinese_of(refused.value) == "架次处于“已交机组”，不能起飞：须为待起飞"
    with pytest.raises(ConflictError, match="cannot be paused"):
        pilot.pause(NOW_US)
    assert pilot.come_home(NOW_US).command is None
    with pytest.raises(ConflictError, match="over already"):
        pilot.come_home(NOW_US)


def test_a_drone_that_was_down_again_before_its_order_was_answered_does_not_return_for_ever() -> None:
    pilot = flying().pilot
    order = pilot.come_home(NOW_US).command
    assert order is not None
    pilot.sent(9)
    pilot._armed = False  # said while the order was on its way, and taken for the end of something else
    answered = CommandAnswered(device_id=1, observed_us=NOW_US, received_us=NOW_US, command_id=9, state="delivered")
    pilot.take(answered, NOW_US)
    assert pilot.step is SortieStep.RETURNING
    assert pilot.tick(NOW_US + 4 * SECOND).moved is None
    ended = pilot.tick(NOW_US + 6 * SECOND).moved
    assert ended is not None
    assert ended.step is SortieStep.FAILED
