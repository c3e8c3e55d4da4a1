"""The forecast of the disk: growth of the last week, and when it is full at that rate."""

from telemetry.recording.disk_forecast import DAY_US, DiskSample, forecast_disk

GIGABYTE = 1_000_000_000
NOW_US = 1_790_000_000_000_000


def samples(*growth: tuple[float, float]) -> list[DiskSample]:
    return [DiskSample(NOW_US + round(day * DAY_US), round(gigabytes * GIGABYTE), 0, 0) for day, gigabytes in growth]


def test_growth_of_the_last_seven_days_tells_when_the_disk_is_full() -> None:
    found = forecast_disk(samples((-30, 1), (-7, 100), (-3, 104), (0, 107)), 30 * GIGABYTE)
    assert found is not None
    assert (found.bytes_a_day, found.seen_s, found.days_until_full) == (GIGABYTE, 7 * 86_400, 30)


def test_less_than_an_hour_says_nothing_yet() -> None:
    found = forecast_disk(samples((0, 1), (0.02, 5)), GIGABYTE)
    assert found is not None
    assert (found.bytes_a_day, found.days_until_full, found.database_bytes) == (None, None, 5 * GIGABYTE)


def test_a_database_that_does_not_grow_never_fills_the_disk() -> None:
    found = forecast_disk(samples((-2, 50), (0, 48)), GIGABYTE)
    assert found is not None
    assert (found.bytes_a_day, found.days_until_full) == (-GIGABYTE, None)


def test_another_machine_s_disk_is_not_ours_to_foretell() -> None:
    found = forecast_disk(samples((-2, 50), (0, 52)), None)
    assert found is not None
    assert (found.bytes_a_day, found.days_until_full) == (GIGABYTE, None)
    assert forecast_disk([], None) is None
