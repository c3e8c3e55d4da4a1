"""What the console and its MAVSDK process say to each other: frames both ways, actions and their results, as msgpack."""

from typing import Final, TypeAlias

import msgspec

from console.process_pipe import Pipe
from telemetry.model.commands import FlightAction

DISCOVERED_WITHIN_S: Final = 4.0
"""So long a drone is waited for that the process has not heard before."""


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="heard"):
    """Whole verified frames of a drone, which the process knows from now on."""

    device_id: int
    data: bytes


class Act(msgspec.Struct, frozen=True, array_like=True, tag="act"):
    """Let a drone do something; `alt_msl_m` is of go_to, `alt_home_m` of take_off, None: the drone's own."""

    number: int
    device_id: int
    action: FlightAction
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_msl_m: float | None = None
    alt_home_m: float | None = None
    speed_mps: float | None = None
    item: int | None = None
    discover_s: float = DISCOVERED_WITHIN_S


class Forget(msgspec.Struct, frozen=True, array_like=True, tag="forget"):
    """The drone is flown by this process no more."""

    device_id: int


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """The process has started: what it is asked from now on it does at once."""


class Send(msgspec.Struct, frozen=True, array_like=True, tag="send"):
    """Frames for a drone, to be signed and sent by the bridge."""

    device_id: int
    data: bytes


class Acted(msgspec.Struct, frozen=True, array_like=True, tag="acted"):
    """What became of an action: `result` is MAVSDK's own word for it, in capitals."""

    number: int
    is_done: bool
    result: str


Question: TypeAlias = Heard | Act | Forget
Answer: TypeAlias = Ready | Send | Acted
PIPE: Final[Pipe[Question, Answer]] = Pipe("MAVSDK", msgspec.msgpack.Decoder(Question), msgspec.msgpack.Decoder(Answer))
