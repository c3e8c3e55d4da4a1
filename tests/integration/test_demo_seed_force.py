"""The demo force gets into the registry, twice, and its secrets open its devices."""

from pathlib import Path

import psycopg
import pytest

from console.demo.city import City, prepare_city
from console.demo.crew_plan import VEHICLES
from console.demo.seed_force import install, plan_force
from infra.vault import Vault
from telemetry.model.errors import InputError
from telemetry.model.unit import UnitKind
from tests.conftest import TestDatabase

pytestmark = pytest.mark.database
NOW_US = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 3)


async def test_the_force_is_installed_once_and_gets_fresh_secrets_each_time(
    city: City, database: TestDatabase, tmp_path: Path
) -> None:
    plan = plan_force(city, unit_count=60, seed=3)
    vault = Vault.open(tmp_path)
    first = await install(database.owner_url, vault, plan, now_us=NOW_US)
    second = await install(database.owner_url, vault, plan, now_us=NOW_US + 1)
    labels = {unit.call_sign for unit in plan.units} | {unit.bodycam_label for unit in plan.units if unit.bodycam_id}
    assert first.keys() == second.keys() == labels
    assert len(labels) > 60
    assert not set(first.values()) & set(second.values())
    with psycopg.connect(database.owner_url) as connection:
        counts = connection.execute(
            "select (select count(*) from unit), (select count(*) from device), (select count(*) from station),"
            " (select count(*) from assignment where ended_at is null), (select count(*) from post where kind = 'dock')"
        ).fetchone()
    assert counts == (60, len(labels), 14, len(labels), 3)


async def test_a_smaller_demo_takes_the_rest_of_a_larger_one_off_the_registry_and_a_larger_one_brings_it_back(
    city: City, database: TestDatabase, tmp_path: Path
) -> None:
    vault = Vault.open(tmp_path)
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("insert into unit (call_sign, kind, service) values ('Car of somebody', 'car', 'patrol')")
    for number, count in enumerate((60, 20, 60)):
        plan = plan_force(city, unit_count=count, seed=3)
        given = await install(database.owner_url, vault, plan, now_us=NOW_US + number)
        assert given.keys() >= {unit.call_sign for unit in plan.units}
        with psycopg.connect(database.owner_url) as connection:
            found = connection.execute("select call_sign from unit").fetchall()
        assert {row[0] for row in found} == {"Car of somebody", *(unit.call_sign for unit in plan.units)}


def test_a_plan_is_the_same_for_the_same_seed_and_has_the_units_asked_for(city: City) -> None:
    plan = plan_force(city)
    assert plan == plan_force(city)
    assert plan != plan_force(city, seed=2)
    assert len(plan.units) == len({unit.call_sign for unit in plan.units}) == 212
    assert sum(unit.kind is UnitKind.DRONE for unit in plan.units) == 12
    names = {unit.call_sign: unit.name_zh for unit in plan.units}
    assert names["Hawk 01"] == "巡鹰-01"
    assert names["Car 04-02"] == "警车 04-02"
    assert {"Moto 11-03", "Officer 11-04", "Room 01"} <= names.keys()
    assert len(plan_force(city, unit_count=3000).units) == 3000


@pytest.mark.parametrize("count", [212, 3000])
def test_vehicles_have_terminals_patrols_wear_bodycams_and_no_number_is_given_twice(city: City, count: int) -> None:
    units = plan_force(city, unit_count=count).units
    for names in ([unit.terminal_phone for unit in units], [unit.bodycam_id for unit in units]):
        given = [name for name in names if name]
        assert len(set(given)) == len(given) > 20
    assert {unit.kind for unit in units if unit.terminal_phone} == VEHICLES
    assert {unit.kind for unit in units if unit.bodycam_id} == {UnitKind.OFFICER}
    assert {len(unit.bodycam_id) for unit in units if unit.bodycam_id} == {20}


@pytest.mark.parametrize("count", [0, 1, 20_001])
def test_a_force_of_senseless_size_is_refused(city: City, count: int) -> None:
    with pytest.raises(InputError, match="2 to 20000"):
        plan_force(city, unit_count=count)
