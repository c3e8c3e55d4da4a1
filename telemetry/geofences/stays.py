"""One device's stays in geofences: a fold over what its reports say, live and long after, that tells each change."""

from typing import Any, Final

import msgspec
import numpy as np

from telemetry.geofences.fence import Geofence
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.sightings import PLACE, Sightings, share_of_way
from telemetry.geofences.surroundings import Surrounding
from telemetry.geofences.ways import border_distances_m
from telemetry.model.batch import UNKNOWN_I2
from telemetry.model.events import (
    AnyEvent,
    GeofenceDwelt,
    GeofenceEntered,
    GeofenceLeft,
    GeofenceSpeeding,
)

BAND_M: Final = 10.0
BAND_ACCURACIES: Final = 1.5
"""A unit that was inside has left when it is farther outside than 10 m and 1.5 times its accuracy; it is inside as soon as it is."""
_NEVER_US: Final = np.iinfo(np.int64).max


class Stay(msgspec.Struct, kw_only=True):
    """A device in a geofence since `entered_us`. `is_told` once its entering was; `outside_us`: since when it is in the band outside."""

    geofence_id: int
    entered_us: int
    is_told: bool = False
    is_dwell_told: bool = False
    is_speeding: bool = False
    outside_us: int = 0


class Stays:
    """Where one device is, and what of its next report needs no second look."""

    __slots__ = ("about", "due_us", "held", "is_wary", "mark")

    def __init__(self) -> None:
        self.held: dict[int, Stay] = {}
        """By geofence_id."""
        self.mark = 0
        self.about: Surrounding | None = None
        """The borders near it: as long as it touches none, it stays in the same fences."""
        self.due_us = _NEVER_US
        self.is_wary = False
        """Whether a fence is held in which the last report was not: the next must be looked at."""

    def is_news(self, sightings: Sightings, report: int) -> bool:
        """Tell whether a report says anything that the one before did not."""
        return (
            self.is_wary
            or sightings.mark[report] != self.mark
            or report in sightings.passes
            or int(sightings.us[report]) >= self.due_us
        )

    def take(self, index: GeofenceIndex, sightings: Sightings, report: int) -> list[AnyEvent]:
        """Take one report; return what it changed, in order of time."""
        step = _Step(index, sightings, report)
        rows = sightings.fence[sightings.starts[report] : sightings.starts[report + 1]].tolist()
        now = {int(index.rules.ids[row]): row for row in rows}
        events = step.passed(sightings.passes.get(report, ()))
        for geofence_id in [known for known in self.held if known not in now]:
            events += step.outside(self.held, geofence_id)
        for geofence_id, row in now.items():
            stay = self.held.get(geofence_id)
            if stay is None:
                stay = self.held[geofence_id] = Stay(geofence_id=geofence_id, entered_us=step.entered_us(row))
            stay.outside_us = 0
            events += step.inside(stay, row)
        events += step.speeding(self.held, now)
        self.mark = sightings.mark[report]
        self.is_wary = len(self.held) > len(now)
        self.due_us = min((_due_us(index, stay) for stay in self.held.values()), default=_NEVER_US)
        return sorted(events, key=lambda event: event.observed_us)


