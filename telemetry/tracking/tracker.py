"""Follows each device through its reports: order, jumps, parking, clock, battery and silence; one vectorised pass a batch."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import UNKNOWN_I1, Batch, Quality
from telemetry.model.events import (
    AnyEvent,
    BatteryLow,
    DeviceAlarm,
    DeviceClockWrong,
    LinkLost,
    LinkRegained,
    SosRaised,
)
from telemetry.model.slots import Slots, grown, rows_at
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryTable
from telemetry.tracking import quality
from telemetry.tracking.clock_zones import ZONE, mark_zones
from telemetry.tracking.jumps import Fixes, Walk, accuracies_of, reaches_m, running_newest, segment_ends, segment_starts
from telemetry.tracking.parking import ANCHOR, SLOW_CMPS, UNKNOWN_KIND_SLOW_CMPS, mark_parked
from telemetry.tracking.quality import DAY_US, RAW_RETENTION_US, SPEED_LIMIT_MPS, UNKNOWN_KIND_LIMIT_MPS

BATTERY_BANDS_PCT: Final = (20, 10)
"""A phone at or below one of these levels says so once."""
BATTERY_REARM_PCT: Final = 25
"""Charged above this, a phone may say it again."""
SILENT_INTERVALS: Final = 3
LOST_INTERVALS: Final = 10
SILENT_AT_LEAST_US: Final = 3_000_000
LOST_AT_LEAST_US: Final = 10_000_000
SILENCE_AGAIN_US: Final = 60_000_000
"""A device that comes and goes raises its silence at most once in this time."""
DEAF_US: Final = 3_000_000
"""When we were not called for so long, it was we who did not listen: that time is nobody's silence."""

_UNTRACKED: Final = quality.UNPLACEABLE | int(Quality.ODD_TIME | Quality.SECONDARY | Quality.ARCHIVE)
_REPLAYED: Final = int(Quality.REPLAYED)
_ODD: Final = int(Quality.ODD_TIME)
_ODD_NOT_KEPT: Final = int(Quality.ODD_TIME | Quality.REPLAYED | Quality.ARCHIVE)
_LATE_OR_ODD: Final = int(Quality.OUT_OF_ORDER | Quality.ODD_TIME | Quality.ARCHIVE)
_TRACK: Final = np.dtype(
    [
        ("newest_us", "<i8"),
        ("anchor_us", "<i8"),
        ("anchor_lat_e7", "<i4"),
        ("anchor_lon_e7", "<i4"),
        ("anchor_accuracy_m", "<f4"),
        ("suspect_us", "<i8"),
        ("suspect_lat_e7", "<i4"),
        ("suspect_lon_e7", "<i4"),
        ("suspect_count", "<i4"),
        ("heard_us", "<i8"),
        ("silence", "i1"),
        ("silence_said_us", "<i8", (2,)),
        ("clock_said_us", "<i8"),
        ("battery_band", "i1"),
        ("limit_cmps", "<i4"),
        ("slow_cmps", "<i4"),
        ("interval_us", "<i8"),
        ("watched", "?"),
        *ANCHOR,
        *ZONE,
    ]
)
_FRESH: Final = np.zeros((), _TRACK)


class Tracked(msgspec.Struct, frozen=True):
    """What one step gave: the rows that are positions, in the order they came, with their bits; events; rows without coordinates."""

    batch: Batch
    events: tuple[AnyEvent, ...]
    placeless_count: int


