"""The console's way to plans: made in a process of their own, kept, submitted, approved by another, published, repaired."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from psycopg_pool import AsyncConnectionPool

from console.api.models_plans import PlanChange, PlanReply, PlanWish
from console.auth.accounts import Account
from console.patrols.asking import asking
from console.patrols.protocol import PIPE, PROCESS, CheckAsked, PlanAsked, Question, RepairAsked
from console.process_worker import ProcessWorker
from console.wire import Role
from infra.clock import MICROSECONDS, Clock
from infra.database import Scope
from mission import plan_store
from mission.model import Programme, Window
from mission.plan import Plan, PlanState
from mission.plan_store import KeptPlan, PlanLine
from mission.schedule.change import Change, changed
from mission.schedule.superseding import moved_on, superseded
from telemetry.model.errors import ConflictError, InputError, NotAllowedError

LONGEST_S: Final = 2 * 86_400
LATEST_US: Final = 253_402_300_800_000_000
"""The end of the year 9999."""
LISTED: Final = 500
MARGIN_S: Final = 30.0
"""What a plan may take beside the effort that was asked for: gathering, deconflicting."""
REPAIR_WITHIN_S: Final = 20.0
CHECK_WITHIN_S: Final = 10.0
NEXT_STATES: Final = {
    PlanState.DRAFT: {PlanState.SUBMITTED},
    PlanState.SUBMITTED: {PlanState.APPROVED, PlanState.DRAFT},
    PlanState.APPROVED: {PlanState.PUBLISHED, PlanState.DRAFT},
    PlanState.PUBLISHED: set(),
}
STATE_ZH: Final = {
    PlanState.DRAFT: "草稿",
    PlanState.SUBMITTED: "已提交",
    PlanState.APPROVED: "已批准",
    PlanState.PUBLISHED: "已发布",
}
Tell = Callable[[bytes], None]


class PlanDesk:
    """Makes and changes plans within a scope. Every call that asks the database raises what `asking` does."""

    def __init__(self, pool: AsyncConnectionPool, clock: Clock, *, terrain: Path | None = None) -> None:
        self._pool, self._clock = pool, clock
        over = () if terrain is None else (str(terrain),)
        self.planner: Final[ProcessWorker[Question]] = ProcessWorker(PROCESS, PIPE, arguments=over)
        self.sketcher: Final[ProcessWorker[Question]] = ProcessWorker(PROCESS, PIPE, arguments=over)
        """Answers what must not wait behind a plan: checks while somebody draws, repairs, first responders."""

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(self.planner.stop(), self.sketcher.stop())

    async def make(self, programme: Programme, wish: PlanWish, *, on_progress: Tell | None = None) -> Plan:
        """Return a plan that is not kept. Raises InputError for a period that is none, and what `ProcessWorker.ask` does."""
        asked = PlanAsked(
            programme=programme,
            window=checked_window(wish.from_us, wish.until_us),
            now_us=self._clock.now_us(),
            effort_s=wish.effort_s,
            iterations=wish.iterations,
            seed=wish.seed,
        )
        answer = await self.planner.ask(asked, within_s=wish.effort_s + MARGIN_S, on_progress=on_progress)
        return _plan_of(answer)

    async def mend(self, kept: KeptPlan, wished: PlanChange) -> KeptPlan:
        """Return the plan mended after a change, with its programme changed; it is not kept. Raises InputError."""
        now_us = self._clock.now_us() if wished.now_us is None else wished.now_us
        if not 0 <= now_us <= LATEST_US:
            message = f"now_us {now_us}: give UTC microseconds, 0 to {LATEST_US}, or leave it out"
            raise InputError(message, f"now_us {now_us}：须为 0 至 {LATEST_US} 的 UTC 微秒，或不填")
        change = Change(
            without_airframe_ids=tuple(wished.without_airframe_ids),
            without_battery_ids=tuple(wished.without_battery_ids),
            without_crew_ids=tuple(wished.without_crew_ids),
            without_task_ids=tuple(wished.without_task_ids),
            priorities=wished.priorities,
            tasks=tuple(wished.tasks),
            zones=tuple(wished.zones),
            weather=tuple(wished.weather),
        )
        asked = RepairAsked(plan=kept.plan, programme=kept.programme, change=change, now_us=now_us)
        mended = _plan_of(await self.sketcher.ask(asked, within_s=REPAIR_WITHIN_S))
        same = {name: getattr(kept.plan, name) for name in ("plan_id", "version", "state", "made_us", "made_by")}
        programme = changed(kept.programme, change)
        return msgspec.structs.replace(kept, plan=msgspec.structs.replace(mended, **same), programme=programme)

    def demand_now(self, wished: PlanChange) -> None:
        """Raise InputError for a change that would be kept as of a time gone by: what has taken off since would be planned again."""
        if wished.now_us is not None and wished.now_us < self._clock.now_us():
            message = f"now_us {wished.now_us} is past: a plan is mended from now on; leave now_us out, or ask what_if"
            raise InputError(message, f"now_us {wished.now_us} 已过：方案只能从现在起修订；不填 now_us，或改用推演")

    async def check(self, asked: CheckAsked) -> bytes:
        """Return a CheckReply as JSON."""
        return await self.sketcher.ask(asked, within_s=CHECK_WITHIN_S)

    # --- kept ------------------------------------------------------------------------------------------------------

    async def keep(self, scope: Scope, plan: Plan, programme: Programme, *, by: str) -> Plan:
        """Keep a plan; return it with its number."""
        async with asking(self._pool, scope) as connection:
            return await plan_store.add_plan(connection, plan, programme, now_us=self._clock.now_us(), by=by)

    async def find(self, scope: Scope, plan_id: int) -> KeptPlan:
        """Return a kept plan. Raises NotFoundError."""
        async with asking(self._pool, scope) as connection:
            return await plan_store.find_plan(connection, plan_id)

    async def lines(self, scope: Scope, window: Window) -> list[PlanLine]:
        """Return the plans that touch a period, the newest first, LISTED at most."""
        async with asking(self._pool, scope) as connection:
            return await plan_store.list_plans(connection, window, limit=LISTED)

    async def published(self, scope: Scope, window: Window) -> list[KeptPlan]:
        """Return the published plans that touch a period."""
        async with asking(self._pool, scope) as connection:
            return await plan_store.published_plans(connection, window)

    async def remove(self, scope: Scope, plan_id: int) -> None:
        """Take a draft away. Raises NotFoundError."""
        async with asking(self._pool, scope) as connection:
            await plan_store.remove_plan(connection, plan_id)

    async def save(self, scope: Scope, after: KeptPlan, *, by: str) -> Plan:
        """Keep what a plan of a version became; return it with the new one. Raises ConflictError.

        How far its sorties came meanwhile is kept: that is no change of the version.
        """
        async with asking(self._pool, scope) as connection:
            locked = await plan_store.lock_plan(connection, after.plan.plan_id)
            after = msgspec.structs.replace(after, plan=moved_on(after.plan, locked))
            return await plan_store.change_plan(connection, after, now_us=self._clock.now_us(), by=by)

    async def set_state(
        self, scope: Scope, plan_id: int, state: PlanState, *, version: int, account: Account, reason: str
    ) -> Plan:
        """Bring a plan of a version into another state: by two people, or by an administrator alone who says why.

        Raises ConflictError for another version and for a step that there is not, NotAllowedError for one's own plan.
        """
        kept = await self.find(scope, plan_id)
        if kept.plan.version != version:
            message = f"plan {plan_id} is of version {kept.plan.version} by now, and not {version}: read it again"
            raise ConflictError(
                message, f"方案 {plan_id} 已是第 {kept.plan.version} 版，不是第 {version} 版：请重新读取"
            )
        if state not in NEXT_STATES[kept.plan.state]:
            steps = " or ".join(sorted(NEXT_STATES[kept.plan.state])) or "no other state: repair it, or plan anew"
            message = (
                f"plan {plan_id} is {kept.plan.state.value}, and not to become {state.value}: it goes on to {steps}"
            )
            raise ConflictError(
                message, f"方案 {plan_id} 为“{STATE_ZH[kept.plan.state]}”，不能直接变为“{STATE_ZH[state]}”"
            )
        if state is PlanState.APPROVED:
            demand_four_eyes(kept, account, reason)
        changed = await self.save(scope, _in_state(kept, state, account), by=account.name)
        if state is PlanState.PUBLISHED:
            await self._supersede(scope, changed)
        return changed

    async def _supersede(self, scope: Scope, newer: Plan) -> None:
        """Cancel what plans published before have not begun and the newer one flies with the same drones at that time."""
        async with asking(self._pool, scope) as connection:
            for other in await plan_store.published_plans(connection, newer.window):
                if other.plan.plan_id != newer.plan_id:
                    locked = await plan_store.lock_plan(connection, other.plan.plan_id)
                    if (cancelled := superseded(locked, newer)) is not None:
                        await plan_store.note_sorties(connection, cancelled)


def demand_four_eyes(kept: KeptPlan, account: Account, reason: str) -> None:
    """Raise NotAllowedError unless another than the one who submitted approves, or an administrator alone says why."""
    if kept.submitter_account_id != account.account_id:
        return
    if account.role is not Role.ADMIN:
        message = f"plan {kept.plan.plan_id} was submitted by you: another supervisor or an administrator approves it"
        raise NotAllowedError(message, f"方案 {kept.plan.plan_id} 由您提交：须由另一位主管或管理员批准")
    if not reason.strip():
        message = (
            f"plan {kept.plan.plan_id} was submitted by you: an administrator who approves alone says why (reason)"
        )
        raise InputError(message, f"方案 {kept.plan.plan_id} 由您提交：管理员独自批准须填写理由")


def for_review(mended: KeptPlan, wished: PlanChange, account: Account) -> KeptPlan:
    """Return a mended plan in the state in which two people still stand for it.

    What waits for its approval is now submitted by who mended it. An approved plan stays approved when a drone, a task, the
    weather or a priority changes, for that is urgent; one that got new tasks or zones waits for another's approval again.
    """
    state = mended.plan.state
    is_new = state in (PlanState.APPROVED, PlanState.PUBLISHED) and bool(wished.tasks or wished.zones)
    return _in_state(mended, PlanState.SUBMITTED, account) if is_new or state is PlanState.SUBMITTED else mended


def checked_window(from_us: int, until_us: int, *, longest_s: int = LONGEST_S) -> Window:
    """Return a period. Raises InputError for one that is none or longer than `longest_s`, two days for a plan."""
    if not 0 <= from_us < until_us <= LATEST_US:
        message = f"from_us {from_us}, until_us {until_us}: give UTC microseconds, the end after the beginning"
        raise InputError(message, f"开始 {from_us}、结束 {until_us}：须为 UTC 微秒，且结束晚于开始")
    if until_us - from_us > longest_s * MICROSECONDS:
        hours = (until_us - from_us) / MICROSECONDS / 3600
        message = f"a period of {hours:.1f} h: at most {longest_s // 3600} h at once; ask for less"
        raise InputError(message, f"时段 {hours:.1f} 小时：一次最多 {longest_s // 3600} 小时；请缩短")
    return Window(from_us, until_us)


def _in_state(kept: KeptPlan, state: PlanState, account: Account) -> KeptPlan:
    submitter, approver = kept.submitter_account_id, kept.approver_account_id
    if state is PlanState.DRAFT:
        submitter = approver = None
    elif state is PlanState.SUBMITTED:
        submitter, approver = account.account_id, None
    elif state is PlanState.APPROVED:
        approver = account.account_id
    plan = msgspec.structs.replace(kept.plan, state=state)
    return msgspec.structs.replace(kept, plan=plan, submitter_account_id=submitter, approver_account_id=approver)


def _plan_of(answer: bytes) -> Plan:
    return msgspec.json.decode(answer, type=PlanReply).plan
