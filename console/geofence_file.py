"""Geofences and assignments from files: GeoJSON or JSON for both, CSV for assignments; with one wrong entry nothing is written."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from console.api.models_geofences import GeofenceWish
from console.geofence_desk import fence_of_wish
from infra.clock import us_of, utc_of
from telemetry.geofence_store import QUERIES, parameters_of
from telemetry.geofences.fence import Geofence
from telemetry.model.datum import Crs
from telemetry.model.errors import InputError

MAX_BYTES: Final = 200_000_000
MAX_ENTRIES: Final = 20_000
BY: Final = "import"
_UNITS: Final = "select call_sign, unit_id from public.unit"
_STATIONS: Final = "select number, station_id from public.station"
_FENCES: Final = "select source_ref, geofence_id from public.geofence where source_ref is not null"


class Problem(NamedTuple):
    """What is wrong with an entry; `line` counts from 1 (a CSV file's first line is its heading)."""

    line: int
    message: str


class AssignmentLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shall stay where, by the names that people use: the geofence's reference, a call sign or a station's number, RFC 3339."""

    geofence: str
    unit: str = ""
    station: int | None = None
    from_at: str = ""
    to_at: str = ""


class GeofenceFile(msgspec.Struct, kw_only=True):
    """What a file says: geofences by their references, assignments, and what is wrong."""

    fences: dict[str, tuple[int, Geofence, int | None]] = msgspec.field(default_factory=dict)
    assignments: list[tuple[int, AssignmentLine]] = msgspec.field(default_factory=list)
    problems: list[Problem] = msgspec.field(default_factory=list)


class GeofenceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    fences: int = 0
    assignments: int = 0
    problems: tuple[Problem, ...] = ()


def parse_geofence_file(data: bytes, name: str, *, crs: Crs = Crs.WGS84) -> GeofenceFile:
    """Read a .csv, .json or .geojson file. Raises InputError for a file that is none of them or far too great."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has {len(data)} bytes, at most {MAX_BYTES} are read: split it")
    try:
        text = data.decode("utf-8-sig")
        entries = _csv_entries(text) if name.lower().endswith(".csv") else _json_entries(json.loads(text))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{name} is no UTF-8 CSV or JSON: {error}") from error
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{name} has {len(entries)} entries, at most {MAX_ENTRIES} are taken: split it")
    found = GeofenceFile()
    for line, kind, entry in entries:
        try:
            _READERS[kind](found, line, entry, crs)
        except (InputError, msgspec.ValidationError) as error:
            found.problems.append(Problem(line, str(error)))
    return found


def import_geofences(connection: psycopg.Connection[Any], file: GeofenceFile, *, now_us: int) -> GeofenceReport:
    """Write a file within the connection's transaction (owner): fences with a known reference are redrawn. Raises psycopg.Error."""
    units = dict(connection.execute(_UNITS).fetchall())
    stations = dict(connection.execute(_STATIONS).fetchall())
    known = dict(connection.execute(_FENCES).fetchall())
    problems = [*file.problems, *_unresolved(file, units, stations, known)]
    if problems:
        return GeofenceReport(problems=tuple(sorted(problems)))
    for ref, (_, fence, station) in file.fences.items():
        owned = msgspec.structs.replace(fence, station_id=None if station is None else stations[station])
        row = connection.execute(QUERIES["add_fence"], parameters_of(owned, now_us=now_us, by=BY, source_ref=ref))
        known[ref] = (row.fetchone() or (0,))[0]
    for _, line in file.assignments:
        connection.execute(QUERIES["add_assignment"], _parameters(line, units, stations, known, now_us))
    return GeofenceReport(fences=len(file.fences), assignments=len(file.assignments))


