"""Devices of the registry: the list, enrolment and adoption, secrets, units, options; and who spoke without being known."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Request, Response

from console.api.contract import account_of, database_scope, json_response, parts_of, read_body, reply, router, says
from console.api.models import QuarantineReply, QuarantineView
from console.api.models_devices import (
    AssignDevice,
    ChangeDevice,
    DeviceChangedReply,
    DevicesReply,
    EnrolDevice,
    EnrolmentRulesReply,
    EnrolmentRuleView,
    IssuedReply,
    NewUnitWish,
    QuarantinedName,
)
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import Policy, allows, policy
from console.device_doors import until_ms
from console.device_views import options_of, sees_device, shown_device, view_of_device
from console.parts import Parts
from infra.clock import utc_of
from telemetry.model.enrolment import SecretKind
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.unit import Device, LinkState
from telemetry.registry.enrolment import Credentials, NewDevice, NewUnit
from telemetry.sources import find_enrolment_rules, find_taken_commands

ROUTER: Final = router("devices")
DeviceId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@ROUTER.get("/api/devices", **says(DevicesReply))
@policy(Policy.SEE_DEVICES)
async def list_devices(request: Request) -> Response:
    """Return the devices that speak for units of the scope; those that speak for nobody only without a station scope."""
    parts, account = parts_of(request), account_of(request)
    now_us = parts.services.clock.now_us()
    links = parts.services.bridge.picture.device_links(now_us)
    return json_response(await asyncio.to_thread(_encode_list, parts, account, links, now_us))


def _encode_list(parts: Parts, account: Account, links: Mapping[int, tuple[LinkState, int]], now_us: int) -> bytes:
    # In a thread: ten thousand devices cost a tenth of a second, in which the stream's next turn would wait.
    registry, is_managed = parts.services.bridge.registry, allows(Policy.MANAGE_DEVICES, account.role)
    views = [
        view_of_device(device, registry, links, now_us=now_us, is_managed=is_managed)
        for device in registry.devices.values()
        if sees_device(account.scope, registry, device.device_id, now_us)
    ]
    return msgspec.json.encode(DevicesReply(devices=views))


@ROUTER.get("/api/devices/rules", **says(EnrolmentRulesReply))
@policy(Policy.SEE_DEVICES)
async def list_rules(request: Request) -> Response:
    """Return how the devices of each protocol are enrolled, and what they understand."""
    account, taken = account_of(request), find_taken_commands()
    rules = [
        EnrolmentRuleView(
            protocol=rule.protocol,
            secret=rule.secret,
            form=rule.form,
            example=rule.example,
            said=rule.said,
            pairs=rule.pairs,
            takes=sorted(taken.get(rule.protocol, ())),
        )
        for rule in sorted(find_enrolment_rules().values(), key=lambda rule: rule.protocol)
    ]
    is_managed = allows(Policy.MANAGE_DEVICES, account.role)
    return reply(EnrolmentRulesReply(rules=rules, is_managed=is_managed, needs_unit=bool(account.station_ids)))


@ROUTER.post("/api/devices", **says(IssuedReply, takes=EnrolDevice, status=201))
@policy(Policy.MANAGE_DEVICES)
async def enrol_device(request: Request) -> Response:
    """Enrol a device, or adopt one from the quarantine by its name; its secret is told this once. 409: it is enrolled already."""
    parts, account, wanted = parts_of(request), account_of(request), await read_body(request, EnrolDevice)
    if wanted.unit_id is not None and wanted.new_unit is not None:
        message = "unit_id and new_unit together: name a unit that there is, or one to make"
        raise InputError(message)
    if wanted.unit_id is not None:
        _demand_unit(parts, account, wanted.unit_id)
    new = NewDevice(
        protocol=wanted.protocol,
        address=wanted.address,
        label=wanted.label.strip(),
        report_interval_s=wanted.report_interval_s,
        signs=wanted.signs,
        options=options_of(wanted.options),
    )
    new_unit = None if wanted.new_unit is None else _unit_of(wanted.new_unit)
    scope = database_scope(account)
    enrolled = await parts.doors.enrol(scope, new, unit_id=wanted.unit_id, new_unit=new_unit)
    detail = {"device_id": enrolled.device_id, "protocol": new.protocol, "unit_id": enrolled.unit_id}
    await parts.audit.write_soon(account, AuditAction.DEVICE_ENROLLED, subject=new.label, detail=detail)
    return reply(_issued(request, enrolled.device_id, new.protocol, enrolled.credentials, enrolled.unit_id), status=201)


@ROUTER.post("/api/devices/{device_id}/rotate", **says(IssuedReply))
@policy(Policy.MANAGE_DEVICES)
async def rotate_device(request: Request, device_id: DeviceId) -> Response:
    """Give a device another secret, told this once; the old one is refused at once."""
    parts, account, device = _device(request, device_id)
    rule = find_enrolment_rules().get(device.protocol)
    if rule is None or rule.secret is SecretKind.NONE:
        message = f"a {device.protocol} device has no secret of its own: revoke it if it is not to be heard any more"
        raise ConflictError(message)
    credentials = await parts.doors.rotate(database_scope(account), device)
    await _audit(parts, account, AuditAction.DEVICE_ROTATED, device, {})
    unit_id = parts.services.bridge.registry.unit_of(device_id, parts.services.clock.now_us())
    return reply(_issued(request, device_id, device.protocol, credentials, unit_id))


@ROUTER.post("/api/devices/{device_id}/revoke", **says(DeviceChangedReply))
@policy(Policy.MANAGE_DEVICES)
async def revoke_device(request: Request, device_id: DeviceId) -> Response:
    """Refuse a device from now on; it speaks for nobody any more. There is no way back: enrol it anew."""
    parts, account, device = _device(request, device_id)
    await parts.doors.revoke(database_scope(account), device_id)
    await _audit(parts, account, AuditAction.DEVICE_REVOKED, device, {})
    return reply(DeviceChangedReply(device_id=device_id))


@ROUTER.put("/api/devices/{device_id}/unit", **says(DeviceChangedReply, takes=AssignDevice))
@policy(Policy.MANAGE_DEVICES)
async def assign_device(request: Request, device_id: DeviceId) -> Response:
    """Let a device speak for a unit from now on; null ends what it does."""
    parts, account, device = _device(request, device_id)
    wanted = await read_body(request, AssignDevice)
    if device.protocol not in find_enrolment_rules():
        message = "a phone page speaks for the unit of the account that is signed in: give that account another unit"
        raise ConflictError(message)
    if wanted.unit_id is not None:
        _demand_unit(parts, account, wanted.unit_id)
    await parts.doors.assign(database_scope(account), device_id, wanted.unit_id)
    await _audit(parts, account, AuditAction.DEVICE_ASSIGNED, device, {"unit_id": wanted.unit_id})
    return reply(DeviceChangedReply(device_id=device_id))


@ROUTER.patch("/api/devices/{device_id}", **says(DeviceChangedReply, takes=ChangeDevice))
@policy(Policy.MANAGE_DEVICES)
async def change_device(request: Request, device_id: DeviceId) -> Response:
    """Change a device's label, interval or options; what is left out stays."""
    parts, account, device = _device(request, device_id)
    wanted = await read_body(request, ChangeDevice)
    changed = Device(
        device_id=device_id,
        protocol=device.protocol,
        address=device.address,
        label=device.label if wanted.label is None else wanted.label.strip(),
        report_interval_s=device.report_interval_s if wanted.report_interval_s is None else wanted.report_interval_s,
        options=device.options if wanted.options is None else options_of(wanted.options),
    )
    await parts.doors.change(database_scope(account), changed)
    await _audit(parts, account, AuditAction.DEVICE_CHANGED, device, {"label": changed.label})
    return reply(DeviceChangedReply(device_id=device_id))


