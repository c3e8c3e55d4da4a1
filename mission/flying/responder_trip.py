"""A first responder's flight: there by the shortest way round closed air, over the place or searching round it, and home."""

from typing import Final

import msgspec
import numpy as np

from mission.model import HIGHEST_PRIORITY, US, Airframe, Task, TaskKind
from mission.patterns.choose import pattern_of
from mission.patterns.flown import Pattern, length_m
from mission.patterns.splitting import split
from mission.patterns.waypoints import speeds_mps, waypoints_of
from mission.plan import CameraAction, Sortie, Waypoint
from mission.schedule.scene import TRANSIT_ALT_M, Scene
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

READY_S: Final = 20.0
"""From the order to the take-off of a drone in its dock: the upload, the lid, the motors."""
STAY_S: Final = 300.0
LEAST_STAY_S: Final = 60.0
BESIDE_M: Final = 30.0
"""It stands so far before the place, and looks at it, rather than over it."""
_ROUNDED: Final = 7


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a drone now: where it is, what its battery holds (None: as full as its dock keeps it), who has it.

    `controller` names who is in control if it is somebody else than who asks.
    """

    airframe_id: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    battery_ratio: float | None = None
    is_airborne: bool = False
    is_heard: bool = True
    controller: str = ""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody is wanted, WGS-84, how high above ground, and how long it should stay if its battery lets it.

    With `search_radius_m` it searches round the place as far, or as its battery lets it, instead of standing there.
    """

    lat_deg: float
    lon_deg: float
    alt_agl_m: float = TRANSIT_ALT_M
    stay_s: float = STAY_S
    search_radius_m: float | None = None


