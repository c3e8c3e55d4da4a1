"""The choke point of the HTTP interface: every route declares a policy, every write proves its origin, every body has a limit."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from console.api.models import ErrorReply
from console.auth.accounts import Account
from console.auth.policy import NotSignedInError, Policy, TooManyAttemptsError, demand, policy_of
from console.auth.sessions import Signed
from console.parts import Parts
from infra.database import Scope as DatabaseScope
from telemetry.model.errors import (
    ConflictError,
    InputError,
    NotAllowedError,
    NotFoundError,
    SkybeatError,
    UnavailableError,
)

Body = TypeVar("Body")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

MAX_BODY_BYTES: Final = 65_536
BODY_WITHIN_S: Final = 10.0
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WRITE_HEADER: Final = "x-skybeat"
ZERO_BYTE: Final = rb"\u0000"

_STATUS: Final[tuple[tuple[type[SkybeatError], int, str], ...]] = (
    (NotSignedInError, 401, "not_signed_in"),
    (TooManyAttemptsError, 429, "too_many_attempts"),
    (NotAllowedError, 403, "not_allowed"),
    (NotFoundError, 404, "not_found"),
    (ConflictError, 409, "conflict"),
    (UnavailableError, 503, "unavailable"),
    (InputError, 422, "wrong_input"),
    (SkybeatError, 500, "error"),
)


class PolicedRoute(APIRoute):
    """A route that lets nobody in but by its declared policy. One without a policy does not start."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:  # noqa: ANN401 - FastAPI's own
        self.policy = policy_of(endpoint)
        super().__init__(path, endpoint, **kwargs)

    def get_route_handler(self) -> Handler:
        """Return the handler behind its guard."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await admit(request, self.policy)
            return await answer(request)

        return guarded


def router(tag: str) -> APIRouter:
    """Return an empty router of one noun, all of whose routes are policed."""
    return APIRouter(route_class=PolicedRoute, tags=[tag])


def parts_of(request: Request) -> Parts:
    """Return the console's parts."""
    parts: Parts = request.app.state.parts
    return parts


def signed_of(request: Request) -> Signed:
    """Return who is signed in; only behind a policy other than ANYONE."""
    signed: Signed = request.state.signed
    return signed


def account_of(request: Request) -> Account:
    """Return the account that is signed in."""
    return signed_of(request).account


def database_scope(account: Account) -> DatabaseScope:
    """Return the account's scope as row policies and history functions see it."""
    return DatabaseScope(
        account_role=account.role.value,
        account_id=account.account_id,
        station_ids=account.station_ids,
        unit_id=account.unit_id,
    )


async def admit(request: Request, wanted: Policy) -> None:
    """Raise unless the request may pass: a script's key, or a session with origin and header of a write; and the role.

    An intake route checks its key itself.
    """
    parts = parts_of(request)
    if wanted is Policy.INTAKE_KEY:
        return
    bearer = request.headers.get("authorization")
    if bearer and wanted is not Policy.ANYONE:  # no browser sends it by itself: nothing to prove of the page
        request.state.signed = await parts.account_keys.who(bearer, host_of(request))
        demand(wanted, request.state.signed.account.role)
        return
    if request.method not in SAFE_METHODS:
        _demand_own_page(request, parts)
    if wanted is Policy.ANYONE:
        return
    request.state.signed = await parts.sessions.who(request.cookies.get(parts.cookie_name))
    demand(wanted, request.state.signed.account.role)


def _demand_own_page(request: Request, parts: Parts) -> None:
    origin = request.headers.get("origin", "").lower()
    if origin not in parts.origins:
        allowed = ", ".join(sorted(parts.origins))
        message = f"a write from the origin {origin[:100] or '(none)'!r}: allowed is {allowed} (SKYBEAT_PUBLIC_ORIGIN)"
        raise NotAllowedError(
            message, f"来自 {origin[:100] or '（无）'} 的写入：允许 {allowed}（SKYBEAT_PUBLIC_ORIGIN）"
        )
    if request.headers.get(WRITE_HEADER) != "1":
        message = "a write without the header X-Skybeat: 1, which only the console's own page sends"
        raise NotAllowedError(message, "写入缺少只有本控制台网页才发送的 X-Skybeat: 1 请求头")


