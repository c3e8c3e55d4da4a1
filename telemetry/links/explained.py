"""Sockets of a link URL: the address that it means, and what an error of the system means to whoever wrote the URL."""

import asyncio
import errno
import socket
from typing import Any

from telemetry.links.url import LISTENING, LinkUrl
from telemetry.model.errors import ConflictError, InputError


async def resolve(url: LinkUrl, kind: socket.SocketKind) -> tuple[int, Any]:
    """Return the family and the address of a URL's host and port. Raises InputError for a host that there is not."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=kind)
    except OSError as error:
        raise InputError(f"the host {url.host!r} of {url} is unknown ({error}): give a name or an address") from error
    family, _, _, _, address = found[0]
    return family, address


def explained(url: LinkUrl, error: OSError) -> ConflictError | InputError:
    """Return the error that says what to do."""
    if error.errno == errno.EADDRINUSE:
        option = "-ulpn" if url.transport == "udp" else "-tlpn"
        return ConflictError(
            f"port {url.port} of {url} is in use: end the program that holds it (ss {option}) or choose another port"
        )
    if error.errno == errno.EACCES:
        return InputError(f"{url} may not be opened by this account: choose a port from 1024 up")
    if error.errno == errno.EADDRNOTAVAIL and url.kind in LISTENING:
        return InputError(f"{url}: this machine has no address {url.host}; give one of its own, or 0.0.0.0 for all")
    if error.errno == errno.ECONNREFUSED:
        return InputError(
            f"nobody listens at {url.host}:{url.port} of {url}: start that program, or check host and port"
        )
    return InputError(f"{url} cannot be opened ({error}): check host, port and network")
