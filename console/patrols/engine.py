"""Answers the patrol process's questions with the planner."""

from collections.abc import Callable

import msgspec

from console.api.models_plans import PlanReply
from console.api.models_programme import CheckReply
from console.patrols.checks import said_of
from console.patrols.protocol import CheckAsked, PlanAsked, Question, RepairAsked, RespondAsked, Responders
from mission.air.terrain import FLAT, Ground
from mission.flying.responder import candidates_for
from mission.model import Task
from mission.plan import Plan
from mission.planner import plan_day, repair
from mission.programme_items import ItemKind, item_of
from mission.schedule.routing.problem import Effort
from mission.sketch import sketch_task

Tell = Callable[[Plan], None]


def answer(question: Question, on_better: Tell, ground: Ground = FLAT) -> msgspec.Struct:
    """Return the answer over this ground; `on_better` is given each better plan found on the way. Raises InputError."""
    match question:
        case PlanAsked():
            return PlanReply(plan=_plan(question, on_better, ground))
        case RepairAsked():
            mended = repair(
                question.plan,
                question.programme,
                question.change,
                now_us=question.now_us,
                ground=ground,
                on_better=on_better,
            )
            return PlanReply(plan=mended)
        case CheckAsked():
            return _check(question, ground)
        case RespondAsked():
            found = candidates_for(
                question.errand,
                question.programme,
                question.standings,
                now_us=question.now_us,
                others=question.others,
                planned=question.planned,
                ground=ground,
            )
            return Responders(found)


def _plan(asked: PlanAsked, on_better: Tell, ground: Ground) -> Plan:
    within_s = asked.effort_s if asked.iterations is None else None
    effort = Effort(within_s=within_s, iterations=asked.iterations, seed=asked.seed)
    return plan_day(
        asked.programme, asked.window, now_us=asked.now_us, effort=effort, ground=ground, on_better=on_better
    )


def _check(asked: CheckAsked, ground: Ground) -> CheckReply:
    item = item_of(ItemKind(asked.kind), asked.item, asked.item_id)
    said = said_of(ItemKind(asked.kind), item, asked.programme)
    if not isinstance(item, Task) or any(not one.is_warning for one in said):
        return CheckReply(refusals=said, preview=None)
    preview, refusals = sketch_task(item, asked.programme, asked.window, now_us=asked.now_us, ground=ground)
    return CheckReply(refusals=[*said, *refusals], preview=preview)
