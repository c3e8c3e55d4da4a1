"""Scripts' keys: they speak with the role and the stations of their account, without a cookie, and end with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest

from console.wire import Role
from tests.conftest import TestDatabase
from tests.console_house import House, running

TASK = {
    "name_zh": "点",
    "name_en": "Point",
    "kind": "point",
    "geometry": {"type": "Point", "coordinates": [103.8, 36.0]},
}


@pytest.fixture(name="house")
async def running_house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as house:
        yield house


def script(house: House, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=house.origin, headers={"authorization": f"Bearer {token}"}, trust_env=False)


async def test_a_key_reads_and_writes_with_the_role_and_stations_of_its_account(house: House) -> None:
    supervisor = await house.account(Role.SUPERVISOR, stations=(2,))
    viewer = await house.account(Role.VIEWER)
    planner_key = await house.parts.account_keys.make(supervisor.name, "night patrols")
    viewer_key = await house.parts.account_keys.make(viewer.name, "wall screen")
    async with script(house, planner_key) as client:
        assert (await client.post("/api/programme/tasks", json={"item": TASK})).status_code == 201
        shown = (await client.get("/api/programme")).json()
    assert list(shown["station_ids"]["tasks"].values()) == [2]
    async with script(house, viewer_key) as client:
        assert (await client.get("/api/programme")).status_code == 200
        assert (await client.post("/api/programme/tasks", json={"item": TASK})).status_code == 403


async def test_a_disabled_account_s_key_and_a_revoked_key_are_refused_at_once(house: House) -> None:
    one, other = await house.account(Role.SUPERVISOR), await house.account(Role.SUPERVISOR)
    keys = house.parts.account_keys
    disabled, revoked = await keys.make(one.name, "a"), await keys.make(other.name, "b")
    for token in (disabled, revoked):
        async with script(house, token) as client:
            assert (await client.get("/api/session")).status_code == 200
    await house.accounts.disable(one.name, house.bridge.clock.now_us())
    await keys.revoke(other.name, (await keys.all_of(other.name))[0].key_id)
    for token in (disabled, revoked, "skbk_nobody", "x"):
        async with script(house, token) as client:
            answer = await client.get("/api/session")
            assert (answer.status_code, answer.json()["error"]) == (401, "not_signed_in")


async def test_a_key_sets_no_password_and_guessing_is_slowed_down(house: House) -> None:
    account = await house.account(Role.ADMIN)
    token = await house.parts.account_keys.make(account.name, "a")
    async with script(house, token) as client:
        answer = await client.post("/api/account/password", json={"password": "long enough for anybody"})
        assert answer.status_code == 403
    async with script(house, "skbk_guess") as client:
        codes = [(await client.get("/api/session")).status_code for _ in range(25)]
    assert codes[0] == 401
    assert codes[-1] == 429
    async with script(house, token) as client:
        assert (await client.get("/api/session")).status_code == 200


async def test_only_the_key_s_hash_is_kept_and_its_use_is_audited(house: House, database: TestDatabase) -> None:
    account = await house.account(Role.OPERATOR)
    token = await house.parts.account_keys.make(account.name, "drills")
    async with script(house, token) as client:
        await client.get("/api/session")
        await client.get("/api/session")
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("select account_key::text from account_key").fetchall()
        audit = connection.execute("select account_name, subject from audit where action = 'key_used'").fetchall()
    assert token not in str(rows)
    assert audit == [(account.name, "drills")]
