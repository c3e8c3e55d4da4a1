"""Plans of days of patrols: made, looked at, submitted, approved by another, published, repaired, asked what if."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Query, Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_plans import (
    PlanChange,
    PlanFullReply,
    PlanGoneReply,
    PlanReply,
    PlansReply,
    PlanStateWish,
    PlanWish,
)
from console.api.while_asked import while_asked
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from console.patrols.plan_desk import checked_window, for_review
from console.wire_plan import PlanProgress
from infra.clock import MICROSECONDS
from mission.model import Programme
from mission.plan import Plan
from mission.plan_store import KeptPlan
from telemetry.model.errors import ConflictError

ROUTER: Final = router("plans")
PlanId = Annotated[int, Path(ge=1, le=2**31 - 1)]
MAX_CHANGE_BYTES: Final = 1 << 20


@ROUTER.get("/api/plans", **says(PlansReply))
@policy(Policy.SEE_PLANS)
async def list_plans(
    request: Request, from_us: Annotated[int, Query(ge=0)], until_us: Annotated[int, Query(ge=0)]
) -> Response:
    """Return the plans that touch a period of at most 400 days, the newest first."""
    window = checked_window(from_us, until_us, longest_s=400 * 86_400)
    found = await parts_of(request).patrols.plans.lines(database_scope(account_of(request)), window)
    return reply(PlansReply(plans=found))


@ROUTER.post("/api/plans", **says(PlanReply, takes=PlanWish, status=201))
@policy(Policy.PLAN)
async def make_plan(request: Request) -> Response:
    """Make a plan of the programme as the account's scope sees it. The websocket tells the account how far it is."""
    parts, account = parts_of(request), account_of(request)
    wish = await read_body(request, PlanWish)
    scope = database_scope(account)
    programme = (await parts.patrols.programme.read(scope)).programme
    plan = await _made(request, programme, wish)
    if wish.is_kept:
        plan = await parts.patrols.plans.keep(scope, plan, programme, by=account.name)
        await _tell(request, AuditAction.PLAN_MADE, plan)
    return reply(PlanReply(plan=plan), status=201)


@ROUTER.get("/api/plans/{plan_id}", **says(PlanFullReply))
@policy(Policy.SEE_PLANS)
async def show_plan(request: Request, plan_id: PlanId) -> Response:
    """Return a plan with the programme that it was made of."""
    kept = await _kept(request, plan_id)
    names = {one.account_id: one.name for one in await parts_of(request).accounts.all()}
    return reply(
        PlanFullReply(
            plan=kept.plan,
            programme=kept.programme,
            submitted_by=names.get(kept.submitter_account_id or 0),
            approved_by=names.get(kept.approver_account_id or 0),
        )
    )


@ROUTER.delete("/api/plans/{plan_id}", **says(PlanGoneReply))
@policy(Policy.PLAN)
async def remove_plan(request: Request, plan_id: PlanId) -> Response:
    """Take a draft away; what was submitted stays."""
    parts, account = parts_of(request), account_of(request)
    await parts.patrols.plans.remove(database_scope(account), plan_id)
    await parts.audit.write_soon(account, AuditAction.PLAN_REMOVED, subject=str(plan_id))
    parts.patrols.feed.tell_gone(plan_id)
    return reply(PlanGoneReply(plan_id=plan_id))


@ROUTER.post("/api/plans/{plan_id}/state", **says(PlanReply, takes=PlanStateWish))
@policy(Policy.PLAN)
async def set_plan_state(request: Request, plan_id: PlanId) -> Response:
    """Submit a plan, approve what another submitted, publish it, or send it back to its draft."""
    parts, account = parts_of(request), account_of(request)
    wish = await read_body(request, PlanStateWish)
    plan = await parts.patrols.plans.set_state(
        database_scope(account), plan_id, wish.state, version=wish.version, account=account, reason=wish.reason
    )
    await _tell(request, AuditAction.PLAN_STATE_SET, plan, reason=wish.reason)
    return reply(PlanReply(plan=plan))


@ROUTER.post("/api/plans/{plan_id}/repair", **says(PlanReply, takes=PlanChange))
@policy(Policy.PLAN)
async def repair_plan(request: Request, plan_id: PlanId) -> Response:
    """Mend a plan after a change, whatever its state; what was flown stays. 409 when somebody changed it meanwhile.

    A plan that waits for approval, and an approved one that gets new tasks or zones, waits for another's approval than yours.
    """
    parts, account = parts_of(request), account_of(request)
    change = await read_body(request, PlanChange, max_bytes=MAX_CHANGE_BYTES)
    kept = await _kept(request, plan_id, change.version)
    parts.patrols.plans.demand_now(change)
    after = for_review(await while_asked(request, parts.patrols.plans.mend(kept, change)), change, account)
    plan = await parts.patrols.plans.save(database_scope(account), after, by=account.name)
    await _tell(request, AuditAction.PLAN_REPAIRED, plan)
    return reply(PlanReply(plan=plan))


@ROUTER.post("/api/plans/{plan_id}/what_if", **says(PlanReply, takes=PlanChange))
@policy(Policy.PLAN)
async def ask_what_if(request: Request, plan_id: PlanId) -> Response:
    """Return what a plan would be after a change; nothing is kept. With `version` it must still be of it: 409."""
    change = await read_body(request, PlanChange, max_bytes=MAX_CHANGE_BYTES)
    kept = await _kept(request, plan_id, change.version)
    mended = await while_asked(request, parts_of(request).patrols.plans.mend(kept, change))
    return reply(PlanReply(plan=msgspec.structs.replace(mended.plan, plan_id=0)))


async def _made(request: Request, programme: Programme, wish: PlanWish) -> Plan:
    parts, account_id = parts_of(request), account_of(request).account_id
    began_us = parts.services.clock.now_us()

    def tell(found: bytes) -> None:
        elapsed_s = (parts.services.clock.now_us() - began_us) / MICROSECONDS
        said = msgspec.json.decode(found, type=dict[str, Any])
        parts.patrols.feed.tell_progress(account_id, PlanProgress(**said, elapsed_s=elapsed_s, effort_s=wish.effort_s))

    return await while_asked(request, parts.patrols.plans.make(programme, wish, on_progress=tell))


async def _kept(request: Request, plan_id: int, version: int | None = None) -> KeptPlan:
    kept = await parts_of(request).patrols.plans.find(database_scope(account_of(request)), plan_id)
    if version not in (None, kept.plan.version):
        message = f"plan {plan_id} is of version {kept.plan.version} by now, and not {version}: read it again"
        raise ConflictError(message, f"方案 {plan_id} 已是第 {kept.plan.version} 版，不是第 {version} 版：请重新读取")
    return kept


async def _tell(request: Request, action: AuditAction, plan: Plan, *, reason: str = "") -> None:
    parts = parts_of(request)
    detail = {"plan_id": plan.plan_id, "version": plan.version, "state": plan.state.value, "reason": reason}
    await parts.audit.write_soon(account_of(request), action, subject=str(plan.plan_id), detail=detail)
    parts.patrols.feed.tell_changed(plan)
