"""Where a day's plan takes place: one plane, one sky, one wind, the ways between places, and which airframes are alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypedDict

import msgspec
import numpy as np
import shapely

from mission.air.climbing import Slopes, least_s, reckoned_more_s
from mission.air.daylight import Daylight
from mission.air.sky import Sky, ceiling_of
from mission.air.terrain import FLAT, Ground
from mission.airspace import Wind
from mission.deconflict.volumes import PIECE_UP_M
from mission.model import US, Airframe, Dock, Programme, TaskKind, Weather, Window, ZoneKind
from mission.patterns.flown import Shape
from mission.patterns.legs import fly_s, told_mps
from mission.patterns.transit import Ways, ways_of
from mission.rules import RuleSet, height_of, highest_m, rule_set
from mission.weather import at as weather_at
from mission.weather import changes_us, gust_of, wind_of
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

_FIRM_KINDS: Final = (ZoneKind.NO_FLY, ZoneKind.RESTRICTED, ZoneKind.KEEP_IN)
"""What ways go round; the ways of other traffic are kept clear by height and time when sorties are parted."""
TRANSIT_ALT_M: Final = 60.0
"""How high the ways to and from tasks are flown, above the take-off place, before sorties are layered."""
WATCH_LAYERS: Final = 2
_LAYERS_RECKONED: Final = 2
_BENDS_RECKONED: Final = 4
_MARGIN_S: Final = 3.0
_ABOVE_M: Final = 0.01
"""A zone that begins at the highest height that is flown is met there."""
_ROUND_M: Final = 0.5
_LEAST_MPS: Final = 0.001
_DIRECTION_DEG: Final = 30
_SAME_WIND_MPS: Final = 1e-6


class Conditions(TypedDict):
    """The arguments that all questions to the rules have in common."""

    sky: Sky
    weather: Sequence[Weather]
    daylight: Daylight
    rules: RuleSet
    now_us: int


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is the same for every sortie of a plan. Times inside are seconds from `window.start_us`."""

    programme: Programme
    window: Window
    now_us: int
    plane: LocalPlane
    sky: Sky
    rules: RuleSet
    wind: Wind
    ground: Ground = FLAT

    @cached_property
    def kinds(self) -> tuple[Airframe, ...]:
        """One of each kind of airframe: those of a kind differ in nothing but name, place and number."""
        return tuple({_kind_of(airframe): airframe for airframe in self.airframes}.values())

    @cached_property
    def conditions(self) -> Conditions:
        """What the rules ask of a time and place, as `mission.rules` takes it."""
        lat_deg, lon_deg = self.plane.origin_lat_deg, self.plane.origin_lon_deg
        return {
            "sky": self.sky,
            "weather": self.programme.weather,
            "daylight": Daylight(lat_deg, lon_deg, zone=self.programme.zone),
            "rules": self.rules,
            "now_us": self.now_us,
        }

    @property
    def airframes(self) -> tuple[Airframe, ...]:
        """Those that are ready to fly."""
        return tuple(airframe for airframe in self.programme.airframes if airframe.is_ready)

    def kind_number(self, airframe: Airframe) -> int:
        """Return the number of its kind in `kinds`."""
        return [_kind_of(kind) for kind in self.kinds].index(_kind_of(airframe))

    @cached_property
    def docks(self) -> dict[int, Dock]:
        """The docks by id."""
        return {dock.dock_id: dock for dock in self.programme.docks}

    def dock_place(self, dock_id: int) -> Floats:
        """Return where a dock is, (2,) in the plane."""
        dock = self.docks[dock_id]
        return np.array(self.plane.to_plane(dock.lat_deg, dock.lon_deg), np.float64)

    @cached_property
    def ways(self) -> Ways:
        """The ways that keep out of every zone of the plan's time, at all heights that are flown."""
        low_m, top_m = self._heights_m
        closed = self.sky.closed_at(self.window, floor_agl_m=low_m, ceiling_agl_m=top_m, kinds=_FIRM_KINDS)
        return ways_of(shapely.union_all([closed, *self._solid_corridors(low_m)]))

    def _solid_corridors(self, low_m: float) -> list[Shape]:
        """Return the ways of other traffic that no layer and no delay keeps clear of: always in force, at all heights flown."""
        return [
            self.sky.area(zone)
            for zone in self.sky.zones
            if zone.kind is ZoneKind.TRAFFIC
            and not zone.windows
            and zone.floor_agl_m <= low_m
            and ceiling_of(zone) >= self.highest_agl_m
        ]

    @cached_property
    def ways_in(self) -> Ways:
        """The ways to places inside zones that open at times, to who has an approval, or above and below the transit.

        Only what is always closed at the transit's height is closed; what a sortie then meets is told when it is held against
        the rules.
        """
        always = Sky(
            [zone for zone in self.sky.zones if not zone.windows], plane=self.plane, margin_m=self.sky.margin_m
        )
        approvals = ",".join(sorted({task.approval for task in self.programme.tasks if task.approval}))
        closed = always.closed_at(
            self.window,
            floor_agl_m=self._lowest_transit_m,
            ceiling_agl_m=self._lowest_transit_m,
            approval=approvals,
            kinds=_FIRM_KINDS,
        )
        return ways_of(closed)

    @cached_property
    def _heights_m(self) -> tuple[float, float]:
        """The lowest and the highest height above ground that is flown at on the way: by transits, tasks and watches."""
        heights = {self.transit_alt_m(kind) for kind in self.kinds} | {TRANSIT_ALT_M}
        for task in self.programme.tasks:
            heights |= {alt_m for kind in self.kinds if (alt_m := height_of(task, kind)) is not None}
            if task.kind is TaskKind.EVENT:
                count = max(task.watcher_count, 1)
                asked = [alt_m for kind in self.kinds if (alt_m := height_of(task, kind)) is not None]
                heights |= {alt_m for one in asked for alt_m in self.watch_alts_m(one, count, self.kinds)}
        return min(heights), max(heights) + _ABOVE_M

    @property
    def _lowest_transit_m(self) -> float:
        return min((self.transit_alt_m(kind) for kind in self.kinds), default=TRANSIT_ALT_M)

    def watch_alts_m(self, asked_m: float, watcher_count: int, kinds: Iterable[Airframe]) -> list[float]:
        """Return the heights that watches over an event stand at, from the lowest: two for each watcher, a layer apart.

        Who relieves stands in another layer than who is relieved; all of them are as near to what is asked as `kinds` may be.
        """
        layer_m, count = self._watch_layer_m, WATCH_LAYERS * watcher_count
        most_m = min((highest_m(self.rules, kind, "") for kind in kinds), default=self.highest_agl_m)
        lowest_m = min(asked_m, max(most_m - (count - 1) * layer_m, TRANSIT_ALT_M / 2))
        return [min(lowest_m + number * layer_m, most_m) for number in range(count)]

    @cached_property
    def _watch_layer_m(self) -> float:
        """How far apart watches stand: a layer, and on a slope what the ways to events rise within the margin (R-05).

        Who comes down such a slope to relieve is lower beside the other than over their place.
        """
        layer_m, margin_m = (self.rules.number("R-05", name) for name in ("layer_m", "margin_m"))
        events = [_first_place(task.geometry) for task in self.programme.tasks if task.kind is TaskKind.EVENT]
        if self.ground.is_flat or not events or not self.docks:
            return layer_m
        docks = np.array([self.dock_place(dock_id) for dock_id in self.docks])
        places = np.column_stack(self.plane.to_plane(*np.array(events, np.float64).T))
        rise_m = self.slopes.steepest_m(docks, places, margin_m)
        return layer_m + (math.ceil(rise_m + PIECE_UP_M) if rise_m >= 1.0 else 0.0)

    def transit_alt_m(self, airframe: Airframe) -> float:
        """Return how high an airframe flies to and from tasks, above the take-off place: as high as its rules allow."""
        return min(TRANSIT_ALT_M, highest_m(self.rules, airframe, ""))

    @property
    def highest_agl_m(self) -> float:
        """How high sorties are flown at most."""
        return self.rules.number("R-01", "most_agl_m")

    @property
    def reserve_ratio(self) -> float:
        """What is left of a battery on landing at least."""
        return self.rules.number("R-07", "least_ratio")

    def seconds_of(self, time_us: int) -> float:
        """Return a time as seconds from the plan's zero."""
        return (time_us - self.window.start_us) / US

    def us_of(self, time_s: float) -> int:
        """Return seconds from the plan's zero as a time."""
        return self.window.start_us + round(time_s * US)

    def way(self, start: Floats, end: Floats) -> Floats | None:
        """Return the places (k, 2) of the shortest way between two places that keeps out of closed air."""
        return self.ways_to(np.stack((start, end))).way(start, end)

    def ways_to(self, places: Floats) -> Ways:
        """Return the ways that lead to all of some places (n, 2), be some of them in air that is closed to others."""
        inside = shapely.intersects_xy(self.ways.closed, places[:, 0], places[:, 1]).any()
        return self.ways_in if inside else self.ways

    def metres(self, places: Floats) -> Floats:
        """Return the metres of the shortest ways between places (n, 2), (n, n); inf where there is none."""
        found = self.ways.between(places)
        inside = shapely.intersects_xy(self.ways.closed, places[:, 0], places[:, 1])
        if inside.any():
            other = self.ways_in.between(places)
            found[inside] = other[inside]
            found[:, inside] = other[:, inside]
        return found

    def travel_s(self, places: Floats, metres: Floats, airframe: Airframe) -> Floats:
        """Return how long an airframe flies between places (n, 2) whose ways are so long, (n, n): never too little."""
        count = len(places)
        straight = (places[None, :, :] - places[:, None, :]).reshape(-1, 2)
        length = np.hypot(straight[:, 0], straight[:, 1])
        told = told_mps(straight, airframe, self.wind)
        direct_s = np.where(told > 0.0, length / np.maximum(told, _LEAST_MPS), np.where(length > 0.0, np.inf, 0.0))
        slowest_mps = max(airframe.cruise_mps - self.wind.speed_mps, 0.5)
        bent = metres.reshape(-1) > length + _ROUND_M
        bend_s = airframe.cruise_mps / airframe.acceleration_mps2 + 90.0 / airframe.yaw_rate_degps
        round_s = metres.reshape(-1) / slowest_mps + _BENDS_RECKONED * bend_s
        from_rest_s = airframe.cruise_mps / airframe.acceleration_mps2 + _MARGIN_S
        seconds = np.where(bent, round_s, direct_s) + np.where(length > _ROUND_M, from_rest_s, 0.0)
        found: Floats = np.where(np.isfinite(metres.reshape(-1)), seconds, np.inf).reshape(count, count)
        if self.ground.is_flat:
            return found
        return found + reckoned_more_s(self.slopes.rises_m(places, places), found, airframe)

    def wind_in(self, window: Window) -> Wind:
        """Return the wind to reckon with in a part of the plan's window, as `wind_of_window` does; it is kept."""
        if window not in self._winds:
            self._winds[window] = wind_of_window(self.programme, window)
        return self._winds[window]

    @cached_property
    def _winds(self) -> dict[Window, Wind]:
        return {self.window: self.wind}

    @cached_property
    def slopes(self) -> Slopes:
        """The ground beneath."""
        return Slopes(self.ground, self.plane)

    def fly_s(
        self, places: Floats, airframe: Airframe, *, wind: Wind | None = None, most_mps: float = np.inf
    ) -> Floats:
        """Return the seconds (n - 1,) of the legs between places (n, 2) in a wind, the plan's if none is told, over this ground."""
        legs_s = fly_s(places, airframe, wind or self.wind, most_mps=most_mps)
        found: Floats = legs_s + self.slopes.more_s(places, legs_s, airframe)
        return found

    def reckoned_s(
        self, places: Floats, airframe: Airframe, *, wind: Wind | None = None, most_mps: float = np.inf
    ) -> Floats:
        """Return the same, the battery that lifting takes reckoned as time: what a plan is made with."""
        found: Floats = self.fly_s(places, airframe, wind=wind, most_mps=most_mps) + self.slopes.lift_s(places)
        return found

    def climb_s(self, airframe: Airframe) -> float:
        """Return how long the climb over the dock takes, a layer or two above the usual height included."""
        return self.reckoned_top_m / airframe.climb_mps

    def sink_s(self, airframe: Airframe) -> float:
        """Return how long coming down over the dock takes."""
        return self.reckoned_top_m / airframe.sink_mps

    def up_and_down_s(self, alt_agl_m: float, airframe: Airframe) -> float:
        """Return what the way from the transit's height to a task's and back takes at least, beside the ways along."""
        rise_m = alt_agl_m - self.transit_alt_m(airframe)
        return float(least_s(np.array([rise_m, -rise_m]), airframe).sum())

    @property
    def reckoned_top_m(self) -> float:
        """How high flights are reckoned to climb and to come down from; an event may be watched from higher."""
        return TRANSIT_ALT_M + _LAYERS_RECKONED * self.rules.number("R-05", "layer_m")


