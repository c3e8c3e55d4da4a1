"""Incidents for people: take a call, change it, say where it stands, send and recall units, read its history."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.conditions import newest_conditions
from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_incidents import (
    AgenciesReply,
    AgencyView,
    CandidatesReply,
    EditIncident,
    EntriesReply,
    IncidentReply,
    IncidentsReply,
    NewIncident,
    RecallUnit,
    SendUnits,
    SetIncidentState,
)
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from console.incidents.desk import actor_of
from console.incidents.intake import changes_of, draft_of
from console.incidents.views import entry_view, sees_incident, view_of
from console.parts import Parts
from console.wire_incident import IncidentView
from mission.airspace import Wind
from mission.calls.incident import Incident, IncidentState
from telemetry.model.errors import InputError

ROUTER: Final = router("incidents")
IncidentId = Annotated[int, Path(ge=1, le=2_147_483_647)]


class Which(StrEnum):
    """Which incidents are wanted."""

    OPEN = "open"
    ALL = "all"


class IncidentQuery(BaseModel):
    """Open ones all at once; all of them newest first, a page at a time."""

    which: Which = Field(Which.OPEN, description="open: all that are not closed; all: closed ones too, newest first")
    limit: int = Field(100, ge=1, le=500, description="of all: at most so many")
    before: int | None = Field(None, ge=1, le=2_147_483_647, description="of all: those before this incident_id")


@ROUTER.get("/api/incidents", **says(IncidentsReply))
@policy(Policy.SEE_INCIDENTS)
async def list_incidents(request: Request, query: Annotated[IncidentQuery, Query()]) -> Response:
    """Return the incidents of the scope: the open ones, most urgent and oldest first, or all, newest first."""
    parts, account = parts_of(request), account_of(request)
    if query.which is Which.OPEN:
        units = parts.services.bridge.registry.units
        found = [one for one in parts.desk.board.open() if sees_incident(account.scope, one, units)]
        return reply(IncidentsReply(incidents=[_view(parts, request, one) for one in found]))
    found = await parts.desk.listing(actor_of(account), limit=query.limit, before_id=query.before)
    more = found[-1].incident_id if len(found) == query.limit else None
    return reply(IncidentsReply(incidents=[_view(parts, request, one) for one in found], next_before=more))


@ROUTER.post("/api/incidents", **says(IncidentReply, takes=NewIncident, status=201))
@policy(Policy.DISPATCH)
async def create_incident(request: Request) -> Response:
    """Take a call. 201 when it is new; 200 when the same call was there; 409 when it was there with another content."""
    parts, account = parts_of(request), account_of(request)
    new = await read_body(request, NewIncident)
    own = min(account.station_ids, default=None)
    now_us = parts.services.clock.now_us()
    draft = await draft_of(new, parts.nearest, source="console", now_us=now_us, own_station_id=own)
    incident, created = await parts.desk.create(draft, actor_of(account))
    body = IncidentReply(incident=_view(parts, request, incident), created=created)
    return reply(body, status=201 if created else 200)


@ROUTER.get("/api/incidents/{incident_id}", **says(IncidentReply))
@policy(Policy.SEE_INCIDENTS)
async def show_incident(request: Request, incident_id: IncidentId) -> Response:
    """Return one incident as it stands."""
    parts = parts_of(request)
    incident = await parts.desk.read(incident_id, actor_of(account_of(request)))
    return _reply(parts, request, incident)


@ROUTER.patch("/api/incidents/{incident_id}", **says(IncidentReply, takes=EditIncident))
@policy(Policy.DISPATCH)
async def edit_incident(request: Request, incident_id: IncidentId) -> Response:
    """Change what is written; 409 with who changed what when it no longer stands at `version`."""
    parts, actor = parts_of(request), actor_of(account_of(request))
    edit = await read_body(request, EditIncident)
    before = await parts.desk.read(incident_id, actor)
    changes = await changes_of(edit, before, parts.nearest)
    return _reply(parts, request, await parts.desk.edit(incident_id, edit.version, changes, actor))


@ROUTER.post("/api/incidents/{incident_id}/state", **says(IncidentReply, takes=SetIncidentState))
@policy(Policy.DISPATCH)
async def set_incident_state(request: Request, incident_id: IncidentId) -> Response:
    """Close an incident, hand it over, or note what was heard by radio; handing over is audited."""
    parts, account = parts_of(request), account_of(request)
    wanted = await read_body(request, SetIncidentState)
    after = await parts.desk.set_state(
        incident_id, wanted.version, wanted.state, actor_of(account), note=wanted.note, agency_id=wanted.agency_id
    )
    if wanted.state in {IncidentState.HANDED_OVER, IncidentState.NON_POLICE}:
        detail = {"incident_id": incident_id, "state": wanted.state.value, "agency_id": wanted.agency_id}
        await parts.audit.write_soon(account, AuditAction.HANDED_OVER, subject=after.number, detail=detail)
    return _reply(parts, request, after)


@ROUTER.get("/api/incidents/{incident_id}/candidates", **says(CandidatesReply))
@policy(Policy.DISPATCH)
async def list_candidates(request: Request, incident_id: IncidentId) -> Response:
    """Return who of the scope could go, the soonest first, with what their leaving uncovers; one of them advised."""
    parts, account = parts_of(request), account_of(request)
    incident = await parts.desk.read(incident_id, actor_of(account))
    told = (await newest_conditions(request)).conditions
    wind = Wind(from_deg=told.wind_from_deg or 0.0, speed_mps=told.wind_mps or 0.0)
    return reply(await parts.nearest.candidates(incident, account.scope, wind))


@ROUTER.post("/api/incidents/{incident_id}/dispatch", **says(IncidentReply, takes=SendUnits))
@policy(Policy.DISPATCH)
async def send_units(request: Request, incident_id: IncidentId) -> Response:
    """Send units of the scope, one push each; refused with the reason for those off duty, wanted elsewhere or out of scope.

    Drones of the programme fly there by themselves; one that cannot go is taken back, with the reason.
    """
    parts, account = parts_of(request), account_of(request)
    wanted = await read_body(request, SendUnits)
    if len(set(wanted.unit_ids)) != len(wanted.unit_ids):
        message = f"units {wanted.unit_ids}: name each once"
        raise InputError(message)
    after = await parts.desk.dispatch(incident_id, wanted.version, wanted.unit_ids, actor_of(account))
    detail = {"incident_id": incident_id, "unit_ids": wanted.unit_ids}
    await parts.audit.write_soon(account, AuditAction.DISPATCHED, subject=after.number, detail=detail)
    parts.patrols.call_flights.send(after, wanted.unit_ids, account, database_scope(account))
    return _reply(parts, request, after)


@ROUTER.post("/api/incidents/{incident_id}/dispatches/{dispatch_id}/recall", **says(IncidentReply, takes=RecallUnit))
@policy(Policy.DISPATCH)
async def recall_unit(request: Request, incident_id: IncidentId, dispatch_id: IncidentId) -> Response:
    """Take a unit back; audited."""
    parts, account = parts_of(request), account_of(request)
    wanted = await read_body(request, RecallUnit)
    after = await parts.desk.recall(incident_id, dispatch_id, actor_of(account), reason=wanted.reason)
    detail = {"incident_id": incident_id, "dispatch_id": dispatch_id}
    await parts.audit.write_soon(account, AuditAction.RECALLED, subject=after.number, detail=detail)
    await parts.patrols.call_flights.recall(after, dispatch_id, account)
    return _reply(parts, request, after)


@ROUTER.get("/api/incidents/{incident_id}/entries", **says(EntriesReply))
@policy(Policy.SEE_INCIDENTS)
async def list_entries(request: Request, incident_id: IncidentId) -> Response:
    """Return an incident's history, oldest first: who did what and when."""
    account = account_of(request)
    entries = await parts_of(request).desk.entries(incident_id, actor_of(account))
    return reply(EntriesReply(entries=[entry_view(entry, account.role) for entry in entries]))


@ROUTER.get("/api/agencies", **says(AgenciesReply))
@policy(Policy.SEE_INCIDENTS)
async def list_agencies(request: Request) -> Response:
    """Return to whom what is not police work is handed over."""
    views = [
        AgencyView(
            agency_id=agency.agency_id,
            name_zh=agency.name_zh,
            name_en=agency.name_en,
            phone=agency.phone,
            categories=list(agency.categories),
        )
        for agency in await parts_of(request).desk.agencies()
    ]
    return reply(AgenciesReply(agencies=views))


def _reply(parts: Parts, request: Request, incident: Incident) -> Response:
    return reply(IncidentReply(incident=_view(parts, request, incident)))


def _view(parts: Parts, request: Request, incident: Incident) -> IncidentView:
    units, now_us = parts.services.bridge.registry.units, parts.services.clock.now_us()
    return view_of(incident, account_of(request).role, units, now_us=now_us)
