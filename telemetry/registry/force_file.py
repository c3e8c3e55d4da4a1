"""Reads a force from a CSV or GeoJSON file: stations, posts, cameras, units, devices, and what is wrong in which line."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from telemetry.model.datum import Crs, parse_crs, to_wgs84
from telemetry.model.enrolment import SecretKind
from telemetry.model.errors import FileFormatError, InputError
from telemetry.model.phone import PHONE_PROTOCOL
from telemetry.model.unit import DutyStatus, Equipment, Service, UnitKind
from telemetry.registry.enrolment import rule_of
from telemetry.registry.force_rows import Problem, Row, decode_text, rows_of_csv, rows_of_geojson

RECORDS: Final = ("station", "post", "camera", "unit", "device")
YES: Final = frozenset({"true", "yes", "1", "是"})
NO: Final = frozenset({"", "false", "no", "0", "否"})
PHONE_NAMES: Final = frozenset({"phone", PHONE_PROTOCOL, "traccar"})


class PostKind(StrEnum):
    """What stands at a fixed place."""

    STANDING_POST = "standing_post"
    SAFETY_POST = "safety_post"
    CHECKPOINT = "checkpoint"
    DOCK = "dock"


class Place(msgspec.Struct, frozen=True):
    """A place on WGS-84, 1e-7 degree."""

    lat_e7: int
    lon_e7: int


class StationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A station of the file."""

    line: int
    number: int
    name_zh: str
    name_en: str
    place: Place
    ring_order: int | None


class PostLine(msgspec.Struct, frozen=True, kw_only=True):
    """A post of the file."""

    line: int
    kind: PostKind
    name_zh: str
    name_en: str
    place: Place
    station_number: int | None


class CameraLine(msgspec.Struct, frozen=True, kw_only=True):
    """A camera of the file."""

    line: int
    name_zh: str
    name_en: str
    place: Place
    station_number: int | None


