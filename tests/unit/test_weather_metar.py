"""METARs as they are sent become weather; one that cannot be read says which group; a log answers for a time."""

from datetime import UTC, datetime
from random import Random

import pytest

from mission import weather
from mission.airspace import Wind
from mission.model import Weather
from telemetry.model.errors import InputError
from tests.sky_scene import clock
from tests.sky_scene import weather as entry

US = 1_000_000
NOW_US = round(datetime(2026, 9, 18, 13, 10, tzinfo=UTC).timestamp()) * US


def read(text: str) -> Weather:
    return weather.read_metar(text, now_us=NOW_US)


def test_a_report_in_metres_a_second_is_read_with_gusts_rain_clouds_and_time() -> None:
    found = read("METAR ZSAM 181300Z 24003G09MPS 210V270 9999 -RA SCT015 BKN030 26/23 Q1009 NOSIG=")
    assert found.observed_us == found.from_us == NOW_US - 600 * US
    assert (found.wind_from_deg, found.wind_mps, found.gust_mps) == (240.0, 3.0, 9.0)
    assert (found.visibility_m, found.rain_mmph, found.cloud_base_agl_m) == (10_000.0, 2.5, 914.4)
    assert (found.temperature_c, found.thunderstorm) == (26.0, False)
    assert found.source.startswith("METAR ZSAM")


def test_knots_are_turned_into_metres_a_second() -> None:
    found = read("SPECI ZSAM 181310Z 24015G25KT 1500 R05/1200N +TSRA FEW010CB BKN020 25/24 Q1005 BECMG TL1430 18005MPS")
    assert (found.wind_mps, found.gust_mps) == (7.72, 12.86)
    assert (found.visibility_m, found.rain_mmph, found.thunderstorm) == (1500.0, 20.0, True)


def test_cavok_is_ten_kilometres_no_rain_and_no_low_cloud_and_variable_wind_has_no_direction() -> None:
    found = read("METAR ZGGG 181300Z VRB02MPS CAVOK 30/22 Q1010 NOSIG")
    assert (found.visibility_m, found.rain_mmph, found.cloud_base_agl_m) == (10_000.0, 0.0, 1500.0)
    assert (found.wind_from_deg, found.wind_mps) == (None, 2.0)
    assert weather.wind_of(found) == Wind()


def test_what_a_trend_says_is_coming_is_taken_in_where_it_is_worse() -> None:
    found = read(
        "METAR ZGGG 181300Z 01004MPS 330V040 9999 VCSH FEW020CB SCT030 28/25 Q1006 TEMPO 02008G15MPS 3000 TSRA BKN025"
    )
    assert (found.wind_from_deg, found.wind_mps, found.gust_mps) == (10.0, 8.0, 15.0)
    assert (found.visibility_m, found.rain_mmph, found.thunderstorm) == (3000.0, 7.6, True)


def test_a_visibility_in_a_trend_is_not_taken_for_a_wind_of_four_hundred_metres_a_second() -> None:
    found = read("METAR ZSAM 181300Z 24003G09MPS 0800 FG VV002 12/12 Q1020 TEMPO 0400 BECMG AT1500 3000 BR")
    assert (found.wind_mps, found.visibility_m, found.cloud_base_agl_m) == (3.0, 400.0, 61.0)


def test_frost_more_than_the_instrument_tells_and_an_obscured_sky_are_read() -> None:
    found = read("METAR ZSAM 181300Z 240P49MPS 0050 R05/0100 FZFG VV/// M02/M03 Q1030 RERA WS R05")
    assert (found.wind_mps, found.temperature_c, found.cloud_base_agl_m) == (49.0, -2.0, 0.0)


def test_what_a_failed_instrument_leaves_out_is_unknown_and_never_fine() -> None:
    found = read("ZSAM 181300Z AUTO /////MPS //// // ////// 26/M01 Q////")
    assert (found.wind_mps, found.visibility_m, found.rain_mmph, found.cloud_base_agl_m) == (None, None, None, None)


