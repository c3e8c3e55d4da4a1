"""The demo city's day from the air: what shall be seen, with which drones from which docks, round which zones, in what wind.

A scenic area each hour, a lantern festival without a gap, wetlands twice a week, a school's crossing when the children come and
go, a river bank in the afternoon; and a search, when somebody is missing.
"""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from console.demo import city_table as table
from console.demo.autopilot.battery import CHARGE_S, ENDURANCE_S
from console.demo.basemap import lonlat
from console.demo.city import City, CitySpot
from console.demo.drones import WIND_FROM_DEG, WIND_MPS, patrols
from console.demo.force_plan import ForcePlan, PlannedUnit
from console.demo.hills import oval
from console.demo.valley import Ground
from infra.clock import utc_of
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
)
from telemetry.model.geodesy import distance_m
from telemetry.model.unit import UnitKind

ZONE: Final = "Asia/Shanghai"
MOST_AIRFRAMES: Final = 24
CRUISE_MPS: Final = 10.0
FASTEST_MPS: Final = 15.0
HOUR_US: Final = 3_600_000_000
FORECAST_FROM_US: Final = HOUR_US // 2
FESTIVAL_LASTS_US: Final = 6 * HOUR_US
AREA_CORNERS: Final = 16
FIRST_ON: Final = date(2026, 1, 1)
SEARCH_RADIUS_M: Final = 250.0
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MODEL: Final = "Matrice 3TD"
"""What the demo's drones pass for in DJI's files; in the air they speak MAVLink."""
_CAMERAS: Final = (
    Camera(name="wide"),
    Camera(name="zoom", kind="zoom", horizontal_fov_deg=30.0, vertical_fov_deg=17.0),
    Camera(name="thermal", kind="thermal", horizontal_fov_deg=45.0, vertical_fov_deg=37.0, width_px=640, height_px=512),
)


class Registered(NamedTuple):
    """Whom of the registry a drone is."""

    unit_id: int
    device_id: int


def day_programme(
    city: City,
    plan: ForcePlan,
    registered: Mapping[str, Registered],
    *,
    now_us: int,
    festival_from_us: int | None = None,
) -> Programme:
    """Return the programme of the day of `now_us` for a generated city and its force's drones.

    `registered` finds a drone by its call sign. The festival is every evening, or for six hours from `festival_from_us` on,
    so that a short demo sees it.
    """
    drones = planned_drones(plan)
    dock_of = {drone.call_sign: _dock_number(city, drone) for drone in drones}
    numbers = range(1, len(drones) + 1)
    return Programme(
        zone=ZONE,
        tasks=tuple(_tasks(city, now_us, festival_from_us)),
        docks=tuple(_docks(city, list(dock_of.values()))),
        airframes=tuple(
            _airframe(number, drone, dock_of[drone.call_sign], registered.get(drone.call_sign))
            for number, drone in zip(numbers, drones, strict=True)
        ),
        batteries=tuple(
            Battery(battery_id=number, name=f"B{number:02d}", dock_id=dock_of[drone.call_sign], charge_s=CHARGE_S)
            for number, drone in zip(numbers, drones, strict=True)
        ),
        zones=tuple(_zones(city)),
        weather=day_weather(now_us),
        rules={"R-18": {"level": "warn"}},  # nobody reports the demo's weather from hour to hour
    )


def planned_drones(plan: ForcePlan) -> list[PlannedUnit]:
    """Return the drones that fly the day's plan: those that do not patrol by themselves, or all of a small force's."""
    drones = [unit for unit in plan.units if unit.kind is UnitKind.DRONE]
    free = [unit for place, unit in enumerate(drones) if not patrols(place, len(drones))]
    return (free or drones)[:MOST_AIRFRAMES]


def day_weather(now_us: int) -> tuple[Weather, ...]:
    """Return the breeze that the demo's drones fly in: as observed now, and as forecast for what follows."""
    seen = Weather(
        from_us=now_us - 24 * HOUR_US,
        observed_us=now_us,
        source="demo",
        wind_from_deg=WIND_FROM_DEG,
        wind_mps=WIND_MPS,
        gust_mps=WIND_MPS + 2.0,
        visibility_m=10_000.0,
        rain_mmph=0.0,
        temperature_c=18.0,
    )
    return seen, msgspec.structs.replace(seen, from_us=now_us + FORECAST_FROM_US, source="demo forecast")


def search_task(lat_deg: float, lon_deg: float, *, now_us: int, task_id: int = 0) -> Task:
    """Return a search for somebody last seen at a place, to begin within the hour."""
    return Task(
        task_id=task_id,
        name_zh="走失人员搜寻",
        name_en="Missing person",
        kind=TaskKind.SEARCH,
        geometry={"type": "Point", "coordinates": [lon_deg, lat_deg]},
        priority=10,
        windows=(Window(now_us, now_us + HOUR_US),),
        width_m=SEARCH_RADIUS_M,
        alt_agl_m=60.0,
    )


def _tasks(city: City, now_us: int, festival_from_us: int | None) -> list[Task]:
    """Return what is asked, numbered from 1."""
    today = utc_of(now_us).astimezone(ZoneInfo(ZONE)).date()
    places = {spot.key: spot for spot in city.facts.places}
    tasks = [
        _scenic_area(),
        _festival(places["market"], festival_from_us),
        _wetlands(today),
        *_crossings(city),
        _river_bank(),
    ]
    return [msgspec.structs.replace(task, task_id=number) for number, task in enumerate(tasks, 1)]


