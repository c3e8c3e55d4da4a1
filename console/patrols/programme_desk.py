"""The console's way to the programme: read, drawn, changed and brought from files, within the scope of who asks."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from console.patrols.asking import asking
from infra.database import Scope
from mission import programme_store
from mission.model import Airframe, Battery, Dock, Programme
from mission.programme_items import (
    KIND_ZH,
    Item,
    ItemKind,
    KeptItem,
    ProgrammeSetting,
    programme_of,
)
from mission.programme_merge import Step, merged
from telemetry.model.errors import ConflictError, InputError, NotFoundError

MOST_ITEMS: Final = 5_000
FileItem: TypeAlias = tuple[ItemKind, Item, int]
"""An item of a file with its number there."""


class KeptProgramme(msgspec.Struct, frozen=True, kw_only=True):
    """The programme of a scope: its items, what holds for the whole, and that one's version."""

    items: list[KeptItem]
    setting: ProgrammeSetting
    version: int

    @property
    def programme(self) -> Programme:
        """All of it as one."""
        return programme_of(self.items, self.setting)

    def find(self, kind: ItemKind, item_id: int) -> KeptItem | None:
        """Return an item, None where the scope has none."""
        return next((one for one in self.items if one.item_id == item_id and one.kind is kind), None)


class ProgrammeDesk:
    """Reads and changes the programme within a scope. Every call raises what `asking` does."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def read(self, scope: Scope) -> KeptProgramme:
        """Return what the scope may see."""
        async with asking(self._pool, scope) as connection:
            return await _read(connection)

    async def add(
        self, scope: Scope, item: Item, *, kind: ItemKind, station_id: int | None, now_us: int, by: str
    ) -> KeptItem:
        """Add an item; return it with its number. Raises InputError for a dock that there is not, or too many items."""
        async with asking(self._pool, scope) as connection:
            programme = await _read(connection)
            if len(programme.items) >= MOST_ITEMS:
                message = f"the programme has {len(programme.items)} items, at most {MOST_ITEMS} are kept: take away what is past"
                raise InputError(message, f"任务书已有 {len(programme.items)} 项，上限 {MOST_ITEMS}：请删去过期的")
            station_id = _station_of(programme, item, station_id)
            number = await programme_store.add_item(
                connection, item, kind=kind, station_id=station_id, now_us=now_us, by=by
            )
            return await programme_store.find_item(connection, kind, number)

    async def change(self, scope: Scope, after: KeptItem, *, version: int | None, now_us: int, by: str) -> KeptItem:
        """Change an item; with `version` it must still be of it. Raises ConflictError, NotFoundError, InputError."""
        async with asking(self._pool, scope) as connection:
            programme = await _read(connection)
            before = programme.find(after.kind, after.item_id)
            if before is None:
                message = (
                    f"there is no {after.kind.value} {after.item_id} in your scope: GET /api/programme lists yours"
                )
                raise NotFoundError(message, f"您的范围内没有{KIND_ZH[after.kind]} {after.item_id}")
            station_id = before.station_id if after.station_id is None else after.station_id
            changed = msgspec.structs.replace(
                after,
                version=before.version if version is None else version,
                station_id=_station_of(programme, after.item, station_id),
            )
            await programme_store.change_item(connection, changed, now_us=now_us, by=by)
            return await programme_store.find_item(connection, after.kind, after.item_id)

    async def remove(self, scope: Scope, kind: ItemKind, item_id: int) -> None:
        """Take an item away. Raises NotFoundError, and ConflictError for a dock at which something still stands."""
        async with asking(self._pool, scope) as connection:
            if kind is ItemKind.DOCK:
                _demand_empty(await _read(connection), item_id)
            await programme_store.remove_item(connection, kind, item_id)

    async def set(self, scope: Scope, setting: ProgrammeSetting, *, version: int | None, now_us: int, by: str) -> int:
        """Set what holds for the whole programme; return its version. Raises ConflictError."""
        async with asking(self._pool, scope) as connection:
            known = version or (await programme_store.load_setting(connection))[1]
            return await programme_store.change_setting(connection, setting, version=known, now_us=now_us, by=by)

    async def bring(
        self, scope: Scope, items: Sequence[FileItem], *, source: str, station_id: int | None, now_us: int, by: str
    ) -> list[Step]:
        """Put the items of a file called `source` into the programme, all or none; return what became of each.

        What is new is added, what came before from a file of that name is changed, what stands there already is left.
        """
        docks: dict[int, int] = {}
        async with asking(self._pool, scope) as connection:
            steps = _looked_at(await _read(connection), items, source=source, station_id=station_id)
            for step in steps:
                item = _at_dock(step.item, docks)
                if step.before is None:
                    added = await programme_store.add_item(
                        connection, item, kind=step.kind, station_id=station_id, source_ref=step.source_ref,
                        now_us=now_us, by=by,
                    )  # fmt: skip
                    if step.kind is ItemKind.DOCK:
                        docks[-step.number] = added
                elif step.is_changed:
                    after = msgspec.structs.replace(step.before, item=item)
                    await programme_store.change_item(connection, after, now_us=now_us, by=by)
        return steps

    async def look_at(
        self, scope: Scope, items: Sequence[FileItem], *, source: str, station_id: int | None
    ) -> list[Step]:
        """Return what `bring` would do; nothing is changed."""
        return _looked_at(await self.read(scope), items, source=source, station_id=station_id)


def _looked_at(
    programme: KeptProgramme, items: Sequence[FileItem], *, source: str, station_id: int | None
) -> list[Step]:
    steps = merged(items, programme.items, source=source, station_id=station_id)
    more = sum(step.before is None for step in steps)
    if len(programme.items) + more > MOST_ITEMS:
        message = f"{len(programme.items)} items and {more} more: at most {MOST_ITEMS} are kept; bring less"
        raise InputError(message, f"已有 {len(programme.items)} 项，再加 {more} 项：上限 {MOST_ITEMS}；请少导入些")
    return steps


async def _read(connection: AsyncConnection) -> KeptProgramme:
    items = await programme_store.load_items(connection)
    setting, version = await programme_store.load_setting(connection)
    return KeptProgramme(items=items, setting=setting, version=version)


def _station_of(programme: KeptProgramme, item: Item, station_id: int | None) -> int | None:
    """Return whose an item is: what stands at a dock is its dock's. Raises InputError for a dock that there is not."""
    match item:
        case Dock():
            return item.station_id if station_id is None else station_id
        case Airframe() | Battery():
            dock = programme.find(ItemKind.DOCK, item.dock_id)
            if dock is None:
                known = ", ".join(str(one.item_id) for one in programme.items if one.kind is ItemKind.DOCK) or "none"
                message = f"dock_id {item.dock_id}: there is no such dock in your scope; there are {known}: draw the dock first"
                raise InputError(message, f"您的范围内没有机库 {item.dock_id}；现有 {known}：请先画机库")
            return dock.station_id
    return station_id


def _demand_empty(programme: KeptProgramme, dock_id: int) -> None:
    for one in programme.items:
        if isinstance(one.item, Airframe | Battery) and one.item.dock_id == dock_id:
            message = (
                f"{one.kind.value} {one.item_id} ({one.item.name}) stands at dock {dock_id}: give it another dock first"
            )
            raise ConflictError(
                message, f"{KIND_ZH[one.kind]} {one.item_id}（{one.item.name}）在机库 {dock_id}：请先给它换机库"
            )


def _at_dock(item: Item, docks: dict[int, int]) -> Item:
    """Return an item at the dock that was added for it, where that is new too."""
    if isinstance(item, Airframe | Battery):
        return msgspec.structs.replace(item, dock_id=docks.get(item.dock_id, item.dock_id))
    return item
