"""What browsers are told of flights: all drones of the scope when they join, then each that changed; the newest state, never a queue."""

from console.auth.policy import MESSAGE_POLICIES, allows
from console.flight.desk import FlightDesk
from console.sources import FieldBridge
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_flight import FlightChanged
from telemetry.model.errors import NotFoundError


class FlightFeed:
    """A feed (console/stream/feed.py); a drone that changed twice between two readings is told once."""

    def __init__(self, desk: FlightDesk, bridge: FieldBridge) -> None:
        self._desk = desk
        self._bridge = bridge
        self._version = 0
        self._registry = -1
        self._places: dict[Client, int] = {}
        self._texts: dict[int, tuple[int, str]] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins the beginning."""
        del resume
        if allows(MESSAGE_POLICIES["flight"], client.scope.role):
            self._places[client] = -1

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._places.pop(client, None)

    def read(self) -> bool:
        """Tell whether a flight changed since the last turn; after a change of the registry all are told anew."""
        self._desk.refresh()
        if self._bridge.registry.version != self._registry:
            self._registry = self._bridge.registry.version
            self._texts.clear()
            self._places = dict.fromkeys(self._places, -1)
            return True
        version, self._version = self._version, self._desk.version
        return version != self._version

    def due(self, client: Client) -> list[str]:
        """Return the flights of the browser's scope that it has not been told as they stand, and move its place."""
        place = self._places.get(client)
        if place is None or place == self._desk.version:
            return []
        self._places[client] = self._desk.version
        seen = self._desk.seen(client.scope)
        if place >= 0:
            changed = {unit_id for unit_id, _ in self._desk.changed_since(place)}
            seen = [unit_id for unit_id in seen if unit_id in changed]
        return [text for unit_id in seen if (text := self._text(unit_id)) is not None]

    def _text(self, unit_id: int) -> str | None:
        version = self._desk.version_of(unit_id)
        held = self._texts.get(unit_id)
        if held is not None and held[0] == version:
            return held[1]
        try:
            text = encode_message(FlightChanged(flight=self._desk.view(unit_id)))
        except NotFoundError:
            return None  # it became another unit's in this very turn
        self._texts[unit_id] = (version, text)
        return text
