"""What the rules say to a sortie: its way, the weather and light it flies in, its visits' windows, its crew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from mission.air.daylight import Daylight
from mission.air.draping import dock_level_m
from mission.air.flight_path import path_of
from mission.air.sky import Offence, Sky
from mission.air.terrain import FLAT, Ground
from mission.deconflict.moves import begins_us, delayed
from mission.model import US, Airframe, Crew, Dock, Task, Weather, Window
from mission.plan import Refusal, Sortie, Visit
from mission.rules.conditions import Breach, Conditions, Flight, measured_then, runs, waiting
from mission.rules.refusals import Remedy, Told, refusal
from mission.rules.rule_set import RuleSet
from mission.rules.way_checks import WayChecks, shift_remedy, to_minute_us
from mission.rules.ways_out import Course
from telemetry.model.geodesy import LocalPlane

EARLIER_US, LATER_US = 12 * 3600 * US, 36 * 3600 * US
_STEP_US = 60 * US


def check_sortie(
    sortie: Sortie,
    airframe: Airframe,
    *,
    dock: Dock | None,
    sky: Sky,
    weather: Sequence[Weather],
    daylight: Daylight,
    rules: RuleSet,
    now_us: int,
    tasks: Sequence[Task] = (),
    visits: Sequence[Visit] = (),
    ground: Ground = FLAT,
    crew: Crew | None = None,
    crew_sorties: Sequence[Sortie] = (),
    start_ratio: float = 1.0,
) -> list[Refusal]:
    """Return what speaks against a sortie, refusals before warnings; empty: it may be flown.

    `tasks` and `visits` are those that it serves (others are left aside), `crew_sorties` all that its crew flies, `start_ratio`
    what its battery holds at take-off. About 2 ms without zones, 10 ms with.
    """
    scene = _Scene(
        airframe=airframe,
        dock=dock,
        sky=sky,
        ground=ground,
        conditions=Conditions(weather=weather, daylight=daylight, rules=rules, now_us=now_us),
        tasks=tasks,
        visits=[visit for visit in visits if visit.visit_id in sortie.visit_ids],
        crew=crew,
        crew_sorties=crew_sorties,
        start_ratio=start_ratio,
    )
    found = scene.breaches(sortie)
    kept = [(one, window) for one, window in found if rules.is_on(one.rule_id)]
    said = [
        refusal(
            one.key,
            one.rule_id,
            one.numbers,
            remedies=one.remedies,
            is_warning=one.is_warning or rules.is_warning(one.rule_id),
            task_id=sortie.task_ids[0] if sortie.task_ids else None,
            visit_id=sortie.visit_ids[0] if sortie.visit_ids else None,
            airframe_id=airframe.airframe_id,
            window=window,
        )
        for one, window in kept
    ]
    return sorted(said, key=lambda one: one.is_warning)


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """All that a sortie is held against."""

    airframe: Airframe
    dock: Dock | None
    sky: Sky
    ground: Ground
    conditions: Conditions
    tasks: Sequence[Task]
    visits: Sequence[Visit]
    crew: Crew | None
    crew_sorties: Sequence[Sortie]
    start_ratio: float

    def breaches(self, sortie: Sortie) -> list[tuple[Breach, Window]]:
        """Return the rules that a sortie breaks, with when."""
        whole = Window(start_us=sortie.takeoff_us, end_us=max(sortie.landing_us, sortie.takeoff_us + 1))
        if sortie.is_standby or not sortie.waypoints:
            return [(one, whole) for one in self._crew(sortie)]
        path = path_of(sortie, plane=self.sky.plane, dock=self.dock, ground=self.ground, airframe=self.airframe)
        course = Course(sortie, self.airframe, self.dock, self.sky, path, self.start_ratio)
        way = WayChecks(course, self.conditions, self._offences, self._shifts_us(sortie))
        found = [*way.breaches(), *self._windows(sortie), *self._crew(sortie)]
        return [(one, whole) for one in found] + self._in_weather(sortie, path.highest_agl_m, whole)

    def _offences(self, sortie: Sortie) -> list[Offence]:
        path = path_of(sortie, plane=self.sky.plane, dock=self.dock, ground=self.ground, airframe=self.airframe)
        return self.sky.offences(path, approval=sortie.approval)

    def _shifts_us(self, sortie: Sortie) -> tuple[int, int]:
        """Return how much earlier and later it may be for all of its visits to begin within their windows."""
        begins = begins_us(sortie, self.visits)
        windows = {visit.visit_id: visit.window for visit in self.visits}
        earliest = max((windows[one].start_us - at_us for one, at_us in begins.items()), default=-EARLIER_US)
        latest = min((windows[one].end_us - at_us for one, at_us in begins.items()), default=LATER_US)
        return earliest, latest

    def _in_weather(self, sortie: Sortie, highest_agl_m: float, whole: Window) -> list[tuple[Breach, Window]]:
        """Return what weather and light break, told once for each run of time."""
        flight = Flight(self.airframe, highest_agl_m, approval=sortie.approval)
        cells = [(cell, self.conditions.breaches(cell, flight)) for cell in self.conditions.cells(whole)]
        found = []
        for run in runs(cells):
            worst = max((breach for _, breach in run), key=lambda breach: breach.weight)
            if worst.rule_id != "R-18":
                others = tuple(self._other_times(worst.key, sortie, flight))
                remedies = (*others, *_for_way(worst.remedies, highest_agl_m))
                worst = worst._replace(remedies=remedies or waiting(worst.rule_id))
            found.append((worst, Window(start_us=run[0][0].start_us, end_us=run[-1][0].end_us)))
        return found

    def _other_times(self, key: str, sortie: Sortie, flight: Flight) -> Iterator[Remedy]:
        """Yield the nearest take-off at which all of the sortie is free, within its visits' windows if there is one."""
        long_us = sortie.landing_us - sortie.takeoff_us
        first_us = max(self.conditions.now_us, sortie.takeoff_us - EARLIER_US)
        horizon = Window(start_us=first_us, end_us=sortie.landing_us + LATER_US)
        if horizon.start_us >= horizon.end_us:
            return
        shifts = []
        for start_us, end_us in self._free_spans(horizon, flight):
            if end_us - start_us > long_us:
                nearest = min(max(sortie.takeoff_us, start_us), end_us - long_us - US)
                shift_us = nearest - sortie.takeoff_us
                shifts += [to_minute_us(sortie.takeoff_us, shift_us), shift_us]
        low_us, high_us = self._shifts_us(sortie)
        for shift_us in sorted(shifts, key=lambda one: (not low_us <= one <= high_us, abs(one))):
            if self._is_free(delayed(sortie, shift_us), flight):
                remedy = shift_remedy(sortie, shift_us, self.conditions.daylight)
                zh, en = measured_then(key, self.conditions.weather, sortie.takeoff_us + shift_us)
                told = dict(remedy.numbers) | {"clock": f"{remedy.numbers['clock']}", "then_zh": zh, "then_en": en}
                yield Remedy("time_before" if shift_us < 0 else "time_after", told, remedy.change)
                return

    def _free_spans(self, horizon: Window, flight: Flight) -> Iterator[tuple[int, int]]:
        """Yield the spans in which weather that is known and light allow it."""
        start_us: int | None = None
        for cell in self.conditions.cells(horizon):
            is_free = not self.conditions.breaches(cell, flight)
            if is_free and start_us is None:
                start_us = cell.start_us
            elif not is_free and start_us is not None:
                yield start_us, cell.start_us
                start_us = None
        if start_us is not None:
            yield start_us, horizon.end_us

    def _is_free(self, sortie: Sortie, flight: Flight) -> bool:
        window = Window(start_us=sortie.takeoff_us, end_us=sortie.landing_us)
        return not any(
            not breach.is_warning
            for cell in self.conditions.cells(window)
            for breach in self.conditions.breaches(cell, flight)
        )

    def _windows(self, sortie: Sortie) -> Iterator[Breach]:
        """Yield the visits that are not begun within their windows."""
        clock, begins = self.conditions.daylight.clock, begins_us(sortie, self.visits)
        ends = {task.task_id: max((one.end_us for one in task.windows), default=None) for task in self.tasks}
        for visit in self.visits:
            begin_us = begins.get(visit.visit_id)
            if begin_us is None:
                continue
            ended_us = ends.get(visit.task_id)
            delete = Remedy("delete", {}, {"delete_sortie_id": sortie.sortie_id})
            if ended_us is not None and begin_us > ended_us:
                yield Breach("over", "R-31", {"until_clock": clock(ended_us, beside_us=begin_us)}, remedies=(delete,))
                continue
            is_there_at_start = sortie.on_watch is not None and sortie.on_watch.end_us > visit.window.start_us
            if begin_us <= visit.window.end_us and (begin_us >= visit.window.start_us or is_there_at_start):
                continue
            is_early = begin_us < visit.window.start_us
            shift_us = visit.window.start_us - begin_us if is_early else visit.window.end_us - begin_us
            low_us, high_us = self._shifts_us(sortie)
            if low_us <= high_us:
                shift_us = min(max(shift_us, low_us), high_us)
                whole_us = to_minute_us(sortie.takeoff_us, shift_us)
                shift_us = whole_us if low_us <= whole_us <= high_us else shift_us
            is_past = sortie.takeoff_us + shift_us < self.conditions.now_us
            remedy = delete if is_past else shift_remedy(sortie, shift_us, self.conditions.daylight)
            numbers: dict[str, float | str] = {
                "begin_clock": clock(begin_us, beside_us=visit.window.start_us),
                "since_clock": clock(visit.window.start_us),
                "until_clock": clock(visit.window.end_us, beside_us=visit.window.start_us),
            }
            yield Breach("early" if is_early else "late", "R-31", numbers, remedies=(remedy,))

    def _crew(self, sortie: Sortie) -> Iterator[Breach]:
        """Yield what speaks against its crew: their shift, how many they fly at once and for how long."""
        crew, rules = self.crew, self.conditions.rules
        if crew is None:
            return
        other = Remedy("another_crew", {}, {"crew_id": "?"})
        on_shift = [one for one in crew.shifts if one.start_us <= sortie.takeoff_us and sortie.landing_us <= one.end_us]
        if crew.shifts and not on_shift:
            yield Breach("off_shift", "R-25", {"crew": crew.name}, remedies=(other,))
        flown = {one.sortie_id: one for one in (*self.crew_sorties, sortie) if not one.is_standby}.values()
        at_once = max(
            sum(two.takeoff_us <= one.takeoff_us < two.landing_us for two in flown)
            for one in (*flown, sortie)
            if sortie.takeoff_us <= one.takeoff_us < sortie.landing_us
        )
        if at_once > crew.drone_count:
            drones: Told = {
                "crew": crew.name,
                "drone_count": float(at_once),
                "most_drone_count": float(crew.drone_count),
            }
            yield Breach("overbooked", "R-25", drones, remedies=(other,))
        flight_s, most_s = _airborne_s(flown, on_shift), rules.number("R-25", "most_flight_s")
        if flight_s > most_s:
            flown_h: Told = {"crew": crew.name, "flight_h": flight_s / 3600.0, "most_flight_h": most_s / 3600.0}
            yield Breach("tired", "R-25", flown_h, remedies=(other,))
        duty_s, most_duty_s = (
            max((one.end_us - one.start_us for one in on_shift), default=0) / US,
            rules.number("R-25", "most_duty_s"),
        )
        if duty_s > most_duty_s:
            duty_h: Told = {"crew": crew.name, "duty_h": duty_s / 3600.0, "most_duty_h": most_duty_s / 3600.0}
            yield Breach("long_duty", "R-25", duty_h, remedies=(other,))


