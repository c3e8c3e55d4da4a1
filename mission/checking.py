"""What is wrong with a programme as it is given: what, where, and what to change, before anything is planned with it."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import shapely

from mission.days import zone_of
from mission.model import (
    HIGHEST_PRIORITY,
    Airframe,
    Battery,
    Camera,
    Crew,
    Dock,
    Geometry,
    Programme,
    Task,
    TaskKind,
    Weather,
    Window,
    Zone,
)
from mission.plan import Refusal
from mission.schedule.recurrence import rule_parts
from telemetry.model.errors import InputError, chinese_of

MOST_PLACES: Final = 20_000
"""Of one geometry: a border with more corners is drawn finer than any drone flies."""
MOST_AREA_KM2: Final = 400.0
MOST_TASKS: Final = 2_000
MOST_AIRFRAMES: Final = 500
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_FIRST_US, _LAST_US = 631_152_000_000_000, 4_102_444_800_000_000
_LONGEST_WINDOW_US: Final = 400 * 86_400 * 1_000_000
_LEAST_REVISIT_S: Final = 60.0
_M_PER_DEG: Final = 111_320.0
_UNSOUND_ZH: Final = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Hole lies outside shell": "内环在外环之外",
    "Holes are nested": "内环相互嵌套",
    "Nested shells": "多边形相互嵌套",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "顶点太少",
}
_SHAPES: Final = {
    TaskKind.AREA: ("Polygon", "MultiPolygon"),
    TaskKind.CORRIDOR: ("LineString", "MultiLineString"),
    TaskKind.PERIMETER: ("Polygon", "MultiPolygon"),
    TaskKind.POINT: ("Point", "Polygon"),
    TaskKind.EVENT: ("Point", "Polygon", "LineString"),
    TaskKind.SEARCH: ("Point", "Polygon"),
    TaskKind.STREETS: ("LineString", "MultiLineString"),
}


def check_programme(programme: Programme) -> list[Refusal]:
    """Return what is wrong, item by item; `numbers["where"]` is the field. Nothing is raised, and all of it is found.

    Identities and references, geometries, windows and zones of time, numbers out of range, assets that cannot do anything.
    """
    return [
        *_check_sizes(programme),
        *_check_ids(programme),
        *_check_zone(programme.zone, "zone"),
        *(said for task in programme.tasks for said in check_task_input(task)),
        *(said for zone in programme.zones for said in _check_air_zone(zone)),
        *(said for dock in programme.docks for said in _check_dock(dock)),
        *(said for airframe in programme.airframes for said in _check_airframe(airframe, programme)),
        *(said for battery in programme.batteries for said in _check_battery(battery, programme)),
        *(said for crew in programme.crews for said in _check_crew(crew)),
        *(said for weather in programme.weather for said in _check_weather(weather)),
    ]


def sound_part(programme: Programme) -> tuple[Programme, list[Refusal]]:
    """Return the programme without the tasks and airframes that are wrong, and what is wrong with them.

    Raises InputError for what is wrong with the whole: numbers that are there twice, zones, docks, batteries, sizes.
    """
    wrong = [said for said in check_programme(programme) if not said.is_warning]
    whole = [said for said in wrong if said.task_id is None and said.airframe_id is None]
    if whole:
        raise _all_of(whole)
    tasks, airframes = {said.task_id for said in wrong}, {said.airframe_id for said in wrong}
    left = msgspec.structs.replace(
        programme,
        tasks=tuple(task for task in programme.tasks if task.task_id not in tasks),
        airframes=tuple(each for each in programme.airframes if each.airframe_id not in airframes),
    )
    return left, wrong


def _all_of(wrong: Sequence[Refusal]) -> InputError:
    zh = "；".join(f"{said.reason_zh}（{said.remedy_zh}）" for said in wrong[:10])
    return InputError("; ".join(f"{said.reason_en} ({said.remedy_en})" for said in wrong[:10]), zh)


def check_task_input(task: Task) -> Iterator[Refusal]:
    """Yield what is wrong with a task by itself."""
    name = _name_of(task)
    yield from _check_geometry(task.geometry, name, _SHAPES[task.kind], task_id=task.task_id)
    yield from _check_windows(task.windows, name, task_id=task.task_id)
    yield from _check_recurrence(task, name)
    ranges = (
        ("priority", float(task.priority), 0.0, float(HIGHEST_PRIORITY)),
        ("revisit_s", task.revisit_s, _LEAST_REVISIT_S, 86_400.0 * 31),
        ("dwell_s", task.dwell_s, 0.0, 86_400.0),
        ("ground_pixel_m", task.ground_pixel_m, 0.001, 10.0),
        ("alt_agl_m", task.alt_agl_m, 2.0, 6_000.0),
        ("width_m", task.width_m, 1.0, 5_000.0),
        ("side_overlap_ratio", task.side_overlap_ratio, 0.0, 0.95),
        ("watcher_count", float(task.watcher_count), 1.0, 16.0),
        ("overlap_s", task.overlap_s, 0.0, 600.0),
    )
    yield from _check_ranges(ranges, name, task_id=task.task_id)
    if task.kind is TaskKind.EVENT and not task.windows and task.recurrence is None:
        yield _wrong(
            (f"活动“{name}”没有时间", f"the event {name!r} has no time"),
            ("填写起止时间", "give it a window or a recurrence"),
            where="windows", task_id=task.task_id,
        )  # fmt: skip


def _check_recurrence(task: Task, name: str) -> Iterator[Refusal]:
    recurrence = task.recurrence
    if recurrence is None:
        return
    yield from _check_zone(recurrence.zone, "recurrence.zone", task_id=task.task_id)
    for field, moment in (("since", recurrence.since), ("until", recurrence.until)):
        if moment.tzinfo is not None:
            yield _wrong(
                (f"“{name}”的 {field} 带有时区", f"{field} of {name!r} carries a time zone of its own"),
                ("时刻只写时分，时区写在 zone", "write hours and minutes only, and the zone in `zone`"),
                where=f"recurrence.{field}", task_id=task.task_id,
            )  # fmt: skip
    try:
        rule_parts(recurrence.rule)
    except InputError as error:
        yield _wrong(
            (f"“{name}”的重复规则有误：{chinese_of(error)}", f"{name!r}: {error}"),
            ("例如 FREQ=WEEKLY;BYDAY=MO,TH", "for example FREQ=WEEKLY;BYDAY=MO,TH"),
            where="recurrence.rule", task_id=task.task_id,
        )  # fmt: skip
    if not _FIRST_YEAR <= recurrence.first_on.year <= _LAST_YEAR:
        yield _wrong(
            (f"“{name}”自 {recurrence.first_on} 起", f"{name!r} begins on {recurrence.first_on}"),
            (f"年份在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间", f"give a year from {_FIRST_YEAR} to {_LAST_YEAR}"),
            where="recurrence.first_on", task_id=task.task_id,
        )  # fmt: skip


def _check_zone(name: str, where: str, *, task_id: int | None = None) -> Iterator[Refusal]:
    try:
        zone_of(name)
    except InputError as error:
        yield _wrong(
            (f"时区“{name}”不存在", str(error)),
            ("例如 Asia/Shanghai", "for example Asia/Shanghai"),
            where=where,
            task_id=task_id,
        )


def _check_windows(windows: Sequence[Window], name: str, *, task_id: int | None = None) -> Iterator[Refusal]:
    for number, window in enumerate(windows, 1):
        where = f"windows[{number}]"
        if window.end_us <= window.start_us:
            yield _wrong(
                (f"“{name}”的第 {number} 个时间窗先结束后开始", f"window {number} of {name!r} closes before it opens"),
                ("改结束时间", "give it a later end"), where=where, task_id=task_id, window=window,
            )  # fmt: skip
        elif not (window.start_us >= _FIRST_US and window.end_us <= _LAST_US):
            yield _wrong(
                (f"“{name}”的第 {number} 个时间窗不在 {_FIRST_YEAR} 至 {_LAST_YEAR} 年", f"window {number} of {name!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}"),
                ("时间以 UTC 微秒计，须带时区", "times are UTC microseconds: give them with their zone"), where=where, task_id=task_id, window=window,
            )  # fmt: skip
        elif window.end_us - window.start_us > _LONGEST_WINDOW_US:
            yield _wrong(
                (f"“{name}”的第 {number} 个时间窗长于 400 天", f"window {number} of {name!r} is longer than 400 days"),
                ("改用重复规则", "use a recurrence"), where=where, task_id=task_id, window=window,
            )  # fmt: skip


def _check_geometry(
    geometry: Geometry, name: str, kinds: Sequence[str], *, task_id: int | None = None, where: str = "geometry"
) -> Iterator[Refusal]:
    try:
        shape = shapely.force_2d(shapely.geometry.shape(geometry))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        yield _wrong(
            (f"“{name}”的图形无法读取：{error}", f"the shape of {name!r} cannot be read: {error}"),
            ("给出带 type 与 coordinates 的 GeoJSON 图形", "give a GeoJSON geometry with type and coordinates"), where=where, task_id=task_id,
        )  # fmt: skip
        return
    found = _shape_fault(shape, name, kinds)
    if found is not None:
        yield _wrong(*found, where=where, task_id=task_id)


def _shape_fault(shape: Any, name: str, kinds: Sequence[str]) -> tuple[tuple[str, str], tuple[str, str]] | None:  # noqa: ANN401 - shapely has no types
    """Return what is wrong with a shape and what to do, or None."""
    if shape.is_empty:
        return (f"“{name}”的图形是空的", f"the shape of {name!r} is empty"), ("至少画一处", "draw at least one place")
    if shape.geom_type not in kinds:
        wanted = " / ".join(kinds)
        return (f"“{name}”是 {shape.geom_type}", f"{name!r} is a {shape.geom_type}"), (
            f"须为 {wanted}",
            f"it must be a {wanted}",
        )
    places = shapely.get_coordinates(shape)
    if len(places) > MOST_PLACES:
        return (
            (f"“{name}”有 {len(places)} 个顶点，上限 {MOST_PLACES}", f"{name!r} has {len(places)} places, at most {MOST_PLACES} are taken"),
            ("简化边界", "simplify its border"),
        )  # fmt: skip
    west, south, east, north = shape.bounds
    if not all(map(math.isfinite, shape.bounds)) or west < -180.0 or east > 180.0 or south < -90.0 or north > 90.0:
        return (
            (f"“{name}”的坐标不在地球上", f"{name!r} has places off the globe"),
            ("坐标为 [经度, 纬度]，单位度", "write [lon, lat] in degrees"),
        )
    if not shape.is_valid:
        at = shapely.is_valid_reason(shape)
        at_zh = _reason_zh(at)
        return (
            (f"“{name}”的边界不成立：{at_zh}（经度 纬度）", f"the border of {name!r} is not sound: {at} (lon lat)"),
            ("在该处重画边界", "redraw the border there"),
        )
    area_km2 = shape.area * _M_PER_DEG**2 * math.cos(math.radians((south + north) / 2.0)) / 1e6
    if area_km2 > MOST_AREA_KM2:
        return (
            (f"“{name}”面积 {area_km2:.0f} km²，上限 {MOST_AREA_KM2:.0f}", f"{name!r} covers {area_km2:.0f} km2, at most {MOST_AREA_KM2:.0f} are taken"),
            ("分成几块，或检查经纬度是否写反", "cut it into several, and look whether lat and lon are swapped"),
        )  # fmt: skip
    return None


def _reason_zh(reason: str) -> str:
    """Return why GEOS takes a shape for unsound, such as `Self-intersection[103.8 36.1]`, in Chinese."""
    what, bracket, at = reason.partition("[")
    return f"{_UNSOUND_ZH.get(what.strip(), what)}{bracket}{at}"


def _check_air_zone(zone: Zone) -> Iterator[Refusal]:
    yield from _check_geometry(
        zone.geometry, zone.name, ("Polygon", "MultiPolygon"), where=f"zones[{zone.name}].geometry"
    )
    yield from _check_windows(zone.windows, zone.name)
    if zone.ceiling_agl_m is not None and zone.ceiling_agl_m <= zone.floor_agl_m:
        yield _wrong(
            (f"空域“{zone.name}”上限 {zone.ceiling_agl_m:g} m 不高于下限 {zone.floor_agl_m:g} m", f"the zone {zone.name!r} ends at {zone.ceiling_agl_m:g} m, not above its floor of {zone.floor_agl_m:g} m"),
            ("改上限，或留空表示不限", "give a higher ceiling, or none"), where="ceiling_agl_m",
        )  # fmt: skip


def _check_dock(dock: Dock) -> Iterator[Refusal]:
    ranges = (
        ("lat_deg", dock.lat_deg, -90.0, 90.0), ("lon_deg", dock.lon_deg, -180.0, 180.0),
        ("pad_count", float(dock.pad_count), 1.0, 1000.0), ("charger_count", float(dock.charger_count), 1.0, 1000.0),
    )  # fmt: skip
    yield from _check_ranges(ranges, dock.name)


def _check_airframe(airframe: Airframe, programme: Programme) -> Iterator[Refusal]:
    number, name = airframe.airframe_id, airframe.name
    if airframe.dock_id not in {dock.dock_id for dock in programme.docks}:
        yield _wrong(
            (f"“{name}”所在机库 {airframe.dock_id} 不存在", f"{name!r} stands in dock {airframe.dock_id}, which does not exist"),
            ("选一个机库", "choose one of the docks"), where="dock_id", airframe_id=number,
        )  # fmt: skip
    ranges = (
        ("cruise_mps", airframe.cruise_mps, 0.5, 100.0), ("climb_mps", airframe.climb_mps, 0.1, 50.0),
        ("sink_mps", airframe.sink_mps, 0.1, 50.0), ("acceleration_mps2", airframe.acceleration_mps2, 0.1, 50.0),
        ("yaw_rate_degps", airframe.yaw_rate_degps, 1.0, 720.0), ("endurance_s", airframe.endurance_s, 60.0, 86_400.0),
        ("wind_limit_mps", airframe.wind_limit_mps, 0.0, 60.0), ("most_waypoints", float(airframe.most_waypoints), 10.0, 100_000.0),
    )  # fmt: skip
    yield from _check_ranges(ranges, name, airframe_id=number)
    for camera in airframe.cameras:
        yield from _check_camera(camera, name, number)
    if airframe.fastest_mps < airframe.cruise_mps:
        yield _wrong(
            (f"“{name}”巡航 {airframe.cruise_mps:g} m/s 快于最高 {airframe.fastest_mps:g}", f"{name!r} cruises at {airframe.cruise_mps:g} m/s, faster than its fastest {airframe.fastest_mps:g}"),
            ("改其中之一", "change one of them"), where="fastest_mps", airframe_id=number,
        )  # fmt: skip
    if not airframe.cameras:
        yield _wrong(
            (f"“{name}”没有相机", f"{name!r} has no camera"),
            ("至少填一部相机", "give it a camera"),
            where="cameras",
            airframe_id=number,
        )


def _check_camera(camera: Camera, name: str, number: int) -> Iterator[Refusal]:
    ranges = (
        ("horizontal_fov_deg", camera.horizontal_fov_deg, 0.5, 170.0), ("vertical_fov_deg", camera.vertical_fov_deg, 0.5, 170.0),
        ("width_px", float(camera.width_px), 16.0, 100_000.0), ("height_px", float(camera.height_px), 16.0, 100_000.0),
        ("least_interval_s", camera.least_interval_s, 0.0, 3600.0),
    )  # fmt: skip
    yield from _check_ranges(ranges, f"{name}, {camera.name}", airframe_id=number)


def _check_weather(weather: Weather) -> Iterator[Refusal]:
    ranges = (
        ("from_us", float(weather.from_us), 0.0, float(_LAST_US)), ("observed_us", float(weather.observed_us), 0.0, float(_LAST_US)),
        ("wind_from_deg", weather.wind_from_deg, 0.0, 360.0), ("wind_mps", weather.wind_mps, 0.0, 120.0), ("gust_mps", weather.gust_mps, 0.0, 150.0),
        ("visibility_m", weather.visibility_m, 0.0, 200_000.0), ("rain_mmph", weather.rain_mmph, 0.0, 500.0),
        ("cloud_base_agl_m", weather.cloud_base_agl_m, 0.0, 30_000.0), ("temperature_c", weather.temperature_c, -95.0, 65.0),
    )  # fmt: skip
    yield from _check_ranges(ranges, weather.source[:40] or "weather")


def _check_battery(battery: Battery, programme: Programme) -> Iterator[Refusal]:
    if battery.dock_id not in {dock.dock_id for dock in programme.docks}:
        yield _wrong(
            (f"电池“{battery.name}”所在机库 {battery.dock_id} 不存在", f"the battery {battery.name!r} is in dock {battery.dock_id}, which does not exist"),
            ("选一个机库", "choose one of the docks"), where="dock_id",
        )  # fmt: skip
    ranges = (
        ("health_ratio", battery.health_ratio, 0.1, 1.5), ("charge_ratio", battery.charge_ratio, 0.0, 1.0),
        ("charge_s", battery.charge_s, 1.0, 86_400.0),
    )  # fmt: skip
    yield from _check_ranges(ranges, battery.name)


def _check_crew(crew: Crew) -> Iterator[Refusal]:
    yield from _check_windows(crew.shifts, crew.name)
    yield from _check_ranges((("drone_count", float(crew.drone_count), 1.0, 100.0),), crew.name)


def _check_sizes(programme: Programme) -> Iterator[Refusal]:
    for what_zh, what, count, most in (
        ("任务", "tasks", len(programme.tasks), MOST_TASKS), ("航空器", "airframes", len(programme.airframes), MOST_AIRFRAMES)
    ):  # fmt: skip
        if count > most:
            yield _wrong(
                (f"{count} 个{what_zh}，上限 {most}", f"there are {count} {what}, at most {most} are planned together"),
                ("分成几个方案", "part them into several programmes"), where=what,
            )  # fmt: skip


def _check_ids(programme: Programme) -> Iterator[Refusal]:
    numbered = (
        ("tasks", [task.task_id for task in programme.tasks]), ("airframes", [each.airframe_id for each in programme.airframes]),
        ("docks", [dock.dock_id for dock in programme.docks]), ("batteries", [each.battery_id for each in programme.batteries]),
        ("crews", [crew.crew_id for crew in programme.crews]), ("zones", [zone.zone_id for zone in programme.zones if zone.zone_id]),
    )  # fmt: skip
    for what, ids in numbered:
        for number, count in Counter(ids).items():
            if count > 1:
                yield _wrong(
                    (f"{what} 中编号 {number} 出现 {count} 次", f"{count} {what} have the number {number}"),
                    ("每个编号只用一次", "use each number once"), where=what,
                )  # fmt: skip


def _check_ranges(
    ranges: Iterable[tuple[str, float | None, float, float]],
    name: str,
    *,
    task_id: int | None = None,
    airframe_id: int | None = None,
) -> Iterator[Refusal]:
    for field, value, lowest, highest in ranges:
        if value is not None and not lowest <= value <= highest:
            yield _wrong(
                (f"“{name}”的 {field} 为 {value:g}", f"{field} of {name!r} is {value:g}"),
                (f"允许 {lowest:g} 至 {highest:g}", f"{lowest:g} to {highest:g} is allowed"),
                where=field, task_id=task_id, airframe_id=airframe_id,
            )  # fmt: skip


def _wrong(
    reason: tuple[str, str],
    remedy: tuple[str, str],
    *,
    where: str,
    task_id: int | None = None,
    airframe_id: int | None = None,
    window: Window | None = None,
) -> Refusal:
    return Refusal(
        rule_id=INPUT_RULE, reason_zh=reason[0], reason_en=reason[1], remedy_zh=remedy[0], remedy_en=remedy[1],
        numbers={"where": where}, remedy={"field": where}, task_id=task_id, airframe_id=airframe_id, window=window,
    )  # fmt: skip


def _name_of(task: Task) -> str:
    return task.name_zh or task.name_en or f"#{task.task_id}"


INPUT_RULE: Final = "R-00"
"""The rule id of what is wrong with the input itself."""
