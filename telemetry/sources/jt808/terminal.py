"""The other end: what a terminal says, for the demo, benchmarks and tests; pure, like the platform's side."""

import struct
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from telemetry.model.unit import CHINA_OFFSET_S
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.codes import bytes_of_text, packed_digits, packed_time, text_of
from telemetry.sources.jt808.frame import Form, Frame, FrameReader, parse, unescape, write_message
from telemetry.sources.jt808.parts import Assembly

IS_FIXED: Final = 1 << 1
IS_SOUTH: Final = 1 << 2
IS_WEST: Final = 1 << 3
ACC_ON: Final = 1 << 0
SOS_BIT: Final = 1 << 0
GROUPS_KEPT: Final = 4
"""So many messages in parts can be asked for again."""
LARGEST_BATCH_ITEMS: Final = 0xFFFF
_CORE: Final = struct.Struct(">IIIIHHH").pack
_LOWEST_ALT_M: Final = -0x8000


class Edition(StrEnum):
    """The edition of the standard that a terminal speaks."""

    E2011 = "2011"
    E2013 = "2013"
    E2019 = "2019"


_SIZES: Final = {Edition.E2011: (5, 8, 7), Edition.E2013: (5, 20, 7), Edition.E2019: (11, 30, 30)}
"""Bytes of maker, model and terminal id in a registration."""


class TerminalFix(msgspec.Struct, frozen=True, kw_only=True):
    """A position as a terminal reports it; `items` are (number, value) of what follows the core."""

    lat_deg: float
    lon_deg: float
    observed_us: int
    alt_msl_m: float = 0.0
    speed_mps: float = 0.0
    course_deg: float = 0.0
    alarm_bits: int = 0
    status_bits: int = IS_FIXED | ACC_ON
    items: tuple[tuple[int, bytes], ...] = ()


class Sent(NamedTuple):
    """A message to send: its bytes (one or more frames) and the serial of its last frame, by which it is acknowledged."""

    serial: int
    data: bytes


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform asked for: the message's name (see messages.NAMES) and what was read of it."""

    name: str
    serial: int
    text: str = ""
    interval_s: int | None = None
    duration_s: int | None = None
    alarm_bits: int = 0
    host: str = ""
    port: int = 0
    channel: int = 0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform's bytes meant: what to send back now, which of our serials it acknowledged or refused, its orders."""

    data: bytes = b""
    acknowledged: tuple[int, ...] = ()
    refused: tuple[tuple[int, int], ...] = ()
    orders: tuple[Order, ...] = ()


def position_body(fix: TerminalFix, *, utc_offset_s: int = CHINA_OFFSET_S) -> bytes:
    """Return the body of a 0x0200: 28 bytes and the items."""
    status_bits = fix.status_bits & ~(IS_SOUTH | IS_WEST)
    status_bits |= (IS_SOUTH if fix.lat_deg < 0 else 0) | (IS_WEST if fix.lon_deg < 0 else 0)
    core = _CORE(
        fix.alarm_bits,
        status_bits,
        round(abs(fix.lat_deg) * 1e6),
        round(abs(fix.lon_deg) * 1e6),
        max(_LOWEST_ALT_M, round(fix.alt_msl_m)) & 0xFFFF,
        min(0xFFFF, round(fix.speed_mps * 36)),
        round(fix.course_deg) % 360,
    )
    items = b"".join(bytes([number, len(value)]) + value for number, value in fix.items)
    return core + packed_time(fix.observed_us, utc_offset_s) + items


