"""The JSON of plans: a plan as `mission.plan` has it, made, changed in state, repaired, asked what if."""

from typing import Annotated

import msgspec

from mission.model import Airframe, Programme, Task, Weather, Window, Zone
from mission.plan import (
    Conflict,
    Plan,
    PlanState,
    Refusal,
    Sortie,
    SortieState,
    TaskFigures,
    Visit,
    VisitPart,
    Waypoint,
)
from mission.plan_store import PlanLine

__all__ = [
    "Airframe",
    "Conflict",
    "Refusal",
    "Sortie",
    "Task",
    "TaskFigures",
    "Visit",
    "VisitPart",
    "Waypoint",
    "Weather",
    "Window",
    "Zone",
]

Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=500)]
MOST_EFFORT_S = 60.0


class PlanWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan that is wanted, for at most two days. `is_kept` false: looked at and forgotten (a dry run).

    The same programme, `seed` and `iterations` (instead of `effort_s`) give the same plan.
    """

    from_us: int
    until_us: int
    effort_s: Annotated[float, msgspec.Meta(gt=0, le=MOST_EFFORT_S)] = 10.0
    iterations: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 1
    is_kept: bool = True


class PlanReply(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, kept (`plan_id` is not 0) or not."""

    plan: Plan


class PlanFullReply(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with the programme that it was made of, and who submitted and approved it."""

    plan: Plan
    programme: Programme
    submitted_by: str | None
    approved_by: str | None


class PlansReply(msgspec.Struct, frozen=True, kw_only=True):
    """Plans that touch a period, the newest first."""

    plans: list[PlanLine]


class PlanStateWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a plan of `version` shall become: submitted, approved by another account than the one that submitted, published.

    Back to draft at any time before it is published. `reason`: why an administrator approves alone what it submitted.
    """

    state: PlanState
    version: Id
    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class PlanChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different from what a plan was made of; what is not named stays.

    `priorities` are by task id; `tasks` and `zones` are new, or take the place of those with their ids; `weather` is added.
    What was flown until `now_us` (by the server's clock if null) stays as it is. With `version` the plan must still be of it.
    """

    without_airframe_ids: Ids = []
    without_battery_ids: Ids = []
    without_crew_ids: Ids = []
    without_task_ids: Ids = []
    priorities: dict[int, Annotated[int, msgspec.Meta(ge=0, le=10)]] = {}
    tasks: list[Task] = []
    zones: list[Zone] = []
    weather: list[Weather] = []
    now_us: int | None = None
    version: Id | None = None


class PlanGoneReply(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that was taken away."""

    plan_id: int


class SortieStateWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a sortie has come."""

    state: SortieState
