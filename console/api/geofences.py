"""Geofences: drawn, changed and taken away; who shall stay in which; when an officer counts as alone; who was inside."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.contract import (
    account_of,
    database_scope,
    decode_body,
    json_response,
    parts_of,
    read_body,
    read_bytes,
    reply,
    router,
    says,
)
from console.api.models_geofences import (
    AloneRulesReply,
    AloneRuleView,
    AreaAssignmentsReply,
    AreaAssignmentsWish,
    AreaAssignmentView,
    GeofenceGoneReply,
    GeofenceReply,
    GeofencesReply,
    GeofenceView,
    GeofenceWish,
    VisitsReply,
    VisitView,
)
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import Policy, allows, policy
from console.geofence_desk import Version, fence_of_wish
from console.geofence_views import builtins_of, view_of_geofence
from console.parts import Parts
from infra.clock import MICROSECONDS, us_of
from telemetry.geofences.fence import Geofence, GeofencePlan
from telemetry.model.errors import ConflictError, InputError, NotFoundError

ROUTER: Final = router("geofences")
GeofenceId = Annotated[int, Path(ge=1, le=2**31 - 1)]
DAY_US: Final = 86_400 * MICROSECONDS
LONGEST_PERIOD_US: Final = 31 * DAY_US
MAX_GEOFENCE_BYTES: Final = 1 << 20
"""Room for a geofence of as many corners as there may be (20,000), each with all its digits."""


@ROUTER.get("/api/geofences", **says(GeofencesReply))
@policy(Policy.SEE_GEOFENCES)
async def list_geofences(request: Request) -> Response:
    """Return the geofences of the scope: the whole force's, and those of the account's stations."""
    plan, versions = await _plan(request)
    lasting = _lasting(request)
    return json_response(await asyncio.to_thread(_encode_list, request, plan, versions, lasting))


def _encode_list(
    request: Request, plan: GeofencePlan, versions: Mapping[int, Version], lasting: Mapping[int, list[VisitView]]
) -> bytes:
    # In a thread: ten thousand borders cost seconds the first time, in which nobody would be acknowledged.
    views = [_view(request, fence, versions[fence.geofence_id], lasting) for fence in plan.fences]
    return msgspec.json.encode(GeofencesReply(geofences=views))


@ROUTER.post("/api/geofences", **says(GeofenceReply, takes=GeofenceWish, status=201))
@policy(Policy.MANAGE_GEOFENCES)
async def draw_geofence(request: Request) -> Response:
    """Draw a geofence; it is watched within a second. `crs` says in what the positions are; they are kept in WGS-84."""
    parts, account = parts_of(request), account_of(request)
    fence = fence_of_wish(await read_body(request, GeofenceWish, max_bytes=MAX_GEOFENCE_BYTES))
    now_us = parts.services.clock.now_us()
    geofence_id = await parts.geofences.draw(database_scope(account), fence, now_us=now_us, by=account.name)
    await _audit(parts, account, AuditAction.GEOFENCE_DRAWN, fence, geofence_id)
    return await _answer(request, geofence_id, status=201)


@ROUTER.patch("/api/geofences/{geofence_id}", **says(GeofenceReply, takes=GeofenceWish))
@policy(Policy.MANAGE_GEOFENCES)
async def change_geofence(request: Request, geofence_id: GeofenceId) -> Response:
    """Change some fields of a geofence. With `version` it must still be of it: 409 when somebody was faster."""
    parts, account = parts_of(request), account_of(request)
    said = decode_body(await read_bytes(request, max_bytes=MAX_GEOFENCE_BYTES), dict[str, Any])
    plan, versions = await _plan(request)
    before = _find(plan, geofence_id)
    version = versions[geofence_id][0]
    if said.pop("version", version) != version:
        message = f"geofence {geofence_id} is of version {version} by now: read it again"
        raise ConflictError(message)
    fence = fence_of_wish(_changed(before, said), geofence_id)
    fence = msgspec.structs.replace(fence, unit_ids=_with_hidden(request, before.unit_ids, fence.unit_ids))
    now_us = parts.services.clock.now_us()
    await parts.geofences.redraw(database_scope(account), fence, version=version, now_us=now_us, by=account.name)
    await _audit(parts, account, AuditAction.GEOFENCE_CHANGED, fence, geofence_id)
    return await _answer(request, geofence_id)


@ROUTER.delete("/api/geofences/{geofence_id}", **says(GeofenceGoneReply))
@policy(Policy.MANAGE_GEOFENCES)
async def remove_geofence(request: Request, geofence_id: GeofenceId) -> Response:
    """Take a geofence away, with its assignments; what was told of it stays in history."""
    parts, account = parts_of(request), account_of(request)
    plan, _ = await _plan(request)
    fence = _find(plan, geofence_id)
    await parts.geofences.remove(database_scope(account), geofence_id)
    await _audit(parts, account, AuditAction.GEOFENCE_REMOVED, fence, geofence_id)
    return reply(GeofenceGoneReply(geofence_id=geofence_id))


class VisitQuery(BaseModel):
    """Which visits are wanted."""

    from_at: datetime | None = Field(
        None, alias="from", description="RFC 3339 with a zone; a day before `to` if left out"
    )
    to_at: datetime | None = Field(None, alias="to", description="RFC 3339 with a zone; now if left out")
    limit: int = Field(200, ge=1, le=2_000)


@ROUTER.get("/api/geofences/{geofence_id}/visits", **says(VisitsReply))
@policy(Policy.SEE_GEOFENCES)
async def list_visits(request: Request, geofence_id: GeofenceId, query: Annotated[VisitQuery, Query()]) -> Response:
    """Return who of the scope was inside, newest first; who is inside now comes first while the period reaches until now."""
    parts, account = parts_of(request), account_of(request)
    plan, _ = await _plan(request)
    _find(plan, geofence_id)
    now_us = parts.services.clock.now_us()
    from_us, to_us = _period(query, now_us)
    rows = await parts.geofences.visits(
        database_scope(account), geofence_id, from_us=from_us, to_us=to_us, limit=query.limit + 1
    )
    ended = [
        VisitView(device_id=row[0], unit_id=row[1], entered_ms=row[2], left_ms=row[3], is_judged_late=row[4])
        for row in rows[: query.limit]
    ]
    lasting = _lasting(request).get(geofence_id, []) if to_us >= now_us else []
    return reply(VisitsReply(geofence_id=geofence_id, visits=lasting + ended, truncated=len(rows) > query.limit))


@ROUTER.get("/api/geofences/assignments", **says(AreaAssignmentsReply))
@policy(Policy.SEE_GEOFENCES)
async def list_assignments(request: Request) -> Response:
    """Return who shall stay in which geofence, past and future ones too."""
    plan, _ = await _plan(request)
    return reply(_assignments(plan))


@ROUTER.post("/api/geofences/assignments", **says(AreaAssignmentsReply, takes=AreaAssignmentsWish, status=201))
@policy(Policy.MANAGE_GEOFENCES)
async def assign_areas(request: Request) -> Response:
    """Assign areas to units or stations, all of them or none; one that there is already changes nothing."""
    parts, account = parts_of(request), account_of(request)
    wanted = await read_body(request, AreaAssignmentsWish)
    now_us = parts.services.clock.now_us()
    added = await parts.geofences.assign(database_scope(account), wanted.assignments, now_us=now_us)
    detail = {"assignment_ids": added[:50], "count": len(added)}
    await parts.audit.write_soon(account, AuditAction.AREA_ASSIGNED, subject=f"{len(added)}", detail=detail)
    plan, _ = await _plan(request)
    return reply(_assignments(plan), status=201)


@ROUTER.delete("/api/geofences/assignments/{assignment_id}", **says(AreaAssignmentsReply))
@policy(Policy.MANAGE_GEOFENCES)
async def release_area(request: Request, assignment_id: GeofenceId) -> Response:
    """End an assignment at once; what is left is returned."""
    parts, account = parts_of(request), account_of(request)
    await parts.geofences.release(database_scope(account), assignment_id)
    await parts.audit.write_soon(account, AuditAction.AREA_RELEASED, subject=str(assignment_id))
    plan, _ = await _plan(request)
    return reply(_assignments(plan))


@ROUTER.get("/api/geofences/alone", **says(AloneRulesReply))
@policy(Policy.SEE_GEOFENCES)
async def list_alone_rules(request: Request) -> Response:
    """Return when officers count as alone: the force's rule, stations', units'."""
    plan, _ = await _plan(request)
    return reply(_alone_rules(plan))


