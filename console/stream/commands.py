"""What browsers are told of commands to devices: each as it stands, whenever it goes on, to those who may see its unit."""

from console.auth.policy import MESSAGE_POLICIES, Scope, allows
from console.command_views import view_of_order
from console.sources import FieldBridge
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_command import CommandChanged
from telemetry.orders import Order


class CommandFeed:
    """A feed (console/stream/feed.py): changes from the moment that a browser joins; what was before it reads by itself."""

    def __init__(self, bridge: FieldBridge) -> None:
        self._bridge = bridge
        self._version = bridge.orders.version
        self._places: dict[Client, int] = {}

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins its place, the present."""
        del resume
        if allows(MESSAGE_POLICIES["command"], client.scope.role):
            self._places[client] = self._bridge.orders.version

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._places.pop(client, None)

    def read(self) -> bool:
        """Tell whether the board went on since the last turn."""
        version, self._version = self._version, self._bridge.orders.version
        return version != self._version

    def due(self, client: Client) -> list[str]:
        """Return the commands of the browser's scope that went on, in their order, and move its place."""
        place = self._places.get(client)
        if place is None or place == self._bridge.orders.version:
            return []
        self._places[client] = self._bridge.orders.version
        changed = self._bridge.orders.changed_since(place)
        return [
            encode_message(CommandChanged(command=view_of_order(order)))
            for order in changed
            if self._sees(client.scope, order)
        ]

    def _sees(self, scope: Scope, order: Order) -> bool:
        unit = self._bridge.registry.units.get(order.unit_id or 0)
        return scope.sees_unassigned() if unit is None else scope.sees(unit)
