"""What the rules say to an order of the moment: a drone that flies straight to a place, climbs where it stands, or returns."""

from collections.abc import Iterator
from math import ceil
from typing import Final

import msgspec
import numpy as np

from mission.air.climbing import MOST_SAMPLES, SAMPLE_M
from mission.air.flight_path import FlightPath
from mission.air.sky import Offence
from mission.air.terrain import FLAT, Ground
from mission.model import US, Airframe, Dock, Programme, Window, ZoneKind
from mission.plan import Refusal
from mission.rules import highest_m
from mission.rules.conditions import Conditions, Flight
from mission.rules.place_checks import hours_of
from mission.rules.refusals import Remedy, refusal
from mission.schedule.scene import Scene, scene_of
from telemetry.model.geodesy import Floats, distance_m

WAITS_S: Final = 300.0
"""So long it is reckoned to wait where it was sent: a zone that is in force by then is in its way."""


class StraightWay(msgspec.Struct, frozen=True, kw_only=True):
    """From where a drone is to a place (the same one: straight up), heights above its take-off place, metres.

    `home` is where it took off, [lat, lon], None: unknown. With `is_homeward` nothing is refused, only said.
    """

    airframe: Airframe
    programme: Programme
    now_us: int
    from_lat_deg: float
    from_lon_deg: float
    from_alt_home_m: float
    lat_deg: float
    lon_deg: float
    alt_home_m: float
    speed_mps: float
    home: tuple[float, float] | None = None
    is_homeward: bool = False


def said_of_way(asked: StraightWay, ground: Ground = FLAT) -> tuple[Refusal, ...]:
    """Return what speaks against an order, refusals before warnings: closed air there or on the way, its height, the weather.

    Closed air and too great a height refuse it; the weather, a low height and a long way are said. Who is in closed air may
    leave it. Over a known ground, where its home is known too, heights are those above the ground, and a way into a slope is
    refused. About 5 ms among zones. Raises InputError for zones or rules that cannot be.
    """
    duration_us = round((_length_m(asked) / max(asked.speed_mps, 0.5) + WAITS_S) * US)
    window = Window(asked.now_us, asked.now_us + duration_us)
    here = Dock(dock_id=1, name="", lat_deg=asked.from_lat_deg, lon_deg=asked.from_lon_deg)
    beside = msgspec.structs.replace(asked.programme, docks=(here,), tasks=(), airframes=(asked.airframe,))
    scene = scene_of(beside, window, now_us=asked.now_us)
    alt_agl_m = _above_ground_m(asked, ground)
    if alt_agl_m is not None:
        asked = msgspec.structs.replace(asked, from_alt_home_m=float(alt_agl_m[0]), alt_home_m=float(alt_agl_m[-1]))
    lowest_m = None if alt_agl_m is None else float(alt_agl_m[1:].min())
    found = [*_zones(asked, scene), *_height(asked, scene, lowest_m), *_distance(asked, scene), *_weather(asked, scene)]
    said = [msgspec.structs.replace(one, is_warning=True) if asked.is_homeward else one for one in found]
    return tuple(sorted(said, key=lambda one: one.is_warning))


def _above_ground_m(asked: StraightWay, ground: Ground) -> Floats | None:
    """Return the heights above the ground along the way (n,), from its beginning to its end; None where they are not known."""
    if ground.is_flat or asked.home is None:
        return None
    steps = min(max(ceil(_length_m(asked) / SAMPLE_M), 1), MOST_SAMPLES)
    share = np.linspace(0.0, 1.0, steps + 1)
    lat_deg = asked.from_lat_deg + share * (asked.lat_deg - asked.from_lat_deg)
    lon_deg = asked.from_lon_deg + share * (asked.lon_deg - asked.from_lon_deg)
    rises_m = ground.heights_m(lat_deg, lon_deg) - ground.heights_m(*np.array(asked.home, np.float64).reshape(2, 1))
    alt_home_m = asked.from_alt_home_m + share * (asked.alt_home_m - asked.from_alt_home_m)
    found: Floats = alt_home_m - rises_m
    return None if np.isnan(found).any() else found


def _length_m(asked: StraightWay) -> float:
    return float(distance_m(asked.from_lat_deg, asked.from_lon_deg, asked.lat_deg, asked.lon_deg))


def _path(asked: StraightWay, scene: Scene) -> FlightPath:
    """Return the way there and the wait there."""
    start, end = _place(scene, asked.from_lat_deg, asked.from_lon_deg), _place(scene, asked.lat_deg, asked.lon_deg)
    alt_m = np.array([asked.from_alt_home_m, asked.alt_home_m, asked.alt_home_m], np.float64)
    arrives_us = scene.window.end_us - round(WAITS_S * US)
    at_us = np.array([scene.window.start_us, max(arrives_us, scene.window.start_us + 1), scene.window.end_us], np.int64)
    return FlightPath(np.stack((start, end, end)), alt_m, alt_m, at_us, np.array([-1, 0, 0], np.int64))


