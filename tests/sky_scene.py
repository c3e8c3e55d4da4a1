"""A small sky for tests of rules: a plane, shapes by metres in it, local times of one evening, one airframe and one sortie."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec.structs import replace

from mission.air.daylight import Daylight
from mission.model import Airframe, Dock, Task, TaskKind, Weather, Window, Zone, ZoneKind
from mission.plan import Sortie, Visit, Waypoint
from telemetry.model.geodesy import local_plane

US: Final = 1_000_000
PLANE: Final = local_plane(36.0, 103.8)
ZONE: Final = ZoneInfo("Asia/Shanghai")
DAYLIGHT: Final = Daylight(36.0, 103.8)
DOCK: Final = Dock(dock_id=2, name="机库-02", lat_deg=36.0, lon_deg=103.8)
FRAME: Final = Airframe(airframe_id=9, name="巡鹰-07", dock_id=2, gust_limit_mps=8.0)
Place = tuple[float, float]


def clock(hour: int, minute: int = 0, *, day: int = 18) -> int:
    """Return a local time of September 2026, UTC microseconds."""
    return round(datetime(2026, 9, day, hour, minute, tzinfo=ZONE).timestamp()) * US


def window(hour: int, minute: int, until_hour: int, until_minute: int = 0, *, until_day: int = 18) -> Window:
    return Window(start_us=clock(hour, minute), end_us=clock(until_hour, until_minute, day=until_day))


def lonlat(places: Sequence[Place]) -> list[list[float]]:
    lat, lon = PLANE.from_plane(*np.array(places, np.float64).T)
    return [[float(east), float(north)] for east, north in zip(lon, lat, strict=True)]


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [lonlat(ring)]}


def point(east: float, north: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": lonlat([(east, north)])[0]}


def zone(kind: ZoneKind, geometry: dict[str, Any], **more: object) -> Zone:
    return replace(Zone(name="临时管制", kind=kind, geometry=geometry, zone_id=5), **more)


def task(**more: object) -> Task:
    usual = Task(
        name_zh="丹霞谷",
        name_en="Danxia valley",
        kind=TaskKind.AREA,
        geometry=box(0, 0, 300, 300),
        task_id=7,
        alt_agl_m=60.0,
    )
    return replace(usual, **more)


def visit(within: Window) -> Visit:
    return Visit(visit_id=3, task_id=7, number=1, window=within)


def weather(from_us: int, *, observed_us: int | None = None, **more: object) -> Weather:
    fine = Weather(
        from_us=from_us,
        observed_us=from_us if observed_us is None else observed_us,
        source="",
        wind_from_deg=270.0,
        wind_mps=3.0,
        gust_mps=5.0,
        visibility_m=9000.0,
        rain_mmph=0.0,
        cloud_base_agl_m=900.0,
        temperature_c=20.0,
    )
    return replace(fine, **more)


def evening(**gusts_by_hour: float) -> list[Weather]:
    """Return a forecast made at 17:30 with a gust for each hour, h18=5.0."""
    return [
        weather(clock(int(hour[1:])), observed_us=clock(17, 30), gust_mps=gust) for hour, gust in gusts_by_hour.items()
    ]


def sortie(
    places: Sequence[Place], takeoff_us: int, *, alt_m: float = 60.0, hold_s: float = 0.0, **more: object
) -> Sortie:
    """Return a flight at 10 m/s from the dock through the places and home; 20 s up, 30 s down."""
    at_us, ways, before = takeoff_us + 20 * US, [], (0.0, 0.0)
    for place, (lon, lat) in zip(places, lonlat(places), strict=True):
        at_us += round(float(np.hypot(place[0] - before[0], place[1] - before[1])) / 10.0 * US)
        one = Waypoint(lat_deg=lat, lon_deg=lon, alt_home_m=alt_m, speed_mps=10.0, task_id=7, arrive_us=at_us)
        ways.append(replace(one, hold_s=hold_s))
        at_us, before = at_us + round(hold_s * US), place
    landing_us = at_us + round((float(np.hypot(*before)) / 10.0 + 30.0) * US)
    usual = Sortie(
        sortie_id=1,
        airframe_id=9,
        dock_id=2,
        takeoff_us=takeoff_us,
        landing_us=landing_us,
        free_us=landing_us + 1800 * US,
        visit_ids=(3,),
        task_ids=(7,),
        waypoints=tuple(ways),
        length_m=0.0,
        landing_battery_ratio=0.4,
        transit_alt_home_m=alt_m,
    )
    return replace(usual, **more)
