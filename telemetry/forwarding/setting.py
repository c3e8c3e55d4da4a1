"""The setting SKYBEAT_FORWARD: which ground stations drones are forwarded to, by which way, and which drones."""

import ipaddress
from typing import Final

import msgspec

from telemetry.links.url import LinkKind, LinkUrl, is_loopback, parse_link_url
from telemetry.model.errors import InputError

PROTOCOL: Final = "forward"
FORM: Final = (
    "udpout:HOST:PORT#NAME or tcpin:HOST:PORT#NAME, with ?devices=GROUP/ID+GROUP/ID for some drones only, "
    "and ?hosts=ADDRESS+NETWORK who may connect to a tcpin beyond this machine"
)
KINDS: Final = frozenset({LinkKind.UDP_OUT, LinkKind.TCP_IN})
OPTIONS: Final = frozenset({"devices", "hosts"})
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ForwardUrl(msgspec.Struct, frozen=True, kw_only=True):
    """One ground station: its name, where it is, which drones it watches (addresses of the registry, empty: all)."""

    name: str
    link: LinkUrl
    devices: frozenset[str]
    hosts: tuple[Network, ...]

    def admits(self, host: str) -> bool:
        """Tell whether a machine may connect; without `hosts` only this one."""
        if is_loopback(host):
            return True
        return any(ipaddress.ip_address(host) in network for network in self.hosts)


def parse_forwards(text: str) -> list[ForwardUrl]:
    """Return the ground stations of the setting. Raises InputError: what, value, allowed."""
    found = [_parse(part.strip()) for part in text.split(",") if part.strip()]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"two ground stations are called {twice!r}: give each a #NAME of its own"
        raise InputError(message)
    return found


def _parse(text: str) -> ForwardUrl:
    link = parse_link_url(f"{PROTOCOL}+{text}", link_group="station")
    unknown = sorted(set(link.options) - OPTIONS)
    if link.kind not in KINDS or unknown:
        what = f"the option {unknown[0]}" if unknown else f"{link.kind.value}:"
        message = f"{what} of the ground station {text!r} is not known: give {FORM}"
        raise InputError(message)
    hosts = tuple(_network(word) for word in link.options.get("hosts", "").split())
    if link.kind is LinkKind.TCP_IN and not is_loopback(link.host) and not hosts:
        message = (
            f"{text!r} would show every drone to whoever connects: give ?hosts=ADDRESS+NETWORK, or listen on 127.0.0.1"
        )
        raise InputError(message)
    return ForwardUrl(
        name=link.link_group, link=link, devices=frozenset(link.options.get("devices", "").split()), hosts=hosts
    )


def _network(word: str) -> Network:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError as error:
        message = f"the host {word!r} is no address and no network: give 10.0.0.5 or 10.0.0.0/24"
        raise InputError(message) from error
