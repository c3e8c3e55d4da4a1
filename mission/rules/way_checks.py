"""What the rules say to a sortie's way: its height, the zones that it meets, its battery, its distance, the way home."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import shapely

from mission.air.daylight import Daylight
from mission.air.sky import Offence, approvals_of
from mission.model import US, Zone, ZoneKind
from mission.plan import Sortie
from mission.rules.conditions import Breach, Conditions
from mission.rules.place_checks import highest_m, hours_of
from mission.rules.refusals import Remedy, Told
from mission.rules.remedies import remedied_sortie
from mission.rules.ways_out import Course, detour, length_m, shorter
from telemetry.model.geodesy import Floats

_MOVING_M: Final = 0.5
_ROUNDING_M: Final = 1e-6


@dataclass(frozen=True)
class WayChecks:
    """A sortie's course, what is known of the day, and how to see a sortie that a remedy changed: (offences of it)."""

    course: Course
    conditions: Conditions
    offences: Callable[[Sortie], list[Offence]]
    shifts_us: tuple[int, int]
    """How much earlier (negative) and later it may be for its visits."""

    def breaches(self) -> Iterator[Breach]:
        """Yield the rules that the way breaks."""
        for check in (self._height, self._zones, self._battery, self._home, self._distance):
            yield from check()

    def _height(self) -> Iterator[Breach]:
        path, rules, sortie = self.course.path, self.conditions.rules, self.course.sortie
        most_m, least_m = highest_m(rules, self.course.airframe, sortie.approval), rules.number("R-02", "least_agl_m")
        over_m = ceil(path.highest_agl_m - most_m - _ROUNDING_M)
        if over_m > 0:
            numbers = {"alt_agl_m": path.highest_agl_m, "most_agl_m": most_m}
            yield Breach("too_high", "R-01", numbers, remedies=(_by("lower", over_m),))
        moving = np.hypot(*np.diff(path.places, axis=0).T) > _MOVING_M
        lowest = np.minimum(path.alt_agl_m[:-1], path.alt_agl_m[1:])[moving]
        under_m = ceil(least_m - float(lowest.min()) - _ROUNDING_M) if len(lowest) else 0
        if under_m > 0:
            numbers = {"alt_agl_m": float(lowest.min()), "least_agl_m": least_m}
            yield Breach("too_low", "R-02", numbers, remedies=(_by("raise", under_m),))

    def _zones(self) -> Iterator[Breach]:
        found = self.offences(self.course.sortie)
        for name in dict.fromkeys(one.zone.name for one in found):
            mine = [one for one in found if one.zone.name == name]
            zone = mine[0].zone
            rule_id = "R-04" if zone.kind is ZoneKind.RESTRICTED else "R-03"
            key = {ZoneKind.RESTRICTED: "restricted", ZoneKind.KEEP_IN: "strays"}.get(zone.kind, "crosses")
            inside_m = sum(length_m(one.line) for one in mine)
            numbers: dict[str, float | str] = {
                "zone": zone.name,
                "inside_m": inside_m,
                **hours_of(zone, mine[0].window, self.conditions.daylight),
            }
            yield Breach(
                key,
                rule_id,
                numbers,
                inside_m,
                remedies=tuple(self._past_zone(mine, rule_id)) or (Remedy("no_way_round"),),
            )

    def _past_zone(self, offences: list[Offence], rule_id: str) -> Iterator[Remedy]:
        """Yield what takes a sortie past a zone: round it, at another time, or with a number; each tried before it is told."""
        zone, sortie = offences[0].zone, self.course.sortie
        if rule_id == "R-04":
            number = min(approvals_of(zone.approval), default="?")
            yield self.conditions.approve(sortie.takeoff_us, number)
        least_ratio = self.conditions.rules.number("R-07", "least_ratio")
        for remedy in (*detour(self.course, least_ratio), *self._other_times(offences)):
            changed = remedied_sortie(sortie, remedy.change)
            if changed is not None and not any(one.zone == zone for one in self.offences(changed)):
                yield remedy

    def _other_times(self, offences: list[Offence]) -> Iterator[Remedy]:
        zone, sortie = offences[0].zone, self.course.sortie
        if not zone.windows or zone.kind is ZoneKind.KEEP_IN:
            return
        first_us = min(one.window.start_us for one in offences)
        last_us = max(one.window.end_us for one in offences)
        met = [one for one in zone.windows if one.start_us < last_us and first_us < one.end_us]
        later_us = max(one.end_us for one in met) - first_us + US
        earlier_us = last_us - min(one.start_us for one in met) + US
        takeoff_us = sortie.takeoff_us
        shifts = [to_minute_us(takeoff_us, later_us), to_minute_us(takeoff_us, -earlier_us)]
        for shift_us in sorted((one for one in shifts if self._may_shift(one)), key=abs):
            yield shift_remedy(sortie, shift_us, self.conditions.daylight)

    def _may_shift(self, shift_us: int) -> bool:
        is_past = self.course.sortie.takeoff_us + shift_us < self.conditions.now_us
        return not is_past and self.shifts_us[0] <= shift_us <= self.shifts_us[1]

    def _battery(self) -> Iterator[Breach]:
        ratio, least_ratio = (
            self.course.sortie.landing_battery_ratio,
            self.conditions.rules.number("R-07", "least_ratio"),
        )
        if ratio < least_ratio:
            numbers = {"landing_pct": ratio * 100.0, "least_pct": least_ratio * 100.0}
            yield Breach("reserve", "R-07", numbers, -ratio, remedies=tuple(shorter(self.course, least_ratio)))

    def _home(self) -> Iterator[Breach]:
        """Yield where the straight way home after link loss is closed."""
        rules, course = self.conditions.rules, self.course
        if rules.word("R-08", "action") != "return" or not course.sky.zones:
            return
        height_m = course.sortie.transit_alt_home_m
        space = course.sky.space(
            course.path.window, floor_agl_m=height_m, ceiling_agl_m=height_m, approval=course.sortie.approval
        )
        free = space.sees(course.places, course.home)
        if free.all():
            return
        line = np.stack((course.places[int(np.flatnonzero(~free)[0])], course.home))
        zone = max(course.sky.zones, key=lambda one: _crossed_m(course, one, line))
        hold = Remedy("hold", {}, {"rule_id": "R-08", "action": "hold"})
        yield Breach("way_home", "R-08", {"zone": zone.name}, float((~free).sum()), remedies=(hold,))

    def _distance(self) -> Iterator[Breach]:
        most_m = self.conditions.rules.number("R-09", "most_away_m")
        away_m = float(np.hypot(*(self.course.places - self.course.home).T).max())
        if away_m > most_m:
            near = Remedy("nearer", {"most_away_m": most_m}, {"most_away_m": most_m})
            yield Breach("too_far", "R-09", {"away_m": away_m, "most_away_m": most_m}, away_m, remedies=(near,))


