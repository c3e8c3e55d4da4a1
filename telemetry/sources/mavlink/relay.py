"""Frames of another ground station on their way to a vehicle: whole, addressed to it or to all, and signed by us."""

from collections.abc import Mapping
from typing import Any, Final

from telemetry.model.errors import InputError
from telemetry.sources.mavlink.frame import HEADER_V1_BYTES, HEADER_V2_BYTES, Frame, FrameReader, Signs, enframe
from telemetry.sources.mavlink.tables import MESSAGES

MOST_BYTES: Final = 65_536


def target_system(frame: Frame) -> int:
    """Return the system id that a frame is meant for, 0 for all."""
    offset = _SYSTEM_AT.get(frame.msg_id)
    return 0 if offset is None else frame.payload[offset]


def target_component(frame: Frame) -> int:
    """Return the component id that a frame is meant for, 0 for all."""
    offset = _COMPONENT_AT.get(frame.msg_id)
    return 0 if offset is None else frame.payload[offset]


class Relay:
    """Reads the frames, refuses what is not for this vehicle, and counts each sender's sequence anew."""

    def __init__(self) -> None:
        self._sequences: dict[tuple[int, int], int] = {}

    def relayed(self, data: bytes, system_id: int, signer: Signs | None) -> tuple[list[bytes], int]:
        """Return the frames to send to the vehicle of this system id, and how many were left out.

        Raises InputError when none is left, or for more than 64 KiB.
        """
        if len(data) > MOST_BYTES:
            raise InputError(f"{len(data)} bytes of another ground station at once: give at most {MOST_BYTES}")
        reader = FrameReader()
        frames = [*reader.feed(data), *reader.flush()]
        mine = [frame for frame in frames if frame.system_id != system_id and target_system(frame) in {0, system_id}]
        if not mine:
            told = "no whole MAVLink frame" if not frames else f"no frame for system {system_id}"
            raise InputError(
                f"{told} among {len(data)} bytes of another ground station: send frames for this vehicle or for all"
            )
        left_out = len(frames) - len(mine) + reader.frames_bad
        return [enframe(frame, payload_of(frame), self._next(frame), signer) for frame in mine], left_out

    def _next(self, frame: Frame) -> int:
        sender = (frame.system_id, frame.component_id)
        self._sequences[sender] = (self._sequences.get(sender, -1) + 1) & 255
        return self._sequences[sender]


def payload_of(frame: Frame) -> bytes:
    """Return the payload as it came, with fields that we do not know."""
    head = HEADER_V2_BYTES if frame.version == 2 else HEADER_V1_BYTES
    return frame.raw[head : head + frame.raw[1]]


def _offsets(name: str) -> dict[int, int]:
    """Return where each message that has this field bears it."""
    offsets: dict[int, int] = {}
    for message in MESSAGES.values():
        fields: Mapping[str, Any] = message.dtype.fields or {}
        if name in fields:
            offsets[message.msg_id] = int(fields[name][1])
    return offsets


_SYSTEM_AT: Final = _offsets("target_system")
_COMPONENT_AT: Final = _offsets("target_component")
