"""What the websocket tells of commands to devices: each as it stands, whenever it went on."""

from enum import StrEnum

import msgspec

from telemetry.model.commands import CommandState


class CommandKind(StrEnum):
    """What people may ask of a device; the names are those of telemetry.model.commands."""

    SEND_TEXT = "send_text"
    REQUEST_POSITION = "request_position"
    TRACK_FASTER = "track_faster"
    SET_REPORT_INTERVAL = "set_report_interval"
    REQUEST_PARAMETERS = "request_parameters"
    OPEN_VIDEO = "open_video"
    CLOSE_VIDEO = "close_video"


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """A command to a device as it stands; times are UTC milliseconds, null while it has not happened.

    `kind` is a CommandKind or, of what the console itself sends, another name. `answer`: what the device said, or why it went no
    further. A command that was sent may stay so: not every device answers.
    """

    command_id: int
    unit_id: int | None
    device_id: int
    kind: str
    state: CommandState
    ordered_by: str
    queued_ms: float
    expires_ms: float
    sent_ms: float | None
    ended_ms: float | None
    answer: str
    text: str | None = None
    is_spoken: bool = False
    is_urgent: bool = False
    interval_s: float | None = None
    duration_s: float | None = None
    channel: str | None = None


class CommandChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="command"):
    """A command of the scope that was given or went on. Never dropped while connected; who comes back reads the list anew."""

    command: CommandView