class Tracker:
    """The fold (state, batch) -> (state, batch, events); state is one row a device.

    Battery and silence are watched here for protocols whose decoder does not do it itself (all but MAVLink).
    """

    def __init__(self, registry: RegistryTable, *, retention_us: int = RAW_RETENTION_US) -> None:
        self._registry = registry
        self._retention_us = retention_us
        self._slots = Slots()
        self._table: NDArray[Any] = np.zeros(0, _TRACK)
        self._profiled = (-1, -1)
        self._ticked_us = 0

    def apply(self, batch: Batch, now_us: int, *, events: Iterable[AnyEvent] = ()) -> Tracked:
        """Mark one batch and tell what it means. The given batch is left as it is.

        `events` came with it: a fix with an alarm is never taken for jitter. ARCHIVE rows and rows that say no place are kept
        and marked, but nothing is concluded from them.
        """
        if not len(batch):
            return Tracked(batch, (), 0)
        rows = self._rows_of(batch["device_id"], now_us)
        said = self._heard(batch, rows)
        placed = ~quality.is_placeless(batch)
        marked = quality.mark(batch, self._table["limit_cmps"][rows], self._retention_us)
        rows = rows[placed]
        if len(marked):
            self._follow(marked, rows, now_us, calm=_calm(marked, events))
            said += self._clocks(marked, rows)
            said += mark_zones(marked, self._table, rows)
            said += self._batteries(marked, rows)
        return Tracked(marked, tuple(said), len(batch) - len(marked))

    def tick(self, now_us: int) -> tuple[AnyEvent, ...]:
        """Return a LinkLost for each watched device whose silence passed 3 intervals (at least 3 s) or 10 (at least 10 s)."""
        self._refresh_profiles(now_us)
        table = self._table[: len(self._slots)]
        deaf_us = now_us - self._ticked_us if self._ticked_us else 0
        self._ticked_us = now_us
        if deaf_us > DEAF_US:
            table["heard_us"][table["heard_us"] > 0] += deaf_us
        silent_us = now_us - table["heard_us"]
        level = (silent_us > silent_after_us(table["interval_us"])).astype(np.int8)
        level += silent_us > lost_after_us(table["interval_us"])
        louder = np.flatnonzero(table["watched"] & (table["heard_us"] > 0) & (level > table["silence"]))
        events: list[AnyEvent] = []
        for row in louder.tolist():
            state = table[row]
            wanted = int(level[row])
            if now_us - int(state["silence_said_us"][wanted - 1]) < SILENCE_AGAIN_US:
                continue
            state["silence"] = wanted
            state["silence_said_us"][wanted - 1] = now_us
            events.append(
                LinkLost(
                    device_id=int(self._slots.ids[row]),
                    observed_us=now_us,
                    received_us=now_us,
                    silent_s=int(silent_us[row]) / 1e6,
                )
            )
        return tuple(events)

    def _rows_of(self, device_ids: NDArray[Any], now_us: int) -> NDArray[np.intp]:
        rows = self._slots.take(device_ids)
        if (self._registry.version, len(self._slots)) != self._profiled:
            self._refresh_profiles(now_us)
        return rows

    def _refresh_profiles(self, now_us: int) -> None:
        """Take what the registry knows of every device; those that never spoke have a row already."""
        if (self._registry.version, len(self._slots)) == self._profiled:
            return
        self._slots.take(np.array(sorted(self._registry.devices), np.int32))
        self._profiled = (self._registry.version, len(self._slots))
        self._table = grown(self._table, len(self._slots), _FRESH)
        for row, device_id in enumerate(self._slots.ids.tolist()):
            device = self._registry.devices.get(device_id)
            state = self._table[row]
            kind = self._registry.kind_of(device_id, now_us)
            state["limit_cmps"] = int(100 * (SPEED_LIMIT_MPS[kind] if kind else UNKNOWN_KIND_LIMIT_MPS))
            state["slow_cmps"] = SLOW_CMPS[kind] if kind else UNKNOWN_KIND_SLOW_CMPS
            state["interval_us"] = int(1e6 * (device.report_interval_s if device else 1.0))
            state["watched"] = _is_watched(device)

    def _heard(self, batch: Batch, rows: NDArray[np.intp]) -> list[AnyEvent]:
        table = self._table
        regained: list[AnyEvent] = []
        if table["silence"][rows].any():
            for row in np.unique(rows[table["silence"][rows] > 0]).tolist():
                at_us = int(batch["received_us"][rows == row][0])
                silent_s = max(at_us - int(table["heard_us"][row]), 0) / 1e6
                table["silence"][row] = 0
                device_id = int(self._slots.ids[row])
                regained.append(
                    LinkRegained(device_id=device_id, observed_us=at_us, received_us=at_us, silent_s=silent_s)
                )
        if len(rows) == 1:
            table["heard_us"][rows] = np.maximum(table["heard_us"][rows], batch["received_us"])
        else:
            np.maximum.at(table["heard_us"], rows, batch["received_us"])
        return regained

    def _follow(self, batch: Batch, rows: NDArray[np.intp], now_us: int, *, calm: NDArray[np.bool_]) -> None:
        """Mark order, jumps and jitter, device by device in order of arrival; times are effective ones.

        A recording may be played faster than it flew: its distances prove nothing.
        """
        tracked = (batch["quality"] & _UNTRACKED) == 0
        order = np.flatnonzero(tracked)
        if not len(order):
            return
        if len(order) > 1:
            order = order[np.argsort(rows[order], kind="stable")]
        rows = rows[order]
        times = quality.effective_us(batch)[order]
        before = np.minimum(self._table["newest_us"][rows], now_us)
        starts = segment_starts(rows)
        previous, newest = running_newest(times, before, starts)
        late = times < previous
        if late.any():
            batch["quality"][order[late]] |= np.int32(Quality.OUT_OF_ORDER)
        self._table["newest_us"][rows[starts]] = newest
        fresh = (times > previous) & ((batch["quality"][order] & _REPLAYED) == 0)
        if not fresh.all():
            order, rows, times = order[fresh], rows[fresh], times[fresh]
        if len(order):
            self._jumps(batch, order, rows, times)
            mark_parked(batch, self._table, order, rows, calm=calm)

    def _jumps(self, batch: Batch, order: NDArray[np.intp], rows: NDArray[np.intp], times: NDArray[np.int64]) -> None:
        """Compare each fix with the one before; only devices with a suspect among them are walked fix by fix."""
        starts = segment_starts(rows)
        fixes = Fixes(times, batch["lat_e7"][order], batch["lon_e7"][order], accuracies_of(batch["accuracy_dm"][order]))
        state = rows_at(self._table, rows)
        last = fixes.before(starts, state)
        reach_m = reaches_m(state["limit_cmps"], times - last.us, fixes.accuracy_m + last.accuracy_m)
        suspect = (fixes.distances_m(last) > reach_m) & (last.us > 0)
        suspect |= state["suspect_count"] > 0
        ends = segment_ends(starts, len(rows))
        if suspect.any():
            walked = np.unique(rows[suspect])
            for row in walked.tolist():
                self._walk(batch, row, order[rows == row], times[rows == row])
            ends = ends[~np.isin(rows[ends], walked)]
        settled = rows[ends]
        self._table["anchor_us"][settled] = fixes.us[ends]
        self._table["anchor_lat_e7"][settled] = fixes.lat_e7[ends]
        self._table["anchor_lon_e7"][settled] = fixes.lon_e7[ends]
        self._table["anchor_accuracy_m"][settled] = fixes.accuracy_m[ends]

    def _walk(self, batch: Batch, row: int, places: NDArray[np.intp], times: NDArray[np.int64]) -> None:
        fixes = batch[places]
        columns = (times, fixes["lat_e7"], fixes["lon_e7"], accuracies_of(fixes["accuracy_dm"]))
        walk = Walk(self._table[row])
        jumped = [walk.step(*fix) for fix in zip(*(column.tolist() for column in columns), strict=True)]
        batch["quality"][places[np.array(jumped, bool)]] |= np.int32(Quality.JUMPED)

    def _clocks(self, batch: Batch, rows: NDArray[np.intp]) -> list[AnyEvent]:
        odd = (batch["quality"] & _ODD_NOT_KEPT) == _ODD
        if not odd.any():
            return []
        events: list[AnyEvent] = []
        unique, places = np.unique(rows[odd], return_index=True)
        for row, place in zip(unique.tolist(), np.flatnonzero(odd)[places].tolist(), strict=True):
            report = batch[place]
            received_us, observed_us = int(report["received_us"]), int(report["observed_us"])
            said_us = int(self._table["clock_said_us"][row])
            if said_us and received_us - said_us < DAY_US:
                continue
            self._table["clock_said_us"][row] = received_us
            events.append(
                DeviceClockWrong(
                    device_id=int(report["device_id"]),
                    observed_us=received_us,
                    received_us=received_us,
                    offset_s=(observed_us - received_us) / 1e6,
                )
            )
        return events

    def _batteries(self, batch: Batch, rows: NDArray[np.intp]) -> list[AnyEvent]:
        """Walk only rows of a watched device whose level entered a lower band or was charged again."""
        level = batch["battery_pct"]
        bands = sum((level <= limit).astype(np.int8) for limit in BATTERY_BANDS_PCT)
        said = self._table["battery_band"][rows]
        told = self._table["watched"][rows] & (level != UNKNOWN_I1)
        told &= (batch["quality"] & _LATE_OR_ODD) == 0
        moved = told & ((bands > said) | ((said > 0) & (level > BATTERY_REARM_PCT)))
        if not moved.any():
            return []
        walked = np.flatnonzero(told & np.isin(rows, rows[moved]))
        events = [self._battery(batch[place], int(rows[place])) for place in walked.tolist()]
        return [event for event in events if event is not None]

    def _battery(self, report: Any, row: int) -> AnyEvent | None:  # noqa: ANN401 - one row of a structured array
        level = int(report["battery_pct"])
        band = sum(level <= limit for limit in BATTERY_BANDS_PCT)
        said = int(self._table["battery_band"][row])
        if level > BATTERY_REARM_PCT:
            self._table["battery_band"][row] = 0
        if band <= said:
            return None
        self._table["battery_band"][row] = band
        return BatteryLow(
            device_id=int(report["device_id"]),
            observed_us=int(report["observed_us"]),
            received_us=int(report["received_us"]),
            battery_ratio=level / 100,
            threshold_ratio=BATTERY_BANDS_PCT[band - 1] / 100,
        )


def _calm(batch: Batch, events: Iterable[AnyEvent]) -> NDArray[np.bool_]:
    """Tell which rows are of devices that said no alarm with them."""
    alarmed = [event.device_id for event in events if isinstance(event, SosRaised | DeviceAlarm)]
    return np.ones(len(batch), bool) if not alarmed else ~np.isin(batch["device_id"], alarmed)


def silent_after_us(interval_us: NDArray[Any]) -> NDArray[np.int64]:
    """Return after how long without news a device that reports every `interval_us` is stale."""
    after_us: NDArray[np.int64] = np.maximum(SILENT_INTERVALS * interval_us, SILENT_AT_LEAST_US)
    return after_us


def lost_after_us(interval_us: NDArray[Any]) -> NDArray[np.int64]:
    """Return after how long without news a device that reports every `interval_us` is lost."""
    after_us: NDArray[np.int64] = np.maximum(LOST_INTERVALS * interval_us, LOST_AT_LEAST_US)
    return after_us


def _is_watched(device: Device | None) -> bool:
    return device is not None and device.protocol != "mavlink" and not device.revoked
