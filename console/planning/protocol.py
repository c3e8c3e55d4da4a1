"""What the console and its planning process say to each other: tagged structs as msgpack, each behind its length."""

from typing import Final, TypeAlias

import msgspec

from console.api.models_siting import BeatsRequest, SitingRequest, WhatIfRequest
from console.coverage.protocol import IncidentsTold, PostsTold, StationPlace, UnitColumns
from console.process_pipe import REPLIES, Pipe
from mission.siting.planning_map import DemandKind


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
    """What if; the request's coordinates are WGS-84 already. `own_station_ids`: whose stations and units the asker may see.

    `posts`: those that crews man, None while nobody could tell.
    """

    ground: Ground
    units: UnitColumns
    crews: UnitColumns
    request: WhatIfRequest
    at_ms: float
    hour_of_week: int
    own_station_ids: list[int] = []
    posts: PostsTold | None = None


Question: TypeAlias = SitesAsked | BeatsAsked | MoveUpAsked | WhatIfAsked


_QUESTIONS: Final[msgspec.msgpack.Decoder[Question]] = msgspec.msgpack.Decoder(Question)
PIPE: Final = Pipe("planning", _QUESTIONS, REPLIES)
"""How they say it."""
