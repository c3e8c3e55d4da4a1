"""First responder: which drone is at a place soonest, with wind, battery to come home, zones and rules, and how it flies there."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from mission.model import Airframe, Programme, Window
from mission.patterns.flown import length_m
from mission.patterns.legs import fly_s
from mission.plan import CameraAction, Refusal, Sortie, Waypoint
from mission.rules import check_sortie
from mission.schedule.apart import parted
from mission.schedule.scene import TRANSIT_ALT_M, Scene, scene_of
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

US: Final = 1_000_000
READY_S: Final = 20.0
"""From the order to the take-off of a drone in its dock: the upload, the lid, the motors."""
STAY_S: Final = 300.0
LEAST_STAY_S: Final = 60.0
LONGEST_S: Final = 2 * 3600.0
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
    """Where somebody is wanted, WGS-84, how high above ground, and how long it should stay if its battery lets it."""

    lat_deg: float
    lon_deg: float
    alt_agl_m: float = TRANSIT_ALT_M
    stay_s: float = STAY_S


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A drone for an errand: when it is there (seconds from now), what its battery holds there and once it is home again.

    `way` is GeoJSON; null, as the figures, where there is none. With a refusal that is no warning it cannot go.
    """

    airframe_id: int
    unit_id: int | None
    name: str
    arrive_s: float | None
    battery_at_scene_ratio: float | None
    return_ratio: float | None
    way: dict[str, Any] | None
    refusals: tuple[Refusal, ...]
    sortie: Sortie | None = None

    @property
    def can_go(self) -> bool:
        """Whether nothing stands in its way."""
        return self.sortie is not None and all(refusal.is_warning for refusal in self.refusals)


def candidates_for(
    errand: Errand,
    programme: Programme,
    standings: Sequence[Standing],
    *,
    now_us: int,
    others: Sequence[Sortie] = (),
) -> list[Candidate]:
    """Return the drones of a programme, those that can go first, the soonest first; `others` are sorties in the air or due.

    About 20 ms a drone among zones. Raises InputError for a place or height that is none.
    """
    _check(errand)
    scene = scene_of(programme, Window(now_us, now_us + round(LONGEST_S * US)), now_us=now_us)
    by_airframe = {standing.airframe_id: standing for standing in standings}
    found = [
        _candidate(errand, scene, airframe, by_airframe.get(airframe.airframe_id), others)
        for airframe in scene.airframes
        if airframe.dock_id in scene.docks
    ]
    far_s = float("inf")
    return sorted(found, key=lambda one: (not one.can_go, one.arrive_s or far_s, one.airframe_id))


def _check(errand: Errand) -> None:
    if not (abs(errand.lat_deg) <= 85.0 and abs(errand.lon_deg) <= 180.0):
        message = f"{errand.lat_deg}, {errand.lon_deg} is no place: latitude within 85, longitude within 180 degrees"
        raise InputError(message)
    if not 5.0 <= errand.alt_agl_m <= 500.0:
        message = f"a height of {errand.alt_agl_m:g} m above ground: allowed are 5 to 500"
        raise InputError(message)


def _candidate(
    errand: Errand, scene: Scene, airframe: Airframe, standing: Standing | None, others: Sequence[Sortie]
) -> Candidate:
    if standing is None or not standing.is_heard:
        return _refused(airframe, _unheard(airframe))
    if standing.controller:
        return _refused(airframe, _taken(airframe, standing.controller))
    try:
        trip = _Trip(errand, scene, airframe, standing)
    except InputError as error:
        return _refused(airframe, _no_way(airframe, str(error)))
    sortie = trip.sortie(scene.now_us)
    dock = scene.docks[airframe.dock_id]
    tasks = scene.programme.tasks
    said = check_sortie(sortie, airframe, dock=dock, **scene.conditions, tasks=tasks, start_ratio=trip.start_ratio)
    sorties, conflicts = parted(scene, [*others, sortie], (), frozen={one.sortie_id for one in others})
    mended = next((one for one in sorties if one.sortie_id == sortie.sortie_id), sortie)
    left = [one for one in conflicts if not one.mended_by and sortie.sortie_id in (one.sortie_id, one.other_sortie_id)]
    if left:
        said = [*said, _crowded(airframe, left[0].distance_m, left[0].height_apart_m)]
    return Candidate(
        airframe_id=airframe.airframe_id,
        unit_id=airframe.unit_id,
        name=airframe.name,
        arrive_s=round(trip.arrive_s + (mended.takeoff_us - sortie.takeoff_us) / US, 1),
        battery_at_scene_ratio=round(trip.scene_ratio, 3),
        return_ratio=round(trip.landing_ratio, 3),
        way={"type": "LineString", "coordinates": trip.lonlat},
        refusals=tuple(said),
        sortie=mended,
    )


