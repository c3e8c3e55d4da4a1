"""What the console and its patrol process say to each other: tagged structs as msgpack, each behind its length."""

from typing import Any, Final, TypeAlias

import msgspec

from console.process_pipe import REPLIES, Pipe
from mission.flying.planned_next import PlannedNext
from mission.flying.responder import Candidate
from mission.flying.responder_trip import Errand, Standing
from mission.model import Programme, Window
from mission.plan import Plan, Sortie
from mission.schedule.change import Change


class PlanAsked(msgspec.Struct, frozen=True, tag="plan"):
    """Who flies when: the plan of a period. Progress is told as `PlanProgress` without its type."""

    programme: Programme
    window: Window
    now_us: int
    effort_s: float
    iterations: int | None = None
    seed: int = 1


class RepairAsked(msgspec.Struct, frozen=True, tag="repair"):
    """A plan mended after a change; what was flown until `now_us` stays."""

    plan: Plan
    programme: Programme
    change: Change
    now_us: int


class CheckAsked(msgspec.Struct, frozen=True, tag="check"):
    """What is to be said of an item that is being drawn, WGS-84, and how a task would be flown; `kind` is an ItemKind."""

    kind: str
    item: dict[str, Any]
    item_id: int
    programme: Programme
    window: Window
    now_us: int


class RespondAsked(msgspec.Struct, frozen=True, tag="respond"):
    """Which drone is at a place soonest; `others` are sorties in the air or due, `planned` what its candidates fly soon."""

    errand: Errand
    programme: Programme
    standings: list[Standing]
    others: list[Sortie]
    now_us: int
    planned: list[PlannedNext] = []


class Responders(msgspec.Struct, frozen=True):
    """The answer to RespondAsked."""

    candidates: list[Candidate]


Question: TypeAlias = PlanAsked | RepairAsked | CheckAsked | RespondAsked
_QUESTIONS: Final[msgspec.msgpack.Decoder[Question]] = msgspec.msgpack.Decoder(Question)
PIPE: Final = Pipe("patrol", _QUESTIONS, REPLIES)
"""How they say it."""
PROCESS: Final = "console.patrols.process"
"""The module that answers."""