def _csv_entries(text: str) -> list[tuple[int, str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    wanted = {"geofence", "unit", "station", "from_at", "to_at"}
    if not {"geofence"} <= set(rows.fieldnames or ()) <= wanted:
        raise InputError(f"a CSV file of assignments has the columns {', '.join(sorted(wanted))}, geofence at least")
    entries: list[tuple[int, str, Any]] = []
    for row in rows:
        filled = {name: value.strip() for name, value in row.items() if name and value and value.strip()}
        station = filled.pop("station", "")
        entries.append((rows.line_num, "assignment", filled | ({"station": station} if station else {})))
    return entries


def _json_entries(tree: object) -> list[tuple[int, str, Any]]:
    if not isinstance(tree, dict):
        raise InputError("a JSON file is a FeatureCollection, or an object with geofences and assignments")
    fences = tree.get("features", tree.get("geofences", []))
    assignments = tree.get("assignments", [])
    if not isinstance(fences, list) or not isinstance(assignments, list) or not (fences or assignments):
        raise InputError("the file holds no list of features, geofences or assignments")
    kinds = [("geofence", entry) for entry in fences] + [("assignment", entry) for entry in assignments]
    return [(number, kind, entry) for number, (kind, entry) in enumerate(kinds, 1)]


def _read_fence(file: GeofenceFile, line: int, entry: object, crs: Crs) -> None:
    if not isinstance(entry, dict):
        raise InputError("a geofence is a GeoJSON Feature or an object")
    is_feature = entry.get("type") == "Feature"
    said = dict(entry.get("properties") or {}) | {"geometry": entry.get("geometry")} if is_feature else dict(entry)
    ref, station = str(said.pop("ref", "")).strip(), said.pop("station", None)
    if not ref or len(ref) > 80 or ref in file.fences:
        raise InputError(
            f"ref {ref[:80]!r}: give each geofence a reference of its own, so that it is known again next time"
        )
    wish = msgspec.convert({"crs": crs.value} | said, GeofenceWish)
    file.fences[ref] = (line, fence_of_wish(wish), None if station is None else msgspec.convert(station, int))


def _read_assignment(file: GeofenceFile, line: int, entry: object, crs: Crs) -> None:
    del crs
    said = msgspec.convert(entry, AssignmentLine, strict=False)
    if bool(said.unit) == (said.station is not None):
        raise InputError(
            "an assignment is either a unit's (its call sign) or a station's (its number): give one of them"
        )
    begin_us, end_us = _us(said.from_at), _us(said.to_at)
    if end_us is not None and begin_us is not None and end_us <= begin_us:
        raise InputError(f"the assignment ends at {said.to_at} before it begins at {said.from_at}")
    file.assignments.append((line, said))


_READERS: Final[Mapping[str, Callable[[GeofenceFile, int, object, Crs], None]]] = {
    "geofence": _read_fence,
    "assignment": _read_assignment,
}


def _unresolved(
    file: GeofenceFile, units: Mapping[str, int], stations: Mapping[int, int], known: Mapping[str, int]
) -> list[Problem]:
    problems = [
        Problem(line, f"there is no station {station}: import it first")
        for line, _, station in file.fences.values()
        if station is not None and station not in stations
    ]
    for line, said in file.assignments:
        if said.geofence not in file.fences and said.geofence not in known:
            problems.append(Problem(line, f"there is no geofence with the reference {said.geofence!r}"))
        if said.unit and said.unit not in units:
            problems.append(Problem(line, f"there is no unit {said.unit!r}: give a call sign"))
        if said.station is not None and said.station not in stations:
            problems.append(Problem(line, f"there is no station {said.station}: give its number"))
    return problems


def _parameters(
    line: AssignmentLine, units: Mapping[str, int], stations: Mapping[int, int], known: Mapping[str, int], now_us: int
) -> dict[str, Any]:
    end_us = _us(line.to_at)
    return {
        "geofence_id": known[line.geofence],
        "unit_id": units[line.unit] if line.unit else None,
        "station_id": None if line.station is None else stations[line.station],
        "from_at": utc_of(_us(line.from_at) or now_us),
        "to_at": None if end_us is None else utc_of(end_us),
    }


def _us(text: str) -> int | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"the time {text[:40]!r}: write it like 2026-11-21T08:00:00+08:00") from error
    if at.tzinfo is None:
        raise InputError(f"the time {text[:40]!r} has no zone: write it like 2026-11-21T08:00:00+08:00")
    return us_of(at)
