"""SIP on a stream: messages cut by Content-Length, wherever the network split them, with junk between them left out."""

import re
from typing import Final

from telemetry.sources.gb28181.sip import LARGEST_BODY_BYTES, LARGEST_HEAD_BYTES

KEEP_ALIVE: Final = b"\r\n\r\n"
"""What RFC 5626 peers send to keep a connection open; the answer is one line break."""
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_START: Final = re.compile(
    rb"[A-Z]{2,20} +sips?:[^\s]{1,512} +SIP/2\.0 *\r?\n|SIP/2\.0 +[1-6][0-9]{2}[^\r\n]{0,200}\r?\n"
)
_LENGTH: Final = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BREAKS: Final = b"\r\n"
LONGEST_START_BYTES: Final = 600


class MessageSplitter:
    """Cuts one connection's bytes into SIP messages; `bytes_skipped` counts what belonged to none.

    A head larger than 16 KiB is junk. After a body larger than 64 KiB nothing can be found again: `broken` says so.
    """

    def __init__(self) -> None:
        self.bytes_skipped = 0
        self.pings = 0
        self.broken: str | None = None
        self._buffer = bytearray()

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a message have come that has not ended; 0 between messages."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete now; none any more once it is broken."""
        messages: list[bytes] = []
        if self.broken is not None:
            return messages
        self._buffer += data
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        self._drop_breaks()
        while self._buffer:
            start = _START.search(self._buffer)
            if start is None:
                self._drop_junk()
                return None
            if start.start():
                self._skip(start.start())
                continue
            end = _HEAD_END.search(self._buffer)
            if end is None:
                if len(self._buffer) <= LARGEST_HEAD_BYTES:
                    return None
                self._skip(start.end())
                continue
            return self._cut(end.end())
        return None

    def _cut(self, head_bytes: int) -> bytes | None:
        length = _LENGTH.search(self._buffer, 0, head_bytes)
        body_bytes = int(length[1]) if length else 0
        if body_bytes > LARGEST_BODY_BYTES:
            self.broken = f"Content-Length {body_bytes}: at most {LARGEST_BODY_BYTES} bytes are read"
            self._buffer.clear()
            return None
        if len(self._buffer) < head_bytes + body_bytes:
            return None
        message = bytes(self._buffer[: head_bytes + body_bytes])
        del self._buffer[: head_bytes + body_bytes]
        return message

    def _drop_breaks(self) -> None:
        """Drop line breaks before a message; a pair of them alone is a keep-alive."""
        text = self._buffer.lstrip(_BREAKS)
        dropped = len(self._buffer) - len(text)
        if dropped >= len(KEEP_ALIVE):
            self.pings += 1
        if dropped:
            del self._buffer[:dropped]

    def _drop_junk(self) -> None:
        """Keep only what may be the beginning of a start line, when the rest has grown past a start line's length."""
        if len(self._buffer) > 2 * LONGEST_START_BYTES:
            self._skip(len(self._buffer) - LONGEST_START_BYTES)

    def _skip(self, count: int) -> None:
        self.bytes_skipped += count
        del self._buffer[:count]
