"""Whatever order and lag: the boot clock stays sane, and the guard keeps the first speaker."""

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.sources.mavlink.boot_clock import BootClock
from telemetry.sources.mavlink.guard import IdentityGuard, Verdict

BASE_US = 1_790_000_000_000_000
TAKEN = {Verdict.TAKE, Verdict.RELEASE}


@given(
    st.lists(st.tuples(st.integers(1, 2_000), st.integers(0, 3_000)), min_size=1, max_size=200),
    st.integers(0, (1 << 32) - 1),
)
def test_stamps_rise_with_boot_time_stay_before_arrival_and_within_the_lag(
    steps: list[tuple[int, int]], start_ms: int
) -> None:
    clock = BootClock()
    boot_ms, received_us, last_us = start_ms, BASE_US, 0
    for step_ms, lag_ms in steps:
        boot_ms += step_ms
        truth_us = BASE_US + (boot_ms - start_ms) * 1000
        received_us = max(received_us, truth_us + lag_ms * 1000)
        stamp = clock.stamp(boot_ms & 0xFFFFFFFF, received_us)
        assert stamp.epoch == 0
        assert stamp.fell_back_ms == 0
        assert last_us < stamp.observed_us <= received_us + len(steps)
        assert stamp.observed_us >= truth_us
        last_us = stamp.observed_us


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=100), st.lists(st.integers(0, 10_000_000), max_size=100))
def test_no_order_of_counters_breaks_the_clock(boots: list[int], waits: list[int]) -> None:
    clock = BootClock()
    now_us, epoch = BASE_US, 0
    for boot_ms, wait_us in zip(boots, waits, strict=False):
        now_us += wait_us
        stamp = clock.stamp(boot_ms, now_us)
        assert clock.epoch - epoch in {0, 1}
        assert (stamp.fell_back_ms > 0) == (clock.epoch > epoch)
        assert stamp.observed_us <= now_us + 5_000_000
        epoch = clock.epoch


@settings(max_examples=60)
@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(1, 4),
    st.lists(st.integers(1, 3), min_size=100, max_size=100),
)
def test_a_stranger_of_another_version_costs_the_first_speaker_nothing(
    mine: int, theirs: int, pace: int, steps: list[int]
) -> None:
    guard = IdentityGuard()
    news = 0
    for number, step in enumerate(steps):
        now_us = BASE_US + number * 100_000
        mine = (mine + step) & 255
        assert guard.judge(2, mine, now_us) is Verdict.TAKE
        for extra in range(pace):
            theirs = (theirs + 1) & 255
            assert guard.judge(1, theirs, now_us + 1_000 * (extra + 1)) not in TAKEN
        news += guard.news is not None
        guard.news = None
    assert news == 1


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 3_000_000), st.sampled_from([1, 2])), max_size=200))
def test_any_stream_is_judged_and_a_lone_conflict_is_told_once(frames: list[tuple[int, int, int]]) -> None:
    guard = IdentityGuard()
    now_us, news = BASE_US, 0
    for sequence, wait_us, version in frames:
        now_us += wait_us
        assert guard.judge(version, sequence, now_us) in set(Verdict)
        news += guard.news is not None
        guard.news = None
    assert news <= 1
