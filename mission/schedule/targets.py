"""What may be flown: each task's pattern in parts that one battery flies, each wanted visit of each part with its prize."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely

from mission.airspace import CALM, Wind
from mission.model import US, Airframe, Task, TaskKind, Window, ZoneKind
from mission.patterns.choose import pattern_of
from mission.patterns.flown import Pattern
from mission.patterns.footprint import filmed_mps
from mission.patterns.splitting import split
from mission.plan import Visit
from mission.schedule.permits import Permit
from mission.schedule.scene import Scene
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

WATCHED_KINDS: Final = frozenset({TaskKind.EVENT, TaskKind.STREETS})
"""Tasks that somebody is at all the time; a patrol of streets has a part for each of its walks."""
PRIZE_OF_ONE: Final = 100
"""The prize of a visit of priority 0; each step of priority is worth `PRIORITY_FACTOR` more."""
PRIORITY_FACTOR: Final = 1.6
_SOON_S: Final = ((600.0, 1.0), (1800.0, 0.7), (math.inf, 0.4))
"""What is left of a search's prize when it begins later."""
_STOP_S: Final = 5.0
_NONE_READY: Final = (
    "there is no airframe that is ready: give one, or set one ready",
    "没有可用的无人机：添加一架，或把一架设为可用",
)
_PARTS_OF_VISIT: Final = 1000
_SHORT_SHARE: Final = 0.5
WAY_PLACES: Final = 8
"""How many waypoints are kept for the ways there and home."""
_USABLE_SHARE: Final = 0.97
"""Of a battery's usable time a part is made so long, so that a little wind or waiting does not break it."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a task's pattern, flown in one sortie; `service_s` by kind of airframe, inf for those that cannot."""

    task: Task
    number: int
    part_count: int
    pattern: Pattern
    service_s: tuple[float, ...]
    share: float = 1.0
    """How much of its task's visit it is, by time."""
    wind: Wind = CALM
    """What it is reckoned and flown with: that of the hours in which the task is wanted."""

    @property
    def prize(self) -> int:
        """Return what it is worth when it is flown in time."""
        return max(round(PRIZE_OF_ONE * PRIORITY_FACTOR**self.task.priority * self.share), 1)

    @property
    def start(self) -> Floats:
        """Where it begins, (2,) in the plane."""
        return np.asarray(self.pattern.places[0], np.float64)

    @property
    def end(self) -> Floats:
        """Where it ends."""
        return np.asarray(self.pattern.places[-1], np.float64)


@dataclass(frozen=True, eq=False)
class Target:
    """One part of one visit: begun from `from_s` to `until_s` (seconds from the plan's zero), worth `prize`.

    Of targets with the same `group` one is enough.
    """

    visit: Visit
    part: Part
    from_s: float
    until_s: float
    prize: int
    group: int | None = None
    kinds: frozenset[int] | None = None
    """The kinds of airframe that may do it then; None: all that can."""


def parts_of(task: Task, scene: Scene, window: Window) -> tuple[Part, ...]:
    """Return a task's pattern in parts that a battery flies, from the nearest dock of an airframe that can.

    Raises InputError where no airframe that is ready can fly it, with what the best of them says.
    """
    wind = scene.wind_in(window)
    patterns, errors = _patterns(task, scene, window)
    if not patterns:
        raise errors[0] if errors else InputError(*_NONE_READY)
    chosen = min(patterns, key=lambda number: (patterns[number].swath_m, patterns[number].alt_agl_m, number))
    pattern = patterns[chosen]
    able = {number for number, other in patterns.items() if _sees_as_well(other, pattern)}
    home, limit_s = _nearest(scene, able, pattern)
    _check_open(scene, home)
    airframe = scene.kinds[chosen]
    limit_s -= scene.slopes.there_and_back_s(home, pattern.places, airframe)
    limit_s -= scene.up_and_down_s(pattern.alt_agl_m, airframe) if task.kind not in WATCHED_KINDS else 0.0
    found = [pattern]
    whole_flown_s = service_s(task, pattern, scene, chosen, wind)
    if task.kind is not TaskKind.EVENT and not _is_short(pattern, whole_flown_s, scene, airframe, home, limit_s):
        found = split(
            pattern,
            airframe,
            limit_s,
            wind=wind,
            home=home,
            ways=scene.ways_to(pattern.places),
            most_places=airframe.most_waypoints - WAY_PLACES,
            legs_s=lambda places: _legs_s(task, scene, airframe, pattern, places, wind),
        )
    services = [
        tuple(
            service_s(task, part, scene, kind, wind) if kind in able else math.inf for kind in range(len(scene.kinds))
        )
        for part in found
    ]
    whole_s = sum(map(min, services))
    return tuple(
        Part(task, number, len(found), part, each_s, min(each_s) / whole_s if whole_s > 0.0 else 1.0, wind)
        for number, (part, each_s) in enumerate(zip(found, services, strict=True))
    )


def _is_short(pattern: Pattern, flown_s: float, scene: Scene, airframe: Airframe, home: Floats, limit_s: float) -> bool:
    """Tell whether a pattern is flown in half of what a battery gives, however one goes there: it need not be parted."""
    if len(pattern.places) > airframe.most_waypoints - WAY_PLACES:
        return False
    slowest_mps = airframe.cruise_mps - scene.wind.speed_mps
    if slowest_mps <= 1.0 or not scene.ways.closed.is_empty:
        return False
    away_m = float(np.hypot(*(pattern.places - home).T).max())
    return flown_s + 2.0 * away_m / slowest_mps < limit_s * _SHORT_SHARE


