"""Waylines of others read: what is flown by DJI's route files, as waypoints."""

from typing import Final
from xml.etree.ElementTree import Element

from mission.formats.brought import Brought
from mission.formats.untrusted import checked_count, finite, latitude, longitude, read_xml, read_zip
from mission.formats.xml_names import local_name, text_of
from mission.plan import CameraAction, Waypoint
from telemetry.model.errors import FileFormatError

WHAT: Final = "the wayline file"
HIGHEST_M: Final = 10_000.0
FASTEST_MPS: Final = 100.0


def read(data: bytes) -> Brought:
    """Return the waypoints of a wayline file: what is flown (waylines.wpml) where it is there, else the template.

    Raises FileFormatError for bombs, entities, missing and impossible values; what is not known becomes a note.
    """
    files = {name.rsplit("/", 1)[-1]: content for name, content in read_zip(data, WHAT).items()}
    for name in ("waylines.wpml", "template.kml"):
        if name in files:
            return _read_document(read_xml(files[name], name), name)
    raise FileFormatError(
        f"{WHAT} holds neither waylines.wpml nor template.kml: export it as a KMZ route from DJI Pilot 2"
    )


def _read_document(root: Element, name: str) -> Brought:
    placemarks = [element for element in root.iter() if local_name(element) == "Placemark"]
    checked_count(len(placemarks), name)
    if not placemarks:
        raise FileFormatError(
            f"{name} holds no waypoints: mapping routes are planned by DJI Pilot 2 when they are exported"
        )
    folder = next(element for element in root.iter() if local_name(element) == "Folder")
    speed_mps = _figure(
        text_of(folder.iter(), "autoFlightSpeed") or "5", f"{name}, autoFlightSpeed", highest=FASTEST_MPS
    )
    height_m = text_of(folder.iter(), "globalHeight") or "0"
    notes: list[str] = []
    mode = text_of(folder.iter(), "executeHeightMode") or text_of(folder.iter(), "heightMode")
    if mode not in (None, "relativeToStartPoint"):
        notes.append(f"{name}: heights are {mode}, not above the take-off place: check them before they are flown")
    waypoints = [
        _read_waypoint(placemark, f"{name}, waypoint {number}", speed_mps, height_m, notes)
        for number, placemark in enumerate(placemarks, 1)
    ]
    return Brought(waypoints=tuple(waypoints), notes=tuple(notes))


def _read_waypoint(placemark: Element, where: str, speed_mps: float, height_m: str, notes: list[str]) -> Waypoint:
    lon, lat, *_ = [*(text_of(placemark.iter(), "coordinates") or "").strip().split(","), "", ""]
    own_m = text_of(placemark.iter(), "executeHeight") or text_of(placemark.iter(), "height") or height_m
    speed = text_of(placemark.iter(), "waypointSpeed")
    gaze = _gaze(placemark, where)
    angle = text_of(placemark.iter(), "waypointHeadingAngle")
    has_angle = text_of(placemark.iter(), "waypointHeadingMode") == "smoothTransition" and angle is not None
    hold, pitch_deg, action, trigger_m = _read_actions(placemark, where, notes)
    return Waypoint(
        lat_deg=latitude(lat.strip(), where),
        lon_deg=longitude(lon.strip(), where),
        alt_home_m=_figure(own_m, f"{where}, height", lowest=-HIGHEST_M, highest=HIGHEST_M),
        speed_mps=speed_mps if speed is None else _figure(speed, f"{where}, speed", highest=FASTEST_MPS),
        hold_s=hold,
        heading_deg=_figure(angle, f"{where}, heading", lowest=-360.0, highest=360.0) % 360.0 if has_angle else None,
        gimbal_pitch_deg=pitch_deg,
        gaze_lat_deg=gaze[0],
        gaze_lon_deg=gaze[1],
        action=action,
        trigger_m=trigger_m,
    )


def _gaze(placemark: Element, where: str) -> tuple[float | None, float | None]:
    said = text_of(placemark.iter(), "waypointPoiPoint")
    if said is None or text_of(placemark.iter(), "waypointHeadingMode") != "towardPOI":
        return None, None
    lat, lon, *_ = [*said.split(","), ""]
    return latitude(lat.strip(), f"{where}, point of interest"), longitude(lon.strip(), f"{where}, point of interest")


def _read_actions(
    placemark: Element, where: str, notes: list[str]
) -> tuple[float, float | None, CameraAction, float | None]:
    """Return hold_s, gimbal pitch, what the camera does and the distance between photos."""
    hold_s, pitch_deg, action, trigger_m = 0.0, None, CameraAction.NONE, None
    for group in (element for element in placemark if local_name(element) == "actionGroup"):
        by_distance = text_of(group.iter(), "actionTriggerType") == "multipleDistance"
        for said in (element for element in group if local_name(element) == "action"):
            function = text_of(said.iter(), "actionActuatorFunc")
            if by_distance and function == "takePhoto":
                action = CameraAction.PHOTOS_BY_DISTANCE
                trigger_m = _figure(
                    text_of(group.iter(), "actionTriggerParam"), f"{where}, photo distance", highest=10_000.0
                )
            elif function == "hover":
                hold_s += _figure(text_of(said.iter(), "hoverTime"), f"{where}, hoverTime", highest=86_400.0)
            elif function == "gimbalRotate" and text_of(said.iter(), "gimbalPitchRotateAngle") is not None:
                pitch_deg = _figure(
                    text_of(said.iter(), "gimbalPitchRotateAngle"), f"{where}, pitch", lowest=-180.0, highest=180.0
                )
            elif function in _CAMERA:
                action = _CAMERA[function]
            else:
                notes.append(f"{where}: action {str(function)[:40]!r} is not known here and was left out")
    return hold_s, pitch_deg, action, trigger_m


_CAMERA: Final = {
    "takePhoto": CameraAction.PHOTO,
    "startRecord": CameraAction.START_VIDEO,
    "stopRecord": CameraAction.STOP_VIDEO,
}


def _figure(text: str | None, what: str, *, lowest: float = 0.0, highest: float) -> float:
    return finite(text, what, lowest=lowest, highest=highest)
