"""What another ground station may say: questions of everybody, at a pace; orders only to drones whose control it was handed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from telemetry.forwarding.pace import AskingPace
from telemetry.forwarding.refusal import (
    ASKS_TOO_OFTEN,
    COMMANDS,
    NOT_IN_CONTROL,
    PARAMETERS_AGAIN,
    TEXTS,
    TRANSACTION,
    TRANSFER_RUNS,
    answer_to,
    text_of,
    waits_for_answer,
)
from telemetry.sources.mavlink.frame import Frame, FrameReader
from telemetry.sources.mavlink.relay import target_system
from telemetry.sources.mavlink.tables import MESSAGES

HEARTBEAT: Final = 0
PARAM_REQUEST_LIST: Final = 21
SETUP_SIGNING: Final = 256
READS: Final = frozenset({4, 20, PARAM_REQUEST_LIST, 40, 43, 51, 111})
"""PING, PARAM_REQUEST_READ and _LIST, MISSION_REQUEST, _LIST and _INT, TIMESYNC: they ask and change nothing."""
READ_COMMANDS: Final = frozenset({410, 512, 519, 520, 521, 522, 525, 527, 528})
"""What commands may ask of anybody's drone: home, a message once, versions, what cameras, their storage and a flight tell.

526, amid them, is STORAGE_FORMAT, which empties a camera's card.
"""
SILENT: Final = frozenset({HEARTBEAT})
"""What every ground station says all the time: not let through and not counted as refused."""

PARTS: Final = frozenset({39, 47, 73})
"""MISSION_ITEM, MISSION_ACK and MISSION_ITEM_INT: parts of a transfer that MISSION_COUNT or a question began."""


class Standing(NamedTuple):
    """What a station may do now: `systems` are the drones that it watches, their devices by system id.

    `held` are the devices whose control it was handed, `transferring` those with which a transfer of ours runs.
    """

    systems: Mapping[int, Sequence[int]]
    held: frozenset[int] = frozenset()
    transferring: frozenset[int] = frozenset()


class Passed(NamedTuple):
    """What a station said that may go on, by the device it is meant for; what was dropped, by reason; what it is answered.

    `orders` names what of it is an order, by device, of a stream of the same only some.
    """

    frames: dict[int, bytes]
    dropped: Counter[str]
    answers: list[bytes]
    orders: list[tuple[int, str]]


class Gate:
    """One connection of a station."""

    def __init__(self, station: str, pace: AskingPace) -> None:
        self._station = station
        self._pace = pace
        self._reader = FrameReader()
        self._sequence = 0

    def feed(self, data: bytes, standing: Standing, now_s: float) -> Passed:
        """Return which frames may go to which device; `now_s` are seconds of the clock that the pace goes by."""
        passed: dict[int, list[bytes]] = {}
        dropped: Counter[str] = Counter()
        answers: list[bytes] = []
        orders: list[tuple[int, str]] = []
        for frame in self._reader.feed(data):
            devices, reason = self._judge(frame, standing, now_s)
            if reason:
                dropped[reason] += 1
                if reason in TEXTS and devices:
                    answers += self._refuse(frame, devices[0], reason, now_s)
                continue
            for device_id in devices:
                passed.setdefault(device_id, []).append(frame.raw)
                order = order_of(frame)
                if order and self._pace.may_be_kept(self._station, device_id, order, now_s):
                    orders.append((device_id, order))
        return Passed({device_id: b"".join(frames) for device_id, frames in passed.items()}, dropped, answers, orders)

    def _judge(self, frame: Frame, standing: Standing, now_s: float) -> tuple[Sequence[int], str]:
        """Return the devices that a frame is meant for, and why it may not go there."""
        if frame.system_id in standing.systems:
            return (), "speaks_as_drone"
        if frame.msg_id == SETUP_SIGNING:
            return (), "sets_key"
        target = target_system(frame)
        if target == 0:
            return _to_all(frame, standing)
        devices = standing.systems.get(target, ())
        if len(devices) != 1:
            return (), "ambiguous_drone" if devices else "not_watched"
        (device_id,) = devices
        asks = is_read(frame)
        if not asks and device_id not in standing.held:
            return devices, NOT_IN_CONTROL
        if frame.msg_id in TRANSACTION and device_id in standing.transferring:
            return devices, TRANSFER_RUNS
        return devices, self._too_often(frame, device_id, now_s) if asks else ""

    def _too_often(self, frame: Frame, device_id: int, now_s: float) -> str:
        if not self._pace.may_ask(self._station, device_id, now_s):
            return ASKS_TOO_OFTEN
        if frame.msg_id == PARAM_REQUEST_LIST and not self._pace.may_list_parameters(device_id, now_s):
            return PARAMETERS_AGAIN
        return ""

    def _refuse(self, frame: Frame, device_id: int, reason: str, now_s: float) -> list[bytes]:
        """Return what says so: the acknowledgement that the station waits for, and now and then the reason in words."""
        answers: list[bytes] = []
        if waits_for_answer(frame, reason) and self._pace.may_be_answered(self._station, device_id, now_s):
            answers.append(answer_to(frame, reason, self._sequence))
        if self._pace.may_be_told(self._station, device_id, reason, now_s):
            answers.append(text_of(frame, reason, self._sequence + 1))
        self._sequence += 2
        return answers


def _to_all(frame: Frame, standing: Standing) -> tuple[Sequence[int], str]:
    """Judge a frame that is meant for every drone: it goes to those that are held."""
    held = [one for devices in standing.systems.values() for one in devices if one in standing.held]
    free = [one for one in held if frame.msg_id not in TRANSACTION or one not in standing.transferring]
    if not held and frame.msg_id not in SILENT:
        return (), NOT_IN_CONTROL
    return free, TRANSFER_RUNS if held and not free else ""


def is_read(frame: Frame) -> bool:
    """Tell whether a frame only asks for something and changes nothing."""
    at = COMMANDS.get(frame.msg_id)
    if at is None:
        return frame.msg_id in READS
    return int.from_bytes(frame.payload[at : at + 2], "little") in READ_COMMANDS


def order_of(frame: Frame) -> str:
    """Return the name of what a frame orders, with its command's number; empty for what asks, and for parts of an order told."""
    if frame.msg_id in SILENT | PARTS or is_read(frame):
        return ""
    name = MESSAGES[frame.msg_id].name if frame.msg_id in MESSAGES else f"message {frame.msg_id}"
    at = COMMANDS.get(frame.msg_id)
    return name if at is None else f"{name} {int.from_bytes(frame.payload[at : at + 2], 'little')}"
