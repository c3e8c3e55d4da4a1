"""What a file changes in a programme: which of its items are new, which are changed, and which stand there already."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from mission.model import Airframe, Battery, Dock, Task, Weather
from mission.programme_items import FORMS, Item, ItemKind, KeptItem
from telemetry.model.errors import InputError

LONGEST_SOURCE: Final = 80


class Step(NamedTuple):
    """One item of a file: what it is called there, and the item that it is in the programme already (None: new).

    What stands at a dock of the file that is new itself has that dock's number in the file, negative, as its dock.
    """

    kind: ItemKind
    item: Item
    number: int
    source_ref: str | None
    before: KeptItem | None

    @property
    def is_changed(self) -> bool:
        """Tell whether it is in the programme, and otherwise than in the file."""
        return self.before is not None and _bare(self.kind, self.before.item) != _bare(self.kind, self.item)


def merged(
    items: Iterable[tuple[ItemKind, Item, int]], kept: Sequence[KeptItem], *, source: str, station_id: int | None
) -> list[Step]:
    """Return what the items of a file, with their numbers there, are to the programme; docks come first.

    The same is what came from a file of the same name (`source`) as the same kind of item with the same name, and what is equal
    in all but its number; an item of the programme is taken once. Raises InputError for what stands at a dock that the file
    has not.
    """
    by_ref = {(one.kind, one.source_ref): one for one in kept if one.source_ref is not None}
    equal: dict[tuple[ItemKind, bytes], list[KeptItem]] = {}
    for one in kept:
        equal.setdefault((one.kind, _bare(one.kind, one.item)), []).append(one)
    taken: set[int] = set()
    docks: dict[int, int] = {}
    named: Counter[str] = Counter()
    steps = []
    file = source[-LONGEST_SOURCE:].replace("\0", "\ufffd")  # PostgreSQL keeps no zero byte
    for kind, item, number in sorted(items, key=lambda one: one[0] is not ItemKind.DOCK):
        placed = _placed(item, docks)
        name = f"{kind.value} {_name_of(item)}"
        named[name] += 1
        ref = f"{station_id or ''}/{file}/{name} {named[name]}" if source else None
        found = None if ref is None else by_ref.get((kind, ref))
        alike = [one for one in equal.get((kind, _bare(kind, placed)), []) if one.item_id not in taken]
        before = found if found is not None and found.item_id not in taken else next(iter(alike), None)
        if before is not None:
            taken.add(before.item_id)
            placed = _tied(placed, before.item)
        if kind is ItemKind.DOCK:
            docks[number] = -number if before is None else before.item_id
        steps.append(Step(kind, placed, number, ref, before))
    return steps


def _placed(item: Item, docks: dict[int, int]) -> Item:
    if not isinstance(item, Airframe | Battery):
        return item
    if item.dock_id not in docks:
        message = (
            f"{item.name} stands at dock {item.dock_id}, which is not in the file: there are {sorted(docks) or 'none'}"
        )
        raise InputError(message, f"{item.name} 在机库 {item.dock_id}，文件中没有该机库：有 {sorted(docks) or '无'}")
    return msgspec.structs.replace(item, dock_id=docks[item.dock_id])


def _tied(item: Item, before: Item) -> Item:
    """Return an item with whom it is in the registry and whose it is, where the file does not say so."""
    if isinstance(item, Airframe) and isinstance(before, Airframe) and item.unit_id is None and item.device_id is None:
        return msgspec.structs.replace(item, unit_id=before.unit_id, device_id=before.device_id)
    if isinstance(item, Dock) and isinstance(before, Dock) and item.station_id is None:
        return msgspec.structs.replace(item, station_id=before.station_id)
    return item


def _name_of(item: Item) -> str:
    match item:
        case Task():
            return item.name_zh or item.name_en
        case Weather():
            return str(item.from_us)
    return item.name


def _bare(kind: ItemKind, item: Item) -> bytes:
    """Return an item without its number, to be compared."""
    number = FORMS[kind].number
    return msgspec.json.encode(item if number is None else msgspec.structs.replace(item, **{number: 0}), order="sorted")
