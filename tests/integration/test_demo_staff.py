"""The demo's people get accounts of their own, one-time links and a key; a unit that a person serves is left to that person."""

from pathlib import Path

import msgspec
import psycopg
import pytest

from console.auth.accounts import Accounts
from console.demo.city import City, prepare_city
from console.demo.officer_pages import PageSignIn
from console.demo.seed_force import install, plan_force
from console.demo.staff import KEY_LABEL, Staff
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.vault import Vault
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
ORIGIN = "http://127.0.0.1:1"


class Pipe:
    """A force's standard input."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.lines.append(data)

    async def drain(self) -> None:
        return


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 3)


async def test_every_crew_gets_a_page_but_where_a_person_serves(
    city: City, database: TestDatabase, tmp_path: Path
) -> None:
    plan = plan_force(city, unit_count=30, seed=3)
    await install(database.owner_url, Vault.open(tmp_path), plan, now_us=SYSTEM_CLOCK.now_us())
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("select call_sign, unit_id from unit").fetchall()
    unit_ids: dict[str, int] = dict(rows)
    async with app_pool(database.app_url) as pool:
        accounts, pipe = Accounts(pool), Pipe()
        await accounts.add("anna", Role.OFFICER, unit_id=unit_ids["Car 11-01"])
        staff = Staff(accounts, ORIGIN)
        for _ in range(2):
            pipe.lines.clear()
            await staff.open_pages(plan, unit_ids, pipe)
            pages = [msgspec.json.decode(line, type=PageSignIn) for line in pipe.lines]
            wanted = {unit.call_sign for unit in plan.units if unit.answers} - {"Car 11-01"}
            assert {page.call_sign for page in pages} == wanted
        found = await accounts.use_link(pages[0].token, SYSTEM_CLOCK.now_us())
        assert found is not None
        assert (found.role, found.unit_id) == (Role.OFFICER, unit_ids[pages[0].call_sign])
        assert pages[0].token not in repr(pages[0])


async def test_each_demo_has_a_key_of_its_own_and_the_one_before_is_refused(city: City, database: TestDatabase) -> None:
    async with app_pool(database.app_url) as pool:
        staff = Staff(Accounts(pool), ORIGIN)
        orders = await staff.orders(database.owner_url, city.directory / "tiers.geojson", seed=1, per_minute=2)
        assert orders.intake_key not in repr(orders)
        with psycopg.connect(database.owner_url) as connection:
            connection.execute("update intake_key set label = label || ' earlier'")
        await staff.orders(database.owner_url, city.directory / "tiers.geojson", seed=1, per_minute=2)
    with psycopg.connect(database.owner_url) as connection:
        keys = connection.execute("select label, revoked_at is null from intake_key order by intake_key_id").fetchall()
        agencies = connection.execute("select count(*) from agency").fetchone()
    assert [is_valid for _, is_valid in keys] == [False, True]
    assert all(label.startswith(KEY_LABEL) for label, _ in keys)
    assert agencies == (3,)