class UnitLine(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of the file; `duty_status` and `equipment` None leave a known unit's as they are."""

    line: int
    call_sign: str
    kind: UnitKind
    service: Service
    duty_status: DutyStatus | None
    station_number: int | None
    name_zh: str
    name_en: str
    covert: bool
    equipment: tuple[Equipment, ...] | None = None


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the file: mavlink with its address, or osmand (any phone), known again by its label."""

    line: int
    protocol: str
    address: str
    label: str
    call_sign: str | None
    report_interval_s: float


ForceLine: TypeAlias = StationLine | PostLine | CameraLine | UnitLine | DeviceLine


class ForceFile(msgspec.Struct, frozen=True):
    """All that a file says, and all that is wrong with it."""

    lines: tuple[ForceLine, ...]
    problems: tuple[Problem, ...]

    def unresolved(self, station_numbers: frozenset[int], call_signs: frozenset[str]) -> list[Problem]:
        """Return the lines that name a station or unit which neither the file nor the registry (arguments) has."""
        stations = station_numbers | {line.number for line in self.lines if isinstance(line, StationLine)}
        units = call_signs | {line.call_sign for line in self.lines if isinstance(line, UnitLine)}
        problems = []
        for line in self.lines:
            if isinstance(line, PostLine | CameraLine | UnitLine) and line.station_number is not None:
                if line.station_number not in stations:
                    problems.append(Problem(line.line, f"station {line.station_number} is unknown: add it to the file"))
            elif isinstance(line, DeviceLine) and line.call_sign is not None and line.call_sign not in units:
                problems.append(Problem(line.line, f"unit {line.call_sign!r} is unknown: add it to the file"))
        return problems


def parse_force_file(data: bytes, file_name: str, *, crs: Crs = Crs.WGS84) -> ForceFile:
    """Read a `.csv` or `.geojson`/`.json` file (UTF-8, or GB 18030 as office programs save it).

    Coordinates are in `crs` unless a line's own `crs` says otherwise. Wrong lines become problems; only a file that is no
    CSV or GeoJSON at all raises FileFormatError.
    """
    text = decode_text(data)
    suffix = file_name.rsplit(".", 1)[-1].lower()
    if suffix == "csv":
        rows, problems = rows_of_csv(text)
    elif suffix in {"geojson", "json"}:
        rows, problems = rows_of_geojson(text)
    else:
        raise FileFormatError(f"{file_name}: give a .csv or .geojson file")
    lines = []
    for number, row in rows:
        try:
            lines.append(_parse_row(number, row, crs))
        except InputError as error:
            problems.append(Problem(number, str(error)))
    problems += _twins(lines)
    return ForceFile(tuple(lines), tuple(sorted(problems)))


def _parse_row(line: int, row: Row, crs: Crs) -> ForceLine:
    record = row.get("record", "")
    parser = _PARSERS.get(record)
    if parser is None:
        raise InputError(f"record {record!r} is unknown: allowed are {', '.join(RECORDS)}")
    return parser(line, row, crs)


def _station(line: int, row: Row, crs: Crs) -> StationLine:
    number = _number(row, "number")
    if number is None:
        raise InputError("a station needs its number")
    place, ring_order = _place(row, crs), _number(row, "ring_order")
    return StationLine(line=line, number=number, place=place, ring_order=ring_order, **_names(row))


def _post(line: int, row: Row, crs: Crs) -> PostLine:
    kind = _choice(row, "kind", PostKind)
    return PostLine(line=line, kind=kind, place=_place(row, crs), station_number=_number(row, "station"), **_named(row))


def _camera(line: int, row: Row, crs: Crs) -> CameraLine:
    return CameraLine(line=line, place=_place(row, crs), station_number=_number(row, "station"), **_named(row))


def _unit(line: int, row: Row, crs: Crs) -> UnitLine:
    del crs  # a unit has no place of its own
    if not row.get("call_sign"):
        raise InputError("a unit needs its call_sign")
    return UnitLine(
        line=line,
        call_sign=row["call_sign"],
        kind=_choice(row, "kind", UnitKind),
        service=_choice(row, "service", Service),
        duty_status=_choice(row, "duty_status", DutyStatus) if row.get("duty_status") else None,
        station_number=_number(row, "station"),
        covert=_flag(row, "covert"),
        equipment=_equipment(row),
        **_names(row),
    )


def _device(line: int, row: Row, crs: Crs) -> DeviceLine:
    del crs  # nor has a device
    protocol, address, label = row.get("protocol", ""), row.get("address", ""), row.get("label", "")
    if protocol in PHONE_NAMES and not address:
        protocol = PHONE_PROTOCOL
    rule = rule_of(protocol)
    if rule.secret is SecretKind.TOKEN and (address or not label):
        raise InputError("a phone needs a label by which it is known again, and no address: it gets a token")
    return DeviceLine(
        line=line,
        protocol=protocol,
        address=rule.checked(address),
        label=label,
        call_sign=row.get("unit") or None,
        report_interval_s=_interval(row),
    )


_PARSERS: Final[Mapping[str, Callable[[int, Row, Crs], ForceLine]]] = {
    "station": _station,
    "post": _post,
    "camera": _camera,
    "unit": _unit,
    "device": _device,
}


def _names(row: Row) -> dict[str, str]:
    return {"name_zh": row.get("name_zh", ""), "name_en": row.get("name_en", "")}


def _named(row: Row) -> dict[str, str]:
    names = _names(row)
    if not any(names.values()):
        raise InputError("needs name_zh or name_en, by which it is known again")
    return names


def _number(row: Row, column: str) -> int | None:
    text = row.get(column, "")
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise InputError(f"{column} {text!r}: give a whole number from 1 on")
    return int(text)


def _choice(row: Row, column: str, choices: type[StrEnum]) -> Any:  # noqa: ANN401 - the member of the given enumeration
    text = row.get(column, "")
    try:
        return choices(text)
    except ValueError:
        raise InputError(f"{column} {text!r}: allowed are {', '.join(choices)}") from None


def _equipment(row: Row) -> tuple[Equipment, ...] | None:
    """Return what a unit carries, named once each; None where the file has no such column."""
    if "equipment" not in row:
        return None
    words = re.split(r"[\s;,、]+", row["equipment"].strip())
    carried = {_choice({"equipment": word}, "equipment", Equipment): None for word in words if word}
    return tuple(carried)


def _flag(row: Row, column: str) -> bool:
    text = row.get(column, "").lower()
    if text not in YES | NO:
        raise InputError(f"{column} {text!r}: give true or false")
    return text in YES


def _interval(row: Row) -> float:
    text = row.get("report_interval_s") or "1"
    interval_s = _real(text, "report_interval_s")
    if not 0.1 <= interval_s <= 3600:
        raise InputError(f"report_interval_s {text}: allowed are 0.1 to 3600 seconds")
    return interval_s


def _real(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{column} {text!r} is no number") from None


def _place(row: Row, crs: Crs) -> Place:
    lat_deg, lon_deg = (_real(row.get(column, ""), column) for column in ("lat_deg", "lon_deg"))
    if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
        raise InputError("lat_deg must lie in -90..90 and lon_deg in -180..180: are they swapped?")
    lat, lon = to_wgs84(lat_deg, lon_deg, crs=parse_crs(row["crs"]) if row.get("crs") else crs)
    return Place(round(float(lat) * 1e7), round(float(lon) * 1e7))


def _twins(lines: Sequence[ForceLine]) -> Iterator[Problem]:
    first_line: dict[tuple[object, ...], int] = {}
    for line in lines:
        identity = _identity(line)
        if identity in first_line:
            yield Problem(line.line, f"names the same as line {first_line[identity]}: keep one of them")
        first_line.setdefault(identity, line.line)


def _identity(line: ForceLine) -> tuple[object, ...]:
    match line:
        case StationLine(number=number):
            return ("station", number)
        case PostLine():
            return ("post", line.kind, line.name_zh, line.name_en)
        case CameraLine():
            return ("camera", line.name_zh, line.name_en)
        case UnitLine(call_sign=call_sign):
            return ("unit", call_sign)
        case DeviceLine():
            return ("device", line.protocol, line.address or line.label)
