"""Sorties of published plans whose time has come, for the pilots who confirm them."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models_due import DueReply, DueView
from console.auth.policy import Policy, policy

ROUTER: Final = router("flights")


@ROUTER.get("/api/sorties/due", **says(DueReply))
@policy(Policy.SEE_FLIGHTS)
async def list_due(request: Request) -> Response:
    """Return what is due within a quarter of an hour at drones of the scope; POST /api/flights/{unit_id}/sortie confirms one."""
    parts, scope = parts_of(request), account_of(request).scope
    units = parts.services.bridge.registry.units
    found = [one for one in await parts.patrols.due.due() if scope.sees(units[one.unit_id])]
    views = [
        DueView(
            plan_id=one.plan_id,
            sortie_id=one.sortie.sortie_id,
            unit_id=one.unit_id,
            takeoff_us=one.sortie.takeoff_us,
            landing_us=one.sortie.landing_us,
            task_ids=list(one.sortie.task_ids),
            is_automatic=one.dock.is_automatic,
        )
        for one in found
    ]
    return reply(DueReply(sorties=views))
