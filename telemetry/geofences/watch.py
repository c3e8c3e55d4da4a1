"""The live watch: every report after the tracker, every officer each few seconds; what it tells goes the way of all events."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.alone import EVERY_US, AloneRules, AloneWatch
from telemetry.geofences.areas import AreaWatch
from telemetry.geofences.fence import GeofencePlan
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.presence import Presence
from telemetry.geofences.sightings import is_judged
from telemetry.geofences.spread import Rows
from telemetry.geofences.stays import Stay
from telemetry.model.batch import Batch
from telemetry.model.events import (
    AnyEvent,
    GeofenceDwelt,
    GeofenceEntered,
    GeofenceLeft,
    GeofenceSpeeding,
    OfficerAlone,
    OutsideArea,
)
from telemetry.model.slots import Slots, grown
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryTable

_UNSORTED: Final = np.full((), -2, np.int64)


class GeofenceWatch:
    """Takes each batch behind the picture and tells who entered, left, stayed, sped, strayed or is alone.

    Only devices that speak for a unit now are watched. Every device has stays of its own; whether a unit is outside its areas is
    told by the device that speaks for it.
    """

    def __init__(self, registry: RegistryTable, picture: Picture, index: GeofenceIndex | None = None) -> None:
        self.presence = Presence(GeofenceIndex() if index is None else index)
        self._registry = registry
        self._picture = picture
        self._areas = AreaWatch(registry, picture, self.presence)
        self._alone = AloneWatch()
        self._alone_us = 0
        self._gone: list[tuple[int, Stay]] = []
        self._slots = Slots()
        self._sorts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._sorted_for: tuple[int, int] = (-1, -1)

    @property
    def index(self) -> GeofenceIndex:
        """The fences in force."""
        return self.presence.index

    def all_stays(self) -> list[tuple[int, Stay]]:
        """Return every stay that lasts, with its device_id."""
        return self.presence.all_stays()

    def replace(self, plan: GeofencePlan, index: GeofenceIndex | None = None) -> None:
        """Take other fences, assignments and rules. `index` is `index.becoming(plan.fences, plan.assignments)`, made elsewhere."""
        wanted = index or self.presence.index.becoming(plan.fences, plan.assignments)
        self.presence.index = wanted
        for device_id, stay in self.presence.all_stays():
            if stay.geofence_id not in wanted.row_by_id:
                self.presence.forget(device_id, stay.geofence_id)
                self._gone += [(device_id, stay)] if stay.is_told else []
        self._areas.replace(plan.assignments)
        self._alone.rules = AloneRules(plan.alone_rules)
        self._sorted_for = (-1, -1)

    def apply(self, batch: Batch, now_us: int) -> tuple[AnyEvent, ...]:
        """Take a batch that went through tracker and picture. Rows that are late or doubtful change nothing."""
        if not len(batch) or not len(self.presence.index):
            return ()
        events = self.presence.apply(batch, self._sorts_of(batch["device_id"], now_us))
        return (*events, *self._areas.apply(batch, now_us))

    def tick(self, now_us: int) -> tuple[AnyEvent, ...]:
        """Tell who was in a fence that is no more; look for officers alone and for areas whose time is over, once in 5 s."""
        gone = self._left_gone(now_us)
        if now_us - self._alone_us < EVERY_US and now_us >= self._alone_us:
            return gone
        self._alone_us = now_us
        alone = self._alone.look(self._picture.units, self._registry.units, self._registry.stations, now_us)
        return (*gone, *alone, *self._areas.tick(now_us))

    def _left_gone(self, now_us: int) -> tuple[AnyEvent, ...]:
        gone, self._gone = self._gone, []
        return tuple(
            GeofenceLeft(
                device_id=device_id,
                observed_us=now_us,
                received_us=now_us,
                geofence_id=stay.geofence_id,
                inside_s=max(now_us - stay.entered_us, 0) / 1e6,
            )
            for device_id, stay in gone
        )

    def restore(self, batch: Batch, now_us: int) -> None:
        """Stand where the newest positions of the past say, telling nothing; after `restore_event`."""
        sort = self._sorts_of(batch["device_id"], now_us)
        kept = is_judged(batch) & (sort >= 0)
        if not len(self.presence.index) or not kept.any():
            return
        told = self.presence.all_stays()
        self.presence.apply(batch[kept], sort[kept])
        for _, stay in self.presence.all_stays():
            stay.is_told = stay.is_dwell_told = True
        for device_id, stay in told:  # who is outside now leaves with the next report, which tells it
            self.presence.hold(device_id, stay)
        self._areas.restore(batch, now_us)

    def restore_event(self, event: AnyEvent) -> None:
        """Take an event of the past, oldest first; others than geofences' say nothing."""
        match event:
            case GeofenceEntered(late=False, geofence_id=geofence_id) if geofence_id in self.index.row_by_id:
                stay = Stay(geofence_id=geofence_id, entered_us=event.observed_us, is_told=True)
                self.presence.hold(event.device_id, stay)
            case GeofenceLeft(late=False, geofence_id=geofence_id):
                self.presence.forget(event.device_id, geofence_id)
            case GeofenceDwelt() | GeofenceSpeeding():
                self._restore_stay(event)
            case OutsideArea() | OfficerAlone():
                unit_id = self._registry.unit_of(event.device_id, event.received_us)
                if unit_id is not None:
                    self._restore_unit(unit_id, event)

    def _restore_stay(self, event: GeofenceDwelt | GeofenceSpeeding) -> None:
        stay = self.presence.stays_of(event.device_id).get(event.geofence_id)
        if stay is None:
            return
        if isinstance(event, GeofenceDwelt):
            stay.is_dwell_told = True
        else:
            stay.is_speeding = event.active

    def _restore_unit(self, unit_id: int, event: OutsideArea | OfficerAlone) -> None:
        if isinstance(event, OfficerAlone):
            self._alone.restore(unit_id, event)
        else:
            self._areas.restore_event(unit_id, event)

    def _sorts_of(self, device_ids: NDArray[np.int32], now_us: int) -> Rows:
        rows = self._slots.take(device_ids)
        stamp = (self._registry.version, id(self.presence.index))
        if stamp != self._sorted_for:
            self._sorts = np.zeros(0, np.int64)
            self._sorted_for = stamp
        self._sorts = grown(self._sorts, len(self._slots), _UNSORTED)
        sorts = self._sorts[rows]
        if not (sorts == _UNSORTED).any():
            return sorts
        for place in np.flatnonzero(sorts == _UNSORTED).tolist():
            unit = self._registry.unit_at(int(device_ids[place]), now_us)
            self._sorts[rows[place]] = -1 if unit is None else self.index.rules.sort_of(unit)
        return self._sorts[rows]
