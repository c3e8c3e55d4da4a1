"""Importing a force: all of it or nothing, again without harm, and by the command."""

import asyncio
import csv
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from console.commands.db import command as db
from console.commands.device import command as device
from console.commands.force import command as force
from infra.vault import Vault
from telemetry.model.phone import address_of_token
from telemetry.model.unit import Equipment
from telemetry.registry.force_file import parse_force_file
from telemetry.registry.force_import import import_force
from telemetry.registry.store import RegistryStore
from telemetry.registry.table import RegistryTable
from tests.conftest import TestDatabase

NOW_US = 1_790_000_000_000_000
CSV = """\
record,number,call_sign,kind,service,station,name_zh,name_en,lat_deg,lon_deg,protocol,address,label,unit
device,,,,,,,,,,phone,,handset 42,Car 12
unit,,Hawk 1,drone,air,1,,,,,,,,
unit,,Car 12,car,patrol,1,,,,,,,,
station,1,,,,,西津,Xijin,36.071,103.791,,,,
post,,,dock,,1,一号机巢,,36.07,103.79,,,,
camera,,,,,1,路口,,36.07,103.79,,,,
device,,,,,,,,,,mavlink,main/1,,Hawk 1
"""
COUNTS = "select (select count(*) from station), (select count(*) from unit), (select count(*) from device), (select count(*) from post), (select count(*) from camera), (select count(*) from assignment)"


@pytest.fixture
def owner(database: TestDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def run(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A command line whose settings name the test's database and a folder of its own."""
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", _as_url(database.owner_url))
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path / "data"))
    return CliRunner()


def _as_url(conninfo: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    words = "&".join(f"{name}={value}" for name, value in parts.items() if name in {"host", "port", "user", "dbname"})
    return f"postgresql:///?{words}&password={parts['password']}"


def test_an_import_writes_everything_in_any_order_of_lines(owner: psycopg.Connection, tmp_path: Path) -> None:
    report = import_force(owner, parse_force_file(CSV.encode(), "f.csv"), vault=Vault.open(tmp_path), now_us=NOW_US)
    assert report.problems == ()
    assert report.added == {"station": 1, "unit": 2, "device": 2, "post": 1, "camera": 1}
    assert owner.execute(COUNTS).fetchone() == (1, 2, 2, 1, 1, 2)
    assert [(entry.call_sign, bool(entry.issued.secret)) for entry in report.issued] == [
        ("Car 12", True),
        ("Hawk 1", True),
    ]


def test_what_units_carry_is_imported_stays_without_the_column_and_is_taken_away_by_an_empty_one(
    owner: psycopg.Connection, database: TestDatabase, tmp_path: Path
) -> None:
    def bring(*lines: str) -> list[tuple[str, list[str]]]:
        force = parse_force_file("\n".join(lines).encode(), "f.csv")
        assert import_force(owner, force, vault=Vault.open(tmp_path), now_us=NOW_US).problems == ()
        return owner.execute("select call_sign, equipment from unit order by call_sign").fetchall()

    head = "record,call_sign,kind,service,equipment"
    both = bring(head, "unit,Car 1,car,patrol,aed; shield aed", "unit,Car 2,car,patrol,")
    assert both == [("Car 1", ["aed", "shield"]), ("Car 2", [])]
    assert bring("record,call_sign,kind,service", "unit,Car 1,car,traffic")[0] == ("Car 1", ["aed", "shield"])
    loaded = asyncio.run(RegistryStore(database.writer_url, Vault.open(tmp_path)).load())
    assert {unit.call_sign: unit.equipment for unit in loaded.units} == {
        "Car 1": (Equipment.AED, Equipment.SHIELD),
        "Car 2": (),
    }
    assert bring(head, "unit,Car 1,car,patrol,")[0] == ("Car 1", [])


def test_importing_again_changes_what_differs_and_issues_no_second_secret(
    owner: psycopg.Connection, tmp_path: Path
) -> None:
    vault = Vault.open(tmp_path)
    import_force(owner, parse_force_file(CSV.encode(), "f.csv"), vault=vault, now_us=NOW_US)
    changed = CSV.replace("36.071", "36.072").replace("handset 42,Car 12", "handset 42,Hawk 1")
    report = import_force(owner, parse_force_file(changed.encode(), "f.csv"), vault=vault, now_us=NOW_US + 10)
    assert report.added == {}
    assert report.issued == ()
    assert owner.execute(COUNTS).fetchone() == (1, 2, 2, 1, 1, 3)
    assert owner.execute("select lat_e7 from station").fetchone() == (360_720_000,)


def test_the_command_writes_nothing_in_a_dry_run_and_everything_after_it(
    owner: psycopg.Connection, run: CliRunner, tmp_path: Path
) -> None:
    file, secrets = tmp_path / "force.csv", tmp_path / "secrets.csv"
    file.write_text(CSV)
    dry = run.invoke(force, ["import", str(file), "--dry-run"])
    assert (dry.exit_code, "dry run" in dry.output) == (0, True), dry.output
    assert owner.execute(COUNTS).fetchone() == (0,) * 6
    done = run.invoke(force, ["import", str(file), "--secrets", str(secrets)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(secrets.read_text().splitlines()))
    assert secrets.stat().st_mode & 0o777 == 0o600
    addresses = {row[0] for row in owner.execute("select address from device").fetchall()}
    assert addresses == {"main/1", address_of_token(rows[0]["secret"])}


def test_the_command_names_wrong_lines_and_writes_nothing(
    owner: psycopg.Connection, run: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "force.csv"
    file.write_text(CSV + "unit,,Car 13,tank,patrol,9\nunit,,Car 14,car,patrol,9\n")
    done = run.invoke(force, ["import", str(file)])
    assert done.exit_code == 1
    assert "line 9: kind 'tank': allowed are" in done.output
    assert "line 10: station 9 is unknown" in done.output
    assert owner.execute(COUNTS).fetchone() == (0,) * 6


def test_devices_are_enrolled_listed_rotated_assigned_and_revoked_by_command(
    database: TestDatabase, run: CliRunner, tmp_path: Path
) -> None:
    def say(*words: str) -> str:
        done = run.invoke(device, list(words))
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    added = say(
        "add", "--protocol", "phone", "--unit", "Car 1", "--kind", "car", "--service", "patrol", "--label", "h1"
    )
    token = added.split("token (shown this once): ")[1].split()[0]
    assert token not in say("list")
    say(
        "add", "--protocol", "mavlink", "--address", "main/1", "--unit", "Hawk 1", "--kind", "drone", "--service", "air"
    )
    assert token not in say("rotate", "1")
    say("assign", "1", "--unit", "Hawk 1")
    assert say("list").count("Hawk 1") == 2
    say("assign", "1", "--nobody")
    say("revoke", "1")
    assert "revoked" in say("list")
    store = RegistryStore(database.writer_url, Vault.open(tmp_path / "data"))
    table = RegistryTable(asyncio.run(store.load()))
    assert [found.revoked for found in table.devices.values()] == [True, False]


def test_db_status_tells_what_is_applied_and_pending(run: CliRunner) -> None:
    assert "0 applied now" in run.invoke(db, ["migrate"]).output
    shown = run.invoke(db, ["status"])
    assert shown.exit_code == 0
    assert "0001_roles.sql" in shown.output
    assert "PENDING" not in shown.output
