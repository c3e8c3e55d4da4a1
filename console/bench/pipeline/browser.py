"""A browser that looks on during a benchmark: opens the console's websocket, counts frames, answers pings."""

import asyncio
import os
from typing import Final, cast

from console.wire import SUBPROTOCOL

_BINARY: Final = 2
_PING: Final = 9


class Browser(asyncio.Protocol):
    """One websocket; `greeted` is done once it is open, `frames` counts binary frames. It decodes nothing."""

    def __init__(self, port: int, cookie: str) -> None:
        self.frames = 0
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = _upgrade(port, cookie)
        self._data = bytearray()
        self._skip_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if not self.greeted.done():
            self.greeted.set_exception(exc or ConnectionError("the console closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Step from frame to frame; the payload of what is only counted is never copied."""
        if self._skip_bytes >= len(data):
            self._skip_bytes -= len(data)
            return
        self._data += data[self._skip_bytes :]
        self._skip_bytes = 0
        if not self.greeted.done() and not self._greet():
            return
        while self._step():
            pass

    def _greet(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        if b" 101 " not in self._data[:20]:
            self.greeted.set_exception(ConnectionError(bytes(self._data[:200])))
            return False
        del self._data[: end + 4]
        self._transport.write(_masked(0x81, b'{"type":"hello","v":1}'))
        self.greeted.set_result(None)
        return True

    def _step(self) -> bool:
        data = self._data
        if len(data) < 2:
            return False
        length, start = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(data) < 2 + size:
                return False
            length, start = int.from_bytes(data[2 : 2 + size]), 2 + size
        opcode = data[0] & 0x0F
        if opcode == _PING:
            if len(data) < start + length:
                return False
            self._transport.write(_masked(0x8A, bytes(data[start : start + length])))
        self.frames += opcode == _BINARY
        self._skip_bytes = max(0, start + length - len(data))
        del data[: start + length]
        return bool(data)


def _upgrade(port: int, cookie: str) -> bytes:
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        f"Origin: http://127.0.0.1:{port}",
        f"Cookie: skybeat={cookie}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _masked(opcode: int, payload: bytes) -> bytes:
    mask = os.urandom(4)
    return bytes((opcode, 0x80 | len(payload))) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
