"""The words of mission scripts: what shall be seen, with what and where, as the planner's own structs. Places are (lat, lon)."""

import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack

from mission.model import (
    HIGHEST_PRIORITY,
    Airframe,
    Battery,
    Camera,
    Dock,
    Light,
    PatternKind,
    Recurrence,
    Task,
    TaskKind,
    Weather,
    Window,
    Zone,
    ZoneKind,
)
from mission.programme_items import moved_to_wgs84
from telemetry.model.datum import parse_crs
from telemetry.model.errors import InputError

Place = tuple[float, float]
"""(lat_deg, lon_deg)."""
When = Recurrence | Window | Sequence[Window]
Kind = TypeVar("Kind", Task, Dock, Zone)


class TaskFields(TypedDict, total=False):
    """What may be said of a task beside its name and place: `mission.model.Task` tells what each means."""

    when: When
    crs: str
    priority: int
    revisit_s: float
    dwell_s: float
    ground_pixel_m: float
    alt_agl_m: float
    width_m: float
    camera: str
    light: Light
    pattern: PatternKind
    side_overlap_ratio: float
    watcher_count: int
    overlap_s: float
    approval: str
    note: str
    name_zh: str


class DockFields(TypedDict, total=False):
    """What may be said of a dock beside its name and place: `mission.model.Dock`."""

    ground_msl_m: float
    pad_count: int
    charger_count: int
    is_automatic: bool


class DroneFields(TypedDict, total=False):
    """What may be said of a drone: `mission.model.Airframe`."""

    unit_id: int
    device_id: int
    model: str
    firmware: str
    cruise_mps: float
    fastest_mps: float
    climb_mps: float
    sink_mps: float
    endurance_s: float
    wind_limit_mps: float
    gust_limit_mps: float
    flies_in_rain: bool
    empty_kg: float
    takeoff_kg: float
    most_waypoints: int


class BatteryFields(TypedDict, total=False):
    """What may be said of a battery: `mission.model.Battery`."""

    health_ratio: float
    charge_ratio: float
    charge_s: float


class ZoneFields(TypedDict, total=False):
    """What may be said of a zone: `mission.model.Zone`."""

    floor_agl_m: float
    ceiling_agl_m: float
    windows: tuple[Window, ...]
    approval: str
    source: str


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_FIRST_DAY: Final = date(2000, 1, 1)
_NUMBERS: Final = 2**31 - 1


def area(
    name: str, corners: Sequence[Place], *, holes: Sequence[Sequence[Place]] = (), **more: Unpack[TaskFields]
) -> Task:
    """Return the task to see all of a polygon; `more` are the fields of `mission.model.Task`, and `when`, `crs`."""
    return _task(name, TaskKind.AREA, _polygon(corners, holes), **more)


def perimeter(name: str, corners: Sequence[Place], **more: Unpack[TaskFields]) -> Task:
    """Return the task to go once round a polygon's border."""
    return _task(name, TaskKind.PERIMETER, _polygon(corners, ()), **more)


def corridor(name: str, line: Sequence[Place], **more: Unpack[TaskFields]) -> Task:
    """Return the task to follow a line, a road or a river bank, `width_m` wide (40 m if not said)."""
    more.setdefault("width_m", 40.0)
    return _task(name, TaskKind.CORRIDOR, _line(line), **more)


def streets(name: str, lines: Sequence[Sequence[Place]], **more: Unpack[TaskFields]) -> Task:
    """Return the task to patrol a net of lines so that no place of it waits long."""
    geometry = {"type": "MultiLineString", "coordinates": [_line(line)["coordinates"] for line in lines]}
    return _task(name, TaskKind.STREETS, geometry, **more)


def point(name: str, at: Place, **more: Unpack[TaskFields]) -> Task:
    """Return the task to look at a place."""
    return _task(name, TaskKind.POINT, _point(at), **more)


def event(name: str, at: Place, **more: Unpack[TaskFields]) -> Task:
    """Return the task to watch a place without a gap for the whole of `when`: drones relieve each other."""
    return _task(name, TaskKind.EVENT, _point(at), **more)


def search(name: str, at: Place, *, radius_m: float = 300.0, **more: Unpack[TaskFields]) -> Task:
    """Return the task to find who was last seen at a place, as soon as possible."""
    more.setdefault("width_m", radius_m)
    more.setdefault("priority", HIGHEST_PRIORITY)
    return _task(name, TaskKind.SEARCH, _point(at), **more)


def dock(name: str, at: Place, *, crs: str = "wgs84", **more: Unpack[DockFields]) -> Dock:
    """Return a place where drones stand; `more` are the fields of `mission.model.Dock`."""
    found = Dock(dock_id=_number(name, at), name=name, lat_deg=at[0], lon_deg=at[1], **more)
    return _moved(found, crs)


