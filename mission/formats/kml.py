"""KML and KMZ: a plan's sorties for Google Earth and the like; places of others in as tasks and zones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from mission.formats.brought import Brought, Place, line_of, polygon_of, task_of, zone_of
from mission.formats.untrusted import Said, checked_count, latitude, longitude, read_xml, read_zip
from mission.formats.xml_names import local_name, text_of
from mission.model import Geometry, Programme, Task, TaskKind, Zone, ZoneKind
from mission.plan import Plan, Sortie

KML: Final = "http://www.opengis.net/kml/2.2"
WHAT: Final = Said("the KML file", "KML 文件")
KMZ: Final = Said("the KMZ file", "KMZ 文件")
ZIP_MARK: Final = b"PK\x03\x04"
NO_FLY_WORDS: Final = ("no-fly", "no fly", "no_fly", "nfz", "禁飞")
"""A polygon whose name holds one of these is a zone, not a task."""
KIND: Final = "kind"
"""Under this name a placemark of ours says in its ExtendedData, which editors keep, of what kind it is; `sortie` for one that is flown."""
SORTIE: Final = "sortie"
SORTIES: Final = "sorties"
_GEOMETRIES: Final = frozenset({"Point", "LineString", "LinearRing", "Polygon"})
_KIND_SHAPES: Final[Mapping[TaskKind | ZoneKind, tuple[str, ...]]] = {
    TaskKind.AREA: ("Polygon",),
    TaskKind.CORRIDOR: ("LineString",),
    TaskKind.PERIMETER: ("Polygon",),
    TaskKind.POINT: ("Point", "Polygon"),
    TaskKind.EVENT: ("Point", "Polygon", "LineString"),
    TaskKind.SEARCH: ("Point", "Polygon"),
    TaskKind.STREETS: ("LineString",),
    **dict.fromkeys(ZoneKind, ("Polygon",)),
}
"""As what a kind is drawn; several shapes of one placemark are one of areas, corridors, streets and zones."""
_ONE_SHAPE: Final = frozenset({TaskKind.POINT, TaskKind.EVENT, TaskKind.SEARCH})
_USUAL: Final = {"Point": TaskKind.POINT, "LineString": TaskKind.CORRIDOR, "Polygon": TaskKind.AREA}


def write(plan: Plan, programme: Programme) -> bytes:
    """Return a KML document: a folder of tasks, one of zones, one of sorties with their times; heights above take-off."""
    register_namespace("", KML)
    root = Element(f"{{{KML}}}kml")
    document = _under(root, "Document")
    _say(document, "name", f"skybeat {_iso(plan.window.start_us)[:10]}")
    tasks, zones, sorties = (_folder(document, name) for name in ("tasks", "zones", SORTIES))
    for task in programme.tasks:
        _placemark(tasks, task.name_en or task.name_zh, task.geometry, task.kind.value)
    for zone in programme.zones:
        _placemark(zones, zone.name, zone.geometry, zone.kind.value)
    names = {airframe.airframe_id: airframe.name for airframe in programme.airframes}
    for sortie in plan.sorties:
        _sortie(sorties, sortie, names.get(sortie.airframe_id, str(sortie.airframe_id)))
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def read(data: bytes) -> Brought:
    """Return the places of a KML or KMZ file, by the kind that they say: else polygons as areas (or no-fly zones by their name), lines as corridors, points.

    Raises FileFormatError for bombs, entities and impossible places; sorties and what has no place become notes.
    """
    root = read_xml(_document(data), WHAT)
    tasks: list[Task] = []
    zones: list[Zone] = []
    notes: list[Said] = []
    placemarks = [element for element in root.iter() if local_name(element) == "Placemark"]
    checked_count(len(placemarks), WHAT)
    flown = _flown(root)
    for number, placemark in enumerate(placemarks, 1):
        if placemark in flown:
            continue
        name = text_of(placemark.iter(), "name") or f"placemark {number}"
        where = Said(f"placemark {number} ({name[:40]})", f"第 {number} 个地标（{name[:40]}）")
        shapes = list(_shapes(placemark, where))
        if not shapes:
            notes.append(
                Said(
                    f"{where.en}: it has no point, line or polygon and was left out",
                    f"{where.zh}：没有点、线或面，已略去",
                )
            )
        for kind, geometry in _of_kind(_kind(placemark), shapes, name, where, notes):
            if isinstance(kind, ZoneKind):
                zones.append(zone_of(name, kind, geometry, "KML"))
            else:
                tasks.append(task_of(name, kind, geometry))
    if flown:
        notes.append(
            Said(
                f"{len(flown)} sorties are not brought in by KML and were left out: their tasks are planned anew",
                f"KML 不导入架次，已略去 {len(flown)} 个：其任务会重新规划",
            )
        )
    return Brought(tasks=tuple(tasks), zones=tuple(zones), notes=tuple(notes))


def _flown(root: Element) -> set[Element]:
    """Return the placemarks that are sorties of ours: those that say so, and of older files those with times in their folder."""
    said = {one for one in root.iter() if local_name(one) == "Placemark" and _word(one) == SORTIE}
    for folder in (one for one in root.iter() if local_name(one) == "Folder" and text_of(one, "name") == SORTIES):
        said |= {one for one in folder if local_name(one) == "Placemark" and text_of(one, "TimeSpan") is not None}
    return said


def _word(placemark: Element) -> str:
    """Return the word of its kind, in lower case: that of its ExtendedData, else its whole description; empty where there is none."""
    for data in (one for one in placemark.iter() if local_name(one) == "Data" and one.get("name") == KIND):
        return (text_of(data, "value") or "").lower()
    for data in (one for one in placemark.iter() if local_name(one) == "SimpleData" and one.get("name") == KIND):
        return (data.text or "").strip().lower()
    return (text_of(placemark, "description") or "").lower()


def _kind(placemark: Element) -> TaskKind | ZoneKind | None:
    word = _word(placemark)
    return next((kind for kind in _KIND_SHAPES if kind.value == word), None)


def _of_kind(
    said: TaskKind | ZoneKind | None, shapes: Sequence[Geometry], name: str, where: Said, notes: list[Said]
) -> Iterator[tuple[TaskKind | ZoneKind, Geometry]]:
    """Yield a placemark's shapes with what they are; those that one task or zone takes together as one geometry."""
    fitting = [shape for shape in shapes if said is not None and shape["type"] in _KIND_SHAPES[said]]
    if said is not None and len({shape["type"] for shape in fitting}) == 1 and said not in _ONE_SHAPE:
        yield said, _joined(fitting)
    else:
        yield from ((said, shape) for shape in fitting if said is not None)
    for shape in (shape for shape in shapes if shape not in fitting):
        is_closed = shape["type"] == "Polygon" and any(word in name.lower() for word in NO_FLY_WORDS)
        kind = ZoneKind.NO_FLY if is_closed else _USUAL[str(shape["type"])]
        if said is not None:
            notes.append(
                Said(
                    f"{where.en}: its kind is {said.value}, which a {shape['type']} cannot be: taken as {kind.value}",
                    f"{where.zh}：类型为 {said.value}，与 {shape['type']} 不符：按 {kind.value} 导入",
                )
            )
        yield kind, shape


