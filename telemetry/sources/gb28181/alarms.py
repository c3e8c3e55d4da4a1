"""What an Alarm of GB/T 28181 means to us: a call for help, a fault of the device, or nothing that we act upon."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from telemetry.model.events import AlarmKind, DeviceAlarm, SosRaised
from telemetry.sources.gb28181.fixes import read_time_us
from telemetry.sources.gb28181.manscdp import Document, text_of

LATE_US: Final = 300_000_000
UNSET_US: Final = 365 * 86_400_000_000
"""An alarm older than this is of a clock that was never set, or counts its weeks anew."""
HALF_HOUR_US: Final = 1_800_000_000
ZONE_SLACK_US: Final = 120_000_000
FARTHEST_ZONE_US: Final = 14 * 3_600_000_000
LONGEST_TEXT: Final = 500


class Method(StrEnum):
    """AlarmMethod: by what the alarm came about."""

    PHONE = "1"
    DEVICE = "2"
    MESSAGE = "3"
    SATELLITES = "4"
    VIDEO = "5"
    FAULT = "6"
    OTHER = "7"


MANUAL_VIDEO: Final = "1"
_DEVICE_TYPES: Final[Mapping[str, AlarmKind]] = {
    "1": AlarmKind.DEVICE_FAULT,  # video lost
    "2": AlarmKind.TAMPER,
    "3": AlarmKind.DEVICE_FAULT,  # disk full
    "4": AlarmKind.DEVICE_FAULT,  # too hot
    "5": AlarmKind.DEVICE_FAULT,  # too cold
}
_VIDEO_TYPES: Final[Mapping[str, AlarmKind]] = {
    MANUAL_VIDEO: AlarmKind.SOS,
    "11": AlarmKind.DEVICE_FAULT,  # the picture is odd
    "13": AlarmKind.TAMPER,  # the lens is covered
}
"""Of the video types only those about the device itself and the hand on its key; what analyses people is not acted upon."""
HIGHEST_PRIORITY: Final = "1"


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm: what kind it is (None: nothing that we act upon), when, and the standard's numbers of it."""

    kind: AlarmKind | None
    observed_us: int | None
    code: str
    text: str

    def event(self, device_id: int, now_us: int) -> SosRaised | DeviceAlarm | None:
        """Return the event for the board; an alarm without a time, or of a clock that was never set, is of now."""
        is_unset = self.observed_us is None or now_us - self.observed_us > UNSET_US
        observed_us = now_us if self.observed_us is None or is_unset else self.observed_us
        if self.kind is None:
            return None
        sent_late = is_late(observed_us, now_us)
        if self.kind is AlarmKind.SOS:
            return SosRaised(
                device_id=device_id,
                observed_us=observed_us,
                received_us=now_us,
                text=self.text,
                sent_late=sent_late,
            )
        return DeviceAlarm(
            device_id=device_id,
            observed_us=observed_us,
            received_us=now_us,
            alarm=self.kind,
            active=True,
            code=self.code,
            text=self.text,
            sent_late=sent_late,
        )


def read_alarm(document: Document, *, utc_offset_s: int) -> Meaning:
    """Return what an Alarm says; odd numbers are kept in its code and taken for a fault of the device."""
    info = document.element.find("Info")
    method = document.text("AlarmMethod")
    kind = document.text("AlarmType") or ("" if info is None else text_of(info, "AlarmType"))
    return Meaning(
        kind=kind_of_alarm(method, kind, document.text("AlarmPriority")),
        observed_us=read_time_us(document.text("AlarmTime"), utc_offset_s=utc_offset_s),
        code=f"gb28181:{method[:8]}" + (f".{kind[:8]}" if kind else ""),
        text=document.text("AlarmDescription")[:LONGEST_TEXT],
    )


def kind_of_alarm(method: str, kind: str, priority: str) -> AlarmKind | None:
    """Return what an alarm means, None for what we do not act upon.

    A person's call comes as phone, short message, a device's alarm without a type (the SOS key of cameras), a manual video
    alarm, or as something that the standard does not number, of the highest priority: one too many rather than one lost.
    """
    unnumbered = AlarmKind.SOS if priority == HIGHEST_PRIORITY else AlarmKind.DEVICE_FAULT
    match method:
        case Method.PHONE | Method.MESSAGE:
            return AlarmKind.SOS
        case Method.DEVICE:
            return AlarmKind.SOS if kind in {"", "0"} else _DEVICE_TYPES.get(kind, unnumbered)
        case Method.VIDEO:
            return _VIDEO_TYPES.get(kind)
        case Method.SATELLITES | Method.FAULT:
            return AlarmKind.DEVICE_FAULT
        case _:
            return unnumbered


def is_late(observed_us: int, now_us: int) -> bool:
    """Tell whether an alarm was stored and sent later: over 5 minutes old, unless by whole half hours (a wrong zone)."""
    age_us = now_us - observed_us
    if age_us <= LATE_US:
        return False
    off_us = (age_us + ZONE_SLACK_US) % HALF_HOUR_US
    return age_us > FARTHEST_ZONE_US + ZONE_SLACK_US or off_us > 2 * ZONE_SLACK_US
