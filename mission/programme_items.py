"""The parts of a programme as single items: their kinds, their numbers, and the programme that they make together."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias, get_args

import msgspec

from mission.model import (
    Airframe,
    Battery,
    Camera,
    Crew,
    Dock,
    Programme,
    Recurrence,
    Task,
    Weather,
    Window,
    Zone,
)
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import InputError
from telemetry.model.positions import to_wgs84_geometry

Item: TypeAlias = Task | Airframe | Dock | Battery | Crew | Zone | Weather


class ItemKind(StrEnum):
    """What a programme is made of."""

    TASK = "task"
    AIRFRAME = "airframe"
    DOCK = "dock"
    BATTERY = "battery"
    CREW = "crew"
    ZONE = "zone"
    WEATHER = "weather"


KIND_ZH: Final[Mapping[ItemKind, str]] = {
    ItemKind.TASK: "任务",
    ItemKind.AIRFRAME: "航空器",
    ItemKind.DOCK: "机库",
    ItemKind.BATTERY: "电池",
    ItemKind.CREW: "机组",
    ItemKind.ZONE: "空域",
    ItemKind.WEATHER: "气象",
}
"""What a kind is called in Chinese."""


class ItemForm(NamedTuple):
    """How items of a kind are told: their struct, the field of their number (weather has none), their field in a programme."""

    struct: type[Item]
    number: str | None
    field: str


FORMS: Final[Mapping[ItemKind, ItemForm]] = {
    ItemKind.TASK: ItemForm(Task, "task_id", "tasks"),
    ItemKind.AIRFRAME: ItemForm(Airframe, "airframe_id", "airframes"),
    ItemKind.DOCK: ItemForm(Dock, "dock_id", "docks"),
    ItemKind.BATTERY: ItemForm(Battery, "battery_id", "batteries"),
    ItemKind.CREW: ItemForm(Crew, "crew_id", "crews"),
    ItemKind.ZONE: ItemForm(Zone, "zone_id", "zones"),
    ItemKind.WEATHER: ItemForm(Weather, None, "weather"),
}
_WITHIN: Final[Mapping[str, type[msgspec.Struct]]] = {
    "recurrence": Recurrence,
    "windows": Window,
    "shifts": Window,
    "cameras": Camera,
}
"""Fields of items that hold structs of their own."""
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}")
_MIDNIGHT: Final = ("24:00", "24:00:00")
_WRONG_WORD: Final = re.compile(r"Invalid enum value .* at `\$([.\w]+)`")
KIND_OF_FIELD: Final[Mapping[str, ItemKind]] = {form.field: kind for kind, form in FORMS.items()}


class KeptItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is kept: its number, how often it was changed, whose it is (None: the whole force's), what it was called."""

    item_id: int
    kind: ItemKind
    version: int
    item: Item
    station_id: int | None = None
    source_ref: str | None = None


class ProgrammeSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the whole programme: the time zone of its days, public holidays, the rule set and what differs from it."""

    zone: str = "Asia/Shanghai"
    holidays: tuple[date, ...] = ()
    rule_set: str = "default"
    rules: dict[str, dict[str, float | str | bool]] = {}


def item_of(kind: ItemKind, said: object, item_id: int = 0) -> Item:
    """Return what was said of an item with its number. Raises InputError for unknown fields and for what is not of the kind's form."""
    form = FORMS[kind]
    if not isinstance(said, Mapping):
        message = f"a {kind.value} is an object of fields, and not {type(said).__name__}"
        raise InputError(message, f"{KIND_ZH[kind]}须为由字段组成的对象，不是 {type(said).__name__}")
    _check_fields(said, form.struct, f"a {kind.value}", zh=KIND_ZH[kind])
    numbered = {**said} if form.number is None else {**said, form.number: item_id}
    try:
        return msgspec.convert(with_hours(numbered), form.struct)
    except msgspec.ValidationError as error:
        words, (advice, zh) = _allowed_words(str(error), form.struct), advice_of(str(error))
        message = f"the {kind.value} is not of its form: {error}{words}{advice}"
        raise InputError(message, f"{KIND_ZH[kind]}的内容不对：{error}{words}{zh}") from error


