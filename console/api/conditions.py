"""The wind: what somebody told last, for drones' flight times."""

import asyncio
from typing import Any, Final

from fastapi import Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_coverage import Conditions, ConditionsReply
from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.auth.policy import Policy, policy
from infra.clock import MICROSECONDS, us_of, utc_of
from infra.database import SERVICE, Scope, scoped
from telemetry.model.errors import InputError, UnavailableError

ROUTER: Final = router("conditions")
VALID_S: Final = 3 * 3600
"""A wind that nobody confirmed for so long is not known any more."""
_NEWEST: Final = (
    "select told_at, told_by, wind_from_deg, wind_mps from public.condition_report "
    "order by condition_report_id desc limit 1"
)
_TELL: Final = (
    "insert into public.condition_report (told_at, account_id, told_by, wind_from_deg, wind_mps) "
    "values (%s, %s, %s, %s, %s)"
)


@ROUTER.get("/api/conditions", **says(ConditionsReply))
@policy(Policy.SEE_PLACES)
async def show_conditions(request: Request) -> Response:
    """Return the wind as it was told last; nulls when nobody told it within three hours."""
    return reply(await newest_conditions(request))


@ROUTER.put("/api/conditions", **says(ConditionsReply, takes=Conditions))
@policy(Policy.DISPATCH)
async def tell_conditions(request: Request) -> Response:
    """Tell the wind; both figures, or neither for "not known"."""
    told = await read_body(request, Conditions)
    if (told.wind_from_deg is None) != (told.wind_mps is None):
        message = "wind_from_deg and wind_mps belong together: give both, or neither when the wind is not known"
        raise InputError(message)
    account, now_us = account_of(request), parts_of(request).services.clock.now_us()
    row = (utc_of(now_us), account.account_id, account.name, told.wind_from_deg, told.wind_mps)
    await _ask(request, database_scope(account), _TELL, row)
    return reply(await newest_conditions(request))


async def newest_conditions(request: Request) -> ConditionsReply:
    """Return the wind as it was told last. Raises UnavailableError while the database is away."""
    rows = await _ask(request, SERVICE, _NEWEST, ())
    if not rows:
        return ConditionsReply(conditions=Conditions(), told_by=None, told_ms=None)
    told_at, told_by, wind_from_deg, wind_mps = rows[0]
    told_us = us_of(told_at)
    is_fresh = parts_of(request).services.clock.now_us() - told_us <= VALID_S * MICROSECONDS
    wind = Conditions(wind_from_deg=wind_from_deg, wind_mps=wind_mps) if is_fresh else Conditions()
    return ConditionsReply(conditions=wind, told_by=told_by, told_ms=told_us / 1000)


async def _ask(request: Request, scope: Scope, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(parts_of(request).services.pool, scope) as connection:
            cursor = await connection.execute(query, values)
            return [] if cursor.description is None else await cursor.fetchall()
    except DATABASE_AWAY as error:
        message = "the database does not answer: try again when it is back"
        raise UnavailableError(message) from error
