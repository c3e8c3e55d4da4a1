"""What we ask of a device; a source turns it into its protocol's bytes."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from telemetry.model.events import AlarmKind


class CommandState(StrEnum):
    """How far a command came. DELIVERED: the device itself said so; REFUSED: it said that it will not or cannot."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"


class AnyCommandFields(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    """What every command has: the device, and our number of it (0: nobody waits for an answer)."""

    device_id: int
    command_id: int = 0


class SetReportInterval(AnyCommandFields, frozen=True, kw_only=True, tag="set_report_interval"):
    """Ask a device to report its position every `interval_s` seconds (0.1 .. 3600)."""

    interval_s: float


class RequestPosition(AnyCommandFields, frozen=True, kw_only=True, tag="request_position"):
    """Ask a device for its position now."""


class TrackFaster(AnyCommandFields, frozen=True, kw_only=True, tag="track_faster"):
    """Ask a device to report every `interval_s` seconds (1 .. 3600) for `duration_s` seconds (1 .. 86400), then as before."""

    interval_s: float
    duration_s: float


class SendText(AnyCommandFields, frozen=True, kw_only=True, tag="send_text"):
    """Show a text of at most 500 characters on a device; `is_spoken` reads it out, `is_urgent` marks it."""

    text: str
    is_spoken: bool = False
    is_urgent: bool = False


class ConfirmAlarm(AnyCommandFields, frozen=True, kw_only=True, tag="confirm_alarm"):
    """Tell a device that a person has taken its alarm."""

    alarm: AlarmKind


class SetParameters(AnyCommandFields, frozen=True, kw_only=True, tag="set_parameters"):
    """Change a device's settings, by the names that its protocol's room gives them."""

    values: dict[str, str]


class RequestParameters(AnyCommandFields, frozen=True, kw_only=True, tag="request_parameters"):
    """Ask a device for its settings; an answer comes as a DeviceParameters event."""


class OpenVideo(AnyCommandFields, frozen=True, kw_only=True, tag="open_video"):
    """Ask a device to send live video of a channel to a media server that an administrator has configured."""

    channel: str = ""


class CloseVideo(AnyCommandFields, frozen=True, kw_only=True, tag="close_video"):
    """Ask a device to end its live video."""

    channel: str = ""


Command: TypeAlias = (
    SetReportInterval
    | RequestPosition
    | TrackFaster
    | SendText
    | ConfirmAlarm
    | SetParameters
    | RequestParameters
    | OpenVideo
    | CloseVideo
)


def tag_of(kind: type[AnyCommandFields]) -> str:
    """Return the name by which JSON and people's screens call a kind of command."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
