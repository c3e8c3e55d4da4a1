"""The demo's people at the console's HTTP interface: signs in by a one-time link, asks and writes, a connection for each."""

import asyncio
import contextlib
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from console.demo.http_answer import Answer, read_answer
from console.wire import SUBPROTOCOL
from telemetry.model.errors import UnavailableError

ANSWER_WITHIN_S: Final = 30.0
"""A plan of a day takes some of them."""
LONGEST_MESSAGE_BYTES: Final = 32 << 20
"""20,000 units with their devices are told in one text of some 6 MB."""


class ApiClient:
    """One signed-in account, or a program with an intake key."""

    def __init__(self, origin: str, *, bearer: str = "") -> None:
        self.origin: Final = origin
        self._bearer = bearer
        self._cookie = ""
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80

    async def sign_in(self, token: str) -> None:
        """Use a one-time link. Raises UnavailableError when it is refused."""
        answer = await self.ask("POST", "/api/session/link", {"token": token})
        self._cookie = answer.fields.get("set-cookie", "").partition(";")[0]
        if not answer.ok or not self._cookie:
            raise UnavailableError(f"the console answered {answer.status} to a sign-in link of the demo: see its log")

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request, a body as JSON or bytes as they are, and return the answer, whatever its status; 0 when there was none."""
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        fields = {
            "Host": f"{self._host}:{self._port}",
            "User-Agent": "skybeat-demo",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Origin": self.origin,
            "X-Skybeat": "1",
        }
        if self._cookie:
            fields["Cookie"] = self._cookie
        if self._bearer:
            fields["Authorization"] = f"Bearer {self._bearer}"
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._exchange(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return Answer(0, {}, b"")

    async def _exchange(self, data: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(data)
            await writer.drain()
            return await read_answer(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def socket(self) -> connect:
        """Return the websocket to be opened, as the account that is signed in."""
        return connect(
            self.origin.replace("http", "ws", 1) + "/ws",
            origin=Origin(self.origin),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Cookie": self._cookie},
            compression=None,
            proxy=None,
            max_size=LONGEST_MESSAGE_BYTES,
        )


async def say_hello(socket: ClientConnection, *, rate_hz: float, bbox_deg: list[float] | None = None) -> None:
    """Begin the stream at a rate, everywhere or within [west, south, east, north]."""
    await socket.send('{"type":"hello","v":1,"resume":null}')
    wanted: dict[str, Any] = {"type": "sub", "bbox": bbox_deg, "unit_ids": [], "hz": rate_hz}
    await socket.send(msgspec.json.encode(wanted).decode())
