"""OsmAnd's live tracking: one report in a URL's query or a form; speed is in knots."""

import math
from typing import Final
from urllib.parse import parse_qsl

from telemetry.model.enrolment import EnrolmentRule, SecretKind
from telemetry.model.errors import InputError
from telemetry.model.fix import METRES_PER_SECOND_PER_KNOT
from telemetry.model.phone import PHONE_PROTOCOL, PhoneFix, PhoneRequest, checked_place, checked_time_us

ENROLMENT: Final = EnrolmentRule(protocol=PHONE_PROTOCOL, secret=SecretKind.TOKEN)
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 200
_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})


def recognises(request: PhoneRequest) -> bool:
    """Tell whether the report stands in the query or in a form."""
    return request.content_type == FORM or (bool(request.query) and not request.body)


def decode_request(request: PhoneRequest) -> list[PhoneFix]:
    """Return the one report of a query or form. Raises InputError: what, value, allowed."""
    text = request.query
    if request.content_type == FORM and request.body:
        text = "&".join(part for part in (request.query, request.body.decode("utf-8", "replace")) if part)
    return [decode_query(text)]


def decode_query(query: str) -> PhoneFix:
    """Return the report that a query string holds. Raises InputError for a wrong place or time."""
    try:
        fields = dict(parse_qsl(query, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise InputError(f"the query has more than {MOST_FIELDS} fields: send one report a request") from error
    ignored: list[str] = []
    lat_deg, lon_deg = _place(fields)
    speed_knots = _number(fields, ("speed",), ignored, lowest=0)
    battery_pct = _number(fields, ("batt", "battery"), ignored, lowest=0, highest=100)
    stamp = fields.get("timestamp")
    return PhoneFix(
        token=fields.get("id") or fields.get("deviceid") or fields.get("device_id"),
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        observed_us=None if not stamp else checked_time_us(stamp.strip()),
        speed_mps=None if speed_knots is None else speed_knots * METRES_PER_SECOND_PER_KNOT,
        course_deg=_number(fields, ("bearing", "heading"), ignored, lowest=0, highest=360),
        alt_msl_m=_number(fields, ("altitude",), ignored, lowest=-1_000, highest=100_000),
        accuracy_m=_number(fields, ("accuracy", "hacc"), ignored, lowest=0) or None,
        battery_ratio=None if battery_pct is None else battery_pct / 100,
        alarm=fields.get("alarm"),
        is_mock=fields.get("mock", "").lower() in _TRUE,
        has_fix=fields.get("valid", "").lower() not in _FALSE,
        ignored=tuple(ignored),
    )


def _place(fields: dict[str, str]) -> tuple[float | None, float | None]:
    lat, lon = fields.get("lat"), fields.get("lon")
    if lat is None and lon is None and "location" in fields:
        lat, _, lon = fields["location"].partition(",")
    if lat is None and lon is None:
        return None, None
    return checked_place(_degrees("lat", lat), _degrees("lon", lon))


def _degrees(name: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError as error:
        raise InputError(f"{name} is {(text or '')[:40]!r}: a number of degrees is needed") from error
    return value


def _number(
    fields: dict[str, str], names: tuple[str, ...], ignored: list[str], *, lowest: float, highest: float = math.inf
) -> float | None:
    """Return an optional value; -1 and what is absent are unknown, what is wrong is left out and named in `ignored`."""
    name = next((name for name in names if fields.get(name)), None)
    if name is None:
        return None
    try:
        value = float(fields[name])
    except ValueError:
        value = math.nan
    if value == -1 and lowest >= 0:
        return None
    if not lowest <= value <= highest or math.isinf(value):
        ignored.append(f"{name}={fields[name][:40]} (a number {lowest:g} .. {highest:g})")
        return None
    return value
