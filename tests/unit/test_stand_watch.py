"""How long units stand and how often they changed their place: patrols are not standing, lights are no posts."""

import numpy as np

from mission.siting.stand_watch import SETTLED_S, SHIFT_S, StandWatch

LAT, LON = 36.0, 103.8
KM = 1000.0 / 111_195.0


def see(watch: StandWatch, at_s: float, north_km: float) -> None:
    watch.see([7], np.array([LAT + north_km * KM]), np.array([LON]), int(at_s * 1e6))


def told(watch: StandWatch, at_s: float) -> tuple[float | None, int]:
    now_us = int(at_s * 1e6)
    return watch.stood_s([7], now_us)[0], watch.move_count([7], now_us)[0]


def test_a_unit_that_was_never_seen_or_drives_on_has_not_stood() -> None:
    watch = StandWatch()
    assert told(watch, 0.0) == (None, 0)
    for step in range(60):
        see(watch, step * 10.0, step * 0.2)
    assert told(watch, 600.0) == (None, 0)


def test_standing_counts_from_the_first_moment_and_shaking_positions_are_standing() -> None:
    watch = StandWatch()
    for step in range(61):
        see(watch, step * 10.0, 0.05 * (step % 2))
    assert told(watch, 600.0) == (600.0, 0)


def test_a_halt_at_a_light_is_no_stand() -> None:
    watch = StandWatch()
    see(watch, 0.0, 0.0)
    assert told(watch, 59.0) == (None, 0)
    assert told(watch, 61.0) == (61.0, 0)


def test_each_settling_at_another_place_is_a_move_until_the_shift_is_over() -> None:
    watch = StandWatch()
    at_s = 0.0
    for place in (0.0, 2.0, 4.0):
        for _ in range(int(SETTLED_S / 10.0) + 2):
            see(watch, at_s, place)
            at_s += 10.0
    stood_s, count = told(watch, at_s)
    assert count == 2
    assert stood_s is not None
    assert 600.0 <= stood_s <= 630.0
    assert told(watch, at_s + SHIFT_S)[1] == 0


def test_coming_back_to_the_same_post_is_no_move() -> None:
    watch = StandWatch()
    at_s = 0.0
    for place in (0.0, 1.0, 0.0):
        for _ in range(70 if place == 0.0 else 5):
            see(watch, at_s, place)
            at_s += 10.0
    assert told(watch, at_s)[1] == 0


def test_a_clock_that_goes_back_starts_the_stand_anew() -> None:
    watch = StandWatch()
    see(watch, 10_000.0, 0.0)
    see(watch, 100.0, 0.0)
    assert told(watch, 200.0) == (100.0, 0)
