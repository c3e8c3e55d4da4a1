"""SIP messages as bytes and back: lenient reading (RFC 3261 with what vendors make of it), strict writing."""

import re
from typing import Final

import msgspec

from telemetry.model.errors import InputError

LARGEST_HEAD_BYTES: Final = 16_384
LARGEST_BODY_BYTES: Final = 65_536
MOST_HEADERS: Final = 96
VERSION: Final = "SIP/2.0"
MANSCDP: Final = "Application/MANSCDP+xml"
USER_AGENT: Final = "skybeat"

_COMPACT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "e": "content-encoding",
    "s": "subject",
    "k": "supported",
    "o": "event",
    "u": "allow-events",
}
_USUAL: Final = {
    name: name.lower()
    for name in [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Content-Type",
        "Content-Length",
        "Max-Forwards",
        "User-Agent",
        "Event",
        "Expires",
        "Subscription-State",
        "Authorization",
        "Date",
        "Allow",
        "Subject",
    ]
}
"""Names as nearly everybody writes them, found without lowering them."""
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_START: Final = re.compile(r"(?:([A-Z]{2,20}) +(\S{1,512}) +SIP/2\.0|SIP/2\.0 +([1-6][0-9]{2})(?: (.*))?) *")
_TAG: Final = re.compile(r";\s*tag\s*=\s*([^\s;,>]+)", re.IGNORECASE)
_USER: Final = re.compile(r"sips?:([^@;>\s]{1,64})@", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"<([^<>]{1,512})>")
_BARE: Final = re.compile(r"\s*([^\s;,<>]{1,512})")
CLOSED: Final = re.compile(rb"</(?:Notify|Response|Query|Control)>\s*\Z")
"""How a body ends that is a whole MANSCDP document."""
_PADDING: Final = b"\r\n\t \x00"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class SipError(InputError):
    """Bytes that are no SIP message: which part is wrong."""


class Sip(msgspec.Struct, frozen=True, kw_only=True):
    """One SIP message: a request (`method`, `uri`) or a response (`status` > 0, `reason`).

    `headers` are values by their long lower-case names, in order of arrival for each name; `body` is as it came, and
    `is_miscounted` says that Content-Length tells another size.
    """

    headers: dict[str, list[str]]
    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    body: bytes = b""
    is_miscounted: bool = False

    def first(self, name: str) -> str:
        """Return the first value of a header, "" when there is none."""
        values = self.headers.get(name)
        return values[0] if values else ""

    @property
    def call_id(self) -> str:
        """Return the Call-ID."""
        return self.first("call-id")

    @property
    def branch(self) -> str:
        """Return the branch of the topmost Via, "" when it has none."""
        return parameter_of(self.first("via"), "branch")

    @property
    def cseq(self) -> tuple[int, str]:
        """Return the number and the method of CSeq, (0, "") when it is missing or odd."""
        number, _, method = self.first("cseq").strip().partition(" ")
        return (int(number), method.strip().upper()) if _NUMBER.fullmatch(number) else (0, "")

    @property
    def from_user(self) -> str:
        """Return the user of the From address, "" when it names none."""
        return user_of(self.first("from"))

    @property
    def expires_s(self) -> int | None:
        """Return the Expires header, None when it is missing or no number."""
        text = self.first("expires").strip()
        return int(text) if _NUMBER.fullmatch(text) else None