class _Trip:
    """There, a while over the place, and home. Raises InputError where there is no way, or the battery does not suffice."""

    def __init__(self, errand: Errand, scene: Scene, airframe: Airframe, standing: Standing) -> None:
        self._errand, self._scene, self._airframe, self._standing = errand, scene, airframe, standing
        self.start_ratio = _battery(scene, airframe, standing)
        dock = scene.dock_place(airframe.dock_id)
        self._from = self._here(dock)
        target = _place(scene, errand.lat_deg, errand.lon_deg)
        self._there = _way(scene, self._from, target)
        self._there = _kept_short(self._there, BESIDE_M)
        self._back = _way(scene, self._there[-1], dock)
        self._legs_s = fly_s(self._there, airframe, scene.wind)
        alt_m = self._alt_m
        self._climb_s = 0.0 if standing.is_airborne else alt_m / airframe.climb_mps
        self._ready_s = 0.0 if standing.is_airborne else READY_S
        self.arrive_s = self._ready_s + self._climb_s + float(self._legs_s.sum())
        home_s = float(fly_s(self._back, airframe, scene.wind).sum()) + alt_m / airframe.sink_mps
        per_s = 1.0 / airframe.endurance_s
        self.scene_ratio = self.start_ratio - (self.arrive_s - self._ready_s) * per_s
        spare_s = (self.scene_ratio - scene.reserve_ratio) / per_s - home_s
        if spare_s < LEAST_STAY_S:
            need_ratio = self.start_ratio + (LEAST_STAY_S - spare_s) * per_s
            message = f"there, {LEAST_STAY_S:.0f} s over the place and home takes {need_ratio:.0%} of a battery that holds {self.start_ratio:.0%}"
            raise InputError(message)
        self._stay_s = min(errand.stay_s, spare_s)
        self.landing_ratio = self.scene_ratio - (self._stay_s + home_s) * per_s
        self._home_s = home_s

    @property
    def _alt_m(self) -> float:
        return self._errand.alt_agl_m

    @property
    def lonlat(self) -> list[list[float]]:
        """The way there as GeoJSON's positions."""
        return [[lon, lat] for lat, lon in self._places(self._there)]

    def sortie(self, now_us: int) -> Sortie:
        """Return the flight, taking off as soon as it is ready; its number is 0."""
        takeoff_us = now_us + round(self._ready_s * US)
        over_us = now_us + round(self.arrive_s * US)
        landing_us = over_us + round((self._stay_s + self._home_s) * US)
        waypoints = (*self._bends(takeoff_us), self._over(over_us), *self._homeward())
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
            transit_alt_home_m=self._alt_m,
        )

    def _here(self, dock: Floats) -> Floats:
        lat_deg, lon_deg = self._standing.lat_deg, self._standing.lon_deg
        if not self._standing.is_airborne or lat_deg is None or lon_deg is None:
            return dock
        return _place(self._scene, lat_deg, lon_deg)

    def _bends(self, takeoff_us: int) -> list[Waypoint]:
        begun_us = takeoff_us + round(self._climb_s * US)
        at_us = begun_us + np.round(np.cumsum(self._legs_s) * US).astype(np.int64)
        inner = self._places(self._there)[1:-1]
        return [self._waypoint(place, arrive_us=int(at_us[row])) for row, place in enumerate(inner)]

    def _over(self, over_us: int) -> Waypoint:
        place = self._places(self._there)[-1]
        seen = {"gaze_lat_deg": self._errand.lat_deg, "gaze_lon_deg": self._errand.lon_deg}
        plain = self._waypoint(place, arrive_us=over_us)
        return msgspec.structs.replace(plain, hold_s=round(self._stay_s, 1), action=CameraAction.START_VIDEO, **seen)

    def _homeward(self) -> list[Waypoint]:
        return [self._waypoint(place) for place in self._places(self._back)[1:-1]]

    def _waypoint(self, place: tuple[float, float], *, arrive_us: int | None = None) -> Waypoint:
        return Waypoint(
            lat_deg=place[0],
            lon_deg=place[1],
            alt_home_m=self._alt_m,
            speed_mps=self._airframe.cruise_mps,
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
        raise InputError(message)
    return found if len(found) > 1 else np.stack((start, end))


def _kept_short(way: Floats, apart_m: float) -> Floats:
    """Return a way that ends so far before its end, on its last leg."""
    before, end = way[-2], way[-1]
    last_m = float(np.hypot(*(end - before)))
    if last_m <= apart_m:
        return way
    return np.concatenate((way[:-1], [end - (end - before) * (apart_m / last_m)]))


def _refused(airframe: Airframe, refusal: Refusal) -> Candidate:
    return Candidate(
        airframe_id=airframe.airframe_id,
        unit_id=airframe.unit_id,
        name=airframe.name,
        arrive_s=None,
        battery_at_scene_ratio=None,
        return_ratio=None,
        way=None,
        refusals=(refusal,),
    )


def _unheard(airframe: Airframe) -> Refusal:
    return Refusal(
        rule_id="R-32", reason_zh="没有链路", reason_en="it is not heard", remedy_zh="恢复链路后再派",
        remedy_en="send it once its link is back", airframe_id=airframe.airframe_id,
    )  # fmt: skip


def _taken(airframe: Airframe, controller: str) -> Refusal:
    return Refusal(
        rule_id="R-32", reason_zh=f"由{controller}控制", reason_en=f"{controller} is in control",
        remedy_zh="请对方移交，或由主管接管", remedy_en="ask to hand it over, or let a supervisor take it",
        numbers={"controller": controller}, airframe_id=airframe.airframe_id,
    )  # fmt: skip


def _no_way(airframe: Airframe, message: str) -> Refusal:
    return Refusal(
        rule_id="R-26", reason_zh=f"飞不到：{message}", reason_en=message, remedy_zh="换一架，或派地面单位",
        remedy_en="send another one, or a unit on the ground", numbers={"detail": message}, airframe_id=airframe.airframe_id,
    )  # fmt: skip


def _crowded(airframe: Airframe, distance_m: float, height_apart_m: float) -> Refusal:
    return Refusal(
        rule_id="R-05", reason_zh=f"与在飞架次水平 {distance_m:.0f} m、垂直 {height_apart_m:.0f} m",
        reason_en=f"{distance_m:.0f} m and {height_apart_m:.0f} m in height from another sortie",
        remedy_zh="换高度，或换一架", remedy_en="ask for another height, or send another one",
        numbers={"distance_m": distance_m, "height_apart_m": height_apart_m}, airframe_id=airframe.airframe_id,
    )  # fmt: skip
