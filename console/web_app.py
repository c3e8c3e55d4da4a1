"""The web application: routers, websocket, headers, tasks; and the server that carries it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute

from console import wire
from console.api import routers, structs, system
from console.api.contract import refuse, reply
from console.api.live import LiveSocket
from console.api.models import ErrorReply
from console.parts import Parts, Services, check_exposure, make_parts, tell_origin
from console.static_site import ROUTER as SITE
from console.static_site import Site
from infra.errors import GroundError
from infra.http_guard import GuardedHttp, GuestServer, connections_at_most
from infra.settings import Settings
from infra.tasks import Supervisor
from telemetry.model.errors import SkybeatError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(self), payment=(), usb=()",
    "x-frame-options": "DENY",
}
STRICT_TRANSPORT: Final = "max-age=31536000"
UNSENT_BYTES: Final = 65_536
SILENT_PEER_MS: Final = 60_000
BACKLOG: Final = 512
CONNECTIONS_AT_MOST: Final = 6_000
SHOWN_CHARACTERS: Final = 40
_LIMITS_ZH: Final = {
    "ge": "不小于",
    "gt": "大于",
    "le": "不大于",
    "lt": "小于",
    "min_length": "长度不少于",
    "max_length": "长度不超过",
    "pattern": "符合格式",
    "expected": "为",
}
"""How FastAPI names what it allows, in Chinese."""


def create_app(services: Services) -> FastAPI:
    """Return the console's application; it runs the stream, the session watch and the health checks while it lives."""
    parts = make_parts(services)
    app = FastAPI(
        title="skybeat console",
        version=system.product_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_life(parts),
        exception_handlers={
            SkybeatError: refuse,
            GroundError: _refuse_ground,
            RequestValidationError: _refuse_parameters,
            HTTPException: _refuse_http,
        },
    )
    app.state.parts = parts
    app.state.site = Site(services.static_dir)
    live = LiveSocket(
        parts.stream, parts.sessions, services.clock, origins=parts.origins, cookie_name=parts.cookie_name
    )
    app.router.routes.append(WebSocketRoute("/ws", live))
    for router in (*routers(), SITE):  # the site takes what nobody else does
        app.include_router(router)
    app.add_middleware(SecurityHeaders, is_secure=parts.is_secure)
    _describe(app)
    return app


def make_server(app: Application, settings: Settings) -> GuestServer:
    """Return the server for `app`; serve it on `listen(settings)`: `await server.serve(sockets=[...])`.

    Raises InputError for an address that would be open without protection.
    """
    check_exposure(settings)
    return GuestServer(server_config(app, settings))


def server_config(app: Application, settings: Settings, *, deflate: bool = False) -> uvicorn.Config:
    """Return uvicorn's configuration: uvloop, packed frames sent as they are, nothing told about itself, no access log.

    `deflate` exists for the benchmark that shows what permessage-deflate would cost.
    """
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=GuardedHttp,
        limit_concurrency=connections_at_most(CONNECTIONS_AT_MOST),
        ws="websockets-sansio",
        ws_per_message_deflate=deflate,
        ws_max_size=wire.MAX_MESSAGE_BYTES,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="on",
        proxy_headers=settings.behind_proxy,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32_768,
    )


def listen(settings: Settings) -> socket.socket:
    """Return the bound, listening socket; settings.port 0 takes a free one. Raises OSError when it is in use.

    What the kernel holds unsent for a slow browser is kept small, so that a frame skipped here is a frame that the
    browser need not wait for; a peer that takes nothing for a minute is cut off.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER_MS)
        bound.bind((settings.host, settings.port))
        bound.listen(BACKLOG)
        bound.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    except OSError:
        bound.close()
        raise
    return bound


class SecurityHeaders:
    """Puts the protective headers on every answer."""

    def __init__(self, app: Application, *, is_secure: bool) -> None:
        self._app = app
        extra = {"strict-transport-security": STRICT_TRANSPORT} if is_secure else {}
        self._headers = [(name.encode(), value.encode()) for name, value in (SECURITY_HEADERS | extra).items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request; websockets pass untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                own = {name for name, _ in said}  # a page to print has a stricter policy of its own
                message["headers"] = [*said, *(header for header in self._headers if header[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _life(parts: Parts) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def live(_app: FastAPI) -> AsyncIterator[None]:
        supervisor = Supervisor()
        if parts.services.background:
            await asyncio.to_thread(tell_origin, parts.services.settings, parts.origins)
            await parts.health.look()
            supervisor.start("stream", parts.stream.run)
            supervisor.start("sessions", parts.sessions.watch)
            supervisor.start("health", parts.health.watch)
            supervisor.start("incidents", parts.desk.follower.run)
            supervisor.start("field writes", parts.officers.write_forever)
            supervisor.start("field looks", parts.officers.look_forever)
            supervisor.start("orders", parts.orders.run)
            supervisor.start("control", parts.flights.control.watch)
            await parts.flights.sorties.restore()
            supervisor.start("webhooks", parts.webhooks.run)
            supervisor.start("planning", parts.planning.watch)
            for name, task in parts.patrols.tasks.items():
                supervisor.start(name, task)
            supervisor.start("audit", lambda: _flush_audit(parts))
        try:
            yield
        finally:
            parts.stream.close_sessions(lambda _client: 1001)
            await supervisor.stop()
            await parts.planning.stop()
            await parts.flights.stop()
            await parts.patrols.plans.stop()

    return live


async def _flush_audit(parts: Parts) -> None:
    while True:
        await parts.audit.flush()
        await asyncio.sleep(5)


async def _refuse_ground(_request: Request, error: Exception) -> Response:
    response = reply(ErrorReply(error="unavailable", detail=str(error)), status=503)
    response.headers["retry-after"] = "5"
    return response


async def _refuse_parameters(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    words = "; ".join(f"{_placed(item['loc'])}: {item['msg']}" for item in error.errors())
    said_zh = "；".join(f"{_placed(item['loc'])}：{_parameter_zh(item)}" for item in error.errors())
    return reply(ErrorReply(error="wrong_input", detail=words, detail_zh=said_zh), status=422)


def _placed(where: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in where)


def _parameter_zh(item: Mapping[str, Any]) -> str:
    """Return in Chinese what is wrong with a parameter, of which FastAPI speaks English alone."""
    limits = "，".join(
        f"{_LIMITS_ZH[name]} {value}" for name, value in item.get("ctx", {}).items() if name in _LIMITS_ZH
    )
    if item["type"] == "missing":
        return "缺少该参数"
    return f"值 {str(item.get('input'))[:SHOWN_CHARACTERS]!r} 不可用" + (
        f"，须{limits}" if limits else "，请按接口说明填写"
    )


async def _refuse_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    word = "not_found" if error.status_code == 404 else "refused"
    response = reply(ErrorReply(error=word, detail=str(error.detail)), status=error.status_code)
    response.headers.update(error.headers or {})
    return response


def _describe(app: FastAPI) -> None:
    _, components = msgspec.json.schema_components(structs().values(), ref_template="#/components/schemas/{name}")
    describe = app.openapi

    def with_components() -> dict[str, Any]:
        description = describe()
        description.setdefault("components", {}).setdefault("schemas", {}).update(components)
        return description

    app.openapi = with_components  # type: ignore[method-assign] # FastAPI's documented way to extend the description
