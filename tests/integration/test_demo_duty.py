"""The demo keeps duty statuses true: drones are free on patrol, crews are relieved at the watch's end, tasks first."""

from pathlib import Path

import psycopg
import pytest

from console.demo.city import City, prepare_city
from console.demo.crews import CityClock, Watch
from console.demo.duty_keeper import DutyKeeper
from console.demo.force_plan import ForcePlan
from console.demo.seed_force import install, plan_force
from infra.database import app_pool
from infra.vault import Vault
from telemetry.registry.store import RegistryStore
from telemetry.registry.table import RegistryTable
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
NOW_US = 1_790_000_000_000_000


class Day:
    """A clock whose time of day can be set."""

    def __init__(self, hour: int) -> None:
        self.hour = hour

    def now_us(self) -> int:
        return self.hour * 3_600_000_000

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 3)


async def registry_of(database: TestDatabase, vault: Vault) -> RegistryTable:
    return RegistryTable(await RegistryStore(database.writer_url, vault).load())


def duties(database: TestDatabase, plan: ForcePlan, watch: Watch) -> bool:
    """Tell whether the registry says of everybody on the ground what the plan says of the watch."""
    with psycopg.connect(database.owner_url) as connection:
        found: dict[str, str] = dict(
            connection.execute("select call_sign, duty_status from unit where kind <> 'drone'").fetchall()
        )
    return found == {unit.call_sign: unit.duty_in(watch).value for unit in plan.units if not unit.system_id}


async def test_drones_are_free_on_patrol_stand_by_on_their_pads_and_keep_what_a_task_or_people_set(
    city: City, database: TestDatabase, tmp_path: Path
) -> None:
    plan, vault = plan_force(city, unit_count=60, seed=3), Vault.open(tmp_path)
    await install(database.owner_url, vault, plan, now_us=NOW_US)

    def drones() -> list[str]:
        with psycopg.connect(database.owner_url) as connection:
            rows = connection.execute("select duty_status from unit where kind = 'drone' order by call_sign")
            return [row[0] for row in rows.fetchall()]

    async def look(*aloft: int) -> list[str]:
        registry = await registry_of(database, vault)
        await DutyKeeper(plan, CityClock(Day(12), offset_s=0.0), registry, pool).look(aloft)
        return drones()

    async with app_pool(database.app_url) as pool:
        assert await look(1, 3) == ["free", "standby", "free"]
        assert await look(3) == ["standby", "standby", "free"]
        for status in ("en_route", "off_duty"):
            with psycopg.connect(database.owner_url) as connection:
                connection.execute("update unit set duty_status = %s where call_sign = 'Hawk 03'", (status,))
            assert await look() == ["standby", "standby", status]


async def test_crews_are_relieved_at_the_watchs_end_and_who_has_a_task_when_it_is_done(
    city: City, database: TestDatabase, tmp_path: Path
) -> None:
    plan, vault, day = plan_force(city, unit_count=212, seed=3), Vault.open(tmp_path), Day(20)
    await install(database.owner_url, vault, plan, now_us=NOW_US)
    assert duties(database, plan, Watch.DAY)
    with psycopg.connect(database.owner_url) as connection:
        busy = connection.execute("select unit_id from unit where call_sign = 'Car 11-03'").fetchone()
        assert busy is not None
        connection.execute(
            "insert into incident (number, change_sequence, state, urgency_rank, category, title, source, source_ref,"
            " source_sha256, reported_at, created_at, changed_at) values"
            " ('JQ-1', 1, 'offered', 2, 'other', 't', 'rest', 'r', sha256('x'), now(), now(), now())"
        )
        connection.execute(
            "insert into dispatch (incident_id, unit_id, state, sent_by, queued_at)"
            " select incident_id, %s, 'sent', 'desk', now() from incident",
            busy,
        )
    registry = await registry_of(database, vault)
    async with app_pool(database.app_url) as pool:
        keeper = DutyKeeper(plan, CityClock(day, offset_s=0.0), registry, pool)
        await keeper.look(())
        assert duties(database, plan, Watch.DAY)
        day.hour = 22
        await keeper.look(())
        assert not duties(database, plan, Watch.NIGHT)
        with psycopg.connect(database.owner_url) as connection:
            late = connection.execute("select call_sign, duty_status from unit where unit_id = %s", busy).fetchone()
            assert late == ("Car 11-03", "standby")
            connection.execute("update dispatch set state = 'cleared'")
        keeper = DutyKeeper(plan, CityClock(Day(12), offset_s=0.0), await registry_of(database, vault), pool)
        keeper._clock = CityClock(day, offset_s=0.0)
        await keeper.look(())
        assert duties(database, plan, Watch.NIGHT)
