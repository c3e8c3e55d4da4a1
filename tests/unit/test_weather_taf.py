"""TAFs become a timeline of forecasts, each piece with the worst that may come in it; one that cannot be read says which group."""

from datetime import UTC, datetime

import pytest

from mission import weather
from mission.air.taf import read_report, read_taf
from telemetry.model.errors import InputError

US = 1_000_000
TAF = (
    "TAF ZSAM 181104Z 1812/1918 24003MPS 6000 SCT030 TX29/1906Z TN22/1821Z"
    " BECMG 1816/1818 06006G12MPS TEMPO 1820/1824 1500 TSRA BKN012CB FM190200 09004MPS CAVOK="
)


def at(day: int, hour: int, minute: int = 0) -> int:
    return round(datetime(2026, 9, day, hour, minute, tzinfo=UTC).timestamp()) * US


NOW_US = at(18, 11, 30)


def test_a_timeline_follows_changes_spells_and_new_weather() -> None:
    found = read_taf(TAF, now_us=NOW_US)
    assert [one.from_us for one in found] == [at(18, 12), at(18, 16), at(18, 18), at(18, 20), at(19, 0), at(19, 2)]
    assert [one.wind_mps for one in found] == [3.0, 6.0, 6.0, 6.0, 6.0, 4.0]
    assert [one.gust_mps for one in found] == [None, 12.0, 12.0, 12.0, 12.0, None]
    assert [one.wind_from_deg for one in found] == [240.0, 240.0, 60.0, 60.0, 60.0, 90.0]
    assert [one.visibility_m for one in found] == [6000.0, 6000.0, 6000.0, 1500.0, 6000.0, 10_000.0]
    assert [one.thunderstorm for one in found] == [False, False, False, True, False, False]
    assert {one.observed_us for one in found} == {at(18, 11, 4)}
    assert not any(weather.is_observation(one) for one in found)
    held = weather.at(found, at(18, 21, 30))
    assert held is not None
    assert (held.rain_mmph, held.cloud_base_agl_m) == (7.6, 365.8)


def test_probabilities_count_as_what_may_come_and_clear_weather_ends_rain() -> None:
    found = read_taf(
        "TAF AMD ZGGG 180500Z 1806/1912 18004MPS 8000 -RA BKN020 PROB30 TEMPO 1808/1810 0800 FG BECMG 1812/1813 9999 NSW SKC",
        now_us=at(18, 6),
    )
    assert [one.visibility_m for one in found] == [8000.0, 800.0, 8000.0, 8000.0, 10_000.0]
    assert [one.rain_mmph for one in found] == [2.5, 2.5, 2.5, 2.5, 0.0]


def test_midnight_told_as_hour_24_and_the_next_month_are_understood() -> None:
    found = read_taf("TAF ZSAM 302300Z 0100/0124 24003MPS CAVOK FM010630 09004MPS CAVOK", now_us=at(30, 23, 10))
    october = round(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * US
    assert [one.from_us - october for one in found] == [0, 390 * 60 * US]


def test_a_report_of_either_kind_is_read_by_one_door() -> None:
    assert len(read_report(TAF, now_us=NOW_US)) == 6
    assert len(read_report("METAR ZSAM 181100Z 24003MPS CAVOK 26/23 Q1009", now_us=NOW_US)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TAF", "begins with TAF"),
        ("TAF ZSAM 181104Z 24003MPS", "begins with TAF"),
        ("TAF ZSAM 181104Z 1812/1918 NIL", "'NIL'"),
        ("TAF ZSAM 181104Z 1812/1918 24003MPS 99X9", "'99X9'"),
        ("TAF ZSAM 181104Z 1918/1812 24003MPS CAVOK", "'1918/1812'"),
        ("TAF ZSAM 181104Z 1812/1999 24003MPS CAVOK", "'1812/1999'"),
        ("TAF ZSAM 181104Z 1812/1918 24003MPS CAVOK BECMG 06006MPS", "'06006MPS'"),
        ("TAF ZSAM 181104Z 1812/1918 24003MPS CAVOK TEMPO", "'TEMPO'"),
        ("TAF ZSAM 181104Z 1812/1918 24003MPS CAVOK FM186099 06006MPS", "'FM186099'"),
    ],
)
def test_a_forecast_that_cannot_be_read_says_which_group(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_taf(text, now_us=NOW_US)
