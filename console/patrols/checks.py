"""What is to be said of an item before it is kept: what cannot be is refused, the rest are warnings."""

import asyncio
from collections.abc import Sequence

import msgspec

from mission.checking import check_programme
from mission.model import Programme
from mission.plan import Refusal
from mission.programme_items import FORMS, Item, ItemKind
from telemetry.model.errors import InputError


def said_of(kind: ItemKind, item: Item, programme: Programme) -> list[Refusal]:
    """Return what is to be said of an item beside the others of its programme."""
    alone = {FORMS[kind].field: (item,)}
    beside = Programme(zone=programme.zone, docks=() if kind is ItemKind.DOCK else programme.docks)
    others = set(
        map(msgspec.json.encode, check_programme(beside))
    )  # what is wrong with docks is not said of their drones
    said = check_programme(msgspec.structs.replace(beside, **alone))
    return [one for one in said if msgspec.json.encode(one) not in others]


async def demand_sound(kind: ItemKind, item: Item, programme: Programme) -> list[Refusal]:
    """Return the warnings of an item that may be kept. Raises InputError for one that may not: what, where, what to change."""
    return refuse(await asyncio.to_thread(said_of, kind, item, programme))


def refuse(refusals: Sequence[Refusal]) -> list[Refusal]:
    """Return the warnings among refusals. Raises InputError with the first that is none."""
    for refusal in refusals:
        if not refusal.is_warning:
            message = f"{refusal.reason_en} ({refusal.numbers.get('where', refusal.rule_id)}): {refusal.remedy_en}"
            raise InputError(
                message, f"{refusal.reason_zh}（{refusal.numbers.get('where', refusal.rule_id)}）：{refusal.remedy_zh}"
            )
    return list(refusals)
