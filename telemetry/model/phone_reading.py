"""Phones' requests for `skybeat decode`: lines of queries or JSON, or whole HTTP requests, each as what it says."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from telemetry.model.commands import Command
from telemetry.model.decoding import NOTHING, Output
from telemetry.model.errors import InputError
from telemetry.model.fix import as_options_say, as_read
from telemetry.model.phone import PhoneFix, PhoneRequest, PhoneSource, output_of
from telemetry.model.reading import Read, ReadError, ReadMessage
from telemetry.model.unit import Device

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_REQUEST: Final = re.compile(rb"(GET|POST) (\S*)(?: (\S+))?")
_HEADER: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*): *(.*)")


class PhoneReader:
    """Reads requests of every dialect that a room understands."""

    def __init__(self, sources: Sequence[PhoneSource]) -> None:
        self._sources = sources

    def whole_bytes(self, data: bytes) -> int:
        """Return how many bytes hold whole requests: one whose body may follow waits for it."""
        end = data.rfind(b"\n") + 1
        begins = [begin for begin, _ in _requests(data[:end])]
        return begins[-1] if begins and _REQUEST.match(data, begins[-1]) else end

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that are not empty; an HTTP request's head and body are one."""
        return [message for _, message in _requests(data)]

    def read(self, message: bytes) -> list[Read]:
        """Return what one request says: some dialects tell several positions in one."""
        request = request_of(message)
        source = None
        if request is not None:
            source = next((source for source in self._sources if source.recognises(request)), None)
        if request is None or source is None:
            error = "no report: a query (?id=..&lat=..&lon=..), a JSON object or an HTTP request with one is needed"
            return [ReadError(error=error, code="framing")]
        try:
            fixes = source.decode_request(request)
        except InputError as error:
            return [ReadError(error=str(error), code="json" if request.body[:1] == b"{" else "value")]
        return [_read_of(fix) for fix in fixes] or [ReadMessage(message="no_position")]


class PhoneReplay:
    """Decodes one device's requests again, out of the raw log: who it is was proved when they came."""

    def __init__(self, sources: Sequence[PhoneSource], device: Device) -> None:
        self._sources = sources
        self._device = device

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take one request."""
        request = request_of(data)
        source = next((one for one in self._sources if request is not None and one.recognises(request)), None)
        if request is None or source is None:
            return Output(bad={"framing": 1})
        try:
            fixes = source.decode_request(request)
        except InputError:
            return Output(bad={"value": 1})
        whose, options = self._device.device_id, self._device.options
        return output_of([(whose, as_options_say(fix, options)) for fix in fixes], now_us)

    def tick(self, now_us: int) -> Output:
        """Do nothing: a phone is silent between its requests."""
        del now_us
        return NOTHING

    def send(self, command: Command, now_us: int) -> Output:
        """Refuse: nothing is sent into the past."""
        del now_us
        raise InputError(f"a replay takes no {type(command).__name__}: send it to the device itself")


def request_of(message: bytes) -> PhoneRequest | None:
    """Return the request that a message is, whichever of the forms it has; None for none."""
    message = message.strip()
    match = _REQUEST.match(message)
    if match:
        return _whole_request(message, match)
    if message[:1] == b"{":
        return PhoneRequest(method="POST", query="", content_type=JSON, body=message)
    query = message.partition(b"?")[2] or message
    return PhoneRequest(method="GET", query=_text(query), content_type="", body=b"") if b"=" in query else None


def _whole_request(message: bytes, match: re.Match[bytes]) -> PhoneRequest:
    head, _, body = message.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers = [found for line in head.split(b"\n")[1:] if (found := _HEADER.fullmatch(line.strip()))]
    told = [_text(found[2]) for found in headers if found[1].lower() == b"content-type"]
    word = _text(match[3] or b"")
    content_type = told[0] if told else word if "/" in word and not word.startswith("HTTP/") else ""
    if not content_type and body:
        content_type = JSON if body.lstrip()[:1] == b"{" else FORM
    return PhoneRequest(
        method=_text(match[1]),
        query=_text(match[2].partition(b"?")[2]),
        content_type=content_type.partition(";")[0].strip().lower(),
        body=body.strip(),
    )


def _requests(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield where each request begins, and its bytes; lines without anything in them stand between."""
    at = 0
    while at < len(data):
        line, end = _line(data, at)
        begin = at
        at = end
        if not line:
            continue
        match = _REQUEST.match(line)
        if match:
            at = _request_end(data, end, has_body=match[1] == b"POST")
        yield begin, data[begin:at].strip()


def _request_end(data: bytes, at: int, *, has_body: bool) -> int:
    """Return where the request ends whose first line ends at `at`: behind its headers, and behind one line of body."""
    line, end = _line(data, at)
    while line and _HEADER.fullmatch(line):
        at = end
        line, end = _line(data, at)
    if line or at >= len(data) or not has_body:
        return at
    body, body_end = _line(data, end)
    return end if _REQUEST.match(body) else body_end


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the line that begins at `at`, and where the next one does."""
    end = data.find(b"\n", at)
    end = len(data) if end < 0 else end + 1
    return data[at:end].strip(), end


def _read_of(fix: PhoneFix) -> Read:
    device = fix.speaks_for or fix.token
    if device is None:
        error = "the report names no device: ?id=.., deviceid=.. or device_id is needed"
        return ReadError(error=error, code="device")
    return as_read(fix, device)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
