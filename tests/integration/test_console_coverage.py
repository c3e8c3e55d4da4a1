"""The routes of coverage: planned contours and losses by scope, the ring's ways, the last hour; refused to officers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.wire import Role
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, FAR, OFFICER, House, running

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


async def test_losses_are_told_dearest_first_and_covert_units_only_to_those_who_may_know(house: House) -> None:
    async with house.client(await house.cookie(Role.SUPERVISOR)) as browser:
        told = (await browser.get("/api/coverage/units")).json()
        assert [loss["unit_id"] for loss in told["units"]] == [COVERT, FAR, CAR]
        assert told["units"][2] == {"unit_id": CAR, "loss_ratio": 0.02, "opens_gap": "0.6 km²", "opens_ring": [1, 2]}
    async with house.client(await house.cookie(Role.VIEWER, stations=(1,))) as browser:
        assert [loss["unit_id"] for loss in (await browser.get("/api/coverage/units")).json()["units"]] == [CAR]


async def test_planned_contours_and_ring_ways_come_as_geojson_with_a_tag(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        planned = await browser.get("/api/coverage/planned")
        assert [feature["properties"]["station_id"] for feature in planned.json()["features"]] == [1, 2, None]
        again = await browser.get("/api/coverage/planned", headers={"if-none-match": planned.headers["etag"]})
        assert again.status_code == 304
        ring = await browser.get("/api/coverage/ring")
        assert (ring.headers["content-type"], ring.json()["features"]) == ("application/geo+json", [])


@pytest.mark.parametrize(("asked", "rows"), [("", 2), ("?minutes=60", 2), ("?minutes=5", 1)])
async def test_the_trend_covers_the_asked_minutes(house: House, asked: str, rows: int) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        trend = (await browser.get(f"/api/coverage/trend{asked}")).json()
        assert len(trend["at_ms"]) == len(trend["shares"]) == rows
        assert trend["shares"][-1] == [0.2, 0.3, 0.4]
        assert trend["plan"] == [0.2, 0.4, 0.6]


async def test_minutes_out_of_range_are_refused_with_the_range(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        for minutes in ("0", "61", "-5", "x"):
            answer = await browser.get(f"/api/coverage/trend?minutes={minutes}")
            assert answer.status_code == 422


async def test_officers_are_refused_everywhere(house: House) -> None:
    async with house.client(await house.cookie(Role.OFFICER, unit_id=OFFICER)) as browser:
        for path in ("planned", "ring", "trend", "units"):
            assert (await browser.get(f"/api/coverage/{path}")).status_code == 403
