"""The logs of flights: listed and fetched by those who may fly, and every fetch written down."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import Path, Request, Response
from starlette.responses import StreamingResponse

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models_flights import FlightLogsReply, FlightLogView
from console.audit import AuditAction
from console.auth.policy import Policy, Scope, policy
from console.sources import RegistrySource
from telemetry.flight_log.files import FlightLogFile, path_of
from telemetry.model.errors import NotFoundError

ROUTER: Final = router("flights")
LOGS_SHOWN: Final = 500
TLOG: Final = "application/octet-stream"
CHUNK_BYTES: Final = 256 * 1024


@ROUTER.get("/api/flights/logs", **says(FlightLogsReply))
@policy(Policy.FLY)
async def list_flight_logs(request: Request) -> Response:
    """Return the logs of flights of the scope's drones, the newest first; at most 500."""
    services = parts_of(request).services
    if services.flight_log is None:
        return reply(FlightLogsReply(logs=[], used_bytes=0, is_stopped=False))
    logs = await asyncio.to_thread(services.flight_log.logs)
    seen = _seen(logs, services.bridge.registry, account_of(request).scope)
    return reply(
        FlightLogsReply(
            logs=seen[:LOGS_SHOWN],
            used_bytes=sum(log.size_bytes for log in logs),
            is_stopped=services.flight_log.status.is_stopped,
        )
    )


@ROUTER.get("/api/flights/logs/{name}", response_class=Response)
@policy(Policy.FLY)
async def fetch_flight_log(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """Return a flight's .tlog, which pymavlink, QGroundControl and Mission Planner read; written down before it is given.

    Of a flight that goes on it is what there is now, up to the last whole frame.
    """
    parts, account = parts_of(request), account_of(request)
    log = parts.services.flight_log
    logs = [] if log is None else await asyncio.to_thread(log.logs)
    found = _seen([one for one in logs if one.name == name], parts.services.bridge.registry, account.scope)
    if log is None or not found:
        message = f"there is no flight log {name!r} in your scope: GET /api/flights/logs lists yours"
        raise NotFoundError(message)
    unit = parts.services.bridge.registry.units.get(found[0].unit_id or 0)
    detail = {"name": name, "unit_id": found[0].unit_id, "device_id": found[0].device_id}
    subject = unit.call_sign if unit is not None else str(found[0].device_id)
    await parts.audit.write(account, AuditAction.FLIGHT_LOG_READ, subject=subject, detail=detail)
    path = await asyncio.to_thread(path_of, log.directory, name)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}"',
        "content-length": str(found[0].size_bytes),
    }
    return StreamingResponse(_beginning_of(path, found[0].size_bytes), media_type=TLOG, headers=headers)


async def _beginning_of(path: FilePath, size_bytes: int) -> AsyncIterator[bytes]:
    """Give the first bytes of a file that may grow meanwhile: as many as were promised, and no more."""
    with await asyncio.to_thread(open, path, "rb") as file:
        left_bytes = size_bytes
        while left_bytes and (data := await asyncio.to_thread(file.read, min(left_bytes, CHUNK_BYTES))):
            left_bytes -= len(data)
            yield data


def _seen(logs: Iterable[FlightLogFile], registry: RegistrySource, scope: Scope) -> list[FlightLogView]:
    """Return the logs of drones that the scope may see, each with the unit as which the drone flew then."""
    views = []
    for log in logs:
        unit = registry.units.get(registry.unit_of(log.device_id, log.started_us) or 0)
        if scope.sees_unassigned() if unit is None else scope.sees(unit):
            views.append(
                FlightLogView(
                    name=log.name,
                    unit_id=None if unit is None else unit.unit_id,
                    device_id=log.device_id,
                    started_ms=log.started_us / 1000,
                    ended_ms=None if log.ended_us is None else log.ended_us / 1000,
                    size_bytes=log.size_bytes,
                )
            )
    return views
