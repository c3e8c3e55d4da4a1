"""What we ask of terminals: commands as messages, and which of them an answer belongs to."""

import struct
from typing import Final

import msgspec

from telemetry.model.commands import (
    AnyCommandFields,
    CloseVideo,
    Command,
    CommandState,
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
from telemetry.model.events import AnyEvent, CommandAnswered, VideoChanged
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.alarms import CONFIRMABLE, bits_of
from telemetry.sources.jt808.codes import bytes_of_text
from telemetry.sources.jt808.media import Media
from telemetry.sources.jt808.parameters import REPORT_INTERVAL, write_parameters
from telemetry.sources.jt808.speaker import Speaker

TAKES: Final[frozenset[type[AnyCommandFields]]] = frozenset(
    {
        SetReportInterval,
        RequestPosition,
        TrackFaster,
        SendText,
        ConfirmAlarm,
        SetParameters,
        RequestParameters,
        OpenVideo,
        CloseVideo,
    }
)
IS_URGENT: Final = 1 << 0
IS_SHOWN: Final = 1 << 2
IS_SPOKEN: Final = 1 << 3
NOTICE: Final = 1
LONGEST_TEXT_BYTES: Final = 1_024
LONGEST_INTERVAL_S: Final = 3_600
LONGEST_DURATION_S: Final = 86_400
HIGHEST_CHANNEL: Final = 255
PENDING_AT_MOST: Final = 256
FORGET_US: Final = 600_000_000
_WORDS: Final[dict[int, str]] = {
    m.Result.FAILED: "the terminal could not do it",
    m.Result.WRONG: "the terminal says that the message is wrong",
    m.Result.UNSUPPORTED: "the terminal does not know this command",
}


class Order(msgspec.Struct, frozen=True):
    """A command as a message of this protocol; `is_reply`: a general reply, to which no answer comes."""

    msg_id: int
    body: bytes
    video: VideoChanged | None = None


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was sent and waits for its answer; any of its parts' serials may be answered."""

    command_id: int
    device_id: int
    msg_id: int
    serials: tuple[int, ...]
    sent_us: int
    frames: tuple[bytes, ...]
    video: VideoChanged | None = None


def order_of(command: Command, speaker: Speaker, media: Media | None, now_us: int) -> Order:
    """Return a command as a message. Raises InputError for a value that the protocol cannot express."""
    match command:
        case SetReportInterval(interval_s=interval_s):
            return Order(m.SET_PARAMETERS, write_parameters({REPORT_INTERVAL.name: str(_whole_s(interval_s))}))
        case RequestPosition():
            return Order(m.ASK_POSITION, b"")
        case TrackFaster(interval_s=interval_s, duration_s=duration_s):
            if not 1 <= duration_s <= LONGEST_DURATION_S:
                raise InputError(f"track for {duration_s} s: give 1 .. {LONGEST_DURATION_S} s")
            return Order(m.TRACK, struct.pack(">HI", _whole_s(interval_s), round(duration_s)))
        case SendText():
            return Order(m.TEXT, _text_body(command, speaker))
        case ConfirmAlarm():
            return _confirmation(command, speaker)
        case SetParameters(values=values):
            return Order(m.SET_PARAMETERS, write_parameters(values))
        case RequestParameters():
            return Order(m.QUERY_PARAMETERS, b"")
        case OpenVideo(channel=channel):
            return _open_video(_channel(channel), speaker, media, now_us)
        case CloseVideo(channel=channel):
            number = _channel(channel)
            ended = VideoChanged(
                device_id=speaker.device.device_id, observed_us=now_us, received_us=now_us, channel=str(number)
            )
            return Order(m.CONTROL_VIDEO, bytes([number, 0, 0, 0]), ended)
        case _:
            raise InputError(f"JT/T 808 has no {type(command).__name__}: see what the device takes")


def _whole_s(interval_s: float) -> int:
    if not 1 <= interval_s <= LONGEST_INTERVAL_S:
        raise InputError(f"interval {interval_s} s: a terminal takes 1 .. {LONGEST_INTERVAL_S} whole seconds")
    return round(interval_s)


def _text_body(command: SendText, speaker: Speaker) -> bytes:
    text = bytes_of_text(command.text)
    if not 1 <= len(text) <= LONGEST_TEXT_BYTES:
        raise InputError(f"a text of {len(text)} bytes: a terminal takes 1 to {LONGEST_TEXT_BYTES} bytes of GBK")
    flags = IS_SHOWN | (IS_URGENT if command.is_urgent else 0) | (IS_SPOKEN if command.is_spoken else 0)
    return bytes([flags, NOTICE] if speaker.form.is_2019 else [flags]) + text


def _confirmation(command: ConfirmAlarm, speaker: Speaker) -> Order:
    """Return what tells a terminal that its alarm is taken: 0x8203 for the bits that it acts on, a general reply for others."""
    meant = bits_of(command.alarm)
    if not meant:
        raise InputError(f"alarm {command.alarm}: terminals raise none of this kind")
    bits = (meant & speaker.memory.alarms.live_bits or meant) & CONFIRMABLE
    if not bits:
        return Order(m.PLATFORM_REPLY, m.reply_body(speaker.memory.answered_serial, m.POSITION, m.Result.ALARM_TAKEN))
    return Order(m.CONFIRM_ALARM, struct.pack(">HI", speaker.memory.alarm_to_confirm, bits))


def _open_video(channel: int, speaker: Speaker, media: Media | None, now_us: int) -> Order:
    if media is None:
        raise InputError("no media server is named: add media=SCHEME/HOST:PORT to the link's options")
    host = media.host.encode("ascii")
    body = bytes([len(host)]) + host + struct.pack(">HHBBB", media.port, 0, channel, 0, 0)
    url = media.url_of(phone=speaker.address, device_id=speaker.device.device_id, channel=channel)
    device_id = speaker.device.device_id
    return Order(
        m.OPEN_VIDEO,
        body,
        VideoChanged(device_id=device_id, observed_us=now_us, received_us=now_us, channel=str(channel), url=url),
    )


def _channel(channel: str) -> int:
    said = channel.strip() or "1"
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= HIGHEST_CHANNEL:
        raise InputError(f"channel {channel[:20]!r}: give a number from 1 to {HIGHEST_CHANNEL}")
    return int(said)


class Answers:
    """The commands of one connection that wait for an answer; at most PENDING_AT_MOST, for ten minutes."""

    def __init__(self) -> None:
        self._by_serial: dict[int, Pending] = {}

    def expect(self, pending: Pending) -> None:
        """Wait for an answer to any of the serials."""
        for serial in pending.serials:
            self._by_serial.pop(serial, None)
            self._by_serial[serial] = pending
        while len(self._by_serial) > PENDING_AT_MOST:
            del self._by_serial[next(iter(self._by_serial))]

    def take(self, serial: int, device_id: int, *, result: int, now_us: int) -> list[AnyEvent]:
        """Return what an answer to that serial means for the command that waits for it; the answers that follow mean nothing."""
        pending = self._by_serial.get(serial)
        if pending is None or pending.device_id != device_id:
            return []
        self._forget(pending)
        done = result in (m.Result.DONE, m.Result.ALARM_TAKEN)
        events: list[AnyEvent] = []
        if done and pending.video is not None:
            events.append(msgspec.structs.replace(pending.video, observed_us=now_us, received_us=now_us))
        if pending.command_id:
            state = CommandState.DELIVERED if done else CommandState.REFUSED
            text = "" if done else _WORDS.get(result, f"the terminal answers with result {result}")
            answered = CommandAnswered(
                device_id=device_id,
                observed_us=now_us,
                received_us=now_us,
                command_id=pending.command_id,
                state=state,
                text=text,
            )
            events.append(answered)
        return events

    def frames_of(self, first_serial: int) -> tuple[bytes, ...]:
        """Return the frames of a message in parts that began with that serial, while its answer is awaited."""
        pending = self._by_serial.get(first_serial)
        return pending.frames if pending is not None and pending.serials[0] == first_serial else ()

    def forget_old(self, now_us: int) -> None:
        """Wait no longer for what was sent too long ago."""
        for pending in [p for p in self._by_serial.values() if now_us - p.sent_us > FORGET_US]:
            self._forget(pending)

    def _forget(self, pending: Pending) -> None:
        for serial in pending.serials:
            if self._by_serial.get(serial) is pending:
                del self._by_serial[serial]
