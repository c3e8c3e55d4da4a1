"""Alarms: the open ones; taking one upon oneself, handing it over, saying that it is over."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, read_body, reply, router, says
from console.api.models import AlarmReply, AlarmsReply
from console.api.models_alarms import AlarmOwner, AlarmOwnersReply, CloseAlarm, HandOverAlarm
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import Policy, allows, policy
from console.parts import Parts
from telemetry.model.alarm import Alarm
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import AlarmClosed, AlarmHandedOver

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


@ROUTER.get("/api/alarms/owners", **says(AlarmOwnersReply))
@policy(Policy.ACKNOWLEDGE)
async def list_owners(request: Request) -> Response:
    """Return the accounts to which an alarm may be handed over."""
    accounts = await parts_of(request).accounts.all()
    able = [one for one in accounts if allows(Policy.ACKNOWLEDGE, one.role) and not one.disabled]
    owners = [AlarmOwner(account_id=one.account_id, name=one.name, role=one.role) for one in able]
    return reply(AlarmOwnersReply(owners=sorted(owners, key=lambda owner: owner.name)))


@ROUTER.post("/api/alarms/{alarm_id}/hand-over", **says(AlarmReply, takes=HandOverAlarm))
@policy(Policy.ACKNOWLEDGE)
async def hand_over_alarm(request: Request, alarm_id: str) -> Response:
    """Give an alarm that somebody has taken to another account that may act and sees its unit; on the disk, told, audited."""
    parts, account, alarm = _known(request, alarm_id)
    wanted = await read_body(request, HandOverAlarm)
    able = {one.account_id: one for one in await parts.accounts.all() if allows(Policy.ACKNOWLEDGE, one.role)}
    to = able.get(wanted.account_id)
    if to is None or to.disabled or not parts.stream.shows_alarm(to.scope, alarm):
        message = f"account {wanted.account_id} cannot own this alarm: choose one of GET /api/alarms/owners that sees its unit"
        raise InputError(message)
    now_us = parts.services.clock.now_us()
    decision = AlarmHandedOver(
        device_id=alarm.device_id,
        observed_us=now_us,
        received_us=now_us,
        alarm_id=alarm_id,
        account_id=to.account_id,
        account_name=to.name,
        by_account_id=account.account_id,
        by_name=account.name,
        note=wanted.note.strip(),
    )
    kept = await parts.services.bridge.decide_alarm(decision)
    detail = {"unit_id": alarm.unit_id, "kind": alarm.kind.value, "to": to.name}
    await parts.audit.write_soon(account, AuditAction.ALARM_HANDED_OVER, subject=alarm_id, detail=detail)
    return reply(AlarmReply(alarm=kept))


@ROUTER.post("/api/alarms/{alarm_id}/close", **says(AlarmReply, takes=CloseAlarm))
@policy(Policy.ACKNOWLEDGE)
async def close_alarm(request: Request, alarm_id: str) -> Response:
    """Say that an alarm is over and what became of it; one that nobody had taken is taken with it. On the disk, told, audited."""
    parts, account, alarm = _known(request, alarm_id)
    wanted = await read_body(request, CloseAlarm)
    now_us = parts.services.clock.now_us()
    decision = AlarmClosed(
        device_id=alarm.device_id,
        observed_us=now_us,
        received_us=now_us,
        alarm_id=alarm_id,
        account_id=account.account_id,
        account_name=account.name,
        note=wanted.note.strip(),
    )
    kept = await parts.services.bridge.decide_alarm(decision)
    detail = {"unit_id": alarm.unit_id, "kind": alarm.kind.value}
    await parts.audit.write_soon(account, AuditAction.ALARM_CLOSED, subject=alarm_id, detail=detail)
    return reply(AlarmReply(alarm=kept))


def _known(request: Request, alarm_id: str) -> tuple[Parts, Account, Alarm]:
    """Return an alarm that the account may see, open or just closed. Raises NotFoundError."""
    parts, account = parts_of(request), account_of(request)
    alarm = parts.services.bridge.alarms.get(alarm_id)
    if alarm is None or not parts.stream.shows_alarm(account.scope, alarm):
        message = f"there is no alarm {alarm_id[:80]!r} in your scope: GET /api/alarms lists yours"
        raise NotFoundError(message)
    return parts, account, alarm
