"""Day and night at a place: the known times, polar days and nights, the date line, windows cut to light."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from astral import Observer
from astral.sun import sun

from mission.air.daylight import Daylight, SunKind
from mission.days import day_window, zone_of
from mission.model import Light, Window
from telemetry.model.errors import InputError

US = 1_000_000
XIAMEN = Daylight(24.48, 118.08)


def test_the_sun_sets_in_xiamen_when_the_almanac_says_so() -> None:
    found = XIAMEN.sun_on(date(2026, 6, 21))
    assert found.kind is SunKind.USUAL
    assert found.sunset_us is not None
    assert abs(found.sunset_us / US - datetime(2026, 6, 21, 10, 58, 53, tzinfo=UTC).timestamp()) < 60


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "zone"),
    [(24.48, 118.08, "Asia/Shanghai"), (52.0, 5.0, "Europe/Amsterdam"), (-33.9, 151.2, "Australia/Sydney")],
)
@pytest.mark.parametrize("day", [date(2026, 3, 20), date(2026, 6, 21), date(2026, 12, 21)])
def test_rise_and_set_agree_with_the_almanac_within_two_minutes(
    lat_deg: float, lon_deg: float, zone: str, day: date
) -> None:
    found = Daylight(lat_deg, lon_deg, zone=zone).sun_on(day)
    for name, ours_us in (
        ("dawn", found.dawn_us),
        ("sunrise", found.sunrise_us),
        ("sunset", found.sunset_us),
        ("dusk", found.dusk_us),
    ):
        assert ours_us is not None
        theirs = [sun(Observer(lat_deg, lon_deg), day + timedelta(days=one), tzinfo=UTC)[name] for one in (-1, 0, 1)]
        assert min(abs(one.timestamp() - ours_us / US) for one in theirs) < 120, name


@pytest.mark.parametrize(
    ("lat_deg", "day", "kind"),
    [
        (78.2, date(2026, 6, 21), SunKind.POLAR_DAY),
        (78.2, date(2026, 12, 21), SunKind.POLAR_NIGHT),
        (-75.0, date(2026, 12, 21), SunKind.POLAR_DAY),
        (90.0, date(2026, 6, 21), SunKind.POLAR_DAY),
        (-90.0, date(2026, 6, 21), SunKind.POLAR_NIGHT),
    ],
)
def test_where_the_sun_never_sets_or_never_rises_that_is_said(lat_deg: float, day: date, kind: SunKind) -> None:
    place = Daylight(lat_deg, 15.6, zone="Europe/Oslo")
    found = place.sun_on(day)
    assert (found.kind, found.sunrise_us, found.sunset_us) == (kind, None, None)
    whole = day_window(day, zone_of("Europe/Oslo"))
    is_day = kind is SunKind.POLAR_DAY
    assert place.windows(Light.DAY, whole, border="sun") == ((whole,) if is_day else ())
    assert place.windows(Light.NIGHT, whole, border="sun") == (() if is_day else (whole,))


def test_a_polar_night_has_civil_twilight_where_the_sun_comes_near_the_horizon() -> None:
    found = Daylight(69.65, 18.9, zone="Europe/Oslo").sun_on(date(2026, 12, 21))
    assert found.kind is SunKind.POLAR_NIGHT
    assert found.dawn_us is not None
    assert found.dusk_us is not None


def test_day_and_night_cut_a_window_into_parts_that_fill_it() -> None:
    whole = Window(
        start_us=day_window(date(2026, 9, 18), XIAMEN.zone).start_us,
        end_us=day_window(date(2026, 9, 20), XIAMEN.zone).end_us,
    )
    parts = sorted(XIAMEN.windows(Light.DAY, whole) + XIAMEN.windows(Light.NIGHT, whole))
    assert len(parts) == 7
    assert parts[0].start_us == whole.start_us
    assert parts[-1].end_us == whole.end_us
    assert all(before.end_us == after.start_us for before, after in pairwise(parts))
    assert XIAMEN.windows(Light.ANY, whole) == (whole,)


def test_the_day_by_the_sun_is_shorter_than_the_day_by_civil_twilight() -> None:
    whole = day_window(date(2026, 9, 18), XIAMEN.zone)
    (civil,), (bright,) = XIAMEN.windows(Light.DAY, whole), XIAMEN.windows(Light.DAY, whole, border="sun")
    assert civil.start_us < bright.start_us < bright.end_us < civil.end_us


def test_a_day_on_which_clocks_are_changed_has_its_own_length() -> None:
    long_day = day_window(date(2026, 10, 25), zone_of("Europe/Oslo"))
    assert (long_day.end_us - long_day.start_us) // US == 25 * 3600


def test_clocks_are_told_as_people_of_the_place_read_them() -> None:
    at_us = round(datetime(2026, 9, 18, 13, 50, tzinfo=UTC).timestamp()) * US
    assert XIAMEN.clock(at_us) == "21:50"
    assert XIAMEN.clock(at_us, beside_us=at_us + 3 * 3600 * US) == "09-18 21:50"


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "zone"),
    [(91.0, 0.0, "UTC"), (float("nan"), 0.0, "UTC"), (0.0, 0.0, "Asia/Nowhere"), (0.0, 0.0, "")],
)
def test_a_place_or_zone_that_is_none_is_refused(lat_deg: float, lon_deg: float, zone: str) -> None:
    with pytest.raises(InputError):
        Daylight(lat_deg, lon_deg, zone=zone)
