"""Token buckets: a burst at once, then the rate; memory stays bounded."""

from telemetry.rate_limit import NAMES_AT_MOST, RateLimit


def test_a_name_does_its_burst_at_once_and_then_its_rate() -> None:
    limit = RateLimit(2.0, 5)
    assert [limit.take("a", 100.0) for _ in range(6)] == [True] * 5 + [False]
    assert limit.take("b", 100.0)
    assert [limit.take("a", 101.0) for _ in range(3)] == [True, True, False]


def test_asking_whether_takes_nothing() -> None:
    limit = RateLimit(1.0, 1)
    assert limit.allows("a", 0.0)
    assert limit.take("a", 0.0)
    assert not limit.allows("a", 0.5)
    assert limit.allows("a", 1.0)


def test_a_clock_that_steps_back_takes_nothing_away() -> None:
    limit = RateLimit(1.0, 2)
    assert limit.take("a", 100.0)
    assert limit.take("a", 50.0)


def test_of_too_many_names_the_one_unused_longest_is_forgotten() -> None:
    limit = RateLimit(0.001, 1)
    for number in range(NAMES_AT_MOST + 1):
        assert limit.take(str(number), 0.0)
    assert limit.take("0", 0.0)
    assert not limit.take(str(NAMES_AT_MOST), 0.0)
