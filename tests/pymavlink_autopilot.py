"""An autopilot whose every byte is read and written by pymavlink, with the mission manners of ArduPilot or of PX4, and a bad line to it."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

import pymavlink.dialects.v20.ardupilotmega as dialect

from telemetry.model.decoding import Output
from telemetry.model.events import AnyEvent
from telemetry.sources.mavlink import MavlinkDecoder

SECOND: Final = 1_000_000
ACCEPTED, ERROR, UNSUPPORTED, INVALID_SEQUENCE, DENIED, CANCELLED = 0, 1, 3, 13, 14, 15
Message: TypeAlias = Any
"""A message of pymavlink, which has no types."""


class Manners(Enum):
    """Whose mission protocol it is."""

    ARDUPILOT = 3
    """Asks in the old way, counts its home, writes over what it has item by item, asks again after 1 s, gives up after 8 s."""
    PX4 = 12
    """Asks for integers, takes a list as a whole, serves one transfer in order and nobody else meanwhile."""


class _Port:
    """Where pymavlink writes its frames."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.frames.append(bytes(data))


@dataclass
class Autopilot:
    """One vehicle. Hand it bytes with `feed`, the time with `tick`; both return the frames that it sends."""

    manners: Manners = Manners.ARDUPILOT
    system_id: int = 1
    knows: tuple[int, ...] = (0, 1, 2)
    """The mission types that it knows."""
    ignores_types: bool = False
    """An old firmware: every list is its mission."""
    room: int = 1_000
    key: bytes | None = None
    position_ok: bool = True
    says: list[tuple[int, str]] = field(default_factory=list)
    tells_more: int = 0
    """So many more items than it has it says that it has."""
    in_progress: int = 0
    """So many answers "in progress" come before a command is accepted."""
    change: Callable[[int, Any], Any] = lambda _, item: item
    """What becomes of an item when it is kept, by its number."""

    def __post_init__(self) -> None:
        self.port = _Port()
        self.mav = dialect.MAVLink(self.port, srcSystem=self.system_id, srcComponent=1)
        self.mav.robust_parsing = True
        if self.key is not None:
            self.mav.signing.secret_key = self.key
            self.mav.signing.link_id = 3
            self.mav.signing.sign_outgoing = True
        self.lists: dict[int, list[Any]] = {0: [], 1: [], 2: []}
        self.armed = False
        self.heeds_fence = False
        self.mode = 0 if self.manners is Manners.ARDUPILOT else 4 << 16 | 3 << 24
        self.current = 0
        self.commands: list[tuple[int, int]] = []
        self.unsigned = 0
        self._upload: dict[str, Any] | None = None
        self._download: dict[str, int] | None = None
        self._beat_us = 0
        self._progress_us = self._homeward_us = 0
        self.reached: list[int] = []
        """The items that it has flown to, in order."""

    def feed(self, data: bytes, now_us: int) -> list[bytes]:
        """Take what arrived."""
        for message in self.mav.parse_buffer(data) or []:
            if message.get_type() in {"BAD_DATA", "HEARTBEAT"}:
                continue
            if self.key is not None and not message.get_signed():
                self.unsigned += 1
                continue
            if getattr(message, "target_system", self.system_id) not in {0, self.system_id}:
                continue
            handler = getattr(self, f"_on_{message.get_type().lower()}", None)
            if handler is not None:
                handler(message, now_us)
        return self._sent()

    def tick(self, now_us: int) -> list[bytes]:
        """Say the heartbeat, ask again for what is missing, fly on."""
        if self.key is not None:
            stamp = (now_us - 1_420_070_400 * SECOND) // 10
            self.mav.signing.timestamp = max(self.mav.signing.timestamp, stamp)
        if now_us - self._beat_us >= SECOND:
            self._beat_us = now_us
            base = 81 | (128 if self.armed else 0)
            self.mav.heartbeat_send(2, self.manners.value, base, self.mode, 4)
            self.mav.mission_current_send(self.current)
        upload = self._upload
        if upload is not None:
            if now_us - upload["heard_us"] > 8 * SECOND:
                self._upload = None
                self._ack(upload["by"], CANCELLED, upload["type"])
            elif now_us - upload["asked_us"] > SECOND:
                self._ask(now_us)
        if self._download is not None and now_us - self._download["heard_us"] > 5 * SECOND:
            self._download = None
        self._fly(now_us)
        return self._sent()

    def _fly(self, now_us: int) -> None:
        """Reach one item a second in the mission's mode; on the way home land after five seconds."""
        items = self.lists[0]
        homeward = 6 if self.manners is Manners.ARDUPILOT else 4 << 16 | 5 << 24
        if self.armed and self.mode == homeward:
            self._homeward_us = self._homeward_us or now_us
            if now_us - self._homeward_us > 5 * SECOND:
                self.armed, self._homeward_us = False, 0
            return
        self._homeward_us = 0
        if not self.armed or not self._is_in_mission() or now_us - self._progress_us < SECOND or not items:
            return
        self._progress_us = now_us
        self.mav.mission_item_reached_send(self.current)
        self.reached.append(self.current)
        if self.current + 1 < len(items):
            self.current += 1
            self.mav.mission_current_send(self.current)
        else:
            self.armed = False

    def _is_in_mission(self) -> bool:
        return self.mode == (3 if self.manners is Manners.ARDUPILOT else 4 << 16 | 4 << 24)

    def _sent(self) -> list[bytes]:
        frames, self.port.frames = self.port.frames, []
        return frames

    def _ack(self, by: tuple[int, int], result: int, mission_type: int) -> None:
        self.mav.mission_ack_send(*by, result, mission_type)

    def _type(self, message: Message) -> int:
        return 0 if self.ignores_types else message.mission_type

    def _on_mission_count(self, message: Message, now_us: int) -> None:
        by, kind = (message.get_srcSystem(), message.get_srcComponent()), self._type(message)
        if kind not in self.knows:
            self._ack(by, UNSUPPORTED, kind)
        elif self._upload is not None and self._upload["by"] != by:
            self._ack(by, DENIED, kind)
        elif self._download is not None and self.manners is Manners.PX4:
            self._ack(by, ERROR, kind)
        elif message.count > self.room:
            self._ack(by, 4, kind)
        else:
            self._upload = {"by": by, "type": kind, "count": message.count, "next": 0, "heard_us": now_us, "items": []}
            if self.manners is Manners.ARDUPILOT:
                del self.lists[kind][message.count :]
            self._ask(now_us)

    def _ask(self, now_us: int) -> None:
        upload = self._upload
        assert upload is not None
        upload["asked_us"] = now_us
        if self.manners is Manners.ARDUPILOT:
            self.mav.mission_request_send(*upload["by"], upload["next"], upload["type"])
        else:
            self.mav.mission_request_int_send(*upload["by"], upload["next"], upload["type"])

    def _on_mission_item_int(self, message: Message, now_us: int) -> None:
        by, kind, upload = (message.get_srcSystem(), message.get_srcComponent()), self._type(message), self._upload
        if upload is None or upload["by"] != by or upload["type"] != kind:
            self._ack(by, ERROR, kind)
            return
        upload["heard_us"] = now_us
        if message.seq != upload["next"]:
            if self.manners is Manners.ARDUPILOT:
                self._ack(by, INVALID_SEQUENCE, kind)
            else:
                self._ask(now_us)
            return
        self._keep(kind, message.seq, self.change(message.seq, message))
        upload["next"] += 1
        if upload["next"] == upload["count"]:
            self._upload = None
            if self.manners is Manners.PX4:
                self.lists[kind] = upload["items"]
            self._ack(by, ACCEPTED, kind)
        else:
            self._ask(now_us)

    def _keep(self, kind: int, seq: int, item: Message) -> None:
        assert self._upload is not None
        if self.manners is Manners.PX4:
            self._upload["items"].append(item)
        else:
            self.lists[kind][seq : seq + 1] = [item]

    def _on_mission_request_list(self, message: Message, now_us: int) -> None:
        by, kind = (message.get_srcSystem(), message.get_srcComponent()), self._type(message)
        if kind not in self.knows:
            self._ack(by, UNSUPPORTED, kind)
            return
        if self._upload is not None and self.manners is Manners.PX4:
            self._ack(by, ERROR, kind)
            return
        self._download = {"type": kind, "next": 0, "heard_us": now_us}
        self.mav.mission_count_send(*by, len(self.lists[kind]) + self.tells_more, kind)

    def _on_mission_request_int(self, message: Message, now_us: int) -> None:
        by, kind = (message.get_srcSystem(), message.get_srcComponent()), self._type(message)
        if not 0 <= message.seq < len(self.lists[kind]):
            self._ack(by, INVALID_SEQUENCE, kind)
            return
        if self.manners is Manners.PX4:
            download = self._download
            if download is None or message.seq not in {download["next"], download["next"] - 1}:
                self._download = None
                self._ack(by, ERROR if download is None else INVALID_SEQUENCE, kind)
                return
            download["next"], download["heard_us"] = message.seq + 1, now_us
        item = self.lists[kind][message.seq]
        params = (item.param1, item.param2, item.param3, item.param4, item.x, item.y, item.z)
        self.mav.mission_item_int_send(*by, message.seq, item.frame, item.command, 0, item.autocontinue, *params, kind)

    def _on_mission_request(self, message: Message, now_us: int) -> None:
        self._on_mission_request_int(message, now_us)

    def _on_mission_ack(self, message: Message, now_us: int) -> None:
        del message, now_us
        self._download = None

    def _on_mission_clear_all(self, message: Message, now_us: int) -> None:
        del now_us
        kind = self._type(message)
        by = (message.get_srcSystem(), message.get_srcComponent())
        if kind not in self.knows:
            self._ack(by, UNSUPPORTED, kind)
            return
        self.lists[kind] = self.lists[kind][:1] if kind == 0 and self.manners is Manners.ARDUPILOT else []
        self._ack(by, ACCEPTED, kind)

    def _on_command_int(self, message: Message, now_us: int) -> None:
        self._on_command_long(message, now_us)

    def _on_command_long(self, message: Message, now_us: int) -> None:
        by = (message.get_srcSystem(), message.get_srcComponent())
        self.commands.append((message.command, getattr(message, "confirmation", 0)))
        result = self._obey(message, now_us)
        if result == ACCEPTED and self.in_progress and message.command == 400:
            self.in_progress -= 1
            result = 5
        self.mav.command_ack_send(message.command, result, 0, 0, *by)

    def _obey(self, message: Message, now_us: int) -> int:
        match message.command:
            case 400:
                if message.param1 and not self.position_ok:
                    self._say(4, "PreArm: Need Position Estimate")
                    return 4
                if message.param1 and self.manners is Manners.ARDUPILOT and self.mode in {3, 17}:
                    self._say(4, "Arm: AUTO mode not armable" if self.mode == 3 else "Arm: BRAKE mode not armable")
                    return 4
                self.armed = bool(message.param1)
            case 176 if message.param2 == 3 and not self.position_ok:
                self._say(4, "Mode change to AUTO failed: requires position")
                return 4
            case 176:
                self.mode = (
                    int(message.param2)
                    if self.manners is Manners.ARDUPILOT
                    else int(message.param2) << 16 | int(message.param3) << 24
                )
            case 224:
                if not 0 <= message.param1 < max(1, len(self.lists[0])):
                    return 4
                self.current = int(message.param1)
            case 300:
                if not self.position_ok:
                    self._say(4, "Mode change to AUTO failed: requires position")
                    return 4
                if not self.armed or self.manners is Manners.PX4:
                    return 4 if not self.armed else UNSUPPORTED
                self.mode, self._progress_us = 3, now_us
            case 20:
                self.mode = 6 if self.manners is Manners.ARDUPILOT else 4 << 16 | 5 << 24
            case 207 if self.manners is Manners.ARDUPILOT:
                self.heeds_fence = bool(message.param1)
            case 192 | 22 | 21 | 511 | 512:
                return 0
            case _:
                return UNSUPPORTED
        return 0

    def _say(self, level: int, text: str) -> None:
        self.mav.statustext_send(level, text.encode())


