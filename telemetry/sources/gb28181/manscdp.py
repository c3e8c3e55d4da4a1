"""MANSCDP+xml bodies, and what we write into ours: decoded first, without DTD and entities, at most 64 KiB.

The standard library's expat does the reading. A document without a DOCTYPE can define no entity, so refusing each one that
has a DOCTYPE refuses them all; with the text decoded before, no encoding can hide one. No further package is needed for it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.sax.saxutils import escape

import msgspec

from telemetry.model.errors import InputError

LARGEST_BYTES: Final = 65_536
_DECLARATION: Final = re.compile(r"\s*<\?xml\s[^>]{0,200}\?>", re.IGNORECASE)
_NAMED: Final = re.compile(rb"""^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_.-]{1,40})["']""", re.IGNORECASE)
_NO_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class XmlError(InputError):
    """A body that is no MANSCDP document: why."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One body: its root (Notify, Response, Query, Control), its command type, its serial number, whose it is, and all of it."""

    root: str
    command: str
    sn: str
    device: str
    element: Element

    def text(self, name: str) -> str:
        """Return the text of a child of the root, "" when it is missing or empty."""
        return text_of(self.element, name)

    def items(self) -> list[Element]:
        """Return the Items of its DeviceList."""
        return self.element.findall("DeviceList/Item")


def text_of(element: Element, name: str) -> str:
    """Return the text of a child without spaces around it, "" when it is missing or empty."""
    found = element.findtext(name)
    return found.strip() if found else ""


def decode_text(data: bytes) -> str:
    """Return the characters of a body: UTF-8 where it says so or says nothing and is it, else GB18030 (GB2312's superset).

    Some say GB2312 and write UTF-8: what is Chinese when it is read as UTF-8 is no accident.
    """
    named = _NAMED.match(data[:300])
    encoding = named[1].lower() if named else b""
    if data.startswith(_BYTE_ORDER_MARK) or encoding in {b"utf-8", b"utf8"}:
        return _decode_first(data, ("utf-8-sig", "gb18030"))
    if encoding and not _is_chinese_utf8(data):
        return _decode_first(data, ("gb18030", "utf-8"))
    return _decode_first(data, ("utf-8", "gb18030"))


def _is_chinese_utf8(data: bytes) -> bool:
    if data.isascii():
        return False
    try:
        return _CHINESE.search(data.decode()) is not None
    except UnicodeDecodeError:
        return False


def _decode_first(data: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode(encodings[0], "replace")


def read_document(data: bytes) -> Document:
    """Return what a body says. Raises XmlError: too large, a DTD, not well formed, or no CmdType."""
    if len(data) > LARGEST_BYTES:
        raise XmlError(f"the XML body has {len(data)} bytes: at most {LARGEST_BYTES} are read")
    text = decode_text(data)
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise XmlError("the XML body has a document type declaration: none is allowed")
    element = _parse(text)
    command = text_of(element, "CmdType")
    if not command:
        raise XmlError(f"the XML body <{element.tag[:40]}> has no CmdType: MANSCDP documents name their command")
    return Document(
        root=element.tag,
        command=command,
        sn=text_of(element, "SN"),
        device=text_of(element, "DeviceID") or text_of(element, "TargetID"),
        element=element,
    )


def _parse(text: str) -> Element:
    parser = XMLParser()  # noqa: S314 - a document type declaration is refused before: see the file's first lines
    try:
        parser.feed(_NO_CHARACTER.sub("", text.strip()))
        root: Element = parser.close()
    except ParseError as error:
        raise XmlError(f"the XML body is not well formed: {error}") from error
    return root


def write_document(root: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a body of ours, in GB2312 as the standard says: names and texts in order.

    A name with "/" opens one element within another, as ("Info/AlarmMethod", "2"); neighbours share it.
    """
    lines = ['<?xml version="1.0" encoding="GB2312"?>', f"<{root}>", *_lines_of(fields), f"</{root}>", ""]
    return "\r\n".join(lines).encode("gb18030")


def _lines_of(fields: Iterable[tuple[str, str]]) -> Iterator[str]:
    opened = ""
    for path, text in fields:
        parent, _, name = path.rpartition("/")
        if parent != opened:
            if opened:
                yield f"</{opened}>"
            if parent:
                yield f"<{parent}>"
            opened = parent
        yield f"<{name}>{escape(text)}</{name}>"
    if opened:
        yield f"</{opened}>"
