"""The ingest listener: phones report by HTTP and are answered 200 only when the journal has their report on disk."""

import asyncio
import contextlib
import errno
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import uvicorn

from infra.clock import Clock
from infra.http_guard import GuardedHttp, GuestServer, connections_at_most
from infra.journal import JournalError
from infra.logs import get_logger
from infra.metrics import BAD_INPUT
from telemetry.links.http_request import Receive, Refusal, Scope, header_of, raw_request, request_of, token_of
from telemetry.links.link import LinkStatus
from telemetry.links.report_turns import DURABLE_WITHIN_S, ReportTurns, TakeReports
from telemetry.links.tap import HTTP, RawChunk, Tap
from telemetry.links.url import is_loopback
from telemetry.model.decoding import Registry
from telemetry.model.enrolment import is_allowed
from telemetry.model.errors import ConflictError, InputError
from telemetry.model.fix import as_options_say
from telemetry.model.phone import (
    FORWARDED_PROTOCOL,
    FORWARDER_PROTOCOL,
    PHONE_PROTOCOL,
    PhoneAnswer,
    PhoneFix,
    PhoneSource,
    address_of_token,
)
from telemetry.model.unit import Device
from telemetry.rate_limit import RateLimit
from telemetry.registry.table import shown_address

RETRY_AFTER_S: Final = 5
ACCEPTS_A_TURN: Final = 16
"""uvloop accepts one connection a listening descriptor and turn: after an outage, when every phone comes at once, the last of
them would wait for as many turns as there are phones."""
CONNECTIONS_AT_MOST: Final = 4_000
TOKEN_RATE_PER_S: Final = 20.0
TOKEN_BURST: Final = 200
FAILURES_RATE_PER_S: Final = 2.0
FAILURES_BURST: Final = 60
_log: Final = get_logger("ingest")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class IngestFigures:
    """What the listener heard since it was opened, for the list of links."""

    def __init__(self) -> None:
        self.requests = self.bytes_received = self.positions = 0
        self.device_ids: set[int] = set()
        self.bad: Counter[str] = Counter()
        self.last_heard_us: int | None = None

    def heard(self, device_id: int, *, byte_count: int, position_count: int, now_us: int) -> None:
        """Count a report that the journal has."""
        self.requests += 1
        self.bytes_received += byte_count
        self.positions += position_count
        self.device_ids.add(device_id)
        self.last_heard_us = now_us


