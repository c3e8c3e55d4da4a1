"""A Traccar server's forwarded positions (`forward.type=json`): one object with position and device; speed is in knots."""

import math
from typing import Any, Final

import msgspec

from telemetry.model.errors import InputError
from telemetry.model.events import AlarmKind
from telemetry.model.fix import METRES_PER_SECOND_PER_KNOT
from telemetry.model.phone import SOS, PhoneFix, ToldAlarm, checked_place, checked_time_us

ALARMS: Final = {
    "accident": AlarmKind.COLLISION,
    "fallDown": AlarmKind.SOS,
    "fatigueDriving": AlarmKind.FATIGUE,
    "fault": AlarmKind.DEVICE_FAULT,
    "gpsAntennaCut": AlarmKind.DEVICE_FAULT,
    "jamming": AlarmKind.TAMPER,
    "lowBattery": AlarmKind.BATTERY_LOW,
    "lowPower": AlarmKind.BATTERY_LOW,
    "overspeed": AlarmKind.SPEEDING,
    "powerCut": AlarmKind.POWER_CUT,
    "powerOff": AlarmKind.POWER_CUT,
    "powerRestored": AlarmKind.POWER_CUT,
    "removing": AlarmKind.TAMPER,
    "tampering": AlarmKind.TAMPER,
    "tow": AlarmKind.STOLEN,
}
"""Traccar's names of alarms that ask for a person here; others (doors, idling, hard turns) stay with Traccar."""
ENDINGS: Final = frozenset({"powerRestored"})
SOS_NAME: Final = "sos"


class _Device(msgspec.Struct):
    unique_id: str | int = msgspec.field(name="uniqueId")


class _Position(msgspec.Struct):
    lat_deg: float = msgspec.field(name="latitude")
    lon_deg: float = msgspec.field(name="longitude")
    fix_time: Any = msgspec.field(name="fixTime", default=None)
    device_time: Any = msgspec.field(name="deviceTime", default=None)
    valid: bool | None = None
    outdated: bool | None = None
    altitude: Any = None
    speed: Any = None
    course: Any = None
    accuracy: Any = None
    attributes: Any = None


class _Forwarded(msgspec.Struct):
    device: _Device
    position: _Position | None = None


_DECODER: Final = msgspec.json.Decoder(_Forwarded)


def is_forwarded(body: bytes) -> bool:
    """Tell whether a body is a server's, which names a device by its own id, and not one phone's."""
    return b'"device"' in body and b'"uniqueId"' in body


def decode_forwarded(body: bytes) -> list[PhoneFix]:
    """Return the report of a body; none where it tells of an event without a place. Raises InputError: what, value, allowed."""
    try:
        forwarded = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        shape = '{"position": {"latitude", "longitude", "fixTime"}, "device": {"uniqueId"}}'
        raise InputError(f"the body is not what Traccar forwards: {error}; needed is {shape}") from error
    unique_id = str(forwarded.device.unique_id).strip()
    if not unique_id:
        raise InputError("device.uniqueId is empty: it is Traccar's name of the device")
    return [] if forwarded.position is None else [_fix_of(forwarded.position, unique_id)]


def _fix_of(position: _Position, unique_id: str) -> PhoneFix:
    """Take `outdated` for no fix: Traccar then repeats an old place, because the device told none."""
    ignored: list[str] = []
    attributes = position.attributes if isinstance(position.attributes, dict) else {}
    lat_deg, lon_deg = checked_place(position.lat_deg, position.lon_deg)
    speed_knots = _number("speed", position.speed, ignored, lowest=0)
    battery_pct = _number("batteryLevel", attributes.get("batteryLevel"), ignored, lowest=0, highest=100)
    satellites = _number("sat", attributes.get("sat"), ignored, lowest=0, highest=127)
    alarms = _alarms_of(attributes)
    return PhoneFix(
        speaks_for=unique_id,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        observed_us=_time_us(position.fix_time) or _time_us(position.device_time),
        speed_mps=None if speed_knots is None else speed_knots * METRES_PER_SECOND_PER_KNOT,
        course_deg=_number("course", position.course, ignored, lowest=0, highest=360),
        alt_msl_m=_number("altitude", position.altitude, ignored, lowest=-1_000, highest=100_000),
        accuracy_m=_number("accuracy", position.accuracy, ignored, lowest=0) or None,
        battery_ratio=None if battery_pct is None else battery_pct / 100,
        satellites=None if satellites is None else int(satellites),
        has_fix=position.valid is not False and position.outdated is not True,
        is_archive=attributes.get("archive") is True,
        alarm=SOS if SOS_NAME in alarms else None,
        device_alarms=tuple(
            ToldAlarm(alarm=ALARMS[name], code=f"traccar:{name}", active=name not in ENDINGS)
            for name in alarms
            if name in ALARMS
        ),
        ignored=tuple(ignored),
    )


def _alarms_of(attributes: dict[str, Any]) -> list[str]:
    """Return the alarms of a position: one, or several with commas between."""
    told = attributes.get("alarm")
    return [name.strip() for name in told.split(",")] if isinstance(told, str) else []


def _time_us(told: object) -> int | None:
    if told in (None, "") or isinstance(told, bool) or not isinstance(told, str | int | float):
        return None
    return checked_time_us(str(told))


def _number(
    name: str,
    value: object,
    ignored: list[str],
    *,
    lowest: float,
    highest: float = math.inf,
) -> float | None:
    """Return an optional value; what is wrong is left out and named in `ignored`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        ignored.append(f"{name}={str(value)[:40]} (a number {lowest:g} .. {highest:g})")
        return None
    return float(value)
