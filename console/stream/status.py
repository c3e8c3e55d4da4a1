"""What browsers are told of units' statuses: what changed since each one's cursor, packed once a scope."""

from collections.abc import Iterable

from console.auth.policy import Scope
from console.sources import LiveSource
from console.stream.client import Client
from console.wire import StatusChanged, StatusView, encode_message
from telemetry.picture.status import UnitStatus


class StatusTexts:
    """Messages of one turn: `read` takes the board's version, `since` gives those behind it what they miss.

    A browser that is late asks with the cursor where it stands and gets the newest status of each unit, never a queue.
    """

    def __init__(self, bridge: LiveSource) -> None:
        self.version = 0
        self._bridge = bridge
        self._texts: dict[tuple[Scope, int, int], str | None] = {}

    def read(self) -> bool:
        """Take the board's version as this turn's; tell whether it is another one."""
        version = self._bridge.statuses.version
        if version == self.version:
            return False
        self.version = version
        self._texts.clear()
        return True

    def refresh(self, clients: Iterable[Client]) -> None:
        """Read, and let those who watch fetch what is new."""
        if self.read():
            for client in clients:
                client.wake()

    def since(self, version: int, scope: Scope) -> str | None:
        """Return the message for one who knows everything up to `version`; None when nothing of the scope changed."""
        if version >= self.version:
            return None
        key = (scope, version, self._bridge.registry.version)
        if key not in self._texts:
            self._texts[key] = self._pack(version, scope)
        return self._texts[key]

    def _pack(self, version: int, scope: Scope) -> str | None:
        units = self._bridge.registry.units
        changed = self._bridge.statuses.changed_since(version)
        seen = [status for status in changed if status.unit_id in units and scope.sees(units[status.unit_id])]
        return encode_message(StatusChanged(statuses=[_view_of(status) for status in seen])) if seen else None


def _view_of(status: UnitStatus) -> StatusView:
    return StatusView(
        unit_id=status.unit_id,
        mode=status.mode,
        mission_item=status.mission_item,
        mission_total=status.mission_total,
        text=status.text,
        text_level=status.text_level,
        text_at_ms=None if status.text_at_us is None else status.text_at_us / 1000,
    )
