"""Link URLs: which protocol is spoken on which socket, line, broker or file, for which link group, and with which options."""

import ipaddress
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote

import msgspec

from telemetry.model.errors import InputError

DEFAULT_GROUP: Final = "main"
MAVLINK: Final = "mavlink"
"""The protocol of a URL that names none."""
FORMS: Final = (
    "udpin:HOST:PORT, udpout:HOST:PORT, tcpin:HOST:PORT, tcpout:HOST:PORT, tlsin:HOST:PORT, tlsout:HOST:PORT, serial:DEVICE, "
    "mqtt:HOST:PORT, mqtts:HOST:PORT or file:PATH; PROTOCOL+ before it where it is not MAVLink, ?OPTION=VALUE and #LINK_GROUP behind it"
)
_GROUP: Final = re.compile(r"[a-z0-9_-]{1,32}")
_FORM: Final = re.compile(r"((?P<protocol>[A-Za-z0-9_]+)\+)?(?P<scheme>[A-Za-z]+):(//)?(?P<rest>.*)", re.DOTALL)
_LATEST_PORT: Final = 65535
_SECRETS: Final = frozenset({"password", "secret", "token"})
_SECRET_OPTION: Final = re.compile(rf"(?i)([?&](?:{'|'.join(sorted(_SECRETS))})=)[^&#]*")
_ACCOUNT: Final = re.compile(r"((?://|[a-z]:|^))[^/?#&@\s]+@")


class LinkKind(StrEnum):
    """How a link speaks."""

    UDP_IN = "udpin"
    UDP_OUT = "udpout"
    TCP_IN = "tcpin"
    TCP_OUT = "tcpout"
    TLS_IN = "tlsin"
    TLS_OUT = "tlsout"
    SERIAL = "serial"
    MQTT = "mqtt"
    MQTTS = "mqtts"
    FILE = "file"


TRANSPORTS: Final = {
    LinkKind.UDP_IN: "udp",
    LinkKind.UDP_OUT: "udp",
    LinkKind.TCP_IN: "tcp",
    LinkKind.TCP_OUT: "tcp",
    LinkKind.TLS_IN: "tls",
    LinkKind.TLS_OUT: "tls",
    LinkKind.SERIAL: "serial",
    LinkKind.MQTT: "mqtt",
    LinkKind.MQTTS: "mqtt",
    LinkKind.FILE: "file",
}
"""What a decoder's Peer is told of each kind."""
LISTENING: Final = frozenset({LinkKind.UDP_IN, LinkKind.TCP_IN, LinkKind.TLS_IN})
WITH_PATH: Final = frozenset({LinkKind.FILE, LinkKind.SERIAL})
USUAL_PORTS: Final = {LinkKind.MQTT: 1883, LinkKind.MQTTS: 8883}
ALIASES: Final = {
    **{kind.value: kind for kind in LinkKind},
    "udp": LinkKind.UDP_IN,
    "udps": LinkKind.UDP_IN,
    "udpc": LinkKind.UDP_OUT,
    "tcp": LinkKind.TCP_OUT,
    "tcps": LinkKind.TCP_IN,
    "tcpc": LinkKind.TCP_OUT,
    "tls": LinkKind.TLS_OUT,
}
"""Schemes of our own, of pymavlink (udp, tcp), of MAVSDK (with //) and of mavp2p (udps, udpc, tcps, tcpc)."""
LINK_OPTIONS: Final[Mapping[str, str]] = {
    "unsigned": "allow",
    "baud": "9600",
    "cert": "/etc/skybeat/server.pem",
    "key": "/etc/skybeat/server.key",
    "ca": "/etc/skybeat/devices-ca.pem",
    "connections": "4000",
    "per_host": "2000",
}
"""What links themselves understand, each with an example; everything else is the protocol's."""

MQTT_OPTIONS: Final = frozenset({"topic", "user", "password", "client_id"})
"""What only a broker's link understands."""


class LinkUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A link URL taken apart; `path` belongs to files and serial lines, `host` and `port` to the others."""

    kind: LinkKind
    link_group: str
    protocol: str = MAVLINK
    host: str = ""
    port: int = 0
    path: Path = Path()
    options: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def allow_unsigned(self) -> bool:
        """Tell whether MAVLink devices without a key may speak here from anywhere."""
        return self.options.get("unsigned") == "allow"

    @property
    def transport(self) -> str:
        """Return what a decoder is told of the way: udp, tcp, tls, serial, mqtt or file."""
        return TRANSPORTS[self.kind]

    @property
    def source_options(self) -> dict[str, str]:
        """Return the options that the link leaves to its protocol."""
        mine = MQTT_OPTIONS if self.kind in (LinkKind.MQTT, LinkKind.MQTTS) else frozenset()
        return {name: value for name, value in self.options.items() if name not in LINK_OPTIONS and name not in mine}

    @property
    def is_open_to_others(self) -> bool:
        """Tell whether it listens beyond this machine without encryption."""
        return self.kind in LISTENING and self.kind is not LinkKind.TLS_IN and not is_loopback(self.host)

    def __str__(self) -> str:
        """Return the URL in its plain form; secrets among its options are not shown."""
        place = str(self.path) if self.kind in WITH_PATH else f"{_bracketed(self.host)}:{self.port}"
        protocol = "" if self.protocol == MAVLINK else f"{self.protocol}+"
        shown = "&".join(f"{name}={_shown(name, value)}" for name, value in self.options.items())
        return f"{protocol}{self.kind.value}:{place}{'?' if shown else ''}{shown}#{self.link_group}"


def parse_link_url(text: str, *, link_group: str | None = None) -> LinkUrl:
    """Return a link URL taken apart; `link_group` stands where the URL names none (default "main").

    Raises InputError: what, value, allowed.
    """
    form, text = _FORM.fullmatch(text.strip()), without_secrets(text)
    kind = ALIASES.get(form["scheme"].lower()) if form else None
    if form is None or kind is None:
        raise InputError(f"the link {text!r} is unknown: give {FORMS}")
    protocol = (form["protocol"] or MAVLINK).lower()
    rest, group = _split_group(form["rest"], kind, link_group or DEFAULT_GROUP, text)
    if kind is LinkKind.FILE:
        if not rest:
            raise InputError(f"the link {text!r} names no file: give file:PATH")
        return LinkUrl(kind=kind, link_group=group, protocol=protocol, path=Path(rest))
    place, _, query = rest.partition("?")
    options = _options(query, protocol, text)
    if kind is LinkKind.SERIAL:
        if not place.startswith("/"):
            raise InputError(f"the link {text!r} names no serial line: give serial:/dev/ttyUSB0?baud=9600")
        return LinkUrl(kind=kind, link_group=group, protocol=protocol, path=Path(place), options=options)
    host, port = _host_and_port(place.rstrip("/"), kind, text)
    return LinkUrl(kind=kind, link_group=group, protocol=protocol, host=host, port=port, options=options)


def parse_link_urls(text: str) -> list[LinkUrl]:
    """Return the links of a comma-separated setting. Raises InputError."""
    return [parse_link_url(part) for part in text.split(",") if part.strip()]


def without_secrets(text: str) -> str:
    """Return what a person wrote as a link, its password and the account before a host left out: for messages."""
    return _ACCOUNT.sub(r"\1***@", _SECRET_OPTION.sub(r"\1***", text))


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
    if not mark and kind in USUAL_PORTS:
        host, mark, port_text = place, ":", str(USUAL_PORTS[kind])
    if not mark or not port_text.isascii() or not port_text.isdigit() or not 0 <= int(port_text) <= _LATEST_PORT:
        raise InputError(f"the link {text!r} has no port 0 .. {_LATEST_PORT}: give {kind.value}:HOST:PORT")
    host = host.strip("[]")
    if "@" in host:
        raise InputError(f"the link {text!r} has an account before its host: give ?user=NAME&password=WORD behind it")
    if kind not in LISTENING and (not host or port_text == "0"):
        raise InputError(f"the link {text!r} does not say where to send: give {kind.value}:HOST:PORT")
    return host or "0.0.0.0", int(port_text)  # noqa: S104 - MAVSDK's udpin://:14540 means every interface


def _options(query: str, protocol: str, text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in options:
            raise InputError(f"the option {name} stands twice in {text!r}: give it once")
        if name == "unsigned" and value != "allow":
            raise InputError(f"the option {name}={value} of {text!r} is unknown: the only one is unsigned=allow")
        if protocol == MAVLINK and name not in LINK_OPTIONS:
            shown = _shown(name, value)
            raise InputError(f"the option {name}={shown} of {text!r} is unknown: a MAVLink link has {_examples()}")
        options[name] = value
    return options


def _examples() -> str:
    return ", ".join(f"{name}={example}" for name, example in LINK_OPTIONS.items())


def _shown(name: str, value: str) -> str:
    return "***" if name in _SECRETS else quote(_ACCOUNT.sub(r"\1***@", value), safe="/:,@*")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
