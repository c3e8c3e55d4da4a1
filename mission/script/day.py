"""A day planned on this machine, without a server: made of a script's words or a mission file, looked at and saved."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import shapely

from infra.clock import SYSTEM_CLOCK
from mission.air.terrain import FLAT, Ground, load_ground
from mission.checking import sound_part
from mission.days import day_window, local_time, zone_of
from mission.formats.plan_files import PlanFormat, read_file, write_plan, write_programme
from mission.formats.plan_files import ProgrammeFormat as FileOfProgramme
from mission.model import Airframe, Battery, Crew, Dock, Programme, Task, Weather, Window, Zone
from mission.plan import Plan, Refusal, Sortie
from mission.programme_items import FORMS, Item
from mission.schedule.routing.problem import Effort
from telemetry.model.errors import FileFormatError, InputError

ZONE: Final = "Asia/Shanghai"
USUAL_EFFORT_S: Final = 5.0
"""How long a plan is looked for where a script does not say it."""
_ONE_EACH: Final = (PlanFormat.PLAN, PlanFormat.WAYPOINTS, PlanFormat.KMZ)


class PlannedDay:
    """A plan with the programme that it was made of. `print` it for a table of who flies when."""

    def __init__(self, plan: Plan, programme: Programme) -> None:
        self.plan = plan
        self.programme = programme

    @property
    def sorties(self) -> tuple[Sortie, ...]:
        """The flights in the order of their take-off, spares that stay in their docks left out."""
        return tuple(sortie for sortie in self.plan.sorties if not sortie.is_standby)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What cannot be done, each with its rule, its numbers and what would make it possible."""
        return tuple(refusal for refusal in self.plan.refusals if not refusal.is_warning)

    def save(self, path: str | Path, *, sortie: Sortie | None = None) -> list[Path]:
        """Write it in the format of the file's ending; return the files.

        .plan, .waypoints and .kmz hold one sortie each: of several the second is written beside as NAME-2.plan and so on.
        .kml, .geojson, .gpx, .ics hold all; .yaml holds the programme, .json plan and programme. Raises InputError.
        """
        target = Path(path)
        ending = target.suffix.lower().removeprefix(".")
        if ending == "json":
            both = {"plan": self.plan, "programme": self.programme}
            return [_written(target, msgspec.json.format(msgspec.json.encode(both)))]
        if ending in {"yaml", "yml"}:
            return [_written(target, write_programme(self.programme, FileOfProgramme.YAML).data)]
        if ending not in set(PlanFormat):
            known = ", ".join([f".{one.value}" for one in PlanFormat] + [".yaml", ".json"])
            message = f"{target.name}: plans are saved as {known}"
            raise InputError(message)
        return self._saved(target, PlanFormat(ending), sortie)

    def _saved(self, target: Path, file_format: PlanFormat, only: Sortie | None) -> list[Path]:
        if file_format not in _ONE_EACH or only is not None:
            made = write_plan(
                self.plan, self.programme, file_format, sortie_id=None if only is None else only.sortie_id
            )
            return [_written(target, made.data)]
        flown = [sortie for sortie in self.sorties if sortie.waypoints]
        if not flown:
            message = f"{target.name}: the plan has no flight that could be saved; print(day) says why"
            raise InputError(message)
        files = []
        for number, sortie in enumerate(flown, 1):
            name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
            made = write_plan(self.plan, self.programme, file_format, sortie_id=sortie.sortie_id)
            files.append(_written(name, made.data))
        return files

    def __str__(self) -> str:
        """Return a table: take-off, landing, drone, battery left, tasks; then what cannot be done, and what is to be known."""
        names = {task.task_id: task.name_en or task.name_zh for task in self.programme.tasks}
        drones = {airframe.airframe_id: airframe.name for airframe in self.programme.airframes}
        lines = [
            f"{self._clock(sortie.takeoff_us)}  {self._clock(sortie.landing_us)}  {drones.get(sortie.airframe_id, '?'):<16} "
            f"{sortie.landing_battery_ratio:4.0%}  {', '.join(names.get(task_id, '?') for task_id in sortie.task_ids)}"
            f"{' (refused)' if sortie.is_refused else ''}"
            for sortie in self.sorties
        ]
        said = {True: "note", False: "not done"}
        told = [
            f"{said[each.is_warning]}: {_before(names.get(each.task_id or 0))}{each.reason_en} ({each.rule_id}): {each.remedy_en}"
            for each in sorted(self.plan.refusals, key=lambda each: each.is_warning)
        ]
        counts = f"{len(lines)} sorties, {len(self.refusals)} refusals, score {self.plan.score:.0f}"
        return "\n".join([self._title(), self._ground(), *lines, *dict.fromkeys(told), counts])

    def _title(self) -> str:
        starts = local_time(self.plan.window.start_us, zone_of(self.programme.zone))
        return f"from {starts:%Y-%m-%d %H:%M} to {self._clock(self.plan.window.end_us)}, {self.programme.zone}"

    def _ground(self) -> str:
        return f"terrain: {self.plan.terrain or 'flat'}"

    def _clock(self, at_us: int) -> str:
        return f"{local_time(at_us, zone_of(self.programme.zone)):%H:%M}"


