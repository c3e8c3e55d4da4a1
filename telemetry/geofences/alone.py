"""Officers alone: on duty and outdoors with no other unit near for a while; all of them looked at in one turn."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from telemetry.flat_earth import METRES_PER_E7
from telemetry.geofences.fence import AloneRule
from telemetry.model.batch import UNKNOWN_I2
from telemetry.model.events import OfficerAlone
from telemetry.model.unit import DutyStatus, LinkState, Station, Unit, UnitKind
from telemetry.model.unit_state import LINK_STATES, UnitStates
from telemetry.tracking.quality import UNFIT

EVERY_US: Final = 5_000_000
IN_COMPANY_AGAIN: Final = 0.9
"""Who is alone is so until another comes within this share of the limit."""
STATION_M: Final = 60.0
"""Who is so near to a station is indoors."""
OUTDOORS_DM: Final = 500
"""A fix less accurate than 50 m is one of walls and roofs."""
_LOOKED_M: Final = 5_000.0
_HEARD: Final = tuple(LINK_STATES.index(state) for state in (LinkState.LIVE, LinkState.STALE))
_OFF: Final = frozenset({DutyStatus.OFF_DUTY, DutyStatus.CHARGING})


class AloneRules:
    """Which rule holds for which officer: its own, else its station's, else the force's."""

    def __init__(self, rules: Sequence[AloneRule] = ()) -> None:
        self._by_unit = {rule.unit_id: rule for rule in rules if rule.unit_id is not None}
        self._by_station = {rule.station_id: rule for rule in rules if rule.unit_id is None}

    def __bool__(self) -> bool:
        """Tell whether there is any rule at all."""
        return bool(self._by_unit or self._by_station)

    def of(self, unit: Unit) -> AloneRule | None:
        """Return the rule for a unit, None where none holds."""
        if unit.kind is not UnitKind.OFFICER or unit.duty_status in _OFF:
            return None
        rule = self._by_unit.get(unit.unit_id)
        rule = self._by_station.get(unit.station_id) if rule is None and unit.station_id is not None else rule
        rule = self._by_station.get(None) if rule is None else rule
        return None if rule is None or rule.limit_m is None else rule


class AloneWatch:
    """Since when each officer has had nobody near, and of whom it was told."""

    def __init__(self) -> None:
        self.rules = AloneRules()
        self._since_us: dict[int, int] = {}
        self._told: dict[int, int] = {}

    @property
    def told(self) -> Mapping[int, int]:
        """The device by unit of officers of whom it was told that they are alone."""
        return self._told

    def restore(self, unit_id: int, event: OfficerAlone) -> None:
        """Take an event of the past."""
        if event.active:
            self._told[unit_id] = event.device_id
            self._since_us[unit_id] = event.observed_us
        else:
            self._told.pop(unit_id, None)
            self._since_us.pop(unit_id, None)

    def look(
        self, states: UnitStates, units: Mapping[int, Unit], stations: Mapping[int, Station], now_us: int
    ) -> list[OfficerAlone]:
        """Return who is alone since now and who no longer. About 5 ms for 5,000 units."""
        if not self.rules and not self._told:
            return []
        heard = states[np.isin(states["link"], _HEARD) & (states["unit_id"] > 0) & (states["observed_us"] > 0)]
        places_m = _places_m(heard)
        officers, rules = self._watched(heard, units, _near_station(places_m, heard, stations))
        nearest_m = _nearest_m(places_m, officers, _company(heard, units))
        events: list[OfficerAlone] = []
        for place, rule, distance_m in zip(officers.tolist(), rules, nearest_m.tolist(), strict=True):
            events += self._judge(heard[place], rule, distance_m, now_us)
        seen = set(heard["unit_id"][officers].tolist())
        events += self._released(seen, set(heard["unit_id"].tolist()), units, now_us)
        return events

    def _watched(
        self, heard: UnitStates, units: Mapping[int, Unit], indoors: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], list[AloneRule]]:
        outdoors = ~indoors & ((heard["quality"] & UNFIT) == 0)
        outdoors &= (heard["accuracy_dm"] == UNKNOWN_I2) | (heard["accuracy_dm"] <= OUTDOORS_DM)
        found = [
            (place, rule)
            for place in np.flatnonzero(outdoors).tolist()
            if (unit := units.get(int(heard["unit_id"][place]))) is not None and (rule := self.rules.of(unit))
        ]
        return np.array([place for place, _ in found], np.intp), [rule for _, rule in found]

    def _judge(self, state: Any, rule: AloneRule, nearest_m: float, now_us: int) -> list[OfficerAlone]:  # noqa: ANN401 - a row of UNIT_STATE
        unit_id, device_id = int(state["unit_id"]), int(state["device_id"])
        limit_m = rule.limit_m or 0.0
        was_told = unit_id in self._told
        if nearest_m <= limit_m * (IN_COMPANY_AGAIN if was_told else 1.0):
            self._since_us.pop(unit_id, None)
            return self._over(unit_id, now_us, limit_m, nearest_m) if was_told else []
        since_us = self._since_us.setdefault(unit_id, now_us)
        if was_told or now_us - since_us < 1e6 * rule.after_s:
            return []
        self._told[unit_id] = device_id
        told_m = nearest_m if np.isfinite(nearest_m) else None
        return [_said(device_id, now_us, active=True, limit_m=limit_m, nearest_m=told_m)]

    def _released(self, seen: set[int], heard: set[int], units: Mapping[int, Unit], now_us: int) -> list[OfficerAlone]:
        """Let go who went indoors, off duty or has no rule any more; who fell silent stays as it was."""
        for unit_id in self._since_us.keys() - seen:
            if unit_id not in self._told:
                del self._since_us[unit_id]
        events: list[OfficerAlone] = []
        for unit_id in sorted(self._told.keys() - seen):
            unit = units.get(unit_id)
            if unit_id in heard or unit is None or self.rules.of(unit) is None:
                self._since_us.pop(unit_id, None)
                events += self._over(unit_id, now_us, 0.0, None)
        return events

    def _over(self, unit_id: int, now_us: int, limit_m: float, nearest_m: float | None) -> list[OfficerAlone]:
        device_id = self._told.pop(unit_id)
        return [_said(device_id, now_us, active=False, limit_m=limit_m, nearest_m=nearest_m)]


def _said(device_id: int, now_us: int, *, active: bool, limit_m: float, nearest_m: float | None) -> OfficerAlone:
    return OfficerAlone(
        device_id=device_id,
        observed_us=now_us,
        received_us=now_us,
        active=active,
        limit_m=limit_m,
        nearest_m=None if nearest_m is None else round(nearest_m, 1),
    )


def _places_m(states: UnitStates) -> NDArray[np.float64]:
    """Return places on a plane that is true to a few parts in a thousand for neighbours."""
    return _plane(states["lat_e7"].astype(np.float64), states["lon_e7"].astype(np.float64))


def _plane(lat_e7: NDArray[np.float64], lon_e7: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (north, east) metres; each degree of latitude has its own scale, so that far places are never near."""
    shrink = np.cos(np.radians(np.round(lat_e7 / 1e7)))
    return np.column_stack((lat_e7 * METRES_PER_E7, lon_e7 * METRES_PER_E7 * shrink))


