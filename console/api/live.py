"""The websocket /ws: cookie, exact origin and subprotocol at the upgrade, hello first, then one sender and one receiver."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from console.auth.policy import MESSAGE_POLICIES, Policy, demand, policy
from console.auth.sessions import SessionSource, Signed
from console.stream.client import Client
from console.stream.live import LiveStream
from console.wire import (
    CLOSE_NOT_ALLOWED,
    CLOSE_SIGNED_OUT,
    CLOSE_TOO_MANY,
    CLOSE_WRONG,
    SUBPROTOCOL,
    VERSION,
    FromBrowser,
    Hello,
    Subscribe,
    decode_message,
)
from infra.clock import Clock
from telemetry.model.errors import InputError, NotAllowedError, SkybeatError, UnavailableError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HELLO_WITHIN_S: Final = 10.0
MESSAGES_PER_S: Final = 20.0
MAX_CLIENTS: Final = 2_000
MAX_CLIENTS_OF_ACCOUNT: Final = 250
"""Room for a wall of screens; one account alone cannot take everybody's place."""


@policy(Policy.SIGNED_IN)
class LiveSocket:
    """The ASGI application of /ws; plain, because a framework's layers cost more here than the sending itself."""

    def __init__(
        self, stream: LiveStream, sessions: SessionSource, clock: Clock, *, origins: frozenset[str], cookie_name: str
    ) -> None:
        self._stream = stream
        self._sessions = sessions
        self._clock = clock
        self._origins = origins
        self._cookie_name = cookie_name

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection until either side ends it."""
        await receive()
        try:
            await self._admit(scope)
        except SkybeatError as error:
            await _refuse(send, 503 if isinstance(error, UnavailableError) else 403, str(error))
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        hello = await self._hello(receive, send)
        if hello is None:
            return
        try:  # once more: the session may have ended, or the account's place been taken, while the hello was awaited
            signed = await self._admit(scope)
        except SkybeatError as error:
            code = CLOSE_TOO_MANY if isinstance(error, UnavailableError) else CLOSE_SIGNED_OUT
            await send({"type": "websocket.close", "code": code, "reason": ""})
            return
        client = Client(signed.account.scope, signed.token_sha256, account_id=signed.account.account_id)
        self._stream.join(client, hello.resume)
        try:
            await self._serve(client, receive, send)
        finally:
            self._stream.leave(client)

    async def _admit(self, scope: Message) -> Signed:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "").lower()
        if origin not in self._origins:
            message = f"a websocket from the origin {origin[:100] or '(none)'!r}: allowed is {', '.join(sorted(self._origins))}"
            raise NotAllowedError(message)
        if SUBPROTOCOL not in scope.get("subprotocols", ()):
            message = f"a websocket without the subprotocol {SUBPROTOCOL}"
            raise NotAllowedError(message)
        signed = await self._sessions.who(cookie_of(headers.get(b"cookie", ""), self._cookie_name))
        demand(Policy.SIGNED_IN, signed.account.role)
        self._demand_room(signed.account.account_id)
        return signed

    def _demand_room(self, account_id: int) -> None:
        everyone = self._stream.clients
        if len(everyone) >= MAX_CLIENTS:
            message = f"{MAX_CLIENTS} browsers are connected, more are not served: close some"
            raise UnavailableError(message)
        own_count = sum(client.account_id == account_id for client in everyone)
        if own_count >= MAX_CLIENTS_OF_ACCOUNT:
            message = f"{own_count} browsers of this account are connected, more are not served: close some"
            raise UnavailableError(message)

    async def _hello(self, receive: Receive, send: Send) -> Hello | None:
        try:
            message = await asyncio.wait_for(receive(), HELLO_WITHIN_S)
            if message["type"] == "websocket.disconnect":
                return None
            hello = _read(message)
        except (TimeoutError, InputError):
            hello = None
        if isinstance(hello, Hello) and hello.v == VERSION:
            return hello
        await send({"type": "websocket.close", "code": CLOSE_WRONG, "reason": f"say hello, version {VERSION}, first"})
        return None

    async def _serve(self, client: Client, receive: Receive, send: Send) -> None:
        sender = asyncio.create_task(client.send_all(send, self._stream.due_texts), name="ws-send")
        receiver = asyncio.create_task(self._listen(client, receive), name="ws-receive")
        try:
            done, _ = await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
            code = next(iter(done)).result()
        except OSError:
            return  # the peer is gone
        finally:
            await _end(sender, receiver)
        if code is not None:
            await send({"type": "websocket.close", "code": code, "reason": ""})

    async def _listen(self, client: Client, receive: Receive) -> int | None:
        allowance, at_s = MESSAGES_PER_S, self._clock.monotonic_s()
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            now_s = self._clock.monotonic_s()
            allowance, at_s = min(MESSAGES_PER_S, allowance + (now_s - at_s) * MESSAGES_PER_S) - 1, now_s
            if allowance < 0:
                return CLOSE_TOO_MANY
            code = self._take(client, message)
            if code is not None:
                return code

    def _take(self, client: Client, message: Message) -> int | None:
        try:
            said = _read(message)
            demand(MESSAGE_POLICIES[str(type(said).__struct_config__.tag)], client.scope.role)
        except NotAllowedError:
            return CLOSE_NOT_ALLOWED
        except InputError:
            return CLOSE_WRONG
        if isinstance(said, Subscribe):
            self._stream.subscribe(client, said)
        return None


def cookie_of(header: str, name: str) -> str | None:
    """Return the value of a cookie; None when it is not there or the header is malformed."""
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None


def _read(message: Message) -> FromBrowser:
    text = message.get("text")
    if text is None:
        wrong = "a binary websocket message: browsers speak JSON text"
        raise InputError(wrong)
    return decode_message(text)


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": words.encode()})


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task
