"""Aerodrome forecasts (TAF) as a timeline of weather, each piece with the worst that may come in it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from mission.model import US, Weather
from mission.weather import MOST_LETTERS, read_metar, time_us_of, unreadable, weather_of_groups, worst_of
from telemetry.model.errors import InputError

_HOUR_US: Final = 3600 * US
_HEAD: Final = re.compile(
    r"TAF (?:(?:AMD|COR) )?(?P<station>[A-Z][A-Z0-9]{3}) (?P<issued>\d{6}Z) (?P<valid>\d{4}/\d{4})(?P<rest>(?: .*)?)"
)
_CHANGE: Final = re.compile(r"(?<!PROB[34]0) (?=FM\d{6}|BECMG|TEMPO|PROB[34]0 )")
_FROM: Final = re.compile(r"FM(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)")
_SPAN: Final = re.compile(r"\d{4}/\d{4}")
_LEFT_OUT: Final = re.compile(r" (?:T[XN]M?\d\d/\d{4}Z|WS\d{3}/\S+|QNH\d{4}INS)(?= |$)")
_FIELDS: Final = ("wind_from_deg", "wind_mps", "visibility_m", "rain_mmph", "cloud_base_agl_m")


def read_report(text: str, *, now_us: int) -> tuple[Weather, ...]:
    """Return what a METAR, SPECI or TAF says: one observation, or a timeline of forecasts. Raises InputError as they do."""
    words = text.upper().split(maxsplit=1)
    return read_taf(text, now_us=now_us) if words[:1] == ["TAF"] else (read_metar(text, now_us=now_us),)


@dataclass(frozen=True)
class _Spell:
    """Weather that may come between two times, over that which prevails."""

    start_us: int
    end_us: int
    weather: Weather


def read_taf(text: str, *, now_us: int) -> tuple[Weather, ...]:
    """Return the forecasts of a TAF in the order of their times, from the beginning of its validity on.

    Each holds from its `from_us` until the next. FM and BECMG change what prevails; while a change comes about, and in TEMPO and
    PROB, it is the worse of both. Raises InputError that names the group that cannot be read.
    """
    line = " ".join(text.strip().rstrip("=").upper().split())
    found = _HEAD.fullmatch(line) if line.isascii() and len(line) <= MOST_LETTERS else None
    if found is None:
        message = "a TAF begins with TAF, the station's four letters, when it was issued and until when it holds: 181100Z 1812/1918"
        raise InputError(message, "TAF 以 TAF、四字母站名、发布时间和有效时段开头：181100Z 1812/1918")
    issued_us = time_us_of(found["issued"], now_us)
    start_us, end_us = _span_us(found["valid"], issued_us)
    first, *changes = _CHANGE.split(_LEFT_OUT.sub("", found["rest"]).strip())
    if first in {"NIL", "CNL"}:
        raise unreadable(
            first,
            "the forecast is empty or withdrawn: take the one before or enter the weather",
            "预报为空或已撤回：用上一份，或人工录入",
        )
    station = found["station"]

    def said(groups: list[str], at_us: int) -> Weather:
        read = weather_of_groups(station, groups, source=line, observed_us=issued_us)
        return msgspec.structs.replace(read, from_us=at_us)

    prevails = [said(first.split(), start_us)]
    spells: list[_Spell] = []
    for change in changes:
        kind, *groups = change.split()
        if kind.startswith("FM"):
            prevails.append(said(groups, _from_us(kind, issued_us)))
            continue
        if groups[:1] == ["TEMPO"]:
            groups = groups[1:]
        if not groups or not _SPAN.fullmatch(groups[0]):
            raise unreadable(
                groups[0] if groups else kind,
                "a change says from when to when: 1816/1818",
                "变化组须写起止时间：1816/1818",
            )
        since_us, until_us = _span_us(groups[0], issued_us)
        coming = said(groups[1:], until_us)
        spells.append(_Spell(since_us, until_us, coming))
        if kind == "BECMG":
            prevails.append(_changed(_at(prevails, until_us), coming))
    return _timeline(sorted(prevails, key=lambda one: one.from_us), spells, start_us=start_us, end_us=end_us)


def _timeline(prevails: list[Weather], spells: list[_Spell], *, start_us: int, end_us: int) -> tuple[Weather, ...]:
    edges = {one.from_us for one in prevails} | {edge for one in spells for edge in (one.start_us, one.end_us)}
    found = []
    for at_us in sorted({start_us, *(edge for edge in edges if start_us < edge < end_us)}):
        over = [one.weather for one in spells if one.start_us <= at_us < one.end_us]
        found.append(msgspec.structs.replace(worst_of(_at(prevails, at_us), over), from_us=at_us))
    return tuple(found)


def _at(prevails: list[Weather], at_us: int) -> Weather:
    return max((one for one in prevails if one.from_us <= at_us), key=lambda one: one.from_us, default=prevails[0])


def _changed(before: Weather, change: Weather) -> Weather:
    """Return what prevails after a change: what it names anew, the rest as before; a new wind takes old gusts away."""
    news = {name: value for name in _FIELDS if (value := getattr(change, name)) is not None}
    if change.wind_mps is not None:
        news |= {"gust_mps": change.gust_mps, "wind_from_deg": change.wind_from_deg}
    is_stormy = change.thunderstorm or (before.thunderstorm and change.rain_mmph is None)
    return msgspec.structs.replace(before, from_us=change.from_us, thunderstorm=is_stormy, **news)


def _span_us(group: str, issued_us: int) -> tuple[int, int]:
    """Return the two times of a group like 1812/1918."""
    start_us, end_us = (_hour_us(part, group, issued_us) for part in group.split("/"))
    if end_us <= start_us:
        raise unreadable(group, "it ends before it begins", "结束早于开始")
    return start_us, end_us


def _from_us(group: str, issued_us: int) -> int:
    found = _FROM.fullmatch(group)
    if found is None or int(found["minute"]) > 59:
        raise unreadable(
            group,
            "a change at a time is FM, day, hour and minute like FM181630",
            "定时变化写 FM、日、时、分，如 FM181630",
        )
    return _hour_us(found["day"] + found["hour"], group, issued_us) + int(found["minute"]) * 60 * US


def _hour_us(text: str, group: str, issued_us: int) -> int:
    """Return a day and hour, 24 being the next midnight, in the month of the issue or the next."""
    day, hour = int(text[:2]), int(text[2:])
    issued = datetime.fromtimestamp(issued_us // US, UTC)
    for months in (0, 1):
        year, month = divmod(issued.year * 12 + issued.month - 1 + months, 12)
        try:
            when_us = round(datetime(year, month + 1, day, tzinfo=UTC).timestamp()) * US + hour * _HOUR_US
        except ValueError:
            continue
        if hour <= 24 and when_us > issued_us - 24 * _HOUR_US:
            return when_us
    raise unreadable(group, "there is no such day or hour", "没有这个日期或小时")
