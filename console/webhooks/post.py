"""Posts one message to one receiver: to an address that may be spoken to, within a time, following nothing.

An administrator names the receivers, and what answers at their names may still change: so the address that was judged is
the one that is connected to. A public receiver is never reached at a private address, one inside never at a public one,
and plain http only ever within this machine.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import h11
import msgspec

from telemetry.model.errors import InputError, UnavailableError

POST_WITHIN_S: Final = 10.0
LONGEST_URL_CHARS: Final = 500
HEAD_BYTES: Final = 16_384
ADDRESSES_TRIED: Final = 3
LONGEST_RETRY_AFTER_S: Final = 3600.0
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
USER_AGENT: Final = "skybeat-webhook"
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Where to post: scheme, host and port of a URL, and its path with the query. `inside`: it stands in a private network."""

    host: str
    port: int
    path: str
    is_tls: bool
    inside: bool

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver answered; `retry_after_s` is how long it asks to be left alone."""

    status: int
    retry_after_s: float | None = None


def receiver_of(url: str, *, inside: bool = False) -> Receiver:
    """Return the receiver that a URL names. Raises InputError for what is no https URL (or http to this machine)."""
    if len(url) > LONGEST_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        message = f"the URL {url[:60]!r}: printable ASCII of at most {LONGEST_URL_CHARS} characters is needed"
        raise InputError(message)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        message = f"the URL {url[:60]!r} is none ({error}): write https://host/path"
        raise InputError(message) from error
    is_tls = parts.scheme == "https"
    if not host or (not is_tls and (parts.scheme != "http" or host not in LOOPBACK)):
        message = f"the URL {url[:60]!r}: https is needed (http only to this machine, as http://127.0.0.1:9000/hook)"
        raise InputError(message)
    if parts.username is not None or parts.fragment:
        message = (
            f"the URL of host {host!r} holds a name, a password or a fragment: leave them out, the signature proves us"
        )
        raise InputError(message)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(host=host, port=port or (443 if is_tls else 80), path=path, is_tls=is_tls, inside=inside)


def may_reach(receiver: Receiver, address: Address) -> bool:
    """Tell whether this address may be spoken to as that receiver."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo is not None:
            return False
        address = address.ipv4_mapped or address.sixtofour or address
    if receiver.host in LOOPBACK:
        return address.is_loopback
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    ):
        return False
    return address.is_private if receiver.inside else address.is_global


async def addresses_of(receiver: Receiver) -> list[str]:
    """Return the addresses that may be spoken to, in the resolver's order. Raises UnavailableError when there is none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"the host {receiver.host} is not known to the resolver"
        raise UnavailableError(message) from error
    texts = [str(info[4][0]) for info in found]
    allowed = [text for text in texts if may_reach(receiver, ipaddress.ip_address(text.partition("%")[0]))]
    if not allowed:
        kind = "private" if receiver.inside else "public"
        where = "this machine" if receiver.host in LOOPBACK else f"a {kind} address"
        message = (
            f"the host {receiver.host} stands at {', '.join(texts[:3])}, which is not {where}: nothing was sent there"
        )
        raise UnavailableError(message)
    return list(dict.fromkeys(allowed))[:ADDRESSES_TRIED]


async def post(
    receiver: Receiver,
    body: bytes,
    headers: Mapping[str, str],
    *,
    trust: ssl.SSLContext,
    within_s: float = POST_WITHIN_S,
) -> Answered:
    """Post JSON and return what was answered. Raises UnavailableError, whose text names no address's path or query."""
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await _connected(receiver, await addresses_of(receiver), trust)
            try:
                return await _asked(reader, writer, receiver, body, headers)
            finally:
                writer.close()
                with contextlib.suppress(OSError, asyncio.TimeoutError):
                    await writer.wait_closed()
    except TimeoutError as error:
        message = f"no answer within {within_s:g} s"
        raise UnavailableError(message) from error
    except ssl.SSLError as error:
        message = (
            f"its certificate or TLS is not right: {getattr(error, 'verify_message', '') or error.reason or 'refused'}"
        )
        raise UnavailableError(message) from error
    except OSError as error:
        message = f"not reached: {error.strerror or type(error).__name__}"
        raise UnavailableError(message) from error
    except h11.ProtocolError as error:
        message = "what answered does not speak HTTP"
        raise UnavailableError(message) from error


async def _connected(
    receiver: Receiver, addresses: Sequence[str], trust: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that takes us; the certificate must bear the receiver's own name."""
    for place, address in enumerate(addresses, 1):
        try:
            return await asyncio.open_connection(
                address,
                receiver.port,
                ssl=trust if receiver.is_tls else None,
                server_hostname=receiver.host if receiver.is_tls else None,
            )
        except OSError as error:
            if place == len(addresses) or isinstance(error, ssl.SSLError):
                raise
    raise OSError  # there is always a first address


async def _asked(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    receiver: Receiver,
    body: bytes,
    headers: Mapping[str, str],
) -> Answered:
    """Send the request and read the answer's head alone; what follows it is nobody's business here."""
    connection = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    sent = {"host": receiver.authority, "user-agent": USER_AGENT, "content-type": "application/json"}
    sent |= {"content-length": str(len(body)), "connection": "close"} | dict(headers)
    request = h11.Request(method="POST", target=receiver.path, headers=list(sent.items()))
    head = connection.send(request) or b""
    writer.write(head + (connection.send(h11.Data(data=body)) or b""))
    await writer.drain()
    connection.send(h11.EndOfMessage())
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(HEAD_BYTES))
        elif isinstance(event, h11.Response):
            return Answered(status=event.status_code, retry_after_s=_retry_after_s(event))
        elif not isinstance(event, h11.InformationalResponse):
            message = "the connection ended before the answer"
            raise UnavailableError(message)


def _retry_after_s(response: h11.Response) -> float | None:
    for name, value in response.headers:
        if name == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(float(value), LONGEST_RETRY_AFTER_S)
    return None
