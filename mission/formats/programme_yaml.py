"""A programme as a YAML file that people write: what is asked for, with what, where; times in ISO 8601 with their zone.

    zone: Asia/Shanghai
    docks:
      - {dock_id: 1, name: East, lat_deg: 36.06, lon_deg: 103.83}
    airframes:
      - {airframe_id: 1, name: Kestrel, dock_id: 1, endurance_s: 1800}
    tasks:
      - name_en: Lanterns
        kind: event
        geometry: {type: Point, coordinates: [103.84, 36.06]}   # GeoJSON: [lon, lat]
        windows: [{start: 2026-09-19T18:00+08:00, end: 2026-09-20T00:00+08:00}]

Weather may be METAR or TAF text too: `weather: ["METAR ZLLL 190600Z 32004MPS CAVOK 22/08 Q1015"]`. `crs: gcj02` at the top tells in what all places are. Numbers (task_id ...) may be left out where nothing speaks of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import yaml

from mission.air.taf import read_report
from mission.formats.untrusted import Said, checked_count, checked_size, same
from mission.model import Programme, Weather
from mission.programme_items import FORMS, Item, ItemKind, advice_of, item_of, moved_to_wgs84
from telemetry.model.datum import Crs, parse_crs
from telemetry.model.errors import InputError, chinese_of

WHAT: Final = Said("the mission file", "任务文件")
DEEPEST: Final = 40
MOST_YAML_BYTES: Final = 2 << 20
"""Thousands of tasks; YAML is slow to read, and whoever brings a file must not hold up the others."""
_US: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = ("zone", "holidays", "rule_set", "rules", "crs")
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}")
_DAYS_END: Final = re.compile(r"[T ]24:00(?::00)?(?!\d|:)")
_DAY_US: Final = 86_400 * 1_000_000
_NAME_TWINS: Final = {"name_zh": "name_en", "name_en": "name_zh"}


class _Loader(yaml.CSafeLoader):
    """YAML in C, which reads it ten times as fast, without its surprises: 08:00 is no number, `no` is no truth, a date is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own form


for _tag, _pattern, _first in (
    ("bool", r"true|True|false|False", [*"tTfF"]),
    ("null", r"~|null|Null|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", [*"-+0123456789"]),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read(data: bytes, *, now_us: int | None = None) -> Programme:
    """Return the programme in a file's bytes, in WGS-84. METAR and TAF text in it, which tells no month, is of the days nearest to `now_us`.

    Raises FileFormatError for what is no YAML or no programme: what, where, what is allowed.
    """
    if len(data) > MOST_YAML_BYTES:
        raise WHAT.broken(
            f" has {len(data)} bytes, at most {MOST_YAML_BYTES} are taken: split it",
            f"有 {len(data)} 字节，上限 {MOST_YAML_BYTES}：请拆分",
        )
    said = _loaded(checked_size(data, WHAT))
    lists = {form.field: kind for kind, form in FORMS.items()}
    unknown = sorted(set(said) - set(lists) - set(_WHOLE))
    if unknown:
        parts_of_it = ", ".join((*_WHOLE, *lists))
        raise WHAT.broken(
            f" has no part {unknown[0]!r}: its parts are {parts_of_it}", f"没有“{unknown[0]}”部分：可有 {parts_of_it}"
        )
    crs = parse_crs(str(said.get("crs", Crs.WGS84.value)))
    parts: dict[str, Any] = {name: said[name] for name in _WHOLE if name in said and name != "crs"}
    for field, kind in lists.items():
        parts[field] = tuple(_items(said.get(field) or [], kind, crs, now_us))
    try:
        return msgspec.convert(parts, Programme, from_attributes=False)
    except msgspec.ValidationError as error:
        advice, zh = advice_of(str(error))
        raise WHAT.broken(f": {error}{advice}", f"：{error}{zh}") from error


def write(programme: Programme) -> bytes:
    """Return a programme as a file for people: what is as usual is left out, times are in UTC."""
    plain = _plain(programme)
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, default_flow_style=None, width=120)
    return text.encode("utf-8")


def _loaded(data: bytes) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8-sig")
        _check_plain(yaml.parse(text, Loader=_Loader))
        said = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split())
        raise WHAT.broken(f" is no YAML: {why}", f"不是 YAML：{_unread_zh(error)}") from error
    if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
        raise WHAT.broken(
            " must be a mapping of parts such as tasks, docks and airframes", "须由 tasks、docks、airframes 等部分组成"
        )
    return said


def _unread_zh(error: Exception) -> str:
    """Return in Chinese why a text is no YAML: the parser's own words are English, its place is not."""
    if isinstance(error, UnicodeDecodeError):
        return f"第 {error.start + 1} 个字节起不是 UTF-8 文本，请另存为 UTF-8"
    mark = error.problem_mark or error.context_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if mark is None:
        return "有无法识读的内容，请检查缩进、冒号、引号和数值"
    return f"第 {mark.line + 1} 行第 {mark.column + 1} 列无法识读，请检查缩进、冒号、引号和数值"


