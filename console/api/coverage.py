"""Coverage beside the live message: planned contours, the ring's ways, the last hour, and what each unit's leaving costs."""

import asyncio
import json
from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, reply, router, says, tagged_response
from console.api.models_coverage import TrendReply, UnitLoss, UnitLossesReply
from console.auth.policy import Policy, Scope, policy
from console.coverage.protocol import Leaving
from console.sources import CoverageSource
from telemetry.model.errors import InputError, NotFoundError, UnavailableError

ROUTER: Final = router("coverage")
GEOJSON: Final = "application/geo+json"
LONGEST_TREND_MIN: Final = 60


@ROUTER.get("/api/coverage/planned", response_class=Response)
@policy(Policy.SEE_PLACES)
async def show_planned_coverage(request: Request) -> Response:
    """Return the roads' 1, 3 and 5-minute contours of each station's crew at its post and of all (station_id null) as GeoJSON.

    An account that is limited to stations gets theirs alone.
    """
    planned = await _coverage(request).planned()
    scope = _scope(request)
    if scope.station_ids:
        planned = await asyncio.to_thread(_of_stations, planned, scope)
    return tagged_response(request, planned, GEOJSON)


@ROUTER.get("/api/coverage/ring", response_class=Response)
@policy(Policy.SEE_PLACES)
async def show_ring(request: Request) -> Response:
    """Return the fastest ways between the ring's neighbouring stations as GeoJSON; `from_station_id`, `to_station_id`."""
    return tagged_response(request, await _coverage(request).ring_ways(), GEOJSON)


@ROUTER.get("/api/coverage/trend", **says(TrendReply))
@policy(Policy.SEE_PLACES)
async def show_trend(request: Request, minutes: int = LONGEST_TREND_MIN) -> Response:
    """Return the force's shares over the last minutes (1 to 60), one row each 10 s."""
    if not 1 <= minutes <= LONGEST_TREND_MIN:
        message = f"minutes is {minutes}: allowed are 1 to {LONGEST_TREND_MIN}"
        raise InputError(message)
    coverage = _coverage(request)
    newest = coverage.latest()
    rows = coverage.trend()
    since_ms = 0.0 if not rows else rows[-1][0] - minutes * 60_000.0
    shown = [(at_ms, shares) for at_ms, shares in rows if at_ms >= since_ms]
    return reply(
        TrendReply(
            at_ms=[at_ms for at_ms, _ in shown],
            shares=[shares for _, shares in shown],
            plan=[] if newest is None else newest.plan,
        )
    )


@ROUTER.get("/api/coverage/units", **says(UnitLossesReply))
@policy(Policy.SEE_PLACES)
async def show_losses(request: Request) -> Response:
    """Return what the leaving of each available unit of the scope uncovers, the dearest first."""
    coverage = _coverage(request)
    newest = coverage.latest()
    if newest is None:
        message = "the coverage is not reckoned yet: ask again in a few seconds"
        raise UnavailableError(message)
    units, scope = parts_of(request).services.bridge.registry.units, _scope(request)
    seen = [loss for loss in coverage.losses() if loss.unit_id in units and scope.sees(units[loss.unit_id])]
    seen.sort(key=lambda loss: (-loss.loss_ratio, loss.unit_id))
    return reply(UnitLossesReply(as_of_ms=newest.at_ms, units=[_view(loss) for loss in seen]))


def _view(loss: Leaving) -> UnitLoss:
    area_km2 = loss.opens_gap_km2
    return UnitLoss(
        unit_id=loss.unit_id,
        loss_ratio=round(loss.loss_ratio, 5),
        opens_gap=None if area_km2 is None else f"{area_km2:.1f} km²",
        opens_ring=loss.opens_ring,
    )


def _of_stations(planned: bytes, scope: Scope) -> bytes:
    content = json.loads(planned)
    content["features"] = [
        feature
        for feature in content["features"]
        if (station_id := feature["properties"]["station_id"]) is not None and scope.sees_station(station_id)
    ]
    return json.dumps(content).encode()


def _coverage(request: Request) -> CoverageSource:
    coverage = parts_of(request).services.coverage
    if coverage is None:
        message = "this installation has no map: import one with `skybeat roads import`, or make the demo city with `skybeat demo`"
        raise NotFoundError(message)
    return coverage


def _scope(request: Request) -> Scope:
    return account_of(request).scope
