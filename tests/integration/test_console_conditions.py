"""The wind over the HTTP interface: told by those who dispatch, seen by those who watch, forgotten when nobody confirms it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.wire import Role
from tests.conftest import FakeClock, TestDatabase
from tests.console_house import House, running

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


async def test_nobody_told_the_wind_so_it_is_not_known(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        told = (await browser.get("/api/conditions")).json()
    assert told == {"conditions": {"wind_from_deg": None, "wind_mps": None}, "told_by": None, "told_ms": None}


async def test_the_newest_wind_counts_and_bears_its_teller(house: House) -> None:
    async with house.client(await house.cookie(Role.OPERATOR)) as browser:
        for wind_mps in (3.0, 7.5):
            answer = await browser.put("/api/conditions", json={"wind_from_deg": 315.0, "wind_mps": wind_mps})
            assert answer.status_code == 200
        told = (await browser.get("/api/conditions")).json()
    assert told["conditions"] == {"wind_from_deg": 315.0, "wind_mps": 7.5}
    assert told["told_by"].startswith("operator")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"wind_from_deg": 360.0, "wind_mps": 1.0}, "wind_from_deg"),
        ({"wind_from_deg": 10.0, "wind_mps": 61.0}, "wind_mps"),
        ({"wind_from_deg": 10.0}, "belong together"),
        ({"gusts": 3}, "gusts"),
    ],
)
async def test_a_wind_that_cannot_be_is_refused_with_its_reason(house: House, body: object, says: str) -> None:
    async with house.client(await house.cookie(Role.SUPERVISOR)) as browser:
        answer = await browser.put("/api/conditions", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


async def test_who_only_watches_does_not_tell_the_wind(house: House) -> None:
    async with house.client(await house.cookie(Role.VIEWER)) as browser:
        assert (await browser.put("/api/conditions", json={})).status_code == 403


async def test_a_wind_that_nobody_confirmed_for_three_hours_is_not_known_any_more(
    database: TestDatabase, tmp_path: Path, fake_clock: FakeClock
) -> None:
    async with (
        running(database, tmp_path, clock=fake_clock) as house,
        house.client(await house.cookie(Role.ADMIN)) as browser,
    ):
        await browser.put("/api/conditions", json={"wind_from_deg": 0.0, "wind_mps": 4.0})
        fake_clock.advance(3 * 3600 + 1)
        told = (await browser.get("/api/conditions")).json()
    assert told["conditions"] == {"wind_from_deg": None, "wind_mps": None}
    assert told["told_by"] is not None
