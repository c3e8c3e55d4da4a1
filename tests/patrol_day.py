"""A day of a river town for tests of the planner: a scenic area, a festival, wetlands, a school crossing, three docks."""

from datetime import date, time
from typing import Any

from mission.model import (
    Airframe,
    Battery,
    Camera,
    Dock,
    Programme,
    Recurrence,
    Task,
    TaskKind,
    Weather,
    Window,
    Zone,
    ZoneKind,
)  # fmt: skip

LAT_DEG, LON_DEG = 36.06, 103.83
DAY_US = 1_789_747_200_000_000
"""2026-09-19 00:00 in Shanghai (Saturday)."""
HOUR_US = 3_600_000_000
M_LAT, M_LON = 1 / 111_000.0, 1 / 90_000.0


def hour(value: float) -> int:
    return DAY_US + round(value * HOUR_US)


def day(since: float = 0.0, until: float = 24.0) -> Window:
    return Window(hour(since), hour(until))


def place(east_m: float, north_m: float) -> list[float]:
    return [round(LON_DEG + east_m * M_LON, 7), round(LAT_DEG + north_m * M_LAT, 7)]


def rectangle(east_m: float, north_m: float, width_m: float, height_m: float) -> dict[str, Any]:
    corners = [(0, 0), (width_m, 0), (width_m, height_m), (0, height_m), (0, 0)]
    return {"type": "Polygon", "coordinates": [[place(east_m + x, north_m + y) for x, y in corners]]}


def point(east_m: float, north_m: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": place(east_m, north_m)}


def airframe(airframe_id: int, dock_id: int, **changes: object) -> Airframe:
    values: dict[str, object] = {
        "airframe_id": airframe_id, "name": f"巡鹰-{airframe_id:02d}", "dock_id": dock_id, "endurance_s": 1800.0,
        "cameras": (Camera(name="wide"), Camera(name="zoom", kind="zoom", horizontal_fov_deg=30.0, vertical_fov_deg=17.0)),
    }  # fmt: skip
    return Airframe(**(values | changes))  # type: ignore[arg-type]


def dock(dock_id: int, east_m: float, north_m: float, **changes: object) -> Dock:
    lon_deg, lat_deg = place(east_m, north_m)
    values: dict[str, object] = {
        "dock_id": dock_id, "name": f"机库-{dock_id:02d}", "lat_deg": lat_deg, "lon_deg": lon_deg, "pad_count": 2,
        "charger_count": 3,
    }  # fmt: skip
    return Dock(**(values | changes))  # type: ignore[arg-type]


DAILY = "FREQ=DAILY"
WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA"


def recurrence(since: time, until: time, rule: str = DAILY) -> Recurrence:
    return Recurrence(rule=rule, first_on=date(2026, 1, 1), since=since, until=until, zone="Asia/Shanghai")


def tasks() -> tuple[Task, ...]:
    return (
        Task(
            task_id=1, name_zh="丹霞谷巡防", name_en="Danxia valley", kind=TaskKind.AREA, priority=5,
            geometry=rectangle(-400, 1800, 700, 500), recurrence=recurrence(time(8), time(18)), revisit_s=3600.0,
            alt_agl_m=90.0,
        ),
        Task(
            task_id=2, name_zh="金河河灯会", name_en="River lanterns", kind=TaskKind.EVENT, priority=9,
            geometry=point(600, 300), recurrence=recurrence(time(18), time(0)), alt_agl_m=60.0, overlap_s=60.0,
        ),
        Task(
            task_id=3, name_zh="柳滩湿地", name_en="Willow wetlands", kind=TaskKind.AREA, priority=4,
            geometry=rectangle(1800, -600, 900, 600),
            recurrence=recurrence(time(7), time(11), "FREQ=WEEKLY;BYDAY=WE,SA"), alt_agl_m=80.0,
        ),
        Task(
            task_id=4, name_zh="城关小学路口", name_en="School crossing", kind=TaskKind.POINT, priority=7,
            geometry=point(-900, 400), recurrence=recurrence(time(7, 20), time(8), WEEKDAYS), dwell_s=420.0,
            alt_agl_m=60.0,
        ),
        Task(
            task_id=5, name_zh="北滨河线", name_en="North bank road", kind=TaskKind.CORRIDOR, priority=5, width_m=60.0,
            geometry={"type": "LineString", "coordinates": [place(-1500, 700), place(0, 800), place(1500, 600)]},
            recurrence=recurrence(time(12), time(18)), revisit_s=3600.0, alt_agl_m=70.0,
        ),
    )  # fmt: skip


def programme(**changes: object) -> Programme:
    values: dict[str, object] = {
        "tasks": tasks(),
        "docks": (dock(1, -200, 200), dock(2, 100, 1500), dock(3, 1500, 0)),
        "airframes": (
            airframe(1, 1), airframe(2, 1), airframe(3, 1), airframe(4, 2), airframe(5, 3),
        ),
        "zones": (
            Zone(zone_id=1, name="水厂", kind=ZoneKind.NO_FLY, geometry=rectangle(800, 800, 300, 300)),
        ),
        "weather": (
            Weather(from_us=hour(0), observed_us=hour(-1), source="forecast", wind_from_deg=320.0, wind_mps=4.0,
                    gust_mps=6.0, visibility_m=10_000.0, rain_mmph=0.0),
        ),
    }  # fmt: skip
    return Programme(**(values | changes))  # type: ignore[arg-type]


def batteries(dock_id: int, count: int, **changes: object) -> tuple[Battery, ...]:
    return tuple(
        Battery(battery_id=dock_id * 100 + number, name=f"{dock_id}-{number}", dock_id=dock_id, **changes)  # type: ignore[arg-type]
        for number in range(count)
    )