def scene_of(
    programme: Programme, window: Window, *, now_us: int, rules: RuleSet | None = None, ground: Ground = FLAT
) -> Scene:
    """Return the scene of a day. Raises InputError for zones or rules that cannot be."""
    in_force = rules or rule_set(programme.rule_set, programme.rules)
    plane = _plane_of(programme)
    margin_m = in_force.number("R-03", "margin_m")
    sky = Sky(programme.zones, plane=plane, margin_m=margin_m)
    return Scene(programme, window, now_us, plane, sky, in_force, wind_of_window(programme, window), ground)


def wind_of_window(programme: Programme, window: Window) -> Wind:
    """Return the strongest wind of a window in which something may still fly, with those that may be worse for other ways.

    Of all winds those on the outline of all together are enough: for a given way nothing else is worse. Of a wind whose
    direction is not known every direction is.
    """
    most_mps = max((airframe.wind_limit_mps for airframe in programme.airframes), default=0.0)
    winds = []
    for time_us in changes_us(programme.weather, window.start_us, window.end_us):
        weather: Weather | None = weather_at(programme.weather, time_us)
        if weather is not None and (gust_of(weather) or 0.0) <= most_mps * 2.0:
            winds += [wind for wind in _winds_of(weather) if wind.speed_mps <= most_mps]
    if not winds:
        return Wind()
    outline = _outline(winds)
    strongest = max(outline, key=lambda wind: wind.speed_mps)
    return replace(strongest, or_else=tuple(wind for wind in outline if wind is not strongest))


