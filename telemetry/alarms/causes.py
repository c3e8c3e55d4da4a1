"""What events are to the board of alarms: which cause begins or ends, how urgent it is, and which events speak of the same."""

from typing import Final

import msgspec

from telemetry.model.events import (
    LINK_LOST_S,
    AlarmKind,
    AnyEvent,
    BatteryLow,
    DeviceAlarm,
    GeofenceEntered,
    GeofenceLeft,
    GeofenceSpeeding,
    IdentityConflict,
    LinkLost,
    LinkRegained,
    OfficerAlone,
    OutsideArea,
    SosCleared,
    SosRaised,
)
from telemetry.model.unit import DutyStatus, Unit, UnitKind

BATTERY_CRITICAL_RATIO: Final = 0.15
"""At or under this a flying drone's battery is of priority 2."""
ON_CALL: Final = frozenset({DutyStatus.ENGAGED, DutyStatus.EN_ROUTE, DutyStatus.ON_SCENE})
LATE_US: Final = 60_000_000
"""What was seen so long before it reached us is told as late."""
PAST_US: Final = 900_000_000
"""What is later than this is past: still for a person to look at, but nobody is called a second time for it."""
_DEVICE_PRIORITY: Final = {
    AlarmKind.SOS: 1,
    AlarmKind.COLLISION: 1,
    AlarmKind.ROLLOVER: 1,
    AlarmKind.STOLEN: 2,
    AlarmKind.TAMPER: 2,
    AlarmKind.POWER_CUT: 2,
    AlarmKind.TRAFFIC: 2,
}
_LASTING: Final = frozenset(
    {AlarmKind.SOS, AlarmKind.LINK_LOST, AlarmKind.OUTSIDE_AREA, AlarmKind.OFFICER_ALONE, AlarmKind.TRAFFIC}
)

CauseKey = tuple[AlarmKind, int, int]
"""What is one alarm while it is open: kind, device, and the geofence (0: none)."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person must look. `is_late` and `is_past` tell how old it was when it reached us."""

    key: CauseKey
    priority: int
    text: str = ""
    code: str = ""
    is_late: bool = False
    is_past: bool = False


def lasts(kind: AlarmKind, geofence_id: int | None) -> bool:
    """Tell whether such an alarm stays on the board after its acknowledgement, until its cause is over."""
    return kind in _LASTING or geofence_id is not None


def cause_of(event: AnyEvent, unit: Unit | None, *, is_flying: bool) -> Cause | None:
    """Return the cause that begins with an event; None when none does."""
    found = _fresh_cause(event, unit, is_flying=is_flying)
    if found is None or not isinstance(event, SosRaised | DeviceAlarm):
        return found
    age_us = event.received_us - event.observed_us
    is_past = age_us > PAST_US and event.sent_late
    return msgspec.structs.replace(
        found,
        is_late=event.sent_late or age_us > LATE_US,
        is_past=is_past,
        priority=max(found.priority, 2) if is_past else found.priority,
    )


def ended_by(event: AnyEvent) -> CauseKey | None:
    """Return the cause that ends with an event."""
    match event:
        case SosCleared():
            return AlarmKind.SOS, event.device_id, 0
        case LinkRegained():
            return AlarmKind.LINK_LOST, event.device_id, 0
        case DeviceAlarm(active=False, alarm=alarm):
            return alarm, event.device_id, 0
        case GeofenceLeft(geofence_id=geofence_id):
            return AlarmKind.GEOFENCE, event.device_id, geofence_id
        case GeofenceSpeeding(active=False, geofence_id=geofence_id):
            return AlarmKind.SPEEDING, event.device_id, geofence_id
        case OutsideArea(active=False):
            return AlarmKind.OUTSIDE_AREA, event.device_id, 0
        case OfficerAlone(active=False):
            return AlarmKind.OFFICER_ALONE, event.device_id, 0
        case _:
            return None


def _fresh_cause(event: AnyEvent, unit: Unit | None, *, is_flying: bool) -> Cause | None:
    device_id = event.device_id
    matters = is_flying or (unit is not None and unit.duty_status in ON_CALL)
    match event:
        case SosRaised(text=text):
            return Cause(key=(AlarmKind.SOS, device_id, 0), priority=1, text=text)
        case IdentityConflict(evidence=evidence):
            return Cause(key=(AlarmKind.IDENTITY_CONFLICT, device_id, 0), priority=2, text=evidence)
        case BatteryLow(battery_ratio=ratio):
            priority = 2 if ratio <= BATTERY_CRITICAL_RATIO and matters else 3
            return Cause(key=(AlarmKind.BATTERY_LOW, device_id, 0), priority=priority, text=f"{ratio:.0%}")
        case LinkLost(silent_s=silent_s) if silent_s >= LINK_LOST_S and not _may_be_silent(unit, is_flying=is_flying):
            return Cause(
                key=(AlarmKind.LINK_LOST, device_id, 0), priority=2 if matters else 3, text=f"{silent_s:.0f} s"
            )
        case DeviceAlarm(active=True, alarm=alarm, text=text, code=code):
            return Cause(key=(alarm, device_id, 0), priority=_DEVICE_PRIORITY.get(alarm, 3), text=text, code=code)
        case _:
            return _geofence_cause(event)


def _geofence_cause(event: AnyEvent) -> Cause | None:
    device_id = event.device_id
    match event:
        case GeofenceEntered(raises_alarm=True, geofence_id=geofence_id, name=name, late=False):
            return Cause(key=(AlarmKind.GEOFENCE, device_id, geofence_id), priority=2, text=name)
        case GeofenceSpeeding(active=True, geofence_id=geofence_id, speed_mps=speed_mps, limit_mps=limit_mps):
            text = f"{3.6 * speed_mps:.0f} > {3.6 * limit_mps:.0f} km/h"
            return Cause(key=(AlarmKind.SPEEDING, device_id, geofence_id), priority=3, text=text)
        case OutsideArea(active=True):
            return Cause(key=(AlarmKind.OUTSIDE_AREA, device_id, 0), priority=3)
        case OfficerAlone(active=True, nearest_m=nearest_m):
            text = "" if nearest_m is None else f"{nearest_m:.0f} m"
            return Cause(key=(AlarmKind.OFFICER_ALONE, device_id, 0), priority=2, text=text)
        case _:
            return None


def _may_be_silent(unit: Unit | None, *, is_flying: bool) -> bool:
    """Tell whether silence is no news: somebody off duty who switched the phone off."""
    if unit is None or unit.kind is UnitKind.DRONE:
        return False
    return unit.duty_status is DutyStatus.OFF_DUTY and not is_flying
