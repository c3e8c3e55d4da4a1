"""Our own phone page: a position or a call for help as JSON, in the units of our interface, with the page's own clock."""

from typing import Annotated, Final, TypeVar

import msgspec

from telemetry.model.datum import parse_crs, to_wgs84
from telemetry.model.errors import InputError
from telemetry.model.phone import SOS, SOS_CLEARED, PhoneFix, PhoneRequest, checked_place

CONTENT_TYPE: Final = "application/vnd.skybeat.report+json"
"""By this name the ingest listener knows such a body among others' JSON; the console's own addresses need none."""

_LATEST_MS: Final = 253_402_300_799_000
_Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Positive = Annotated[float, msgspec.Meta(ge=0)]
_Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f]*(?!\n)$")]


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the phone is, in `crs`; what its browser does not know is null."""

    observed_ms: float
    lat_deg: float
    lon_deg: float
    crs: str = "wgs84"
    accuracy_m: _Positive | None = None
    alt_hae_m: float | None = None
    speed_mps: _Positive | None = None
    course_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    battery_ratio: _Ratio | None = None


class Sos(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call for help, with the place where it is known."""

    observed_ms: float
    text: _Text = ""
    position: Position | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ingest listener takes: some positions, or a call for help."""

    positions: Annotated[list[Position], msgspec.Meta(max_length=1_000)] = []
    sos: Sos | None = None


_Kind = TypeVar("_Kind", Position, Sos, _Body)


def recognises(request: PhoneRequest) -> bool:
    """Tell whether the body calls itself ours."""
    return request.content_type == CONTENT_TYPE


def decode_request(request: PhoneRequest) -> list[PhoneFix]:
    """Return the reports of a body. Raises InputError: what, value, allowed."""
    body = _read(request.body, _Body)
    fixes = [_fix_of(position) for position in body.positions]
    return fixes if body.sos is None else [*fixes, _sos_of(body.sos)]


def decode_position(data: bytes) -> PhoneFix:
    """Return the position that our page sends. Raises InputError (UnknownCrsError for another crs)."""
    return _fix_of(_read(data, Position))


def decode_sos(data: bytes) -> PhoneFix:
    """Return the call for help that our page sends: whoever sends one is heard, however wrong the rest of it is."""
    try:
        return _sos_of(_read(data, Sos))
    except InputError as error:
        return PhoneFix(alarm=SOS, ignored=(str(error),))


def sos_over(observed_us: int | None = None) -> PhoneFix:
    """Return what says that the call for help is over."""
    return PhoneFix(alarm=SOS_CLEARED, observed_us=observed_us)


def _read(data: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        needed = ", ".join(kind.__struct_fields__)
        raise InputError(f"the body is no report of the phone page: {error}; its fields are {needed}") from error


def _fix_of(position: Position) -> PhoneFix:
    lat_deg, lon_deg = checked_place(position.lat_deg, position.lon_deg)
    lat, lon = to_wgs84(lat_deg, lon_deg, crs=parse_crs(position.crs))
    return PhoneFix(
        lat_deg=float(lat),
        lon_deg=float(lon),
        observed_us=_time_us(position.observed_ms),
        accuracy_m=position.accuracy_m or None,  # browsers that do not know say 0
        alt_hae_m=position.alt_hae_m,
        speed_mps=position.speed_mps,
        course_deg=position.course_deg,
        battery_ratio=position.battery_ratio,
    )


def _sos_of(sos: Sos) -> PhoneFix:
    """Let nothing about the place or the clock keep a call for help from being one."""
    ignored: list[str] = []
    placed, observed_us = PhoneFix(), None
    try:
        observed_us = _time_us(sos.observed_ms)
        placed = placed if sos.position is None else _fix_of(sos.position)
    except InputError as error:
        ignored.append(str(error))
    return msgspec.structs.replace(placed, alarm=SOS, text=sos.text, observed_us=observed_us, ignored=tuple(ignored))


def _time_us(observed_ms: float) -> int:
    """Any date from year 1 to 9999 passes: a wrong clock is marked later, not refused."""
    if abs(observed_ms) > _LATEST_MS:
        raise InputError(f"observed_ms is {observed_ms:g}: allowed are milliseconds since 1970 up to the year 9999")
    return round(observed_ms * 1000)