@ROUTER.get("/api/devices/quarantine", **says(QuarantineReply))
@policy(Policy.SEE_DEVICES)
async def list_quarantine(request: Request) -> Response:
    """Return unknown and refused names, the one heard last first; of enrolled devices only those that the scope sees."""
    return reply(QuarantineReply(quarantine=_quarantined(parts_of(request), account_of(request))))


@ROUTER.post("/api/devices/quarantine/dismiss", **says(DeviceChangedReply, takes=QuarantinedName))
@policy(Policy.MANAGE_DEVICES)
async def dismiss_quarantined(request: Request) -> Response:
    """Forget a name in quarantine; one that speaks again comes back."""
    parts, account, name = parts_of(request), account_of(request), await read_body(request, QuarantinedName)
    await parts.doors.dismiss(database_scope(account), name.protocol, name.address)
    parts.services.bridge.registry.dismiss(name.protocol, name.address)
    detail = {"protocol": name.protocol}
    await parts.audit.write_soon(account, AuditAction.QUARANTINE_DISMISSED, subject=name.address, detail=detail)
    return reply(DeviceChangedReply(device_id=None))


def _quarantined(parts: Parts, account: Account) -> list[QuarantineView]:
    # A covert or another station's device that was refused (wrong code, wrong address) must not show its name here.
    registry, now_us = parts.services.bridge.registry, parts.services.clock.now_us()
    return [
        QuarantineView(
            protocol=entry.protocol,
            address=entry.address,
            reason=entry.reason,
            first_seen_at=utc_of(entry.first_seen_us).isoformat(),
            last_seen_at=utc_of(entry.last_seen_us).isoformat(),
            seen_count=entry.seen_count,
        )
        for entry in registry.quarantined()
        if (device := registry.device(entry.protocol, entry.address)) is None
        or sees_device(account.scope, registry, device.device_id, now_us)
    ]