class IngestApp:
    """The ASGI app: one request is one report (or some), of whatever dialect a source recognises.

    A token is known by its SHA-256 only; nothing here writes a token, a query or a place to a log.
    """

    def __init__(
        self,
        registry: Registry,
        sources: Sequence[PhoneSource],
        take: TakeReports,
        durable: Callable[[int], Awaitable[None]],
        clock: Clock,
        *,
        behind_proxy: bool = False,
        tap: Tap | None = None,
    ) -> None:
        self.figures = IngestFigures()
        self._registry = registry
        self._sources = sources
        self._turns = ReportTurns(take, durable, clock)
        self._clock = clock
        self._behind_proxy = behind_proxy
        self._tap = tap
        self._by_token = RateLimit(TOKEN_RATE_PER_S, TOKEN_BURST)
        self._failures = RateLimit(FAILURES_RATE_PER_S, FAILURES_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            status, answer = HTTPStatus.OK, await self._report(scope, receive)
        except Refusal as refusal:
            status, answer = refusal.status, _said(str(refusal))
            self.figures.bad[str(status.value)] += 1
            BAD_INPUT.labels(protocol=PHONE_PROTOCOL, reason=str(status.value)).inc()
        await _answer(send, status, answer)

    async def _report(self, scope: Scope, receive: Receive) -> PhoneAnswer:
        """Take a report. An address that sent too much nonsense is told so, but a device of ours behind it is heard.

        Many phones share an operator's address, and none may silence another's call for help.
        """
        speaker = self._speaker(scope)
        is_tired = not self._failures.allows(speaker, self._clock.monotonic_s())
        try:
            fixes, device, source, raw = await self._understand(scope, receive, notes_strangers=not is_tired)
        except Refusal as refusal:
            self._failures.take(speaker, self._clock.monotonic_s())
            if is_tired:
                message = "too many wrong requests from this address: wait a minute"
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, message) from refusal
            raise
        mended = [as_options_say(fix, device.options) for fix in fixes]
        await self._keep(device.device_id, mended, partial(self._log_raw, speaker, device.device_id, raw))
        now_us = self._clock.now_us()
        self.figures.heard(device.device_id, byte_count=len(raw), position_count=len(mended), now_us=now_us)
        ignored = [text for fix in fixes for text in fix.ignored]
        plain = _said(f"ok; left out: {', '.join(ignored)}" if ignored else "ok")
        answer: PhoneAnswer = getattr(source, "ANSWER", plain)
        return answer

    async def _understand(
        self, scope: Scope, receive: Receive, *, notes_strangers: bool
    ) -> tuple[list[PhoneFix], Device, PhoneSource, bytes]:
        """Return what is reported, whose it is, the dialect that it was told in, and the request without its token."""
        request = await request_of(scope, receive)
        token = token_of(scope)
        device = None if token is None else self._device_of(token, notes_strangers=notes_strangers)
        source = next((source for source in self._sources if source.recognises(request)), None)
        if source is None:
            message = "no report found: send OsmAnd's query (?id=TOKEN&lat=..&lon=..) or Traccar Client's JSON"
            raise Refusal(HTTPStatus.BAD_REQUEST, message)
        try:
            fixes = source.decode_request(request)
        except InputError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
        if device is None:
            token = next((fix.token for fix in fixes if fix.token), None)
            device = self._device_of(token, notes_strangers=notes_strangers)
        if not is_allowed(self._speaker(scope), device.options.allowed_hosts):
            raise Refusal(
                HTTPStatus.FORBIDDEN, "this device may not speak from this address: see its allowed addresses"
            )
        whose = self._spoken_for(device, fixes, notes_strangers=notes_strangers)
        return fixes, whose, source, raw_request(request, {token, *(fix.token for fix in fixes)})

    def _spoken_for(self, device: Device, fixes: Sequence[PhoneFix], *, notes_strangers: bool) -> Device:
        """Return whose the reports are: the token's own device's, or that of the one that a server forwards them for."""
        name = next((fix.speaks_for for fix in fixes if fix.speaks_for is not None), None)
        is_forwarder = device.protocol == FORWARDER_PROTOCOL
        if not is_forwarder and name is None:
            return device
        if not is_forwarder or (fixes and name is None):
            needed = "a phone's own token" if is_forwarder else f"the token of a {FORWARDER_PROTOCOL} device"
            raise Refusal(HTTPStatus.FORBIDDEN, f"this token may not report that: {needed} is needed")
        named = device if name is None else self._registry.device(FORWARDED_PROTOCOL, name)
        if named is None or named.revoked:
            reason = "unknown" if named is None else "revoked"
            if notes_strangers:
                self._registry.quarantine(FORWARDED_PROTOCOL, str(name)[:128], self._clock.now_us(), reason)
            message = (
                f"the {FORWARDED_PROTOCOL} device {str(name)[:40]!r} is {reason}: enrol it with `skybeat device add`"
            )
            raise Refusal(HTTPStatus.NOT_FOUND, message)
        return named

    def _device_of(self, token: str | None, *, notes_strangers: bool) -> Device:
        """Return the device that a token stands for. Raises Refusal: 400 without one, 401 unknown or revoked, 429."""
        if not token:
            message = "the request names no device: give id=TOKEN, or the header Authorization: Bearer TOKEN"
            raise Refusal(HTTPStatus.BAD_REQUEST, message)
        address = address_of_token(token)
        device = self._registry.device(PHONE_PROTOCOL, address) or self._registry.device(FORWARDER_PROTOCOL, address)
        if device is None or device.revoked:
            reason = "unknown token" if device is None else "revoked token"
            shown = shown_address(address)
            if notes_strangers:
                self._registry.quarantine(PHONE_PROTOCOL, shown, self._clock.now_us(), reason)
            raise Refusal(
                HTTPStatus.UNAUTHORIZED, f"{reason} (SHA-256 begins {shown}): enrol it with `skybeat device add`"
            )
        is_phone = device.protocol == PHONE_PROTOCOL  # a server speaks for many
        if is_phone and not self._by_token.take(address, self._clock.monotonic_s()):
            message = f"more than {TOKEN_RATE_PER_S:g} requests a second of one device: send less often"
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, message)
        return device

    def _log_raw(self, host: str, device_id: int, raw: bytes, now_us: int) -> None:
        if self._tap is not None:
            self._tap(
                RawChunk(
                    link=HTTP,
                    protocol=PHONE_PROTOCOL,
                    link_group="",
                    transport=HTTP,
                    host=host,
                    port=0,
                    received_us=now_us,
                    device_ids=(device_id,),
                    data=raw,
                )
            )

    async def _keep(self, device_id: int, fixes: Sequence[PhoneFix], heard: Callable[[int], None]) -> None:
        """Return when the journal has them on disk. Raises Refusal 503 when it cannot be promised."""
        try:
            await self._turns.keep(device_id, fixes, heard=heard)
        except JournalError as error:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"not kept, send it again: {error}") from error
        except TimeoutError as error:
            message = f"not kept within {DURABLE_WITHIN_S:g} s, send it again: the disk stalls"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message) from error

    def _speaker(self, scope: Scope) -> str:
        """Return who asks: the peer's address, behind a proxy the one that the proxy added last."""
        if self._behind_proxy:
            forwarded = header_of(scope, b"x-forwarded-for")
            if forwarded:
                return forwarded.rpartition(",")[2].strip()[:64]
        client = scope.get("client")
        return str(client[0]) if client else "local"


