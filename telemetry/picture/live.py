"""The live picture: newest position of every device, and of every unit the one that its devices vouch for best."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.batch import NULLABLE, REPORT, UNKNOWN_I4, Batch, Quality, unknown_of
from telemetry.model.errors import NotFoundError
from telemetry.model.events import AnyEvent, ArmedChanged, LandedChanged, LandedState, Rebooted
from telemetry.model.slots import Slots, copied, grown, put_rows, rows_at
from telemetry.model.unit import LinkState, Unit
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UNIT_STATE, UnitBit, UnitStates
from telemetry.picture.choosing import Candidates, choose, disagreements_m, trust_of
from telemetry.picture.devices import DeviceState, states_of
from telemetry.picture.trails import Trails
from telemetry.registry.table import RegistryTable
from telemetry.tracking.quality import UNFIT, UNPLACEABLE, effective_us
from telemetry.tracking.tracker import lost_after_us, silent_after_us

FIT_AGAIN_US: Final = 60_000_000
"""After so long with poor fixes only, a poor one replaces the last good one; once our clock was set back, so old may replace it."""
NEVER, LIVE, STALE, LOST = (LINK_STATES.index(state) for state in LinkState)

_SHOWN: Final = tuple(name for name in UNIT_STATE.names or () if name in (REPORT.names or ()))
_ALARM_BITS: Final = int(UnitBit.SOS | UnitBit.ALARMED | UnitBit.IDENTITY_CONFLICT)
_KEPT_BITS: Final = _ALARM_BITS | int(UnitBit.COVERT)
_REPLAYED_QUALITY: Final = int(Quality.REPLAYED)
_NEVER_SHOWN: Final = UNPLACEABLE | int(Quality.ARCHIVE)
_ODD_QUALITY: Final = int(Quality.ODD_TIME)
_FLIGHT_BITS: Final = int(UnitBit.ARMED | UnitBit.ARMED_KNOWN | UnitBit.AIRBORNE | UnitBit.AIRBORNE_KNOWN)
_DEVICE: Final = np.dtype(
    [
        ("device_id", "<i4"),
        ("report", REPORT),
        ("newest_us", "<i8"),
        ("flight_bits", "<i4"),
        ("unit_row", "<i4"),
        ("interval_us", "<i8"),
        ("trust", "i1"),
        ("chosen", "?"),
        ("link", "i1"),
    ]
)


def _fresh_device() -> NDArray[Any]:
    fresh = np.zeros((), _DEVICE)
    fresh["unit_row"] = -1
    return fresh


def _fresh_unit() -> NDArray[Any]:
    fresh = np.zeros((), UNIT_STATE)
    for column in _SHOWN:
        if column in NULLABLE:
            fresh[column] = unknown_of(column)
    fresh["link"] = NEVER
    return fresh


_FRESH_DEVICE: Final = _fresh_device()
_FRESH_UNIT: Final = _fresh_unit()


class Picture:
    """A columnar table with one row a unit; every change raises `version` and stamps the rows that it touched.

    A unit that left the registry keeps its row with unit_id 0 (nobody's), so that rows never move.
    """

    def __init__(self, registry: RegistryTable, now_us: int = 0) -> None:
        self.version = 0
        self._registry = registry
        self._registry_version = -1
        self._duty_version = registry.duty_version
        self._described: Mapping[int, Unit] = {}
        self._devices = Slots()
        self._described_count = 0
        self._device_table: NDArray[Any] = np.zeros(0, _DEVICE)
        self._row_by_unit: dict[int, int] = {}
        self._unit_count = 0
        self._unit_table: UnitStates = np.zeros(0, UNIT_STATE)
        self._alarm_bits: dict[int, int] = {}
        self._trails = Trails()
        self._sync(now_us)

    @property
    def units(self) -> UnitStates:
        """Every unit's row, as a view: copy what must not change under you."""
        return self._unit_table[: self._unit_count]

    def row_of(self, unit_id: int) -> int:
        """Return the index of a unit's row. Raises NotFoundError for a unit that the registry does not know."""
        if unit_id not in self._row_by_unit:
            raise NotFoundError(f"no unit {unit_id} in the picture: see `skybeat device list` for those there are")
        return self._row_by_unit[unit_id]

    def changed_since(self, version: int) -> NDArray[np.intp]:
        """Return the indexes of the rows that changed after `version`."""
        return np.flatnonzero(self.units["version"] > version)

    def trail(self, unit_id: int) -> NDArray[Any]:
        """Return the unit's last ten minutes (dtype TRAIL, oldest first). Raises NotFoundError for an unknown unit."""
        return self._trails.of(self.row_of(unit_id))

    def devices_of(self, unit_id: int, now_us: int) -> list[DeviceState]:
        """Return the unit's present devices, the one that speaks for it first. Raises NotFoundError for an unknown unit."""
        row = self.row_of(unit_id)
        devices = self._device_table[self._devices_of(np.array([row]))]
        if not len(devices):
            return []
        devices["link"] = _link_of(devices, now_us - devices["newest_us"])
        apart_m = disagreements_m(candidates := self._candidates(devices), choose(candidates))
        return states_of(devices, self._registry.devices, apart_m, shown_id=int(self._unit_table["device_id"][row]))

    def device_links(self, now_us: int) -> dict[int, tuple[LinkState, int]]:
        """Return of every device how it is heard now and its newest observed_us (0: never heard)."""
        devices = self._device_table[: len(self._devices)]
        newest_us = devices["newest_us"]
        links = [LINK_STATES[link] for link in _link_of(devices, now_us - newest_us).tolist()]
        return dict(zip(self._devices.ids.tolist(), zip(links, newest_us.tolist(), strict=True), strict=True))

    def apply(self, batch: Batch, now_us: int) -> None:
        """Take a batch that went through the tracker. A device's position never goes back in time."""
        self._sync(now_us)
        if not len(batch):
            return
        rows = self._devices.take(batch["device_id"])
        self._grow_devices(now_us)
        times = effective_us(batch)
        chosen = self._newest(batch, rows, times, now_us)
        if not len(chosen):
            return
        touched = rows[chosen]
        reports = self._device_table["report"]
        put_rows(reports, touched, _with_markers_kept(rows_at(batch, chosen), rows_at(reports, touched)))
        self._device_table["newest_us"][touched] = times[chosen]
        unit_rows = self._device_table["unit_row"][touched]
        self._derive(unit_rows[unit_rows >= 0], now_us)

    def apply_event(self, event: AnyEvent, now_us: int | None = None) -> None:
        """Take what an event says about flying; other events say nothing about a position."""
        row = int(self._devices.find(np.array([event.device_id]))[0])
        if row < 0:
            if event.device_id not in self._registry.devices:
                return
            row = int(self._devices.take(np.array([event.device_id]))[0])
            self._grow_devices(event.received_us if now_us is None else now_us)
        bits = _flight_bits_after(int(self._device_table["flight_bits"][row]), event)
        if bits == self._device_table["flight_bits"][row]:
            return
        self._device_table["flight_bits"][row] = bits
        unit_row = int(self._device_table["unit_row"][row])
        if unit_row >= 0:
            self._derive(np.array([unit_row]), event.received_us if now_us is None else now_us)

    def show_alarms(self, bits_by_unit: Mapping[int, int]) -> None:
        """Replace the alarm bits (SOS, ALARMED, IDENTITY_CONFLICT) of all units: unit_id -> bits, absent is none."""
        wanted = {unit_id: bits & _ALARM_BITS for unit_id, bits in bits_by_unit.items()}
        moved = {unit_id for unit_id, _ in wanted.items() ^ self._alarm_bits.items()}
        self._alarm_bits = wanted
        rows = [self._row_by_unit[unit_id] for unit_id in moved if unit_id in self._row_by_unit]
        if not rows:
            return
        self.version += 1
        for row in rows:
            state = self._unit_table[row]
            state["state"] = int(state["state"]) & ~_ALARM_BITS | wanted.get(int(state["unit_id"]), 0)
            state["version"] = self.version

    def refresh(self, now_us: int) -> None:
        """Follow the registry and the clock: link states by age, another device where the chosen one fell silent."""
        self._sync(now_us)
        table = self._device_table[: len(self._devices)]
        moved = _link_of(table, now_us - table["newest_us"]) != table["link"]
        if moved.any():
            unit_rows = table["unit_row"][moved]
            self._derive(unit_rows[unit_rows >= 0], now_us)

    def _newest(self, batch: Batch, rows: NDArray[np.intp], times: NDArray[np.int64], now_us: int) -> NDArray[np.intp]:
        """Return the index of one row a device: the newest fit one that may replace what we show."""
        bits = batch["quality"]
        held_us = self._device_table["newest_us"][rows]
        held_us = np.where(held_us > now_us, now_us - FIT_AGAIN_US, held_us)
        may = ((bits & _NEVER_SHOWN) == 0) & ((bits & (_ODD_QUALITY | _REPLAYED_QUALITY)) != _ODD_QUALITY)
        may &= (times > held_us) & (batch["lat_e7"] != UNKNOWN_I4)
        fit = (bits & UNFIT) == 0
        held_unfit = (self._device_table["report"]["quality"][rows] & UNFIT) != 0
        may &= fit | held_unfit | (times - held_us > FIT_AGAIN_US)
        places = np.flatnonzero(may)
        if len(places) < 2:
            return places
        places = places[np.lexsort((times[places], fit[places], rows[places]))]
        owners = rows[places]
        newest: NDArray[np.intp] = places[np.append(owners[1:] != owners[:-1], [True])]
        return newest

    def _derive(self, unit_rows: NDArray[Any], now_us: int) -> None:
        """Choose again for these units and stamp those whose row became another; naming one twice changes nothing."""
        if not len(unit_rows):
            return
        places = self._devices_of(unit_rows)
        devices = rows_at(self._device_table, places)
        devices["link"] = link = _link_of(devices, now_us - devices["newest_us"])
        self._device_table["link"][places] = link
        candidates = self._candidates(devices)
        best = choose(candidates)
        bits = _flight_bits_by_unit(devices)
        if len(best) < len(devices):
            bits = bits | _disagreement_bits(candidates, best)
        self._write(rows_at(devices, best), link[best], bits)

    def _candidates(self, devices: NDArray[Any]) -> Candidates:
        """Return devices, ordered by unit row, as what may speak for their units."""
        reports, link = devices["report"], devices["link"]
        return Candidates(
            unit_row=devices["unit_row"],
            link_rank=np.where(link == NEVER, 0, LOST + 1 - link),
            is_fit=(reports["quality"] & UNFIT) == 0,
            trust=devices["trust"],
            is_shown=self._unit_table["device_id"][devices["unit_row"]] == reports["device_id"],
            is_chosen=devices["chosen"],
            newest_us=devices["newest_us"],
            lat_e7=reports["lat_e7"],
            lon_e7=reports["lon_e7"],
            accuracy_dm=reports["accuracy_dm"],
            speed_cmps=reports["speed_cmps"],
        )

    def _devices_of(self, unit_rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return the devices of these units, ordered by unit row."""
        owners = self._device_table["unit_row"][: len(self._devices)]
        wanted = np.zeros(self._unit_count + 1, bool)
        wanted[unit_rows] = True
        places = np.flatnonzero(wanted[owners])
        return places[np.argsort(owners[places], kind="stable")]

    def _write(self, devices: NDArray[Any], link: NDArray[Any], bits: NDArray[Any]) -> None:
        rows = devices["unit_row"]
        reports = devices["report"]
        before = rows_at(self._unit_table, rows)
        after = copied(before)
        heard = link != NEVER
        for column in _SHOWN:
            after[column] = reports[column]
        if not heard.all():
            for column in _SHOWN:
                after[column][~heard] = _FRESH_UNIT[column]
        after["observed_us"] = devices["newest_us"]
        after["link"] = link
        replayed = ((reports["quality"] & _REPLAYED_QUALITY) != 0) * np.int32(UnitBit.REPLAYED)
        after["state"] = before["state"] & _KEPT_BITS | bits | replayed
        changed = _bytes_of(after) != _bytes_of(before)
        if not changed.any():
            return
        self.version += 1
        after["version"][changed] = self.version
        put_rows(self._unit_table, rows[changed], rows_at(after, changed))
        moved = changed & heard & (after["observed_us"] > before["observed_us"])
        self._trails.add(rows[moved].astype(np.intp), rows_at(after, moved))

    def _sync(self, now_us: int) -> None:
        if self._registry_version == self._registry.version:
            self._show_duty()
            return
        self._registry_version = self._registry.version
        self.version += 1
        for unit_id in self._row_by_unit.keys() - self._registry.units.keys():
            self._forget(unit_id)
        self._described, self._duty_version = self._registry.units, self._registry.duty_version
        for unit in self._described.values():
            self._describe(unit)
        if self._registry.devices:
            self._devices.take(np.array(sorted(self._registry.devices), np.int32))
        self._device_table = grown(self._device_table, len(self._devices), _FRESH_DEVICE)
        self._assign(now_us)

    def _show_duty(self) -> None:
        """Follow duty statuses that changed without anything else."""
        if self._duty_version == self._registry.duty_version:
            return
        before, self._described = self._described, self._registry.units
        self._duty_version = self._registry.duty_version
        self.version += 1
        for unit_id, unit in self._described.items():
            if before.get(unit_id) is not unit:
                self._describe(unit)

    def _forget(self, unit_id: int) -> None:
        row = self._row_by_unit.pop(unit_id)
        self._unit_table[row] = _FRESH_UNIT
        self._unit_table["version"][row] = self.version
        self._trails.clear(row)

    def _describe(self, unit: Unit) -> None:
        row = self._row_by_unit.setdefault(unit.unit_id, self._unit_count)
        if row == self._unit_count:
            self._unit_count += 1
            self._unit_table = grown(self._unit_table, self._unit_count, _FRESH_UNIT)
        state = self._unit_table[row]
        bits = int(state["state"]) & ~int(UnitBit.COVERT) | (int(UnitBit.COVERT) if unit.covert else 0)
        wanted = (unit.unit_id, DUTY_STATUSES.index(unit.duty_status), bits)
        if (state["unit_id"], state["duty"], state["state"]) != wanted:
            state["unit_id"], state["duty"], state["state"] = wanted
            state["version"] = self.version

    def _grow_devices(self, now_us: int) -> None:
        if self._described_count == len(self._devices):
            return
        self._device_table = grown(self._device_table, len(self._devices), _FRESH_DEVICE)
        self._assign(now_us)

    def _assign(self, now_us: int) -> None:
        """Take units, intervals and trust of all devices from the registry; units whose devices changed are derived again."""
        self._described_count = len(self._devices)
        assigned = self._registry.assigned(now_us)
        table = self._device_table[: len(self._devices)]
        before, kept = table["unit_row"].copy(), table[["trust", "chosen"]].copy()
        for row, device_id in enumerate(self._devices.ids.tolist()):
            device = self._registry.devices.get(device_id)
            table["device_id"][row] = device_id
            table["unit_row"][row] = self._row_by_unit.get(assigned.get(device_id, 0), -1)
            table["interval_us"][row] = max(int(1e6 * device.report_interval_s), 1) if device else 1_000_000
            table["trust"][row] = trust_of(device) if device else 0
            unit = self._registry.units.get(assigned.get(device_id, 0))
            table["chosen"][row] = unit is not None and unit.trusted_device_id == device_id
        moved = (before != table["unit_row"]) | (kept != table[["trust", "chosen"]])
        bereft = np.setdiff1d(before[moved], table["unit_row"])
        self._unassign(bereft[bereft >= 0])
        gained = np.unique(table["unit_row"][moved])
        left = np.intersect1d(before[moved], table["unit_row"])
        touched = np.union1d(gained, left)
        self._derive(touched[touched >= 0], now_us)

    def _unassign(self, unit_rows: NDArray[Any]) -> None:
        """Empty the rows of units that have no device any more."""
        for row in unit_rows.tolist():
            state = self._unit_table[row]
            kept = {name: state[name].copy() for name in ("unit_id", "duty")}
            bits = int(state["state"]) & _KEPT_BITS
            self._unit_table[row] = _FRESH_UNIT
            state["unit_id"], state["duty"], state["state"] = kept["unit_id"], kept["duty"], bits
            state["version"] = self.version


def _with_markers_kept(reports: Batch, before: Batch) -> Batch:
    """Return reports to be shown: those that are jitter of a device that stands keep the place that was shown."""
    parked = ((reports["quality"] & int(Quality.PARKED)) != 0) & (before["observed_us"] > 0)
    if parked.any():
        reports["lat_e7"][parked] = before["lat_e7"][parked]
        reports["lon_e7"][parked] = before["lon_e7"][parked]
    return reports


def _disagreement_bits(candidates: Candidates, best: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return DISAGREES for each unit, in order of rows, of which a heard device is elsewhere."""
    rows = candidates.unit_row
    starts = np.flatnonzero(np.append([True], rows[1:] != rows[:-1]))
    apart = ~np.isnan(disagreements_m(candidates, best))
    return np.where(np.logical_or.reduceat(apart, starts), np.int32(UnitBit.DISAGREES), np.int32(0))


def _bytes_of(states: UnitStates) -> NDArray[Any]:
    """Return each row as one opaque value, which compares faster than its fields."""
    return states.view(np.dtype((np.bytes_, UNIT_STATE.itemsize)))


def _link_of(devices: NDArray[Any], age_us: NDArray[Any]) -> NDArray[np.int8]:
    stale = age_us > silent_after_us(devices["interval_us"])
    lost = age_us > lost_after_us(devices["interval_us"])
    heard = devices["newest_us"] > 0
    return np.where(heard, np.where(lost, LOST, np.where(stale, STALE, LIVE)), NEVER).astype(np.int8)


def _flight_bits_by_unit(devices: NDArray[Any]) -> NDArray[np.int32]:
    """Return, for each unit in order of rows, what any of its devices knows about flying."""
    rows = devices["unit_row"]
    starts = np.flatnonzero(np.append([True], rows[1:] != rows[:-1]))
    return np.bitwise_or.reduceat(devices["flight_bits"], starts)


def _flight_bits_after(bits: int, event: AnyEvent) -> int:
    match event:
        case ArmedChanged(armed=True):
            return bits | UnitBit.ARMED | UnitBit.ARMED_KNOWN
        case ArmedChanged(armed=False):
            return bits & ~UnitBit.ARMED | UnitBit.ARMED_KNOWN
        case LandedChanged(landed=LandedState.ON_GROUND):
            return bits & ~UnitBit.AIRBORNE | UnitBit.AIRBORNE_KNOWN
        case LandedChanged():
            return bits | UnitBit.AIRBORNE | UnitBit.AIRBORNE_KNOWN
        case Rebooted():
            return bits & ~_FLIGHT_BITS
        case _:
            return bits
