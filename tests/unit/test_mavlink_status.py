"""What changes now and then is told once when it changes."""

from telemetry.model.events import AnyEvent, ArmedChanged, BatteryLow, LandedState, MissionProgress, StatusText, kind_of
from telemetry.sources.mavlink.status import Status

SECOND = 1_000_000
ARMED, DISARMED = 209, 81


def status_of() -> Status:
    return Status(7, replayed=False)


def kinds(events: list[AnyEvent]) -> list[str]:
    return [kind_of(event) for event in events]


def test_the_first_heartbeat_tells_mode_arming_and_ground_and_the_next_nothing() -> None:
    status = status_of()
    assert kinds(status.heartbeat("LOITER", DISARMED, 0)) == ["mode_changed", "armed_changed", "landed_changed"]
    assert status.heartbeat("LOITER", DISARMED, SECOND) == []
    (armed,) = status.heartbeat("LOITER", ARMED, 2 * SECOND)
    assert isinstance(armed, ArmedChanged)
    assert armed.armed
    assert (armed.device_id, armed.observed_us, armed.replayed) == (7, 2 * SECOND, False)


def test_take_off_and_landing_are_derived_with_patience() -> None:
    status = status_of()
    status.heartbeat("AUTO", DISARMED, 0)
    status.heartbeat("AUTO", ARMED, 0)
    told = []
    heights_mm = [0, 100, 2_000, 900, 2_500, 3_000, 9_000, 20_000, 600, 20_000, 500, 100, 100, 100]
    for second, height_mm in enumerate(heights_mm):
        throttle_pct = 5 if second >= 10 else 45
        told += [
            event.landed
            for event in status.height(height_mm, throttle_pct, second * SECOND)
            if hasattr(event, "landed")
        ]
    assert told == [LandedState.IN_AIR, LandedState.ON_GROUND]


def test_low_flight_with_the_motors_working_is_no_landing() -> None:
    status = status_of()
    status.heartbeat("AUTO", ARMED, 0)
    for second in range(5):
        status.height(5_000, 50, second * SECOND)
    assert status.landed is LandedState.IN_AIR
    for second in range(5, 30):
        status.height(300, 50, second * SECOND)
    assert status.landed is LandedState.IN_AIR
    assert kinds(status.heartbeat("AUTO", DISARMED, 31 * SECOND)) == ["armed_changed", "landed_changed"]


def test_where_the_autopilot_tells_landing_nothing_is_derived() -> None:
    status = status_of()
    status.heartbeat("AUTO", ARMED, 0)
    assert kinds(status.landed_told(3, 0)) == ["landed_changed"]
    assert status.landed_told(0, SECOND) == []
    for second in range(9):
        assert status.height(50_000, 60, second * SECOND) == []
    assert status.landed is LandedState.TAKEOFF


def test_each_battery_threshold_is_told_once_and_again_after_a_recovery() -> None:
    status = status_of()
    told = []
    for percent in [80, 31, 30, 29, 33, 30, 20, 19, 21, 10, 9, 90, 30]:
        told += [e.threshold_ratio for e in status.battery(percent / 100, 0) if isinstance(e, BatteryLow)]
    assert told == [0.3, 0.2, 0.1, 0.3]


def test_a_battery_that_is_nearly_empty_at_first_sight_is_told_once() -> None:
    (event,) = status_of().battery(0.08, 0)
    assert isinstance(event, BatteryLow)
    assert (event.threshold_ratio, event.battery_ratio) == (0.1, 0.08)


def test_mission_progress_is_told_when_it_changes() -> None:
    status = status_of()
    assert [status.mission_current(2, 9, t) != [] for t in (0, 1)] == [True, False]
    (reached,) = status.mission_reached(2, SECOND)
    assert reached == MissionProgress(
        device_id=7, observed_us=SECOND, received_us=SECOND, item=2, total=9, reached=True
    )
    assert status.mission_reached(2, SECOND + 1) == []
    assert status.mission_reached(2, 9 * SECOND) != []
    (unknown,) = status.mission_current(3, 65_535, 0)
    assert isinstance(unknown, MissionProgress)
    assert unknown.total is None


def texts(events: list[AnyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, StatusText)]


def test_a_text_without_id_stands_alone() -> None:
    (event,) = status_of().text(2, b"Crash: Disarming", (0, 0), 0)
    assert isinstance(event, StatusText)
    assert (event.level, event.text) == (2, "Crash: Disarming")


def test_chunks_make_one_text_in_any_order() -> None:
    status = status_of()
    assert status.text(4, b"b" * 10, (5, 1), 0) == []
    assert texts(status.text(4, b"a" * 50, (5, 0), 1)) == ["a" * 50 + "b" * 10]


def test_a_chinese_text_is_whole_though_its_chunks_end_within_characters() -> None:
    said = "电池电压过低，正在返航；请立即检查三号机库的充电接口与起降平台"
    data = said.encode()
    pieces = [data[at : at + 50] for at in range(0, len(data), 50)]
    status = status_of()
    events = [event for number, piece in enumerate(pieces) for event in status.text(4, piece, (5, number), 0)]
    assert len(pieces) == 2
    assert texts(events) == [said]


def test_a_text_whose_chunk_was_lost_is_given_out_after_three_seconds() -> None:
    status = status_of()
    status.text(4, b"a" * 50, (5, 0), 0)
    status.text(4, b"c" * 9, (5, 2), 0)
    assert status.stale_texts(2 * SECOND) == []
    assert texts(status.stale_texts(4 * SECOND)) == ["a" * 50 + "…" + "c" * 9]
