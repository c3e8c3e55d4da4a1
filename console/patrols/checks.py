"""What is to be said of an item before it is kept: what cannot be is refused, the rest are warnings."""

from mission.model import Programme
from mission.plan import Refusal
from mission.programme_items import Item
from telemetry.model.errors import InputError


def demand_sound(item: Item) -> list[Refusal]:
    """Return what is to be said of an item that may be kept. Raises InputError for one that may not."""
    del item
    return []


def refuse(refusals: list[Refusal]) -> list[Refusal]:
    """Return the warnings among refusals. Raises InputError with the first that is none: what, where, what to change."""
    for refusal in refusals:
        if not refusal.is_warning:
            message = f"{refusal.rule_id}: {refusal.reason_en}; {refusal.remedy_en}"
            raise InputError(message)
    return refusals


def check_programme(programme: Programme, now_us: int) -> list[Refusal]:
    """Return what is to be said of a whole programme."""
    del programme, now_us
    return []
