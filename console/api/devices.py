"""Devices of the scope, and names that spoke without being known."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models import DevicesReply, DeviceView, QuarantineReply, QuarantineView
from console.auth.policy import Policy, policy
from console.parts import Parts
from infra.clock import utc_of
from telemetry.model.unit import Device

ROUTER: Final = router("devices")


@ROUTER.get("/api/devices", **says(DevicesReply))
@policy(Policy.SEE_DEVICES)
async def list_devices(request: Request) -> Response:
    """Return the devices that speak for units of the scope; those that speak for nobody only without a station scope."""
    parts, scope = parts_of(request), account_of(request).scope
    registry = parts.services.bridge.registry
    views = []
    for device in registry.devices.values():
        unit_id = registry.unit_of(device.device_id, parts.services.clock.now_us())
        unit = None if unit_id is None else registry.units.get(unit_id)
        if scope.sees(unit) if unit is not None else scope.sees_unassigned():
            views.append(_view(device, unit_id))
    return reply(DevicesReply(devices=views))


@ROUTER.get("/api/devices/quarantine", **says(QuarantineReply))
@policy(Policy.SEE_DEVICES)
async def list_quarantine(request: Request) -> Response:
    """Return unknown and refused names, the one heard last first."""
    return reply(QuarantineReply(quarantine=_quarantined(parts_of(request))))


def _quarantined(parts: Parts) -> list[QuarantineView]:
    return [
        QuarantineView(
            protocol=entry.protocol,
            address=entry.address,
            reason=entry.reason,
            first_seen_at=utc_of(entry.first_seen_us).isoformat(),
            last_seen_at=utc_of(entry.last_seen_us).isoformat(),
            seen_count=entry.seen_count,
        )
        for entry in parts.services.bridge.registry.quarantined()
    ]


def _view(device: Device, unit_id: int | None) -> DeviceView:
    return DeviceView(
        device_id=device.device_id,
        protocol=device.protocol,
        address=device.address if device.protocol == "mavlink" else None,
        label=device.label,
        report_interval_s=device.report_interval_s,
        revoked=device.revoked,
        unit_id=unit_id,
    )