def test_feet_miles_and_remarks_of_american_reports_are_read() -> None:
    found = read("METAR KJFK 181251Z 24012G20KT 10SM FEW250 29/18 A3001 RMK AO2 SLP163 T02890178")
    assert (found.visibility_m, found.gust_mps, found.cloud_base_agl_m) == (16_093.44, 10.29, 1500.0)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("METAR ZSAM 181300Z 24003MPS 99X9 26/23 Q1009", "99X9"),
        ("METAR ZSAM 181300Z 24003MPS 9999 26/23 Q1009 BECMG 99X9", "99X9"),
        ("METAR ZSAM 321300Z 24003MPS 9999 26/23 Q1009", "321300Z"),
        ("METAR ZSAM 182560Z 24003MPS 9999 26/23 Q1009", "182560Z"),
        ("METAR ZSAM 1813Z 24003MPS 9999", "1813Z"),
        ("METAR ZSAM 181300Z 24003 9999 26/23 Q1009", "24003"),
        ("METAR ZSAM 181300Z NIL=", "NIL"),
        ("METAR ZSAM 181800Z 24003MPS 9999 26/23 Q1009", "181800Z"),
        ("TAF ZSAM 181100Z 1812/1918 24003MPS", "TAF"),
        ("hello", "HELLO"),
    ],
)
def test_a_report_that_cannot_be_read_says_which_group(text: str, group: str) -> None:
    with pytest.raises(InputError, match=f"'{group}'"):
        read(text)


@pytest.mark.parametrize("text", ["", "  ", "=", "气象", "METAR " + "X" * 900])
def test_what_is_no_line_of_letters_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text)


def test_a_report_of_the_last_day_of_a_month_is_read_on_the_first_of_the_next() -> None:
    first_us = round(datetime(2026, 3, 1, 0, 20, tzinfo=UTC).timestamp()) * US
    found = weather.read_metar("METAR ZSAM 282330Z 24003MPS CAVOK 12/08 Q1019", now_us=first_us)
    assert found.observed_us == first_us - 50 * 60 * US


def test_a_log_answers_with_what_begins_last_and_knows_nothing_before_its_first_entry() -> None:
    log = [entry(clock(19), observed_us=clock(12), gust_mps=9.0), entry(clock(18), observed_us=clock(12), gust_mps=5.0)]
    assert weather.at(log, clock(17, 59)) is None
    assert [
        weather.gust_of(one) for at_us in (clock(18), clock(18, 59), clock(23)) if (one := weather.at(log, at_us))
    ] == [5, 5, 9]


def test_an_observation_goes_before_an_older_forecast_for_an_hour() -> None:
    log = [entry(clock(19), observed_us=clock(12), gust_mps=9.0), entry(clock(18, 50), gust_mps=4.0)]
    told = [weather.at(log, at_us) for at_us in (clock(18, 55), clock(19, 30), clock(19, 51))]
    assert [one.gust_mps for one in told if one] == [4.0, 4.0, 9.0]


def test_a_newer_forecast_for_the_same_time_goes_before_an_older_one() -> None:
    log = [entry(clock(20), observed_us=clock(12), gust_mps=9.0), entry(clock(20), observed_us=clock(15), gust_mps=6.0)]
    found = weather.at(log, clock(20, 30))
    assert found is not None
    assert found.gust_mps == 6.0


@pytest.mark.parametrize("seed", range(20))
def test_a_timeline_answers_as_the_words_say_for_every_minute(seed: int) -> None:
    dice = Random(seed)
    log: list[Weather] = []
    for _ in range(dice.randrange(1, 12)):
        from_us = clock(12) + dice.randrange(0, 600) * 60 * US
        made_us = dice.choice((from_us, from_us - dice.randrange(1, 400) * 60 * US))
        log.append(entry(from_us, observed_us=made_us, temperature_c=float(len(log))))
    timeline = weather.Timeline(log)
    changes = timeline.changes_us(clock(11), clock(23))
    held = timeline.at(clock(11))
    for minute in range(12 * 60):
        at_us = clock(11) + minute * 60 * US
        begun = [one for one in log if one.from_us <= at_us]
        best = max(begun, key=lambda one: (one.from_us, one.observed_us), default=None)
        fresh = [one for one in begun if weather.is_observation(one) and at_us - one.observed_us <= 3600 * US]
        newest = max(fresh, key=lambda one: one.observed_us, default=None)
        if best is not None and newest is not None and newest.observed_us > best.observed_us:
            best = newest
        found = timeline.at(at_us)
        assert (found and (found.from_us, found.observed_us)) == (best and (best.from_us, best.observed_us))
        if found != held:
            assert any(at_us - 60 * US < change <= at_us for change in changes)
            held = found
