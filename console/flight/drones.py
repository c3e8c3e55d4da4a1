"""Which device flies as which unit, and where it is by the live picture."""

from typing import Any, Final

import msgspec

from console.sources import FieldBridge
from infra.clock import Clock
from mission.pilot import Seen
from telemetry.model.batch import FIX_3D, UNKNOWN_I1, UNKNOWN_I4, Quality
from telemetry.model.errors import NotFoundError
from telemetry.model.unit import LinkState, UnitKind
from telemetry.model.unit_state import LINK_STATES, UnitBit

PROTOCOL = "mavlink"
LOCATED_WITHIN_US: Final = 30_000_000
LOCATED_SPARSELY_WITHIN_US: Final = 600_000_000
"""A satellite link tells of a place every few minutes."""
NO_PLACE: Final = Quality.NO_FIX | Quality.NULL_ISLAND | Quality.MOCK | Quality.REPLAYED


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a drone is, None what it never said; `is_heard`: lately; `is_located`: by satellites, and lately."""

    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None = None
    alt_home_m: float | None = None
    battery_ratio: float | None = None
    is_heard: bool = False
    is_armed: bool | None = None
    is_airborne: bool | None = None
    is_located: bool = False


class Drones:
    """The drones of the registry that speak MAVLink, each by its unit."""

    def __init__(self, bridge: FieldBridge, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._read = -1
        self._by_unit: dict[int, int] = {}

    def by_unit(self) -> dict[int, int]:
        """Return the device of every drone by its unit_id; the one that people trust where a unit has several."""
        registry = self._bridge.registry
        if self._read != registry.version:
            self._read, now_us = registry.version, self._clock.now_us()
            found: dict[int, int] = {}
            for device in registry.devices.values():
                unit = registry.units.get(registry.unit_of(device.device_id, now_us) or 0)
                if device.protocol != PROTOCOL or device.revoked or unit is None or unit.kind is not UnitKind.DRONE:
                    continue
                if unit.unit_id not in found or unit.trusted_device_id == device.device_id:
                    found[unit.unit_id] = device.device_id
            self._by_unit = found
        return self._by_unit

    def device_of(self, unit_id: int) -> int:
        """Return the device that flies as a unit. Raises NotFoundError for a unit that is no drone of ours."""
        device_id = self.by_unit().get(unit_id)
        if device_id is None:
            message = f"unit {unit_id} has no drone that speaks MAVLink: GET /api/flights lists those that do"
            raise NotFoundError(message, f"单元 {unit_id} 没有使用 MAVLink 的无人机")
        return device_id

    def unit_of(self, device_id: int) -> int | None:
        """Return the unit as which a device flies, None for one that is no drone."""
        unit_id = self._bridge.registry.unit_of(device_id, self._clock.now_us())
        return unit_id if unit_id is not None and self.by_unit().get(unit_id) == device_id else None

    def place_of(self, unit_id: int) -> Place | None:
        """Return where a unit is, None for one that was never heard."""
        row = self._row(unit_id)
        if row is None or not row["observed_us"]:
            return None
        seen = self.seen_of(unit_id)
        return Place(
            lat_deg=int(row["lat_e7"]) / 1e7,
            lon_deg=int(row["lon_e7"]) / 1e7,
            alt_msl_m=_metres(int(row["alt_msl_dm"])),
            alt_home_m=_metres(int(row["alt_home_dm"])),
            battery_ratio=None if row["battery_pct"] == UNKNOWN_I1 else int(row["battery_pct"]) / 100,
            is_heard=bool(seen.is_heard),
            is_armed=seen.is_armed,
            is_airborne=_bit(row, UnitBit.AIRBORNE, UnitBit.AIRBORNE_KNOWN),
            is_located=is_located(row, self._clock.now_us()),
        )

    def seen_of(self, unit_id: int) -> Seen:
        """Return what a unit's last word shows; whether it flies only while its place is fresh."""
        row = self._row(unit_id)
        if row is None:
            return Seen(is_heard=False)
        return Seen(
            is_heard=LINK_STATES[int(row["link"])] is LinkState.LIVE,
            is_armed=_bit(row, UnitBit.ARMED, UnitBit.ARMED_KNOWN),
            is_airborne=_bit(row, UnitBit.AIRBORNE, UnitBit.AIRBORNE_KNOWN)
            if is_located(row, self._clock.now_us())
            else None,
        )

    def _row(self, unit_id: int) -> Any | None:  # noqa: ANN401 - one row of dtype UNIT_STATE
        rows = self._bridge.picture.units
        found = rows[rows["unit_id"] == unit_id]
        return found[0] if len(found) else None


def is_located(row: Any, now_us: int) -> bool:  # noqa: ANN401 - one row of dtype UNIT_STATE
    """Tell whether a unit's place is one to fly by: fresh, and by satellites as far as it says; what it had once is none."""
    fix, quality = int(row["fix"]), int(row["quality"])
    within_us = LOCATED_SPARSELY_WITHIN_US if quality & Quality.SPARSE else LOCATED_WITHIN_US
    is_fresh = bool(row["observed_us"]) and now_us - int(row["received_us"]) <= within_us
    return is_fresh and not quality & NO_PLACE and (fix == UNKNOWN_I1 or fix >= FIX_3D)


def _bit(row: Any, bit: UnitBit, known: UnitBit) -> bool | None:  # noqa: ANN401 - one row of dtype UNIT_STATE
    state = int(row["state"])
    return bool(state & bit) if state & known else None


def _metres(decimetres: int) -> float | None:
    return None if decimetres == UNKNOWN_I4 else decimetres / 10
