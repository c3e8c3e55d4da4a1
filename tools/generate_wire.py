"""Writes console/web/src/wire.generated.ts, the browser's twin of console/wire*.py and console/api/models*.py.

python tools/generate_wire.py            write it
python tools/generate_wire.py --check    exit 1 when the file is not what the structs say
"""

import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag, StrEnum
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from msgspec import inspect

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from console import wire, wire_command, wire_coverage, wire_flight, wire_incident, wire_plan  # noqa: E402 - the tool runs from anywhere in the project
from console.api import structs  # noqa: E402 - same
from mission.calls.incident import Category, DispatchState, Equipment, IncidentState  # noqa: E402 - same
from telemetry.model.alarm import AlarmState  # noqa: E402 - same
from telemetry.model.batch import REPORT, Quality, unknown_of  # noqa: E402 - same
from telemetry.model.events import AlarmKind  # noqa: E402 - same
from telemetry.model.unit import DutyStatus, LinkState, Service, UnitKind  # noqa: E402 - same
from telemetry.model.unit_state import UnitBit  # noqa: E402 - same

TARGET: Final = ROOT / "console" / "web" / "src" / "wire.generated.ts"
WORDS: Final[Sequence[type[StrEnum]]] = (
    UnitKind,
    Service,
    DutyStatus,
    LinkState,
    AlarmKind,
    AlarmState,
    wire.Role,
    IncidentState,
    DispatchState,
    Category,
    Equipment,
)
NUMBERS: Final[Sequence[type[IntEnum | IntFlag]]] = (wire.FrameKind, UnitBit, Quality)
NEVER_UNKNOWN: Final = frozenset({"unit_id", "quality", "state", "link", "duty"})


def main(arguments: Sequence[str]) -> int:
    """Write the file, or compare it; return the exit code."""
    text = generate()
    if "--check" not in arguments:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is not what console/wire.py says: run `python tools/generate_wire.py` and commit it")
    return 1


