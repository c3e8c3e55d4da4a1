"""Write telemetry/sources/mavlink/tables_generated.py from pymavlink's ardupilotmega dialect; `--check` only compares.

The dialect's classes do not say where a message's extension fields begin; the XML beside them does. Each message's CRC
seed is computed again from the fields before its extensions and must come out as pymavlink states it.
"""

import argparse
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import pymavlink.dialects.v20.ardupilotmega as dialect
from fastcrc.crc16 import mcrf4xx

TARGET = Path(__file__).parents[1] / "telemetry" / "sources" / "mavlink" / "tables_generated.py"
CODES = {
    "char": "c",
    "int8_t": "b",
    "uint8_t": "B",
    "int16_t": "h",
    "uint16_t": "H",
    "int32_t": "i",
    "uint32_t": "I",
    "int64_t": "q",
    "uint64_t": "Q",
    "float": "f",
    "double": "d",
}
ENUMS = (
    "MAV_TYPE",
    "MAV_AUTOPILOT",
    "MAV_STATE",
    "MAV_LANDED_STATE",
    "GPS_FIX_TYPE",
    "MAV_RESULT",
    "COPTER_MODE",
    "PLANE_MODE",
    "ROVER_MODE",
    "SUB_MODE",
)
Field = tuple[str, str, int]


class Described:
    """What pymavlink says of each message."""

    id: ClassVar[int]
    msgname: ClassVar[str]
    fieldnames: ClassVar[list[str]]
    fieldtypes: ClassVar[list[str]]
    ordered_fieldnames: ClassVar[list[str]]
    array_lengths: ClassVar[list[int]]
    crc_extra: ClassVar[int]


def wire_fields(message: type[Described]) -> list[Field]:
    """Return (name, C type, array length or 0) in wire order."""
    type_by_name = dict(zip(message.fieldnames, message.fieldtypes, strict=True))
    return [
        (name, type_by_name[name], count)
        for name, count in zip(message.ordered_fieldnames, message.array_lengths, strict=True)
    ]


def crc_seed(name: str, fields: list[Field]) -> int:
    """Return the seed byte that MAVLink derives from a message's name and fields."""
    text = f"{name} ".encode()
    for field_name, c_type, count in fields:
        text += f"{c_type} {field_name} ".encode()
        text += bytes([count]) if count else b""
    crc = mcrf4xx(text)
    return (crc & 0xFF) ^ (crc >> 8)


def extension_names(path: Path, seen: set[Path]) -> dict[str, frozenset[str]]:
    """Return each message's extension fields, from a dialect's XML and those that it includes."""
    seen.add(path)
    root = ElementTree.parse(path).getroot()  # noqa: S314 the file comes with pymavlink, which we run anyway
    found: dict[str, frozenset[str]] = {}
    for include in root.findall("include"):
        other = path.parent / str(include.text)
        if other not in seen:
            found |= extension_names(other, seen)
    for message in root.iter("message"):
        tags = [(child.tag, child.get("name", "")) for child in message if child.tag in {"field", "extensions"}]
        start = tags.index(("extensions", "")) if ("extensions", "") in tags else len(tags)
        found[message.attrib["name"]] = frozenset(name for _, name in tags[start + 1 :])
    return found


def base_fields(message: type[Described], extensions: frozenset[str]) -> list[Field]:
    """Return the fields before the extensions; exits when they do not give the message's CRC seed."""
    base = [field for field in wire_fields(message) if field[0] not in extensions]
    if crc_seed(message.msgname, base) != message.crc_extra:
        sys.exit(f"{message.msgname}: its fields do not give the CRC seed {message.crc_extra}; look at its XML")
    return base


def row(message: type[Described], extensions: frozenset[str]) -> str:
    """Return one message's line of the table."""
    fields = wire_fields(message)
    codes = [f"{name}:{count or ''}{CODES[c_type]}" for name, c_type, count in fields]
    base = base_fields(message, extensions)
    minimum = sum((count or 1) * struct.calcsize("<" + CODES[c_type]) for _, c_type, count in base)
    return f'    ({message.id}, "{message.msgname}", {message.crc_extra}, {minimum}, "{" ".join(codes)}"),\n'


def enum_lines() -> Iterator[str]:
    """Yield one line for each value of the enums that the program names."""
    for enum in ENUMS:
        yield f'    "{enum}": {{\n'
        for value, entry in sorted(dialect.enums[enum].items()):
            if not entry.name.endswith("_ENUM_END"):
                yield f'        {value}: "{entry.name.removeprefix(enum + "_")}",\n'
        yield "    },\n"


def generated() -> str:
    """Return the whole file."""
    extensions = extension_names(Path(dialect.__file__).with_suffix(".xml"), set())
    rows = "".join(row(message, extensions[message.msgname]) for _, message in sorted(dialect.mavlink_map.items()))
    return (
        '"""MAVLink messages and enums as rows; written by tools/generate_mavlink_tables.py, not by hand."""\n\n'
        "from typing import Final\n\n"
        "# (id, name, crc seed, length without extensions, fields in wire order as name:[count]struct-code)\n"
        f"ROWS: Final[tuple[tuple[int, str, int, int, str], ...]] = (\n{rows})\n\n"
        f"ENUMS: Final[dict[str, dict[int, str]]] = {{\n{''.join(enum_lines())}}}\n"
    )


def main() -> None:
    """Write the file, or with --check exit 1 when it is not what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when the file is out of date")
    text = generated()
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
        return
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"{TARGET.name} is out of date: run python tools/generate_mavlink_tables.py")


if __name__ == "__main__":
    main()
