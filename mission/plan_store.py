"""Plans in the database: rows to structs and back. Every function works in the caller's transaction and its scope."""

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from infra.clock import us_of, utc_of
from infra.database import load_queries
from mission.model import Programme, Window
from mission.plan import Plan, PlanState
from telemetry.model.errors import ConflictError, NotFoundError

QUERIES: Final = load_queries(resources.files("mission") / "plan_store.sql")


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with the programme that it was made of, and the accounts that submitted and approved it."""

    plan: Plan
    programme: Programme
    submitter_account_id: int | None = None
    approver_account_id: int | None = None


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in a list."""

    plan_id: int
    window: Window
    version: int
    state: PlanState
    score: float
    sortie_count: int
    refusal_count: int
    made_us: int
    made_by: str


async def add_plan(connection: AsyncConnection, plan: Plan, programme: Programme, *, now_us: int, by: str) -> Plan:
    """Keep a new plan; return it with its number."""
    plan = msgspec.structs.replace(plan, version=1, state=PlanState.DRAFT, made_us=now_us, made_by=by)
    values = _written(plan) | {"programme": Jsonb(msgspec.to_builtins(programme)), "now": utc_of(now_us), "by": by}
    window = {"from_at": utc_of(plan.window.start_us), "until_at": utc_of(plan.window.end_us)}
    rows = await _run(connection, "add_plan", values | window)
    return msgspec.structs.replace(plan, plan_id=int(rows[0]["plan_id"]))


async def find_plan(connection: AsyncConnection, plan_id: int) -> KeptPlan:
    """Return a plan. Raises NotFoundError."""
    rows = await _run(connection, "find_plan", {"plan_id": plan_id})
    if not rows:
        raise _unknown(plan_id)
    return _kept(rows[0])


async def list_plans(connection: AsyncConnection, window: Window, *, limit: int) -> list[PlanLine]:
    """Return plans that touch a period, the newest first."""
    rows = await _run(connection, "list_plans", _period(window) | {"row_limit": limit})
    return [
        PlanLine(
            plan_id=row["plan_id"],
            window=Window(us_of(row["from_at"]), us_of(row["until_at"])),
            version=row["version"],
            state=PlanState(row["state"]),
            score=row["score"],
            sortie_count=row["sortie_count"],
            refusal_count=row["refusal_count"],
            made_us=us_of(row["made_at"]),
            made_by=row["made_by"],
        )
        for row in rows
    ]


async def published_plans(connection: AsyncConnection, window: Window) -> list[KeptPlan]:
    """Return the published plans that touch a period, the one published last at the end."""
    return [_kept(row) for row in await _run(connection, "published_plans", _period(window))]


async def change_plan(connection: AsyncConnection, after: KeptPlan, *, now_us: int, by: str) -> Plan:
    """Change a plan that is of the version that it tells; return it with the new one. Raises ConflictError."""
    plan = after.plan
    values = _written(plan) | {"plan_id": plan.plan_id, "version": plan.version, "state": plan.state.value}
    values |= {"programme": Jsonb(msgspec.to_builtins(after.programme)), "now": utc_of(now_us), "by": by}
    values |= {"submitter_account_id": after.submitter_account_id, "approver_account_id": after.approver_account_id}
    rows = await _run(connection, "change_plan", values)
    if not rows:
        message = (
            f"plan {plan.plan_id} is not of version {plan.version} any more, or not yours to change: read it again"
        )
        raise ConflictError(message, f"方案 {plan.plan_id} 已不是第 {plan.version} 版，或您无权修改：请重新读取")
    return msgspec.structs.replace(plan, version=int(rows[0]["version"]))


async def lock_plan(connection: AsyncConnection, plan_id: int) -> Plan:
    """Return a plan that nobody else changes until the transaction's end. Raises NotFoundError."""
    rows = await _run(connection, "lock_plan", {"plan_id": plan_id})
    if not rows:
        raise _unknown(plan_id)
    return _kept(rows[0]).plan


async def note_sorties(connection: AsyncConnection, plan: Plan) -> None:
    """Write how far a plan's sorties came; that is no change of the plan, its version stays."""
    await _run(connection, "note_sorties", {"plan_id": plan.plan_id, "body": Jsonb(msgspec.to_builtins(plan))})


async def remove_plan(connection: AsyncConnection, plan_id: int) -> None:
    """Take a draft away. Raises NotFoundError for one that is no draft or that the scope may not change."""
    if not await _run(connection, "remove_plan", {"plan_id": plan_id}):
        message = (
            f"plan {plan_id} is no draft that you may take away: what was submitted stays; GET /api/plans lists all"
        )
        raise NotFoundError(message, f"方案 {plan_id} 不是您可删除的草稿：已提交的保留")


def _unknown(plan_id: int) -> NotFoundError:
    return NotFoundError(
        f"there is no plan {plan_id} that you may see: GET /api/plans lists them", f"没有您可查看的方案 {plan_id}"
    )


def _kept(row: Mapping[str, Any]) -> KeptPlan:
    plan = msgspec.convert(row["body"], Plan)
    state = PlanState(row["state"])
    return KeptPlan(
        plan=msgspec.structs.replace(plan, plan_id=row["plan_id"], version=row["version"], state=state),
        programme=msgspec.convert(row["programme"], Programme),
        submitter_account_id=row["submitter_account_id"],
        approver_account_id=row["approver_account_id"],
    )


def _written(plan: Plan) -> dict[str, Any]:
    counted = [refusal for refusal in plan.refusals if not refusal.is_warning]
    return {
        "score": plan.score,
        "sortie_count": len(plan.sorties),
        "refusal_count": len(counted),
        "body": Jsonb(msgspec.to_builtins(plan)),
    }


def _period(window: Window) -> dict[str, Any]:
    return {"from_at": utc_of(window.start_us), "until_at": utc_of(window.end_us)}


async def _run(connection: AsyncConnection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(QUERIES[query], dict(values))
    return await cursor.fetchall() if cursor.description else []