def _joined(shapes: Sequence[Geometry]) -> Geometry:
    if len(shapes) == 1:
        return shapes[0]
    return {"type": f"Multi{shapes[0]['type']}", "coordinates": [shape["coordinates"] for shape in shapes]}


def _document(data: bytes) -> bytes:
    if not data.startswith(ZIP_MARK):
        return data
    files = read_zip(data, KMZ)
    names = sorted((name for name in files if name.lower().endswith(".kml")), key=lambda name: (name.count("/"), name))
    if not names:
        raise KMZ.broken(" holds no .kml: export it again", "内没有 .kml：请重新导出")
    return files[names[0]]


def _shapes(placemark: Element, where: Said) -> Iterator[Geometry]:
    inside: set[Element] = set()
    for element in placemark.iter():
        if element in inside or local_name(element) not in _GEOMETRIES:
            continue
        inside |= set(element.iter())
        kind = local_name(element)
        if kind == "Polygon":
            yield _polygon(element, where)
        elif kind == "Point":
            places = _places(text_of(element.iter(), "coordinates"), where)
            if len(places) != 1:
                raise WHAT.at(where).broken(f": a point with {len(places)} places", f"：点有 {len(places)} 个位置")
            yield {"type": "Point", "coordinates": [places[0][1], places[0][0]]}
        else:
            yield line_of(_places(text_of(element.iter(), "coordinates"), where), where)