def to_minute_us(takeoff_us: int, shift_us: int) -> int:
    """Return a shift that ends on a whole minute, as far as or farther than asked, so that what is told is enough."""
    at_us = takeoff_us + shift_us
    minute_us = 60 * US
    whole_us = at_us // minute_us * minute_us if shift_us < 0 else -(-at_us // minute_us) * minute_us
    return whole_us - takeoff_us


def shift_remedy(sortie: Sortie, shift_us: int, daylight: Daylight) -> Remedy:
    """Return the remedy of taking off at another time."""
    takeoff_us = sortie.takeoff_us + shift_us
    clock = daylight.clock(takeoff_us, beside_us=sortie.takeoff_us)
    if shift_us < 0:
        numbers: Told = {"earlier_min": -shift_us / US / 60.0, "clock": clock}
        return Remedy("take_off_earlier", numbers, {"takeoff_us": takeoff_us})
    return Remedy("take_off_later", {"later_min": shift_us / US / 60.0, "clock": clock}, {"takeoff_us": takeoff_us})


def _by(verb: str, metres: int) -> Remedy:
    return Remedy(f"{verb}_way", {f"{verb}_m": float(metres)}, {f"{verb}_m": float(metres)})


def _crossed_m(course: Course, zone: Zone, line: Floats) -> float:
    """Return how far a straight way leads through a zone, or outside of one that must be kept in."""
    inside_m = float(shapely.length(shapely.LineString(line).intersection(course.sky.area(zone))))
    return length_m(line) - inside_m if zone.kind is ZoneKind.KEEP_IN else inside_m
