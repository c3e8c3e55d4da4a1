"""Link URLs: which socket or file to open, for which link group, and who may speak there unsigned."""

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from telemetry.model.errors import InputError

DEFAULT_GROUP: Final = "main"
FORMS: Final = "udpin:HOST:PORT, udpout:HOST:PORT or file:PATH, each with ?unsigned=allow and #LINK_GROUP if wanted"
_GROUP: Final = re.compile(r"[a-z0-9_-]{1,32}")
_FORM: Final = re.compile(r"(?P<scheme>[A-Za-z]+):(//)?(?P<rest>.*)", re.DOTALL)
_LATEST_PORT: Final = 65535


class LinkKind(StrEnum):
    """How a link speaks."""

    UDP_IN = "udpin"
    UDP_OUT = "udpout"
    FILE = "file"


ALIASES: Final = {
    "udpin": LinkKind.UDP_IN,
    "udp": LinkKind.UDP_IN,
    "udps": LinkKind.UDP_IN,
    "udpout": LinkKind.UDP_OUT,
    "udpc": LinkKind.UDP_OUT,
    "file": LinkKind.FILE,
}
"""Schemes of our own, of pymavlink (udp), of MAVSDK (with //) and of mavp2p (udps, udpc)."""


class LinkUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A link URL taken apart; `path` belongs to files, `host` and `port` to the others."""

    kind: LinkKind
    link_group: str
    host: str = ""
    port: int = 0
    path: Path = Path()
    allow_unsigned: bool = False

    def __str__(self) -> str:
        """Return the URL in its plain form."""
        place = str(self.path) if self.kind is LinkKind.FILE else f"{_bracketed(self.host)}:{self.port}"
        option = "?unsigned=allow" if self.allow_unsigned else ""
        return f"{self.kind.value}:{place}{option}#{self.link_group}"


def parse_link_url(text: str, *, link_group: str | None = None) -> LinkUrl:
    """Return a link URL taken apart; `link_group` stands where the URL names none (default "main").

    Raises InputError: what, value, allowed.
    """
    form = _FORM.fullmatch(text.strip())
    kind = ALIASES.get(form["scheme"].lower()) if form else None
    if form is None or kind is None:
        raise InputError(f"the link {text!r} is unknown: give {FORMS}")
    rest, group = _split_group(form["rest"], kind, link_group or DEFAULT_GROUP, text)
    if kind is LinkKind.FILE:
        if not rest:
            raise InputError(f"the link {text!r} names no file: give file:PATH")
        return LinkUrl(kind=kind, link_group=group, path=Path(rest))
    place, _, query = rest.partition("?")
    host, port = _host_and_port(place.rstrip("/"), kind, text)
    return LinkUrl(kind=kind, link_group=group, host=host, port=port, allow_unsigned=_allows_unsigned(query, text))


def parse_link_urls(text: str) -> list[LinkUrl]:
    """Return the links of a comma-separated setting. Raises InputError."""
    return [parse_link_url(part) for part in text.split(",") if part.strip()]


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself and nobody else can be heard there."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _split_group(rest: str, kind: LinkKind, default: str, text: str) -> tuple[str, str]:
    place, mark, group = rest.rpartition("#")
    if not mark:
        return rest, default
    if _GROUP.fullmatch(group):
        return place, group
    if kind is LinkKind.FILE:
        return rest, default
    raise InputError(f"the link group {group!r} of {text!r}: give 1 to 32 of a-z, 0-9, _ and -")


def _host_and_port(place: str, kind: LinkKind, text: str) -> tuple[str, int]:
    host, mark, port_text = place.rpartition(":")
    if not mark or not port_text.isascii() or not port_text.isdigit() or not 0 <= int(port_text) <= _LATEST_PORT:
        raise InputError(f"the link {text!r} has no port 0 .. {_LATEST_PORT}: give {kind.value}:HOST:PORT")
    host = host.strip("[]")
    if kind is LinkKind.UDP_OUT and (not host or port_text == "0"):
        raise InputError(f"the link {text!r} does not say where to send: give udpout:HOST:PORT")
    return host or "0.0.0.0", int(port_text)  # noqa: S104 - MAVSDK's udpin://:14540 means every interface


def _allows_unsigned(query: str, text: str) -> bool:
    options = parse_qsl(query, keep_blank_values=True)
    for name, value in options:
        if (name, value) != ("unsigned", "allow"):
            raise InputError(f"the option {name}={value} of {text!r} is unknown: the only one is unsigned=allow")
    return bool(options)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