def _winds_of(weather: Weather) -> list[Wind]:
    if weather.wind_mps is not None and weather.wind_from_deg is None:
        return [
            Wind(from_deg=float(from_deg), speed_mps=weather.wind_mps) for from_deg in range(0, 360, _DIRECTION_DEG)
        ]
    return [wind_of(weather)]


def _outline(winds: Sequence[Wind]) -> list[Wind]:
    """Return the winds at the corners of the outline of all, as vectors."""
    distinct = list(dict.fromkeys(winds))
    blown = [
        (wind.speed_mps * math.sin(math.radians(wind.from_deg)), wind.speed_mps * math.cos(math.radians(wind.from_deg)))
        for wind in distinct
    ]
    corners = shapely.get_coordinates(shapely.MultiPoint(blown).convex_hull)
    return [
        wind for wind, at in zip(distinct, blown, strict=True) if np.hypot(*(corners - at).T).min() < _SAME_WIND_MPS
    ]


def _plane_of(programme: Programme) -> LocalPlane:
    places = [(dock.lat_deg, dock.lon_deg) for dock in programme.docks]
    if not places:
        places = [_first_place(task.geometry) for task in programme.tasks]
    lat_deg, lon_deg = np.mean(places or [(0.0, 0.0)], axis=0)
    return local_plane(round(float(lat_deg), 1), round(float(lon_deg), 1))


def _first_place(geometry: dict[str, Any]) -> tuple[float, float]:
    lonlat: Any = geometry.get("coordinates", (0.0, 0.0))
    while isinstance(lonlat, Sequence) and lonlat and not isinstance(lonlat[0], float | int):
        lonlat = lonlat[0]
    return float(lonlat[1]), float(lonlat[0])


def _kind_of(airframe: Airframe) -> Airframe:
    return msgspec.structs.replace(
        airframe, airframe_id=0, name="", dock_id=0, unit_id=None, device_id=None, is_ready=True
    )
