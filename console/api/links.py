"""Links and the protocols spoken on them: what comes in, what is bad, what to do; and the journal and recorder behind."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Query, Request, Response

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models_devices import LinkHealth, LinkPeersReply, LinkPeerView, LinksReply, ProtocolHealth
from console.auth.policy import Policy, policy
from console.device_views import sees_device
from console.parts import Parts
from telemetry.links.link import LinkStatus, PeerStatus
from telemetry.model.unit import LinkState

ROUTER: Final = router("system")
PEERS_SHOWN: Final = 200
_LIMITS: Final = frozenset({"connection_rate", "connections_of_host", "house_full", "no_files"})
"""Who was sent away for one of these may be one of ours: the link's limits are to be looked at."""


@ROUTER.get("/api/links", **says(LinksReply))
@policy(Policy.SEE_DEVICES)
async def list_links(request: Request) -> Response:
    """Return how each link and each protocol does; ask again after a second or two and take the differences for rates."""
    parts = parts_of(request)
    health, now_us = parts.health, parts.services.clock.now_us()
    statuses = parts.services.bridge.link_statuses()
    return reply(
        LinksReply(
            at_ms=now_us / 1000,
            links=[link_health(status) for status in statuses],
            protocols=_protocols(parts, statuses, now_us),
            journal=dict(health.journal_state()),
            history_lag_s=health.history_lag_s(),
            database_ok=health.database_ok,
            checks=health.checks(),
        )
    )


@ROUTER.get("/api/links/peers", **says(LinkPeersReply))
@policy(Policy.SEE_DEVICES)
async def list_peers(request: Request, url: Annotated[str, Query(max_length=500)]) -> Response:
    """Return who is at the other end of a link, by the `url` that the list of links has.

    Devices of other stations and covert ones are counted and not named, nor where they speak from.
    """
    peers = parts_of(request).services.bridge.link_peers(url)
    shown = [peer for peer in peers if _sees_peer(request, peer)]
    views = [
        LinkPeerView(
            host=peer.host,
            port=peer.port,
            device_ids=list(peer.device_ids),
            is_proven=peer.is_proven,
            since_ms=peer.since_us / 1000,
            heard_ms=peer.last_heard_us / 1000,
            pieces=peer.pieces,
            bytes_received=peer.bytes_received,
            positions=peer.positions,
            bad=peer.bad,
            waiting_replies=peer.waiting_replies,
            paused=peer.paused,
        )
        for peer in shown[:PEERS_SHOWN]
    ]
    return reply(LinkPeersReply(peer_count=len(peers), peers=views))


def _sees_peer(request: Request, peer: PeerStatus) -> bool:
    services, scope = parts_of(request).services, account_of(request).scope
    registry, now_us = services.bridge.registry, services.clock.now_us()
    return all(sees_device(scope, registry, device_id, now_us) for device_id in peer.device_ids)


def link_health(status: LinkStatus) -> LinkHealth:
    """Return a link as people are shown it."""
    return LinkHealth(
        url=status.url,
        protocol=status.protocol,
        transport=status.transport,
        link_group=status.link_group,
        state=status.state,
        paused=status.paused,
        is_plain=status.is_plain,
        peers=status.peers,
        strangers=status.strangers,
        devices=status.devices,
        datagrams=status.datagrams,
        datagrams_dropped=status.datagrams_dropped,
        bytes_received=status.bytes_received,
        positions=status.positions,
        bad=dict(status.bad),
        refused=dict(status.refused),
        replies_waiting=status.replies_waiting,
        replies_refused=status.replies_refused,
        heard_ms=None if status.last_heard_us is None else status.last_heard_us / 1000,
        last_error=status.last_error,
        advice=_advice(status),
    )


def _advice(status: LinkStatus) -> str:
    """Return the word for what a person should look at first, "" where nothing is wrong."""
    if status.paused:
        return "journal_full"
    if status.state in {"retrying", "failed"} or status.last_error:
        return "not_open"
    if _LIMITS & status.refused.keys():
        return "limits"
    if status.datagrams_dropped:
        return "dropping"
    if status.bad and not status.positions:
        return "unreadable"
    return "plain" if status.is_plain else ""


def _protocols(parts: Parts, statuses: Iterable[LinkStatus], now_us: int) -> list[ProtocolHealth]:
    bridge = parts.services.bridge
    heard = bridge.picture.device_links(now_us)
    devices = [device for device in bridge.registry.devices.values() if not device.revoked]
    by_protocol: dict[str, list[LinkStatus]] = {}
    for status in statuses:
        by_protocol.setdefault(status.protocol, []).append(status)
    states: Counter[tuple[str, LinkState]] = Counter(
        (device.protocol, heard.get(device.device_id, (LinkState.NEVER, 0))[0]) for device in devices
    )
    names = sorted(by_protocol.keys() | {device.protocol for device in devices})
    return [_protocol(name, by_protocol.get(name, []), states) for name in names]


def _protocol(name: str, links: list[LinkStatus], states: Counter[tuple[str, LinkState]]) -> ProtocolHealth:
    return ProtocolHealth(
        protocol=name,
        links=len(links),
        peers=sum(status.peers for status in links),
        positions=sum(status.positions for status in links),
        bad=sum(sum(status.bad.values()) for status in links),
        devices=sum(states[name, state] for state in LinkState),
        live=states[name, LinkState.LIVE],
        stale=states[name, LinkState.STALE],
        lost=states[name, LinkState.LOST],
        never=states[name, LinkState.NEVER],
    )
