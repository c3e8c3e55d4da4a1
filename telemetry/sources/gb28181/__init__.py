"""GB/T 28181: body-worn cameras and car cameras register with us by SIP and report where they are."""

from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.sources.gb28181.decoder import Desk, SipDecoder
from telemetry.sources.gb28181.domain import read_domain
from telemetry.sources.gb28181.identifiers import Identifiers
from telemetry.sources.gb28181.names import ENROLMENT
from telemetry.sources.gb28181.orders import TAKES
from telemetry.sources.gb28181.reader import message_reader
from telemetry.sources.gb28181.registrar import Registrar
from telemetry.sources.gb28181.reports import Reports
from telemetry.sources.gb28181.requests import Writer
from telemetry.sources.gb28181.sessions import Sessions
from telemetry.sources.gb28181.transactions import Answers
from telemetry.sources.gb28181.video import Streams

__all__ = ["ENROLMENT", "TAKES", "SipSource", "message_reader", "open_source"]


class SipSource:
    """A SIP server on one link group: registrations, dialogs, nonces and transactions are its, whichever peer speaks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def decoder(self, peer: Peer) -> SipDecoder:
        """Return a decoder for one address of a datagram socket, or for one connection."""
        return SipDecoder(self._desk, peer)


def open_source(context: SourceContext) -> SipSource:
    """Return the SIP server that a link's options describe: id, realm, address, media, watch, digest.

    Raises InputError for options that are missing or wrong, and without a secret of this process.
    """
    if not context.process_secret:
        raise InputError("GB/T 28181 needs 32 random bytes of this process: its nonces are made from them")
    domain = read_domain(context.options)
    writer = Writer(domain, Identifiers(context.process_secret))
    return SipSource(
        Desk(
            registrar=Registrar(context.registry, domain, context.process_secret),
            sessions=Sessions(context.registry),
            reports=Reports(context.registry, writer),
            writer=writer,
            streams=Streams(domain),
            answers=Answers(),
        )
    )
