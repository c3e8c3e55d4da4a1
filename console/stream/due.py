"""What browsers are told of sorties that are due: all of their scope's together, whenever that changes."""

from typing import Protocol

from console.auth.policy import MESSAGE_POLICIES, Scope, allows
from console.sources import LiveSource
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_flight import DueChanged, DueView


class DueSource(Protocol):
    """Who knows what is due (console/patrols/due.py); `version` grows with every change of `shown`."""

    version: int
    shown: tuple[DueView, ...]


class DueFeed:
    """A feed (console/stream/feed.py): the newest state, never a queue; packed once a scope."""

    def __init__(self, source: DueSource, bridge: LiveSource) -> None:
        self._source, self._bridge = source, bridge
        self._version = 0
        self._places: dict[Client, int] = {}
        self._texts: dict[Scope, str] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins its place: it is told at once where anything is due."""
        del resume
        if allows(MESSAGE_POLICIES["due"], client.scope.role):
            self._places[client] = -1 if self._source.shown else self._version

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._places.pop(client, None)

    def read(self) -> bool:
        """Take what is due as this turn's."""
        if self._source.version == self._version:
            return False
        self._version = self._source.version
        self._texts.clear()
        return True

    def due(self, client: Client) -> list[str]:
        """Return what is due where a browser has not been told it as it stands, and move its place."""
        place = self._places.get(client)
        if place is None or place == self._version:
            return []
        self._places[client] = self._version
        text = self._texts.get(client.scope)
        if text is None:
            units, scope = self._bridge.registry.units, client.scope
            seen = [one for one in self._source.shown if one.unit_id in units and scope.sees(units[one.unit_id])]
            text = self._texts[scope] = encode_message(DueChanged(sorties=seen))
        return [text]
