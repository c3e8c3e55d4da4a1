"""Takes a CSV or GeoJSON text of a force apart into rows with their line numbers."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from telemetry.model.errors import FileFormatError, InputError

Row: TypeAlias = Mapping[str, str]
"""One line or feature: column to text, stripped; empty where nothing is said."""
COLUMNS: Final = (
    "record", "number", "call_sign", "kind", "service", "duty_status", "station", "name_zh", "name_en", "lat_deg",
    "lon_deg", "crs", "ring_order", "covert", "protocol", "address", "label", "unit", "report_interval_s",
    "equipment",
)  # fmt: skip
"""What a file may say; `record` says what a line is, `station` is a station's number, `unit` a call sign."""
KNOWN_GEOJSON_CRS: Final = ("CRS84", "4326", "4490")
FEATURES: Final = re.compile(r'"features"\s*:\s*\[')


class Problem(msgspec.Struct, frozen=True, order=True):
    """What is wrong in which line of the file (the first is 1), and what is allowed."""

    line: int
    message: str


def decode_text(data: bytes) -> str:
    """Return a file's text: UTF-8, else GB 18030. Raises FileFormatError for bytes that are neither."""
    if b"\0" in data:
        raise FileFormatError("the file holds bytes of value 0 (UTF-16, perhaps, or no text at all): save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"the file is neither UTF-8 nor GB 18030 text (byte {error.start}): save it as UTF-8"
        ) from error


def rows_of_csv(text: str) -> tuple[list[tuple[int, Row]], list[Problem]]:
    """Return (line, row) of each line of a CSV text, and what is wrong. Raises FileFormatError for what is no CSV."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        if "record" not in header:
            raise FileFormatError(f"line 1 must name the columns, `record` among them; known are {', '.join(COLUMNS)}")
        reader.fieldnames = header
        rows: list[tuple[int, Row]] = []
        problems = _unknown_columns(1, header)
        for row in reader:
            if None in row:
                problems.append(Problem(reader.line_num, f"has more than the {len(header)} columns of line 1"))
                continue
            rows.append((reader.line_num, {name: (value or "").strip() for name, value in row.items()}))
    except csv.Error as error:
        raise FileFormatError(f"line {reader.line_num}: no CSV ({error})") from error
    return rows, problems


def _unknown_columns(line: int, names: Sequence[str]) -> list[Problem]:
    unknown = [name for name in names if name not in COLUMNS]
    return [Problem(line, f"column {name!r} is unknown: known are {', '.join(COLUMNS)}") for name in unknown]


def rows_of_geojson(text: str) -> tuple[list[tuple[int, Row]], list[Problem]]:
    """Return (line, row) of each feature, and what is wrong. Raises FileFormatError for what is no FeatureCollection."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileFormatError(f"line {error.lineno}: no JSON ({error.msg})") from error
    except RecursionError as error:
        raise FileFormatError("the JSON is nested too deeply to be a FeatureCollection") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("features"), list):
        raise FileFormatError("no GeoJSON FeatureCollection: it has no list `features`")
    problems: list[Problem] = []
    named = json.dumps(whole.get("crs", "CRS84"))
    if not any(mark in named for mark in KNOWN_GEOJSON_CRS):
        problems.append(Problem(1, f"its crs {named} is unknown: leave it out and give --crs"))
    rows: list[tuple[int, Row]] = []
    for line, feature in zip(_feature_lines(text, len(whole["features"])), whole["features"], strict=True):
        try:
            row = _row_of_feature(feature)
        except InputError as error:
            problems.append(Problem(line, str(error)))
            continue
        problems += _unknown_columns(line, list(row))
        rows.append((line, row))
    return rows, problems


def _feature_lines(text: str, count: int) -> list[int]:
    """Return the line at which each feature begins; the feature's number where that cannot be told."""
    match = FEATURES.search(text)
    decoder = json.JSONDecoder()
    lines: list[int] = []
    line, place = 1, 0
    position = match.end() if match else len(text)
    while len(lines) < count:
        begin = re.compile(r"[\s,]*").match(text, position)
        assert begin is not None
        line, place = line + text.count("\n", place, begin.end()), begin.end()
        try:
            _, position = decoder.raw_decode(text, begin.end())
        except json.JSONDecodeError:
            return list(range(1, count + 1))
        lines.append(line)
    return lines


def _row_of_feature(feature: object) -> dict[str, str]:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise InputError("no GeoJSON Feature with properties")
    row = {str(name): _text_of(value) for name, value in feature["properties"].items()}
    geometry = feature.get("geometry")
    if geometry is None:
        return row
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        raise InputError("its geometry is no Point")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or len(coordinates) not in {2, 3}:
        raise InputError("its coordinates are no [longitude, latitude]")
    return row | {"lon_deg": _text_of(coordinates[0]), "lat_deg": _text_of(coordinates[1])}


def _text_of(value: object) -> str:
    if value is None:
        return ""
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    if "\0" in text or not _can_be_stored(text):
        raise InputError("holds a character that is none (code 0, or half of a pair): take it out")
    return text


def _can_be_stored(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
