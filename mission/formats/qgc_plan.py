"""QGroundControl's .plan files: our missions out; missions, surveys, corridors and fences of others in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from mission.formats.brought import Brought, Place, circle_of, line_of, polygon_of, task_of, zone_of
from mission.formats.mavlink_fence import INCLUSION
from mission.formats.mavlink_items import PLACES, SET_ROI_LOCATION, TAKEOFF, MavlinkPlan, waypoints_of
from mission.formats.untrusted import checked_count, finite, latitude, longitude, read_json
from mission.model import Airframe, Task, TaskKind, Zone, ZoneKind
from telemetry.model.errors import FileFormatError
from telemetry.model.mission_items import MissionFrame, MissionItem

GROUND_STATION: Final = "skybeat"
FIRMWARE: Final = {"px4": 12, "ardupilot": 3}
MULTIROTOR: Final = 2
RELATIVE: Final = 1
PARAMETERS: Final = 7
INT_FRAMES: Final = {5: 0, 6: 3, 11: 10}
WHAT: Final = "the .plan file"
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
        raise FileFormatError(f"{WHAT} says fileType {root.get('fileType')!r}: save it as a Plan in QGroundControl")
    missing = [name for name in _SECTIONS if not isinstance(root.get(name), Mapping)]
    if missing:
        raise FileFormatError(f"{WHAT} lacks {', '.join(missing)}: QGroundControl writes all of {', '.join(_SECTIONS)}")
    items, tasks, notes = _mission(root["mission"])
    waypoints, unknown = waypoints_of(items)
    home = _home(root["mission"].get("plannedHomePosition"))
    return Brought(
        tasks=tuple(tasks),
        zones=tuple(_zones(root["geoFence"])),
        waypoints=waypoints,
        home=home,
        notes=(*notes, *unknown),
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


def _mission(mission: Mapping[str, Any]) -> tuple[list[MissionItem], list[Task], list[str]]:
    said = mission.get("items")
    if not isinstance(said, list):
        raise FileFormatError(f"{WHAT}: mission.items is {type(said).__name__}: it must be a list")
    checked_count(len(said), WHAT)
    items: list[MissionItem] = []
    tasks: list[Task] = []
    notes: list[str] = []
    for number, item in enumerate(said, 1):
        where = f"item {number}"
        if not isinstance(item, Mapping):
            raise FileFormatError(f"{WHAT}, {where} is {type(item).__name__}: it must be an object")
        if item.get("type") == "SimpleItem":
            items.append(_item(item, where))
        elif item.get("type") == "ComplexItem":
            _complex(item, where, items, tasks, notes)
        else:
            notes.append(f"{where}: type {str(item.get('type'))[:40]!r} is not known here and was left out")
    return items, tasks, notes


def _item(item: Mapping[str, Any], where: str) -> MissionItem:
    said = item.get("params")
    if not isinstance(said, list) or len(said) != PARAMETERS:
        raise FileFormatError(f"{WHAT}, {where}: params must be a list of {PARAMETERS} numbers or null")
    numbers = [
        None if value is None else finite(value, f"{where}, a parameter", lowest=-1e9, highest=1e9) for value in said
    ]
    command = int(finite(item.get("command"), f"{where}, command", lowest=0, highest=65_535))
    frame = int(finite(item.get("frame"), f"{where}, frame", lowest=0, highest=255))
    frame = INT_FRAMES.get(frame, frame)
    is_place = frame != MissionFrame.NO_PLACE
    scale = 1e7 if is_place else 1.0
    lat = latitude(numbers[4] or 0.0, where) if is_place else numbers[4] or 0.0
    lon = longitude(numbers[5] or 0.0, where) if is_place else numbers[5] or 0.0
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
    item: Mapping[str, Any], where: str, items: list[MissionItem], tasks: list[Task], notes: list[str]
) -> None:
    """Take a survey or a corridor as what it asks for; what it would fly is planned anew."""
    kind = str(item.get("complexItemType"))[:40]
    if kind == "survey":
        tasks.append(task_of(f"survey {where}", TaskKind.AREA, polygon_of(_places(item.get("polygon"), where), where)))
    elif kind == "CorridorScan":
        width_m = finite(item.get("CorridorWidth", 50.0), f"{where}, CorridorWidth", lowest=1.0, highest=5_000.0)
        line = line_of(_places(item.get("polyline"), where), where)
        tasks.append(task_of(f"corridor {where}", TaskKind.CORRIDOR, line, width_m=width_m))
    elif kind == "StructureScan":
        ring = polygon_of(_places(item.get("polygon"), where), where)
        tasks.append(task_of(f"structure {where}", TaskKind.PERIMETER, ring))
    else:
        transects = item.get("TransectStyleComplexItem")
        inner = transects.get("Items") if isinstance(transects, Mapping) else None
        found = [_item(one, where) for one in inner if isinstance(one, Mapping)] if isinstance(inner, list) else []
        items += found
        said = f"its {len(found)} simple items were taken" if found else "it was left out"
        notes.append(f"{where}: complex item {kind!r} is not known here: {said}")


def _places(said: object, where: str) -> list[Place]:
    if not isinstance(said, list):
        raise FileFormatError(
            f"{WHAT}, {where}: its places are {type(said).__name__}: they must be a list of [lat, lon]"
        )
    checked_count(len(said), f"{WHAT}, {where}")
    places = []
    for place in said:
        if not isinstance(place, list) or len(place) < len("ab"):
            raise FileFormatError(f"{WHAT}, {where}: a place must be [lat, lon], not {str(place)[:60]}")
        places.append((latitude(place[0], where), longitude(place[1], where)))
    return places


def _zones(fence: Mapping[str, Any]) -> Iterator[Zone]:
    for number, said in enumerate(_objects(fence.get("polygons")), 1):
        where = f"geoFence polygon {number}"
        kind = _kind(said)
        yield zone_of(where, kind, polygon_of(_places(said.get("polygon"), where), where), ".plan")
    for number, said in enumerate(_objects(fence.get("circles")), 1):
        where = f"geoFence circle {number}"
        kind, circle = _kind(said), said.get("circle")
        if not isinstance(circle, Mapping):
            raise FileFormatError(f"{WHAT}, {where}: its circle must be an object with center and radius")
        (centre,) = _places([circle.get("center")], where)
        radius_m = finite(circle.get("radius"), f"{where}, radius", lowest=1.0, highest=100_000.0)
        yield zone_of(where, kind, circle_of(centre, radius_m, is_outside=kind is ZoneKind.NO_FLY), ".plan")


def _objects(said: object) -> list[Mapping[str, Any]]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(one, Mapping) for one in said):
        raise FileFormatError(f"{WHAT}: the fence's polygons and circles must be lists of objects")
    checked_count(len(said), WHAT)
    return said


def _kind(said: Mapping[str, Any]) -> ZoneKind:
    return ZoneKind.KEEP_IN if said.get("inclusion") is True else ZoneKind.NO_FLY


def _home(said: object) -> Place | None:
    if not isinstance(said, list) or len(said) < len("ab"):
        return None
    return latitude(said[0], "plannedHomePosition"), longitude(said[1], "plannedHomePosition")
