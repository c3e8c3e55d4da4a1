"""What the planner is asked and what it has: tasks, drones and docks, crews, zones of the air, weather."""

from datetime import date, time
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

Geometry: TypeAlias = dict[str, Any]
"""A GeoJSON geometry, [lon, lat] in WGS-84, checked at the door that it came by (`mission.checking`)."""
HIGHEST_PRIORITY: Final = 10
US: Final = 1_000_000
"""Microseconds of a second: times are whole UTC microseconds, how long things take is in seconds."""


class TaskKind(StrEnum):
    """What is asked for."""

    AREA = "area"
    """All of a polygon (holes allowed) is seen."""
    CORRIDOR = "corridor"
    """A line with a width: a road, a river bank."""
    PERIMETER = "perimeter"
    """Once round a polygon's border."""
    POINT = "point"
    """A place, looked at from it or from around it."""
    EVENT = "event"
    """A place that is watched without a gap for the whole of its windows: drones relieve each other."""
    SEARCH = "search"
    """A missing person, last seen at a place: found as soon as possible."""
    STREETS = "streets"
    """A net of lines on which no place shall wait long."""


class PatternKind(StrEnum):
    """How it is flown; each kind of task has a usual one."""

    SURVEY = "survey"
    CORRIDOR = "corridor"
    PERIMETER = "perimeter"
    ORBIT = "orbit"
    HOLD = "hold"
    VIEWPOINTS = "viewpoints"
    EXPANDING_SQUARE = "expanding_square"
    SECTOR = "sector"
    PARALLEL_TRACK = "parallel_track"
    PATROL = "patrol"


class Light(StrEnum):
    """When a task makes sense, by the sun."""

    ANY = "any"
    DAY = "day"
    NIGHT = "night"


class HolidayUse(StrEnum):
    """What public holidays do to a recurrence."""

    AS_OTHERS = "as_others"
    NEVER = "never"
    ONLY = "only"


class Window(msgspec.Struct, frozen=True, order=True):
    """A time from `start_us` to `end_us`, UTC microseconds, the end not included."""

    start_us: int
    end_us: int


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """When a task comes back: an RFC 5545 RRULE of days, and the hours of such a day in a time zone of the tz database.

    `until` not later than `since` means the next morning. `skip` and `extra` are single days taken out and put in.
    """

    rule: str
    first_on: date
    since: time
    until: time
    zone: str
    skip: tuple[date, ...] = ()
    extra: tuple[date, ...] = ()
    holidays: HolidayUse = HolidayUse.AS_OTHERS


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be seen, how often and how well.

    It is done within `windows` and the hours of its `recurrence`; with `revisit_s` again and again within them, never more
    than so many seconds apart. Its height follows from `ground_pixel_m` and the camera unless `alt_agl_m` says it.
    `watcher_count` drones watch an event at once, each handover overlapping by `overlap_s`.
    """

    name_zh: str
    name_en: str
    kind: TaskKind
    geometry: Geometry
    task_id: int = 0
    priority: int = 5
    windows: tuple[Window, ...] = ()
    recurrence: Recurrence | None = None
    revisit_s: float | None = None
    dwell_s: float = 0.0
    ground_pixel_m: float | None = None
    alt_agl_m: float | None = None
    width_m: float | None = None
    """Of a corridor, of what is seen round a perimeter; of a search the radius that it begins with."""
    camera: str = ""
    """The name or kind of the camera that is wanted; empty: any."""
    light: Light = Light.ANY
    pattern: PatternKind | None = None
    side_overlap_ratio: float = 0.2
    watcher_count: int = 1
    overlap_s: float = 60.0
    approval: str = ""
    """The approval number of the authority, where the airspace asks for one."""
    note: str = ""


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera by its angles of view and its picture; `kind` is wide, zoom, thermal or multispectral."""

    name: str
    kind: str = "wide"
    horizontal_fov_deg: float = 70.0
    vertical_fov_deg: float = 43.0
    width_px: int = 3840
    height_px: int = 2160
    least_interval_s: float = 1.0


