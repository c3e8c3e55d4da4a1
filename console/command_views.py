"""A command as people are shown it, and what they ask as the command that a device is sent."""

from console.api.models_devices import GiveCommand
from console.wire_command import CommandKind, CommandView
from telemetry.model.commands import (
    CloseVideo,
    Command,
    OpenVideo,
    RequestParameters,
    RequestPosition,
    SendText,
    SetReportInterval,
    TrackFaster,
    tag_of,
)
from telemetry.model.errors import InputError
from telemetry.orders import Order


def command_of(wanted: GiveCommand, device_id: int) -> Command:
    """Return the command that a person asks for. Raises InputError for a text that is empty or holds what nobody can read."""
    match wanted.kind:
        case CommandKind.SEND_TEXT:
            text = _checked_text(wanted.text)
            return SendText(device_id=device_id, text=text, is_spoken=wanted.is_spoken, is_urgent=wanted.is_urgent)
        case CommandKind.REQUEST_POSITION:
            return RequestPosition(device_id=device_id)
        case CommandKind.TRACK_FASTER:
            return TrackFaster(device_id=device_id, interval_s=wanted.interval_s, duration_s=wanted.duration_s)
        case CommandKind.SET_REPORT_INTERVAL:
            return SetReportInterval(device_id=device_id, interval_s=wanted.interval_s)
        case CommandKind.REQUEST_PARAMETERS:
            return RequestParameters(device_id=device_id)
        case CommandKind.OPEN_VIDEO:
            return OpenVideo(device_id=device_id, channel=wanted.channel)
        case CommandKind.CLOSE_VIDEO:
            return CloseVideo(device_id=device_id, channel=wanted.channel)


def view_of_order(order: Order) -> CommandView:
    """Return a command as browsers are told it."""
    command = order.command
    return CommandView(
        command_id=order.command_id,
        unit_id=order.unit_id,
        device_id=order.device_id,
        kind=tag_of(type(command)),
        state=order.state,
        ordered_by=order.ordered_by,
        queued_ms=order.queued_us / 1000,
        expires_ms=order.expires_us / 1000,
        sent_ms=_ms(order.sent_us),
        ended_ms=_ms(order.ended_us),
        answer=order.answer,
        text=getattr(command, "text", None),
        is_spoken=getattr(command, "is_spoken", False),
        is_urgent=getattr(command, "is_urgent", False),
        interval_s=getattr(command, "interval_s", None),
        duration_s=getattr(command, "duration_s", None),
        channel=getattr(command, "channel", None),
    )


def _checked_text(text: str) -> str:
    words = text.strip()
    if not words:
        message = "an empty text: write what is to be shown, at most 500 characters"
        raise InputError(message)
    if not words.replace("\n", "").isprintable():
        message = f"the text {words[:40]!r} holds a character that nobody can read: write printable characters"
        raise InputError(message)
    return words


def _ms(at_us: int | None) -> float | None:
    return None if at_us is None else at_us / 1000
