"""What a ground station is told that was not heeded, in the drone's place: else it asks again until it gives up, and shows no cause."""

from typing import Final

from telemetry.sources.mavlink.frame import Frame, Value, encode
from telemetry.sources.mavlink.relay import target_component, target_system
from telemetry.sources.mavlink.tables import MESSAGES

NOT_IN_CONTROL: Final = "not_in_control"
TRANSFER_RUNS: Final = "transfer_runs"
ASKS_TOO_OFTEN: Final = "asks_too_often"
PARAMETERS_AGAIN: Final = "parameters_again"
COMMANDS: Final = {75: 28, 76: 28}
"""COMMAND_INT and COMMAND_LONG, and where their payload bears the command."""
TRANSACTION: Final = frozenset({38, 39, 40, 43, 44, 45, 47, 51, 73})
"""What a station says to read, write or empty a list: only one transaction at a time is borne by a drone."""
ANSWERED: Final = TRANSACTION - {39, 47, 73}
"""Of these those that a MISSION_ACK answers; an item or an acknowledgement is followed by nothing once the list was refused."""
COMMAND_ACK: Final = 77
MISSION_ACK: Final = 47
STATUSTEXT: Final = 253
TEMPORARILY_REJECTED, DENIED, MISSION_DENIED = 1, 2, 14
WARNING: Final = 4
AUTOPILOT: Final = 1
TEXTS: Final = {
    NOT_IN_CONTROL: "skybeat: you only watch, ask for control",
    TRANSFER_RUNS: "skybeat: a transfer runs, try again after it",
    ASKS_TOO_OFTEN: "skybeat: asked too often, ask more slowly",
    PARAMETERS_AGAIN: "skybeat: parameters were just asked for, wait",
}
"""Not longer than the 50 bytes that every ground station shows."""


def waits_for_answer(frame: Frame, reason: str) -> bool:
    """Tell whether the protocol has an acknowledgement that refuses what a frame wants; a question that is lost is asked again."""
    return frame.msg_id in COMMANDS or (frame.msg_id in ANSWERED and reason != ASKS_TOO_OFTEN)


def answer_to(frame: Frame, reason: str, sequence: int) -> bytes:
    """Return the acknowledgement that refuses what a frame wants, which `waits_for_answer`."""
    station: dict[str, Value] = {"target_system": frame.system_id, "target_component": frame.component_id}
    at = COMMANDS.get(frame.msg_id)
    if at is not None:
        command = int.from_bytes(frame.payload[at : at + 2], "little")
        result = TEMPORARILY_REJECTED if reason == ASKS_TOO_OFTEN else DENIED
        return _as_drone(frame, COMMAND_ACK, {"command": command, "result": result, **station}, sequence)
    mission_type = MESSAGES[frame.msg_id].codec.unpack(frame.payload)[-1]
    return _as_drone(frame, MISSION_ACK, {"type": MISSION_DENIED, "mission_type": mission_type, **station}, sequence)


def text_of(frame: Frame, reason: str, sequence: int) -> bytes:
    """Return the reason in words, as the drone's own text: a ground station shows no other."""
    return _as_drone(frame, STATUSTEXT, {"severity": WARNING, "text": TEXTS[reason]}, sequence)


def _as_drone(frame: Frame, msg_id: int, fields: dict[str, Value], sequence: int) -> bytes:
    component_id = target_component(frame) or AUTOPILOT
    return encode(msg_id, fields, system_id=target_system(frame), component_id=component_id, sequence=sequence & 255)