@ROUTER.put("/api/geofences/alone", **says(AloneRulesReply, takes=AloneRuleView))
@policy(Policy.MANAGE_GEOFENCES)
async def set_alone_rule(request: Request) -> Response:
    """Set one rule; `limit_m` null says that this unit, station or force has none."""
    parts, account = parts_of(request), account_of(request)
    rule = await read_body(request, AloneRuleView)
    await parts.geofences.set_rule(database_scope(account), rule)
    detail = msgspec.to_builtins(rule)
    await parts.audit.write_soon(account, AuditAction.ALONE_RULE_SET, subject="alone", detail=detail)
    plan, _ = await _plan(request)
    return reply(_alone_rules(plan))


async def _plan(request: Request) -> tuple[GeofencePlan, dict[int, Version]]:
    return await parts_of(request).geofences.plan(database_scope(account_of(request)))


async def _answer(request: Request, geofence_id: int, *, status: int = 200) -> Response:
    plan, versions = await _plan(request)
    fence = _find(plan, geofence_id)
    view = _view(request, fence, versions[geofence_id], _lasting(request))
    return reply(GeofenceReply(geofence=view), status=status)


def _find(plan: GeofencePlan, geofence_id: int) -> Geofence:
    found = next((fence for fence in plan.fences if fence.geofence_id == geofence_id), None)
    if found is None:
        message = f"there is no geofence {geofence_id} in your scope: GET /api/geofences lists yours"
        raise NotFoundError(message)
    return found


