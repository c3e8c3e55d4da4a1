"""An alarm: what a person must look at, numbered, owned, acknowledged."""

from enum import StrEnum

import msgspec

from telemetry.model.events import AlarmKind


class AlarmState(StrEnum):
    """Where an alarm stands. ENDED means that its cause is over; it leaves the board once it is acknowledged too."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. `alarm_id` follows from its cause (kind, device, time), so that replaying events makes the same one.

    `priority` is 1 (a person needs help now) .. 3; times are UTC microseconds. `observed_us` is when the device saw its cause:
    `is_late` where that was long before it could tell us. The owner is who acknowledged it, or to whom it was handed over. `code` is
    the device's own name of it, `geofence_id` the fence that it is about. `note` is what was written last when it was handed over or
    closed, `closed_by` who said that it is over where the device did not.
    """

    alarm_id: str
    number: int
    kind: AlarmKind
    priority: int
    device_id: int
    unit_id: int | None
    raised_us: int
    state: AlarmState = AlarmState.RAISED
    text: str = ""
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    ended_us: int | None = None
    escalated_us: int | None = None
    observed_us: int = 0
    is_late: bool = False
    code: str = ""
    geofence_id: int | None = None
    owner_id: int | None = None
    owner: str | None = None
    note: str = ""
    closed_by: str | None = None