class Airframe(msgspec.Struct, frozen=True, kw_only=True):
    """A drone as the planner needs it; `endurance_s` is from full to empty in calm air, a new battery given.

    `unit_id` and `device_id` say whom of the registry it is; `firmware` is ardupilot, px4 or dji. `empty_kg` and `takeoff_kg`
    decide the class of the law. `most_waypoints` is what its controller takes.
    """

    airframe_id: int
    name: str
    dock_id: int
    unit_id: int | None = None
    device_id: int | None = None
    model: str = ""
    firmware: str = "ardupilot"
    cruise_mps: float = 12.0
    fastest_mps: float = 15.0
    climb_mps: float = 3.0
    sink_mps: float = 2.0
    acceleration_mps2: float = 2.0
    yaw_rate_degps: float = 60.0
    endurance_s: float = 1500.0
    wind_limit_mps: float = 10.0
    gust_limit_mps: float = 12.0
    flies_in_rain: bool = False
    empty_kg: float = 1.4
    takeoff_kg: float = 1.8
    cameras: tuple[Camera, ...] = (Camera(name="wide"),)
    most_waypoints: int = 200
    is_ready: bool = True


class Dock(msgspec.Struct, frozen=True, kw_only=True):
    """Where drones stand, start, land and charge; `ground_msl_m` None where it is not known."""

    dock_id: int
    name: str
    lat_deg: float
    lon_deg: float
    ground_msl_m: float | None = None
    pad_count: int = 1
    charger_count: int = 1
    station_id: int | None = None
    is_automatic: bool = False
    """Whether its drones take published sorties when they are due and start by themselves, on behalf of who approved them."""


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """A battery of a dock: `health_ratio` of a new one's capacity, `charge_ratio` now, `charge_s` from empty to full.

    Where a dock lists none, each of its airframes has one that is charged in place; where none of those listed is ready,
    nothing takes off there.
    """

    battery_id: int
    name: str
    dock_id: int
    model: str = ""
    health_ratio: float = 1.0
    charge_ratio: float = 1.0
    charge_s: float = 1800.0
    is_ready: bool = True


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A pilot or a crew: when they work, and how many drones they fly at once. Where none of those listed is ready, nothing takes off."""

    crew_id: int
    name: str
    shifts: tuple[Window, ...] = ()
    drone_count: int = 1
    is_ready: bool = True


class ZoneKind(StrEnum):
    """What a zone of the air means."""

    NO_FLY = "no_fly"
    RESTRICTED = "restricted"
    """Only with the approval that it names."""
    KEEP_IN = "keep_in"
    """Where there is one, nothing flies outside all of them."""
    TRAFFIC = "traffic"
    """A corridor of other traffic (an emergency helicopter's way): crossed by height or by time."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the air, from `floor_agl_m` to `ceiling_agl_m` above ground (None: no limit), always or in its windows."""

    name: str
    kind: ZoneKind
    geometry: Geometry
    zone_id: int = 0
    floor_agl_m: float = 0.0
    ceiling_agl_m: float | None = None
    windows: tuple[Window, ...] = ()
    approval: str = ""
    source: str = ""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """Weather that holds from `from_us` on; None is unknown. `source` is the METAR's text or who entered it."""

    from_us: int
    observed_us: int
    source: str
    wind_from_deg: float | None = None
    wind_mps: float | None = None
    gust_mps: float | None = None
    visibility_m: float | None = None
    rain_mmph: float | None = None
    cloud_base_agl_m: float | None = None
    temperature_c: float | None = None
    thunderstorm: bool = False


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """All that a plan is made of: what is asked, what there is, where and in what weather; a mission file holds one."""

    zone: str = "Asia/Shanghai"
    tasks: tuple[Task, ...] = ()
    airframes: tuple[Airframe, ...] = ()
    docks: tuple[Dock, ...] = ()
    batteries: tuple[Battery, ...] = ()
    crews: tuple[Crew, ...] = ()
    zones: tuple[Zone, ...] = ()
    weather: tuple[Weather, ...] = ()
    holidays: tuple[date, ...] = ()
    rule_set: str = "default"
    """Which rule set is in force: one of `mission.rules.rule_sets()`."""
    rules: dict[str, dict[str, float | str | bool]] = {}
    """What differs from the rule set in force: by rule id, its values."""
