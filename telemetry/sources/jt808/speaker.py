"""One terminal that has proved who it is: how it is answered and read, and what is remembered of its device."""

import struct
from typing import Final

from telemetry.model.datum import parse_crs
from telemetry.model.unit import Device
from telemetry.sources.jt808.alarms import AlarmWatch
from telemetry.sources.jt808.frame import FLAG, VERSION_FLAG, Form, escape, write, xor_of
from telemetry.sources.jt808.messages import PLATFORM_REPLY, reply_body
from telemetry.sources.jt808.position import Reading

_REPLY: Final = struct.Struct(">HHHBB").pack
_REPLY_BYTES: Final = 5


class Memory:
    """What outlives a device's connections: its alarms, and what was told of it last and when it may be told again."""

    __slots__ = (
        "alarm_to_confirm",
        "alarms",
        "answered_serial",
        "asked_attributes",
        "itself",
        "look_us",
        "readings",
        "readings_due_us",
        "vendor",
        "vendor_due_us",
    )

    def __init__(self) -> None:
        self.alarms = AlarmWatch()
        self.alarm_to_confirm = 0
        self.answered_serial = 0
        """The serial of the position that last told an alarm: what "alarm taken" answers."""
        self.asked_attributes = False
        self.itself: dict[str, str] = {}
        self.look_us = 0
        self.readings: dict[str, str] = {}
        self.readings_due_us = 0
        self.vendor: dict[str, str] = {}
        self.vendor_due_us = 0


class Serials:
    """Numbers of what we send on one connection: 0 to 65535 and round again."""

    __slots__ = ("following",)

    def __init__(self) -> None:
        self.following = 0

    def take(self, count: int = 1) -> int:
        """Return the first of `count` numbers in a row."""
        serial = self.following
        self.following = (serial + count) & 0xFFFF
        return serial


class Speaker:
    """A terminal on one connection whose messages are honoured. `last_body` is its newest position of this turn."""

    def __init__(self, form: Form, address: str, device: Device, secret: bytes | None, memory: Memory) -> None:
        self.address = address
        self.secret = secret
        self.memory = memory
        self.last_body = b""
        self.renewed_us = 0
        self.answer_as(form)
        self.configure(device)

    def answer_as(self, form: Form) -> None:
        """Answer in the form in which the terminal now writes."""
        self.form = form
        said = _REPLY_BYTES | (VERSION_FLAG if form.says_2019 else 0)
        head = PLATFORM_REPLY.to_bytes(2) + said.to_bytes(2)
        head += (bytes([form.version]) if form.is_2019 else b"") + form.terminal
        self._reply_head, self._reply_xor = head, xor_of(head)

    def configure(self, device: Device) -> None:
        """Read the terminal as its device's options say."""
        self.device = device
        self.crs = parse_crs(device.options.crs)

    def reading_at(self, now_us: int, quality: int = 0) -> Reading:
        """Return what positions that arrive now are read with; `quality` are bits for their rows."""
        return Reading(self.device.device_id, now_us, self.device.options.utc_offset_s, quality)

    def reply(self, own_serial: int, serial: int, msg_id: int, result: int) -> bytes:
        """Return a general reply. About 1 us."""
        if self.form.flag != FLAG:
            return write(PLATFORM_REPLY, reply_body(serial, msg_id, result), self.form, own_serial)
        mixed = own_serial ^ serial ^ msg_id
        check = self._reply_xor ^ result ^ mixed >> 8 ^ mixed & 0xFF
        content = self._reply_head + _REPLY(own_serial, serial, msg_id, result, check)
        if 0x7D in content or FLAG in content:
            content = escape(content)
        return b"~" + content + b"~"
