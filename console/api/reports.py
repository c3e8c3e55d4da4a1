"""Figures of today's responses, and the report of a shift: as JSON to print, as CSV to keep."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models_incidents import FiguresReply, ShiftReport
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from console.incidents.desk import actor_of
from console.incidents.figures import figures_reply, shift_csv, unit_rows
from console.incidents.views import sees_incident, view_of
from infra.clock import MICROSECONDS, us_of, utc_of
from mission.calls.incident_board import day_begins_us
from telemetry.model.errors import InputError

ROUTER: Final = router("reports")
SHIFT_US: Final = 12 * 3600 * MICROSECONDS
LONGEST_US: Final = 31 * 86_400 * MICROSECONDS
MOST_INCIDENTS: Final = 5_000
LATEST_US: Final = 253_402_300_799 * MICROSECONDS


class ShiftQuery(BaseModel):
    """Which part of time is reported."""

    from_at: datetime | None = Field(
        None, alias="from", description="RFC 3339 with a zone; 12 hours before `to` if left out"
    )
    to_at: datetime | None = Field(None, alias="to", description="RFC 3339 with a zone; now if left out")


@ROUTER.get("/api/figures", **says(FiguresReply))
@policy(Policy.SEE_INCIDENTS)
async def show_figures(request: Request) -> Response:
    """Return how soon somebody was there today, by urgency, and what waits to be sent; of the scope."""
    parts, scope = parts_of(request), account_of(request).scope
    now_us, units = parts.services.clock.now_us(), parts.services.bridge.registry.units
    since_us = day_begins_us(now_us)
    seen = [one for one in parts.desk.board.all() if sees_incident(scope, one, units)]
    today = [one for one in seen if one.reported_us >= since_us]
    still_open = [one for one in seen if one.is_open]
    return reply(figures_reply(today, still_open, since_us=since_us, now_us=now_us))


@ROUTER.get("/api/reports/shift", **says(ShiftReport))
@policy(Policy.SEE_INCIDENTS)
async def show_shift(request: Request, query: Annotated[ShiftQuery, Query()]) -> Response:
    """Return a shift's figures, incidents and units; the last 12 hours by default, at most 31 days."""
    report = await _shift(request, query)
    return reply(report)


@ROUTER.get("/api/reports/shift.csv", response_class=Response)
@policy(Policy.SEE_INCIDENTS)
async def export_shift(request: Request, query: Annotated[ShiftQuery, Query()]) -> Response:
    """Return the shift's incidents as CSV without callers; the audit says who took it."""
    parts, account = parts_of(request), account_of(request)
    report = await _shift(request, query)
    period = f"{utc_of(round(report.from_ms) * 1000):%Y%m%dT%H%MZ}-{utc_of(round(report.to_ms) * 1000):%Y%m%dT%H%MZ}"
    detail = {"from_ms": report.from_ms, "to_ms": report.to_ms, "incidents": len(report.incidents)}
    await parts.audit.write(account, AuditAction.EXPORTED, subject=f"shift {period}", detail=detail)
    registry = parts.services.bridge.registry
    data = shift_csv(report.incidents, units=registry.units, stations=registry.stations)
    headers = {"content-disposition": f'attachment; filename="shift-{period}.csv"', "cache-control": "no-store"}
    return Response(data, 200, headers, "text/csv; charset=utf-8")


async def _shift(request: Request, query: ShiftQuery) -> ShiftReport:
    parts, account = parts_of(request), account_of(request)
    now_us, units = parts.services.clock.now_us(), parts.services.bridge.registry.units
    from_us, to_us = _period(query, now_us)
    found = await parts.desk.listing(actor_of(account), limit=MOST_INCIDENTS + 1, from_us=from_us, to_us=to_us)
    if len(found) > MOST_INCIDENTS:
        message = f"more than {MOST_INCIDENTS} incidents in that period: ask for a shorter one"
        raise InputError(message)
    found.sort(key=lambda incident: (incident.reported_us, incident.incident_id))
    views = [view_of(incident, account.role, units, now_us=now_us) for incident in found]
    still_open = [incident for incident in found if incident.is_open]
    return ShiftReport(
        from_ms=from_us / 1000,
        to_ms=to_us / 1000,
        figures=figures_reply(found, still_open, since_us=from_us, now_us=now_us),
        incidents=views,
        unit_rows=unit_rows(views, found),
    )


def _period(query: ShiftQuery, now_us: int) -> tuple[int, int]:
    for name, at in (("from", query.from_at), ("to", query.to_at)):
        if at is not None and at.tzinfo is None:
            message = f"{name}={at.isoformat()} has no zone: write it like 2026-11-21T08:00:00+08:00"
            raise InputError(message)
    to_us = now_us if query.to_at is None else us_of(query.to_at)
    from_us = to_us - SHIFT_US if query.from_at is None else us_of(query.from_at)
    if not (0 <= from_us < to_us <= LATEST_US and to_us - from_us <= LONGEST_US):
        message = "the shift must end later than it begins, by at most 31 days, within the years 1970 to 9999"
        raise InputError(message)
    return from_us, to_us