def parse(data: bytes) -> Sip:
    """Return the message of one datagram, or of one frame of a stream. Raises SipError: what is wrong.

    Bare line feeds, folded lines, compact names, any case and unknown headers are taken; what is neither request nor
    response, has no Call-ID, CSeq, From or Via, or is larger than 16 KiB of head and 64 KiB of body, is not.
    """
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        head, _, body = data.partition(b"\n\n")
    if len(head) > LARGEST_HEAD_BYTES:
        raise SipError(f"the SIP head has {len(head)} bytes: at most {LARGEST_HEAD_BYTES} are read")
    text = head.decode("utf-8", "replace").lstrip("\r\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    start, *lines = text.split("\n")
    match = _START.fullmatch(start.rstrip("\r"))
    if match is None:
        raise SipError(f"{start[:60]!r} is no start of a SIP message: METHOD uri SIP/2.0, or SIP/2.0 status reason")
    headers = _headers_of(lines)
    body, is_miscounted = _body_of(headers, body)
    return Sip(
        method=match[1] or "",
        uri=match[2] or "",
        status=int(match[3] or 0),
        reason=(match[4] or "").strip(),
        headers=headers,
        body=body,
        is_miscounted=is_miscounted,
    )


def _headers_of(lines: list[str]) -> dict[str, list[str]]:
    if len(lines) > MOST_HEADERS:
        raise SipError(f"{len(lines)} SIP headers: at most {MOST_HEADERS} are read")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name:
            continue
        if (usual := _USUAL.get(name)) is None:
            lowered = name.strip().lower()
            usual = _COMPACT.get(lowered, lowered)
        headers.setdefault(usual, []).append(value.strip())
    for name in ("via", "from", "call-id", "cseq"):
        if name not in headers:
            raise SipError(f"the SIP message has no {name} header")
    return headers


def _body_of(headers: dict[str, list[str]], body: bytes) -> tuple[bytes, bool]:
    """Return the body, and whether Content-Length counts it wrongly.

    Where more follows than it says the rest belongs to the body: some count characters instead of bytes. Line breaks and
    NULs after the body do not, nor does anything after a document that is closed.
    """
    text = headers.get("content-length", [""])[0]
    counted = int(text) if _NUMBER.fullmatch(text) else len(body)
    is_whole = not body[counted:].strip(_PADDING) or CLOSED.search(body, 0, counted) is not None
    is_miscounted = len(body) < counted or not is_whole
    if is_whole:
        body = body[:counted]
    if len(body) > LARGEST_BODY_BYTES:
        raise SipError(f"the SIP body has {len(body)} bytes: at most {LARGEST_BODY_BYTES} are read")
    return body, is_miscounted


def parameter_of(value: str, name: str) -> str:
    """Return one ;name=value parameter of a header's value, "" when it is missing."""
    for piece in value.split(";")[1:]:
        key, _, given = piece.partition("=")
        if key.strip().lower() == name:
            return given.strip().strip('"')
    return ""


def user_of(address: str) -> str:
    """Return the user of a name-addr or a SIP URI, "" when it names none."""
    match = _USER.match(uri_of(address))
    return match[1] if match else ""


def tag_of(address: str) -> str:
    """Return the tag of a From or To value, "" when it has none."""
    match = _TAG.search(address)
    return match[1] if match else ""


def uri_of(address: str) -> str:
    """Return the URI of a name-addr, with or without its angle brackets; "" when there is none."""
    match = _BRACKETED.search(address) or _BARE.match(address)
    return match[1] if match else ""


def write(start: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return a message's bytes; Content-Length is added. A value's line breaks become spaces: no header can smuggle another."""
    lines = [start]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def write_response(
    request: Sip,
    status: int,
    reason: str,
    *,
    received_host: str = "",
    received_port: int = 0,
    to_tag: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> bytes:
    """Return the answer to a request: its Vias (the topmost with where it really came from), From, To, Call-ID and CSeq."""
    fields = request.headers
    vias = fields["via"]
    to = fields.get("to", [""])[0]
    if to_tag and not tag_of(to):
        to = f"{to};tag={to_tag}"
    lines = [
        ("Via", _received_via(vias[0], received_host, received_port)),
        *[("Via", via) for via in vias[1:]],
        ("From", fields["from"][0]),
        ("To", to),
        ("Call-ID", fields["call-id"][0]),
        ("CSeq", fields["cseq"][0]),
        ("User-Agent", USER_AGENT),
        *headers,
    ]
    return write(f"{VERSION} {status} {reason}", lines, body)


def _received_via(via: str, host: str, port: int) -> str:
    """Return the topmost Via with `received` and `rport` as the network saw them (RFC 3581)."""
    if not host:
        return via
    first, comma, rest = via.partition(",")
    kept = [piece for piece in first.split(";") if piece.strip().partition("=")[0].lower() not in {"rport", "received"}]
    return ";".join([*kept, f"received={host}", f"rport={port}"]) + comma + rest


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ") if "\r" in value or "\n" in value else value
