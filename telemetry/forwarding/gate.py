"""What another ground station may say: reads of everybody, orders only to drones whose control it was handed; bytes in, frames out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from telemetry.sources.mavlink.frame import Frame, FrameReader
from telemetry.sources.mavlink.relay import target_system

HEARTBEAT: Final = 0
SETUP_SIGNING: Final = 256
COMMANDS: Final = {75: 28, 76: 28}
"""COMMAND_INT and COMMAND_LONG, and where their payload bears the command."""
READS: Final = frozenset({4, 20, 21, 40, 43, 51, 111})
"""PING, PARAM_REQUEST_READ and _LIST, MISSION_REQUEST, _LIST and _INT, TIMESYNC: they ask and change nothing."""
READ_COMMANDS: Final = frozenset({410, 512, 519, 520, 521, 522, 525, 526, 527})
"""What COMMAND_LONG may ask of anybody's drone: home, a message once, versions, what cameras can and do."""
SILENT: Final = frozenset({HEARTBEAT})
"""What every ground station says all the time: not let through and not counted as refused."""


class Passed(NamedTuple):
    """What a station said that may go on, by the device it is meant for, and what was dropped, by reason."""

    frames: dict[int, bytes]
    dropped: Counter[str]


class Gate:
    """One connection of a station. `systems` are the drones that it watches: their devices by system id."""

    def __init__(self) -> None:
        self._reader = FrameReader()

    def feed(self, data: bytes, systems: Mapping[int, Sequence[int]], held: frozenset[int]) -> Passed:
        """Return which frames may go to which device; `held` are the devices whose control the station was handed."""
        passed: dict[int, list[bytes]] = {}
        dropped: Counter[str] = Counter()
        for frame in self._reader.feed(data):
            devices, reason = _devices_for(frame, systems, held)
            if reason:
                dropped[reason] += 1
            for device_id in devices:
                passed.setdefault(device_id, []).append(frame.raw)
        return Passed({device_id: b"".join(frames) for device_id, frames in passed.items()}, dropped)


def _devices_for(frame: Frame, systems: Mapping[int, Sequence[int]], held: frozenset[int]) -> tuple[Sequence[int], str]:
    """Return the devices that a frame may go to, and why it goes to none."""
    if frame.system_id in systems:
        return (), "speaks_as_drone"
    if frame.msg_id == SETUP_SIGNING:
        return (), "sets_key"
    target = target_system(frame)
    if target == 0:
        mine = [device_id for devices in systems.values() for device_id in devices if device_id in held]
        return mine, "" if mine or frame.msg_id in SILENT else "not_in_control"
    devices = systems.get(target, ())
    if len(devices) != 1:
        return (), "ambiguous_drone" if devices else "not_watched"
    if devices[0] in held or is_read(frame):
        return devices, ""
    return (), "not_in_control"


def is_read(frame: Frame) -> bool:
    """Tell whether a frame only asks for something and changes nothing."""
    at = COMMANDS.get(frame.msg_id)
    if at is None:
        return frame.msg_id in READS
    return int.from_bytes(frame.payload[at : at + 2], "little") in READ_COMMANDS
