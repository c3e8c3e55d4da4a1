"""Assigned areas: a unit shall be in one of the areas that are assigned to it now; told when it is in none, and when again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.fence import AreaAssignment
from telemetry.geofences.presence import Presence
from telemetry.geofences.sightings import is_judged
from telemetry.model.batch import Batch
from telemetry.model.events import OutsideArea
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryTable


class AreaWatch:
    """Which units are outside, judged with every report of the device that speaks for a unit with assignments."""

    def __init__(self, registry: RegistryTable, picture: Picture, presence: Presence) -> None:
        self._registry = registry
        self._picture = picture
        self._presence = presence
        self._by_unit: dict[int, list[AreaAssignment]] = {}
        self._by_station: dict[int, list[AreaAssignment]] = {}
        self._outside: dict[int, int] = {}
        self._watched_version = -1
        self._watched: NDArray[np.int32] = np.zeros(0, np.int32)

    def replace(self, assignments: Sequence[AreaAssignment]) -> None:
        """Take other assignments."""
        self._by_unit, self._by_station = {}, {}
        for one in assignments:
            if one.unit_id is not None:
                self._by_unit.setdefault(one.unit_id, []).append(one)
            elif one.station_id is not None:
                self._by_station.setdefault(one.station_id, []).append(one)
        self._watched_version = -1

    def apply(self, batch: Batch, now_us: int) -> list[OutsideArea]:
        """Judge the units of a batch's reports, after the presence took them."""
        if not self._by_unit and not self._by_station:
            return []
        asked = np.flatnonzero(np.isin(batch["device_id"], self._devices_watched(now_us)) & is_judged(batch))
        found = [self._judge(batch[place : place + 1], now_us) for place in asked.tolist()]
        return [event for event in found if event is not None]

    def tick(self, now_us: int) -> list[OutsideArea]:
        """Let go the units whose assignments are over."""
        over = [unit_id for unit_id in self._outside if not self._assigned(unit_id, now_us)]
        return [self._said(unit_id, self._outside[unit_id], now_us, active=False) for unit_id in over]

    def restore(self, batch: Batch, now_us: int) -> None:
        """Stand where the newest positions of the past say, telling nothing."""
        self.apply(batch, now_us)

    def restore_event(self, unit_id: int, event: OutsideArea) -> None:
        """Take an event of the past."""
        if event.active:
            self._outside[unit_id] = event.device_id
        else:
            self._outside.pop(unit_id, None)

    def _judge(self, report: Batch, now_us: int) -> OutsideArea | None:
        device_id = int(report["device_id"][0])
        unit_id = self._registry.unit_of(device_id, now_us)
        if unit_id is None or not self._speaks(unit_id, device_id):
            return None
        areas = self._in_force(unit_id, report, now_us)
        stays = self._presence.stays_of(device_id)
        is_outside = bool(areas) and not any(geofence_id in stays for geofence_id in areas)
        if is_outside == (unit_id in self._outside):
            return None
        event = self._said(unit_id, device_id, int(report["received_us"][0]), active=is_outside, areas=areas)
        if is_outside:
            self._outside[unit_id] = device_id
        return event

    def _said(
        self, unit_id: int, device_id: int, at_us: int, *, active: bool, areas: Sequence[int] = ()
    ) -> OutsideArea:
        if not active:
            self._outside.pop(unit_id, None)
        return OutsideArea(
            device_id=device_id,
            observed_us=at_us,
            received_us=at_us,
            active=active,
            geofence_id=areas[0] if len(areas) == 1 else None,
        )

    def _speaks(self, unit_id: int, device_id: int) -> bool:
        units = self._picture.units
        return bool(units["device_id"][self._picture.row_of(unit_id)] == device_id)

    def _assigned(self, unit_id: int, at_us: int) -> list[AreaAssignment]:
        unit = self._registry.units.get(unit_id)
        station = self._by_station.get(unit.station_id or 0, []) if unit else []
        return [
            one
            for one in (*self._by_unit.get(unit_id, ()), *station)
            if one.from_us <= at_us and (one.to_us is None or at_us < one.to_us)
        ]

    def _in_force(self, unit_id: int, report: Batch, now_us: int) -> list[int]:
        """Return the areas that hold for the unit now, by their own hours too."""
        rows = [self._presence.index.row_by_id.get(one.geofence_id, -1) for one in self._assigned(unit_id, now_us)]
        known = np.array([row for row in rows if row >= 0], np.int64)
        rules = self._presence.index.rules
        reports = np.repeat(report, len(known))
        held = known[rules.hold(known, reports["observed_us"], reports)]
        return sorted({int(geofence_id) for geofence_id in rules.ids[held]})

    def _devices_watched(self, now_us: int) -> NDArray[np.int32]:
        if self._watched_version != self._registry.version:
            self._watched_version = self._registry.version
            watched = [
                device_id
                for device_id, unit_id in self._registry.assigned(now_us).items()
                if (unit := self._registry.units.get(unit_id)) is not None
                and (unit_id in self._by_unit or (unit.station_id or 0) in self._by_station)
            ]
            self._watched = np.array(sorted(watched), np.int32)
        return self._watched
