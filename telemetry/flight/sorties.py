"""The sortie that each drone was given last and how far it has come; a pure fold over events, versioned."""

from telemetry.model.events import AnyEvent
from telemetry.model.flight_events import SortieMoved


class SortieBoard:
    """One state a device, of those that were ever given a sortie; what restarts must not forget is in the events."""

    def __init__(self) -> None:
        self.version = 0
        self._moved: dict[int, SortieMoved] = {}

    def of(self, device_id: int) -> SortieMoved | None:
        """Return how far a device's last sortie has come, None for one that never had any."""
        return self._moved.get(device_id)

    def all(self) -> list[SortieMoved]:
        """Return the last state of every device."""
        return list(self._moved.values())

    def apply(self, event: AnyEvent) -> None:
        """Take what an event says of a sortie; other events are passed over."""
        if isinstance(event, SortieMoved) and not event.replayed:
            self.version += 1
            self._moved[event.device_id] = event
