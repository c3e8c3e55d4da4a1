"""DJI's wayline files (.kmz): a sortie as template.kml and waylines.wpml; `wpml_reading` takes those of others.

Element names and ranges are those of the public DJI WPML reference of the Cloud API documentation.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from mission.formats.wpml_models import drone_of, lenses_of, payload_of
from mission.model import Airframe, Camera, Dock, Task
from mission.plan import CameraAction, Sortie, Waypoint
from telemetry.model.errors import InputError

KML: Final = "http://www.opengis.net/kml/2.2"
WPML: Final = "http://www.dji.com/wpmz/1.0.2"
TEMPLATE: Final = "wpmz/template.kml"
WAYLINES: Final = "wpmz/waylines.wpml"
FASTEST_MPS: Final = 15.0
LOWEST_SECURITY_M: Final = 8.0
HIGHEST_M: Final = 1_500.0
LOWEST_RETURN_M: Final = 20.0
SHORTEST_TRIGGER_M: Final = 1.0
STOP_AT_POINT: Final = "toPointAndStopWithDiscontinuityCurvature"
LINK_LOSS: Final = {
    "return": ("executeLostAction", "goBack"),
    "hold": ("executeLostAction", "hover"),
    "land": ("executeLostAction", "landing"),
    "continue": ("goContinue", "goBack"),
}
"""What is done without a link: exitOnRCLost and executeRCLostAction."""
EPOCH_ZIP: Final = (1980, 1, 1, 0, 0, 0)


def write(
    sortie: Sortie,
    airframe: Airframe,
    *,
    dock: Dock | None = None,
    camera: Camera | None = None,
    tasks: Sequence[Task] = (),
    link_loss: str = "return",
) -> bytes:
    """Return a KMZ that DJI Pilot 2 and docks take; heights are above the take-off place.

    Photos and films are taken by the lens of the camera that each of `tasks` asks for, else of the airframe's first. With its dock it climbs there as high as the sortie says, else to the transit height. `link_loss` is what it does when it
    hears nobody: return, hold, land or continue.

    Raises InputError for a sortie without waypoints, for an airframe whose model DJI's numbers are not known of, and for a
    task that asks for a camera that the airframe has not.
    """
    if len(sortie.waypoints) < len("ab"):
        raise InputError(
            f"sortie {sortie.sortie_id} has {len(sortie.waypoints)} waypoints: a wayline needs at least two",
            f"架次 {sortie.sortie_id} 有 {len(sortie.waypoints)} 个航点：航线至少两个",
        )
    register_namespace("", KML)
    register_namespace("wpml", WPML)
    if link_loss not in LINK_LOSS:
        raise InputError(
            f"link loss action {link_loss!r}: allowed are {', '.join(LINK_LOSS)}",
            f"失联动作“{link_loss}”：允许 {', '.join(LINK_LOSS)}",
        )
    lenses = lenses_of(sortie, airframe, tasks)
    folders = {
        TEMPLATE: _template_folder(sortie, airframe, lenses),
        WAYLINES: _wayline_folder(sortie, airframe, lenses),
    }
    climb_m = sortie.transit_alt_home_m if dock is None else sortie.climb_alt_home_m(dock)
    files = {}
    for name, folder in folders.items():
        config = _mission_config(sortie, airframe, camera, LINK_LOSS[link_loss], climb_m=climb_m)
        files[name] = _document(folder, config)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH_ZIP), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _document(folder: Element, config: Element) -> bytes:
    root = Element(f"{{{KML}}}kml")
    document = SubElement(root, f"{{{KML}}}Document")
    document.append(config)
    document.append(folder)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _mission_config(
    sortie: Sortie, airframe: Airframe, camera: Camera | None, lost: tuple[str, str], *, climb_m: float
) -> Element:
    drone, payload = drone_of(airframe), payload_of(airframe, camera)
    config = Element(f"{{{WPML}}}missionConfig")
    _say(config, "flyToWaylineMode", "safely")
    _say(config, "finishAction", "goHome")
    _say(config, "exitOnRCLost", lost[0])
    _say(config, "executeRCLostAction", lost[1])
    security_m, return_m = (
        min(max(height_m, LOWEST_SECURITY_M), HIGHEST_M) for height_m in (climb_m, sortie.transit_alt_home_m)
    )
    _say(config, "takeOffSecurityHeight", _number(security_m))
    _say(config, "globalTransitionalSpeed", _number(min(airframe.cruise_mps, FASTEST_MPS)))
    _say(config, "globalRTHHeight", _number(max(return_m, LOWEST_RETURN_M)))
    info = SubElement(config, f"{{{WPML}}}droneInfo")
    _say(info, "droneEnumValue", str(drone[0]))
    _say(info, "droneSubEnumValue", str(drone[1]))
    carried = SubElement(config, f"{{{WPML}}}payloadInfo")
    _say(carried, "payloadEnumValue", str(payload))
    _say(carried, "payloadPositionIndex", "0")
    return config


def _template_folder(sortie: Sortie, airframe: Airframe, lenses: Sequence[str]) -> Element:
    folder = Element(f"{{{KML}}}Folder")
    _say(folder, "templateType", "waypoint")
    _say(folder, "templateId", "0")
    system = SubElement(folder, f"{{{WPML}}}waylineCoordinateSysParam")
    _say(system, "coordinateMode", "WGS84")
    _say(system, "heightMode", "relativeToStartPoint")
    _say(system, "positioningType", "GPS")
    _say(folder, "autoFlightSpeed", _number(min(airframe.cruise_mps, FASTEST_MPS)))
    _say(folder, "globalHeight", _number(sortie.transit_alt_home_m))
    _say(folder, "gimbalPitchMode", "manual")
    heading = SubElement(folder, f"{{{WPML}}}globalWaypointHeadingParam")
    _say(heading, "waypointHeadingMode", "followWayline")
    _say(heading, "waypointHeadingPathMode", "followBadArc")
    _say(folder, "globalWaypointTurnMode", STOP_AT_POINT)
    _say(folder, "globalUseStraightLine", "1")
    groups = count()
    for index, waypoint in enumerate(sortie.waypoints):
        placemark = _placemark(folder, index, waypoint)
        _say(placemark, "ellipsoidHeight", _number(waypoint.alt_home_m))
        _say(placemark, "height", _number(waypoint.alt_home_m))
        _say(placemark, "useGlobalHeight", "0")
        _say(placemark, "useGlobalSpeed", "0")
        _say(placemark, "useGlobalHeadingParam", "0")
        _say(placemark, "useGlobalTurnParam", "0")
        _motion(placemark, index, sortie.waypoints)
        _actions(placemark, index, sortie.waypoints, groups, lens=lenses[index])
    return folder


def _wayline_folder(sortie: Sortie, airframe: Airframe, lenses: Sequence[str]) -> Element:
    folder = Element(f"{{{KML}}}Folder")
    _say(folder, "templateId", "0")
    _say(folder, "executeHeightMode", "relativeToStartPoint")
    _say(folder, "waylineId", "0")
    _say(folder, "distance", _number(sortie.length_m))
    _say(folder, "duration", _number((sortie.landing_us - sortie.takeoff_us) / 1e6))
    _say(folder, "autoFlightSpeed", _number(min(airframe.cruise_mps, FASTEST_MPS)))
    groups = count()
    for index, waypoint in enumerate(sortie.waypoints):
        placemark = _placemark(folder, index, waypoint)
        _say(placemark, "executeHeight", _number(waypoint.alt_home_m))
        _motion(placemark, index, sortie.waypoints)
        _actions(placemark, index, sortie.waypoints, groups, lens=lenses[index])
        _say(placemark, "useStraightLine", "1")
    return folder


def _placemark(folder: Element, index: int, waypoint: Waypoint) -> Element:
    placemark = SubElement(folder, f"{{{KML}}}Placemark")
    point = SubElement(placemark, f"{{{KML}}}Point")
    SubElement(point, f"{{{KML}}}coordinates").text = f"{waypoint.lon_deg:.8f},{waypoint.lat_deg:.8f}"
    _say(placemark, "index", str(index))
    return placemark


def _motion(placemark: Element, index: int, waypoints: tuple[Waypoint, ...]) -> None:
    waypoint = waypoints[index]
    _say(placemark, "waypointSpeed", _number(min(max(waypoint.speed_mps, 0.1), FASTEST_MPS)))
    heading = SubElement(placemark, f"{{{WPML}}}waypointHeadingParam")
    if waypoint.gaze_lat_deg is not None and waypoint.gaze_lon_deg is not None:
        _say(heading, "waypointHeadingMode", "towardPOI")
        _say(heading, "waypointPoiPoint", f"{waypoint.gaze_lat_deg:.8f},{waypoint.gaze_lon_deg:.8f},0.000000")
    elif waypoint.heading_deg is not None:
        _say(heading, "waypointHeadingMode", "smoothTransition")
        _say(heading, "waypointHeadingAngle", _number((waypoint.heading_deg + 180.0) % 360.0 - 180.0))
    else:
        _say(heading, "waypointHeadingMode", "followWayline")
    _say(heading, "waypointHeadingPathMode", "followBadArc")
    turn = SubElement(placemark, f"{{{WPML}}}waypointTurnParam")
    _say(turn, "waypointTurnMode", STOP_AT_POINT)


def _actions(
    placemark: Element, index: int, waypoints: tuple[Waypoint, ...], groups: Iterator[int], *, lens: str
) -> None:
    """Write what is done at a waypoint, and what is photographed from it on until the distance changes."""
    waypoint = waypoints[index]
    doings = list(_doings(waypoint, waypoints[index - 1] if index else None, lens))
    if doings:
        group = _group(placemark, next(groups), index, index, "reachPoint", None)
        for number, (function, parameters) in enumerate(doings):
            _action(group, number, function, parameters)
    starts = waypoint.action is CameraAction.PHOTOS_BY_DISTANCE and waypoint.trigger_m is not None
    if starts and (index == 0 or waypoints[index - 1].trigger_m != waypoint.trigger_m):
        last = index
        while last + 1 < len(waypoints) and waypoints[last + 1].trigger_m == waypoint.trigger_m:
            last += 1
        trigger_m = max(waypoint.trigger_m or 0.0, SHORTEST_TRIGGER_M)
        until = min(last + 1, len(waypoints) - 1)
        group = _group(placemark, next(groups), index, until, "multipleDistance", trigger_m)
        _action(group, 0, "takePhoto", _by_lens(lens))


def _doings(waypoint: Waypoint, before: Waypoint | None, lens: str) -> Iterator[tuple[str, dict[str, str]]]:
    pitch_deg = waypoint.gimbal_pitch_deg
    if pitch_deg is not None and (before is None or before.gimbal_pitch_deg != pitch_deg):
        yield (
            "gimbalRotate",
            {
                "gimbalHeadingYawBase": "north",
                "gimbalRotateMode": "absoluteAngle",
                "gimbalPitchRotateEnable": "1",
                "gimbalPitchRotateAngle": _number(pitch_deg),
                "gimbalRollRotateEnable": "0",
                "gimbalRollRotateAngle": "0",
                "gimbalYawRotateEnable": "0",
                "gimbalYawRotateAngle": "0",
                "gimbalRotateTimeEnable": "0",
                "gimbalRotateTime": "0",
                "payloadPositionIndex": "0",
            },
        )
    if waypoint.action is CameraAction.START_VIDEO:
        yield "startRecord", _by_lens(lens)
    if waypoint.hold_s > 0.0:
        yield "hover", {"hoverTime": str(max(1, round(waypoint.hold_s)))}
    if waypoint.action is CameraAction.PHOTO:
        yield "takePhoto", _by_lens(lens)
    if waypoint.action is CameraAction.STOP_VIDEO:
        yield "stopRecord", _by_lens(lens)


def _by_lens(lens: str) -> dict[str, str]:
    """Return what says by which lens it is recorded; without one the drone decides, as it is set."""
    own = {"payloadLensIndex": lens, "useGlobalPayloadLensIndex": "0"} if lens else {}
    return {"payloadPositionIndex": "0", **own}


def _group(placemark: Element, number: int, first: int, last: int, trigger: str, parameter_m: float | None) -> Element:
    group = SubElement(placemark, f"{{{WPML}}}actionGroup")
    _say(group, "actionGroupId", str(number))
    _say(group, "actionGroupStartIndex", str(first))
    _say(group, "actionGroupEndIndex", str(last))
    _say(group, "actionGroupMode", "sequence")
    when = SubElement(group, f"{{{WPML}}}actionTrigger")
    _say(when, "actionTriggerType", trigger)
    if parameter_m is not None:
        _say(when, "actionTriggerParam", _number(parameter_m))
    return group


def _action(group: Element, number: int, function: str, parameters: dict[str, str]) -> None:
    action = SubElement(group, f"{{{WPML}}}action")
    _say(action, "actionId", str(number))
    _say(action, "actionActuatorFunc", function)
    said = SubElement(action, f"{{{WPML}}}actionActuatorFuncParam")
    for name, value in parameters.items():
        _say(said, name, value)


def _say(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{WPML}}}{name}").text = text


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
