"""Planning: where to put stations, posts and mobile rooms, how to share out beats, who should move up, and what if."""

import asyncio
from typing import Annotated, Final

import msgspec
import psycopg
from fastapi import Query, Request, Response

from console.api.contract import account_of, database_scope, json_response, parts_of, read_body, router, says
from console.api.models_siting import (
    BeatsReply,
    BeatsRequest,
    MoveUpReply,
    SitePlace,
    SitingReply,
    SitingRequest,
    WhatIfReply,
    WhatIfRequest,
)
from console.api.while_asked import while_asked
from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.auth.policy import Policy, policy
from console.planning.protocol import PostPlace
from infra.database import scoped
from mission.siting.moveup import LONGEST_DRIVE_S, MoveUpRules
from mission.siting.planning_map import DemandKind
from telemetry.model.datum import Crs, parse_crs, to_wgs84
from telemetry.model.errors import UnavailableError

ROUTER: Final = router("planning")
_POSTS: Final = "select post_id, kind, name_zh, name_en, lat_e7, lon_e7 from public.post order by post_id"


@ROUTER.post("/api/siting", **says(SitingReply, takes=SitingRequest))
@policy(Policy.PLAN)
async def find_sites(request: Request) -> Response:
    """Return where new stations, posts or mobile rooms cover the most, with a proof or a bound; answered in WGS-84."""
    asked = _sites_in_wgs84(await read_body(request, SitingRequest))
    posts = await _posts(request)
    return json_response(await while_asked(request, parts_of(request).planning.sites(asked, posts)))


@ROUTER.post("/api/beats", **says(BeatsReply, takes=BeatsRequest))
@policy(Policy.PLAN)
async def share_out_beats(request: Request) -> Response:
    """Return balanced beats, each in one piece, as polygons in WGS-84."""
    asked = await read_body(request, BeatsRequest)
    return json_response(await while_asked(request, parts_of(request).planning.beats(asked)))


@ROUTER.get("/api/moveup", **says(MoveUpReply))
@policy(Policy.PLAN)
async def advise_moves(
    request: Request,
    *,
    busy_ratio: Annotated[float, Query(ge=0, le=0.99)] = 0.35,
    limit_s: Annotated[float, Query(gt=0, le=600)] = 180.0,
    drive_limit_s: Annotated[float, Query(gt=0, le=LONGEST_DRIVE_S)] = 600.0,
    dwell_s: Annotated[float, Query(ge=0, le=86_400)] = 900.0,
    shift_move_count: Annotated[int, Query(ge=0, le=100)] = 4,
    demand: DemandKind = DemandKind.ROADS,
) -> Response:
    """Return at most three moves with what each wins and costs; a first-tier place is never left unreached."""
    rules = MoveUpRules(
        busy_ratio=busy_ratio, drive_limit_s=drive_limit_s, dwell_s=dwell_s, shift_move_count=shift_move_count
    )
    scope, posts = account_of(request).scope, await _posts(request)
    question = parts_of(request).planning.moveup(posts, scope, rules=rules, demand=demand, limit_s=limit_s)
    return json_response(await while_asked(request, question))


@ROUTER.post("/api/whatif", **says(WhatIfReply, takes=WhatIfRequest))
@policy(Policy.PLAN)
async def ask_what_if(request: Request) -> Response:
    """Return the coverage before and after: a station dragged, a street closed, units away; answered in WGS-84."""
    asked = _what_if_in_wgs84(await read_body(request, WhatIfRequest))
    question = parts_of(request).planning.what_if(asked, account_of(request).scope)
    return json_response(await while_asked(request, question))


async def _posts(request: Request) -> list[PostPlace]:
    try:
        scope = database_scope(account_of(request))
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(parts_of(request).services.pool, scope) as connection:
            rows = await (await connection.execute(_POSTS)).fetchall()
    except (*DATABASE_AWAY, psycopg.Error) as error:
        message = "the database does not answer: posts are not known; ask again when it is back"
        raise UnavailableError(message) from error
    return [
        PostPlace(post_id, kind, name_zh, name_en, lat_e7 / 1e7, lon_e7 / 1e7)
        for post_id, kind, name_zh, name_en, lat_e7, lon_e7 in rows
    ]


def _sites_in_wgs84(asked: SitingRequest) -> SitingRequest:
    """Return the request with its candidates in WGS-84. Raises UnknownCrsError."""
    crs = parse_crs(asked.crs)
    kinds = []
    for wanted in asked.kinds:
        moved = None
        if wanted.candidates is not None:
            lat, lon = to_wgs84(
                [one.lat_deg for one in wanted.candidates], [one.lon_deg for one in wanted.candidates], crs=crs
            )
            moved = [SitePlace(lat_deg=y, lon_deg=x) for y, x in zip(lat.tolist(), lon.tolist(), strict=True)]
        kinds.append(msgspec.structs.replace(wanted, candidates=moved))
    return msgspec.structs.replace(asked, kinds=kinds, crs=Crs.WGS84.value)


def _what_if_in_wgs84(asked: WhatIfRequest) -> WhatIfRequest:
    """Return the request with all places in WGS-84. Raises UnknownCrsError."""
    crs = parse_crs(asked.crs)
    stations = []
    for station in asked.stations:
        lat, lon = to_wgs84(station.lat_deg, station.lon_deg, crs=crs)
        stations.append(msgspec.structs.replace(station, lat_deg=float(lat), lon_deg=float(lon)))
    closed = []
    for street in asked.closed:
        if street.lat_deg is None or street.lon_deg is None:
            closed.append(street)
            continue
        lat, lon = to_wgs84(street.lat_deg, street.lon_deg, crs=crs)
        closed.append(msgspec.structs.replace(street, lat_deg=float(lat), lon_deg=float(lon)))
    return msgspec.structs.replace(asked, stations=stations, closed=closed, crs=Crs.WGS84.value)
