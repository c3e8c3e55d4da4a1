"""Traccar Client's JSON: reports with coords, battery and activity; speed is in m/s and -1 is unknown."""

import math
from typing import Any, Final

import msgspec

from telemetry.model.errors import InputError
from telemetry.model.phone import PhoneFix, checked_place, checked_time_us

MOST_REPORTS: Final = 1_000
"""Reports in one request."""


class _Coords(msgspec.Struct):
    lat_deg: float = msgspec.field(name="latitude")
    lon_deg: float = msgspec.field(name="longitude")
    accuracy: Any = None
    speed: Any = None
    heading: Any = None
    altitude: Any = None


class _Location(msgspec.Struct):
    coords: _Coords | None = None
    timestamp: str | float | int | None = None
    battery: Any = None
    extras: Any = None
    mock: bool | None = None


class _Body(msgspec.Struct):
    location: _Location | list[_Location]
    device_id: str | int | None = None


_DECODER: Final = msgspec.json.Decoder(_Body)


def decode_client(data: bytes) -> list[PhoneFix]:
    """Return the reports of a JSON body. Raises InputError: what, value, allowed."""
    try:
        body = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        shape = '{"device_id": TOKEN, "location": {"timestamp", "coords": {"latitude", "longitude"}}}'
        raise InputError(f"the body is not a report: {error}; needed is {shape}") from error
    locations = body.location if isinstance(body.location, list) else [body.location]
    if len(locations) > MOST_REPORTS:
        raise InputError(f"the body holds {len(locations)} reports: at most {MOST_REPORTS} are allowed in one request")
    token = None if body.device_id is None else str(body.device_id)
    return [_fix_of(location, token) for location in locations]


def _fix_of(location: _Location, token: str | None) -> PhoneFix:
    ignored: list[str] = []
    coords = location.coords
    lat_deg, lon_deg = (None, None) if coords is None else checked_place(coords.lat_deg, coords.lon_deg)
    battery = location.battery if isinstance(location.battery, dict) else {}
    extras = location.extras if isinstance(location.extras, dict) else {}
    alarm = extras.get("alarm")
    return PhoneFix(
        token=token,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        observed_us=None if location.timestamp in (None, "") else checked_time_us(str(location.timestamp)),
        speed_mps=_number("speed", coords and coords.speed, ignored, lowest=0),
        course_deg=_number("heading", coords and coords.heading, ignored, lowest=0, highest=360),
        alt_msl_m=_number("altitude", coords and coords.altitude, ignored, lowest=-1_000, highest=100_000),
        accuracy_m=_number("accuracy", coords and coords.accuracy, ignored, lowest=0) or None,
        battery_ratio=_number("level", battery.get("level"), ignored, lowest=0, highest=1),
        alarm=alarm if isinstance(alarm, str) else None,
        is_mock=location.mock is True,
        ignored=tuple(ignored),
    )


def _number(
    name: str,
    value: Any,  # noqa: ANN401 - whatever JSON holds: a wrong optional value costs only itself
    ignored: list[str],
    *,
    lowest: float,
    highest: float = math.inf,
) -> float | None:
    """Return an optional value; null and -1 are unknown, what is wrong is left out and named in `ignored`."""
    if value is None or (value == -1 and lowest >= 0):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        ignored.append(f"{name}={str(value)[:40]} (a number {lowest:g} .. {highest:g})")
        return None
    return float(value)