class Trip:
    """There, a while over the place or a search round it, and home.

    Raises InputError where there is no way, or the battery does not suffice.
    """

    def __init__(self, errand: Errand, scene: Scene, airframe: Airframe, standing: Standing) -> None:
        self._errand, self._scene, self._airframe, self._standing = errand, scene, airframe, standing
        self.start_ratio = _battery(scene, airframe, standing)
        self._dock = scene.dock_place(airframe.dock_id)
        target = _place(scene, errand.lat_deg, errand.lon_deg)
        there = _way(scene, self._here(self._dock), target)
        self._there = there if errand.search_radius_m else _kept_short(there, BESIDE_M)
        self._lift_there_s = float(scene.slopes.lift_s(self._there).sum())
        self._legs_s = scene.fly_s(self._there, airframe)
        self._climb_s = 0.0 if standing.is_airborne else errand.alt_agl_m / airframe.climb_mps
        self._ready_s = 0.0 if standing.is_airborne else READY_S
        self.arrive_s = self._ready_s + self._climb_s + float(self._legs_s.sum())
        spent_s = self.arrive_s - self._ready_s + self._lift_there_s
        self.scene_ratio = self.start_ratio - spent_s / airframe.endurance_s
        self._search: Pattern | None = None
        self._turn_home(self._there[-1])
        self._stay_s = min(errand.stay_s, self._spare_s)
        if errand.search_radius_m:
            self._searches(target)
        self.landing_ratio = self.start_ratio - self._aloft_s / airframe.endurance_s

    @property
    def _aloft_s(self) -> float:
        """How long it is in the air; what lifting takes is taken off when it is laid over the terrain."""
        return self.arrive_s - self._ready_s + self._stay_s + self._home_s

    @property
    def here(self) -> Floats | None:
        """Where it sets out in the air, (2,) in the plane; None where it stands in its dock."""
        return np.asarray(self._there[0], np.float64) if self._standing.is_airborne else None

    @property
    def lonlat(self) -> list[list[float]]:
        """The way there as GeoJSON's positions."""
        return [[lon, lat] for lat, lon in self._places(self._there)]

    @property
    def goal(self) -> int:
        """The waypoint (from 0) that is the place."""
        return len(self._there) - 2

    @property
    def detection_ratio(self) -> float | None:
        """How likely a search finds who is there; None where none is asked for."""
        return None if self._search is None else self._search.detection_ratio

    def sortie(self, now_us: int) -> Sortie:
        """Return the flight, taking off as soon as it is ready; its number is 0."""
        takeoff_us = now_us + round(self._ready_s * US)
        over_us = now_us + round(self.arrive_s * US)
        landing_us = over_us + round((self._stay_s + self._home_s) * US)
        over = (self._over(over_us),) if self._search is None else self._searching(self._search)
        waypoints = (*self._bends(takeoff_us), *over, *self._homeward())
        return Sortie(
            sortie_id=0,
            airframe_id=self._airframe.airframe_id,
            dock_id=self._airframe.dock_id,
            takeoff_us=takeoff_us,
            landing_us=landing_us,
            free_us=landing_us,
            visit_ids=(),
            task_ids=(),
            waypoints=waypoints,
            length_m=round(length_m(self._there) + length_m(self._back), 1),
            landing_battery_ratio=round(self.landing_ratio, 4),
            transit_alt_home_m=self._errand.alt_agl_m,
        )

    def _turn_home(self, last: Floats) -> None:
        """Reckon the way home from a place, and how long it may stay before it."""
        airframe, scene = self._airframe, self._scene
        self._back = _way(scene, last, self._dock)
        self._home_s = float(scene.fly_s(self._back, airframe).sum()) + self._errand.alt_agl_m / airframe.sink_mps
        lift_s = float(scene.slopes.lift_s(self._back).sum())
        self._spare_s = (self.scene_ratio - scene.reserve_ratio) * airframe.endurance_s - self._home_s - lift_s
        if self._spare_s < LEAST_STAY_S:
            need_ratio = self.start_ratio + (LEAST_STAY_S - self._spare_s) / airframe.endurance_s
            message = (
                f"there, {LEAST_STAY_S:.0f} s over the place and home takes {need_ratio:.0%} of a battery "
                f"that holds {self.start_ratio:.0%}"
            )
            raise InputError(
                message, f"往返并停留 {LEAST_STAY_S:.0f} 秒须电量 {need_ratio:.0%}，现有 {self.start_ratio:.0%}"
            )

    def _searches(self, target: Floats) -> None:
        """Put a search in the place of the stay: as much of it as the battery flies and brings home from."""
        airframe, scene, errand = self._airframe, self._scene, self._errand
        place = {"type": "Point", "coordinates": [errand.lon_deg, errand.lat_deg]}
        task = Task(
            name_zh="搜索", name_en="search", kind=TaskKind.SEARCH, geometry=place, priority=HIGHEST_PRIORITY,
            alt_agl_m=errand.alt_agl_m, width_m=errand.search_radius_m,
        )  # fmt: skip
        whole = pattern_of(task, airframe, plane=scene.plane, sky=scene.sky, wind=scene.wind, window=scene.window)
        limit_s = self._spare_s + self._home_s
        away_s = float(scene.fly_s(np.stack((self._dock, target)), airframe).sum())
        most = airframe.most_waypoints - len(self._there) - len(self._back)
        parts = split(
            whole, airframe, limit_s + away_s, wind=scene.wind, home=self._dock, ways=scene.ways_to(whole.places), most_places=most,
            legs_s=lambda places: scene.reckoned_s(places, airframe),
        )  # fmt: skip
        self._search = parts[0]
        self._stay_s = float(scene.fly_s(parts[0].places, airframe).sum() + parts[0].hold_s.sum())
        self._back = _way(scene, np.asarray(parts[0].places[-1], np.float64), self._dock)
        self._home_s = float(scene.fly_s(self._back, airframe).sum()) + errand.alt_agl_m / airframe.sink_mps
        self._task = task

    def _searching(self, search: Pattern) -> tuple[Waypoint, ...]:
        return tuple(
            msgspec.structs.replace(one, task_id=None)
            for one in waypoints_of(search, self._scene.plane, self._task, self._airframe, wind=self._scene.wind)
        )

    def _here(self, dock: Floats) -> Floats:
        lat_deg, lon_deg = self._standing.lat_deg, self._standing.lon_deg
        if not self._standing.is_airborne or lat_deg is None or lon_deg is None:
            return dock
        return _place(self._scene, lat_deg, lon_deg)

    def _bends(self, takeoff_us: int) -> list[Waypoint]:
        begun_us = takeoff_us + round(self._climb_s * US)
        at_us = begun_us + np.round(np.cumsum(self._legs_s) * US).astype(np.int64)
        inner, told = self._places(self._there)[1:-1], self._speeds(self._there)
        return [
            self._waypoint(place, speed_mps=told[row + 1], arrive_us=int(at_us[row])) for row, place in enumerate(inner)
        ]

    def _over(self, over_us: int) -> Waypoint:
        place = self._places(self._there)[-1]
        seen = {"gaze_lat_deg": self._errand.lat_deg, "gaze_lon_deg": self._errand.lon_deg}
        plain = self._waypoint(place, speed_mps=self._speeds(self._there)[-1], arrive_us=over_us)
        return msgspec.structs.replace(plain, hold_s=round(self._stay_s, 1), action=CameraAction.START_VIDEO, **seen)

    def _homeward(self) -> list[Waypoint]:
        places, told = self._places(self._back)[1:-1], self._speeds(self._back)
        return [self._waypoint(place, speed_mps=told[row + 1]) for row, place in enumerate(places)]

    def _speeds(self, way: Floats) -> list[float]:
        return speeds_mps(way, self._airframe, self._scene.wind)

    def _waypoint(self, place: tuple[float, float], *, speed_mps: float, arrive_us: int | None = None) -> Waypoint:
        return Waypoint(
            lat_deg=place[0],
            lon_deg=place[1],
            alt_home_m=self._errand.alt_agl_m,
            speed_mps=speed_mps,
            arrive_us=arrive_us,
        )

    def _places(self, way: Floats) -> list[tuple[float, float]]:
        lat_deg, lon_deg = self._scene.plane.from_plane(way[:, 0], way[:, 1])
        return [
            (round(float(lat), _ROUNDED), round(float(lon), _ROUNDED))
            for lat, lon in zip(lat_deg, lon_deg, strict=True)
        ]


def _battery(scene: Scene, airframe: Airframe, standing: Standing) -> float:
    """Return what the battery holds of a new one's: as it says, else as the dock's best is charged."""
    own = [battery for battery in scene.programme.batteries if battery.dock_id == airframe.dock_id]
    health_ratio = min((battery.health_ratio for battery in own), default=1.0)
    if standing.battery_ratio is not None:
        return standing.battery_ratio * health_ratio
    return max((battery.charge_ratio * battery.health_ratio for battery in own), default=1.0)


def _place(scene: Scene, lat_deg: float, lon_deg: float) -> Floats:
    return np.array(scene.plane.to_plane(lat_deg, lon_deg), np.float64)


def _way(scene: Scene, start: Floats, end: Floats) -> Floats:
    found = scene.way(start, end)
    if found is None:
        message = "there is no way there and back that keeps out of closed air"
        raise InputError(message, "没有避开管制空域的往返航路")
    return found if len(found) > 1 else np.stack((start, end))


def _kept_short(way: Floats, apart_m: float) -> Floats:
    """Return a way that ends so far before its end, on its last leg."""
    before, end = way[-2], way[-1]
    last_m = float(np.hypot(*(end - before)))
    if last_m <= apart_m:
        return way
    return np.concatenate((way[:-1], [end - (end - before) * (apart_m / last_m)]))
