"""The base map and the stations' planned contours: files that were made once, served as they are."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from fastapi.responses import FileResponse

from console.api.contract import parts_of, reply, router, says, tagged_response
from console.api.models import MapReply
from console.auth.policy import Policy, policy
from console.city.tile_archive import read_tile
from telemetry.model.errors import NotFoundError

ROUTER: Final = router("map")
LAYERS: Final = ("relief", "valley", "water", "parks", "blocks", "roads", "labels", "places")
GEOJSON: Final = "application/geo+json"
TILES: Final = "basemap.pmtiles"
TILES_URL: Final = "/api/map/tiles/{z}/{x}/{y}.mvt"
MVT: Final = "application/vnd.mapbox-vector-tile"


@ROUTER.get("/api/map", **says(MapReply))
@policy(Policy.SIGNED_IN)
async def show_map(request: Request) -> Response:
    """Return the base map's bounds, centre and layers."""
    folder = _folder(request)
    about = await asyncio.to_thread(_read_about, folder)
    return reply(about)


@ROUTER.get("/api/map/{layer}.geojson", response_class=Response)
@policy(Policy.SIGNED_IN)
async def show_layer(request: Request, layer: str) -> Response:
    """Return one layer as GeoJSON: relief, valley, water, parks, blocks, roads, labels or places."""
    if layer not in LAYERS:
        message = f"there is no map layer {layer[:40]!r}: there are {', '.join(LAYERS)}"
        raise NotFoundError(message)
    return await _file(request, _folder(request) / "basemap" / f"{layer}.geojson")


@ROUTER.get(f"/api/map/{TILES}", response_class=Response)
@policy(Policy.SIGNED_IN)
async def show_tiles(request: Request) -> Response:
    """Return the base map's vector tiles in one archive, whole or the asked range of bytes; 404 where there is none."""
    path = await asyncio.to_thread(_archive, _folder(request))
    return FileResponse(path, headers={"cache-control": "private, no-cache"}, media_type="application/vnd.pmtiles")


@ROUTER.get(TILES_URL, response_class=Response)
@policy(Policy.SIGNED_IN)
async def show_tile(request: Request, z: int, x: int, y: int) -> Response:
    """Return one vector tile of the base map, its layers named as the GeoJSON ones; 204 where nothing is drawn."""
    folder = _folder(request)
    tile = await asyncio.to_thread(lambda: read_tile(_archive(folder), z, x, y))
    if tile is None:
        return Response(status_code=204)
    if tile.is_gzip and "gzip" not in request.headers.get("accept-encoding", ""):
        return tagged_response(request, gzip.decompress(tile.data), MVT)
    return tagged_response(request, tile.data, MVT, is_gzip=tile.is_gzip)


def _archive(folder: Path) -> Path:
    path = folder / TILES
    if not path.is_file():
        message = f"the city has no {TILES}: its layers are GeoJSON under /api/map/{{layer}}.geojson"
        raise NotFoundError(message)
    return path


def _folder(request: Request) -> Path:
    folder = parts_of(request).services.city_dir
    if folder is None:
        message = "this installation has no city: `skybeat roads import` makes one of a map extract, `skybeat demo` a made-up one"
        raise NotFoundError(message)
    return folder


async def _file(request: Request, path: Path) -> Response:
    wants_gzip = "gzip" in request.headers.get("accept-encoding", "")
    data, is_gzip = await asyncio.to_thread(_read_file, path, wants_gzip=wants_gzip)
    return tagged_response(request, data, GEOJSON, is_gzip=is_gzip)


def _read_file(path: Path, *, wants_gzip: bool) -> tuple[bytes, bool]:
    packed = path.with_name(path.name + ".gz")
    if wants_gzip and packed.is_file():
        return packed.read_bytes(), True
    if path.is_file():
        return path.read_bytes(), False
    if packed.is_file():
        return gzip.decompress(packed.read_bytes()), False
    message = (
        f"the city's file {path.name} is missing: run `skybeat roads import` or `skybeat demo` to make the city again"
    )
    raise NotFoundError(message)


def _read_about(folder: Path) -> MapReply:
    path = folder / "city.json"
    if not path.is_file():
        message = (
            "the city's file city.json is missing: run `skybeat roads import` or `skybeat demo` to make the city again"
        )
        raise NotFoundError(message)
    about = json.loads(path.read_text(encoding="utf-8"))
    basemap = folder / "basemap"
    layers = [layer for layer in LAYERS if any((basemap / f"{layer}.geojson{end}").is_file() for end in ("", ".gz"))]
    return MapReply(
        name_zh=str(about.get("name_zh", "")),
        name_en=str(about.get("name_en", "")),
        bounds=about["bounds"],
        center=about["center"],
        layers=layers,
        attribution=str(about.get("attribution", "")),
        tiles_url=TILES_URL if (folder / TILES).is_file() else None,
    )
