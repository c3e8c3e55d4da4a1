"""What the interface says of a unit's history in short: trips and stops, and its track in steps."""

from typing import Any

import msgspec
from numpy.typing import NDArray

from telemetry.history.questions import UNKNOWN_STEPS, Movement


class MovementView(msgspec.Struct, frozen=True, kw_only=True):
    """A trip or a stop of one device; null where it reaches beyond the time that the device spoke for the unit."""

    device_id: int
    kind: str
    started_us: int
    ended_us: int
    distance_m: float | None
    start_lat_e7: int | None
    start_lon_e7: int | None
    end_lat_e7: int | None
    end_lon_e7: int | None


class MovementsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's trips and stops, oldest first."""

    unit_id: int
    movements: list[MovementView]


class StepsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's track in steps, by device and time: columns by name, each `step_count` long, unknown as null."""

    unit_id: int
    step_s: int
    step_count: int
    columns: dict[str, list[float | int | None]]


def movement_view(movement: Movement) -> MovementView:
    """Return a movement as the interface says it."""
    return MovementView(**{name: value for name, value in movement._asdict().items() if name != "unit_id"})


def steps_reply(unit_id: int, step_s: int, steps: NDArray[Any]) -> StepsReply:
    """Return steps of dtype ROLLUP as the interface says them."""
    columns = {name: _column(name, steps[name].tolist()) for name in steps.dtype.names or () if name != "unit_id"}
    return StepsReply(unit_id=unit_id, step_s=step_s, step_count=len(steps), columns=columns)


def _column(name: str, values: list[Any]) -> list[float | int | None]:
    if name == "distance_m":
        return [round(value, 1) for value in values]
    unknown = UNKNOWN_STEPS.get(name)
    return [None if value == unknown else value for value in values]