def _near_station(
    places_m: NDArray[np.float64], heard: UnitStates, stations: Mapping[int, Station]
) -> NDArray[np.bool_]:
    if not stations or not len(heard):
        return np.zeros(len(heard), bool)
    lat = np.array([station.lat_deg for station in stations.values()]) * 1e7
    lon = np.array([station.lon_deg for station in stations.values()]) * 1e7
    distance_m, _ = cKDTree(_plane(lat, lon)).query(places_m, distance_upper_bound=STATION_M)
    near: NDArray[np.bool_] = np.isfinite(distance_m)
    return near


def _company(heard: UnitStates, units: Mapping[int, Unit]) -> NDArray[np.intp]:
    """Return who is company: every unit but drones."""
    kinds = [units.get(unit_id) for unit_id in heard["unit_id"].tolist()]
    return np.array([place for place, unit in enumerate(kinds) if unit and unit.kind is not UnitKind.DRONE], np.intp)


def _nearest_m(
    places_m: NDArray[np.float64], officers: NDArray[np.intp], company: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return how far each officer's nearest other company is, infinite beyond 5 km."""
    if not len(officers):
        return np.zeros(0)
    if len(company) < 2:
        return np.full(len(officers), np.inf)
    tree = cKDTree(places_m[company])
    asked = tree.query(places_m[officers], k=2, distance_upper_bound=_LOOKED_M)
    distance_m, found = np.asarray(asked[0], np.float64), np.asarray(asked[1])
    own = np.append(company, -1)[found] == officers[:, None]
    nearest: NDArray[np.float64] = np.where(own, np.inf, distance_m).min(axis=1)
    return nearest
