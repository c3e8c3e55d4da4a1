"""What the demo force is on paper: its units, and all lines of it that go into the registry."""

import msgspec

from console.demo.crews import Watch
from telemetry.model.unit import DutyStatus, Equipment, Service, UnitKind
from telemetry.registry.force_file import ForceLine


class PlannedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the demo force: what the registry says of it, and what its device speaks.

    `dialect` is "mavlink" (drones), "jt808" (vehicles), "osmand" or "traccar" (officers' phones); `system_id` is 0 for all but
    drones, `terminal_phone` is the number of a vehicle's terminal, `bodycam_id` the GB/T 28181 id of an officer's bodycam, ""
    where there is none. The base is where it starts (a dock's pad, a post, the middle of its beat). `duty_status` is what it has while one of its `watches` is on duty; otherwise it is off
    duty and silent. `answers`: its officer's page takes tasks.
    """

    call_sign: str
    name_zh: str
    kind: UnitKind
    service: Service
    duty_status: DutyStatus
    station_number: int | None
    dialect: str
    report_interval_s: float
    base_lat_deg: float
    base_lon_deg: float
    system_id: int = 0
    terminal_phone: str = ""
    bodycam_id: str = ""
    covert: bool = False
    equipment: tuple[Equipment, ...] = ()
    watches: tuple[Watch, ...] = (Watch.DAY, Watch.NIGHT)
    answers: bool = False

    @property
    def bodycam_label(self) -> str:
        """The inventory name of the officer's bodycam."""
        return f"{self.call_sign} bodycam"

    def duty_in(self, watch: Watch) -> DutyStatus:
        """Return the unit's duty status in a watch."""
        return self.duty_status if watch in self.watches else DutyStatus.OFF_DUTY


class ForcePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole demo force with its places."""

    lines: tuple[ForceLine, ...]
    units: tuple[PlannedUnit, ...]

    def on_duty(self, watch: Watch) -> tuple[PlannedUnit, ...]:
        """Return the units that are on duty in a watch."""
        return tuple(unit for unit in self.units if watch in unit.watches)
