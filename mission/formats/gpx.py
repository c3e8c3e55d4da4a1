"""GPX 1.1: a sortie as a route with its times; routes, tracks and waypoints of others in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from mission.formats.brought import Brought, Place, line_of, task_of
from mission.formats.untrusted import Said, checked_count, latitude, longitude, read_xml, same
from mission.formats.xml_names import local_name, text_of
from mission.model import Task, TaskKind
from mission.plan import Plan, Sortie

GPX: Final = "http://www.topografix.com/GPX/1/1"
WHAT: Final = Said("the GPX file", "GPX 文件")


def write(plan: Plan, *, sortie_id: int | None = None) -> bytes:
    """Return the plan's sorties (or one of them) as routes. `ele` is metres above the take-off place: `desc` says so."""
    register_namespace("", GPX)
    root = Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "skybeat"})
    for sortie in plan.sorties:
        if sortie_id in (None, sortie.sortie_id):
            _route(root, sortie)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def read(data: bytes) -> Brought:
    """Return routes and tracks as corridors, waypoints as points. Raises FileFormatError; lines of one place become notes."""
    root = read_xml(data, WHAT)
    if local_name(root) != "gpx":
        raise WHAT.broken(
            f" is a {local_name(root)[:40]!r} document: a gpx document is needed",
            f"是 {local_name(root)[:40]!r} 文档：须为 gpx 文档",
        )
    tasks: list[Task] = []
    notes: list[Said] = []
    for number, line in enumerate(_lines(root), 1):
        name = text_of(line, "name") or f"line {number}"
        places = list(_places(line, same(name[:40])))
        if len(places) < len("ab"):
            notes.append(
                Said(
                    f"{name[:40]}: a line of {len(places)} places was left out",
                    f"{name[:40]}：只有 {len(places)} 个点的线已略去",
                )
            )
        else:
            tasks.append(task_of(name, TaskKind.CORRIDOR, line_of(places, same(name))))
    for number, point in enumerate((one for one in root if local_name(one) == "wpt"), 1):
        lat, lon = _place(point, Said(f"waypoint {number}", f"第 {number} 个航点"))
        name = text_of(point, "name") or f"waypoint {number}"
        tasks.append(task_of(name, TaskKind.POINT, {"type": "Point", "coordinates": [lon, lat]}))
    checked_count(len(tasks), WHAT)
    return Brought(tasks=tuple(tasks), notes=tuple(notes))


def _route(root: Element, sortie: Sortie) -> None:
    route = _under(root, "rte")
    _under(route, "name").text = f"sortie {sortie.sortie_id}"
    _under(route, "desc").text = "ele is the height above the take-off place in metres"
    for point in sortie.waypoints:
        place = {"lat": f"{point.lat_deg:.7f}", "lon": f"{point.lon_deg:.7f}"}
        said = SubElement(route, f"{{{GPX}}}rtept", place)
        _under(said, "ele").text = f"{point.alt_home_m:.1f}"
        if point.arrive_us is not None:
            at = datetime.fromtimestamp(point.arrive_us / 1e6, UTC)
            _under(said, "time").text = at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(root: Element) -> Iterator[Element]:
    """Yield routes, and each segment of each track."""
    for element in root:
        if local_name(element) == "rte":
            yield element
        elif local_name(element) == "trk":
            yield from (segment for segment in element if local_name(segment) == "trkseg")


def _places(line: Element, where: Said) -> Iterator[Place]:
    points = [element for element in line if local_name(element) in ("rtept", "trkpt")]
    checked_count(len(points), WHAT.at(where))
    for point in points:
        yield _place(point, where)


def _place(point: Element, where: Said) -> Place:
    return latitude(point.get("lat"), where), longitude(point.get("lon"), where)


def _under(parent: Element, name: str) -> Element:
    return SubElement(parent, f"{{{GPX}}}{name}")
