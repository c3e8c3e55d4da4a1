"""The doors for files from outside: sizes bounded before anything is read, no XML entities, no zip bombs."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from telemetry.model.errors import FileFormatError

MOST_BYTES: Final = 16 << 20
MOST_UNPACKED_BYTES: Final = 64 << 20
MOST_MEMBERS: Final = 256
MOST_XML_DEPTH: Final = 100
MOST_XML_TAGS: Final = 600_000
"""Opening and closing ones: reading ten times as many takes a minute."""
MOST_XML_ATTRIBUTES: Final = 200_000
_BROKEN_ZIP: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, OSError, ValueError, OverflowError),
)
MOST_PLACES: Final = 20_000
"""Waypoints, vertices and the like that one file may bring."""


def checked_size(data: bytes, what: str) -> bytes:
    """Return the data as they are. Raises FileFormatError when there are none, or more than MOST_BYTES."""
    if not data:
        raise FileFormatError(f"{what} is empty: export it again from the tool that made it")
    if len(data) > MOST_BYTES:
        raise FileFormatError(f"{what} has {len(data)} bytes, at most {MOST_BYTES} are taken: split it")
    return data


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object. Raises FileFormatError for anything else, with the place where it ends to be one."""
    try:
        found = msgspec.json.decode(checked_size(data, what))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{what} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise FileFormatError(f"{what} holds a {type(found).__name__}: it must hold one JSON object")
    return found


def read_xml(data: bytes, what: str) -> Element:
    """Return the root of an XML document without a DTD. Raises FileFormatError for entities, for depth, and for no XML."""
    if (tags := checked_size(data, what).count(b"<")) > MOST_XML_TAGS:
        raise FileFormatError(f"{what} has {tags} tags, at most {MOST_XML_TAGS} are taken: split it")
    if (attributes := data.count(b"=")) > MOST_XML_ATTRIBUTES:
        raise FileFormatError(f"{what} has {attributes} attributes, at most {MOST_XML_ATTRIBUTES} are taken: split it")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FileFormatError(f"{what} declares a DTD or entities: those are never read; remove them") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise FileFormatError(f"{what} is no XML: {error}") from error
    _check_depth(root, what)
    return root


def read_zip(data: bytes, what: str) -> Mapping[str, bytes]:
    """Return the files of an archive by name. Raises FileFormatError for bombs: too many, too large, or larger than they say."""
    try:
        with zipfile.ZipFile(io.BytesIO(checked_size(data, what))) as archive:
            return _unpacked(archive, what)
    except _BROKEN_ZIP as error:
        raise FileFormatError(f"{what} is no zip archive that can be read: {error}") from error


def finite(value: object, what: str, *, lowest: float, highest: float) -> float:
    """Return a number from a file. Raises FileFormatError when it is none, or out of range."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise FileFormatError(f"{what} is {_short(value)}: a number is needed") from None
    if isinstance(value, bool) or not isfinite(number) or not lowest <= number <= highest:
        raise FileFormatError(f"{what} is {_short(value)}: allowed are {lowest:g} to {highest:g}")
    return number


def latitude(value: object, what: str) -> float:
    """Return a latitude from a file, degrees. Raises FileFormatError."""
    return finite(value, f"the latitude of {what}", lowest=-90.0, highest=90.0)


def longitude(value: object, what: str) -> float:
    """Return a longitude from a file, degrees. Raises FileFormatError."""
    return finite(value, f"the longitude of {what}", lowest=-180.0, highest=180.0)


def checked_count(count: int, what: str) -> None:
    """Raise FileFormatError when a file brings more than MOST_PLACES."""
    if count > MOST_PLACES:
        raise FileFormatError(f"{what}: {count} places, at most {MOST_PLACES} are taken: split the file")


def _unpacked(archive: zipfile.ZipFile, what: str) -> dict[str, bytes]:
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > MOST_MEMBERS:
        raise FileFormatError(f"{what} holds {len(members)} files, at most {MOST_MEMBERS} are taken")
    files: dict[str, bytes] = {}
    room = MOST_UNPACKED_BYTES
    for member in members:
        with archive.open(member) as stream:
            content = stream.read(room + 1)
        room -= len(content)
        if room < 0:
            raise FileFormatError(f"{what} unpacks to more than {MOST_UNPACKED_BYTES} bytes: it is refused")
        files[member.filename] = content
    return files


def _check_depth(root: Element, what: str) -> None:
    layer, depth = [root], 0
    while layer:
        depth += 1
        if depth > MOST_XML_DEPTH:
            raise FileFormatError(f"{what} is nested more than {MOST_XML_DEPTH} deep: it is refused")
        layer = [child for element in layer for child in element]


def _short(value: object) -> str:
    return repr(value)[:60]