def _scenic_area() -> Task:
    green = _green("scenic_area")
    return Task(
        name_zh="丹霞谷景区巡防",
        name_en="Danxia Valley",
        kind=TaskKind.AREA,
        geometry=_area(green, scale_factor=0.42),
        recurrence=_hours(time(8), time(18)),
        revisit_s=3600.0,
        alt_agl_m=100.0,
        priority=6,
    )


def _festival(place: CitySpot, from_us: int | None) -> Task:
    windows = () if from_us is None else (Window(from_us, from_us + FESTIVAL_LASTS_US),)
    return Task(
        name_zh="水车灯会",
        name_en="Shuiche lantern festival",
        kind=TaskKind.EVENT,
        geometry={"type": "Point", "coordinates": [place.lon_deg, place.lat_deg]},
        windows=windows,
        recurrence=None if windows else _hours(time(18), time(0)),
        alt_agl_m=80.0,
        overlap_s=60.0,
        priority=9,
    )


def _wetlands(today: date) -> Task:
    """Return a survey on two days of the week, today one of them."""
    days = ",".join(DAYS[day] for day in sorted({today.weekday(), (today + timedelta(days=3)).weekday()}))
    return Task(
        name_zh="柳滩湿地普查",
        name_en="Liutan wetlands",
        kind=TaskKind.AREA,
        geometry=_area(_green("wetland")),
        recurrence=_hours(time(7), time(19), f"FREQ=WEEKLY;BYDAY={days}"),
        alt_agl_m=90.0,
        priority=4,
    )


def _crossings(city: City) -> list[Task]:
    """Return the crossing of the school that is nearest to a dock: children come and go, from Monday to Saturday."""
    schools = [spot for spot in _tiers(city) if spot["properties"]["kind"] == "school"]
    at = min(schools, key=lambda spot: _dock_away_m(city, spot["geometry"]["coordinates"]))
    said = at["properties"]
    halves = (("早", "in the morning", time(7, 10), time(8)), ("晚", "in the afternoon", time(16, 20), time(17, 10)))
    return [
        Task(
            name_zh=f"{said['name_zh']}护学岗({half_zh})",
            name_en=f"{said['name_en']} crossing {half_en}",
            kind=TaskKind.POINT,
            geometry=at["geometry"],
            recurrence=_hours(since, until, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA"),
            dwell_s=420.0,
            alt_agl_m=70.0,
            priority=7,
        )
        for half_zh, half_en, since, until in halves
    ]


def _river_bank() -> Task:
    east_m = np.linspace(-2600.0, 400.0, 7)
    north_m = np.interp(east_m, table.PROFILE_EAST_M, table.RIVER_NORTH_M) + table.RIVER_HALF_WIDTH_M + 40.0
    return Task(
        name_zh="北滨河线",
        name_en="North Riverside line",
        kind=TaskKind.CORRIDOR,
        geometry={"type": "LineString", "coordinates": lonlat(Ground(east_m, north_m))},
        width_m=80.0,
        recurrence=_hours(time(10), time(21)),
        revisit_s=7200.0,
        alt_agl_m=90.0,
        priority=5,
    )


def _hours(since: time, until: time, rule: str = "FREQ=DAILY") -> Recurrence:
    return Recurrence(rule=rule, first_on=FIRST_ON, since=since, until=until, zone=ZONE)


def _green(kind: str) -> table.Green:
    return next(green for green in table.GREENS if green.kind == kind)


def _area(green: table.Green, *, scale_factor: float = 1.0) -> dict[str, Any]:
    angle = np.linspace(0.0, 2.0 * np.pi, AREA_CORNERS, endpoint=False)
    ring = lonlat(oval(green, angle, scale_factor))
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _tiers(city: City) -> list[dict[str, Any]]:
    return _features(city, "tiers.geojson")


def _features(city: City, name: str) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = msgspec.json.decode((city.directory / name).read_bytes())["features"]
    return features


def _dock_away_m(city: City, lon_lat: list[float]) -> float:
    return min(float(distance_m(dock.lat_deg, dock.lon_deg, lon_lat[1], lon_lat[0])) for dock in city.facts.docks)


def _dock_number(city: City, drone: PlannedUnit) -> int:
    """Return the number, from 1, of the dock whose pad a drone stands on."""
    away_m = [
        distance_m(dock.lat_deg, dock.lon_deg, drone.base_lat_deg, drone.base_lon_deg) for dock in city.facts.docks
    ]
    return int(np.argmin(np.array(away_m))) + 1


def _docks(city: City, used: list[int]) -> list[Dock]:
    return [
        Dock(
            dock_id=number,
            name=spot.name_zh,
            lat_deg=spot.lat_deg,
            lon_deg=spot.lon_deg,
            pad_count=max(1, used.count(number)),
            charger_count=max(1, used.count(number)),
        )
        for number, spot in enumerate(city.facts.docks, 1)
    ]


def _airframe(number: int, drone: PlannedUnit, dock_id: int, registered: Registered | None) -> Airframe:
    return Airframe(
        airframe_id=number,
        name=drone.name_zh,
        dock_id=dock_id,
        unit_id=registered.unit_id if registered else None,
        device_id=registered.device_id if registered else None,
        model=MODEL,
        cruise_mps=CRUISE_MPS,
        fastest_mps=FASTEST_MPS,
        endurance_s=ENDURANCE_S,
        cameras=_CAMERAS,
    )


def _zones(city: City) -> list[Zone]:
    return [
        Zone(
            zone_id=number,
            name=feature["properties"]["name_zh"],
            kind=ZoneKind.NO_FLY,
            geometry=feature["geometry"],
            source="demo",
        )
        for number, feature in enumerate(_features(city, "no_fly.geojson"), 1)
    ]
