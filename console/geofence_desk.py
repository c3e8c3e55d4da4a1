"""The console's way to geofences in the database: read and written as who asks, so that row policies decide what may be."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool

from console.api.models_geofences import AloneRuleView, AreaAssignmentWish, GeofenceWish
from console.asking import Words, asking_as
from infra.clock import utc_of
from infra.database import Scope
from telemetry.geofence_store import QUERIES, load_plan, parameters_of
from telemetry.geofences.fence import Geofence, GeofencePlan
from telemetry.geofences.shapes import checked
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.positions import to_wgs84_geometry

MAX_FENCES: Final = 20_000
_WORDS: Final = Words(
    outside=(
        "that is outside your scope: draw for your own stations, assign your own units",
        "不在您的管辖范围内：只能为本站画围栏、指派本站单元",
    ),
    nothing=(
        "there is no such geofence, unit or station: read the lists again",
        "没有这个围栏、单元或警务站：请重新读取列表",
    ),
    twice=("somebody said the same at this moment: read it again", "刚有人提交了同样的内容：请重新读取"),
    away=(
        "the database does not answer: fences in force are watched on, changing them must wait",
        "数据库没有应答：已生效的围栏照常监视，修改须等恢复后进行",
    ),
)
Version = tuple[int, str, float]
"""A geofence's version, who changed it last and when, in milliseconds."""


class GeofenceDesk:
    """Reads and changes geofences, assignments and rules within a scope. Raises UnavailableError while the database is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def plan(self, scope: Scope) -> tuple[GeofencePlan, dict[int, Version]]:
        """Return what the scope may see, and each geofence's version."""
        async with self._asking(scope) as connection:
            plan = await load_plan(connection)
            rows = await (await connection.execute(QUERIES["load_versions"])).fetchall()
        return plan, {row[0]: (row[1], row[2], row[3]) for row in rows}

    async def draw(self, scope: Scope, fence: Geofence, *, now_us: int, by: str) -> int:
        """Add a geofence; return its id. Raises NotAllowedError for one of a station outside the scope."""
        async with self._asking(scope) as connection:
            found = await _one(connection, "add_fence", parameters_of(fence, now_us=now_us, by=by))
        assert found is not None
        return found

    async def redraw(self, scope: Scope, fence: Geofence, *, version: int, now_us: int, by: str) -> None:
        """Change a geofence that is of this version. Raises ConflictError when somebody changed it, NotAllowedError."""
        parameters = parameters_of(fence, now_us=now_us, by=by) | {"version": version}
        async with self._asking(scope) as connection:
            if await _one(connection, "change_fence", parameters) is None:
                message = f"geofence {fence.geofence_id} is not of version {version} any more, or not yours to change: read it again"
                raise ConflictError(message)

    async def remove(self, scope: Scope, geofence_id: int) -> None:
        """Take a geofence away with its assignments. Raises NotFoundError for one that the scope may not change."""
        async with self._asking(scope) as connection:
            if await _one(connection, "remove_fence", {"geofence_id": geofence_id}) is None:
                message = f"there is no geofence {geofence_id} that you may change: GET /api/geofences lists those that you see"
                raise NotFoundError(message)

    async def assign(self, scope: Scope, wishes: Sequence[AreaAssignmentWish], *, now_us: int) -> list[int]:
        """Add assignments, all or none; return their ids (those that there were already are left out)."""
        added: list[int] = []
        async with self._asking(scope) as connection:
            for wish in wishes:
                found = await _one(connection, "add_assignment", _assignment(wish, now_us))
                added += [] if found is None else [found]
        return added

    async def release(self, scope: Scope, assignment_id: int) -> None:
        """End an assignment at once. Raises NotFoundError for one that the scope may not change."""
        async with self._asking(scope) as connection:
            if await _one(connection, "remove_assignment", {"assignment_id": assignment_id}) is None:
                message = f"there is no assignment {assignment_id} that you may change: GET /api/geofences/assignments lists yours"
                raise NotFoundError(message)

    async def set_rule(self, scope: Scope, rule: AloneRuleView) -> None:
        """Set when officers of a unit, a station or the force count as alone; `limit_m` null: never."""
        if rule.unit_id is not None and rule.station_id is not None:
            message = "unit_id and station_id together: a rule is a unit's, a station's, or (neither) the whole force's"
            raise InputError(message)
        async with self._asking(scope) as connection:
            parameters = msgspec.structs.asdict(rule)
            await connection.execute(QUERIES["remove_alone_rule"], parameters)
            await connection.execute(QUERIES["add_alone_rule"], parameters)

    async def visits(
        self, scope: Scope, geofence_id: int, *, from_us: int, to_us: int, limit: int
    ) -> list[tuple[int, int, float, float, bool]]:
        """Return (device_id, unit_id, entered_ms, left_ms, is_judged_late) of visits that ended in the period, newest first."""
        parameters = {
            "geofence_id": geofence_id,
            "from_at": utc_of(from_us),
            "to_at": utc_of(to_us),
            "row_limit": limit,
        }
        async with self._asking(scope) as connection:
            return await (await connection.execute(QUERIES["visits"], parameters)).fetchall()

    def _asking(self, scope: Scope) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        return asking_as(self._pool, scope, _WORDS)


