"""Over any line, with people who order this and that, and a program that starts anew at any time: a sortie is never told as done that was not flown."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from mission.pilot import Pilot
from telemetry.model.errors import ConflictError
from telemetry.model.events import decode_event, encode_event
from telemetry.model.flight_events import SortieMoved, SortieStep
from telemetry.sources.mavlink import MavlinkDecoder
from tests.cockpit import READY, Cockpit, brief_of
from tests.mavlink_scene import registry_of
from tests.pymavlink_autopilot import SECOND, Autopilot, BadLine, Manners

DEEDS = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.sampled_from(["pause", "go_on", "come_home", "another", "restart", "failsafe", "refuse", "start"]),
    ),
    max_size=6,
)


@settings(max_examples=20, deadline=None)
@given(
    manners=st.sampled_from(list(Manners)),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.4]),
    doubling=st.sampled_from([0.0, 0.2]),
    delay_ms=st.sampled_from([5, 400]),
    jitter_ms=st.sampled_from([0, 500]),
    waypoint_count=st.integers(1, 12),
    deeds=DEEDS,
)
def test_a_sortie_that_is_done_was_flown(
    manners: Manners,
    seed: int,
    loss: float,
    doubling: float,
    delay_ms: int,
    jitter_ms: int,
    waypoint_count: int,
    deeds: list[tuple[int, str]],
) -> None:
    decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True)
    line = BadLine(decoder, Autopilot(manners=manners), seed=seed, delay_us=5_000)
    assert line.run(lambda: decoder.network.vehicle_of(1) is not None, at_most_s=5)
    line.loss, line.doubling, line.delay_us, line.jitter_us = loss, doubling, delay_ms * 1_000, jitter_ms * 1_000
    cockpit = Cockpit(line, Pilot(1, brief_of(waypoint_count), line.now_us))
    cockpit.say(cockpit.pilot.begin(READY, line.now_us))
    for wait_s, deed in deeds:
        cockpit.until(_due(line.now_us + wait_s * SECOND, line), at_most_s=wait_s + 1)
        _do(cockpit, deed)
    _do(cockpit, "start")
    cockpit.fly(SortieStep.DONE, SortieStep.FAILED, at_most_s=400)
    state = cockpit.pilot.state
    if state.step is SortieStep.DONE:
        items = len(cockpit.pilot.brief.plan.mission)
        last_part = line.vehicle.reached[-items:]
        assert set(range(state.first_item, state.first_item + items)) - {state.first_item + items - 1} <= {*last_part}
        assert not line.vehicle.armed
        assert state.flown == state.waypoint_count
    if state.step is SortieStep.FAILED:
        assert state.cause
        assert state.reason_zh
    if not deeds and loss == 0.0:
        assert state.step is SortieStep.DONE or cockpit.pilot.step is SortieStep.READY


def _due(at_us: int, line: BadLine) -> Callable[[], bool]:
    return lambda: line.now_us >= at_us


def _do(cockpit: Cockpit, deed: str) -> None:
    pilot, now_us = cockpit.pilot, cockpit.line.now_us
    cockpit.turn()
    try:
        match deed:
            case "pause":
                cockpit.say(pilot.pause(now_us))
            case "go_on":
                cockpit.say(pilot.go_on(now_us))
            case "come_home":
                cockpit.say(pilot.come_home(now_us))
            case "another":
                cockpit.say(pilot.give_another(brief_of(4, sortie_id=9), now_us))
            case "start":
                cockpit.say(pilot.start(READY, now_us))
            case "failsafe" if cockpit.line.vehicle.armed:
                cockpit.line.vehicle.mode = (
                    6 if cockpit.line.vehicle.manners is Manners.ARDUPILOT else 4 << 16 | 5 << 24
                )
            case "refuse":
                cockpit.line.vehicle.position_ok = not cockpit.line.vehicle.position_ok
            case "restart":
                kept = decode_event(encode_event(pilot.state))
                assert isinstance(kept, SortieMoved)
                cockpit.pilot = Pilot.restored(kept, pilot.brief, now_us)
            case _:
                pass
    except ConflictError:
        pass
