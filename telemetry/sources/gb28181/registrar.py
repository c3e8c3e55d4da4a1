"""Who may register: a digest of the device's own password, answered once, for a nonce of ours of the last minute."""

from collections import OrderedDict
from typing import Final

import msgspec

from telemetry.model.decoding import Peer, Registry
from telemetry.model.enrolment import is_allowed
from telemetry.model.unit import Device
from telemetry.sources.gb28181.digest import (
    Algorithm,
    NonceMint,
    UsedNonces,
    is_right,
    read_answer,
    write_challenge,
)
from telemetry.sources.gb28181.domain import Domain
from telemetry.sources.gb28181.names import PROTOCOL, is_address
from telemetry.sources.gb28181.sip import Sip, user_of
from telemetry.sources.gb28181.turn import Turn

MOST_WRONG: Final = 5
"""Wrong passwords for one device from one host before it must wait."""
LOCKED_US: Final = 60_000_000
FAILURES_KEPT: Final = 4_096
_EDITION: Final = "x-gb-ver"
_EDITION_2022: Final = 3.0


class Answer(msgspec.Struct, frozen=True):
    """What a request is answered with."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


FORBIDDEN: Final = Answer(403, "Forbidden")


class _Failures(msgspec.Struct):
    """Wrong passwords of one device from one host."""

    count: int = 0
    locked_until_us: int = 0


class Registrar:
    """Decides about REGISTER; remembers which nonces were used and who gave wrong passwords."""

    def __init__(self, registry: Registry, domain: Domain, process_secret: bytes) -> None:
        self._registry = registry
        self._domain = domain
        self._mint = NonceMint(process_secret)
        self._used: dict[int, UsedNonces] = {}
        self._failures: OrderedDict[tuple[int, str], _Failures] = OrderedDict()

    def judge(self, request: Sip, peer: Peer, now_us: int, turn: Turn) -> Device | Answer:
        """Return the device that has proved to be itself, or what the request is answered with instead."""
        address = request.from_user
        device = self.enrolled(address, peer, now_us, turn)
        if device is None:
            return FORBIDDEN
        if user_of(request.first("to")) != address:
            turn.bad["register_other_name"] += 1
            return FORBIDDEN
        password = self._registry.secret(device.device_id)
        if password is None:
            self._registry.quarantine(PROTOCOL, address, now_us, "it has no password: rotate its secret")
            turn.bad["device_without_password"] += 1
            return FORBIDDEN
        failures = self._failures.get((device.device_id, peer.host))
        if failures is not None and now_us < failures.locked_until_us:
            turn.bad["register_locked"] += 1
            return FORBIDDEN
        return self._check(request, device, password.decode("utf-8", "replace"), peer=peer, now_us=now_us, turn=turn)

    def enrolled(self, address: str, peer: Peer, now_us: int, turn: Turn) -> Device | None:
        """Return the device of this id that may speak from this host; others are counted and shown in quarantine."""
        if not is_address(address):
            turn.bad["bad_address"] += 1
            return None
        device = self._registry.device(PROTOCOL, address)
        if device is not None and not device.revoked and is_allowed(peer.host, device.options.allowed_hosts):
            return device
        name, reason = _why_refused(device)
        turn.bad[name] += 1
        self._registry.quarantine(PROTOCOL, address, now_us, reason)
        return None

    def _check(
        self, request: Sip, device: Device, password: str, *, peer: Peer, now_us: int, turn: Turn
    ) -> Device | Answer:
        given = request.first("authorization")
        if not given:
            return self._challenge(request, device, peer, now_us=now_us)
        answer = read_answer(given)
        if answer is None or answer.algorithm not in self._domain.digests:
            turn.bad["bad_digest"] += 1
            return self._challenge(request, device, peer, now_us=now_us)
        if not self._mint.is_alive(answer.nonce, peer.host, device.address, now_us):
            turn.bad["stale_nonce"] += 1
            return self._challenge(request, device, peer, now_us=now_us, is_stale=True)
        names_match = answer.username == device.address and answer.realm == self._domain.realm
        if not (is_right(answer, method=request.method, password=password) and names_match):
            return self._wrong(request, device, peer, now_us=now_us, turn=turn)
        if not self._used.setdefault(device.device_id, UsedNonces()).take(answer.nonce, answer.count, now_us):
            turn.bad["replayed_digest"] += 1
            return self._challenge(request, device, peer, now_us=now_us, is_stale=True)
        self._failures.pop((device.device_id, peer.host), None)
        return device

    def _wrong(self, request: Sip, device: Device, peer: Peer, *, now_us: int, turn: Turn) -> Answer:
        turn.bad["wrong_password"] += 1
        key = (device.device_id, peer.host)
        failures = self._failures.pop(key, None) or _Failures()
        failures.count += 1
        self._failures[key] = failures
        if len(self._failures) > FAILURES_KEPT:
            self._failures.popitem(last=False)
        if failures.count < MOST_WRONG:
            return self._challenge(request, device, peer, now_us=now_us)
        failures.count = 0
        failures.locked_until_us = now_us + LOCKED_US
        self._registry.quarantine(PROTOCOL, device.address, now_us, "wrong password")
        return FORBIDDEN

    def _challenge(self, request: Sip, device: Device, peer: Peer, *, now_us: int, is_stale: bool = False) -> Answer:
        """Return a 401; SHA-256 is offered first, and only to devices that say that they know edition 2022."""
        offered = self._domain.digests
        if len(offered) > 1 and not _knows_2022(request):
            offered = (Algorithm.MD5,)
        headers = []
        for algorithm in offered:
            nonce = self._mint.make(peer.host, device.address, now_us)
            challenge = write_challenge(
                realm=self._domain.realm,
                nonce=nonce,
                algorithm=algorithm,
                offers_qop=self._domain.offers_qop,
                is_stale=is_stale,
            )
            headers.append(("WWW-Authenticate", challenge))
        return Answer(401, "Unauthorized", tuple(headers))


def _why_refused(device: Device | None) -> tuple[str, str]:
    if device is None:
        return "unknown_device", "unknown device: enrol it with its own password"
    if device.revoked:
        return "revoked_device", "revoked"
    return "host_not_allowed", "it speaks from an address that it may not use"


def _knows_2022(request: Sip) -> bool:
    try:
        return float(request.first(_EDITION)) >= _EDITION_2022
    except ValueError:
        return False