def _patterns(task: Task, scene: Scene, window: Window) -> tuple[dict[int, Pattern], list[InputError]]:
    found, errors = {}, []
    for number, kind in enumerate(scene.kinds):
        try:
            found[number] = pattern_of(
                task, kind, plane=scene.plane, sky=scene.sky, wind=scene.wind_in(window), window=window
            )
        except InputError as error:
            errors.append(error)
    return found, errors


def _sees_as_well(other: Pattern, pattern: Pattern) -> bool:
    """Tell whether who would fly `other` sees all on the way of `pattern`, as finely as is asked."""
    return other.swath_m >= pattern.swath_m - 1e-6 and other.alt_agl_m >= pattern.alt_agl_m - 1e-6


def _nearest(scene: Scene, able: set[int], pattern: Pattern) -> tuple[Floats, float]:
    """Return the dock (2,) nearest to the pattern of those whose airframes can fly it, and how long these may fly."""
    offers = []
    for airframe in scene.airframes:
        if scene.kind_number(airframe) in able and airframe.dock_id in scene.docks:
            place = scene.dock_place(airframe.dock_id)
            away_m = float(np.hypot(*(pattern.places - place).T).min())
            offers.append((away_m, airframe.airframe_id, place, usable_s(scene, airframe)))
    if not offers:
        message = "no airframe that can fly this stands in a dock: give one of them its dock"
        raise InputError(message, "能飞此任务的无人机都不在机库：给其中一架指定机库")
    _, _, place, limit_s = min(offers, key=lambda offer: offer[:2])
    return place, limit_s


def _check_open(scene: Scene, home: Floats) -> None:
    """Raise InputError for a dock in air that is always closed, with the zone's name."""
    for zone in scene.sky.zones:
        is_inside = shapely.intersects_xy(scene.sky.area(zone), *home)
        if zone.kind is ZoneKind.NO_FLY and not zone.windows and zone.floor_agl_m <= 0.0 and is_inside:
            message = (
                f"its dock lies in the no-fly zone {zone.name!r}, which is always closed: move the dock, or the zone"
            )
            raise InputError(message, f"机库在全天禁飞区“{zone.name}”内：移动机库或区域")


def usable_s(scene: Scene, airframe: Airframe) -> float:
    """Return how long an airframe may be on its way and over its tasks: reserve, climb and descent taken off."""
    health_ratio = min(
        (battery.health_ratio for battery in scene.programme.batteries if battery.dock_id == airframe.dock_id),
        default=1.0,
    )
    whole_s = airframe.endurance_s * health_ratio * (1.0 - scene.reserve_ratio) * _USABLE_SHARE
    return max(whole_s - scene.climb_s(airframe) - scene.sink_s(airframe) - 4 * _STOP_S, 0.0)


def service_s(task: Task, part: Pattern, scene: Scene, kind: int, wind: Wind) -> float:
    """Return how long a kind of airframe is over a part of a task in a wind; inf where it cannot fly it."""
    try:
        flown_s = float(_legs_s(task, scene, scene.kinds[kind], part, part.places, wind).sum())
    except InputError:
        return math.inf
    return flown_s + float(part.hold_s.sum()) + _STOP_S


def _legs_s(task: Task, scene: Scene, airframe: Airframe, pattern: Pattern, places: Floats, wind: Wind) -> Floats:
    """Return the seconds of the legs between some places of a pattern, no faster than its camera keeps up with."""
    return scene.reckoned_s(places, airframe, wind=wind, most_mps=filmed_mps(task, airframe, pattern.alt_agl_m))


def targets_of(visit: Visit, parts: Sequence[Part], hours: Window, permit: Permit, scene: Scene) -> list[Target]:
    """Return the targets of one visit: each part is begun when the rules allow it, so that it ends within the hours.

    Where kinds of airframe may begin at different times, a part has several targets of which one is flown. A part that may
    never be begun has none.
    """
    found = []
    for part in parts:
        service_s = min(part.service_s)
        within = Window(visit.window.start_us, min(visit.window.end_us, hours.end_us - math.ceil(service_s * US)))
        if within.end_us < within.start_us:
            continue
        spans = [(each, kinds) for windows, kinds in permit.kinds_by_windows(within).items() for each in windows]
        choices = [Target(visit, part, *_begins_s(scene, each), part.prize, kinds=kinds) for each, kinds in spans]
        if part.task.kind is TaskKind.SEARCH:
            choices = [soon for target in choices for soon in _soon(target)]
        group = None if len(choices) == 1 else visit.visit_id * _PARTS_OF_VISIT + part.number
        found += [replace(target, group=group) for target in choices]
    return found


def _begins_s(scene: Scene, window: Window) -> tuple[float, float]:
    """Return a window to begin in as seconds; its end is no part of it."""
    from_s, until_s = scene.seconds_of(window.start_us), scene.seconds_of(window.end_us)
    return from_s, max(until_s - 1.0, from_s)


def _soon(target: Target) -> list[Target]:
    """Return a search's target at falling prizes: each later time in which to begin is worth less."""
    found: list[Target] = []
    from_s = target.from_s
    for after_s, share in _SOON_S:
        until_s = min(target.from_s + after_s, target.until_s)
        if until_s > from_s or not found:
            found.append(replace(target, from_s=from_s, until_s=until_s, prize=max(round(target.prize * share), 1)))
        from_s = until_s
    return found
