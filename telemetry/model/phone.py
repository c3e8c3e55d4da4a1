"""What a phone says over HTTP, whatever its dialect, and its door to a batch and events."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from telemetry.model.decoding import Output
from telemetry.model.errors import InputError
from telemetry.model.events import AlarmKind, AnyEvent, DeviceAlarm, SosCleared, SosRaised
from telemetry.model.fix import Fix, batch_of

PHONE_PROTOCOL: Final = "osmand"
"""Under this name the registry keeps a phone, whichever client it runs (OsmAnd, Traccar): one token serves all."""
FORWARDER_PROTOCOL: Final = "traccar_server"
"""Under this name the registry keeps a server that forwards the reports of devices it names itself; its token speaks for all."""
FORWARDED_PROTOCOL: Final = "traccar"
"""Under this name it keeps the devices that such a server speaks for, by the server's own name of each."""
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


class ToldAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that no person raised but the device; `code` is its protocol's name of it."""

    alarm: AlarmKind
    code: str
    active: bool = True


class PhoneFix(Fix, frozen=True, kw_only=True):
    """One report. Without lat and lon it is a sign of life or an alarm only."""

    token: str | None = None
    speaks_for: str | None = None
    """Whom a server forwards it for, by that server's name of the device; None: for the device whose token it is."""
    alarm: str | None = None
    text: str = ""
    """What a person says with a call for help."""
    device_alarms: tuple[ToldAlarm, ...] = ()
    ignored: tuple[str, ...] = ()
    """What could not be understood and was left out, as "name=value (allowed)"."""


class PhoneAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect's clients must be answered once a report is safe; a room that needs one offers it as `ANSWER`."""

    content_type: str
    body: bytes


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
    placed = [report for report in reports if report[1].is_placed]
    bad = {"ignored_values": count} if (count := sum(len(fix.ignored) for _, fix in reports)) else {}
    return Output(
        batch=batch_of([fix for _, fix in placed], [device_id for device_id, _ in placed], received_us),
        events=tuple(event for device_id, fix in reports for event in _events_of(fix, device_id, received_us)),
        bad=bad,
    )


def checked_place(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return the place. Raises InputError outside the earth. (0, 0) passes, and is marked: devices say it without a fix."""
    if not -90 <= lat_deg <= 90:
        raise InputError(f"lat is {lat_deg}: allowed are -90 .. 90 degrees")
    if not -180 <= lon_deg <= 180:
        raise InputError(f"lon is {lon_deg}: allowed are -180 .. 180 degrees")
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


def _events_of(fix: PhoneFix, device_id: int, received_us: int) -> Iterator[AnyEvent]:
    observed_us = received_us if fix.observed_us is None else fix.observed_us
    whose: Any = {"device_id": device_id, "observed_us": observed_us, "received_us": received_us}
    if fix.alarm == SOS:
        yield SosRaised(text=fix.text, **whose)
    elif fix.alarm == SOS_CLEARED:
        yield SosCleared(**whose)
    for told in fix.device_alarms:
        yield DeviceAlarm(alarm=told.alarm, active=told.active, code=told.code, **whose)