def _changed(before: Geofence, said: dict[str, Any]) -> GeofenceWish:
    """Return the whole wish that some fields make of a geofence. Raises InputError for fields that there are not."""
    if "crs" in said and "geometry" not in said:
        message = "crs without geometry: it says in what the geometry's positions are"
        raise InputError(message)
    return decode_body(msgspec.json.encode(builtins_of(before) | said), GeofenceWish)


def _view(request: Request, fence: Geofence, version: Version, lasting: Mapping[int, list[VisitView]]) -> GeofenceView:
    account = account_of(request)
    return view_of_geofence(
        fence,
        version,
        is_managed=allows(Policy.MANAGE_GEOFENCES, account.role) and account.scope.sees_station(fence.station_id),
        unit_ids=[unit_id for unit_id in fence.unit_ids if not _is_hidden(request, unit_id)],
        inside_unit_ids=sorted({visit.unit_id for visit in lasting.get(fence.geofence_id, ())}),
    )


def _with_hidden(request: Request, before: tuple[int, ...], wished: tuple[int, ...]) -> tuple[int, ...]:
    """Return the wished units and those of before that the account cannot see: it was not shown them, and takes none away."""
    hidden = (unit_id for unit_id in before if _is_hidden(request, unit_id))
    return tuple(dict.fromkeys((*wished, *hidden)))


def _is_hidden(request: Request, unit_id: int) -> bool:
    unit = parts_of(request).services.bridge.registry.units.get(unit_id)
    return unit is not None and not account_of(request).scope.sees(unit)


def _lasting(request: Request) -> dict[int, list[VisitView]]:
    """Return the visits of units of the scope that last now, by geofence, newest first."""
    parts, account = parts_of(request), account_of(request)
    bridge, now_us = parts.services.bridge, parts.services.clock.now_us()
    visits: dict[int, list[VisitView]] = {}
    stays = sorted(bridge.geofences.all_stays(), key=lambda one: -one[1].entered_us)
    for device_id, stay in stays:
        unit = bridge.registry.units.get(bridge.registry.unit_of(device_id, now_us) or 0)
        if unit is not None and account.scope.sees(unit) and stay.is_told:
            visits.setdefault(stay.geofence_id, []).append(
                VisitView(
                    device_id=device_id,
                    unit_id=unit.unit_id,
                    entered_ms=stay.entered_us / 1000,
                    left_ms=None,
                    is_judged_late=False,
                )
            )
    return visits


def _assignments(plan: GeofencePlan) -> AreaAssignmentsReply:
    return AreaAssignmentsReply(
        assignments=[
            AreaAssignmentView(
                assignment_id=one.assignment_id,
                geofence_id=one.geofence_id,
                unit_id=one.unit_id,
                station_id=one.station_id,
                from_ms=one.from_us / 1000,
                to_ms=None if one.to_us is None else one.to_us / 1000,
            )
            for one in plan.assignments
        ]
    )


def _alone_rules(plan: GeofencePlan) -> AloneRulesReply:
    rules = [msgspec.convert(msgspec.structs.asdict(rule), AloneRuleView) for rule in plan.alone_rules]
    return AloneRulesReply(rules=rules)


def _period(query: VisitQuery, now_us: int) -> tuple[int, int]:
    for name, at in (("from", query.from_at), ("to", query.to_at)):
        if at is not None and at.tzinfo is None:
            message = f"{name}={at.isoformat()} has no zone: write it like 2026-11-21T08:00:00Z"
            raise InputError(message)
    to_us = now_us if query.to_at is None else us_of(query.to_at)
    from_us = to_us - DAY_US if query.from_at is None else us_of(query.from_at)
    if not 0 < to_us - from_us <= LONGEST_PERIOD_US:
        message = "the period's end must be later than its beginning, by at most 31 days"
        raise InputError(message)
    return from_us, to_us


async def _audit(parts: Parts, account: Account, action: AuditAction, fence: Geofence, geofence_id: int) -> None:
    detail = {"geofence_id": geofence_id, "station_id": fence.station_id, "raises_alarm": fence.raises_alarm}
    await parts.audit.write_soon(account, action, subject=fence.name_zh or fence.name_en, detail=detail)