def fence_of_wish(wish: GeofenceWish, geofence_id: int = 0) -> Geofence:
    """Return the geofence that is wished, in WGS-84 and checked. Raises InputError: what, value, allowed."""
    return checked(
        Geofence(
            geofence_id=geofence_id,
            name_zh=wish.name_zh.strip(),
            name_en=wish.name_en.strip(),
            geometry=to_wgs84_geometry(wish.geometry, wish.crs),
            radius_m=wish.radius_m,
            width_m=wish.width_m,
            valid_from_us=_us(wish.valid_from_ms),
            valid_to_us=_us(wish.valid_to_ms),
            days=sum(1 << (day - 1) for day in set(wish.days)),
            from_minute=wish.from_minute,
            to_minute=wish.to_minute,
            utc_offset_s=wish.utc_offset_s,
            lowest_m=wish.lowest_m,
            highest_m=wish.highest_m,
            height_above=wish.height_above,
            kinds=tuple(dict.fromkeys(wish.kinds)),
            services=tuple(dict.fromkeys(wish.services)),
            station_ids=tuple(dict.fromkeys(wish.station_ids)),
            unit_ids=tuple(dict.fromkeys(wish.unit_ids)),
            minimum_stay_s=wish.minimum_stay_s,
            dwell_s=wish.dwell_s,
            limit_mps=wish.limit_mps,
            raises_alarm=wish.raises_alarm,
            station_id=wish.station_id,
        )
    )


def days_of(fence: Geofence) -> list[int]:
    """Return the days on which a geofence holds, 1 (Monday) .. 7."""
    return [day for day in range(1, 8) if fence.days >> (day - 1) & 1]


def _assignment(wish: AreaAssignmentWish, now_us: int) -> dict[str, Any]:
    if (wish.unit_id is None) == (wish.station_id is None):
        message = "an assignment is either a unit's (unit_id) or a station's (station_id): give one of them"
        raise InputError(message)
    from_us, to_us = _us(wish.from_ms), _us(wish.to_ms)
    if to_us is not None and to_us <= (from_us or now_us):
        message = f"the assignment ends at {wish.to_ms:.0f} ms before it begins: give to_ms after from_ms, or null"
        raise InputError(message)
    return {
        "geofence_id": wish.geofence_id,
        "unit_id": wish.unit_id,
        "station_id": wish.station_id,
        "from_at": utc_of(now_us if from_us is None else from_us),
        "to_at": None if to_us is None else utc_of(to_us),
    }


def _us(at_ms: float | None) -> int | None:
    if at_ms is None:
        return None
    if not 0 <= at_ms < 253_402_300_800_000:
        message = f"the time {at_ms:g} ms is outside the years 1970 .. 9999"
        raise InputError(message)
    return round(at_ms * 1000)


async def _one(connection: psycopg.AsyncConnection[Any], query: str, parameters: dict[str, Any]) -> int | None:
    row = await (await connection.execute(QUERIES[query], parameters)).fetchone()
    return None if row is None else int(row[0])