def load(path: str | Path) -> Programme:
    """Return the programme of a mission file (YAML), or what a file of another tool brings. Raises FileFormatError."""
    source = Path(path)
    try:
        return read_file(source.read_bytes(), source.name, now_us=SYSTEM_CLOCK.now_us()).programme
    except OSError as error:
        message = f"{source}: {error.strerror}"
        raise FileFormatError(message) from error


def plan(
    *things: Programme | Item,
    day: str | date | None = None,
    zone: str | None = None,
    effort_s: float | None = None,
    iterations: int | None = None,
    seed: int = 1,
    window: Window | None = None,
    terrain: str | Path | None = None,
) -> PlannedDay:
    """Return the plan of a day (today by default) for tasks, docks, drones, zones and weather, or for a whole programme.

    `zone` is the tz database's name of the place. With `iterations` the same script gives the same plan on every machine.
    `terrain` is a raster of the ground's heights (.asc or .npz, see docs/rules.md), over which heights are kept; without one
    the ground is taken as flat. Raises FileFormatError for a file that is none or reaches nothing of it, InputError for what cannot be planned at all; what of it cannot be done stands in `refusals`.
    """
    from mission.planner import plan_day  # the solvers: seconds that commands without a plan need not wait

    programme = programme_of_things(things, zone)
    now_us = SYSTEM_CLOCK.now_us()
    wanted = window or day_window(_date(day, now_us, programme.zone), zone_of(programme.zone))
    now_us = now_us if now_us < wanted.end_us else wanted.start_us
    programme = _with_present_weather(programme, wanted, now_us)
    ground = FLAT if terrain is None else ground_for(programme, Path(terrain))
    effort = Effort(within_s=None if iterations else effort_s or USUAL_EFFORT_S, iterations=iterations, seed=seed)
    return PlannedDay(plan_day(programme, wanted, now_us=now_us, effort=effort, ground=ground), programme)


def ground_for(programme: Programme, path: Path) -> Ground:
    """Return the ground of a raster file. Raises FileFormatError for a wrong one, and where no dock and no task lies in it."""
    ground = load_ground(path)
    sound, _ = sound_part(programme)
    shapes = [shapely.geometry.shape(task.geometry) for task in sound.tasks]
    lonlat = np.array([*((dock.lon_deg, dock.lat_deg) for dock in sound.docks), *shapely.get_coordinates(shapes)])
    if len(lonlat) and np.isnan(ground.heights_m(lonlat[:, 1], lonlat[:, 0])).all():
        lon_deg, lat_deg = lonlat[0]
        message = (
            f"{path} has no height of any dock or task: it reaches from {ground.bounds}, and they lie about {lat_deg:.4f}, "
            f"{lon_deg:.4f}; cut out that place (gdalwarp -te), in degrees of WGS-84 (gdalwarp -t_srs EPSG:4326)"
        )
        raise FileFormatError(message)
    return ground


def programme_of_things(things: Sequence[object], zone: str | None) -> Programme:
    """Return one programme of a script's words, numbered from 1 in their order. Raises InputError for what is none of them."""
    whole = [one for one in things if isinstance(one, Programme)]
    items: list[Item] = []
    for one in things:
        if isinstance(one, Task | Airframe | Dock | Battery | Crew | Zone | Weather):
            items.append(one)
        elif not isinstance(one, Programme):  # scripts are not always checked by mypy
            message = (
                f"{one!r} is nothing that is planned with: give tasks, docks, drones, zones, weather or a programme"
            )
            raise InputError(message)
    if len(whole) > 1:
        raise InputError("several programmes at once: plan one, or join their items")
    base = whole[0] if whole else Programme(zone=zone or ZONE)
    numbered = _numbered(items, base)
    fields = {
        form.field: (*getattr(base, form.field), *(one for one in numbered if type(one) is form.struct))
        for form in FORMS.values()
    }
    return msgspec.structs.replace(base, zone=zone or base.zone, **fields)


def _numbered(items: Iterable[Item], base: Programme) -> list[Item]:
    """Return tasks and zones with numbers beyond those of a programme; what stands at docks has its own already."""
    task_ids = count(1 + max((task.task_id for task in base.tasks), default=0))
    zone_ids = count(1 + max((zone.zone_id for zone in base.zones), default=0))
    found: list[Item] = []
    for item in items:
        if isinstance(item, Task) and not item.task_id:
            found.append(msgspec.structs.replace(item, task_id=next(task_ids)))
        elif isinstance(item, Zone) and not item.zone_id:
            found.append(msgspec.structs.replace(item, zone_id=next(zone_ids)))
        else:
            found.append(item)
    return found


def _with_present_weather(programme: Programme, window: Window, now_us: int) -> Programme:
    """Return the programme with weather of a script, which tells no time, as told now for the window."""
    weather = tuple(
        one
        if one.observed_us
        else msgspec.structs.replace(one, observed_us=now_us, from_us=min(now_us, window.start_us))
        for one in programme.weather
    )
    return msgspec.structs.replace(programme, weather=weather)


def _date(day: str | date | None, now_us: int, zone: str) -> date:
    if day is None:
        return local_time(now_us, zone_of(zone)).date()
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        message = f"day {day!r}: write it like 2026-09-19"
        raise InputError(message) from error


def _before(name: str | None) -> str:
    return f"{name}: " if name else ""


def _written(path: Path, data: bytes) -> Path:
    try:
        path.write_bytes(data)
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise InputError(message) from error
    return path
