"""On and off duty by hand: officers for themselves, those who act for the units of their scope."""

import asyncio
from typing import Annotated, Final

import psycopg
from fastapi import Path, Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_delivery import SetDuty, UnitDutyReply
from console.audit import AuditAction
from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.auth.policy import Policy, policy
from infra.database import scoped
from telemetry.model.errors import ConflictError, NotFoundError, UnavailableError
from telemetry.model.unit import DutyStatus

ROUTER: Final = router("units")
_SET: Final = "select public.set_duty_status(%s, %s)"


@ROUTER.put("/api/units/{unit_id}/duty", **says(UnitDutyReply, takes=SetDuty))
@policy(Policy.SET_DUTY)
async def set_duty(request: Request, unit_id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Response:
    """Set whether a unit is off duty, on standby or free; map and stations' figures follow. 409 while it has a task."""
    parts, account, wanted = parts_of(request), account_of(request), await read_body(request, SetDuty)
    unit = parts.services.bridge.registry.units.get(unit_id)
    if unit is None or not account.scope.sees(unit):
        raise NotFoundError(_unseen(unit_id))
    try:
        scope = database_scope(account)
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(parts.services.pool, scope) as connection:
            row = await (await connection.execute(_SET, (unit_id, wanted.duty_status.value))).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotFoundError(_unseen(unit_id)) from error
    except psycopg.errors.ObjectInUse as error:
        message = f"{unit.call_sign} has a task: decline or clear it first, or let it be recalled"
        raise ConflictError(message) from error
    except DATABASE_AWAY as error:
        message = "the database does not answer: a duty status can be set when it is back"
        raise UnavailableError(message) from error
    if row is not None and row[0]:
        detail = {"unit_id": unit_id, "duty_status": wanted.duty_status.value}
        await parts.audit.write_soon(account, AuditAction.DUTY_SET, subject=unit.call_sign, detail=detail)
    return reply(UnitDutyReply(unit_id=unit_id, duty_status=DutyStatus(wanted.duty_status.value)))


def _unseen(unit_id: int) -> str:
    return f"there is no unit {unit_id} in your scope: GET /api/units lists yours"