class Terminal:
    """One terminal on one connection at a time: builds its messages and answers the platform's.

    `code` is what it authenticates with; without one it registers first and is told one. Call `connect` on each new
    connection and send what it returns, `feed` with what arrives, and send `Heard.data`. `is_ready` tells that it
    may report. Over UDP give each datagram to `feed`.
    """

    def __init__(
        self,
        phone: str,
        *,
        edition: Edition = Edition.E2019,
        code: str | None = None,
        maker: str = "SKYBT",
        model: str = "T1",
        terminal_id: str = "1",
        plate: str = "",
        utc_offset_s: int = CHINA_OFFSET_S,
    ) -> None:
        self.edition = edition
        self.code = code
        self.is_ready = False
        self.report_interval_s: int | None = None
        self.counts: Counter[str] = Counter()
        self._says = (maker, model, terminal_id, plate)
        self._utc_offset_s = utc_offset_s
        is_2019 = edition is Edition.E2019
        digits = packed_digits(phone, 10 if is_2019 else 6)
        self._form = Form(digits, 1, says_2019=True) if is_2019 else Form(digits)
        self._serial = 0
        self._awaited_serial: int | None = None
        self._reader = FrameReader()
        self._assembly = Assembly()
        self._in_parts: dict[int, list[bytes]] = {}

    def connect(self) -> bytes:
        """Begin on a new connection: return a registration, or an authentication when there is a code."""
        self._reader = FrameReader()
        self._assembly = Assembly()
        self._serial = 0
        self.is_ready = False
        return self.register().data if self.code is None else self.authenticate().data

    def say(self, msg_id: int, body: bytes = b"") -> Sent:
        """Return any message, in parts when its body is too long for one frame."""
        frames = write_message(msg_id, body, self._form, self._serial)
        if len(frames) > 1:
            self._in_parts[self._serial] = frames
            while len(self._in_parts) > GROUPS_KEPT:
                del self._in_parts[next(iter(self._in_parts))]
        last = (self._serial + len(frames) - 1) & 0xFFFF
        self._serial = (last + 1) & 0xFFFF
        return Sent(last, b"".join(frames))

    def register(self) -> Sent:
        """Return a registration with maker, model, id and plate."""
        maker, model, terminal_id, plate = self._says
        sizes = _SIZES[self.edition]
        names = [
            bytes_of_text(text)[:size].ljust(size, b"\0")
            for text, size in zip((maker, model, terminal_id), sizes, strict=True)
        ]
        return self.say(m.REGISTER, struct.pack(">HH", 0, 0) + b"".join(names) + b"\x01" + bytes_of_text(plate))

    def authenticate(self, code: str | None = None) -> Sent:
        """Return an authentication with `code`, by default the terminal's own."""
        said = bytes_of_text(self.code or "" if code is None else code)
        if self.edition is Edition.E2019:
            said = bytes([len(said)]) + said + b"0" * 15 + b"1.0".ljust(20, b"\0")
        sent = self.say(m.AUTHENTICATE, said)
        self._awaited_serial = sent.serial
        return sent

    def heartbeat(self) -> Sent:
        """Return a heartbeat."""
        return self.say(m.HEARTBEAT)

    def logout(self) -> Sent:
        """Return a logout."""
        self.is_ready = False
        return self.say(m.LOGOUT)

    def position(self, fix: TerminalFix) -> Sent:
        """Return one position report."""
        return self.say(m.POSITION, position_body(fix, utc_offset_s=self._utc_offset_s))

    def batch(self, fixes: Sequence[TerminalFix], *, archive: bool) -> Sent:
        """Return many positions as one message; `archive`: they were stored where there was no network."""
        bodies = [position_body(fix, utc_offset_s=self._utc_offset_s) for fix in fixes[:LARGEST_BATCH_ITEMS]]
        items = b"".join(len(body).to_bytes(2) + body for body in bodies)
        return self.say(m.BATCH, struct.pack(">HB", len(bodies), int(archive)) + items)

    def reply(self, serial: int, msg_id: int, result: int = m.Result.DONE) -> Sent:
        """Return a general reply to the platform's message with that serial and number."""
        return self.say(m.TERMINAL_REPLY, m.reply_body(serial, msg_id, result))

    def position_answer(self, serial: int, fix: TerminalFix) -> Sent:
        """Return the answer to `ask_position` with that serial."""
        return self.say(m.POSITION_ANSWER, serial.to_bytes(2) + position_body(fix, utc_offset_s=self._utc_offset_s))

    def feed(self, data: bytes) -> Heard:
        """Take what the platform sent. `ask_position` orders wait for the caller's `position_answer`; the others are answered."""
        replies: list[bytes] = []
        done: list[int] = []
        refused: list[tuple[int, int]] = []
        orders: list[Order] = []
        for content in self._reader.feed(data):
            frame = parse(unescape(content, self._reader.flag), self._reader.flag)
            if frame is None or not frame.checksum_fits:
                self.counts["bad"] += 1
                continue
            if frame.msg_id == m.PLATFORM_REPLY:
                self._take_reply(frame, done, refused)
            elif frame.msg_id == m.REGISTER_REPLY:
                replies.append(self._registered(frame.body))
            elif frame.msg_id == m.RESEND:
                replies.append(self._again(frame.body))
            elif (whole := self._assembly.take(frame)) is not None:
                order = read_order(frame, whole)
                self._obey(order)
                orders.append(order)
                if frame.msg_id != m.ASK_POSITION:
                    replies.append(self.reply(frame.serial, frame.msg_id, self._result(frame.msg_id)).data)
        return Heard(data=b"".join(replies), acknowledged=tuple(done), refused=tuple(refused), orders=tuple(orders))

    def _take_reply(self, frame: Frame, done: list[int], refused: list[tuple[int, int]]) -> None:
        said = m.read_reply(frame.body)
        if said is None:
            return
        serial, msg_id, result = said
        if msg_id == m.AUTHENTICATE and serial == self._awaited_serial:
            self.is_ready = result == m.Result.DONE
        if result in (m.Result.DONE, m.Result.ALARM_TAKEN):
            done.append(serial)
        else:
            refused.append((serial, result))

    def _registered(self, body: bytes) -> bytes:
        result = body[2] if len(body) > 2 else m.Registered.TERMINAL_UNKNOWN
        if result != m.Registered.DONE:
            self.counts["registration_refused"] += 1
            return b""
        self.code = text_of(body[3:])
        return self.authenticate().data

    def _again(self, body: bytes) -> bytes:
        """Return the parts that the platform asks for again; the count before their numbers has one byte or, in 2019, two."""
        count_bytes = 2 if self.edition is Edition.E2019 else 1
        frames = self._in_parts.get(int.from_bytes(body[:2]), [])
        numbers = struct.iter_unpack(
            ">H", body[2 + count_bytes : 2 + count_bytes + (len(body) - 2 - count_bytes) // 2 * 2]
        )
        return b"".join(frames[number - 1] for (number,) in numbers if 1 <= number <= len(frames))

    def _obey(self, order: Order) -> None:
        if order.name in ("track", "set_parameters") and order.interval_s:
            self.report_interval_s = order.interval_s

    def _result(self, msg_id: int) -> m.Result:
        is_known = msg_id in (
            m.SET_PARAMETERS, m.TRACK, m.CONFIRM_ALARM, m.TEXT, m.OPEN_VIDEO, m.CONTROL_VIDEO
        )  # fmt: skip
        return m.Result.DONE if is_known else m.Result.UNSUPPORTED


def read_order(frame: Frame, body: bytes) -> Order:
    """Return what a platform's message asks for; fields that its body lacks stay empty."""
    name, serial = m.name_of(frame.msg_id), frame.serial
    match frame.msg_id:
        case m.TEXT if len(body) > 1:
            return Order(name=name, serial=serial, text=text_of(body[2 if frame.form.is_2019 else 1 :]))
        case m.TRACK if len(body) >= 2:
            lasting_s = int.from_bytes(body[2:6]) if len(body) >= 6 else None
            return Order(name=name, serial=serial, interval_s=int.from_bytes(body[:2]), duration_s=lasting_s)
        case m.CONFIRM_ALARM if len(body) >= 6:
            return Order(name=name, serial=serial, alarm_bits=int.from_bytes(body[2:6]))
        case m.SET_PARAMETERS:
            return Order(name=name, serial=serial, interval_s=_interval_s(body))
        case m.OPEN_VIDEO if len(body) > 1 and len(body) >= body[0] + 6:
            end = body[0] + 1
            port, _, channel = struct.unpack_from(">HHB", body, end)
            return Order(name=name, serial=serial, host=text_of(body[1:end]), port=port, channel=channel)
        case m.CONTROL_VIDEO if body:
            return Order(name=name, serial=serial, channel=body[0])
        case _:
            return Order(name=name, serial=serial)


def _interval_s(body: bytes) -> int | None:
    """Return the reporting interval among parameters to set, None when it is not."""
    at = 1
    while at + 5 <= len(body):
        number, size = int.from_bytes(body[at : at + 4]), body[at + 4]
        if number == 0x0029 and size == 4:
            return int.from_bytes(body[at + 5 : at + 9])
        at += 5 + size
    return None
