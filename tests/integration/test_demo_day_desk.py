"""The demo's planners bring the city's day in over HTTP, have it planned, approved by another and published."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.demo.api_client import ApiClient
from console.demo.city import prepare_city
from console.demo.day_desk import DayDesk
from console.demo.day_plan import HOUR_US, Registered, day_programme
from console.demo.seed_force import plan_force
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.model import Programme
from tests.conftest import TestDatabase
from tests.console_house import House, running


@pytest.fixture(name="house")
async def running_house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as house:
        yield house


def programme_of(folder: Path, now_us: int) -> Programme:
    city = prepare_city(folder, 1)
    force = plan_force(city, unit_count=106)
    soon_us = now_us + HOUR_US // 10
    return day_programme(city, force, {"Hawk 02": Registered(1, 11)}, now_us=now_us, festival_from_us=soon_us)


async def client(house: House, name: str) -> ApiClient:
    account = await house.accounts.add(name, Role.SUPERVISOR)
    signed_in = ApiClient(house.origin)
    await signed_in.sign_in(await house.accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us()))
    return signed_in


async def test_the_citys_day_is_brought_in_planned_and_published_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.demo.api_client.ANSWER_WITHIN_S", 300.0)  # a busy machine plans slowly
    said: list[str] = []
    now_us = SYSTEM_CLOCK.now_us()
    programme = await asyncio.to_thread(programme_of, tmp_path, now_us)
    desk = DayDesk(await client(house, "planner"), await client(house, "chief"), said.append, iterations=2)
    plan_id = await desk.publish(programme, now_us=now_us)
    assert said == []
    assert plan_id is not None
    async with house.client(await house.cookie(Role.OPERATOR)) as reader:
        shown = (await reader.get(f"/api/plans/{plan_id}")).json()
    assert shown["plan"]["state"] == "published"
    assert (shown["submitted_by"], shown["approved_by"]) == ("planner", "chief")
    assert len(shown["plan"]["sorties"]) > 3
    assert shown["programme"]["airframes"][0]["unit_id"] == 1
    assert await desk.publish(programme, now_us=now_us) == plan_id
