"""What weather and light say to a flight at a time: which rules break, by how much, and what else would do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

from mission import weather as weather_log
from mission.air.daylight import Daylight
from mission.model import US, Airframe, Light, Weather, Window
from mission.rules.refusals import Remedy, Told
from mission.rules.rule_set import RuleSet
from mission.weather import Timeline

WEATHER_RULES: Final = frozenset(f"R-{number}" for number in range(11, 19))
"""The rules of the weather itself and of its age."""
RAINPROOF: Final = Remedy("rainproof", {}, {"flies_in_rain": True})


class Breach(NamedTuple):
    """A rule that something breaks: its sentence and numbers, how badly, whether that is only said, and remedies besides time."""

    key: str
    rule_id: str
    numbers: Told
    weight: float = 0.0
    is_warning: bool = False
    remedies: tuple[Remedy, ...] = ()


class Flight(NamedTuple):
    """What of a task or sortie the weather and the light ask: the airframe, how high it goes, by which light, with which approval."""

    airframe: Airframe
    highest_agl_m: float
    light: Light = Light.ANY
    approval: str = ""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The weather log, the sun and the rules, as known at `now_us`."""

    weather: Sequence[Weather]
    daylight: Daylight
    rules: RuleSet
    now_us: int

    @cached_property
    def timeline(self) -> Timeline:
        """The weather by time."""
        return Timeline(self.weather)

    def cells(self, window: Window, edges_us: Sequence[int] = ()) -> list[Window]:
        """Return a window cut so that weather, light and the age of both are the same within each piece, at further edges too."""
        edges = {window.start_us, window.end_us, *edges_us}
        edges.update(self.timeline.changes_us(window.start_us, window.end_us))
        soon_us = self.now_us + round(self.rules.number("R-18", "soon_s") * US) + 1
        edges.add(soon_us)
        for rule_id in ("R-21", "R-22"):
            for part in self.daylight.windows(Light.DAY, window, border=self.rules.word(rule_id, "border")):
                edges |= {part.start_us, part.end_us}
        inner = sorted(edge for edge in edges if window.start_us <= edge <= window.end_us)
        pieces = [Window(start_us=start, end_us=end) for start, end in pairwise(inner)]
        return pieces or [window]

    def breaches(self, cell: Window, flight: Flight) -> list[Breach]:
        """Return the rules that a flight breaks in a piece of time that `cells` made."""
        now = self.timeline.at(cell.start_us)
        found = [*self._age(now, cell.start_us), *self._light(cell, flight)]
        if now is not None:
            found += _weather_breaches(now, flight, self.rules)
        return found

    def is_known(self, cell: Window) -> bool:
        """Tell whether nothing is to be said of the weather's age."""
        return not list(self._age(self.timeline.at(cell.start_us), cell.start_us))

    def _age(self, now: Weather | None, at_us: int) -> Iterator[Breach]:
        rules = self.rules
        most_s = rules.number("R-18", "most_age_s")
        is_soon = at_us <= self.now_us + rules.number("R-18", "soon_s") * US
        age_s = 0.0 if now is None else (self.now_us - now.observed_us) / US
        key, level = "", "off"
        if now is None or (not is_soon and weather_log.is_observation(now)):
            key, level = "unknown", rules.word("R-18", "unknown_level")
        elif is_soon and age_s > most_s:
            key, level = "stale", rules.word("R-18", "level")
        elif not is_soon and age_s > rules.number("R-18", "forecast_most_age_s"):
            most_s = rules.number("R-18", "forecast_most_age_s")
            key, level = "stale", rules.word("R-18", "ahead_level")
        if level == "off" or not rules.is_on("R-18"):
            return
        since_us = self.now_us - round(most_s * US)
        numbers = {"age_min": age_s / 60.0, "most_age_min": most_s / 60.0} if key == "stale" else {}
        clock = self.daylight.clock(since_us, beside_us=self.now_us)
        fresh = Remedy("observe", {"clock": clock}, {"observed_us": since_us})
        remedy = fresh if key == "stale" else Remedy("forecast", {}, {"observed_us": since_us, "from_us": at_us})
        yield Breach(key, "R-18", numbers, age_s, level == "warn", (remedy,))

    def _light(self, cell: Window, flight: Flight) -> Iterator[Breach]:
        rules, middle_us = self.rules, (cell.start_us + cell.end_us) // 2
        if flight.light is not Light.ANY and rules.is_on("R-21"):
            is_day = self.daylight.is_day(middle_us, border=rules.word("R-21", "border"))
            if is_day != (flight.light is Light.DAY):
                key = "not_by_night" if is_day else "not_by_day"
                free = Remedy("any_light", {}, {"light": Light.ANY.value})
                yield Breach(key, "R-21", {}, 0.0, rules.is_warning("R-21"), (free,))
        permit = rules.word("R-22", "permit")
        if permit == "always" or not rules.is_on("R-22"):
            return
        if self.daylight.is_day(middle_us, border=rules.word("R-22", "border")):
            return
        if permit == "never":
            yield Breach("night", "R-22", {}, 0.0, rules.is_warning("R-22"))
        elif not flight.approval:
            yield Breach("night_approval", "R-22", {}, 0.0, rules.is_warning("R-22"), (self.approve(middle_us),))

    def approve(self, at_us: int, number: str = "?") -> Remedy:
        """Return the remedy of an approval number for a flight at a time: until when the authority takes an application.

        Where that is over, the first day that may still be applied for is said. `number` is the one that a zone names, if any.
        """
        rules, zone = self.rules, self.daylight.zone
        hour, minute = (int(part) for part in rules.word("R-04", "apply_until").split(":"))
        days = timedelta(days=rules.number("R-04", "apply_days_before"))
        day = datetime.fromtimestamp(at_us // US, UTC).astimezone(zone).date()
        until_us = round(datetime.combine(day - days, time(hour, minute), zone).timestamp()) * US
        zh, en = rules.word("R-04", "authority_zh"), rules.word("R-04", "authority_en")
        clock = datetime.fromtimestamp(until_us // US, zone).strftime("%m-%d %H:%M")
        change: dict[str, float | str] = {"approval": number, "apply_until_us": until_us}
        if self.now_us <= until_us:
            told = {"apply_zh": f"须于 {clock} 前向{zh}申请", "apply_en": f"apply by {clock} to {en}"}
            return Remedy("approve", told, change)
        now = datetime.fromtimestamp(self.now_us // US, UTC).astimezone(zone)
        late = timedelta(days=0 if now.time() <= time(hour, minute) else 1)
        first = now.date() + days + late
        change["first_day_us"] = round(datetime.combine(first, time(), zone).timestamp()) * US
        told = {
            "apply_zh": f"{clock} 的申请时限已过，最早可向{zh}申请 {first:%m-%d} 的飞行",
            "apply_en": f"the time to apply ended {clock}; {first:%m-%d} is the first day to apply for to {en}",
        }
        return Remedy("approve", told, change)


def waiting(rule_id: str) -> tuple[Remedy, ...]:
    """Return what is left to do about weather that no other time, height or airframe answers."""
    return (Remedy("wait"),) if rule_id in WEATHER_RULES else ()


def _weather_breaches(now: Weather, flight: Flight, rules: RuleSet) -> list[Breach]:
    checks = (_wind, _gust, _rain, _visibility, _cloud, _temperature, _thunderstorm)
    found = [breach for check in checks for breach in check(now, flight, rules)]
    return [one._replace(is_warning=rules.is_warning(one.rule_id)) for one in found if rules.is_on(one.rule_id)]


def _wind(now: Weather, flight: Flight, rules: RuleSet) -> Iterator[Breach]:
    share, wind_mps = rules.number("R-11", "limit_ratio"), now.wind_mps
    limit_mps = flight.airframe.wind_limit_mps * share
    if wind_mps is not None and wind_mps > limit_mps:
        needed_mps = _up(wind_mps / share)
        other = Remedy("wind_limit", {"wind_limit_mps": needed_mps}, {"wind_limit_mps": needed_mps})
        yield Breach("wind", "R-11", {"wind_mps": wind_mps, "limit_mps": limit_mps}, wind_mps, remedies=(other,))


def _gust(now: Weather, flight: Flight, rules: RuleSet) -> Iterator[Breach]:
    share, gust_mps = rules.number("R-12", "limit_ratio"), weather_log.gust_of(now)
    limit_mps = flight.airframe.gust_limit_mps * share
    if gust_mps is not None and gust_mps > limit_mps:
        needed_mps = _up(gust_mps / share)
        other = Remedy("gust_limit", {"gust_limit_mps": needed_mps}, {"gust_limit_mps": needed_mps})
        yield Breach("gust", "R-12", {"gust_mps": gust_mps, "limit_mps": limit_mps}, gust_mps, remedies=(other,))


def _rain(now: Weather, flight: Flight, rules: RuleSet) -> Iterator[Breach]:
    rainproof_mmph = rules.number("R-13", "rainproof_most_mmph")
    most_mmph = rainproof_mmph if flight.airframe.flies_in_rain else rules.number("R-13", "most_mmph")
    if now.rain_mmph is not None and now.rain_mmph > most_mmph:
        others = () if now.rain_mmph > rainproof_mmph or flight.airframe.flies_in_rain else (RAINPROOF,)
        yield Breach(
            "rain", "R-13", {"rain_mmph": now.rain_mmph, "most_mmph": most_mmph}, now.rain_mmph, remedies=others
        )


def _visibility(now: Weather, _: Flight, rules: RuleSet) -> Iterator[Breach]:
    least_m = rules.number("R-14", "least_m")
    if now.visibility_m is not None and now.visibility_m < least_m:
        yield Breach("visibility", "R-14", {"visibility_m": now.visibility_m, "least_m": least_m}, -now.visibility_m)


def _cloud(now: Weather, flight: Flight, rules: RuleSet) -> Iterator[Breach]:
    clearance_m, base_m = rules.number("R-15", "clearance_m"), now.cloud_base_agl_m
    if base_m is None or base_m >= flight.highest_agl_m + clearance_m:
        return
    highest_m = float(int(base_m - clearance_m))
    lower = Remedy("lower_task", {"alt_agl_m": highest_m}, {"alt_agl_m": highest_m})
    yield Breach(
        "cloud",
        "R-15",
        {"cloud_base_agl_m": base_m, "alt_agl_m": flight.highest_agl_m, "clearance_m": clearance_m},
        -base_m,
        remedies=(lower,) if highest_m >= max(rules.number("R-02", "least_agl_m"), 1.0) else (),
    )


def _temperature(now: Weather, _: Flight, rules: RuleSet) -> Iterator[Breach]:
    lowest_c, highest_c = rules.number("R-16", "lowest_c"), rules.number("R-16", "highest_c")
    if now.temperature_c is None:
        return
    if now.temperature_c < lowest_c:
        yield Breach("cold", "R-16", {"temperature_c": now.temperature_c, "lowest_c": lowest_c}, -now.temperature_c)
    if now.temperature_c > highest_c:
        yield Breach("hot", "R-16", {"temperature_c": now.temperature_c, "highest_c": highest_c}, now.temperature_c)


def _thunderstorm(now: Weather, *_: object) -> Iterator[Breach]:
    if now.thunderstorm:
        yield Breach("thunderstorm", "R-17", {})


def _up(value_mps: float) -> float:
    """Return a limit rounded up to a tenth, so that what is said is enough."""
    return -(-round(value_mps * 10.0, 6) // 1) / 10.0


_MEASURES: Final[dict[str, tuple[Callable[[Weather], float | None], str, str]]] = {
    "wind": (lambda one: one.wind_mps, "风 {:.1f}", "wind {:.1f}"),
    "gust": (weather_log.gust_of, "阵风 {:.1f}", "gusts {:.1f}"),
    "rain": (lambda one: one.rain_mmph, "降水 {:.1f}", "rain {:.1f}"),
    "visibility": (lambda one: one.visibility_m, "能见度 {:.0f} m", "visibility {:.0f} m"),
    "cloud": (lambda one: one.cloud_base_agl_m, "云底高 {:.0f} m", "cloud base {:.0f} m"),
    "cold": (lambda one: one.temperature_c, "{:.0f} °C", "{:.0f} °C"),
    "hot": (lambda one: one.temperature_c, "{:.0f} °C", "{:.0f} °C"),
}


def measured_then(key: str, log: Sequence[Weather], at_us: int) -> tuple[str, str]:
    """Return what a breached measure is at another time, as the end of a sentence in Chinese and English; empty: not known."""
    then = weather_log.at(log, at_us)
    if then is None or key not in _MEASURES:
        return "", ""
    measure, zh, en = _MEASURES[key]
    value = measure(then)
    return ("", "") if value is None else ("，" + zh.format(value), ", " + en.format(value))


def runs(cells: Sequence[tuple[Window, list[Breach]]]) -> list[list[tuple[Window, Breach]]]:
    """Return the breaches of one kind in neighbouring pieces of time, in the order of their first."""
    found_runs: list[list[tuple[Window, Breach]]] = []
    for cell, found in cells:
        for breach in found:
            key = (breach.key, breach.numbers.get("zone"), breach.is_warning)
            for run in found_runs:
                last, before = run[-1]
                if (before.key, before.numbers.get("zone"), before.is_warning) == key and last.end_us == cell.start_us:
                    run.append((cell, breach))
                    break
            else:
                found_runs.append([(cell, breach)])
    return found_runs