class IngestListener:
    """The server around the app, on a socket of its own in the caller's loop."""

    def __init__(
        self,
        app: IngestApp,
        *,
        host: str,
        port: int,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
        behind_proxy: bool = False,
    ) -> None:
        _check_open(host, has_tls=tls_cert is not None, behind_proxy=behind_proxy)
        if (tls_cert is None) != (tls_key is None):
            raise InputError("TLS needs both SKYBEAT_TLS_CERT and SKYBEAT_TLS_KEY: one of them is not set")
        self._figures = app.figures
        self._host, self._port = host, port
        self._socket: socket.socket | None = None
        self._server = GuestServer(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                log_level="warning",
                lifespan="off",
                ws="none",
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=3,
                http=GuardedHttp,
                limit_concurrency=connections_at_most(CONNECTIONS_AT_MOST),
                h11_max_incomplete_event_size=16 * 1024,
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
            )
        )

    @property
    def port(self) -> int:
        """The bound port; 0 while closed."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def status(self) -> LinkStatus:
        """Return how it does, as a link; `peers` are the connections that are open, `devices` those that were heard by it."""
        scheme, figures = "http" if self._server.config.ssl_certfile is None else "https", self._figures
        return LinkStatus(
            url=f"{PHONE_PROTOCOL}+{scheme}:{self._host}:{self.port or self._port}",
            link_group="",
            state="open" if self._socket else "retrying",
            protocol=PHONE_PROTOCOL,
            transport=scheme,
            datagrams=figures.requests,
            bytes_received=figures.bytes_received,
            positions=figures.positions,
            peers=len(self._server.server_state.connections),
            devices=len(figures.device_ids),
            bad=dict(figures.bad),
            last_heard_us=figures.last_heard_us,
        )

    def open(self) -> None:
        """Bind. Raises ConflictError for a port in use, InputError for an address that is not ours or a wrong certificate."""
        try:
            self._server.config.load()
        except OSError as error:
            raise InputError(f"the certificate cannot be used ({error}): check SKYBEAT_TLS_CERT and _KEY") from error
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((self._host, self._port))
        except OSError as error:
            opened.close()
            raise _explained(self._host, self._port, error) from error
        self._socket = opened

    async def run(self) -> None:
        """Serve until cancelled, then let requests that wait for the disk finish."""
        if self._socket is None:
            self.open()
        assert self._socket is not None
        doors = [self._socket, *(self._socket.dup() for _ in range(ACCEPTS_A_TURN - 1))]
        serving = asyncio.create_task(self._server.serve(sockets=doors))
        try:
            await asyncio.shield(serving)
        finally:
            self._server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            self._socket.close()
            self._socket = None


def _check_open(host: str, *, has_tls: bool, behind_proxy: bool) -> None:
    if is_loopback(host) or has_tls or behind_proxy:
        return
    raise InputError(
        f"the ingest listener on {host} would be open to others without encryption: set SKYBEAT_TLS_CERT and "
        "SKYBEAT_TLS_KEY, or --behind-proxy when a proxy before it does TLS, or SKYBEAT_INGEST_HOST=127.0.0.1"
    )


def _explained(host: str, port: int, error: OSError) -> ConflictError | InputError:
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            f"port {port} of the ingest listener is in use: end the program that holds it (ss -tlpn) "
            "or set SKYBEAT_INGEST_PORT"
        )
    return InputError(
        f"the ingest listener cannot be opened on {host}:{port} ({error}): set SKYBEAT_INGEST_HOST and _PORT"
    )


def _said(text: str) -> PhoneAnswer:
    return PhoneAnswer(content_type="text/plain; charset=utf-8", body=text.encode() + b"\n")


async def _answer(send: Send, status: HTTPStatus, answer: PhoneAnswer) -> None:
    body = answer.body
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(body)).encode())]
    headers.append((b"cache-control", b"no-store"))
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if status is HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