def _device(request: Request, device_id: int) -> tuple[Parts, Account, Device]:
    """Return a device of the account's scope. Raises NotFoundError: what is outside is not there."""
    parts, account = parts_of(request), account_of(request)
    registry, now_us = parts.services.bridge.registry, parts.services.clock.now_us()
    device = registry.devices.get(device_id)
    if device is None or not sees_device(account.scope, registry, device_id, now_us):
        message = f"there is no device {device_id} in your scope: GET /api/devices lists yours"
        raise NotFoundError(message)
    return parts, account, device


def _demand_unit(parts: Parts, account: Account, unit_id: int) -> None:
    unit = parts.services.bridge.registry.units.get(unit_id)
    if unit is None or not account.scope.sees(unit):
        message = f"there is no unit {unit_id} in your scope: GET /api/units lists yours"
        raise NotFoundError(message)


def _unit_of(wish: NewUnitWish) -> NewUnit:
    return NewUnit(
        call_sign=wish.call_sign.strip(),
        kind=wish.kind,
        service=wish.service,
        station_id=wish.station_id,
        name_zh=wish.name_zh.strip(),
        name_en=wish.name_en.strip(),
    )


def _issued(
    request: Request, device_id: int, protocol: str, credentials: Credentials, unit_id: int | None
) -> IssuedReply:
    rule = find_enrolment_rules()[protocol]
    return IssuedReply(
        device_id=device_id,
        protocol=protocol,
        address=shown_device(protocol, credentials.address),
        unit_id=unit_id,
        secret=credentials.secret,
        secret_kind=rule.secret,
        pairs_until_ms=until_ms(credentials),
        place=_place(request) if rule.secret is SecretKind.TOKEN else None,
    )


def _place(request: Request) -> str | None:
    """Return where phones send to: the listener's port at the host by which the browser reaches us."""
    services = parts_of(request).services
    listeners = [status.url for status in services.bridge.link_statuses() if status.transport == "http"]
    if not listeners:
        return None
    scheme = "https" if services.settings.tls_cert is not None else "http"
    return f"{scheme}://{request.url.hostname}:{listeners[0].rpartition(':')[2].partition('#')[0]}/"


async def _audit(parts: Parts, account: Account, action: AuditAction, device: Device, detail: dict[str, Any]) -> None:
    known = {"device_id": device.device_id, "protocol": device.protocol}
    await parts.audit.write_soon(account, action, subject=device.label, detail=known | detail)