def _check_plain(events: Iterable[Any]) -> None:
    """Refuse aliases, by which a few bytes become gigabytes, and nesting without end."""
    depth = 0
    for event in events:
        line = event.start_mark.line + 1
        where = WHAT.at(Said(f"line {line}", f"第 {line} 行"))
        if isinstance(event, yaml.AliasEvent):
            raise where.broken(": aliases (*) are not taken; write it out", "：不接受别名（*），请写全")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise where.broken(f": more than {DEEPEST} levels of nesting", f"：嵌套超过 {DEEPEST} 层")


def _items(said: object, kind: ItemKind, crs: Crs, now_us: int | None) -> Iterator[Item]:
    form = FORMS[kind]
    if not isinstance(said, list):
        raise WHAT.broken(f": {form.field} must be a list", f"：{form.field} 须为列表")
    checked_count(len(said), WHAT.at(same(form.field)))
    taken = [one.get(form.number) for one in said if isinstance(one, Mapping) and form.number]
    given = [number for number in taken if number is not None]
    if len(set(map(str, given))) < len(given):
        raise WHAT.broken(
            f": two of {form.field} have the same {form.number}", f"：{form.field} 中有两项 {form.number} 相同"
        )
    free = (number for number in range(1, len(said) + len(given) + 1) if number not in given)
    for row, one in enumerate(said, 1):
        where = WHAT.at(same(f"{form.field} {row}{_named(one)}"))
        try:
            if kind is ItemKind.WEATHER and isinstance(one, str):
                yield from _report(one, now_us)
            else:
                yield _item(one, kind, crs, free)
        except InputError as error:
            raise where.broken(f": {error}", f"：{chinese_of(error)}") from error


def _item(said: object, kind: ItemKind, crs: Crs, free: Iterator[int]) -> Item:
    form = FORMS[kind]
    if not isinstance(said, Mapping):
        return item_of(kind, said)
    number = said.get(form.number) if form.number else 0
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        message = f"{form.number} {number!r} is no whole number"
        raise InputError(message, f"{form.number} 为 {number!r}，不是整数")
    plain = _with_times(said)
    for name, twin in _NAME_TWINS.items():
        if name in form.struct.__struct_fields__ and name not in plain and twin in plain:
            plain[name] = plain[twin]
    return moved_to_wgs84(item_of(kind, plain, next(free) if number is None else number), crs)


def _report(text: str, now_us: int | None) -> tuple[Weather, ...]:
    if now_us is None:
        message = (
            "METAR text tells no month, and nobody said what day it is: write its fields (from, observed, wind_mps ...)"
        )
        raise InputError(message, "METAR 报文不含月份，且未给出当前时间：请填写各字段（from、observed、wind_mps 等）")
    return read_report(text, now_us=now_us)


def _with_times(said: Mapping[Any, Any]) -> dict[str, Any]:
    """Return fields with ISO texts under `start`, `end`, `from`, `observed` as microseconds under `start_us` and so on, 8:00 as 08:00:00."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        if key in ("start", "end", "from", "observed"):
            found[f"{key}_us"] = _us_of(value, str(key))
        elif isinstance(value, str) and _CLOCK.fullmatch(value):
            found[str(key)] = f"{value:0>5}:00"
        elif isinstance(value, Mapping) and key != "geometry":
            found[str(key)] = _with_times(value)
        elif isinstance(value, Sequence) and not isinstance(value, str) and key != "geometry":
            found[str(key)] = [_with_times(one) if isinstance(one, Mapping) else one for one in value]
        else:
            found[str(key)] = value
    return found


def _us_of(value: object, what: str) -> int:
    text = str(value)
    ends_day = _DAYS_END.search(text)
    try:
        at = datetime.fromisoformat(text if ends_day is None else text.replace("24:00", "00:00", 1))
    except ValueError as error:
        message = f"{what}: {value!r} is no time: write it like 2026-09-19T18:00+08:00"
        raise InputError(message, f"{what}：{value!r} 不是时间：写成 2026-09-19T18:00+08:00") from error
    if at.tzinfo is None:
        message = f"{what}: {value!r} has no time zone: write it like 2026-09-19T18:00+08:00"
        raise InputError(message, f"{what}：{value!r} 没有时区：写成 2026-09-19T18:00+08:00")
    return (at - _EPOCH) // _US + (0 if ends_day is None else _DAY_US)


def _named(said: object) -> str:
    name = said.get("name") or said.get("name_en") or said.get("name_zh") if isinstance(said, Mapping) else None
    return f" ({name})" if name else ""


def _plain(value: object) -> Any:  # noqa: ANN401 - what YAML holds
    if isinstance(value, msgspec.Struct):
        return dict(_fields(value))
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return msgspec.to_builtins(value)


def _fields(struct: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if not field.required and value == field.default:
            continue
        if field.name in ("start_us", "end_us", "from_us", "observed_us"):
            yield field.name.removesuffix("_us"), (_EPOCH + value * _US).isoformat()
        else:
            yield field.name, _plain(value)
