"""QGroundControl's .plan files: our missions out; missions, surveys, corridors and fences of others in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from mission.formats.brought import Brought, Place, circle_of, line_of, polygon_of, task_of, zone_of
from mission.formats.mavlink_fence import INCLUSION
from mission.formats.mavlink_items import PLACES, SET_ROI_LOCATION, TAKEOFF, MavlinkPlan, is_above_home, waypoints_of
from mission.formats.routes import HIGHEST_M, LOWEST_M
from mission.formats.untrusted import Said, checked_count, finite, latitude, longitude, read_json, same
from mission.model import Airframe, Task, TaskKind, Zone, ZoneKind
from telemetry.model.mission_items import MissionFrame, MissionItem

GROUND_STATION: Final = "skybeat"
FIRMWARE: Final = {"px4": 12, "ardupilot": 3}
MULTIROTOR: Final = 2
RELATIVE: Final = 1
ABOVE_GROUND: Final = (RELATIVE, 3, 4)
"""Altitude modes of QGroundControl: above the launch place, above terrain as it reckons it, above terrain."""
PARAMETERS: Final = 7
INT_FRAMES: Final = {5: 0, 6: 3, 11: 10}
WHAT: Final = Said("the .plan file", ".plan 文件")
_SECTIONS: Final = ("mission", "geoFence", "rallyPoints")


def write(plan: MavlinkPlan, airframe: Airframe) -> bytes:
    """Return a .plan file of version 1 that QGroundControl opens: simple items, fence polygons, rally points."""
    root = {
        "fileType": "Plan",
        "version": 1,
        "groundStation": GROUND_STATION,
        "mission": {
            "version": 2,
            "firmwareType": FIRMWARE.get(airframe.firmware, FIRMWARE["px4"]),
            "vehicleType": MULTIROTOR,
            "cruiseSpeed": airframe.fastest_mps,
            "hoverSpeed": airframe.cruise_mps,
            "globalPlanAltitudeMode": RELATIVE,
            "plannedHomePosition": [plan.home_lat_deg, plan.home_lon_deg, plan.home_msl_m or 0.0],
            "items": [_simple_item(number, item) for number, item in enumerate(plan.mission, 1)],
        },
        "geoFence": {"version": 2, "circles": [], "polygons": list(_fence_polygons(plan.fence))},
        "rallyPoints": {
            "version": 2,
            "points": [[item.lat_e7 / 1e7, item.lon_e7 / 1e7, item.alt_m] for item in plan.rally],
        },
    }
    return msgspec.json.format(msgspec.json.encode(root), indent=4) + b"\n"


def read(data: bytes) -> Brought:
    """Return what a .plan file holds. Raises FileFormatError: what is wrong and where; unknown items become notes."""
    root = read_json(data, WHAT)
    if root.get("fileType") != "Plan":
        kind = str(root.get("fileType"))[:40]
        raise WHAT.broken(
            f" says fileType {kind!r}: save it as a Plan in QGroundControl",
            f"的 fileType 为“{kind}”：在 QGroundControl 中另存为 Plan",
        )
    missing = [name for name in _SECTIONS if not isinstance(root.get(name), Mapping)]
    if missing:
        lacking, every = ", ".join(missing), ", ".join(_SECTIONS)
        raise WHAT.broken(
            f" lacks {lacking}: QGroundControl writes all of {every}", f"缺少 {lacking}：QGroundControl 会写出 {every}"
        )
    items, numbers, tasks, notes = _mission(root["mission"])
    waypoints, unknown = waypoints_of(items, numbers)
    home = _home(root["mission"].get("plannedHomePosition"))
    return Brought(
        tasks=tuple(tasks),
        zones=tuple(_zones(root["geoFence"])),
        waypoints=waypoints,
        is_above_home=is_above_home(items),
        home=home,
        notes=(*notes, *unknown, *_rally(root["rallyPoints"])),
    )


def read_items(data: bytes) -> tuple[MissionItem, ...]:
    """Return the mission items of a .plan file as they stand, those within surveys flattened. Raises FileFormatError."""
    return tuple(_mission(read_json(data, WHAT).get("mission") or {})[0])


def _simple_item(number: int, item: MissionItem) -> dict[str, Any]:
    places: list[float | None]
    if item.frame == MissionFrame.NO_PLACE:
        places = [float(item.lat_e7), float(item.lon_e7), item.alt_m]
    else:
        places = [item.lat_e7 / 1e7, item.lon_e7 / 1e7, item.alt_m]
    said: dict[str, Any] = {
        "type": "SimpleItem",
        "autoContinue": item.autocontinue,
        "command": item.command,
        "doJumpId": number,
        "frame": item.frame,
        "params": [item.param1, item.param2, item.param3, item.param4, *places],
    }
    if item.command in PLACES or item.command in (TAKEOFF, SET_ROI_LOCATION):
        said |= {"AMSLAltAboveTerrain": None, "Altitude": item.alt_m, "AltitudeMode": RELATIVE}
    return said


def _fence_polygons(fence: Sequence[MissionItem]) -> Iterator[dict[str, Any]]:
    at = 0
    while at < len(fence):
        count = int(fence[at].param1 or 0)
        corners = fence[at : at + count]
        yield {
            "version": 1,
            "inclusion": fence[at].command == INCLUSION,
            "polygon": [[item.lat_e7 / 1e7, item.lon_e7 / 1e7] for item in corners],
        }
        at += max(count, 1)


def _mission(mission: Mapping[str, Any]) -> tuple[list[MissionItem], list[int], list[Task], list[Said]]:
    """Return the simple items, which item of the file each stands in, what complex ones ask for, and what was left out."""
    said = mission.get("items")
    if not isinstance(said, list):
        raise WHAT.broken(
            f": mission.items is {type(said).__name__}: it must be a list",
            f"：mission.items 为 {type(said).__name__}：须为列表",
        )
    checked_count(len(said), WHAT)
    items: list[MissionItem] = []
    numbers: list[int] = []
    tasks: list[Task] = []
    notes: list[Said] = []
    for number, item in enumerate(said, 1):
        where = Said(f"item {number}", f"第 {number} 项")
        if not isinstance(item, Mapping):
            raise WHAT.at(where).broken(
                f" is {type(item).__name__}: it must be an object", f"为 {type(item).__name__}：须为对象"
            )
        if item.get("type") == "SimpleItem":
            items.append(_item(item, where))
        elif item.get("type") == "ComplexItem":
            _complex(item, where, items, tasks, notes)
        else:
            kind = str(item.get("type"))[:40]
            notes.append(
                Said(
                    f"{where.en}: type {kind!r} is not known here and was left out",
                    f"{where.zh}：不认识的类型“{kind}”已略去",
                )
            )
        numbers += [number] * (len(items) - len(numbers))
    return items, numbers, tasks, notes


def _item(item: Mapping[str, Any], where: Said) -> MissionItem:
    said = item.get("params")
    if not isinstance(said, list) or len(said) != PARAMETERS:
        raise WHAT.at(where).broken(
            f": params must be a list of {PARAMETERS} numbers or null", f"：params 须为 {PARAMETERS} 个数字或 null"
        )
    numbers = [
        None if value is None else finite(value, where.at(Said("a parameter", "参数")), lowest=-1e9, highest=1e9)
        for value in said
    ]
    command = int(finite(item.get("command"), where.at(same("command")), lowest=0, highest=65_535))
    frame = int(finite(item.get("frame"), where.at(same("frame")), lowest=0, highest=255))
    frame = INT_FRAMES.get(frame, frame)
    is_place = frame != MissionFrame.NO_PLACE
    scale = 1e7 if is_place else 1.0
    lat, lon = numbers[4] or 0.0, numbers[5] or 0.0
    if is_place and None in numbers[4:6]:
        lat, lon = 0.0, 0.0
    elif is_place:
        lat, lon = latitude(lat, where), longitude(lon, where)
    return MissionItem(
        command=command,
        frame=frame,
        param1=numbers[0],
        param2=numbers[1],
        param3=numbers[2],
        param4=numbers[3],
        lat_e7=round(lat * scale),
        lon_e7=round(lon * scale),
        alt_m=numbers[6] or 0.0,
        autocontinue=item.get("autoContinue") is not False,
    )


def _complex(
    item: Mapping[str, Any], where: Said, items: list[MissionItem], tasks: list[Task], notes: list[Said]
) -> None:
    """Take a survey or a corridor as what it asks for; what it would fly is planned anew."""
    kind = str(item.get("complexItemType"))[:40]
    if kind == "survey":
        ring = polygon_of(_places(item.get("polygon"), where), where)
        tasks.append(_planned_anew(task_of(f"survey {where.en}", TaskKind.AREA, ring), item, where, notes))
    elif kind == "CorridorScan":
        width_m = finite(item.get("CorridorWidth", 50.0), where.at(same("CorridorWidth")), lowest=1.0, highest=5_000.0)
        line = line_of(_places(item.get("polyline"), where), where)
        corridor = task_of(f"corridor {where.en}", TaskKind.CORRIDOR, line, width_m=width_m)
        tasks.append(_planned_anew(corridor, item, where, notes))
    elif kind == "StructureScan":
        ring = polygon_of(_places(item.get("polygon"), where), where)
        tasks.append(_planned_anew(task_of(f"structure {where.en}", TaskKind.PERIMETER, ring), item, where, notes))
    else:
        transects = item.get("TransectStyleComplexItem")
        inner = transects.get("Items") if isinstance(transects, Mapping) else None
        found = [_item(one, where) for one in inner if isinstance(one, Mapping)] if isinstance(inner, list) else []
        items += found
        said = f"its {len(found)} simple items were taken" if found else "it was left out"
        zh = f"取其中 {len(found)} 个简单项" if found else "已略去"
        notes.append(
            Said(
                f"{where.en}: complex item {kind!r} is not known here: {said}",
                f"{where.zh}：不认识的复合项“{kind}”，{zh}",
            )
        )


def _planned_anew(task: Task, item: Mapping[str, Any], where: Said, notes: list[Said]) -> Task:
    """Return a complex item's task at the height above ground that its camera has, and say what of the item is planned anew."""
    style = item.get("TransectStyleComplexItem")
    camera = style.get("CameraCalc") if isinstance(style, Mapping) else None
    height_m = camera.get("DistanceToSurface") if isinstance(camera, Mapping) else None
    is_above = isinstance(camera, Mapping) and camera.get("DistanceMode", RELATIVE) in ABOVE_GROUND
    alt_agl_m = None
    if is_above and isinstance(height_m, int | float) and LOWEST_M <= height_m <= HIGHEST_M:
        alt_agl_m = float(height_m)
    lost, zh = ("", "") if alt_agl_m is not None else ("height, ", "高度、")
    notes.append(
        Said(
            f"{where.en}: its {lost}spacing, angle and camera were left out: {task.name_en!r} is planned anew",
            f"{where.zh}：{zh}航线间距、角度和相机已略去，“{task.name_zh}”将重新规划",
        )
    )
    return msgspec.structs.replace(task, alt_agl_m=alt_agl_m)


