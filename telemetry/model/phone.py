"""What a phone says over HTTP, whatever its dialect, and its door to a batch and events."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
import numpy as np

from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch, put
from telemetry.model.decoding import Output
from telemetry.model.errors import InputError
from telemetry.model.events import AnyEvent, SosCleared, SosRaised

PHONE_PROTOCOL: Final = "osmand"
"""Under this name the registry keeps a phone, whichever client it runs (OsmAnd, Traccar): one token serves all."""
MILLISECONDS_FROM: Final = 100_000_000_000
"""A numeric time from here on counts milliseconds (from 1973), below it seconds (until 5138): so 2080 stays 2080."""
SOS: Final = "sos"
SOS_CLEARED: Final = "sos_cleared"
_LATEST_US: Final = 253_402_300_799_000_000


class PhoneRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a phone as it came: `query` without "?", `content_type` in lower case without parameters."""

    method: str
    query: str
    content_type: str
    body: bytes


class PhoneFix(msgspec.Struct, frozen=True, kw_only=True):
    """One report. Unknown is None; without lat and lon it is a sign of life or an alarm only."""

    token: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    observed_us: int | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    alt_msl_m: float | None = None
    alt_hae_m: float | None = None
    accuracy_m: float | None = None
    battery_ratio: float | None = None
    alarm: str | None = None
    text: str = ""
    """What a person says with a call for help."""
    is_mock: bool = False
    has_fix: bool = True
    ignored: tuple[str, ...] = ()
    """What could not be understood and was left out, as "name=value (allowed)"."""


class PhoneSource(Protocol):
    """A room of telemetry/sources that understands phones: a module with these two functions."""

    def recognises(self, request: PhoneRequest) -> bool:
        """Tell whether the request is of this dialect."""

    def decode_request(self, request: PhoneRequest) -> list[PhoneFix]:
        """Return the reports in the request. Raises InputError: what, value, allowed."""


def address_of_token(token: str) -> str:
    """Return the registry's address of a token: the lower-case hexadecimal SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def output_of(reports: Sequence[tuple[int, PhoneFix]], received_us: int) -> Output:
    """Return the batch and events of reports, each with the number of its device, in order; of many devices as of one."""
    placed = [report for report in reports if report[1].lat_deg is not None and report[1].lon_deg is not None]
    events = (_event_of(fix, device_id, received_us) for device_id, fix in reports)
    bad = {"ignored_values": count} if (count := sum(len(fix.ignored) for _, fix in reports)) else {}
    return Output(
        batch=_batch_of([fix for _, fix in placed], [device_id for device_id, _ in placed], received_us),
        events=tuple(event for event in events if event is not None),
        bad=bad,
    )


def checked_place(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return the place. Raises InputError outside the earth, and for (0, 0), which devices say when they have no fix."""
    if not -90 <= lat_deg <= 90:
        raise InputError(f"lat is {lat_deg}: allowed are -90 .. 90 degrees")
    if not -180 <= lon_deg <= 180:
        raise InputError(f"lon is {lon_deg}: allowed are -180 .. 180 degrees")
    if lat_deg == 0 and lon_deg == 0:
        raise InputError("lat and lon are 0, 0: send a position only when there is a fix")
    return lat_deg, lon_deg


def checked_time_us(text: str) -> int:
    """Return UTC microseconds of seconds, milliseconds, ISO 8601 or `yyyy-MM-dd HH:mm:ss` (UTC where no zone stands).

    Any date from year 1 to 9999 passes: a wrong clock is marked later, not refused. Raises InputError otherwise.
    """
    try:
        number = float(text)
    except ValueError:
        return _time_of_text_us(text)
    if not math.isfinite(number):
        raise _wrong_time(text)
    time_us = number * (1e3 if abs(number) >= MILLISECONDS_FROM else 1e6)
    if abs(time_us) > _LATEST_US:  # infinite too, where the product is beyond what a float holds
        raise _wrong_time(text)
    return round(time_us)


def _time_of_text_us(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _wrong_time(text) from error
    passed = at.replace(tzinfo=at.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _wrong_time(text: str) -> InputError:
    allowed = "seconds or milliseconds since 1970, ISO 8601, or yyyy-MM-dd HH:mm:ss in UTC"
    return InputError(f"timestamp is {text[:40]!r}: allowed are {allowed}")


def _batch_of(fixes: Sequence[PhoneFix], device_ids: Sequence[int], received_us: int) -> Batch:
    batch = new_batch(len(fixes))
    if not fixes:
        return batch
    batch["device_id"] = device_ids
    batch["received_us"] = received_us
    batch["observed_us"] = [received_us if fix.observed_us is None else fix.observed_us for fix in fixes]
    batch["quality"] = [_quality_of(fix) for fix in fixes]
    put(batch, "lat_e7", np.array([fix.lat_deg for fix in fixes], np.float64) * 1e7)
    put(batch, "lon_e7", np.array([fix.lon_deg for fix in fixes], np.float64) * 1e7)
    put(batch, "alt_msl_dm", np.array([fix.alt_msl_m for fix in fixes], np.float64) * 10)
    put(batch, "alt_hae_dm", np.array([fix.alt_hae_m for fix in fixes], np.float64) * 10)
    put(batch, "speed_cmps", np.array([fix.speed_mps for fix in fixes], np.float64) * 100)
    put(batch, "course_ddeg", np.array([fix.course_deg for fix in fixes], np.float64) * 10)
    put(batch, "accuracy_dm", np.array([fix.accuracy_m for fix in fixes], np.float64) * 10)
    put(batch, "battery_pct", np.array([fix.battery_ratio for fix in fixes], np.float64) * 100)
    hash_fixes(batch)
    return batch


def _quality_of(fix: PhoneFix) -> int:
    bits = Quality(0)
    if fix.observed_us is None:
        bits |= Quality.TIME_OF_ARRIVAL
    if fix.is_mock:
        bits |= Quality.MOCK
    if not fix.has_fix:
        bits |= Quality.NO_FIX
    return int(bits)


def _event_of(fix: PhoneFix, device_id: int, received_us: int) -> AnyEvent | None:
    observed_us = received_us if fix.observed_us is None else fix.observed_us
    if fix.alarm == SOS:
        return SosRaised(device_id=device_id, observed_us=observed_us, received_us=received_us, text=fix.text)
    if fix.alarm == SOS_CLEARED:
        return SosCleared(device_id=device_id, observed_us=observed_us, received_us=received_us)
    return None
