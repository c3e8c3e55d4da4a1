"""Our own requests to a device: SUBSCRIBE, MESSAGE, INVITE, ACK and BYE, each with a Via of its own."""

from typing import Final

import msgspec

from telemetry.sources.gb28181.domain import Domain, Place
from telemetry.sources.gb28181.identifiers import Identifiers
from telemetry.sources.gb28181.session import Session
from telemetry.sources.gb28181.sip import MANSCDP, USER_AGENT, write

ANYWHERE: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - what a link says when it listens on every address
DEFAULT_PORT: Final = 5060


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to write; `target` is its Request-URI ("": the device where it really is)."""

    method: str
    to: str
    from_tag: str
    call_id: str
    cseq: int
    target: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = MANSCDP


class Writer:
    """Writes the requests of one domain."""

    def __init__(self, domain: Domain, identifiers: Identifiers) -> None:
        self.domain = domain
        self.identifiers = identifiers

    def write(self, session: Session, request: Request, *, branch: str = "") -> tuple[str, bytes]:
        """Return (branch, bytes) of a request to a device; an ACK of a refusal is given its INVITE's branch."""
        branch = branch or self.identifiers.branch()
        here = self.here(session)
        server = f"sip:{self.domain.server_id}"
        headers = [
            ("Via", f"SIP/2.0/{session.peer.transport.upper()} {here};rport;branch={branch}"),
            ("From", f"<{server}@{self.domain.realm}>;tag={request.from_tag}"),
            ("To", request.to),
            ("Call-ID", request.call_id),
            ("CSeq", f"{request.cseq} {request.method}"),
            ("Contact", f"<{server}@{here}>"),
            ("Max-Forwards", "70"),
            ("User-Agent", USER_AGENT),
            *request.headers,
        ]
        if request.body:
            headers.append(("Content-Type", request.content_type))
        start = f"{request.method} {request.target or self.uri_of(session)} SIP/2.0"
        return branch, write(start, headers, request.body)

    def uri_of(self, session: Session, user: str = "") -> str:
        """Return the URI of a device (or of one of its channels) where its messages really come from."""
        return f"sip:{user or session.device.address}@{Place(_bracketed(session.peer.host), session.peer.port)}"

    def to_of(self, user: str) -> str:
        """Return a To without a tag."""
        return f"<sip:{user}@{self.domain.realm}>"

    def here(self, session: Session) -> Place:
        """Return where the device reaches us: the option `address`, or where its messages arrive."""
        if self.domain.address is not None:
            return self.domain.address
        peer = session.peer
        host = self.domain.realm if peer.local_host in ANYWHERE else _bracketed(peer.local_host)
        return Place(host, peer.local_port or DEFAULT_PORT)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
