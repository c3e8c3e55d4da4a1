"""What the demo force is on paper: its units, and all lines of it that go into the registry."""

import msgspec

from telemetry.force_file import ForceLine
from telemetry.model.unit import DutyStatus, Service, UnitKind


class PlannedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the demo force: what the registry says of it, and what its device speaks.

    `dialect` is "mavlink", "osmand" or "traccar"; `system_id` is 0 for phones; the base is where it starts (a dock's pad, a
    post, a place on its station's streets).
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
    covert: bool = False


class ForcePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole demo force with its places."""

    lines: tuple[ForceLine, ...]
    units: tuple[PlannedUnit, ...]
