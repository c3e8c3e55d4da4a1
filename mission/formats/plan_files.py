"""The one door to files: a plan or a programme in the format that is wished, and what a file of any known format brings."""

import io
import zipfile
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Final

import msgspec

from mission.formats import (
    geojson,
    gpx,
    icalendar,
    icalendar_reading,
    kml,
    programme_yaml,
    qgc_plan,
    waypoints_file,
    wpml,
    wpml_reading,
)
from mission.formats.brought import LONGEST_NAME, Brought
from mission.formats.mavlink_items import items_of
from mission.formats.routes import task_of_route
from mission.formats.untrusted import Said, checked_size, read_zip
from mission.model import Crew, Programme, Window
from mission.plan import Plan, Sortie
from mission.rules import rule_set
from telemetry.model.errors import InputError, NotFoundError

_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE: Final = Said("the file", "文件")
_ARCHIVE: Final = Said("the archive", "压缩包")
_NOTHING_FLOWN: Final = Plan(window=Window(0, 0), visits=(), sorties=())
_ZIP: Final = b"PK\x03\x04"
_CALENDAR: Final = b"BEGIN:VCALENDAR"


class PlanFormat(StrEnum):
    """In what a plan is written; the first three are a file for each sortie."""

    PLAN = "plan"
    """QGroundControl."""
    WAYPOINTS = "waypoints"
    """QGC WPL 110: Mission Planner and many others."""
    KMZ = "kmz"
    """DJI WPML."""
    KML = "kml"
    GEOJSON = "geojson"
    GPX = "gpx"
    ICS = "ics"


class ProgrammeFormat(StrEnum):
    """In what a programme is written."""

    YAML = "yaml"
    GEOJSON = "geojson"
    KML = "kml"


class FileMade(msgspec.Struct, frozen=True, kw_only=True):
    """A file: its name without a folder, its media type, its bytes."""

    name: str
    media_type: str
    data: bytes


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """What a file brought, WGS-84, and a sentence for everything in it that was left out."""

    programme: Programme
    notes: tuple[Said, ...] = ()


MEDIA_TYPES: Final = {
    PlanFormat.PLAN: "application/json",
    PlanFormat.WAYPOINTS: "text/plain",
    PlanFormat.KMZ: "application/vnd.google-earth.kmz",
    PlanFormat.KML: "application/vnd.google-earth.kml+xml",
    PlanFormat.GEOJSON: "application/geo+json",
    PlanFormat.GPX: "application/gpx+xml",
    PlanFormat.ICS: "text/calendar",
}
_OF_SORTIE: Final = (PlanFormat.PLAN, PlanFormat.WAYPOINTS, PlanFormat.KMZ)


def write_plan(
    plan: Plan, programme: Programme, file_format: PlanFormat, *, sortie_id: int | None = None, language: str = "en"
) -> FileMade:
    """Return a plan (or one sortie of it) as a file; several sorties of a format of one each come as a zip.

    Raises NotFoundError for a sortie that there is not, InputError for one that cannot be written, with the reason.
    """
    if sortie_id is not None:
        plan = msgspec.structs.replace(plan, sorties=(find_sortie(plan, sortie_id),))
    name = f"plan-{plan.plan_id}" if sortie_id is None else f"plan-{plan.plan_id}-sortie-{sortie_id}"
    media_type = MEDIA_TYPES[file_format]
    if file_format in _OF_SORTIE:
        flown = [sortie for sortie in plan.sorties if sortie.waypoints]
        if len(flown) != 1:
            return _archive(flown, programme, file_format, name)
        data = _of_sortie(flown[0], programme, file_format)
    elif file_format is PlanFormat.KML:
        data = kml.write(plan, programme)
    elif file_format is PlanFormat.GEOJSON:
        data = geojson.write(plan)
    elif file_format is PlanFormat.GPX:
        data = gpx.write(plan)
    else:
        data = icalendar.write(plan, programme, language=language)
    return FileMade(name=f"{name}.{file_format.value}", media_type=media_type, data=data)


def write_programme(programme: Programme, file_format: ProgrammeFormat) -> FileMade:
    """Return a programme as a file; GeoJSON and KML hold what has a place."""
    if file_format is ProgrammeFormat.YAML:
        return FileMade(name="programme.yaml", media_type="application/yaml", data=programme_yaml.write(programme))
    if file_format is ProgrammeFormat.GEOJSON:
        data = geojson.write_programme(programme)
        return FileMade(name="programme.geojson", media_type=MEDIA_TYPES[PlanFormat.GEOJSON], data=data)
    return FileMade(
        name="programme.kml", media_type=MEDIA_TYPES[PlanFormat.KML], data=kml.write(_NOTHING_FLOWN, programme)
    )


