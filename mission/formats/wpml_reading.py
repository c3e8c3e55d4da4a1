"""Waylines of others read: what is flown by DJI's route files, as waypoints."""

from typing import Final
from xml.etree.ElementTree import Element

from mission.formats.brought import Brought
from mission.formats.untrusted import Said, checked_count, finite, latitude, longitude, read_xml, read_zip, same
from mission.formats.wpml_models import LENSES
from mission.formats.xml_names import local_name, text_of
from mission.plan import CameraAction, Waypoint

WHAT: Final = Said("the wayline file", "航线文件")
KIND_OF_LENS: Final = {lens: kind for kind, lens in LENSES.items()}
USUAL_LENSES: Final = frozenset({"wide", "visable"})
HIGHEST_M: Final = 10_000.0
FASTEST_MPS: Final = 100.0


def read(data: bytes) -> Brought:
    """Return the waypoints of a wayline file: what is flown (waylines.wpml) where it is there, else the template.

    Raises FileFormatError for bombs, entities, missing and impossible values; what is not known becomes a note.
    """
    files = {name.rsplit("/", 1)[-1]: content for name, content in read_zip(data, WHAT).items()}
    for name in ("waylines.wpml", "template.kml"):
        if name in files:
            return _read_document(read_xml(files[name], same(name)), same(name))
    raise WHAT.broken(
        " holds neither waylines.wpml nor template.kml: export it as a KMZ route from DJI Pilot 2",
        "内没有 waylines.wpml 或 template.kml：从 DJI Pilot 2 导出 KMZ 航线",
    )


def _read_document(root: Element, name: Said) -> Brought:
    placemarks = [element for element in root.iter() if local_name(element) == "Placemark"]
    checked_count(len(placemarks), name)
    if not placemarks:
        raise name.broken(
            " holds no waypoints: mapping routes are planned by DJI Pilot 2 when they are exported",
            "内没有航点：测绘航线由 DJI Pilot 2 在导出时规划",
        )
    folder = next(element for element in root.iter() if local_name(element) == "Folder")
    speed_mps = _figure(
        text_of(folder.iter(), "autoFlightSpeed") or "5", name.at(same("autoFlightSpeed")), highest=FASTEST_MPS
    )
    height_m = text_of(folder.iter(), "globalHeight") or "0"
    notes: list[Said] = []
    mode = text_of(folder.iter(), "executeHeightMode") or text_of(folder.iter(), "heightMode")
    is_above_home = mode in (None, "relativeToStartPoint")
    if not is_above_home:
        notes.append(
            Said(
                f"{name.en}: heights are {mode}, not above the take-off place: check them before they are flown",
                f"{name.zh}：高度为 {mode}，不是相对起飞点：飞行前请核对",
            )
        )
    waypoints = [
        _read_waypoint(
            placemark, name.at(Said(f"waypoint {number}", f"第 {number} 个航点")), speed_mps, height_m, notes
        )
        for number, placemark in enumerate(placemarks, 1)
    ]
    camera = _camera(root, name, notes)
    return Brought(waypoints=tuple(waypoints), is_above_home=is_above_home, camera=camera, notes=tuple(notes))


def _camera(root: Element, name: Said, notes: list[Said]) -> str:
    """Return the kind of camera whose lens records, where it is one and not the usual; several become a note."""
    said = [element.text or "" for element in root.iter() if local_name(element) == "payloadLensIndex"]
    lenses = {lens for text in said for lens in text.replace(",", " ").split()}
    if len(lenses) == 1 and lenses <= set(KIND_OF_LENS) - USUAL_LENSES:
        return KIND_OF_LENS[lenses.pop()]
    if lenses - USUAL_LENSES:
        some = ", ".join(sorted(lens[:20] for lens in lenses)[:5])
        notes.append(
            Said(
                f"{name.en}: lenses {some} were left out: choose the task's camera",
                f"{name.zh}：镜头 {some} 已略去：请选择任务的相机",
            )
        )
    return ""


def _read_waypoint(placemark: Element, where: Said, speed_mps: float, height_m: str, notes: list[Said]) -> Waypoint:
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
        alt_home_m=_figure(own_m, where.at(Said("height", "高度")), lowest=-HIGHEST_M, highest=HIGHEST_M),
        speed_mps=speed_mps if speed is None else _figure(speed, where.at(Said("speed", "速度")), highest=FASTEST_MPS),
        hold_s=hold,
        heading_deg=_figure(angle, where.at(Said("heading", "航向")), lowest=-360.0, highest=360.0) % 360.0
        if has_angle
        else None,
        gimbal_pitch_deg=pitch_deg,
        gaze_lat_deg=gaze[0],
        gaze_lon_deg=gaze[1],
        action=action,
        trigger_m=trigger_m,
    )


def _gaze(placemark: Element, where: Said) -> tuple[float | None, float | None]:
    said = text_of(placemark.iter(), "waypointPoiPoint")
    if said is None or text_of(placemark.iter(), "waypointHeadingMode") != "towardPOI":
        return None, None
    lat, lon, *_ = [*said.split(","), ""]
    what = where.at(Said("point of interest", "兴趣点"))
    return latitude(lat.strip(), what), longitude(lon.strip(), what)


def _read_actions(
    placemark: Element, where: Said, notes: list[Said]
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
                    text_of(group.iter(), "actionTriggerParam"),
                    where.at(Said("photo distance", "拍照间距")),
                    highest=10_000.0,
                )
            elif function == "hover":
                hold_s += _figure(text_of(said.iter(), "hoverTime"), where.at(same("hoverTime")), highest=86_400.0)
            elif function == "gimbalRotate" and text_of(said.iter(), "gimbalPitchRotateAngle") is not None:
                pitch_deg = _figure(
                    text_of(said.iter(), "gimbalPitchRotateAngle"),
                    where.at(Said("pitch", "俯仰")),
                    lowest=-180.0,
                    highest=180.0,
                )
            elif function in _CAMERA:
                action = _CAMERA[function]
            else:
                what = str(function)[:40]
                notes.append(
                    Said(
                        f"{where.en}: action {what!r} is not known here and was left out",
                        f"{where.zh}：不认识的动作“{what}”已略去",
                    )
                )
    return hold_s, pitch_deg, action, trigger_m


_CAMERA: Final = {
    "takePhoto": CameraAction.PHOTO,
    "startRecord": CameraAction.START_VIDEO,
    "stopRecord": CameraAction.STOP_VIDEO,
}


def _figure(text: str | None, what: Said, *, lowest: float = 0.0, highest: float) -> float:
    return finite(text, what, lowest=lowest, highest=highest)
