"""An imported map tells whose data it is, and its vector tiles are read by ranges, by people who are signed in."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.city.basemap_build import build_city, has_tippecanoe
from console.wire import Role
from mission.roads.osm import read_osm
from tests.conftest import TestDatabase
from tests.console_house import House, running

pytestmark = [pytest.mark.shared_data, pytest.mark.database]


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path, test_data: Path) -> AsyncIterator[House]:
    """A console over the imported map of Helsinki, its tiles stood in for where tippecanoe is not installed."""
    async with running(database, tmp_path) as built:
        await asyncio.to_thread(bring, test_data / "osm" / "Helsinki.osm.pbf", tmp_path / "city")
        yield built


def bring(extract: Path, folder: Path) -> None:
    build_city(read_osm(extract), folder, name_zh="赫尔辛基", name_en="Helsinki", source=extract.name)
    if not has_tippecanoe():
        (folder / "basemap.pmtiles").write_bytes(b"PMTiles\x03" + bytes(1000))


async def test_the_map_tells_its_attribution_and_where_its_tiles_are(house: House, tmp_path: Path) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        about = (await browser.get("/api/map")).json()
        assert about["attribution"] == "© OpenStreetMap contributors"
        assert about["tiles_url"] == "/api/map/tiles/{z}/{x}/{y}.mvt"
        assert (about["name_zh"], about["name_en"]) == ("赫尔辛基", "Helsinki")
        assert "roads" in about["layers"]
        roads = (await browser.get("/api/map/roads.geojson")).json()
        assert "Aleksanterinkatu" in json.dumps(roads)
        await asyncio.to_thread((tmp_path / "city" / "basemap.pmtiles").unlink)
        assert (await browser.get("/api/map")).json()["tiles_url"] is None
        missing = await browser.get("/api/map/basemap.pmtiles")
        assert missing.status_code == 404
        assert "GeoJSON" in missing.json()["detail"]


@pytest.mark.skipif(not has_tippecanoe(), reason="vector tiles need the package cubao-tippecanoe")
async def test_a_tile_has_the_layers_of_the_map_and_the_sea_has_none(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        tile = await browser.get("/api/map/tiles/14/9327/4742.mvt")
        assert tile.status_code == 200
        assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
        assert all(layer in tile.content for layer in (b"roads", b"blocks", b"places"))
        assert b"Aleksanterinkatu" in tile.content
        plain = await browser.get("/api/map/tiles/14/9327/4742.mvt", headers={"accept-encoding": "identity"})
        assert plain.content == tile.content
        again = await browser.get("/api/map/tiles/14/9327/4742.mvt", headers={"if-none-match": tile.headers["etag"]})
        assert again.status_code == 304
        assert (await browser.get("/api/map/tiles/14/1/1.mvt")).status_code == 204
        assert (await browser.get("/api/map/tiles/3/1/1.mvt")).status_code == 204
        assert (await browser.get("/api/map/tiles/3/9/1.mvt")).status_code == 422
        assert (await browser.get("/api/map/tiles/99/9/1.mvt")).status_code == 422
    async with house.client() as stranger:
        assert (await stranger.get("/api/map/tiles/14/9327/4742.mvt")).status_code == 401


async def test_tiles_are_read_by_ranges_and_not_by_strangers(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        whole = await browser.get("/api/map/basemap.pmtiles")
        assert whole.content[:7] == b"PMTiles"
        assert whole.headers["content-type"] == "application/vnd.pmtiles"
        part = await browser.get("/api/map/basemap.pmtiles", headers={"range": "bytes=7-126"})
        assert part.status_code == 206
        assert part.content == whole.content[7:127]
        assert part.headers["content-range"] == f"bytes 7-126/{len(whole.content)}"
        beyond = await browser.get("/api/map/basemap.pmtiles", headers={"range": f"bytes={len(whole.content)}-"})
        assert beyond.status_code == 416
    async with house.client() as stranger:
        assert (await stranger.get("/api/map/basemap.pmtiles")).status_code == 401
