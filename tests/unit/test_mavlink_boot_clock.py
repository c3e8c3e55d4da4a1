"""The boot clock: the envelope, SYSTEM_TIME, reboots, the counter's wrap, stragglers."""

from telemetry.sources.mavlink.boot_clock import BootClock

BOOT_US = 1_790_000_000_000_000


def arrival(boot_ms: int, lag_ms: int = 0) -> int:
    return BOOT_US + (boot_ms + lag_ms) * 1000


def test_a_late_frame_is_stamped_by_the_fastest_before_it() -> None:
    clock = BootClock()
    clock.stamp(1_000, arrival(1_000, 20))
    stamp = clock.stamp(2_000, arrival(2_000, 2_800))
    assert stamp.observed_us == arrival(2_000, 20)
    assert stamp.estimated


def test_time_never_runs_backwards_nor_ahead_of_arrival_when_a_faster_frame_shows_the_truth() -> None:
    clock = BootClock()
    first = clock.stamp(1_000, arrival(1_000, 2_000))
    second = clock.stamp(1_200, arrival(1_200, 0))
    third = clock.stamp(9_000, arrival(9_000, 500))
    assert second.observed_us == first.observed_us + 1
    assert third.observed_us <= arrival(9_000, 500)
    assert clock.stamp(30_000, arrival(30_000, 500)).observed_us == arrival(30_000)


def test_the_envelope_forgets_after_a_minute() -> None:
    clock = BootClock()
    clock.stamp(0, arrival(0))
    assert clock.stamp(59_000, arrival(59_000, 100)).observed_us == arrival(59_000)
    assert clock.stamp(61_000, arrival(61_000, 100)).observed_us == arrival(61_000, 100)


def test_system_time_takes_away_a_constant_delay_and_makes_the_stamp_sure() -> None:
    clock = BootClock()
    clock.system_time(arrival(1_000), 1_000, arrival(1_000, 700))
    clock.stamp(3_000, arrival(3_000, 700))
    stamp = clock.stamp(9_000, arrival(9_000, 900))
    assert stamp.observed_us == arrival(9_000)
    assert not stamp.estimated


def test_system_time_that_is_insane_unknown_or_ahead_of_arrival_counts_for_nothing() -> None:
    for told_us in (arrival(1_000) - 6_000_000, 0, arrival(1_000) + 3_000_000):
        clock = BootClock()
        clock.system_time(told_us, 1_000, arrival(1_000))
        assert clock.stamp(2_000, arrival(2_000, 50)).observed_us == arrival(2_000)


def test_a_fall_of_more_than_ten_seconds_is_a_reboot_and_less_is_reordering() -> None:
    clock = BootClock()
    clock.stamp(100_000, arrival(100_000))
    jitter = clock.stamp(98_600, arrival(100_100))
    assert (jitter.epoch, jitter.fell_back_ms, jitter.observed_us) == (0, 0, arrival(98_600))
    reboot = clock.stamp(4_000, arrival(130_000))
    assert (reboot.epoch, reboot.fell_back_ms, reboot.observed_us) == (1, 96_000, arrival(130_000))


def test_a_straggler_of_the_boot_before_makes_no_second_reboot() -> None:
    clock = BootClock()
    clock.stamp(100_000, arrival(100_000))
    clock.stamp(2_000, arrival(101_000))
    late = clock.stamp(100_200, arrival(101_300))
    assert (late.epoch, late.observed_us, late.fell_back_ms) == (0, arrival(100_200), 0)
    assert clock.stamp(2_400, arrival(101_400)).epoch == 1


def test_the_counter_wraps_after_49_days_without_a_reboot() -> None:
    clock = BootClock()
    top = (1 << 32) - 500
    clock.stamp(top, arrival(top))
    stamp = clock.stamp(500, arrival(top + 1_000))
    assert (stamp.epoch, stamp.fell_back_ms, stamp.observed_us) == (0, 0, arrival(top + 1_000))
    assert clock.stamp(0xFFFFFFFF, arrival(top + 1_100)).epoch == 0


def test_an_estimate_learns_nothing_and_refuses_what_does_not_fit() -> None:
    clock = BootClock()
    assert clock.estimate(1_000, arrival(1_000)) is None
    clock.stamp(50_000, arrival(50_000))
    assert clock.estimate(50_200, arrival(50_900)) == arrival(50_200)
    assert clock.estimate(1_000, arrival(51_000)) is None
    assert clock.epoch == 0


def test_a_sample_that_comes_twice_has_one_time_even_when_the_estimate_became_better_meanwhile() -> None:
    clock = BootClock()
    first = clock.stamp(60_000, arrival(60_090))
    clock.stamp(60_250, arrival(60_250))
    assert clock.stamp(60_000, arrival(60_300)).observed_us == first.observed_us
