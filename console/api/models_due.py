"""The JSON of sorties that are due."""

import msgspec


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie whose time has come; `is_automatic`: its dock gives and starts it without a pilot."""

    plan_id: int
    sortie_id: int
    unit_id: int
    takeoff_us: int
    landing_us: int
    task_ids: list[int]
    is_automatic: bool


class DueReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is due, by its take-off."""

    sorties: list[DueView]
