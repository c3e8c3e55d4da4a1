"""Reads calls from a CSV file: one a line, with what is wrong in which line; the same line again is the same call."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

import msgspec

from mission.calls.incident import Caller, Category, Draft, Equipment, PlaceNote, Urgency
from telemetry.model.datum import Crs, parse_crs, to_wgs84
from telemetry.model.errors import FileFormatError, InputError

Row: TypeAlias = Mapping[str, str]
One = TypeVar("One")
COLUMNS: Final = (
    *("source_ref", "title", "text", "urgency", "category", "place_text", "lat_deg", "lon_deg", "crs", "caller_name"),
    *("caller_phone", "audio_url", "recording_url", "needs", "reported_at", "closed_at"),
)
"""What a file may say; `needs` are words separated by spaces, times RFC 3339 with a zone; `closed_at`: it is over already."""
REQUIRED: Final = ("source_ref", "title")
MAX_FILE_BYTES: Final = 200_000_000
_LINE_CHARS: Final = 200
_TEXT_CHARS: Final = 2_000
_LONGEST: Final[Mapping[str, int]] = {
    "source_ref": 100,
    "text": _TEXT_CHARS,
    "audio_url": 500,
    "recording_url": 500,
    "caller_phone": 32,
}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PHONE: Final = re.compile(r"[0-9+*#() -]*")
_LINK: Final = re.compile(r"(https?://[^\x00-\x20]+)?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Problem(msgspec.Struct, frozen=True, order=True):
    """What is wrong in which line of the file (the first is 1), and what is allowed."""

    line: int
    message: str


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the file. `closed_us` None: it is open."""

    line: int
    draft: Draft
    closed_us: int | None


class IncidentFile(msgspec.Struct, frozen=True):
    """All calls of a file, and all that is wrong with it."""

    lines: tuple[IncidentLine, ...]
    problems: tuple[Problem, ...]


def parse_incident_file(data: bytes, *, now_us: int, crs: Crs = Crs.WGS84) -> IncidentFile:
    """Return the calls of a CSV file (UTF-8 or GB 18030); coordinates are in `crs` unless a line's own column says otherwise.

    Raises FileFormatError for what is no CSV with the columns of `COLUMNS`.
    """
    rows, problems = _rows(_text_of(data))
    lines: list[IncidentLine] = []
    first_line: dict[str, int] = {}
    for number, row in rows:
        try:
            line = _line(number, row, now_us=now_us, crs=crs)
        except InputError as error:
            problems.append(Problem(number, str(error)))
            continue
        twin = first_line.setdefault(line.draft.source_ref, number)
        if twin != number:
            problems.append(Problem(number, f"source_ref is that of line {twin}: keep one of them"))
            continue
        lines.append(line)
    return IncidentFile(tuple(lines), tuple(sorted(problems)))


def _text_of(data: bytes) -> str:
    if len(data) > MAX_FILE_BYTES or b"\0" in data:
        message = f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB or holds bytes of value 0: save it as UTF-8, in parts"
        raise FileFormatError(message)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = "the file is neither UTF-8 nor GB 18030 text: save it as UTF-8"
    raise FileFormatError(message)


def _rows(text: str) -> tuple[list[tuple[int, Row]], list[Problem]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, Row]] = []
    problems: list[Problem] = []
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        _demand_columns(header)
        reader.fieldnames = header
        for row in reader:
            if None in row:
                problems.append(Problem(reader.line_num, f"has more than the {len(header)} columns of line 1"))
                continue
            rows.append((reader.line_num, {name: (value or "").strip() for name, value in row.items()}))
    except csv.Error as error:
        message = f"line {reader.line_num}: no CSV ({error})"
        raise FileFormatError(message) from error
    return rows, problems