def drone(
    name: str, *, dock: Dock, cameras: Sequence[Camera] = (Camera(name="wide"),), **more: Unpack[DroneFields]
) -> Airframe:
    """Return a drone of a dock; `more` are the fields of `mission.model.Airframe`, such as endurance_s and cruise_mps."""
    number = _number(name, dock.dock_id)
    return Airframe(airframe_id=number, name=name, dock_id=dock.dock_id, cameras=tuple(cameras), **more)


def battery(name: str, *, dock: Dock, **more: Unpack[BatteryFields]) -> Battery:
    """Return a battery of a dock; a dock without any has one for each drone, charged in place."""
    return Battery(battery_id=_number(name, dock.dock_id), name=name, dock_id=dock.dock_id, **more)


def no_fly(name: str, corners: Sequence[Place], *, crs: str = "wgs84", **more: Unpack[ZoneFields]) -> Zone:
    """Return a zone that nothing flies through; `more` are the fields of `mission.model.Zone`."""
    return _moved(Zone(name=name, kind=ZoneKind.NO_FLY, geometry=_polygon(corners, ()), **more), crs)


def keep_in(name: str, corners: Sequence[Place], *, crs: str = "wgs84", **more: Unpack[ZoneFields]) -> Zone:
    """Return a zone that nothing flies out of."""
    return _moved(Zone(name=name, kind=ZoneKind.KEEP_IN, geometry=_polygon(corners, ()), **more), crs)


def wind(speed_mps: float, *, from_deg: float = 0.0, gust_mps: float | None = None) -> Weather:
    """Return fair weather with this wind, for a plan that is made without a report."""
    return Weather(
        from_us=0, observed_us=0, source="script", wind_mps=speed_mps, wind_from_deg=from_deg, gust_mps=gust_mps,
        visibility_m=10_000.0, rain_mmph=0.0, temperature_c=15.0,
    )  # fmt: skip


def hours(since: str, until: str, *, days: str = "", zone: str = "Asia/Shanghai") -> Recurrence:
    """Return the hours of each day, or of `days` such as "MO,WE,FR", as "08:00" and "18:00"; an earlier `until` is next morning's."""
    rule = f"FREQ=WEEKLY;BYDAY={days}" if days else "FREQ=DAILY"
    return Recurrence(rule=rule, first_on=_FIRST_DAY, since=_clock(since), until=_clock(until), zone=zone)


def window(start: str, end: str) -> Window:
    """Return the time between two ends in ISO 8601 with their zone, such as "2026-09-19T18:00+08:00"."""
    return Window(_us(start), _us(end))


def _task(name: str, kind: TaskKind, geometry: dict[str, Any], **more: Unpack[TaskFields]) -> Task:
    unknown = sorted(set(more) - set(TaskFields.__annotations__))
    if unknown:
        message = f"{name}: a task has no {unknown[0]!r}: it has {', '.join(TaskFields.__annotations__)}"
        raise InputError(message)
    when, crs = more.pop("when", None), more.pop("crs", "wgs84")
    said: dict[str, Any] = {"name_zh": name, "name_en": name, **more}
    if isinstance(when, Recurrence):
        said["recurrence"] = when
    elif when is not None:
        said["windows"] = (when,) if isinstance(when, Window) else tuple(when)
    return _moved(Task(kind=kind, geometry=geometry, **said), crs)


def _moved(item: Kind, crs: str) -> Kind:
    moved = moved_to_wgs84(item, parse_crs(crs))
    assert isinstance(moved, type(item))
    return moved


def _polygon(corners: Sequence[Place], holes: Sequence[Sequence[Place]]) -> dict[str, Any]:
    rings = [[[lon, lat] for lat, lon in ring] for ring in (corners, *holes)]
    closed = [ring if ring and ring[0] == ring[-1] else [*ring, *ring[:1]] for ring in rings]
    return {"type": "Polygon", "coordinates": closed}


def _line(line: Sequence[Place]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in line]}


def _point(at: Place) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [at[1], at[0]]}


def _number(*named: object) -> int:
    """Return a number that is the same for the same names in every run."""
    return zlib.crc32(repr(named).encode()) % _NUMBERS + 1


def _clock(text: str) -> time:
    try:
        return time() if text == "24:00" else time.fromisoformat(f"{text:0>5}")
    except ValueError as error:
        message = f"{text!r} is no time of day: write it like 08:30"
        raise InputError(message) from error


def _us(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time: write it like 2026-09-19T18:00+08:00"
        raise InputError(message) from error
    if at.tzinfo is None:
        message = f"{text!r} has no time zone: write it like 2026-09-19T18:00+08:00"
        raise InputError(message)
    return (at - _EPOCH) // _US