class _Step:
    """One report against the stays of its device."""

    __slots__ = ("index", "report", "sightings", "us")

    def __init__(self, index: GeofenceIndex, sightings: Sightings, report: int) -> None:
        self.index = index
        self.sightings = sightings
        self.report = report
        self.us = int(sightings.us[report])

    def passed(self, passes: Any) -> list[AnyEvent]:  # noqa: ANN401 - a sequence of (fence, in, out)
        """Return the entering and leaving of fences that the way swept through."""
        events: list[AnyEvent] = []
        for row, came, went in passes:
            fence = self.index.fences[row]
            entered_us, left_us = self._at(came), self._at(went)
            if left_us - entered_us < 1e6 * fence.minimum_stay_s:
                continue
            events.append(self._entered(fence, entered_us))
            inside_s = (left_us - entered_us) / 1e6
            events.append(GeofenceLeft(**self._said(left_us), geofence_id=fence.geofence_id, inside_s=inside_s))
        return events

    def entered_us(self, row: int) -> int:
        """Return when the device came in: where its way crossed the border last, else now."""
        return self._crossed_us(row, which=1)

    def inside(self, stay: Stay, row: int) -> list[AnyEvent]:
        """Return what is due of a stay."""
        fence = self.index.fences[row]
        events: list[AnyEvent] = []
        stayed_us = self.us - stay.entered_us
        if not stay.is_told and stayed_us >= 1e6 * fence.minimum_stay_s:
            stay.is_told = True
            events.append(self._entered(fence, stay.entered_us))
        if fence.dwell_s is not None and not stay.is_dwell_told and stay.is_told and stayed_us >= 1e6 * fence.dwell_s:
            stay.is_dwell_told = True
            told_us = stay.entered_us + int(1e6 * fence.dwell_s)
            events.append(GeofenceDwelt(**self._said(told_us), geofence_id=fence.geofence_id, inside_s=stayed_us / 1e6))
        return events

    def outside(self, held: dict[int, Stay], geofence_id: int) -> list[AnyEvent]:
        """Return the leaving of a fence in which the report does not lie, unless it is only in the band about it."""
        row, stay = self.index.row_by_id.get(geofence_id), held[geofence_id]
        if row is None:
            del held[geofence_id]
            return []
        if not stay.outside_us:
            stay.outside_us = self._crossed_us(row, which=0)
        if self._is_in_force(row) and self._distance_m(row) <= self._band_m():
            return self.inside(stay, row)
        del held[geofence_id]
        left_us = max(stay.outside_us, stay.entered_us)
        if not stay.is_told:
            if left_us - stay.entered_us < 1e6 * self.index.fences[row].minimum_stay_s:
                return []
            stay.is_told = True
            return [self._entered(self.index.fences[row], stay.entered_us), *self._left(stay, left_us)]
        return self._left(stay, left_us)

    def speeding(self, held: dict[int, Stay], now: dict[int, int]) -> list[AnyEvent]:
        """Return where speeding began or ended."""
        begin = int(self.sightings.starts[self.report])
        events: list[AnyEvent] = []
        for place, (geofence_id, row) in enumerate(now.items(), begin):
            stay, zone = held[geofence_id], int(self.sightings.zone[place])
            if zone != 1 and stay.is_speeding != (zone == 2):
                stay.is_speeding = zone == 2
                events.append(self._speed(geofence_id, row, active=stay.is_speeding))
        return events

    def _entered(self, fence: Geofence, entered_us: int) -> GeofenceEntered:
        names = dict.fromkeys(name for name in (fence.name_zh, fence.name_en) if name)
        return GeofenceEntered(
            **self._said(entered_us),
            geofence_id=fence.geofence_id,
            raises_alarm=fence.raises_alarm,
            name=" / ".join(names) if fence.raises_alarm else "",
        )

    def _left(self, stay: Stay, left_us: int) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        if stay.is_speeding:
            row = self.index.row_by_id[stay.geofence_id]
            events.append(self._speed(stay.geofence_id, row, active=False))
        inside_s = (left_us - stay.entered_us) / 1e6
        events.append(GeofenceLeft(**self._said(left_us), geofence_id=stay.geofence_id, inside_s=inside_s))
        return events

    def _speed(self, geofence_id: int, row: int, *, active: bool) -> GeofenceSpeeding:
        speed_cmps = int(self.sightings.reports["speed_cmps"][self.report])
        return GeofenceSpeeding(
            **self._said(self.us),
            geofence_id=geofence_id,
            active=active,
            speed_mps=0.0 if speed_cmps == UNKNOWN_I2 else speed_cmps / 100,
            limit_mps=self.index.fences[row].limit_mps or 0.0,
        )

    def _crossed_us(self, row: int, *, which: int) -> int:
        """Return when the way from the report before met the border first (0) or last (1); now where no way is known."""
        if not self.sightings.follows[self.report]:
            return self.us
        after = np.zeros((), PLACE)
        reports = self.sightings.reports
        after["lon_e7"], after["lat_e7"] = reports["lon_e7"][self.report], reports["lat_e7"][self.report]
        share = float(share_of_way(self.index, row, self.sightings.before[self.report], after)[which][0])
        return self.us if np.isnan(share) else self._at(share)

    def _at(self, share: float) -> int:
        before_us = int(self.sightings.before["us"][self.report])
        return before_us + round(share * (self.us - before_us))

    def _is_in_force(self, row: int) -> bool:
        rules, fence = self.index.rules, np.array([row], np.int64)
        report = self.sightings.reports[self.report : self.report + 1]
        concerned = rules.concerned[int(self.sightings.sort[self.report]), row]
        return bool(concerned and rules.hold(fence, report["observed_us"], report)[0])

    def _distance_m(self, row: int) -> float:
        report = self.sightings.reports[self.report : self.report + 1]
        lon, lat = report["lon_e7"].astype(np.int64), report["lat_e7"].astype(np.int64)
        return float(border_distances_m(self.index, np.array([row], np.int64), lon, lat)[0])

    def _band_m(self) -> float:
        accuracy_dm = int(self.sightings.reports["accuracy_dm"][self.report])
        return max(BAND_M, 0.0 if accuracy_dm == UNKNOWN_I2 else BAND_ACCURACIES * accuracy_dm / 10)

    def _said(self, observed_us: int) -> dict[str, Any]:
        report = self.sightings.reports[self.report]
        return {
            "device_id": int(report["device_id"]),
            "observed_us": observed_us,
            "received_us": int(report["received_us"]),
        }


def _due_us(index: GeofenceIndex, stay: Stay) -> int:
    row = index.row_by_id.get(stay.geofence_id)
    if row is None or (stay.is_told and (stay.is_dwell_told or index.fences[row].dwell_s is None)):
        return _NEVER_US
    fence = index.fences[row]
    wait_s = fence.minimum_stay_s if not stay.is_told else fence.dwell_s or 0.0
    return stay.entered_us + int(1e6 * wait_s)
