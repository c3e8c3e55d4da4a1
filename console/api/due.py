"""Sorties of published plans whose time has come, for the pilots who confirm them."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, parts_of, reply, router, says
from console.api.models_due import DueReply
from console.auth.policy import Policy, policy
from console.patrols.due import view_of_due

ROUTER: Final = router("flights")


@ROUTER.get("/api/sorties/due", **says(DueReply))
@policy(Policy.SEE_FLIGHTS)
async def list_due(request: Request) -> Response:
    """Return what is due within a quarter of an hour at drones of the scope; POST /api/flights/{unit_id}/sortie confirms one.

    The websocket tells the same by `due` whenever it changes.
    """
    parts, scope = parts_of(request), account_of(request).scope
    units = parts.services.bridge.registry.units
    found = [one for one in await parts.patrols.due.due() if scope.sees(units[one.unit_id])]
    return reply(DueReply(sorties=[view_of_due(one) for one in found]))