def _demand_columns(header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        wrong = f"missing {missing}" if missing else f"unknown or twice {unknown or header}"
        message = (
            f"line 1 must name the columns ({wrong}): {', '.join(REQUIRED)} are needed, known are {', '.join(COLUMNS)}"
        )
        raise FileFormatError(message)


def _line(number: int, row: Row, *, now_us: int, crs: Crs) -> IncidentLine:
    values = {name: row.get(name, "") for name in COLUMNS}
    _demand_texts(values)
    lat_e7, lon_e7 = _place(values, crs)
    reported_us = now_us if not values["reported_at"] else _at(values["reported_at"], "reported_at", now_us)
    closed_us = _at(values["closed_at"], "closed_at", now_us) if values["closed_at"] else None
    if closed_us is not None and closed_us < reported_us:
        message = f"closed_at {values['closed_at']} lies before reported_at: swap them, or leave closed_at out"
        raise InputError(message)
    draft = Draft(
        source="csv",
        source_ref=values["source_ref"],
        sha256=_digest(values, crs),
        title=values["title"],
        text=values["text"],
        urgency=_word(
            values["urgency"] or "2", "urgency", lambda text: Urgency(int(text)), [str(int(one)) for one in Urgency]
        ),
        category=_word(values["category"] or "other", "category", Category, list(Category)),
        place_text=values["place_text"],
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        place_note=PlaceNote.MISSING.value if lat_e7 is None else "",
        caller=Caller(name=values["caller_name"], phone=values["caller_phone"]),
        audio_url=values["audio_url"],
        recording_url=values["recording_url"],
        needs=tuple(sorted({_word(word, "needs", Equipment, list(Equipment)) for word in values["needs"].split()})),
        reported_us=reported_us,
    )
    return IncidentLine(line=number, draft=draft, closed_us=closed_us)


def _demand_texts(values: Row) -> None:
    for name, text in values.items():
        if name in REQUIRED and not text:
            message = f"{name} is empty: give one, as 110-20261121-0042" if name == "source_ref" else f"{name} is empty"
            raise InputError(message)
        longest = _LONGEST.get(name, _LINE_CHARS)
        if len(text) > longest or _CONTROL.search(text) or (name != "text" and "\n" in text):
            message = f"{name} has {len(text)} characters or such as nobody can print: at most {longest} printable ones"
            raise InputError(message)
    if not _PHONE.fullmatch(values["caller_phone"]):
        message = f"caller_phone of {len(values['caller_phone'])} characters: digits and + * # ( ) - alone"
        raise InputError(message)
    for name in ("audio_url", "recording_url"):
        if not _LINK.fullmatch(values[name]):
            message = f"{name} {values[name][:60]!r}: an address that begins with http:// or https://"
            raise InputError(message)


def _place(values: Row, crs: Crs) -> tuple[int | None, int | None]:
    if not values["lat_deg"] and not values["lon_deg"]:
        return None, None
    try:
        lat_deg, lon_deg = float(values["lat_deg"]), float(values["lon_deg"])
    except ValueError:
        message = (
            f"lat_deg {values['lat_deg'][:20]!r}, lon_deg {values['lon_deg'][:20]!r}: give both as degrees, or neither"
        )
        raise InputError(message) from None
    if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0):
        message = "lat_deg must lie in -90..90 and lon_deg in -180..180: are they swapped?"
        raise InputError(message)
    lat, lon = to_wgs84(lat_deg, lon_deg, crs=parse_crs(values["crs"]) if values["crs"] else crs)
    return round(float(lat) * 1e7), round(float(lon) * 1e7)


def _at(text: str, name: str, now_us: int) -> int:
    try:
        at = datetime.fromisoformat(text)
        since = at - _EPOCH
    except (ValueError, TypeError, OverflowError):
        message = f"{name} {text[:40]!r} is no RFC 3339 time with a zone: write it like 2026-11-21T08:00:00+08:00"
        raise InputError(message) from None
    at_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if at < _EARLIEST or at_us > now_us:
        message = f"{name} {text[:40]!r} lies before the year 2000 or after now"
        raise InputError(message)
    return at_us


def _word(text: str, name: str, make: Callable[[str], One], allowed: list[str]) -> One:
    try:
        return make(text)
    except ValueError:
        message = f"{name} {text[:40]!r}: allowed are {', '.join(allowed)}"
        raise InputError(message) from None


def _digest(values: Row, crs: Crs) -> bytes:
    said = {name: text for name, text in values.items() if text} | {"crs": values["crs"] or crs.value}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()
