"""Reads recorded GB/T 28181 one message at a time: SIP messages and bare MANSCDP bodies, one after another in a file."""

import re
from typing import Final

from telemetry.model.batch import Quality
from telemetry.model.reading import Read, ReadError, ReadMessage, ReadPosition
from telemetry.sources.gb28181.fixes import Fix, FixError, fixes_of
from telemetry.sources.gb28181.manscdp import Document, XmlError, read_document, text_of
from telemetry.sources.gb28181.sip import CLOSED, Sip, SipError, parse

_BODY: Final = re.compile(rb"\s*(?:<\?xml\b[^>]{0,200}\?>\s*)?<(Notify|Response|Query|Control)\b", re.IGNORECASE)
_SIP: Final = re.compile(
    rb"[A-Z]{2,20} +sips?:[^\s]{1,512} +SIP/2\.0 *\r?\n|SIP/2\.0 +[1-6][0-9]{2}[^\r\n]{0,200}\r?\n"
)
_NEXT: Final = re.compile(rb"\s*(?:\Z|<\?xml\b|<(?:Notify|Response|Query|Control)\b|[A-Z]{2,20} +sips?:|SIP/2\.0 )")
LONGEST_START_BYTES: Final = 600
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Reader:
    """Reads without a registry; times without a zone are `utc_offset_s` ahead of UTC."""

    def __init__(self, *, utc_offset_s: int) -> None:
        self._utc_offset_s = utc_offset_s

    def split(self, data: bytes) -> list[bytes]:
        """Return SIP messages by their Content-Length and bodies by their closing tag; what lies between is one too."""
        messages = []
        at = 0
        while at < len(data):
            end = _end_of(data, at)
            message = data[at : len(data) if end is None else end]
            if message.strip():
                messages.append(message)
            at += len(message)
        return messages

    def whole_bytes(self, data: bytes) -> int:
        """Return how many bytes of a beginning can be split without seeing more; 0: wait for more."""
        at = 0
        while at < len(data) and (end := _end_of(data, at)) is not None:
            at = end
        return at

    def read(self, message: bytes) -> list[Read]:
        """Return what one message says: positions of a MobilePosition, one ReadMessage of anything else, or why not."""
        start = message.lstrip()
        if start.startswith(b"<"):
            return self._read_body(start, None)
        try:
            sip = parse(start)
        except SipError as error:
            return [ReadError(error=str(error), code="sip")]
        if not sip.body.strip().startswith(b"<"):
            return [_message_of(sip)]
        return self._read_body(sip.body, sip)

    def _read_body(self, body: bytes, sip: Sip | None) -> list[Read]:
        device = sip.from_user if sip is not None else None
        try:
            document = read_document(body)
        except XmlError as error:
            return [ReadError(error=str(error), code="xml", device=device or None)]
        if (document.root, document.command) != ("Notify", "MobilePosition"):
            return [_message_of_document(document, sip)]
        bits = Quality.LENGTH if sip is not None and sip.is_miscounted else Quality(0)
        fixes = fixes_of(document, utc_offset_s=self._utc_offset_s)
        return [_position_of(fix, document.device or device, bits) for fix in fixes]


def message_reader(*, utc_offset_s: int) -> Reader:
    """Return a reader for times of a zone."""
    return Reader(utc_offset_s=utc_offset_s)


def _end_of(data: bytes, at: int) -> int | None:
    """Return where the message that begins at `at` ends, None when it goes beyond the data."""
    begun = _BODY.match(data, at)
    if begun is not None:
        return _end_of_body(data, at, begun)
    started = _SIP.match(data, at)
    if started is not None:
        return _end_of_sip(data, started.end())
    starts = [found.start() for form in (_SIP, _BODY) if (found := form.search(data, at)) is not None]
    return min(starts) if starts else None


def _end_of_body(data: bytes, at: int, begun: re.Match[bytes]) -> int | None:
    """Return the end of a body: after its closing tag, or where the next message begins when that is missing."""
    closing = b"</" + begun[1] + b">"
    end = data.find(closing, begun.end())
    limit = len(data) if end < 0 else end
    following = [
        found.start() for form in (_SIP, _BODY) if (found := form.search(data, begun.end(), limit)) is not None
    ]
    if following and min(following) > at:
        return min(following)
    return end + len(closing) if end >= 0 else None


def _end_of_sip(data: bytes, at: int) -> int | None:
    """Return the end of a SIP message whose start line ends at `at`: by Content-Length, or where that is wrong by the next message."""
    head_end = _HEAD_END.search(data, at)
    if head_end is None:
        return None
    length = _LENGTH.search(data, at, head_end.end())
    end = head_end.end() + (int(length[1]) if length is not None else 0)
    inside = _SIP.search(data, head_end.end(), end + LONGEST_START_BYTES)
    if inside is not None and inside.start() < end:
        return inside.start()
    if end > len(data):
        return None
    if _NEXT.match(data, end) or CLOSED.search(data, head_end.end(), end):
        return end
    following = [found.start() for form in (_SIP, _BODY) if (found := form.search(data, end)) is not None]
    return min(following) if following else None


def _position_of(fix: Fix | FixError, device: str | None, bits: Quality) -> Read:
    if isinstance(fix, FixError):
        return ReadError(error=str(fix), code="value", device=device or None)
    return ReadPosition(
        device=fix.device or device or None,
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        alt_msl_m=fix.alt_msl_m,
        speed_mps=fix.speed_mps,
        course_deg=fix.course_deg,
        observed_us=fix.observed_us,
        quality=Quality(fix.quality) | bits,
    )


def _message_of_document(document: Document, sip: Sip | None) -> ReadMessage:
    fields: dict[str, object] = {"root": document.root}
    if sip is not None:
        fields["method"] = sip.method or str(sip.status)
    fields |= {child.tag: child.text.strip() for child in document.element if child.text and child.text.strip()}
    items = [{child.tag: (child.text or "").strip() for child in item} for item in document.items()]
    if items:
        fields["items"] = items
    info = document.element.find("Info")
    if info is not None and text_of(info, "AlarmType"):
        fields["AlarmType"] = text_of(info, "AlarmType")
    return ReadMessage(message=document.command, device=document.device or None, fields=fields)


def _message_of(sip: Sip) -> ReadMessage:
    number, method = sip.cseq
    fields: dict[str, object] = {"call_id": sip.call_id, "cseq": number}
    fields |= {
        name.replace("-", "_"): sip.first(name)
        for name in ("event", "expires", "subscription-state")
        if sip.first(name)
    }
    if sip.status:
        fields |= {"status": sip.status, "reason": sip.reason, "method": method}
    return ReadMessage(message=sip.method or "response", device=sip.from_user or None, fields=fields)
