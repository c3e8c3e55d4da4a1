"""Day and night at a place: sunrise, sunset and civil twilight, where the sun never sets or never rises too; windows cut to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from astral import Observer
from astral.sun import elevation

from mission.days import day_window, local_time, zone_of
from mission.model import US, Light, Window
from telemetry.model.errors import InputError

SUN_DEG: Final = -0.833
"""The middle of the sun at sunrise and sunset: its radius and the air's bending below the horizon."""
CIVIL_DEG: Final = -6.0
BORDERS_DEG: Final = {"civil": CIVIL_DEG, "sun": SUN_DEG}
"""What parts day from night, by the word of a rule."""
_STEP_US: Final = 600 * US
_CLOSE_US: Final = US // 2
_POLE_DEG: Final = 89.8


class SunKind(StrEnum):
    """Whether the sun rises and sets on a day."""

    USUAL = "usual"
    POLAR_DAY = "polar_day"
    POLAR_NIGHT = "polar_night"


@dataclass(frozen=True)
class SunTimes:
    """A local day's light, UTC microseconds; None where it does not happen on that day."""

    kind: SunKind
    dawn_us: int | None
    sunrise_us: int | None
    sunset_us: int | None
    dusk_us: int | None


class Daylight:
    """The light at a place, WGS-84; `zone` names the time zone of its days. True to about a minute; a day costs about 1 ms.

    Raises InputError for a place that is none on Earth and for an unknown zone.
    """

    def __init__(self, lat_deg: float, lon_deg: float, *, zone: str = "Asia/Shanghai") -> None:
        if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 360.0):
            message = f"{lat_deg}, {lon_deg} is no place: latitudes are -90 to 90, longitudes -180 to 180 degrees"
            raise InputError(message, f"{lat_deg}, {lon_deg} 不是地点：纬度 -90 至 90 度，经度 -180 至 180 度")
        self.lat_deg, self.lon_deg, self.zone = lat_deg, lon_deg, zone_of(zone)

    def sun_on(self, day: date) -> SunTimes:
        """Return when the sun rises and sets on a local day, and when civil twilight begins and ends."""
        whole = day_window(day, self.zone)
        risen = self._crossings(whole, SUN_DEG)
        lit = self._crossings(whole, CIVIL_DEG)
        sunrise_us, sunset_us = _first(risen, is_up=True), _first(risen, is_up=False)
        kind = SunKind.USUAL
        if not risen:
            kind = SunKind.POLAR_DAY if self.height_deg(whole.start_us) > SUN_DEG else SunKind.POLAR_NIGHT
        return SunTimes(kind, _first(lit, is_up=True), sunrise_us, sunset_us, _first(lit, is_up=False))

    def windows(self, light: Light, window: Window, *, border: str = "civil") -> tuple[Window, ...]:
        """Return the parts of a window with that light; `border` is civil or sun."""
        if light is Light.ANY:
            return (window,)
        edges_us = [
            window.start_us,
            *(at_us for at_us, _ in self._crossings(window, BORDERS_DEG[border])),
            window.end_us,
        ]
        found = []
        for start_us, end_us in pairwise(edges_us):
            is_day = self.height_deg((start_us + end_us) // 2) > BORDERS_DEG[border]
            if is_day == (light is Light.DAY) and start_us < end_us:
                found.append(Window(start_us=start_us, end_us=end_us))
        return tuple(found)

    def is_day(self, at_us: int, *, border: str = "civil") -> bool:
        """Tell whether it is day."""
        return self.height_deg(at_us) > BORDERS_DEG[border]

    def height_deg(self, at_us: int) -> float:
        """Return how high the middle of the sun stands above the horizon, the air's bending left out."""
        return _height_deg(self.lat_deg, self.lon_deg, at_us)

    def clock(self, at_us: int, *, beside_us: int | None = None) -> str:
        """Return a time as a person of the place reads it, 21:50; with month and day where its day is not that of `beside_us`."""
        here = local_time(at_us, self.zone)
        if beside_us is None or local_time(beside_us, self.zone).date() == here.date():
            return here.strftime("%H:%M")
        return here.strftime("%m-%d %H:%M")

    def _crossings(self, window: Window, border_deg: float) -> list[tuple[int, bool]]:
        """Return when the sun passes a height within a window, and whether upward."""
        return list(_crossings(self.lat_deg, self.lon_deg, window, border_deg))


def _first(crossings: list[tuple[int, bool]], *, is_up: bool) -> int | None:
    return next((at_us for at_us, up in crossings if up == is_up), None)


def _height_deg(lat_deg: float, lon_deg: float, at_us: int) -> float:
    observer = Observer(max(-_POLE_DEG, min(_POLE_DEG, lat_deg)), (lon_deg + 180.0) % 360.0 - 180.0)
    return float(elevation(observer, datetime.fromtimestamp(at_us / US, UTC), with_refraction=False))


@lru_cache(maxsize=1024)
def _crossings(lat_deg: float, lon_deg: float, window: Window, border_deg: float) -> tuple[tuple[int, bool], ...]:
    return tuple(_found_crossings(lat_deg, lon_deg, window, border_deg))


def _found_crossings(lat_deg: float, lon_deg: float, window: Window, border_deg: float) -> Iterator[tuple[int, bool]]:
    """Yield the passages: looked for every ten minutes, then halved down to half a second."""
    before_us, was_up = window.start_us, _height_deg(lat_deg, lon_deg, window.start_us) > border_deg
    while before_us < window.end_us:
        after_us = min(before_us + _STEP_US, window.end_us)
        is_up = _height_deg(lat_deg, lon_deg, after_us) > border_deg
        if is_up != was_up:
            low_us, high_us = before_us, after_us
            while high_us - low_us > _CLOSE_US:
                middle_us = (low_us + high_us) // 2
                if (_height_deg(lat_deg, lon_deg, middle_us) > border_deg) == was_up:
                    low_us = middle_us
                else:
                    high_us = middle_us
            yield high_us, is_up
        before_us, was_up = after_us, is_up
