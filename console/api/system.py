"""How the system does: for people (/api/system) and for probes (/livez, /readyz, /metrics); the interface's own description."""

import asyncio
import ipaddress
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from fastapi import Request, Response

from console.api.contract import admit, host_of, json_response, parts_of, reply, router, says
from console.api.models import LinkView, SystemReply
from console.auth.accounts import DATABASE_AWAY
from console.auth.policy import Policy, policy
from console.health import ANSWER_WITHIN_S
from console.parts import LOOPBACK, Services
from infra.database import SERVICE, scoped
from infra.metrics import render_metrics
from telemetry.links.link import LinkStatus
from telemetry.recording.disk_forecast import WEEK_US, DiskForecast, disk_samples, forecast_disk, free_bytes_of

ROUTER: Final = router("system")


@ROUTER.get("/api/system", **says(SystemReply))
@policy(Policy.SEE_SYSTEM)
async def show_system(request: Request) -> Response:
    """Return versions, lag, links, journal and what is wrong."""
    parts = parts_of(request)
    health, clock = parts.health, parts.services.clock
    return reply(
        SystemReply(
            version=request.app.version,
            epoch=parts.stream.epoch,
            uptime_s=round(clock.monotonic_s() - health.started_s, 1),
            clients=len(parts.stream.clients),
            clock_offset_s=health.clock_offset_s,
            schema_version=health.schema_version,
            database_ok=health.database_ok,
            history_lag_s=health.history_lag_s(),
            journal=dict(health.journal_state()),
            links=[_link(status) for status in parts.services.bridge.link_statuses()],
            checks=health.checks(),
            storage=await _storage(parts.services),
            raw_retention_days=parts.services.settings.raw_retention_days,
        )
    )


async def _storage(services: Services) -> DiskForecast | None:
    """Return how the disk fills; None while the database is away. Only the embedded server's disk is ours to look at."""
    data_dir = None if services.settings.database_url is not None else services.settings.data_dir
    free_bytes = await asyncio.to_thread(free_bytes_of, data_dir) if data_dir else None
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(services.pool, SERVICE) as connection:
            samples = await disk_samples(connection, since_us=services.clock.now_us() - WEEK_US)
    except DATABASE_AWAY:
        return None
    return forecast_disk(samples, free_bytes)


@ROUTER.get("/livez", include_in_schema=False)
@policy(Policy.ANYONE)
async def livez(request: Request) -> Response:
    """Return 200 while the loop turns: a probe that fails asks for a restart."""
    alive = parts_of(request).health.is_alive()
    return json_response(b'{"status":"alive"}' if alive else b'{"status":"stalled"}', status=200 if alive else 503)


@ROUTER.get("/readyz", include_in_schema=False)
@policy(Policy.ANYONE)
async def readyz(request: Request) -> Response:
    """Return 200 while the map works, also degraded; 503 when it cannot do its work. Details are in /api/system."""
    state = parts_of(request).health.state()
    checks = {part: "ok" if words == "ok" else "failed" for part, words in parts_of(request).health.checks().items()}
    return json_response(
        msgspec.json.encode({"status": state, "checks": checks}), status=503 if state == "down" else 200
    )


@ROUTER.get("/metrics", include_in_schema=False)
@policy(Policy.ANYONE)
async def metrics(request: Request) -> Response:
    """Return all figures for Prometheus: to this machine, or to an account that may see the system."""
    if not _is_local(request):
        await admit(request, Policy.SEE_SYSTEM)
    data = await asyncio.to_thread(render_metrics)
    return Response(data, 200, {"cache-control": "no-store"}, "text/plain; version=0.0.4; charset=utf-8")


@ROUTER.get("/api/openapi.json", include_in_schema=False)
@policy(Policy.SIGNED_IN)
async def show_openapi(request: Request) -> Response:
    """Return the description of this interface."""
    return json_response(msgspec.json.encode(request.app.openapi()))


def product_version() -> str:
    """Return the installed version, "0+source" when run from a checkout that is not installed."""
    try:
        return version("skybeat")
    except PackageNotFoundError:
        return "0+source"


def _is_local(request: Request) -> bool:
    # By its own name too: a page elsewhere may point its own host's name at this machine, and its reader is local.
    if "x-forwarded-for" in request.headers or request.url.hostname not in LOOPBACK:
        return False
    try:
        return ipaddress.ip_address(host_of(request)).is_loopback
    except ValueError:
        return False


def _link(status: LinkStatus) -> LinkView:
    figures: dict[str, Any] = msgspec.to_builtins(status)
    named = {name: figures.pop(name) for name in ("url", "link_group", "state")}
    return LinkView(**named, figures=figures)
