"""What browsers are told of others in the air: all of them together, at most once a second, and once more when they are gone."""

from typing import Final

from console.auth.policy import MESSAGE_POLICIES, Scope, allows
from console.flight.views import hazards_seen
from console.sources import FieldBridge
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_flight import TrafficChanged
from infra.clock import Clock

EVERY_S: Final = 1.0


class TrafficFeed:
    """A feed (console/stream/feed.py): the newest state of all hazards, never a queue; packed once a scope."""

    def __init__(self, bridge: FieldBridge, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._version = 0
        self._read_s = -EVERY_S
        self._places: dict[Client, int] = {}
        self._texts: dict[Scope, str] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins its place: it is told at once where anybody is in the air."""
        del resume
        if allows(MESSAGE_POLICIES["traffic"], client.scope.role):
            self._places[client] = -1 if self._bridge.traffic.hazards() else self._version

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._places.pop(client, None)

    def read(self) -> bool:
        """Take the board's state as this turn's, at most once a second."""
        now_s, version = self._clock.monotonic_s(), self._bridge.traffic.version
        if version == self._version or now_s - self._read_s < EVERY_S:
            return False
        self._version, self._read_s = version, now_s
        self._texts.clear()
        return True

    def due(self, client: Client) -> list[str]:
        """Return the hazards where a browser has not been told them as they stand, and move its place."""
        place = self._places.get(client)
        if place is None or place == self._version:
            return []
        self._places[client] = self._version
        text = self._texts.get(client.scope)
        if text is None:
            hazards = hazards_seen(self._bridge, client.scope)
            message = TrafficChanged(at_ms=self._clock.now_us() / 1000, hazards=hazards)
            text = self._texts[client.scope] = encode_message(message)
        return [text]
