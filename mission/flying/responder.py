"""First responder: which drone is at a place soonest, with wind, battery to come home, zones and rules, and how it flies there."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mission.air.draping import draped
from mission.air.terrain import FLAT, Ground
from mission.flying.planned_next import PlannedNext, missed
from mission.flying.preflight import AT_DOCK_WITHIN_M, in_words
from mission.flying.responder_trip import Errand, Standing, Trip
from mission.model import US, Airframe, Dock, Programme, Window
from mission.plan import Refusal, Sortie, Waypoint
from mission.rules import check_sortie
from mission.schedule.apart import parted
from mission.schedule.scene import Scene, scene_of
from telemetry.model.errors import InputError, chinese_of
from telemetry.model.geodesy import distance_m

LONGEST_S: Final = 2 * 3600.0


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
    goal: int | None = None
    """Which waypoint of the sortie (from 0) is the place."""
    detection_ratio: float | None = None
    is_needed: bool = False
    """Whether it is planned to fly before it is back: a warning says what."""

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
    planned: Sequence[PlannedNext] = (),
    ground: Ground = FLAT,
) -> list[Candidate]:
    """Return the drones of a programme: those that can go first, of these the free ones, then the soonest.

    `others` are sorties in the air or due, `planned` what the drones themselves fly soon: who is not back for it says so.
    About 20 ms a drone among zones. Raises InputError for a place or height that is none.
    """
    _check(errand)
    scene = scene_of(programme, Window(now_us, now_us + round(LONGEST_S * US)), now_us=now_us, ground=ground)
    by_airframe = {standing.airframe_id: standing for standing in standings}
    found = [
        _candidate(errand, scene, airframe, by_airframe.get(airframe.airframe_id), others=others, planned=planned)
        for airframe in scene.airframes
        if airframe.dock_id in scene.docks
    ]
    far_s = float("inf")
    return sorted(found, key=lambda one: (not one.can_go, one.is_needed, one.arrive_s or far_s, one.airframe_id))


def _check(errand: Errand) -> None:
    if not (abs(errand.lat_deg) <= 85.0 and abs(errand.lon_deg) <= 180.0):
        message = f"{errand.lat_deg}, {errand.lon_deg} is no place: latitude within 85, longitude within 180 degrees"
        raise InputError(message, f"{errand.lat_deg}, {errand.lon_deg} 不是地点：纬度在 85 度以内，经度在 180 度以内")
    if errand.search_radius_m is not None and not 10.0 <= errand.search_radius_m <= 5000.0:
        message = f"a search of {errand.search_radius_m:g} m about the place: allowed are 10 to 5000"
        raise InputError(message, f"搜索半径 {errand.search_radius_m:g} m：允许 10 至 5000 m")
    if not 5.0 <= errand.alt_agl_m <= 500.0:
        message = f"a height of {errand.alt_agl_m:g} m above ground: allowed are 5 to 500"
        raise InputError(message, f"离地高度 {errand.alt_agl_m:g} m：允许 5 至 500 m")


def _candidate(
    errand: Errand,
    scene: Scene,
    airframe: Airframe,
    standing: Standing | None,
    *,
    others: Sequence[Sortie],
    planned: Sequence[PlannedNext],
) -> Candidate:
    if standing is None or not standing.is_heard:
        return _refused(airframe, _unheard(airframe))
    if standing.controller:
        return _refused(airframe, _taken(airframe, standing.controller))
    dock = scene.docks[airframe.dock_id]
    if (away_m := _away_m(standing, dock)) > AT_DOCK_WITHIN_M:
        return _refused(airframe, _away(airframe, away_m))
    try:
        trip = Trip(errand, scene, airframe, standing)
    except InputError as error:
        return _refused(airframe, _no_way(airframe, error))
    flat = trip.sortie(scene.now_us)
    sortie = draped(flat, plane=scene.plane, ground=scene.ground, dock=dock, airframe=airframe, here=trip.here)
    goal, later_us = _goal(flat.waypoints[trip.goal], sortie.waypoints)
    tasks = scene.programme.tasks
    said = check_sortie(
        sortie, airframe, dock=dock, **scene.conditions, tasks=tasks, ground=scene.ground, start_ratio=trip.start_ratio
    )
    sorties, conflicts = parted(scene, [*others, sortie], (), frozen={one.sortie_id for one in others})
    mended = next((one for one in sorties if one.sortie_id == sortie.sortie_id), sortie)
    left = [one for one in conflicts if not one.mended_by and sortie.sortie_id in (one.sortie_id, one.other_sortie_id)]
    if left:
        said = [*said, _crowded(airframe, left[0].distance_m, left[0].height_apart_m)]
    not_back = missed(mended, planned, scene.conditions["daylight"])
    return Candidate(
        airframe_id=airframe.airframe_id,
        unit_id=airframe.unit_id,
        name=airframe.name,
        arrive_s=round(trip.arrive_s + (mended.takeoff_us - sortie.takeoff_us + later_us) / US, 1),
        battery_at_scene_ratio=round(trip.scene_ratio, 3),
        return_ratio=round(sortie.landing_battery_ratio, 3),
        way={"type": "LineString", "coordinates": trip.lonlat},
        refusals=tuple(said) if not_back is None else (*said, not_back),
        sortie=mended,
        is_needed=not_back is not None,
        goal=goal,
        detection_ratio=trip.detection_ratio,
    )


def _goal(place: Waypoint, laid: Sequence[Waypoint]) -> tuple[int, int]:
    """Return which of the waypoints laid over the terrain is the place, and how much later it is there, us."""
    number = next(row for row, one in enumerate(laid) if (one.lat_deg, one.lon_deg) == (place.lat_deg, place.lon_deg))
    reached_us = laid[number].arrive_us
    return number, 0 if reached_us is None or place.arrive_us is None else reached_us - place.arrive_us


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


def _away_m(standing: Standing, dock: Dock) -> float:
    """Return how far from its dock a drone stands; 0 for one in the air, or whose place nobody knows."""
    if standing.is_airborne or standing.lat_deg is None or standing.lon_deg is None:
        return 0.0
    return float(distance_m(standing.lat_deg, standing.lon_deg, dock.lat_deg, dock.lon_deg))


def _away(airframe: Airframe, away_m: float) -> Refusal:
    return Refusal(
        rule_id="R-32", reason_zh=f"停在距机库 {in_words(away_m)} 处", reason_en=f"it stands {in_words(away_m)} from its dock",
        remedy_zh="先将其送回机库，或换一架", remedy_en="bring it to its dock first, or send another one",
        numbers={"away_m": round(away_m)}, airframe_id=airframe.airframe_id,
    )  # fmt: skip


def _no_way(airframe: Airframe, error: InputError) -> Refusal:
    message = str(error)
    return Refusal(
        rule_id="R-26", reason_zh=f"飞不到：{chinese_of(error)}", reason_en=message, remedy_zh="换一架，或派地面单位",
        remedy_en="send another one, or a unit on the ground", numbers={"detail": message}, airframe_id=airframe.airframe_id,
    )  # fmt: skip


def _crowded(airframe: Airframe, distance_m: float, height_apart_m: float) -> Refusal:
    return Refusal(
        rule_id="R-05", reason_zh=f"与在飞架次水平 {distance_m:.0f} m、垂直 {height_apart_m:.0f} m",
        reason_en=f"{distance_m:.0f} m and {height_apart_m:.0f} m in height from another sortie",
        remedy_zh="换高度，或换一架", remedy_en="ask for another height, or send another one",
        numbers={"distance_m": distance_m, "height_apart_m": height_apart_m}, airframe_id=airframe.airframe_id,
    )  # fmt: skip
