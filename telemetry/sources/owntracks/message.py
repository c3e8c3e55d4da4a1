"""OwnTracks' JSON: an object whose `_type` says what it is; positions are of type location, their speed in km/h."""

import math
from typing import Any, Final

import msgspec

from telemetry.model.errors import InputError
from telemetry.model.phone import PhoneFix, checked_place, checked_time_us

LOCATION: Final = "location"
KNOWN: Final = frozenset(
    {
        "beacon", "card", "cmd", "configuration", "dump", "encrypted", "location", "lwt", "request", "status", "steps",
        "transition", "waypoint", "waypoints",
    }
)  # fmt: skip
METRES_PER_SECOND_PER_KMH: Final = 1 / 3.6
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One object. `fix` is there for a location; `fields` are all that it said."""

    kind: str
    fields: dict[str, Any]
    fix: PhoneFix | None = None


def decode_message(data: bytes) -> Message:
    """Return one object. Raises InputError: what, value, allowed."""
    try:
        fields = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JsonError(f'the message is no object of OwnTracks: {error}; one is as {{"_type": "location"}}') from error
    kind = fields.get("_type")
    if not isinstance(kind, str) or kind not in KNOWN:
        raise InputError(f"_type is {str(kind)[:40]!r}: one of {', '.join(sorted(KNOWN))} is needed")
    return Message(kind=kind, fields=fields, fix=_fix_of(fields) if kind == LOCATION else None)


class JsonError(InputError):
    """Bytes that are no JSON object."""


def topic_of(fields: dict[str, Any]) -> str | None:
    """Return the topic that a message names itself, as it does over HTTP."""
    topic = fields.get("topic")
    return topic if isinstance(topic, str) and topic else None


def _fix_of(fields: dict[str, Any]) -> PhoneFix:
    ignored: list[str] = []
    lat_deg, lon_deg = checked_place(_degrees(fields, "lat"), _degrees(fields, "lon"))
    speed_kmh = _number(fields, "vel", ignored, lowest=0)
    battery_pct = _number(fields, "batt", ignored, lowest=0, highest=100)
    return PhoneFix(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        observed_us=_time_us(fields, "tst"),
        speed_mps=None if speed_kmh is None else speed_kmh * METRES_PER_SECOND_PER_KMH,
        course_deg=_number(fields, "cog", ignored, lowest=0, highest=360),
        alt_msl_m=_number(fields, "alt", ignored, lowest=-1_000, highest=100_000),
        accuracy_m=_number(fields, "acc", ignored, lowest=0) or None,
        battery_ratio=None if battery_pct is None else battery_pct / 100,
        ignored=tuple(ignored),
    )


def _time_us(fields: dict[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{name} is {str(value)[:40]!r}: seconds since 1970 are needed")
    return checked_time_us(str(value))


def _degrees(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{name} is {str(value)[:40]!r}: a number of degrees is needed")
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} is {str(value)[:40]!r}: a number of degrees is needed") from error


def _number(
    fields: dict[str, Any], name: str, ignored: list[str], *, lowest: float, highest: float = math.inf
) -> float | None:
    """Return an optional value; null and negative ones that cannot be are unknown, what is wrong is named in `ignored`."""
    value = fields.get(name)
    if value is None or (lowest == 0 and value == -1):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        ignored.append(f"{name}={str(value)[:40]} (a number {lowest:g} .. {highest:g})")
        return None
    return float(value)
