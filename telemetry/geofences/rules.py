"""When, at which heights and whom geofences concern, as columns: told for many pairs of report and fence at once."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.geofences.fence import ALL_DAYS, DAY_MINUTES, AreaAssignment, Geofence
from telemetry.model.batch import UNKNOWN_I4, Batch
from telemetry.model.unit import Service, Unit, UnitKind

MINUTE_US: Final = 60_000_000
_FOREVER_US: Final = np.iinfo(np.int64).max
_NO_HEIGHT_DM: Final = np.iinfo(np.int32).max
_KINDS: Final = tuple(UnitKind)
_SERVICES: Final = tuple(Service)
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; Monday is 0."""


class Rules:
    """The conditions of geofences, row i of fence i. Whom they concern is computed once for each sort of unit that appears."""

    def __init__(self, fences: Sequence[Geofence], assignments: Sequence[AreaAssignment] = ()) -> None:
        self.fences = fences
        self.ids: NDArray[np.int32] = np.array([fence.geofence_id for fence in fences], np.int32)
        self._from_us = np.array([fence.valid_from_us or 0 for fence in fences], np.int64)
        ends = [_FOREVER_US if fence.valid_to_us is None else fence.valid_to_us for fence in fences]
        self._to_us = np.array(ends, np.int64)
        self._days = np.array([fence.days for fence in fences], np.int64)
        self._from_minute = np.array([fence.from_minute for fence in fences], np.int64)
        self._to_minute = np.array([fence.to_minute for fence in fences], np.int64)
        self._offset_us = np.array([fence.utc_offset_s for fence in fences], np.int64) * 1_000_000
        self._lowest_dm = np.array([_dm(fence.lowest_m, -_NO_HEIGHT_DM) for fence in fences], np.int64)
        self._highest_dm = np.array([_dm(fence.highest_m, _NO_HEIGHT_DM) for fence in fences], np.int64)
        self._above_home = np.array([fence.height_above == "home" for fence in fences], bool)
        self.limit_cmps = np.array([100 * (fence.limit_mps or np.inf) for fence in fences], np.float64)
        self.has_limits = bool(np.isfinite(self.limit_cmps).any())
        self._is_plain = (self._days == ALL_DAYS) & (self._from_minute == 0) & (self._to_minute == DAY_MINUTES)
        self._is_plain &= (self._from_us == 0) & (self._to_us == _FOREVER_US)
        self._is_plain &= (self._lowest_dm == -_NO_HEIGHT_DM) & (self._highest_dm == _NO_HEIGHT_DM)
        self.has_conditions = not bool(self._is_plain.all())
        self.is_constant: NDArray[np.bool_] = self._is_plain & ~np.isfinite(self.limit_cmps)
        """By row of fence: whether it holds always and at every height, and has no limit of speed."""
        self._sorts: dict[object, int] = {}
        self.concerned: NDArray[np.bool_] = np.zeros((0, len(fences)), bool)
        """By number of sort and row of fence: whether the fence concerns units of the sort."""
        self._assigned = {(one.geofence_id, one.unit_id, one.station_id) for one in assignments}
        self._named = {unit_id for fence in fences for unit_id in fence.unit_ids}
        self._named |= {one.unit_id for one in assignments if one.unit_id is not None}

    def hold(self, fence: NDArray[np.int64], observed_us: NDArray[Any], reports: Batch) -> NDArray[np.bool_]:
        """Tell for each pair of a fence's row and a report whether the fence holds at its time and its height."""
        holds: NDArray[np.bool_] = self._is_plain[fence]
        if not holds.all():
            asked = np.flatnonzero(~holds)
            rows, at_us = fence[asked], observed_us[asked]
            holds[asked] = self._in_time(rows, at_us) & self._in_height(rows, reports[asked])
        return holds

    def _in_time(self, fence: NDArray[np.int64], at_us: NDArray[Any]) -> NDArray[np.bool_]:
        minute = (at_us + self._offset_us[fence]) // MINUTE_US
        day, minute = minute // DAY_MINUTES, minute % DAY_MINUTES
        begin, end, days = self._from_minute[fence], self._to_minute[fence], self._days[fence]
        today = _has_day(days, day)
        over_midnight = end <= begin
        in_hours = np.where(
            over_midnight,
            ((minute >= begin) & today) | ((minute < end) & _has_day(days, day - 1)),
            (minute >= begin) & (minute < end) & today,
        )
        valid: NDArray[np.bool_] = in_hours & (at_us >= self._from_us[fence]) & (at_us < self._to_us[fence])
        return valid

    def _in_height(self, fence: NDArray[np.int64], reports: Batch) -> NDArray[np.bool_]:
        height_dm = np.where(self._above_home[fence], reports["alt_home_dm"], reports["alt_msl_dm"]).astype(np.int64)
        within = (height_dm >= self._lowest_dm[fence]) & (height_dm <= self._highest_dm[fence])
        found: NDArray[np.bool_] = within | (height_dm == UNKNOWN_I4)
        return found

    def sort_of(self, unit: Unit) -> int:
        """Return the number of the unit's sort: units of one sort are concerned by the same fences."""
        key: object = (unit.kind, unit.service, unit.station_id)
        if unit.unit_id in self._named:
            key = (key, unit.unit_id)
        sort = self._sorts.get(key)
        if sort is None:
            sort = self._sorts[key] = len(self._sorts)
            row = [_concerns(fence, unit) or self._is_assigned(fence.geofence_id, unit) for fence in self.fences]
            self.concerned = np.vstack((self.concerned, np.array(row, bool)))
        return sort

    def _is_assigned(self, geofence_id: int, unit: Unit) -> bool:
        by_station = unit.station_id is not None and (geofence_id, None, unit.station_id) in self._assigned
        return by_station or (geofence_id, unit.unit_id, None) in self._assigned


def _concerns(fence: Geofence, unit: Unit) -> bool:
    if unit.unit_id in fence.unit_ids:
        return True
    asks = (
        (fence.kinds, unit.kind),
        (fence.services, unit.service),
        (fence.station_ids, unit.station_id),
    )
    filters = [(allowed, value) for allowed, value in asks if allowed]
    if not filters:
        return not fence.unit_ids
    return all(value in allowed for allowed, value in filters)


def _has_day(days: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (days >> ((day + _EPOCH_WEEKDAY) % 7)) & 1 == 1
    return found


def _dm(height_m: float | None, unknown_dm: int) -> int:
    return unknown_dm if height_m is None else round(10 * height_m)
