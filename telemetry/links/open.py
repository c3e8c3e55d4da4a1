"""From a link's URL to the link: which transport it needs, and one source for all links of a protocol and group."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from infra.clock import Clock
from telemetry.links.dialling import DiallingLink
from telemetry.links.link import Answers, Keeper, Link, LinkContext
from telemetry.links.listening import ListeningLink
from telemetry.links.mqtt import MqttLink
from telemetry.links.routes import Routes
from telemetry.links.serial import SerialLink
from telemetry.links.tap import Tap
from telemetry.links.udp import UdpLink
from telemetry.links.url import LinkKind, LinkUrl
from telemetry.model.decoding import Decoder, Output, Peer, Registry, Source, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.link_ways import LinkWay
from telemetry.sources import find_link_sources

SECRET_BYTES: Final = 32
_OPENERS: Final[Mapping[LinkKind, Callable[[LinkUrl, LinkContext], Link]]] = {
    LinkKind.UDP_IN: UdpLink,
    LinkKind.UDP_OUT: UdpLink,
    LinkKind.TCP_IN: ListeningLink,
    LinkKind.TLS_IN: ListeningLink,
    LinkKind.TCP_OUT: DiallingLink,
    LinkKind.TLS_OUT: DiallingLink,
    LinkKind.SERIAL: SerialLink,
    LinkKind.MQTT: MqttLink,
    LinkKind.MQTTS: MqttLink,
}


@runtime_checkable
class FeedsMany(Protocol):
    """A source that reads the datagrams of many peers at once."""

    def feed_many(
        self, pieces: Sequence[tuple[Any, bytes]], now_us: int
    ) -> tuple[Output, list[int], list[int], Answers]:
        """Do as each decoder's `feed` in turn; see `link.FeedMany`."""


@runtime_checkable
class HearsVehicles(Protocol):
    """A source whose devices may come by several links at once, and whose frames other programs want."""

    def tap_frames(self) -> None:
        """Hand out vehicles' frames as they come (`Output.heard`), from now on."""

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a device is heard, none for one that is not heard here."""

    def transferring(self) -> frozenset[int]:
        """Return the devices with which a transfer of ours runs."""


class Sources:
    """The sources that are open, one for each protocol and link group; links of one group share what its peers share."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._open: dict[tuple[str, str], Source] = {}
        self._options: dict[tuple[str, str], dict[str, str]] = {}
        self._is_tapped = False

    def tap_frames(self) -> None:
        """Let every source hand out vehicles' frames as they come."""
        self._is_tapped = True
        for source in self._of_vehicles():
            source.tap_frames()

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a device is heard, where its protocol tells."""
        return [way for source in self._of_vehicles() for way in source.ways_of(device_id)]

    def transferring(self) -> frozenset[int]:
        """Return the devices with which a transfer of ours runs."""
        return frozenset().union(*(source.transferring() for source in self._of_vehicles()))

    def _of_vehicles(self) -> list[HearsVehicles]:
        return [source for source in self._open.values() if isinstance(source, HearsVehicles)]

    def of(self, url: LinkUrl) -> Source:
        """Return the source of a link, opened when it is the first of its protocol and group.

        Raises InputError for a protocol that there is not, or for options that differ from another link's of the group.
        """
        found = find_link_sources()
        if url.protocol not in found:
            raise InputError(
                f"the protocol {url.protocol!r} of {url} is unknown: choose from {', '.join(sorted(found))}"
            )
        key = (url.protocol, url.link_group)
        options = self._options.setdefault(key, {})
        for name, value in url.source_options.items():
            if options.setdefault(name, value) != value:
                raise InputError(
                    f"{url} says {name}={value}, another link of group {url.link_group!r} {options[name]}: agree"
                )
        if key not in self._open:
            context = SourceContext(
                registry=self._registry, link_group=url.link_group, options=options, process_secret=self._secret
            )
            source = self._open[key] = found[url.protocol](context)
            if self._is_tapped and isinstance(source, HearsVehicles):
                source.tap_frames()
        return self._open[key]


class LinkOpener:
    """Makes links for one bridge."""

    def __init__(
        self,
        registry: Registry,
        keeper: Keeper,
        clock: Clock,
        routes: Routes,
        *,
        tap: Tap | None = None,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        self.sources = Sources(registry)
        self._keeper = keeper
        self._clock = clock
        self._routes = routes
        self._tap = tap
        self._tls = (tls_cert, tls_key)

    def make(self, url: LinkUrl) -> Link:
        """Return a link that is not open yet. Raises InputError for an unknown protocol or options that contradict."""
        source = self.sources.of(url)

        def make_decoder(peer: Peer) -> Decoder:
            return source.decoder(peer)

        context = LinkContext(
            keeper=self._keeper,
            feed_many=source.feed_many if isinstance(source, FeedsMany) else None,
            clock=self._clock,
            make_decoder=make_decoder,
            routes=self._routes,
            tap=self._tap,
            tls_cert=self._tls[0],
            tls_key=self._tls[1],
        )
        opener = _OPENERS.get(url.kind)
        if opener is None:
            raise InputError(f"{url} cannot be opened as a link: a {url.kind.value} link is opened otherwise")
        return opener(url, context)
