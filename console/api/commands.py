"""A unit's devices, which of them is believed, and what people ask of them: texts, places, faster reports, video."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_devices import (
    CommandReply,
    CommandsReply,
    GiveCommand,
    TrustDevice,
    UnitDevicesReply,
)
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import Policy, policy
from console.command_views import command_of, view_of_order
from console.device_views import view_of_state
from console.parts import Parts
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.unit import Unit
from telemetry.picture.devices import DeviceState
from telemetry.sources import find_taken_commands

ROUTER: Final = router("units")
SHOWN_AT_MOST: Final = 100
UnitId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@ROUTER.get("/api/units/{unit_id}/devices", **says(UnitDevicesReply))
@policy(Policy.SEE_DEVICES)
async def list_unit_devices(request: Request, unit_id: UnitId) -> Response:
    """Return what each of a unit's devices says, how far it is from the one shown, and which one people chose."""
    parts, _, unit = _unit(request, unit_id)
    bridge, taken = parts.services.bridge, find_taken_commands()
    views = [
        view_of_state(
            state,
            bridge.said.of(state.device_id),
            taken.get(state.protocol, frozenset()),
            ways=bridge.ways_of(state.device_id),
        )
        for state in _states(parts, unit_id)
    ]
    return reply(UnitDevicesReply(unit_id=unit_id, trusted_device_id=unit.trusted_device_id, devices=views))


@ROUTER.put("/api/units/{unit_id}/trusted-device", **says(TrustDevice, takes=TrustDevice))
@policy(Policy.COMMAND)
async def trust_device(request: Request, unit_id: UnitId) -> Response:
    """Choose the device that speaks for the unit as long as it is heard; null goes back to the best one."""
    parts, account, unit = _unit(request, unit_id)
    wanted = await read_body(request, TrustDevice)
    if await parts.doors.trust(database_scope(account), unit_id, wanted.device_id):
        detail = {"unit_id": unit_id, "device_id": wanted.device_id}
        await parts.audit.write_soon(account, AuditAction.DEVICE_TRUSTED, subject=unit.call_sign, detail=detail)
    return reply(wanted)


@ROUTER.get("/api/units/{unit_id}/commands", **says(CommandsReply))
@policy(Policy.SEE_DEVICES)
async def list_commands(request: Request, unit_id: UnitId) -> Response:
    """Return what was asked of a unit's devices within a day and what became of it, the newest first."""
    parts, _, _ = _unit(request, unit_id)
    orders = parts.services.bridge.orders.of_unit(unit_id)[:SHOWN_AT_MOST]
    return reply(CommandsReply(commands=[view_of_order(order) for order in orders]))


@ROUTER.post("/api/units/{unit_id}/commands", **says(CommandReply, takes=GiveCommand, status=201))
@policy(Policy.COMMAND)
async def give_command(request: Request, unit_id: UnitId) -> Response:
    """Ask a unit's device for something; it waits up to ten minutes for the device to connect, and is told on the websocket.

    Answered once it is on the disk and was tried. 422 for a device that does not understand it, 503 when it cannot be kept.
    """
    parts, account, unit = _unit(request, unit_id)
    wanted = await read_body(request, GiveCommand)
    device = _device_for(wanted, unit, _states(parts, unit_id))
    command = command_of(wanted, device.device_id)
    order = await parts.orders.order(command, account, unit_id)
    detail: dict[str, Any] = msgspec.to_builtins(command)
    detail |= {"unit_id": unit_id, "command_id": order.command_id}
    await parts.audit.write_soon(account, AuditAction.COMMANDED, subject=unit.call_sign, detail=detail)
    return reply(CommandReply(command=view_of_order(order)), status=201)


def _device_for(wanted: GiveCommand, unit: Unit, states: list[DeviceState]) -> DeviceState:
    """Return the device to ask: the named one, else the one that people chose, else the one that speaks, else the next."""
    taken = find_taken_commands()
    if wanted.device_id is not None:
        states = [state for state in states if state.device_id == wanted.device_id]
        if not states:
            message = f"device {wanted.device_id} does not speak for {unit.call_sign}: GET /api/units/{unit.unit_id}/devices lists those that do"
            raise NotFoundError(message)
    able = [state for state in states if wanted.kind.value in taken.get(state.protocol, frozenset())]
    if not able:
        having = ", ".join(sorted({state.protocol for state in states})) or "none"
        message = f"no device of {unit.call_sign} understands {wanted.kind.value} (it has: {having}): call by radio, or use a page"
        raise InputError(message)
    return min(able, key=lambda state: (not state.is_chosen, not state.is_shown))


def _states(parts: Parts, unit_id: int) -> list[DeviceState]:
    bridge = parts.services.bridge
    states = bridge.picture.devices_of(unit_id, parts.services.clock.now_us())
    return [state for state in states if not bridge.registry.devices[state.device_id].revoked]


def _unit(request: Request, unit_id: int) -> tuple[Parts, Account, Unit]:
    """Return a unit of the account's scope. Raises NotFoundError: what is outside is not there."""
    parts, account = parts_of(request), account_of(request)
    unit = parts.services.bridge.registry.units.get(unit_id)
    if unit is None or not account.scope.sees(unit):
        message = f"there is no unit {unit_id} in your scope: GET /api/units lists yours"
        raise NotFoundError(message)
    return parts, account, unit
