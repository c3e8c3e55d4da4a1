"""What each unit's vehicle said last: flight mode, mission progress and status text; a pure fold over events, versioned."""

from typing import Final

import msgspec

from telemetry.model.events import AnyEvent, MissionProgress, ModeChanged, StatusText
from telemetry.registry.table import RegistryTable

LONGEST_TEXT_CHARACTERS: Final = 200
"""A status text is cut here: more fits no line on a screen, and a vehicle may send far more."""


class UnitStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The last word of the device that speaks for a unit; None is what it never said.

    `mode` is the firmware's own name, `mission_item` counts to `mission_total`, `text_level` is MAV_SEVERITY 0 (emergency) .. 7
    (debug), `text_at_us` UTC microseconds.
    """

    unit_id: int
    device_id: int | None = None
    mode: str | None = None
    mission_item: int | None = None
    mission_total: int | None = None
    text: str | None = None
    text_level: int | None = None
    text_at_us: int | None = None


class StatusBoard:
    """One status a unit, of those whose vehicles ever told any; every change raises `version`.

    Recorded vehicles count like live ones. Another device that speaks for a unit begins with nothing: its past is not the
    first one's.
    """

    def __init__(self, registry: RegistryTable) -> None:
        self.version = 0
        self._registry = registry
        self._registry_version = registry.version
        self._statuses: dict[int, tuple[int, UnitStatus]] = {}

    def of(self, unit_id: int) -> UnitStatus:
        """Return a unit's status, an empty one where nothing is known."""
        held = self._statuses.get(unit_id)
        return UnitStatus(unit_id=unit_id) if held is None else held[1]

    def changed_since(self, version: int) -> list[UnitStatus]:
        """Return the statuses that changed after `version`, the one that changed last at the end."""
        changed = [held for held in self._statuses.values() if held[0] > version]
        return [status for _, status in sorted(changed, key=lambda held: held[0])]

    def apply(self, event: AnyEvent) -> None:
        """Take what an event says of mode, mission or text; others, and devices that speak for no unit, are passed over."""
        if not isinstance(event, ModeChanged | MissionProgress | StatusText):
            return
        unit_id = self._registry.unit_of(event.device_id, event.received_us)
        if unit_id is None:
            return
        status = self.of(unit_id)
        if status.device_id != event.device_id:
            status = UnitStatus(unit_id=unit_id, device_id=event.device_id)
        self._keep(status_after(status, event))

    def refresh(self, now_us: int) -> None:
        """Follow the registry: a unit whose device speaks for it no longer has nothing to say."""
        if self._registry_version == self._registry.version:
            return
        self._registry_version = self._registry.version
        for unit_id, (_, status) in list(self._statuses.items()):
            if unit_id not in self._registry.units:
                del self._statuses[unit_id]
            elif status.device_id is not None and self._registry.unit_of(status.device_id, now_us) != unit_id:
                self._keep(UnitStatus(unit_id=unit_id))

    def _keep(self, status: UnitStatus) -> None:
        if status == self.of(status.unit_id):
            return
        self.version += 1
        self._statuses[status.unit_id] = (self.version, status)


def status_after(status: UnitStatus, event: ModeChanged | MissionProgress | StatusText) -> UnitStatus:
    """Return the status after one event. An item that was reached is the current one only while no other is known."""
    match event:
        case ModeChanged(mode=mode):
            return msgspec.structs.replace(status, mode=mode)
        case MissionProgress(reached=True) if status.mission_item is not None:
            return status
        case MissionProgress(item=item, total=total):
            return msgspec.structs.replace(status, mission_item=item, mission_total=total)
        case StatusText(level=level, text=text):
            cut = text[:LONGEST_TEXT_CHARACTERS]
            return msgspec.structs.replace(status, text=cut, text_level=level, text_at_us=event.observed_us)
