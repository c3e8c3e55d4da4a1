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


class Said(msgspec.Struct, frozen=True):
    """A sentence in both languages, or a part of one: what of a file is wrong, and where."""

    en: str
    zh: str

    def at(self, where: "Said") -> "Said":
        """Return a place within this: the KML file, placemark 3."""
        return Said(f"{self.en}, {where.en}", f"{self.zh}，{where.zh}")

    def broken(self, en: str, zh: str) -> FileFormatError:
        """Return the error that this is not as it must be: what follows it, in both languages."""
        return FileFormatError(f"{self.en}{en}", f"{self.zh}{zh}")


def same(text: str) -> Said:
    """Return words of a file, which stand for both languages."""
    return Said(text, text)


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


def checked_size(data: bytes, what: Said) -> bytes:
    """Return the data as they are. Raises FileFormatError when there are none, or more than MOST_BYTES."""
    if not data:
        raise what.broken(" is empty: export it again from the tool that made it", "是空的：从原工具重新导出")
    if len(data) > MOST_BYTES:
        raise what.broken(
            f" has {len(data)} bytes, at most {MOST_BYTES} are taken: split it",
            f"有 {len(data)} 字节，上限 {MOST_BYTES}：请拆分",
        )
    return data


def read_json(data: bytes, what: Said) -> dict[str, Any]:
    """Return a JSON object. Raises FileFormatError for anything else, with the place where it ends to be one."""
    try:
        found = msgspec.json.decode(checked_size(data, what))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise what.broken(f" is no JSON: {error}", f"不是 JSON：{error}") from error
    if not isinstance(found, dict):
        raise what.broken(
            f" holds a {type(found).__name__}: it must hold one JSON object",
            f"内是 {type(found).__name__}：须为一个 JSON 对象",
        )
    return found


def read_xml(data: bytes, what: Said) -> Element:
    """Return the root of an XML document without a DTD. Raises FileFormatError for entities, for depth, and for no XML."""
    if (tags := checked_size(data, what).count(b"<")) > MOST_XML_TAGS:
        raise what.broken(
            f" has {tags} tags, at most {MOST_XML_TAGS} are taken: split it",
            f"有 {tags} 个标签，上限 {MOST_XML_TAGS}：请拆分",
        )
    if (attributes := data.count(b"=")) > MOST_XML_ATTRIBUTES:
        raise what.broken(
            f" has {attributes} attributes, at most {MOST_XML_ATTRIBUTES} are taken: split it",
            f"有 {attributes} 个属性，上限 {MOST_XML_ATTRIBUTES}：请拆分",
        )
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise what.broken(
            " declares a DTD or entities: those are never read; remove them", "声明了 DTD 或实体：一律不读，请删去"
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise what.broken(f" is no XML: {error}", f"不是 XML：{error}") from error
    _check_depth(root, what)
    return root


def read_zip(data: bytes, what: Said) -> Mapping[str, bytes]:
    """Return the files of an archive by name. Raises FileFormatError for bombs: too many, too large, or larger than they say."""
    try:
        with zipfile.ZipFile(io.BytesIO(checked_size(data, what))) as archive:
            return _unpacked(archive, what)
    except _BROKEN_ZIP as error:
        raise what.broken(f" is no zip archive that can be read: {error}", f"不是可读的 zip 压缩包：{error}") from error


def finite(value: object, what: Said, *, lowest: float, highest: float) -> float:
    """Return a number from a file. Raises FileFormatError when it is none, or out of range."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise what.broken(f" is {_short(value)}: a number is needed", f"为 {_short(value)}：须为数字") from None
    if isinstance(value, bool) or not isfinite(number) or not lowest <= number <= highest:
        raise what.broken(
            f" is {_short(value)}: allowed are {lowest:g} to {highest:g}",
            f"为 {_short(value)}：允许 {lowest:g} 至 {highest:g}",
        )
    return number


def latitude(value: object, what: Said) -> float:
    """Return a latitude from a file, degrees. Raises FileFormatError."""
    return finite(value, Said(f"the latitude of {what.en}", f"{what.zh}的纬度"), lowest=-90.0, highest=90.0)


def longitude(value: object, what: Said) -> float:
    """Return a longitude from a file, degrees. Raises FileFormatError."""
    return finite(value, Said(f"the longitude of {what.en}", f"{what.zh}的经度"), lowest=-180.0, highest=180.0)


def checked_count(count: int, what: Said) -> None:
    """Raise FileFormatError when a file brings more than MOST_PLACES."""
    if count > MOST_PLACES:
        raise what.broken(
            f": {count} places, at most {MOST_PLACES} are taken: split the file",
            f"：{count} 处，上限 {MOST_PLACES}：请拆分文件",
        )


def _unpacked(archive: zipfile.ZipFile, what: Said) -> dict[str, bytes]:
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > MOST_MEMBERS:
        raise what.broken(
            f" holds {len(members)} files, at most {MOST_MEMBERS} are taken",
            f"内有 {len(members)} 个文件，上限 {MOST_MEMBERS}",
        )
    files: dict[str, bytes] = {}
    room = MOST_UNPACKED_BYTES
    for member in members:
        with archive.open(member) as stream:
            content = stream.read(room + 1)
        room -= len(content)
        if room < 0:
            raise what.broken(
                f" unpacks to more than {MOST_UNPACKED_BYTES} bytes: it is refused",
                f"解压后超过 {MOST_UNPACKED_BYTES} 字节：拒绝读取",
            )
        files[member.filename] = content
    return files


def _check_depth(root: Element, what: Said) -> None:
    layer, depth = [root], 0
    while layer:
        depth += 1
        if depth > MOST_XML_DEPTH:
            raise what.broken(
                f" is nested more than {MOST_XML_DEPTH} deep: it is refused",
                f"嵌套超过 {MOST_XML_DEPTH} 层：拒绝读取",
            )
        layer = [child for element in layer for child in element]


def _short(value: object) -> str:
    return repr(value)[:60]
