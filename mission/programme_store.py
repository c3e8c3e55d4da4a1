"""The programme in the database: rows to structs and back. Every function works in the caller's transaction and its scope."""

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from infra.clock import utc_of
from infra.database import load_queries
from mission.programme_items import (
    FORMS,
    KIND_ZH,
    Item,
    ItemKind,
    KeptItem,
    ProgrammeSetting,
    demand_keepable,
    item_of,
    raw_of,
)
from telemetry.model.errors import ConflictError, NotFoundError

QUERIES: Final = load_queries(resources.files("mission") / "programme_store.sql")
CHANNEL: Final = "skybeat_planning"
"""The channel on which PostgreSQL tells that programme or plans changed."""


async def load_items(connection: AsyncConnection) -> list[KeptItem]:
    """Return all items of the scope in the order of their numbers."""
    return [_kept(row) for row in await _run(connection, "load_items", {})]


async def find_item(connection: AsyncConnection, kind: ItemKind, item_id: int) -> KeptItem:
    """Return one item of the scope. Raises NotFoundError."""
    rows = await _run(connection, "find_item", {"kind": kind.value, "item_id": item_id})
    if not rows:
        raise _unknown(kind, item_id)
    return _kept(rows[0])


async def add_item(
    connection: AsyncConnection,
    item: Item,
    *,
    kind: ItemKind,
    station_id: int | None,
    source_ref: str | None = None,
    now_us: int,
    by: str,
) -> int:
    """Add an item; return its number. Raises InputError for one that cannot be kept."""
    values = {"kind": kind.value, "station_id": station_id, "source_ref": source_ref}
    rows = await _run(connection, "add_item", values | _written(item, now_us, by))
    return int(rows[0]["item_id"])


async def change_item(connection: AsyncConnection, after: KeptItem, *, now_us: int, by: str) -> int:
    """Change an item that is of the version that it tells; return the new one. Raises ConflictError when somebody was faster."""
    values = {"kind": after.kind.value, "item_id": after.item_id, "version": after.version}
    values |= {"station_id": after.station_id} | _written(after.item, now_us, by)
    rows = await _run(connection, "change_item", values)
    if not rows:
        message = (
            f"the {after.kind.value} {after.item_id} is not of version {after.version} any more, "
            "or not yours to change: read it again"
        )
        raise ConflictError(
            message, f"{KIND_ZH[after.kind]} {after.item_id} 已不是第 {after.version} 版，或您无权修改：请重新读取"
        )
    return int(rows[0]["version"])


async def remove_item(connection: AsyncConnection, kind: ItemKind, item_id: int) -> None:
    """Take an item away. Raises NotFoundError for one that the scope may not change."""
    if not await _run(connection, "remove_item", {"kind": kind.value, "item_id": item_id}):
        raise _unknown(kind, item_id)


async def load_setting(connection: AsyncConnection) -> tuple[ProgrammeSetting, int]:
    """Return what holds for the whole programme, and its version."""
    row = (await _run(connection, "load_setting", {}))[0]
    return msgspec.convert(row["body"], ProgrammeSetting), int(row["version"])


async def change_setting(
    connection: AsyncConnection, setting: ProgrammeSetting, *, version: int, now_us: int, by: str
) -> int:
    """Change what holds for the whole programme; return the new version. Raises ConflictError when somebody was faster."""
    values = {"version": version, "body": Jsonb(msgspec.to_builtins(setting)), "now": utc_of(now_us), "by": by}
    rows = await _run(connection, "change_setting", values)
    if not rows:
        message = (
            f"the programme's settings are not of version {version} any more, or not yours to change: read them again"
        )
        raise ConflictError(message, f"任务书设置已不是第 {version} 版，或您无权修改：请重新读取")
    return int(rows[0]["version"])


def _unknown(kind: ItemKind, item_id: int) -> NotFoundError:
    return NotFoundError(
        f"there is no {kind.value} {item_id} that you may see or change: GET /api/programme lists yours",
        f"没有您可查看或修改的{KIND_ZH[kind]} {item_id}",
    )


def _kept(row: Mapping[str, Any]) -> KeptItem:
    kind = ItemKind(row["kind"])
    known = FORMS[kind].struct.__struct_fields__  # what an older release wrote besides is let go
    body = {name: value for name, value in row["body"].items() if name in known}
    return KeptItem(
        item_id=row["item_id"],
        kind=kind,
        version=row["version"],
        item=item_of(kind, body, row["item_id"]),
        station_id=row["station_id"],
        source_ref=row["source_ref"],
    )


def _written(item: Item, now_us: int, by: str) -> dict[str, Any]:
    demand_keepable(item)
    return {"body": Jsonb(raw_of(item)), "now": utc_of(now_us), "by": by}


async def _run(connection: AsyncConnection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(QUERIES[query], dict(values))
    return await cursor.fetchall() if cursor.description else []
