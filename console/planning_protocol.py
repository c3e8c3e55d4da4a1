"""What the console and its planning process say to each other: tagged structs as msgpack, each behind its length."""

import struct
from typing import BinaryIO, Final, TypeAlias

import msgspec

from console.api.models_siting import BeatsRequest, SitingRequest, WhatIfRequest
from console.coverage_protocol import IncidentsTold, StationPlace, UnitColumns
from mission.planning_map import DemandKind
from telemetry.model.errors import FileFormatError

LENGTH: Final = struct.Struct("<I")
MAX_BYTES: Final = 16 * 1024 * 1024


class PostPlace(msgspec.Struct, frozen=True, array_like=True):
    """A post of the registry, WGS-84."""

    post_id: int
    kind: str
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float


class Ground(msgspec.Struct, frozen=True):
    """What every question is about: the folder of the map, the force's stations and posts, past incidents where they weigh."""

    city_dir: str
    stations: list[StationPlace]
    posts: list[PostPlace] = []
    incidents: IncidentsTold | None = None


class SitesAsked(msgspec.Struct, frozen=True, tag="sites"):
    """Where should they stand; the request's coordinates are WGS-84 already."""

    ground: Ground
    request: SitingRequest


class BeatsAsked(msgspec.Struct, frozen=True, tag="beats"):
    """How are the streets shared out among the stations."""

    ground: Ground
    request: BeatsRequest


class MoveUpAsked(msgspec.Struct, frozen=True, tag="moveup"):
    """Who should move up; `stood_s` and `move_count` as the units; `movable_unit_ids` null: all of them."""

    ground: Ground
    units: UnitColumns
    stood_s: list[float | None]
    move_count: list[int]
    at_ms: float
    hour_of_week: int
    demand: DemandKind = DemandKind.ROADS
    limit_s: float = 180.0
    busy_ratio: float = 0.35
    drive_limit_s: float = 600.0
    dwell_s: float = 900.0
    shift_move_count: int = 4
    movable_unit_ids: list[int] | None = None


class WhatIfAsked(msgspec.Struct, frozen=True, tag="whatif"):
    """What if; the request's coordinates are WGS-84 already. `own_station_ids`: whose stations and units the asker may see."""

    ground: Ground
    units: UnitColumns
    crews: UnitColumns
    request: WhatIfRequest
    at_ms: float
    hour_of_week: int
    own_station_ids: list[int] = []


Question: TypeAlias = SitesAsked | BeatsAsked | MoveUpAsked | WhatIfAsked


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """The answer as the JSON that the browser gets."""

    body: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why there is none: input, not_found or unavailable, and a sentence for people."""

    word: str
    message: str


Answer: TypeAlias = Answered | Refused

_ENCODER: Final = msgspec.msgpack.Encoder()
_QUESTIONS: Final[msgspec.msgpack.Decoder[Question]] = msgspec.msgpack.Decoder(Question)
_ANSWERS: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)


def framed(message: Question | Answer) -> bytes:
    """Return a message behind its length (4 bytes, little-endian)."""
    data = _ENCODER.encode(message)
    return LENGTH.pack(len(data)) + data


def decode_answer(data: bytes) -> Answer:
    """Return what the process said. Raises FileFormatError for anything else."""
    try:
        return _ANSWERS.decode(data)
    except msgspec.DecodeError as error:
        raise FileFormatError(f"the planning process said something else than an answer ({error})") from error


def read_question(source: BinaryIO) -> Question | None:
    """Return the next question from a pipe, None at its end. Raises FileFormatError for what is none."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    if length > MAX_BYTES:
        raise FileFormatError(f"a question of {length} bytes: at most {MAX_BYTES} are allowed")
    data = source.read(length)
    if len(data) < length:
        return None
    try:
        return _QUESTIONS.decode(data)
    except msgspec.DecodeError as error:
        raise FileFormatError(f"the console said something else than a question ({error})") from error


def write_answer(sink: BinaryIO, answer: Answer) -> None:
    """Write an answer to a pipe."""
    sink.write(framed(answer))
    sink.flush()