async def read_body(request: Request, kind: type[Body], *, max_bytes: int = MAX_BODY_BYTES) -> Body:
    """Return the request's JSON as `kind`. Raises InputError for what is too long, no JSON, or not of that form."""
    return decode_body(await read_bytes(request, max_bytes=max_bytes), kind)


async def read_bytes(request: Request, *, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the request's body as it was sent. Raises InputError for one that is too long or does not come whole in time."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _all_of(request, max_bytes)
    except (TimeoutError, ClientDisconnect) as error:
        message = f"the request did not come whole within {BODY_WITHIN_S:g} s: send it again"
        raise InputError(message, f"请求未在 {BODY_WITHIN_S:g} 秒内传完：请再发一次") from error


def decode_body(data: bytes, kind: type[Body]) -> Body:
    """Return JSON as `kind`. Raises InputError for what is no JSON or not of that form, and for zero bytes, which no database keeps."""
    if ZERO_BYTE in data:
        message = f"the request holds the character {ZERO_BYTE.decode()}: leave it out, it cannot be kept"
        raise InputError(message, f"请求含有字符 {ZERO_BYTE.decode()}，无法保存：请删去")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"the request is not what this address takes: {error}"
        raise InputError(message, f"请求的内容不对：{error}") from error


async def _all_of(request: Request, max_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            message = f"a request of more than {max_bytes} bytes: send less"
            raise InputError(message, f"请求超过 {max_bytes} 字节：请减少内容")
    return bytes(data)


def reply(value: msgspec.Struct, *, status: int = 200) -> Response:
    """Return a struct as JSON that no cache keeps."""
    return json_response(msgspec.json.encode(value), status=status)


def json_response(data: bytes, *, status: int = 200) -> Response:
    """Return bytes of JSON that no cache keeps."""
    return Response(data, status, {"cache-control": "no-store"}, "application/json")


def tagged_reply(request: Request, value: msgspec.Struct) -> Response:
    """Return a struct as JSON with an ETag, or 304 when the browser has it already."""
    return tagged_response(request, msgspec.json.encode(value), "application/json")


def tagged_response(request: Request, data: bytes, media_type: str, *, is_gzip: bool = False) -> Response:
    """Return bytes with an ETag, or 304 when the browser has them already; they are the signed-in account's own."""
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "accept-encoding, cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if is_gzip:
        headers["content-encoding"] = "gzip"
    return Response(data, 200, headers, media_type)


async def refuse(_request: Request, error: Exception) -> Response:
    """Return an error of ours as JSON: a word for programs and a sentence for people."""
    assert isinstance(error, SkybeatError)
    status, word = next((status, word) for kind, status, word in _STATUS if isinstance(error, kind))
    response = reply(ErrorReply(error=word, detail=str(error), detail_zh=error.zh), status=status)
    if status == 503:
        response.headers["retry-after"] = "5"
    return response


def says(kind: type[msgspec.Struct], *, takes: type[msgspec.Struct] | None = None, status: int = 200) -> dict[str, Any]:
    """Return what a route tells OpenAPI: the struct that it answers with, the one that it takes, how it refuses."""
    described: dict[str, Any] = {
        "response_class": Response,
        "status_code": status,
        "responses": {
            status: {"description": _first_line(kind), "content": _content(kind)},
            "4XX": {"description": "What was wrong", "content": _content(ErrorReply)},
        },
    }
    if takes is not None:
        described["openapi_extra"] = {"requestBody": {"required": True, "content": _content(takes)}}
    return described


def host_of(request: Request) -> str:
    """Return the address that a request came from, as a proxy that we trust tells it."""
    return request.client.host if request.client else ""


def _content(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}


def _first_line(kind: type[msgspec.Struct]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
