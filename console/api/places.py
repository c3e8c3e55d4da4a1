"""Stations, posts and cameras."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from fastapi import Request, Response

from console.api.contract import account_of, database_scope, parts_of, reply, router, says, tagged_reply
from console.api.models import CamerasReply, CameraView, PostsReply, PostView, StationsReply, StationView
from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.auth.policy import Policy, policy
from infra.database import scoped
from telemetry.model.errors import UnavailableError

ROUTER: Final = router("places")
_POSTS: Final = "select post_id, kind, name_zh, name_en, lat_e7, lon_e7, station_id from public.post order by post_id"
_CAMERAS: Final = "select camera_id, name_zh, name_en, lat_e7, lon_e7, station_id from public.camera order by camera_id"


@ROUTER.get("/api/stations", **says(StationsReply))
@policy(Policy.SIGNED_IN)
async def list_stations(request: Request) -> Response:
    """Return all stations by number."""
    stations = parts_of(request).services.bridge.registry.stations.values()
    views = [
        StationView(
            station_id=station.station_id,
            number=station.number,
            name_zh=station.name_zh,
            name_en=station.name_en,
            lat_deg=station.lat_deg,
            lon_deg=station.lon_deg,
            ring_order=station.ring_order,
        )
        for station in sorted(stations, key=lambda station: station.number)
    ]
    return tagged_reply(request, StationsReply(stations=views))


@ROUTER.get("/api/posts", **says(PostsReply))
@policy(Policy.SEE_PLACES)
async def list_posts(request: Request) -> Response:
    """Return the posts and docks of the scope's stations."""
    rows = await _rows(request, _POSTS)
    return reply(PostsReply(posts=[PostView(post_id=row["post_id"], kind=row["kind"], **_place(row)) for row in rows]))


@ROUTER.get("/api/cameras", **says(CamerasReply))
@policy(Policy.SEE_PLACES)
async def list_cameras(request: Request) -> Response:
    """Return the cameras of the scope's stations."""
    rows = await _rows(request, _CAMERAS)
    return reply(CamerasReply(cameras=[CameraView(camera_id=row["camera_id"], **_place(row)) for row in rows]))


async def _rows(request: Request, query: str) -> list[dict[str, Any]]:
    account = account_of(request)
    try:
        scope = database_scope(account)
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(parts_of(request).services.pool, scope) as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            rows = await (await cursor.execute(query)).fetchall()
    except DATABASE_AWAY as error:
        message = "the database does not answer: the map goes on, posts and cameras come when it is back"
        raise UnavailableError(message) from error
    return [row for row in rows if account.scope.sees_station(row["station_id"])]


def _place(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name_zh": row["name_zh"],
        "name_en": row["name_en"],
        "lat_deg": row["lat_e7"] / 1e7,
        "lon_deg": row["lon_e7"] / 1e7,
        "station_id": row["station_id"],
    }