def _zones(asked: StraightWay, scene: Scene) -> Iterator[Refusal]:
    path = _path(asked, scene)
    offences = scene.sky.offences(path)
    for name in dict.fromkeys(one.zone.name for one in offences):
        mine = [one for one in offences if one.zone.name == name]
        zone, rule_id = mine[0].zone, "R-04" if mine[0].zone.kind is ZoneKind.RESTRICTED else "R-03"
        if not scene.rules.is_on(rule_id):
            continue
        key = {ZoneKind.RESTRICTED: "restricted", ZoneKind.KEEP_IN: "strays"}.get(zone.kind, "crosses")
        numbers: dict[str, float | str] = {
            "zone": name,
            "inside_m": sum(float(np.hypot(*(one.line[1] - one.line[0]))) for one in mine),
            **hours_of(zone, mine[0].window, scene.conditions["daylight"]),
        }
        yield refusal(
            key,
            rule_id,
            numbers,
            remedies=tuple(_way_round(path, scene)) or (Remedy("no_way_round"),),
            is_warning=_leaves(mine, path) or scene.rules.is_warning(rule_id),
            airframe_id=asked.airframe.airframe_id,
            window=mine[0].window,
        )


def _leaves(offences: list[Offence], path: FlightPath) -> bool:
    """Tell whether it is in the zone now, and out of it at the end: to leave is what it should do."""
    is_in_now = any(one.leg == 0 and np.allclose(one.line[0], path.places[0], atol=0.5) for one in offences)
    return is_in_now and all(one.leg == 0 for one in offences)


def _way_round(path: FlightPath, scene: Scene) -> Iterator[Remedy]:
    """Yield by which place it would go round what is closed, where there is a way."""
    start, end = path.places[0], path.places[1]
    found = scene.way(start, end)
    if found is None or len(found) <= _STRAIGHT:
        return
    lat_deg, lon_deg = (round(float(one), 7) for one in scene.plane.from_plane(found[1, 0], found[1, 1]))
    more_m = float(np.hypot(*np.diff(found, axis=0).T).sum()) - path.length_m
    told = {"lat_deg": lat_deg, "lon_deg": lon_deg}
    yield Remedy("by_way_of", {**told, "more_m": more_m}, told)


def _height(asked: StraightWay, scene: Scene, lowest_agl_m: float | None) -> Iterator[Refusal]:
    """Yield what its height breaks; `lowest_agl_m` along the way where the ground is known: into a slope nobody is sent."""
    rules, alt_m, number = scene.rules, asked.alt_home_m, asked.airframe.airframe_id
    most_m, least_m = highest_m(rules, asked.airframe, ""), rules.number("R-02", "least_agl_m")
    if rules.is_on("R-01") and alt_m > most_m and not asked.is_homeward:
        remedy = Remedy("lower_task", {"alt_agl_m": most_m}, {"alt_agl_m": most_m})
        numbers = {"alt_agl_m": alt_m, "most_agl_m": most_m}
        is_warning = rules.is_warning("R-01")
        yield refusal("too_high", "R-01", numbers, remedies=(remedy,), is_warning=is_warning, airframe_id=number)
    lowest_m = alt_m if lowest_agl_m is None else lowest_agl_m
    if rules.is_on("R-02") and lowest_m < least_m and not asked.is_homeward:
        remedy = Remedy("raise_task", {"alt_agl_m": least_m}, {"alt_agl_m": least_m})
        numbers = {"alt_agl_m": lowest_m, "least_agl_m": least_m}
        is_clear = lowest_agl_m is None or lowest_agl_m > _CLEAR_M
        yield refusal("too_low", "R-02", numbers, remedies=(remedy,), is_warning=is_clear, airframe_id=number)


def _distance(asked: StraightWay, scene: Scene) -> Iterator[Refusal]:
    if asked.home is None or not scene.rules.is_on("R-09"):
        return
    most_m = scene.rules.number("R-09", "most_away_m")
    away_m = float(distance_m(*asked.home, asked.lat_deg, asked.lon_deg))
    if away_m > most_m:
        near = Remedy("nearer", {"most_away_m": most_m}, {"most_away_m": most_m})
        numbers = {"away_m": away_m, "most_away_m": most_m}
        yield refusal("too_far", "R-09", numbers, remedies=(near,), is_warning=True)


def _weather(asked: StraightWay, scene: Scene) -> Iterator[Refusal]:
    """Yield what weather and light would refuse, each once: it flies already, so that all of it is only said."""
    known = scene.conditions
    conditions = Conditions(
        weather=known["weather"], daylight=known["daylight"], rules=scene.rules, now_us=scene.now_us
    )
    flight = Flight(asked.airframe, max(asked.alt_home_m, asked.from_alt_home_m))
    told: set[str] = set()
    for cell in conditions.cells(scene.window):
        for breach in conditions.breaches(cell, flight):
            if breach.key not in told and scene.rules.is_on(breach.rule_id):
                told.add(breach.key)
                yield refusal(breach.key, breach.rule_id, breach.numbers, remedies=breach.remedies, is_warning=True)


def _place(scene: Scene, lat_deg: float, lon_deg: float) -> Floats:
    return np.array(scene.plane.to_plane(lat_deg, lon_deg), np.float64)


_STRAIGHT: Final = 2
_CLEAR_M: Final = 5.0
"""Where ground that is known comes nearer than this, nobody is sent straight."""
