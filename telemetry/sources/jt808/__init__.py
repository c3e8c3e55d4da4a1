"""JT/T 808, the protocol of Chinese vehicle terminals: bytes of one peer in; positions, events and answers out."""

from typing import Final

from telemetry.model.decoding import Decoder, Peer, SourceContext
from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.sources.jt808.media import media_of
from telemetry.sources.jt808.orders import TAKES
from telemetry.sources.jt808.reader import Jt808Reader
from telemetry.sources.jt808.session import Jt808Decoder
from telemetry.sources.jt808.speaker import Memory

__all__ = ["ENROLMENT", "TAKES", "Jt808Decoder", "Jt808Reader", "Jt808Source", "message_reader", "open_source"]

ENROLMENT: Final = EnrolmentRule(
    protocol="jt808",
    secret=SecretKind.CODE,
    form=r"0|[1-9a-f][0-9a-f]{0,19}",
    example="13912345678",
    said="the terminal's phone number or id, at most 20 digits (some have hexadecimal ones)",
    pairs=True,
    drops_zeros=True,
)


class Jt808Source:
    """The terminals of one link group: what is remembered of a device outlives its connections."""

    def __init__(self, context: SourceContext) -> None:
        self._registry = context.registry
        self._media = media_of(context.options)
        self._memories: dict[int, Memory] = {}

    def decoder(self, peer: Peer) -> Decoder:
        """Return the decoder of one connection or datagram peer."""
        return Jt808Decoder(self._registry, peer, self._memories, self._media)


def open_source(context: SourceContext) -> Jt808Source:
    """Return the source of a link group. Raises InputError for a `media` option that names no server."""
    return Jt808Source(context)


def message_reader(*, utc_offset_s: int) -> Jt808Reader:
    """Return what reads captured messages one by one; times that carry no zone are in the one given."""
    return Jt808Reader(utc_offset_s=utc_offset_s)
