"""What links hand to the raw log: received bytes as they came, with who sent them and who that proved to be."""

from collections.abc import Callable
from typing import Final

import msgspec

HTTP: Final = "http"
"""The transport, and the link, of phones' requests: `data` is one request as `http_request.raw_request` writes it."""


class RawChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one peer that were received together.

    `sizes` are the lengths of the datagrams that `data` joins; empty for a piece of a stream, which has no bounds.
    `device_ids` are the devices that the peer had proved to be once it was heard.
    """

    link: str
    protocol: str
    link_group: str
    transport: str
    host: str
    port: int
    received_us: int
    device_ids: tuple[int, ...]
    data: bytes
    sizes: tuple[int, ...] = ()


Tap = Callable[[RawChunk], None]
"""Takes a chunk at once and never waits: it is called within the turn that received it."""