def generate() -> str:
    """Return the TypeScript text."""
    parts = [
        "// Written by tools/generate_wire.py from console/wire.py and console/api/models.py: change those, then run it.",
        "/* eslint-disable */",
        *_constants(),
        *(_words(words) for words in (*WORDS, *_further_words())),
        *(_numbers(numbers) for numbers in NUMBERS),
        *(_interface(struct) for struct in _structs()),
        _union("FromBrowser", (wire.Hello, wire.Subscribe, wire.Pong)),
        _union(
            "ToBrowser",
            (
                wire.Welcome,
                wire.UnitsChanged,
                wire.StatusChanged,
                wire.AlarmChanged,
                wire_coverage.CoverageChanged,
                wire_coverage.ContoursChanged,
                wire_incident.IncidentChanged,
                wire_incident.TaskChanged,
                wire_command.CommandChanged,
                wire_flight.FlightChanged,
                wire_flight.TrafficChanged,
                wire_flight.DueChanged,
                wire_plan.PlanChanged,
                wire_plan.PlanProgress,
                wire_plan.ProgrammeChanged,
                wire.RateChanged,
                wire.Degraded,
            ),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _constants() -> Iterable[str]:
    yield f'export const SUBPROTOCOL = "{wire.SUBPROTOCOL}";'
    yield f"export const PROTOCOL_VERSION = {wire.VERSION};"
    yield f"export const RATES_HZ = {list(wire.RATES_HZ)} as const;"
    yield f"export const SNAPSHOT_EVERY_S = {wire.SNAPSHOT_EVERY_S};"
    yield f"export const MAX_SUBSCRIBED_UNITS = {wire.MAX_SUBSCRIBED_UNITS};"
    yield f"/** 'SK' read as a little-endian u16. */\nexport const MAGIC = {int.from_bytes(wire.MAGIC, 'little')};"
    yield f"export const HEADER_BYTES = {wire.HEADER.size};"
    yield f"export const ALIGNMENT_BYTES = {wire.ALIGNMENT_BYTES};"
    offsets = "".join(f"  {name}: {offset}, // {kind}\n" for name, offset, kind in wire.HEADER_FIELDS)
    yield f"/** Byte offsets of the header's fields, all little-endian. */\nexport const HEADER_OFFSET = {{\n{offsets}}} as const;"
    yield 'export type ColumnType = "i1" | "i2" | "i4";'
    yield "export const UNKNOWN: Readonly<Record<ColumnType, number>> = { i1: -128, i2: -32768, i4: -2147483648 };"
    yield _columns("UNIT_COLUMNS", wire.UNIT_COLUMNS, "Columns of SNAPSHOT and DELTA, in their order.")
    yield _columns("TRAIL_COLUMNS", wire.TRAIL_COLUMNS, "Columns of TRAIL, behind one unit_id padded to 8 bytes.")
    yield _columns("GONE_COLUMNS", wire.UNIT_COLUMNS[:1], "Columns of GONE.")
    yield 'export type UnitColumn = (typeof UNIT_COLUMNS)[number]["name"];'
    names = ", ".join(f'"{name}"' for name in REPORT.names or ())
    yield f"/** Keys of TrackReply.columns. */\nexport const REPORT_COLUMNS = [{names}] as const;"


def _columns(name: str, columns: Sequence[tuple[str, str]], comment: str) -> str:
    rows = "".join(
        f'  {{ name: "{column}", type: "{kind.lstrip("<")}", bytes: {np.dtype(kind).itemsize}, unknown: {_unknown(column, kind)} }},\n'
        for column, kind in columns
    )
    return f"/** {comment} */\nexport const {name} = [\n{rows}] as const;"


def _unknown(column: str, kind: str) -> str:
    if column in NEVER_UNKNOWN:
        return "null"
    lowest = int(np.iinfo(np.dtype(kind)).min)
    assert column not in (REPORT.names or ()) or lowest == unknown_of(column)
    return str(lowest)


def _words(words: type[StrEnum]) -> str:
    name = _screaming(words.__name__)
    values = ", ".join(f'"{word.value}"' for word in words)
    plural = f"{name[:-1]}IES" if name.endswith("Y") else f"{name}ES" if name.endswith("S") else f"{name}S"
    return f"export const {plural} = [{values}] as const;\nexport type {words.__name__} = (typeof {plural})[number];"


def _further_words() -> Sequence[type[StrEnum]]:
    """Return the words that structs speak of beside WORDS, in the order of their meeting."""
    found: dict[type[StrEnum], None] = {}
    for struct in _structs():
        info = inspect.type_info(struct)
        assert isinstance(info, inspect.StructType)
        for field in info.fields:
            found.update(dict.fromkeys(_words_in(field.type)))
    return [words for words in found if words not in WORDS]


def _words_in(info: inspect.Type) -> Iterable[type[StrEnum]]:
    match info:
        case inspect.EnumType() if issubclass(info.cls, StrEnum):
            yield info.cls
        case inspect.Metadata():
            yield from _words_in(info.type)
        case inspect.ListType() | inspect.VarTupleType():
            yield from _words_in(info.item_type)
        case inspect.DictType():
            yield from _words_in(info.value_type)
        case inspect.UnionType():
            for kind in info.types:
                yield from _words_in(kind)


def _numbers(numbers: type[IntEnum | IntFlag]) -> str:
    rows = "".join(f"  {member.name}: {int(member)},\n" for member in numbers)
    return f"export const {numbers.__name__} = {{\n{rows}}} as const;"


def _screaming(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() and at else letter for at, letter in enumerate(name)).upper()


def _structs() -> Sequence[type[msgspec.Struct]]:
    modules = (wire, wire_coverage, wire_incident, wire_command, wire_flight, wire_plan)
    told = {name: value for module in modules for name, value in vars(module).items() if _is_struct(value)}
    return list({**told, **structs()}.values())


def _is_struct(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, msgspec.Struct) and value not in (msgspec.Struct, wire.Frame)


def _interface(struct: type[msgspec.Struct]) -> str:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    lines = [f"  {info.tag_field}: {_literal(info.tag)};"] if info.tag_field else []
    asked = info.forbid_unknown_fields or struct.__name__ in {"Hello", "Resume", "Subscribe"}
    for field in info.fields:
        mark = "?" if asked and not field.required else ""
        lines.append(f"  {field.encode_name}{mark}: {_type(field.type)};")
    comment = " ".join((struct.__doc__ or "").split())
    body = "\n".join(lines)
    return f"/** {comment} */\nexport interface {struct.__name__} {{\n{body}\n}}"


def _type(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata():
            return _type(info.type)
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.StrType() | inspect.DateType() | inspect.TimeType():
            return "string"
        case inspect.BoolType():
            return "boolean"
        case inspect.NoneType():
            return "null"
        case inspect.AnyType():
            return "unknown"
        case inspect.EnumType() | inspect.StructType():
            return str(info.cls.__name__)
        case inspect.ListType() | inspect.VarTupleType():
            inner = _type(info.item_type)
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case inspect.DictType():
            return f"Record<{_type(info.key_type)}, {_type(info.value_type)}>"
        case inspect.UnionType():
            return " | ".join(_type(kind) for kind in info.types)
    message = f"no TypeScript is known for {info!r}: add a case to tools/generate_wire.py"
    raise TypeError(message)


def _literal(tag: object) -> str:
    return f'"{tag}"'


def _union(name: str, structs: Sequence[type[msgspec.Struct]]) -> str:
    return f"export type {name} = {' | '.join(struct.__name__ for struct in structs)};"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
