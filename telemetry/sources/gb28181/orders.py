"""Commands of ours as this protocol says them: re-subscriptions, controls and queries, calls for video."""

from collections.abc import Mapping
from typing import Final

from telemetry.model.commands import (
    AnyCommandFields,
    CloseVideo,
    Command,
    ConfirmAlarm,
    OpenVideo,
    RequestParameters,
    RequestPosition,
    SendText,
    SetParameters,
    SetReportInterval,
    TrackFaster,
)
from telemetry.model.errors import InputError
from telemetry.model.events import AlarmKind
from telemetry.sources.gb28181.manscdp import write_document
from telemetry.sources.gb28181.requests import Request, Writer
from telemetry.sources.gb28181.session import POSITIONS, Querying, Session, Subscription
from telemetry.sources.gb28181.subscriptions import open_subscription, subscribe_due, whole_seconds
from telemetry.sources.gb28181.turn import Turn
from telemetry.sources.gb28181.video import Streams, close_video, open_video

TAKES: Final[frozenset[type[AnyCommandFields]]] = frozenset(
    {
        SetReportInterval,
        RequestPosition,
        TrackFaster,
        ConfirmAlarm,
        SetParameters,
        RequestParameters,
        OpenVideo,
        CloseVideo,
    }
)
"""The commands that a device of this protocol may be given; texts are none of them."""
PARAMETERS: Final[Mapping[str, tuple[int, int]]] = {
    "Expiration": (3_600, 100_000),
    "HeartBeatInterval": (5, 255),
    "HeartBeatCount": (3, 255),
}
"""BasicParam of DeviceConfig that we set, with the standard's ranges: seconds, seconds, a count."""
LONGEST_NAME: Final = 64
RESETS: Final = frozenset({AlarmKind.DEVICE_FAULT, AlarmKind.TAMPER})
"""Alarms of the device itself, over once it was told to put them back."""


def obey(session: Session, command: Command, *, writer: Writer, streams: Streams, now_us: int, turn: Turn) -> None:
    """Turn a command into requests. Raises InputError for what the protocol or this server cannot do, NotFoundError for no call."""
    match command:
        case SetReportInterval() | RequestPosition() | TrackFaster():
            _resubscribe(session, command, writer, now_us=now_us, turn=turn)
        case ConfirmAlarm(alarm=alarm):
            fields = [("AlarmCmd", "ResetAlarm")]
            purpose = Querying(command_id=command.command_id, resets=alarm if alarm in RESETS else None)
            turn.say(ask(session, "Control", "DeviceControl", fields, purpose=purpose, writer=writer, now_us=now_us))
        case SetParameters(values=values):
            purpose = Querying(command_id=command.command_id)
            fields = [(f"BasicParam/{name}", value) for name, value in _checked_parameters(values).items()]
            turn.say(ask(session, "Control", "DeviceConfig", fields, purpose=purpose, writer=writer, now_us=now_us))
        case RequestParameters():
            purpose = Querying(command_id=command.command_id)
            fields = [("ConfigType", "BasicParam")]
            turn.say(ask(session, "Query", "ConfigDownload", fields, purpose=purpose, writer=writer, now_us=now_us))
        case OpenVideo(channel=channel, command_id=command_id):
            turn.say(open_video(session, channel, command_id, writer=writer, streams=streams, now_us=now_us))
        case CloseVideo(channel=channel, command_id=command_id):
            bye = close_video(session, channel, command_id, writer=writer, now_us=now_us, turn=turn)
            if bye is not None:
                turn.say(bye)
        case SendText():
            raise InputError(
                "GB/T 28181 has no message for a person: send the text to another device of the unit, as the officer's phone"
            )


def ask(
    session: Session,
    root: str,
    command: str,
    fields: list[tuple[str, str]],
    *,
    purpose: Querying,
    writer: Writer,
    now_us: int,
) -> bytes:
    """Return a MESSAGE with a Query or a Control for the device; its answer is awaited."""
    head = [("CmdType", command), ("SN", session.next_sn()), ("DeviceID", session.device.address)]
    request = Request(
        method="MESSAGE",
        to=writer.to_of(session.device.address),
        from_tag=writer.identifiers.make(),
        call_id=writer.identifiers.make(),
        cseq=1,
        body=write_document(root, [*head, *fields]),
    )
    branch, data = writer.write(session, request)
    return session.asking.start(branch, data, method="MESSAGE", purpose=purpose, now_us=now_us)


def _resubscribe(
    session: Session,
    command: SetReportInterval | RequestPosition | TrackFaster,
    writer: Writer,
    *,
    now_us: int,
    turn: Turn,
) -> None:
    """Subscribe again at once: with another interval, or with the same, since each SUBSCRIBE is answered by a NOTIFY."""
    subscription = session.subscriptions.get(POSITIONS) or _first(session, writer, now_us)
    match command:
        case SetReportInterval(interval_s=interval_s):
            _check("report interval", interval_s, 1, 3600)
            subscription.interval_s = subscription.base_s = whole_seconds(interval_s)
            subscription.faster_until_us = 0
        case TrackFaster(interval_s=interval_s, duration_s=duration_s):
            _check("report interval", interval_s, 1, 3600)
            _check("duration", duration_s, 1, 86_400)
            subscription.interval_s = whole_seconds(interval_s)
            subscription.faster_until_us = now_us + round(duration_s * 1e6)
        case RequestPosition():
            pass
    subscription.refresh_us = now_us
    if command.command_id:
        subscription.command_ids += (command.command_id,)
    subscribe_due(session, writer, now_us, turn)


def _first(session: Session, writer: Writer, now_us: int) -> Subscription:
    interval_s = whole_seconds(session.device.report_interval_s)
    subscription = open_subscription(POSITIONS, interval_s, writer.identifiers, due_us=now_us)
    session.subscriptions[POSITIONS] = subscription
    return subscription


def _check(name: str, value_s: float, shortest_s: int, longest_s: int) -> None:
    if not shortest_s <= value_s <= longest_s:
        raise InputError(f"{name} {value_s} s: give {shortest_s} .. {longest_s} s")


def _checked_parameters(values: Mapping[str, str]) -> dict[str, str]:
    if not values:
        raise InputError(f"no parameters: give one or more of Name, {', '.join(PARAMETERS)}")
    for name, value in values.items():
        if name == "Name" and 0 < len(value) <= LONGEST_NAME:
            continue
        if name not in PARAMETERS:
            raise InputError(f"parameter {name[:40]!r}: allowed are Name, {', '.join(PARAMETERS)}")
        lowest, highest = PARAMETERS[name]
        if not value.isdecimal() or not lowest <= int(value) <= highest:
            raise InputError(f"parameter {name} is {value[:40]!r}: give a whole number {lowest} .. {highest}")
    return dict(values)