@dataclass
class BadLine:
    """A simulated line between a decoder of ours and a vehicle: loss, delay, doubling and reordering by one seed; no clock runs."""

    decoder: MavlinkDecoder
    vehicle: Autopilot
    seed: int = 1
    loss: float = 0.0
    doubling: float = 0.0
    delay_us: int = 300_000
    jitter_us: int = 0
    now_us: int = 1_790_000_000 * SECOND
    loses_next: int = 0
    """So many of the next frames to the vehicle are lost."""
    silent: Callable[[int], bool] = lambda _: False
    """Tells of a time since the start in microseconds whether nothing gets through."""

    def __post_init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.outputs: list[Output] = []
        self._random = random.Random(self.seed)
        self._order = itertools.count()
        self._due: list[tuple[int, int, bool, bytes]] = []
        self._began_us = self.now_us
        self._tick_us = self.now_us

    def elapsed_s(self) -> float:
        """The simulated seconds so far."""
        return (self.now_us - self._began_us) / SECOND

    def take(self, output: Output) -> None:
        """Put what our side says on the line, and keep what it tells."""
        self.events += output.events
        for reply in output.replies:
            self._put(reply.data, is_up=True)

    def run(self, until: Callable[[], bool], *, at_most_s: float) -> bool:
        """Let time go by until something is so; tell whether it came to that."""
        end_us = self.now_us + round(at_most_s * SECOND)
        while not until():
            if self.now_us >= end_us:
                return False
            self._step()
        return True

    def _step(self) -> None:
        next_due_us = self._due[0][0] if self._due else self._tick_us
        if next_due_us < self._tick_us:
            due_us, _, is_up, data = heapq.heappop(self._due)
            self.now_us = max(self.now_us, due_us)
            if is_up:
                self._answer(self.vehicle.feed(data, self.now_us))
            else:
                self.take(self.decoder.feed(data, self.now_us))
            return
        self.now_us = self._tick_us
        self._tick_us += SECOND // 4
        self.take(self.decoder.tick(self.now_us))
        self._answer(self.vehicle.tick(self.now_us))

    def _answer(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._put(frame, is_up=False)

    def _put(self, data: bytes, *, is_up: bool) -> None:
        if is_up and self.loses_next:
            self.loses_next -= 1
            return
        copies = 1 + (self._random.random() < self.doubling)
        for _ in range(copies):
            lost = self._random.random() < self.loss or self.silent(self.now_us - self._began_us)
            delay_us = self.delay_us + round(self._random.random() * self.jitter_us)
            if not lost:
                heapq.heappush(self._due, (self.now_us + delay_us, next(self._order), is_up, data))
