"""Where many devices are now: their last places and stays, moved on by batches; most reports change nothing and cost no more."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.sightings import NOT_JUDGED, PLACE, Sightings, is_judged, places_of, sight
from telemetry.geofences.spread import Rows
from telemetry.geofences.stays import Stay, Stays
from telemetry.geofences.surroundings import surrounding_of
from telemetry.model.batch import Batch
from telemetry.model.events import AnyEvent
from telemetry.model.slots import Slots, grown
from telemetry.model.unit import Unit

UnitAt = Callable[[int, int], Unit | None]
"""Tells the unit for which a device spoke at a time: (device_id, at_us)."""
_ONE: Final = ["observed_us", "received_us", "lat_e7", "lon_e7", "quality"]
_NOWHERE = np.zeros((), PLACE)


class Presence:
    """The fold (stays, reports) -> (stays, events) of every device, for one index of fences that may be replaced."""

    def __init__(self, index: GeofenceIndex) -> None:
        self._index = index
        self._slots = Slots()
        self._last: NDArray[Any] = np.zeros(0, PLACE)
        self._stays: list[Stays] = []

    @property
    def index(self) -> GeofenceIndex:
        """The fences in force."""
        return self._index

    @index.setter
    def index(self, index: GeofenceIndex) -> None:
        self._index = index
        for stays in self._stays:
            stays.about = None

    def stays_of(self, device_id: int) -> dict[int, Stay]:
        """Return a device's stays by geofence_id; to be read, not written."""
        row = int(self._slots.find(np.array([device_id]))[0])
        return {} if row < 0 else self._stays[row].held

    def hold(self, device_id: int, stay: Stay) -> None:
        """Remember a stay of the past, so that nothing is told of it again; the device's next report is looked at."""
        stays = self._stays[int(self._rows_of(np.array([device_id]))[0])]
        stays.held[stay.geofence_id] = stay
        stays.is_wary = True

    def forget(self, device_id: int, geofence_id: int) -> None:
        """Forget a stay of the past."""
        stays = self._stays[int(self._rows_of(np.array([device_id]))[0])]
        stays.held.pop(geofence_id, None)

    def all_stays(self) -> list[tuple[int, Stay]]:
        """Return every stay with its device_id."""
        return [
            (device_id, stay)
            for device_id, stays in zip(self._slots.ids.tolist(), self._stays, strict=True)
            for stay in stays.held.values()
        ]

    def apply(self, reports: Batch, sort: Rows) -> list[AnyEvent]:
        """Take reports in order of time by device, each with its unit's sort (-1: nobody's); return what changed.

        Late, doubtful and placeless ones are passed over (`sightings.is_judged`).
        """
        if len(reports) == 1:
            return self._take_one(reports, sort)
        judged = is_judged(reports) & (sort >= 0)
        if not judged.all():
            reports, sort = reports[judged], sort[judged]
        if not len(reports):
            return []
        rows = self._rows_of(reports["device_id"])
        before = self._before(reports, rows)
        return self._fold(sight(self.index, reports, sort, before), rows.tolist())

    def _take_one(self, report: Batch, sort: Rows) -> list[AnyEvent]:
        """Take one report, as `apply` does: where its way touches no border near it says nothing, else the index is asked."""
        observed_us, received_us, lat_e7, lon_e7, quality = report[0][_ONE].item()
        sort_number = int(sort[0])
        if quality & NOT_JUDGED or sort_number < 0:
            return []
        row = int(self._rows_of(report["device_id"])[0])
        stays, us = self._stays[row], min(observed_us, received_us)
        before = self._last[row : row + 1].copy()
        _, lon_before_e7, lat_before_e7 = before[0].item()
        self._last[row] = us, lon_e7, lat_e7
        about = stays.about
        is_known = about is not None and about.sort == sort_number and about.holds(lon_e7, lat_e7)
        if about is None or not is_known:
            stays.about = surrounding_of(self.index, sort_number, lon_e7, lat_e7)
        elif not stays.is_wary and us < stays.due_us and about.is_free(lon_before_e7, lat_before_e7, lon_e7, lat_e7):
            return []
        return self._fold(sight(self.index, report, sort, before), [row])

    def _fold(self, sightings: Sightings, rows: list[int]) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        for report, row in enumerate(rows):
            stays = self._stays[row]
            if stays.is_news(sightings, report):
                events += stays.take(self.index, sightings, report)
        return events

    def _before(self, reports: Batch, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return where each report's device was at the report before, and remember where it is after the last."""
        places = places_of(reports)
        before = self._last[rows]
        if len(rows) > 1:
            order = np.argsort(rows, kind="stable")
            again = np.flatnonzero(rows[order][1:] == rows[order][:-1]) + 1
            before[order[again]] = places[order[again - 1]]
        self._last[rows] = places
        return before

    def _rows_of(self, device_ids: NDArray[Any]) -> NDArray[np.intp]:
        rows = self._slots.take(device_ids)
        if len(self._stays) < len(self._slots):
            self._last = grown(self._last, len(self._slots), _NOWHERE)
            self._stays += [Stays() for _ in range(len(self._slots) - len(self._stays))]
        return rows