def with_hours(said: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return fields of a task whose recurrence tells its hours as JSON takes them: 8:00 as 08:00:00, `until` 24:00 as 00:00:00.

    Midnight as the end of the hours is that of the day's end, for it is not later than their beginning.
    """
    recurrence = said.get("recurrence")
    if not isinstance(recurrence, Mapping):
        return {**said}
    told = {**recurrence}
    for name in ("since", "until"):
        hour = told.get(name)
        if name == "until" and hour in _MIDNIGHT:
            told[name] = "00:00:00"
        elif isinstance(hour, str) and _CLOCK.fullmatch(hour):
            told[name] = f"{hour:0>5}:00"
    return {**said, "recurrence": told}


def advice_of(error: str) -> tuple[str, str]:
    """Return what to write instead, in English and Chinese, where an error of a form is of an hour or a day; else empty."""
    if "encoded time" in error or error.endswith((".since`", ".until`")):
        return "; write an hour like 08:00, the end of the day as 24:00", "；时刻写成 08:00，一天结束写成 24:00"
    if "encoded date" in error:
        return "; write a day like 2027-05-01", "；日期写成 2027-05-01"
    return "", ""


def _check_fields(said: Mapping[Any, Any], struct: type[msgspec.Struct], what: str, *, zh: str) -> None:
    """Refuse fields that a struct has not, also those of the structs within it: what nobody reads is not passed over."""
    unknown = sorted(str(name) for name in said if name not in struct.__struct_fields__)
    if unknown:
        allowed = ", ".join(struct.__struct_fields__)
        message = f"{what} has no field {unknown[0]!r}: it has {allowed}"
        if said.get(unknown[0], "") is None:
            message += "; in YAML a text with a comma between braces stands in quotes"
        raise InputError(message, f"{zh}没有字段“{unknown[0]}”：可用 {allowed}")
    for name, within in _WITHIN.items():
        parts = said.get(name) if name in struct.__struct_fields__ else None
        for part in parts if isinstance(parts, list | tuple) else [parts]:
            if isinstance(part, Mapping):
                _check_fields(part, within, f"{name} of {what}", zh=f"{zh}的 {name} ")


def _allowed_words(error: str, struct: type[msgspec.Struct]) -> str:
    """Return the words that a field takes, where the error is of another word."""
    found = _WRONG_WORD.search(error)
    if found is None:
        return ""
    *above, last = found[1].removeprefix(".").split(".")
    holder = _WITHIN.get(above[-1], struct) if above else struct
    types = {field.name: field.type for field in msgspec.structs.fields(holder)}
    kinds = [kind for kind in (types.get(last), *get_args(types.get(last))) if isinstance(kind, type)]
    words = [word.value for kind in kinds if issubclass(kind, StrEnum) for word in kind]
    return f"; allowed: {', '.join(words)}" if words else ""


def number_of(kind: ItemKind, item: Item) -> int:
    """Return an item's own number; 0 for weather, which has none."""
    number = FORMS[kind].number
    return 0 if number is None else int(getattr(item, number))


def raw_of(item: Item) -> dict[str, Any]:
    """Return an item as JSON holds it, without its number."""
    raw: dict[str, Any] = msgspec.to_builtins(item)
    for form in FORMS.values():
        if form.struct is type(item) and form.number is not None:
            del raw[form.number]
    return raw


def demand_keepable(item: Item) -> None:
    """Raise InputError for an item that no database keeps or no process is told: zero bytes in its words, numbers past 64 bits."""
    try:
        raw = msgspec.msgpack.encode(item)
    except OverflowError as error:
        message = "a whole number in it is past 64 bits: give a smaller one"
        raise InputError(message, "其中有超过 64 位的整数：请改小") from error
    if b"\0" in raw and rb"\u0000" in msgspec.json.encode(item):
        message = "a zero byte stands in its words: leave it out"
        raise InputError(message, "文字中有零字节：请删去")


def moved_to_wgs84(item: Item, crs: Crs) -> Item:
    """Return an item whose places were in `crs` in WGS-84. Raises InputError for positions that are none."""
    match item:
        case Task() | Zone():
            return msgspec.structs.replace(item, geometry=to_wgs84_geometry(item.geometry, crs))
        case Dock() if crs is not Crs.WGS84:
            lat, lon = to_wgs84([item.lat_deg], [item.lon_deg], crs=crs)
            return msgspec.structs.replace(item, lat_deg=round(float(lat[0]), 7), lon_deg=round(float(lon[0]), 7))
    return item


def programme_of(items: Iterable[KeptItem], setting: ProgrammeSetting) -> Programme:
    """Return the programme that items and setting make, each kind in the order of the items' numbers."""
    parts: dict[str, list[Item]] = {form.field: [] for form in FORMS.values()}
    for kept in sorted(items, key=lambda one: one.item_id):
        parts[FORMS[kept.kind].field].append(kept.item)
    fields: dict[str, Any] = {name: tuple(found) for name, found in parts.items()}
    return Programme(
        zone=setting.zone, holidays=setting.holidays, rule_set=setting.rule_set, rules=setting.rules, **fields
    )


def setting_of(programme: Programme) -> ProgrammeSetting:
    """Return what holds for the whole of a programme."""
    return ProgrammeSetting(
        zone=programme.zone, holidays=programme.holidays, rule_set=programme.rule_set, rules=programme.rules
    )
