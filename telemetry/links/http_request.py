"""A phone's HTTP request as the ingest listener hears it: bounded, its token found, and as the raw log keeps it."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from telemetry.model.phone import PhoneRequest

BODY_BYTES: Final = 64 * 1024
QUERY_BYTES: Final = 8 * 1024
BODY_WITHIN_S: Final = 10.0
HIDDEN: Final = "-"
"""Stands in the raw log where a token stood."""
SHORTEST_TOKEN: Final = 8
"""Tokens are 32 letters; what is this short is no secret and may stand in any word."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """An answer other than 200."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


async def request_of(scope: Scope, receive: Receive) -> PhoneRequest:
    """Return the request with its whole body. Raises Refusal for one that is too long, too slow or of another method."""
    if scope["method"] not in ("GET", "POST"):
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{scope['method'][:16]} is not understood: send GET or POST")
    query: bytes = scope["query_string"]
    if len(query) > QUERY_BYTES:
        message = f"the query has {len(query)} bytes: at most {QUERY_BYTES} are allowed"
        raise Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, message)
    content_type = header_of(scope, b"content-type").partition(";")[0].strip().lower()
    return PhoneRequest(
        method=scope["method"],
        query=query.decode("ascii", "replace"),
        content_type=content_type,
        body=await _body_of(scope, receive),
    )


async def _body_of(scope: Scope, receive: Receive) -> bytes:
    too_long = Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is too long: at most {BODY_BYTES} bytes are allowed"
    )
    length = header_of(scope, b"content-length")
    if length.isdigit() and int(length) > BODY_BYTES:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > BODY_BYTES:
                    raise too_long
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        message_text = f"the body did not come within {BODY_WITHIN_S:g} s: send it again"
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, message_text) from error


def header_of(scope: Scope, name: bytes) -> str:
    """Return a header by its lower-case name, empty where there is none."""
    value: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return value.decode("latin-1")


def token_of(scope: Scope) -> str | None:
    """Return the token that a request brings in its head: as a bearer, or as the password of a user (OwnTracks, Overland)."""
    kind, _, told = header_of(scope, b"authorization").partition(" ")
    if kind.lower() == "bearer":
        return told.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(told.strip(), validate=True).decode().partition(":")[2] or None
    except ValueError:
        return None


def raw_request(request: PhoneRequest, tokens: Iterable[str | None]) -> bytes:
    """Return a request for the raw log, as telemetry.model.phone_reading reads it again; no token is in it."""
    line = f"{request.method} /?{request.query} {request.content_type or HIDDEN}".encode()
    body = request.body
    for token in tokens:
        if token is not None and len(token) >= SHORTEST_TOKEN:
            line, body = (text.replace(token.encode(), HIDDEN.encode()) for text in (line, body))
    return line + b"\n\n" + body
