"""The JSON of coverage beside the live message: its course over the last hour, and what each unit's leaving costs."""

from typing import Annotated

import msgspec


class TrendReply(msgspec.Struct, frozen=True, kw_only=True):
    """Shares (0..1) of road length within 1, 3 and 5 minutes over the last minutes: one row each, oldest first."""

    at_ms: list[float]
    shares: list[list[float]]
    plan: list[float]


class UnitLoss(msgspec.Struct, frozen=True, kw_only=True):
    """What the force loses if the unit leaves: 3-minute share of road length (0..1), a gap or ring links that would open."""

    unit_id: int
    loss_ratio: float
    opens_gap: str | None
    opens_ring: list[int] | None


class UnitLossesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Every available unit of the scope, the dearest first; `as_of_ms` is the time of the reckoning."""

    as_of_ms: float
    units: list[UnitLoss]


class Conditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wind as an operator knows it: where it comes from (degrees, true) and how fast. Null: not known, reckoned as none."""

    wind_from_deg: Annotated[float, msgspec.Meta(ge=0, lt=360)] | None = None
    wind_mps: Annotated[float, msgspec.Meta(ge=0, le=60)] | None = None


class ConditionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions, who told them and when; null while nobody did."""

    conditions: Conditions
    told_by: str | None
    told_ms: float | None
