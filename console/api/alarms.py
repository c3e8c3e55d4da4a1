"""Alarms: the open ones, and taking one upon oneself."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models import AlarmReply, AlarmsReply
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from telemetry.model.errors import NotFoundError

ROUTER: Final = router("alarms")


@ROUTER.get("/api/alarms", **says(AlarmsReply))
@policy(Policy.SIGNED_IN)
async def list_alarms(request: Request) -> Response:
    """Return the open alarms of the scope, most urgent first."""
    return reply(AlarmsReply(alarms=parts_of(request).stream.open_alarms(account_of(request).scope)))


@ROUTER.post("/api/alarms/{alarm_id}/acknowledge", **says(AlarmReply))
@policy(Policy.ACKNOWLEDGE)
async def acknowledge_alarm(request: Request, alarm_id: str) -> Response:
    """Take an open alarm of the scope upon the signed-in account; answered once it is on the disk, told to everyone, audited.

    503 when the journal cannot keep it: nobody has taken the alarm then.
    """
    parts, account = parts_of(request), account_of(request)
    if not any(alarm.alarm_id == alarm_id for alarm in parts.stream.open_alarms(account.scope)):
        message = f"there is no open alarm {alarm_id[:80]!r} in your scope: GET /api/alarms lists yours"
        raise NotFoundError(message)
    now_us = parts.services.clock.now_us()
    alarm = await parts.services.bridge.acknowledge_alarm(alarm_id, account.account_id, account.name, now_us)
    detail = {"unit_id": alarm.unit_id, "kind": alarm.kind.value}
    await parts.audit.write_soon(account, AuditAction.ALARM_ACKNOWLEDGED, subject=alarm_id, detail=detail)
    return reply(AlarmReply(alarm=alarm))
