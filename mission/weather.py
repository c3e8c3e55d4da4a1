"""Weather as the planner knows it: METAR text read, a log of observations and forecasts asked for a time."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from metar import Metar

from mission.airspace import Wind
from mission.model import US, Weather
from telemetry.model.errors import InputError

CURRENT_S: Final = 3600.0
"""An observation goes before a forecast made earlier for so long."""
NO_CLOUD_M: Final = 1500.0
"""What is said of the cloud base where no cloud matters: CAVOK, NSC and the like promise so much."""
MOST_LETTERS: Final = 800
LIGHT_MMPH, MODERATE_MMPH, HEAVY_MMPH = 2.5, 7.6, 20.0
"""The most that light and moderate rain bring, and what heavy rain is taken for; a METAR says no more than these words."""
_DRIZZLE_FACTOR: Final = 0.2
_AHEAD_US: Final = 3600 * US
_HEAD: Final = re.compile(r"(?:(?:METAR|SPECI) )?(?:COR )?(?P<station>[A-Z][A-Z0-9]{3}) (?P<time>\S+)(?P<rest>.*)")
_TIME: Final = re.compile(r"(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)Z")
_WIND_WITHOUT_UNIT: Final = re.compile(r"(?:\d{3}|VRB|///)P?(?:\d{2,3}|//)(?:GP?\d{2,3})?")
_WIND: Final = re.compile(r"(?:\d{3}|VRB|///)P?(?:\d{2,3}|//)(?:GP?(?:\d{2,3}|//))?(?:KTS?|MPS|KMH)")
_REMARKS: Final = re.compile(r" RMKS?(?: .*)?$")
_TREND: Final = re.compile(r" (?:TEMPO|BECMG|NOSIG|FCST)\b")
_TREND_TIME: Final = re.compile(r"\b(?:FM|TL|AT)\d{4}\b")
_UNPARSED: Final = re.compile(r"body '([^']*)'|while processing '(\S+)")
_NO_CEILING: Final = frozenset({"SKC", "CLR", "NSC", "NCD", "FEW", "SCT"})
_CEILING: Final = frozenset({"BKN", "OVC", "VV"})


class Timeline:
    """A log of weather made ready to be asked often: about 1 us a question."""

    def __init__(self, log: Sequence[Weather]) -> None:
        self.entries = sorted(log, key=lambda one: (one.from_us, one.observed_us))
        self._from_us = [one.from_us for one in self.entries]
        self._seen = sorted((one for one in log if is_observation(one)), key=lambda one: one.observed_us)
        self._seen_us = [one.observed_us for one in self._seen]

    def at(self, at_us: int) -> Weather | None:
        """Return the weather that holds at a time; None before the first entry.

        That is the entry that begins last, of those the one made last. An observation of the hour before goes before forecasts
        that were made earlier.
        """
        begun = bisect_right(self._from_us, at_us)
        if not begun:
            return None
        holds = self.entries[begun - 1]
        seen = bisect_right(self._seen_us, at_us)
        last = self._seen[seen - 1] if seen else holds
        is_fresh = at_us - last.observed_us <= CURRENT_S * US
        return last if is_fresh and last.observed_us > holds.observed_us else holds

    def changes_us(self, start_us: int, end_us: int) -> list[int]:
        """Return the times within a span, its start included, at which another entry may begin to hold, in order."""
        begins = self._from_us[bisect_left(self._from_us, start_us) : bisect_left(self._from_us, end_us)]
        late_us = round(CURRENT_S * US) + 1
        fades = [at_us + late_us for at_us in self._seen_us[bisect_left(self._seen_us, start_us - late_us) :]]
        return sorted({start_us, *begins, *(at_us for at_us in fades if start_us <= at_us < end_us)} - {end_us})


def at(log: Sequence[Weather], at_us: int) -> Weather | None:
    """Return the weather of a log that holds at a time, as `Timeline.at` does; for one question."""
    return Timeline(log).at(at_us)


def is_observation(weather: Weather) -> bool:
    """Tell whether it was seen, not forecast."""
    return weather.from_us <= weather.observed_us


def changes_us(log: Sequence[Weather], start_us: int, end_us: int) -> list[int]:
    """Return when another entry of a log may begin to hold, as `Timeline.changes_us` does; for one question."""
    return Timeline(log).changes_us(start_us, end_us)


def gust_of(weather: Weather) -> float | None:
    """Return the strongest wind that is said, m/s: gusts, or the steady wind where none are; None where it is unknown."""
    said = [speed for speed in (weather.wind_mps, weather.gust_mps) if speed is not None]
    return max(said, default=None)


def wind_of(weather: Weather | None) -> Wind:
    """Return the steady wind to reckon legs with; calm where its strength or direction is unknown."""
    if weather is None or weather.wind_mps is None or weather.wind_from_deg is None:
        return Wind()
    return Wind(from_deg=weather.wind_from_deg, speed_mps=weather.wind_mps)


def read_metar(text: str, *, now_us: int) -> Weather:
    """Return the weather of a METAR or SPECI; what its trend says of the next two hours is taken in where it is worse.

    Winds in MPS, KT and KMH; CAVOK is 10 km and no cloud below 1500 m; rain is told by its word (`LIGHT_MMPH` ...). The day is
    the one nearest to `now_us`. Raises InputError that names the group that cannot be read.
    """
    line = " ".join(text.strip().rstrip("=").upper().split())
    if not line or len(line) > MOST_LETTERS or not line.isascii():
        message = f"a METAR has 1 to {MOST_LETTERS} letters of ASCII, this text has {len(line)}: give the report alone"
        raise InputError(message, f"METAR 为 1 至 {MOST_LETTERS} 个 ASCII 字符，此文有 {len(line)} 个：只填报文本身")
    found = _HEAD.fullmatch(line)
    if found is None:
        raise unreadable(
            line.split()[0],
            "a METAR begins with METAR or SPECI, the station's four letters and the time",
            "METAR 以 METAR 或 SPECI、四字母站名和时间开头",
        )
    station, rest = found["station"], _REMARKS.sub("", found["rest"])
    observed_us = time_us_of(found["time"], now_us)
    body, *trends = _TREND.split(rest)
    for group in rest.split():
        if _WIND_WITHOUT_UNIT.fullmatch(group):
            raise unreadable(group, "a wind says its unit: MPS, KT or KMH", "风须写明单位：MPS、KT 或 KMH")
    if "NIL" in body.split():
        raise unreadable(
            "NIL",
            "the station reports nothing: take its last report or enter the weather",
            "该站没有报告：用上一份报文，或人工录入",
        )
    seen = weather_of_groups(station, body.split(), source=line, observed_us=observed_us)
    coming = [
        weather_of_groups(station, _TREND_TIME.sub("", trend).split(), source=line, observed_us=observed_us)
        for trend in trends
    ]
    return worst_of(seen, coming)


def unreadable(group: str, reason: str, zh: str) -> InputError:
    """Return the error that names a group of a report, and why it cannot be read."""
    return InputError(f"the report's group {group!r} cannot be read: {reason}", f"报文中“{group}”无法识读：{zh}")


def time_us_of(group: str, now_us: int) -> int:
    """Return the time of a group like 181300Z that is nearest to now and not ahead of it. Raises InputError."""
    found = _TIME.fullmatch(group)
    if found is None:
        raise unreadable(group, "the time is day, hour and minute like 181300Z", "时间写日、时、分，如 181300Z")
    now = datetime.fromtimestamp(now_us // US, UTC)
    candidates = []
    for months in (-1, 0, 1):
        year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
        try:
            when = datetime(year, month + 1, int(found["day"]), int(found["hour"]), int(found["minute"]), tzinfo=UTC)
        except ValueError:
            continue
        candidates.append(round(when.timestamp()) * US)
    if not candidates:
        raise unreadable(group, "there is no such day or time", "没有这个日期或时间")
    nearest = min(candidates, key=lambda when_us: abs(when_us - now_us))
    if nearest > now_us + _AHEAD_US:
        raise unreadable(
            group,
            f"it is {(nearest - now_us) / 3600 / US:.1f} h in the future; is the report an old one?",
            f"比现在晚 {(nearest - now_us) / 3600 / US:.1f} 小时：是不是旧报文？",
        )
    return nearest


def weather_of_groups(station: str, groups: list[str], *, source: str, observed_us: int) -> Weather:
    """Return what one part of a report says; None for what it does not say."""
    has_wind = any(_WIND.fullmatch(group) for group in groups)
    wind = [] if has_wind else ["/////MPS"]  # else the package takes 0400, a visibility, for a wind
    try:
        report: Any = Metar.Metar(" ".join(["METAR", station, "010000Z", *wind, *groups]), month=1, year=2024)
    except Metar.ParserError as error:
        named = _UNPARSED.search(str(error))
        group = next((one for one in named.groups() if one), "?") if named else "?"
        raise unreadable(
            group, "it is no group of a METAR, or stands where it does not belong", "不是 METAR 的组，或位置不对"
        ) from error
    is_fine = "CAVOK" in groups
    return Weather(
        from_us=observed_us,
        observed_us=observed_us,
        source=source,
        wind_from_deg=None if report.wind_dir is None else float(report.wind_dir.value()),
        wind_mps=_rounded(report.wind_speed, "MPS"),
        gust_mps=_rounded(report.wind_gust, "MPS"),
        visibility_m=None if "////" in groups else _rounded(report.vis, "M"),
        rain_mmph=_rain_mmph(report.weather, is_said=is_fine or has_wind or "NSW" in groups),
        cloud_base_agl_m=NO_CLOUD_M if is_fine else _cloud_base_m(report.sky),
        temperature_c=_rounded(report.temp, "C"),
        thunderstorm=any("TS" in (description or "") for _, description, *_ in report.weather),
    )


def _rounded(quantity: Any, unit: str) -> float | None:  # noqa: ANN401 - the package's quantities have no types
    return None if quantity is None else round(float(quantity.value(unit)), 2)


def _rain_mmph(weather: Iterable[tuple[str, ...]], *, is_said: bool) -> float | None:
    """Return the most rain, snow and the like as water; None where an instrument failed or nothing is said of the weather."""
    most_mmph = 0.0 if is_said else None
    for intensity, _, kinds, _, other in weather:
        if "/" in (kinds or "") or "/" in (other or ""):
            return None
        if not kinds or "VC" in intensity:
            continue
        mmph = LIGHT_MMPH if "-" in intensity else HEAVY_MMPH if "+" in intensity else MODERATE_MMPH
        most_mmph = max(most_mmph or 0.0, mmph * (_DRIZZLE_FACTOR if kinds == "DZ" else 1.0))
    return most_mmph


def _cloud_base_m(sky: Sequence[tuple[str, Any, str | None]]) -> float | None:
    """Return the lowest layer that covers more than half the sky; None where nothing is said of clouds."""
    bases = [0.0 if height is None else float(height.value("M")) for cover, height, _ in sky if cover in _CEILING]
    if bases:
        return round(min(bases), 1)
    return NO_CLOUD_M if any(cover in _NO_CEILING for cover, *_ in sky) else None


def worst_of(seen: Weather, coming: Sequence[Weather]) -> Weather:
    """Return an observation with what is worse in its trends."""

    def most(name: str) -> float | None:
        return max((value for one in (seen, *coming) if (value := getattr(one, name)) is not None), default=None)

    def least(name: str) -> float | None:
        found = min((getattr(one, name) for one in (seen, *coming) if getattr(one, name) is not None), default=math.inf)
        return None if math.isinf(found) else float(found)

    return msgspec.structs.replace(
        seen,
        wind_mps=most("wind_mps"),
        gust_mps=most("gust_mps"),
        visibility_m=least("visibility_m"),
        rain_mmph=most("rain_mmph") if seen.rain_mmph is not None else None,
        cloud_base_agl_m=least("cloud_base_agl_m"),
        thunderstorm=any(one.thunderstorm for one in (seen, *coming)),
    )