def _airborne_s(sorties: Iterable[Sortie], shifts: Sequence[Window]) -> float:
    """Return for how long at least one of the sorties is in the air during a shift."""
    spans = sorted(
        (one.takeoff_us, one.landing_us)
        for one in sorties
        if not shifts or any(two.start_us <= one.takeoff_us < two.end_us for two in shifts)
    )
    total_us, reached_us = 0, 0
    for start_us, end_us in spans:
        total_us += max(end_us - max(start_us, reached_us), 0)
        reached_us = max(reached_us, end_us)
    return total_us / US


def _for_way(remedies: tuple[Remedy, ...], highest_agl_m: float) -> Iterator[Remedy]:
    """Yield remedies of a task as those of a way: a lower height is told as by how much."""
    for one in remedies:
        if one.key == "lower_task":
            lower_m = highest_agl_m - float(one.change["alt_agl_m"])
            yield Remedy("lower_way", {"lower_m": lower_m}, {"lower_m": lower_m})
        else:
            yield one


def check_ground(
    sorties: Sequence[Sortie], *, docks: Sequence[Dock], ground: Ground, rules: RuleSet, plane: LocalPlane
) -> list[Refusal]:
    """Return what is to be said once of a plan's heights: that the ground is taken as flat, or that ways leave the terrain."""
    if not rules.is_on("R-33") or not any(one.waypoints for one in sorties):
        return []
    load = Remedy("terrain", {}, {"terrain": "?"})
    flying = [one for one in sorties if one.waypoints]
    is_warning = rules.is_warning("R-33")
    if ground.is_flat:
        levels = [dock.ground_msl_m for dock in docks if dock.ground_msl_m is not None]
        highest_m = max(way.alt_home_m for one in flying for way in one.waypoints)
        apart_m = max(levels) - min(levels) if levels else 0.0
        key = "uneven_docks" if apart_m >= 1.0 else "flat_ground"
        numbers = {"alt_home_m": highest_m, "apart_m": apart_m}
        return [refusal(key, "R-33", numbers, remedies=(load,), is_warning=is_warning)]
    said = []
    used = {one.dock_id for one in flying}
    unknown = [dock for dock in docks if dock.dock_id in used and isnan(dock_level_m(dock, ground))]
    if unknown:
        level = Remedy("dock_level", {}, {"dock_id": float(unknown[0].dock_id), "ground_msl_m": "?"})
        names: Told = {"docks": ", ".join(dock.name for dock in unknown), "terrain": ground.name}
        said.append(refusal("dock_off_terrain", "R-33", names, remedies=(level, load), is_warning=is_warning))
    outside = 0
    for one in flying:
        path = path_of(one, plane=plane, ground=ground)
        at_waypoints = path.places[path.waypoint >= 0]
        lat, lon = plane.from_plane(at_waypoints[:, 0], at_waypoints[:, 1])
        heights = ground.heights_m(lat, lon)
        outside += int((heights != heights).sum())  # NaN alone differs from itself
    if not outside:
        return said
    numbers_outside: dict[str, float | str] = {"outside_count": float(outside), "terrain": ground.name}
    return [*said, refusal("off_terrain", "R-33", numbers_outside, remedies=(load,), is_warning=is_warning)]
