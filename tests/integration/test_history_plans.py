"""History's functions read by index: their inner plans, as the server itself explains them."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from telemetry.history.questions import QUERIES
from tests.conftest import TestDatabase
from tests.timescale.statements import all_queries

ROWS_OF_A_TRIVIAL_SORT = 100
PARAMETERS = {
    "unit_ids": [1, 2, 3],
    "unit_id": 1,
    "device_ids": [1, 2, 3],
    "from_at": "2026-10-02 00:00:00+00",
    "to_at": "2026-10-02 06:00:00+00",
    "since_at": "2026-10-01 00:00:00+00",
    "row_limit": 10_000,
    "step_s": 60,
}


@pytest.fixture
def explaining(database: TestDatabase) -> Iterator[tuple[psycopg.Connection, list[dict[str, Any]]]]:
    """A superuser's connection on 60 devices with three days of positions, and the plans that the server tells."""
    name = str(conninfo_to_dict(database.owner_url)["dbname"])
    url = make_conninfo(database.maintenance_url, dbname=name)
    plans: list[dict[str, Any]] = []
    with psycopg.connect(url, autocommit=True) as connection:
        _fill(connection)
        connection.execute("load 'auto_explain'")
        for setting, value in {
            "auto_explain.log_min_duration": "0",
            "auto_explain.log_nested_statements": "on",
            "auto_explain.log_analyze": "on",
            "auto_explain.log_format": "json",
            "auto_explain.log_level": "notice",
            "skybeat.account_role": "service",
        }.items():
            connection.execute("select set_config(%s, %s, false)", (setting, value))
        connection.add_notice_handler(lambda notice: plans.append(_plan_of(notice.message_primary or "")))
        yield connection, plans


def _fill(connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into unit (call_sign, kind, service) select n, 'car', 'patrol' from generate_series(1, 60) n"
    )
    connection.execute("insert into device (protocol, address) select 'osmand', n from generate_series(1, 60) n")
    connection.execute(
        "insert into assignment (device_id, unit_id, started_at) select n, n, '2026-09-01' from generate_series(1, 60) n"
    )
    connection.execute("select store.ensure_position_partitions('2026-10-01', '2026-10-03')")
    connection.execute(
        "insert into store.position (device_id, observed_at, received_at, lat_e7, lon_e7, quality, fix_hash) "
        "select device_id, at, at, 1, 1, 0, 0 from generate_series(1, 60) device_id, "
        "generate_series('2026-10-01'::timestamptz, '2026-10-03 23:59:00+00', '1 minute') at"
    )
    connection.execute(
        "insert into store.event select 1, at, at, 'rebooted', 1, '{}', 0 "
        "from generate_series('2026-09-01'::timestamptz, '2026-10-03 23:59:00+00', '1 minute') at"
    )
    connection.execute(
        "insert into store.movement select device_id, at, at + interval '10 minutes', 'stop', 0, 1, 1, 1, 1 "
        "from generate_series(1, 60) device_id, "
        "generate_series('2026-10-01'::timestamptz, '2026-10-03 23:59:00+00', '20 minutes') at"
    )
    connection.execute("analyze")


def _plan_of(message: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message[message.index("{") :])
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_question_to_history_reads_by_index_and_sorts_nothing(
    explaining: tuple[psycopg.Connection, list[dict[str, Any]]], name: str
) -> None:
    connection, plans = explaining
    rows = connection.execute(QUERIES[name], PARAMETERS).fetchall()
    assert rows
    nodes = [node for plan in plans for node in _nodes(plan["Plan"])]
    of_history = [node for node in nodes if _is_history(node)]
    assert any("Index" in node["Node Type"] for node in of_history), plans
    assert not [node for node in of_history if node["Node Type"] == "Seq Scan"], plans
    assert not [node for node in nodes if node["Node Type"] == "Sort" and node["Actual Rows"] > ROWS_OF_A_TRIVIAL_SORT]


def _is_history(node: dict[str, Any]) -> bool:
    return str(node.get("Relation Name", "")).startswith(("position", "event", "movement", "_hyper"))


def test_every_named_query_of_the_project_is_understood_by_the_server(database: TestDatabase) -> None:
    queries = list(all_queries())
    assert queries
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for number, (_, name, query) in enumerate(queries):
            owner.execute(sql.SQL("prepare {} as {}").format(sql.Identifier(f"{name}_{number}"), sql.SQL(query)))


def test_a_year_of_quarter_hours_is_read_from_what_is_derived(
    explaining: tuple[psycopg.Connection, list[dict[str, Any]]],
) -> None:
    connection, plans = explaining
    connection.execute("select store.claim_through('2026-10-04')")
    while connection.execute("select store.derive_next()").fetchone() == (True,):
        pass
    connection.execute("analyze")
    plans.clear()
    rows = connection.execute(QUERIES["rollup"], PARAMETERS | {"step_s": 900}).fetchall()
    assert len(rows) == 24
    read = {
        str(node.get("Relation Name"))
        for plan in plans
        for node in _nodes(plan["Plan"])
        if _is_history(node) and node["Actual Loops"]
    }
    assert read == {"position_quarter_hour_202610"}