def read_file(data: bytes, name: str = "", *, now_us: int | None = None) -> FileRead:
    """Return what a file brings: YAML, GeoJSON, KML, KMZ (of DJI too), .plan, waypoints, GPX, iCalendar (crews' shifts); told by its name and first bytes.

    What has no numbers there is numbered from 1. METAR text of a YAML file is of the days nearest to `now_us`; without it refused.

    Raises FileFormatError for a file that is none of them, or broken.
    """
    checked_size(data, _FILE)
    ending = PurePath(name).suffix.lower()
    if ending in {".yaml", ".yml"}:
        return FileRead(programme=programme_yaml.read(data, now_us=now_us))
    if data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").upper().startswith(_CALENDAR):
        return _of_calendar(data)
    brought = _reader_of(data, ending)(data)
    tasks, notes = brought.tasks, brought.notes
    if brought.waypoints:
        route, lost = task_of_route(PurePath(name).stem or "route", brought)
        tasks, notes = (*tasks, route), (*notes, *lost)
    programme = Programme(
        tasks=tuple(msgspec.structs.replace(task, task_id=number) for number, task in enumerate(tasks, 1)),
        zones=tuple(msgspec.structs.replace(zone, zone_id=number) for number, zone in enumerate(brought.zones, 1)),
    )
    return FileRead(programme=programme, notes=notes)


def _of_calendar(data: bytes) -> FileRead:
    """Return a calendar's events as the shifts of the crews that they are named for, its whole days as holidays."""
    found = icalendar_reading.read(data)
    shifts: dict[str, list[Window]] = {}
    for name, window in found.shifts:
        shifts.setdefault(name[:LONGEST_NAME] or "crew", []).append(window)
    crews = (
        Crew(crew_id=number, name=name, shifts=tuple(sorted(windows)))
        for number, (name, windows) in enumerate(shifts.items(), 1)
    )
    return FileRead(programme=Programme(crews=tuple(crews), holidays=found.days), notes=found.notes)


def _reader_of(data: bytes, ending: str) -> Callable[[bytes], Brought]:
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data.startswith(_ZIP):
        names = read_zip(data, _ARCHIVE)
        return wpml_reading.read if any(one.startswith("wpmz/") for one in names) else kml.read
    if head.startswith(b"QGC WPL"):
        return waypoints_file.read
    if head.startswith(b"{"):
        return qgc_plan.read if ending == ".plan" or b'"fileType"' in data[:4096] else geojson.read
    if head.startswith(b"<"):
        return gpx.read if ending == ".gpx" or b"<gpx" in data[:1024] else kml.read
    known = ".yaml, .geojson, .kml, .kmz, .plan, .waypoints, .gpx"
    raise _FILE.broken(
        f" ({ending or 'without an ending'}) is of no known kind: give {known} or .ics",
        f"（{ending or '没有扩展名'}）不是已知的类型：可用 {known}, .ics",
    )


def find_sortie(plan: Plan, sortie_id: int) -> Sortie:
    """Return a sortie of a plan. Raises NotFoundError, with those that there are."""
    for sortie in plan.sorties:
        if sortie.sortie_id == sortie_id:
            return sortie
    known = ", ".join(str(sortie.sortie_id) for sortie in plan.sorties[:50]) or "none"
    message = f"the plan has no sortie {sortie_id}: it has {known}"
    raise NotFoundError(message, f"方案没有架次 {sortie_id}：现有 {known}")


def _of_sortie(sortie: Sortie, programme: Programme, file_format: PlanFormat) -> bytes:
    airframe = next((one for one in programme.airframes if one.airframe_id == sortie.airframe_id), None)
    dock = next((one for one in programme.docks if one.dock_id == sortie.dock_id), None)
    if airframe is None or dock is None:
        message = f"sortie {sortie.sortie_id} flies airframe {sortie.airframe_id} of dock {sortie.dock_id}, which the programme has not"
        zh = f"架次 {sortie.sortie_id} 用航空器 {sortie.airframe_id}、机库 {sortie.dock_id}，任务书中没有"
        raise InputError(message, zh)
    if file_format is PlanFormat.KMZ:
        in_force = rule_set(programme.rule_set, programme.rules)
        link_loss = in_force.word("R-08", "action")
        return wpml.write(sortie, airframe, dock=dock, tasks=programme.tasks, link_loss=link_loss)
    items = items_of(sortie, airframe, dock, zones=programme.zones)
    return qgc_plan.write(items, airframe) if file_format is PlanFormat.PLAN else waypoints_file.write(items)


def _archive(sorties: Sequence[Sortie], programme: Programme, file_format: PlanFormat, name: str) -> FileMade:
    if not sorties:
        message = f"{name} has no sortie with waypoints: there is nothing to write as {file_format.value}"
        raise InputError(message, f"{name} 没有带航点的架次：没有可写成 {file_format.value} 的内容")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for sortie in sorties:
            member = zipfile.ZipInfo(f"sortie-{sortie.sortie_id}.{file_format.value}", _ZIP_EPOCH)
            archive.writestr(member, _of_sortie(sortie, programme, file_format), zipfile.ZIP_DEFLATED)
    return FileMade(name=f"{name}-{file_format.value}.zip", media_type="application/zip", data=buffer.getvalue())
