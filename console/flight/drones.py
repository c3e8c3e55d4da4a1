"""Which device flies as which unit, and where it is by the live picture."""

import msgspec

from console.sources import FieldBridge
from infra.clock import Clock
from telemetry.model.batch import UNKNOWN_I1, UNKNOWN_I4
from telemetry.model.errors import NotFoundError
from telemetry.model.unit import LinkState, UnitKind
from telemetry.model.unit_state import LINK_STATES, UnitBit

PROTOCOL = "mavlink"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a drone is, None what it never said; `is_heard`: lately."""

    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None
    alt_home_m: float | None
    battery_ratio: float | None
    is_heard: bool
    is_armed: bool | None
    is_airborne: bool | None


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
            raise NotFoundError(message)
        return device_id

    def unit_of(self, device_id: int) -> int | None:
        """Return the unit as which a device flies, None for one that is no drone."""
        unit_id = self._bridge.registry.unit_of(device_id, self._clock.now_us())
        return unit_id if unit_id is not None and self.by_unit().get(unit_id) == device_id else None

    def place_of(self, unit_id: int) -> Place | None:
        """Return where a unit is, None for one that was never heard."""
        rows = self._bridge.picture.units
        found = rows[rows["unit_id"] == unit_id]
        if not len(found) or not found[0]["observed_us"]:
            return None
        row = found[0]
        state = int(row["state"])
        return Place(
            lat_deg=int(row["lat_e7"]) / 1e7,
            lon_deg=int(row["lon_e7"]) / 1e7,
            alt_msl_m=_metres(int(row["alt_msl_dm"])),
            alt_home_m=_metres(int(row["alt_home_dm"])),
            battery_ratio=None if row["battery_pct"] == UNKNOWN_I1 else int(row["battery_pct"]) / 100,
            is_heard=LINK_STATES[int(row["link"])] is LinkState.LIVE,
            is_armed=bool(state & UnitBit.ARMED) if state & UnitBit.ARMED_KNOWN else None,
            is_airborne=bool(state & UnitBit.AIRBORNE) if state & UnitBit.AIRBORNE_KNOWN else None,
        )


def _metres(decimetres: int) -> float | None:
    return None if decimetres == UNKNOWN_I4 else decimetres / 10
