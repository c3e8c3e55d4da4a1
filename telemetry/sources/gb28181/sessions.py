"""Who is registered from where; a registration is pinned to the transport, address and port that it came from."""

from collections.abc import Iterable

from telemetry.model.decoding import Peer, Registry
from telemetry.model.enrolment import is_allowed
from telemetry.model.unit import Device
from telemetry.sources.gb28181.session import GREET_AFTER_US, PeerKey, Session, key_of_peer
from telemetry.sources.gb28181.sip import Sip
from telemetry.sources.gb28181.subscriptions import doubt
from telemetry.sources.gb28181.turn import Turn
from telemetry.sources.gb28181.video import end_calls


class Sessions:
    """The registrations of one link group.

    Behind a NAT that gives a device another port, its messages come from an address that it did not register from: they are
    answered 403, which makes it register again. No message can move a registration but a REGISTER with its digest.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._by_device: dict[int, Session] = {}
        self._by_peer: dict[PeerKey, dict[int, Session]] = {}

    def of_device(self, device_id: int) -> Session | None:
        """Return the device's registration, an expired one too."""
        return self._by_device.get(device_id)

    def at(self, peer: Peer) -> Iterable[Session]:
        """Return the registrations that came from this peer."""
        return tuple(self._by_peer.get(key_of_peer(peer), {}).values())

    def register(
        self, device: Device, request: Sip, peer: Peer, *, contact: str, expires_us: int, now_us: int, turn: Turn
    ) -> Session:
        """Take a registration that was proved; `expires_us` 0 ends it.

        The same device from the same place refreshes what it has. With another Call-ID it may have been started anew, and have
        lost our dialogs: they are asked for. From another place a new one begins.
        """
        session = self._by_device.get(device.device_id)
        is_same = session is not None and session.is_alive(now_us) and session.key == key_of_peer(peer)
        if session is None or not is_same:
            session = self._begin(device, peer, request.call_id, now_us, turn)
        elif session.call_id != request.call_id:
            session.call_id = request.call_id
            session.greet_us = now_us + GREET_AFTER_US
            doubt(session)
        session.device = device
        session.secret = self._registry.secret(device.device_id)
        session.contact = contact
        session.expires_us = expires_us
        turn.facts.append(session.fact())
        if not expires_us:
            self.end(session, now_us, turn)
        return session

    def speaker(self, device: Device, peer: Peer, now_us: int, turn: Turn) -> Session | None:
        """Return the device's registration if it holds and this is where it came from.

        After our restart it is the remembered one. A device whose password was changed must register again.
        """
        session = self._by_device.get(device.device_id)
        if session is None:
            session = self._resume(device, peer, now_us, turn)
        if session is None or not session.is_alive(now_us) or session.key != key_of_peer(peer):
            return None
        if session.secret != self._registry.secret(device.device_id):
            return None
        session.device = device
        return session

    def end(self, session: Session, now_us: int, turn: Turn) -> None:
        """Forget the dialogs of a registration that is over; it stays known as ended, so that it is not resumed."""
        session.expires_us = 0
        end_calls(session, now_us, turn)
        session.asking.forget()
        self._by_peer.get(session.key, {}).pop(session.device.device_id, None)
        if not self._by_peer.get(session.key):
            self._by_peer.pop(session.key, None)

    def _begin(self, device: Device, peer: Peer, call_id: str, now_us: int, turn: Turn) -> Session:
        before = self._by_device.get(device.device_id)
        if before is not None:
            self.end(before, now_us, turn)
        secret = self._registry.secret(device.device_id)
        session = Session(device, peer, call_id=call_id, secret=secret, greet_us=now_us + GREET_AFTER_US)
        self._by_device[device.device_id] = session
        self._by_peer.setdefault(session.key, {})[device.device_id] = session
        return session

    def _resume(self, device: Device, peer: Peer, now_us: int, turn: Turn) -> Session | None:
        """Begin a session from the registration that was remembered over our restart, if this is where it came from."""
        fact = self._registry.registration(device.device_id)
        if fact is None or (fact.transport, fact.host, fact.port) != key_of_peer(peer) or now_us >= fact.expires_us:
            return None
        if not is_allowed(peer.host, device.options.allowed_hosts):
            return None
        session = self._begin(device, peer, "", now_us, turn)
        session.contact, session.expires_us = fact.contact, fact.expires_us
        return session