def _polygon(element: Element, where: Said) -> Geometry:
    rings: list[object] = []
    for name in ("outerBoundaryIs", "innerBoundaryIs"):
        for boundary in (child for child in element if local_name(child) == name):
            ring = polygon_of(_places(text_of(boundary.iter(), "coordinates"), where), where)
            rings += ring["coordinates"]
    if not rings:
        raise WHAT.at(where).broken(": a polygon without an outer boundary", "：多边形没有外边界")
    return {"type": "Polygon", "coordinates": rings}


def _places(text: str | None, where: Said) -> list[Place]:
    said = (text or "").split()
    checked_count(len(said), WHAT.at(where))
    places = []
    for one in said:
        lon, lat, *_ = [*one.split(","), ""]
        places.append((latitude(lat, where), longitude(lon, where)))
    return places


def _sortie(folder: Element, sortie: Sortie, name: str) -> None:
    placemark = _under(folder, "Placemark")
    _say(placemark, "name", f"{name} {_iso(sortie.takeoff_us)[11:16]}Z")
    span = _under(placemark, "TimeSpan")
    _say(span, "begin", _iso(sortie.takeoff_us))
    _say(span, "end", _iso(sortie.landing_us))
    _say_kind(placemark, SORTIE)
    line = _under(placemark, "LineString")
    _say(line, "altitudeMode", "relativeToGround")
    heights = [f"{point.lon_deg:.7f},{point.lat_deg:.7f},{point.alt_home_m:.1f}" for point in sortie.waypoints]
    _say(line, "coordinates", " ".join(heights * 2 if len(heights) == 1 else heights))


def _placemark(folder: Element, name: str, geometry: Geometry, kind: str) -> None:
    placemark = _under(folder, "Placemark")
    _say(placemark, "name", name)
    _say(placemark, "description", kind)
    _say_kind(placemark, kind)
    parent = _under(placemark, "MultiGeometry") if str(geometry["type"]).startswith("Multi") else placemark
    for kind, coordinates in _single(geometry):
        _write_geometry(parent, kind, coordinates)


def _single(geometry: Geometry) -> Iterator[tuple[str, list[object]]]:
    kind, coordinates = str(geometry["type"]), geometry["coordinates"]
    if kind.startswith("Multi"):
        for part in coordinates:
            yield kind.removeprefix("Multi"), part
    else:
        yield kind, coordinates


def _write_geometry(parent: Element, kind: str, coordinates: list[object]) -> None:
    if kind == "Polygon":
        polygon = _under(parent, "Polygon")
        for number, ring in enumerate(coordinates):
            boundary = _under(polygon, "outerBoundaryIs" if number == 0 else "innerBoundaryIs")
            _say(_under(boundary, "LinearRing"), "coordinates", _coordinates(ring))  # type: ignore[arg-type]
    else:
        places = [coordinates] if kind == "Point" else coordinates
        _say(_under(parent, kind), "coordinates", _coordinates(places))  # type: ignore[arg-type]


def _coordinates(places: Iterable[list[float]]) -> str:
    return " ".join(f"{place[0]:.7f},{place[1]:.7f}" for place in places)


def _folder(document: Element, name: str) -> Element:
    folder = _under(document, "Folder")
    _say(folder, "name", name)
    return folder


def _say_kind(placemark: Element, kind: str) -> None:
    data = _under(_under(placemark, "ExtendedData"), "Data")
    data.set("name", KIND)
    _say(data, "value", kind)


def _under(parent: Element, name: str) -> Element:
    return SubElement(parent, f"{{{KML}}}{name}")


def _say(parent: Element, name: str, text: str) -> None:
    _under(parent, name).text = text


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