def _rally(said: Mapping[str, Any]) -> Iterator[Said]:
    points = said.get("points")
    if isinstance(points, list) and points:
        yield Said(
            f"{len(points)} rally points were left out: drones come home to their docks",
            f"已略去 {len(points)} 个集结点：无人机返回各自机库",
        )


def _places(said: object, where: Said) -> list[Place]:
    if not isinstance(said, list):
        raise WHAT.at(where).broken(
            f": its places are {type(said).__name__}: they must be a list of [lat, lon]",
            f"：位置为 {type(said).__name__}：须为 [纬度, 经度] 的列表",
        )
    checked_count(len(said), WHAT.at(where))
    places = []
    for place in said:
        if not isinstance(place, list) or len(place) < len("ab"):
            raise WHAT.at(where).broken(
                f": a place must be [lat, lon], not {str(place)[:60]}",
                f"：位置须为 [纬度, 经度]，不是 {str(place)[:60]}",
            )
        places.append((latitude(place[0], where), longitude(place[1], where)))
    return places


def _zones(fence: Mapping[str, Any]) -> Iterator[Zone]:
    for number, said in enumerate(_objects(fence.get("polygons")), 1):
        where = Said(f"geoFence polygon {number}", f"geoFence 第 {number} 个多边形")
        kind = _kind(said)
        yield zone_of(where.en, kind, polygon_of(_places(said.get("polygon"), where), where), ".plan")
    for number, said in enumerate(_objects(fence.get("circles")), 1):
        where = Said(f"geoFence circle {number}", f"geoFence 第 {number} 个圆")
        kind, circle = _kind(said), said.get("circle")
        if not isinstance(circle, Mapping):
            raise WHAT.at(where).broken(
                ": its circle must be an object with center and radius", "：circle 须为含 center 与 radius 的对象"
            )
        (centre,) = _places([circle.get("center")], where)
        radius_m = finite(circle.get("radius"), where.at(Said("radius", "半径")), lowest=1.0, highest=100_000.0)
        yield zone_of(where.en, kind, circle_of(centre, radius_m, is_outside=kind is ZoneKind.NO_FLY), ".plan")


def _objects(said: object) -> list[Mapping[str, Any]]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(one, Mapping) for one in said):
        raise WHAT.broken(
            ": the fence's polygons and circles must be lists of objects", "：围栏的 polygons 与 circles 须为对象的列表"
        )
    checked_count(len(said), WHAT)
    return said


def _kind(said: Mapping[str, Any]) -> ZoneKind:
    return ZoneKind.KEEP_IN if said.get("inclusion") is True else ZoneKind.NO_FLY


def _home(said: object) -> Place | None:
    if not isinstance(said, list) or len(said) < len("ab"):
        return None
    return latitude(said[0], same("plannedHomePosition")), longitude(said[1], same("plannedHomePosition"))
