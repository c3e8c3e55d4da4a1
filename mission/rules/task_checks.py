"""What the rules say to a task before it has a way: when it may be flown, why not, and what would make it possible."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final

from mission.air.daylight import Daylight
from mission.air.sky import Sky, approvals_of
from mission.model import US, Airframe, Task, TaskKind, Weather, Window
from mission.patterns.footprint import camera_of, ground_pixel_m
from mission.plan import Refusal, Visit
from mission.rules.conditions import WEATHER_RULES, Breach, Conditions, Flight, measured_then, runs, waiting
from mission.rules.place_checks import PlaceChecks, height_of, highest_m
from mission.rules.refusals import Remedy, refusal
from mission.rules.rule_set import RuleSet

EARLIER_S: Final = 12 * 3600.0
LATER_S: Final = 36 * 3600.0
"""How far before and after its window another time is looked for."""


def allowed_windows(
    task: Task,
    window: Window,
    airframe: Airframe,
    *,
    sky: Sky,
    weather: Sequence[Weather],
    daylight: Daylight,
    rules: RuleSet,
    now_us: int,
    lasting_s: float = 0.0,
) -> tuple[tuple[Window, ...], list[Refusal]]:
    """Return the parts of a window in which the task may be begun with an airframe, and why not in the others.

    It must then last `lasting_s` without a rule being broken. A refusal's `window` is when its rule is broken; warnings take
    nothing away. About 1 ms a day of hourly forecasts.
    """
    asked = _Asked(task, airframe, sky, Conditions(weather=weather, daylight=daylight, rules=rules, now_us=now_us))
    return asked.allowed(window, lasting_s=lasting_s)


def check_task(
    task: Task,
    visit: Visit,
    airframe: Airframe,
    *,
    sky: Sky,
    weather: Sequence[Weather],
    daylight: Daylight,
    rules: RuleSet,
    now_us: int,
    lasting_s: float = 0.0,
) -> list[Refusal]:
    """Return why a visit cannot be flown with an airframe at all, and what is to be said of it (warnings).

    Rules that break at some times of its window only are no refusals: `allowed_windows` cuts them out.
    """
    asked = _Asked(task, airframe, sky, Conditions(weather=weather, daylight=daylight, rules=rules, now_us=now_us))
    said = [asked.refused(one, visit.visit_id) for one in asked.fixed(visit.window)]
    if visit.window.end_us <= now_us:
        numbers = {"until_clock": daylight.clock(visit.window.end_us, beside_us=now_us)}
        return [*said, asked.refused(Breach("past", "R-31", numbers), visit.visit_id, window=visit.window)]
    begins, timed = asked.allowed(visit.window, lasting_s=lasting_s, visit_id=visit.visit_id)
    if begins:
        timed = [one for one in timed if one.is_warning]
    return said + timed


@dataclass(frozen=True)
class _Asked:
    """A task, an airframe for it, and all that speaks against them."""

    task: Task
    airframe: Airframe
    sky: Sky
    conditions: Conditions

    @cached_property
    def place(self) -> PlaceChecks:
        """What of its place is closed."""
        return PlaceChecks(self.task, self.airframe, self.sky, self.conditions)

    @property
    def flight(self) -> Flight:
        """What weather and light ask."""
        return Flight(self.airframe, height_of(self.task, self.airframe) or 0.0, self.task.light, self.task.approval)

    def refused(self, breach: Breach, visit_id: int | None, *, window: Window | None = None) -> Refusal:
        """Return a breach as a person and a program read it."""
        return refusal(
            breach.key,
            breach.rule_id,
            breach.numbers,
            remedies=breach.remedies,
            is_warning=breach.is_warning,
            task_id=self.task.task_id,
            visit_id=visit_id,
            airframe_id=self.airframe.airframe_id,
            window=window,
        )

    def fixed(self, window: Window) -> list[Breach]:
        """Return the rules that it breaks at any time."""
        rules = self.conditions.rules
        found = [*self._height(), *self._equipment(), *self._approval(window), *self._weight(window)]
        return [one._replace(is_warning=rules.is_warning(one.rule_id)) for one in found if rules.is_on(one.rule_id)]

    def _height(self) -> Iterator[Breach]:
        rules, alt_agl_m = self.conditions.rules, height_of(self.task, self.airframe)
        if alt_agl_m is None:
            return
        most_m, least_m = highest_m(rules, self.airframe, self.task.approval), rules.number("R-02", "least_agl_m")
        numbers = {"alt_agl_m": alt_agl_m, "most_agl_m": most_m, "least_agl_m": least_m}
        if alt_agl_m > most_m:
            yield Breach(
                "too_high",
                "R-01",
                numbers,
                remedies=(Remedy("lower_task", {"alt_agl_m": most_m}, {"alt_agl_m": most_m}),),
            )
        elif alt_agl_m < least_m and self.task.alt_agl_m is not None:
            yield Breach(
                "too_low",
                "R-02",
                numbers,
                remedies=(Remedy("raise_task", {"alt_agl_m": least_m}, {"alt_agl_m": least_m}),),
            )
        elif alt_agl_m < least_m:
            pixel_m = math.ceil(ground_pixel_m(camera_of(self.airframe, self.task.camera), least_m) * 1e4) / 1e4
            numbers["ground_pixel_cm"] = (self.task.ground_pixel_m or 0.0) * 100.0
            remedy = Remedy("coarser", {"ground_pixel_cm": pixel_m * 100.0}, {"ground_pixel_m": pixel_m})
            yield Breach("too_fine", "R-26", numbers, remedies=(remedy,))

    def _equipment(self) -> Iterator[Breach]:
        has = [camera.name for camera in self.airframe.cameras]
        if height_of(self.task, self.airframe) is None or self._lacks_camera():
            numbers = {"airframe": self.airframe.name, "camera": self.task.camera, "cameras": ", ".join(has) or "-"}
            yield Breach(
                "no_camera",
                "R-26",
                numbers,
                remedies=tuple(Remedy("camera", {"camera": one}, {"camera": one}) for one in has[:1]),
            )

    def _lacks_camera(self) -> bool:
        return bool(self.task.camera) and not any(
            self.task.camera in {one.name, one.kind} for one in self.airframe.cameras
        )

    def _approval(self, window: Window) -> Iterator[Breach]:
        rules, approve = self.conditions.rules, self.conditions.approve(window.start_us)
        if approvals_of(self.task.approval):
            return
        if rules.says("R-04", "is_crowd_approved") and self.task.kind is TaskKind.EVENT:
            yield Breach("crowd", "R-04", {}, remedies=(approve,))
        elif rules.says("R-04", "is_network_link_approved"):
            yield Breach("network_link", "R-04", {}, remedies=(approve,))

    def _weight(self, window: Window) -> Iterator[Breach]:
        rules, frame = self.conditions.rules, self.airframe
        limits = {name: rules.number("R-06", name) for name in ("most_empty_kg", "most_takeoff_kg")}
        is_light = frame.empty_kg <= limits["most_empty_kg"] and frame.takeoff_kg <= limits["most_takeoff_kg"]
        if not is_light and not approvals_of(self.task.approval):
            numbers = {"empty_kg": frame.empty_kg, "takeoff_kg": frame.takeoff_kg, **limits}
            yield Breach(
                "too_heavy",
                "R-06",
                numbers,
                remedies=(Remedy("lighter", {}, self.conditions.approve(window.start_us).change),),
            )

    def allowed(
        self, window: Window, *, lasting_s: float, visit_id: int | None = None
    ) -> tuple[tuple[Window, ...], list[Refusal]]:
        """Return when it may be begun, and what breaks a rule when."""
        lasting_us = round(lasting_s * US)
        whole = Window(start_us=window.start_us, end_us=window.end_us + lasting_us)
        cells = [(cell, self.timed(cell)) for cell in self._cells(whole)]
        begins = _begins(cells, window, lasting_us)
        is_free = all(breach.is_warning for _, found in cells for breach in found)
        around = [] if is_free else self._cells_around(window, lasting_us)
        said = []
        for run in runs(cells):
            worst = max((breach for _, breach in run), key=lambda breach: breach.weight)
            during = Window(start_us=run[0][0].start_us, end_us=run[-1][0].end_us)
            if not worst.is_warning and worst.rule_id != "R-18":
                last_us = max(min(during.end_us, window.end_us), during.start_us)
                missed = Window(start_us=during.start_us, end_us=last_us)
                others = self._at_another_time(worst, missed, around, lasting_us)
                remedies = (*others, *worst.remedies)
                worst = worst._replace(remedies=remedies or waiting(worst.rule_id))
            said.append(self.refused(worst, visit_id, window=during))
        return begins, said

    def timed(self, cell: Window) -> list[Breach]:
        """Return the rules broken during a piece of time."""
        found = [*self.conditions.breaches(cell, self.flight), *self.place.breaches(cell)]
        return [one for one in found if self.conditions.rules.is_on(one.rule_id)]

    def _cells(self, window: Window) -> list[Window]:
        edges = [edge for zone in self.sky.zones for one in zone.windows for edge in (one.start_us, one.end_us)]
        return self.conditions.cells(window, edges)

    def _cells_around(self, window: Window, lasting_us: int) -> list[tuple[Window, list[Breach]]]:
        """Return what is broken when, from some hours before a window to a day after it, as soon as now."""
        first_us = max(self.conditions.now_us, window.start_us - round(EARLIER_S * US))
        last_us = window.end_us + round(LATER_S * US)
        if first_us >= last_us:
            return []
        return [
            (cell, self.timed(cell)) for cell in self._cells(Window(start_us=first_us, end_us=last_us + lasting_us))
        ]

    def _at_another_time(
        self, breach: Breach, missed: Window, around: Sequence[tuple[Window, list[Breach]]], lasting_us: int
    ) -> tuple[Remedy, ...]:
        """Return the nearest other time as a remedy, as long as what was missed where it can be.

        Weather that is not known is no better weather; for other rules it will do where no time with known weather is left.
        """
        if not around:
            return ()
        whole = Window(start_us=around[0][0].start_us, end_us=around[-1][0].end_us - lasting_us)
        times = _begins(_with_known_weather(around), whole, lasting_us)
        if not times and breach.rule_id not in WEATHER_RULES:
            times = _begins(around, whole, lasting_us)

        def away_us(one: Window) -> int:
            return max(missed.start_us - one.end_us, one.start_us - missed.end_us, 0)

        nearest = min(times, key=away_us, default=None)
        return () if nearest is None else (self._moved_to(nearest, breach, missed),)

    def _moved_to(self, time: Window, breach: Breach, missed: Window) -> Remedy:
        """Return the remedy of a visit at another time: the end of an earlier one, the beginning of a later one."""
        long_us = missed.end_us - missed.start_us
        is_before = time.start_us < missed.start_us and time.end_us < missed.end_us
        if is_before:
            chosen = Window(start_us=max(time.start_us, time.end_us - long_us), end_us=time.end_us)
        else:
            chosen = Window(start_us=time.start_us, end_us=min(time.end_us, time.start_us + long_us))
        zh, en = measured_then(breach.key, self.conditions.weather, chosen.start_us)
        clock = self.conditions.daylight.clock(chosen.start_us, beside_us=missed.start_us)
        change = {"start_us": chosen.start_us, "end_us": chosen.end_us}
        numbers: dict[str, float | str] = {"clock": clock, "then_zh": zh, "then_en": en}
        return Remedy("time_before" if is_before else "time_after", numbers, change)


def _with_known_weather(cells: Sequence[tuple[Window, list[Breach]]]) -> list[tuple[Window, list[Breach]]]:
    """Return the same with weather that is old or unknown counted as broken."""
    return [
        (cell, [one._replace(is_warning=False) if one.rule_id == "R-18" else one for one in found])
        for cell, found in cells
    ]


def _begins(cells: Sequence[tuple[Window, list[Breach]]], window: Window, lasting_us: int) -> tuple[Window, ...]:
    """Return the parts of a window in which something that lasts so long may be begun."""
    found = []
    for is_free, group in groupby(cells, key=lambda one: all(breach.is_warning for breach in one[1])):
        pieces = list(group)
        start_us = max(pieces[0][0].start_us, window.start_us)
        end_us = min(pieces[-1][0].end_us - lasting_us, window.end_us)
        if is_free and start_us < end_us:
            found.append(Window(start_us=start_us, end_us=end_us))
    return tuple(found)
