"""What the websocket tells of plans: which changed, how far one is that the account asked for; what changed is read by HTTP."""

import msgspec

from mission.plan import PlanState


class PlanChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="plan_changed"):
    """A plan is of another version or state now; `state` null: it was taken away."""

    plan_id: int
    version: int
    state: PlanState | None


class PlanProgress(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="plan_progress"):
    """How far the plan is that this account asked for, while it waits: the best found so far."""

    score: float
    sortie_count: int
    elapsed_s: float
    effort_s: float


class ProgrammeChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="programme_changed"):
    """Somebody changed what patrols are asked for or with what: read it again."""
