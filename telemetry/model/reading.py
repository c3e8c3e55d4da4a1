"""What `skybeat decode` and the reprocessing of raw bytes ask of a source: messages in, what they say out."""

from typing import Any, Protocol, TypeAlias

import msgspec

from telemetry.model.batch import Quality


class ReadPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One position as the message says it; unknown is None, `observed_us` is UTC microseconds."""

    device: str | None
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_msl_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    observed_us: int | None = None
    quality: Quality = Quality(0)


class ReadMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that holds no position: its name, who said it, and its fields in the field's own terms."""

    message: str
    device: str | None = None
    fields: dict[str, Any] = msgspec.field(default_factory=dict)


class ReadError(msgspec.Struct, frozen=True, kw_only=True):
    """A message that cannot be read: why, in words and as a short code (checksum, framing, xml, json, value, ...)."""

    error: str
    code: str
    device: str | None = None


Read: TypeAlias = ReadPosition | ReadMessage | ReadError


class MessageReader(Protocol):
    """Reads messages one by one, without a registry; a room offers one by `message_reader(*, utc_offset_s: int)`."""

    def split(self, data: bytes) -> list[bytes]:
        """Return the messages of a file: frames of a byte stream, lines, or joined documents; junk between them is one too."""

    def read(self, message: bytes) -> list[Read]:
        """Return what one message says: one or more positions, or one ReadMessage, or one ReadError."""


class StreamReader(MessageReader, Protocol):
    """A reader that can take a long stream piece by piece."""

    def whole_bytes(self, data: bytes) -> int:
        """Return how many bytes of a stream's beginning `split` may take without seeing what follows; 0: none yet."""
